"""Signals as they were recorded, and as they are in newer answers: what changed. Nothing recorded is rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from copycat.provenance.records import USES, Answer, Signal, Use
from copycat.provenance.signals.columns import Case, near, when
from copycat.provenance.signals.combining import combine
from copycat.provenance.signals.reading import read_signals
from copycat.provenance.signals.recorded import Recorded, Response
from copycat.provenance.signals.robots import unreachable

Changes = dict[Use, tuple[Answer, Answer]]
"""Use -> the answer then, the answer now; only where they differ."""


def changes(then: Mapping[Use, Answer], now: Mapping[Use, Answer]) -> Changes:
    """Compare two decisions."""
    return {use: (then[use], now[use]) for use in now if use in then and then[use] != now[use]}


def reread(case: Case) -> dict[str, set[datetime]]:
    """Give the sources that a record's signals name at more than one visit, with the dates."""
    dates: dict[str, set[datetime]] = {}
    for signal in case.kept:
        date = when(signal.fetched_at)
        if date is not None:
            dates.setdefault(signal.source, set()).add(date)
    return {source: days for source, days in dates.items() if not near(min(days), max(days))}


def changes_within(case: Case) -> Changes:
    """Compare the first and the last reading of the sources that were read more than once."""
    changed = reread(case)
    if not changed:
        return {}
    first = [s for s in case.kept if s.source not in changed or near(when(s.fetched_at), min(changed[s.source]))]
    last = [s for s in case.kept if s.source not in changed or near(when(s.fetched_at), max(changed[s.source]))]
    return changes(combine(first).answers, combine(last).answers)


OF_PART: dict[str, frozenset[str]] = {
    "page": frozenset({"page", "aipref-header", "content-signal", "tdmrep-header", "tdmrep-meta", "tdmrep-file-inside",
                       "x-robots-tag", "meta-robots", "plus", "cawg", "c2pa"}),
    "robots": frozenset({"robots", "aipref-robots", "content-signal"}),
    "tdmrep": frozenset({"tdmrep-file"}),
    "licences": frozenset({"rsl"}),
}  # fmt: skip
"""Which sources are asked again with which part of newer answers."""


class Newer(NamedTuple):
    """What newer answers say about an address, and which sources they asked."""

    signals: tuple[Signal, ...]
    asked: frozenset[str]


def changes_since(case: Case, newer: Newer) -> Changes:
    """Compare what a record keeps with newer answers."""
    then = {use: case.answer(use) for use in USES}
    return changes(then, combine(signals_since(case, newer)).answers)


def signals_since(case: Case, newer: Newer) -> tuple[Signal, ...]:
    """Give what holds once newer answers are there; a source that was not asked again says what it said."""
    kept = [signal for signal in (*case.signals, *case.faulty) if signal.source not in newer.asked]
    if case.stated and not case.signals:  # an unknown that was kept is that nobody spoke, which newer answers may mend
        said: dict[Use, Answer] = {use: answer for use, answer in case.stated.items() if answer != "unknown"}
        kept.append(Signal(source="recorded", answers=said))
    return (*kept, *newer.signals)


class Later:
    """Newer answers, by address: a page by its own, robots.txt, tdmrep.json and licences by their origin."""

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        self._pages: dict[str, Recorded] = {}
        self._sites: dict[str, Recorded] = {}
        for one in recorded:
            url, site = one.url.strip(), origin_of(one.url)
            if one.page is not None and _is_later(one.page, self._pages.get(url, Recorded()).page):
                self._pages[url] = one
            held = self._sites.get(site, Recorded(url=site))
            self._sites[site] = Recorded(
                url=site,
                robots=one.robots if _is_later(one.robots, held.robots) else held.robots,
                tdmrep=one.tdmrep if _is_later(one.tdmrep, held.tdmrep) else held.tdmrep,
                licences=one.licences if _is_later(*map(_first, (one.licences, held.licences))) else held.licences,
            )
        self._read = lru_cache(maxsize=65536)(self._read_anew)

    def of(self, url: str) -> Newer | None:
        """Give what newer answers say about an address; None where they are not about it nor about its site."""
        return self._read(url)

    def _read_anew(self, url: str) -> Newer | None:
        page, site = self._pages.get(url.strip(), Recorded()), self._sites.get(origin_of(url), Recorded())
        found = Recorded(
            url=url,
            page=page.page,
            robots=page.robots or site.robots,
            tdmrep=page.tdmrep or site.tdmrep,
            licences=page.licences or site.licences,
        )
        parts = {part for part in OF_PART if getattr(found, part)}
        if found.page is not None and (found.page.error or unreachable(found.page)):
            parts.remove("page")  # what it said then still stands
        asked = frozenset().union(*(OF_PART[part] for part in parts))
        asked -= frozenset() if {"page", "robots"} <= parts else frozenset({"content-signal"})
        return Newer(tuple(read_signals(found)), asked) if asked else None


def _first(licences: tuple[Response, ...]) -> Response | None:
    return licences[0] if licences else None


def _is_later(one: Response | None, held: Response | None) -> bool:
    """Whether an answer replaces one of before: it was read later, or stands later where a date is missing."""
    if one is None or held is None:
        return one is not None
    date, before = when(one.fetched_at), when(held.fetched_at)
    return date is None or before is None or date >= before


def origin_of(url: str) -> str:
    """Give scheme, host and port of an address; "" where it is none."""
    try:
        parts = urlsplit(url.strip())
        usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
        return f"{parts.scheme}://{parts.netloc}".casefold().removesuffix(usual) if parts.netloc else ""
    except ValueError:
        return ""
