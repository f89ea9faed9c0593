"""The TDM Reservation Protocol of the W3C Community Group (final report 10 May 2024; edited December 2025).

`tdm-reservation` is 1 (reserved) or 0 (not reserved); other values are as if unset. Section 6: the file
/.well-known/tdmrep.json, an array of rules of which the first that matches counts; section 7: headers; section 8: HTML
meta; then EPUB and PDF. A higher one replaces a lower one where it is there; its absence never resets the lower
(`combining.py` does that).

Beyond the standard, and only towards a refusal: `1, 1`, `"1"`, `true`, `1;x` are 1; among values that contradict each
other the 1 counts; in a file that is no JSON, a rule that can still be made out counts if it reserves; a rule that says
neither 1 nor 0 is passed over, and one whose location is a whole address counts only if it reserves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from copycat.provenance.records import Answer, Signal
from copycat.provenance.signals.patterns import matches
from copycat.provenance.signals.recorded import Response, folded_name
from copycat.provenance.signals.robots import decoded, unreachable
from copycat.provenance.signals.terms import TDM, Answers, answers_of, unread

MAX_FILE_BYTES = 8 << 20
MAX_RULES = 100_000
_YES = {"1", "true", "yes", "reserved", "on"}
_TORN = re.compile(r"[\"']?tdm[-_]?reservation[\"']?\s*+[:=][\s\"']*+(1|true)\b", re.IGNORECASE)


def read_reservation(value: object) -> tuple[Answer, str]:
    """Give what a value of tdm-reservation says, and a note where it is not written as the standard has it.

    >>> read_reservation("1, 1")
    ('deny', "'1, 1' read as 1")
    >>> read_reservation("0")
    ('allow', '')
    """
    if isinstance(value, (list, tuple)):
        value = ",".join(map(str, value))
    text = str(value).strip()
    if value is True:
        return "deny", "true read as 1"
    if value is False:
        return "unknown", "false is no value of it"
    if text in ("0", "1"):
        return ("deny", "") if text == "1" else ("allow", "")
    parts = [part.casefold() for part in re.split(r"[^\w.+-]+", text)]
    shown = text[:40]
    if any(part in _YES or re.fullmatch(r"0*1(\.0+)?", part) for part in parts):
        return "deny", f"'{shown}' read as 1"
    return "unknown", f"'{shown}' is no value of it: as if unset"


def read_headers(response: Response) -> Iterator[Signal]:
    """Yield the header TDM-Reservation."""
    values = response.header_values("TDM-Reservation")
    if values:
        policy = ", ".join(response.header_values("TDM-Policy"))
        yield signal_of("tdmrep-header", values, "header TDM-Reservation", response.fetched_at, policy)


def read_metas(metas: Iterable[tuple[str, str]], response: Response) -> Iterator[Signal]:
    """Yield HTML meta tdm-reservation: (name, content) of each meta tag of a page."""
    held = [(folded_name(name), content) for name, content in metas]
    values = [content for name, content in held if name == "tdmreservation"]
    if values:
        policy = ", ".join(content for name, content in held if name == "tdmpolicy")
        place = f"HTML meta tdm-reservation{f' of {response.where}' if response.where else ''}"
        yield signal_of("tdmrep-meta", values, place, response.fetched_at, policy)


def signal_of(source: str, values: list[str], place: str, fetched_at: str | None, policy: str = "") -> Signal:
    """Make the signal of one or more values in one place: several are one statement, and a 1 in it counts."""
    answer, note = read_reservation(", ".join(values) if len(values) > 1 else values[0])
    if policy:
        note = "; ".join(part for part in (note, f"policy: {policy[:200]}") if part)
    return Signal(
        source=source,
        raw=", ".join(values)[:200],
        answers=_answers(answer),
        place=place,
        fetched_at=fetched_at,
        note=note,
    )


def _answers(answer: Answer) -> Answers:
    return {} if answer == "unknown" else answers_of(TDM, answer)


def read_file(response: Response, path: str) -> Iterator[Signal]:
    """Yield what tdmrep.json says about a path: one signal, always."""
    if unreachable(response):
        yield _file_signal(response, unread(), "", "could not be read: what it says is unknown")
        return
    if response.status is not None and not 200 <= response.status < 300:
        yield _file_signal(response, {}, "", f"is not there (status {response.status}): no statement")
        return
    text = decoded(response.body[:MAX_FILE_BYTES])
    is_cut = response.is_cut or len(response.body) > MAX_FILE_BYTES
    try:
        rules, fault = _rules(json.loads(text, object_pairs_hook=_all_values))
    except (ValueError, RecursionError):
        rules, fault = [], "is not JSON"
    if is_cut:
        fault = f"has more than {MAX_FILE_BYTES} bytes"
    yield _first_match(response, rules, path, fault, text)


def _all_values(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; a key that stands there twice, in whatever case, has the list of its values."""
    held: dict[str, Any] = {}
    for key, value in pairs:
        name = key.strip().casefold().replace("_", "-")
        name = "tdm-reservation" if name.replace("-", "") == "tdmreservation" else name
        held[name] = [*_listed(held[name]), value] if name in held else value
    return held


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _rules(held: Any) -> tuple[list[dict[str, Any]], str]:
    """Give the rules, and what is wrong with them; one object alone is taken for an array of one."""
    fault = ""
    if isinstance(held, dict):
        held, fault = [held], "is an object, not an array"
    if not isinstance(held, list):
        return [], "is no array"
    rules = [rule for rule in held[:MAX_RULES] if isinstance(rule, dict)]
    if len(rules) < len(held):
        fault = fault or "holds what is no rule"
    return rules, fault


