from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import combinations

import pytest

from copycat.discovery.search import Z_SURE, Ask, Found, Rules, Tally, Words, run_search, search

POOL = tuple(f"word{i}" for i in range(9))
Look = Callable[[Sequence[Ask]], list[Tally]]


def eye(rate_of: Callable[[Words], float], seed: int = 0) -> Look:
    """Looks at pictures of a world in which a prompt hits at a known rate."""
    rng = random.Random(seed)

    def look(asks: Sequence[Ask]) -> list[Tally]:
        return [Tally(sum(rng.random() < rate_of(ask.words) for _ in range(ask.n)), ask.n) for ask in asks]

    return look


def certain(*hidden: str) -> Callable[[Words], float]:
    return lambda words: float(set(hidden) <= set(words))


def noisy(hidden: frozenset[str], rate: float) -> Callable[[Words], float]:
    """A hidden set of words hits; each further word dilutes it; of the others, 2 in 100 pictures hit."""
    return lambda words: rate - 0.02 * (len(words) - len(hidden)) if hidden <= set(words) else 0.02


def best(found: Found) -> Words:
    return found.triggers[0].words


@pytest.mark.slow
@pytest.mark.parametrize(("size", "least_exact"), [(1, 0.9), (2, 0.8), (3, 0.4)])
def test_hidden_words_are_found_within_the_budget_in_95_of_100_worlds(size: int, least_exact: float) -> None:
    holds, exact, worlds = 0, 0, 200
    for number in range(worlds):
        rng = random.Random(f"{size}/{number}")
        hidden = frozenset(rng.sample(POOL, size))
        found = run_search(search(POOL, Rules()), eye(noisy(hidden, rng.uniform(0.9, 1)), number))
        assert found.pictures <= 300
        holds += hidden <= set(best(found))
        exact += hidden == set(best(found))
    assert holds >= 0.95 * worlds
    assert exact >= least_exact * worlds


def test_a_pair_in_a_pool_of_thirty_is_found_in_nine_worlds_of_ten() -> None:
    pool, holds, worlds = [f"w{i}" for i in range(30)], 0, 60
    for number in range(worlds):
        hidden = frozenset(random.Random(number).sample(pool, 2))
        found = run_search(search(pool, Rules(seed=number)), eye(noisy(hidden, 0.95), number))
        holds += bool(found.triggers) and hidden <= set(best(found))
    assert holds >= 0.9 * worlds


def test_a_pair_among_the_best_of_a_thousand_words_is_found() -> None:
    pool = [f"w{i}" for i in range(1000)]
    found = run_search(search(pool, Rules(budget=400)), eye(noisy(frozenset(("w1", "w6")), 0.97)))
    assert {"w1", "w6"} <= set(best(found))


@pytest.mark.parametrize("hidden", list(combinations(POOL[:5], 2)))
def test_where_nothing_is_left_to_chance_the_shortest_prompt_is_found(hidden: Words) -> None:
    found = run_search(search(POOL, Rules()), eye(certain(*hidden)))
    assert found.reached
    assert best(found) == hidden


def test_one_word_that_suffices_is_preferred_to_two() -> None:
    found = run_search(search(POOL, Rules()), eye(lambda words: float("word4" in words or {*POOL[:2]} <= set(words))))
    assert best(found) == ("word4",)


def test_words_stand_in_the_order_of_their_ranking_in_every_prompt() -> None:
    found = run_search(search(POOL, Rules()), eye(certain("word6", "word2")))
    assert best(found) == ("word2", "word6")
    assert all(list(ask.words) == sorted(ask.words) for ask, _ in found.trace)


def test_every_look_goes_on_where_the_last_one_at_this_prompt_ended() -> None:
    found = run_search(search(POOL, Rules()), eye(noisy(frozenset(POOL[1:3]), 0.9)))
    drawn: dict[Words, int] = {}
    for ask, _ in found.trace:
        assert ask.first == drawn.get(ask.words, 0)
        drawn[ask.words] = ask.first + ask.n
    assert sum(drawn.values()) == found.pictures


@pytest.mark.parametrize("budget", [1, 7, 50])
def test_a_small_budget_is_kept_to_the_picture(budget: int) -> None:
    found = run_search(search(POOL, Rules(budget=budget)), eye(lambda _: 0.3))
    assert found.pictures == budget


def test_where_nothing_reaches_the_target_the_best_is_given_and_not_called_reached() -> None:
    rates = {("word0", "word1"): 0.5}
    found = run_search(search(POOL[:3], Rules()), eye(lambda words: rates.get(words, 0.05)))
    assert not found.reached
    assert best(found) == ("word0", "word1")


def test_among_many_prompts_of_60_in_100_hardly_one_is_called_a_trigger() -> None:
    found = [run_search(search(POOL[:5], Rules()), eye(lambda _: 0.6, seed)) for seed in range(60)]
    assert sum(one.reached for one in found) <= 0.1 * 60


def test_where_nothing_hits_there_is_no_trigger() -> None:
    found = run_search(search(POOL[:3], Rules(budget=60)), eye(lambda _: 0.0))
    assert found.triggers == ()
    assert not found.reached


def test_longer_prompts_are_tried_where_short_ones_fail() -> None:
    hidden = ("word0", "word2", "word3", "word5")
    found = run_search(search(POOL[:6], Rules()), eye(certain(*hidden)))
    assert best(found) == hidden


def test_a_prompt_that_is_not_innocent_is_never_drawn() -> None:
    def is_innocent(words: Words) -> bool:
        return not {"word0", "word1"} <= set(words)

    found = run_search(search(POOL, Rules(), is_innocent), eye(certain("word0", "word1")))
    assert found.trace
    assert all(is_innocent(ask.words) for ask, _ in found.trace)


def test_no_prompt_is_longer_than_allowed() -> None:
    found = run_search(search(POOL, Rules(longest=2)), eye(lambda _: 0.4))
    assert max(len(ask.words) for ask, _ in found.trace) == 2


def test_pictures_without_a_verdict_use_up_the_budget_and_decide_nothing() -> None:
    found = run_search(search(POOL, Rules(budget=40)), lambda asks: [Tally(0, 0) for _ in asks])
    assert found.pictures == 40
    assert found.triggers == ()


def test_the_same_answers_make_the_same_search() -> None:
    first, second = (run_search(search(POOL, Rules()), eye(noisy(frozenset(POOL[:2]), 0.9))) for _ in range(2))
    assert first == second


def test_no_words_are_no_search() -> None:
    found = run_search(search((), Rules()), eye(lambda _: 1.0))
    assert found == Found((), False, 0, ())


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (7, 9), (19, 20), (11, 11)])
def test_the_bound_of_a_trigger_is_wilsons(hits: int, n: int) -> None:
    from scipy.stats import norm
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hits, n, alpha=2 * norm.sf(Z_SURE), method="wilson")
    assert Tally(hits, n).low() == pytest.approx(low, abs=1e-12)
    assert Tally(hits, n).high(Z_SURE) == pytest.approx(high, abs=1e-12)
