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
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from copycat.errors import UserError
from copycat.provenance.dataset import Dataset, open_dataset
from copycat.provenance.lookup.records import ModelUse
from copycat.provenance.lookup.versions import History
from copycat.provenance.manifest import Order, has_manifest, open_manifest, write_manifest
from copycat.provenance.removal.around import count_after, count_before, known_models, planned
from copycat.provenance.removal.derived import (
    There,
    derived_targets,
    holding_of,
    opened_derived,
    unread_of,
    with_derived,
    would_remove,
)
from copycat.provenance.removal.exposure import Counting
from copycat.provenance.removal.finding import Places, Targets, find_records
from copycat.provenance.removal.log import append_log, require_sound_log
from copycat.provenance.removal.planning import COLUMNS, Plan, Tell, plan_removal, require_versions, row_key
from copycat.provenance.removal.records import LogLine, Options, Removal
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
        DataError: there is no manifest, an id is unknown, the log was changed, or a record, here or in a derived
            dataset, cannot be read.
        UserError: the reason is empty, a derived dataset is the dataset itself, or a model's version is not there.
    """
    options, counting = options or Options(), counting or Counting()
    reason = " ".join(reason.split())
    if not reason or len(reason) > MAX_REASON:
        raise UserError(f"--reason has {len(reason)} letters\n  needed: why, in 1 to {MAX_REASON}, naming nobody")
    derived = opened_derived(dataset, options)
    plan = plan_removal(dataset, ids, options, tell)
    require_versions(plan.manifest, counting.models)
    lines = _lines(plan, reason, as_of, options)
    done = _done(plan, options, known_models(dataset.sidecar, counting))
    targets = derived_targets(plan.lines + lines, options)
    if options.dry_run:
        planned_there = [would_remove(each, targets, options, tell) for each in derived]
        exposure = planned(dataset, plan.manifest, plan.ids, counting, tell)
        done = done.model_copy(update={"is_dry_run": True, "exposure": exposure})
        return with_derived(done, planned_there).model_copy(update={"n_left": 0})
    count_before(dataset, plan.manifest, counting, is_resumed=bool(plan.pending), tell=tell)
    if lines:
        append_log(dataset.sidecar, lines)
    version, changed = _apply(plan, plan.lines + lines, as_of, options)
    exposure = count_after(dataset, plan.manifest.last.version, counting, tell)
    beside = tuple(sorted(set(changed) - {each.file for each in done.holding}))
    done = done.model_copy(update={"version": version, "exposure": exposure, "beside": beside})
    done = done.model_copy(update={"notes": tuple(_of_card(plan, done))})
    return with_derived(done, [_remove_derived(each, targets, reason, as_of, options) for each in derived])


def _of_card(plan: Plan, done: Removal) -> Iterator[str]:
    """Say that the card has not changed, where there is one and records have left."""
    card, before = plan.dataset.card, plan.manifest.last.n_records
    now = open_manifest(plan.dataset).last.n_records
    if card.file and now != before:
        yield (
            f"{card.file} is as it was: mend what it says of the number of records ({before:,} before, {now:,} now), "
            "and of splits and shares; check --rules D1 finds it"
        )


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


def _apply(plan: Plan, lines: Sequence[LogLine], as_of: date, options: Options) -> tuple[str, list[str]]:
    """Do what the log says, as far as it is not done; gives the newest version's name, and the files changed."""
    changed: list[str] = []
    dataset, tombstones = plan.dataset, {line.id: line for line in lines}
    scrub(plan.manifest, tombstones)
    if options.rewrite and plan.found.places:
        changed = rewrite_files(dataset, plan.found.places)
        dataset = open_dataset(dataset.root, dataset.columns)
    if not (plan.ids or plan.pending or (options.rewrite and plan.found.places)):
        return plan.manifest.last.version, changed
    reasons = {name: line.reason for name, line in tombstones.items()}
    order = Order(as_of=as_of, tombstones=reasons, lossy=options.lossy)
    manifest = write_manifest(dataset, order).manifest
    scrub(manifest, tombstones)  # gives the reason to rows that had gone before they were asked for
    return manifest.last.version, changed


def _done(plan: Plan, options: Options, models: Sequence[ModelUse]) -> Removal:
    return Removal(
        dataset=plan.dataset.name,
        ids=tuple(plan.ids),
        n_same_content=len(plan.twins),
        already=tuple(plan.already),
        n_resumed=len(plan.pending),
        from_version=plan.manifest.last.version,
        version=plan.manifest.last.version,
        holding=tuple(holding_of(plan.dataset, plan.found, options)),
        n_pictures=sum(bool(place.phash) for place in plan.found.places),
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


def _remove_derived(dataset: Dataset, targets: Targets, reason: str, as_of: date, options: Options) -> There:
    """Remove from a derived dataset what it has of the removed records; with a manifest it gets tombstones, too.

    One that would lose all its records, or that cannot be read whole, is left as it is. What it says of files is what
    they hold afterwards.
    """
    found = find_records(dataset, targets)
    there = There(holding_of(dataset, found, options), *unread_of(dataset, found))
    if there.n_unread and not options.lossy:
        return there.left()
    if found.places and len(found.places) >= found.n_records:
        return there.left("it would lose all its records, and was left" if options.rewrite else "")
    if has_manifest(dataset):
        ids = _ids_of(dataset, found)
        own = Options(by="content", rewrite=options.rewrite, forget_hash=options.forget_hash, lossy=options.lossy)
        if ids or require_sound_log(dataset.sidecar):
            remove(dataset, ids, reason, as_of, own)
    elif options.rewrite and found.places:
        rewrite_files(dataset, found.places)
    if not (options.rewrite and found.places):
        return there
    left = {place.file for place in find_records(open_dataset(dataset.root), targets).places}
    return there.left("its manifest is out of date, and some records were left", left) if left else there


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
