"""`python -m copycat.fairuse attribute`: which works hold spans of an output, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.fairuse.attribution.index import SuffixIndex
    from copycat.fairuse.attribution.records import Attribution, AttributionReport, IndexFacts

    Ask = Callable[[str, str], Attribution]

ATTRIBUTE_EPILOG = """
Works are named as in `compare`: public-domain, sandbox, a text file, a folder, works.yaml. An index on disk holds their
letters, and is as secret as they are.

\b
Examples:
  python -m copycat.fairuse attribute answer.txt --works public-domain
  python -m copycat.fairuse attribute answers/*.txt --works novels --index novels.index
  python -m copycat.fairuse attribute answer.txt --index novels.index --json
  python -m copycat.fairuse attribute answer.txt --infini-gram /data/index --tokenizer bytes
"""

SHOWN_WORKS, SHOWN_LETTERS = 5, 60


def attribute(  # noqa: PLR0917 - one parameter per option
    outputs: Annotated[list[Path], typer.Argument(help="texts; - for what is piped in", show_default=False)],
    works: Annotated[
        list[str] | None, typer.Option(metavar="WORKS", help="what to look in; may be repeated", show_default=False)
    ] = None,
    index: Annotated[
        Path | None, typer.Option(metavar="DIR", help="a suffix array to look in; with --works, keep it here")
    ] = None,
    infini_gram: Annotated[
        Path | None, typer.Option("--infini-gram", metavar="DIR", help="an index of infini-gram to look in")
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(help="that the index of infini-gram was made with: bytes (the default), a folder, a Hub name"),
    ] = None,
    min_words: Annotated[int, typer.Option(min=1, help="a span counts from so many words on")] = 6,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> int:  # fmt: skip
    """Say which works hold the longest spans of an output, where, and how much of it no work holds."""
    from copycat.console import EXIT_DONE, print_json, progress_bar
    from copycat.errors import UserError
    from copycat.fairuse.attribution.records import AttributionReport
    from copycat.fairuse.text import read_text
    from copycat.fairuse.text.reading import STANDARD_INPUT
    from copycat.paths import shown

    if outputs.count(STANDARD_INPUT) > 1:
        raise UserError("'-' stands for standard input, which can be read once\n  name files for the other texts")
    texts = [(shown(path), read_text(path)) for path in outputs]
    facts, ask = _asker(works or [], index, infini_gram, tokenizer, min_words=min_words)
    found = []
    with progress_bar("looking", len(texts)) as done:
        for name, text in texts:
            found.append(ask(text, name))
            done(1)
    report = AttributionReport(index=facts, min_words=min_words, outputs=tuple(found))
    if json:
        print_json(report.model_dump(mode="json"))
    else:
        _print(report, dict(texts))
    return EXIT_DONE


def _asker(
    works: list[str], index: Path | None, infini_gram: Path | None, tokenizer: str | None, *, min_words: int
) -> tuple[IndexFacts, Ask]:
    """Open what is looked in, and give how to ask it."""
    from copycat.errors import UserError

    if infini_gram is not None:
        if works or index is not None:
            raise UserError("--infini-gram and --works or --index name two places to look in\n  leave out one of them")
        from copycat.fairuse.attribution.infini import BYTES, InfiniGram

        engine = InfiniGram(infini_gram, tokenizer or BYTES)
        return engine.facts(), lambda text, name: engine.attribute(text, name, min_words)
    if tokenizer is not None:
        raise UserError(
            "--tokenizer is that of an index of infini-gram\n  leave it out, or name one: --infini-gram DIR"
        )
    from copycat.fairuse.attribution.search import attribute as attribute_text

    suffixes = _index_of(works, index)
    return suffixes.facts(), lambda text, name: attribute_text(text, suffixes, name, min_words)


def _index_of(works: list[str], place: Path | None) -> SuffixIndex:
    """Take the index from its place, or make it of works, and keep it there."""
    from copycat.console import say
    from copycat.errors import CopycatError, UserError
    from copycat.fairuse.attribution.index import build_index, load_index, save_index
    from copycat.fairuse.works import load_works

    if place is not None and place.exists() and not place.is_dir():
        raise UserError(f"--index {place} is a file\n  needed: a folder of the index's own")
    if not works:
        if place is None:
            raise UserError("nothing is named to look in\n  needed: --works, --index or --infini-gram")
        return load_index(place)
    loaded = load_works(works)
    if place is not None:
        try:
            kept = load_index(place)
        except CopycatError:
            say(f"making the index of {len(loaded):,} works")
        else:
            if kept.holds(loaded):
                return kept
            say(f"the works are others now: making the index of {len(loaded):,} works")
    made = build_index(loaded)
    if place is not None:
        save_index(made, place)
    return made


def _print(report: AttributionReport, texts: dict[str, str]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from copycat.commands.fairuse_shown import one_line, short_names
    from copycat.console import out

    title = "works that hold spans of the outputs"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, min_width=len(title))
    for heading in ("output", "work"):
        table.add_column(heading, overflow="fold")
    for heading in ("words", "share", "longest"):
        table.add_column(heading, justify="right", no_wrap=True)
    names = short_names([found.output for found in report.outputs])
    for found in report.outputs:
        output = escape(names[found.output])
        if not found.works:
            table.add_row(output, "no work" if found.words else "has no word", "0", "0.0", "0")
        for row in found.works[:SHOWN_WORKS]:
            name = one_line(f"{row.work} (tied)" if row.is_tied else row.work)
            cells = (f"{row.words:,}", f"{100 * row.share:.1f}", f"{row.longest:,}")
            table.add_row(output, escape(name), *cells)
        if (more := len(found.works) - SHOWN_WORKS) > 0:
            table.add_row(output, f"and {more:,} more work{'s' * (more > 1)}", "", "", "")
    out.print(table)
    unit = "tokens" if report.index.kind == "infini-gram" else "words"
    out.print(f"{unit} of the output in spans that the work holds whole, their share in %", style="italic dim")
    for found in report.outputs:
        _print_spans(found, names[found.output], texts[found.output])


def _print_spans(found: Attribution, name: str, text: str) -> None:
    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out

    for span in sorted(found.spans, key=lambda span: -span.words)[:SHOWN_WORKS]:
        quoted = one_line(text[span.start : span.end], SHOWN_LETTERS)
        place = span.places[0]
        where = place.work if place.start is None else f"{place.work}, letters {place.start:,} to {place.end:,}"
        others = span.occurrences - 1
        more = f", and {others:,} more place{'s' * (others > 1)}" if others else ""
        out.print(f'{name}: "{quoted}"', markup=False, soft_wrap=True)
        said = one_line(f"letters {span.start:,} to {span.end:,}; in {where}{more}")
        out.print(f"  {said}", markup=False, soft_wrap=True)
    if found.novelty:
        shares = ", ".join(f"{100 * share:.1f} of {n}-grams" for n, share in found.novelty.items())
        out.print(f"{name}: not in the index, in %: {shares}", markup=False, soft_wrap=True)
