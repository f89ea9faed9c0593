"""What passes through a look-up: what is asked, and what is answered."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from pydantic import Field

from copycat.provenance.records import Answer, Use
from copycat.schema import Record
from copycat.schema.base import Text

Kind = Literal["name", "domain", "picture", "text", "id"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a dataset can be asked by."""


class Query(Record):
    """What somebody asks of a dataset; make it with `queries.make_query`, which refuses what is too broad.

    Attributes:
        asked: what they gave, in one line: a name, a domain, words, an id, the name of a picture's file.
        words: the folded words of a name or a text. hosts: the spellings of a domain in ASCII.
        sha256, phashes: of a picture: its bytes, and 64 bits of it and of its mirror image, in hex; none for a picture
            without enough in it to tell (one colour), which is found by its bytes alone.
        max_distance: bits in which the hash of a picture may differ.
    """

    kind: Kind
    asked: Text
    words: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    sha256: str = ""
    phashes: tuple[str, ...] = ()
    max_distance: int = Field(default=0, ge=0, le=64)


class Hit(Record):
    """One record that was found. It holds nothing else of the record: see `looking`.

    Attributes:
        id: by which its removal can be asked for. place: where it lies in the dataset.
        found_by: the fields that what was asked stands in, or how near a picture is.
        licence: an SPDX expression, however the dataset writes it; None: unknown, or none that is known.
        answers: what the signals recorded of it say, by use; a use that is not there is unknown.
        version_added, version_removed: None where no manifest tells.
        is_in_files: it lies in the files of the dataset.
    """

    id: str
    place: str
    found_by: str
    licence: str | None = None
    answers: dict[Use, Answer] = Field(default_factory=dict)
    version_added: str | None = None
    version_removed: str | None = None
    is_in_files: bool = True


class ModelUse(Record):
    """A model that was trained on a version, and how many of the records found are part of it.

    `is_at_least`: it may be more, since not all of the version is known any more.
    """

    model: Text
    version: Text
    date: str | None = None
    n_records: int = 0
    is_at_least: bool = False


class LookupAnswer(Record):
    """The answer to a query, which is also its receipt.

    Attributes:
        n_records: records that were looked at. n_found: of which so many were found; n_now of them are in it now.
        n_unread: places and pictures that could not be read, so that finding nothing does not cover them.
        by_version: version -> how many of them are part of it, in the order of the versions; at least, where
            `unsearched` has the version.
        unsearched: version -> its records that are gone or changed since, and of which too little is kept to be looked
            in; versions without such are not there.
        hits: the first of them, in the order of the dataset.
        looked_in: the fields that were read. not_looked: what could not be looked at, and why, one sentence each.
        version, root: of the newest version of the manifest; None without one.
        counted: of a name that was counted around a removal (`removal.exposure`), version -> pictures whose captions
            named it: what is known of records that are gone by now. counted_at_least: of versions that could not be
            counted whole, what was left of them.
        contact: where removal is asked for, as the card says; "" where it says nothing.
    """

    query: Query
    dataset: Text
    as_of: date
    n_records: int
    n_found: int
    n_now: int
    n_unread: int = 0
    by_version: dict[str, int] = Field(default_factory=dict)
    unsearched: dict[str, int] = Field(default_factory=dict)
    hits: tuple[Hit, ...] = ()
    looked_in: tuple[str, ...] = ()
    not_looked: tuple[str, ...] = ()
    version: str | None = None
    root: str | None = None
    counted: dict[str, float | None] = Field(default_factory=dict)
    counted_at_least: dict[str, float] = Field(default_factory=dict)
    contact: str = ""
    models: tuple[ModelUse, ...] = ()
