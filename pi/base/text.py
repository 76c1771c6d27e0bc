"""Text cut to bytes, made safe to show, and cleared of secrets.

Pure functions. Invariants (each has a property test):
  * a cut never splits a character and never returns more bytes than allowed;
  * plain text holds no control character but tab and newline, and is its own plain text;
  * visible text is one line without controls or marks of direction, and stays as it is;
  * redacted text holds none of the values.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

REDACTED = "[REDACTED]"
SECRET_NAMES = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
# How the words of a header's name end that carries a credential: "x-api-key", "apikey",
# "proxy-authorization", what gateways call theirs. Not "x-ratelimit-remaining-tokens".
CREDENTIAL_WORDS = (
    *("auth", "authorization", "key", "keys", "token", "secret", "secrets"),
    *("cookie", "password", "credential", "credentials"),
)
MIN_SECRET_BYTES = 6  # shorter values ("1", "true") would blank out ordinary text
MIN_SECRET_LINE = 16  # shorter lines of a secret of several lines are no secret

# In this order: strings up to their terminator (titles, links, images), then control
# sequences, then the two- and three-character escapes, then a lone escape character.
# A title may not cross a line: an unfinished one must not swallow the output after it.
# Patterns are plain strings: most runs never need them, and ``re`` remembers them.
_ESCAPES = (
    "\x1b\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?"
    "|\x1b[PX^_][^\x1b]*\x1b\\\\"
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|\x1b[ -/]+[0-~]"
    "|\x1b[0-~]?"
)
_OVERSTRUCK = "[^\n\x08]\x08"  # how manual pages make bold and underlined
# What ``str.isprintable`` refuses, and yet has its place in words of some script.
_SEEN = (
    "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
    "\u200c\u200d"
)
_UNPRINTABLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufff9-\ufffb]"


def cut_head(text: str, max_bytes: int) -> str:
    """The longest beginning of ``text`` that is at most ``max_bytes`` long as UTF-8."""
    data = text[: max(0, max_bytes)].encode("utf-8", "surrogatepass")
    if len(data) <= max_bytes:
        return data.decode("utf-8", "surrogatepass")
    end = max(0, max_bytes)
    while end and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end].decode("utf-8", "surrogatepass")


def cut_tail(text: str, max_bytes: int) -> str:
    """The longest end of ``text`` that is at most ``max_bytes`` long as UTF-8."""
    if max_bytes <= 0:
        return ""
    data = text[-max_bytes:].encode("utf-8", "surrogatepass")
    start = max(0, len(data) - max_bytes)
    while start < len(data) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:].decode("utf-8", "surrogatepass")


def whole_characters(data: bytes) -> int:
    """How many bytes of ``data`` come before a UTF-8 character whose end is missing."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            wanted = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2
            return len(data) - back if wanted > back else len(data)
        if byte < 0x80:
            break
    return len(data)


def well_formed(text: str) -> str:
    """``text`` with split surrogate pairs joined and lone surrogates as U+FFFD.

    A model's JSON may hold such halves; they cannot be written as UTF-8.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def plain_text(text: str) -> str:
    """What a person would see of terminal output: no escapes, progress lines at their end.

    Kept: every printable character, tab, newline. A line that was rewritten with
    carriage returns is shown in its last state.
    """
    if "\x1b" in text or "\x9b" in text:
        text = re.sub(_ESCAPES, "", text)
    if "\r" in text:
        text = "\n".join(map(_last_state, text.split("\n")))
    if "\x08" in text:
        text = re.sub(_OVERSTRUCK, "", text)
    return re.sub(_UNPRINTABLE, "", text)


def _last_state(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


def visible(text: str) -> str:
    """``text`` on one line of a list, with all that is in it to be seen: line ends, controls,
    marks that turn the direction of text and what is no text at all as ``\\uXXXX``.

    For names of files and other foreign words, which must not forge another line or stand
    there as something else. Kept: blanks of every script, and what joins letters and emoji.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in _SEEN else _code(sign) for sign in text)


def _code(sign: str) -> str:
    number = ord(sign)
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(sign)
    return short or (f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values in ``environ`` that must not be shown, longest first.

    Of a value of several lines also each line: a file may be shown in parts, or end its
    lines otherwise. And each as it stands in JSON, where that differs.
    """
    found = {
        value.strip()
        for name, value in environ.items()
        if name.upper().endswith(SECRET_NAMES)
        and len(value.strip().encode("utf-8", "surrogatepass")) >= MIN_SECRET_BYTES
    }
    lines = {line.strip() for value in found if "\n" in value for line in value.split("\n")}
    found |= {line for line in lines if len(line) >= MIN_SECRET_LINE}
    quoted = {value.replace("\\", "\\\\").replace('"', '\\"') for value in found}
    return longest_first(found | quoted)


def is_credential(header: str) -> bool:
    """Whether the value of a header of this name is a secret."""
    words = header.lower().replace("_", "-").split("-")
    return any(word.endswith(CREDENTIAL_WORDS) for word in words)


def spellings(value: str) -> set[str]:
    """``value`` as it stands in texts, in JSON, in JSON inside JSON, and in URLs."""
    import json  # only where something is recorded or went wrong
    from urllib.parse import quote, quote_plus

    level = {value}
    found = {value, quote_plus(value, errors="replace")}
    found |= {quote(value, safe=safe, errors="replace") for safe in ("", "/")}  # in a path, too
    if "%" in "".join(found):  # some write %2f
        found |= {re.sub("%..", lambda match: match[0].lower(), text) for text in found - level}
    for _ in range(2):
        level = {
            escaped
            for text in level
            for dumped in (json.dumps(text), json.dumps(text, ensure_ascii=False))
            for escaped in (dumped[1:-1], dumped[1:-1].replace("/", "\\/"))
        }
        found |= level
    return found


def longest_first(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in the order ``redact`` wants them."""
    return tuple(sorted(set(values), key=lambda value: (-len(value), value)))


def redact(text: str, values: Iterable[str]) -> str:
    """``text`` with each of ``values`` (longest first) blanked out."""
    for value in values:
        if value in text:
            text = text.replace(value, REDACTED)
    return text


def hiding(values: Sequence[str]) -> Callable[[str], str]:
    """What blanks out ``values`` (longest first) in all their forms: hex and base64, too."""
    made: list[Callable[[str], str]] = []

    def hide(text: str) -> str:
        if not made:
            from pi.base.secret_forms import SecretForms  # not before there is a text

            made.append(SecretForms(values, values).text)
        return made[0](text)

    return hide
