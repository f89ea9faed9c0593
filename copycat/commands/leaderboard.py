"""`python -m copycat.leaderboard verify|build`: submissions, and the page that shows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copycat.commands.leaderboard_build import BUILD_EPILOG, build

if TYPE_CHECKING:
    from copycat.leaderboard.checks import VerifyOptions
    from copycat.leaderboard.faults import Fault, Note
    from copycat.leaderboard.verify import BoardReport

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Verify submissions, and build their page."
)

VERIFY_EPILOG = """Everything is made again from what ships: prompts, seeds, keys, hashes, figures; a random share of
the pictures is judged again where the judge can work here. Exit 0 nothing wrong, 1 faults, 2 to be fixed by you."""

LEADERBOARD = Path("leaderboard")


app.command(epilog=BUILD_EPILOG)(build)


@app.command(epilog=VERIFY_EPILOG)
def verify(  # noqa: PLR0917 - one parameter per option
    submissions: Annotated[
        list[Path] | None, typer.Argument(metavar="SUBMISSION", help="folders of submissions, or .zip files")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="every submission of the board, and all of them together")
    ] = False,
    leaderboard: Annotated[Path, typer.Option(metavar="DIR", help="the folder of the board")] = LEADERBOARD,
    rejudge: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="of pictures to judge again; default 0.05, at least 20 pictures, and only by judges of the table",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="GITREF", help="nothing that was there in this commit may have changed")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="judge the same pictures again; default: others each time")
    ] = None,
    lists: Annotated[
        Path | None, typer.Option(metavar="DIR", help="frozen lists beside those that ship, see copycat.data lists")
    ] = None,
    device: Annotated[str, typer.Option(help="where a judge works: cpu, cuda, mps")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> int:
    """Check submissions: everything is made again and nothing believed; all faults are told at once.

    python -m copycat.leaderboard verify leaderboard/submissions/1.0/somebody__some-model/0123456789ab

    python -m copycat.leaderboard verify --all --since origin/main
    """
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID
    from copycat.errors import UserError
    from copycat.leaderboard.checks import VerifyOptions
    from copycat.leaderboard.history import changes_since

    if not (submissions or every or since):
        raise UserError(
            "nothing to verify\n  needed: the folder of a submission, or --all\n"
            "  see: python -m copycat.leaderboard verify --help"
        )
    options = VerifyOptions(rejudge=rejudge, seed=seed, lists=lists, device=device)
    history = changes_since(leaderboard, since) if since is not None else []
    report = _verify(submissions or [], leaderboard if every else None, options)
    report = report.model_copy(update={"faults": (*history, *report.faults)})
    _print_json(report) if json else _print(report, leaderboard if every else None)
    return EXIT_DONE if report.is_valid else EXIT_NOT_VALID


def _verify(paths: list[Path], leaderboard: Path | None, options: VerifyOptions) -> BoardReport:
    """Verify what was named, and the whole board where one is given."""
    from copycat.console import progress_bar
    from copycat.leaderboard.layout import find_submissions
    from copycat.leaderboard.verify import verify_board, verify_submissions

    count = len(paths) + (len(find_submissions(leaderboard)) if leaderboard is not None else 0)
    with progress_bar("verify submissions", count) as advance:
        named = verify_submissions(paths, options, advance)
        if leaderboard is None:
            return named
        board = verify_board(leaderboard, options, advance)
    return board.model_copy(
        update={
            "submissions": (*named.submissions, *board.submissions),
            "faults": (*named.faults, *board.faults),
            "notes": (*named.notes, *board.notes),
        }
    )


def _print_json(report: BoardReport) -> None:
    from copycat.console import print_json

    print_json({"is_valid": report.is_valid, **report.model_dump(mode="json")})


def _print(report: BoardReport, leaderboard: Path | None) -> None:
    """Print what was found: a line for each submission, and one for each fault and note below it."""
    from copycat import console
    from copycat.leaderboard.layout import SUBMISSIONS

    for one in report.submissions:
        count = len(one.faults)
        said = "no fault" if one.is_valid else f"{count} fault{'s' if count > 1 else ''}"
        console.out.print(f"{one.path}: {said}", markup=False, soft_wrap=True)
        _print_faults(one.faults)
        _print_notes(one.notes)
    if not report.submissions:
        place = None if leaderboard is None else leaderboard / SUBMISSIONS
        said = "no submissions" if place is None else f"no submissions in {place}"
        console.out.print(said, markup=False, soft_wrap=True)
        if place is not None and not place.is_dir():
            said = "  there is no such folder; the folder of another board: --leaderboard DIR"
            console.out.print(said, markup=False, soft_wrap=True)
    if report.faults or report.notes:
        console.out.print("all together:", markup=False)
        _print_faults(report.faults)
        _print_notes(report.notes)


def _print_notes(notes: tuple[Note, ...]) -> None:
    from copycat import console

    for note in notes:
        console.out.print(f"  note: {note}", markup=False, soft_wrap=True)


def _print_faults(faults: tuple[Fault, ...]) -> None:
    from copycat import console

    for fault in faults:
        console.out.print(f"  {fault}", markup=False, soft_wrap=True)
