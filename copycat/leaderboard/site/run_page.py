"""The page of a run: figures, characters and franchises, every sample with its verdict, and all settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from copycat.errors import DataError
from copycat.leaderboard.reading import LoadedSubmission, read_pictures
from copycat.leaderboard.rows import Badge, BoardRow
from copycat.leaderboard.site.gallery import GalleryPage, cell, grid_row, section
from copycat.leaderboard.site.media import PlacedPicture, place_picture
from copycat.leaderboard.site.pages import render, root_of, write_page
from copycat.leaderboard.site.run_data import build_run_data
from copycat.leaderboard.site.run_view import Entry, build_entries, build_franchises, shipped_set
from copycat.leaderboard.site.summary import RunSummary, Thumbnail
from copycat.metrics.texts import METRIC_TEXTS, text_of
from copycat.mitigations import NONE
from copycat.models.frames import columns_of
from copycat.runs.pages import Ended, count_rows, flat
from copycat.runs.report_records import FigureGroup, FigureRow
from copycat.schema import MIN_COVERAGE, RunResult

MAX_THUMBNAILS = 3
"""Pictures of one character that a run leaves for the pages of characters."""

BADGE_MEANINGS: dict[Badge, str] = {
    "verified": "the maintainers had its pictures judged again and stand by the figures",
    "self-reported": "its figures follow from its samples; nobody else has judged the pictures again",
    "sandbox": "an invented world, never comparable with real models",
    "by construction": "follows from what the model does by definition",
}
_PLAIN_ID = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*/[a-z0-9]+")
_PLAIN_SET = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def write_run(loaded: LoadedSubmission, row: BoardRow, site: Path) -> RunSummary:
    """Write the page of a run, what comparing needs of it, and its pictures; no other run is touched.

    Args:
        loaded: the submission, read and verified.
        row: its row.
        site: the root of the site.

    Raises:
        DataError: the pictures cannot be read; the id or the name of the character set would lead out of the site.
    """
    for name, plain in ((loaded.id, _PLAIN_ID), (row.characters, _PLAIN_SET)):
        if not plain.fullmatch(name):
            raise DataError([f"'{name}' cannot name a page: lower case letters, digits, '.', '_' and '-' can"])
    entries = build_entries(loaded, row, _place_pictures(loaded, site))
    write_page(site, row.href, build_run_page(loaded, row, entries))
    write_page(site, f"runs/{loaded.id}/data.js", build_run_data(row, entries))
    return RunSummary(row=row, pictures={entry.character.id: _thumbnails(entry) for entry in entries})


def build_run_page(loaded: LoadedSubmission, row: BoardRow, entries: Sequence[Entry]) -> str:
    """Give the page as text; the same submission gives the same bytes."""
    result, spec = loaded.result, loaded.settings.spec
    figures = build_figures(result, row.anchors)
    return render(
        "run.html.j2",
        root_of(row.href),
        row=row,
        result=result,
        baseline=None,
        submission=loaded.submission,
        mitigation="no mitigation" if row.mitigation == NONE else f"with {row.mitigation}",
        badge_meaning=BADGE_MEANINGS[row.badge],
        set_title=characters.title if (characters := shipped_set(row.characters)) else "",
        key_characteristic=entries[0].character.key_characteristic if entries else "",
        figures=figures,
        by_metric={group.metric: group.rows for group in figures},
        pooled={group.metric: group.rows[-1] for group in figures},
        methods=sorted({estimate.method for estimate in result.estimates if estimate.value is not None}),
        counts=count_rows(Ended(result.counts, loaded.samples)),
        entries=entries,
        franchises=build_franchises(entries, row),
        gallery=GalleryPage(root_of(row.href), row.characters, row.has_pictures),
        section=section,
        cell=cell,
        grid_row=grid_row,
        settings=list(flat(spec.model_dump(mode="json"))),
        n_seeds=len({sample.repeat for sample in loaded.samples}),
        environment=list(flat(loaded.settings.environment)),
        judge_facts=list(loaded.settings.judge_facts.items()),
        min_coverage=MIN_COVERAGE,
        is_benign=False,
        is_video=spec.sampling.is_video,
    )


def build_figures(result: RunResult, anchors: Sequence[str]) -> tuple[FigureGroup, ...]:
    """Arrange every estimate of a run by metric and anchor, pooled anchors last."""
    found = {estimate.metric for estimate in result.estimates}
    metrics = [metric for metric in METRIC_TEXTS if metric in found] + sorted(found - set(METRIC_TEXTS))
    rows = {
        metric: {
            estimate.anchor: FigureRow(anchor=estimate.anchor, baseline=None, run=estimate, difference=None)
            for estimate in result.estimates
            if estimate.metric == metric
        }
        for metric in metrics
    }
    return tuple(
        FigureGroup(
            metric=metric,
            name=text_of(metric).name,
            meaning=text_of(metric).meaning,
            rows=tuple(by_anchor[anchor] for anchor in dict.fromkeys([*anchors, *by_anchor]) if anchor in by_anchor),
        )
        for metric, by_anchor in rows.items()
    )


def _place_pictures(loaded: LoadedSubmission, site: Path) -> dict[str, PlacedPicture | None]:
    if not loaded.has_pictures:
        return {}
    hashes = {sample.key: sample.sha256 for sample in loaded.samples if sample.sha256 is not None}
    columns = columns_of(len(loaded.settings.spec.sampling.kept_frames or (0,)))
    return {
        key: place_picture(content, hashes[key], site, columns)
        for key, content in read_pictures(loaded.path)
        if key in hashes
    }


def _thumbnails(entry: Entry) -> tuple[Thumbnail, ...]:
    """Take the first picture of each anchor."""
    found = []
    for strip in entry.strips:
        tile = next((tile for tile in strip.tiles if tile.picture is not None), None)
        if tile is not None and tile.picture is not None:
            found.append(Thumbnail(tile.picture.href, strip.anchor, tile.ending))
    return tuple(found[:MAX_THUMBNAILS])
