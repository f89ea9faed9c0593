"""A batch of a dataset -> decisions: each distinct set of headers, signals and decision is read once.

`signals` is a list of {source, raw, parsed, fetched_at}, where `parsed` is JSON such as {"training": "deny"};
`decision` a list of {use, answer}; `headers` a list of {name, value}, a mapping, or either as JSON. This module writes
them for the sidecar, too (`sidecar_signals`, `sidecar_decision`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from copycat.errors import DataError
from copycat.provenance.dataset import Batch
from copycat.provenance.records import Answer, Signal, SignalDecision, Use
from copycat.provenance.signals.combining import combine
from copycat.provenance.signals.files import headers_of
from copycat.provenance.signals.kept import kept_signals, stated_answers
from copycat.provenance.signals.reading import read_signals
from copycat.provenance.signals.recorded import folded_name, from_headers
from copycat.provenance.signals.terms import unread

KEPT = "the decision that the dataset keeps"
NEEDS = ("id", "url", "headers", "signals", "decision", "version_removed")
HEADERS = {"contentusage", "contentsignal", "tdmreservation", "tdmpolicy", "xrobotstag", "robotstag"}
"""Headers that can be a signal, as `folded_name` gives them; others are not looked at."""


@dataclass(frozen=True)
class Case:
    """What some records of a batch have in common.

    Attributes:
        kept: the signals that the dataset keeps; read: those read from its headers anew.
        stated: the decision that the dataset keeps. decision: kept and read signals, combined; `stated` is not in it.
        faults: why something could not be read.
        has_headers: there are any headers, whether they speak or not.
    """

    kept: tuple[Signal, ...] = ()
    read: tuple[Signal, ...] = ()
    stated: Mapping[Use, Answer] | None = None
    faults: tuple[str, ...] = ()
    has_headers: bool = False

    @property
    def signals(self) -> tuple[Signal, ...]:
        """All signals; one that is kept and is read from a header again is one."""
        return (*self.kept, *_beside(self.kept, self.read))

    @property
    def faulty(self) -> tuple[Signal, ...]:
        """What cannot be read, as a statement of which nothing is known: no permission stands beside it."""
        return tuple(Signal(source="recorded", answers=unread(), note=fault) for fault in self.faults)

    @property
    def decision(self) -> SignalDecision:
        """What the signals say together."""
        return combine((*latest(self.kept), *_beside(self.kept, self.read), *self.faulty))

    def answer(self, use: Use, inside: Iterable[Signal] = ()) -> Answer:
        """Give what is known for a use: that of the signals, and the kept decision as one more of them.

        Args:
            inside: more signals, of the record's picture.
        """
        return self.joined(inside).answers[use]

    def joined(self, inside: Iterable[Signal] = ()) -> SignalDecision:
        """Combine the signals, the kept decision as one more of them, and those of the record's picture."""
        stated = [Signal(source="recorded", answers=dict(self.stated), note=KEPT)] if self.stated else []
        return combine((*self.decision.signals, *inside, *stated))


def _beside(kept: tuple[Signal, ...], read: tuple[Signal, ...]) -> list[Signal]:
    known = [(signal.source, signal.raw, signal.answers) for signal in kept]
    return [signal for signal in read if (signal.source, signal.raw, signal.answers) not in known]


def latest(kept: Sequence[Signal]) -> list[Signal]:
    """Give the last statements of each source and place; one that was read again later is history, not gone.

    What was read within a day is of one visit, and all of it counts: a site may have two licences, and a preference in
    a header and in robots.txt. Where a date is missing or is none, nobody knows which is the last, and all count.
    """
    held: dict[tuple[str, str], list[Signal]] = {}
    for signal in kept:
        held.setdefault((signal.source, signal.place), []).append(signal)
    newest: list[Signal] = []
    for signals in held.values():
        dates = [when(signal.fetched_at) for signal in signals]
        known = [date for date in dates if date is not None]
        is_told = len(known) == len(dates)
        newest += [one for one, date in zip(signals, dates, strict=True) if not is_told or near(date, max(known))]
    return newest


