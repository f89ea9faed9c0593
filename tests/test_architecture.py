"""The shape of the house (DESIGN.md, section 1), read from the source of every module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from copycat.judges import JUDGES
from copycat.mitigations import MITIGATIONS
from copycat.models import MODELS
from copycat.registry import resolve

PACKAGE = Path(__file__).resolve().parents[1] / "copycat"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("schema", "names", "registry", "scales"),
    ("paths", "metrics"),
    ("console", "catalog", "corpus"),
    ("mitigations",),
    ("attacks",),
    ("plan",),
    ("services",),
    ("llm", "published"),
    ("models",),
    ("live",),
    ("judges",),
    ("measures",),
    ("runs",),
    ("staging",),
    ("eval",),
    ("sandbox", "doctor", "calibration", "discovery", "grids", "leaderboard", "sharing"),
    ("imitation", "erasure", "whitebox", "fairuse"),
    ("robustness", "provenance"),
    ("commands",),
    ("cli", "data", "calibrate", "discover", "mitigate", "submit", "erase", "attack"),
)
"""From the bottom up: a module imports its own package and lower layers, never its equals."""

ENTRY_POINT = len(LAYERS)
"""`__main__` files and the block under `if __name__ == "__main__"` stand above everything."""

PURE = {"errors", "schema", "names", "registry", "paths", "catalog", "corpus", "metrics"}
PURE |= {"mitigations", "attacks", "plan"}
HEAVY = {"torch", "torchvision", "diffusers", "transformers", "open_clip", "openai", "ray", "accelerate", "datasets"}
MAY_IMPORT_HEAVY = ("sandbox/train/", "sandbox/oracle.py")

MAX_FILE_LINES, MAX_BODY_LINES = 400, 60


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def unit_of(path: Path) -> str:
    """The package or module right below copycat: 'runs' for copycat/runs/folder.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def layer_of(unit: str) -> int:
    return next((number for number, units in enumerate(LAYERS) if unit in units), -1)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> list[str]:
    """Full names of what one import statement imports; nothing for other nodes."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module is not None:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def is_test_of(node: ast.AST, name: str) -> bool:
    """Whether it is `if TYPE_CHECKING` or `if __name__ == ...`."""
    return isinstance(node, ast.If) and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node.test))


def without_main_block(tree: ast.Module) -> Iterator[ast.AST]:
    for statement in tree.body:
        if not is_test_of(statement, "__name__"):
            yield from ast.walk(statement)


def run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes that run when the module is imported: not in functions, not for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if is_test_of(child, "TYPE_CHECKING") or is_test_of(child, "__name__"):
            continue
        yield child
        yield from run_on_import(child)


def own_imports(path: Path) -> set[str]:
    """The units of copycat that a module imports, wherever in it, but for its own."""
    names = [name for node in without_main_block(tree_of(path)) for name in imported(node)]
    return {name.split(".")[1] for name in names if name.startswith("copycat.")} - {unit_of(path)}


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 50


def test_every_package_and_module_has_its_layer() -> None:
    assert {unit_of(path) for path in FILES} - {"__init__"} <= {unit for layer in LAYERS for unit in layer}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    here = ENTRY_POINT if path.stem == "__main__" else layer_of(unit_of(path))
    wrong = sorted(unit for unit in own_imports(path) if layer_of(unit) >= here)
    assert not wrong, f"{name_of(path)} is of layer {here} and must not import {', '.join(wrong)}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_heavy_library_is_imported_only_when_it_is_used(path: Path) -> None:
    if name_of(path).startswith(MAY_IMPORT_HEAVY):
        return
    top_level = {name.split(".")[0] for node in run_on_import(tree_of(path)) for name in imported(node)}
    assert not top_level & HEAVY


@pytest.mark.parametrize("path", [p for p in FILES if unit_of(p) in PURE], ids=name_of)
def test_a_pure_module_never_touches_a_heavy_library(path: Path) -> None:
    anywhere = {name.split(".")[0] for node in ast.walk(tree_of(path)) for name in imported(node)}
    assert not anywhere & HEAVY


def test_nothing_is_pickled() -> None:
    unsafe = {"pickle", "dill", "cloudpickle", "shelve", "marshal", "diskcache", "joblib"}
    users = {
        name_of(path)
        for path in FILES
        if unsafe & {name.split(".")[0] for node in ast.walk(tree_of(path)) for name in imported(node)}
    }
    assert not users


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_function_is_short_enough_to_read(path: Path) -> None:
    """Without its signature: a command has a line for each of its options."""
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f.name for f in functions if (f.end_lineno or 0) - f.body[0].lineno + 1 > MAX_BODY_LINES]
    assert not long


# The tables of names: what a row promises is there.


def mitigation_methods(name: str) -> tuple[str, ...]:
    """A detector has `find`, every other mitigation `apply`."""
    return ("find",) if name == "intent" else ("apply",)


MODEL_METHODS = ("identify", "settle", "check", "prepare", "generate")
TARGETS = [
    *((f"model '{row.name}'", row.target, MODEL_METHODS) for row in MODELS.rows()),
    *((f"judge '{row.name}'", row.target, ("revision", "judge")) for row in JUDGES.rows()),
    *((f"mitigation '{row.name}'", row.target, mitigation_methods(row.name)) for row in MITIGATIONS.rows()),
]


@pytest.mark.parametrize(("owner", "target", "methods"), TARGETS, ids=[owner for owner, _, _ in TARGETS])
def test_the_target_of_a_row_has_the_methods_of_its_protocol(owner: str, target: str, methods: tuple[str, ...]) -> None:
    found = resolve(target, owner)
    assert all(callable(getattr(found, method, None)) for method in methods)
