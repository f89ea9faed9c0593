"""board.csv, board.json and board.tex: every row with all its figures, for programs and for papers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from copycat.leaderboard.reported import ReportedWork
from copycat.leaderboard.rows import BoardRow
from copycat.leaderboard.standings import Standings
from copycat.metrics import ALL_ANCHORS, RankInterval
from copycat.metrics.texts import shown_amount
from copycat.schema import Estimate

BOARD_SCHEMA_VERSION = 1
CSV_FILE, JSON_FILE, TEX_FILE = "board.csv", "board.json", "board.tex"

_FIGURES = ("detect", "detect_corrected", "consistency", "any_character")
_NOT_PLAIN = {"counts", "by_character", "href", "run_id", "anchors", "statement", *_FIGURES}
_PLAIN = [name for name in BoardRow.model_fields if name not in _NOT_PLAIN]
_COUNTS = ("planned", "ok", "refused", "blocked", "invalid", "failed", "unjudged")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_TEX_LETTERS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}


def build_json(standings: Sequence[Standings], reported: Sequence[ReportedWork]) -> str:
    """Give all rows and all published figures as one object; shares are from 0 to 1."""
    content = {
        "schema_version": BOARD_SCHEMA_VERSION,
        "rows": [_json_row(row, one) for one in standings for row in one.rows],
        "reported": [work.model_dump(mode="json") for work in reported],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")) + "\n"


def build_csv(standings: Sequence[Standings]) -> str:
    """Give one line per row, with a column for each part of each figure; no cell is taken for a formula."""
    anchors = list(dict.fromkeys(anchor for one in standings for anchor in one.group.anchors))
    lines = [dict(_csv_row(row, one, [*anchors, ALL_ANCHORS])) for one in standings for row in one.rows]
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    if lines:
        writer.writerow([as_cell(name) for name in lines[0]])
    writer.writerows([[as_cell(value) for value in line.values()] for line in lines])
    return sheet.getvalue()


def build_tex(standings: Sequence[Standings]) -> str:
    """Give one table per group, for the package booktabs."""
    return "% needs \\usepackage{booktabs}\n" + "\n".join(_tex_table(one) for one in standings)


def as_cell(value: object) -> str:
    """Give a value as a cell of a spreadsheet: text that a program would take for a formula begins with a quote."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text


def as_tex(text: str) -> str:
    """Give text as LaTeX prints it, letter for letter."""
    return "".join(_TEX_LETTERS.get(letter, letter) for letter in " ".join(text.split()))


def _json_row(row: BoardRow, standings: Standings) -> dict[str, JsonValue]:
    content = row.model_dump(mode="json", exclude={"by_character", "href", *_FIGURES})
    content["page"] = row.href
    for metric in _FIGURES:
        content[metric] = {anchor: _json_figure(estimate) for anchor, estimate in getattr(row, metric).items()}
    content["ranks"] = {anchor: list(places[row.id]) for anchor, places in standings.ranks.items() if row.id in places}
    return content


def _json_figure(estimate: Estimate) -> JsonValue:
    fields = ("value", "low", "high", "k", "n") if estimate.value is not None else ("value", "n", "reason")
    return {name: getattr(estimate, name) for name in fields}


def _csv_row(row: BoardRow, standings: Standings, anchors: Sequence[str]) -> Iterator[tuple[str, object]]:
    for anchor in anchors:
        place = standings.ranks.get(anchor, {}).get(row.id) or (None, None)
        yield f"rank_{anchor}_best", place[0]
        yield f"rank_{anchor}_worst", place[1]
    for name in _PLAIN:
        yield name, getattr(row, name)
    for name in _COUNTS:
        yield name, getattr(row.counts, name)
    for metric in _FIGURES:
        for anchor in anchors:
            estimate = getattr(row, metric).get(anchor)
            for part in ("value", "low", "high", "n"):
                yield f"{metric}_{anchor}_{part}", None if estimate is None else getattr(estimate, part)


def _tex_table(standings: Standings) -> str:
    group, anchors = standings.group, (*standings.group.anchors, ALL_ANCHORS)
    heads = ["Rank", "Model", "Mitigation", *(f"DETECT {_anchor(a)}" for a in anchors), "CONS"]
    title = f"{group.characters}, judged by {group.judge}, suite {group.suite_version}; {group.section}"
    title += ", never comparable with real models" if group.section == "sandbox" else ""
    lines = [
        r"\begin{table}",
        rf"\caption{{{as_tex(title)}. Shares in \%, with 95\,\% intervals over characters.}}",
        rf"\begin{{tabular}}{{rll{'r' * (len(anchors) + 1)}}}",
        r"\toprule",
        " & ".join(as_tex(head) for head in heads) + r" \\",
        r"\midrule",
        *(_tex_row(row, standings, anchors) for row in standings.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _tex_row(row: BoardRow, standings: Standings, anchors: Sequence[str]) -> str:
    mitigation = row.mitigation if row.attack is None else f"{row.mitigation}, attacked by {row.attack}"
    figures = [*(row.detect.get(anchor) for anchor in anchors), row.consistency.get(ALL_ANCHORS)]
    place = standings.ranks.get(ALL_ANCHORS, {}).get(row.id)
    cells = [_tex_place(place), as_tex(row.model), as_tex(mitigation), *(_tex_figure(figure) for figure in figures)]
    return " & ".join(cells) + r" \\"


def _tex_place(place: RankInterval | None) -> str:
    if place is None:
        return "--"
    return str(place.best) if place.best == place.worst else f"{place.best}--{place.worst}"


def _tex_figure(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "--"
    said = shown_amount(estimate.value, estimate.unit)
    if estimate.low is None or estimate.high is None:
        return said
    return f"{said} [{shown_amount(estimate.low, estimate.unit)}, {shown_amount(estimate.high, estimate.unit)}]"


def _anchor(anchor: str) -> str:
    return "all anchors" if anchor == ALL_ANCHORS else anchor
