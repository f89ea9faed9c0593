"""A planted source is found, ties are told, and the suffix array says what plain search says."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from copycat.errors import DataError, UserError
from copycat.fairuse.attribution.index import SuffixIndex, build_index, load_index, save_index
from copycat.fairuse.attribution.search import attribute, longest_match, novelty_of, places_of
from copycat.fairuse.text import canonical
from copycat.fairuse.works import LoadedWork, load_works
from copycat.fairuse.works.loading import work_of_text

SYLLABLES = ("ba", "ke", "lo", "mi", "nu", "ra", "se", "to", "vi", "zu", "dor", "fen", "gal", "hes", "jun")
VOCABULARY = ["".join(random.Random(i).choices(SYLLABLES, k=2)) + SYLLABLES[i % 15] for i in range(300)]


def loaded(name: str, text: str) -> LoadedWork:
    return LoadedWork(work_of_text(Path(f"{name}.txt"), text), text)


def invented(seed: int, words: int = 600) -> str:
    """A text of invented words; each seed's words are drawn from the same 300, so that phrases recur."""
    return " ".join(random.Random(seed).choices(VOCABULARY, k=words))


@pytest.fixture(scope="module")
def library() -> list[LoadedWork]:
    return [*load_works(["public-domain"]), *(loaded(f"invented-{seed}", invented(seed)) for seed in range(40))]


@pytest.fixture(scope="module")
def index(library: list[LoadedWork]) -> SuffixIndex:
    return build_index(library)


@pytest.mark.parametrize("n_changed", [0, 1], ids=["as it is", "a word changed"])
def test_a_planted_span_of_thirty_words_is_traced_to_its_work_99_times_of_100(
    library: list[LoadedWork], index: SuffixIndex, n_changed: int
) -> None:
    chance = random.Random(5)
    right = 0
    for number in range(100):
        work = chance.choice(library)
        words = work.readable.split()
        start = chance.randrange(max(1, len(words) - 30))
        span = words[start : start + 30]
        for place in chance.sample(range(len(span)), n_changed):
            span[place] = "otherwise"
        text = f"{invented(1000 + number, 15)} {' '.join(span)} {invented(2000 + number, 15)}"
        found = attribute(text, index)
        right += bool(found.works) and found.works[0].work == work.work.id and not found.works[0].is_tied
    assert right / 100 >= 0.99


def test_a_span_of_the_sandbox_is_traced_to_the_work_that_was_planted() -> None:
    """Its works share names and turns of phrase: in a span of thirty words, hardly ever all of them."""
    works = load_works(["sandbox"])
    index, chance, right = build_index(works), random.Random(6), 0
    for _ in range(100):
        work = chance.choice(works)
        words = work.readable.split()
        start = chance.randrange(max(1, len(words) - 30))
        found = attribute(f"It goes on. {' '.join(words[start : start + 30])} That is all.", index)
        right += found.works[0].work == work.work.id and not found.works[0].is_tied
    assert right / 100 >= 0.99


def test_the_place_is_that_of_the_span_in_output_and_work(library: list[LoadedWork], index: SuffixIndex) -> None:
    text = next(work.readable for work in library if work.work.id == "ozymandias")
    output = "Somebody wrote: TWO VAST AND TRUNKLESS LEGS OF ST0NE, and so on."
    (span,) = attribute(output, index).spans
    assert output[span.start : span.end] == "TWO VAST AND TRUNKLESS LEGS OF ST0NE"
    place = span.places[0]
    assert " ".join(text[place.start : place.end].split()) == "Two vast and trunkless legs of stone"
    assert span.words == 7


EVASIONS = {
    "leet": lambda text: text.translate(str.maketrans("aeo", "430")),
    "capitals": str.upper,
    "spaced": lambda text: "   ".join(" ".join(word) for word in text.split()),
    "letters of another alphabet": lambda text: text.replace("a", "\N{CYRILLIC SMALL LETTER A}"),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in text),
    "invisible letters": lambda text: text.replace("e", "e\N{ZERO WIDTH SPACE}"),
    "a hyphen at the line's end": lambda text: text.replace("er", "e-\nr"),
}


@pytest.mark.parametrize("evade", EVASIONS.values(), ids=EVASIONS)
def test_a_disguised_copy_is_traced_to_its_place(
    library: list[LoadedWork], index: SuffixIndex, evade: Callable[[str], str]
) -> None:
    text = next(work.readable for work in library if work.work.id == "gettysburg-address")[100:400]
    (row, *_) = attribute(f"Well: {evade(text)} Indeed.", index).works
    assert (row.work, row.is_tied) == ("gettysburg-address", False)
    assert row.share > 0.9


def test_works_that_hold_the_same_span_are_tied_and_their_occurrences_counted() -> None:
    shared = invented(1, 40)
    index = build_index([
        loaded("one", f"{shared} {invented(2)} {shared}"),
        loaded("two", f"{invented(3)} {shared}"),
        loaded("three", invented(4)),
    ])  # fmt: skip
    found = attribute(f"Yes. {shared}. No.", index)
    assert [(row.work, row.words, row.is_tied) for row in found.works] == [("one", 40, True), ("two", 40, True)]
    assert found.spans[0].occurrences == 3
    assert [place.work for place in found.spans[0].places] == ["one", "one", "two"]


