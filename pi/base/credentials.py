"""Credentials in text nobody listed: by the shapes that vendors give them, and by what they
are called. For what is handed to others; a run's own secrets are known by value.

Pure. Every pattern looks at each character a bounded number of times, so that a long or
hostile text costs no more than its length. A shape may be wrong; then an ordinary word is
blanked out, which for a copy that leaves the house is the better mistake.
"""

from __future__ import annotations

import re

from pi.base.cassette_secrets import Secrets
from pi.base.secret_forms import SecretForms, coded
from pi.base.text import REDACTED, SECRET_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# No match begins inside a word, or else a long word would be walked from each of its
# characters; an escape as JSON writes it ("\n") is no part of the word after it.
_START = r"(?:(?<![\w-])|(?<=\\[nrt]))"
_VENDORS = (
    *(r"sk-[\w-]{16,}", r"[srp]k_(?:live|test)_\w{10,}", r"gh[opsur]_\w{20,}"),
    *(r"github_pat_\w{20,}", r"glpat-[\w-]{16,}", r"xox[a-z]-[\w-]{10,}", r"xapp-[\w-]{10,}"),
    *(r"(?:AKIA|ASIA)[A-Z0-9]{16}", r"AIza[\w-]{30,}", r"ya29\.[\w-]{20,}", r"hf_\w{20,}"),
    *(r"gsk_\w{20,}", r"xai-\w{20,}", r"nvapi-[\w-]{20,}", r"npm_\w{30,}", r"pypi-[\w-]{40,}"),
    r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*",  # a signed token (RFC 7519)
)
_PRIVATE_KEY = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:(?!-----)[\s\S]){0,20000}"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)?"
)
_WHOLE = f"{_PRIVATE_KEY}|{_START}(?:{'|'.join(_VENDORS)})"
# What comes before stays, so that a reader sees what was there.
_IS = r"\\{0,2}[\"']?\s{0,4}[:=]\s{0,4}\\{0,2}[\"']?"
_AFTER = (
    rf"((?i:\bauthorization){_IS}(?i:(?:bearer|basic|token)\s{{1,4}})?)[^\s\"'\\,;]{{6,}}",
    r"((?i:\bbearer)\s{1,4})[\w.~+/=-]{20,}",
    r"(?<=://)([^\s/@:\"']{0,100}:)[^\s/@\"']{1,200}(?=@)",
    rf"(_(?:KEY|TOKEN|SECRET|PASSWORD){_IS})[^\s\"'\\,;$]{{6,}}",
    rf"((?i:api[_-]?key|passw(?:or)?d|secret|token){_IS})(?=[^\s\"'\\,;$(\d]{{0,80}}\d)[^\s\"'\\,;$(]{{8,}}",
)
_SHORTEST = 6  # text that any of the patterns takes: "://:a@"
_NAMES = {
    *("password", "passwd", "secret", "token", "authorization", "cookie", "set-cookie"),
    *("api_key", "apikey", "api-key", "x-api-key", "access_token", "refresh_token"),
    *("accesstoken", "refreshtoken", "client_secret", "clientsecret", "private_key"),
}


class Credentials:
    """``values`` are secrets known as such, hidden in all their spellings, hex and base64
    included."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        values = tuple(values)
        self._known = SecretForms(Secrets((*values, *coded(values))).texts, values)
        self._whole = re.compile(_WHOLE, re.ASCII)
        self._after = tuple(re.compile(pattern, re.ASCII) for pattern in _AFTER)

    def known_hidden(self, text: str) -> str:
        """``text`` without the known values only; for what is no language, as pictures."""
        return self._known.text(text)

    def known_hidden_in(self, texts: Sequence[str]) -> list[str]:
        """The same for texts that follow each other: a value may begin in one of them."""
        return self._known.texts(texts)

    def hidden(self, text: str) -> str:
        """``text`` with everything blanked out that is a credential or looks like one."""
        text = self._known.text(text)
        if len(text) < _SHORTEST:
            return text
        text = self._whole.sub(REDACTED, text)
        for pattern in self._after:
            text = pattern.sub(_kept, text)
        return text


def _kept(match: re.Match[str]) -> str:
    return f"{match[1]}{REDACTED}"


def is_secret_name(name: str) -> bool:
    """Whether what is kept under ``name`` is a credential."""
    return name.upper().endswith(SECRET_NAMES) or name.lower() in _NAMES
