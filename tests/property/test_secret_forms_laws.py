"""Laws of hiding known secrets in all their forms."""

from __future__ import annotations

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.secret_forms import SecretForms, coded
from pi.base.text import REDACTED
from tests.fakes.examples import few

secrets = st.text("abXYZ089-_/+é~", min_size=8, max_size=40).map(lambda text: f"Qz{text}9")
around = st.binary(max_size=80)
ends = st.sampled_from(["\n", "\r\n", "\\n"])
ordinary = st.text(st.sampled_from("abQz09+/=\\nr \n\r[]é"), max_size=60)


def hidden_in(text: str, secret: str) -> bool:
    """Whether ``text`` has a form of ``secret``, ends of lines aside."""
    for end in ("\\n", "\n", "\r"):
        text = text.replace(end, "")
    return secret in text or any(form in text for form in coded((secret,)))


def spelled(secret: str, before: bytes, after: bytes, how: int) -> str:
    data = before + secret.encode() + after
    if how == 0:
        return secret
    if how == 1:
        return data.hex()
    if how == 2:
        return data.hex().upper()
    return (base64.b64encode if how == 3 else base64.urlsafe_b64encode)(data).decode()


@settings(max_examples=few(150), deadline=None)
@given(
    secret=secrets,
    data=st.tuples(around, around),
    how=st.integers(0, 4),
    lines=st.tuples(st.sampled_from([20, 60, 64, 76]), ends),
    text=ordinary,
    cuts=st.lists(st.integers(0, 400), max_size=3),
)
def test_no_form_is_left_however_it_is_broken(
    secret: str,
    data: tuple[bytes, bytes],
    how: int,
    lines: tuple[int, str],
    text: str,
    cuts: list[int],
) -> None:
    """Neither in one text, in lines or not, nor in texts that follow each other."""
    form = spelled(secret, *data, how)
    if how:
        columns, end = lines
        form = end.join(form[at : at + columns] for at in range(0, len(form), columns))
    whole = f"{text} {form} {text}"
    forms = SecretForms((secret,), (secret,))
    shown = forms.text(whole)
    assert REDACTED in shown
    assert not hidden_in(shown, secret)
    assert forms.text(shown) == shown
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    texts = forms.texts([whole[a:b] for a, b in zip(places, places[1:])])
    assert len(texts) == len(cuts) + 1
    assert not hidden_in("".join(texts), secret)


@settings(max_examples=few(150), deadline=None)
@given(secret=secrets, texts=st.lists(ordinary, max_size=4))
def test_texts_without_any_form_come_back_equal(secret: str, texts: list[str]) -> None:
    """One by one and together."""
    forms = SecretForms((secret,), (secret,))
    if not hidden_in("".join(texts), secret):
        assert forms.texts(texts) == texts
        assert [forms.text(text) for text in texts] == texts
