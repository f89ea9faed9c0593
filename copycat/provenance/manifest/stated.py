"""What a dataset states of itself -> properties of Croissant; what nobody stated is named, never made up.

Sources, the first that has a property counts: what the user typed, the front matter of the card, a croissant.json that
is there already, the body of the card (description, citation), and what is plain to see (name, version).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copycat.provenance.dataset import Card, Dataset

REQUIRED = ("name", "description", "license", "url", "creator", "datePublished")
"""What Croissant 1.1 (29 January 2026) requires of every dataset, beside @context, @type and conformsTo."""

RECOMMENDED = (
    "keywords", "publisher", "version", "dateCreated", "dateModified", "sameAs", "sdLicense", "inLanguage", "citeAs",
)  # fmt: skip

DATES = {"datePublished", "dateCreated", "dateModified"}
AGENTS = {"creator", "publisher"}
LISTS = {"keywords", "inLanguage", "sameAs"}

FRONT: dict[str, tuple[str, ...]] = {
    "name": ("pretty_name", "name", "title"),
    "description": ("description", "summary"),
    "license": ("license", "licence", "license_link"),
    "url": ("url", "homepage"),
    "creator": ("creator", "creators", "authors", "author"),
    "datePublished": ("datePublished", "date_published", "published", "date"),
    "keywords": ("keywords", "tags"),
    "publisher": ("publisher",),
    "dateCreated": ("dateCreated", "date_created", "created"),
    "sameAs": ("sameAs", "same_as", "mirrors"),
    "sdLicense": ("sdLicense", "sd_license"),
    "inLanguage": ("inLanguage", "language", "languages"),
    "citeAs": ("citeAs", "citation"),
    "usageInfo": ("usageInfo", "usage_info"),
}
"""Property -> keys of the front matter that state it, those of the Hub among them."""

PROV = ("wasDerivedFrom", "wasGeneratedBy", "wasAttributedTo")
"""Properties of PROV-O (W3C, 30 April 2013) that Croissant 1.1 names."""

RAI = (
    "dataCollection", "dataCollectionType", "dataCollectionTimeframe", "dataCollectionRawData",
    "dataCollectionMissingData", "dataPreprocessingProtocol", "dataManipulationProtocol", "dataImputationProtocol",
    "dataAnnotationProtocol", "dataAnnotationPlatform", "dataAnnotationAnalysis", "annotationsPerItem",
    "annotatorDemographics", "machineAnnotationTools", "dataBiases", "dataUseCases", "dataLimitations",
    "dataSocialImpact", "personalSensitiveInformation", "dataReleaseMaintenancePlan",
)  # fmt: skip
"""Properties of Croissant's vocabulary for responsible AI, 1.0."""

NO_SOURCES = {"original", "extended"}
"""Words of the Hub's `source_datasets` that name no dataset."""


def known_facts() -> tuple[str, ...]:
    """Name the properties that a user may state."""
    own = [name for name in (*REQUIRED, *RECOMMENDED) if name not in ("version", "dateModified")]
    return (*own, *(f"prov:{name}" for name in PROV), *(f"rai:{name}" for name in RAI))


def stated_properties(dataset: Dataset, typed: Mapping[str, str]) -> dict[str, Any]:
    """Give properties of Croissant that are stated, in its form, without @context, version and files."""
    card = dataset.card
    found = {name: _property(name, card, typed) for name in (*REQUIRED, *RECOMMENDED, "usageInfo")}
    found["name"] = found["name"] or dataset.name
    found["description"] = found["description"] or _first_paragraph(card.body)
    found["citeAs"] = found["citeAs"] or _bibtex(card.body)
    for name in RAI:
        found[f"rai:{name}"] = _rai(name, card, typed)
    found |= _provenance(card, typed, found["creator"])
    return {name: _plain(value) for name, value in found.items() if value not in (None, "", [], {})}


