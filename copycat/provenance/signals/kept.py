"""What a dataset keeps of signals (the columns `signals` and `decision`, in one record) -> signals and answers.

A use that is named twice has the strictest of its answers; a word that is none of ours counts if it plainly refuses,
and is a fault in any case. Of a signal that was kept as it was served only, the raw value is read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from copycat.provenance.records import USES, Answer, Signal, Use
from copycat.provenance.signals.combining import combine
from copycat.provenance.signals.files import Twice
from copycat.provenance.signals.reading import read_signals
from copycat.provenance.signals.recorded import from_headers
from copycat.provenance.signals.sources import SOURCES
from copycat.provenance.signals.terms import unread
from copycat.provenance.signals.xmp import read_data_mining

Element = tuple[str | None, ...]
"""Of a kept signal: source, parsed, raw, fetched_at."""
REFUSALS = {"deny", "denied", "no", "n", "false", "disallow", "disallowed", "refused"}
FAMILIES = {"tdmrep": "tdm-reservation", "aipref": "content-usage", "content": "content-signal", "meta": "x-robots-tag"}


def kept_signals(held: Any, faults: list[str]) -> tuple[Signal, ...]:
    """Give the signals that a record keeps; what is wrong with them is added to the faults."""
    if held is None:
        return ()
    if isinstance(held, str):
        parsed = _parsed(held, "signals", faults)
        if not isinstance(parsed, list):
            faults += [] if parsed is None else ["signals are no list"]
            return ()
        names = ("source", "parsed", "raw", "fetched_at")
        held = [tuple(_text(one.get(name)) for name in names) for one in parsed if isinstance(one, Mapping)]
        faults += ["a kept signal is no object"] if len(held) < len(parsed) else []
    return tuple(signal for element in held if (signal := _signal(element, faults)) is not None)


def _signal(element: Element, faults: list[str]) -> Signal | None:
    source, parsed, raw, fetched_at = element
    answers = _answers(parsed, faults)
    if answers is None:
        answers = _reread(source, raw)
    return Signal(
        source=(source or "").strip() or "recorded", raw=(raw or "")[:200], answers=answers, fetched_at=fetched_at
    )


def _answers(parsed: str | None, faults: list[str]) -> dict[Use, Answer] | None:
    """Give the answers of a kept signal, None where there are none; what is no use or answer is a fault."""
    if parsed is None or not parsed.strip():
        return None
    text = parsed.strip()
    if text.casefold() in get_args(Answer):
        return dict.fromkeys(USES, text.casefold())  # type: ignore[arg-type]  # one of the answers
    held = _parsed(text, "a kept signal", faults)
    return _of_pairs(held.items(), faults) if isinstance(held, Mapping) else unread()


def _of_pairs(pairs: Iterable[tuple[Any, Any]], faults: list[str]) -> dict[Use, Answer]:
    """Give the answers of pairs of use and answer; of a use that stands there twice the strictest."""
    answers: dict[Use, Answer] = {}
    for use, answer in pairs:
        if use not in USES or answer not in get_args(Answer):
            faults.append(f"a kept signal has {str(use)[:30]}: {str(answer)[:30]}, which is no use and answer of ours")
            known = str(use).strip().casefold().replace("_", "-")
            if known in USES and str(answer).strip().casefold() in REFUSALS:
                answers[known] = "deny"  # type: ignore[index]  # one of the uses
            continue
        answers[use] = "deny" if answers.get(use) == "deny" else answer
    return answers


def _reread(source: str | None, raw: str | None) -> dict[Use, Answer]:
    """Read a statement again of which only the raw value was kept; unknown where that is not enough to read it."""
    name = (source or "").strip().casefold()
    if name == "plus":
        return dict(read_data_mining(raw or "")[0])
    header = FAMILIES.get(name.partition("-")[0], name) if name in SOURCES.names() else name
    signals = read_signals(from_headers("", [(header, raw or "")]))
    if signals:
        return dict(combine(signals).answers)
    return unread() if (raw or "").strip() else {}


def stated_answers(held: Any, faults: list[str]) -> dict[Use, Answer] | None:
    """Give the decision that a record keeps; None where it keeps none."""
    if held is None:
        return None
    if isinstance(held, str):
        return _answers(held, faults)
    return _of_pairs(held, faults)


def _parsed(text: str, what: str, faults: list[str]) -> Any:
    try:
        return json.loads(text, object_pairs_hook=Twice)
    except (ValueError, RecursionError):
        faults.append(f"{what} is no JSON: {text[:60]}")
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value, default=str)
