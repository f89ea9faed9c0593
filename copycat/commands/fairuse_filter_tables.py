"""What `filter build` and `filter check` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from copycat.commands.submit_preview import shown_size
from copycat.console import out as console

if TYPE_CHECKING:
    from copycat.fairuse.filter import Decision, FoundSpan

MAX_SPANS = 20
"""Of one output, the longest: a long copy would fill the terminal."""

OUTCOMES = {
    "allowed": "may be copied",
    "quoted": "within the allowance",
    "attributed": "shown with its source",
    "beyond": "beyond the allowance",
}


def print_built(facts: dict[str, Any]) -> None:
    """Print what a filter holds.

    Args:
        facts: of filter.json, with the folder and sizes on disk.
    """
    rows = {"works": f"{facts['works']:,} with their letters, {facts['withheld_works']:,} withheld"}
    if facts["works"]:
        rows |= _rows_of_letters(facts)
    if facts["withheld_works"]:
        rows["hashes"] = f"{facts['withheld_hashes']:,} of {facts['window']} letters each, of withheld works"
    rows["on disk"] = shown_size(facts["bytes"])
    if facts["mb_per_million_windows"] is not None:
        rows["on disk"] += f", {facts['mb_per_million_windows']:,.1f} MB per million windows"
    if facts["too_short"]:
        rows["never found"] = f"works with fewer than {facts['window']} letters: {', '.join(facts['too_short'])}"
    if facts["withheld_works"] and facts["near_window"]:
        rows["changed words"] = "of withheld works, stretches without a whole window are not found"
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in rows.items():
        table.add_row(name, Text(value))
    console.print(table)
    console.print(facts["folder"], markup=False, highlight=False, soft_wrap=True)


def _rows_of_letters(facts: dict[str, Any]) -> dict[str, str]:
    bloom = shown_size(facts["bloom_bits"] // 8)
    rows = {"letters": f"{facts['letters']:,}", "windows": f"{facts['windows']:,} of {facts['window']} letters"}
    if facts["left_out"]:
        rows["windows"] += f"; {facts['left_out']:,} more are repeated too often to be kept"
    if facts["near_window"]:
        rows["short windows"] = f"{facts['near_windows']:,} of {facts['near_window']} letters, for changed wording"
    return rows | {"Bloom filter": f"{bloom} at a false-positive rate of {facts['bloom_rate']:g}"}


def print_checked(decisions: dict[str, Decision]) -> None:
    """Print the spans of each output, the longest where there are many."""
    table = Table(box=None, pad_edge=False)
    for heading in ("output", "action", "work", "place", "words", "wording", "outcome"):
        table.add_column(heading, justify="right" if heading == "words" else "left")
    for name, decision in decisions.items():
        first = (Text(name), decision.action)
        if not decision.spans:
            table.add_row(*first, "none found", "", "", "", "")
        for number, span in enumerate(_longest(decision.spans)):
            row = (Text(span.title), f"{span.start}-{span.end}", str(span.words))
            kind = "changed" if span.is_near else "the same"
            table.add_row(*(first if not number else ("", "")), *row, kind, OUTCOMES[span.outcome])
        if (more := len(decision.spans) - MAX_SPANS) > 0:
            table.add_row("", "", f"{more:,} more: --json", "", "", "", "")
    console.print(table)


def decided_line(decisions: Sequence[Decision]) -> str | None:
    """Say in one line what was done with an answer, and of which works it had how many words; never its text.

    Returns: None where all of it may be shown.
    """
    from copycat.commands.fairuse_shown import one_line
    from copycat.fairuse.filter.answers import strictest

    action = strictest([decision.action for decision in decisions])
    if action == "allow":
        return None
    words: dict[str, int] = {}
    for span in (span for decision in decisions for span in decision.spans if span.outcome != "allowed"):
        words[span.work] = words.get(span.work, 0) + span.words
    works = (f"{one_line(work)} {count:,} word{'s' * (count != 1)}" for work, count in words.items())
    return f"{action}: {', '.join(works)}"


def _longest(spans: Sequence[FoundSpan]) -> list[FoundSpan]:
    """Give the longest spans, in the order of the output."""
    longest = sorted(spans, key=lambda span: -span.words)[:MAX_SPANS]
    return sorted(longest, key=lambda span: (span.start, span.end, span.work))
