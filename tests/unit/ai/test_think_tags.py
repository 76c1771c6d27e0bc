from __future__ import annotations

import pytest

from pi.ai.think_tags import MAX_BLANK, ThinkSplitter

TOO_BLANK = " " * (MAX_BLANK + 1)


def split(*pieces: str) -> tuple[str, str]:
    splitter = ThinkSplitter()
    parts = [splitter.feed(piece) for piece in pieces]
    parts.append(splitter.finish())
    return "".join(part[0] for part in parts), "".join(part[1] for part in parts)


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("<think>hm</think>yes", "hm", "yes"),
        ("<think>\nhm\n</think>\n\nyes", "\nhm\n", "yes"),
        (" \n<think>hm</think>yes", "hm", "yes"),
        ("<thinking>hm</thinking> yes", "hm", "yes"),
        ("[THINK]hm[/THINK]yes", "hm", "yes"),
        ("<think></think>yes", "", "yes"),
        ("<think>a </thinking> b</think>yes", "a </thinking> b", "yes"),
        ("<think>a</think>yes <think>b</think>", "a", "yes <think>b</think>"),
        # cut off while thinking
        ("<think>hm</thi", "hm</thi", ""),
        ("<think>hm", "hm", ""),
        # not at the start, or no tag
        ("yes <think>hm</think>", "", "yes <think>hm</think>"),
        ("<thin", "", "<thin"),
        ("<b>yes</b>", "", "<b>yes</b>"),
        (TOO_BLANK + "<think>hm</think>", "", TOO_BLANK + "<think>hm</think>"),
        ("", "", ""),
        ("  ", "", "  "),
    ],
)  # fmt: skip
def test_thinking_in_front_of_the_answer_is_taken_out(
    text: str, thinking: str, answer: str
) -> None:
    assert split(text) == (thinking, answer)
    assert split(*text) == (thinking, answer)


def test_a_text_without_a_tag_is_passed_on_as_soon_as_that_is_clear() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("<th") == ("", "")
    assert splitter.feed("e>") == ("", "<the>")
    assert splitter.passes


def test_thinking_is_passed_on_as_it_comes() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("<think>one") == ("one", "")
    assert splitter.feed(" two</th") == (" two", "")
    assert splitter.feed("ree</think>") == ("</three", "")
    assert splitter.feed("\n") == ("", "")
    assert splitter.feed("four") == ("", "four")
