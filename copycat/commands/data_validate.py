"""`python -m copycat.data validate`: what is wrong with data of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.sharing.checking import Checked

KNOWN = (
    "a character set or file, a folder of frozen prompts, a list, a suite, a run folder, "
    "a submission (folder or .zip), a board with its submissions, a file of published figures"
)

EXPORTED = (("settings.json", "metrics.json", "croissant.json"), ("metadata.jsonl",))
"""Files that tell a folder that `export run` made, as a dataset and as an imagefolder."""

BOARD, LISTS = Path("leaderboard"), Path("lists")
"""Checked in the working folder if nothing is named, where they are there."""


def validate(
    things: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"{KNOWN}; without any, what ships, and leaderboard/ and lists/ where you are", metavar="THINGS"
        ),
    ] = None,
) -> int:
    """Check data of every kind: registry, frozen prompts, lists, suites, runs, submissions; all faults come at once."""
    from copycat.console import out
    from copycat.errors import DataError
    from copycat.sharing.checking import check_thing, everything_that_ships

    faults: list[str] = []
    for thing in things or [*everything_that_ships(), *_beside()]:
        checked = _check_of_board(thing) or check_thing(thing)
        if checked is None:
            faults.append(f"{thing}: cannot tell what it is\n  needed: {KNOWN}")
            continue
        faults += checked.faults
        if not checked.faults:
            out.print(checked.said, markup=False, soft_wrap=True)
    if faults:
        raise DataError(list(dict.fromkeys(faults)))
    return 0


def _beside() -> list[str]:
    """Name what lies in the working folder: the board's submissions, its published figures, and lists."""
    from copycat.leaderboard.layout import REPORTED, SUBMISSIONS

    board = [BOARD / SUBMISSIONS] if (BOARD / SUBMISSIONS).is_dir() else []
    reported = sorted((BOARD / REPORTED).glob("*.yaml"))
    return [str(path) for path in (*board, *reported, *sorted(LISTS.glob("*/*.json")))]


def _check_of_board(thing: str) -> Checked | None:
    """Check what belongs to the leaderboard; None for anything else."""
    from copycat.leaderboard.layout import SUBMISSIONS
    from copycat.leaderboard.records import SUBMISSION

    path = Path(thing)
    if path.is_dir() and (path.absolute().name == SUBMISSIONS or (path / SUBMISSIONS).is_dir()):
        return _check_board(path if (path / SUBMISSIONS).is_dir() else path.absolute().parent, path)
    if any(all((path / name).is_file() for name in names) for names in EXPORTED):
        return _told_of_export(path)
    if (path / SUBMISSION).is_file() or (path.suffix == ".zip" and path.is_file()):
        return _check_submission(path)
    if path.suffix == ".yaml" and path.is_file() and path.absolute().parent.name == "reported":
        return _check_reported(path)
    return None


def _check_board(board: Path, named: Path) -> Checked:
    """Verify all submissions of a board, without judging any picture again."""
    from copycat.leaderboard.checks import VerifyOptions
    from copycat.leaderboard.verify import verify_board
    from copycat.paths import shown
    from copycat.sharing.checking import Checked

    report = verify_board(board, VerifyOptions(rejudge=0))
    count = len(report.submissions)
    faults = [f"{shown(Path(one.path))}: {fault}" for one in report.submissions for fault in one.faults]
    faults += [f"{named}: {fault}" for fault in report.faults]
    said = f"{named}: {count} submission{'s' if count != 1 else ''}, no fault; no picture was judged again"
    return Checked(said, tuple(faults))


def _told_of_export(path: Path) -> Checked:
    from copycat.sharing.checking import Checked

    said = (
        f"{path}: is what `export run` made of a run, for others to read; it is not checked again\n"
        "  check the run that it was made of: python -m copycat.data validate RUN"
    )
    return Checked(f"{path}: an exported run", (said,))


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
