"""A batch of a dataset -> rows of the sidecar: what its columns say, in the sidecar's form, and null for the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from copycat.provenance.dataset.card import load_plain_json
from copycat.provenance.manifest.chains import HEX_64
from copycat.provenance.manifest.content import canonical, record_sha256
from copycat.provenance.records import NO_MODEL, RULE_VERSION, USES, Answer, SignalDecision, Use, sidecar_schema

if TYPE_CHECKING:
    from copycat.provenance.dataset import Batch

FACT_COLUMNS = (
    "split", "phash", "url", "retrieved_at", "http_status", "headers", "licence", "licence_url",
    "licence_method", "licence_confidence", "author", "title", "language", "source", "signals", "decision",
    "transforms", "synthetic", "generator", "prompt_hash",
)  # fmt: skip
"""Standard columns of a dataset that the sidecar takes over."""

PLAIN = ("split", "phash", "url", "retrieved_at", "author", "title", "language", "source")
NO, YES = {"0", "false", "no", "none", "n", "f"}, {"1", "true", "yes", "y", "t"}
BLANK = {"", "null", "nan", "unknown", "not known", "?", "n/a", "na"}
"""How a record says that no model made it, that one did, and that it is not known."""

Unread = dict[str, int]
"""Column -> values that are in no known form; they are null in the sidecar."""


def fact_arrays(batch: Batch, unread: Unread) -> dict[str, Any]:
    """Give column of the sidecar -> pyarrow Array of a batch, for all facts that the dataset's own columns state.

    Args:
        unread: is counted up for values that cannot be understood.
    """
    import pyarrow as pa

    schema = sidecar_schema()
    nothing = {field.name: pa.nulls(batch.size, field.type) for field in schema}
    arrays = nothing | {name: _texts(batch, name) for name in PLAIN if batch.column(name) is not None}
    if batch.split and batch.column("split") is None:
        arrays["split"] = pa.repeat(batch.split, batch.size)
    makers: Sequence[tuple[str, Sequence[str], Callable[..., Any]]] = (
        ("http_status", ("http_status",), _status),
        ("headers", ("headers",), _headers),
        ("licence", ("licence", "licence_url", "licence_method", "licence_confidence"), _licence),
        ("transforms", ("transforms",), _transforms),
        ("synthetic", ("synthetic", "generator", "prompt_hash"), _synthetic),
    )
    for name, needs, make in makers:
        if name == "licence" and (plain := _licence_arrays(batch)) is not None:
            arrays[name] = plain
        elif any(batch.column(need) is not None for need in needs):
            kind = schema.field(name).type
            arrays[name] = pa.array(_made(name, make, [_values(batch, need) for need in needs], unread), kind)
    if any(batch.column(need) is not None for need in ("headers", "signals", "decision")):
        arrays |= _signal_arrays(batch, unread)
    arrays["rule_version"] = pa.repeat(RULE_VERSION, batch.size)
    return arrays


def _signal_arrays(batch: Batch, unread: Unread) -> dict[str, Any]:
    """Give `signals` (those that are kept, and those that the headers hold) and `decision` (all of them, combined).

    A decision that the dataset states is one more statement: deny wins, and unknown is no allow. Records without
    headers, signals and decision have neither.
    """
    import numpy as np
    import pyarrow as pa

    from copycat.provenance.signals.columns import cases_of, sidecar_decision, sidecar_signals

    found, schema = cases_of(batch), sidecar_schema()
    signals: list[Any] = []
    decisions: list[Any] = []
    for case in found.cases:
        decision = case.decision
        answers: dict[Use, Answer] = {use: case.answer(use) for use in USES}
        told = case.has_headers or case.stated is not None or bool(case.signals)
        spoken = tuple(signal for signal in decision.signals if signal.answers or signal.raw)
        kept = sidecar_signals(decision.model_copy(update={"signals": spoken}))
        signals.append(kept if told else None)
        decisions.append(sidecar_decision(SignalDecision(answers=answers)) if told else None)
    if n_faulty := int(np.isin(found.case_of, [at for at, case in enumerate(found.cases) if case.faults]).sum()):
        unread["signals"] = unread.get("signals", 0) + n_faulty
    rows = pa.array(found.case_of)
    return {
        "signals": pa.array(signals, schema.field("signals").type).take(rows),
        "decision": pa.array(decisions, schema.field("decision").type).take(rows),
    }


def _made(name: str, make: Callable[..., Any], columns: Sequence[Sequence[Any]], unread: Unread) -> Iterator[Any]:
    for values in zip(*columns, strict=True):
        try:
            yield make(*values)
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            unread[name] = unread.get(name, 0) + 1
            yield None


def _values(batch: Batch, name: str) -> list[Any]:
    return [None if value == "" else value for value in batch.values(name)]


def _texts(batch: Batch, name: str) -> Any:
    import pyarrow as pa

    column = batch.column(name)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        stripped = stripped_texts(column)
        if stripped is not None:
            return stripped
    return pa.array([_text(value) for value in batch.values(name)], pa.string())


def stripped_texts(column: Any) -> Any:
    """Give a column of texts without white space around, "" as null; None where it is no UTF-8."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        column.validate(full=True)
        plain = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    except pa.ArrowException:
        return None
    return pc.if_else(pc.equal(plain, ""), pa.scalar(None, pa.string()), plain)


