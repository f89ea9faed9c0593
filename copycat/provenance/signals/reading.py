"""All forms about one address -> signals, in the order of the table of sources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from copycat.provenance.records import Signal
from copycat.provenance.signals import aipref, robots_tags, tdmrep
from copycat.provenance.signals.embedded import read_embedded
from copycat.provenance.signals.pages import Metas, is_page, read_page
from copycat.provenance.signals.recorded import Recorded, Response
from copycat.provenance.signals.robots import parse_robots, read_robots
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
    for licence in recorded.licences:
        yield from read_licence(licence, recorded.url)
    missing = [] if recorded.licences else licence_addresses(recorded)
    for address in missing:
        note = "a licence is named, but was not recorded: its terms are unknown"
        yield Signal(source="rsl", answers=unread(), place=address[:200], note=note)


def _of_body(page: Response, url: str) -> Iterator[Signal]:
    if not is_page(page):
        yield from read_embedded(page.body, page.where or "the file", page.fetched_at)
        return
    head = read_page(page)
    yield from _of_metas(head.metas, page)
    more = tuple(meta for meta in head.loose if meta not in head.metas)
    yield from (_refusal(signal) for signal in _of_metas(more, page) if "deny" in signal.answers.values())
    for text in head.licences:
        place = f"RSL in {page.where or 'the page'}"
        yield from read_licence(page.model_copy(update={"status": 200, "body": text.encode(), "place": place}), url)


def _of_metas(metas: Metas, page: Response) -> Iterator[Signal]:
    yield from tdmrep.read_metas(metas, page)
    yield from robots_tags.read_metas(metas, page)
    usage = [content for name, content in metas if name.strip().casefold() == "content-usage"]
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
            found += [to for to, rest in _LINK.findall(value[:65536]) if "license" in rest and "rsl" in rest.casefold()]
        if page.body and is_page(page):
            found += [
                href for rel, kind, href in read_page(page).links if "license" in rel and "rsl" in kind.casefold()
            ]
    return list(dict.fromkeys(address for address in found if address))[:10]
