"""manifest.json: the versions of a dataset, each with its roots."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from copycat.provenance.manifest.files import FileHash
from copycat.provenance.manifest.ids import Ids
from copycat.schema import Record
from copycat.schema.base import Text

MANIFEST_SCHEMA = 1

MAX_LISTED_FILES = 10_000
"""manifest.json lists the files up to here; the root is over all of them in any case."""


class Version(Record):
    """One version of a dataset.

    Attributes:
        version: its name; date: when the manifest of it was made.
        root: Merkle root, in hex, over its records by id; a leaf is id, sha256 and text_sha256 with NUL between them.
        files_root: Merkle root over its files by name; a leaf is "SHA256 NAME". None where no file was read.
        n_records: that are part of it; n_added, n_removed, n_changed: against the version before.
    """

    version: Text
    date: date
    root: str
    files_root: str | None = None
    n_records: int = Field(ge=0)
    n_added: int = Field(default=0, ge=0)
    n_removed: int = Field(default=0, ge=0)
    n_changed: int = Field(default=0, ge=0)
    rule_version: str


class ManifestFile(Record):
    """manifest.json.

    Attributes:
        kind: how the records lie. ids: where ids come from, see `ids.Ids`.
        columns: standard name -> column, as the user named them for the newest version.
        versions: the oldest first. files: of the newest version, () where there are more than MAX_LISTED_FILES.
    """

    schema_version: int = MANIFEST_SCHEMA
    dataset: str
    kind: str
    ids: Ids = "column"
    columns: dict[str, str] = Field(default_factory=dict)
    versions: tuple[Version, ...] = Field(min_length=1)
    files: tuple[FileHash, ...] = ()
