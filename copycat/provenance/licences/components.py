"""The licences of a dataset's records, counted as they come: one entry for each text, however many records have it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from copycat.provenance.dataset import Batch
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.dataset.tables import as_text
from copycat.provenance.licences.addresses import HOSTS, licence_at
from copycat.provenance.licences.parsing import ParsedLicence, parse_licence
from copycat.provenance.records import Evidence
from copycat.provenance.rules.rule import Context, Rule, shortened

NEEDS = ("licence", "licence_url", "version_removed")
MAX_TEXTS = 5_000
"""Different texts that are kept apart; further ones are counted together, so that memory stays bounded."""

MAX_LETTERS = 4_000
"""Of a text; parsing refuses longer ones anyway."""

_FIELDS = ("spdx", "id", "license", "licence", "name", "title", "url")
"""Fields of a struct that may hold the licence, the likeliest first."""

_OF_A_HOST = r"(?i)^\s*(https?://)?(www\.)?(" + "|".join(re.escape(host) for host in sorted(HOSTS)) + ")"
"""How an address of a licence may begin; others, such as the page of each record, are not looked at one by one."""


@dataclass
class Component:
    """One licence text: as it is read, how many records have it, and where the first one is."""

    text: str | None
    parsed: ParsedLicence
    n_records: int = 0
    evidence: Evidence = field(default_factory=Evidence)


@dataclass
class LicenceCounts:
    """Counts licence texts over batches.

    Attributes:
        n_beyond: records whose text is beyond MAX_TEXTS. has_column: whether any batch had a column of licences.
    """

    by_text: dict[str | None, Component] = field(default_factory=dict)
    n_records: int = 0
    n_beyond: int = 0
    has_column: bool = False

    def see(self, batch: Batch) -> Any:
        """Take note of one batch; gives its pyarrow array of texts, null where nothing is stated."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self.n_records += batch.size
        texts = licence_texts(batch)
        if texts is None:
            self._add(None, batch.size, batch, 0)
            return pa.nulls(batch.size, pa.string())
        self.has_column = True
        counted = texts
        if len(self.by_text) >= MAX_TEXTS:  # one look at each text would take seconds where all are different
            there = pc.is_in(texts, value_set=pa.array([*self.by_text, None], pa.string()))
            counted = pc.filter(texts, there)
            self.n_beyond += len(texts) - len(counted)
        for entry in pc.value_counts(counted).to_pylist():
            text = entry["values"]
            is_new = text not in self.by_text and (text is None or len(self.by_text) < MAX_TEXTS)
            at = _first(texts, text) if is_new else 0
            self._add(text, entry["counts"], batch, at)
        return texts

    def _add(self, text: str | None, n_records: int, batch: Batch, at: int) -> None:
        if not n_records:
            return
        found = self.by_text.get(text)
        if found is None:
            if text is not None and len(self.by_text) >= MAX_TEXTS:
                self.n_beyond += n_records
                return
            found = Component(text, parse_licence(text), 0, batch.evidence(at, "licence", shortened(text or "")))
            self.by_text[text] = found
        found.n_records += n_records

    @property
    def stated(self) -> list[Component]:
        """What is stated, the most frequent first."""
        return sorted(
            (one for text, one in self.by_text.items() if text is not None), key=lambda one: (-one.n_records, one.text)
        )

    @property
    def n_missing(self) -> int:
        """Records for which nothing is stated."""
        return self.by_text[None].n_records if None in self.by_text else 0

    def by_expression(self) -> dict[str | None, list[Component]]:
        """Give expression -> its texts, the most frequent expression first; None for what is not known or not read."""
        numbers: Counter[str | None] = Counter()
        groups: dict[str | None, list[Component]] = {}
        for one in self.stated:
            numbers[one.parsed.expression] += one.n_records
            groups.setdefault(one.parsed.expression, []).append(one)
        return {name: groups[name] for name, _ in numbers.most_common()}


def of_records(number: int) -> str:
    """Give "1 record" or "1,234 records"."""
    return f"{number:,} record{'' if number == 1 else 's'}"


def licence_texts(batch: Batch) -> Any:
    """Give the licence of each record as a pyarrow array of text, null where there is none; None without a column.

    Where the licence is not stated, an address in `licence_url`, or in the sidecar's `licence.evidence_url`, stands for
    it, if it is that of a known licence.
    """
    import pyarrow.compute as pc

    texts = _as_texts(batch.column("licence"))
    addresses = _as_texts(batch.column("licence_url"))
    if addresses is None:
        addresses = _as_texts(struct_field(batch, "licence", "evidence_url"))
    if addresses is None:
        return texts
    likely = pc.filter(addresses, pc.match_substring_regex(addresses, _OF_A_HOST))
    known = [one for one in pc.unique(likely).to_pylist() if one and licence_at(one) is not None]
    if texts is None and not known:
        return None
    taken = pc.if_else(pc.is_in(addresses, value_set=_array(known)), addresses, None)
    return taken if texts is None else pc.coalesce(texts, taken)


def column_texts(batch: Batch, name: str) -> Any:
    """Give a column as a pyarrow array of stripped text, null where it is empty; None where it is not there."""
    return _as_texts(batch.column(name))


def is_absent(batch: Batch, name: str) -> Any:
    """Give a pyarrow array: true where a record has no value, or an empty one, in a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = batch.column(name)
    if column is None:
        return pa.array([True] * batch.size, pa.bool_())
    texts = _as_texts(column)
    return pc.is_null(texts)


def struct_field(batch: Batch, name: str, part: str) -> Any:
    """Give one field of a column of structs as a pyarrow array; None where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = batch.column(name)
    if column is None or not pa.types.is_struct(column.type):
        return None
    names = [column.type.field(at).name for at in range(column.type.num_fields)]
    return pc.struct_field(column, part) if part in names else None


def _as_texts(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column is None:
        return None
    kind = column.type
    if pa.types.is_struct(kind):
        names = [kind.field(at).name for at in range(kind.num_fields)]
        found = [_as_texts(pc.struct_field(column, name)) for name in _FIELDS if name in names]
        return (
            pc.coalesce(*found) if found else _array([None if one is None else as_text(one) for one in _list(column)])
        )
    if pa.types.is_dictionary(kind):
        return _as_texts(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        trimmed = pc.utf8_trim_whitespace(column.cast(pa.string()))
        cut = pc.utf8_slice_codeunits(trimmed, 0, MAX_LETTERS)
        return pc.if_else(pc.equal(cut, ""), None, cut)
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    return _array([None if one in (None, "", []) else as_text(one)[:MAX_LETTERS] for one in _list(column)])


def _list(column: Any) -> Iterator[Any]:
    for one in column.to_pylist():
        yield one.decode("utf-8", "replace") if isinstance(one, bytes) else one


def _array(values: Any) -> Any:
    import pyarrow as pa

    return pa.array(list(values), pa.string())


def _first(texts: Any, text: str | None) -> int:
    import pyarrow.compute as pc

    found = pc.index(pc.is_null(texts), True) if text is None else pc.index(texts, text)
    return max(0, int(found.as_py()))


class CountsLicences(Rule):
    """A rule that counts the licences of the records."""

    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs: ClassVar[tuple[str, ...]] = NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.counts = LicenceCounts()

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.counts.see(in_dataset(batch))
