"""What else a user should know of a run: why requests gave no picture, and what the model said of pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from copycat.judges import JudgeUsage
from copycat.schema import Judgement, Sample

MAX_KINDS = 4


def notes_of(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Give one line for each way in which requests ended without a picture, with the most common reason.

    Pictures that the model has something to say of, such as a prompt that a service rewrote, are counted too.
    """
    notes = []
    for status in ("refused", "blocked", "invalid", "failed"):
        details = Counter(sample.detail for sample in samples if sample.status == status)
        if details:
            reason, _ = details.most_common(1)[0]
            more = f" (and {len(details) - 1} other reasons)" if len(details) > 1 else ""
            notes.append(f"{details.total()} {status}: {reason or 'no reason given'}{more}")
    said = Counter(sample.detail.partition(":")[0] for sample in samples if sample.status == "ok" and sample.detail)
    notes += [f"{count} pictures: {text}" for text, count in said.most_common(MAX_KINDS)]
    n_cut = sum(sample.truncated_tokens + sample.truncated_negative_tokens > 0 for sample in samples)
    notes += [f"{n_cut} pictures: the text was longer than the model reads"] if n_cut else []
    return tuple(notes)


def notes_on_judging(judgements: Sequence[Judgement]) -> tuple[str, ...]:
    """Give one line for pictures that the judge gave no answer on, with the most common reason."""
    reasons = Counter(judgement.reason for judgement in judgements if judgement.reason is not None)
    if not reasons:
        return ()
    reason, _ = reasons.most_common(1)[0]
    more = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
    return (f"{reasons.total()} unjudged: {reason}{more}",)


def spent_note(before: JudgeUsage, after: JudgeUsage) -> tuple[str, ...]:
    """Say what a service was asked to judge a run; nothing if it was not asked."""
    requests, prompt, completion = (now - then for now, then in zip(after, before, strict=True))
    if not requests:
        return ()
    tokens = f", {prompt:,} tokens in and {completion:,} out" if prompt or completion else ""
    return (f"judged with {requests:,} requests{tokens}",)
