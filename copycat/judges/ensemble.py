"""Several judges as one: votes, a cheap screen before a costly judge, DETECT and CONS from two judges."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from threading import Lock
from typing import Any

from PIL.Image import Image

from copycat.errors import BackendError
from copycat.judges import Judge, JudgeRow, JudgeUsage, Verdict
from copycat.judges.families import build_judge
from copycat.judges.verdicts import first_of
from copycat.schema import CharacterSet, MemberVerdict
from copycat.services.memory import AnswerMemory, pixels_sha256
from copycat.services.throttle import Throttle

AUDIT_ONE_IN = 20
"""Of the pictures that a screen keeps from the costly judge, so many are shown to it all the same."""


class Ensemble:
    """What all ensembles share: their members.

    Where a member waits for somebody else's machine, the ensemble is called in many threads, and the other
    members take turns.
    """

    def __init__(self, row: JudgeRow, device: str) -> None:
        self.row = row
        self.members: list[Judge] = [build_judge(member, device) for member in row.members]
        throttles = [throttle for member in self.members if (throttle := throttle_of(member)) is not None]
        self.throttle = throttles[0] if throttles else None
        self._turn = Lock()

    def revision(self) -> str:
        """Hash the members' revisions and what is done with them."""
        parts = [self.row.target, self.row.name.partition(":")[0], *(member.revision() for member in self.members)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]

    def facts(self) -> dict[str, str]:
        """Give what the members tell of themselves."""
        found = {
            f"{row.name} revision": judge.revision() for row, judge in zip(self.row.members, self.members, strict=True)
        }
        for row, judge in zip(self.row.members, self.members, strict=True):
            found |= {f"{row.name} {name}": text for name, text in facts_of(judge).items()}
        return found

    def check(self, characters: CharacterSet) -> None:
        """Have the members refuse what they could not judge."""
        for member in self.members:
            if (check := getattr(member, "check", None)) is not None:
                check(characters)

    def usage(self) -> JudgeUsage:
        """Add up what services counted for the members."""
        return JudgeUsage(*(sum(counts) for counts in zip(*map(usage_of, self.members), strict=True)))

    def release(self) -> None:
        """Have the members let go of their weights."""
        for member in self.members:
            release(member)

    def remember_in(self, memory: AnswerMemory) -> None:
        """Let the members keep their answers."""
        for member in self.members:
            if (remember := getattr(member, "remember_in", None)) is not None:
                remember(memory)

    def _ask(
        self, member: Judge, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet
    ) -> list[Verdict]:
        """Ask one member; one that can answer nothing does not take the others' answers with it."""
        if not pictures:
            return []
        try:
            if self.throttle is not None and throttle_of(member) is None:
                with self._turn:
                    return member.judge(pictures, asked_for, characters)
            return member.judge(pictures, asked_for, characters)
        except BackendError as error:
            return [Verdict(None, reason=str(error))] * len(pictures)


class VoteJudge(Ensemble):
    """`either`: one member is enough; `majority`: more than half of all members are needed.

    A picture on which any member did not answer has no verdict, even where the others have settled it: else the
    pictures that count would be those that are easily settled, and a rate of them would say nothing. CONS is that
    of the first member that gives one.
    """

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol."""
        votes = [self._ask(member, pictures, asked_for, characters) for member in self.members]
        return [
            self._count(list(of_one), target)
            for of_one, target in zip(zip(*votes, strict=True), asked_for, strict=True)
        ]

    def _count(self, votes: list[Verdict], target: str) -> Verdict:
        members = tuple(
            MemberVerdict(judge=row.name, detected=first_of(vote.seen, target), reason=vote.reason)
            for row, vote in zip(self.row.members, votes, strict=True)
        )
        if silent := [vote for vote in votes if not vote.is_answered]:
            why = f"{len(silent)} of {len(votes)} judges gave no answer: {silent[0].reason}"
            return Verdict(None, reason=why, members=members)
        needed = 1 if self.row.name.startswith("either:") else len(votes) // 2 + 1
        for_each = Counter(name for vote in votes for name in vote.seen)
        named = tuple(name for name, count in for_each.items() if count >= needed)
        return Verdict(
            detected=first_of(named, target),
            consistency=next((vote.consistency for vote in votes if vote.consistency is not None), None),
            named=named,
            members=members,
        )


class ScreenJudge(Ensemble):
    """Cheap first; the costly judge decides wherever it looked.

    It looks at every picture in which the cheap one sees somebody, and at 1 in 20 of the others, chosen by
    the hash of their pixels, so that what the screen misses is measured (`metrics`: screen_misses). CONS is the
    costly judge's for every picture, so that all of one run stand on one scale.
    """

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol."""
        cheap, costly = self.members
        first = self._ask(cheap, pictures, asked_for, characters)
        screened = [self._screening(verdict, picture) for verdict, picture in zip(first, pictures, strict=True)]
        looks_at = [place for place, screening in enumerate(screened) if screening != "out"]
        others = [place for place, screening in enumerate(screened) if screening == "out"]
        second = self._ask(costly, [pictures[i] for i in looks_at], [asked_for[i] for i in looks_at], characters)
        rated = rate(costly, [pictures[i] for i in others], [asked_for[i] for i in others], characters)
        verdicts = list(first)
        for place, verdict in zip(looks_at, second, strict=True):
            verdicts[place] = verdict._replace(screening=screened[place])
        for place, rating in zip(others, rated, strict=True):
            verdicts[place] = Verdict(None, consistency=rating, screening="out")
        return verdicts

    def _screening(self, verdict: Verdict, picture: Image) -> Any:  # a schema.Screening
        if not verdict.is_answered or verdict.detected is not None:
            return "passed"
        is_audited = int(pixels_sha256(picture.size, picture.tobytes())[:8], 16) % AUDIT_ONE_IN == 0
        return "audited" if is_audited else "out"


class SplitJudge(Ensemble):
    """DETECT and everything else from the first member, CONS from the second."""

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol."""
        detecting, rating = self.members
        verdicts = self._ask(detecting, pictures, asked_for, characters)
        ratings = rate(rating, pictures, asked_for, characters)
        return [verdict._replace(consistency=rating) for verdict, rating in zip(verdicts, ratings, strict=True)]


def rate(
    judge: Judge, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet
) -> list[float | None]:
    """Ask a judge for CONS alone: its method `rate` where it has one, else what its verdicts say."""
    if not pictures:
        return []
    try:
        own = getattr(judge, "rate", None)
        if own is not None:
            return list(own(pictures, asked_for, characters))
        return [verdict.consistency for verdict in judge.judge(pictures, asked_for, characters)]
    except BackendError:
        return [None] * len(pictures)


def usage_of(judge: Judge) -> JudgeUsage:
    """Give what services have counted so far for a judge; nothing for one on this machine."""
    own = getattr(judge, "usage", None)
    return own() if own is not None else JudgeUsage()


def release(judge: Judge) -> None:
    """Have a judge let go of its weights, where it can; the next picture loads them again."""
    if (own := getattr(judge, "release", None)) is not None:
        own()


def throttle_of(judge: Judge) -> Throttle | None:
    """Give the throttle of a judge that waits for somebody else's machine."""
    return getattr(judge, "throttle", None)


def facts_of(judge: Judge) -> dict[str, str]:
    """Give what a judge tells of itself beyond its revision."""
    tell = getattr(judge, "facts", None)
    return dict(tell()) if tell is not None else {}
