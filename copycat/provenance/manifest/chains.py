"""P1's view of one record: whether a chain of hashes leads from what was retrieved to what is here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

HEX_64 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


def chain_fault(steps: Any, content: str | None) -> str | None:
    """Say what is wrong with the transforms of a record; None if they are sound, or there are none.

    Each step must take what the step before gave (in_sha is its out_sha), the last must give what is here, and none may
    give again what an earlier one took in: a step that changes nothing may stand in a chain, a circle may not.

    Args:
        steps: what stands in the column `transforms`: a list of mappings; anything else is a fault.
        content: sha256 of the record; None where it is not known.
    """
    if steps is None:
        return None
    if not isinstance(steps, list) or not all(isinstance(step, Mapping) for step in steps):
        return "is no list of steps"
    return next(_faults(steps, content), None)


def _faults(steps: list[Mapping[str, Any]], content: str | None) -> Iterator[str]:
    before: str | None = None
    seen: set[str] = set()
    for number, step in enumerate(steps, 1):
        taken, given = _sha(step.get("in_sha")), _sha(step.get("out_sha"))
        if taken is None or given is None:
            yield f"step {number} has no sha256 in {'in_sha' if taken is None else 'out_sha'}"
            return
        if before is not None and taken != before:
            yield f"step {number} takes {taken[:12]}, and the step before gave {before[:12]}"
        seen.add(taken)
        if given in seen and given != taken:
            yield f"step {number} gives {given[:12]} again: the chain goes in a circle"
        before = given
    if before is not None and content is not None and before != content.lower():
        yield f"the last step gives {before[:12]}, and the record has {content[:12]}"


def parent_of(steps: Any) -> str | None:
    """Give the hash that the first step took in: the parent of a record; None without one."""
    if isinstance(steps, list) and steps and isinstance(steps[0], Mapping):
        return _sha(steps[0].get("in_sha"))
    return None


def _sha(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) and HEX_64.fullmatch(value) else None
