"""Settings from parsed flags."""

from __future__ import annotations

import pytest

from pi.base.errors import UsageError
from pi.cli.parse import parse
from pi.cli.settings import Settings, build_settings


def settings(*argv: str, **environ: str) -> Settings:
    return build_settings(parse(argv, environ))


def test_words_without_a_flag_are_the_prompt() -> None:
    assert settings("hello", "there").prompt.text == "hello there"
    assert settings("-p", "hello").prompt.text == "hello"
    assert settings("--prompt", "hello").prompt.text == "hello"


def test_print_alone_waits_for_standard_input() -> None:
    prompt = settings("-p").prompt
    assert (prompt.text, prompt.wanted) == (None, True)
    assert settings().prompt.wanted is False


def test_a_session_named_by_the_user_is_a_promise() -> None:
    assert settings().session[:3] == (".pi/sessions/default.jsonl", False, 5000)
    assert settings("--session", "s").session[:2] == ("s", True)
    assert settings(PI_SESSION="s").session[:2] == ("s", True)
    assert settings("--no-session").session.path is None


def test_json_beside_a_prompt_is_told_what_gives_an_answer_as_json() -> None:
    with pytest.raises(UsageError, match="--json is for what prints no model's answer") as caught:
        settings("--json", "-p", "hello")
    assert "--output-format json" in caught.value.hint


def test_a_client_key_without_its_certificate_is_refused_wherever_it_is_from() -> None:
    with pytest.raises(UsageError, match="--client-key needs --client-cert"):
        settings("--client-key", "k.pem")
    assert settings("--client-key", "k.pem", "--client-cert", "c.pem").network.client_key == "k.pem"


def test_a_system_prompt_may_be_empty() -> None:
    assert settings("--system-prompt=").prompt.system == ""
    assert settings().prompt.system != ""


def test_fallbacks_keep_their_order_without_repeats_and_under_one_name() -> None:
    given = settings("--model", "gemini/a", "--fallback-model", "google/a,groq/b,groq/b,xai/c")
    assert str(given.model.ref) == "google/a"
    assert [str(ref) for ref in given.model.fallbacks] == ["groq/b", "xai/c"]


def test_headers_are_written_with_an_equals_sign_or_a_colon() -> None:
    given = settings("--header", "X-A=1:2", "--header", "X-B: c=d")
    assert given.model.headers == (("X-A", "1:2"), ("X-B", "c=d"))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--model", "foo/bar"], "unsupported provider 'foo'"),
        (["--model", "opnai/x"], "did you mean openai?"),
        (["--model", "openai/"], "missing model identifier"),
        (["--api-base", "localhost:80"], "--api-base"),
        (["--api-base", "ftp://x"], "--api-base"),
        (["--api-base", "http://"], "--api-base"),
        (["--api-base", "http://h:99999"], "--api-base"),
        (["--api-base", "http://user:pw@h/v1"], "--api-base must not hold"),
        (["--api-base", "http://h/a b"], "blanks"),
        (["--google-api-base", "nonsense"], "--google-api-base"),
        (["--fallback-model", "foo/bar"], "--fallback-model"),
        (["--header", "=x"], "NAME=VALUE"),
        (["--header", "X-Secret"], "NAME=VALUE"),
        (["--header", "Content-Length=5"], "pi sets this one itself"),
        (["--model", "demo/tuor"], "demo/tour"),
        (["--header", "A=b\nC: d"], "--header A"),
        (["--prompt", "x", "word"], "given twice"),
        (["--prompt-file", "x", "word"], "cannot be combined"),
        (["--prompt", "  "], "the prompt is empty"),
        (["--no-session", "--session", "x"], "cannot be combined"),
    ],
)
def test_values_that_cannot_work_are_refused_before_anything_happens(
    argv: list[str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        settings(*argv)
    assert said in "\n".join(caught.value.lines())
    assert "pw" not in "\n".join(caught.value.lines())
