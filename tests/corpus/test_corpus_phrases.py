"""The words beside a name: which are candidates, how they are counted and in what order they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from copycat.catalog.character_checks import Phrases
from copycat.corpus import collect_phrases, count_documents, open_corpus
from copycat.corpus import phrases as phrases_module
from copycat.errors import DataError

PEOPLE = (
    Phrases("ariel", "Ariel", ("The Little Mermaid",), ("Ariel Atom",)),
    Phrases("spider-man", "Spider-Man"),
    Phrases("monkey-king", "Monkey King", ("\u5b59\u609f\u7a7a",)),
)


def collect(folder: Path, *texts: str, min_documents: int = 1, limit: int = 500) -> dict[str, dict[str, int]]:
    path = folder / "c.txt"
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    found = collect_phrases(open_corpus([path]), PEOPLE, min_documents=min_documents, limit=limit)
    return {who: {phrase.text: phrase.together for phrase in phrases} for who, phrases in found.items()}


def test_words_and_pairs_of_the_documents_that_name_a_character_are_counted_once_each(tmp_path: Path) -> None:
    found = collect(tmp_path, "Ariel red hair red hair", "ARIEL: Red-Hair, caf\u00e9", "red hair of nobody")
    assert found["ariel"] == {"hair": 2, "red": 2, "red hair": 2, "cafe": 1, "hair red": 1}
    assert found["spider-man"] == {}


@pytest.mark.parametrize("pause", [", ", " (", '" ', " | ", ". ", "; ", " \u2014 "])
def test_no_pair_reaches_over_a_pause(tmp_path: Path, pause: str) -> None:
    found = collect(tmp_path, f"Ariel, red{pause}hair no. v2.0", min_documents=1)
    assert set(found["ariel"]) == {"red", "hair", "v2"}


def test_the_name_is_left_out_where_it_stands_and_no_pair_reaches_over_it(tmp_path: Path) -> None:
    found = collect(tmp_path, "red Ariel hair", "spider web of Spider-Man", "mermaid Ariel, The Little Mermaid")
    assert found["ariel"] == {"hair": 1, "mermaid": 1, "red": 1}
    assert found["spider-man"] == {"spider": 1, "spider web": 1, "web": 1}


def test_another_character_is_a_word_like_any_other_and_a_blocked_name_names_nobody(tmp_path: Path) -> None:
    found = collect(tmp_path, "Ariel meets Spider-Man", "an Ariel Atom car")
    assert set(found["ariel"]) == {"meets", "man", "meets spider", "spider", "spider man"}
    assert set(found["spider-man"]) == {"ariel", "ariel meets", "meets"}


def test_stop_words_numbers_and_single_letters_neither_begin_nor_end_a_phrase(tmp_path: Path) -> None:
    found = collect(tmp_path, "Ariel of the sea x 1989 don't swim in 4k")
    assert set(found["ariel"]) == {"sea", "swim", "4k"}


def test_a_han_character_is_a_word(tmp_path: Path) -> None:
    assert collect(tmp_path, "\u5b59\u609f\u7a7a\u91d1\u7b8d")["monkey-king"] == {
        "\u7b8d": 1, "\u91d1": 1, "\u91d1 \u7b8d": 1,
    }  # fmt: skip


def test_the_most_frequent_come_first_then_the_alphabet_and_rare_ones_are_left_out(tmp_path: Path) -> None:
    texts = ["Ariel zoo", "Ariel zoo", "Ariel bee", "Ariel bee", "Ariel ant", "Ariel yak", "Ariel yak", "Ariel yak"]
    assert list(collect(tmp_path, *texts, min_documents=2)["ariel"]) == ["yak", "bee", "zoo"]
    assert list(collect(tmp_path, *texts, limit=2)["ariel"]) == ["yak", "bee"]


def test_a_phrase_counts_as_often_as_the_count_of_documents_says(tmp_path: Path) -> None:
    texts = [f"Ariel {('red', 'blue')[n % 2]} hair number{n % 7} in the sea" for n in range(100)]
    found = collect(tmp_path, *texts, "red hair")["ariel"]
    counts = count_documents(open_corpus([tmp_path / "c.txt"]), PEOPLE, list(found))
    assert counts.together["ariel"] == dict(sorted(found.items()))
    assert counts.phrases["red hair"] == found["red hair"] + 1


def test_rare_phrases_are_dropped_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases_module, "MAX_TRACKED", 3 * 10_000)
    texts = [f"Ariel sea n{n} the m{n}" for n in range(8_000)]
    found = collect(tmp_path, *texts, limit=100_000)["ariel"]
    assert found["sea"] == 8_000
    assert len(found) <= 10_000
    tracked = phrases_module._Tracked(10)
    for n in range(1_000):
        tracked.add({"sea", f"n{n}"})
    assert tracked.counts["sea"] == 1_000
    assert len(tracked.counts) <= 10


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without a row"):
        collect(tmp_path)
