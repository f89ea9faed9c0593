"""`python -m copycat.data validate`: what is wrong with data of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.sharing.checking import Checked

KNOWN = (
    "a character set or file, a folder of frozen prompts, a list, a suite, a run folder, "
    "a submission (folder or .zip), a file of published figures"
)


def validate(
    things: Annotated[
        list[str] | None,
        typer.Argument(help=f"{KNOWN}; without any, what ships", metavar="THINGS"),
    ] = None,
) -> int:
    """Check data of every kind: registry, frozen prompts, lists, suites, runs, submissions; all faults come at once."""
    from copycat.console import out
    from copycat.errors import DataError
    from copycat.sharing.checking import check_thing, everything_that_ships

    faults: list[str] = []
    for thing in things or everything_that_ships():
        checked = _check_of_board(thing) or check_thing(thing)
        if checked is None:
            faults.append(f"{thing}: cannot tell what it is\n  needed: {KNOWN}")
            continue
        faults += checked.faults
        if not checked.faults:
            out.print(checked.said, markup=False, soft_wrap=True)
    if faults:
        raise DataError(faults)
    return 0


def _check_of_board(thing: str) -> Checked | None:
    """Check what belongs to the leaderboard; None for anything else."""
    from copycat.leaderboard.records import SUBMISSION

    path = Path(thing)
    if (path / SUBMISSION).is_file() or (path.suffix == ".zip" and path.is_file()):
        return _check_submission(path)
    if path.suffix == ".yaml" and path.is_file() and path.absolute().parent.name == "reported":
        return _check_reported(path)
    return None


def _check_submission(path: Path) -> Checked:
    from copycat.leaderboard.verify import verify_submission
    from copycat.sharing.checking import Checked

    report = verify_submission(path)
    return Checked(f"{path}: a submission, no fault", tuple(f"{path}: {fault}" for fault in report.faults))


def _check_reported(path: Path) -> Checked:
    """Check one file of published figures, of which all are read together."""
    from copycat.errors import DataError
    from copycat.leaderboard.reported import read_reported
    from copycat.sharing.checking import Checked

    try:
        read_reported(path.absolute().parents[1])
    except DataError as error:
        return Checked(f"{path}: not in order", tuple(fault for fault in error.faults if path.name in fault))
    return Checked(f"{path}: published figures, no fault")
