"""Expansions in which the shell runs text that it finds in a variable, or sets one.

Arithmetic is the trap: the value of a variable in it is itself read as arithmetic, and in
``a[$(command)]`` the index is expanded. Source: bash(1), ARITHMETIC EVALUATION and
Parameter Expansion. All this looks at the text of the whole command, and so may also find
what is only quoted; it is refused then too.
"""

from __future__ import annotations

import re

from pi.tools.commands.names import is_guarded
from pi.tools.commands.refusal import refuse
from pi.tools.shell.pattern import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.tools.shell.syntax import Script, Word

# Each begins with plain characters, so that the search can skip to those: a look back stands
# behind what it is about, and there is one expression for each word.
_NAMING = {
    word: pattern(rf"{word}(?<!\w{word})\s+([A-Za-z_]\w*)") for word in ("for", "select", "coproc")
}
_ASSIGNING = pattern(r"\$\{([A-Za-z_]\w*)(\[|:?=)")
_TRANSFORMED = pattern(r"@[PA]\}")
_ARITHMETIC_SET = pattern(
    r"(?<!\w)([A-Za-z_]\w*)\s*(?:\[|(?:<<|>>|[-+*/%&|^])?=(?!=)|\+\+|--)"
    r"|(?:\+\+|--)\s*([A-Za-z_]\w*)"
)
_NAMES = pattern(r"(?<![\w#])[A-Za-z_]\w*")
# Two names that the shell makes one of, or a name and a number.
_JOINED = pattern(r"(?<![\w$])[A-Za-z_]\w*\$")
_IN = pattern(r"\s+in\b")
_INDEX = pattern(r"\[(?<=\w\[)")
_ELEMENT = pattern(r"\[(?<=[(\s]\[)")
_SLICES = (pattern(r"\$\{[\w@*?!$-]+:(?![-=?+])"), pattern(r"\]:(?![-=?+])"))
_BRACKETS = pattern(r"[][]")
_BRACES = pattern(r"[{}]")
_OUTPUT_OF_BRACKETS = pattern(r"(?:\$\(|`)[^\0]*[\[\\]")
_COMPARES = pattern(r"[\s(&|]-(?:eq|ne|lt|le|gt|ge|v|R)\s")
_NUMBER = pattern(r"[-+]?\d+")
_SUM = pattern(r"""\$\(\([^'"\\`$]*\)\)""")
_SETTERS = frozenset(("read", "printf", "export", "readonly", "declare", "typeset", "local"))
_IDENTIFIER = pattern(r"[A-Za-z_]\w*")
_UNQUOTED = str.maketrans("", "", "\"'\\")


def judge_text(command: str, script: Script, strict: bool) -> None:
    """Raises Refused for expansions that may run or set what no word shows."""
    for naming in _namings(command):
        if is_guarded(naming.group(1)):
            refuse(naming.group(), "setting it may change what runs")
    braces = "${" in command
    if braces:
        if _TRANSFORMED.search(command):
            refuse("${...@P}", "it runs text found in a variable")
        for name in _assigned(command):
            if is_guarded(name):
                refuse(f"${{{name}=...}}", "setting it may change what runs")
    arithmetic = "((" in command or "$[" in command
    if arithmetic:
        for found in _ARITHMETIC_SET.finditer(command):
            if is_guarded(found.group(1) or found.group(2)):
                refuse(found.group(), "setting it may change what runs")
    if strict:
        if braces and "${!" in command:
            refuse("${!...}", "which variable it reads is known only when it runs")
        if arithmetic or "[" in command or (braces and ":" in command):
            _judge_evaluated(command, script)
    elif "[" in command and ("$(" in command or "`" in command):
        _judge_output(command, script)


def _namings(command: str) -> list[re.Match[str]]:
    """Where a loop or a coprocess may name a variable: the word and the name."""
    return [
        found
        for word, naming in _NAMING.items()
        if word in command
        for found in naming.finditer(command)
    ]


def _assigned(command: str) -> list[str]:
    """Variables that an expansion such as ``${x:=text}`` or ``${x[0]=text}`` may set."""
    indexed = "]=" in command or "]:=" in command
    return [
        found.group(1) for found in _ASSIGNING.finditer(command) if indexed or found.group(2) != "["
    ]


