"""`python -m copycat.submit RUN`: a finished run as a submission to the leaderboard."""

from __future__ import annotations

import datetime
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from copycat.leaderboard.packing import About, Packed
    from copycat.leaderboard.verify import Report

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EPILOG = """What will be published is shown before anything is written; --dry-run stops there. Then everything is
verified as the maintainers will do it, and nothing is kept or sent unless no fault is found. What was submitted is
never changed: another judge version, or other settings, is another row. The token is read from HF_TOKEN alone.
Exit 0 done, 1 faults were found, 2 to be fixed by you, 130 or 143 interrupted."""

SUBMISSIONS = Path("leaderboard/submissions")


class Options(NamedTuple):
    """Where a submission goes, and how the command talks."""

    run: Path
    to: Path
    hub: str | None
    is_dry: bool
    is_json: bool
    is_agreed: bool

    @property
    def place(self) -> str:
        """Name where it goes, as a question asks."""
        return f"a pull request on dataset {self.hub}" if self.hub else f"a folder below {self.to}"


def _checked_date(date: str | None) -> str | None:
    from copycat.commands.dates import check_date

    return None if date is None else check_date(date)


@app.command(epilog=EPILOG)
def submit(  # noqa: PLR0917 - one parameter per option
    run: Annotated[Path, typer.Argument(help="the folder of a finished run, or its report.html")],
    submitter: Annotated[str, typer.Option(metavar="NAME", help="who answers for it; shown on the board")],
    organisation: Annotated[
        str | None, typer.Option(metavar="NAME", help="of the submitter", show_default=False)
    ] = None,
    contact: Annotated[
        str | None, typer.Option(metavar="URL", help="a web address to reach you, https://...", show_default=False)
    ] = None,
    paper: Annotated[
        str | None, typer.Option(metavar="URL", help="what to read about it, https://...", show_default=False)
    ] = None,
    statement: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="whether the model was tuned with these prompts or characters in mind",
            show_default=False,
        ),
    ] = None,
    notes: Annotated[
        str | None, typer.Option(metavar="TEXT", help="what else a reader should know", show_default=False)
    ] = None,
    attack: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="what was done to bring a concept back, if anything", show_default=False),
    ] = None,
    usd_per_picture: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="what one picture cost you", show_default=False)
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM-DD", help="of the submission; default: today", show_default=False, callback=_checked_date
        ),
    ] = None,
    withhold: Annotated[
        bool, typer.Option("--withhold", help="keep the pictures back: publish their hashes and verdicts only")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=f"where submissions lie; default: {SUBMISSIONS}", show_default=False),
    ] = None,
    hub: Annotated[
        str | None,
        typer.Option(
            metavar="ORG/NAME", help="open a pull request on this dataset of the Hub instead", show_default=False
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be published, and write nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask; needed for --hub where nobody can be asked")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> int:
    """Make the submission of a finished run, verify it, and write it or send it to the Hub.

    python -m copycat.submit RUN --submitter "Some Laboratory" --dry-run

    python -m copycat.submit RUN --submitter "Some Laboratory" --contact https://lab.example.org

    python -m copycat.submit RUN --submitter "Some Laboratory" --hub org/name
    """
    from copycat.commands.submit_preview import print_preview
    from copycat.console import EXIT_DONE, err, print_json, progress_bar
    from copycat.leaderboard.finished_runs import open_finished
    from copycat.leaderboard.packing import look_over

    options = Options(run, to or SUBMISSIONS, hub, dry_run, json, yes)
    about = _about(
        {
            "submitter": {"name": submitter, "organisation": organisation, "contact": contact},
            "date": date or datetime.datetime.now(datetime.UTC).date().isoformat(),
            "attack": attack,
            "paper": paper,
            "statement": statement or "",
            "notes": notes or "",
            "usd_per_picture": usd_per_picture,
            "is_withheld": withhold,
        }
    )
    _require_sense(options, has_to=to is not None)
    finished = open_finished(run)
    with progress_bar("look over the pictures", finished.result.counts.ok) as advance:
        packed = look_over(finished, about, advance)
    if not json:
        print_preview(packed)
    if dry_run:
        if json:
            print_json(_told(packed))
        else:
            err.print("nothing was written: --dry-run")
        return EXIT_DONE
    if not _is_agreed(options):
        err.print("nothing was written")
        return EXIT_DONE
    return _send(packed, options) if hub else _write(packed, options)


def _about(fields: dict[str, Any]) -> About:
    """Check what was typed, and name the options that are wrong."""
    from pydantic import ValidationError

    from copycat.errors import UserError
    from copycat.leaderboard.packing import About

    try:
        return About.model_validate(fields)
    except ValidationError as error:
        raise UserError("\n".join(_wrong_option(one) for one in error.errors(include_url=False))) from error


def _wrong_option(fault: Any) -> str:
    field = str(fault["loc"][-1])
    option = "--submitter" if field == "name" else f"--{field.replace('_', '-')}"
    needed = {
        "contact": "a web address that begins with https:// or http://",
        "paper": "a web address that begins with https:// or http://",
        "date": "a date such as 2026-11-30",
    }.get(field, "one line of 1 to 200 letters" if field in ("name", "organisation", "attack") else fault["msg"])
    return f"{option} '{str(fault['input'])[:80]}' cannot be used\n  needed: {needed}"


def _require_sense(options: Options, *, has_to: bool) -> None:
    """Refuse before pictures are looked at what could not be done afterwards."""
    from copycat.errors import UserError
    from copycat.leaderboard.hub import endpoint, require_token

    if options.hub is None or options.is_dry:
        return
    if has_to:
        raise UserError("--to and --hub do not go together\n  needed: a folder, or a dataset of the Hub")
    endpoint()
    require_token()
    if not options.is_agreed and not sys.stdin.isatty():
        raise UserError(
            "this would be public, and nobody can be asked here\n  look first: --dry-run, then add --yes to publish"
        )


def _is_agreed(options: Options) -> bool:
    if options.is_agreed or not sys.stdin.isatty():
        return True
    return typer.confirm(f"\nMake {options.place} of this?", err=True)


def _write(packed: Packed, options: Options) -> int:
    """Write it to its place; it stays there only if no fault is found."""
    import shutil

    from copycat.console import out, print_json
    from copycat.leaderboard.packing import write_packed
    from copycat.leaderboard.verify import verify_submission
    from copycat.paths import shown

    path, is_new = write_packed(packed, options.to)
    report = verify_submission(path)
    if not report.is_valid and is_new:
        shutil.rmtree(path)
    if options.is_json:
        placed = {"path": str(path) if report.is_valid else None, "is_new": is_new}
        print_json(_told(packed) | placed | {"verification": report.model_dump(mode="json")})
    elif report.is_valid:
        _print_notes(report)
        where = shown(path)
        out.print(
            f"\n{'written' if is_new else 'there already, with this content'}: {where}", markup=False, soft_wrap=True
        )
        out.print(_next_steps(where, options.to, _title(packed)), markup=False, soft_wrap=True)
    return _ended(report, "nothing was written" if is_new else f"{shown(path)} is left as it was")


def _next_steps(where: str, to: Path, title: str) -> str:
    """Say what comes next: a pull request where a board lies in a git repository, else how to look at the board."""
    from copycat.paths import shown

    board = to.absolute().parent
    is_board = to.absolute().name == SUBMISSIONS.name
    build = "python -m copycat.leaderboard build"
    if not (is_board and board == SUBMISSIONS.absolute().parent):
        build += f" --leaderboard {shlex.quote(shown(board))}"
    look = f"how the board would look: {build} --out preview"
    if is_board and any((folder / ".git").exists() for folder in board.parents):
        add, commit = f"git add {shlex.quote(where)}", f"git commit -m {shlex.quote(title)}"
        return f"to submit it, open a pull request with it:\n  {add}\n  {commit}\n{look}"
    needed = f"to submit it, put it below {SUBMISSIONS} of the board's repository"
    return f"{needed}\n{look}" if is_board else needed


def _send(packed: Packed, options: Options) -> int:
    """Verify it in a folder for the moment, and open the pull request only if no fault is found."""
    import tempfile

    from copycat.console import out, print_json
    from copycat.leaderboard.hub import open_pull_request
    from copycat.leaderboard.packing import write_packed
    from copycat.leaderboard.verify import verify_submission

    with tempfile.TemporaryDirectory() as name:
        path, _ = write_packed(packed, Path(name) / "submissions")
        report, address = verify_submission(path), None
        report = report.model_copy(update={"path": packed.id})
        if report.is_valid:
            address = open_pull_request(path, packed.id, str(options.hub), _title(packed), _description(packed))
    if options.is_json:
        print_json(_told(packed) | {"pull_request": address, "verification": report.model_dump(mode="json")})
    elif address is not None:
        _print_notes(report)
        out.print(f"\nopened: {address}", markup=False, soft_wrap=True)
    return _ended(report, "nothing was sent")


def _ended(report: Report, otherwise: str) -> int:
    """Print the faults, if any, and give the exit code."""
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, err

    if report.is_valid:
        return EXIT_DONE
    for fault in report.faults:
        err.print(f"  {fault}", markup=False, soft_wrap=True)
    err.print(f"not valid, see above; {otherwise}", markup=False, soft_wrap=True)
    return EXIT_NOT_VALID


def _print_notes(report: Report) -> None:
    from copycat.console import out

    out.print("\nverified: no fault", markup=False)
    for note in report.notes:
        out.print(f"  {note.what}", markup=False)


def _title(packed: Packed) -> str:
    submission, spec = packed.files.submission, packed.files.settings.spec
    return f"Submission of {submission.model.name}, {spec.mitigation}, by {submission.submitter.name}"


def _description(packed: Packed) -> str:
    counts = packed.files.result.counts
    return (
        f"Made and verified by `copycat.submit`: {counts.planned} requests, {counts.ok} pictures, "
        f"judged by {packed.files.result.judge}.\n\n"
        f"To check it: `python -m copycat.leaderboard verify submissions/{packed.id}`"
    )


def _told(packed: Packed) -> dict[str, Any]:
    """Give what is or would be published, for programs."""
    files = packed.files
    return {
        "id": packed.id,
        "path": None,
        "files": packed.sizes,
        "submission": files.submission.model_dump(mode="json"),
        "metrics": files.result.model_dump(mode="json"),
        "first_sample": files.samples[0].model_dump(mode="json"),
    }
