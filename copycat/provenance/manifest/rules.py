"""P1 and P2: hashes lead from each record to its source, and a version has the same root on every mirror."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from copycat.provenance.dataset import Batch
from copycat.provenance.dataset.card import load_plain_json
from copycat.provenance.manifest.beside import Compared, ManifestRule, evidence_of
from copycat.provenance.manifest.chains import chain_fault, parent_of
from copycat.provenance.manifest.facts import BLANK, NO
from copycat.provenance.manifest.files import dataset_files, tree_root
from copycat.provenance.manifest.reading import Manifest
from copycat.provenance.manifest.scanning import Scanner, told
from copycat.provenance.manifest.sorting import Sorter
from copycat.provenance.records import (
    MANIFEST_FILE,
    RECORDS_FILE,
    Evidence,
    Finding,
)
from copycat.provenance.rules.rule import MAX_EVIDENCE, Context, Found

RESTORE = "restore the folder from where the version was published"
MEND = "restore the file, or make a new version: python -m copycat.provenance manifest"
RENAMED = (
    "give the records (or files) the ids of the version, or make a new version: python -m copycat.provenance manifest"
)
NO_MANIFEST = "there is no manifest; make one: python -m copycat.provenance manifest"


NOT_MADE = {*NO, *BLANK}
"""What a record says that no model made, or that says nothing; 0.0 is what pandas makes of a no."""


class Reachable(ManifestRule):
    """P1: every record can be reached from its source by hashes.

    The content has the hash that the sidecar, and a column `sha256`, says; the chain of transforms is closed and ends
    in the record; and there is a beginning: an address, a parent, or a model that made it.
    """

    id = "P1"
    severities = ("error", "warning")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.scanner = self.compared.scanner if self.compared else Scanner(context.dataset, Sorter(), facts=False)
        self.n_records = self.n_fitting = 0
        self.other, self.broken, self.unrooted, self.empty = Found(), Found(), Found(), Found()
        self.n_unhashed = 0

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.n_records += batch.size
        if self.compared is not None:
            self.compared.see(batch, self)
        contents = self._stated(batch)
        self._roots(batch, contents)

    def _stated(self, batch: Batch) -> Sequence[str | None]:
        """Compare a column `sha256` with the content; gives the hash of each record as far as it is known."""
        if batch.column("sha256") is None:
            return self.scanner.hasher.hashes(batch)[0] if batch.column("transforms") is not None else ()
        stated = [value.lower() or None for value in batch.texts("sha256")]
        contents, texts = self.scanner.hasher.hashes(batch)
        wrong = []
        for row, said in enumerate(stated):
            if said is None:
                continue
            if said in (contents[row], texts[row]):
                self.n_fitting += 1
            else:
                wrong.append(row)
        self.other.add(batch, wrong, "sha256", [stated[row] for row in wrong])
        return [said or content for said, content in zip(stated, contents, strict=True)]

    def _roots(self, batch: Batch, contents: Sequence[str | None]) -> None:
        """Look at the beginning and the chain of each record."""
        chains = None
        if batch.column("transforms") is not None:
            chains = [opened(value) for value in batch.values("transforms")]
            faults = {row: chain_fault(chain, contents[row]) for row, chain in enumerate(chains) if chain is not None}
            broken = [row for row, fault in faults.items() if fault]
            self.broken.add(batch, broken, "transforms", [faults[row] for row in broken])
        urls, made = batch.text_array("url"), batch.column("synthetic")
        without_url = range(batch.size) if urls is None else _empty(urls)
        models = batch.texts("synthetic") if made is not None and len(without_url) else None
        bare = [
            row
            for row in without_url
            if (chains is None or parent_of(chains[row]) is None)
            and (models is None or models[row].casefold().removesuffix(".0") in NOT_MADE)
        ]
        self.unrooted.add(batch, bare, "url")

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        yield from self.unreadable()
        if self.compared is not None and (counts := self.compared.counts()).changed:
            version = self.compared.manifest.last.version
            yield self.finding(
                "error",
                f"the content of {told(counts.changed)} is not what the manifest says (version {version})",
                MEND,
                *evidence_of(self.compared.changes["changed"]),
                n_records=counts.changed,
            )
        if self.broken:
            yield self.finding(
                "error",
                f"the chain of transforms of {told(self.broken.n_records)} is broken",
                "record each step with in_sha (what it took) and out_sha (what it gave), up to the record itself",
                *self.broken.evidence,
                n_records=self.broken.n_records,
            )
        yield from self._other()
        if self.unrooted:
            yield self.finding(
                "warning",
                f"no address, no parent and no model that made it is known of {told(self.unrooted.n_records)}",
                "add a column 'url', or 'transforms' whose first in_sha is what was retrieved",
                *self.unrooted.evidence,
                n_records=self.unrooted.n_records,
            )

    def _other(self) -> Iterable[Finding]:
        if not self.other:
            return
        if self.n_fitting:
            yield self.finding(
                "error",
                f"the content of {told(self.other.n_records)} is not what the column 'sha256' says",
                "restore the content, or correct the hash",
                *self.other.evidence,
                n_records=self.other.n_records,
            )
            return
        yield self.finding(
            "warning",
            f"the column 'sha256' is of something else than the content, in {told(self.other.n_records)}",
            "say what the hashes are of; if it is not part of the dataset, they cannot be checked here",
            *self.other.evidence,
            n_records=self.other.n_records,
        )

    def not_applicable(self) -> str | None:
        """Say so where there is no record."""
        return None if self.n_records else "there is no record"

    def passed(self) -> str:
        """Say what was seen."""
        return f"{told(self.n_records)}: each leads back to an address, a parent or a model"


class SameRoot(ManifestRule):
    """P2: the dataset gives the Merkle root of its newest version; if not, the records that differ are named."""

    id = "P2"
    severities = ("error", "warning")

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        if self.compared is not None:
            self.compared.see(batch, self)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        yield from self.unreadable()
        if self.compared is None:
            return
        counts = self.compared.counts()
        yield from self._sidecar(self.compared)
        version = self.compared.manifest.last.version
        for kind, said, advice in (
            ("changed", "the content of {} is not that of version {}", MEND),
            ("removed", "{} of version {} lacking", MEND),
            ("added", "{} more than in version {}", "make a new version: python -m copycat.provenance manifest"),
            ("renamed", "the ids of {} are not those of version {}; the contents are", RENAMED),
        ):
            if count := getattr(counts, kind):
                yield self.finding(
                    "error",
                    said.format(told(count), version),
                    advice,
                    *evidence_of(self.compared.changes[kind]),
                    n_records=count,
                )
        if counts.is_same:
            yield from self._files(self.compared.manifest)

    def _sidecar(self, compared: Compared) -> Iterable[Finding]:
        """Look whether the sidecar itself gives the root that it states."""
        manifest = compared.manifest
        if compared.root != manifest.root:
            yield self.finding(
                "error",
                f"{RECORDS_FILE} gives another root than {MANIFEST_FILE} states for version {manifest.last.version}",
                RESTORE,
                Evidence(file=MANIFEST_FILE, pointer="root", value=f"{manifest.root} stated, {compared.root} computed"),
            )

    def _files(self, manifest: Manifest) -> Iterable[Finding]:
        """Look whether files have other bytes though every record is the same."""
        if manifest.last.files_root is None or self.compared is None:
            return
        files = dataset_files(self.context.dataset, self.compared.scanner.hasher.known)
        if tree_root(files) == manifest.last.files_root:
            return
        before = {file.name: file.sha256 for file in manifest.file.files}
        other = [file for file in files if before.get(file.name) != file.sha256] if before else []
        yield self.finding(
            "warning",
            f"every record has the content of version {manifest.last.version}, and files have other bytes",
            "see whether facts differ: python -m copycat.provenance diff; then make a new version",
            *(Evidence(file=file.name, value=file.sha256) for file in other[:MAX_EVIDENCE]),
        )

    def not_applicable(self) -> str | None:
        """Say why there is nothing to compare with."""
        return NO_MANIFEST if self.compared is None and not self.fault else None

    def passed(self) -> str:
        """Say what was seen."""
        last = None if self.compared is None else self.compared.manifest.last
        return "" if last is None else f"version {last.version} with {told(last.n_records)} and root {last.root}"


def _empty(texts: Any) -> list[int]:
    import numpy as np
    import pyarrow.compute as pc

    rows: list[int] = np.flatnonzero(np.asarray(pc.equal(texts, ""))).tolist()
    return rows


def opened(value: Any) -> Any:
    """Give the steps that a text with JSON holds; everything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return load_plain_json(value.encode("utf-8", "replace")) if value.strip() else None
    except ValueError:
        return value
