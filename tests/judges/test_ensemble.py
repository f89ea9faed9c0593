"""Several judges as one: who decides, when there is no verdict, and what a screen keeps back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from PIL.Image import Image, frombytes

from copycat.errors import BackendError, UserError
from copycat.judges import Judge, JudgeRow, Verdict, ensemble
from copycat.judges.ensemble import AUDIT_ONE_IN, ScreenJudge, SplitJudge, VoteJudge
from copycat.schema import CharacterSet

SILENT = Verdict(None, reason="busy")


def saw(*named: str, consistency: float | None = None) -> Verdict:
    return Verdict(named[0] if named else None, consistency=consistency, named=named)


class Says:
    """Gives one verdict for every picture, and counts the pictures it was shown."""

    def __init__(self, verdict: Verdict | BackendError, rating: float | None = None) -> None:
        self.verdict, self.rating = verdict, rating
        self.n_judged = self.n_rated = 0

    def revision(self) -> str:
        return str(self.verdict)

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        self.n_judged += len(pictures)
        if isinstance(self.verdict, BackendError):
            raise self.verdict
        return [self.verdict] * len(pictures)

    def rate(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        self.n_rated += len(pictures)
        return [self.rating] * len(pictures)


def pictures(count: int) -> list[Image]:
    dice = random.Random(5)
    return [frombytes("RGB", (4, 4), dice.randbytes(48)) for _ in range(count)]


def build(kind: type[ensemble.Ensemble], name: str, members: Sequence[Any]) -> Any:
    rows = tuple(JudgeRow(name=f"m{i}", target="t:T", source="s", summary="") for i in range(len(members)))
    row = JudgeRow(name=name, target="t:T", source="s", summary="", members=rows)
    judges: list[Judge] = list(members)
    with pytest.MonkeyPatch.context() as patch:
        queue = iter(judges)
        patch.setattr(ensemble, "build_judge", lambda *_: next(queue))
        return kind(row, "cpu")


def vote(name: str, *votes: Verdict | BackendError, target: str = "goofy", characters: CharacterSet) -> Verdict:
    judge = build(VoteJudge, f"{name}:x", [Says(each) for each in votes])
    (verdict,) = judge.judge(pictures(1), [target], characters)
    return verdict


@pytest.mark.parametrize(
    ("name", "votes", "detected"),
    [
        ("either", [saw(), saw("goofy")], "goofy"),
        ("either", [saw(), saw()], None),
        ("either", [saw("pluto"), saw("goofy")], "goofy"),
        ("majority", [saw("goofy"), saw("goofy"), saw()], "goofy"),
        ("majority", [saw("goofy"), saw(), saw()], None),
        ("majority", [saw("goofy", "pluto"), saw("pluto"), saw()], "pluto"),
        ("majority", [saw("goofy"), saw("goofy"), saw(), saw()], None),
    ],
)
def test_votes_decide(name: str, votes: list[Verdict], detected: str | None, characters: CharacterSet) -> None:
    verdict = vote(name, *votes, characters=characters)
    assert (verdict.detected, verdict.reason) == (detected, None)


@pytest.mark.parametrize(
    ("name", "votes"),
    [
        ("either", [saw(), SILENT]),
        ("either", [saw("goofy"), SILENT]),
        ("majority", [saw("goofy"), saw("goofy"), SILENT]),
        ("majority", [saw(), saw(), SILENT]),
        ("majority", [saw("goofy"), saw(), SILENT]),
        ("majority", [saw("goofy"), SILENT, SILENT]),
        ("either", [BackendError("fell over"), saw()]),
    ],
)
def test_where_a_member_is_silent_there_is_no_verdict_so_that_what_counts_is_no_choice_of_the_outcome(
    name: str, votes: list[Verdict], characters: CharacterSet
) -> None:
    verdict = vote(name, *votes, characters=characters)
    assert verdict.detected is None
    assert verdict.reason is not None
    assert "gave no answer" in verdict.reason


def test_what_each_member_saw_is_told(characters: CharacterSet) -> None:
    verdict = vote("either", saw("pluto", "goofy"), saw(), characters=characters)
    assert verdict.members is not None
    assert [(m.judge, m.detected) for m in verdict.members] == [("m0", "goofy"), ("m1", None)]


def test_a_screen_spares_the_costly_judge_but_for_an_audit(characters: CharacterSet) -> None:
    cheap, costly = Says(saw()), Says(saw("goofy", consistency=0.3), rating=0.7)
    many = pictures(400)
    verdicts = build(ScreenJudge, "screen:x", [cheap, costly]).judge(many, ["goofy"] * 400, characters)
    audited = [v for v in verdicts if v.screening == "audited"]
    out = [v for v in verdicts if v.screening == "out"]
    assert len(audited) + len(out) == 400
    assert costly.n_judged == len(audited)
    assert costly.n_rated == len(out)
    assert 400 / AUDIT_ONE_IN * 0.4 < len(audited) < 400 / AUDIT_ONE_IN * 2
    assert {v.detected for v in audited} == {"goofy"}
    assert {(v.detected, v.consistency) for v in out} == {(None, 0.7)}


def test_the_same_pictures_are_audited_every_time(characters: CharacterSet) -> None:
    def screenings() -> list[str | None]:
        judge = build(ScreenJudge, "screen:x", [Says(saw()), Says(saw(), rating=0.7)])
        return [v.screening for v in judge.judge(pictures(100), ["goofy"] * 100, characters)]

    assert screenings() == screenings()


def test_the_costly_judge_decides_where_the_screen_saw_somebody_or_was_silent(characters: CharacterSet) -> None:
    for first in (saw("pluto"), SILENT):
        costly = Says(saw(consistency=0.3))
        judge = build(ScreenJudge, "screen:x", [Says(first), costly])
        verdicts = judge.judge(pictures(3), ["goofy"] * 3, characters)
        assert {(v.detected, v.screening, v.consistency) for v in verdicts} == {(None, "passed", 0.3)}
        assert costly.n_judged == 3


def test_detect_and_cons_may_come_from_two_judges(characters: CharacterSet) -> None:
    judge = build(SplitJudge, "cons:x", [Says(saw("goofy", consistency=0.1)), Says(saw(), rating=0.9)])
    (verdict,) = judge.judge(pictures(1), ["goofy"], characters)
    assert (verdict.detected, verdict.consistency) == ("goofy", 0.9)


def test_the_revision_moves_with_every_member_and_with_the_kind() -> None:
    one = build(VoteJudge, "either:x", [Says(saw()), Says(saw())])
    other = build(VoteJudge, "either:x", [Says(saw()), Says(saw("goofy"))])
    most = build(VoteJudge, "majority:x", [Says(saw()), Says(saw())])
    assert len({judge.revision() for judge in (one, other, most)}) == 3


def test_a_members_user_error_stops_the_ensemble(characters: CharacterSet) -> None:
    class Broke(Says):
        def judge(self, *_: Any) -> list[Verdict]:
            raise UserError("no key")

    judge = build(VoteJudge, "either:x", [Says(saw()), Broke(saw())])
    with pytest.raises(UserError, match="no key"):
        judge.judge(pictures(1), ["goofy"], characters)
