"""Invented programs, and changes that leave what they do as it is."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.fairuse.code.compare import compare_one
from copycat.fairuse.code.corpus import build_index
from copycat.fairuse.code.records import CodeOutput, Settings

TIDES = '''\
"""Tides of an invented harbour."""

import math


def heights(periods, phases, hours):
    """Add the waves up."""
    found = []
    for hour in range(hours):
        total = 0.0
        for period, phase in zip(periods, phases):
            total += math.sin(2 * math.pi * hour / period + phase)
        found.append(round(total, 3))  # three decimals
    return found


def turning_points(levels):
    places = {"high": [], "low": []}
    for i in range(1, len(levels) - 1):
        if levels[i - 1] < levels[i] >= levels[i + 1]:
            places["high"].append(i)
        elif levels[i - 1] > levels[i] <= levels[i + 1]:
            places["low"].append(i)
    return places


class Harbour:
    def __init__(self, name, depth):
        self.name, self.depth = name, depth

    def is_open(self, level, draught):
        if draught is None:
            raise ValueError("no draught: " + self.name)
        return self.depth + level - draught > 0.5
'''

QUEUE = '''\
"""A queue at an invented ferry: the same standard library, another program."""

import heapq
import math


class Ferry:
    def __init__(self, seats):
        self.seats = seats
        self.waiting = []

    def arrive(self, passenger, minute):
        heapq.heappush(self.waiting, (minute, passenger))

    def board(self):
        aboard = [heapq.heappop(self.waiting) for _ in range(min(self.seats, len(self.waiting)))]
        return sorted(name for _, name in aboard)


def crossing(width, speed, current):
    while current > speed:
        current = math.sqrt(current)
    try:
        return width / math.sqrt(speed**2 - current**2)
    except ZeroDivisionError:
        return math.inf


def fares(crossings, price=4):
    return {day: price * sum(1 for c in trips if c) for day, trips in crossings.items()}
'''


def renamed(code: str) -> str:
    """Every identifier gets another name."""
    names: dict[str, str] = {}
    cut = []
    for kind, text, *_ in tokenize.generate_tokens(io.StringIO(code).readline):
        is_name = kind == tokenize.NAME and not keyword.iskeyword(text)
        cut.append((kind, names.setdefault(text, f"quantity_{len(names)}") if is_name else text))
    return tokenize.untokenize(cut)


def recommented(code: str) -> str:
    return (
        code.replace("  # three decimals", "")
        .replace('"""Add the waves up."""', "# sums\n")
        .replace("    places =", "    # where it turns\n\n    places =")
    )


def reordered(code: str) -> str:
    """The last class first, then the functions from the last to the first."""
    head, *parts = code.split("\n\n\n")
    return "\n\n\n".join([head, *reversed(parts)])


def reformatted(code: str) -> str:
    """Wide calls over several lines with trailing commas, other quotes, tabs."""
    return (
        code.replace("    ", "\t")
        .replace("zip(periods, phases)", "zip(\n\t\t\t\tperiods,\n\t\t\t\tphases,\n\t\t\t)")
        .replace('"', "'")
        .replace(" + ", "+")
        .replace("'''", '"""')
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "tides").mkdir(parents=True)
    (folder / "tides" / "tides.py").write_text(TIDES, encoding="utf-8")
    return folder


@pytest.fixture
def against(corpus: Path) -> Callable[[str], CodeOutput]:
    """Compare code in Python with the corpus."""
    index = build_index(corpus, Settings())
    return lambda code: compare_one(code, "answer.py", index)
