"""Ways to count: duplicates left out, a checkpoint, processes, Ray. The counts are those of counting at once."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from copycat.catalog.character_checks import Phrases
from copycat.corpus import Counts, common_word_warnings, count_documents, open_corpus
from copycat.corpus import batches as batches_module
from copycat.corpus import executors as executors_module
from copycat.corpus import sieve as sieve_module
from copycat.corpus.batches import Batch, Unit, read_batches
from copycat.corpus.reading import Corpus
from copycat.errors import DataError, MissingExtraError, UnsupportedError

PEOPLE = (
    Phrases("ariel", "Ariel", ("The Little Mermaid",)),
    Phrases("link", "Link", ("Toon Link",)),
    Phrases("jose", "Jos\u00e9 Carioca"),
)
PHRASES = ("sea", "red hair")


ON_RAY = f"""
import sys
from pathlib import Path
from copycat.catalog.character_checks import Phrases
from copycat.corpus import count_documents, open_corpus
corpus = open_corpus([Path(sys.argv[1])])
print(count_documents(corpus, {PEOPLE!r}, {PHRASES!r}, executor="ray").model_dump_json())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four text files, and a Parquet file of three row groups."""
    data = tmp_path / "data"
    data.mkdir()
    for n in range(4):
        lines = [f"ARIEL {n}-{i % 7}, red hair, sea\n" for i in range(50)] + [f"Jos\u00e9 Carioca {n}\n", "\n"]
        (data / f"{n}.txt").write_text("".join(lines), encoding="utf-8")
    texts = [f"Toon Link and the little mermaid {n % 11} in the sea" for n in range(90)]
    pq.write_table(pa.table({"caption": texts}), data / "c.parquet", row_group_size=30)
    return data


def count(folder: Path, **options: object) -> Counts:
    return count_documents(open_corpus([folder]), PEOPLE, PHRASES, **options)  # type: ignore[arg-type]


def of_texts(folder: Path, *texts: str, deduplicate: bool = False) -> Counts:
    path = folder / "c.jsonl"
    path.write_text("".join(json.dumps({"caption": text}) + "\n" for text in texts))
    return count_documents(open_corpus([path]), PEOPLE, PHRASES, deduplicate=deduplicate)


# ----------------------------------------------------------------------------- names and spellings


def test_documents_are_counted_by_the_alias_as_the_record_spells_it(tmp_path: Path) -> None:
    counts = of_texts(tmp_path, "ariel, the little mermaid", "ARIEL ariel", "toon-link", "JOSE CARIOCA")
    assert counts.aliases == {
        "ariel": {"Ariel": 2, "The Little Mermaid": 1},
        "link": {"Toon Link": 1},
        "jose": {"Jos\u00e9 Carioca": 1},
    }


def test_phrases_that_fold_alike_are_each_counted(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_text("Ariel: Red--Hair\nred  hair, red hair\n")
    counts = count_documents(open_corpus([path]), PEOPLE, ["red hair", "Red-Hair"])
    assert counts.phrases == {"red hair": 2, "Red-Hair": 2}
    assert counts.together["ariel"] == {"Red-Hair": 1, "red hair": 1}


def test_many_names_are_sought_otherwise_and_found_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["ARIEL_x", "arielle", "the little  mermaid", "Jos\u00e9 Carioca", "linked", "a-link", "\uff34oon Link"]
    few = of_texts(tmp_path, *texts)
    monkeypatch.setattr(sieve_module, "MOST_IN_EXPRESSION", 0)
    assert of_texts(tmp_path, *texts) == few
    assert few.names == {"ariel": 2, "link": 2, "jose": 1}


def test_a_name_that_is_mostly_written_small_among_capitals_is_told(tmp_path: Path) -> None:
    texts = ["Follow the link"] * 15 + ["Zelda and Link"] * 5 + ["Ariel in the Sea"] * 30 + ["ariel and link"] * 99
    counts = of_texts(tmp_path, *texts)
    assert (counts.cased["link"], counts.lower["link"]) == ({"Link": 20}, {"Link": 15})
    (told,) = common_word_warnings(counts)
    assert told.startswith("link: 'Link' is written in small letters in 15 of 20 documents that have capitals (75%)")
    assert common_word_warnings(counts, min_documents=21) == []
    assert common_word_warnings(counts, min_share=0.76) == []


def test_names_of_several_words_are_not_taken_for_common_words(tmp_path: Path) -> None:
    assert common_word_warnings(of_texts(tmp_path, *["See the little mermaid"] * 50)) == []


# -------------------------------------------------------------------------------------- duplicates


def test_documents_that_fold_alike_count_once_over_all_files(tmp_path: Path) -> None:
    for name, texts in {"a": "Ariel, sea\nariel SEA!\n\n", "b": "ariel sea\nAriel\n"}.items():
        (tmp_path / f"{name}.txt").write_text(texts)
    corpus = open_corpus([tmp_path])
    once = count_documents(corpus, PEOPLE, PHRASES, deduplicate=True)
    assert (once.names["ariel"], once.phrases["sea"], once.together["ariel"]) == (2, 1, {"sea": 1})
    assert (once.corpus.rows, once.corpus.duplicates, once.corpus.empty) == (5, 2, 1)
    every = count_documents(corpus, PEOPLE, PHRASES)
    assert (every.names["ariel"], every.phrases["sea"], every.corpus.duplicates) == (4, 3, 0)


def test_without_duplicates_the_counts_are_those_of_the_distinct_texts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_module, "BATCH_ROWS", 7)
    once = count(folder, deduplicate=True)
    distinct = 4 * 7 + 4 + 11 + 1
    assert once.corpus.rows - once.corpus.duplicates == distinct
    assert once.names == {"ariel": 4 * 7 + 11, "link": 11, "jose": 4}


def test_duplicates_are_left_out_in_one_process_only(folder: Path) -> None:
    for options in ({"processes": 2}, {"executor": "ray"}):
        with pytest.raises(UnsupportedError, match="duplicates are found in one process"):
            count(folder, deduplicate=True, **options)


# -------------------------------------------------------------------------------------- checkpoint

KILLED = """
import os, signal, sys
from pathlib import Path
from copycat.corpus import batches, count_documents, executors, open_corpus
sys.path.insert(0, sys.argv[3])
from test_corpus_counting import PEOPLE, PHRASES