def _first_match(response: Response, rules: list[dict[str, Any]], path: str, fault: str, text: str) -> Signal:
    silent: list[str] = []
    for number, rule in enumerate(rules, 1):
        location = next((part for part in _locations(rule) if matches(_pattern(part), path)), None)
        if location is None:
            continue
        answer, note = read_reservation(rule.get("tdm-reservation", ""))
        if answer == "unknown" or (answer == "allow" and (_is_whole(location) or silent)):
            silent.append(f"rule {number}: {note or 'a permission that does not stand'}")
            continue
        if fault and answer == "allow":
            answer, note = "unknown", "a permission in a faulty file does not stand"
        notes = [part for part in (fault, note, f"rule {number}, location {location[:80]}") if part]
        policy = rule.get("tdm-policy")
        notes += [f"policy: {str(policy)[:200]}"] if policy else []
        raw = str(rule.get("tdm-reservation", ""))[:200]
        return _file_signal(response, _answers(answer), raw, "; ".join(notes))
    nameless = [rule for rule in rules if not _locations(rule)]
    if any(read_reservation(rule.get("tdm-reservation", ""))[0] == "deny" for rule in nameless):
        note = "a rule without a location reserves: read as for everything"
        return _file_signal(response, _answers("deny"), "", note)
    if fault and not any(map(_locations, rules)) and _TORN.search(text):
        return _file_signal(response, _answers("deny"), "", f"{fault}, but a reservation can be made out in it")
    note = "; ".join([fault or "no rule for this path", *silent[:8]])
    return _file_signal(response, unread() if fault else {}, "", note)


def _locations(rule: dict[str, Any]) -> list[str]:
    return [part for part in _listed(rule.get("location")) if isinstance(part, str)]


def _is_whole(location: str) -> bool:
    """Whether a location is a whole address, which the standard does not have: it may be one of another site."""
    return "://" in location or re.match(r"\s*[\w-]+(\.[\w-]+)+/", location) is not None


def _pattern(location: str) -> str:
    plain = location.partition("#")[0].strip()
    if _is_whole(plain):
        plain = "/" + plain.rpartition("://")[2].partition("/")[2]
    return plain if plain.startswith(("/", "*")) else f"/{plain}"


def _file_signal(response: Response, answers: Answers, raw: str, note: str) -> Signal:
    return Signal(
        source="tdmrep-file",
        raw=raw,
        answers=answers,
        place=response.where or "tdmrep.json",
        fetched_at=response.fetched_at,
        note=note,
    )