def _evaluated(command: str) -> list[str]:
    """The parts of a command that are read as arithmetic."""
    spans: list[str] = []
    if "((" in command:
        spans += _spans(command, "((", "))")
    if "$[" in command:
        spans += _spans(command, "$[", "]")
    if "[[" in command:
        spans += [span for span in _spans(command, "[[", "]]") if _COMPARES.search(span)]
    if "${" in command or "]=" in command or "]+=" in command:
        spans += _outermost(command, _INDEX, _BRACKETS)
        for slice_ in _SLICES:
            spans += _outermost(command, slice_, _BRACES)
    if "=(" in command and ("]=" in command or "]+=" in command):
        spans += _outermost(command, _ELEMENT, _BRACKETS)
    return spans


def _judge_output(command: str, script: Script) -> None:
    """Arithmetic may use what a command prints, unless that command's own text could make
    it print an index: ``$(( $(echo 'a[$(ls)]') ))`` runs ``ls``."""
    spans = _evaluated(command)
    if not spans:
        return
    doubtful = {
        assignment.name.partition("[")[0]
        for simple in script.commands
        for assignment in simple.assignments
        if _OUTPUT_OF_BRACKETS.search(assignment.value.raw)
    }
    for span in spans:
        if _OUTPUT_OF_BRACKETS.search(span.replace("$((", "")):
            refuse("(( ))", "arithmetic on what this command prints may run text")
        for name in _NAMES.findall(span):
            if name in doubtful:
                refuse("(( ))", f"the value of {name} may be text that arithmetic runs")


def _judge_evaluated(command: str, script: Script) -> None:
    """Arithmetic may name only variables whose values here are certainly numbers."""
    spans = _evaluated(command)
    if not spans:
        return
    texts = _texts(command, script)
    for span in spans:
        if "$(" in span.replace("$((", "") or "`" in span:
            refuse("(( ))", "arithmetic on the output of a command may run text")
        bare = span.replace("\\\n", "").translate(_UNQUOTED)
        if re.search(r"\$[\d@*{]", bare) or "$'" in span or _JOINED.search(bare) is not None:
            refuse("(( ))", "arithmetic on a parameter may run text")
        for name in _NAMES.findall(bare if bare == span else f"{span} {bare}"):
            if name in texts or name.startswith("BASH_"):
                refuse("(( ))", f"the value of {name} may be text that arithmetic runs")


def _spans(command: str, opening: str, closing: str) -> list[str]:
    """What stands between each ``opening`` and the last ``closing`` before the next one."""
    return [
        part[: part.rindex(closing)] if closing in part else part
        for part in command.split(opening)[1:]
    ]


def _outermost(command: str, opening: re.Pattern[str], pair: re.Pattern[str]) -> list[str]:
    """What stands between each ``opening``, unless it is inside of another, and its end.

    With a quote in it the end cannot be told: then it is the end of the command.
    """
    spans: list[str] = []
    end = 0
    for found in opening.finditer(command):
        if found.start() < end:
            continue
        depth, end = 1, len(command)
        for token in pair.finditer(command, found.end()):
            depth += 1 if token.group() in "[{" else -1
            if depth == 0:
                end = token.start()
                break
        span = command[found.end() : end]
        if '"' in span or "'" in span:
            return [*spans, command[found.end() :]]
        spans.append(span)
    return spans


def _texts(command: str, script: Script) -> set[str]:
    """Variables that the command sets to something that may be no number."""
    texts = {"_", "REPLY"}
    for simple in script.commands:
        for assignment in simple.assignments:
            value = assignment.value
            if not _NUMBER.fullmatch(value.value or "x") and not _SUM.fullmatch(value.raw):
                texts.add(assignment.name.partition("[")[0])
        if _may_set(simple.words):
            for word in simple.words[1:]:
                texts.update(_IDENTIFIER.findall(word.prefix))
                if word.prefix[:1] == "-":  # the name may be glued to an option
                    texts.update(word.prefix[at:] for at in range(2, len(word.prefix)))
    numbers = all(_NUMBER.fullmatch(word.value or "x") for word in script.words)
    for naming in _namings(command):
        # Without "in" it goes through the parameters.
        if not numbers or _IN.match(command, naming.end()) is None:
            texts.add(naming.group(1))
    texts.update(_assigned(command))
    return texts


def _may_set(words: tuple[Word, ...]) -> bool:
    """Whether a command sets variables that it names. Other commands' words may be unread."""
    if words and words[0].value in ("command", "builtin"):
        return not _SETTERS.isdisjoint(word.value or "" for word in words)
    return bool(words) and words[0].value in _SETTERS
