"""Content-Usage of the IETF's AIPREF drafts, and Content-Signal: a header, or a rule of robots.txt.

draft-ietf-aipref-vocab-08 (14 September 2026), section 6: a dictionary of RFC 9651 whose keys are categories and whose
values are the tokens `y` and `n`; whatever else is unknown, the last of two equal keys counts, and where the whole
cannot be parsed, all is unknown. draft-ietf-aipref-attach-04 (28 October 2025), section 3: the rule of robots.txt, of
which the longest path that matches counts, and equal paths are combined (any `n`, else any `y`). Paths that may not be
crawled have no preference there.

Beyond the standard, and only towards a refusal: a key or value whose meaning is plain (`Train-AI=N`, `train-ai="n"`,
`train-ai=no`) denies. Equal keys: `train-ai=n, train-ai=y` is `y` by the draft, where the last counts, and `deny` with
us, because a statement that contradicts itself is read as a refusal (`parse_content_usage` has the letter of the
draft). We are an agent without a group of its own, so the rules of `*` are ours; but a preference `n` told to a known
AI agent alone is a refusal, as a Disallow is.

Content Signals (contentsignals.org, September 2025): `search=yes, ai-input=no, ai-train=no`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from copycat.provenance.records import Signal, Use
from copycat.provenance.signals.patterns import length, matches
from copycat.provenance.signals.recorded import Response
from copycat.provenance.signals.robots import ANY, agent_uses, denied_agents, parse_robots, unreachable
from copycat.provenance.signals.terms import (
    AIPREF,
    CONTENT_SIGNAL,
    OLD_AIPREF,
    Answers,
    answers_of,
    strictest,
    unread,
    widened,
)

MAX_VALUE_LETTERS = 1 << 16
"""Beyond them only refusals are looked for."""
_PAIR = re.compile(r"(?<![\w.*-])([A-Za-z*][\w.*-]*+)[\"']?\s*+[=:][\s\"'?:(\[{]*+([A-Za-z0-9]+)")
_NO = {"n", "no", "0", "false", "deny", "disallow", "disallowed", "none"}
_YES = {"y", "yes", "1", "true", "allow", "allowed"}


def parse_content_usage(value: str) -> Answers:
    """Give what a value says by the letter of the standard; a category it does not speak of is not there.

    >>> parse_content_usage("train-ai=n, search=y")
    {'generative-training': 'deny', 'search': 'allow'}
    """
    import http_sf

    try:
        held = http_sf.parse(value.encode("ascii"), tltype="dictionary")
    except (ValueError, KeyError, IndexError, RecursionError, http_sf.StructuredFieldError):
        return {}
    answers: Answers = {}
    for label, uses in AIPREF.items():
        item = held.get(label) if isinstance(held, dict) else None
        token = item[0] if isinstance(item, tuple) else None
        if isinstance(token, http_sf.Token) and str(token) in ("y", "n"):
            answers |= answers_of(uses, "allow" if str(token) == "y" else "deny")
    return answers


def read_content_usage(value: str) -> tuple[Answers, str]:
    """Give what a value says, with plain refusals taken in, and a note where that differs from the standard."""
    cut = len(value) > MAX_VALUE_LETTERS
    strict = {} if cut else parse_content_usage(value)
    plain = _plain_refusals(value, AIPREF | OLD_AIPREF)
    answers = strictest(strict, plain)
    more = [use for use in answers if answers[use] != strict.get(use)]
    if more:
        return answers, f"a refusal of {', '.join(more)} though not written, or contradicted, as the standard has it"
    if cut:
        return unread(), f"has more than {MAX_VALUE_LETTERS} letters: only a refusal counts"
    if not strict and value.strip():
        return answers, "says nothing that the standard knows"
    return answers, ""


def read_content_signal(value: str) -> tuple[Answers, str]:
    """Give what a value of Content-Signal says; `yes` must be written so, `no` may be written otherwise."""
    answers: Answers = {}
    if len(value) > MAX_VALUE_LETTERS:
        note = f"has more than {MAX_VALUE_LETTERS} letters: only a refusal counts"
        return unread() | _plain_refusals(value, CONTENT_SIGNAL), note
    for key, word in _PAIR.findall(value):
        if word.casefold() == "yes":
            answers |= answers_of(CONTENT_SIGNAL.get(key.casefold(), ()), "allow")
    answers = strictest(answers, _plain_refusals(value, CONTENT_SIGNAL))
    return answers, "" if answers or not value.strip() else "says nothing that is known"


def _plain_refusals(value: str, labels: dict[str, tuple[Use, ...]]) -> Answers:
    folded = {_bare(label): uses for label, uses in labels.items()}
    refused: Answers = {}
    for key, word in _PAIR.findall(value):
        if word.casefold() in _NO:
            refused |= answers_of(folded.get(_bare(key), ()), "deny")
    return refused


def _bare(label: str) -> str:
    return re.sub(r"[._-]", "", label.casefold())


def read_headers(response: Response) -> Iterator[Signal]:
    """Yield the headers Content-Usage and Content-Signal; several lines of one name are one value (RFC 9110, 5.3)."""
    for source, name, read in (
        ("aipref-header", "Content-Usage", read_content_usage),
        ("content-signal", "Content-Signal", read_content_signal),
    ):
        values = response.header_values(name)
        if values:
            raw = ", ".join(values)
            answers, note = read(raw)
            yield _signal(source, raw, answers, f"header {name}", response, note)


def read_robots_rules(response: Response, path: str) -> Iterator[Signal]:
    """Yield Content-Usage and Content-Signal of robots.txt for a path."""
    if unreachable(response) or (response.status is not None and not 200 <= response.status < 300):
        return
    robots = parse_robots(response.body, response.is_cut)
    others = [rule for agent in sorted(robots.agents() & agent_uses().keys()) for rule in robots.rules_for(agent) or ()]
    own = [*(robots.rules_for(ANY) or ()), *robots.loose]
    readers = {"content-usage": ("aipref-robots", _usage), "content-signal": ("content-signal", _signals)}
    for name, (source, read) in readers.items():
        if not any(robots.values(name)):
            continue
        answers, line, raw, notes = read([rule for rule in own if rule[1] == name], path)
        told, other_line, other_raw, _ = read([rule for rule in others if rule[1] == name], path)
        refused: Answers = {use: answer for use, answer in told.items() if answer == "deny" != answers.get(use)}
        if refused:
            answers, notes = strictest(answers, refused), [*notes, "refused to a known AI agent by name"]
            line, raw = line or other_line, raw or other_raw
        if ANY in denied_agents(robots, path):
            notes.append("the path may not be crawled, so that a permission does not stand")
            answers = _refusals(answers)
        if not line:
            notes.append("no rule for this path and for an agent without a group of its own")
        place = f"{response.where or 'robots.txt'}{f':{line}' if line else ''}"
        kept = _refusals(answers) if robots.is_cut else answers
        yield _signal(source, raw, kept, place, response, "; ".join(dict.fromkeys(notes)))


Found = tuple[Answers, int, str, list[str]]
"""Answers, the line of the first rule that counts (0: none), what it says, notes."""


def _usage(rules: list[tuple[int, str, str]], path: str) -> Found:
    """Read the Content-Usage rules with the longest path that matches."""
    found = []
    for line, _, value in rules:
        pattern, rest = _path_and_rest(value)
        if matches(pattern, path):
            found.append((length(pattern), line, rest))
    longest = max((size for size, _, _ in found), default=-1)
    return _joined([(line, rest) for size, line, rest in found if size == longest], read_content_usage)


def _signals(rules: list[tuple[int, str, str]], path: str) -> Found:
    """Read Content-Signal rules; they are for all paths."""
    del path
    return _joined([(line, value) for line, _, value in rules], read_content_signal)


def _joined(chosen: list[tuple[int, str]], read: Callable[[str], tuple[Answers, str]]) -> Found:
    answers: Answers = {}
    notes: list[str] = []
    for _, value in chosen:
        said, note = read(value)
        answers = strictest(answers, said)
        notes += [note] if note else []
    return answers, chosen[0][0] if chosen else 0, "; ".join(value for _, value in chosen), notes


def _refusals(answers: Answers) -> Answers:
    return {use: answer for use, answer in answers.items() if answer == "deny"}


def _path_and_rest(value: str) -> tuple[str, str]:
    """Split path and preference; a rule without a path (of an older draft) is for all of them."""
    pattern, _, rest = value.replace("\t", " ").partition(" ")
    return (pattern, rest.strip()) if pattern.startswith("/") else ("/", value)


def _signal(  # noqa: PLR0917 - the fields of a signal
    source: str, raw: str, answers: Answers, place: str, response: Response, note: str
) -> Signal:
    return Signal(
        source=source,
        raw=raw[:200],
        answers=widened(answers),
        place=place,
        fetched_at=response.fetched_at,
        note=note,
    )
