"""Counting in a corpus: the same as reading every document by itself, whatever the form of the files."""

from __future__ import annotations

import gzip
import json
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from copycat.catalog.character_checks import Phrases
from copycat.corpus import Counts, count_documents, open_corpus, sieve
from copycat.corpus.batches import read_batches, units_of
from copycat.errors import DataError, UserError
from copycat.names import NameMatcher, fold, words

PEOPLE = (
    Phrases("ariel", "Ariel"),
    Phrases("manet", "Manet", ("\u00c9douard Manet",)),
    Phrases("yoda", "Yoda"),
    Phrases("baby-yoda", "Baby Yoda", ("Grogu",)),
    Phrases("link", "Link", (), ("link to",)),
    Phrases("spider-man", "Spider-Man", ("Spiderman",)),
    Phrases("pikachu", "Pikachu", ("\u30d4\u30ab\u30c1\u30e5\u30a6",)),
    Phrases("jose", "Jos\u00e9 Carioca", ("Ze Carioca",)),
)
PHRASES = ("sea", "under the sea", "red hat", "hat", "caf\u00e9", "C++", "x.y")


def write(path: Path, texts: Sequence[str | None]) -> Path:
    if path.suffix == ".parquet":
        import polars as pl

        pl.DataFrame({"n": range(len(texts)), "caption": texts}).write_parquet(path)
    elif ".jsonl" in path.name:
        lines = "".join(json.dumps({"caption": text}) + "\n" for text in texts).encode()
        path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    elif path.suffix == ".csv":
        import csv

        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([["n", "caption"], *((i, text) for i, text in enumerate(texts))])
    else:
        path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def count(path: Path, phrases: Sequence[str] = PHRASES, **options: str) -> Counts:
    return count_documents(open_corpus([path], **options), PEOPLE, phrases)


# --------------------------------------------------------------------------- what counts as a hit


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("set in Arial", []),
        ("ARIEL swims", ["ariel"]),
        ("the Manetti family", []),
        ("a \u00e9douard manet print", ["manet"]),
        ("E\u0301DOUARD MANET", ["manet"]),
        ("baby yoda and yoda", ["baby-yoda", "yoda"]),
        ("baby yoda", ["baby-yoda"]),
        ("link to the page", []),
        ("a spider man's web", ["spider-man"]),
        ("\uff30\uff49\uff4b\uff41\uff43\uff48\uff55", ["pikachu"]),
        ("\u30d4\u30ab\u30c1\u30e5\u30a6\u306e\u7d75", ["pikachu"]),
        ("jose carioca", ["jose"]),
        ("Ariel, ariel and Ariel", ["ariel"]),
    ],
)
def test_a_document_names_whom_the_matcher_of_names_finds(tmp_path: Path, text: str, named: list[str]) -> None:
    counts = count(write(tmp_path / "c.parquet", [text, "nothing here"]))
    assert {who: n for who, n in counts.names.items() if n} == dict.fromkeys(sorted(named), 1)


def test_overlapping_phrases_all_count_and_no_phrase_is_a_pattern(tmp_path: Path) -> None:
    texts = ["Ariel under the sea in a red hat", "x.y at Caf\u00e9 c++", "xzy seaside hats"]
    counts = count(write(tmp_path / "c.parquet", texts))
    assert counts.phrases == {
        "sea": 1, "under the sea": 1, "red hat": 1, "hat": 1, "caf\u00e9": 1, "C++": 1, "x.y": 1,
    }  # fmt: skip
    assert counts.together["ariel"] == {"hat": 1, "red hat": 1, "sea": 1, "under the sea": 1}


@pytest.mark.parametrize("phrase", [".", "*", " ", "\u200b"])
def test_a_phrase_without_a_letter_is_refused(tmp_path: Path, phrase: str) -> None:
    with pytest.raises(UserError, match="holds no letter or digit"):
        count(write(tmp_path / "c.parquet", ["x"]), [phrase])


def random_captions(n: int) -> list[str]:
    rng = random.Random(4)
    pool = [name for who in PEOPLE for name in (who.name, *who.aliases, *who.not_aliases)]
    pool += [
        *PHRASES,
        "arial",
        "manetti",
        "seaside",
        "a",
        "the",
        "\u732b",
        "stra\u00dfe",
        "na\u00efve",
        "\u0130stanbul",
    ]
    changes: tuple[Callable[[str], str], ...] = (
        str, str.upper, str.title, lambda t: unicodedata.normalize("NFD", t), lambda t: t.replace(" ", "-"),
        lambda t: t + "'s", lambda t: t + "s", lambda t: t.translate({c: c + 0xFEE0 for c in range(97, 123)}),
    )  # fmt: skip
    return [
        rng.choice((" ", " ", ", ", "-")).join(rng.choice(changes)(rng.choice(pool)) for _ in range(rng.randint(0, 6)))
        for _ in range(n)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("most_in_expression", [1_000, 0])
def test_counts_are_those_of_reading_every_one_of_10_000_captions_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_in_expression: int
) -> None:
    monkeypatch.setattr(sieve, "MOST_IN_EXPRESSION", most_in_expression)
    texts = random_captions(10_000)
    matcher = NameMatcher(PEOPLE)
    names: Counter[str] = Counter()
    held: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for text in texts:
        padded = f" {' '.join(fold(text).split())} "
        # single letters of unspaced scripts are words of their own; none of PHRASES has one
        here = {phrase for phrase in PHRASES if f" {fold(phrase)} " in padded.replace("\u732b", " \u732b ")}
        named = matcher.named_in(text)
        names.update(named)
        held.update(here)
        both.update((who, phrase) for who in named for phrase in here)
    counts = count(write(tmp_path / "c.parquet", texts))
    assert counts.names == {who.id: names[who.id] for who in PEOPLE}
    assert counts.phrases == {phrase: held[phrase] for phrase in PHRASES}
    assert {(who, p): n for who, of_one in counts.together.items() for p, n in of_one.items()} == both
    assert sum(names.values()) > 5_000