def missing_properties(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Name what Croissant requires or recommends and nobody stated."""
    return tuple(name for name in (*REQUIRED, *RECOMMENDED) if name not in found)


def _property(name: str, card: Card, typed: Mapping[str, str]) -> Any:
    if typed.get(name):
        return _shaped(name, typed[name], "")
    for key in FRONT.get(name, ()):
        value = card.front.get(key)
        if value not in (None, "", [], {}) and not (name == "license" and value == "other"):
            return _shaped(name, value, key)
    value = card.croissant.get(name)
    is_node = name == "license" and isinstance(value, Mapping) and "@type" in value
    return value if is_node or value in (None, "", [], {}) else _shaped(name, value, "")


def _shaped(name: str, value: Any, key: str) -> Any:
    """Give a value in the form that Croissant wants."""
    if name in DATES:
        return day_of(value)
    if name in AGENTS:
        kind = "sc:Person" if key in ("authors", "author") else "sc:Organization"
        agents = [_agent(one, kind) for one in (value if isinstance(value, list) else [value])]
        return [agent for agent in agents if agent] or None
    if name in LISTS:
        return [said for one in (value if isinstance(value, list) else [value]) if (said := _words(one))]
    if name == "usageInfo":
        return value
    if name == "license" and isinstance(value, list):
        return [said for one in value if (said := _words(one))]
    return _words(value)


def _words(value: Any) -> str | None:
    """Give one text: that of a node or of the first language, and the first of a list; None where there is none."""
    if isinstance(value, Mapping):
        named = [value[key] for key in ("@value", "@id", "name", "url") if key in value]
        value = next((one for one in (*named, *value.values()) if isinstance(one, str)), None)
    if isinstance(value, list | set | tuple):
        return next((said for one in value if not isinstance(one, list) and (said := _words(one))), None)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None or value != value:  # noqa: PLR0124 - NaN is what is not itself
        return None
    return str(value).strip() or None


def _plain(value: Any) -> Any:
    """Give a value as JSON can say it; YAML has dates, sets, bytes and numbers that it cannot."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set):
        return sorted(str(one) for one in value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if value is None or is_number else str(value)


def _agent(value: Any, kind: str) -> dict[str, str] | None:
    if isinstance(value, Mapping):
        kept = {key: said for key in ("name", "url", "email") if (said := _words(value.get(key)))}
        stated = re.split(r"[:/]", str(value.get("@type")))[-1]
        return {"@type": f"sc:{stated}" if stated in ("Person", "Organization") else kind, **kept} if kept else None
    name = _words(value)
    return {"@type": kind, "name": name} if name else None


def day_of(value: Any) -> str | None:
    """Give a date in ISO 8601; None where it is none, so that it counts as missing."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError:
        return None


def _rai(name: str, card: Card, typed: Mapping[str, str]) -> Any:
    key, own = f"rai:{name}", card.front.get("rai")
    if typed.get(key):
        return typed[key]
    if isinstance(own, Mapping) and own.get(name):
        return _texts(own[name])
    return _texts(card.front.get(key)) or _texts(card.croissant.get(key))


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(one) for one in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return None if value is None else str(value).strip()


def _provenance(card: Card, typed: Mapping[str, str], creators: Any) -> dict[str, Any]:
    own = card.front.get("prov")
    stated = own if isinstance(own, Mapping) else {}
    found: dict[str, Any] = {}
    for name in PROV:
        key = f"prov:{name}"
        found[key] = typed.get(key) or stated.get(name) or card.front.get(key) or card.croissant.get(key)
    sources = card.front.get("source_datasets")
    if not found["prov:wasDerivedFrom"] and isinstance(sources, list):
        found["prov:wasDerivedFrom"] = [str(one) for one in sources if str(one) not in NO_SOURCES]
    names = [agent["name"] for agent in creators or () if isinstance(agent, Mapping) and agent.get("name")]
    if not found["prov:wasAttributedTo"] and names:
        found["prov:wasAttributedTo"] = names
    kinds = {"prov:wasDerivedFrom": "prov:Entity", "prov:wasGeneratedBy": "prov:Activity"}
    return {key: _nodes(value, kinds.get(key, "prov:Agent")) for key, value in found.items()}


def _nodes(value: Any, kind: str) -> Any:
    """Give texts as nodes: an address is an identifier, any other text a label."""
    if isinstance(value, list):
        return [_nodes(one, kind) for one in value if one] or None
    if not isinstance(value, str) or not value.strip():
        return value or None
    text = value.strip().removeprefix("extended|")
    is_address = re.match(r"(https?://|urn:|doi:)\S+$", text) is not None
    return {"@type": kind, "@id": text} if is_address else {"@type": kind, "prov:label": text}


def _first_paragraph(body: str) -> str | None:
    """Give the first paragraph of a card that is text: no heading, table, picture or list."""
    for block in re.split(r"\n\s*\n", body[:200_000]):
        lines = [line.strip() for line in block.strip().splitlines() if not line.lstrip().startswith("#")]
        text = " ".join(line for line in lines if line)
        if text and text[0] not in "|!<-*`[":
            return text
    return None


def _bibtex(body: str) -> str | None:
    found = re.search(r"```(?:bibtex|bib)\s*\n(.{1,4000}?)```", body[:200_000], re.DOTALL)
    return " ".join(found.group(1).split()) if found else None
