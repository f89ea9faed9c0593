"""Ask a dataset whether somebody or something is in it, and answer without showing anything of its neighbours.

What an answer holds is chosen, not filtered: `Hit` has no field for a text, a name, a title, an address, a header or a
picture. Of a record that was found it says its id, its place, which field it was found by, its licence (only the name
of a known one, since a free text may name somebody), what its signals come to (allow, deny; not what they say), and its
versions. The reason of a removal is not told: whoever wrote it may have named who asked. What else the record holds,
who else it names, and where else it was found stays in the dataset.

A query that would find strangers is refused before anything is read: see `queries` and `domains`. ISCC codes are not
looked up: no dataset seen has them, and their content codes are not implemented here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.dataset.unread import Unread
from copycat.provenance.licences.components import licence_texts
from copycat.provenance.licences.terms import whom_to_ask
from copycat.provenance.lookup.columns import text_column, variants
from copycat.provenance.lookup.gaps import not_looked, unsearchable
from copycat.provenance.lookup.licence import told_licence
from copycat.provenance.lookup.matching import Matcher, PictureFinder, matcher_of
from copycat.provenance.lookup.past import read_past
from copycat.provenance.lookup.records import Hit, LookupAnswer, Query
from copycat.provenance.lookup.versions import History, counted_of, history_of
from copycat.provenance.records import USES

if TYPE_CHECKING:
    import polars as pl

MAX_HITS = 1_000
"""Hits that an answer holds; the others are counted."""

FACTS = ("id", "file", "row", "decision", "version_added", "version_changed", "version_removed")


class _InFiles(NamedTuple):
    """What the files say of a record that was found in them."""

    id: str
    place: str
    found_by: str
    licence: str | None


def look_up(
    dataset: Dataset,
    query: Query,
    as_of: date,
    *,
    max_hits: int | None = MAX_HITS,
    advance: Callable[[int], None] = lambda rows: None,
) -> LookupAnswer:
    """Look for records, one pass over the files and one over the manifest's table where there is one.

    Memory grows with the number of hits, and of records that are gone or changed; not with that of all records.

    Args:
        as_of: the day on the receipt.
        max_hits: how many hits the answer holds; None: all.
        advance: is told of how many more records were read.

    Raises:
        DataError: there is no record that could be looked at, or the manifest cannot be read.
    """
    import polars as pl

    matcher = matcher_of(query)
    history = history_of(dataset)
    counted, at_least = counted_of(dataset.sidecar, query.words) if query.kind == "name" else ({}, {})
    past = read_past(dataset, history, matcher.needs)
    unread = Unread(dataset)
    n_records, in_files, fields, gone_there = _in_files(dataset, matcher, past.gone["id"], advance, unread)
    seen = _Seen(history, max_hits)
    n_gone = 0
    if dataset.records_file is not None:
        n_records = 0
        for batch in dataset.facts((*FACTS, "licence", "licence_url", *matcher.needs)):
            unread.take(batch.faults)
            n_gone += (gone := _n_removed(batch))
            n_records += batch.size - gone
            fields |= _present(batch, matcher)
            for hit, changed in _hits(batch, matcher, in_files):
                seen.add(hit, changed)
    for found in in_files.values():  # without a manifest all; with one, those that it lacks, being out of date
        seen.add(_hit_of(found))
    if not (n_records or n_gone):
        raise unread.error("nothing was looked up")
    seen.by_version += past.former_versions(seen.changed)
    lost = unsearchable(past.gone, matcher, fields).filter(~pl.col("id").is_in(list(gone_there | seen.gone)))
    unsearched = past.unsearched(lost)
    return LookupAnswer(
        query=query,
        dataset=dataset.name,
        as_of=as_of,
        n_records=n_records,
        n_found=seen.n_found,
        n_now=seen.n_now,
        n_unread=unread.n + (matcher.n_unreadable if isinstance(matcher, PictureFinder) else 0),
        by_version={version: seen.by_version[version] for version in history.versions},
        unsearched=unsearched,
        hits=tuple(seen.hits),
        looked_in=tuple(name for name in matcher.needs if name in fields),
        not_looked=tuple(not_looked(unread, matcher, fields, lost.height if history.versions else n_gone)),
        version=history.versions[-1] if history.versions else None,
        root=history.root,
        counted=counted,
        counted_at_least=at_least,
        contact=whom_to_ask(dataset),
        models=history.models_with(
            seen.by_version | Counter({v: round(n or 0) for v, n in (at_least | counted).items()}), unsearched
        ),
    )


class _Seen:
    """Counts hits, and keeps the first of them; of those that changed, and of those that are gone, the ids."""

    def __init__(self, history: History, max_hits: int | None) -> None:
        self.history, self.max_hits = history, max_hits
        self.n_found = self.n_now = 0
        self.by_version: Counter[str] = Counter()
        self.hits: list[Hit] = []
        self.changed: set[str] = set()
        self.gone: set[str] = set()

    def add(self, hit: Hit, changed: str | None = None) -> None:
        """Take a hit; `changed` is the version since which its record is as it is, where that is not the first."""
        self.n_found += 1
        self.n_now += hit.version_removed is None
        self.by_version.update(self.history.versions_of(changed or hit.version_added, hit.version_removed))
        if changed is not None:
            self.changed.add(hit.id)
        if hit.version_removed is not None:
            self.gone.add(hit.id)
        if self.max_hits is None or len(self.hits) < self.max_hits:
            self.hits.append(hit)


def _in_files(
    dataset: Dataset, matcher: Matcher, gone: pl.Series, advance: Callable[[int], None], unread: Unread
) -> tuple[int, dict[str, _InFiles], set[str], set[str]]:
    """Look through the dataset's own files.

    Returns: records; place (see `place_key`) -> what was found; which fields there are; which of the ids `gone` are
    there all the same. What cannot be read is told to `unread`.
    """
    n_records, gone_there = 0, set[str]()
    found: dict[str, _InFiles] = {}
    fields: set[str] = set()
    for number, (variant, needs) in enumerate(variants(dataset, _needs(dataset, matcher))):
        for batch in variant.content(tuple(dict.fromkeys(("id", "licence", "licence_url", *needs)))):
            advance(batch.size)
            unread.take(batch.faults if number == 0 else ())
            n_records += batch.size if number == 0 else 0
            fields |= _present(batch, matcher)
            if len(gone) and (ids := text_column(batch, "id")) is not None:
                gone_there |= set(ids.filter(ids.is_in(gone.implode())).to_list())
            matches = list(matcher.find(batch))
            licences = licence_texts(batch) if matches else None
            for row, found_by in matches:
                licence = told_licence(licences[row].as_py()) if licences is not None else None
                there = _InFiles(batch.id_of(row), batch.place_of(row), found_by, licence)
                found.setdefault(place_key(batch, row), there)
    return n_records, found, fields, gone_there


def _needs(dataset: Dataset, matcher: Matcher) -> Sequence[str]:
    """Give what to read of the files; pictures only where nothing else holds their hashes."""
    if not isinstance(matcher, PictureFinder):
        return matcher.needs
    without = tuple(name for name in matcher.needs if name != "image")
    for batch in dataset.facts(("phash",)):
        hashes = text_column(batch, "phash")
        return without if hashes is not None and bool((hashes != "").all()) else matcher.needs
    return matcher.needs


def _present(batch: Batch, matcher: Matcher) -> set[str]:
    return {name for name in matcher.needs if (column := batch.column(name)) is not None and not _is_empty(column)}


def _is_empty(column: Any) -> bool:
    return bool(column.null_count == len(column))


def _hits(batch: Batch, matcher: Matcher, in_files: dict[str, _InFiles]) -> Iterator[tuple[Hit, str | None]]:
    """Give the hits among rows of the manifest's table, each with the version since which its record is as it is.

    Takes those that the files gave out of `in_files`.
    """
    found = dict(matcher.find(batch))
    ids = text_column(batch, "id")
    if ids is None:
        return
    there = _places_of(batch, ids, in_files) if in_files else {}
    for row, key in there.items():
        found.setdefault(row, in_files[key].found_by)
    facts = {name: batch.column(name) for name in FACTS}
    licences = licence_texts(batch) if found else None
    for row in sorted(found):
        fact = {name: None if column is None else column[row].as_py() for name, column in facts.items()}
        is_removed = fact["version_removed"] is not None
        own = in_files.pop(there[row], None) if row in there else None
        licence = None if licences is None else told_licence(licences[row].as_py())
        hit = Hit(
            id=ids[row],
            place=own.place if own else _place(fact["file"], fact["row"]),
            found_by=found[row],
            licence=licence or (own.licence if own else None),
            answers=_answers(fact["decision"]),
            version_added=fact["version_added"],
            version_removed=fact["version_removed"],
            is_in_files=own is not None or not is_removed,
        )
        yield hit, fact["version_changed"]


def _places_of(batch: Batch, ids: pl.Series, in_files: Mapping[str, _InFiles]) -> dict[int, str]:
    """Give row -> place for rows of the table whose record was found in the files.

    A record of the newest version is known by its place; one that was removed by its id, since its place is forgotten.
    """
    import polars as pl

    keys, removed = sidecar_keys(batch), text_column(batch, "version_removed")
    places = {found.id: key for key, found in in_files.items()}
    there: dict[int, str] = {}
    if keys is not None:
        for row in keys.is_in(pl.Series(list(in_files), dtype=pl.String).implode()).arg_true().to_list():
            if removed is None or not removed[row]:
                there[row] = keys[row]
    if removed is not None:
        for row in (removed != "").arg_true().to_list():
            if ids[row] in places:
                there[row] = places[ids[row]]
    return there


def _hit_of(found: _InFiles) -> Hit:
    return Hit(id=found.id, place=found.place, found_by=found.found_by, licence=found.licence)


def place_key(batch: Batch, row: int) -> str:
    """Name the place of a record as the manifest's table does: its file, and its row where the file has several."""
    if batch.keys is not None:
        return f"{batch.file}\0{batch.first + row}" if batch.file else f"{batch.keys[row]}\0"
    return f"{batch.file}\0{batch.line_of(row)}"


def sidecar_keys(batch: Batch) -> pl.Series | None:
    """Give the same for rows of the manifest's table."""
    files, rows = text_column(batch, "file"), text_column(batch, "row")
    return None if files is None or rows is None else files + "\0" + rows


def _place(file: object, row: object) -> str:
    return f"{file}:{row}" if file and row is not None else str(file or "")


def _answers(decision: object) -> dict[Any, Any]:
    """Read what the table holds: [{use, answer}], of known words only."""
    rows = decision if isinstance(decision, list) else []
    pairs = ((row.get("use"), row.get("answer")) for row in rows if isinstance(row, Mapping))
    return {use: answer for use, answer in pairs if use in USES and answer in ("allow", "deny", "unknown")}


def _n_removed(batch: Batch) -> int:
    column = batch.column("version_removed")
    return 0 if column is None else len(column) - int(column.null_count)
