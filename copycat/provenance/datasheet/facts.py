"""Batches of records -> what can be counted about a dataset, for its card and for what the law asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.datasheet.shape import modalities_of
from copycat.provenance.records import NO_MODEL
from copycat.schema import Record

if TYPE_CHECKING:
    import pyarrow as pa

NEEDS = ("split", "language", "licence", "source", "url", "retrieved_at", "synthetic", "generator", "prompt_hash",
         "version_removed", "tombstone_reason")  # fmt: skip
"""The columns that `Facts` counts."""

MOST_VALUES = 200_000
"""Distinct values that are counted of one column; records with further ones are counted together."""

OTHER = "(further values)"

MOST_SCHEME = 20
"""Letters among which the "://" of an address is looked for."""

MOST_HOST = 253
"""Letters of a name of the domain name system (RFC 1035)."""

FALSE_WORDS = {"false", "0", "0.0", "no", "none", "f", "n"}
BLANK_WORDS = {"", "null", "nan", "unknown", "not known", "?", "n/a", "na"}
"""How a record says that no model made it, and how it says nothing."""


class DatasetFacts(Record):
    """What the records of a dataset say, counted. Removed records are in `n_removed` and `removals` alone.

    Attributes:
        splits, languages, licences, sources: value -> records; records without a value are in none of them.
        domains: host names of addresses, lower case, without "www." -> records.
        first_retrieved, last_retrieved: ISO 8601 days; None where no record says when it was retrieved.
        n_marked: records that say whether they are synthetic; n_synthetic: those that are. The rest is unknown.
        n_without_origin: synthetic records that lack the model or the hash of the prompt.
        generators: model -> synthetic records.
        modalities: "text", "image": what the records hold.
    """

    n_records: int = 0
    n_removed: int = 0
    splits: dict[str, int] = Field(default_factory=dict)
    languages: dict[str, int] = Field(default_factory=dict)
    licences: dict[str, int] = Field(default_factory=dict)
    sources: dict[str, int] = Field(default_factory=dict)
    domains: dict[str, int] = Field(default_factory=dict)
    first_retrieved: str | None = None
    last_retrieved: str | None = None
    n_marked: int = 0
    n_synthetic: int = 0
    n_without_origin: int = 0
    generators: dict[str, int] = Field(default_factory=dict)
    removals: dict[str, int] = Field(default_factory=dict)
    modalities: tuple[str, ...] = ()

    @property
    def synthetic_share(self) -> float | None:
        """The share of synthetic records, from 0 to 1; None where records do not say whether they are."""
        low, high = self.synthetic_range
        return low if self.n_records and low == high else None

    @property
    def synthetic_range(self) -> tuple[float, float]:
        """The least and the most that the share can be, since records that do not tell may be synthetic or not."""
        if not self.n_records:
            return 0.0, 1.0
        n_unknown = max(0, self.n_records - self.n_marked)
        return self.n_synthetic / self.n_records, (self.n_synthetic + n_unknown) / self.n_records


class Facts:
    """Counts batches. Memory grows with distinct values, up to MOST_VALUES a column, never with records."""

    def __init__(self) -> None:
        self.n_records = self.n_removed = self.n_marked = self.n_synthetic = self.n_without_origin = 0
        names = ("split", "language", "licence", "source", "domain", "generator", "removal")
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in names}
        self.first: str | None = None
        self.last: str | None = None

    def add(self, batch: Batch) -> None:
        """Count one batch that has the columns NEEDS, as far as the dataset has them."""
        columns = {name: batch.column(name) for name in NEEDS}
        size = batch.size
        if columns["version_removed"] is not None:
            columns, size = self._without_removed(columns, size)
        self.n_records += size
        for name in ("split", "language", "licence", "source"):
            self._count(name, columns[name])
        if columns["split"] is None and batch.split:
            self.counts["split"][batch.split] += size
        self._count_domains(columns["url"])
        self._note_dates(columns["retrieved_at"])
        self._count_synthetic(columns, size)

    def close(self, modalities: tuple[str, ...] = ()) -> DatasetFacts:
        """Give what was counted, each count with its largest values first."""
        counted = {name: dict(counter.most_common()) for name, counter in self.counts.items()}
        return DatasetFacts(
            n_records=self.n_records,
            n_removed=self.n_removed,
            splits=counted["split"],
            languages=counted["language"],
            licences=counted["licence"],
            sources=counted["source"],
            domains=counted["domain"],
            first_retrieved=self.first,
            last_retrieved=self.last,
            n_marked=self.n_marked,
            n_synthetic=self.n_synthetic,
            n_without_origin=self.n_without_origin,
            generators=counted["generator"],
            removals=counted["removal"],
            modalities=modalities,
        )

    def _without_removed(self, columns: dict[str, Any], size: int) -> tuple[dict[str, Any], int]:
        import pyarrow.compute as pc

        gone = pc.fill_null(pc.not_equal(texts_of(columns["version_removed"]), ""), False)
        n_gone = int(pc.sum(gone).as_py() or 0)
        if not n_gone:
            return columns, size
        self.n_removed += n_gone
        reasons = columns["tombstone_reason"]
        self._count("removal", None if reasons is None else pc.filter(reasons, gone))
        kept = pc.invert(gone)
        left = {name: None if column is None else pc.filter(column, kept) for name, column in columns.items()}
        return left, size - n_gone

    def _count(self, name: str, column: Any) -> None:
        if column is None:
            return
        counter = self.counts[name]
        for value, count in value_counts(texts_of(column, "spdx")):
            counter[value if value in counter or len(counter) < MOST_VALUES else OTHER] += count

    def _count_domains(self, column: Any) -> None:
        """Count hosts. Cutting text in Python is four times as fast as pyarrow's regular expressions."""
        if column is None:
            return
        addresses = texts_of(column).to_pylist()
        ends = Counter(one.split("/", 3)[2] for one in addresses if one and "://" in one[:MOST_SCHEME])
        counter = self.counts["domain"]
        for end, count in ends.items():
            host = host_of(end)
            if host and "/" not in host:
                counter[host if host in counter or len(counter) < MOST_VALUES else OTHER] += count

    def _note_dates(self, column: Any) -> None:
        if column is None:
            return
        import pyarrow.compute as pc

        days = pc.utf8_slice_codeunits(texts_of(column), 0, 10)
        days = pc.filter(days, pc.fill_null(pc.match_substring_regex(days, r"^\d{4}-\d{2}-\d{2}$"), False))
        if not len(days):
            return
        found = pc.min_max(days).as_py()
        self.first = min(filter(None, (self.first, found["min"])))
        self.last = max(filter(None, (self.last, found["max"])))

    def _count_synthetic(self, columns: dict[str, Any], size: int) -> None:
        """Count the records that say so, or that name a model that made them."""
        mark, model, prompt, told = synthetic_columns(columns, size)
        if mark is None:
            return
        import pyarrow.compute as pc

        self.n_marked += int(pc.sum(told).as_py() or 0)
        n_synthetic = int(pc.sum(mark).as_py() or 0)
        self.n_synthetic += n_synthetic
        if not n_synthetic:
            return
        whole = pc.and_(pc.not_equal(model, ""), pc.not_equal(prompt, ""))
        self.n_without_origin += int(pc.sum(pc.and_(mark, pc.invert(whole))).as_py() or 0)
        self._count("generator", pc.filter(model, mark))


