"""Facts of a dataset -> answers of a summary, in words. A fact that the records do not tell is not there."""

from __future__ import annotations

import math
from collections.abc import Mapping

from copycat.provenance.datasheet.facts import OTHER, DatasetFacts
from copycat.provenance.datasheet.summaries.template import FactName

FACT_TITLES: dict[FactName, str] = {
    "modalities": "what they hold",
    "size": "their number",
    "range": "their number",
    "latest": "the latest day of retrieval",
    "period": "days of retrieval",
    "languages": "their languages",
    "sources": "their sources",
    "domains": "domain names of their addresses",
    "synthetic": "marks of synthetic records",
    "licences": "their licences",
    "signals": "signals and decisions",
}
"""How each is spoken of as the place where an answer comes from."""

TOP_SHARE = 0.1
"""Of all domain names, those that the EU's template asks for."""

MOST_LISTED = 1000
SHOWN = 20


def computed(known: DatasetFacts, n_with_signals: int | None = None) -> dict[FactName, str]:
    """Give what can be said from the records.

    Args:
        n_with_signals: records with a signal or a decision; None where nobody looked.
    """
    found: dict[FactName, str | None] = {
        "modalities": ", ".join(known.modalities) or None,
        "size": f"{known.n_records:,} records" if known.n_records else None,
        "range": _range(known),
        "latest": known.last_retrieved,
        "period": f"{known.first_retrieved} to {known.last_retrieved}" if known.first_retrieved else None,
        "languages": _listed(known.languages, known.n_records),
        "sources": _listed(known.sources, known.n_records),
        "domains": _domains(known),
        "synthetic": _synthetic(known),
        "licences": _listed(known.licences, known.n_records),
        "signals": _signals(n_with_signals, known.n_records),
    }  # fmt: skip
    return {name: text for name, text in found.items() if text is not None}


def _signals(n: int | None, n_records: int) -> str | None:
    return f"{n:,} of {n_records:,} records have a signal or a decision" if n else None


def top_domains(known: DatasetFacts) -> list[tuple[str, int]]:
    """Give the tenth of all domain names with the most records, at least one; at most MOST_LISTED."""
    names = [(name, count) for name, count in known.domains.items() if name != OTHER]
    ordered = sorted(names, key=lambda pair: (-pair[1], pair[0]))
    return ordered[: min(math.ceil(TOP_SHARE * len(ordered)), MOST_LISTED)]


def _range(known: DatasetFacts) -> str | None:
    """Say the range of the EU's template for pictures. For text it asks for tokens, which are not counted here."""
    if "image" not in known.modalities or not known.n_records:
        return None
    limits = ((10**6, "less than 1 million images"), (10**9, "1 million to 1 billion images"))
    said = next((said for most, said in limits if known.n_records < most), "more than 1 billion images")
    return f"{said} ({known.n_records:,} records)"


def _listed(counts: Mapping[str, int], n: int) -> str | None:
    if not counts or not n:
        return None
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    parts = [f"{name}: {count:,} ({100 * count / n:.1f} %)" for name, count in ordered[:SHOWN]]
    more = len(ordered) - SHOWN
    return "; ".join(parts) + (f"; and {more:,} more" if more > 0 else "")


def _domains(known: DatasetFacts) -> str | None:
    top = top_domains(known)
    if not top:
        return None
    listed = "; ".join(f"{name}: {count:,}" for name, count in top[:SHOWN])
    more = f"; and {len(top) - SHOWN:,} more" if len(top) > SHOWN else ""
    n_all, share = len(known.domains), sum(count for _, count in top) / max(1, sum(known.domains.values()))
    return f"{len(top):,} of {n_all:,} domain names, {100 * share:.1f} % of the records with an address: {listed}{more}"


def _synthetic(known: DatasetFacts) -> str | None:
    """Say how many are marked. That none is marked says nothing where records do not tell."""
    if not known.n_synthetic and known.synthetic_share is None:
        return None
    models = _listed(known.generators, known.n_records)
    said = f"{known.n_synthetic:,} of {known.n_records:,} records ({100 * known.synthetic_range[0]:.1f} %)"
    if known.synthetic_share is None:
        said += f"; unknown for {known.n_records - known.n_marked:,}"
    return f"{said}; {models}" if models else said
