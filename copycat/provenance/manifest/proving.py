"""Prove that one record is in a version, to somebody who knows nothing but the version's root."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from copycat.errors import DataError, UserError
from copycat.paths import shown
from copycat.provenance.manifest.merkle import Proof, prove, proves
from copycat.provenance.manifest.reading import Manifest
from copycat.provenance.manifest.records import Version
from copycat.provenance.manifest.scanning import LIGHT, leaf_of, leaves
from copycat.schema import Record

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""Nothing else fits between the NULs of a leaf, so that no part of an id can be passed off as a hash."""


class RecordProof(Record):
    """That a record with this id and content is in a version: everything that the check needs but the root itself.

    `root` is what the proof was made for; whoever checks compares with a root from elsewhere.
    """

    id: str
    sha256: Sha256 | None
    text_sha256: Sha256 | None = None
    version: str
    root: str
    proof: Proof


def prove_record(manifest: Manifest, name: str, version: str | None = None) -> RecordProof:
    """Make the proof; needs 32 bytes of memory, and some more, for each record.

    Raises:
        UserError: the version has no such record.
    """
    found, all_leaves = None, []
    for table in manifest.rows(version, LIGHT):
        all_leaves += leaves(table)
        if found is None and name in (ids := table["id"].to_pylist()):
            at = ids.index(name)
            index = len(all_leaves) - len(ids) + at
            found = (index, table["sha256"][at].as_py(), table["text_sha256"][at].as_py())
    about = manifest.version(version)
    if found is None:
        raise UserError(
            f"version {about.version} has no record '{name}'\n"
            f"  ids stand in the column 'id' of {shown(manifest.sidecar / 'records.parquet')}"
        )
    return RecordProof(
        id=name,
        sha256=found[1],
        text_sha256=found[2],
        version=about.version,
        root=about.root,
        proof=prove(all_leaves, found[0]),
    )


def check_proof(manifest: Manifest, proof: RecordProof) -> str | None:
    """Check a proof against a version of the manifest with the proof's root; gives what is wrong, None if it holds.

    A version is known by its root: mirrors may give it other names.
    """
    version = version_of(manifest, proof)
    if version is None:
        named = next((one for one in manifest.versions if one.version == proof.version), None)
        here = f"version {named.version} here has the root {named.root}" if named else "no version here has that root"
        return (
            f"the proof is for version {proof.version} with the root {proof.root}, and {here}: it was made from the "
            "manifest of another dataset, or of a mirror with other ids or contents"
        )
    if not proves(proof.proof, leaf_of(proof.id, proof.sha256, proof.text_sha256), version.root):
        return f"the proof does not lead from record {proof.id} to the root of version {version.version}"
    return None


def version_of(manifest: Manifest, proof: RecordProof) -> Version | None:
    """Give the version that has the proof's root: the one of its name, else the newest; None where none has it."""
    found = [one for one in reversed(manifest.versions) if one.root == proof.root]
    return next((one for one in found if one.version == proof.version), found[0] if found else None)


def read_proof(path: Path) -> RecordProof:
    """Read a proof.

    Raises:
        DataError: it is none.
    """
    try:
        return RecordProof.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DataError(
            [f"{shown(path)}: is no proof: {said}"], "  make one: manifest DATASET --prove ID > proof.json"
        ) from error
