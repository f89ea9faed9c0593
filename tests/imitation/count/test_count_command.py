"""`python -m copycat.imitation count`, from captions to the files of a study."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from harness import Cli, CommandLine

from copycat.imitation.records import ConceptCount, StudyFacts
from copycat.imitation.tables import read_table

CONCEPTS = "name,aliases\nCaptain Ember,Ember\nBramble [b],\nNobody Else,\n"
KILLED = """
import os, signal, sys
from pathlib import Path
from copycat.corpus import batches, open_corpus
from copycat.imitation.concepts import load_concepts
from copycat.imitation.count.counting import count_concepts

batches.UNIT_ROWS = 30

def kill_midway(rows):
    if len(list(Path("study").rglob("file-*.json"))) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

count_concepts(open_corpus([Path("c.parquet")]), load_concepts("k.csv"),
               checkpoint=Path("study/counting"), advance=kill_midway)
"""


@pytest.fixture
def count(command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command in a folder with captions and concepts."""
    from copycat.commands.imitation import app

    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "caption": f"Captain Ember {n}" if n % 2 else f"bramble b, {n}",
            "phash": f"{(n // 4) * 0x0F0F0F0F0F0F0F0F % 2**64:016x}",
            "url": f"http://pictures.test/{n}",
            "status": "failed" if n % 10 == 0 else "success",
        }
        for n in range(120)
    ]
    pl.DataFrame(rows).write_parquet("c.parquet", row_group_size=30)
    Path("k.csv").write_text(CONCEPTS)
    run = command_line(app, "copycat.imitation")
    return lambda *options: run("count", "c.parquet", "--out", "study", *options)


def test_a_count_leaves_its_tables_and_prints_them(count: Cli) -> None:
    answer = count("--concepts", "k.csv")
    assert answer.code == 0, answer.err
    rows = read_table(Path("study/counts.csv"), ConceptCount, key=("concept",))
    assert [(row.concept, row.raw, row.exact) for row in rows] == [
        ("captain-ember", 60, 60),
        ("bramble-b", 60, 60),
        ("nobody-else", 0, 0),
    ]
    assert all(row.count == row.near for row in rows)
    assert "Bramble [b]" in answer.out
    assert "and 1 of which there is no picture" in answer.out
    assert "dead links: 12 of 120 (10.0%)" in answer.out
    assert "WARNING: 12 of 120 links (10.0%, 0% to 20% by concept) are dead" in answer.err
    assert "20.0%" in answer.out
    assert "WARNING: 3 concepts have a count; `threshold` needs 10 to find a step" in answer.err
    assert "study/counts.csv" in answer.out
    facts = StudyFacts.model_validate_json(Path("study/counts.json").read_bytes())
    assert facts.facts["count"] == "near"
    assert "captain-ember,Captain Ember,60,0" in Path("study/aliases.csv").read_text()


def test_the_answer_is_one_object_for_programs(count: Cli) -> None:
    answer = json.loads(count("--concepts", "k.csv", "--json", "--use", "raw").out)
    assert [each["count"] for each in answer["counts"]] == [60, 60, 0]
    assert answer["use"] == "raw"
    links = answer["dead_links"]
    assert (links["dead"], links["links"], links["without_status"]) == (12, 120, 0)
    assert links["by_concept"]["bramble-b"] == {"dead": 12, "links": 60}


def test_a_sample_is_drawn_filled_in_and_corrects_the_counts(count: Cli) -> None:
    assert count("--concepts", "k.csv", "--sample-pictures", 9, "--use", "raw").code == 0
    with Path("study/sample.csv").open() as file:
        drawn = list(csv.DictReader(file))
    assert [row["concept"] for row in drawn] == ["captain-ember"] * 9 + ["bramble-b"] * 9
    for row in drawn:
        number = int(row["caption"].split()[-1])
        assert row["address"] == f"http://pictures.test/{number}"
        assert number % 10
        row["shown"] = str(row["concept"] != "captain-ember" or number % 3 == 0).lower()
    with Path("labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, drawn[0])
        writer.writeheader()
        writer.writerows(drawn)
    first = Path("study/sample.csv").read_bytes()
    answer = count("--concepts", "k.csv", "--sample-pictures", 9, "--use", "raw", "--verify", "labels.csv")
    assert Path("study/sample.csv").read_bytes() == first
    ember, bramble, nobody = read_table(Path("study/counts.csv"), ConceptCount, key=("concept",))
    k = sum(row["shown"] == "true" for row in drawn[:9])
    assert ember.count == pytest.approx(60 * k / 9)
    assert ember.low is not None and ember.high is not None and ember.low < 60 * k / 9 < ember.high
    assert (bramble.count, bramble.high, nobody.count) == (60, 60, 0)
    assert "taken as looked at without errors" in answer.err


def test_a_count_that_was_killed_goes_on_and_ends_alike(count: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from copycat.corpus import batches, executors

    killed = subprocess.run([sys.executable, "-c", KILLED], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    read: list[int] = []
    real = batches.read_batches

    def noted(corpus: object, unit: batches.Unit) -> object:
        read.append(unit.start)
        return real(corpus, unit)  # type: ignore[arg-type]

    monkeypatch.setattr(executors, "read_batches", noted)
    monkeypatch.setattr(batches, "UNIT_ROWS", 30)
    assert count("--concepts", "k.csv").code == 0
    assert read == [60, 90]
    resumed = Path("study/counts.csv").read_bytes()
    assert count("--concepts", "k.csv").code == 0
    assert read == [60, 90]
    assert count("--concepts", "k.csv", "--out", "unbroken").code == 0
    assert Path("unbroken/counts.csv").read_bytes() == resumed


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "--characters SET or --concepts FILE"),
        (("--concepts", "k.csv", "--characters", "sandbox"), "do not go together"),
        (("--concepts", "k.csv", "--use", "nearest"), "did you mean 'near'?"),
        (("--concepts", "k.csv", "--use", "exact", "--text-column", "words"), "no column 'words'"),
        (("--concepts", "k.csv", "--verify", "nothing"), "there is no such folder or table"),
        (("--concepts", "k.csv", "--sensitivity", "8/10"), "go together"),
    ],
)
def test_what_is_wrong_is_told_without_a_traceback(count: Cli, options: tuple[str, ...], told: str) -> None:
    answer = count(*options)
    assert answer.code == 2
    assert told in answer.err
    assert "Traceback" not in answer.err
