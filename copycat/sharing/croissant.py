"""croissant.json: what a dataset holds, for machines (Croissant 1.1 with its extension for responsible AI)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from copycat.sharing.parquet import WrittenTable

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "annotation": "cr:annotation",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "excludes": "cr:excludes",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "readLines": "cr:readLines",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "sdVersion": "cr:sdVersion",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
    "unArchive": "cr:unArchive",
    "value": "cr:value",
}
"""The context of the specification (1.1, 29 January 2026, appendix 1), which asks for it word by word."""

CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
CITE = (
    "@misc{copycat, title={Fantastic Copyrighted Beasts and How (Not) to Generate Them}, "
    "eprint={2406.14526}, archivePrefix={arXiv}, year={2024}}"
)
"""The work whose characters and questions these are."""


class About(NamedTuple):
    """What is said of a dataset as a whole.

    `rai` holds properties of the extension, such as "dataLimitations"; `columns` says what a column means.
    """

    name: str
    title: str
    description: str
    licence: str
    version: str
    rai: Mapping[str, str]
    columns: Mapping[str, str]
    keywords: Sequence[str]
    url: str | None = None
    date: str | None = None


def build_croissant(about: About, tables: Sequence[WrittenTable]) -> dict[str, Any]:
    """Give the JSON-LD of a dataset of Parquet files."""
    stated = {"url": about.url, "datePublished": about.date}
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "alternateName": about.title,
        "description": about.description,
        "license": about.licence,
        "version": about.version,
        "citeAs": CITE,
        "inLanguage": "en",
        "keywords": list(about.keywords),
        "isLiveDataset": False,
        **{name: value for name, value in stated.items() if value is not None},
        **{f"rai:{name}": value for name, value in about.rai.items()},
        "distribution": [_file(table) for table in tables],
        "recordSet": [_record_set(table, about.columns) for table in tables],
    }


def _file(table: WrittenTable) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{table.title}.parquet",
        "name": f"{table.title}.parquet",
        "description": f"configuration '{table.config}', split '{table.split}'",
        "contentUrl": table.path,
        "encodingFormat": "application/x-parquet",
        "sha256": table.sha256,
    }


def _record_set(table: WrittenTable, meanings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table.title,
        "name": table.title,
        "description": f"{table.n_rows} rows of configuration '{table.config}', split '{table.split}'",
        "field": list(_fields(table, meanings)),
    }


def _fields(table: WrittenTable, meanings: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    from pyarrow import types

    for column in table.schema:
        source: dict[str, Any] = {
            "fileObject": {"@id": f"{table.title}.parquet"},
            "extract": {"column": column.name},
        }
        is_picture = column.name == "image" and types.is_struct(column.type)
        if is_picture:
            source["transform"] = {"jsonPath": "bytes"}
        is_list = types.is_list(column.type)
        yield {
            "@type": "cr:Field",
            "@id": f"{table.title}/{column.name}",
            "name": column.name,
            "description": meanings.get(column.name, column.name),
            "dataType": "sc:ImageObject" if is_picture else _type(column.type.value_type if is_list else column.type),
            **({"isArray": True, "arrayShape": "-1"} if is_list else {}),
            "source": source,
        }


def _type(kind: Any) -> str:
    from pyarrow import types

    if types.is_boolean(kind):
        return "sc:Boolean"
    if types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if types.is_floating(kind) else "sc:Text"
