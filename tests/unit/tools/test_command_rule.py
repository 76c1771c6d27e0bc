"""What the command rule says of command lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_bench import check, rule

from pi.tools.commands import command_check
from pi.tools.commands.rule import CommandRule
from pi.tools.decision import Decision
from pi.tools.policy import make_policy

CORPORA = Path(__file__).resolve().parents[2] / "data" / "commands"


def bypasses() -> Iterator[tuple[str, str, str]]:
    """Rule, what the error holds, command."""
    expected = ""
    for line in (CORPORA / "bypass.txt").read_text(encoding="utf-8").split("\n"):
        if line.startswith("@ "):
            expected = line[2:]
        elif "\t" in line:
            name, _, command = line.partition("\t")
            if command.startswith("json:"):
                command = json.loads(command[5:])
            yield name, expected, command


def developer_commands() -> Iterator[str]:
    for line in (CORPORA / "developer.txt").read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            yield line


BYPASSES = list(bypasses())
DEVELOPER = list(developer_commands())


def test_the_corpora_are_as_large_as_promised() -> None:
    assert len(BYPASSES) >= 300
    assert len(DEVELOPER) >= 200


@pytest.mark.parametrize("preset", ["strict", "hardened"])
def test_every_attempt_is_refused_by_the_rule_that_is_named(preset: str) -> None:
    checker = rule(preset)
    wrong = []
    for name, expected, command in BYPASSES:
        decision = checker.check(command, "/work")
        if decision.allowed or decision.rule != name or expected not in decision.error:
            wrong.append((command, decision.rule, decision.error, expected))
    assert wrong == []


def test_no_attempt_passes_when_line_breaks_and_length_are_let() -> None:
    checker = rule("strict", allow_command_newlines=True, max_command_length=10_000)
    passed = [command for _, _, command in BYPASSES if checker.check(command, "/work").allowed]
    assert passed == []


def test_every_developer_command_is_allowed_when_balanced() -> None:
    checker = rule("balanced")
    refused = [
        (command, decision.error)
        for command in DEVELOPER
        for decision in [checker.check(command, "/work")]
        if not decision.allowed
    ]
    assert refused == []


@pytest.mark.parametrize(
    "command",
    [
        "ls; curl x",
        "ls | sh",
        "x='a[$('ev$@il')]'; echo $((x))",
        "x=$y'a[$(evil)]'; echo $((x))",
        "export x='a[$('ev$@il')]'; echo $((x))",
        "echo `curl x`",
        "echo $(curl x)",
        "PATH=/e ls",
        "/e/ls",
        "env curl",
        "ls\ncurl x",
        "xargs curl",
        "ls | xargs env",
        "ls | xargs -I{} {}",
        "ls | xargs -I{} env {}",
        "ls | xargs -i {}",
        "ls | xargs -I% sh -c %",
        "ls | xargs --replace=X X",
        "ls | xargs nice",
        "ls | xargs -n1 env FOO=1",
        "ls | xargs env -S",
        "find . -exec curl {} \\;",
        "find . -name a -execdir ls {} \\; -o -exec curl {} +",
        "find . -exec ls {} + -ok curl \\;",
        "find . -exec {} \\;",
        "find . -exec $X {} \\;",
        "find . -exec env curl \\;",
        "find . -exec ls + curl \\; -exec curl \\;",
        "find . -execdir ./x \\;",
        "ls; find .; find . -exec curl {} \\;",
        "ls | xargs find -exec curl \\;",
        "find . -exec find . -exec curl \\; \\;",
        "fd -x curl",
        "fd -xcurl",
        "fd -Hx=curl a",
        "fd -e py -HX curl",
        "fd --exec=curl",
        "fd --exec-b curl",
        "fd a -x ls ';' -x curl",
        "fdfind . -x nice -n 5 curl",
        "S=';'; find . -exec ls $S -exec curl \\;",
        'S=";"; find . -exec ls "$S" -okdir curl {} +',
        'find . -exec ls $";" -exec curl \\;',
        "find . -exec ls {,';'} -exec curl \\;",
        "X=-exec; find . $X curl \\;",
        "X=-exec; find $X curl {} +",
        "find . -e?ec curl {} $X",
        "find . -{exec,} curl $X",
        "find . {-exec,curl,';'}",
        "find . {.,-exec,curl,$X}",
        "fd --exec=ls -x curl",
        "fd -xls -x curl",
        "S=';'; fd a -x ls $S -x curl",
        "xargs --process-slot-var=PATH ls",
        "time curl",
        "ls > /etc/x",
        "cat < /proc/self/environ",
        "cat < /dev/tcp/evil/80",
        "./evil",
        "../ls",
        "cd .. && ./ls",
        "ls() { rm x; }; ls",
        "$X",
        "eval ls",
        ". ./x",
        "true & wait -np PATH",
        "x=-np; true & wait $x PATH",
        "printf -v x -v PATH y",
        "printf %n PATH",
        'x=-v; printf "$x" PATH y',
        "x='-v PATH y'; printf $x",
        "x=-v; test $x 'a[$(curl x)]'",
        "read x < f; declare -a y=$x",
        "command -- cd /etc; ls > f",
        "command -p cd /etc; ls > f",
        "builtin -- cd /etc; ls > f",
        "command -- builtin -- cd /etc; ls > f",
        "for x in a; do ls > f; command -- cd /etc; done",
        "cd --; ls > f",
        "cd -P && ls > f",
        "cd /etc; ls >& \u0663",
        "cd /etc; ls >& \u00b2",
    ],
)
def test_balanced_refuses_what_only_looks_like_an_allowed_command(command: str) -> None:
    assert not check("balanced", command).allowed


@pytest.mark.parametrize(
    "command",
    [
        "printf '%d%% new\\n' \"$x\"",
        "printf '%s %s\\n' PATH \"$PATH\"",
        'printf "${RED}%s${NC}\\n" "$x"',
        'printf "$x"',
        "declare -a x=($(ls) b); declare y=a$x; export z=$x",
        "ls & wait $! && wait %1; ls & p=$!; wait $p",
        '[ "$x" = "[a]" ] && test -n "$x" -a -f y',
    ],
)
def test_balanced_lets_what_looks_like_setting_a_variable_and_does_not(command: str) -> None:
    decision = check("balanced", command)
    assert decision.allowed, decision.error


@pytest.mark.parametrize("command", ["echo read x; echo $((x))", "ls 'a b' | cat; cat < $(ls)"])
def test_what_was_asked_before_changes_nothing(command: str) -> None:
    for preset in ("strict", "balanced"):
        checker = rule(preset)
        first = checker.check(command, "/work")
        checker.check("echo a; ls b; cat c", "/work")
        assert checker.check(command, "/work") == first


def test_a_folder_is_left_as_the_shell_leaves_it(tmp_path: Path) -> None:
    """``cd link/..`` leads back to where the link stands, not to where its target does."""
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "c").mkdir()
    (root / "link").symlink_to(root / "a" / "b")
    (root / "c").symlink_to(tmp_path)
    checker = CommandRule(make_policy("balanced", {}), [str(root)], {"PATH": "/usr/bin"})
    for command in ("cd link/../c && ls > f", "cd link; cd ../c; ls > f", "cd link/..; ls > c/f"):
        assert not checker.check(command, str(root)).allowed
    assert checker.check("cd link/.. && ls > f", str(root)).allowed
    assert checker.check("cd a/b/../c && ls > f", str(root)).allowed


def test_each_round_of_a_loop_may_go_further(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a" / "a").mkdir(parents=True)
    (root / "a" / "a" / "a").symlink_to(tmp_path)
    (root / "b").mkdir()
    checker = CommandRule(make_policy("balanced", {}), [str(root)], {"PATH": "/usr/bin"})
    for loop in ("for i in 1 2 3; do cd %s; done; ls > f", "while true; do ls > f; cd %s; done"):
        assert not checker.check(loop % "a", str(root)).allowed
        assert checker.check(loop % "b", str(root)).allowed
    assert checker.check("cd a; for i in 1 2; do ls; done; ls > f", str(root)).allowed
    assert not checker.check("cd a; for i in 1 2; do cd a; done; ls > f", str(root)).allowed


@pytest.mark.parametrize(
    "command",
    [
        "pushd a; ls > f",
        "popd > f; ls > f",
        "builtin pushd a; ls > f",
    ],
)
def test_where_a_folder_cannot_be_followed_nothing_relative_is_written(command: str) -> None:
    decision = check("balanced", command, "pushd", "popd")
    assert "known only when it runs" in decision.error
    assert check("balanced", command.replace("ls > f", "ls"), "pushd", "popd").allowed


def test_the_refusal_names_the_command_the_profile_and_the_list() -> None:
    decision = check("balanced", "ls && python3 -V")
    assert decision.error == "command 'python3' is not allowed by 'balanced' bash profile"
    assert decision.rule == "allowed_commands"
    assert decision.fields["allowed_commands"] == list(make_policy("balanced", {}).allowed_commands)


def test_a_refused_use_of_an_allowed_command_says_why() -> None:
    decision = check("strict", "find . -delete")
    assert decision.error == (
        "command 'find' is not allowed by 'strict' bash profile: "
        "'-delete' runs commands, removes or writes files"
    )


def test_an_entry_with_a_star_allows_names_that_begin_so() -> None:
    assert check("balanced", "python3 -V", "py*").allowed
    assert check("balanced", "/usr/bin/python3 -V", "py*").allowed
    assert not check("balanced", "Python3 -V", "py*").allowed
    assert not check("balanced", "mypy x", "py*").allowed


def test_no_entry_allows_what_runs_text() -> None:
    for command in ("eval ls", "source x", "trap ls EXIT", "$X", "let a=1", "su", "watch ls"):
        assert not check("balanced", command, "*").allowed
    assert check("balanced", "whatever", "*").allowed


def test_one_entry_restricts_the_permissive_profile() -> None:
    assert check("permissive", "curl x").allowed
    decision = check("permissive", "curl x", "ls")
    assert decision.error == "command 'curl' is not allowed by 'permissive' bash profile"
    assert check("permissive", "ls", "ls").allowed


def test_without_a_list_only_length_and_line_ends_are_looked_at() -> None:
    assert check("permissive", "echo 'x").allowed
    assert check("permissive", "ls\ncurl x").allowed
    assert not check("permissive", "ls\ncurl x", allow_command_newlines=False).allowed


def test_length_is_counted_in_characters() -> None:
    command = "echo " + "é" * 1019
    assert check("hardened", command).allowed
    decision = check("hardened", command + "é")
    assert decision.rule == "max_command_length"
    assert decision.error == "command is too long (1025 chars), limit is 1024 chars"


@pytest.mark.parametrize("command", ["ls\npwd", "ls\rpwd", "cat <<E\nx\nE", "ls\n"])
def test_line_ends_are_refused_unless_allowed(command: str) -> None:
    decision = check("balanced", command)
    assert decision.rule == "allow_command_newlines"
    assert decision.error == "multiline commands are disabled by policy"


def test_a_here_document_is_read_where_line_ends_are_allowed() -> None:
    assert check("balanced", "cat <<E\n$(pwd)\nE", allow_command_newlines=True).allowed
    assert not check("balanced", "cat <<E\n$(curl)\nE", allow_command_newlines=True).allowed
    assert check("balanced", "cat <<'E'\n$(curl)\nE", allow_command_newlines=True).allowed


@pytest.mark.parametrize("command", ["echo 'x", "", "   ", "FOO=1", "# nothing", "ls &&", "if ls"])
def test_what_cannot_be_read_is_refused(command: str) -> None:
    for preset in ("balanced", "strict"):
        decision = check(preset, command)
        assert (decision.error, decision.rule) == (
            "unable to parse command executable",
            "allowed_commands",
        )


def rows(decision: Decision) -> list[tuple[str, str, str]]:
    return [(step.check, step.outcome, step.detail) for step in decision.steps]


def test_the_trace_of_an_allowed_command() -> None:
    assert rows(check("balanced", "FOO=1 git status && ls | cat")) == [
        ("max_command_length", "allow", "command length 28 within limit 4096"),
        ("allow_command_newlines", "allow", "command newline policy satisfied"),
        ("executable_parse", "allow", "parsed executable 'git'"),
        ("allowed_commands", "allow", "command 'git' allowed"),
        ("allowed_commands", "allow", "command 'ls' allowed"),
        ("allowed_commands", "allow", "command 'cat' allowed"),
    ]


def test_the_trace_ends_at_the_first_refusal() -> None:
    assert rows(check("balanced", "/usr/bin/ls; curl x; git"))[2:] == [
        ("executable_parse", "allow", "parsed executable 'ls'"),
        ("allowed_commands", "allow", "command 'ls' allowed"),
        (
            "allowed_commands",
            "deny",
            "command 'curl' is not allowed by 'balanced' bash profile",
        ),
    ]
    assert rows(check("balanced", "echo 'x"))[2:] == [
        ("allowed_commands", "deny", "unable to parse command executable"),
    ]
    assert rows(check("balanced", "a\nb"))[1:] == [
        (
            "allow_command_newlines",
            "deny",
            "multiline command detected while newlines are disallowed",
        ),
    ]
    assert rows(check("hardened", "x" * 1025)) == [
        ("max_command_length", "deny", "command is too long (1025 chars), limit is 1024 chars"),
    ]


def test_the_trace_of_a_profile_without_a_list() -> None:
    assert rows(check("permissive", "curl"))[2:] == [
        ("allowed_commands", "allow", "allowlist disabled for current profile"),
    ]


def test_a_command_cannot_forge_lines_of_the_error() -> None:
    decision = check("balanced", "'a\u202eb\u2028c' x")
    assert decision.error == "command 'a?b?c' is not allowed by 'balanced' bash profile"
    assert len(check("balanced", "x" * 1000).error) < 300


def test_the_check_of_a_run_is_the_rule_with_the_world_as_it_is(tmp_path: Path) -> None:
    policy, roots = make_policy("strict", {}), [str(tmp_path)]
    judge = command_check(policy, roots, {"PATH": "/usr/bin:/bin"})
    for command in ("ls > out", "ls > ../out", "curl x", "ls"):
        expected = CommandRule(policy, roots, {"PATH": "/usr/bin:/bin"})
        assert judge(command, str(tmp_path)) == expected.check(command, str(tmp_path))
