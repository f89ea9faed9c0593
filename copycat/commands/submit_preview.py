"""What a submission would publish, shown before anything is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from copycat.commands.headings import heading
from copycat.console import cell_text, out
from copycat.leaderboard.records import PICTURES
from copycat.metrics.texts import text_of
from copycat.schema import Counts, Record, RunResult

if TYPE_CHECKING:
    from copycat.leaderboard.packing import Packed

FIGURES = ("detect", "detect_corrected", "consistency")


def print_preview(packed: Packed) -> None:
    """Print who and what, the figures, the first sample as it will stand, and the files."""
    out.print(heading(packed.files.result), markup=False)
    out.print()
    out.print(_facts(packed))
    out.print()
    out.print(_figures(packed.files.result))
    out.print(f"\n{counts_text(packed.files.result.counts)}", markup=False)
    _print_first(packed)
    out.print(f"\n{packed.id}/", markup=False, soft_wrap=True)
    out.print(_files(packed))
    withheld = packed.files.submission.pictures == "withheld"
    n = packed.files.result.counts.ok
    said = f"the {n} pictures are withheld" if withheld else f"so would the {n} pictures"
    out.print(f"\nall of this would be public, with every prompt and verdict; {said}", markup=False)
    if withheld:
        out.print("of withheld pictures, hashes and verdicts are published; nobody can judge them again", markup=False)


def counts_text(counts: Counts) -> str:
    """Say how the requests ended: '150 requests: 140 pictures, 10 refused'."""
    ends = [f"{counts.ok} pictures"]
    ends += [f"{n} {what}" for what in ("refused", "blocked", "invalid", "failed") if (n := getattr(counts, what))]
    ends += [f"{counts.unjudged} without a verdict"] if counts.unjudged else []
    return f"{counts.planned} requests: {', '.join(ends)}"


def shown_size(n_bytes: int) -> str:
    """Give a size for people: '511 bytes', '117.9 kB', '1.1 MB'."""
    size, unit = float(n_bytes), "bytes"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{n_bytes} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


def _grid() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _facts(packed: Packed) -> Table:
    """Give who submits what; fields that say nothing are left out."""
    submission, spec = packed.files.submission, packed.files.settings.spec
    model, who = submission.model, submission.submitter
    access = "open" if model.is_open else "closed"
    facts = {
        "submitter": ", ".join(filter(None, (who.name, who.organisation, who.contact))),
        "date": submission.date,
        "model": f"{model.name} ({access}, {model.licence or 'licence unknown'}, {model.modality}): {model.source}",
        "revision": model.revision,
        "mitigation": spec.mitigation,
        "attack": submission.attack or "none",
        "characters": spec.characters,
        "judge": f"{spec.judge} at {spec.judge_revision[:12]}",
        "per picture": "" if submission.usd_per_picture is None else f"{submission.usd_per_picture:g} USD",
        "paper": submission.paper or "",
        "statement": submission.statement or "none: say whether the model was tuned with these prompts (--statement)",
        "notes": submission.notes,
    }
    table = _grid()
    for name, text in facts.items():
        if text:
            table.add_row(name, escape(text))
    return table


def _figures(result: RunResult) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("anchor", overflow="fold")
    by_metric = {name: {e.anchor: e for e in result.estimates if e.metric == name} for name in FIGURES}
    present = {name: estimates for name, estimates in by_metric.items() if estimates}
    for name in present:
        table.add_column(text_of(name).name, justify="right", no_wrap=True)
    for anchor in present["detect"]:
        table.add_row(escape(anchor), *(cell_text(estimates.get(anchor)) for estimates in present.values()))
    return table


def _print_first(packed: Packed) -> None:
    files = packed.files
    sample = files.samples[0]
    out.print("\nthe first sample, as it will stand:", markup=False)
    out.print(_fields(sample))
    judgement = next((judgement for judgement in files.judgements if judgement.key == sample.key), None)
    if judgement is not None:
        out.print("\nand the verdict on it:", markup=False)
        out.print(_fields(judgement))


def _fields(record: Record) -> Table:
    """Lay out a record, a line for each field; what is longer than the line is cut."""
    fields = record.model_dump(mode="json")
    table = Table(box=None, show_header=False, pad_edge=False)
    width = max(map(len, fields)) + 2
    table.add_column(no_wrap=True, min_width=width)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(out.width - width - 2, 20))
    for name, value in fields.items():
        table.add_row(f"  {name}", escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    return table


def _files(packed: Packed) -> Table:
    table = _grid()
    table.columns[1].justify = "right"
    for name, size in packed.sizes.items():
        about = "about " if name == PICTURES else ""
        table.add_row(f"  {name}", f"{about}{shown_size(size)}")
    return table
