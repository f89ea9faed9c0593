"""Grids: which cells a set can fill, who beats whom, and one job for all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.catalog import derived_prompt_set
from copycat.errors import UnsupportedError
from copycat.grids import GRIDS, build_cells
from copycat.grids.cells import rows_of
from copycat.grids.tables import Grid
from copycat.grids.verdicts import NOISE, compare_cells, count_verdicts
from copycat.metrics import Outcomes
from copycat.metrics.outcomes import Outcome
from copycat.metrics.significance import sign_flip
from copycat.mitigations import Setting
from copycat.schema import CharacterSet, Judgement, Sample

SHA = "0" * 64


@pytest.fixture
def setting(characters: CharacterSet) -> Setting:
    words = {c.id: tuple("abcdefghijklmnopqrst") for c in characters.characters}
    lists = dict.fromkeys(("lm", "embedding", "cooccurrence"), words)
    changed = derived_prompt_set(characters).model_copy(update={"keywords": lists, "default_ranker": "lm"})
    return Setting(characters, changed)


def outcomes(shows: Callable[[int, int], bool], n_characters: int = 40, repeats: int = 3) -> Outcomes:
    """Pictures of many characters; `shows(character, repeat)` says what the judge saw."""
    rows = []
    for number in range(n_characters):
        for repeat in range(repeats):
            who, key = f"c{number}", f"k{number}-{repeat}"
            sample = Sample(
                key=key, character=who, anchor="name", repeat=repeat, prompt="p", prompt_sent="p", negative_prompt=None,
                seed=1, status="ok", image="i.png", sha256=SHA,
            )  # fmt: skip
            seen = who if shows(number, repeat) else None
            rows.append(Outcome(sample=sample, judgement=Judgement(key=key, image_sha256=SHA, detected=seen)))
    return Outcomes(rows=tuple(rows))


# ------------------------------------------------------------------------------- what was published


@pytest.mark.parametrize("grid", GRIDS.rows(), ids=lambda grid: grid.name)
def test_a_grid_has_a_figure_for_every_row_and_column(grid: Grid) -> None:
    assert len(grid.rows) == len(grid.row_words)
    assert all(len(row.cells) == len(grid.columns) for row in grid.rows)
    assert all(0 <= cell.detect <= 50 for row in grid.rows for cell in row.cells if cell)


def test_table1_has_22_cells_and_its_corners_are_those_of_the_paper() -> None:
    grid = GRIDS.get("table1")
    assert sum(len(row.cells) for row in grid.rows) == 22
    corners = [grid.rows[row].cells[column] for row in (0, -1) for column in (0, 1)]
    assert [cell.detect for cell in corners if cell] == [30.33, 14.33, 20.67, 4.33]


# ------------------------------------------------------------------------------------ what is run


def test_the_papers_words_for_lists_become_the_lists_of_the_set(setting: Setting) -> None:
    names = [word for word in GRIDS.get("table1").row_words if "rewrite" not in word]
    cells, _ = build_cells(GRIDS.get("table1"), setting, "any")
    by_name = [cell.mitigation for cell in cells if cell.column == 0]
    assert len(by_name) == len(names) == 11
    assert by_name[0] == "none"
    assert by_name[-1] == "negprompt:name,embedding-5,cooccurrence-5"
    assert {cell.anchor for cell in cells} == {"name"}


def test_a_list_with_the_papers_own_name_goes_first(setting: Setting) -> None:
    lists = {**setting.prompt_set.keywords, "laion": setting.prompt_set.keywords["lm"]}
    has_laion = setting._replace(prompt_set=setting.prompt_set.model_copy(update={"keywords": lists}))
    cells, _ = build_cells(GRIDS.get("table1"), has_laion, "any")
    assert "negprompt:name,embedding-5,laion-5" in {cell.mitigation for cell in cells}


def test_cells_that_a_set_has_no_texts_for_say_what_is_lacking(setting: Setting) -> None:
    cells, missing = build_cells(GRIDS.get("table8"), setting, "any")
    assert [cell.anchor for cell in cells][::2] == [
        "keywords:lm-10",
        "keywords:lm-20",
        "keywords:cooccurrence-5",
        "description",
    ]
    assert {one.reason for one in missing} == {"list 'lm' of set 'my-set' has 20 keywords for some character, not 50"}
    _, missing = build_cells(GRIDS.get("figure3"), setting, "any")
    assert "character set 'my-set' has no list 'c4'" in {one.reason for one in missing}


@pytest.mark.parametrize(("model", "row"), [("sdxl", 1), ("videofusion", 4), ("sandbox", 0)])
def test_of_a_table_of_models_only_the_models_own_row_is_run(model: str, row: int) -> None:
    assert rows_of(GRIDS.get("table2"), model) == (row,)


# -------------------------------------------------------------------------------- who beats whom


def test_an_order_that_holds_an_order_that_is_turned_round_and_one_that_cannot_be_told() -> None:
    found = {
        (0, 0): outcomes(lambda c, _: c < 30),
        (6, 0): outcomes(lambda c, _: c < 15),  # published: 23.67 against 30.33
        (9, 0): outcomes(lambda c, _: c < 39),  # published: 20.67
        (10, 0): outcomes(lambda c, r: c < 30 - (r == 0)),  # published: 20.67
    }
    verdicts = {one.second: one.verdict for one in compare_cells(GRIDS.get("table1"), found)}
    assert verdicts == {(6, 0): "same order", (9, 0): "other order", (10, 0): "cannot be told"}


def test_a_published_difference_within_the_noise_of_three_runs_gets_no_verdict() -> None:
    found = {(0, 0): outcomes(lambda c, _: c < 30), (1, 0): outcomes(lambda c, _: c < 5)}
    (one,) = compare_cells(GRIDS.get("table1"), found)
    assert abs(one.published or 0) < NOISE
    assert one.verdict is None
    assert count_verdicts([one]) == {"same order": 0, "other order": 0, "cannot be told": 0}


def test_cells_are_held_against_the_first_of_their_column_and_of_their_row() -> None:
    every = {(row, column): outcomes(lambda c, _: c < 9) for row in range(11) for column in range(2)}
    pairs = {(one.first, one.second) for one in compare_cells(GRIDS.get("table1"), every)}
    assert len(pairs) == 10 + 10 + 11
    assert ((0, 1), (4, 1)) in pairs
    assert ((4, 0), (4, 1)) in pairs


def test_p_values_are_those_of_sign_flips_adjusted_for_all_pairs() -> None:
    base, second, third = (outcomes(lambda c, _, n=n: c < n) for n in (20, 12, 18))
    found = compare_cells(GRIDS.get("table1"), {(0, 0): base, (6, 0): second, (9, 0): third})
    alone = [
        sign_flip(
            [-float(n <= c < 20) for c in range(40) for _ in range(3)], [str(c) for c in range(40) for _ in range(3)]
        )
        for n in (12, 18)
    ]
    smaller, larger = sorted(alone)
    assert sorted(one.p_holm for one in found) == pytest.approx([2 * smaller, max(larger, 2 * smaller)])


def test_a_set_without_texts_for_any_cell_is_refused(
    characters: CharacterSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copycat.grids import run_grid
    from copycat.staging import Job

    grid = GRIDS.get("figure3").model_copy(update={"row_words": ("nothing",) * 6})
    with pytest.raises(UnsupportedError, match="has the texts of no cell of figure3"):
        run_grid(grid, Job(models=("sandbox",), out=tmp_path))
