"""`python -m copycat.imitation report`: a study as one page, and as one file for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.imitation.report.build import Report

REPORT_EPILOG = """Only analysis.json is needed; counts, scores, facts and pictures that lie beside it make the page
richer. Pictures are small, without metadata, and blurred until a reader asks for them. The same folder gives the same
bytes. Exit 0 done, whatever the verdict, 2 to be fixed by you."""


def report(
    out: Annotated[Path, typer.Option(metavar="STUDY", help="the folder of the study, with its analysis.json")],
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="write the curve alone as well", show_default=False),
    ] = None,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="leave out the pictures of concepts")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> int:
    """Write STUDY/report.html and STUDY/report.json.

    python -m copycat.imitation report --out STUDY
    """
    from copycat.console import EXIT_DONE, print_json
    from copycat.errors import UserError
    from copycat.imitation.report.build import build_plot, write_report
    from copycat.imitation.report.pictures import find_pictures
    from copycat.imitation.report.reading import read_study
    from copycat.runs.folder import write_bytes

    if plot is not None and plot.suffix != ".svg":
        raise UserError(f"--plot {plot} is no name of an SVG file\n  needed: a name that ends in .svg")
    study = read_study(out)
    pictures = {} if no_pictures else find_pictures(out, study)
    written = write_report(out, study, pictures)
    n_pictures = sum(map(len, pictures.values()))
    if plot is not None:
        write_bytes(plot, build_plot(study).encode("utf-8"))
    if json:
        print_json(_as_json(written, out, plot) | {"pictures": n_pictures})
    else:
        _print(written, out, plot, n_pictures)
    return EXIT_DONE


def _as_json(written: Report, out: Path, plot: Path | None) -> dict[str, object]:
    from copycat.imitation.records import PAGE_FILE, REPORT_FILE

    paths = {"page": str(out / PAGE_FILE), "json": str(out / REPORT_FILE), "plot": str(plot) if plot else None}
    return {
        "headline": written.headline,
        "verdict": written.verdict,
        "bracket": written.bracket.model_dump(mode="json") if written.bracket else None,
        "concepts": len(written.cards),
        "left_out": len(written.left_out),
        "warnings": list(written.warnings),
        **paths,
    }


def _print(written: Report, out: Path, plot: Path | None, n_pictures: int) -> None:
    from copycat.commands.imitation_common import print_warnings
    from copycat.console import out as screen
    from copycat.imitation.records import PAGE_FILE, REPORT_FILE
    from copycat.imitation.threshold.headline import concepts_text
    from copycat.paths import shown

    left_out = f", {len(written.left_out)} left out" if written.left_out else ""
    lines = [written.headline, written.why, *([written.counted] if written.counted else []), *written.sure]
    lines += [written.agreement] if written.agreement else []
    lines += [f"{concepts_text(len(written.cards))}{left_out}"]
    lines += [f"{n_pictures} small pictures are on the page; --no-pictures leaves them out"] if n_pictures else []
    lines += ["", shown(out / PAGE_FILE)]
    lines += [shown(plot)] if plot else []
    for line in lines:
        screen.print(line, markup=False, soft_wrap=True)
    print_warnings(written.warnings, out / REPORT_FILE)
