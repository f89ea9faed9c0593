"""Remove records: log first, then the manifest, then the files, then everything derived; the same command goes on.

1. The log says what is to be removed, on the disk, before anything else changes.
2. What the sidecar holds of the records is scrubbed (`scrubbing`), history included.
3. With `rewrite`, data files are written without them (`rewriting`), each in one step.
4. The manifest gets a version without them (`manifest.write_manifest`), in one step.

A removal that was killed after 1 is finished by the next one, whatever it is asked for: what the log says and the table
does not. Before 1, nothing has happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from copycat.errors import DataError, UnknownNameError, UserError, first_faults, near_names
from copycat.provenance.dataset import Dataset, open_dataset
from copycat.provenance.lookup.records import ModelUse
from copycat.provenance.lookup.versions import History
from copycat.provenance.manifest import Manifest, Order, has_manifest, open_manifest, write_manifest
from copycat.provenance.removal.around import count_after, count_before, known_models, planned
from copycat.provenance.removal.exposure import Counting
from copycat.provenance.removal.finding import Place, Places, Targets, find_records
from copycat.provenance.removal.log import append_log, require_sound_log
from copycat.provenance.removal.records import Content, Holding, LogLine, Options, Removal
from copycat.provenance.removal.rewriting import rewrite_files
from copycat.provenance.removal.scrubbing import scrub

Tell = Callable[[int], None]
COLUMNS = ("id", "file", "row", "sha256", "phash", "version_added", "version_removed", "tombstone_reason")
MAX_REASON = 500


@dataclass
class Plan:
    """What is to be done with one dataset.

    Attributes:
        rows: id -> its row of the sidecar, for all ids that are asked for or logged.
        ids: to be removed now. twins: of these, those with the same content as another. pending: begun earlier.
        lines: the log as it is. found: where the files hold records that are or were removed.
    """

    dataset: Dataset
    manifest: Manifest
    lines: list[LogLine]
    rows: Mapping[str, Mapping[str, Any]]
    ids: list[str] = field(default_factory=list)
    twins: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    found: Places = field(default_factory=Places)

    @property
    def content(self) -> dict[str, Content]:
        """Say of each id whether its hash tells its content from all others."""
        return {self.id_at(place): "short" if place.is_short else "whole" for place in self.found.places}

    def id_at(self, place: Place) -> str:
        """Give the id of a record that was found: its own, or that of the sidecar's row for its place."""
        return place.id or self._by_place.get(place.key, "")

    @property
    def _by_place(self) -> dict[str, str]:
        return {_key(row): name for name, row in self.rows.items()}


def remove(
    dataset: Dataset,
    ids: Collection[str],
    reason: str,
    as_of: date,
    options: Options | None = None,
    *,
    counting: Counting | None = None,
    tell: Tell = lambda records: None,
) -> Removal:
    """Remove records from a dataset, and from what is derived from it.

    Args:
        ids: of the manifest. reason: is kept in the log and the table; it should name nobody.
        as_of: the day. counting: what to count in the versions before and after; see `exposure`.
        tell: is told of how many more records were read.

    Raises:
        DataError: there is no manifest, an id is unknown, the log was changed, or a record cannot be read.
        UserError: the reason is empty, a derived dataset is the dataset itself, or a model's version is not there.
    """
    options, counting = options or Options(), counting or Counting()
    reason = " ".join(reason.split())
    if not reason or len(reason) > MAX_REASON:
        raise UserError(f"--reason has {len(reason)} letters\n  needed: why, in 1 to {MAX_REASON}, naming nobody")
    derived = _opened_derived(dataset, options)
    plan = plan_removal(dataset, ids, options, tell)
    _require_versions(plan.manifest, counting.models)
    lines = _lines(plan, reason, as_of, options)
    done = _done(plan, options, known_models(dataset.sidecar, counting))
    targets = derived_targets(plan.lines + lines, options)
    if options.dry_run:
        more = [holding for each in derived for holding in _holding(each, find_records(each, targets, tell), options)]
        exposure = planned(dataset, plan.manifest, plan.ids, counting, tell)
        update = {"holding": (*done.holding, *more), "is_dry_run": True, "exposure": exposure, "n_left": 0}
        return done.model_copy(update=update)
    count_before(dataset, plan.manifest, counting, is_resumed=bool(plan.pending), tell=tell)
    if lines:
        append_log(dataset.sidecar, lines)
    version = _apply(plan, plan.lines + lines, as_of, options)
    exposure = count_after(dataset, plan.manifest.last.version, counting, tell)
    done = done.model_copy(update={"version": version, "exposure": exposure})
    more = [holding for each in derived for holding in _remove_derived(each, targets, reason, as_of, options)]
    left = sum(each.by_id + each.by_content for each in (*done.holding, *more) if not each.is_rewritten)
    whole = sorted({each.dataset for each in more if not each.is_rewritten}) if options.rewrite else []
    notes = tuple(f"{name} would lose all its records, or its manifest is out of date: it was left" for name in whole)
    return done.model_copy(update={"holding": (*done.holding, *more), "n_left": left, "notes": notes})


