"""Ask a judge about any pictures: in batches, or in threads where it waits for somebody else's machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from PIL.Image import Image

from copycat.errors import BackendError
from copycat.judges import Judge, Verdict
from copycat.judges.ensemble import throttle_of
from copycat.schema import CharacterSet
from copycat.services.pool import run_adaptive

JUDGE_BATCH = 64


def judge_all(
    judge: Judge,
    pictures: Sequence[Image],
    asked_for: Sequence[str],
    characters: CharacterSet,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Verdict]:
    """Judge pictures and give a verdict for each, in their order; where there is no answer it has a reason.

    Args:
        advance: told how many more are judged.

    Raises:
        UserError: no picture can be judged.
    """

    def ask(places: Sequence[int]) -> list[Verdict]:
        try:
            return judge.judge([pictures[i] for i in places], [asked_for[i] for i in places], characters)
        except BackendError as error:
            return [Verdict(None, reason=str(error))] * len(places)

    found: dict[int, Verdict] = {}
    throttle = throttle_of(judge)
    every = range(len(pictures))
    if throttle is None:
        for start in every[::JUDGE_BATCH]:
            places = every[start : start + JUDGE_BATCH]
            found |= zip(places, ask(places), strict=True)
            advance(len(places))
    else:
        with closing(run_adaptive(every, lambda place: ask([place])[0], throttle)) as judged:
            for place, verdict in judged:
                found[place] = verdict
                advance(1)
    return [found[place] for place in every]
