"""What several people say of one picture -> what counts as the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from copycat.calibration.labels import Label, Said

Opinions = Mapping[str, Said]
"""Who said what of one picture."""


VOTE = "vote "
"""How votes are called whose people have no names: 'vote 1', 'vote 2', ..."""


class Consensus(NamedTuple):
    """The truth about a picture: yes, no, or null where people do not know or do not agree."""

    truth: bool | None
    opinions: Opinions

    @property
    def is_tied(self) -> bool:
        """Whether as many said yes as no."""
        votes = Counter(self.opinions.values())
        return self.truth is None and votes["yes"] == votes["no"] > 0


def agree(opinions: Opinions) -> Consensus:
    """Take what more than half of all who looked say; 'unsure' is a vote for neither.

    So one yes beside two unsure is no truth, nor is one yes beside one no.
    """
    votes = Counter(opinions.values())
    needed = len(opinions) / 2
    truth = True if votes["yes"] > needed else False if votes["no"] > needed else None
    return Consensus(truth, dict(opinions))


def consensus_of(labels: Sequence[Label]) -> dict[str, Consensus]:
    """Put the labels of each picture together, by key."""
    opinions: dict[str, dict[str, Said]] = {}
    for label in labels:
        opinions.setdefault(label.key, {})[label.rater] = label.said
    return {key: agree(said) for key, said in opinions.items()}


def count_votes(said: Sequence[Said]) -> Consensus:
    """Do the same with votes of people without names."""
    return agree({f"{VOTE}{number}": one for number, one in enumerate(said, start=1)})