batches.UNIT_ROWS = 30
executors.n_threads = lambda: 1

def kill_midway(rows):
    if len(list(Path(sys.argv[2]).rglob("file-*.json"))) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

count_documents(open_corpus([Path(sys.argv[1])]), PEOPLE, PHRASES, checkpoint=Path(sys.argv[2]),
                deduplicate=sys.argv[4] == "True", advance=kill_midway)
"""


@pytest.fixture
def units_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the units that are read."""
    read: list[str] = []

    def noted(corpus: Corpus, unit: Unit) -> Iterator[Batch]:
        read.append(f"{unit.file.name}:{unit.start}")
        return read_batches(corpus, unit)

    monkeypatch.setattr(executors_module, "read_batches", noted)
    monkeypatch.setattr(batches_module, "UNIT_ROWS", 30)
    return read


@pytest.mark.parametrize("deduplicate", [False, True])
def test_a_count_that_was_killed_goes_on_and_reads_no_finished_unit_again(
    folder: Path, tmp_path: Path, units_read: list[str], deduplicate: bool
) -> None:
    kept = tmp_path / "kept"
    command = [sys.executable, "-c", KILLED, str(folder), str(kept), str(Path(__file__).parent), str(deduplicate)]
    killed = subprocess.run(command, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(kept.rglob("file-*.json"))) == 3
    told: list[int] = []
    counts = count(folder, checkpoint=kept, deduplicate=deduplicate, advance=told.append)
    assert units_read == ["3.txt:0", "c.parquet:0", "c.parquet:30", "c.parquet:60"]
    assert counts == count(folder, deduplicate=deduplicate)
    assert sum(told) == counts.corpus.rows


def test_a_finished_count_is_read_from_its_folder(folder: Path, tmp_path: Path, units_read: list[str]) -> None:
    first = count(folder, checkpoint=tmp_path / "kept")
    n = len(units_read)
    assert count(folder, checkpoint=tmp_path / "kept") == first
    assert len(units_read) == n == 7


def test_another_count_begins_anew_beside_the_first(folder: Path, tmp_path: Path, units_read: list[str]) -> None:
    count(folder, checkpoint=tmp_path / "kept")
    corpus = open_corpus([folder])
    other = count_documents(corpus, PEOPLE[:1], PHRASES, checkpoint=tmp_path / "kept")
    assert other == count_documents(corpus, PEOPLE[:1], PHRASES)
    (folder / "0.txt").write_text("Ariel\n")
    assert count(folder, checkpoint=tmp_path / "kept") == count(folder)
    assert len(units_read) == 7 * 5


def test_a_damaged_file_of_a_checkpoint_is_counted_again(folder: Path, tmp_path: Path, units_read: list[str]) -> None:
    first = count(folder, checkpoint=tmp_path / "kept")
    next((tmp_path / "kept").rglob("file-00001-*.json")).write_text("{")
    units_read.clear()
    assert count(folder, checkpoint=tmp_path / "kept") == first
    assert units_read == ["1.txt:0"]


# --------------------------------------------------------------------------------------- executors


@pytest.mark.slow
def test_several_processes_count_alike_and_tell_of_damage(folder: Path, tmp_path: Path) -> None:
    told: list[int] = []
    counts = count(folder, processes=2, checkpoint=tmp_path / "kept", advance=told.append)
    assert counts == count(folder)
    assert sum(told) == counts.corpus.rows
    (folder / "9.txt.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"9.txt.gz: cannot be read"):
        count(folder, processes=2)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
def test_a_ray_cluster_counts_alike(folder: Path) -> None:
    """In a process of its own: Ray keeps the secret of the first cluster that a process has joined."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    command = [sys.executable, "-c", ON_RAY, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert Counts.model_validate_json(done.stdout.splitlines()[-1]) == count(folder)


def test_an_executor_that_is_not_there_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedError, match="no executor 'spark'"):
        count(folder, executor="spark")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match="needs the package ray"):
        count(folder, executor="ray")
