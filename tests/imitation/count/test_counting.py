"""Counts of concepts: the union over aliases, duplicates discounted, dead links corrected for. T2, T6, T8 and T10."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from copycat.corpus import open_corpus
from copycat.errors import UserError
from copycat.imitation.count.counting import Counted, collision_warnings, count_concepts, different_pictures, scaled
from copycat.imitation.count.files import corpus_facts, count_warnings, write_sample
from copycat.imitation.records import Concept

EMBER = Concept(id="ember", name="Captain Ember", aliases=("Ember", "Cpt. Ember"))
BRAMBLE = Concept(id="bramble", name="Bramble")
PEOPLE = (EMBER, BRAMBLE, Concept(id="nobody", name="Nobody Else"))


def opened(path: Path, mode: str = "wt") -> Any:
    return gzip.open(path, mode) if path.suffix == ".gz" else path.open(mode)


def count(folder: Path, rows: list[dict[str, Any]], people: tuple[Concept, ...] = PEOPLE, **options: Any) -> Counted:
    path = folder / "corpus.parquet"
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    return count_concepts(open_corpus([path]), people, **options)


def pictures(n: int, copies: int, seed: int = 0) -> list[dict[str, Any]]:
    """n pictures of Ember, each there `copies` times; every second copy is a few bits off and has other bytes."""
    rng = random.Random(seed)
    rows = []
    for number in range(n):
        looks = rng.getrandbits(64)
        for copy in range(copies):
            bits = sum(1 << bit for bit in rng.sample(range(64), 2)) if copy % 2 else 0
            rows.append(
                {
                    "caption": f"Ember at sea {number}",
                    "sha256": f"{number}-{copy % 2}",
                    "phash": f"{looks ^ bits:016x}",
                    "url": f"http://pictures.test/{number}/{copy}",
                }
            )
    return rows


# ------------------------------------------------------------------------------------ names


def test_overlapping_aliases_are_a_union_and_no_sum(tmp_path: Path) -> None:
    """T6."""
    texts = ["Captain Ember", "ember and cpt. ember", "EMBER's hat, Ember", "Embers", "Bramble, Ember"]
    counted = count(tmp_path, [{"caption": text} for text in texts])
    assert [each.raw for each in counted.counts] == [4, 1, 0]
    assert counted.counts[0].count == 4
    assert sum(n.captions for n in counted.aliases["ember"].values()) > 4


def test_each_alias_has_the_gain_that_the_count_would_lose_without_it(tmp_path: Path) -> None:
    texts = ["Captain Ember", "Ember", "cpt ember and ember", "Ruddy", "Ruddy and Ember"]
    who = Concept(id="ember", name="Captain Ember", aliases=("Ember", "Cpt. Ember", "Ruddy"))
    rows = [{"caption": text} for text in texts]
    counted = count(tmp_path, rows, (who,))
    gains = {alias: n.gain for alias, n in counted.aliases["ember"].items()}
    for alias in ("Cpt. Ember", "Ruddy"):
        without = who.model_copy(update={"aliases": tuple(each for each in who.aliases if each != alias)})
        assert gains[alias] == 5 - (count(tmp_path, rows, (without,)).counts[0].raw or 0)
    assert gains == {"Captain Ember": 0, "Ember": 1, "Cpt. Ember": 0, "Ruddy": 1}


def test_names_without_spaces_around_them_are_found_in_scripts_that_have_none(tmp_path: Path) -> None:
    who = Concept(id="fox", name="\u706b\u72d0\u8239\u957f")
    counted = count(tmp_path, [{"caption": "\u8fd9\u662f\u706b\u72d0\u8239\u957f\u7684\u5e3d\u5b50"}], (who,))
    assert counted.counts[0].raw == 1


def test_a_name_that_two_concepts_share_is_told_with_both() -> None:
    other = Concept(id="other", name="Other", aliases=("EMBER",))
    longer = Concept(id="island", name="Bramble Island")
    told = "\n".join(collision_warnings((EMBER, other, BRAMBLE, longer)))
    assert "'ember' is a name of ember and of other" in told
    assert "'Bramble' of bramble is part of 'Bramble Island' of island" in told
    assert collision_warnings(PEOPLE) == []


def test_a_name_that_is_a_common_word_is_told(tmp_path: Path) -> None:
    counted = count(tmp_path, [{"caption": "A Fire with an ember in it"}] * 30)
    assert any("'Ember' is written in small letters in 30 of 30" in warning for warning in counted.warnings)


# ------------------------------------------------------------------------------- duplicates


def test_every_picture_five_times_leaves_the_near_count_and_multiplies_the_raw_one(tmp_path: Path) -> None:
    """T2."""
    once, five = (count(tmp_path, pictures(60, copies)).counts[0] for copies in (1, 5))
    assert (once.raw, once.near) == (60, 60)
    assert (five.raw, five.exact, five.near) == (300, 120, 60)
    assert five.count == 60
    assert (five.low, five.high) == (None, None)


def test_without_hashes_pictures_are_told_by_caption_and_address(tmp_path: Path) -> None:
    rows = [{"caption": "Ember", "URL": f"http://pictures.test/{n % 3}"} for n in range(9)]
    counted = count(tmp_path, [*rows, {"caption": "ember, again", "URL": "http://pictures.test/0"}])
    assert (counted.counts[0].raw, counted.counts[0].exact, counted.counts[0].near) == (10, 4, None)
    assert counted.use == "exact"
    assert counted.lacking["near"].startswith("no column phash")


def test_captions_alone_tell_no_picture_from_another(tmp_path: Path) -> None:
    counted = count(tmp_path, [{"caption": "Ember"}] * 4)
    assert (counted.counts[0].count, counted.counts[0].exact, counted.counts[0].near) == (4, None, None)
    assert set(counted.lacking) == {"exact", "near"}
    with pytest.raises(UserError, match=r"--use near: no column phash(.|\n)*\n  use --use raw, or add the column"):
        count(tmp_path, [{"caption": "Ember"}], use="near")
    with pytest.raises(UserError, match=r"\n  use --use exact, or add the column"):
        count(tmp_path, [{"caption": "Ember", "url": "u"}], use="near")


def test_the_count_that_is_used_can_be_chosen(tmp_path: Path) -> None:
    rows = pictures(10, 4)
    assert [count(tmp_path, rows, use=use).counts[0].count for use in ("raw", "exact", "near")] == [40, 20, 10]


@pytest.mark.parametrize("kind", ["hex", "signed", "unsigned"])
def test_hashes_are_read_as_hexadecimal_and_as_numbers(tmp_path: Path, kind: str) -> None:
    values = [0xF000000000000000, 0xF000000000000003, 5]
    column = {
        "hex": pl.Series([f"{value:016x}" for value in values]),
        "signed": pl.Series(np.array(values, dtype=np.uint64).view(np.int64)),
        "unsigned": pl.Series(values, dtype=pl.UInt64),
    }[kind]
    path = tmp_path / "corpus.parquet"
    pl.DataFrame({"caption": ["Ember"] * 3, "phash": column}).write_parquet(path)
    assert count_concepts(open_corpus([path]), PEOPLE).counts[0].near == 2


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_every_form_of_a_corpus_gives_the_same_counts(tmp_path: Path, form: str) -> None:
    frame = pl.DataFrame(pictures(20, 5))
    path = tmp_path / f"corpus.{form}"
    write: dict[str, Callable[[Path], object]] = {
        "csv": frame.write_csv,
        "jsonl": frame.write_ndjson,
        "parquet": frame.write_parquet,
    }
    write[form](path)
    first = count_concepts(open_corpus([path]), PEOPLE).counts[0]
    assert (first.raw, first.exact, first.near) == (100, 40, 20)


def test_several_processes_count_alike(tmp_path: Path) -> None:
    for part in range(2):
        pl.DataFrame(pictures(10, 3, seed=part)).write_parquet(tmp_path / f"{part}.parquet")
    corpus = open_corpus([tmp_path])
    alone = count_concepts(corpus, PEOPLE, checkpoint=tmp_path / "kept")
    assert count_concepts(corpus, PEOPLE, processes=2).counts == alone.counts
    assert count_concepts(corpus, PEOPLE, checkpoint=tmp_path / "kept").counts == alone.counts


# ------------------------------------------------------------------------------- dead links


def with_dead_links(rows: list[dict[str, Any]], share: float, seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    dead = {"sha256": None, "phash": None, "status": "failed_to_download"}
    return [{**row, "status": "success", **(dead if rng.random() < share else {})} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 2, 5])
def test_a_quarter_of_dead_links_is_corrected_for(tmp_path: Path, copies: int) -> None:
    """T8: 26 % of the links are dead at random; the interval of the count holds the count of all."""
    inside = []
    for seed in range(20):
        counted = count(tmp_path, with_dead_links(pictures(400, copies, seed), 0.26, seed))
        first = counted.counts[0]
        assert first.raw == 400 * copies
        assert 0.2 < counted.links.dead / counted.links.known < 0.32
        assert first.count == pytest.approx(400, rel=0.12)
        low = first.count if first.low is None else first.low
        high = first.count if first.high is None else first.high
        inside.append(low is not None and high is not None and low <= 400 <= high)
    assert sum(inside) >= 18


def links_of_ember(n: int, n_dead: int, **beside: Any) -> list[dict[str, Any]]:
    return [
        {"caption": f"Ember {i}", "status": "failed" if i < n_dead else "success"}
        | {name: value(i) for name, value in beside.items()}
        for i in range(n)
    ]


@pytest.mark.parametrize(
    ("beside", "use", "told"),
    [
        ({}, "raw", "raw counts captions, whether or not the picture can be had"),
        ({"url": str}, "exact", "exact tells pictures by caption and address, which dead links have"),
        ({"sha256": str}, "exact", "those with a sha256 count as any other, the others are estimated as if"),
        (
            {"phash": lambda i: f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}"},
            "near",
            "those with a phash count as any other",
        ),
    ],
)
def test_dead_links_are_told_and_stay_in_the_count(tmp_path: Path, beside: dict[str, Any], use: str, told: str) -> None:
    counted = count(tmp_path, links_of_ember(60, 20, **beside))
    assert (counted.use, counted.counts[0].raw, counted.counts[0].count) == (use, 60, 60)
    assert counted.links == counted.links_of["ember"] == (20, 60, 0)
    (warning,) = (text for text in count_warnings(counted) if "are dead" in text)
    assert warning.startswith(
        "20 of 60 links (33.3%) are dead. A model may have been trained on their pictures all the"
    )
    assert told in warning
    assert told in corpus_facts(counted)["dead_links.counted"]


def test_shares_of_dead_links_are_told_by_concept(tmp_path: Path) -> None:
    rows = [*links_of_ember(40, 4), *({"caption": f"Bramble {i}", "status": "404"} for i in range(20))]
    counted = count(tmp_path, rows)
    assert "24 of 60 links (40.0%, 10% to 100% by concept) are dead" in count_warnings(counted)[0]
    assert counted.links_of["bramble"] == (20, 20, 0)


@pytest.mark.parametrize(
    ("status", "is_dead"),
    [
        ("Success", 0),
        ("OK", 0),
        ("alive", 0),
        ("200", 0),
        ("204.0", 0),
        ("True", 0),
        ("failed_to_download", 1),
        ("404", 1),
    ],
)
def test_words_of_a_status_stand_for_a_link_that_works_or_not(tmp_path: Path, status: str, is_dead: int) -> None:
    links = count(tmp_path, [{"caption": "Ember", "status": status}] * 3).links
    assert links == (3 * is_dead, 3, 0)


def test_captions_without_a_status_and_a_status_of_unknown_words_are_told(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"caption": "Ember", "status": status} for status in (None, "", "fetched", "fetched")]
    counted = count(tmp_path, rows)
    told = count_warnings(counted)
    assert counted.links == (2, 2, 2)
    assert told[0] == "2 of 4 captions that name a concept have no status: whether their links are dead is not known"
    assert (
        told[2]
        == "no link is alive: does the status have other words? Alive are success, ok, alive, true, 1 and 200 to 299"
    )
    assert corpus_facts(counted)["dead_links.without_status"] == "2 captions that name a concept"


# ------------------------------------------------------------------------------- sample


@pytest.mark.parametrize("form", ["csv", "csv.gz", "jsonl", "txt", "parquet"])
def test_a_sampled_caption_is_found_by_its_number(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"corpus.{form}"
    captions = [f"Ember {n}" for n in range(7)]
    if form == "parquet":
        pl.DataFrame({"caption": captions}).write_parquet(path)
    elif form.startswith("csv"):
        rows = [f'"{caption}","a\nb"\n' + "\n" * (n == 4) for n, caption in enumerate(captions)]
        with opened(path) as file:
            file.write("caption,note\n" + "".join(rows))
    else:
        path.write_text("".join((json.dumps({"caption": c}) if form == "jsonl" else c) + "\n" for c in captions))
    counted = count_concepts(open_corpus([path]), PEOPLE)
    write_sample(tmp_path, counted, PEOPLE, 9)
    with (tmp_path / "sample.csv").open() as file:
        drawn = {row["caption"]: row["picture"] for row in csv.DictReader(file)}
    if form.startswith("csv"):
        with opened(path, "rt") as file:
            lines = file.read().split("\n")
        numbers = [next(at for at, line in enumerate(lines, start=1) if c in line) for c in captions]
        assert numbers == [2, 4, 6, 8, 10, 13, 15]
    else:
        numbers = list(range(1, 8))
    assert drawn == {c: f"corpus.{form}:{n}" for c, n in zip(captions, numbers, strict=True)}


def test_the_sum_over_groups_is_right_on_average_for_any_sizes() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), rng.integers(1, 9, 300))
    found = []
    for _ in range(400):
        is_seen = rng.random(len(groups)) < 0.74
        found.append(different_pictures(groups[is_seen], int((~is_seen).sum())))
    assert np.mean([each.value for each in found]) == pytest.approx(300, rel=0.005)
    assert np.mean([each.low <= 300 <= each.high for each in found]) >= 0.93


def test_the_estimate_has_no_jump_where_half_of_the_pictures_are_missing() -> None:
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(100), 5))
    found = [different_pictures(groups[:n], len(groups) - n) for n in range(230, 271)]
    values = [each.value for each in found if each.value is not None]
    assert len(values) == len(found)
    assert np.abs(np.diff(values)).max() < 10
    assert all(each.low <= 100 <= each.high for each in found)
    alone = different_pictures(np.arange(200), 300)
    assert alone.value == 500


@pytest.mark.parametrize(("copies", "share"), [(1, 0.25), (2, 0.3), (5, 0.4), (8, 0.45)])
def test_the_interval_holds_the_truth_where_most_pictures_are_missing(copies: int, share: float) -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), copies)
    found = []
    for _ in range(300):
        is_seen = rng.random(len(groups)) < share
        found.append(different_pictures(groups[is_seen], int((~is_seen).sum())))
    assert np.mean([each.low <= 200 <= each.high for each in found]) >= 0.93


@pytest.mark.parametrize(("sizes", "n_missing"), [([2, 1], 17), ([60, 60, 1], 240), ([900], 2000)])
def test_where_too_few_pictures_are_seen_there_is_no_estimate_and_sure_bounds(sizes: list[int], n_missing: int) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    assert different_pictures(groups, n_missing) == (None, len(sizes), len(sizes) + n_missing)


def test_a_concept_of_which_too_few_pictures_are_seen_has_bounds_no_count_and_a_reason(tmp_path: Path) -> None:
    rows = [{"caption": "Ember", "phash": "0" * 16 if n < 2 else None} for n in range(20)]
    counted = count(tmp_path, rows)
    first = counted.counts[0]
    assert (first.count, first.near, first.low, first.high, first.raw) == (None, None, 1, 19, 20)
    assert first.reason == "not estimable: too few of 20 captions have their phash; 1 to 19"
    assert any("concept has no count, for too few of their captions have their phash: ember; --use raw" in text
               for text in count_warnings(counted))  # fmt: skip


def test_a_concept_without_any_picture_to_tell_is_not_estimable(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"caption": "Ember", "phash": None}, {"caption": "Bramble", "phash": "0" * 16}]
    first, second, third = count(tmp_path, rows).counts
    assert first.count is None
    assert first.reason == "not estimable: of 1 captions none has its phash"
    assert (second.count, third.count) == (1, 0)


# --------------------------------------------------------------------------------- scaling


def test_a_count_is_scaled_to_another_corpus_or_not_estimable() -> None:
    """T10."""
    assert scaled(30, here=60, there=120) == (60, "")
    assert scaled(30, here=60, there=0) == (0, "")
    for value, why in (scaled(0, here=0, there=120), scaled(None, here=60, there=120)):
        assert value is None
        assert why.startswith("not estimable")


def test_rows_that_are_no_json_have_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    good = json.dumps({"caption": "Ember", "sha256": "a", "phash": 17})
    path.write_text(f"{good}\n[\n{json.dumps({'caption': 'Ember'})}\n")
    first = count_concepts(open_corpus([path]), PEOPLE).counts[0]
    assert (first.raw, first.low, first.high) == (2, 1, 2)
