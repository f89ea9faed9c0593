"""robots.txt, RFC 9309 (September 2022): groups of user agents, and what follows for our uses.

A group that keeps an AI agent out says no to what that agent fetches for (agents.json, dated). Letting one in says
nothing: "These rules are not a form of access authorization" (section 1). So this form denies or is silent.

Section 2.3.1: 4xx is no statement, 5xx and no answer are a complete disallow; 429 is read as 5xx (a server that is
busy has not said that it has no rules). Section 2.2: names of rules and agents without letter case, unknown lines
change nothing, groups of the same agent are one, the longest matching path wins, and Allow where both are as long.

Beyond the standard, and only towards a refusal: a Disallow in quotes, without its first slash or with the whole
address; and a known agent inside of another name ("GPTBot, CCBot", "Mozilla/5.0 (compatible; GPTBot)").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import unquote

from copycat.provenance.records import USES, Signal, Use
from copycat.provenance.signals.recorded import MAX_ROBOTS_BYTES, Response
from copycat.provenance.signals.terms import Answers

ANY = "*"
SHOWN_AGENTS = 4
_AGENT = {"user-agent", "useragent", "user agent", "user_agent"}
_DISALLOW = {"disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"}
"""The misspellings are those that Google's and Scrapy's parsers take for it."""
_GROUPED = {"content-usage", "content-signal", "license"}


@dataclass
class Group:
    """What one agent is told: (line number, rule, value), rules in small letters, in their order.

    `others` are known agents that its names only contain: what the group forbids is forbidden to them, too.
    """

    agents: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    rules: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Robots:
    """A robots.txt as groups; `loose` are the rules above the first group; `n_lines` those that say anything."""

    groups: tuple[Group, ...]
    loose: tuple[tuple[int, str, str], ...]
    n_lines: int
    is_cut: bool

    def agents(self) -> set[str]:
        """Give all names of agents, in small letters."""
        return {name for group in self.groups for name in group.agents}

    def rules_for(self, agent: str) -> list[tuple[int, str, str]] | None:
        """Give the rules for an agent, those of `*` where it has none of its own; None where there is no group."""
        own = [group for group in self.groups if agent.casefold() in group.agents]
        own = own or [group for group in self.groups if ANY in group.agents]
        return [rule for group in own for rule in group.rules] if own else None

    def values(self, rule: str) -> Iterator[tuple[int, str]]:
        """Yield line and value of a rule, wherever it stands."""
        for group in self.groups:
            yield from ((line, value) for line, name, value in group.rules if name == rule)
        yield from ((line, value) for line, name, value in self.loose if name == rule)


@lru_cache(maxsize=256)
def parse_robots(raw: bytes, is_cut: bool = False) -> Robots:
    """Read the groups; never fails: bytes that are no text are replaced, lines that say nothing are passed over."""
    text = decoded(raw[:MAX_ROBOTS_BYTES])
    groups: list[Group] = []
    loose: list[tuple[int, str, str]] = []
    current: Group | None = None
    is_naming = False
    n_lines = 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        name, value = _split(line)
        if not name:
            continue
        n_lines += 1
        if name in _AGENT:
            if current is None or not is_naming:
                current, is_naming = Group(), True
                groups.append(current)
            names = _agent_names(value)
            current.agents |= names
            current.others |= _named_inside(value) - names
        elif name in {"allow", "disallow"} | _GROUPED:
            is_naming = False
            value = _forbidden(value) if name == "disallow" else value
            (loose if current is None else current.rules).append((number, name, value))
        else:
            n_lines -= 1
    return Robots(tuple(groups), tuple(loose), n_lines, is_cut or len(raw) > MAX_ROBOTS_BYTES)


def _split(line: str) -> tuple[str, str]:
    text = "".join(letter for letter in line.partition("#")[0] if letter.isprintable() or letter == "\t").strip()
    name, colon, value = text.partition(":")
    name = " ".join(name.split()).casefold()
    if not colon:
        name, _, value = text.partition(" ")
        name = name.casefold()
        if name not in _AGENT | _DISALLOW:
            return "", ""
    name = "license" if name == "licence" else name
    return ("disallow" if name in _DISALLOW else name), value.strip()


def _agent_names(value: str) -> set[str]:
    """Give an agent's name; "GPTBot/1.0" and "GPTBot*" are its product token (section 2.2.1)."""
    full = value.casefold()
    token = re.match(r"[a-z_-]*", full.split("/")[0]) if full != ANY else None
    names = {full, full.rstrip("*").split("/")[0].strip()}
    if token is not None and token.group():
        names.add(token.group())
    return names - {""} if full != ANY else {ANY}


@cache
def _known() -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(agent_uses(), key=len, reverse=True))
    return re.compile(rf"(?<![a-z0-9_-])(?:{names})(?![a-z0-9_-])")


def _named_inside(value: str) -> set[str]:
    return set(_known().findall(value[:4096].casefold()))


