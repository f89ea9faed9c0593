"""The table of one group of rows: which columns there are, and what stands in each cell, as compact HTML.

A thousand rows must stay below a megabyte, so cells are written here and not by a template. Whatever came from a
submission goes through `escape`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from markupsafe import Markup, escape

from copycat.leaderboard.rows import BoardRow
from copycat.leaderboard.scatter import MANY
from copycat.leaderboard.site.pages import broken
from copycat.leaderboard.standings import Standings, is_tied
from copycat.metrics import ALL_ANCHORS, RankInterval
from copycat.metrics.texts import shown_amount
from copycat.schema import Estimate

Kind = Literal["rank", "text", "number", "figure"]
NOTHING = Markup("\N{EN DASH}")
SHORT_REVISION = 8
LONGEST_TERM = 24
_WITHHELD = Markup(" <b>pictures withheld</b>")
_CELL, _LONG_CELL = Markup("<td>{}"), Markup("<td class=w>{}")


class Column(NamedTuple):
    """A column: `key` is its name in addresses and exports, `title` what it means, `is_long` texts may wrap."""

    key: str
    head: str
    title: str
    kind: Kind
    cell: Callable[[BoardRow], Markup]
    is_default: bool = True
    tone: str = ""
    is_long: bool = False

    @property
    def first_press(self) -> str:
        """Which order a reader wants first."""
        return "descending" if self.key.startswith("cons") else "ascending"


def build_columns(standings: Standings) -> tuple[Column, ...]:
    """Give all columns of a group: those that are shown at first come first."""
    rows, is_crowded = standings.rows, len(standings.rows) > MANY
    columns = [
        Column("rank", "rank", "places that are possible; ≈ cannot be told apart", "rank", _rank_cell(standings)),
        Column("model", "model", "leads to everything behind the row", "text", _model),
        Column("mitigation", "mitigation", "what was done against reproduction", "text", _mitigation),
        _text("attack", "what was done to bring it back", _attack, is_default=any(row.attack for row in rows)),
        *(_detect_column(anchor, has_meter=not is_crowded) for anchor in standings.group.anchors),
        _detect_column(ALL_ANCHORS),
        _cons_column(ALL_ANCHORS),
        Column("refused", "refused", "requests declined by the model or held back by a filter", "number", _refused),
        Column("errors", "errors", "invalid, failed or not judged; in no figure", "number", _errors),
        Column("produced", "produced", "characters recognised at least once, of those asked for", "number", _produced),
        Column("n", "n", "answered requests", "number", _n),
        Column("date", "date", "of the submission", "text", lambda row: escape(row.date)),
        Column("badge", "status", "who vouches for it", "text", _badge),
        *(_cons_column(anchor, has_meter=not is_crowded, is_default=False) for anchor in standings.group.anchors),
        _text("revision", "of the weights", _revision),
        Column("modality", "modality", "pictures or clips", "text", lambda row: escape(row.modality), False),
        Column("open", "weights", "open: anybody can have them", "text", _open, False),
        _text("licence", "of the weights", lambda row: _or_nothing(row.licence)),
        _text("judge", "who looked, and its revision", _judge),
        Column("suite", "suite", "version of the suite", "text", lambda row: escape(row.suite_version), False),
        Column("seeds", "seeds", "pictures per prompt", "number", lambda row: escape(row.seeds), False),
        Column("seconds", "s/picture", "mean seconds per picture", "number", _seconds, False),
        Column("usd", "$/picture", "what one picture cost the submitter", "number", _usd, False),
        _text("device", "what drew the pictures", lambda row: escape(row.device)),
        _text("submitter", "who answers for the row", _submitter),
        Column("pictures", "pictures", "included, or hashes only", "text", _pictures, False),
    ]
    return tuple(sorted(columns, key=lambda column: not column.is_default))


def _text(key: str, title: str, cell: Callable[[BoardRow], Markup], *, is_default: bool = False) -> Column:
    return Column(key, key, title, "text", cell, is_default, is_long=True)


def row_html(row: BoardRow, columns: tuple[Column, ...]) -> Markup:
    """Write one row; end tags that HTML does not need are left out."""
    cells = Markup("").join(_cell(column, row) for column in columns)
    return Markup("<tr{}>{}\n").format(_row_class(row), cells)


def _row_class(row: BoardRow) -> Markup:
    """Mark baselines: z shows nobody, y by construction, b has no mitigation."""
    if row.is_baseline_model:
        return Markup(" class=z") if row.href else Markup(' class="z y"')
    return Markup(" class=b") if row.is_baseline else Markup("")


def _cell(column: Column, row: BoardRow) -> Markup:
    content = column.cell(row)
    if column.key == "model":
        return Markup("<th scope=row>{}").format(content)
    if content.startswith("<td"):
        return content
    return (_LONG_CELL if column.is_long else _CELL).format(content)


# ------------------------------------------------------------------------------------------------- figures


def _detect_column(anchor: str, *, has_meter: bool = True) -> Column:
    tone = "d" if has_meter else ""

    def cell(row: BoardRow) -> Markup:
        return _figure(tone, row.detect.get(anchor), row.detect_corrected.get(anchor))

    head = "DETECT" if anchor == ALL_ANCHORS else anchor
    title = "share of pictures, in %, that show the character asked for"
    return Column(f"detect:{anchor}", head, title, "figure", cell, tone="detect")


def _cons_column(anchor: str, *, has_meter: bool = True, is_default: bool = True) -> Column:
    tone = "c" if has_meter else ""

    def cell(row: BoardRow) -> Markup:
        return _figure(tone, row.consistency.get(anchor), None)

    head = "CONS" if anchor == ALL_ANCHORS else f"CONS {anchor}"
    title = "probability, in %, that the plain thing asked for is shown"
    return Column(f"cons:{anchor}", head, title, "figure", cell, is_default, "cons")


def _figure(tone: str, estimate: Estimate | None, corrected: Estimate | None) -> Markup:
    """Write value and interval; the classes say where the dot and the line of the meter are, if it has a tone."""
    if estimate is None:
        return NOTHING
    if estimate.value is None:
        return Markup('<td title="{}">{}').format(estimate.reason or "", NOTHING)
    value = shown_amount(estimate.value, estimate.unit)
    if estimate.low is None or estimate.high is None:
        return Markup("<td>{}").format(value)
    low, high = (shown_amount(share, estimate.unit) for share in (estimate.low, estimate.high))
    places = map(_whole, (estimate.value, estimate.low, estimate.high))
    at = Markup('<td class="{} v{} l{} u{}">').format(tone, *places) if tone else Markup("<td>")
    return Markup("{}{}<i>[{}, {}]</i>{}").format(at, value, low, high, _corrected(corrected))


def _corrected(estimate: Estimate | None) -> Markup:
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return Markup("")
    said = (shown_amount(share, estimate.unit) for share in (estimate.value, estimate.low, estimate.high))
    return Markup("<small>corr. {} <i>[{}, {}]</i></small>").format(*said)


def _whole(share: float) -> int:
    return min(100, max(0, round(100 * share)))


def _rank_cell(standings: Standings) -> Callable[[BoardRow], Markup]:
    """Places for every anchor, of which the page shows one: all anchors first."""
    ranks: list[Mapping[str, object]] = [standings.ranks.get(anchor, {}) for anchor in standings.anchors]
    if not any(ranks):
        return lambda _: NOTHING

    def cell(row: BoardRow) -> Markup:
        places = [standings.ranks.get(anchor, {}).get(row.id) for anchor in standings.anchors]
        if not any(places):
            return NOTHING
        return Markup("<td class=r>{}").format(Markup("").join(map(_place, places)))

    return cell


def _place(place: RankInterval | None) -> Markup:
    """Write the places of one anchor: <i> is tied, which the style shows by ≈, and <b> is told apart from all."""
    if place is None:
        return Markup("<b>{}</b>").format(NOTHING)
    if is_tied(place):
        return Markup("<i>{}\N{EN DASH}{}</i>").format(*place)
    return Markup("<b>{}</b>").format(place.best)


# ------------------------------------------------------------------------------------------------ other cells


def _model(row: BoardRow) -> Markup:
    """Write its name, and below it who answers for the row and whether the pictures can be seen."""
    name = broken(row.model)
    if not row.href:
        return name
    withheld = Markup("") if row.has_pictures else _WITHHELD
    return Markup('<a href="{}">{}</a> <small>{}{}</small>').format(row.href, name, row.submitter, withheld)


def _mitigation(row: BoardRow) -> Markup:
    """Write its terms, of which each stays on one line unless it is too long for that."""
    if row.is_baseline_model:
        return NOTHING
    is_long = any(len(term) > LONGEST_TERM for term in re.split("[,+:/]", row.mitigation))
    return (_LONG_CELL if is_long else _CELL).format(broken(row.mitigation))


def _attack(row: BoardRow) -> Markup:
    return _or_nothing(row.attack)


def _refused(row: BoardRow) -> Markup:
    return escape(row.counts.refused + row.counts.blocked) if _is_measured(row) else NOTHING


def _errors(row: BoardRow) -> Markup:
    counts = row.counts
    return escape(counts.invalid + counts.failed + counts.unjudged) if _is_measured(row) else NOTHING


def _produced(row: BoardRow) -> Markup:
    return Markup("{}/{}").format(row.n_produced, row.n_characters) if _is_measured(row) else NOTHING


def _n(row: BoardRow) -> Markup:
    pooled = row.detect.get(ALL_ANCHORS)
    return escape(pooled.n) if pooled is not None and pooled.n else NOTHING


def _badge(row: BoardRow) -> Markup:
    return Markup("<td class=g><b>{}</b>").format(row.badge)


def _revision(row: BoardRow) -> Markup:
    is_hash = len(row.revision) >= 32 and row.revision.isalnum()
    return escape(row.revision[:SHORT_REVISION]) if is_hash else broken(row.revision)


def _open(row: BoardRow) -> Markup:
    return Markup("open") if row.is_open else Markup("closed")


def _judge(row: BoardRow) -> Markup:
    return Markup("{} {}").format(broken(row.judge), row.judge_revision[:SHORT_REVISION])


def _seconds(row: BoardRow) -> Markup:
    return NOTHING if row.seconds_per_picture is None else escape(f"{row.seconds_per_picture:.3g}")


def _usd(row: BoardRow) -> Markup:
    return NOTHING if row.usd_per_picture is None else escape(f"{row.usd_per_picture:.4g}")


def _submitter(row: BoardRow) -> Markup:
    return escape(f"{row.submitter}, {row.organisation}" if row.organisation else row.submitter)


def _pictures(row: BoardRow) -> Markup:
    if not row.href:
        return NOTHING
    return Markup("included") if row.has_pictures else Markup("withheld")


def _is_measured(row: BoardRow) -> bool:
    counts = row.counts
    return counts.ok + counts.refused + counts.blocked + counts.invalid + counts.failed > 0


def _or_nothing(text: str | None) -> Markup:
    return NOTHING if text is None else broken(text)
