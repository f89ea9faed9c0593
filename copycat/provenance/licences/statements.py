"""What a dataset says of its own licence, and where: card, croissant.json, LICENSE, CITATION.cff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from copycat.fairuse.code.licence_texts import recognise
from copycat.provenance.dataset import Dataset
from copycat.provenance.dataset.card import Card
from copycat.provenance.licences.addresses import licence_at
from copycat.provenance.licences.duties import ids_of_choices
from copycat.provenance.licences.facts import facts_of
from copycat.provenance.licences.naming import plain
from copycat.provenance.licences.parsing import ParsedLicence, names_in, parse_licence
from copycat.provenance.records import Evidence
from copycat.provenance.rules.rule import shortened
from copycat.schema import Record

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|unlicense)([-._][\w.\-]*)?", re.IGNORECASE)
OF_CODE = re.compile(r"licen[cs]e[-._](code|software|scripts?|tools?)([-._]\w+)?", re.IGNORECASE)
"""Of the code beside the data; it says nothing of the dataset."""

MAX_BYTES = 400_000
"""Of a licence file; a longer one is not read, and that is said."""

TITLE_LINES, MAX_NAMED = 12, 20
_UNDER = re.compile(
    r"\b(?:licen[cs]ed|released|available|distributed|published)\s+under\s+(?:the\s+terms\s+of\s+)?(?:the\s+|an?\s+)?"
    r"([^\n.]{2,90}(?:\.\d[^\n.]{0,40})*)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[^\s)>\]\"'<]+")
_PARTS = re.compile(
    r"\b(records?|contents?|items?|parts?|works?|documents?|texts?|files?|pages?|articles?|books?|entr(?:y|ies)|images?|pictures?|sources?|samples?)\b",
    re.I,
)
_EACH = re.compile(r"\b(own|respective|individual|original|separate|different|per[- ]record|each)\b", re.I)
_LICENCE_FILE_WORDS = re.compile(r"\blicen[cs]e (files?|texts?|headers?)\b", re.I)
_NOT = re.compile(r"\b(no|not|never|without|none)\b", re.I)
_LICENCE = re.compile(r"\blicen[cs]", re.I)
_TITLES = (
    (r"(odc|open data commons) open database", "ODbL-1.0"),
    (r"(odc|open data commons) public domain dedication", "PDDL-1.0"),
    (r"(odc|open data commons) attribution", "ODC-By-1.0"),
    (r"computational use of data agreement 1\.0", "C-UDA-1.0"),
    (r"open use of data agreement 1\.0", "O-UDA-1.0"),
    (r"community data agreement sharing 1\.0", "CDLA-Sharing-1.0"),
    (r"community data agreement permissive 1\.0", "CDLA-Permissive-1.0"),
    (r"community data agreement permissive 2\.0", "CDLA-Permissive-2.0"),
    (r"gnu free documentation 1\.3", "GFDL-1.3-only"),
    (r"gnu free documentation 1\.2", "GFDL-1.2-only"),
    (r"sil open font 1\.1", "OFL-1.1"),
    (r"ouverte open 2\.0", "etalab-2.0"),
    (r"art libre 1\.3", "LAL-1.3"),
    (r"(norwegian for )?open government data nlod 2\.0", "NLOD-2.0"),
    (r"(dl de >?by 2\.0 )?datenlizenz deutschland namensnennung 2\.0", "DL-DE-BY-2.0"),
)
"""How whole texts begin, as `naming.plain` gives it."""

MAX_BODY = 200_000
"""Letters of a card that are searched."""


class Statement(Record):
    """One place in which a dataset says what its licence is."""

    place: Evidence
    parsed: ParsedLicence


def statements(dataset: Dataset) -> tuple[Statement, ...]:
    """Give what the dataset says of its own licence, by card, croissant.json, licence files, CITATION.cff."""
    card = dataset.card
    found: list[Statement] = []
    for key in ("license", "licence"):
        if card.front.get(key) is not None:
            found.append(_said(card.file, key, card.front[key]))
    if not any(one.parsed.expression for one in found):
        found = _own_terms(card, found)
    for key in ("license", "licence", "sc:license", "https://schema.org/license"):
        if key in card.croissant:
            values = list(_croissant(card.croissant[key]))
            found.append(_said(card.croissant_file, f"/{key}", values[0] if len(values) == 1 else values))
    found += list(_files(dataset))
    return tuple(found)


def separate_statement(dataset: Dataset) -> str:
    """Give the sentence of the card by which its records have licences of their own; "" where there is none."""
    for key in ("component_licenses", "component_licences", "content_license", "license_details"):
        value = dataset.card.front.get(key)
        if isinstance(value, str | list | dict) and value:
            return shortened(f"{key}: {value}")
    for sentence in re.split(r"[.\n]", dataset.card.body[:MAX_BODY]):
        words = _LICENCE_FILE_WORDS.sub("licence", sentence[:2_000])
        if all(one.search(words) for one in (_LICENCE, _EACH, _PARTS)) and not _NOT.search(words):
            return shortened(sentence)
    return ""


def own_expressions(said: tuple[Statement, ...]) -> dict[str, Statement]:
    """Give expression -> the first statement that has it."""
    found: dict[str, Statement] = {}
    for one in said:
        if one.parsed.expression is not None:
            found.setdefault(one.parsed.expression, one)
    return found


def _own_terms(card: Card, found: list[Statement]) -> list[Statement]:
    """Give what the card names beside 'license: other': `license_name`, which anybody makes up, and `license_link`."""
    named = card.front.get("license_name")
    if named is not None:
        said = _said(card.file, "license_name", named)
        if said.parsed.fault and isinstance(named, str) and (found or named.strip()):
            own = ParsedLicence(text=said.parsed.text, is_unknown=True, method="unknown", note="a name of its own")
            said = said.model_copy(update={"parsed": own})
        if said.parsed.expression or said.parsed.fault or not found:
            return [said]
        first = found[0]
        both = first.parsed.model_copy(update={"text": f"{first.parsed.text}: {said.parsed.text}"})
        found = [first.model_copy(update={"parsed": both})] if first.parsed.is_unknown else [*found, said]
    link = card.front.get("license_link")
    if isinstance(link, str) and licence_at(link) is not None and not any(one.parsed.fault for one in found):
        return [_said(card.file, "license_link", link)]
    return found


def most_exact(own: dict[str, Statement]) -> list[str]:
    """Give the expressions of `own_expressions` that say different things of one dataset; more than one contradict.

    Left out is what another one says more exactly: a family without its version, "this version" in a licence file
    beside "or later" in the card (the file is the same), a file for each licence of an expression, another order.
    """
    seen: dict[frozenset[frozenset[str]], str] = {}
    for name, said in own.items():
        if not any(_says_less(said, name, other) for other in own if other != name):
            seen.setdefault(frozenset(frozenset(choice) for choice in ids_of_choices(name)), name)
    return list(seen.values())


def _says_less(said: Statement, name: str, other: str) -> bool:
    """Whether `name`, which `said` states, is part of the expression `other`, told less exactly."""
    there = set(names_in(other))
    facts = facts_of(name)
    if facts is not None and facts.family:
        version = re.escape(name.removeprefix("LicenseRef-")) + r"-\d.*"
        return any(re.fullmatch(version, one) for one in there)
    is_file = not said.place.pointer
    return is_file and all(one in there or re.sub("-only$", "-or-later", one) in there for one in names_in(name))


def _said(file: str, pointer: str, value: Any) -> Statement:
    text = value if isinstance(value, str | list) else str(value)
    where = Evidence(file=file, pointer=pointer, value=shortened(value))
    return Statement(place=where, parsed=parse_licence(text))


def _croissant(value: Any) -> Iterator[Any]:
    """Yield texts: an address or name, {"@id": ...}, {"@type": "CreativeWork", "name", "url"}, a list of these."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            taken = next((one[key] for key in ("url", "@id", "sc:url", "name", "identifier") if one.get(key)), None)
            yield taken if isinstance(taken, str) else str(one)[:200]
        else:
            yield one


