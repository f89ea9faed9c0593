"""Signals together: rule S1 (one answer for each use) and S3 (precedence and combination)."""

from __future__ import annotations

import itertools

import pytest

from copycat.provenance.records import USES, Answer, Signal
from copycat.provenance.signals import Recorded, combine, policy_answer, resolve

ANSWERS: tuple[Answer | None, ...] = ("allow", "deny", "unknown", None)


def signal(answer: Answer | None, source: str = "x-robots-tag") -> Signal:
    return Signal(source=source, answers={} if answer is None else {"training": answer})


def by_the_rule(said: tuple[Answer | None, ...]) -> str:
    if "deny" in said:
        return "deny"
    return "allow" if "allow" in said and "unknown" not in said else "unknown"


def test_a_deny_in_any_signal_wins_over_an_allow() -> None:
    """S1, S3. All 64 cases of three independent statements, against the sentence of the rule."""
    cases = list(itertools.product(ANSWERS, repeat=3))

    assert [combine(map(signal, said)).answers["training"] for said in cases] == list(map(by_the_rule, cases))


def test_nothing_said_is_unknown_for_every_use() -> None:
    """S1, negative."""
    assert resolve(Recorded(url="https://example.org/")).answers == dict.fromkeys(USES, "unknown")


def test_because_names_only_the_sources_that_decided() -> None:
    decision = combine([signal("allow", "content-signal"), signal("deny", "cawg"), signal(None, "robots")])

    assert decision.because["training"] == ("cawg",)


@pytest.mark.parametrize("use", USES)
def test_policy_reads_unknown_as_deny_for_all_uses_but_search(use: str) -> None:
    assert policy_answer("unknown", use) == ("allow" if use == "search" else "deny")  # type: ignore[arg-type]
    assert policy_answer("deny", use) == "deny"  # type: ignore[arg-type]
    assert policy_answer("allow", use) == "allow"  # type: ignore[arg-type]


LEVELS = ("tdmrep-file", "tdmrep-header", "tdmrep-meta", "tdmrep-file-inside")


def test_within_tdmrep_the_highest_form_that_speaks_counts() -> None:
    """S3. All 81 cases of the four forms, in either order."""
    for said in itertools.product(("allow", "deny", None), repeat=4):
        signals = [signal(answer, source) for answer, source in zip(said, LEVELS, strict=True)]
        spoken = [answer for answer in said if answer is not None]

        for order in (signals, signals[::-1]):
            assert combine(order).answers["training"] == (spoken[-1] if spoken else "unknown")


def test_the_order_of_signals_does_not_matter() -> None:
    signals = [signal("allow", "rsl"), signal("deny", "robots"), signal("allow", "tdmrep-meta"), signal(None, "plus")]

    assert {combine(order).answers["training"] for order in itertools.permutations(signals)} == {"deny"}
