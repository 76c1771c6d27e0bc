"""Laws of the path rule."""

from __future__ import annotations

import os
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.tools.outcome import ToolFailure
from pi.tools.paths import PathRule
from tests.fakes.examples import few

PARTS = ("..", ".", "", "in", "out", "file", "up", "self", "loop", "new", "to", "@x", "~")


def build(base: str) -> str:
    """A root with links inside, upwards, outwards, to themselves and to nothing."""
    root = os.path.join(base, "root")
    os.makedirs(os.path.join(root, "in", "in"))
    os.makedirs(os.path.join(base, "outside"))
    for path in (os.path.join(root, "file"), os.path.join(base, "outside", "file")):
        with open(path, "wb"):
            pass
    for name, target in (
        ("out", "../outside"),
        ("up", ".."),
        ("self", "."),
        ("loop", "loop"),
        ("to", "../outside/missing"),
        ("in/out", "../../outside/file"),
    ):
        os.symlink(target, os.path.join(root, *name.split("/")))
    return root


@settings(max_examples=few(300), deadline=None)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=7), absolute=st.booleans())
def test_no_spelling_of_a_path_leaves_the_root(parts: list[str], absolute: bool) -> None:
    """A path is refused, or its place lies below the root and no part of it is a link."""
    with tempfile.TemporaryDirectory() as base:
        base = os.path.realpath(base)
        root = build(base)
        given_path = "/".join(([root] if absolute else []) + parts)
        for enforce in (True, False):
            rule = PathRule([root], enforce_regular_files=enforce)
            for locate in (rule.existing, rule.writable):
                try:
                    place = locate(given_path, root)
                except ToolFailure:
                    continue
                assert place.root == root
                path = root
                for part in place.parts:
                    assert part not in ("", ".", "..")
                    path = os.path.join(path, part)
                    # A link to itself leads nowhere; opening it fails.
                    assert not os.path.islink(path) or part == "loop"


@settings(max_examples=few(300), deadline=None)
@given(text=st.text(st.characters(), max_size=20))
def test_any_text_is_a_place_or_a_refusal(text: str) -> None:
    """Whatever a model writes as a path, nothing but ToolFailure comes of it."""
    with tempfile.TemporaryDirectory() as base:
        rule = PathRule([base])
        for locate in (rule.existing, rule.writable):
            try:
                locate(text, base)
            except ToolFailure:
                pass
