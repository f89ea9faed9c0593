"""One megabyte against one megabyte, within five seconds."""

from __future__ import annotations

import random
import time

import pytest

from copycat.fairuse.metrics import near_verbatim, number_words
from copycat.fairuse.metrics.numbers import number_letters
from copycat.fairuse.metrics.suffixes import longest_match
from copycat.fairuse.text import words_of

pytestmark = pytest.mark.slow

MEGABYTE, BAR_S = 1_000_000, 5.0


def text(seed: int) -> str:
    rng = random.Random(seed)
    words = [f"w{rank}" for rank in range(20_000)]
    return " ".join(rng.choices(words, [1 / (rank + 2) for rank in range(len(words))], k=250_000))[:MEGABYTE]


def with_changes(whole: str, share: float) -> str:
    rng = random.Random(3)
    return " ".join("changed" if rng.random() < share else word for word in whole.split())


PAIRS = {
    "equal": lambda: (text(1), text(1)),
    "nearly equal": lambda: (with_changes(text(1), 0.02), text(1)),
    "unrelated": lambda: (text(1), text(2)),
    "one word": lambda: ("moss " * (MEGABYTE // 5), "moss " * (MEGABYTE // 5 - 99)),
    "one letter": lambda: ("a" * MEGABYTE, "a" * (MEGABYTE - 99)),
    "one page": lambda: ((text(1)[:2000] * 500), (text(1)[:2007] * 500)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_longest_common_run_and_near_verbatim_recall_of_1_mb_take_at_most_5_seconds(name: str) -> None:
    output, reference = PAIRS[name]()
    started = time.process_time()  # one core, whatever else the machine does

    pair = number_words(words_of(output).words, words_of(reference).words)
    run, letters, near = longest_match(pair), longest_match(number_letters(output, reference)), near_verbatim(pair)

    assert time.process_time() - started <= BAR_S
    assert near.exact
    if name == "equal":
        assert (run.length, letters.length, near.recall) == (len(pair.output), MEGABYTE, 1.0)
    if name == "nearly equal":
        assert near.recall > 0.9
    if name == "unrelated":
        assert near.recall == 0
