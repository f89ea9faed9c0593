"""What a card claims and the records contradict: counts, languages, times, synthetic records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from copycat.provenance.dataset import Card
from copycat.provenance.datasheet.answers import Said, split_sizes
from copycat.provenance.datasheet.boilerplate import sentences
from copycat.provenance.datasheet.evidence import language_code, languages_in
from copycat.provenance.datasheet.facts import DatasetFacts

RECORD_WORDS = r"(?:records?|rows?|examples?|samples?|instances?|entries|data ?points?|items)"
COUNT = re.compile(
    r"(?P<about>(?:over|more than|about|around|approximately|nearly|almost|roughly|~|ca\.?)\s*)?"
    rf"(?<![\w.,])(?P<number>\d[\d,.' ]*)(?P<scale>\s?(?:k|m|thousand|million)\b)?\s+{RECORD_WORDS}\b",
    re.IGNORECASE,
)
WHOLE = re.compile(
    r"\b(?:contains?|consists? of|has|have|comprises?|holds?|total|in all|altogether|there are|with)\b", re.IGNORECASE
)
PART = re.compile(
    r"\b(?:of which|each|per|version|removed?|dropped|annotated|before|after|first|subset|synthetic|generated|marked"
    r"|sampled?|duplicates?|out of|of the)\b",
    re.IGNORECASE,
)
COLUMN = re.compile(r"^\s*(?:[-*+]\s+|\|\s*)[`*]+([\w.-]{1,60})[`*]+", re.MULTILINE)
"""A column that begins a line of a list or a row of a table, in code marks or bold letters."""

PERCENT = re.compile(r"(?<![\w.])(\d+(?:[.,]\d+)?)\s?(?:%|per ?cent\b)", re.IGNORECASE)
NO_SYNTHETIC = re.compile(
    r"^\W*(?:none|nothing|nobody|never|without|0|no\s+(?:\w+\s+){0,2}?(?:synthetic|generated|records?|rows?|samples?|texts?"
    r"|pictures?|images?|captions?|data))\b(?!.*\b(?:marked|recorded|known|told|noted)\b)",
    re.IGNORECASE,
)
"""How a card says that no model made a record; that nobody noted which is another thing."""

SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6}
SIZE = re.compile(r"^(?:n<(\d+[KMBT]?)|(\d+[KMBT]?)<n<(\d+[KMBT]?)|n>(\d+[KMBT]?))$")
LETTERS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
NEAR, ABOUT = 0.005, 0.1
"""How far a count may be off: as it stands, and where the text says "about"."""

SHARE_OFF = 0.01
"""How far a synthetic share may be off; a tenth of it, if that is more."""

COMMON_LANGUAGE = 0.01
"""A language with this share of the records is one that the card must name."""


class Claim(NamedTuple):
    """What a card says in a field and the dataset does not: the place, the claim, and the fact."""

    field: str
    place: str
    claim: str
    fact: str


def contradictions(
    said: Mapping[str, Sequence[Said]], card: Card, known: DatasetFacts, columns: Sequence[str] = ()
) -> list[Claim]:
    """Compare what can be compared. Nothing is found where the dataset has no records or does not tell."""
    if not known.n_records:
        return []
    found = [*_counts(said, known), *_front_counts(card, known), *_languages(said, known)]
    found += [*_times(said, known), *_synthetic(said, known), *_columns(said, columns)]
    return list(dict.fromkeys(found))


def count_of(number: str, scale: str | None = None) -> float | None:
    """Read a number with its thousands marked: "1,200", "1 200", "1.2 million"."""
    plain = number.strip().rstrip(".,' ")
    unit = SCALES.get((scale or "").strip().casefold(), 1.0)
    if unit == 1.0:
        plain = re.sub(r"(?<=\d)[,.' ](?=\d{3}(?:\D|$))", "", plain)
    try:
        return float(plain.replace(",", ".").replace(" ", "")) * unit
    except ValueError:
        return None


def agrees_with_size(text: str, known: DatasetFacts) -> bool:
    """Whether a text has the number of records that are there, as a whole or as that of each of its splits."""
    numbers = {count_of(one) for one in re.findall(r"(?<![\w.,])\d[\d,.' ]*\d|(?<![\w.,])\d", text)}
    if not known.n_records:
        return any(number is not None for number in numbers)
    splits = set(map(float, known.splits.values()))
    return float(known.n_records) in numbers or (len(splits) > 0 and splits <= numbers)


def agrees_with_share(text: str, known: DatasetFacts) -> bool:
    """Whether a text states the synthetic share that is there, or one that can be where records do not tell."""
    shares = [float(number.replace(",", ".")) / 100 for number in PERCENT.findall(text)]
    low, high = known.synthetic_range
    return any(low - max(SHARE_OFF, low / 10) <= one <= high + max(SHARE_OFF, high / 10) for one in shares)


def share_text(known: DatasetFacts) -> str:
    """Say a share with its counts: "20 of 100 records (20.0 %) are synthetic", and for how many it is unknown."""
    said = f"{known.n_synthetic} of {known.n_records} records ({100 * known.synthetic_range[0]:.1f} %) are synthetic"
    n_unknown = known.n_records - known.n_marked
    return f"{said}; it is unknown for {n_unknown}" if n_unknown > 0 else said


def _counts(said: Mapping[str, Sequence[Said]], known: DatasetFacts) -> Iterator[Claim]:
    for field in ("description", "size", "record"):
        for place, text in said.get(field, ()):
            if place in {"dataset_info", "size_categories"}:
                continue
            for line in sentences(text):
                yield from _count_claims(field, place, line, known)


def _count_claims(field: str, place: str, line: str, known: DatasetFacts) -> Iterator[Claim]:
    if PART.search(line):
        return
    named = [split for split in known.splits if re.search(rf"\b{re.escape(split)}", line, re.IGNORECASE)]
    for found in COUNT.finditer(line):
        count = count_of(found["number"], found["scale"])
        if count is None:
            continue
        near = ABOUT if found["about"] or found["scale"] else NEAR
        right = [known.n_records, *known.splits.values()] if named or known.splits else [known.n_records]
        is_claim = WHOLE.search(line) is not None or (field in {"size", "record"} and (bool(named) or not known.splits))
        if is_claim and not any(abs(count - one) <= near * max(one, 1) for one in right):
            yield Claim(field, place, found[0].strip(), f"{known.n_records} records")


def _front_counts(card: Card, known: DatasetFacts) -> Iterator[Claim]:
    splits = split_sizes(card.front.get("dataset_info"))
    for split, count in splits.items():
        there = known.splits.get(split)
        if there is not None and there != count:
            yield Claim("size", "dataset_info", f"{split}: {count} examples", f"{there} records of split '{split}'")
    if splits and not known.splits and sum(splits.values()) != known.n_records:
        yield Claim("size", "dataset_info", f"{sum(splits.values())} examples", f"{known.n_records} records")
    categories = card.front.get("size_categories")
    for category in categories if isinstance(categories, list) else [categories]:
        limits = SIZE.match(str(category).strip())
        if limits is None:
            continue
        low = _limit(limits[2] or limits[4]) if limits[2] or limits[4] else 0.0
        high = _limit(limits[1] or limits[3]) if limits[1] or limits[3] else float("inf")
        if not low <= known.n_records <= high:
            yield Claim("size", "size_categories", str(category), f"{known.n_records} records")


def _limit(text: str) -> float:
    return float(text.rstrip("KMBT")) * LETTERS.get(text[-1], 1.0)


def _columns(said: Mapping[str, Sequence[Said]], columns: Sequence[str]) -> Iterator[Claim]:
    """Find a list of columns of which more than half are not there: it is that of other data, or of another time."""
    there = {name.casefold() for name in columns}
    for place, text in said.get("record", ()):
        named = list(dict.fromkeys(one.casefold() for one in COLUMN.findall(text)))
        missing = [one for one in named if one not in there and one.rpartition(".")[2] not in there]
        if there and len(named) > 1 and 2 * len(missing) > len(named):
            claim, fact = f"columns {', '.join(missing[:8])}", f"the columns are {', '.join(columns[:8])}"
            yield Claim("record", place, claim, fact)


def _languages(said: Mapping[str, Sequence[Said]], known: DatasetFacts) -> Iterator[Claim]:
    there: dict[str, int] = {}
    for name, count in known.languages.items():
        code = language_code(name)
        if code:
            there[code] = there.get(code, 0) + count
    claimed: set[str] = set()
    places = []
    for place, text in said.get("languages", ()):
        tags = {code for tag in re.split(r"[\s,;]+", text) if (code := language_code(tag)) and len(tag) < 12}
        codes = tags if not place.startswith("#") and " " not in text.strip() else languages_in(text)
        claimed |= codes
        places.append(place)
    if not there or not claimed:
        return
    n_told = sum(there.values())
    missing = sorted(code for code, count in there.items() if code not in claimed and count >= COMMON_LANGUAGE * n_told)
    extra = sorted(claimed - set(there) - {"mul", "und", "zxx"}) if "mul" not in claimed else []
    if missing and "mul" not in claimed:
        counts = ", ".join(f"{code}: {there[code]}" for code in missing)
        yield Claim(
            "languages", places[0], f"languages {', '.join(sorted(claimed))}", f"records in other languages ({counts})"
        )
    if extra:
        yield Claim("languages", places[0], f"languages {', '.join(extra)}", "no record in them")


def _times(said: Mapping[str, Sequence[Said]], known: DatasetFacts) -> Iterator[Claim]:
    """Find stated times, of two days or more, that do not hold the days on which records were retrieved."""
    if not known.first_retrieved or not known.last_retrieved:
        return
    for place, text in said.get("timeframe", ()):
        days = sorted(re.findall(r"\b(?:19|20)\d\d-\d\d(?:-\d\d)?\b", text))
        if len(days) < 2 or re.search(r"\bongoing|continu|goes on\b", text, re.IGNORECASE):
            continue
        first, last = days[0], days[-1]
        if known.first_retrieved[: len(first)] < first or known.last_retrieved[: len(last)] > last:
            fact = f"records retrieved from {known.first_retrieved} to {known.last_retrieved}"
            yield Claim("timeframe", place, f"{first} to {last}", fact)


def _synthetic(said: Mapping[str, Sequence[Said]], known: DatasetFacts) -> Iterator[Claim]:
    if not known.n_marked:
        return
    for place, text in said.get("synthetic-share", ()):
        stated = PERCENT.findall(text)
        fact = share_text(known)
        if stated and not agrees_with_share(text, known):
            yield Claim("synthetic-share", place, f"{stated[0]} %", fact)
        elif (
            not stated and known.n_synthetic and (NO_SYNTHETIC.match(text) or text.strip().casefold() in ("false", "0"))
        ):
            yield Claim("synthetic-share", place, text[:60], fact)
