"""The output filter at work: a model whose pictures a judge has looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from copycat.judges import Judge, Verdict
from copycat.judges.asking import judge_batch
from copycat.models import Picture
from copycat.schema import CharacterSet, ImageRequest, Sample, Sampling


class FilteredModel:
    """Draws like the model it holds, and lets no picture out on which the filter's judge sees a character.

    Requests without a filter pass untouched. Whatever else the model can do, it still can.

    Args:
        judges: by the name in a request's filter.
    """

    def __init__(self, model: Any, judges: Mapping[str | None, Judge], characters: CharacterSet) -> None:
        self.model, self.judges, self.characters = model, judges, characters

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        """Draw a batch; what the filter rejects is drawn again together, with other seeds, as long as it may be.

        A picture that the judge gave no answer on counts as rejected: a filter that cannot look must not let pass.
        """
        pictures: dict[int, Picture] = {}
        rejected: dict[int, tuple[str, ...]] = {}
        waiting = list(range(len(requests)))
        attempt = 0
        while waiting:
            drawn = self.model.generate([_retry(requests[i], attempt) for i in waiting], sampling)
            attempt += 1
            seen = self._look(drawn, [requests[i] for i in waiting])
            again = []
            for place, picture, found in zip(waiting, drawn, seen, strict=True):
                if found is None:
                    pictures[place] = picture._replace(rejected=rejected.get(place, ()))
                    continue
                rejected[place] = (*rejected.get(place, ()), found)
                wanted = requests[place].output_filter
                if wanted is not None and attempt < wanted.tries:
                    again.append(place)
                else:
                    pictures[place] = Picture("blocked", None, _reason(attempt), rejected=rejected[place])
            waiting = again
        return [pictures[place] for place in range(len(requests))]

    def _look(self, drawn: Sequence[Picture], requests: Sequence[ImageRequest]) -> list[str | None]:
        """Say for each picture which character the filter saw ('?' without an answer), None where it may pass."""
        found: list[str | None] = [None] * len(drawn)
        by_judge: dict[str | None, list[int]] = {}
        for place, (picture, request) in enumerate(zip(drawn, requests, strict=True)):
            if request.output_filter is not None and picture.image is not None:
                by_judge.setdefault(request.output_filter.judge, []).append(place)
        for name, places in by_judge.items():
            looks = [image for place in places if (image := drawn[place].image) is not None]
            targets = [requests[place].character for place in places]
            verdicts = judge_batch(self.judges[name], looks, targets, self.characters)
            for place, verdict in zip(places, verdicts, strict=True):
                found[place] = _seen(verdict)
        return found


def filter_notes(samples: Sequence[Sample], detected: Sequence[str]) -> tuple[str, ...]:
    """Say what a filter cost and what it let through; nothing where there was none.

    Args:
        detected: the keys of the delivered pictures on which the run's judge saw a character of the set.
    """
    filtered = [sample for sample in samples if sample.output_filter is not None and sample.status in ("ok", "blocked")]
    if not filtered:
        return ()
    n_rejected = sum(len(sample.rejected or ()) for sample in filtered)
    n_delivered = sum(sample.status == "ok" for sample in filtered)
    n_drawn = n_rejected + n_delivered
    missed = len({sample.key for sample in filtered if sample.status == "ok"} & set(detected))
    shows = n_rejected + missed
    rate = f", {100 * missed / shows:.1f} %" if shows else ""
    if all(sample.output_filter is not None and sample.output_filter.judge is None for sample in filtered):
        rate = ": the judge of the run filtered, too, so what it missed it never saw"
    return (
        f"filter: {n_drawn} pictures drawn for {len(filtered)} requests ({n_drawn / len(filtered):.2f} each), "
        f"{n_rejected} rejected, {len(filtered) - n_delivered} requests blocked",
        f"filter: of {shows} pictures on which it or the run's judge saw a character it let {missed} pass{rate}",
    )


def _retry(request: ImageRequest, attempt: int) -> ImageRequest:
    """Give the request with the seed of an attempt; the first is the request's own."""
    if attempt == 0:
        return request
    digest = hashlib.sha256(f"{request.seed}#{attempt}".encode()).digest()
    return request.model_copy(update={"seed": int.from_bytes(digest[:6], "big")})


def _seen(verdict: Verdict) -> str | None:
    return verdict.detected if verdict.is_answered else "?"


def _reason(attempts: int) -> str:
    return (
        "the output filter rejected the picture" if attempts == 1 else f"the output filter rejected {attempts} pictures"
    )