def test_stitched_spans_of_one_work_add_up(library: list[LoadedWork], index: SuffixIndex) -> None:
    words = library[-1].readable.split()
    output = f"{' '.join(words[10:22])} cabbage {' '.join(words[300:312])} parsley {' '.join(words[200:212])}"
    (row, *_) = attribute(output, index).works
    assert (row.work, row.words, row.longest) == ("invented-39", 36, 12)


def test_letters_that_are_all_spaced_out_are_traced(library: list[LoadedWork], index: SuffixIndex) -> None:
    output = "So: " + " ".join(library[-1].readable[:300].replace(" ", ""))
    assert attribute(output, index).works[0].work == "invented-39"


def test_every_longest_match_is_that_of_plain_search() -> None:
    chance = random.Random(8)
    for _ in range(40):
        texts = [" ".join(chance.choices(["a", "ab", "b", "ba", "é"], k=chance.randint(1, 40))) for _ in range(3)]
        index = build_index([loaded(f"w{i}", text) for i, text in enumerate(texts)])
        query = "".join(chance.choices("abe", k=chance.randint(1, 12))).encode()
        found = longest_match(index, query)
        begins = index.starts.tolist()
        lengths = {begin: _equal(bytes(index.letters)[begin:], query) for begin in begins}
        assert found == max(lengths.values())
        assert places_of(index, query[:found]).tolist() == [begin for begin in begins if lengths[begin] == found]


def _equal(first: bytes, second: bytes) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )


def test_a_copy_of_a_whole_long_work_is_one_span() -> None:
    """Beyond the 4,096 letters that are compared at once."""
    work = invented(6, 1500)
    index = build_index([loaded("one", work), loaded("two", f"{work[:5_500]} {invented(7)}")])
    (span,) = attribute(work, index).spans
    assert (span.words, span.works, span.occurrences) == (1500, ("one",), 1)


def test_novelty_is_the_share_of_ngrams_that_stand_nowhere(index: SuffixIndex) -> None:
    output = f"{invented(3, 600)} {' '.join('xyz' + str(i) for i in range(200))}"
    found = attribute(output, index)
    known = " " + " ".join(" ".join(canonical(invented(seed)).words) for seed in range(40)) + " "
    words = canonical(output).words
    for n in (2, 8):
        grams = [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
        missing = sum(f" {gram} " not in known for gram in grams) / len(grams)
        assert found.novelty[n] == pytest.approx(missing, abs=0.01)
    assert novelty_of([3, 2, 1]) == {2: 0.0, 3: 0.0}
    assert novelty_of([1, 1, 0]) == {2: 1.0, 3: 1.0}


@pytest.mark.parametrize("output", ["", "   ", "\u200b", "!!! ???"])
def test_an_output_without_words_has_no_works(index: SuffixIndex, output: str) -> None:
    found = attribute(output, index)
    assert (found.words, found.works, found.spans, found.novelty) == (0, (), (), {})


def test_short_common_phrases_count_only_when_asked_for(index: SuffixIndex) -> None:
    assert not attribute("four score and seven", index).works
    assert attribute("four score and seven", index, min_words=4).works[0].work == "gettysburg-address"


def test_an_index_on_disk_answers_as_the_one_in_memory(
    index: SuffixIndex, library: list[LoadedWork], tmp_path: Path
) -> None:
    save_index(index, tmp_path)
    kept = load_index(tmp_path)
    text = library[3].readable[:500]
    assert attribute(text, kept) == attribute(text, index)
    assert kept.holds(library)
    assert not kept.holds(library[1:])


def test_a_damaged_index_is_told(index: SuffixIndex, tmp_path: Path) -> None:
    save_index(index, tmp_path)
    (tmp_path / "suffixes.npy").write_bytes(b"junk")
    with pytest.raises(DataError, match="the index cannot be read"):
        load_index(tmp_path)


@pytest.mark.parametrize("name", ["index.json", "letters.bin", "suffixes.npy", "starts.npy", "places.npy"])
def test_an_index_that_is_cut_off_or_lacks_a_file_is_told(tmp_path: Path, name: str) -> None:
    save_index(build_index([loaded("one", "two vast and trunkless legs of stone")]), tmp_path)
    file = tmp_path / name
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(DataError, match=r"the index cannot be read|not of one making"):
        load_index(tmp_path)
    file.unlink()
    with pytest.raises(UserError if name == "index.json" else DataError, match=r"holds no index|cannot be read"):
        load_index(tmp_path)


def test_an_index_that_points_elsewhere_than_into_its_letters_is_told(index: SuffixIndex) -> None:
    wrong = dataclasses.replace(index, suffixes=np.full_like(index.suffixes, 2**31 - 1))
    assert longest_match(wrong, b"nothing") == 0
    torn = dataclasses.replace(index, places=index.places[:1])
    with pytest.raises(DataError, match="the index is damaged"):
        attribute(invented(3)[:400], torn)


def test_a_withheld_work_cannot_be_indexed(library: list[LoadedWork], tmp_path: Path) -> None:
    from copycat.fairuse.works import withhold

    grams = withhold(library[0].work, library[0].readable, tmp_path / "one.withheld")
    with pytest.raises(UserError, match="is withheld: its text is not stored"):
        build_index([LoadedWork(grams.file.work, withheld=grams)])