# --------------------------------------------------------------------------------- files


def licence_files(dataset: Dataset) -> list[Path]:
    """Give the licence files at the top of a dataset's folder, by name."""
    folder = dataset.root
    if not folder.is_dir():
        return []
    try:
        there = [path for path in folder.iterdir() if LICENCE_FILE.fullmatch(path.name) and path.is_file()]
        return sorted(path for path in there if not OF_CODE.fullmatch(path.name))
    except OSError:
        return []


def _files(dataset: Dataset) -> Iterator[Statement]:
    for path in licence_files(dataset):
        text = read_text(path)
        if text is None:
            parsed = ParsedLicence(text=path.name, fault=f"cannot be read, or has more than {MAX_BYTES} bytes")
        else:
            parsed = licence_of_text(text)
        yield Statement(place=Evidence(file=path.name, value=shortened((text or "")[:200])), parsed=parsed)
    citation = dataset.root / "CITATION.cff"
    if dataset.root.is_dir() and citation.is_file() and (text := read_text(citation)) is not None:
        found = re.search(r"(?m)^license:[ \t]*[\"']?([^\s\"'#][^\n\"'#]*)", text)
        if found:
            yield _said("CITATION.cff", "license", found.group(1).strip())


def read_text(path: Path) -> str | None:
    """Give a small text file, bytes that are not UTF-8 replaced; None where it cannot be read or is too long."""
    try:
        return path.read_bytes().decode("utf-8-sig", "replace") if path.stat().st_size <= MAX_BYTES else None
    except OSError:
        return None


