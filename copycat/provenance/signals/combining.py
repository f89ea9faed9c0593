"""Signals -> one decision for each use, and what policy makes of `unknown`.

Within TDMRep a higher form replaces a lower one where it says anything (section 7). Between statements of AIPREF, and
between standards, any deny wins, then any statement of which it is not known what it says, then any allow; where nobody
speaks of a use it is unknown. So a statement that says nothing changes nothing, and unknown never becomes allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from copycat.provenance.records import USES, Answer, Signal, SignalDecision, Use
from copycat.provenance.signals.reading import read_signals
from copycat.provenance.signals.recorded import Recorded
from copycat.provenance.signals.sources import SOURCES

UNKNOWN_BY_POLICY: dict[Use, Answer] = {
    "training": "deny",
    "generative-training": "deny",
    "mining": "deny",
    "inference": "deny",
    "search": "allow",
}
"""What is done where nobody said anything. Search is what the open web has always been for; all else is asked for."""


def policy_answer(answer: Answer, use: Use) -> Answer:
    """Give what is done about an answer: unknown is deny for all uses but search. The answer itself stays unknown."""
    return UNKNOWN_BY_POLICY[use] if answer == "unknown" else answer


def combine(signals: Iterable[Signal], uses: Sequence[Use] = USES) -> SignalDecision:
    """Combine statements about one thing; `because` names the sources that decided each use, in their order."""
    held = tuple(signals)
    answers: dict[Use, Answer] = {}
    because: dict[Use, tuple[str, ...]] = {}
    for use in uses:
        counted = [signal for signal in held if use in signal.answers and not _is_replaced(signal, held, use)]
        said = {signal.answers[use] for signal in counted}
        order: tuple[Answer, ...] = ("deny", "unknown", "allow")
        answer: Answer = next((answer for answer in order if answer in said), "unknown")
        answers[use] = answer
        sources = [signal.source for signal in counted if signal.answers[use] == answer]
        if sources:
            because[use] = tuple(dict.fromkeys(sources))
    return SignalDecision(answers=answers, because=because, signals=held)


def _is_replaced(signal: Signal, held: Sequence[Signal], use: Use) -> bool:
    """Whether a higher form of the same standard says yes or no to a use; one that cannot be read says neither."""
    family, level = _rank(signal)
    speaking = [_rank(other) for other in held if other.answers.get(use) in ("allow", "deny")]
    return family != "" and any(name == family and higher > level for name, higher in speaking)


def _rank(signal: Signal) -> tuple[str, int]:
    if signal.source not in SOURCES.names():
        return "", 0
    row = SOURCES.get(signal.source)
    return row.family, row.level


def resolve(responses: Recorded, uses: Sequence[Use] = USES) -> SignalDecision:
    """Read all that was recorded of one address and combine it."""
    return combine(read_signals(responses), uses)
