"""What passes through a removal: the lines of its log, and what came of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from copycat.provenance.lookup.records import ModelUse
from copycat.schema import Record
from copycat.schema.base import Text

By = Literal["id", "content", "name", "domain", "picture", "text"]
"""How a record was named for removal; "content": it holds the same as one that was. Never the name itself."""

Content = Literal["whole", "short", "unseen"]
"""What a hash is of: enough to know it again; a text so short that strangers have the same; or nobody saw it."""


class LogLine(Record):
    """One line of removals.jsonl: one record that was removed. It names nobody, unless the reason does.

    `before` is the sha256, in hex, of the line before with its newline ("" for the first), so that a line which is
    changed or taken out is noticed. `sha256` and `phash` are null where the hashes are to be forgotten, too.
    `from_version` is the newest version when the removal was asked for.
    """

    id: Text
    sha256: str | None = None
    phash: str | None = None
    content: Content = "whole"
    reason: Text
    by: By = "id"
    from_version: str
    as_of: date
    before: str = ""


class Options(Record):
    """How a removal is done.

    Attributes:
        by: how the records were found.
        rewrite: take them out of the data files, too; without it, the files that hold them are named.
        forget_hash: keep no hash, so that the content is not known again if it comes back.
        derived: datasets made from this one. derived_by: whether a record there is known by its id and its content, or
            by its content alone (for datasets that number their records anew).
        dry_run: only tell. lossy: leave out of the next version what cannot be read.
    """

    by: By = "id"
    rewrite: bool = False
    forget_hash: bool = False
    derived: tuple[Path, ...] = ()
    derived_by: Literal["id", "content"] = "id"
    dry_run: bool = False
    lossy: bool = False


class Holding(Record):
    """A file that holds, or held, records to be removed: how many by id, and how many by the same content alone.

    `is_rewritten`: they are taken out of it; a file that is the record, `is_record`, is deleted.
    """

    dataset: str
    file: str
    by_id: int = 0
    by_content: int = 0
    is_rewritten: bool = False
    is_record: bool = False


class Exposure(Record):
    """Pictures of one concept in each version, and in what the models were trained on.

    `counts`: version -> pictures, null where they cannot be counted; the newest last. `use`: how pictures that are
    there several times count, as of `copycat.imitation count`. `models`: `n_records` are pictures in its version; at
    least, where records had left it before they were counted.
    """

    concept: Text
    name: Text
    use: str
    counts: dict[str, float | None]
    models: tuple[ModelUse, ...] = ()


class Removal(Record):
    """What came of a removal.

    Attributes:
        ids: removed now. n_same_content: of these, so many were not named and hold the same as one that was.
        already: asked for, and removed before. n_resumed: begun earlier and finished now.
        from_version, version: the newest before and after; the same where nothing was removed.
        holding: files with records to be removed, here and in derived datasets. n_left: records that files still hold.
        beside: files that were changed or deleted since they spoke of the records, such as metadata.jsonl.
        n_unread: places of derived datasets that could not be read: whether they hold removed records is not known.
        n_pictures: of `ids`, those that are known to be pictures.
        n_short: of `ids`, those with a text so short that only their id tells them.
        models: that are known, each with how many of the records that were asked for its version held.
    """

    dataset: Text
    ids: tuple[str, ...]
    n_same_content: int = 0
    already: tuple[str, ...] = ()
    n_resumed: int = 0
    from_version: str
    version: str
    holding: tuple[Holding, ...] = ()
    beside: tuple[str, ...] = ()
    n_left: int = 0
    n_unread: int = 0
    n_pictures: int = 0
    n_short: int = 0
    is_dry_run: bool = False
    exposure: tuple[Exposure, ...] = ()
    models: tuple[ModelUse, ...] = ()
    notes: tuple[str, ...] = Field(default=())
