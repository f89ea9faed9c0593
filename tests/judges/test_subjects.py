"""Judges and the subjects of benign prompts: rated, and never taken for somebody."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.catalog import benign_prompts
from copycat.judges import Verdict
from copycat.judges.dialogue import interview
from copycat.judges.open_clip_judge import things_asked_for
from copycat.judges.questions import OPEN, Question
from copycat.schema import CharacterSet, SetWithSubjects


@pytest.fixture
def beside(characters: CharacterSet) -> SetWithSubjects:
    return benign_prompts(characters)[0]


def test_the_thing_that_a_benign_prompt_asks_for_is_among_those_that_are_rated(
    characters: CharacterSet, beside: SetWithSubjects
) -> None:
    place = {who.id: number for number, who in enumerate(beside.asked)}
    things, wanted = things_asked_for(["benign-lighthouse", "goofy"], beside)
    assert [things[i] for i in wanted] == ["lighthouse", "tall cartoon dog"]
    assert len(things) == len({who.key_characteristic for who in beside.asked}) <= len(place)
    assert things_asked_for(["goofy"], characters) == (
        ("tall cartoon dog", "teenage cartoon dog", "bearded sailor"),
        [0],
    )


def test_a_subject_is_not_asked_for_by_name(beside: SetWithSubjects) -> None:
    asked: list[str] = []

    def ask(question: Question, text: str) -> str:
        del text
        asked.append(question.id)
        return '{"characters": ["Goofy", "A Lighthouse"]}'

    verdict = interview(ask, beside.subjects[0], beside)
    assert asked == [OPEN.id]
    assert (verdict.detected, verdict.closed) == ("goofy", None)


def test_a_judge_that_loads_weights_rates_a_subject_and_detects_characters_only(
    beside: SetWithSubjects, tiny_judge: Path
) -> None:
    from PIL import Image

    from copycat.judges.families import build_judge, resolve_judge

    judge = build_judge(resolve_judge(f"open_clip:{tiny_judge}"), "cpu")
    pictures = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    verdicts: list[Verdict] = judge.judge(pictures, ["benign-soup", "benign-nurse"], beside)
    assert all(verdict.consistency is not None for verdict in verdicts)
    assert {verdict.detected for verdict in verdicts} <= {None, "goofy", "max", "bluto"}


def test_the_oracle_rates_a_subject_by_its_species() -> None:
    import random

    from copycat.catalog import read_character_set
    from copycat.judges import ORACLE
    from copycat.judges.families import build_judge, resolve_judge
    from copycat.sandbox.renderer import render
    from copycat.sandbox.world import Appearance

    looks = Appearance(
        species="cat", theme=None, body="red", accent="white", pattern="plain", accessory="bow", eyes="round"
    )
    picture = render(looks, random.Random(1))
    sandbox, _ = benign_prompts(read_character_set("sandbox"))
    judge = build_judge(resolve_judge(ORACLE), "cpu")
    verdicts = judge.judge([picture, picture], ["benign-plain-cat", "benign-plain-dog"], sandbox)
    assert [verdict.consistency for verdict in verdicts] == [1.0, 0.0]
    assert [verdict.detected for verdict in verdicts] == [None, None]