def plan_removal(dataset: Dataset, ids: Collection[str], options: Options, tell: Tell = lambda records: None) -> Plan:
    """Find out what is to be done; changes nothing. Reads the table once or twice and the files once."""
    manifest = open_manifest(dataset)
    lines = require_sound_log(dataset.sidecar)
    logged = {line.id for line in lines}
    rows = _rows(manifest, {*ids, *logged})
    _require_known(ids, rows, manifest)
    plan = Plan(dataset, manifest, lines, rows)
    plan.pending = [name for name in logged if name in rows and rows[name]["tombstone_reason"] is None]
    plan.already = sorted(set(ids) & logged - set(plan.pending))
    plan.ids = sorted(set(ids) - logged)
    meant = {*plan.ids, *plan.pending} | (logged if options.rewrite else set())
    targets = Targets(
        ids=frozenset(meant),
        hashes=frozenset(rows[name]["sha256"] for name in meant if name in rows and rows[name]["sha256"]),
        places={_key(rows[name]): rows[name]["sha256"] for name in plan.ids + plan.pending},
    )
    plan.found = find_records(dataset, targets, tell)
    if plan.found.faults and not options.lossy and (plan.ids or plan.pending):
        said = [f"{fault.evidence.place}: {fault.said}" for fault in plan.found.faults]
        raise DataError(first_faults(said), "  mend them, or go on without what cannot be read: --lossy")
    _add_twins(plan, logged, set(targets.hashes))
    n_live = sum(plan.rows[name]["version_removed"] is None for name in (*plan.ids, *plan.pending))
    if plan.ids and n_live >= manifest.last.n_records:
        raise UserError(
            f"{dataset.name}: none of its {manifest.last.n_records:,} records would be left\n"
            "  nothing was removed; to end a dataset, take its files offline, and keep the manifest and the log"
        )
    return plan


def _rows(manifest: Manifest, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(ids), pa.string())
    found: dict[str, dict[str, Any]] = {}
    for table in manifest.all_rows(COLUMNS):
        for row in table.filter(pc.is_in(table["id"], wanted)).to_pylist():
            found[row["id"]] = row
    return found


def _require_known(ids: Collection[str], rows: Mapping[str, Any], manifest: Manifest) -> None:
    unknown = [name for name in ids if name not in rows]
    if not unknown:
        return
    known = [name for table in manifest.all_rows(("id",)) for name in table["id"].to_pylist()][:100_000]
    faults = []
    for name in unknown[:10]:
        close = near_names(name, known) if len(known) < 20_000 else []
        faults.append(f"there is no record '{name}'" + (f"; near it: {', '.join(close)}" if close else ""))
    more = [f"and {len(unknown) - 10} more"] if len(unknown) > 10 else []
    raise DataError(
        [*faults, *more],
        "  nothing was removed; look ids up: python -m copycat.provenance lookup DATASET --domain, --name, ...",
    )


def _require_versions(manifest: Manifest, models: Sequence[ModelUse]) -> None:
    versions = [each.version for each in manifest.versions]
    for model in models:
        if model.version not in versions:
            raise UnknownNameError("version", model.version, versions, f"--model {model.model}={versions[-1]}")


def _add_twins(plan: Plan, logged: set[str], meant_hashes: set[str | None]) -> None:
    """Take in live records with the same content as one that is removed now, if that content is nobody else's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    now = {*plan.ids, *plan.pending}
    hashes = {place.sha256 for place in plan.found.places if not place.is_short} & meant_hashes
    hashes |= {plan.rows[name]["sha256"] for name in now if plan.rows[name]["phash"]}
    wanted = pa.array(sorted(each for each in hashes if each), pa.string())
    rows = dict(plan.rows)
    for table in plan.manifest.all_rows(COLUMNS):
        for row in table.filter(pc.is_in(table["sha256"], wanted)).to_pylist():
            if row["version_removed"] is None and row["id"] not in now and row["id"] not in logged:
                rows[row["id"]] = row
                plan.twins.append(row["id"])
    plan.rows = rows
    plan.ids = sorted({*plan.ids, *plan.twins})


def _key(row: Mapping[str, Any]) -> str:
    """Name the place of a row as `lookup.place_key` does."""
    return f"{row['file']}\0{'' if row['row'] is None else row['row']}"


def _lines(plan: Plan, reason: str, as_of: date, options: Options) -> list[LogLine]:
    content = plan.content
    phashes = {plan.id_at(place): place.phash for place in plan.found.places if place.phash}
    lines = []
    for name in plan.ids:
        row = plan.rows[name]
        lines.append(
            LogLine(
                id=name,
                sha256=None if options.forget_hash else row["sha256"],
                phash=None if options.forget_hash else row["phash"] or phashes.get(name),
                content=content.get(name, "whole" if row["phash"] else "unseen"),
                reason=reason,
                by="content" if name in plan.twins else options.by,
                from_version=plan.manifest.last.version,
                as_of=as_of,
            )
        )
    return lines


def _apply(plan: Plan, lines: Sequence[LogLine], as_of: date, options: Options) -> str:
    """Do what the log says, as far as it is not done; gives the newest version's name."""
    dataset, tombstones = plan.dataset, {line.id: line for line in lines}
    scrub(plan.manifest, tombstones)
    if options.rewrite and plan.found.places:
        rewrite_files(dataset, plan.found.places)
        dataset = open_dataset(dataset.root, dataset.columns)
    if not (plan.ids or plan.pending or (options.rewrite and plan.found.places)):
        return plan.manifest.last.version
    reasons = {name: line.reason for name, line in tombstones.items()}
    order = Order(as_of=as_of, tombstones=reasons, lossy=options.lossy)
    manifest = write_manifest(dataset, order).manifest
    scrub(manifest, tombstones)  # gives the reason to rows that had gone before they were asked for
    return manifest.last.version


