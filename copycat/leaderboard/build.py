"""Submissions -> the site: runs in parallel and only where something changed, then everything that shows many runs.

The site can be read at any moment of a build: pages are renamed into place, runs before the front page that links them.
A build that was stopped goes on where it was, because each run leaves its summary when its page is whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from copycat.errors import DataError, UserError
from copycat.leaderboard.checks.manifest import check_manifest
from copycat.leaderboard.exports import CSV_FILE, JSON_FILE, TEX_FILE, build_csv, build_json, build_tex
from copycat.leaderboard.layout import SUBMISSIONS, find_submissions
from copycat.leaderboard.reading import LIMITS, load_submission
from copycat.leaderboard.reported import read_reported
from copycat.leaderboard.rows import BoardRow, Group, row_of
from copycat.leaderboard.site.character_pages import write_character_pages
from copycat.leaderboard.site.compare import write_compare_page
from copycat.leaderboard.site.index_page import INDEX, write_index
from copycat.leaderboard.site.media import remove_unused_pictures
from copycat.leaderboard.site.pages import fingerprint, write_assets, write_page
from copycat.leaderboard.site.run_page import write_run
from copycat.leaderboard.site.summary import RunSummary
from copycat.leaderboard.standings import Standings, group_rows, rank, shares_of
from copycat.leaderboard.verified import manifest_sha256, read_verified
from copycat.metrics import ALL_ANCHORS, RankInterval
from copycat.paths import shown
from copycat.runs.folder import write_bytes

SUMMARIES = ".summaries"
"""Of the site: what each run leaves for the pages of many runs, and for the next build."""

MAX_PROCESSES = 8
MUCH_TO_RANK = 100_000
"""Pairs of rows, counted twice: fewer are ranked sooner than a process starts."""
RUNS = "runs"
STYLE = "assets/site.css"

Advance = Callable[[int], None]


class Built(NamedTuple):
    """What a build did. `site` is the folder; the others count runs."""

    site: Path
    n_runs: int
    n_written: int
    n_removed: int


class _Task(NamedTuple):
    """One run to be shown: `key` changes with anything that its page depends on."""

    path: Path
    site: Path
    key: str
    is_verified: bool


def build_site(leaderboard: Path, site: Path, *, is_fresh: bool = False, advance: Advance = lambda _: None) -> Built:
    """Build the site of a leaderboard folder.

    Args:
        leaderboard: The folder with submissions/, reported/ and verified.yaml.
        site: Where to build; an older build there is taken up.
        is_fresh: Write every page again.
        advance: Is told of each run that is done.

    Raises:
        UserError: there is no such leaderboard; `site` holds something else than a site.
        DataError: all faults of all submissions and lists; the site stays as it was but for pages of other runs.
    """
    _require_places(leaderboard, site)
    reported, tasks = read_reported(leaderboard), _tasks(leaderboard, site)
    is_first = not (site / INDEX).exists()
    write_assets(site)
    summaries, n_written = _show_runs(tasks, advance, is_fresh=is_fresh)
    rows = [summary.row for summary in summaries]
    with _ranking(group_rows(rows)) as standings_of:
        write_character_pages(site, summaries)
        write_compare_page(site, rows)
        standings = standings_of()
    write_page(site, CSV_FILE, build_csv(standings))
    write_page(site, JSON_FILE, build_json(standings, reported))
    write_page(site, TEX_FILE, build_tex(standings))
    write_index(site, standings, reported, max((row.date for row in rows), default=""))
    n_removed = _remove_others(site, {row.id for row in rows})
    if (n_removed or n_written) and not is_first:
        remove_unused_pictures(site)
    return Built(site, len(rows), n_written, n_removed)


def _require_places(leaderboard: Path, site: Path) -> None:
    if not leaderboard.is_dir():
        raise UserError(
            f"'{shown(leaderboard)}' is no folder\n  needed: the folder of a leaderboard, with submissions/\n"
            "  type: python -m copycat.leaderboard build --leaderboard DIR"
        )
    if site.exists() and (not site.is_dir() or (any(site.iterdir()) and not _is_ours(site))):
        raise UserError(f"'{shown(site)}' is not empty and no site of ours\n  choose a folder of its own: --out DIR")
    (site / SUMMARIES).mkdir(parents=True, exist_ok=True)


def _is_ours(site: Path) -> bool:
    """Whether a site was built here; one that was copied or committed has no summaries."""
    return (site / SUMMARIES).is_dir() or (site / STYLE).is_file()


def _tasks(leaderboard: Path, site: Path) -> list[_Task]:
    verified, code, root = read_verified(leaderboard), fingerprint(), leaderboard / SUBMISSIONS
    tasks = []
    for path in find_submissions(leaderboard):
        manifest = manifest_sha256(path)
        is_verified = bool(manifest) and verified.get(path.relative_to(root).as_posix()) == manifest and _is_whole(path)
        key = hashlib.sha256(f"{manifest} {is_verified} {code}".encode()).hexdigest()
        tasks.append(_Task(path, site, key, is_verified))
    return tasks


def _is_whole(path: Path) -> bool:
    """Whether the files are those of the manifest; looked at where a badge depends on it."""
    return not any(check_manifest(path, LIMITS))


def _show_runs(tasks: Sequence[_Task], advance: Advance, *, is_fresh: bool) -> tuple[list[RunSummary], int]:
    """Write the page of every run that has changed; gives all summaries, in the order of the tasks."""
    kept = {task.path: summary for task in tasks if not is_fresh and (summary := _kept(task)) is not None}
    advance(len(kept))
    changed = [task for task in tasks if task.path not in kept]
    faults: list[str] = []
    for task, outcome in zip(changed, _in_parallel(changed), strict=True):
        advance(1)
        if isinstance(outcome, DataError):
            faults.extend(f"{_place(task.path)}: {fault}" for fault in outcome.faults)
        else:
            kept[task.path] = outcome
    if faults:
        raise DataError(faults, "  see everything: python -m copycat.leaderboard verify PATH")
    return [kept[task.path] for task in tasks], len(changed)


def _in_parallel(tasks: Sequence[_Task]) -> Iterator[RunSummary | DataError]:
    n_processes = min(_n_processes(), len(tasks))
    if n_processes < 2:
        yield from map(_show_run, tasks)
        return
    with ProcessPoolExecutor(n_processes) as pool:
        yield from pool.map(_show_run, tasks, chunksize=max(1, min(16, len(tasks) // (4 * n_processes))))


def _n_processes() -> int:
    return min(MAX_PROCESSES, os.cpu_count() or 1)


def _show_run(task: _Task) -> RunSummary | DataError:
    """Write one run's page and then its summary; a fault comes back as what it is, so that all are told at once."""
    try:
        loaded = load_submission(task.path)
        if loaded.id != _place(task.path):
            raise DataError([f"belongs in submissions/{loaded.id}"])
        summary = write_run(loaded, row_of(loaded, is_verified=task.is_verified), task.site)
    except DataError as error:
        return error
    _summary_file(task).parent.mkdir(parents=True, exist_ok=True)
    write_bytes(_summary_file(task), task.key.encode() + b"\n" + summary.model_dump_json().encode())
    return summary


