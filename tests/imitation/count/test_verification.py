"""What a sample shows of a count: a matcher's errors taken out, their uncertainty carried. T10 and T11."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from copycat.errors import DataError, UserError
from copycat.imitation.count.adjusting import Adjustment, adjust, read_adjustment
from copycat.imitation.count.verification import (
    Sample,
    Sampled,
    Share,
    errors_of_labels,
    multiplied,
    parse_k_of_n,
    read_sample,
    share_shown,
    verify_counts,
)
from copycat.imitation.records import Concept, ConceptCount
from copycat.imitation.whose import Naming
from copycat.metrics.corrected import UncorrectableError

SENSITIVITY, SPECIFICITY = 0.8, 0.99


def a_count(concept: str = "ember", count: float = 1000, **fields: float | None) -> ConceptCount:
    return ConceptCount(concept=concept, count=count, raw=int(count), **fields)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_matcher_with_known_errors_gives_an_unbiased_count() -> None:
    """T11: sensitivity .8, specificity .99, 10,000 pictures: within 2 %."""
    rng = np.random.default_rng(0)
    errors = errors_of_labels(Sampled(400, 500), Sampled(495, 500))
    for truth in (0.2, 0.6, 0.9):
        values = []
        for _ in range(12):
            shows = rng.random(10_000) < truth
            says = rng.random(10_000) < np.where(shows, SENSITIVITY, 1 - SPECIFICITY)
            (found,) = verify_counts([a_count(count=10_000)], {"ember": Sampled(int(says.sum()), 10_000)}, errors)
            values.append(found.count)
            assert found.low is not None and found.high is not None
            assert found.low < truth * 10_000 < found.high
        assert np.mean([value for value in values if value]) == pytest.approx(truth * 10_000, rel=0.02)


def test_the_interval_holds_the_truth_where_the_errors_are_estimated_too() -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(150):
        errors = errors_of_labels(
            Sampled(int(rng.binomial(100, SENSITIVITY)), 100), Sampled(int(rng.binomial(100, SPECIFICITY)), 100)
        )
        k = int(rng.binomial(100, 0.7 * SENSITIVITY + 0.3 * (1 - SPECIFICITY)))
        share = share_shown(Sampled(k, 100), errors)
        inside.append(share.low <= 0.7 <= share.high)
    assert np.mean(inside) >= 0.92


def test_a_share_is_cut_to_what_a_share_can_be() -> None:
    errors = errors_of_labels(Sampled(80, 100), Sampled(90, 100))
    assert share_shown(Sampled(7, 100), errors).value == 0
    assert share_shown(Sampled(83, 100), errors).value == 1


def test_people_who_looked_make_no_errors() -> None:
    share = share_shown(Sampled(30, 40), ())
    assert share.value == 0.75
    assert (share.low, share.high) == pytest.approx((0.598, 0.858), abs=0.001)


def test_uncertainties_of_count_and_share_add_up_as_squares() -> None:
    low, high = multiplied(100, 90, 120, Share(0.5, 0.4, 0.7))
    assert low == pytest.approx(50 - (5**2 + 10**2) ** 0.5)
    assert high == pytest.approx(50 + (10**2 + 20**2) ** 0.5)
    assert multiplied(100, 100, 100, Share(0.5, 0.4, 0.7)) == pytest.approx((40, 70))


def test_what_cannot_be_estimated_is_said_so_and_breaks_nothing() -> None:
    """T10, of denominators that are zero."""
    coin = errors_of_labels(Sampled(50, 100), Sampled(50, 100))
    with pytest.raises(UncorrectableError, match="better than chance"):
        share_shown(Sampled(5, 10), coin)
    found = verify_counts([a_count("a"), a_count("b", 0), a_count("c")], {"c": Sampled(1, 2)}, ())
    assert [each.count for each in found] == [None, 0, 500]
    assert found[0].reason == "not estimable: no picture of it was sampled"
    (hopeless,) = verify_counts([a_count("c")], {"c": Sampled(1, 2)}, coin)
    assert hopeless.count is None
    assert hopeless.reason.startswith("not estimable: these labels do not show")


def test_pictures_with_both_words_tell_the_matchers_errors(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["concept", "picture", "matched", "shown"])
        for number in range(40):
            is_shown = number % 2 == 0
            is_labelled = number < 36
            matched = is_shown if number % 10 else not is_shown
            writer.writerow(["ember", f"{number}.png", matched, is_shown if is_labelled else ""])
    sample = read_sample(path)
    assert sample.by_concept == {"ember": Sampled(16, 40)}
    (cell,) = sample.errors
    assert (cell.tp, cell.fn, cell.fp, cell.tn) == (14, 4, 0, 18)
    assert read_sample(tmp_path) == sample


def test_a_folder_that_was_sorted_is_a_sample(tmp_path: Path) -> None:
    for name in ("ember/shown/a.png", "ember/shown/b.JPG", "ember/other/c.gif", "ember/other/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert read_sample(tmp_path) == Sample({"ember": Sampled(2, 3)})


def test_a_sample_may_name_concepts_by_name_or_alias(tmp_path: Path) -> None:
    people = [Concept(id="ember", name="Captain Ember", aliases=("Cpt. Ember", "Pal")), Concept(id="b", name="Pal")]
    path, other = tmp_path / "labels.csv", tmp_path / "counts.csv"
    path.write_text("concept,picture,shown\nCaptain Ember,1,true\ncpt ember,2,false\nember,3,true\nMrs Nobody,4,true\n")
    other.write_text("concept,count,raw\nCaptain Ember,5,7\n")
    given = read_adjustment(path, None, None, other, people)
    assert given.sample == Sample({"ember": Sampled(2, 3), "mrs-nobody": Sampled(1, 1)})
    assert given.elsewhere == {"ember": 7}
    _, told = adjust([ConceptCount(concept="ember", count=4, raw=4)], given)
    text = "\n".join(told.warnings)
    assert "labels.csv has names in place of ids: 'Captain Ember' is read as the id ember, and so on for 2 more" in text
    assert "counts.csv has names in place of ids: 'Captain Ember' is read as the id ember\n" in text
    assert "the sample has pictures of a concept that is not counted: mrs-nobody" in text


def test_names_become_ids_by_id_name_or_alias_and_else_by_their_spelling() -> None:
    people = [Concept(id="ember", name="Captain Ember", aliases=("Pal",)), Concept(id="pal-2", name="Pal")]
    naming = Naming(people)
    assert [naming(text) for text in ("ember", " CAPTAIN  ember", "pal-2", "Pal", "Ünknown One", "!")] == [
        "ember",
        "ember",
        "pal-2",
        "pal",
        "unknown-one",
        "!",
    ]
    alone = Naming()
    assert ([alone(text) for text in ("a-b", "A b")], alone.changed) == (["a-b", "a-b"], {"A b": "a-b"})
    assert alone.notes(Path("c.csv")) == ("c.csv has names in place of ids: 'A b' is read as the id a-b",)


def test_a_sample_that_says_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no sorted picture"):
        read_sample(tmp_path)
    with pytest.raises(UserError, match="there is no such folder or table"):
        read_sample(tmp_path / "none")
    path = tmp_path / "labels.csv"
    path.write_text("concept,picture,matched,shown\na,1,,\n")
    with pytest.raises(DataError, match="'1' has neither matched nor shown"):
        read_sample(path)
    path.write_text("concept,picture,matched,shown\na,1,,true\na,2,true,\n")
    with pytest.raises(DataError, match="have no value in the column matched"):
        read_sample(path)


@pytest.mark.parametrize("text", ["0.8", "80", "101/100", "0/0", "-1/3", "a/b", "/"])
def test_labels_are_counted_as_k_of_n(text: str) -> None:
    with pytest.raises(UserError, match=r"needed: labelled pictures as K/N"):
        parse_k_of_n("--sensitivity", text)


def test_options_that_need_each_other_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="go together"):
        read_adjustment(None, "8/10", None, None)
    with pytest.raises(UserError, match="correct a sample"):
        read_adjustment(None, "8/10", "9/10", None)
    (tmp_path / "ember" / "shown").mkdir(parents=True)
    (tmp_path / "ember" / "shown" / "a.png").write_bytes(b"")
    with pytest.raises(UserError, match="not estimable from this sample"):
        read_adjustment(tmp_path, "50/100", "50/100", None)


def test_counts_are_scaled_with_their_intervals_and_what_is_lost_is_told() -> None:
    counts = [a_count("a", 100, low=80, high=110), a_count("b", 0), a_count("c", 5)]
    found, told = adjust(counts, Adjustment(elsewhere={"a": 300, "b": 7}, source="other.csv"))
    assert (found[0].count, found[0].low, found[0].high) == (300, 240, 330)
    assert (found[1].count, found[2].count) == (None, None)
    assert found[1].reason.startswith("not estimable: no caption of the counted corpus")
    assert told.warnings == (
        "2 concepts lose their counts, for nothing corrects or scales them (counts.csv says why): b, c",
    )
    assert told.facts == {"scaled_to": "other.csv"}
