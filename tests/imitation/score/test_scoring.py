"""Vectors -> scores, against formulas written out pair by pair."""

from __future__ import annotations

import math
from statistics import fmean, stdev

import numpy as np
import pytest

from copycat.imitation.score import scoring
from copycat.imitation.score.scoring import (
    MIN_IMPOSTORS,
    Floats,
    Gallery,
    Match,
    build_gallery,
    impostors_of,
    match_threshold,
    norms_of,
    score_pictures,
    unit_rows,
)

M = 4


def unit(rng: np.random.Generator, *shape: int) -> Floats:
    drawn = rng.normal(size=shape)
    return (drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)).astype(np.float32)


def gallery_of(n: int = 7, m: int = M, dimensions: int = 6, seed: int = 0, **strata: str) -> Gallery:
    vectors = unit(np.random.default_rng(seed), n, m, dimensions)
    return build_gallery({f"c{i}": vectors[i] for i in range(n)}, strata)


def cosine(a: Floats, b: Floats) -> float:
    return math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))


def mean_cosine(picture: Floats, references: Floats) -> float:
    return fmean(cosine(picture, reference) for reference in references)


def test_every_figure_is_what_comes_of_it_pair_by_pair() -> None:
    gallery, pictures = gallery_of(), unit(np.random.default_rng(1), 30, 6)
    match = Match(0.15, 0.01, None, 1)
    for place, concept in enumerate(gallery.concepts):
        table = [[mean_cosine(picture, references) for references in gallery.references] for picture in pictures]
        by_concept = [fmean(row[other] for row in table) for other in range(7)]
        impostors = [value for other, value in enumerate(by_concept) if other != place]
        found = score_pictures(pictures, gallery, concept, match)
        assert found.raw == pytest.approx(by_concept[place], abs=2e-6)
        assert found.z == pytest.approx((by_concept[place] - fmean(impostors)) / stdev(impostors), abs=2e-4)
        nearest = [max(range(7), key=row.__getitem__) for row in table]
        assert found.identified == pytest.approx(sum(n == place for n in nearest) / 30, abs=1e-6)
        assert found.matched == pytest.approx(sum(row[place] > 0.15 for row in table) / 30, abs=1e-6)
        assert (found.n, found.lacking) == (30, "")


def test_pictures_by_the_thousand_are_scored_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    gallery, pictures = gallery_of(), unit(np.random.default_rng(2), 101, 6)
    match = match_threshold(gallery)
    whole = score_pictures(pictures, gallery, "c3", match)
    monkeypatch.setattr(scoring, "CHUNK", 7)
    assert score_pictures(pictures, gallery, "c3", match) == whole


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_the_match_threshold_lets_no_more_than_its_share_of_impostors_through(rate: float) -> None:
    gallery = gallery_of(n=12, m=5)
    pairs = [
        mean_cosine(reference, gallery.references[other])
        for own in range(12)
        for reference in gallery.references[own]
        for other in range(12)
        if other != own
    ]
    match = match_threshold(gallery, rate)
    assert match is not None
    assert match.pairs == len(pairs) == 12 * 5 * 11
    through = sum(value > match.threshold + 1e-6 for value in pairs)
    assert through <= rate * len(pairs)
    assert match.false_match == pytest.approx(through / len(pairs))
    assert sum(value > match.threshold - 1e-6 for value in pairs) > rate * len(pairs), "a lower one would do as well"


def test_a_reference_is_never_compared_with_itself() -> None:
    gallery = gallery_of(n=5, m=3, dimensions=3)
    match = match_threshold(gallery, 0.2)
    assert match is not None
    matching = [
        fmean(cosine(one, other) for n, other in enumerate(own) if n != place) > match.threshold
        for own in gallery.references
        for place, one in enumerate(own)
    ]
    assert match.true_match == pytest.approx(fmean(matching))
    single = match_threshold(gallery_of(m=1))
    assert single is not None
    assert single.true_match is None


def test_the_largest_cosines_are_kept_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = gallery_of(n=40, m=5)
    whole = match_threshold(gallery, 0.02)
    sizes = []

    def largest(values: Floats, k: int) -> Floats:
        sizes.append(len(values))
        return np.sort(values)[-k:]

    monkeypatch.setattr(scoring, "_largest", largest)
    assert match_threshold(gallery, 0.02) == whole


def test_a_tie_is_nobodys() -> None:
    same = unit(np.random.default_rng(3), M, 6)
    gallery = build_gallery({"a": same, "b": same, "c": -same})
    found = score_pictures(unit_rows(same), gallery, "a", None)
    assert (found.identified, found.matched) == (0.0, None)


