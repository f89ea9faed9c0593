"""All forms about one address -> signals, in the order of the table of sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from copycat.provenance.records import Signal
from copycat.provenance.signals import aipref, robots_tags, tdmrep
from copycat.provenance.signals.embedded import read_embedded
from copycat.provenance.signals.pages import Metas, is_page, read_page
from copycat.provenance.signals.recorded import Recorded, Response, folded_name
from copycat.provenance.signals.robots import parse_robots, read_robots, unreachable
from copycat.provenance.signals.rsl import read_licence
from copycat.provenance.signals.terms import Answers, unread

_LINK = re.compile(r"<([^<>]{1,2000})>([^<]*)")


def read_signals(responses: Recorded) -> list[Signal]:
    """Give every statement in what was recorded of an address; one without `answers` says nothing, and why.

    Nothing is fetched, and nothing is raised for what is in the responses.
    """
    return list(_signals(responses))


def _signals(recorded: Recorded) -> Iterator[Signal]:
    path = recorded.path
    if recorded.robots is not None:
        yield from read_robots(recorded.robots, path)
        yield from aipref.read_robots_rules(recorded.robots, path)
    if recorded.tdmrep is not None:
        yield from tdmrep.read_file(recorded.tdmrep, path)
    page = recorded.page
    if page is not None:
        yield from aipref.read_headers(page)
        yield from tdmrep.read_headers(page)
        yield from robots_tags.read_headers(page)
        if page.body:
            yield from _of_body(page, recorded.url)
        if page.error or unreachable(page):
            yield _unread(page, f"was not read ({page.error or unreachable(page)}): what it says is unknown")
    for licence in recorded.licences:
        yield from read_licence(licence, recorded.url)
    for address in _missing(recorded):
        note = "a licence is named, but was not recorded: its terms are unknown"
        yield Signal(source="rsl", answers=unread(), place=address[:200], note=note)


def _unread(page: Response, note: str) -> Signal:
    place = page.where or "the page"
    return Signal(source="page", answers=unread(), place=place, fetched_at=page.fetched_at, note=note)


def _missing(recorded: Recorded) -> list[str]:
    """Give the licences that are named and were not recorded; one without an address may be any of them."""
    held = {name for licence in recorded.licences for name in (licence.url, licence.place) if name}
    nameless = sum(not licence.url for licence in recorded.licences)
    missing = [one for one in licence_addresses(recorded) if not {one, absolute(recorded.url, one)} & held]
    return missing[:10] if len(missing) > nameless else []


def absolute(base: str, address: str) -> str:
    """Give an address that stands in what came from another; as it is where it is none."""
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def _of_body(page: Response, url: str) -> Iterator[Signal]:
    inside = list(read_embedded(page.body, page.where or "the file", page.fetched_at))
    if not is_page(page):
        yield from inside
        if page.is_cut:
            yield _unread(page, "was not read in full: what it says inside itself is unknown")
        return
    yield from (_refusal(signal) for signal in inside if "deny" in signal.answers.values())
    head = read_page(page)
    if head.is_cut:
        yield _unread(page, "was not read in full: what the rest says is unknown")
    yield from _of_metas(head.metas, page)
    more = tuple(meta for meta in head.loose if meta not in head.metas)
    yield from (_refusal(signal) for signal in _of_metas(more, page) if "deny" in signal.answers.values())
    for text in head.licences:
        place = f"RSL in {page.where or 'the page'}"
        yield from read_licence(page.model_copy(update={"status": 200, "body": text.encode(), "place": place}), url)


def _of_metas(metas: Metas, page: Response) -> Iterator[Signal]:
    yield from tdmrep.read_metas(metas, page)
    yield from robots_tags.read_metas(metas, page)
    usage = [content for name, content in metas if folded_name(name) == "contentusage"]
    if usage:
        answers, note = aipref.read_content_usage(", ".join(usage))
        note = note or "AIPREF defines no meta tag: only a refusal counts"
        yield _refusal(
            Signal(source="aipref-header", raw=usage[0][:200], answers=answers, place="HTML meta", note=note)
        )


def _refusal(signal: Signal) -> Signal:
    """Keep the refusals of a statement, and not its permissions."""
    refused: Answers = {use: answer for use, answer in signal.answers.items() if answer == "deny"}
    return signal.model_copy(update={"answers": refused})


def licence_addresses(recorded: Recorded) -> list[str]:
    """Give the addresses of RSL files that robots.txt, headers and the page name, each once."""
    found: list[str] = []
    if recorded.robots is not None and recorded.robots.body:
        found += [value for _, value in parse_robots(recorded.robots.body).values("license")]
    page = recorded.page
    if page is not None:
        for value in page.header_values("Link"):
            found += [to for to, rest in _LINK.findall(value[:65536]) if _names_rsl(rest)]
        if page.body and is_page(page):
            found += [href for rel, kind, href in read_page(page).links if _names_rsl(f"{rel} {kind}")]
    return list(dict.fromkeys(address for address in found if address))


def _names_rsl(text: str) -> bool:
    return "license" in text.casefold() and "rsl" in text.casefold()
