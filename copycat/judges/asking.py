"""Ask a judge about any pictures: in batches, or in threads where it waits for somebody else's machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TypeVar

from PIL.Image import Image

from copycat.errors import BackendError
from copycat.judges import Judge, Verdict
from copycat.judges.ensemble import throttle_of
from copycat.schema import CharacterSet
from copycat.services.pool import run_adaptive
from copycat.services.throttle import Throttle

log = logging.getLogger(__name__)

JUDGE_BATCH = 64

J = TypeVar("J")
R = TypeVar("R")

Look = Image | str
"""A picture, or why it cannot be read."""


def judge_batch(
    judge: Judge, looks: Sequence[Look], asked_for: Sequence[str], characters: CharacterSet
) -> list[Verdict]:
    """Judge a batch and give a verdict for each look; where there is no picture or no answer, it has a reason.

    Raises:
        UserError: no picture can be judged.
    """
    there = [(look, target) for look, target in zip(looks, asked_for, strict=True) if not isinstance(look, str)]
    verdicts: list[Verdict] = []
    try:
        if there:
            verdicts = judge.judge([look for look, _ in there], [target for _, target in there], characters)
    except BackendError as error:
        log.warning("%s", error)
        verdicts = [Verdict(None, reason=str(error))] * len(there)
    answers = iter(verdicts)
    return [Verdict(None, reason=look) if isinstance(look, str) else next(answers) for look in looks]


def each_kept(
    jobs: Iterable[J], work: Callable[[J], R], keep: Callable[[J, R], None], throttle: Throttle
) -> Iterator[tuple[J, R]]:
    """Do jobs in threads, and keep each result as soon as it is there, before anybody hears of it.

    Args:
        keep: writes a result down; also called for what was under way when the caller left.
    """
    with closing(run_adaptive(jobs, work, throttle, keep, is_patient=False)) as finished:
        for job, result in finished:
            keep(job, result)
            yield job, result


def judge_all(
    judge: Judge,
    pictures: Sequence[Image],
    asked_for: Sequence[str],
    characters: CharacterSet,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Verdict]:
    """Judge pictures that are in memory and give a verdict for each, in their order.

    Args:
        advance: told how many more are judged.

    Raises:
        UserError: no picture can be judged.
    """

    def ask(places: Sequence[int]) -> list[Verdict]:
        return judge_batch(judge, [pictures[i] for i in places], [asked_for[i] for i in places], characters)

    found: dict[int, Verdict] = {}
    throttle = throttle_of(judge)
    every = range(len(pictures))
    if throttle is None:
        for start in every[::JUDGE_BATCH]:
            places = every[start : start + JUDGE_BATCH]
            found |= zip(places, ask(places), strict=True)
            advance(len(places))
    else:
        for _ in each_kept(every, lambda place: ask([place])[0], found.__setitem__, throttle):
            advance(1)
    return [found[place] for place in every]