def host_of(end: str) -> str:
    """Give the host of what stands between "://" and the next "/": RFC 3986, 3.2.2, lower case, without "www."."""
    host = end.partition("?")[0].partition("#")[0].rpartition("@")[2].strip().lower()
    host = f"{host.partition(']')[0]}]" if host.startswith("[") else host.partition(":")[0]
    return host.removeprefix("www.").rstrip(".")[:MOST_HOST]


def synthetic_columns(columns: dict[str, Any], size: int) -> tuple[Any, Any, Any, Any]:
    """Give which records are synthetic (a boolean Array), their models and hashes of prompts (text, "" for none).

    The first is None where nothing tells. The last says which records tell whether they are synthetic, yes or no (a
    boolean Array): a blank is unknown, never a no; so is a sidecar's null. A struct says no by the model "none".
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    empty = pa.array([""] * size, pa.string())
    mark, model, prompt = columns.get("synthetic"), columns.get("generator"), columns.get("prompt_hash")
    given_model = empty if model is None else pc.fill_null(texts_of(model), "")
    given_prompt = empty if prompt is None else pc.fill_null(texts_of(prompt), "")
    if mark is None or pa.types.is_null(mark.type):
        has_model = pc.not_equal(given_model, "")
        return None if mark is None and model is None else has_model, given_model, given_prompt, has_model
    if pa.types.is_struct(mark.type):
        names = {field.name for field in mark.type}
        inner = [
            pc.fill_null(texts_of(pc.struct_field(mark, name)), "") if name in names else given
            for name, given in (("model", given_model), ("prompt_hash", given_prompt))
        ]
        told = pc.is_valid(mark)
        return pc.and_(told, pc.not_equal(pc.utf8_lower(inner[0]), NO_MODEL)), inner[0], inner[1], told
    words = pc.fill_null(pc.utf8_lower(pc.utf8_trim_whitespace(texts_of(mark))), "")
    is_blank = pc.is_in(words, value_set=pa.array(sorted(BLANK_WORDS)))
    is_no = pc.is_in(words, value_set=pa.array(sorted(FALSE_WORDS)))
    is_synthetic = pc.if_else(is_blank, pc.not_equal(given_model, ""), pc.invert(is_no))
    return is_synthetic, given_model, given_prompt, pc.or_(is_synthetic, is_no)


def texts_of(column: Any, member: str = "") -> pa.Array:
    """Give a column as text, null where there is none; of a struct, its member of this name, else JSON."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_struct(column.type) and member in {field.name for field in column.type}:
        column = pc.struct_field(column, member)
    if pa.types.is_string(column.type):
        return column
    try:
        return column.cast(pa.string())
    except (pa.ArrowException, ValueError):
        from copycat.provenance.dataset.batches import python_values
        from copycat.provenance.dataset.tables import as_text

        return pa.array([None if value is None else as_text(value) for value in python_values(column)], pa.string())


def value_counts(column: Any) -> Iterable[tuple[str, int]]:
    """Give the values of a text column that are not empty, with how often each is there."""
    import pyarrow.compute as pc

    for found in pc.value_counts(pc.utf8_trim_whitespace(column)).to_pylist():
        if found["values"]:
            yield found["values"], found["counts"]


def count_facts(dataset: Dataset) -> DatasetFacts:
    """Read a dataset's facts once and count them."""
    facts = Facts()
    for batch in dataset.facts(NEEDS):
        facts.add(batch)
    return facts.close(modalities_of(dataset))
