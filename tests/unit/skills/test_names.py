"""Which names an installed skill may have, and which one an address gives it."""

from __future__ import annotations

import pytest

from pi.skills.names import folder_name_problem, last_segment, name_from_url, name_problem


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/skills/path", "path"),
        ("https://example.com/skills/review/", "review"),
        ("https://example.com/a.md?x=1", "a"),
        ("https://example.com/a.md#x", "a"),
        ("https://example.com/a.b.md", "a.b"),
        ("https://example.com/a%2Db.md", "a-b"),
        ("https://example.com/", "remote-skill-3"),
        ("https://example.com", "remote-skill-3"),
        ("https://example.com/x/SKILL.md", "x"),
        ("https://example.com/x/y.tar.gz", "y"),
        ("https://example.com/x/y.TGZ", "y"),
        ("https://example.com/x/y.skill?v=2", "y"),
    ],
)
def test_an_address_gives_its_last_part(url: str, name: str) -> None:
    assert name_from_url(url, 3) == name
    assert name_problem(name) == ""


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://h/..",
            "https://h/%2e%2e",
            "https://h/..%2f..%2fx.md",
            "https://h/%2e%2e%5cx.md",
        ),
        *("https://h/a%00.md", "https://h/a%0a.md", "https://h/%20a.md", "https://h/.hidden.md"),
        *("https://h/a%252fb.md", "https://h/-x.md", "https://h/a%3ab.md", "https://h/%7Ea.md"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_after_unquoting_once(url: str) -> None:
    assert name_problem(name_from_url(url, 1)) != ""


def test_a_part_that_is_no_text_is_an_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        last_segment("https://h/%ff.md", 1)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a b",
            "a\n",
            "\u0430",
            "\uff41",
            "a\u200b",
            "_a",
            "-a",
            ".a",
        ),
        *("x" * 129, "con", "NUL", "aux.txt", "com1", "LPT9", "prn.a.b", "a."),
    ],
)
def test_names_that_some_system_or_reader_would_take_for_another_are_refused(name: str) -> None:
    assert name_problem(name) != ""
    assert folder_name_problem(name) != ""


@pytest.mark.parametrize("name", ["a", "A", "9", "x" * 128, "a.b", "a_b-c", "console", "com10"])
def test_plain_names_will_do(name: str) -> None:
    assert name_problem(name) == folder_name_problem(name) == ""


@pytest.mark.parametrize("name", ["a.md", "SKILL.md", "b.MD", "a.pyc"])
def test_a_folder_may_not_stand_where_no_folder_is_looked_for(name: str) -> None:
    assert name_problem(name) == ""
    assert folder_name_problem(name) != ""
