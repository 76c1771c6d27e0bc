"""The providers' contract: input that cannot be is one error, never half a run."""

from __future__ import annotations

import json

import pytest

from tests.cli.asking import errors
from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, call, delta, finish
from tests.fakes.fault_server import FaultServer


@pytest.mark.parametrize(
    ("more", "environ", "code", "said"),
    [
        (["--model", ""], {}, 2, "--model"),
        (["--model", "/"], {}, 2, "missing model identifier"),
        (["--model", "openai/"], {}, 2, "missing model identifier"),
        (["--model", "/gpt-4o"], {}, 2, "missing model identifier"),
        (["--model", "openai/a\nb"], {}, 2, "control characters"),
        (["--model", "antropic/claude"], {}, 2, "did you mean anthropic?"),
        (["--model", "foo/bar"], {}, 2, "supported: "),
        (["--fallback-model", "gogle/x"], {}, 2, "did you mean google?"),
        (["--fallback-model", "openai/"], {}, 2, "--fallback-model"),
        ([], {"OPENAI_API_KEY": "   "}, 3, "OPENAI_API_KEY"),
        (["--api-key", " "], {"OPENAI_API_KEY": ""}, 3, "OPENAI_API_KEY"),
        ([], {"OPENAI_API_KEY": "hunter2\nX-Evil: 1"}, 2, "OPENAI_API_KEY"),
        (["--api-key", "hunter2\r\nX: 1"], {}, 2, "--api-key"),
        ([], {"OPENAI_API_KEY": "hunter2-漢字"}, 2, "OPENAI_API_KEY"),
        (["--api-base", "api.openai.com/v1"], {}, 2, "http:// or https://"),
        (["--api-base", "localhost:8080"], {}, 2, "http:// or https://"),
        (["--api-base", "ftp://host/v1"], {}, 2, "http:// or https://"),
        (["--api-base", "http://"], {}, 2, "http:// or https://"),
        (["--api-base", "http://host:99999/v1"], {}, 2, "--api-base"),
        (["--api-base", "http://host /v1"], {}, 2, "--api-base"),
        (["--api-base", "https://me:hunter2@host/v1"], {}, 2, "--api-base"),
        ([], {"PI_API_BASE": "host/v1"}, 2, "http:// or https://"),
        (["--header", "hunter2"], {}, 2, "--header"),
        (["--header", "X-Key=hunter2\nX: 1"], {}, 2, "--header"),
    ],
)
def test_input_that_cannot_be_is_one_error_that_shows_no_secret(
    pi: Pi, more: list[str], environ: dict[str, str], code: int, said: str
) -> None:
    done = pi("-p", "hi", *more, **{**KEY, **environ})
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert said in done.stderr
    assert len(errors(done)) == 1
    assert "hunter2" not in done.stderr
    assert not list(pi.folder.iterdir())


ENTRY = {"provider": "openai", "model": "gpt-4o-mini", "supports_tools": True}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"null",
        b'"text"',
        b"{}",
        json.dumps({"schema_version": 99, "entries": [ENTRY]}).encode(),
        json.dumps({"schema_version": 1, "entries": {"a": ENTRY}}).encode(),
        json.dumps([ENTRY, 7]).encode(),
        *(
            json.dumps([{**ENTRY, name: value}]).encode()
            for name, value in (
                ("provider", 7),
                ("model", None),
                ("supports_tools", "yes"),
                ("context_window_tokens", -1),
                ("context_window_tokens", 1.5),
                ("context_window_tokens", True),
                ("input_cost_per_million", "free"),
                ("input_cost_per_million", float("nan")),
                ("output_cost_per_million", -2),
                ("thinking_levels", "low"),
                ("thinking_levels", [1]),
                ("compat", [1]),
                ("api", 3),
                ("api", "no-such-format"),
            )
        ),
    ],
)
def test_a_catalog_of_wrong_types_is_a_remark_and_never_stops_a_run(pi: Pi, content: bytes) -> None:
    (pi.folder / "c.json").write_bytes(content)
    with FaultServer(answers((delta("ok"), finish()))) as server:
        done = pi.ask(server.url, "--model-catalog-cache", "c.json", "--model-catalog-offline")
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    remarks = [line for line in done.stderr.splitlines() if "c.json" in line]
    assert len(remarks) == 1, done.stderr
    assert len(remarks[0]) < 500
    assert (pi.folder / "c.json").read_bytes() == content


def test_a_model_that_a_catalog_says_has_no_tools_is_refused_before_anything_is_sent(
    pi: Pi,
) -> None:
    (pi.folder / "c.json").write_text(json.dumps([{**ENTRY, "supports_tools": False}]))
    with FaultServer(lambda peer: None) as server:
        done = pi.ask(server.url, "--model-catalog-cache", "c.json", "--model-catalog-offline")
        assert server.connections == 0
    assert done.returncode == 2
    assert "gpt-4o-mini" in done.stderr
    assert len(errors(done)) == 1


def cut_cassettes(pi: Pi) -> tuple[list[bytes], tuple[str, ...]]:
    """The lines of the recording of two exchanges, and the arguments that repeat the run."""
    turns = answers((call("bash", {"command": "true"}), finish("tool_calls")), (finish(),))
    with FaultServer(turns) as server:
        arguments = ("--api-base", server.url + "/v1", "-p", "hi", "--no-session")
        assert pi(*arguments, "--record", "tape", **KEY).returncode == 0
    lines = (pi.folder / "tape").read_bytes().splitlines(keepends=True)
    assert b'"end"' in lines[-2]
    return lines, arguments


def test_a_cassette_cut_before_an_answer_is_whole_is_one_error(pi: Pi) -> None:
    lines, arguments = cut_cassettes(pi)
    whole = b"".join(lines)
    ends = [sum(map(len, lines[:n])) for n in range(len(lines) - 2)]
    for at in sorted({*ends, 10, 300}):
        (pi.folder / "cut").write_bytes(whole[:at])
        done = pi(*arguments, "--replay", "cut")
        assert done.returncode == 7, (at, done.stderr)
        assert len(errors(done)) == 1, (at, done.stderr)


@pytest.mark.parametrize("lost", [1, 2])
def test_a_cassette_that_lost_its_last_lines_is_told(pi: Pi, lost: int) -> None:
    lines, arguments = cut_cassettes(pi)
    (pi.folder / "cut").write_bytes(b"".join(lines[:-lost]))
    assert "cut" in pi(*arguments, "--replay", "cut").stderr
