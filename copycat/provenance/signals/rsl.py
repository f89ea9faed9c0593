"""Really Simple Licensing 1.0 (10 December 2025): an XML file that robots.txt (`License:`), a header or a page names.

Section 3.1.1: all `content` elements that take an address in are read together, and a prohibition goes before a
permission. Section 3.5: where a licence has `permits type="usage"`, what is not listed there is not permitted by it;
several licences are offers, of which one is enough. Section 3.7: without `payment`, or with type `free`, an offer is
free.

An offer with a condition (a payment, attribution, a kind of user, a country) is answered `deny` with the condition in
the note: nobody has met it yet. A file with prohibitions alone says nothing of the rest. A prohibition counts wherever
it stands, also outside of a licence; one whose words are unknown leaves all uses unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from copycat.provenance.records import USES, Signal
from copycat.provenance.signals.patterns import covers
from copycat.provenance.signals.recorded import Response
from copycat.provenance.signals.robots import decoded, unreachable
from copycat.provenance.signals.terms import RSL, RSL_DRAFT, Answers, answers_of, strictest, unread, widened

MAX_FILE_BYTES = 4 << 20
MAX_CONTENTS = 10_000
_TORN = re.compile(r"<\s{0,9}(?:\w{1,40}:)?prohibits\b([^<>]{0,500})>([^<]{0,2000})", re.IGNORECASE)


def read_licence(response: Response, url: str) -> Iterator[Signal]:
    """Yield what a licence file says of an address: one signal, always."""
    if unreachable(response) or (response.status is not None and not 200 <= response.status < 300):
        said = response.error or f"status {response.status}"
        yield _signal(response, unread(), f"the licence could not be read ({said}): its terms are unknown")
        return
    is_cut = response.is_cut or len(response.body) > MAX_FILE_BYTES
    root, fault = _parsed(response.body[:MAX_FILE_BYTES])
    fault = f"has more than {MAX_FILE_BYTES} bytes" if is_cut else fault
    if root is None:
        yield _signal(response, unread() | _torn(response.body[:MAX_FILE_BYTES]), fault)
        return
    contents = [element for element in root.iter() if _name(element) == "content"][:MAX_CONTENTS]
    covering = [content for content in contents if covers(_attribute(content, "url"), url)]
    answers: Answers = {}
    notes: list[str] = [fault] if fault else []
    within = {id(one) for content in contents for one in content.iter()}
    loose = _prohibited([one for one in root.iter() if id(one) not in within])
    answers = strictest(answers, loose)
    for content in covering:
        terms, more = _of_content(content)
        answers = strictest(answers, terms)
        notes += more
    if not covering:
        notes.append("speaks of other addresses only" if contents else "has no content element")
    if _name(root) != "rsl" or fault:
        answers = {use: answer for use, answer in answers.items() if answer == "deny"}
        notes += [] if _name(root) == "rsl" else [f"is <{_name(root)}>, not <rsl>: no permission stands"]
    yield _signal(response, answers, "; ".join(dict.fromkeys(notes)))


def _parsed(raw: bytes) -> tuple[Any, str]:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(raw), ""
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        kind = (
            "holds entities, which a licence needs none of" if isinstance(error, DefusedXmlException) else "is no XML"
        )
        return None, kind


def _torn(raw: bytes) -> Answers:
    """Give the prohibitions that can be made out in what is no XML."""
    answers: Answers = {}
    for attributes, text in _TORN.findall(decoded(raw)):
        kind = re.search(r"type\s*=\s*[\"']?\s*(\w+)", attributes)
        if kind is None or kind.group(1).casefold() == "usage":
            answers |= answers_of(_uses(text.replace("_", "-"))[0], "deny")
    return answers


def _of_content(content: Any) -> tuple[Answers, list[str]]:
    licences = [element for element in content if _name(element) in {"license", "licence"}]
    licences = licences or [content]
    prohibited = _prohibited(content.iter())
    offered: Answers = {}
    notes: list[str] = []
    lists_usage = False
    for licence in licences:
        said, note, lists = _offer(licence)
        lists_usage |= lists
        notes += note
        for use, answer in said.items():
            if offered.get(use) != "allow":
                offered[use] = answer
    if lists_usage:
        offered = answers_of(USES, "deny") | offered
        notes.append("what is not listed as permitted is not permitted")
    return offered | prohibited, notes


def _prohibited(elements: Iterable[Any]) -> Answers:
    """Give what is prohibited to everybody; a prohibition that says nothing known leaves all uses unknown."""
    answers: Answers = {}
    for element in elements:
        if _name(element) == "prohibits" and _kind(element) not in {"user", "geo"}:
            words = f"{_text(element)} {_attribute(element, 'value')}".replace("_", "-")
            uses = _uses(words)[0]
            answers = strictest(answers, answers_of(uses, "deny") if uses else unread())
    return answers


def _offer(licence: Any) -> tuple[Answers, list[str], bool]:
    """Give what one licence permits, the conditions as notes, and whether it lists uses."""
    permits = [element for element in licence if _name(element) == "permits"]
    usage = [element for element in permits if _kind(element) == "usage"]
    conditions = [
        f"for {_kind(element)} {_text(element)[:60]} only" for element in permits if _kind(element) != "usage"
    ]
    conditions += [
        f"not for {_kind(element)} {_text(element)[:60]}"
        for element in licence
        if _name(element) == "prohibits" and _kind(element) in {"user", "geo"}
    ]
    payments = [_attribute(element, "type") or "unnamed" for element in licence if _name(element) == "payment"]
    conditions += [f"payment: {kind[:40]}" for kind in payments if kind != "free"]
    if not usage:
        if conditions and any(_name(element) == "payment" for element in licence):
            return answers_of(USES, "deny"), conditions, False
        return (answers_of(USES, "allow") if payments == ["free"] and not conditions else {}), conditions, False
    permitted, drafts = _uses(" ".join(_text(element) for element in usage))
    answers = answers_of(permitted, "deny" if conditions else "allow")
    if drafts:
        answers = {use: answer for use, answer in answers.items() if answer == "deny" or use not in drafts}
    return answers, conditions, True


def _uses(text: str) -> tuple[list[Any], set[Any]]:
    """Give the uses that a list of words stands for, and those that only words of drafts stand for."""
    words = [word for word in re.split(r"[\s,;]+", text.casefold()) if word]
    firm = [use for word in words if word not in RSL_DRAFT for use in RSL.get(word, ())]
    drafts = {use for word in words if word in RSL_DRAFT for use in RSL[word]} - set(firm)
    return [*firm, *drafts], drafts


def _name(element: Any) -> str:
    tag = element.tag if isinstance(element.tag, str) else ""
    return tag.rpartition("}")[2].casefold()


def _attribute(element: Any, name: str) -> str:
    held = {str(key).rpartition("}")[2].casefold(): str(value).strip() for key, value in element.attrib.items()}
    return held.get(name, "")


def _kind(element: Any) -> str:
    return _attribute(element, "type").casefold() or "usage"


def _text(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def _signal(response: Response, answers: Answers, note: str) -> Signal:
    raw = decoded(response.body[:200])
    place = response.where or "license.xml"
    return Signal(
        source="rsl",
        raw=" ".join(raw.split()),
        answers=widened(answers),
        place=place,
        fetched_at=response.fetched_at,
        note=note,
    )
