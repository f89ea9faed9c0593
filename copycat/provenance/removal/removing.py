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
from collections.abc import Collection, Sequence
from datetime import date

from copycat.errors import UserError
from copycat.provenance.dataset import Dataset, open_dataset
from copycat.provenance.lookup.records import ModelUse
from copycat.provenance.lookup.versions import History
from copycat.provenance.manifest import Order, has_manifest, open_manifest, write_manifest
from copycat.provenance.removal.around import count_after, count_before, known_models, planned
from copycat.provenance.removal.exposure import Counting
from copycat.provenance.removal.finding import Places, Targets, find_records
from copycat.provenance.removal.log import append_log, require_sound_log
from copycat.provenance.removal.planning import COLUMNS, Plan, Tell, plan_removal, require_versions, row_key
from copycat.provenance.removal.records import Holding, LogLine, Options, Removal
from copycat.provenance.removal.rewriting import rewrite_files
from copycat.provenance.removal.scrubbing import scrub

MAX_REASON = 500


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
    require_versions(plan.manifest, counting.models)
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
        if row["version_removed"] is None and (row["id"] in ids or row_key(row) in keys)
    ]
