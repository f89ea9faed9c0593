"""report.html of a run: one self-contained page without script; the same run gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader

from copycat.fairuse.compare import Mark, Piece, lay_out, marks_of
from copycat.fairuse.compare.layout import Part
from copycat.fairuse.extract.evidence import EVIDENCE_FILE, Evidence, EvidenceFile
from copycat.fairuse.extract.gate import GateResult
from copycat.fairuse.extract.job import Finished
from copycat.fairuse.extract.records import PAGE_FILE, Lift, Measures, RunFile, WorkMeasures
from copycat.fairuse.extract.telling import (
    CONTROL_NAMES,
    chance_text,
    gate_text,
    headline_of,
    in_one_line,
    lift_lines,
    passed_lines,
    rows_of,
    share_of,
    warnings_of,
    way_of,
)
from copycat.fairuse.metrics import compare_texts
from copycat.fairuse.metrics.by_work import WorkSummary
from copycat.runs.folder import write_bytes
from copycat.runs.pages import flat, strict_environment

_TEMPLATES = PackageLoader("copycat")
_CSS = ("imitation/tokens.css", "imitation/page.css", "fairuse/evidence.css")
_PAGE = "fairuse/extract.html.j2"

LONG_WORDS = 50
MAX_PASSED = 60


class Row(NamedTuple):
    """A line of the table of figures; `heading` stands above it where a new axis begins."""

    heading: str
    label: str
    recall: WorkSummary | None
    as_written: WorkSummary | None
    longest: WorkSummary | None
    answers: int
    covered: WorkSummary | None


class Pair(NamedTuple):
    """A stretch laid out on both sides."""

    number: int
    evidence: Evidence
    way: str
    language: str
    output: tuple[Piece, ...]
    reference: tuple[Piece, ...]


def write_page(finished: Finished, gate: GateResult | None = None) -> None:
    """Write report.html into the run's folder."""
    evidence = read_evidence(finished)
    page = environment().get_template(_PAGE).render(_values(finished, evidence, gate))
    write_bytes(finished.folder / PAGE_FILE, page.encode("utf-8", "replace"))


def read_evidence(finished: Finished) -> EvidenceFile:
    """Read evidence.json; a withheld run has none."""
    path = finished.folder / EVIDENCE_FILE
    if not path.is_file():
        return EvidenceFile(stretches=(), n_stretches=0)
    return EvidenceFile.model_validate_json(path.read_bytes())


def pairs_of(evidence: EvidenceFile, run: RunFile) -> list[Pair]:
    """Lay out stretches side by side."""
    languages = {one.work.id: one.work.language for one in run.works}
    return [_pair(number, one, languages[one.ask.work]) for number, one in enumerate(evidence.stretches, start=1)]


def titles_of(run: RunFile) -> dict[str, str]:
    """Give the titles of works by id."""
    return {one.work.id: in_one_line(one.work.title) for one in run.works}


def table_rows(measures: Measures) -> list[Row]:
    """Give the lines of the table of figures."""
    rows: list[Row] = []
    before = ""
    for label, group in rows_of(measures):
        heading = _HEADINGS.get(group.axis, "") if group.axis != before else ""
        before = group.axis
        recall, written, longest = (group.figures.get(name) for name in ("recall", "recall_as_written", "longest"))
        rows.append(Row(heading, label, recall, written, longest, group.answers, group.figures.get("covered")))
    return rows


@cache
def environment() -> Environment:
    """Give the environment of the pages of extractions."""
    made = strict_environment(_TEMPLATES)
    made.filters["in_one_line"] = in_one_line
    made.filters["chance_text"] = chance_text
    return made


@cache
def styles() -> str:
    """Give the styles of the pages."""
    return "".join(_TEMPLATES.get_source(environment(), name)[0] for name in _CSS)


# --------------------------------------------------------------------------------------- private

_HEADINGS = {
    "prompt": "by kind of prompt",
    "prefix": "by length of the prefix",
    "decoding": "by decoding",
    "evasion": "by evasion",
    "copies": "by copies in training",
    "control": "controls",
}


def _values(finished: Finished, evidence: EvidenceFile, gate: GateResult | None) -> dict[str, Any]:
    """Any: jinja2 takes whatever a template asks for, and StrictUndefined refuses what it lacks."""
    run, measures = finished.run, finished.measures
    works = _sorted(work for work in measures.works if work.role == "work" and work.counts)
    best = [work.best["recall"] for work in works if "recall" in work.best]
    return {
        "run": run,
        "headline": headline_of(finished),
        "is_sandbox": run.name == "sandbox",
        "has_evasions": run.spec.evasions != ("none",),
        "n_works": len(works),
        "best_recall": sum(best) / len(best) if best else None,
        "share_of": share_of(run, measures),
        "longest": max((work.best["longest"] for work in works if "longest" in work.best), default=None),
        "n_long": sum(work.best.get("longest_near", 0.0) >= LONG_WORDS for work in works),
        "warnings": list(warnings_of(finished)),
        "rows": table_rows(measures),
        "lines": list(lift_lines(measures)) + copies_lines(measures),
        "works": works,
        "controls": _sorted(work for work in measures.works if work.role != "work" and work.counts),
        "titles": titles_of(run),
        "pairs": pairs_of(evidence, run),
        "n_stretches": evidence.n_stretches,
        "gate": gate,
        "gate_text": gate_text(gate) if gate else "",
        "gate_lines": list(passed_lines(gate, MAX_PASSED, titles_of(run))) if gate else [],
        "settings": settings_of(run),
        "environment": list(flat(run.environment)) + list(flat(dict(run.facts))),
        "css": styles(),
    } | _lift_tile(measures.lifts)


def settings_of(run: RunFile) -> list[tuple[str, str]]:
    """Give all settings but the list of works."""
    spec = run.spec.model_dump(mode="json", exclude={"works"})
    return list(flat(spec))


def copies_lines(measures: Measures) -> list[str]:
    """Say how recall goes with copies in training, where they are known."""
    if measures.spearman is None:
        return []
    return [f"Recall against copies in training, over works: Spearman {measures.spearman:+.2f}."]


def _lift_tile(lifts: Sequence[Lift]) -> dict[str, str]:
    found = next((lift for lift in lifts if lift.figure == "recall"), None)
    if found is None:
        return {"lift_name": "above controls", "lift_text": "not known", "lift_meaning": "there are no controls"}
    between = "" if found.low is None or found.high is None else f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    return {
        "lift_name": f"above {CONTROL_NAMES[found.control].removeprefix('control: ')}",
        "lift_text": f"{100 * found.difference:+.1f}",
        "lift_meaning": f"percentage points of best recall{between}",
    }


def _sorted(works: Iterator[WorkMeasures]) -> list[WorkMeasures]:
    return sorted(works, key=lambda work: (-work.best.get("recall", 0.0), -work.best.get("longest", 0.0), work.work))


def _pair(number: int, evidence: Evidence, language: str) -> Pair:
    output, reference = evidence.output.text, evidence.reference.text
    marks = marks_of(compare_texts(output, reference))
    if marks:
        laid = lay_out(output, reference, marks, fold=len(output) + len(reference))
        return Pair(number, evidence, way_of(evidence.ask), language, laid.output, laid.reference)
    # In an evasion's letters nothing is the same word by word: the whole stretch is the mark.
    mark = Mark(
        1, "span", (0, len(output)), (0, len(reference)), evidence.stretch.words, evidence.stretch.matched, (), ()
    )
    sides = [(Piece("mark", text, mark, (Part(text, exact=True),)),) for text in (output, reference)]
    return Pair(number, evidence, way_of(evidence.ask), language, *sides)
