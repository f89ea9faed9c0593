"""croissant.json of a sidecar: Croissant 1.1 (29 January 2026), its RAI vocabulary, PROV-O, and usageInfo with ODRL."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from copycat import __version__
from copycat.paths import file_sha256
from copycat.provenance.manifest.content import record_sha256
from copycat.provenance.manifest.publishing import unfinished
from copycat.provenance.manifest.stated import missing_properties, stated_properties
from copycat.provenance.records import RECORDS_FILE, sidecar_schema
from copycat.sharing.croissant import CONFORMS_TO, CONTEXT

if TYPE_CHECKING:
    from copycat.provenance.dataset import Dataset
    from copycat.provenance.manifest.records import ManifestFile

CONTEXT_WITH_PROVENANCE: dict[str, Any] = CONTEXT | {
    "prov": "http://www.w3.org/ns/prov#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "duo": "http://purl.obolibrary.org/obo/DUO_",
}
"""The context of the specification, and the vocabularies that it names for provenance and conditions of use."""

FORMATS = {
    "parquet": "application/x-parquet",
    "jsonl": "application/jsonlines",
    "csv": "text/csv",
    "webdataset": "application/x-tar",
}
MAX_FILES = 500
"""Files that are described one by one; more of them are described by their endings."""

VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)(\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)?)?")

MEANINGS = {
    "id": "names the record; never used again",
    "file": "the file that holds it",
    "row": "its row or line in that file, from 1",
    "split": "split of the dataset",
    "sha256": "sha256 of its content",
    "text_sha256": "sha256 of the text beside a picture",
    "phash": "perceptual hash of the picture, 64 bits in hex",
    "url": "where it was retrieved",
    "retrieved_at": "when it was retrieved",
    "http_status": "status of the answer",
    "licence": "licence of the record, an SPDX expression",
    "author": "its author",
    "title": "its title",
    "synthetic": "the model that made it, none for no model; null where nobody says",
    "rule_version": "version of the rules by which signals were read",
    "language": "its language",
    "source": "the collection it is from",
    "version_added": "the version in which it came",
    "version_changed": "the version since which it is as it is",
    "version_removed": "the first version without it",
    "tombstone_reason": "why it was removed",
}
"""Column of records.parquet -> what it says. Lists of structs have no type in Croissant and are not told."""

RECORDS_SET = "records"
PLAIN_ID = re.compile(r"[\w./+=@-]+")
"""Names of files that can be part of an address as they are; mlcroissant refuses blanks in an @id, escaped ones too."""

INSIDE = {"licence": "spdx", "synthetic": "model"}
SAME_AS = {"url": "prov:wasDerivedFrom", "author": "prov:wasAttributedTo", "retrieved_at": "prov:generatedAtTime"}


def describe(dataset: Dataset, file: ManifestFile, typed: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Give the JSON-LD of a dataset's newest version, and what Croissant asks for and nobody stated.

    The next records.parquet must have been written. The same dataset and version give the same bytes.
    """
    version = file.versions[-1]
    number = version.version.removeprefix("v")
    found = stated_properties(dataset, typed)
    found["dateModified"] = version.date.isoformat()
    found["version"] = number
    missing = list(missing_properties(found))
    if not VERSION.fullmatch(number):
        missing.append("version (MAJOR.MINOR.PATCH)")
    jsonld = {
        "@context": CONTEXT_WITH_PROVENANCE,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        **found,
        "isLiveDataset": False,
        "distribution": [*_data_files(dataset, file), _records_file(dataset, file)],
        "recordSet": [_records_set()],
    }
    return jsonld, tuple(missing)


def _data_files(dataset: Dataset, file: ManifestFile) -> Iterator[dict[str, Any]]:
    above = _posix(os.path.relpath(dataset.folder.resolve(), dataset.sidecar.resolve()))
    if not 0 < len(file.files) <= MAX_FILES:
        yield from _file_sets(dataset, above)
        return
    for each in file.files:
        yield {
            "@type": "cr:FileObject",
            "@id": _node_id(each.name),
            "name": each.name,
            "contentUrl": f"{above}/{each.name}",
            "contentSize": f"{each.size} B",
            "encodingFormat": _format(each.name, dataset.kind),
            "sha256": each.sha256,
        }


def _node_id(name: str) -> str:
    """Name a file in the JSON-LD: by its name, where that is a plain one that nothing else here has."""
    is_taken = name in (RECORDS_FILE, RECORDS_SET) or name.startswith(f"{RECORDS_SET}/")
    return name if PLAIN_ID.fullmatch(name) and not is_taken else f"file-{record_sha256(name)[:16]}"


def _file_sets(dataset: Dataset, above: str) -> Iterator[dict[str, Any]]:
    endings = sorted({file.path.suffix.lower() for file in dataset.files})
    for ending in endings:
        yield {
            "@type": "cr:FileSet",
            "@id": _node_id(f"files{ending}"),
            "name": f"files{ending}",
            "encodingFormat": _format(f"x{ending}", dataset.kind),
            "includes": f"{above}/**/*{ending}",
        }


def _posix(path: str) -> str:
    return path.replace(os.sep, "/")


def _format(name: str, kind: str) -> str:
    from mimetypes import guess_type

    if name.endswith(".gz"):
        return "application/gzip"
    return FORMATS.get(kind) or guess_type(name, strict=False)[0] or "application/octet-stream"


def _records_file(dataset: Dataset, file: ManifestFile) -> dict[str, Any]:
    version = file.versions[-1]
    return {
        "@type": "cr:FileObject",
        "@id": RECORDS_FILE,
        "name": RECORDS_FILE,
        "description": f"where each record comes from; Merkle root of version {version.version}: {version.root}",
        "contentUrl": RECORDS_FILE,
        "encodingFormat": FORMATS["parquet"],
        "sha256": file_sha256(unfinished(dataset.sidecar, RECORDS_FILE)),
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": "python -m copycat.provenance manifest",
            "prov:endedAtTime": version.date.isoformat(),
        },
        "prov:wasAttributedTo": {"@type": "prov:SoftwareAgent", "prov:label": f"copycat {__version__}"},
    }


def _records_set() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": RECORDS_SET,
        "name": RECORDS_SET,
        "description": "one row for each record of every version",
        "key": {"@id": f"{RECORDS_SET}/id"},
        "field": list(_fields()),
    }


def _fields() -> Iterator[dict[str, Any]]:
    from pyarrow import types

    for column in sidecar_schema():
        if column.name not in MEANINGS:
            continue
        source: dict[str, Any] = {"fileObject": {"@id": RECORDS_FILE}, "extract": {"column": column.name}}
        if column.name in INSIDE:
            source["transform"] = {"jsonPath": INSIDE[column.name]}
        yield {
            "@type": "cr:Field",
            "@id": f"{RECORDS_SET}/{column.name}",
            "name": column.name,
            "description": MEANINGS[column.name],
            "dataType": "sc:Integer" if types.is_integer(column.type) else "sc:Text",
            **({"equivalentProperty": SAME_AS[column.name]} if column.name in SAME_AS else {}),
            "source": source,
        }