VISIT = timedelta(days=1)


def near(date: datetime | None, other: datetime) -> bool:
    """Whether two readings are of the same visit."""
    return date is not None and abs(date - other) < VISIT


def when(text: str | None) -> datetime | None:
    """Give the time of ISO 8601, in UTC where it names no zone; None where it is none."""
    try:
        found = datetime.fromisoformat((text or "").strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


class BatchCases:
    """The cases of a batch, and which record is which: `case_of[row]` is an index into `cases` (a numpy array)."""

    def __init__(self, batch: Batch) -> None:
        import numpy as np

        parts = [
            _distinct(batch, "headers", ("name", "value"), _is_signal_header),
            _distinct(batch, "signals", ("source", "parsed", "raw", "fetched_at"), None),
            _distinct(batch, "decision", ("use", "answer"), None),
        ]
        keys = np.zeros(batch.size, dtype=np.int64)
        for numbers, values in parts:
            keys = keys * max(len(values), 1) + numbers
        distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        self.case_of = inverse.reshape(-1)
        self.cases = [_case(*(values[numbers[row]] for numbers, values in parts)) for row in first]
        del distinct

    def rows(self, wanted: Callable[[Case], bool]) -> list[int]:
        """Give the rows whose case is wanted."""
        import numpy as np

        chosen = np.array([wanted(case) for case in self.cases], dtype=bool)
        return [int(row) for row in np.nonzero(chosen[self.case_of])[0]] if chosen.any() else []


_last: list[tuple[Batch, BatchCases]] = []


def cases_of(batch: Batch) -> BatchCases:
    """Give the cases of a batch; the rules that see the same batch one after the other share them."""
    if not _last or _last[0][0] is not batch:
        _last[:] = [(batch, BatchCases(batch))]
    return _last[0][1]


def _is_signal_header(name: str | None) -> bool:
    return folded_name(name or "") in HEADERS


def _distinct(
    batch: Batch, name: str, fields: tuple[str, ...], keep: Callable[[str | None], bool] | None
) -> tuple[Any, list[Any]]:
    """Give distinct values numbers: (number of each row, values), a value being None, text or elements."""
    import numpy as np
    import pyarrow as pa

    column = batch.column(name)
    if column is None or pa.types.is_null(column.type):
        return np.zeros(batch.size, dtype=np.int64), [None]
    kind = column.type
    if pa.types.is_map(kind):
        kind, column = pa.list_(kind.value_type), None
    if column is not None and _is_list_of(kind, fields):
        return _of_lists(column, fields, keep)
    if column is not None and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        encoded = column.dictionary_encode()
        values = encoded.dictionary.to_pylist()
        codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
        return codes.astype(np.int64), [*values, None]
    return _of_anything(batch.values(name))


def _is_list_of(kind: Any, fields: tuple[str, ...]) -> bool:
    import pyarrow as pa

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)) or not pa.types.is_struct(kind.value_type):
        return False
    held = {field.name: field.type for field in kind.value_type}
    return fields[0] in held and all(pa.types.is_string(held[name]) for name in fields if name in held)


