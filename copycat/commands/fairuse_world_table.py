"""The table that `python -m copycat.fairuse world mitigate` prints."""

from __future__ import annotations

from rich.table import Table

from copycat.console import out
from copycat.fairuse.world.records import MitigationResults

COLUMNS = ("recall", "95 %", "highest", "facts", "quotes", "bits", "kept", "trained", "token", "useless")

ABOUT = """\
recall: of what follows a work's first words, mean over planted works with its interval by work; lower is better
facts, quotes: share of answers that are right; bits: per letter of unseen stories, lower is better
kept: unseen stories that pass as they are; times: of the processor; useless: answers empty or repeating themselves"""


def print_triples(results: MitigationResults, page: str) -> None:
    """Print extraction, utility and cost of each mitigation, and where the page is."""
    out.print("sandbox: an invented world, never comparable with real models", markup=False)
    if results.setting.effort != 1:
        out.print(f"every training at {results.setting.effort:g} of its full length", markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("mitigation", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in results.rows:
        recall, utility = row.extraction.recall, row.utility
        table.add_row(
            row.method,
            f"{recall.mean:.2f}",
            "" if recall.low is None else f"\\[{recall.low:.2f}, {recall.high:.2f}]",
            f"{recall.highest:.2f}",
            f"{utility.qa_accuracy:.2f}",
            f"{utility.quotation:.2f}",
            f"{utility.unseen_bits_per_letter:.3f}",
            f"{utility.unseen_kept:.2f}",
            f"{row.cost.training_seconds:.0f} s",
            f"{row.cost.microseconds_per_token:.0f} us",
            f"{row.degenerate.share:.2f}",
        )
    out.print(table)
    out.print(ABOUT, markup=False, soft_wrap=True)
    out.print(page, markup=False, soft_wrap=True)
