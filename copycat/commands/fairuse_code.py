"""`python -m copycat.fairuse code`: which files of a corpus a piece of code shares spans with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.fairuse.code.corpus import Index
    from copycat.fairuse.code.records import CodeHit, CodeReport, Settings

CODE_EPILOG = """
Names, comments and layout do not count. A span of 30 tokens (window + k - 1) is always found, one below k never.
Exit 0 done, 1 a span is longer than --gate, 2 to be fixed by you.

\b
Examples:
  python -m copycat.fairuse code answer.py --against some-projects
  python -m copycat.fairuse code answers/*.c --against kernel --index kernel.index --html page.html
  python -m copycat.fairuse code answers/*.py --against ours --gate 60
"""

SHOWN_HITS = 5
MIN_PATH, OTHER_COLUMNS = 24, 64
"""Letters of a path that are always shown, and those that the columns beside it take."""


def code(  # noqa: PLR0917 - one parameter per option
    outputs: Annotated[list[Path], typer.Argument(help="files of code", show_default=False)],
    against: Annotated[Path, typer.Option(metavar="FOLDER", help="the corpus: a folder of code", show_default=False)],
    index: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="keep the index here, and take it from here while the corpus is the same"),
    ] = None,
    k: Annotated[int, typer.Option(min=5, help="tokens of a fingerprint: a shorter span is never found")] = 25,
    window: Annotated[int, typer.Option(min=1, help="of so many neighbouring fingerprints one is kept")] = 6,
    sources: Annotated[
        int, typer.Option(min=2, help="what stands in so many sources (folders of the corpus) is boilerplate")
    ] = 10,
    boilerplate: Annotated[
        Path | None, typer.Option(metavar="PATH", help="a file or folder of templates to subtract, too")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="of the outputs, such as python; default: by name, else guessed")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="the page shows files with this share of the output, and folds others")
    ] = 0.33,
    gate: Annotated[
        int | None, typer.Option(min=1, metavar="TOKENS", help="exit 1 if a span is longer, for a check in CI")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="PAGE.html", help="write the spans side by side")] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> int:  # fmt: skip
    """Find spans of code that outputs share with a corpus, with the licence of each file and what it asks for."""
    from copycat.commands.fairuse_shown import gate_line, require_page
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json, progress_bar, say
    from copycat.fairuse.code.compare import compare_code
    from copycat.fairuse.code.records import Settings

    require_page("--html", html)
    made = _index_of(against, Settings(k=k, window=window, sources=sources), boilerplate, index)
    with progress_bar("comparing", len(outputs)) as done:
        report = compare_code(outputs, made, language, done)
    if html is not None:
        _write_page(html, report, outputs, against, threshold)
    if json:
        print_json(report.model_dump(mode="json") | {"page": str(html) if html else None})
    else:
        _print(report, html)
    if gate is None:
        return EXIT_DONE
    longest = [output.longest for output in report.outputs]
    say(gate_line(gate, longest, "tokens"))
    return EXIT_NOT_VALID if max(longest, default=0) > gate else EXIT_DONE


def _index_of(folder: Path, settings: Settings, boilerplate: Path | None, place: Path | None) -> Index:
    """Take the index from its place, or make it, and keep it there."""
    from copycat.console import running_count
    from copycat.fairuse.code.corpus import build_index, load_index, read_templates, save_index

    templates = read_templates(boilerplate, settings) if boilerplate is not None else None
    if place is not None and (found := load_index(place, folder, settings, templates)) is not None:
        return found
    with running_count("reading the corpus") as done:
        index = build_index(folder, settings, templates, done, processes=None)
    if place is not None:
        save_index(index, place)
    return index


def _write_page(page: Path, report: CodeReport, outputs: list[Path], folder: Path, threshold: float) -> None:
    from copycat.fairuse.code.compare import read_output
    from copycat.fairuse.code.page import build_page
    from copycat.paths import shown
    from copycat.runs.folder import write_bytes

    texts = {shown(path): read_output(path) for path in outputs}
    page.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(page, build_page(report, texts, folder, threshold).encode("utf-8", "replace"))


def _print(report: CodeReport, page: Path | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    from copycat.commands.fairuse_shown import one_line, short_names, short_path
    from copycat.console import out
    from copycat.paths import shown

    table = Table(title="spans shared with files", title_justify="left", box=None, pad_edge=False)
    for heading in ("output", "file"):
        table.add_column(heading, overflow="fold")
    for heading in ("share", "longest", "lines", "there"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("licence, duty", overflow="fold")
    names = short_names([output.output for output in report.outputs])
    width = max(MIN_PATH, out.width - OTHER_COLUMNS - max(map(len, names.values()), default=0))
    for output in report.outputs:
        name = escape(names[output.output])
        if not output.hits:
            table.add_row(name, escape(output.reason or "no file"), "", "", "", "", "")
        for hit in output.hits[:SHOWN_HITS]:
            span = max(hit.spans, key=lambda span: span.tokens)
            table.add_row(
                name,
                escape(short_path(hit.file, width)),
                f"{100 * hit.share:.1f}",
                f"{hit.longest:,}",
                f"{span.output_first_line}-{span.output_last_line}",
                f"{span.file_first_line}-{span.file_last_line}",
                escape(_licence_text(hit)),
            )
        if (more := len(output.hits) - SHOWN_HITS) > 0:
            table.add_row(name, f"and {more:,} more file{'s' * (more > 1)}", "", "", "", "", "")
    out.print(table)
    corpus = report.corpus
    out.print(
        "share of the output's tokens, in %, that lie in spans of the file, and the longest span in tokens with its "
        "lines; boilerplate left out",
        style="italic dim",
    )
    skipped = "".join(f", {why}: {n:,}" for why, n in corpus.passed_over.items())
    said = f"{one_line(corpus.folder)}: {corpus.files:,} files, {corpus.tokens:,} tokens{skipped}"
    out.print(said, markup=False, style="italic dim")
    if page is not None:
        out.print(shown(page), markup=False, soft_wrap=True)


def _licence_text(hit: CodeHit) -> str:
    """Name licence and duty; where a licence is not known though there are files of it, say why."""
    from copycat.commands.fairuse_shown import one_line

    if hit.licence.expression:
        return one_line(f"{hit.licence.expression}, {hit.duty}")
    return "unknown" if "no licence file" in hit.licence.evidence else one_line(f"unknown: {hit.licence.evidence}", 160)
