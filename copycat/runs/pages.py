"""What all pages that are made from templates have in common."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jinja2 import BaseLoader, Environment, StrictUndefined
from pydantic import JsonValue

from copycat.metrics.texts import shown_amount
from copycat.schema import Counts, Sample


class CountRow(NamedTuple):
    """How many requests ended in one way, in a run and in the one beside it."""

    name: str
    baseline: int | None
    run: int


class Ended(NamedTuple):
    """How the requests of a run ended."""

    counts: Counts
    samples: Sequence[Sample]

    @property
    def n_truncated(self) -> int:
        """Samples with a text that no text encoder read to its end."""
        return sum(sample.truncated_tokens + sample.truncated_negative_tokens > 0 for sample in self.samples)

    @property
    def n_attacked(self) -> int:
        """Samples on which an attack acted: one that was searched for acts on its own character alone."""
        return sum(sample.attack is not None for sample in self.samples)


def strict_environment(loader: BaseLoader) -> Environment:
    """Make an environment that escapes everything and refuses what a template asks for and does not get."""
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["amount"] = shown_amount
    environment.filters["csp_hash"] = csp_hash
    return environment


def csp_hash(text: str) -> str:
    """Give the name by which a content security policy lets this one script or style in, and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def count_rows(run: Ended, baseline: Ended | None = None) -> tuple[CountRow, ...]:
    """Lay out the counts of a run, and of the one beside it; then how many texts were cut, and how many attacked."""
    rows = [
        CountRow(name, getattr(baseline.counts, name) if baseline else None, getattr(run.counts, name))
        for name in Counts.model_fields
    ]
    rows.append(CountRow("truncated", baseline.n_truncated if baseline else None, run.n_truncated))
    if run.n_attacked:
        rows.append(CountRow("attacked", baseline.n_attacked if baseline else None, run.n_attacked))
    return tuple(rows)


def flat(values: Mapping[str, JsonValue], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give each value of a nested mapping as text, with its dotted name."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield prefix + name, ", ".join(str(item) for item in value)
        else:
            yield prefix + name, "not set" if value is None else str(value)
