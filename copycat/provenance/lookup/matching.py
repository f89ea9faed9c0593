"""Which records of a batch a query finds, and by which field. What they hold beside it stays here.

A matcher has `needs`, the standard columns that it reads, and `find(batch)`, which gives (row, found by). Whole batches
are searched by a library; only what is near is looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from copycat.corpus.sieve import NameSieve, Who, fold_texts
from copycat.names import NameMatcher
from copycat.provenance.dataset import Batch
from copycat.provenance.lookup.columns import binary_values, text_column
from copycat.provenance.lookup.domains import is_below
from copycat.provenance.lookup.queries import hashes_of
from copycat.provenance.lookup.records import Query

if TYPE_CHECKING:
    import polars as pl

RUN_WORDS = 8
"""Words of a run of a long text that is looked for."""

SAME_BYTES = "same bytes"
_ALIKE = re.compile(r"alike, (\d+) of 64 bits differ")

Match = tuple[int, str]


class Matcher(Protocol):
    """Finds the records of a batch."""

    needs: tuple[str, ...]

    def find(self, batch: Batch) -> Iterator[Match]:
        """Give (row from 0, by which field), each row once."""


def matcher_of(query: Query) -> Matcher:
    """Give what finds the records of a query."""
    kinds: dict[str, Any] = {
        "name": NameFinder,
        "domain": DomainFinder,
        "picture": PictureFinder,
        "text": TextFinder,
        "id": IdFinder,
    }
    made: Matcher = kinds[query.kind](query)
    return made


class NameFinder:
    """A name as whole words, as `copycat.names` reads them; of an author "Name, First" is First Name, too."""

    needs: tuple[str, ...] = ("author", "title", "source", "text")

    def __init__(self, query: Query) -> None:
        name = " ".join(query.words)
        is_spaced = len(query.words) > 1 and name.isascii()
        turned = (f"{query.words[-1]} {' '.join(query.words[:-1])}",) if is_spaced else ()
        self.plain, self.turned = Who("it", name, (), ()), Who("it", name, turned, ())
        self.readers = {each: (NameSieve([each]), NameMatcher([each])) for each in (self.plain, self.turned)}

    def find(self, batch: Batch) -> Iterator[Match]:
        """Give the records that name it."""
        found: dict[int, list[str]] = {}
        for column in self.needs:
            texts = text_column(batch, column)
            if texts is None:
                continue
            sieve, matcher = self.readers[self.turned if column == "author" else self.plain]
            for row in sieve.keep(texts).to_list():
                if matcher.find(texts[row]):
                    found.setdefault(row, []).append(column)
        yield from ((row, ", ".join(columns)) for row, columns in sorted(found.items()))


class DomainFinder:
    """Addresses whose host is the domain or lies below it."""

    needs: tuple[str, ...] = ("url", "source")

    def __init__(self, query: Query) -> None:
        self.hosts = query.hosts
        self.cores = [host.rpartition(".")[0] for host in query.hosts]

    def find(self, batch: Batch) -> Iterator[Match]:
        """Give the records with such an address."""
        found: dict[int, list[str]] = {}
        for column in self.needs:
            texts = text_column(batch, column)
            if texts is None:
                continue
            for row in self._near(texts).to_list():
                if any(is_below(url, self.hosts) for url in texts[row].split("\n")):
                    found.setdefault(row, []).append("address" if column == "url" else column)
        yield from ((row, ", ".join(columns)) for row, columns in sorted(found.items()))

    def _near(self, urls: pl.Series) -> pl.Series:
        """Give the places of addresses that may be below it: with its letters, or others that may stand for them."""
        near = urls.str.to_lowercase().str.contains_any(self.cores)
        return (near | urls.str.contains(r"[^\x00-\x7f\n]|%|[\t\r]")).arg_true()


class TextFinder:
    """A text of fewer than eight words as a whole; of a longer one, each run of eight words of it.

    Words are compared as `copycat.names.words` folds them: case, accents and punctuation do not count.
    """

    needs: tuple[str, ...] = ("text", "title")

    def __init__(self, query: Query) -> None:
        size = min(RUN_WORDS, len(query.words))
        runs = [query.words[at : at + size] for at in range(len(query.words) - size + 1)]
        self.runs = tuple(dict.fromkeys(f" {' '.join(run)} " for run in runs))

    def find(self, batch: Batch) -> Iterator[Match]:
        """Give the records that hold a run."""
        found: dict[int, str] = {}
        for column in self.needs:
            texts = text_column(batch, column)
            if texts is None:
                continue
            folded = fold_texts(texts)
            for row in folded.str.contains_any(list(self.runs)).arg_true().to_list():
                found.setdefault(row, f"{column}, {self._share(folded[row])}")
        yield from sorted(found.items())

    def _share(self, folded: str) -> str:
        n = sum(run in folded for run in self.runs)
        return "all of it" if n == len(self.runs) else f"{n} of {len(self.runs)} runs of {RUN_WORDS} words"


class PictureFinder:
    """A picture by its bytes, or by a perceptual hash that differs in few bits; one without a hash is hashed here."""

    needs: tuple[str, ...] = ("sha256", "phash", "image")

    def __init__(self, query: Query) -> None:
        import numpy as np

        self.query = query
        self.hashes = np.array([int(text, 16) for text in query.phashes], dtype=np.uint64)
        self.n_unreadable = 0

    def find(self, batch: Batch) -> Iterator[Match]:
        """Give the records whose picture is the same or alike."""
        found: dict[int, str] = {}
        sums = text_column(batch, "sha256")
        if sums is not None:
            for row in (sums.str.to_lowercase() == self.query.sha256).arg_true().to_list():
                found[row] = SAME_BYTES
        hashes, known = phash_column(batch)
        pictures = binary_values(batch, "image")
        if pictures is not None:
            self._hash(pictures, hashes, known, found)
        if len(self.hashes):
            self._near(hashes, known, found)
        yield from sorted(found.items())

    def _hash(self, pictures: Sequence[bytes | None], hashes: Any, known: Any, found: dict[int, str]) -> None:
        import hashlib

        for row, content in enumerate(pictures):
            if content is None:
                continue
            if hashlib.sha256(content).hexdigest() == self.query.sha256:
                found[row] = SAME_BYTES
            if known[row] or not len(self.hashes):
                continue
            own = hashes_of(content, mirrored=False)
            self.n_unreadable += own is None
            if own:
                hashes[row], known[row] = int(own[0], 16), True

    def _near(self, hashes: Any, known: Any, found: dict[int, str]) -> None:
        import numpy as np

        differing = np.min([_bits(hashes ^ own) for own in self.hashes], axis=0)
        for row in np.flatnonzero(known & (differing <= self.query.max_distance)).tolist():
            found.setdefault(row, f"alike, {differing[row]} of 64 bits differ")


def bits_of(found_by: str) -> int:
    """Give in how many bits of 64 a picture differs that was `found_by` this; 0 for the same bytes."""
    found = _ALIKE.fullmatch(found_by)
    return 0 if found is None else int(found[1])


class IdFinder:
    """The record of an id, or of a place."""

    needs: tuple[str, ...] = ("id",)

    def __init__(self, query: Query) -> None:
        self.id = query.asked

    def find(self, batch: Batch) -> Iterator[Match]:
        """Give the records of this id."""
        ids = text_column(batch, "id")
        if ids is not None:
            yield from ((row, "id") for row in (ids == self.id).arg_true().to_list())
        else:
            yield from ((row, "id") for row in range(batch.size) if batch.place_of(row) == self.id)


def phash_column(batch: Batch) -> tuple[Any, Any]:
    """Give the 64-bit perceptual hashes of a batch, and which records have one.

    Shapes:
        returns: (size,) uint64 and (size,) bool.
    """
    import numpy as np

    from copycat.corpus.named_rows import parse_phash

    hashes, known = np.zeros(batch.size, dtype=np.uint64), np.zeros(batch.size, dtype=bool)
    texts = text_column(batch, "phash")
    if texts is None:
        return hashes, known
    there = (texts != "").arg_true().to_list()
    if len(there) == batch.size and bool((texts.str.len_bytes() == 16).all()):
        try:
            hashes = np.frombuffer(bytes.fromhex("".join(texts.to_list())), dtype=">u8").astype(np.uint64)
        except ValueError:
            pass
        else:
            return hashes, ~known
    for row in there:
        value = parse_phash(texts[row])
        if value is not None:
            hashes[row], known[row] = value, True
    return hashes, known


def _bits(values: Any) -> Any:
    """Count the bits of 64-bit words (numpy has this from version 2)."""
    import numpy as np

    return np.unpackbits(np.ascontiguousarray(values).view(np.uint8).reshape(len(values), 8), axis=1).sum(axis=1)
