"""Groups of robots.txt against Protego, which reads the whole file by itself, on files without unknown lines."""

from __future__ import annotations

import random

from protego import Protego

from copycat.provenance.signals.robots import agent_uses, denied_agents, parse_robots

AGENTS = ("GPTBot", "CCBot", "ClaudeBot", "PerplexityBot", "nobody", "*")
PATHS = ("/", "/a", "/a/b.jpg", "/b", "/a/b", "/c?x=1")
PATTERNS = ("/", "/a", "/a/", "/a/*.jpg$", "/b$", "*", "/c?x", "/*b", "")


def made(rng: random.Random) -> str:
    lines = []
    for _ in range(rng.randrange(1, 5)):
        lines += [f"User-agent: {rng.choice(AGENTS)}" for _ in range(rng.randrange(1, 3))]
        rules = ("Allow", "Disallow")
        lines += [f"{rng.choice(rules)}: {rng.choice(PATTERNS)}" for _ in range(rng.randrange(1, 4))]
    return "\n".join(lines)


def test_who_is_kept_out_is_what_protego_says() -> None:
    rng = random.Random(0)
    compared = 0
    for _ in range(300):
        text, path = made(rng), rng.choice(PATHS)
        denied = denied_agents(parse_robots(text.encode()), path)
        for agent in ("GPTBot", "CCBot", "ClaudeBot", "PerplexityBot"):
            if agent.casefold() not in parse_robots(text.encode()).agents():
                continue
            is_let_in = Protego.parse(text).can_fetch(f"https://example.org{path}", agent)
            assert (agent not in denied) == is_let_in, (text, path, agent)
            compared += 1
    assert compared > 300


def test_the_table_of_agents_is_dated_and_names_uses_of_ours() -> None:
    import json
    from pathlib import Path

    from copycat.provenance.records import USES
    from copycat.provenance.signals import robots

    held = json.loads(Path(robots.__file__).with_name("agents.json").read_text(encoding="utf-8"))

    assert held["as_of"] >= "2026-01-01"
    assert all(set(uses) <= set(USES) and uses for _, uses in agent_uses().values())
    assert len(agent_uses()) > 50
