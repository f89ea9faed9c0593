"""P4: somebody who asks "am I in it?" gets an answer: every record can be found, and a planted one is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from copycat.errors import UserError
from copycat.names import words
from copycat.provenance.dataset import Batch
from copycat.provenance.licences.terms import whom_to_ask
from copycat.provenance.lookup.columns import binary_values, text_column
from copycat.provenance.lookup.domains import domain_spellings, spellings_of
from copycat.provenance.lookup.matching import matcher_of
from copycat.provenance.lookup.queries import MIN_TEXT_WORDS, make_query, picture_query
from copycat.provenance.lookup.records import Kind, Query
from copycat.provenance.records import Finding
from copycat.provenance.rules.rule import Context, Found, Rule

MAX_TRIES = 12
"""Records that are looked up as a stranger would, over the whole dataset."""


class Findable(Rule):
    """P4: each record has an address, an author, a picture or hash of one, or a text by which it can be looked up."""

    id = "P4"
    severities = ("error", "warning")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "content"
    needs = ("id", "url", "author", "phash", "text", "image", "title", "source", "sha256")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.n_records = self.n_tries = self.n_batches = 0
        self.blind, self.missed = Found(), Found()
        self.ways: dict[str, int] = dict.fromkeys(("address", "author", "picture", "text"), 0)

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        if not batch.size:
            return
        ways = _ways(batch)
        self.n_records += batch.size
        for name, has in ways.items():
            self.ways[name] += sum(has)
        self.blind.add(batch, [row for row in range(batch.size) if not any(has[row] for has in ways.values())])
        self.n_batches += 1
        if self.n_tries < MAX_TRIES and (self.n_batches & (self.n_batches - 1)) == 0:  # 1, 2, 4, 8, ...
            self._try(batch)

    def _try(self, batch: Batch) -> None:
        """Look one record of the batch up by all that it has, among the records of the batch."""
        row = (self.context.seed * 7919 + 104_729) % batch.size
        for query in _queries(batch, row):
            self.n_tries += 1
            if row not in dict(matcher_of(query).find(batch)):
                self.missed.add(batch, [row], query.kind)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        if self.missed:
            yield self.finding(
                "error",
                f"{self.missed.n_records} of {self.n_tries} look-ups did not find the record that they were made from",
                "report this as a mistake of copycat, with the record",
                *self.missed.evidence,
                n_records=self.missed.n_records,
            )
        if self.blind:
            share = 100 * self.blind.n_records / self.n_records
            yield self.finding(
                "warning",
                f"{self.blind.n_records} records ({share:.1f} %) can be found by no address, author, picture or text",
                "keep the address that a record came from, or its author, or a hash of its picture",
                *self.blind.evidence,
                n_records=self.blind.n_records,
            )
        if self.n_records and not whom_to_ask(self.context.dataset):
            yield self.finding(
                "warning",
                "the card names nobody to ask for a removal",
                "add a line such as 'contact: removals@example.org' to the front matter of README.md",
            )

    def not_applicable(self) -> str | None:
        """Say why there is nothing to check."""
        return None if self.n_records else "there is no record"

    def passed(self) -> str:
        """Say what was seen."""
        ways = ", ".join(f"{n} by {name}" for name, n in self.ways.items() if n)
        return (
            f"{self.n_records} records can be looked up ({ways}); {self.n_tries} of {self.n_tries} tries found theirs"
        )


def _ways(batch: Batch) -> dict[str, list[bool]]:
    """Say of each record by what it can be looked up."""
    urls, authors, texts = (text_column(batch, name) for name in ("url", "author", "text"))
    nothing = [False] * batch.size
    has_picture, phashes = _has_bytes(batch), text_column(batch, "phash")
    if phashes is not None:
        has_picture = [one or other for one, other in zip(has_picture, (phashes != "").to_list(), strict=True)]
    return {
        # A host has a dot before the path: what is cut short of that is no address.
        "address": nothing
        if urls is None
        else urls.str.contains(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?/*[^/?#]+\.[^/?#]").to_list(),
        "author": nothing if authors is None else (authors.str.len_chars() >= 3).to_list(),
        "picture": has_picture,
        "text": nothing if texts is None else texts.str.contains(rf"(?:\S+\s+){{{MIN_TEXT_WORDS - 1}}}\S").to_list(),
    }


def _has_bytes(batch: Batch) -> list[bool]:
    """Say of each record whether it holds a picture itself, and not only the name of one."""
    import pyarrow as pa

    column = batch.column("image")
    if column is not None and pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
        column = column.field("bytes")
    if column is None or not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        return [False] * batch.size
    has: list[bool] = column.is_valid().to_pylist()
    return has


def _queries(batch: Batch, row: int) -> Iterator[Query]:
    """Make the questions that whoever made this record would ask; those that would be refused are left out."""
    asked: list[tuple[Kind, str]] = []
    for kind, column in (("domain", "url"), ("name", "author"), ("text", "text")):
        texts = text_column(batch, column)
        value = "" if texts is None else texts[row].split("\n")[0]
        if kind == "domain":
            value = next((host for host in spellings_of(value) if _is_domain(host)), "")
        elif kind == "text":
            value = " ".join(words(value)[:30])
        asked.append((kind, value))  # type: ignore[arg-type]
    content = (binary_values(batch, "image", row) or [None])[0]
    if content is not None and (query := picture_query(content, batch.id_of(row))) is not None:
        yield query
    for kind, value in asked:
        try:
            if value:
                yield make_query(kind, value)
        except UserError:
            continue


def _is_domain(host: str) -> bool:
    try:
        return bool(domain_spellings(host))
    except UserError:
        return False