def _of_lists(column: Any, fields: tuple[str, ...], keep: Callable[[str | None], bool] | None) -> tuple[Any, list[Any]]:
    """Give each distinct list of structs a number: their fields as numbers of a dictionary, compared as bytes."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.list_value_length(column).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    owner = np.repeat(np.arange(len(lengths)), np.maximum(lengths, 0))
    structs = column.flatten()
    held = {field.name: structs.field(at) for at, field in enumerate(structs.type)}
    if keep is not None:
        first = held[fields[0]].dictionary_encode()
        wanted = np.array([keep(value) for value in first.dictionary.to_pylist()] + [False], dtype=bool)
        codes = first.indices.fill_null(len(wanted) - 1).to_numpy(zero_copy_only=False)
        mask = wanted[codes]
        owner = owner[mask]
        held = {name: held[name].filter(_mask(mask)) for name in fields if name in held}
    encoded = [_codes(held.get(name), len(owner)) for name in fields]
    if keep is None and "fetched_at" in fields:
        encoded[fields.index("fetched_at")] = _only_if_repeated(encoded, fields, owner)
    table = np.ascontiguousarray(np.stack([codes for codes, _ in encoded], axis=1), dtype=np.int32)
    counts = np.bincount(owner, minlength=len(lengths)) if len(owner) else np.zeros(len(lengths), dtype=np.int64)
    return _number(lengths, counts, table, [values for _, values in encoded])


def _mask(mask: Any) -> Any:
    import pyarrow as pa

    return pa.array(mask)


def _codes(column: Any, size: int) -> tuple[Any, list[str | None]]:
    import numpy as np

    if column is None:
        return np.zeros(size, dtype=np.int32), [None]
    encoded = column.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    return encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False), [*values, None]


def _only_if_repeated(
    encoded: list[tuple[Any, list[str | None]]], fields: tuple[str, ...], owner: Any
) -> tuple[Any, list[str | None]]:
    """Forget when a signal was fetched where its source speaks once: each record has its own time."""
    import numpy as np

    codes, values = encoded[fields.index("fetched_at")]
    sources = encoded[0][0].astype(np.int64)
    pairs = owner * (int(sources.max(initial=0)) + 1) + sources
    _, inverse, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    is_repeated = counts[inverse.reshape(-1)] > 1 if len(pairs) else np.zeros(0, dtype=bool)
    none = len(values) - 1
    return np.where(is_repeated, codes, none), values


def _number(lengths: Any, counts: Any, table: Any, values: list[list[str | None]]) -> tuple[Any, list[Any]]:
    import numpy as np

    raw = table.tobytes()
    width = table.shape[1] * 4
    ends = np.cumsum(counts) * width
    numbers = np.zeros(len(lengths), dtype=np.int64)
    index: dict[tuple[bool, bytes], int] = {}
    distinct: list[Any] = []
    begin = 0
    for row, (end, length) in enumerate(zip(ends.tolist(), lengths.tolist(), strict=True)):
        key = (length > 0, raw[begin:end])
        begin = end
        number = index.get(key)
        if number is None:
            number = index[key] = len(distinct)
            codes = np.frombuffer(key[1], dtype=np.int32).reshape(-1, table.shape[1])
            elements = tuple(tuple(values[at][code] for at, code in enumerate(row_codes)) for row_codes in codes)
            distinct.append(elements if length > 0 else None)
        numbers[row] = number
    return numbers, distinct


def _of_anything(held: list[Any]) -> tuple[Any, list[Any]]:
    """Give each distinct value of another type a number, by its JSON."""
    import numpy as np

    index: dict[str | None, int] = {}
    numbers = np.zeros(len(held), dtype=np.int64)
    for row, value in enumerate(held):
        text = None if value is None else json.dumps(value, default=_plain, sort_keys=True)
        numbers[row] = index.setdefault(text, len(index))
    return numbers, list(index)


def _plain(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@lru_cache(maxsize=65536)
def _case(headers: Any, signals: Any, decision: Any) -> Case:
    faults: list[str] = []
    read: tuple[Signal, ...] = ()
    if headers is not None:
        try:
            pairs = headers_of(list(headers) if isinstance(headers, tuple) else headers, "headers")
            read = tuple(read_signals(from_headers("", pairs)))
        except DataError as error:
            faults.append(error.faults[0].removeprefix("headers: "))
    kept = kept_signals(signals, faults)
    return Case(kept, read, stated_answers(decision, faults), tuple(faults), headers is not None)


def sidecar_signals(decision: SignalDecision) -> list[dict[str, str | None]]:
    """Give the column `signals` of the sidecar for a decision."""
    return [
        {
            "source": signal.source,
            "raw": signal.raw,
            "parsed": json.dumps(signal.answers, sort_keys=True),
            "fetched_at": signal.fetched_at,
        }
        for signal in decision.signals
    ]


def sidecar_decision(decision: SignalDecision) -> list[dict[str, str]]:
    """Give the column `decision` of the sidecar for a decision: an answer for each use."""
    return [{"use": use, "answer": answer} for use, answer in decision.answers.items()]
