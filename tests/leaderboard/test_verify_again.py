"""Judging again: the stated judge looks at a share of the pictures, and its verdicts are those that are claimed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from drafts import Draft, encoded
from harness import Doubles
from PIL import Image
from submissions import make_submission

from copycat.catalog import read_character_set
from copycat.judges.asking import judge_all
from copycat.judges.families import build_judge, resolve_judge
from copycat.leaderboard.verify import Report, VerifyOptions, verify_submission

EVERY = VerifyOptions(rejudge=1.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed, copy it."""
    draft = Draft(make_submission(tmp_path_factory.mktemp("board"), model="some-model"))
    draft.keep_anchor("name")
    return draft.write()


@pytest.fixture
def draft(made: Path, tmp_path: Path, doubles: Doubles) -> Draft:
    """A submission that the judge of the doubles has judged: it sees the character of the first picture only."""
    shutil.copytree(made, tmp_path / "submission")
    draft = Draft(tmp_path / "submission")
    draft.spec.update(judge="fake-judge", judge_revision="1")
    marked = draft.picture(0)
    marked.putpixel((0, 0), mark_of(draft.samples[0]["character"]))
    draft.put_picture(0, encoded(marked))
    judged_by(draft, "fake-judge")
    assert draft.judgements[0]["detected"] == draft.samples[0]["character"]
    return draft


def mark_of(character: str) -> tuple[int, int, int]:
    from copycat_doubles import mark_of

    return mark_of(character)


def judged_by(draft: Draft, name: str) -> None:
    """Have a judge give all verdicts."""
    judge = build_judge(resolve_judge(name), "cpu")
    pictures: list[Image.Image] = [draft.picture(place) for place in range(len(draft.pictures))]
    asked_for = [sample["character"] for sample in draft.samples]
    verdicts = judge_all(judge, pictures, asked_for, read_character_set("sandbox"))
    draft.judgements = [
        verdict.of(sample["key"], sample["sha256"]).model_dump(mode="json")
        for verdict, sample in zip(verdicts, draft.samples, strict=True)
    ]
    draft.add_up()


def kinds_of(report: Report) -> set[str]:
    return {fault.kind for fault in report.faults}


def notes_of(report: Report) -> list[str]:
    return [str(note) for note in report.notes]


def test_honest_verdicts_are_borne_out(draft: Draft) -> None:
    report = verify_submission(draft.write(), EVERY)

    assert report.faults == ()
    assert notes_of(report) == ["50 of 50 pictures judged again [judged-again]"]


def test_a_verdict_that_was_turned_is_refused_though_the_figures_were_made_anew(draft: Draft) -> None:
    draft.judgements[0]["detected"] = None
    draft.add_up()

    (fault,) = verify_submission(draft.write(), EVERY).faults

    who = draft.samples[0]["character"]
    assert fault.kind == "verdict-changed"
    assert draft.samples[0]["key"] in fault.what
    assert fault.what.endswith(f"nobody is claimed, and the judge sees '{who}'")


def test_no_fewer_than_twenty_pictures_are_judged_again(draft: Draft, doubles: Doubles) -> None:
    folder = draft.write()
    doubles.forget()

    report = verify_submission(folder)

    assert notes_of(report) == ["20 of 50 pictures judged again [judged-again]"]
    assert len(doubles.judged) == 20


def test_other_pictures_are_judged_each_time_and_the_same_with_a_seed(draft: Draft, doubles: Doubles) -> None:
    def judged(options: VerifyOptions) -> frozenset[str]:
        doubles.forget()
        verify_submission(folder, options)
        return frozenset(doubles.judged)

    folder = draft.write()
    by_chance, with_seed = VerifyOptions(rejudge=0.1), VerifyOptions(rejudge=0.1, seed=3)

    assert len({judged(by_chance) for _ in range(3)}) > 1  # of 4.7e13 choices, three times the same one
    assert judged(with_seed) == judged(with_seed)


def test_a_judge_of_another_revision_is_not_asked(draft: Draft, doubles: Doubles) -> None:
    folder = draft.write()
    doubles.switch(judge_revision="2")

    report = verify_submission(folder, EVERY)

    assert report.is_valid
    assert notes_of(report) == [
        "not judged again: judge 'fake-judge' is revision 2 here, and 1 judged [not-judged-again]"
    ]


def test_a_judge_that_fails_is_no_fault_of_the_submission(draft: Draft, doubles: Doubles) -> None:
    folder = draft.write()
    doubles.switch(judge_fails=True)

    report = verify_submission(folder, EVERY)

    assert report.is_valid
    assert notes_of(report)[0] == "50 pictures: the judge gave no answer [not-judged-again]"


def test_a_judge_of_somebody_else_is_asked_only_if_the_user_says_so(draft: Draft) -> None:
    draft.spec["judge"] = draft.metrics["judge"] = "openai:some-vlm"
    draft.metrics["is_judge_calibrated"] = False

    report = verify_submission(draft.write())

    assert report.is_valid
    (note,) = notes_of(report)
    assert note.startswith("not judged again: judge 'openai:some-vlm' is heavy or somebody else's")


def test_withheld_pictures_are_not_judged_again_and_the_report_says_what_that_means(draft: Draft) -> None:
    draft.submission["pictures"] = "withheld"

    report = verify_submission(draft.write(), EVERY)

    assert report.is_valid
    assert notes_of(report) == [
        "pictures are withheld: their hashes and the verdicts on them are the submitter's word [withheld]"
    ]


def test_the_judge_that_ships_is_the_same_to_three_decimals(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "submission")
    draft = Draft(tmp_path / "submission")
    judged_by(draft, "sandbox")
    assert verify_submission(draft.write()).faults == ()

    for judgement in draft.judgements:
        judgement["consistency"] = round(abs(judgement["consistency"] - 0.01), 6)
    draft.add_up()

    assert kinds_of(verify_submission(draft.write())) == {"verdict-changed"}
