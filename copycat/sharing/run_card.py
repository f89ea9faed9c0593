"""What is said of a run: the card of its dataset, and what Croissant asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator

from copycat.metrics.texts import shown_amount, text_of
from copycat.schema import Estimate
from copycat.sharing.cards import build_card, markdown_table, plain
from copycat.sharing.croissant import About
from copycat.sharing.opened_run import OpenedRun, shared_spec
from copycat.sharing.parquet import WrittenTable
from copycat.sharing.run_tables import MEANINGS

OTHER_LICENCE = "other"
HEADLINE = ("detect", "detect_corrected", "consistency", "any_character")
SANDBOX_NOTE = "The characters are invented, and the pictures are of a small drawn world: its figures are never "
SANDBOX_NOTE += "comparable with figures of real models."
PICTURE_NOTE = (
    "The pictures were drawn by a model that was asked for protected characters. Some may show characters that belong "
    "to others; whoever publishes them answers for that. They are evidence of a measurement, not material for training."
)
WITHHELD_NOTE = "The pictures are withheld; the sha256 of each tells whether a picture is the one that was judged."
LIMITS = (
    "A rate is of this model with these settings, these prompts and this judge. Judges err: read the figures as what "
    "the judge saw. Refusals and blocks count as not detected; failed and unjudged requests are missing data."
)
PROMPT_LICENCE = "The prompts of sets that ship are under the Apache License 2.0. The model's licence may say more."


def _notes(opened: OpenedRun, has_pictures: bool) -> list[str]:
    """Give what a reader must know before the figures."""
    result = opened.result
    partial = ["The run was cut short by --limit: its figures are a glance, no result."] if result.is_partial else []
    sandbox = [SANDBOX_NOTE] if result.is_sandbox else []
    pictures = "The pictures show invented characters only." if result.is_sandbox else PICTURE_NOTE
    checked = "The judge was compared with labels or with the truth."
    unchecked = "The judge was never compared with labels of these characters."
    judge = checked if result.is_judge_calibrated else unchecked
    return [*partial, *sandbox, pictures if has_pictures else WITHHELD_NOTE, judge, LIMITS]


def about_run(opened: OpenedRun, licence: str, has_pictures: bool, date: str | None) -> About:
    """Give what Croissant says of a run."""
    counts = opened.result.counts
    rai = {
        "dataCollection": f"A model drew {counts.planned} planned requests of the copycat suite "
        f"{opened.result.suite_version}; {counts.ok} ended in a picture.",
        "machineAnnotationTools": f"judge {opened.run.spec.judge}, revision {opened.run.spec.judge_revision}",
        "dataAnnotationProtocol": "The judge looked at each picture and said which character of the set it shows, and "
        "how likely the plain thing asked for is shown. No person labelled anything.",
        "dataLimitations": " ".join(_notes(opened, has_pictures)),
        "dataUseCases": "Checking and comparing the figures of this run. Not for training.",
        "personalSensitiveInformation": "The prompts are after fictional characters; nobody checked the pictures for "
        "likenesses of people.",
    }
    return About(
        name=f"copycat-run-{opened.run.id.rpartition('+')[2]}",
        title=f"copycat run: {opened.title}",
        description=f"Samples, verdicts and estimates of one run of copycat: {opened.title}.",
        licence=licence,
        version="1.0.0",
        rai=rai,
        columns=MEANINGS,
        keywords=["text-to-image", "copyright", "benchmark"],
        date=date,
    )


def run_card(opened: OpenedRun, tables: list[WrittenTable], licence: str, has_pictures: bool) -> str:
    """Give README.md."""
    result, spec = opened.result, shared_spec(opened)
    front = {
        "license": licence,
        "language": ["en"],
        "pretty_name": f"copycat run: {opened.title}",
        "tags": ["copycat", "text-to-image", "copyright", "benchmark"],
    }
    settings = [(name, json.dumps(value, ensure_ascii=False)) for name, value in spec.items() if value is not None]
    columns = {name: MEANINGS[name] for table in tables for name in table.schema.names}
    notes = "\n\n".join(_notes(opened, has_pictures))
    counts = result.counts.model_dump()
    chosen = f"Pictures and verdicts: {plain(licence)}, as their publisher chose."
    licence_note = "No licence was chosen for the pictures and verdicts." if licence == OTHER_LICENCE else chosen
    sections = {
        "Figures": markdown_table(("metric", "anchor", "value, %", "95 % interval, %", "n"), _figures(opened)),
        "How the requests ended": markdown_table(tuple(counts), [tuple(counts.values())]),
        "Settings": markdown_table(("setting", "value"), settings),
        "Columns": markdown_table(("column", "meaning"), columns.items()),
        "Licence": f"{licence_note} {PROMPT_LICENCE}",
    }
    body = "\n\n".join(f"## {heading}\n\n{text}" for heading, text in sections.items())
    judge = f"judged by {plain(result.judge)} ({plain(spec['judge_revision'])})"
    measured = f"Measured with copycat suite {result.suite_version}, {judge}."
    return build_card(front, tables, f"# copycat run: {plain(opened.title)}\n\n{measured}\n\n{notes}\n\n{body}")


def _figures(opened: OpenedRun) -> Iterator[tuple[str, ...]]:
    for estimate in (e for e in opened.result.estimates if e.metric in HEADLINE):
        yield (text_of(estimate.metric).name, estimate.anchor, *_shown(estimate), str(estimate.n))


def _shown(estimate: Estimate) -> tuple[str, str]:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return f"none: {estimate.reason or 'no reason is given'}", ""
    value, low, high = (shown_amount(one, estimate.unit) for one in (estimate.value, estimate.low, estimate.high))
    return value, f"{low} to {high}"
