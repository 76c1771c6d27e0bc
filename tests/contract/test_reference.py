"""docs/reference/: made from the tables, complete, and the same as what would be made now."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pi.base.errors import PiError
from pi.cli.flags import FLAGS
from pi.commands.table import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    path = ROOT / "scripts" / "make_reference.py"
    spec = importlib.util.spec_from_file_location("make_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


@pytest.fixture(scope="module")
def pages(maker: ModuleType) -> dict[str, str]:
    return {name: make() for name, make in maker.PAGES.items()}


def test_the_pages_in_the_repository_are_what_the_tables_say(pages: dict[str, str]) -> None:
    """If not: python3 scripts/make_reference.py"""
    kept = {path.name: path.read_text("utf-8") for path in (ROOT / "docs" / "reference").iterdir()}
    assert sorted(kept) == sorted(pages)
    assert [name for name in pages if kept[name] != pages[name]] == []


def test_every_flag_and_variable_is_listed(pages: dict[str, str]) -> None:
    for flag in FLAGS:
        assert f"\n| `{flag.name}`" in pages["flags.md"]
        assert flag.variable in pages["flags.md"]


def test_every_command_is_listed(pages: dict[str, str]) -> None:
    for spec in COMMANDS:
        assert f"\n### {spec.name}\n\n    {spec.usage}\n" in pages["commands.md"]


def test_every_class_of_error_is_listed_under_its_exit_code(pages: dict[str, str]) -> None:
    def classes(kind: type[PiError]) -> list[type[PiError]]:
        return [kind, *(each for sub in kind.__subclasses__() for each in classes(sub))]

    rows = {
        int(line.split("**")[1]): line
        for line in pages["exit-codes.md"].split("\n")
        if line.startswith("| **")
    }
    for kind in classes(PiError):
        assert f"`{kind.code}`" in rows[kind.exit_code], kind


def test_codes_that_are_put_together_show_what_stays(maker: ModuleType) -> None:
    codes = maker.error_codes(maker.error_classes())
    assert codes["unknown-command"] == {2}
    assert not [code for code in codes if code.strip("-") != code]


def test_no_page_names_a_place_of_some_machine(pages: dict[str, str]) -> None:
    for page in pages.values():
        for word in ("/home/", "/root/", "/work/", "/tmp/", str(ROOT)):
            assert word not in page


def test_check_says_which_page_is_old_and_writes_nothing(
    maker: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maker, "FOLDER", tmp_path)
    assert maker.main(["--check"]) == 1
    assert "docs/reference/flags.md is not up to date" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert maker.main([]) == 0
    assert maker.main(["--check"]) == 0
    assert maker.main(["--chekc"]) == 2
