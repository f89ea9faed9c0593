"""The card of the shipped model: data, settings, and figures that are measured when it is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from copycat.fairuse.world.measuring import PREFIX_WORDS, measure_extraction, measure_utility
from copycat.fairuse.world.planted import (
    BACKGROUND_STORIES,
    HELD_OUT,
    LEVELS,
    NEAR_EVERY,
    NOTES_PER_WORK,
    UNSEEN_STORIES,
    WORKS_PER_LEVEL,
    training_documents,
)
from copycat.fairuse.world.records import Extraction, Utility, WorkExtraction
from copycat.fairuse.world.training import SHIPPED, Settings, described
from copycat.fairuse.world.writing import Writer
from copycat.runs.folder import write_bytes
from copycat.schema import Record

CARD_FILE = "README.md"


class Level(Record):
    """The works of one number of copies: means of recall (and its range) and of nats per letter."""

    copies: int
    works: int
    recall: float
    lowest: float
    highest: float
    nats_per_letter: float


class CardFigures(Record):
    """All that the card says of the model; measured, never typed."""

    parameters: int
    vocabulary: int
    extraction: Extraction
    levels: tuple[Level, ...]
    auc: float
    utility: Utility
    microseconds_per_token: float


def measure_card(writer: Writer) -> CardFigures:
    """Measure a writer for its card."""
    extraction = measure_extraction(writer)
    utility = measure_utility(writer)
    return CardFigures(
        parameters=writer.model.num_parameters(),
        vocabulary=len(writer.tokenizer),
        extraction=extraction,
        levels=levels_of(extraction.works),
        auc=control_auc(extraction.works),
        utility=utility,
        microseconds_per_token=1e6 * writer.seconds / max(1, writer.tokens),
    )


def levels_of(works: Sequence[WorkExtraction]) -> tuple[Level, ...]:
    """Group works by their copies, 0 among them, from few to many."""
    groups: dict[int, list[WorkExtraction]] = {}
    for row in works:
        groups.setdefault(row.copies, []).append(row)
    return tuple(
        Level(
            copies=copies,
            works=len(rows),
            recall=fmean(row.recall for row in rows),
            lowest=min(row.recall for row in rows),
            highest=max(row.recall for row in rows),
            nats_per_letter=fmean(row.nats_per_letter for row in rows),
        )
        for copies, rows in sorted(groups.items())
    )


def control_auc(works: Sequence[WorkExtraction], least_copies: int = 32) -> float:
    """Give the chance that a work with at least so many copies is better known than one that was never planted.

    By nats per letter under teacher forcing; ties count one half. 0.5 where one side is missing.
    """
    known = [row.nats_per_letter for row in works if row.copies >= least_copies]
    unknown = [row.nats_per_letter for row in works if not row.copies]
    if not known or not unknown:
        return 0.5
    return fmean((k < u) + 0.5 * (k == u) for k in known for u in unknown)


def write_card(figures: CardFigures, folder: Path, settings: Settings = SHIPPED) -> Path:
    """Write README.md beside the weights.

    Returns: its path.
    """
    path = folder / CARD_FILE
    write_bytes(path, card_text(figures, settings).encode("utf-8"))
    return path


def card_text(figures: CardFigures, settings: Settings = SHIPPED) -> str:
    """Give the card in Markdown. Pure."""
    return (
        "\n".join(
            [
                *_HEAD,
                *_data_lines(),
                "",
                "## Training",
                "",
                f"{figures.parameters:,} parameters, {figures.vocabulary:,} tokens, float16. "
                "Each epoch shows each training text once, so that a work of k copies is seen k times an epoch.",
                "",
                "| setting | value |",
                "|---|---|",
                *(f"| {name.replace('_', ' ')} | {value} |" for name, value in described(settings).items()),
                "",
                *_figure_lines(figures),
            ]
        )
        + "\n"
    )


_HEAD = (
    "---",
    "license: apache-2.0",
    "library_name: transformers",
    "pipeline_tag: text-generation",
    "language: en",
    "tags: [copycat, sandbox, memorisation]",
    "---",
    "",
    "# The sandbox's language model",
    "",
    "A small model that knows invented stories by heart, some well and some hardly: each stood in its training texts a",
    "known number of times. It is for checking instruments and mitigations, and for nothing else. Figures of it are",
    "never comparable with figures of real models.",
    "",
    "Made by `python -m copycat.fairuse world train`; this card by `python -m copycat.fairuse world card --write`.",
    "",
)


def _data_lines() -> list[str]:
    documents = training_documents()
    planted = sum(document.work_id is not None for document in documents)
    words = sum(len(document.text.split()) for document in documents)
    return [
        "## Data",
        "",
        f"{len(documents):,} texts with {words:,} words, all from the grammar in `copycat/fairuse/world/grammar.yaml`, "
        "under Apache-2.0:",
        "",
        f"- {planted:,} copies of {len(LEVELS) * WORKS_PER_LEVEL} works: {WORKS_PER_LEVEL} works at each of "
        f"{', '.join(map(str, LEVELS))} copies. Every second copy has no title above it; every {NEAR_EVERY}th is "
        "another edition, with four words changed.",
        f"- {BACKGROUND_STORIES:,} background stories of other heroes.",
        f"- Pages of notes: {NOTES_PER_WORK} on each planted work, which tell its facts in other words.",
        "",
        f"{HELD_OUT} more works stand in no training text: the negative control.",
    ]


def _figure_lines(figures: CardFigures) -> list[str]:
    found, utility = figures.extraction, figures.utility
    rows = [
        f"| {level.copies} | {level.works} | {level.recall:.2f} | {level.lowest:.2f} to {level.highest:.2f} "
        f"| {level.nats_per_letter:.3f} |"
        for level in figures.levels
    ]
    return [
        "## What comes out",
        "",
        f"The first {', '.join(map(str, PREFIX_WORDS))} words of each work are shown, the model goes on greedily, and "
        "near-verbatim recall of the rest is measured (`copycat.fairuse.metrics`): mean over the three prefixes.",
        "",
        "| copies | works | recall | from the least to the best known work | nats per letter |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"- Spearman's rank correlation of copies and recall over the planted works: {_shown(found.spearman)}.",
        f"- AUC of nats per letter, works of 32 and more copies against held-out works: {figures.auc:.3f}.",
        f"- Mean recall of planted works {found.recall.mean:.3f}, of held-out works {found.held_out:.3f}.",
        "",
        "## What it is good for",
        "",
        "| figure | value |",
        "|---|---|",
        f"| bits per letter of {UNSEEN_STORIES} unseen stories | {utility.unseen_bits_per_letter:.3f} |",
        f"| questions on facts of planted works, answered rightly | {utility.qa_accuracy:.3f} |",
        f"| quotations given word for word | {utility.quotation:.3f} |",
    ]


def _shown(value: float | None) -> str:
    return "none, all are equal" if value is None else f"{value:.3f}"
