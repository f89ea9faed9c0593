"""Ranked lists as people read them."""

from __future__ import annotations

from collections import Counter

from rich.table import Table

from copycat.console import err, out
from copycat.corpus import Counts, common_word_warnings
from copycat.discovery.keywords import Discovered
from copycat.discovery.wanted import Frozen
from copycat.paths import shown
from copycat.schema import CharacterSet

SHOWN_WORDS, SHOWN_REMOVED, SHOWN_LETTERS = 5, 8, 90


def print_frozen(frozen: Frozen) -> None:
    """Print the best of each list with their scores, what was removed, and how to use the list."""
    found = frozen.discovered
    is_of_words = all(len(one.text) <= SHOWN_LETTERS // 3 for ranked in found.lists.values() for one in ranked[:5])
    names = {who.id: who.name for who in frozen.characters.characters}
    table = Table(title=f"{found.ranker.summary} ({found.ranker.unit})", title_justify="left", box=None, pad_edge=False)
    for heading in ("character", "best", "candidates"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "candidates" else "left")
    for who, ranked in found.lists.items():
        shown_ones = ranked[: SHOWN_WORDS if is_of_words else 1]
        best = ", ".join(f"{_short(one.text)} [dim]{_number(one.score)}[/dim]" for one in shown_ones)
        table.add_row(names[who], best or "[dim]none[/dim]", str(len(ranked)))
    out.print(table)
    for name, fact in found.provenance.items():
        out.print(f"{name}: {fact}", style="italic dim", markup=False, soft_wrap=True)
    _print_removed(found)
    out.print(f"{shown(frozen.path)}", markup=False, soft_wrap=True)
    fewest = min(len(ranked) for ranked in found.lists.values())
    if fewest == 0:
        short = sum(not ranked for ranked in found.lists.values())
        out.print(f"  no anchor for the whole set: {short} of {len(found.lists)} characters have none", markup=False)
        return
    label = f"keywords:{frozen.name}-{min(5, fewest)}" if is_of_words else f"description:{frozen.name}"
    out.print(
        f"  use it: python -m copycat.eval --characters {frozen.characters.id} --anchors {label} --model NAME",
        markup=False, soft_wrap=True,
    )  # fmt: skip


def print_counts(counts: Counts, characters: CharacterSet) -> None:
    """Print how many documents name each character and by which names, the most often named first."""
    facts = counts.corpus
    table = Table(
        title="documents that name each character",
        title_justify="left", box=None, pad_edge=False,
    )  # fmt: skip
    has_phrases = bool(counts.phrases)
    for heading in ("character", "documents", "by name", *(("beside",) if has_phrases else ())):
        table.add_column(heading, justify="right" if heading == "documents" else "left", overflow="fold")
    people = sorted(characters.characters, key=lambda who: (-counts.names[who.id], who.name))
    for who in people:
        aliases = sorted(counts.aliases[who.id].items(), key=lambda item: (-item[1], item[0]))
        by_name = ", ".join(f"{_short(alias)} [dim]{n:,}[/dim]" for alias, n in aliases if n)
        beside = ", ".join(f"{_short(text)} [dim]{n:,}[/dim]" for text, n in counts.together[who.id].items())
        table.add_row(who.name, f"{counts.names[who.id]:,}", by_name, *((beside,) if has_phrases else ()))
    out.print(table)
    told = {
        "files": facts.files,
        "empty": facts.empty,
        "undecodable": facts.undecodable,
        "duplicates": facts.duplicates,
    }
    out.print(", ".join(f"{n:,} {name}" for name, n in told.items() if n), style="italic dim", markup=False)
    out.print(f"sha256 {facts.sha256}", style="italic dim", markup=False, soft_wrap=True)
    for warning in common_word_warnings(counts):
        err.print(f"WARNING: {warning}", markup=False, soft_wrap=True)


def _print_removed(found: Discovered) -> None:
    """Say on stderr what was taken out and who has no list."""
    removed = found.gathered.removed
    if removed:
        kinds = Counter(_kind(one.reason) for one in removed)
        counted = ", ".join(f"{kind}: {count}" for kind, count in kinds.most_common())
        err.print(
            f"{len(removed)} candidates removed, all of them in the file: {counted}", markup=False, soft_wrap=True
        )
        for one in removed[:SHOWN_REMOVED]:
            err.print(f"  {one}", markup=False, soft_wrap=True)
        if len(removed) > SHOWN_REMOVED:
            err.print(f"  and {len(removed) - SHOWN_REMOVED} more", markup=False)
    for fault in found.faults[:SHOWN_REMOVED]:
        err.print(f"WARNING: {fault}", markup=False, soft_wrap=True)


def _kind(reason: str) -> str:
    return "is there already" if reason.endswith(" again") else reason.split(" (", maxsplit=1)[0]


def _short(text: str) -> str:
    from rich.markup import escape

    return escape(text if len(text) <= SHOWN_LETTERS else text[: SHOWN_LETTERS - 3] + "...")


def _number(score: float) -> str:
    return f"{score:,.0f}" if score == int(score) else f"{score:.2f}"