def _done(plan: Plan, options: Options, models: Sequence[ModelUse]) -> Removal:
    return Removal(
        dataset=plan.dataset.name,
        ids=tuple(plan.ids),
        n_same_content=len(plan.twins),
        already=tuple(plan.already),
        n_resumed=len(plan.pending),
        from_version=plan.manifest.last.version,
        version=plan.manifest.last.version,
        holding=tuple(_holding(plan.dataset, plan.found, options)),
        n_short=sum(content == "short" for content in plan.content.values()),
        n_left=0 if options.rewrite else len(plan.found.places),
        models=_trained_on(plan, models),
    )


def _trained_on(plan: Plan, models: Sequence[ModelUse]) -> tuple[ModelUse, ...]:
    """Give the models, each with how many of the records that are asked for its version held."""
    history = History(tuple(each.version for each in plan.manifest.versions), None, tuple(models))
    asked = [plan.rows[name] for name in {*plan.ids, *plan.already, *plan.pending}]
    held = Counter(each for row in asked for each in history.versions_of(row["version_added"], row["version_removed"]))
    return history.models_with(held)


def _holding(dataset: Dataset, found: Places, options: Options) -> list[Holding]:
    by_id, by_content = Counter[str](), Counter[str]()
    for place in found.places:
        (by_id if place.is_by_id else by_content)[place.file] += 1
    return [
        Holding(
            dataset=dataset.name,
            file=file,
            by_id=by_id[file],
            by_content=by_content[file],
            is_rewritten=options.rewrite and not options.dry_run,
        )
        for file in sorted({*by_id, *by_content})
    ]


# ---------------------------------------------------------------------------- derived datasets


def _opened_derived(dataset: Dataset, options: Options) -> list[Dataset]:
    opened = [open_dataset(path) for path in options.derived]
    for each in opened:
        if each.root.resolve() == dataset.root.resolve():
            raise UserError(f"--derived {each.root} is the dataset itself\n  needed: a dataset made from it")
    return opened


def derived_targets(lines: Sequence[LogLine], options: Options) -> Targets:
    """Give what is looked for in derived datasets: everything that was ever removed, by id and by content."""
    return Targets(
        ids=frozenset(line.id for line in lines) if options.derived_by == "id" else frozenset(),
        hashes=frozenset(line.sha256 for line in lines if line.sha256 and line.content == "whole"),
    )


def _remove_derived(dataset: Dataset, targets: Targets, reason: str, as_of: date, options: Options) -> list[Holding]:
    """Remove from a derived dataset what it has of the removed records; with a manifest it gets tombstones, too.

    One that would lose all its records is left as it is. What it says of files is what they hold afterwards.
    """
    found = find_records(dataset, targets)
    holding = _holding(dataset, found, options)
    ids = _ids_of(dataset, found) if has_manifest(dataset) else []
    if found.places and len(found.places) >= found.n_records:
        return [each.model_copy(update={"is_rewritten": False}) for each in holding]
    if has_manifest(dataset):
        own = Options(by="content", rewrite=options.rewrite, forget_hash=options.forget_hash, lossy=options.lossy)
        if ids or require_sound_log(dataset.sidecar):
            remove(dataset, ids, reason, as_of, own)
    elif options.rewrite and found.places:
        rewrite_files(dataset, found.places)
    if not (options.rewrite and found.places):
        return holding
    left = {place.file for place in find_records(open_dataset(dataset.root), targets).places}
    return [each.model_copy(update={"is_rewritten": each.file not in left}) for each in holding]


def _ids_of(dataset: Dataset, found: Places) -> list[str]:
    """Give the ids, in the manifest of a derived dataset, of the records that were found in its files."""
    keys = {place.key for place in found.places}
    ids = {place.id for place in found.places if place.id}
    return [
        row["id"]
        for table in open_manifest(dataset).all_rows(COLUMNS)
        for row in table.to_pylist()
        if row["version_removed"] is None and (row["id"] in ids or _key(row) in keys)
    ]
