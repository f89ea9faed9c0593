"""`python -m copycat.fairuse compare`: how much of a work a text holds, and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copycat.commands.fairuse_shown import one_line, require_page

if TYPE_CHECKING:
    from copycat.fairuse.compare import Mark
    from copycat.fairuse.compare.inputs import Output
    from copycat.fairuse.compare.withheld import WithheldComparison
    from copycat.fairuse.metrics import Background
    from copycat.fairuse.records import TextComparison, TextScores
    from copycat.fairuse.works import LoadedWork, WithheldGrams

COMPARE_EPILOG = """
The last text is the work. Of several outputs, such as answers to one prompt, each figure is the highest, and the page
shows the one with the most near-verbatim words.

\b
Examples:
  python -m copycat.fairuse compare answer.txt novel.txt --out page.html
  python -m copycat.fairuse compare answer.txt public-domain:sonnet-18
  python -m copycat.fairuse compare answer.txt novel.withheld
  python -m copycat.fairuse compare answers/*.txt novel.txt --json
  cat answer.txt | python -m copycat.fairuse compare - novel.txt

Exit 0 done, whatever is shared, 2 to be fixed by you."""

SHOWN_STRETCHES, SHOWN_LETTERS = 5, 60

LONG_TEXTS = 2_000_000
"""Letters of both texts together from which on a comparison takes some seconds, which is said."""


def compare(
    texts: Annotated[
        list[str],
        typer.Argument(metavar="OUTPUT... WORK", help="texts in UTF-8; - for what is piped in", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE.html", help="write both texts side by side", show_default=False)
    ] = None,
    background: Annotated[
        str, typer.Option(metavar="FILE", help="ordinary language, to discount common phrases; or 'english', 'none'")
    ] = "english",
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> int:
    """Compare an output with a work by all metrics, as both stand and with disguises off."""
    from copycat.console import EXIT_DONE, print_json
    from copycat.errors import UserError
    from copycat.fairuse.compare.inputs import read_outputs, read_work
    from copycat.paths import shown

    if len(texts) < 2:
        raise UserError("a comparison needs two texts\n  name the output, then the work: compare answer.txt novel.txt")
    require_page("--out", out)
    *outputs, source = texts
    if outputs.count("-") + (source == "-") > 1:
        raise UserError("'-' stands for standard input, which can be read once\n  name files for the other texts")
    work, read = read_work(source), read_outputs(outputs)
    if work.withheld is not None:
        if background != "english":
            raise UserError(
                "--background weighs runs of words, and of a withheld work only letters are known\n  leave it out"
            )
        facts = _compare_withheld(read, work.withheld, out, quiet=json)
    else:
        facts = _compare(read, work, _background(background), out, quiet=json)
    if json:
        print_json(facts | {"page": shown(out) if out else None})
    elif out is not None:
        from copycat.console import out as console

        console.print(shown(out), markup=False, soft_wrap=True)
    return EXIT_DONE


# ---------------------------------------------------------------------------------------- private


def _background(name: str) -> Background | None:
    from copycat.fairuse.metrics import Background, shipped_background
    from copycat.fairuse.text import read_text

    if name == "none":
        return None
    return shipped_background() if name == "english" else Background.of_texts([read_text(Path(name))])


def _compare(
    outputs: Sequence[Output], work: LoadedWork, background: Background | None, out: Path | None, *, quiet: bool
) -> dict[str, Any]:
    """Compare, write the page, print unless quiet; returns the facts for programs."""
    from contextlib import nullcontext

    from copycat.console import progress_bar, say
    from copycat.fairuse.compare import marks_of
    from copycat.fairuse.compare.inputs import require_comparable
    from copycat.fairuse.compare.page import Texts, build_page
    from copycat.fairuse.metrics import best_of, compare_texts, recall_grid
    from copycat.runs.folder import write_bytes

    reference = work.readable
    for output in outputs:
        require_comparable(output, reference)
    if sum(len(output.text) + len(reference) for output in outputs) >= LONG_TEXTS:
        say("comparing long texts: up to half a minute for a million letters each")
    found: list[TextComparison] = []
    bar = progress_bar("comparing", len(outputs)) if len(outputs) > 1 else nullcontext(lambda _: None)
    with bar as done:
        for output in outputs:
            found.append(compare_texts(output.text, reference, background))
            done(1)
    best = max(range(len(found)), key=lambda i: (found[i].canonical.near_verbatim_recall, found[i].canonical.acs_6))
    raw, canonical = best_of([one.raw for one in found]), best_of([one.canonical for one in found])
    grid = recall_grid(outputs[best].text, reference) if quiet or out is not None else ()
    if out is not None:
        texts = Texts(outputs[best].name, outputs[best].text, work.work.title, reference)
        page = build_page(texts, found[best], background, grid)
        write_bytes(out, page.encode("utf-8", "replace"))
    if not quiet:
        _print(raw, canonical, n_outputs=len(outputs))
        _print_stretches(marks_of(found[best], outputs[best].text, background), outputs[best])
    return {
        "work": work.work.model_dump(mode="json"),
        "outputs": [output.name for output in outputs],
        "raw": raw.model_dump(mode="json"),
        "canonical": canonical.model_dump(mode="json"),
        "evasion_gain": canonical.near_verbatim_recall - raw.near_verbatim_recall,
        "shown": outputs[best].name,
        "spans": [span.model_dump(mode="json") for span in found[best].spans],
        "quotes": [quote.model_dump(mode="json") for quote in found[best].quotes],
        "grid": [cell.model_dump(mode="json") for cell in grid],
    }


def _print(raw: TextScores, canonical: TextScores, n_outputs: int) -> None:
    from rich.table import Table

    from copycat.console import out as console
    from copycat.fairuse.compare.figures import CANONICAL_MEANING, FIGURES, SPAN_MEANING, UNIT_MEANING, headline_of

    console.print(headline_of(canonical), markup=False)
    if n_outputs > 1:
        console.print(f"the highest figure of {n_outputs} outputs", markup=False)
    table = Table(box=None, pad_edge=False)
    for name in ("figure", "raw", "canonical", "what it says"):
        table.add_column(
            name, justify="right" if name in ("raw", "canonical") else "left", no_wrap=name != "what it says"
        )
    for figure in FIGURES:
        if figure.field != "discounted_runs" or raw.discounted_runs is not None:
            unit = ", letters" if figure.unit == "letters" else ""
            table.add_row(
                figure.name + unit, figure.text_of(raw), figure.text_of(canonical), f"[dim]{figure.meaning}[/dim]"
            )
    console.print(table)
    for text in (UNIT_MEANING, SPAN_MEANING, CANONICAL_MEANING):
        console.print(text, markup=False, style="dim")
    if not canonical.exact_blocks:
        console.print("a text repeats itself so much that near-verbatim figures may be too low", markup=False)


def _print_stretches(marks: Sequence[Mark], output: Output) -> None:
    """Print the longest shared stretches."""
    from copycat.console import out as console

    if not marks:
        return
    console.print(
        f"\n{len(marks):,} shared stretch{'es' * (len(marks) > 1)} of {output.name}, the longest first", markup=False
    )
    for mark in sorted(marks, key=lambda mark: (-mark.words, mark.number))[:SHOWN_STRETCHES]:
        text = one_line(output.text[mark.output[0] : mark.output[1]], SHOWN_LETTERS)
        same = f" ({mark.matched:,} the same)" if mark.matched < mark.words else ""
        console.print(f"{mark.words:>7,} words{same}, {mark.kind_name}: {text}", markup=False, soft_wrap=True)
    if len(marks) > SHOWN_STRETCHES:
        console.print(f"and {len(marks) - SHOWN_STRETCHES:,} more: --out PAGE.html, --json", markup=False)


def _compare_withheld(
    outputs: Sequence[Output], grams: WithheldGrams, out: Path | None, *, quiet: bool
) -> dict[str, Any]:
    """Look outputs up in a withheld work; the one with the most of it is told."""
    from copycat.fairuse.compare.page import build_withheld_page
    from copycat.fairuse.compare.withheld import compare_withheld
    from copycat.runs.folder import write_bytes

    found = [compare_withheld(output.text, grams) for output in outputs]
    best = max(range(len(found)), key=lambda i: found[i].found_letters)
    if out is not None:
        write_bytes(
            out, build_withheld_page(outputs[best].name, outputs[best].text, found[best]).encode("utf-8", "replace")
        )
    if not quiet:
        _print_withheld(found[best], outputs[best], len(outputs))
    facts = found[best].model_dump(mode="json")
    shares = {"share_of_work": found[best].share_of_work, "share_of_output": found[best].share_of_output}
    return facts | shares | {"outputs": [output.name for output in outputs], "shown": outputs[best].name}


def _print_withheld(found: WithheldComparison, output: Output, n_outputs: int) -> None:
    from copycat.console import out as console

    lines = [
        f"{found.found_letters:,} of {found.work_letters:,} letters of '{found.work.title}' "
        f"({100 * found.share_of_work:.1f} %) stand in {output.name}"
        + (f", the most of {n_outputs} outputs" if n_outputs > 1 else ""),
        f"{100 * found.share_of_output:.1f} % of the output's letters stand in the work; the longest stretch has "
        f"{found.longest_letters:,} letters",
        f"the work is withheld: runs of fewer than {found.gram_letters} letters are not seen",
    ]
    places = sorted(found.places, key=lambda place: -place.letters)
    if places:
        lines += ["", "letters  in the output      in the work"]
    for place in places[:SHOWN_STRETCHES]:
        here, there = f"{place.output_start:,}-{place.output_end:,}", f"{place.first_letter:,}-{place.last_letter:,}"
        lines.append(f"{place.letters:>7,}  {here:<17}  {there}")
    if len(places) > SHOWN_STRETCHES:
        lines.append(f"and {len(places) - SHOWN_STRETCHES:,} more: --json, --out PAGE.html")
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
