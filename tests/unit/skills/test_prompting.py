"""What of skills is told to the model, to the letter."""

from __future__ import annotations

from pi.skills.prompting import INTRODUCTION, invocation, listing, with_selected
from pi.skills.skill import FLAT, FOLDER, PLAIN, Skill


def skill(name: str, kind: str = FOLDER, scope: str = "project", **more: object) -> Skill:
    made = Skill(name, kind, f"/s/{name}/SKILL.md", scope, " body \n", "what <it> does & why")
    return made._replace(**more)


def test_a_plain_skill_is_appended_as_the_older_program_did() -> None:
    focus = skill("focus", PLAIN, body="\nAlways use checklist\n")
    assert with_selected("base", [focus]) == "base\n\n# Skill: focus\nAlways use checklist"
    assert with_selected(" \n", [focus]) == "# Skill: focus\nAlways use checklist"
    assert with_selected("base \n\n", []) == "base"


def test_a_folder_skill_says_what_its_paths_are_relative_to() -> None:
    assert with_selected("", [skill("x")]) == (
        "# Skill: x\nReferences are relative to /s/x.\n\nbody"
    )


def test_the_list_names_skills_in_their_order_with_signs_escaped() -> None:
    found = listing([skill("b", scope="user"), skill("z"), skill("a", FLAT), skill("p", PLAIN)])
    assert found.startswith(f"{INTRODUCTION}\n\n<available_skills>\n  <skill>\n")
    assert [line for line in found.split("\n") if "<name>" in line] == [
        "    <name>a</name>",
        "    <name>z</name>",
        "    <name>b</name>",
    ]
    assert "<description>what &lt;it&gt; does &amp; why</description>" in found
    assert "<location>/s/z/SKILL.md</location>" in found


def test_nothing_is_said_where_there_is_nothing_to_list() -> None:
    assert listing([skill("p", PLAIN), skill("h", hidden=True)]) == ""


def test_a_call_is_the_message_that_the_ancestors_readers_know() -> None:
    assert invocation(skill("x")) == (
        '<skill name="x" location="/s/x/SKILL.md">\nReferences are relative to /s/x.\n\n'
        "body\n</skill>"
    )
    assert invocation(skill("x"), "now").endswith("</skill>\n\nnow")