def _kept(task: _Task) -> RunSummary | None:
    try:
        key, _, content = _summary_file(task).read_bytes().partition(b"\n")
        return RunSummary.model_validate_json(content) if key.decode() == task.key else None
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def _summary_file(task: _Task) -> Path:
    return task.site / SUMMARIES / f"{_place(task.path)}.json"


def _place(path: Path) -> str:
    """Give where a submission lies below submissions/."""
    return "/".join(path.parts[-3:])


@contextmanager
def _ranking(groups: Mapping[Group, tuple[BoardRow, ...]]) -> Iterator[Callable[[], list[Standings]]]:
    """Rank every group under each of its anchors and under all together; what is much is ranked beside other work."""
    wanted = [(group, anchor) for group in groups for anchor in (ALL_ANCHORS, *group.anchors)]
    shares = [shares_of(groups[group], anchor) for group, anchor in wanted]
    is_much = sum(len(one) ** 2 for one in shares) > MUCH_TO_RANK
    with ProcessPoolExecutor(_n_processes()) if is_much else nullcontext() as pool:
        ranks = pool.map(rank, shares) if pool is not None else map(rank, shares)

        def collect() -> list[Standings]:
            found: dict[Group, dict[str, dict[str, RankInterval]]] = {group: {} for group in groups}
            for (group, anchor), places in zip(wanted, ranks, strict=True):
                found[group][anchor] = places
            return [Standings(group, rows, found[group]) for group, rows in groups.items()]

        yield collect


def _remove_others(site: Path, ids: set[str]) -> int:
    """Remove the pages of runs that went away, after nothing links them any more."""
    places = {path.relative_to(site / RUNS).as_posix(): path for path in (site / RUNS).glob("*/*/*")}
    summaries = {_id_of(site, path): path for path in (site / SUMMARIES).glob("*/*/*.json")}
    gone = sorted((places.keys() | summaries.keys()) - ids)
    for run_id in gone:
        shutil.rmtree(site / RUNS / run_id, ignore_errors=True)
        if run_id in summaries:
            summaries[run_id].unlink()
    return len(gone)


def _id_of(site: Path, summary: Path) -> str:
    return summary.relative_to(site / SUMMARIES).with_suffix("").as_posix()
