"""Known secrets in the forms that programs give them."""

from __future__ import annotations

import base64
import json

import pytest

from pi.base.secret_forms import SecretForms, coded
from pi.base.text import hiding

SECRET = "hunter2/correct~~~?horse+battery-staple"
MARK = "[REDACTED]"
LONG = f"user:{'x' * 41}{SECRET}{'y' * 90}"


def broken(text: str, columns: int, end: str) -> str:
    return end.join(text[at : at + columns] for at in range(0, len(text), columns))


@pytest.fixture
def forms() -> SecretForms:
    return SecretForms((SECRET,), (SECRET,))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\\n", "\\r\\n", "\\\\n"])
@pytest.mark.parametrize("columns", [1, 60, 64, 76])
def test_base64_and_hex_broken_into_lines_are_found(
    forms: SecretForms, columns: int, end: str
) -> None:
    for text in (base64.b64encode(LONG.encode()).decode(), LONG.encode().hex()):
        lines = broken(text, columns, end)
        shown = forms.text(f"a{end}{lines}{end}b")
        assert MARK in shown
        assert not any(form in shown.replace(end, "") for form in coded((SECRET,)))
        assert shown.startswith(f"a{end}{lines[:10]}")
        assert shown.endswith(f"{lines[-10:]}{end}b")


def test_hex_is_found_in_either_case(forms: SecretForms) -> None:
    for text in (SECRET.encode().hex(), SECRET.encode().hex().upper()):
        assert forms.text(f"0x{text}.") == f"0x{MARK}."


def test_a_form_that_begins_as_an_escape_does_is_found() -> None:
    """Base64 that begins with the n of a backslash's, which is no end of a line there."""
    secret = "ghost-writer-words"
    (form,) = [form for form in coded((secret,)) if form[0] in "nr"][:1]
    assert SecretForms((secret,), (secret,)).text(f"C:\\{form}\n") == f"C:\\{MARK}\n"


def test_a_part_in_each_of_two_texts_is_found(forms: SecretForms) -> None:
    assert forms.texts([f"a {SECRET[:9]}", f"{SECRET[9:]} b", "c"]) == [
        f"a {MARK}",
        f"{MARK} b",
        "c",
    ]
    text = base64.encodebytes(LONG.encode()).decode()
    shown = forms.texts([text[:110], text[110:]])
    assert [MARK in one for one in shown] == [True, True]
    assert forms.texts([SECRET[:5], SECRET[5:9], SECRET[9:]]) == [MARK] * 3
    mixed = "\ufdd0".join(("x", SECRET[:5]))
    assert forms.texts([mixed, SECRET[5:]]) == [f"x\ufdd0{MARK}", MARK]


def test_texts_with_nothing_in_them_come_back_equal(forms: SecretForms) -> None:
    texts = ["a" + SECRET[:9], "\n", SECRET[10:], "\\n", base64.b64encode(b"x" * 99).decode()]
    assert forms.texts(texts) == texts
    assert forms.texts([]) == []
    assert SecretForms((), ()).texts(["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize("piece", ["aHVudGVy", "6875\n", "\\", "\\n", "\r", "aaaa\n"])
def test_text_that_nearly_holds_one_costs_no_more_than_its_length(piece: str) -> None:
    """Would not end if each place were walked from."""
    secret = "a" * 60
    forms = SecretForms((SECRET, secret), (SECRET, secret))
    assert forms.text(piece * 100_000 + "6") is not None
    assert forms.texts([piece * 50_000, piece * 50_000]) is not None


def test_what_tools_answer_is_cleared_of_every_form() -> None:
    hide = hiding((SECRET,))
    assert hide("nothing here\n") == "nothing here\n"
    text = json.dumps({"out": base64.encodebytes(LONG.encode()).decode()})
    assert json.loads(hide(text))["out"].count(MARK) == 1
    assert hide(SECRET + "\n") == f"{MARK}\n"
