"""Laws of cutting, cleaning and redacting."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.text import (
    cut_head,
    cut_tail,
    plain_text,
    redact,
    secret_values,
    visible,
    well_formed,
    whole_characters,
)
from tests.fakes.examples import few

messy = st.text(st.sampled_from("ab\x1b[]P\\;m\r\n\x08\x00\x07\x9bé😀"), max_size=40)


@settings(max_examples=few(300), deadline=None)
@given(text=st.text(max_size=40), size=st.integers(-2, 60))
def test_a_cut_is_the_longest_part_that_fits(text: str, size: int) -> None:
    """The head and the tail fit, are parts of the text, and one more character would not fit."""
    text = well_formed(text)
    head, tail = cut_head(text, size), cut_tail(text, size)
    assert text.startswith(head)
    assert text.endswith(tail)
    for part, longer in ((head, text[: len(head) + 1]), (tail, text[-len(tail) - 1 :])):
        assert len(part.encode()) <= max(0, size)
        assert part == text or len(longer.encode()) > size


@settings(max_examples=few(300), deadline=None)
@given(text=st.one_of(messy, st.text(max_size=40)))
def test_plain_text_is_plain(text: str) -> None:
    """No control character but tab and newline is left, and cleaning again changes nothing."""
    plain = plain_text(text)
    assert not [c for c in plain if (ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0]
    assert plain_text(plain) == plain
    assert plain.count("\n") <= text.count("\n")


@settings(max_examples=few(200), deadline=None)
@given(text=st.one_of(messy, st.text(max_size=40)))
def test_visible_text_is_one_line_and_stays_as_it_is(text: str) -> None:
    """No line end, no control, no mark of direction; blanks and joiners may be there."""
    shown = visible(text)
    assert all(c.isprintable() or c.isspace() or c in "\u200c\u200d" for c in shown)
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2069")
    assert visible(shown) == shown


@settings(max_examples=few(200), deadline=None)
@given(data=st.binary(max_size=30), at=st.integers(0, 30))
def test_splitting_at_whole_characters_loses_no_byte(data: bytes, at: int) -> None:
    """What is held back is at most three bytes, and valid text decodes the same in two parts."""
    whole = whole_characters(data)
    assert len(data) - 3 <= whole <= len(data)
    text = data.decode("utf-8", "ignore")
    encoded = text.encode()[:at]
    first = whole_characters(encoded)
    encoded[:first].decode("utf-8")


@settings(max_examples=few(200), deadline=None)
@given(text=st.text("abc", max_size=60), values=st.lists(st.text("abc", min_size=6, max_size=8)))
def test_no_secret_survives(text: str, values: list[str]) -> None:
    """Redacted text holds none of the secrets."""
    secrets = secret_values({f"N{i}_KEY": value for i, value in enumerate(values)})
    redacted = redact(text, secrets)
    assert not [value for value in secrets if value in redacted]


@settings(max_examples=few(200), deadline=None)
@given(text=st.text(st.characters(), max_size=20))
def test_well_formed_text_can_be_written(text: str) -> None:
    """The result encodes as UTF-8 and text that already did is unchanged."""
    well_formed(text).encode()
    assert well_formed(well_formed(text)) == well_formed(text)
