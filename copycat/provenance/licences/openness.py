"""How open a dataset is, by what is there, not by what it says.

The tiers of "Towards Best Practices for Open Datasets for LLM Training" (arXiv 2501.08365): openly licensed, then
downloadable (open access), then replicable. Each needs facts:

    openly-licensed   the records are in the files, nobody must be asked first, and all of them have a known open
                      licence (Open Definition 2.1: anybody may use, change and pass on, at most with credit and
                      share-alike)
    open-access       the records are in the files, and nobody must be asked first
    replicable        the records are not there, or behind a gate, but each has an address to fetch it from
    none              not even that

A set of addresses is replicable at most, whatever the licence of the list says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from copycat.provenance.dataset import Dataset
from copycat.provenance.licences.components import LicenceCounts
from copycat.provenance.licences.duties import choices, duties
from copycat.provenance.licences.statements import MAX_BODY, own_expressions, statements
from copycat.provenance.records import Evidence
from copycat.provenance.rules.rule import shortened

Tier = Literal["openly-licensed", "open-access", "replicable", "none"]
TIERS: tuple[Tier, ...] = get_args(Tier)

KEYS = ("openness", "openness_tier", "openness-tier", "access_tier")
_DECLARED: dict[str, Tier] = {
    "openly-licensed": "openly-licensed", "openly licensed": "openly-licensed", "open-licence": "openly-licensed",
    "open-license": "openly-licensed", "open-data": "openly-licensed", "open data": "openly-licensed",
    "open-access": "open-access", "open access": "open-access", "downloadable": "open-access",
    "replicable": "replicable",
}  # fmt: skip
_CLAIM = re.compile(
    r"\b(?:dataset|data|corpus|collection|all records|all content|everything|images|texts)\b.{0,60}"
    r"\b(?:is|are)\s+(?:fully |entirely |completely |all )?(openly licen[cs]ed|open access)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(not|n't|no|never|parts?|some|most|mostly|partly)\b", re.IGNORECASE)
_MEDIA = re.compile(r"\.(jpe?g|png|gif|webp|bmp|tiff?|mp4|webm|mp3|wav|flac|pdf)$", re.IGNORECASE)
PEEK_FILES, MAX_SENTENCE = 5, 2_000


class Declared(NamedTuple):
    """A tier that the dataset claims, and where."""

    tier: Tier
    place: Evidence


class Content(NamedTuple):
    """What a look into the first records shows: whether they hold content, or point to it."""

    is_there: bool
    said: str


class Openness(NamedTuple):
    """The tier, and the facts that it rests on, one sentence each."""

    tier: Tier
    facts: tuple[str, ...]


def declared(dataset: Dataset) -> list[Declared]:
    """Give the tiers that card and croissant.json claim."""
    card = dataset.card
    found: list[Declared] = []
    for source, file in ((card.front, card.file), (card.croissant, card.croissant_file)):
        for key in KEYS:
            tier = _tier(source.get(key))
            if tier:
                found.append(Declared(tier, Evidence(file=file, pointer=key, value=shortened(source[key]))))
    tags = card.front.get("tags")
    for tag in tags if isinstance(tags, list) else []:
        tier = _tier(tag)
        if tier:
            found.append(Declared(tier, Evidence(file=card.file, pointer="tags", value=shortened(tag))))
    for sentence in re.split(r"[.\n]", card.body[:MAX_BODY]):
        claim = _CLAIM.search(sentence[:MAX_SENTENCE])
        if claim and not _NOT.search(sentence[:MAX_SENTENCE]):
            tier = "open-access" if "access" in claim.group(1).casefold() else "openly-licensed"
            found.append(Declared(tier, Evidence(file=card.file, value=shortened(sentence))))
            break
    return found


def gate(dataset: Dataset) -> str:
    """Say by what the card puts a gate before the data; "" where it does not."""
    front: Mapping[str, Any] = dataset.card.front
    for key, value in front.items():
        if (str(key).startswith("extra_gated") or key == "gated") and value not in (None, False, "false", ""):
            return f"{key}: {shortened(value)[:60]}"
    free = dataset.card.croissant.get("isAccessibleForFree")
    return "isAccessibleForFree: false" if free is False else ""


def look_at_content(dataset: Dataset) -> Content:
    """Say whether the first records of the first files hold pictures or texts, or only addresses of them.

    Captions beside addresses of pictures are no content: the pictures are what the set is about.
    """
    if dataset.kind in ("folder", "webdataset"):
        return Content(bool(dataset.files), "the files are the records" if dataset.files else "there is no file")
    n_records = n_pictures = n_texts = n_media = 0
    seen: set[str] = set()
    for batch in dataset.content(("image", "text", "url")):
        if batch.file in seen:
            break
        seen.add(batch.file)
        n_records += batch.size
        pictures, texts = batch.column("image"), batch.values("text")
        n_pictures += 0 if pictures is None else sum(_holds_bytes(one) for one in pictures.to_pylist())
        n_texts += sum(isinstance(one, str) and bool(one.strip()) for one in texts)
        n_media += sum(_is_media(one) for one in batch.texts("url"))
        if len(seen) >= PEEK_FILES:
            break
    if n_pictures:
        return Content(True, f"{n_pictures} of the first {n_records} records hold a picture")
    if n_media * 2 > n_records:
        return Content(False, f"{n_media} of the first {n_records} records have the address of a file, not the file")
    if n_texts:
        return Content(True, f"{n_texts} of the first {n_records} records hold text")
    return Content(False, f"none of the first {n_records} records holds a picture or a text")


def openness(dataset: Dataset, counts: LicenceCounts, n_addresses: int) -> Openness:
    """Tell the tier from the facts.

    Args:
        counts: of the licences of all records. n_addresses: records with an address.
    """
    content, before = look_at_content(dataset), gate(dataset)
    facts = [content.said]
    if before:
        facts.append(f"a gate stands before it ({before})")
    if content.is_there and not before:
        is_open, said = _all_open(dataset, counts)
        return Openness("openly-licensed" if is_open else "open-access", (*facts, said))
    facts.append(f"{n_addresses} of {counts.n_records} records have an address")
    return Openness("replicable" if counts.n_records and n_addresses == counts.n_records else "none", tuple(facts))


def _all_open(dataset: Dataset, counts: LicenceCounts) -> tuple[bool, str]:
    if not counts.has_column:
        own = own_expressions(statements(dataset))
        covers = [name for name in own if (found := duties(name)) and found.is_open and not found.covers_database_only]
        if own and len(covers) == len(own):
            return True, f"no record says otherwise than the dataset: {', '.join(own)}"
        told = ", ".join(own)
        return False, f"the licence of the dataset ({told}) is not open" if told else "no licence is stated"
    n_open = sum(one.n_records for one in counts.stated if any(way.is_open for way in choices(one.parsed.expression)))
    return n_open == counts.n_records, f"{n_open} of {counts.n_records} records have an open licence"


def _tier(value: Any) -> Tier | None:
    return _DECLARED.get(" ".join(value.casefold().replace("_", "-").split())) if isinstance(value, str) else None


def _holds_bytes(value: Any) -> bool:
    return bool(value.get("bytes")) if isinstance(value, dict) else isinstance(value, bytes) and bool(value)


def _is_media(address: str) -> bool:
    try:
        return bool(_MEDIA.search(urlsplit(address).path))
    except ValueError:
        return False
