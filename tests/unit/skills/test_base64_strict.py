from __future__ import annotations

import pytest

from pi.skills.base64_strict import NotBase64, decode, trim


@pytest.mark.parametrize("text", ["YQ==", " YQ==\n", "\u00a0YQ==\u2003"])
def test_outer_white_space_is_dropped(text: str) -> None:
    assert decode(text, 1) == b"a"
    assert trim(text) == "YQ=="


@pytest.mark.parametrize(
    "text",
    ["", "YQ", "YQ=", "YQ===", "Y Q==", "YQ\n==", "YQ==YQ==", "!!!!", "YQ==\x1c", "ÝQ==", "-_-_"],
)
def test_other_spellings_are_no_base64(text: str) -> None:
    with pytest.raises(NotBase64, match=r"base64|1 bytes"):
        decode(text, 1)


@pytest.mark.parametrize("text", ["YR==", "YQ9="])
def test_bits_left_over_are_refused(text: str) -> None:
    with pytest.raises(NotBase64, match="is not canonical base64"):
        decode(text, 1 if text.endswith("==") else 2)


def test_the_length_is_named_and_the_text_is_not() -> None:
    with pytest.raises(NotBase64) as caught:
        decode("c2VjcmV0", 32)
    assert str(caught.value) == "must decode to 32 bytes, not 6"
