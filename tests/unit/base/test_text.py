"""Cutting, cleaning and redacting text."""

from __future__ import annotations

import json

import pytest

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


@pytest.mark.parametrize(
    ("text", "size", "head", "tail"),
    [
        ("abc", 3, "abc", "abc"),
        ("abc", 2, "ab", "bc"),
        ("abc", 0, "", ""),
        ("abc", -1, "", ""),
        ("aé", 2, "a", "é"),
        ("éa", 2, "é", "a"),
        ("😀b", 4, "😀", "b"),
        ("b😀", 4, "b", "😀"),
        ("😀", 3, "", ""),
    ],
)
def test_a_cut_keeps_whole_characters(text: str, size: int, head: str, tail: str) -> None:
    assert (cut_head(text, size), cut_tail(text, size)) == (head, tail)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"", 0),
        (b"abc", 3),
        ("é".encode(), 2),
        ("é".encode()[:1], 0),
        (b"a" + "😀".encode()[:3], 1),
        (b"a" + "😀".encode(), 5),
        (b"\x80\x80\x80\x80", 4),  # not UTF-8 at all: nothing to wait for
        ("€".encode()[:2], 0),
    ],
)
def test_an_unfinished_character_at_the_end_is_left_out(data: bytes, whole: int) -> None:
    assert whole_characters(data) == whole


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("notes\n  trusted /etc", "notes\\n  trusted /etc"),
        ("a\rb\tc", "a\\rb\\tc"),
        ("\x1b[2Kall is well", "\\u001b[2Kall is well"),
        ("photo\u202egpj.exe", "photo\\u202egpj.exe"),
        ("a\u2066b\u2069", "a\\u2066b\\u2069"),
        ("one\u2028two\x85three", "one\\u2028two\\u0085three"),
        ("not text: \udcff", "not text: \\udcff"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("漢字\u3000👩\u200d💻 سی\u200cشب", "漢字\u3000👩\u200d💻 سی\u200cشب"),
    ],
)
def test_foreign_words_in_a_list_are_one_line_in_which_all_is_seen(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lone_surrogates_become_replacement_characters_and_pairs_are_joined() -> None:
    assert well_formed("a\ud800b") == "a\ufffdb"
    assert well_formed("\ud83d\ude00") == "😀"
    assert well_formed("é😀") == "é😀"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07x\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "xlink"),
        ("\x1b]0;no end\nnext line", "\nnext line"),
        ("\x1bPq#0;1\n~\x1b\\picture", "picture"),
        ("\x1bPnever ended", "never ended"),
        ("\x1b(Bx\x1b7y\x1b", "xy"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("dos\r\nlines\r\r\n", "dos\nlines\n"),
        ("last state\r", "last state"),
        ("N\x08NA\x08A_\x08b", "NAb"),
        ("a\x00b\x07c\x7fd\ufff9e\ud800f", "abcdef"),
        ("é 日本 😀 \u200d", "é 日本 😀 \u200d"),
    ],
)
def test_terminal_output_becomes_what_a_person_would_see(raw: str, shown: str) -> None:
    assert plain_text(raw) == shown


@pytest.mark.parametrize(
    "piece", ["\x1b]", "\x1bP", "\x1b[", "\x1b[1;", "\r", "x\x08", "\x1b]\x1b"]
)
def test_hostile_escapes_cost_linear_time(piece: str) -> None:
    assert len(plain_text(piece * 200_000)) <= 200_000 * len(piece)


def test_secrets_are_the_values_of_variables_that_name_one() -> None:
    environ = {
        "FOO_TOKEN": " supersecret ",
        "my_api_key": "longer than that",
        "DB_PASSWORD": "short",  # five characters: would blank out ordinary text
        "AWS_SECRET": "sécret",
        "HOME": "/home/somebody",
        "KEYBOARD": "not a key at all",
    }
    assert secret_values(environ) == ("longer than that", "supersecret", "sécret")


def test_a_part_of_a_secret_of_several_lines_is_a_secret_too() -> None:
    begin, line, short = "-----BEGIN A KEY-----", "abcdefghijklmnop", "qrst=="
    key = f"{begin}\n{line}\n{short}\n"
    values = secret_values({"SSH_KEY": key})
    assert line in values
    assert short not in values
    for text in (key, key.replace("\n", "\r\n"), f"2: {line}", f'{{"key": "{begin}\\n{line}"}}'):
        assert line not in redact(text, values)


def test_a_secret_is_hidden_in_json_too() -> None:
    secret = 'pass"word\\1'
    text = json.dumps({"secret": secret})
    assert redact(text, secret_values({"A_PASSWORD": secret})) == '{"secret": "[REDACTED]"}'


def test_a_secret_that_contains_another_is_redacted_as_one() -> None:
    values = secret_values({"A_KEY": "abcdef", "B_KEY": "xxabcdefxx"})
    assert redact("1 abcdef 2 xxabcdefxx", values) == "1 [REDACTED] 2 [REDACTED]"
