"""The command rule: may this command line be run under the policy.

Checked are its length, its line ends, and every simple command in it, wherever it is
nested. An allow list is a guard against mistakes, not a security boundary; the sandbox
is: an allowed program can do whatever its own features let it, with any file it can reach.
"""

from __future__ import annotations

import os

from pi.tools.commands.moving import MOVING, change_folder, first_loop, follow_rounds
from pi.tools.commands.places import Places
from pi.tools.commands.refusal import Refused, refuse, shown
from pi.tools.commands.registry import (
    ARGUMENTS,
    BUILTINS,
    FORBIDDEN,
    FREE,
    OPAQUE,
    RUNNING,
    SHELL_WRAPPERS,
    WRAPPERS,
    load,
)
from pi.tools.commands.words import literal, plain
from pi.tools.decision import ALLOW, DENY, Decision, Step
from pi.tools.shell.reader import parse
from pi.tools.shell.syntax import RESERVED, ShellSyntaxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pi.tools.policy import Policy
    from pi.tools.shell.syntax import Redirect, Script, Simple, Word

# Without any of these ``expansions`` finds nothing in a text.
_EXPANDING = ("${", "((", "[", "for", "select", "coproc")
_DEEPEST = 20
_MOST_NAMES, _MOST_OF_NAME = 256, 64  # kept in memory


class CommandRule:
    """Says of commands whether they may run. It starts nothing and changes nothing.

    ``which`` finds a program on PATH; ``realpath`` resolves a path.
    """

    def __init__(
        self,
        policy: Policy,
        roots: Sequence[str],
        environ: Mapping[str, str],
        *,
        which: Callable[[str], str | None] | None = None,
        realpath: Callable[[str], str] = os.path.realpath,
    ) -> None:
        self._policy = policy
        self._roots = tuple(realpath(root) for root in roots)
        self._strict = policy.bash_profile == "strict"
        self._names = frozenset(e for e in policy.allowed_commands if not e.endswith("*"))
        self._beginnings = tuple(e[:-1] for e in policy.allowed_commands if e.endswith("*"))
        self._home = environ.get("HOME", "")
        path = environ.get("PATH", os.defpath)
        self._which = which or (lambda name: find_program(name, path))
        self._realpath = realpath
        # What may run with any words: as it was told, and the word that is its name.
        self._allowed: dict[str, Step] = {}
        self._known: dict[str, tuple[Word, ...]] = {}

    def check(self, command: str, cwd: str) -> Decision:
        """The word on ``command`` in the directory ``cwd``, an absolute path."""
        policy, size = self._policy, len(command)
        most = policy.max_command_length
        if size > most:
            error = f"command is too long ({size} chars), limit is {most} chars"
            return _denied([], "max_command_length", error)
        steps = [Step("max_command_length", ALLOW, f"command length {size} within limit {most}")]
        if not policy.allow_command_newlines and ("\n" in command or "\r" in command):
            return _denied(
                steps,
                "allow_command_newlines",
                "multiline commands are disabled by policy",
                "multiline command detected while newlines are disallowed",
            )
        steps.append(Step("allow_command_newlines", ALLOW, "command newline policy satisfied"))
        if not policy.allowed_commands:
            detail = "allowlist disabled for current profile"
            steps.append(Step("allowed_commands", ALLOW, detail))
            return Decision(tuple(steps))
        return self._check_list(command, cwd, steps)

    def _check_list(self, command: str, cwd: str, steps: list[Step]) -> Decision:
        unparsed = "unable to parse command executable"
        try:
            script = parse(command, self._known)
        except ShellSyntaxError as exc:
            fields: dict[str, Any] = {"reason": str(exc)}
            return _denied(steps, "allowed_commands", unparsed, fields=fields)
        first = next((simple.words[0] for simple in script.commands if simple.words), None)
        if first is None:
            return _denied(steps, "allowed_commands", unparsed)
        name = _base(first.value) if first.value else first.raw
        steps.append(Step("executable_parse", ALLOW, f"parsed executable '{shown(name)}'"))
        try:
            self._judge_script(command, script, cwd, steps)
        except Refused as refused:
            reason = f": {refused.reason}" if refused.reason else ""
            profile = self._policy.bash_profile
            name = shown(refused.name)
            error = f"command '{name}' is not allowed by '{profile}' bash profile{reason}"
            fields = {"allowed_commands": list(self._policy.allowed_commands)}
            denied = _denied(steps, "allowed_commands", error, fields=fields)
            return denied if refused.reason else denied._replace(missing=refused.name)
        return Decision(tuple(steps))

    def _judge_script(self, command: str, script: Script, cwd: str, steps: list[Step]) -> None:
        if script.functions:
            refuse(script.functions[0], "a function may stand in for any command")
        loop = first_loop(command)
        named = "/dev/tcp" in command or "/dev/udp" in command
        places = Places(cwd, self._roots, self._strict, self._realpath, named, self._home)
        in_loop = False
        allowed = self._allowed
        for simple in script.commands:
            words = simple.words
            if simple.offset > loop and not in_loop:
                in_loop = True
                follow_rounds(script, loop, places)
            if words and not simple.assignments:
                first = words[0]
                name = "" if first.glob else first.value or ""
                step = allowed.get(name)
                if step is not None:
                    for redirect in simple.redirects:
                        _judge_redirect(name, redirect, places)
                    steps.append(step)
                    continue
            name = self._judge_simple(simple, places)
            if name:
                step = Step("allowed_commands", ALLOW, f"command '{shown(name)}' allowed")
                steps.append(step)
                self._note(words[0], name, step)
            if words and not in_loop and words[0].value in MOVING:
                change_folder(words, places)
        if any(part in command for part in _EXPANDING):
            load("expansions:judge_text")(command, script, self._strict)
        for redirect in script.redirects:
            _judge_redirect(redirect.operator, redirect, places)

    def _note(self, first: Word, name: str, step: Step) -> None:
        """Keep the word on an allowed command, if nothing but its name has a part in it."""
        judged = name in BUILTINS or name in SHELL_WRAPPERS or name in WRAPPERS
        if judged or name != first.raw or len(name) > _MOST_OF_NAME or name in MOVING:
            return
        if name in RUNNING or (self._strict and name in ARGUMENTS):
            return
        if len(self._allowed) >= _MOST_NAMES:
            self._allowed.clear()
            self._known.clear()
        self._allowed[name] = step
        if name not in RESERVED and "=" not in name:
            self._known[name] = (plain(name),)

    def _judge_simple(self, simple: Simple, places: Places) -> str:
        """The name of an allowed command, "" if there is none but assignments."""
        label = _label(simple)
        for assignment in simple.assignments:
            load("builtins:judge_name")(label, assignment.name)
            load("builtins:judge_value")(label, _known_text(assignment.value))
        if simple.words:
            label = self._judge_words(simple.words, places, False, 0)
        for redirect in simple.redirects:
            _judge_redirect(label, redirect, places)
        return label if simple.words else ""

    def _judge_words(self, words: tuple[Word, ...], places: Places, moved: bool, depth: int) -> str:
        text = literal(words[0])
        if not text:
            refuse(words[0].raw, "which program that is is known only when it runs")
        if depth > _DEEPEST:
            refuse(text, "it is wrapped too deeply")
        name = _base(text)
        if name == text:
            if name in FORBIDDEN:
                refuse(name, "it runs text, or changes what names mean")
            judge = BUILTINS.get(name)
            if judge is not None:
                load(judge)(name, words[1:], self._strict)
                return name
            if name in FREE:
                return name
        wraps = text in SHELL_WRAPPERS
        if not wraps:
            self._judge_name(name)
            if name != text:
                places.judge_executable(text, self._which(name), moved)
            if name in OPAQUE:
                refuse(name, "what it runs cannot be judged")
            wraps = name in WRAPPERS
        if wraps:
            inner = load("wrappers:unwrap")(name, words[1:])
            if inner.words:
                self._judge_words(inner.words, places, moved or inner.moved, depth + 1)
        elif self._strict and name in ARGUMENTS:
            load(ARGUMENTS[name])(name, words[1:])
        elif name in RUNNING:
            for inner in load(RUNNING[name])(words[1:]):
                self._judge_words(inner.words, places, moved or inner.moved, depth + 1)
        return name

    def _judge_name(self, name: str) -> None:
        if name not in self._names and not name.startswith(self._beginnings):
            raise Refused(name)


