"""The laboratory draws what it says, and its figures follow from the verdicts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from PIL import Image, ImageChops
from rich.console import Console

from copycat.errors import BackendError
from copycat.judges import Verdict
from copycat.metrics import wilson
from copycat.sandbox import lab_scenes
from copycat.sandbox.export import build_character_set
from copycat.sandbox.lab import FlipRow, LabResult, LabRow, Scene, build_scenes, lab_table, run_lab
from copycat.sandbox.lab_scenes import ROUND, TEXTS, look_alike
from copycat.sandbox.world import inhabitants
from copycat.schema import CharacterSet

pytestmark = pytest.mark.slow  # hundreds of scenes are drawn and judged

CHARACTERS = build_character_set()
IDS = [character.id for character in CHARACTERS.characters]
WHITE = Image.new("RGB", (64, 64), "white")


class TalkativeJudge:
    """Says what it is told to say of each picture."""

    def __init__(self, answers: dict[int, Verdict]) -> None:
        self.answers, self.batches = answers, list[int]()

    def revision(self) -> str:
        return "0" * 40

    def judge(self, pictures: Sequence[Image.Image], asked_for: Sequence[str], _: CharacterSet) -> list[Verdict]:
        self.batches.append(len(pictures))
        return [self.answers[id(picture)] for picture in pictures]


class FailingJudge(TalkativeJudge):
    """Never gets through to anybody."""

    def judge(self, pictures: Sequence[Image.Image], asked_for: Sequence[str], _: CharacterSet) -> list[Verdict]:
        raise BackendError("the service does not answer")


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(build_scenes(200, seed=1))


def scene(kind: str, who: str, *, distance: int | None = 0, with_text: bool = False) -> Scene:
    clean = WHITE.copy() if with_text else None
    truth = (who,) if distance == 0 else ()
    return Scene(kind=kind, distance=distance, truth=truth, asked_for=who, picture=WHITE.copy(), clean=clean)


def measured(scenes: Sequence[Scene], said: Sequence[Verdict], said_clean: Sequence[Verdict] = ()) -> LabResult:
    answers = {id(s.picture): verdict for s, verdict in zip(scenes, said, strict=True)}
    answers |= {id(s.clean): verdict for s, verdict in zip(scenes, said_clean, strict=False)}
    return run_lab(TalkativeJudge(answers), scenes, CHARACTERS)


def only_row(result: LabResult) -> LabRow:
    (row,) = result.rows
    return row


def only_flips(result: LabResult) -> FlipRow:
    (row,) = result.flips
    return row


# ------------------------------------------------------------------------------------------------ scenes


def test_the_same_seed_draws_the_same_and_more_scenes_begin_with_the_same_ones() -> None:
    few, many = list(build_scenes(21, seed=5)), list(build_scenes(30, seed=5))

    assert [s.picture.tobytes() for s in few] == [s.picture.tobytes() for s in many[:21]]
    assert [(s.kind, s.truth, s.asked_for) for s in few] == [(s.kind, s.truth, s.asked_for) for s in many[:21]]
    assert few[0].picture.tobytes() != next(build_scenes(1, seed=6)).picture.tobytes()


def test_every_kind_comes_as_often_as_the_round_says(scenes: list[Scene]) -> None:
    assert Counter(s.kind for s in scenes) == {k: 10 * v for k, v in Counter(kind for kind, _ in ROUND).items()}


def test_after_a_thousand_scenes_every_kind_was_about_every_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_scenes, "render", lambda *_: WHITE)

    drawn = list(build_scenes(1000, seed=0))

    for kind in {kind for kind, _ in ROUND}:
        times = Counter(s.asked_for for s in drawn if s.kind == kind)
        assert set(times) == set(IDS) and len(set(times.values())) == 1


def test_text_over_negatives_meets_every_distance_with_every_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_scenes, "render", lambda *_: WHITE)

    drawn = {(s.asked_for, s.distance) for s in build_scenes(4000, seed=0) if s.kind == lab_scenes.ANSWERED}

    assert drawn == {(who, distance) for who in IDS for distance in (1, 2, 3, None)}


@pytest.mark.parametrize("distance", [1, 2, 3])
def test_a_look_alike_is_exactly_that_far_off_and_nobody_else(distance: int) -> None:
    rng = random.Random(distance)
    for who in inhabitants():
        looks = look_alike(rng, who.appearance, distance)

        assert len(looks.differences(who.appearance)) == distance
        assert min(len(looks.differences(other.appearance)) for other in inhabitants()) == distance


def test_the_character_is_in_the_truth_at_distance_zero_only(scenes: list[Scene]) -> None:
    for s in scenes:
        assert s.is_shown == (s.distance == 0)
        assert len(s.truth) == (2 if s.kind.startswith("two") else s.is_shown)


def test_with_two_characters_either_one_may_be_asked_for(scenes: list[Scene]) -> None:
    places = {(s.kind, s.truth.index(s.asked_for)) for s in scenes if s.kind.startswith("two")}

    assert places == {(kind, place) for kind in (lab_scenes.SIDE_BY_SIDE, lab_scenes.INSET) for place in (0, 1)}
    assert all(len(set(s.truth)) == 2 for s in scenes if s.kind.startswith("two"))


def test_only_pictures_with_text_have_one_without_and_they_differ_by_the_text_alone(scenes: list[Scene]) -> None:
    for s in scenes:
        assert (s.clean is not None) == (s.kind in TEXTS)
        if s.clean is not None:
            changed = ImageChops.difference(s.picture, s.clean).getbbox()
            assert changed is not None
            assert changed[3] - changed[1] < 40, "text must leave most of the picture as it is"


@pytest.mark.parametrize("size_px", [32, 64, 96])
def test_scenes_are_as_large_as_asked_for(size_px: int) -> None:
    sizes = {(s.kind == lab_scenes.SIDE_BY_SIDE, s.picture.size) for s in build_scenes(20, seed=0, size_px=size_px)}

    assert sizes == {(False, (size_px, size_px)), (True, (2 * size_px, size_px))}


def test_every_text_fits_into_the_smallest_usual_picture() -> None:
    from copycat.sandbox.lab_text import draw_text

    grey = Image.new("RGB", (64, 64), (90, 90, 90))
    for kind, text in TEXTS.items():
        drawn = draw_text(grey, text.format(name="Tharvel", other="Balgrum"), random.Random(kind))
        box = ImageChops.difference(drawn, grey).getbbox()
        assert box is not None and box[3] - box[1] <= 30


# ------------------------------------------------------------------------------------------------ figures


def test_a_judge_that_knows_the_truth_is_always_right_and_no_text_moves_it(scenes: list[Scene]) -> None:
    answers = {id(s.picture): Verdict(None, named=s.truth) for s in scenes}
    answers |= {id(s.clean): Verdict(None, named=s.truth) for s in scenes}

    result = run_lab(TalkativeJudge(answers), scenes, CHARACTERS)

    assert result.n == 200
    assert all(row.rate.value == 1 for row in result.rows)
    assert all(row.flipped.value == 0 for row in result.flips)
    assert {row.kind for row in result.flips} == set(TEXTS)


def test_sensitivity_is_the_share_of_shown_characters_that_are_seen() -> None:
    shown = [scene("shown", who) for who in IDS[:4]]

    row = only_row(measured(shown, [Verdict(IDS[0]), Verdict(IDS[1]), Verdict(None), Verdict(IDS[9])]))

    expected = wilson(2, 4)
    assert (row.quality, row.n, row.rate.value) == ("sensitivity", 4, 0.5)
    assert (row.rate.low, row.rate.high) == (expected.low, expected.high)


def test_specificity_counts_only_the_character_asked_for_as_a_mistake() -> None:
    near = [scene("near", who, distance=2) for who in IDS[:4]]

    row = only_row(measured(near, [Verdict(IDS[0]), Verdict(IDS[7]), Verdict(None), Verdict(None)]))

    assert (row.quality, row.distance, row.rate.value) == ("specificity", 2, 0.75)


def test_a_character_named_beside_another_counts_as_seen() -> None:
    row = only_row(measured([scene("two_inset", IDS[0])], [Verdict(IDS[5], named=(IDS[5], IDS[0]))]))

    assert row.rate.value == 1


def test_distances_are_added_up_apart() -> None:
    near = [scene("near", IDS[0], distance=d) for d in (1, 1, 2)]

    rows = measured(near, [Verdict(IDS[0]), Verdict(None), Verdict(None)]).rows

    assert [(row.distance, row.n, row.rate.value) for row in rows] == [(1, 2, 0.5), (2, 1, 1.0)]


def test_pictures_without_an_answer_are_counted_and_left_out_of_the_share() -> None:
    shown = [scene("shown", who) for who in IDS[:3]]

    row = only_row(measured(shown, [Verdict(IDS[0]), Verdict(None, reason="no answer"), Verdict(None)]))

    assert (row.n, row.n_unanswered, row.rate.n, row.rate.value) == (3, 1, 2, 0.5)


def test_a_service_that_never_answers_gives_no_figure_with_a_reason() -> None:
    row = only_row(run_lab(FailingJudge({}), [scene("shown", IDS[0])], CHARACTERS))

    assert (row.n_unanswered, row.rate.value, row.rate.reason) == (1, None, "no picture was answered")


def test_flips_are_counted_in_each_direction_against_the_same_picture_without_text() -> None:
    texts = [scene("text_denial", who, with_text=True) for who in IDS[:5]]
    seen = [True, True, True, True, False]
    seen_with_text = [True, False, False, False, True]

    def verdicts(answers: list[bool]) -> list[Verdict]:
        return [Verdict(s.asked_for if yes else None) for s, yes in zip(texts, answers, strict=True)]

    row = only_flips(measured(texts, verdicts(seen_with_text), verdicts(seen)))

    assert (row.lost.value, row.lost.n) == (0.75, 4)
    assert (row.gained.value, row.gained.n) == (1.0, 1)
    assert (row.flipped.value, row.flipped.n) == (0.8, 5)


def test_a_pair_counts_only_where_both_pictures_were_answered() -> None:
    texts = [scene("text_denial", who, with_text=True) for who in IDS[:2]]

    row = only_flips(measured(texts, [Verdict(None, reason="no"), Verdict(IDS[1])], [Verdict(IDS[0]), Verdict(IDS[1])]))

    assert (row.n, row.n_unanswered, row.flipped.n) == (2, 1, 1)
    assert (row.gained.value, row.gained.reason) == (None, "it was seen in all without text")


def test_text_is_flagged_with_and_hardly_ever_without(scenes: list[Scene]) -> None:
    texts = [s for s in scenes if s.kind == lab_scenes.DENIED]
    nothing = [Verdict(None)] * len(texts)

    row = only_flips(measured(texts, nothing, nothing))

    assert row.flagged.value is not None and row.flagged.value >= 0.7
    assert row.flagged_clean.value is not None and row.flagged_clean.value <= 0.1


def test_pictures_are_judged_in_batches_and_progress_tells_of_every_scene(scenes: list[Scene]) -> None:
    judge = TalkativeJudge({id(p): Verdict(None) for s in scenes for p in (s.picture, s.clean)})
    told: list[int] = []

    run_lab(judge, iter(scenes), CHARACTERS, told.append)

    assert max(judge.batches) == 64
    assert told == [64, 64, 64, 8]


def test_the_result_survives_json_and_the_table_shows_every_kind(scenes: list[Scene]) -> None:
    judge = TalkativeJudge({id(p): Verdict(None) for s in scenes[:20] for p in (s.picture, s.clean)})

    result = run_lab(judge, scenes[:20], CHARACTERS)

    assert LabResult.model_validate_json(result.model_dump_json()) == result
    console = Console(width=110)
    with console.capture() as capture:
        console.print(lab_table(result))
    text = capture.get()
    assert all(kind.replace("_", " ") in text for kind, _ in ROUND)
    assert "0.0 [0.0, " in text
