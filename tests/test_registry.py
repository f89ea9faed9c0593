from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from copycat import registry
from copycat.errors import BugError, MissingExtraError, UnknownNameError, UserError
from copycat.paths import data_folder
from copycat.registry import Registry


@dataclass(frozen=True)
class Row:
    name: str
    target: str = "decimal:Decimal"


@dataclass(frozen=True)
class TargetlessRow:
    name: str


PLUGIN_ROW = Row("extra", "fractions:Fraction")
TABLE = Registry("model", (Row("sdxl"), Row("sandbox", "json:dumps")), hint="see all: --list models")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: [p for p in points if p.group == group])
    monkeypatch.setattr(registry, "_entry_points", registry._entry_points.__wrapped__)  # each test has its own
    return points


def plugin(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "copycat.model")


def test_a_row_is_found_by_name_and_its_target_loaded(plugins: list[EntryPoint]) -> None:
    import decimal

    assert TABLE.get("sdxl") == Row("sdxl")
    assert TABLE.load("sdxl") is decimal.Decimal
    assert TABLE.names() == ("sdxl", "sandbox")
    assert TABLE.rows() == (Row("sdxl"), Row("sandbox", "json:dumps"))


def test_a_target_is_not_imported_before_it_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lazy_target.py").write_text("VALUE = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    table = Registry("model", (Row("late", "lazy_target:VALUE"),))
    table.get("late")
    assert "lazy_target" not in sys.modules
    assert table.load("late") == 7
    monkeypatch.delitem(sys.modules, "lazy_target")


def test_an_unknown_name_gets_a_suggestion(plugins: list[EntryPoint]) -> None:
    plugins.append(plugin("sdxl-turbo", "nowhere:ROW"))
    with pytest.raises(UnknownNameError) as caught:
        TABLE.get("sdlx")
    assert str(caught.value) == "unknown model 'sdlx'\n  did you mean 'sdxl'?\n  see all: --list models"


def test_a_name_far_from_all_lists_what_is_known(plugins: list[EntryPoint]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        TABLE.get("qqq")
    assert str(caught.value) == "unknown model 'qqq'\n  known: sandbox, sdxl\n  see all: --list models"


def test_two_rows_of_one_name_are_a_bug() -> None:
    with pytest.raises(BugError, match="two rows of the judge table are named 'a'"):
        Registry("judge", (Row("a"), Row("a")))


def test_a_row_without_target_cannot_be_loaded() -> None:
    with pytest.raises(BugError, match="model 'bare' has no target 'module:Attribute' to load"):
        Registry("model", (TargetlessRow("bare"),)).load("bare")


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("decimal", "model 'x': target 'decimal' has the wrong form\n  needed: 'module:Attribute'"),
        (
            "decimal:Nothing",
            "model 'x' cannot be loaded from 'decimal:Nothing'\n"
            "  AttributeError: module 'decimal' has no attribute 'Nothing'\n  install what it needs, or uninstall it",
        ),
        (
            "no_such_module:A",
            "model 'x' cannot be loaded from 'no_such_module:A'\n"
            "  ModuleNotFoundError: No module named 'no_such_module'\n  install what it needs, or uninstall it",
        ),
    ],
)
def test_a_wrong_target_says_what_is_wrong(target: str, text: str) -> None:
    with pytest.raises(UserError) as caught:
        Registry("model", (Row("x", target),)).load("x")
    assert str(caught.value) == text


def test_a_plugin_adds_a_row(plugins: list[EntryPoint]) -> None:
    import fractions

    plugins.append(plugin("extra", f"{__name__}:PLUGIN_ROW"))
    assert TABLE.names() == ("sdxl", "sandbox", "extra")
    assert Registry("model", (Row("a"),)).get("extra") == PLUGIN_ROW
    assert TABLE.load("extra") is fractions.Fraction
    assert TABLE.rows()[-1] == PLUGIN_ROW


def test_plugins_are_not_read_for_a_name_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(group: str) -> list[EntryPoint]:
        raise AssertionError(f"{group} was read")

    monkeypatch.setattr(registry, "entry_points", refuse)
    assert TABLE.get("sdxl").name == "sdxl"


def test_plugins_are_read_once_until_packages_are_looked_for_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: read.append(group) or [])
    table = Registry("thing of this test", (Row("a"),))
    assert (table.names(), table.names(), len(read)) == (("a",), ("a",), 1)

    monkeypatch.syspath_prepend(str(tmp_path))
    assert (table.names(), len(read)) == (("a",), 2)


def test_a_broken_plugin_is_named_when_it_is_used_and_only_then(plugins: list[EntryPoint]) -> None:
    plugins.append(plugin("broken", "no_such_module:ROW"))
    assert TABLE.get("sdxl").name == "sdxl"
    assert "broken" in TABLE.names()
    with pytest.raises(UserError) as caught:
        TABLE.get("broken")
    assert str(caught.value) == (
        "plug-in model 'broken' of entry point 'no_such_module:ROW' cannot be loaded from 'no_such_module:ROW'\n"
        "  ModuleNotFoundError: No module named 'no_such_module'\n  install what it needs, or uninstall it"
    )


def test_a_plugin_that_is_no_row_of_its_name_is_refused(plugins: list[EntryPoint]) -> None:
    target = f"{__name__}:PLUGIN_ROW"
    plugins.append(plugin("other", target))
    with pytest.raises(UserError) as caught:
        Registry("model", (Row("a"),)).get("other")
    assert str(caught.value) == (
        f"plug-in model 'other' of entry point '{target}': '{target}' is no row of that name\n"
        "  needed: a frozen record whose name is 'other'"
    )


@pytest.mark.parametrize("other", ["copycat itself", "entry point 'a:ROW'"])
def test_a_plugin_cannot_take_a_name_that_is_taken(plugins: list[EntryPoint], other: str) -> None:
    name = "sdxl" if other == "copycat itself" else "new"
    plugins.extend([plugin(name, "b:ROW")] if name == "sdxl" else [plugin(name, "a:ROW"), plugin(name, "b:ROW")])
    with pytest.raises(UserError) as caught:
        TABLE.names()
    assert str(caught.value) == (
        f"model '{name}' comes from entry point 'b:ROW' and from {other}\n"
        "  needed: one owner for each name\n  uninstall one of the two"
    )


def test_a_data_folder_is_the_wheels_own_or_lies_beside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "copycat"
    (tmp_path / "characters").mkdir()
    assert data_folder("characters", package) == tmp_path / "characters"
    (package / "_data" / "characters").mkdir(parents=True)
    assert data_folder("characters", package) == package / "_data" / "characters"


def test_a_missing_data_folder_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError) as caught:
        data_folder("prompts", tmp_path / "copycat")
    assert str(caught.value) == (
        "the data folder 'prompts' is missing from this installation\n"
        f"  looked in: {tmp_path}/copycat/_data/prompts, {tmp_path}/prompts\n"
        "  install again: pip install --force-reinstall copycat"
    )
