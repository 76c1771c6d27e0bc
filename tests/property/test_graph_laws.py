"""The tree of a session against the definitions, spelled out naively."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.sessions.graph import Node, children, depths, examine, parents, roots, tips
from tests.fakes.examples import few

ids = st.integers(0, 12)
trees = st.lists(st.builds(Node, ids, st.none() | ids), max_size=14).map(
    lambda found: [node._replace(line=number) for number, node in enumerate(found, start=1)]
)


def leads_into_a_cycle(start: int, parent_of: dict[int, int | None]) -> bool:
    seen = set()
    current: int | None = start
    while current is not None and current in parent_of:
        if current in seen:
            return True
        seen.add(current)
        current = parent_of[current]
    return False


@settings(max_examples=few(400), deadline=None)
@given(trees)
def test_the_findings_are_what_the_definitions_say(found: list[Node]) -> None:
    """Duplicates, orphans and cyclic ids are exactly those that a naive walk finds."""
    parent_of = {node.id: node.parent_id for node in found}
    findings = examine(found)
    known = set(parent_of)
    assert [node.line for node in findings.duplicates] == [
        node.line for at, node in enumerate(found) if node.id in {n.id for n in found[:at]}
    ]
    assert findings.orphans == tuple(
        sorted(e for e, p in parent_of.items() if p is not None and p not in known)
    )
    assert findings.cyclic == tuple(sorted(e for e in known if leads_into_a_cycle(e, parent_of)))
    assert findings.sound == (
        len(known) == len(found) and not findings.orphans and not findings.cyclic
    )


@settings(max_examples=few(400), deadline=None)
@given(trees)
def test_a_ring_is_a_cycle_and_every_cyclic_id_leads_into_one(found: list[Node]) -> None:
    """Each ring closes on itself; cyclic ids are the rings and what hangs on them."""
    parent_of = parents(found)
    findings = examine(found)
    for ring in findings.rings:
        assert ring[0] == min(ring)
        assert [parent_of[entry] for entry in ring] == [*ring[1:], ring[0]]
    members = {entry for ring in findings.rings for entry in ring}
    assert members <= set(findings.cyclic)
    assert bool(members) == bool(findings.cyclic)


@settings(max_examples=few(400), deadline=None)
@given(trees)
def test_a_depth_is_one_more_than_the_parents(found: list[Node]) -> None:
    """Roots are 1 deep, children one deeper; what leads nowhere has no depth."""
    parent_of = parents(found)
    depth = depths(parent_of)
    for entry, deep in depth.items():
        parent = parent_of[entry]
        assert deep == (1 if parent is None else depth[parent] + 1)
    assert {entry for entry, deep in depth.items() if deep == 1} == set(roots(parent_of))
    findings = examine(found)
    if findings.sound:
        assert set(depth) == set(parent_of)
    assert not set(depth) & set(findings.cyclic)


@settings(max_examples=few(200), deadline=None)
@given(trees)
def test_tips_are_nobodys_parent_and_children_are_everybodys(found: list[Node]) -> None:
    """Every entry is a tip or has children; children are the parents read backwards."""
    parent_of = parents(found)
    below = children(parent_of)
    assert tips(parent_of) == tuple(sorted(e for e in parent_of if e not in below))
    assert {e: p for p, es in below.items() for e in es} == parent_of


def test_a_hundred_thousand_entries_in_one_chain_need_no_recursion() -> None:
    chain = [Node(number, number - 1 or None, number) for number in range(100_000, 0, -1)]
    assert examine(chain).sound
    assert depths(parents(chain))[100_000] == 100_000