def find_program(name: str, path: str) -> str | None:
    """The file that a shell would run for ``name``, in the folders of ``path``."""
    for folder in path.split(os.pathsep):
        found = os.path.join(folder, name)
        if os.path.isabs(found) and os.access(found, os.X_OK) and os.path.isfile(found):
            return found
    return None


def _judge_redirect(name: str, redirect: Redirect, places: Places) -> None:
    descriptor = redirect.descriptor
    if descriptor.startswith("{"):
        load("builtins:judge_name")(name, descriptor.strip("{}"))
    places.judge_redirect(name, redirect)


def _known_text(word: Word) -> str:
    """The literal text in a word: all of it, or what stands before its first expansion and,
    unless that is a substitution with quotes of its own, in single quotes.
    """
    if word.value is not None:
        return word.value
    if word.raw.startswith(("$(", '"$(')):
        return word.prefix
    return word.prefix + "".join(word.raw.split("'")[1::2])


def _base(text: str) -> str:
    return text.rpartition("/")[2]


def _label(simple: Simple) -> str:
    if simple.words:
        return simple.words[0].raw
    if simple.assignments:
        return f"{simple.assignments[0].name}="
    return simple.redirects[0].operator if simple.redirects else ""


def _denied(
    steps: list[Step],
    rule: str,
    error: str,
    detail: str = "",
    fields: Mapping[str, Any] | None = None,
) -> Decision:
    trace = (*steps, Step(rule, DENY, detail or error))
    return Decision(trace, rule, error, fields or {})
