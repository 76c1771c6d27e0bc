"""A JSON object with the places of its members."""

from __future__ import annotations

import pytest

from pi.base.json_members import BadJson, read_members


def test_members_come_with_line_and_column_of_their_names() -> None:
    found = read_members(' {"a": 1,\n  "b" :\n[2, "x"]} \n')
    assert [tuple(member) for member in found] == [("a", 1, 1, 3), ("b", [2, "x"], 2, 3)]
    assert read_members("{ }") == ()


@pytest.mark.parametrize(
    ("text", "why", "line", "column"),
    [
        ("", "expected an object", 1, 1),
        ("[1]", "expected an object", 1, 1),
        ('{"a": 1,}', "expected a name in double quotes", 1, 9),
        ('{\n// no\n"a": 1}', "expected a name in double quotes", 2, 1),
        ("{'a': 1}", "expected a name in double quotes", 1, 2),
        ('{"a" 1}', "expected a colon behind 'a'", 1, 6),
        ('{"a": 1\n "b": 2}', "expected a comma or the closing brace", 2, 2),
        ('{"a": 1', "expected a comma or the closing brace", 1, 8),
        ('{"a": }', "expecting value", 1, 7),
        ('{"a": "x\ny"}', "invalid control character", 1, 9),
        ('{"a": 1} x', "something follows the closing brace", 1, 10),
        ('{"a": 1,\n"a": 2}', "'a' stands there twice", 2, 1),
        ('{"a": NaN}', "NaN is not JSON", 1, 7),
        ('{"a": 1' + "0" * 40 + "}", "a number of too many digits", 1, 7),
        ('{"a": "\\ud800"}', "half a character", 1, 7),
        ('{"a": ' + "[" * 100_000 + "}", "nested too deeply", 1, 7),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, why: str, line: int, column: int) -> None:
    with pytest.raises(BadJson) as caught:
        read_members(text)
    assert caught.value.why.startswith(why)
    assert (caught.value.line, caught.value.column) == (line, column)
