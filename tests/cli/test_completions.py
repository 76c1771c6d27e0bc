"""``pi --completion`` in the real shells: what is typed with Tab, and what pi would be given."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Pi
from tests.fakes import shells

# Typed with Tab, and the words that pi gets; for all shells that are driven by keys.
TYPED = [
    ("pi --thin\tlo\t", ["--thinking", "low"]),
    ("pi --model demo/t\t", ["--model", "demo/tour"]),
    ("pi --model=demo/t\t", ["--model=demo/tour"]),
    ("pi --fallback-model=x/y,demo/t\t", ["--fallback-model=x/y,demo/tour"]),
    ("pi --tools read,wri\t", ["--tools", "read,write"]),
    ("pi --tools=wri\t", ["--tools=write"]),
    ("pi --stream-output=f\t", ["--stream-output=false"]),
    ("pi --session pla\t", ["--session", "plain"]),
    ("pi --session=pla\t", ["--session=plain"]),
    ("pi --session my\t", ["--session", "my notes"]),
    ('pi --session "my\t', ["--session", "my notes"]),
    ("pi --session my\\ no\t", ["--session", "my notes"]),
    ("pi --session \\$\t", ["--session", "$(touch RUN)"]),
    ("pi --prompt-file note\t", ["--prompt-file", "notes.txt"]),
    ("pi --allow-path sub\t", ["--allow-path", "subfolder"]),
    ("pi --quiet --completion f\t", ["--quiet", "--completion", "fish"]),
    ("pi -- --thin\t", ["--", "--thin"]),
    ("pi.pyz --thin\tlo\t", ["--thinking", "low"]),
    ("python3 ./pi.pyz --thin\tlo\t", ["./pi.pyz", "--thinking", "low"]),
]


@pytest.fixture
def folder(pi: Pi) -> Path:
    """A folder with sessions, one of which would run something if it were not quoted."""
    place = pi.folder / "work"
    sessions = place / ".pi" / "sessions"
    sessions.mkdir(parents=True)
    for name in ("plain", "my notes", "$(touch RUN)", "old.quarantine"):
        (sessions / f"{name}.jsonl").touch()
    for name in ("notes.txt", "pi.pyz"):
        (place / name).touch()
    (place / "subfolder").mkdir()
    return place


def script(pi: Pi, shell: str) -> Path:
    """The file with the script of the built pi."""
    done = pi("--completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    path = pi.folder / f"completion.{shell}"
    path.write_text(done.stdout, encoding="utf-8")
    return path


@pytest.fixture(params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, pi: Pi, folder: Path) -> Iterator[shells.Shell]:
    why = shells.missing(request.param)
    if why:
        pytest.skip(why)
    opened: shells.Shell = getattr(shells, request.param)(folder, script(pi, request.param))
    yield opened
    opened.close()


def test_a_shell_completes_flags_values_sessions_and_files(
    shell: shells.Shell, folder: Path
) -> None:
    got = []
    for keys, _ in TYPED:
        words = shell.typed(keys)
        # zsh joins a flag that it completed with its value.
        split = [part.rstrip("/") for word in words for part in word.split("=")]
        got.append(words if "=" in keys else split)
    assert got == [words for _, words in TYPED]
    assert not (folder / "RUN").exists()


def test_fish_completes_flags_values_sessions_and_files(pi: Pi, folder: Path) -> None:
    if shells.missing("fish"):
        pytest.skip(shells.missing("fish"))
    asked = {
        "pi --thin": "--thinking",
        "pi --thinking lo": "low",
        "pi --model demo/t": "demo/tour",
        "pi --model=demo/t": "--model=demo/tour",
        "pi --fallback-model x/y,demo/t": "x/y,demo/tour",
        "pi --tools read,wri": "read,write",
        "pi --stream-output=f": "--stream-output=false",
        "pi --session pla": "plain",
        "pi --session my": "my notes",
        "pi --session \\$": "$(touch RUN)",
        "pi --prompt-file note": "notes.txt",
        "pi --completion f": "fish",
        "pi.pyz --thin": "--thinking",
        "./pi.pyz --thin": "--thinking",
        "python3 pi.pyz --thin": "--thinking",
    }
    quoted = " ".join("'" + line.replace("\\", "\\\\") + "'" for line in asked)
    command = f"for line in {quoted}; complete -C $line; echo .end; end"
    home = str(pi.folder)
    done = subprocess.run(
        ["fish", "--no-config", "-C", f"source {script(pi, 'fish')}", "-c", command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    answers = [
        [line.partition("\t")[0] for line in answer.split("\n") if line]
        for answer in done.stdout.split(".end\n")[:-1]
    ]
    got = dict(zip(asked, answers))
    assert got == {line: [word] for line, word in asked.items()}
    assert not (folder / "RUN").exists()


LEVELS = ["off", "minimal", "low", "medium", "high", "xhigh", "max"]
BASH_OFFERS = """
. "$1"; cd "$2" || exit
COMP_WORDBREAKS=$3
shift 3
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_pi
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_bash_offers_each_choice_once_and_minds_where_words_are_cut(pi: Pi, folder: Path) -> None:
    path = script(pi, "bash")

    def offers(*words: str, breaks: str = " \t\n\"'><=;|&(:") -> list[str]:
        done = subprocess.run(
            ["bash", "--norc", "-u", "-c", BASH_OFFERS, "x", path, folder, breaks, "pi", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]

    assert offers("--thinking", "=", "m") == ["minimal", "medium", "max"]
    assert offers("--thinking=m", breaks=" \t\n") == [
        *("--thinking=minimal", "--thinking=medium", "--thinking=max"),
    ]
    assert offers("--thinking", "=") == LEVELS
    assert offers("-") == list(dict.fromkeys(offers("-")))
    assert "-p" in offers("-")
    assert offers("say", ":", "--no-sess") == ["--no-session"]
    assert offers("--max-turns", "") == [""]
    assert offers("--tools", "a,b,e") == ["a,b,edit"]
    assert offers("--session", "m") == ["my\\ notes"]


def test_a_shell_nobody_knows_is_a_usage_error(pi: Pi) -> None:
    done = pi("--completion", "tcsh")
    assert done.returncode == 2
    assert "--completion: 'tcsh' is not one of bash, zsh, fish" in done.stderr
    assert done.stdout == ""


def test_autoloaded_by_zsh_the_file_completes_at_once(pi: Pi, folder: Path) -> None:
    if shells.missing("zsh"):
        pytest.skip(shells.missing("zsh"))
    functions = pi.folder / "functions"
    functions.mkdir()
    shutil.copy(script(pi, "zsh"), functions / "_pi")
    setup = pi.folder / "setup.zsh"
    setup.write_text(f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -i -D\n")
    shell = shells.zsh(folder, setup)
    try:
        assert shell.typed("pi --model=demo/t\t") == ["--model=demo/tour"]
        assert shell.typed("pi --model=demo/t\t") == ["--model=demo/tour"]
    finally:
        shell.close()