def test_impostors_are_of_the_same_stratum_where_six_others_have_it() -> None:
    foxes = gallery_of(n=10, **{f"c{n}": "fox" for n in range(7)}, c7="owl")
    assert impostors_of(foxes, "c0") == [1, 2, 3, 4, 5, 6]
    assert impostors_of(foxes, "c7") == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert impostors_of(foxes, "c8", asked="c0") == [1, 2, 3, 4, 5, 6, 7, 9]


@pytest.mark.parametrize("n_foxes", [5, 6, 7, 8])
def test_every_arm_has_the_same_impostors_but_for_the_one_asked_for(n_foxes: int) -> None:
    foxes = gallery_of(n=10, **{f"c{n}": "fox" for n in range(n_foxes)})
    whole = impostors_of(foxes, "c0")
    assert impostors_of(foxes, "c0", asked="c3") == [n for n in whole if n != 3]
    assert len(whole) > MIN_IMPOSTORS


def test_whose_name_was_in_the_prompt_is_no_impostor() -> None:
    gallery = gallery_of()
    pictures = unit_rows(gallery.references[2] + 0.01)
    with_it = score_pictures(pictures, gallery, "c5", None)
    without = score_pictures(pictures, gallery, "c5", None, asked="c2")
    figures = [float(np.mean(pictures @ gallery.means[n])) for n in (0, 1, 3, 4, 6)]
    assert without.z == pytest.approx((without.raw - fmean(figures)) / stdev(figures), abs=1e-4)
    assert (without.raw, without.z != with_it.z) == (with_it.raw, True)


def test_one_concept_has_a_raw_score_and_no_other() -> None:
    alone, pictures = gallery_of(n=1), unit(np.random.default_rng(4), 5, 6)
    assert match_threshold(alone) is None
    found = score_pictures(pictures, alone, "c0", None)
    assert (found.z, found.identified, found.matched) == (None, None, None)
    assert "0 other concepts have references" in found.lacking
    two = score_pictures(pictures, gallery_of(n=2), "c0", None)
    assert (two.z, two.identified is None, two.lacking[:23]) == (None, False, "no z: 1 other concept h")


def test_fewer_than_five_impostors_give_no_z() -> None:
    pictures = unit(np.random.default_rng(4), 5, 6)
    for n, whether in ((5, False), (6, True)):
        found = score_pictures(pictures, gallery_of(n=n), "c0", None)
        assert (found.z is not None, found.raw is not None) == (whether, True)
    few = score_pictures(pictures, gallery_of(n=5), "c0", None)
    assert few.lacking == "no z: 4 other concepts have references, and 5 are needed"


def test_impostors_that_are_all_alike_give_no_z() -> None:
    same = unit(np.random.default_rng(5), M, 6)
    gallery = build_gallery({"a": unit(np.random.default_rng(6), M, 6), **dict.fromkeys("bcdef", same)})
    found = score_pictures(unit(np.random.default_rng(7), 3, 6), gallery, "a", None)
    assert (found.z, found.lacking) == (None, "no z: the references of all other concepts are equally alike")


def test_references_of_different_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        build_gallery({"a": np.ones((3, 2)), "b": np.ones((2, 2))})
    with pytest.raises(ValueError, match="one shape"):
        build_gallery({})


def test_lengths_tell_zeros_and_what_is_no_number() -> None:
    vectors = np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 1]], np.float32)
    assert np.array_equal(norms_of(vectors), [5, 0, np.nan, np.inf], equal_nan=True)
    assert norms_of(np.empty((0, 4), np.float32)).shape == (0,)
    huge = np.full((1, 2), 1e30, np.float32)
    assert np.allclose(np.linalg.norm(unit_rows(huge), axis=1), 1), "squares of float32 would be infinite"


# T5 of the rebuild: no imitation at all, and pools of references that grow with the count

POOLS = (10, 30, 100, 300, 1000, 3000)


def scores_by_pool(*, by_similarity: bool) -> list[float]:
    """Score random pictures against 10 references of pools that grow, means over 12 concepts."""
    rng = np.random.default_rng(5)
    found = []
    for size in POOLS:
        raws = []
        for _ in range(12):
            pool, pictures = unit(rng, size, 512), unit(rng, 40, 512)
            order = np.argsort(-(pool @ pictures.T).mean(axis=1)) if by_similarity else np.arange(size)
            gallery = build_gallery({"a": pool[order[:10]]})
            raws.append(score_pictures(pictures, gallery, "a", None).raw)
        found.append(fmean(raws))
    return found


def slope_per_decade(scores: list[float]) -> float:
    return float(np.polyfit(np.log10(POOLS), scores, 1)[0])


def test_without_imitation_scores_stay_flat_however_many_references_there_are() -> None:
    assert abs(slope_per_decade(scores_by_pool(by_similarity=False))) < 0.003


def test_references_chosen_by_similarity_would_lift_the_score_of_whoever_has_many() -> None:
    assert slope_per_decade(scores_by_pool(by_similarity=True)) > 0.003
