"""Verify submissions: everything is made again, nothing is believed, and all faults are told at once."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from copycat.errors import UserError
from copycat.leaderboard.archives import unpacked
from copycat.leaderboard.board import LEVELS, Trace, compare_submissions, strays_of, traces_of
from copycat.leaderboard.checks import FORM_CHECKS, SUITE_CHECKS, Case, Check, VerifyOptions
from copycat.leaderboard.checks.form import files_of
from copycat.leaderboard.checks.manifest import check_manifest
from copycat.leaderboard.faults import Fault, Finding, Note, shortened
from copycat.leaderboard.layout import OLDER_SUITES, SUBMISSIONS, find_submissions
from copycat.leaderboard.reading import LoadedSubmission, read_submission
from copycat.leaderboard.records import JUDGEMENTS, MANIFEST, METRICS, REQUIRED_FILES, SAMPLES, SUBMISSION
from copycat.paths import shown
from copycat.schema import SUITE_VERSION, Record

__all__ = ["BoardReport", "Report", "VerifyOptions", "verify_board", "verify_submission", "verify_submissions"]

Advance = Callable[[int], None]

RUN = "run.json"
OF_RUNS = (METRICS, SAMPLES, JUDGEMENTS)
"""The file that tells a run's folder, and files that runs have, too."""

MAX_NAMED = 10
"""Submissions that are listed where none was named."""

COPIES = ("near-copy", "duplicate-picture")
"""Who has one picture for many requests is refused for that, and would make pairs without end with others."""


class Report(Record):
    """What was found in one submission; it is valid where there is no fault.

    `id` says where it belongs below submissions/, null where its files cannot be read.
    """

    path: str
    id: str | None
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults


class BoardReport(Record):
    """What was found in several submissions, and in all of them taken together."""

    submissions: tuple[Report, ...]
    faults: tuple[Fault, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong with any of them, nor with all together."""
        return not self.faults and all(report.is_valid for report in self.submissions)


def verify_submission(path: Path, options: VerifyOptions | None = None) -> Report:
    """Verify one submission: a folder, or a .zip file of one.

    Raises:
        UserError: there is no such folder or file.
    """
    return _verify(path, options or VerifyOptions())[0]


def verify_submissions(
    paths: Sequence[Path], options: VerifyOptions | None = None, advance: Advance = lambda _: None
) -> BoardReport:
    """Verify several submissions, and compare their pictures with each other."""
    reports, traces = [], list[Trace]()
    for path in paths:
        report, loaded = _verify(path, options or VerifyOptions())
        reports.append(report)
        if loaded is not None and not any(fault.kind in COPIES for fault in report.faults):
            traces += traces_of(loaded)
        advance(1)
    faults, notes = compare_submissions(traces)
    return BoardReport(submissions=tuple(reports), faults=tuple(faults), notes=tuple(notes))


def verify_board(
    leaderboard: Path, options: VerifyOptions | None = None, advance: Advance = lambda _: None
) -> BoardReport:
    """Verify every submission of a board.

    One that speaks of an older suite is history: only its form and its manifest are checked.
    """
    if not (leaderboard / SUBMISSIONS).exists():
        return BoardReport(submissions=())
    strays = tuple(strays_of(leaderboard))
    found = verify_submissions(find_submissions(leaderboard), (options or VerifyOptions()).of_board(), advance)
    return found.model_copy(update={"faults": (*strays, *found.faults)})


def _verify(path: Path, options: VerifyOptions) -> tuple[Report, LoadedSubmission | None]:
    if not path.exists():
        raise UserError(f"{shown(path)} is not there\n  needed: the folder of a submission, or a .zip file of one")
    if path.is_dir():
        if not options.is_board:
            _require_submission(path)
        return _verify_folder(path, path, options)
    with unpacked(path, options.limits) as archive:
        if archive.folder is None:
            return Report(path=shown(path), id=None, faults=archive.faults), None
        return _verify_folder(archive.folder, path, options)


def _require_submission(folder: Path) -> None:
    """Refuse what is plainly something else: a run, or a folder that submissions lie in.

    Raises:
        UserError: says what to type instead.
    """
    if any((folder / name).exists() for name in (*REQUIRED_FILES, MANIFEST) if name not in OF_RUNS):
        return
    if (folder / RUN).is_file():
        raise UserError(
            f"{shown(folder)} is a run, not a submission\n"
            f"  make one: python -m copycat.submit {shlex.quote(shown(folder))} --submitter NAME"
        )
    depths = ("/".join(["*"] * depth) for depth in range(1, LEVELS + 2))
    if found := [path.parent for depth in depths for path in sorted(folder.glob(f"{depth}/{SUBMISSION}"))]:
        listed = "\n".join(f"    {shown(path)}" for path in found[:MAX_NAMED])
        more = f"\n    and {len(found) - MAX_NAMED} others" if len(found) > MAX_NAMED else ""
        raise UserError(
            f"{shown(folder)} holds submissions, and is none\n  name one of them, or use --all:\n{listed}{more}"
        )


def _verify_folder(folder: Path, named: Path, options: VerifyOptions) -> tuple[Report, LoadedSubmission | None]:
    faults: list[Finding] = list(files_of(folder, options.limits))
    loaded = None
    if not any(fault.kind == "link" for fault in faults):
        loaded, of_form = read_submission(folder, options.limits)
        faults += [*check_manifest(folder, options.limits), *of_form]
    if loaded is not None:
        case = Case(loaded, options)
        for check in _checks_for(case, faults):
            faults += _findings_of(check, case)
    report = Report(
        path=shown(named),
        id=None if loaded is None else loaded.id,
        faults=tuple(shortened(dict.fromkeys(one for one in faults if isinstance(one, Fault)))),
        notes=tuple(one for one in faults if isinstance(one, Note)),
    )
    return report, loaded


def _findings_of(check: Check, case: Case) -> Iterator[Finding]:
    """Check one thing; a value so odd that the check breaks on it, such as a number of 5,000 digits, is a fault."""
    try:
        yield from check(case)
    except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
        said = f"{check.__name__} cannot be done ({type(error).__name__}): a value is not what it must be"
        yield Fault(kind="odd-value", where=case.loaded.path.name, what=said)


def _checks_for(case: Case, findings: list[Finding]) -> Iterable[Check]:
    """Give all checks for this suite; for another one only those of form, and say so."""
    yield from FORM_CHECKS
    version = case.loaded.submission.suite_version
    if version == SUITE_VERSION:
        yield from SUITE_CHECKS
    elif case.options.is_board and version in OLDER_SUITES:
        said = f"of suite {version}, this copycat has suite {SUITE_VERSION}: only form and manifest were checked"
        findings.append(Note(kind="older-suite", what=said))
    else:
        said = f"is of suite {version[:20]}, and this copycat has suite {SUITE_VERSION}; verify it with a copycat of "
        findings.append(Fault(kind="wrong-suite", where="submission.json", what=f"{said}suite {version[:20]}"))
