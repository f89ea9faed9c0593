"""Rows of a board without submissions behind them: figures follow from what each character is given."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from copycat.leaderboard.reported import ReportedWork
from copycat.leaderboard.rows import BoardRow
from copycat.leaderboard.site.compare import write_compare_page
from copycat.leaderboard.site.index_page import write_index
from copycat.leaderboard.site.pages import write_assets
from copycat.leaderboard.standings import Standings, group_rows, rank, shares_of
from copycat.metrics import ALL_ANCHORS, mean_interval, rate_interval
from copycat.schema import Counts, Estimate

ANCHORS = ("name", "keywords:authored-5", "description")
N_CHARACTERS, SEEDS = 12, 3


def make_row(model: str = "model-a", rate: float = 0.4, cons: float = 0.8, dice: int = 0, **changes: Any) -> BoardRow:
    """A row whose pictures show their character with this rate; anything else of a row can be given."""
    draw = random.Random(f"{model} {dice}")
    hits = {a: {f"c{c:02}": [draw.random() < rate for _ in range(SEEDS)] for c in range(N_CHARACTERS)} for a in ANCHORS}
    fields: dict[str, Any] = {
        "section": "self-reported",
        "model": model,
        "source": f"hub/{model}",
        "revision": "0" * 40,
        "modality": "image",
        "is_open": True,
        "mitigation": "none",
        "characters": "copycat50",
        "suite_version": "1.0",
        "judge": "some-judge",
        "judge_revision": "1" * 40,
        "is_judge_calibrated": False,
        "anchors": ANCHORS,
        "seeds": SEEDS,
        "counts": _counts(ok=len(ANCHORS) * N_CHARACTERS * SEEDS),
        "detect": {a: _detect(a, hits) for a in (*ANCHORS, ALL_ANCHORS)},
        "consistency": {a: _cons(a, cons, draw) for a in (*ANCHORS, ALL_ANCHORS)},
        "n_produced": len({c for cells in hits.values() for c, seen in cells.items() if any(seen)}),
        "n_characters": N_CHARACTERS,
        "seconds_per_picture": 1.25,
        "device": "cuda",
        "submitter": "Some Laboratory",
        "date": "2026-11-28",
        "has_pictures": True,
        "by_character": {a: {c: (sum(seen), SEEDS) for c, seen in cells.items()} for a, cells in hits.items()},
        **changes,
    }
    row_id = fields.pop("id", f"1.0/lab__{model}/{draw.getrandbits(48):012x}")
    href = fields.pop("href", f"runs/{row_id}/index.html")
    return BoardRow(id=row_id, href=href, run_id=f"run-{row_id}", badge=fields["section"], **fields)


def without_figures(row: BoardRow) -> BoardRow:
    """The same, if no request had been answered."""
    nothing = {"value": None, "low": None, "high": None, "k": None, "n": 0, "reason": "no answer"}
    empty = {a: e.model_copy(update=nothing) for a, e in row.detect.items()}
    return row.model_copy(update={"detect": empty, "consistency": empty, "by_character": {a: {} for a in row.anchors}})


def stand(*rows: BoardRow) -> list[Standings]:
    """Group and rank rows."""
    return [
        Standings(group, members, {a: rank(shares_of(members, a)) for a in (ALL_ANCHORS, *group.anchors)})
        for group, members in group_rows(rows).items()
    ]


def write_board(site: Path, *rows: BoardRow, reported: tuple[ReportedWork, ...] = ()) -> Path:
    """Write the front page of these rows with all that it loads; gives its path."""
    write_assets(site)
    write_index(site, stand(*rows), reported, max((row.date for row in rows), default=""))
    write_compare_page(site, list(rows))
    return site / "index.html"


def _counts(**ended: int) -> Counts:
    fields = {"ok": 0, "refused": 0, "blocked": 0, "invalid": 0, "failed": 0, "unjudged": 0, **ended}
    return Counts(planned=sum(ended.values()), **fields)


def _detect(anchor: str, hits: dict[str, dict[str, list[bool]]]) -> Estimate:
    seen = [
        (float(hit), character)
        for name, cells in hits.items()
        if anchor in (ALL_ANCHORS, name)
        for character, flags in cells.items()
        for hit in flags
    ]
    values, characters = [value for value, _ in seen], [character for _, character in seen]
    interval = rate_interval(values, characters)
    return Estimate(
        metric="detect",
        anchor=anchor,
        value=sum(values) / len(values),
        low=interval.low,
        high=interval.high,
        k=round(sum(values)),
        n=len(values),
        unit="share",
        better="lower",
        method=interval.method,
    )


def _cons(anchor: str, cons: float, draw: random.Random) -> Estimate:
    values = [min(1.0, max(0.0, draw.gauss(cons, 0.08))) for _ in range(N_CHARACTERS)]
    interval = mean_interval(values, [f"c{c:02}" for c in range(N_CHARACTERS)])
    return Estimate(
        metric="consistency",
        anchor=anchor,
        value=sum(values) / len(values),
        low=interval.low,
        high=interval.high,
        n=len(values),
        unit="probability",
        better="higher",
        method=interval.method,
    )
