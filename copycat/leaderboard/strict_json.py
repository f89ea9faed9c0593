"""JSON that says one thing only: no key twice, no number that is none."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class StrictJsonError(ValueError):
    """JSON that two readers could read differently; `kind` is the kind of the fault."""

    def __init__(self, kind: str, what: str) -> None:
        self.kind = kind
        super().__init__(what)


def require_strict(content: bytes) -> None:
    """Check that JSON names no key twice in one object and holds neither NaN nor infinity.

    Other faults of form are not looked for: whoever reads the record finds them.

    Raises:
        StrictJsonError: with kind "duplicate-key" or "not-finite".
    """
    try:
        json.loads(content, object_pairs_hook=_each_key_once, parse_constant=_refuse_number, parse_float=_finite)
    except StrictJsonError:
        raise
    except (ValueError, RecursionError):
        return


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise StrictJsonError("duplicate-key", f"the key '{twice[:60]}' is there twice in one object")
    return found


def _refuse_number(text: str) -> NoReturn:
    raise StrictJsonError("not-finite", f"{text} is no number; a figure that is missing is null")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise StrictJsonError("not-finite", f"{text[:40]} is too large for a number")
    return number
