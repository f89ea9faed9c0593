"""`python -m copycat.fairuse image`: pictures against references, from the same file to the same character."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.fairuse.image.ladder import Looking
    from copycat.fairuse.image.records import ImageReport

IMAGE_EPILOG = """
References: a folder; pictures of one subfolder are related to each other, all others are not. A threshold is fixed on
pairs of unrelated pictures, and a rate that there are too few pairs for is refused: 0.001 needs 1,000, which 46 groups
have. Exit 0 done, 2 to be fixed by you.

\b
Examples:
  python -m copycat.fairuse image outputs --references artworks --out page.html
  python -m copycat.fairuse image a.png b.png --references artworks --calibration photos --encoder dino
  python -m copycat.fairuse image outputs --references refs --judge sandbox --characters sandbox --json
"""


def image(  # noqa: PLR0917 - one parameter per option
    pictures: Annotated[list[Path], typer.Argument(help="pictures, or folders of them", show_default=False)],
    references: Annotated[Path, typer.Option(metavar="FOLDER", help="what they are compared with", show_default=False)],
    fpr: Annotated[float, typer.Option(help="share of pairs of unrelated pictures that may count")] = 0.001,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="pictures that show none of the references, to fix thresholds on"),
    ] = None,
    encoder: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="of the descriptor: sandbox, open_clip:MODEL/PRETRAINED, dino[:HUB-ID|./FOLDER], sscd:FILE",
        ),
    ] = "sandbox",
    judge: Annotated[
        str | None, typer.Option(metavar="NAME", help="have a judge of copycat.eval say who is shown, too")
    ] = None,
    characters: Annotated[str, typer.Option(metavar="SET|FILE", help="whom the judge looks for")] = "sandbox",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    out: Annotated[Path | None, typer.Option(metavar="PAGE.html", help="write pictures beside references")] = None,
) -> int:  # fmt: skip
    """Say of each picture, rung by rung, if it is equal or near to a reference: file, pixels, hashes, descriptor."""
    from copycat.commands.fairuse_shown import require_page
    from copycat.console import EXIT_DONE, print_json, progress_bar, say
    from copycat.fairuse.image.ladder import Order, compare_pictures, pictures_below, prepare_ladder
    from copycat.measures.descriptors import descriptor_of
    from copycat.runs.environment import pick_device

    require_page("--out", out)
    files, where = pictures_below(pictures), pick_device(device)
    order = Order(
        pictures=files,
        references=references,
        rate=fpr,
        encoder=encoder,
        descriptor=descriptor_of(encoder, where),
        calibration=calibration,
        looking=_looking(judge, characters, references, where) if judge else None,
    )
    say("reading the references and fixing thresholds")
    ladder = prepare_ladder(order)
    with progress_bar("comparing", len(files)) as done:
        report = compare_pictures(order, ladder, done)
    if out is not None:
        from copycat.fairuse.image.page import build_page
        from copycat.runs.folder import write_bytes

        out.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(out, build_page(report, files, references).encode("utf-8", "replace"))
    if json:
        print_json(report.model_dump(mode="json") | {"page": str(out) if out else None})
    else:
        _print(report, out)
    return EXIT_DONE


def _looking(judge: str, characters: str, references: Path, device: str) -> Looking:
    """Make the judge; one that compares takes the references, by character."""
    from copycat.catalog import read_character_set
    from copycat.errors import UnsupportedError
    from copycat.fairuse.image.ladder import Looking
    from copycat.judges.families import build_judge, resolve_judge

    known = read_character_set(characters)
    row = resolve_judge(judge, str(references), may_ignore=True)
    if row.knows not in (None, known.id):
        raise UnsupportedError(
            f"judge '{row.name}' knows only character set '{row.knows}', not '{known.id}'\n"
            "  name another: python -m copycat.eval --list judges"
        )
    return Looking(row.name, build_judge(row, device), known)


def _print(report: ImageReport, page: Path | None) -> None:
    from rich.table import Table

    from copycat.commands.fairuse_shown import one_line
    from copycat.console import out
    from copycat.paths import shown

    table = Table(title="pictures equal or near to a reference", title_justify="left", box=None, pad_edge=False)
    table.add_column("rung")
    for heading in ("near", "counts from", "unrelated pairs", "rate at most", "touched"):
        table.add_column(heading, justify="right", no_wrap=True)
    for facts in report.rungs:
        near = f"{facts.near:,} of {facts.compared:,}"
        if facts.unit == "equal":
            table.add_row(facts.rung, near, "equal", "", "", "")
            continue
        limit = "none" if facts.limit is None else f"{facts.limit:.0f} bits"
        table.add_row(
            facts.rung,
            near,
            limit if facts.unit == "bits" or facts.limit is None else f"> {facts.limit:.3f}",
            f"{facts.passed:,} of {facts.pairs:,}",
            f"{100 * (facts.rate_at_most or 0):.3g} %",
            f"{facts.touched:,} of {facts.unrelated:,}",
        )
    if report.judge is not None:
        table.add_row("character", f"{report.n_characters:,} of {report.n_judged:,}", report.judge, "", "", "")
    out.print(table)
    said = (
        f"false-positive rate asked for: {report.rate:g} of pairs of unrelated pictures "
        f"({one_line(report.calibrated_on)}); rate at most: the 95 % bound that so many pairs allow; "
        "touched: unrelated pictures that count against any reference"
    )
    out.print(said, markup=False, style="italic dim")
    if related := _related_text(report):
        out.print(related, markup=False, style="italic dim")
    if report.encoder == "sandbox":
        note = "the descriptor is the sandbox's own, trained on its drawings; for real pictures name another: --encoder"
        out.print(note, markup=False, style="italic dim")
    for found in report.pictures:
        if found.reason is not None:
            out.print(one_line(f"{found.picture}: {found.reason}"), markup=False, soft_wrap=True)
    if page is not None:
        out.print(shown(page), markup=False, soft_wrap=True)


def _related_text(report: ImageReport) -> str | None:
    """Say how many different pictures of one subfolder count as near each other; None where there are no two."""
    shares = [
        f"{facts.rung} {100 * facts.related_passed / facts.related:.0f} %" for facts in report.rungs if facts.related
    ]
    if not shares:
        return None
    return (
        f"related pairs that count (different references of one subfolder): {', '.join(shares)}; "
        "where this is high, a rung tells the subject and not the copy"
    )
