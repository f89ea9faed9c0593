"""The laboratory: try any judge on pictures whose truth is known, with hard negatives and text over them.

`run_lab(judge, build_scenes(3000, seed=0), build_character_set())` draws, asks and adds up. What it finds holds for
drawings of invented characters: whether a judge tells look-alikes apart and reads text as an order, never how well
it knows real characters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from copycat.judges import Judge, Verdict
from copycat.judges.asking import JUDGE_BATCH, judge_all
from copycat.judges.overlays import has_overlaid_text
from copycat.metrics.agreement import Agreement, share
from copycat.sandbox.lab_scenes import Scene, build_scenes
from copycat.schema import CharacterSet, Record

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["FlipRow", "LabResult", "LabRow", "Scene", "build_scenes", "lab_table", "run_lab"]

Quality = Literal["sensitivity", "specificity"]


class LabRow(Record):
    """How often the judge was right about the character asked for, in scenes of one kind and distance.

    `rate` is the sensitivity where the character is there: the share of answered pictures in which the judge sees it.
    Else it is the specificity: the share in which the judge does not. Direction: higher is better.
    """

    kind: str
    distance: int | None
    quality: Quality
    n: int
    n_unanswered: int
    rate: Agreement


class FlipRow(Record):
    """What text drawn over a picture changed, each picture judged with and without it.

    Shares of the pairs in which both were answered: `lost`, of those where the judge saw the character without the
    text, no longer with it; `gained`, of those where it did not, with it; `flipped`, of all, either. `flagged` is the
    share of pictures with the text in which `has_overlaid_text` sees it, `flagged_clean` that of the same pictures
    without. Direction: lower is better but for `flagged`.
    """

    kind: str
    n: int
    n_unanswered: int
    lost: Agreement
    gained: Agreement
    flipped: Agreement
    flagged: Agreement
    flagged_clean: Agreement


class LabResult(Record):
    """Everything that was found; `rows` hold the scenes without text, `flips` those with it."""

    n: int
    rows: tuple[LabRow, ...]
    flips: tuple[FlipRow, ...]


class Asked(NamedTuple):
    """A scene's truth beside the verdicts; None: not answered, or there was nothing to ask or to flag."""

    kind: str
    distance: int | None
    character: str
    is_shown: bool
    has_text: bool
    said: bool | None
    said_clean: bool | None = None
    is_flagged: bool | None = None
    is_clean_flagged: bool | None = None


def run_lab(
    judge: Judge, scenes: Iterable[Scene], characters: CharacterSet, advance: Callable[[int], None] = lambda _: None
) -> LabResult:
    """Judge every scene, those with text also without it, and add up.

    Args:
        characters: the sandbox's, `sandbox.export.build_character_set()`.
        advance: told how many more scenes are done.

    Raises:
        UserError: no picture can be judged.
    """
    asked: list[Asked] = []
    remaining = iter(scenes)
    while batch := list(islice(remaining, JUDGE_BATCH)):
        asked += _ask(judge, batch, characters)
        advance(len(batch))
    return _add_up(asked)


def _ask(judge: Judge, scenes: Sequence[Scene], characters: CharacterSet) -> list[Asked]:
    pairs = [(scene, scene.clean) for scene in scenes if scene.clean is not None]
    pictures = [scene.picture for scene in scenes] + [clean for _, clean in pairs]
    wanted = [scene.asked_for for scene in scenes] + [scene.asked_for for scene, _ in pairs]
    said = [_sees(v, who) for v, who in zip(judge_all(judge, pictures, wanted, characters), wanted, strict=True)]
    of_clean = iter(said[len(scenes) :])
    return [
        _asked(scene, answer, next(of_clean) if scene.clean is not None else None)
        for scene, answer in zip(scenes, said, strict=False)
    ]