def _licence_arrays(batch: Batch) -> Any:
    """Give `licence` where it is plain text, a column at a time; None where it is not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column, url = batch.column("licence"), batch.column("licence_url")
    if any(one is not None and not pa.types.is_string(one.type) for one in (column, url)):
        return None
    if any(batch.column(name) is not None for name in ("licence_method", "licence_confidence")):
        return None
    nothing = pa.nulls(batch.size, pa.string())
    spdx = nothing if column is None else stripped_texts(column)
    place = nothing if url is None else stripped_texts(url)
    if spdx is None or place is None or pc.any(pc.match_substring_regex(spdx, r"^[\[{]")).as_py():
        return None
    kind = sidecar_schema().field("licence").type
    method = pa.array(["field"] * batch.size, pa.string())
    parts = [spdx, place, nothing, method, pa.nulls(batch.size, pa.float32())]
    return pa.StructArray.from_arrays(parts, fields=list(kind), mask=pc.and_(pc.is_null(spdx), pc.is_null(place)))


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text(value: Any) -> str | None:
    """Give a fact as text: stripped, lists and mappings as JSON, times in ISO 8601; None for nothing."""
    if _is_nothing(value):
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, list | dict):
        value = canonical(value).decode()
    return str(value).encode("utf-8", "replace").decode().strip() or None


@lru_cache(maxsize=4096)
def _from_json(text: str) -> Any:
    return load_plain_json(text.encode("utf-8", "replace"))


def _opened(value: Any) -> Any:
    """Give what a text with JSON says; everything else as it is."""
    return _from_json(value) if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") else value


# ------------------------------------------------------------------------------- one value each


def _status(value: Any) -> int | None:
    if _is_nothing(value):
        return None
    number = int(float(value))
    if not 100 <= number <= 999 or number != float(value):
        raise ValueError("no status of HTTP")
    return number


def _headers(value: Any) -> list[dict[str, str | None]] | None:
    """Read headers: a mapping, pairs, structs of name and value, JSON of any of these, or lines "Name: value"."""
    value = _opened(value)
    if value is None:
        return None
    if isinstance(value, str):
        lines = [line.partition(":") for line in value.splitlines() if line.strip()]
        if not lines or not all(colon for _, colon, _ in lines[1:]):
            raise ValueError("no headers")
        pairs: list[tuple[Any, Any]] = [(name, said) for name, colon, said in lines if colon]
        if not pairs:
            raise ValueError("no headers")
    elif isinstance(value, Mapping):
        pairs = [(name, one) for name, said in value.items() for one in (said if isinstance(said, list) else [said])]
    else:
        pairs = [(one["name"], one["value"]) if isinstance(one, Mapping) else (one[0], one[1]) for one in value]
    return [{"name": _text(name), "value": _text(said)} for name, said in pairs if said is not None]


def _licence(value: Any, url: Any, method: Any = None, confidence: Any = None) -> dict[str, Any] | None:
    """Take a licence as it is stated, whether it is an SPDX expression or not: rules see what is wrong with it."""
    value = _opened(value)
    if isinstance(value, Mapping):
        if not any(part is not None for part in value.values()):
            return None
        named = next((value[key] for key in ("spdx", "id", "name", "licence", "license") if value.get(key)), None)
        return {
            "spdx": _text(named),
            "evidence_url": _text(value.get("evidence_url") or value.get("url") or url),
            "snippet_hash": _text(value.get("snippet_hash")),
            "method": _text(value.get("method")) or _text(method) or "field",
            "confidence": _share(confidence if value.get("confidence") is None else value["confidence"]),
        }
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    stated, place = _text(value), _text(url)
    if stated is None and place is None:
        return None
    told, share = _text(method) or "field", _share(confidence)
    return {"spdx": stated, "evidence_url": place, "snippet_hash": None, "method": told, "confidence": share}


def _share(value: Any) -> float | None:
    if value is None:
        return None
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError("a confidence is from 0 to 1")
    return share


def _listed(value: Any) -> list[Mapping[str, Any]] | None:
    value = _opened(value)
    if value is None:
        return None
    rows = [value] if isinstance(value, Mapping) else list(value)
    if isinstance(value, str) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError("no list of mappings")
    return rows


def _transforms(value: Any) -> list[dict[str, str | None]] | None:
    rows = _listed(value)
    if rows is None:
        return None
    parts = ("name", "version", "params_hash", "in_sha", "out_sha")
    return [{part: _text(row.get(part)) for part in parts} for row in rows]


def _synthetic(value: Any, generator: Any, prompt: Any) -> dict[str, str | None] | None:
    """Read who made a record: a struct, or yes and no beside columns for the model and the prompt.

    A model or prompt alone says it, too; a prompt that is no sha256 is hashed. Unknown stays unknown: only a no gives
    the model NO_MODEL.
    """
    value = _opened(value)
    if isinstance(value, Mapping):
        if not any(part is not None for part in value.values()):
            return None
        generator, prompt, value = value.get("model", generator), value.get("prompt_hash", prompt), True
    if isinstance(value, str | int | float | bool):
        word = str(value).strip().casefold().removesuffix(".0")
        if word in NO:
            return {"model": NO_MODEL, "prompt_hash": None}
        if word in BLANK:
            value = None
        elif word not in YES:
            raise ValueError("neither yes nor no")
    model, said = _text(generator), _text(prompt)
    if value is None and model is None and said is None:
        return None
    hashed = said if said is None or HEX_64.fullmatch(said) else record_sha256(said)
    return {"model": model, "prompt_hash": hashed}


def as_json(value: Any) -> str:
    """Give a value of the sidecar in one line, for evidence."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