# ------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize("name", ["c.parquet", "c.jsonl", "c.jsonl.gz", "c.csv", "c.txt"])
def test_every_form_of_file_gives_the_same_counts(tmp_path: Path, name: str) -> None:
    texts = ["Ariel, under the sea", "", "caf\u00e9 \u30d4\u30ab\u30c1\u30e5\u30a6", 'a "red hat"']
    counts = count(write(tmp_path / name, texts))
    assert {who: n for who, n in counts.names.items() if n} == {"ariel": 1, "pikachu": 1}
    assert counts.phrases == {"sea": 1, "under the sea": 1, "red hat": 1, "hat": 1, "caf\u00e9": 1, "C++": 0, "x.y": 0}
    assert (counts.corpus.rows, counts.corpus.empty, counts.corpus.undecodable) == (4, 1, 0)


def test_all_files_of_a_folder_are_read(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"{number}.parquet", ["Ariel"] * (number + 1))
    counts = count_documents(open_corpus([tmp_path], id="mine", revision="r1"), PEOPLE)
    assert counts.names["ariel"] == 6
    assert (counts.corpus.id, counts.corpus.revision, counts.corpus.files) == ("mine", "r1", 3)


def test_the_hash_of_a_corpus_changes_with_a_byte_of_it(tmp_path: Path) -> None:
    first = count(write(tmp_path / "c.txt", ["Ariel"])).corpus.sha256
    assert count(write(tmp_path / "c.txt", ["Ariel"])).corpus.sha256 == first
    assert count(write(tmp_path / "c.txt", ["ariel"])).corpus.sha256 != first


def test_more_rows_than_fit_into_one_batch_are_all_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n_rows = 1000
    monkeypatch.setattr("copycat.corpus.batches.BATCH_ROWS", n_rows)
    path = write(tmp_path / "c.txt", ["x", "Ariel"] * n_rows)
    told: list[int] = []
    counts = count_documents(open_corpus([path]), PEOPLE, advance=told.append)
    assert counts.names["ariel"] == n_rows
    assert told == [n_rows, n_rows]


# -------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("name", ["c.parquet", "c.jsonl", "c.csv"])
def test_a_file_without_a_text_column_says_which_columns_exist(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, ["x"])
    with pytest.raises(DataError, match=r"no column 'body'; it has: (n, )?caption"):
        open_corpus([path], text_column="body")


def test_a_column_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"alt": "Ariel", "caption": "x"}\n')
    assert count(path, text_column="alt").names["ariel"] == 1


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without a row"):
        count(write(tmp_path / "c.parquet", []))
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="no file ends in"):
        open_corpus([tmp_path / "folder"])


def test_bytes_that_are_no_text_are_replaced_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_bytes(b"Ariel \xff\xfe\nYoda\n")
    counts = count(path)
    assert (counts.names["ariel"], counts.names["yoda"], counts.corpus.undecodable) == (1, 1, 1)


def test_lines_that_are_no_json_object_with_the_column_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"caption": "Ariel"}\nnot json\n[1]\n{"caption": 3}\n')
    assert (count(path).corpus.rows, count(path).corpus.undecodable) == (4, 3)


@pytest.mark.parametrize("name", ["c.txt", "c.jsonl"])
def test_a_line_that_is_too_long_is_refused_before_it_is_read_whole(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, ["Ariel", "x" * 5_000])
    corpus = open_corpus([path]).model_copy(update={"max_line_bytes": 1_000})
    with pytest.raises(DataError, match=rf"{name}:2: the line is longer than 1,000 bytes"):
        list(read_batches(corpus, units_of(corpus)[0]))


@pytest.mark.parametrize(("name", "text"), [("c.pdf", "unknown form"), ("nowhere.txt", "there is no such file")])
def test_a_path_that_cannot_be_read_is_told(tmp_path: Path, name: str, text: str) -> None:
    if name == "c.pdf":
        (tmp_path / name).write_bytes(b"%PDF")
    with pytest.raises(UserError, match=text):
        open_corpus([tmp_path / name])


def test_half_a_parquet_file_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "c.parquet", ["Ariel"] * 1_000)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="is no Parquet file"):
        open_corpus([path])


def test_odd_characters_between_and_inside_words_change_no_count(tmp_path: Path) -> None:
    rng = random.Random(5)
    between = ["\n", "\r\n", "\x00", "_", "\x1c", "\x85", "\u2028", '"', ","]
    letters = ["\u00df", "\u0130", "\ufb00", "\u00bd", "\u210c", "\u0301", "\u00e9", "\uff76\uff9e", "\ud55c", "\u0e2a"]
    pool = between + letters
    texts = [
        "".join(letter + (rng.choice(pool) if rng.random() < 0.05 else "") for letter in text)
        for text in random_captions(500)
    ]
    phrases = sorted({" ".join(run) for text in texts for run in all_runs(words(text))})
    counts = count(write(tmp_path / "c.parquet", texts), phrases)
    held = Counter(phrase for text in texts for phrase in {" ".join(run) for run in all_runs(words(text))})
    assert counts.phrases == {phrase: held[phrase] for phrase in phrases}
    assert len(phrases) > 2_000


def all_runs(there: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(there[i : i + n]) for n in (1, 2, 3) for i in range(len(there) - n + 1)]
