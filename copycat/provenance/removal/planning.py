"""What a removal is to do: which records, begun or new, which others hold the same, and where the files hold them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from copycat.errors import DataError, UnknownNameError, UserError, first_faults, near_names
from copycat.provenance.dataset import Dataset
from copycat.provenance.lookup.records import ModelUse
from copycat.provenance.manifest import Manifest, open_manifest
from copycat.provenance.removal.finding import Place, Places, Targets, find_records
from copycat.provenance.removal.log import require_sound_log
from copycat.provenance.removal.records import Content, LogLine, Options

Tell = Callable[[int], None]
COLUMNS = ("id", "file", "row", "sha256", "phash", "version_added", "version_removed", "tombstone_reason")


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
        return {row_key(row): name for name, row in self.rows.items()}


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
        places={row_key(rows[name]): rows[name]["sha256"] for name in plan.ids + plan.pending},
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


def require_versions(manifest: Manifest, models: Sequence[ModelUse]) -> None:
    """Stop where a model is said to be trained on a version that is not there.

    Raises:
        UnknownNameError: there is no such version.
    """
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


def row_key(row: Mapping[str, Any]) -> str:
    """Name the place of a row as `lookup.place_key` does."""
    return f"{row['file']}\0{'' if row['row'] is None else row['row']}"
