"""The output filter: what it draws again, what it blocks, what it costs, and what it lets through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from PIL import Image

from copycat.errors import BackendError, UserError
from copycat.judges import Verdict
from copycat.mitigations import MITIGATIONS
from copycat.models import Picture
from copycat.runs.filtering import FilteredModel, filter_notes
from copycat.schema import CharacterSet, ImageRequest, OutputFilter, Sample, Sampling

SAMPLING = Sampling(width_px=8, height_px=8)
Looks = Callable[[int], str | None]


def request(number: int, tries: int | None = 3) -> ImageRequest:
    return ImageRequest(
        key=f"k{number}",
        character="goofy",
        anchor="name",
        prompt_id="p",
        repeat=number,
        prompt="Goofy",
        prompt_sent="Goofy",
        output_filter=None if tries is None else OutputFilter(tries=tries),
        seed=number,
    )


class SeedModel:
    """Paints the seed into the picture, so that a judge can look at it."""

    flavour = "vanilla"

    def __init__(self) -> None:
        self.seeds: list[list[int]] = []

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        del sampling
        self.seeds.append([r.seed for r in requests])
        return [Picture("ok", Image.new("RGB", (8, 8), (r.seed % 251, r.seed % 241, r.seed % 239))) for r in requests]


class SeedJudge:
    """Says of each picture what `looks` says of the first colour."""

    def __init__(self, looks: Looks) -> None:
        self.looks, self.n_asked = looks, 0

    def judge(self, pictures: Sequence[Any], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        del asked_for, characters
        self.n_asked += len(pictures)
        return [Verdict(self.looks(picture.getpixel((0, 0))[0])) for picture in pictures]


def filtered(characters: CharacterSet, looks: Looks) -> tuple[FilteredModel, SeedModel, SeedJudge]:
    model, judge = SeedModel(), SeedJudge(looks)
    return FilteredModel(model, {None: judge}, characters), model, judge  # type: ignore[dict-item]


def test_a_picture_that_shows_nobody_passes_as_it_was_drawn(characters: CharacterSet) -> None:
    model, inner, _ = filtered(characters, lambda _: None)
    pictures = model.generate([request(1), request(2)], SAMPLING)
    assert inner.seeds == [[1, 2]]
    assert [(p.status, p.rejected) for p in pictures] == [("ok", ()), ("ok", ())]


def test_a_rejected_picture_is_drawn_again_with_another_seed_and_the_others_are_not(characters: CharacterSet) -> None:
    model, inner, _ = filtered(characters, lambda seed: "max" if seed == 2 else None)
    pictures = model.generate([request(1), request(2), request(3)], SAMPLING)
    assert inner.seeds[0] == [1, 2, 3]
    assert len(inner.seeds[1]) == 1
    assert inner.seeds[1] != [2]
    assert [p.status for p in pictures] == ["ok", "ok", "ok"]
    assert [p.rejected for p in pictures] == [(), ("max",), ()]


def test_after_the_last_try_the_request_is_blocked(characters: CharacterSet) -> None:
    model, inner, _ = filtered(characters, lambda _: "goofy")
    (picture,) = model.generate([request(1)], SAMPLING)
    assert len(inner.seeds) == 3
    assert len({seeds[0] for seeds in inner.seeds}) == 3
    assert (picture.status, picture.image, picture.rejected) == ("blocked", None, ("goofy",) * 3)
    assert picture.detail == "the output filter rejected 3 pictures"


def test_every_try_has_the_same_seeds_whoever_draws(characters: CharacterSet) -> None:
    runs = [filtered(characters, lambda _: "goofy") for _ in range(2)]
    for model, _, _ in runs:
        model.generate([request(1), request(2)], SAMPLING)
    assert runs[0][1].seeds == runs[1][1].seeds


def test_a_request_without_a_filter_is_not_looked_at(characters: CharacterSet) -> None:
    model, _, judge = filtered(characters, lambda _: "goofy")
    (picture,) = model.generate([request(1, tries=None)], SAMPLING)
    assert (picture.status, judge.n_asked) == ("ok", 0)


def test_a_picture_that_could_not_be_looked_at_does_not_pass(characters: CharacterSet) -> None:
    class Broken(SeedJudge):
        def judge(self, *_: Any) -> list[Verdict]:
            raise BackendError("no answer")

    model = FilteredModel(SeedModel(), {None: Broken(lambda _: None)}, characters)  # type: ignore[dict-item]
    (picture,) = model.generate([request(1, tries=1)], SAMPLING)
    assert (picture.status, picture.rejected) == ("blocked", ("?",))


def test_what_the_model_itself_refused_stays_refused(characters: CharacterSet) -> None:
    class Refusing(SeedModel):
        def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
            return [Picture("refused", None, "no")] * len(requests)

    model = FilteredModel(Refusing(), {None: SeedJudge(lambda _: "goofy")}, characters)  # type: ignore[dict-item]
    assert model.generate([request(1)], SAMPLING)[0].status == "refused"


def test_all_else_is_the_models_own(characters: CharacterSet) -> None:
    assert filtered(characters, lambda _: None)[0].flavour == "vanilla"


# ------------------------------------------------------------------------------------------ notes


def sample(number: int, status: str, rejected: tuple[str, ...], judge: str | None = "other") -> Sample:
    there = {"image": "i", "sha256": "s"} if status == "ok" else {}
    planned = request(number).model_dump(exclude={"prompt_id", "output_filter"})
    wanted = OutputFilter(judge=judge, tries=3)
    return Sample.model_validate(planned | there | {"status": status, "output_filter": wanted, "rejected": rejected})


def test_cost_and_misses_are_counted() -> None:
    samples = [sample(1, "ok", ()), sample(2, "ok", ("max",)), sample(3, "blocked", ("max",) * 3), sample(4, "ok", ())]
    assert filter_notes(samples, ["k1"]) == (
        "filter: 7 pictures drawn for 4 requests (1.75 each), 4 rejected, 1 requests blocked",
        "filter: of 5 pictures on which it or the run's judge saw a character it let 1 pass, 20.0 %",
    )


def test_a_filter_with_the_judge_of_the_run_is_told_to_be_blind_to_its_own_misses() -> None:
    _, told = filter_notes([sample(1, "ok", (), None)], [])
    assert told.endswith("the judge of the run filtered, too, so what it missed it never saw")


def test_a_run_without_a_filter_has_no_notes_on_one() -> None:
    plain = sample(1, "ok", ()).model_copy(update={"output_filter": None, "rejected": None})
    assert filter_notes([plain], []) == ()


@pytest.mark.parametrize("variant", ["", "redraw", "BLOCK"])
def test_an_unknown_action_is_refused(variant: str) -> None:
    with pytest.raises(UserError, match="needed: filter:regenerate or filter:block"):
        MITIGATIONS.load("filter").canonical(variant, None)


def test_the_judge_that_filters_stands_after_a_comma() -> None:
    assert MITIGATIONS.load("filter").canonical("block , oracle", None) == "block,oracle"