def _asked(scene: Scene, said: bool | None, said_clean: bool | None) -> Asked:
    has_text = scene.clean is not None
    return Asked(
        kind=scene.kind,
        distance=scene.distance,
        character=scene.asked_for,
        is_shown=scene.is_shown,
        has_text=has_text,
        said=said,
        said_clean=said_clean,
        is_flagged=has_overlaid_text(scene.picture) if has_text else None,
        is_clean_flagged=has_overlaid_text(scene.clean) if scene.clean is not None else None,
    )


def _sees(verdict: Verdict, character: str) -> bool | None:
    """Whether the judge sees a character, alone or among others; None: no answer."""
    return verdict.shows(character) if verdict.is_answered else None


def _add_up(asked: Sequence[Asked]) -> LabResult:
    plain: dict[tuple[str, int | None], list[Asked]] = defaultdict(list)
    texts: dict[str, list[Asked]] = defaultdict(list)
    for row in asked:
        if row.has_text:
            texts[row.kind].append(row)
        else:
            plain[row.kind, row.distance].append(row)
    return LabResult(
        n=len(asked),
        rows=tuple(_lab_row(kind, distance, rows) for (kind, distance), rows in plain.items()),
        flips=tuple(_flip_row(kind, rows) for kind, rows in texts.items()),
    )


def _lab_row(kind: str, distance: int | None, rows: Sequence[Asked]) -> LabRow:
    answered = [row for row in rows if row.said is not None]
    return LabRow(
        kind=kind,
        distance=distance,
        quality="sensitivity" if rows[0].is_shown else "specificity",
        n=len(rows),
        n_unanswered=len(rows) - len(answered),
        rate=_rate([(row.said == row.is_shown, row.character) for row in answered], "no picture was answered"),
    )


def _flip_row(kind: str, rows: Sequence[Asked]) -> FlipRow:
    answered = [row for row in rows if row.said is not None and row.said_clean is not None]
    flips = [(bool(row.said_clean), row.said != row.said_clean, row.character) for row in answered]
    return FlipRow(
        kind=kind,
        n=len(rows),
        n_unanswered=len(rows) - len(answered),
        lost=_rate([(flip, who) for seen, flip, who in flips if seen], "the character was seen in none without text"),
        gained=_rate([(flip, who) for seen, flip, who in flips if not seen], "it was seen in all without text"),
        flipped=_rate([(flip, who) for _, flip, who in flips], "no pair was answered"),
        flagged=_rate([(bool(row.is_flagged), row.character) for row in rows], "no picture"),
        flagged_clean=_rate([(bool(row.is_clean_flagged), row.character) for row in rows], "no picture"),
    )


def _rate(hits: Sequence[tuple[bool, str]], lacking: str) -> Agreement:
    return share([hit for hit, _ in hits], [character for _, character in hits], lacking)


def lab_table(result: LabResult) -> Table:
    """Lay the result out for a terminal: first what was right, then what text changed. Shares are in per cent."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("scene", "attributes off"):
        table.add_column(heading, overflow="fold")
    table.add_column("measured", overflow="fold")
    for heading in ("% [95 % interval]", "n", "no answer"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in result.rows:
        off = "generic" if row.distance is None else str(row.distance)
        table.add_row(_words(row.kind), off, row.quality, *_figures(row.rate), str(row.n_unanswered))
    for flips in result.flips:
        lost, gained = "seen without the text, lost with it", "not seen without, gained with it"
        table.add_row(_words(flips.kind), "", lost, *_figures(flips.lost), str(flips.n_unanswered))
        table.add_row("", "", gained, *_figures(flips.gained), "")
        table.add_row("", "", "flagged as text", *_figures(flips.flagged), "")
        table.add_row("", "", "flagged without the text", *_figures(flips.flagged_clean), "")
    return table


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _figures(rate: Agreement) -> tuple[str, str]:
    """Give the share with its interval, in rich's markup, and of how many."""
    return _shown(rate), str(rate.n)


def _shown(rate: Agreement) -> str:
    if rate.value is None or rate.low is None or rate.high is None:
        return "no figure"
    return f"{100 * rate.value:.1f} [dim]\\[{100 * rate.low:.1f}, {100 * rate.high:.1f}][/dim]"
