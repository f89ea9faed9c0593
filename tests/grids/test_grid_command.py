"""`python -m copycat.eval --grid`: one model load, figures beside the published ones, and what does not go with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import Cli, Doubles
from run_folders import read


@pytest.fixture
def grid(cli: Cli, doubles: Doubles, characters_file: Path) -> Cli:
    fixed = ("--model", "fake", "--judge", "fake-judge", "--device", "cpu", "--characters", characters_file)
    return lambda name, *options: cli(*fixed, "--seeds", 2, "--grid", name, *options)


def test_a_grid_prints_the_published_figure_beside_the_measured_one(grid: Cli) -> None:
    answer = grid("table8")
    assert answer.code == 0
    lines = answer.out.splitlines()
    row = next(line for line in lines if line.startswith("description"))
    assert "21.00 ± 2.65" in row
    assert "[" in row
    assert "not run: 10 curated keywords / none:" in answer.out
    assert answer.out.rstrip().endswith("runs/table8-fake.json")


def test_a_grid_keeps_what_its_table_is_made_from(grid: Cli) -> None:
    grid("table8")
    content = read(Path("runs/table8-fake.json"))
    cells = {(cell["row"], cell["column"]): cell for cell in content["cells"]}
    assert set(cells) == {("description", "none"), ("description", "target name")}
    mitigated = cells["description", "target name"]
    assert mitigated["mitigation"] == "negprompt:name"
    assert mitigated["published"]["detect"] == 10.33
    metrics = read(Path("runs") / mitigated["run"] / "metrics.json")
    assert mitigated["detect"] in metrics["estimates"]


def test_a_grid_goes_on_where_it_stopped(grid: Cli, doubles: Doubles) -> None:
    first = grid("table8", "--json")
    drawn = doubles.generated
    again = grid("table8", "--json")
    assert doubles.generated == drawn
    assert len(drawn) == 12
    assert json.loads(first.out) == json.loads(again.out)


@pytest.mark.parametrize(
    "options",
    [("--mitigation", "negprompt"), ("--anchors", "name"), ("--shard", "1/2"), ("--dry-run",)],
    ids=lambda options: options[0],
)
def test_what_a_grid_decides_itself_is_refused(grid: Cli, options: tuple[str, ...]) -> None:
    answer = grid("table8", *options)
    assert answer.code == 2
    assert f"--grid and {options[0]} do not go together" in answer.err


def test_an_unknown_grid_gets_a_suggestion(grid: Cli) -> None:
    answer = grid("tabel1")
    assert (answer.code, "did you mean 'table1'" in answer.err) == (2, True)
