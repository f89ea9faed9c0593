"""From a published grid to what is run: which mitigation and anchor a cell is for a given character set."""

from __future__ import annotations

from typing import NamedTuple

from copycat.catalog import PromptSet, parse_anchor
from copycat.errors import CopycatError
from copycat.grids.tables import Column, Grid, Published
from copycat.mitigations import NONE, Setting, build_mitigation, canonical_mitigation

LISTS = {"lm": ("lm", "authored"), "embedding": ("embedding",), "cooccurrence": ("laion", "cooccurrence")}
"""The paper's word for a keyword list, and the lists that stand for it, the first that a set has."""


class Cell(NamedTuple):
    """One cell: where it stands, what is run for it, what was published."""

    row: int
    column: int
    mitigation: str
    anchor: str
    published: Published | None


class Missing(NamedTuple):
    """A cell that this character set has no texts for, and what is lacking."""

    row: int
    column: int
    published: Published | None
    reason: str


def build_cells(grid: Grid, setting: Setting, model: str) -> tuple[list[Cell], list[Missing]]:
    """Give every cell of a grid that a model's row or the whole grid asks for.

    Args:
        model: of a grid with a row for each model, only this model's row is run, or the main model's.
    """
    cells: list[Cell] = []
    missing: list[Missing] = []
    for number in rows_of(grid, model):
        for place, column in enumerate(grid.columns):
            published = grid.rows[number].cells[place]
            try:
                mitigation, anchor = _filled(column, grid.row_words[number], setting)
            except CopycatError as error:
                missing.append(Missing(number, place, published, str(error).splitlines()[0]))
            else:
                cells.append(Cell(number, place, mitigation, anchor, published))
    return cells, missing


def rows_of(grid: Grid, model: str) -> tuple[int, ...]:
    """Give the rows that are run for a model."""
    if grid.model is not None:
        return tuple(range(len(grid.rows)))
    return (grid.row_words.index(model) if model in grid.row_words else 0,)


def _filled(column: Column, word: str, setting: Setting) -> tuple[str, str]:
    """Put a row's word into a column, and the set's lists into both.

    Raises:
        CopycatError: the set lacks a list, or a character of it lacks keywords.
    """
    prompt_set = setting.prompt_set
    words = {
        **{
            f"{{{role}}}": next((n for n in names if n in prompt_set.keywords), names[0])
            for role, names in LISTS.items()
        },
        "{rewrite}": _rewriting(prompt_set),
    }
    texts = [column.mitigation.replace("{row}", word), column.anchor.replace("{row}", word)]
    for role, name in words.items():
        if role in "".join(texts) and not (name in prompt_set.keywords or name.startswith("rewrite:")):
            raise CopycatError(f"character set '{prompt_set.id}' has no list '{name}'")
        texts = [text.replace(role, name) for text in texts]
    mitigation = canonical_mitigation(texts[0], setting)
    build_mitigation(mitigation, setting)
    anchor = parse_anchor(texts[1], prompt_set.default_ranker)
    if anchor.kind == "keywords":
        _require_keywords(prompt_set, anchor.ranker or "", anchor.k or 0)
    return mitigation or NONE, anchor.label


def _rewriting(prompt_set: PromptSet) -> str:
    return f"rewrite:{next(iter(prompt_set.rewrites))}" if prompt_set.rewrites else "rewrite:rules"


def _require_keywords(prompt_set: PromptSet, ranker: str, k: int) -> None:
    lists = prompt_set.keywords.get(ranker)
    if lists is None:
        raise CopycatError(f"character set '{prompt_set.id}' has no list '{ranker}'")
    fewest = min(len(lists.get(character, ())) for character in prompt_set.names)
    if fewest < k:
        raise CopycatError(
            f"list '{ranker}' of set '{prompt_set.id}' has {fewest} keywords for some character, not {k}"
        )