def licence_of_text(text: str) -> ParsedLicence:
    """Say which licence a licence file is: by its words, its title, what it says it is under, or its one address.

    What is not recognised is unknown, not guessed.
    """
    shown = shortened(text[:200])
    known = recognise(text).expression
    if known is not None and (read := parse_licence(known)).expression is not None:
        return read.model_copy(update={"text": shown, "note": "by the words of the licence"})
    top = plain(text[:600].replace("\u2013", " ").replace("#", " ").replace("=", " "))
    titled = next((name for title, name in _TITLES if re.match(title, top)), None)
    if titled is not None and len(text) > 1_500:
        return parse_licence(titled).model_copy(update={"text": shown, "note": "by the title of the licence"})
    lines = [line.strip(" #*=-\t") for line in text[:4_000].splitlines() if line.strip(" #*=-\t")][:TITLE_LINES]
    for line in lines:
        named = parse_licence(re.sub(r"^(data|dataset|content)?\s*licen[cs]e\s*[:=]\s*", "", line, flags=re.IGNORECASE))
        if named.expression is not None and (named.method != "spdx" or len(lines) <= 2):
            return named.model_copy(update={"text": shown, "note": f"by the line '{shortened(line)[:60]}'"})
    under = {
        one
        for match in islice(_UNDER.finditer(text[:20_000]), MAX_NAMED)
        if (one := _under(match.group(1))) is not None
    }
    places = {one for place in _ADDRESS.findall(text[:20_000]) if (one := licence_at(place.rstrip(".,;")))}
    for expressions, how in ((under, "by what it says it is under"), (places, "by the address in it")):
        if len(expressions) == 1 and (read := parse_licence(next(iter(expressions)))).expression is not None:
            return read.model_copy(update={"text": shown, "method": "name", "note": how})
    return ParsedLicence(text=shown, is_unknown=True, method="unknown", note="its words are not recognised")


def _under(words: str) -> str | None:
    """Read the licence at the beginning of what follows "licensed under"."""
    parts = re.sub(r"\s*\([^)]*\)?", "", words).strip(" ,;:*_").split()
    for n in range(min(len(parts), 9), 0, -1):
        read = parse_licence(" ".join(parts[:n]).strip(" ,;:"))
        if read.expression is not None:
            return read.expression
    return None