def _forbidden(value: str) -> str:
    """Give the path of a Disallow that has quotes around it, no slash before it, or a whole address."""
    plain = value.strip("\"'")
    if "://" in plain[:12]:
        plain = "/" + plain.partition("://")[2].partition("/")[2]
    return plain if not plain or plain.startswith(("/", "*", "$")) else f"/{plain}"


def decoded(raw: bytes) -> str:
    """Give text of bytes in UTF-8, or in UTF-16 or 32 where a mark or its zeros say so; what is neither is replaced."""
    if raw[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return raw.decode("utf-32", "replace")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace")
    start = raw[:400]
    if start.count(0) * 5 > len(start) * 2:
        is_big = start[::2].count(0) > start[1::2].count(0)
        return raw.decode("utf-16-be" if is_big else "utf-16-le", "replace")
    return raw.decode("utf-8-sig", "replace").lstrip("\ufeff")


@cache
def agent_uses() -> dict[str, tuple[str, tuple[Use, ...]]]:
    """Give agent in small letters -> its name and what it fetches for."""
    table = json.loads(Path(__file__).with_name("agents.json").read_text(encoding="utf-8"))["agents"]
    return {name.casefold(): (name, tuple(uses)) for name, uses in table.items()}


def denied_agents(robots: Robots, path: str) -> dict[str, tuple[Use, ...]]:
    """Give the agents that may not fetch a path, with what they fetch for; "*" is whoever has no group."""
    denied: dict[str, tuple[Use, ...]] = {}
    if not _may_fetch(robots, ANY, path):
        denied[ANY] = USES
    for agent in sorted(robots.agents() & agent_uses().keys()):
        name, uses = agent_uses()[agent]
        if not _may_fetch(robots, agent, path):
            denied[name] = uses
    for group in robots.groups:
        for name, uses in (agent_uses()[agent] for agent in sorted(group.others)):
            if name not in denied and not _is_let_in(_paths(group.rules), path):
                denied[name] = uses
    return denied


def _may_fetch(robots: Robots, agent: str, path: str) -> bool:
    return _is_let_in(_paths(robots.rules_for(agent) or ()), path)


def _paths(rules: Iterable[tuple[int, str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for _, name, value in rules if name in {"allow", "disallow"})


@lru_cache(maxsize=8192)
def _is_let_in(rules: tuple[tuple[str, str], ...], path: str) -> bool:
    """Whether rules let somebody in, as they are spelt and with all percent-encoding undone.

    Section 2.2.2 compares "https://" in a query with "https%3A%2F%2F", which Protego does not.
    """
    from protego import Protego

    for spelling in (str, unquote):
        lines = [f"{name}: {spelling(value)}" for name, value in rules if value]
        asked = spelling(path).replace("\n", "%0A").replace("#", "%23")
        if lines and not Protego.parse("\n".join(["User-agent: *", *lines])).can_fetch(
            f"https://a.invalid{asked}", "a"
        ):
            return False
    return True


def read_robots(response: Response, path: str) -> Iterator[Signal]:
    """Yield what robots.txt says by its groups about a path: one signal, always."""
    fault = unreachable(response)
    if fault:
        answers: Answers = dict.fromkeys(USES, "deny")
        yield _signal(response, answers, f"{fault}: RFC 9309 reads this as a complete disallow")
        return
    if response.status is not None and not 200 <= response.status < 300:
        what = "redirects without an end" if 300 <= response.status < 400 else "is not there"
        yield _signal(response, {}, f"{what} (status {response.status}): no statement")
        return
    robots = parse_robots(response.body, response.is_cut)
    denied = denied_agents(robots, path)
    answers = {use: "deny" for uses in denied.values() for use in uses}
    yield _signal(response, answers, _note(robots, denied), _raw(denied))


def unreachable(response: Response) -> str:
    """Say why a file could not be asked for; "" where it was answered."""
    if response.error and response.status is None:
        return f"no answer ({response.error})"
    if response.status is not None and (response.status >= 500 or response.status == 429):
        return f"status {response.status}"
    return ""


def _raw(denied: dict[str, tuple[Use, ...]]) -> str:
    names = list(denied)
    more = f" and {len(names) - SHOWN_AGENTS} more" if len(names) > SHOWN_AGENTS else ""
    return f"Disallow for {', '.join(names[:SHOWN_AGENTS])}{more}" if names else ""


def _note(robots: Robots, denied: dict[str, tuple[Use, ...]]) -> str:
    notes = []
    if robots.is_cut:
        notes.append(f"only the first {MAX_ROBOTS_BYTES} bytes were read")
    if not robots.n_lines:
        notes.append("no line of it is a rule")
    elif ANY in denied:
        notes.append("'*' is every agent without a group of its own")
    elif not denied:
        notes.append("no agent in question is kept out; being let in is no permission")
    return "; ".join(notes)


def _signal(response: Response, answers: Answers, note: str, raw: str = "") -> Signal:
    return Signal(
        source="robots",
        raw=raw[:200],
        answers=answers,
        place=response.where or "robots.txt",
        fetched_at=response.fetched_at,
        note=note,
    )
