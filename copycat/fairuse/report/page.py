"""sheet.json and sheet.html: one self-contained page without script; the same run gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from copycat.errors import UserError
from copycat.fairuse.extract.evidence import EVIDENCE_FILE, EvidenceFile
from copycat.fairuse.extract.page import environment, pairs_of, styles, table_rows, titles_of
from copycat.fairuse.extract.records import Measures, RunFile
from copycat.fairuse.extract.telling import controls_reach, lift_lines, notes_of_works, share_of
from copycat.fairuse.report.sheet import SHARES_OF_WINDOW, Sheet, read_sheet
from copycat.fairuse.report.statements import Statements
from copycat.runs.folder import write_bytes, write_json

SHEET_PAGE, SHEET_FILE = "sheet.html", "sheet.json"

MAX_ROWS = 60
"""Works in a table; all are in sheet.json."""


class Written(NamedTuple):
    """The sheet and where it was put."""

    sheet: Sheet
    page: Path
    file: Path


def write_sheet(folder: Path, statements: Statements, out: Path | None = None) -> Written:
    """Write the sheet of a run as a page and, beside it, as JSON.

    Args:
        folder: of the run, or a file in it.
        out: the page; sheet.html in the run's folder where it is left out.

    Raises:
        DataError: the folder is no finished run. UserError: `out` is no name of a page.
    """
    folder = folder_of(folder)
    page = folder / SHEET_PAGE if out is None else out
    if page.suffix not in {".html", ".htm"}:
        raise UserError(f"--out {page} is no name of a page\n  needed: a name that ends in .html")
    sheet, run, measures = read_sheet(folder, statements)
    path = folder / EVIDENCE_FILE
    evidence = (
        EvidenceFile.model_validate_json(path.read_bytes())
        if path.is_file()
        else EvidenceFile(stretches=(), n_stretches=0)
    )
    content = environment().get_template("fairuse/sheet.html.j2").render(_values(sheet, run, measures, evidence))
    write_bytes(page, content.encode("utf-8", "replace"))
    file = page.with_suffix(".json")
    write_json(file, sheet.model_dump(mode="json"))
    return Written(sheet, page, file)


def folder_of(path: Path) -> Path:
    """Give the run's folder; `extract` prints the path of a page in it, and any file beside it will do."""
    return path.parent if path.is_file() else path


def _values(sheet: Sheet, run: RunFile, measures: Measures, evidence: EvidenceFile) -> dict[str, Any]:
    """Any: jinja2 takes whatever a template asks for, and StrictUndefined refuses what it lacks."""
    works = [one for one in sheet.works if one.role == "work"]
    controls = [row for row in table_rows(measures) if row.label.startswith("control") or row.label == "all works"]
    return {
        "sheet": sheet,
        "run": run,
        "is_sandbox": run.name == "sandbox",
        "has_evasions": run.spec.evasions != ("none",),
        "works": works,
        "shown_works": works[:MAX_ROWS],
        "titles": titles_of(run),
        "shares": [f"{share:g}" for share in SHARES_OF_WINDOW],
        "pairs": pairs_of(evidence, run),
        "n_stretches": evidence.n_stretches,
        "purpose": sheet.statements.told("purpose", "use", "transformation", "audience"),
        "market": sheet.statements.told("market", "licensing"),
        "control_rows": [row._replace(heading="") for row in controls],
        "reach": controls_reach(sheet.controls),
        "share_of": share_of(run, measures),
        "notes": list(notes_of_works(run, measures)),
        "lines": list(lift_lines(measures)),
        "css": styles(),
    }
