"""`python -m copycat.fairuse report`: the facts of a run by the four factors of 17 U.S.C. 107."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

REPORT_EPILOG = """The sheet states facts, settings, controls and hashes, and nothing of what they come to. The same run
gives the same bytes. Exit 0 done, 2 to be fixed by you.

A file of statements is YAML with texts under any of stated_by, purpose, use, transformation, audience, licensing,
market. They are shown as stated.
"""

MAX_LINES = 12


def report(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="the folder of a run of extract, or its report.html", show_default=False),
    ],
    statements: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML: what is stated of purpose and market", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="the page; its JSON beside it; default: RUN/sheet.html"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print the sheet as one JSON object")] = False,
) -> int:
    """Write an evidence sheet: facts of a run by factor, as a page and as JSON.

    python -m copycat.fairuse report runs/RUN --statements statements.yaml
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads would wait for each other
    from copycat.console import EXIT_DONE, print_json
    from copycat.console import out as screen
    from copycat.fairuse.extract.telling import controls_reach, counted, in_one_line
    from copycat.fairuse.report.page import write_sheet
    from copycat.fairuse.report.statements import Statements, read_statements
    from copycat.paths import shown

    written = write_sheet(run, read_statements(statements) if statements else Statements(), out)
    sheet = written.sheet
    if json:
        print_json(sheet.model_dump(mode="json") | {"page": str(written.page), "path": str(written.file)})
        return EXIT_DONE
    works = [one for one in sheet.works if one.role == "work"]
    planned = counted(sheet.ended["planned"], "request")
    lines = [f"{sheet.model}: {counted(len(works), 'work')}, {planned}, controls with them"]
    for one in works[:MAX_LINES]:
        amount = one.amount
        lines.append(
            f"  {in_one_line(one.nature.title)}: longest stretch {amount.longest_stretch:,} words, "
            f"{amount.share_in_stretches:.1%} of the work in {amount.stretches:,} stretches"
        )
    lines += [f"  and {len(works) - MAX_LINES:,} more"] if len(works) > MAX_LINES else []
    if (reach := controls_reach(sheet.controls)) is not None:
        lines.append(f"  controls reach {reach:.1%} of a work in stretches")
    lines += [shown(written.file), shown(written.page)]
    for line in lines:
        screen.print(line, markup=False, soft_wrap=True)
    return EXIT_DONE
