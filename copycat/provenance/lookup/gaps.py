"""What an answer does not cover: records that are gone, fields that are not there, files that were not read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from copycat.provenance.dataset.unread import Unread
from copycat.provenance.lookup.matching import IdFinder, Matcher, PictureFinder

if TYPE_CHECKING:
    import polars as pl


def unsearchable(gone: pl.DataFrame, matcher: Matcher, fields: set[str]) -> pl.DataFrame:
    """Give those of the records that are gone of which too little is kept for this question.

    A tombstone keeps hashes; other records that left the files, what the sidecar had of them, which is no text.
    """
    import polars as pl

    if isinstance(matcher, IdFinder):
        return gone.clear()
    if isinstance(matcher, PictureFinder):
        return gone.filter(~pl.col("has_phash" if len(matcher.hashes) else "has_hash"))
    return gone if "text" in fields & set(matcher.needs) else gone.filter("is_tombstone")


def not_looked(unread: Unread, matcher: Matcher, fields: set[str], n_gone: int) -> Iterator[str]:
    """Say what a "no" does not cover; `n_gone` records are gone and cannot be searched."""
    if n_gone and not isinstance(matcher, IdFinder):
        were, them = ("1 record was", "it") if n_gone == 1 else (f"{n_gone:,} records were", "them")
        yield f"{were} removed before, and too little of {them} is kept to be looked in"
    if not fields & set(matcher.needs):
        yield f"no record has any of the fields {', '.join(matcher.needs)}: nothing could be compared"
    elif isinstance(matcher, PictureFinder):
        if not fields & {"phash", "image"}:
            yield "the records hold no pictures and no hashes of them: only the same bytes could be found"
        if not len(matcher.hashes):
            yield "the picture is of hardly more than one shade: only the same bytes could be found"
        if matcher.n_unreadable:
            n = matcher.n_unreadable
            yield f"{'1 picture' if n == 1 else f'{n:,} pictures'} of the dataset cannot be read"
    if unread.n:
        yield unread.told()
