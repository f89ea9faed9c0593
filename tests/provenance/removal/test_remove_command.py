"""`copycat.provenance remove` from the command line, with the counts of each version; and killed in the middle."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from planted_worlds import make_manifest, picture, rows, write_folder, write_jsonl, write_parquet

from copycat.commands.provenance_remove import REMOVE_EPILOG, remove
from copycat.provenance.dataset import open_dataset
from copycat.provenance.lookup import look_up, make_query
from copycat.provenance.lookup.page import build_page
from copycat.provenance.manifest import open_manifest
from copycat.provenance.removal.log import read_log

if TYPE_CHECKING:
    from harness import Cli, CommandLine

CONCEPTS = "name,aliases\nZoravi Meklun,\nTall Green Lamp,green lamp\n"


@pytest.fixture
def take_out(command_line: CommandLine, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    import typer

    app = typer.Typer(add_completion=False)
    app.command(epilog=REMOVE_EPILOG)(remove)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made / "toy", tmp_path / "toy")
    (tmp_path / "concepts.csv").write_text(CONCEPTS)
    return command_line(app, "copycat.provenance")


def test_what_a_lookup_finds_is_removed_and_the_counts_say_what_it_changed(take_out: Cli, tmp_path: Path) -> None:
    answer = take_out(
        "toy",
        "--name",
        "Zoravi Meklun",
        "--reason",
        "opt-out",
        "--rewrite",
        "--concepts",
        "concepts.csv",
        "--model",
        "m=1",
    )

    assert answer.code == 0
    assert "toy: 6 of version 1 removed, not in version 2" in answer.out
    assert "Zoravi Meklun: 4 pictures in version 1, 0 in version 2; model m was trained on version 1" in answer.out
    assert "Tall Green Lamp: 8 pictures in version 1, 6 in version 2" in answer.out
    assert "Zoravi" not in (tmp_path / "toy" / "provenance" / "removals.jsonl").read_text()
    later = look_up(open_dataset(tmp_path / "toy"), make_query("name", "Zoravi Meklun"), date(2026, 11, 2))
    assert later.n_found == 0
    assert later.counted == {"1": 4, "2": 0}
    assert [(use.model, use.version, use.n_records) for use in later.models] == [("m", "1", 4)]
    assert "were counted" in build_page(later)


def test_counts_agree_with_imitation_count_over_the_same_captions(take_out: Cli, tmp_path: Path) -> None:
    """Independent reference: the captions of each version, written to a file and counted by themselves."""
    from copycat.corpus import open_corpus
    from copycat.imitation.concepts import load_concepts
    from copycat.imitation.count.counting import count_concepts

    def counted(captions: list[dict[str, Any]]) -> dict[str, float | None]:
        corpus = open_corpus([write_parquet(tmp_path / "ref", captions) / "train.parquet"], text_column="caption")
        return {each.concept: each.count for each in count_concepts(corpus, load_concepts("concepts.csv")).counts}

    done = json.loads(
        take_out("toy", "--id", "r001", "--id", "r003", "--reason", "x", "--rewrite", "--concepts", "concepts.csv",
                 "--json").out
    )  # fmt: skip

    wanted = (counted(rows()), counted([row for row in rows() if row["id"] not in ("r001", "r003")]))
    for each in done["exposure"]:
        assert each["counts"] == {"1": wanted[0][each["concept"]], "2": wanted[1][each["concept"]]}


@pytest.mark.slow
def test_counts_of_versions_whose_records_are_gone_are_kept(take_out: Cli) -> None:
    for name in ("r000", "r003"):
        answer = take_out("toy", "--id", name, "--reason", "x", "--rewrite", "--concepts", "concepts.csv")

    assert "Zoravi Meklun: 4 pictures in version 1, 3 in version 2, 2 in version 3" in answer.out


def test_a_model_of_an_older_version_is_told_what_is_known_of_it_at_least(take_out: Cli, tmp_path: Path) -> None:
    """Version 1 was not counted before it lost a record: what is left of it was part of it, too."""
    take_out("toy", "--id", "r000", "--reason", "x", "--rewrite")
    options = ("toy", "--name", "Zoravi Meklun", "--reason", "x", "--rewrite", "--concepts", "concepts.csv", "--model")

    planned = take_out(*options, "m=1", "--dry-run")
    done = take_out(*options, "m=1")

    assert "model m was trained on version 1, which held 5 of these 5" in done.out
    least = "in version 2, 0 in {}; model m was trained on version 1: at least 3 pictures"
    assert f"Zoravi Meklun: 3 pictures {least.format('version 3')}" in done.out
    assert f"Zoravi Meklun: 3 pictures {least.format('the next version')}" in planned.out
    later = look_up(open_dataset(tmp_path / "toy"), make_query("name", "Zoravi Meklun"), date(2026, 11, 2))
    assert (later.counted, later.counted_at_least) == ({"2": 3, "3": 0}, {"1": 3})
    assert [(use.n_records, use.is_at_least) for use in later.models] == [(3, True)]
    assert "at least 3 pictures" in build_page(later)


@pytest.mark.slow
def test_a_version_of_which_nothing_is_left_has_no_figure_and_spoils_no_other(take_out: Cli, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "toy", [{**row, "title": "anew"} for row in rows()])
    make_manifest(tmp_path / "toy")

    done = take_out(
        "toy", "--name", "Zoravi Meklun", "--reason", "x", "--rewrite", "--concepts", "concepts.csv", "--model", "m=1"
    )

    assert "model m was trained on version 1, which held 6 of these 6" in done.out
    assert "Zoravi Meklun: 4 pictures in version 2, 0 in version 3\n" in done.out


@pytest.mark.slow
def test_a_version_that_only_grew_is_counted_whole_for_its_model(take_out: Cli, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "toy", rows(15))
    make_manifest(tmp_path / "toy")

    done = take_out("toy", "--name", "Zoravi Meklun", "--reason", "x", "--concepts", "concepts.csv", "--model", "m=1")

    assert "Zoravi Meklun: 4 pictures in version 1, 5 in version 2, 0 in version 3; model m was trained on" in done.out
    assert "at least" not in done.out


def test_concepts_whose_count_stays_share_one_line(take_out: Cli) -> None:
    answer = take_out("toy", "--id", "r001", "--reason", "x", "--rewrite", "--concepts", "concepts.csv")

    assert "Zoravi Meklun: " not in answer.out
    assert "Tall Green Lamp: 8 pictures in version 1, 7 in version 2" in answer.out
    assert "1 other concept: as many as before (1 with pictures, 0 with none)" in answer.out


def test_a_dry_run_tells_the_counts_of_the_next_version(take_out: Cli, tmp_path: Path) -> None:
    answer = take_out("toy", "--name", "Zoravi Meklun", "--reason", "x", "--dry-run", "--concepts", "concepts.csv")

    assert "6 of version 1 would be removed" in answer.out
    assert "Zoravi Meklun: 4 pictures in version 1, 0 in the next version" in answer.out
    assert not (tmp_path / "toy" / "provenance" / "exposure.json").exists()


@pytest.mark.slow
def test_a_study_gets_the_counts_of_the_new_version_and_keeps_the_old(take_out: Cli, tmp_path: Path) -> None:
    from copycat.imitation.records import ConceptCount
    from copycat.imitation.tables import read_table

    options = ("--reason", "x", "--rewrite", "--concepts", "concepts.csv", "--study", "study")
    take_out("toy", "--id", "r000", *options)
    take_out("toy", "--id", "r003", *options)

    def counts(name: str) -> dict[str, float | None]:
        return {row.concept: row.count for row in read_table(tmp_path / "study" / name, ConceptCount, ("concept",))}

    assert counts("counts-before-2.csv")["zoravi-meklun"] == 3
    assert counts("counts.csv")["zoravi-meklun"] == 2


def test_files_that_still_hold_records_end_with_1(take_out: Cli) -> None:
    answer = take_out("toy", "--id", "r003", "--reason", "x")

    assert answer.code == 1
    assert "1 record still lies in files" in answer.err
    assert "train.jsonl" in answer.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reason", "x"), "nothing to remove is named"),
        (("--reason", "x", "--id", "r001", "--name", "Zoravi Meklun"), "both ids and a look-up"),
        (("--reason", "x", "--id", "zzz"), "there is no record 'zzz'"),
        (("--reason", " ", "--id", "r001"), "--reason has 0 letters"),
        (("--reason", "x", "--id", "r001", "--model", "m"), "names no version"),
        (("--reason", "x", "--id", "r001", "--model", "m=9"), "unknown version '9'"),
        (("--reason", "x", "--id", "r001", "--derived", "toy"), "is the dataset itself"),
        (("--reason", "x", "--id", "r001", "--derived", "nowhere"), "is not there"),
        (("--reason", "x", "--id", "r001", "--derived-by", "name"), "unknown way"),
        (("--reason", "x", "--domain", "com"), "too broad"),
        (("--reason", "x", "--id", "r001", "--distance", "3"), "--distance says nothing of ids"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_changed(
    take_out: Cli, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    before = (tmp_path / "toy" / "train.jsonl").read_bytes()

    answer = take_out("toy", *options)

    assert answer.code == 2
    assert said in answer.err
    assert (tmp_path / "toy" / "train.jsonl").read_bytes() == before
    assert not (tmp_path / "toy" / "provenance" / "removals.jsonl").exists()


def test_a_look_up_that_finds_nothing_is_told_and_removes_nothing(take_out: Cli) -> None:
    answer = take_out("toy", "--name", "Tabriko", "--reason", "x")

    assert answer.code == 0
    assert "--name finds no record that is in it now" in answer.err
    assert "nothing new to remove" in answer.out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--name", "Zoravi Meklun"), "ZORÁVI meklun asked"),
        (("--domain", "example.org"), "opt-out of example.org"),
    ],
)
def test_a_reason_that_names_who_is_asked_for_is_refused(
    take_out: Cli, tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    answer = take_out("toy", *options, "--reason", reason)

    assert answer.code == 2
    assert "needed: why, naming nobody" in answer.err
    assert not (tmp_path / "toy" / "provenance" / "removals.jsonl").exists()


def test_pictures_that_look_alike_are_counted_and_a_removed_one_is_known_by_a_smaller_copy(
    take_out: Cli, tmp_path: Path
) -> None:
    """The manifest has no hashes of looks: the tombstone gets one when the picture leaves."""
    root, derived = write_folder(tmp_path / "p", 4), write_folder(tmp_path / "d", 2)
    make_manifest(root)
    shutil.copy(root / "3.png", tmp_path / "mine.png")
    picture(3, 48).save(tmp_path / "small.jpg")
    picture(3, 48).save(derived / "crop.jpg")

    nothing = take_out("p", "--picture", "mine.png", "--reason", "x", "--dry-run", "--derived", "d")
    done = take_out("p", "--picture", "mine.png", "--reason", "x", "--rewrite", "--derived", "d")

    assert "d: 1 picture looks alike and stays there" in nothing.err
    assert done.code == 0
    assert "deleted" in done.out
    assert "metadata.jsonl: what it said of them was taken out" in done.out
    later = look_up(open_dataset(root), make_query("picture", str(tmp_path / "small.jpg")), date(2026, 11, 2))
    assert (later.n_found, later.n_now, later.unsearched) == (1, 0, {})


def test_a_picture_that_is_not_quite_the_same_is_told_what_would_take_it_out(take_out: Cli, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "p", 4)
    make_manifest(root)
    small = picture(3, 48)
    small.paste((255, 255, 255), (0, 0, 4, 4))
    small.save(tmp_path / "small.png")

    exact = take_out("p", "--picture", "small.png", "--reason", "x")
    wide = take_out("p", "--picture", "small.png", "--reason", "x", "--distance", "6", "--dry-run")

    assert "--picture finds no record" in exact.err
    assert "1 picture looks alike and stays: lookup --picture lists what --distance 6 would take out" in exact.err
    assert "1 of version 1 would be removed" in wide.out


def test_ids_come_from_a_file(take_out: Cli, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("r001\n\nr002\nr001\n")

    assert len(json.loads(take_out("toy", "--ids", "ids.txt", "--reason", "x", "--json").out)["ids"]) == 2


DYING = """
import os, sys
from pathlib import Path

left = int(sys.argv[1])
steps = 0


def dying(step):
    def run(*args, **options):
        global steps
        steps += 1
        if steps == left:
            os._exit(9)
        return step(*args, **options)

    return run


Path.replace, Path.unlink, Path.touch = map(dying, (Path.replace, Path.unlink, Path.touch))
from copycat.provenance.__main__ import app, run_app

sys.argv = ["copycat.provenance", *sys.argv[2:]]
try:
    run_app(app)
finally:
    print(f"steps {steps}", file=sys.stderr)
"""
"""The command, which dies as if the power went before its n-th step that changes the disk."""


@pytest.mark.slow
def test_a_removal_that_dies_before_any_of_its_steps_is_finished_by_the_same_command(
    take_out: Cli, tmp_path: Path
) -> None:
    """After each death the manifest can be read and no other record is lost; then the command ends as undisturbed."""
    whole, copies = _two_splits(tmp_path / "whole"), tmp_path / "copies"
    write_parquet(copies, [{**rows()[3], "id": "other"}, rows()[4]])
    make_manifest(copies)
    options = ("--domain", "example.org", "--reason", "x", "--rewrite", "--as-of", "2026-11-02", "--derived")

    def run(root: Path, derived: Path, dies_before: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", DYING, str(dies_before), "remove", str(root), *options, str(derived)]
        return subprocess.run(command, capture_output=True, check=False, text=True)

    def state(folder: Path) -> dict[str, Any]:
        """Give the files with records, and the table of the manifest."""
        manifest = open_manifest(open_dataset(folder))
        files = {file.name: file.path.read_bytes() for file in open_dataset(folder).files}
        return files | {"table": [table.to_pylist() for table in manifest.all_rows()], "root": manifest.root}

    places = [shutil.copytree(each, tmp_path / f"undisturbed-{each.name}") for each in (whole, copies)]
    undisturbed = run(places[0], places[1], 0)
    assert undisturbed.returncode == 0, undisturbed.stderr
    wanted = [state(each) for each in places]
    n_steps = int(undisturbed.stderr.rsplit("steps ", 1)[1])
    assert n_steps > 10
    for step in range(1, n_steps + 1):
        places = [shutil.copytree(each, tmp_path / f"{step}-{each.name}") for each in (whole, copies)]
        assert run(places[0], places[1], step).returncode == 9
        for place in places:
            manifest = open_manifest(open_dataset(place))
            assert sum(table.num_rows for table in manifest.rows("1")) == manifest.version("1").n_records
        done = take_out(places[0], *options, places[1])
        assert done.code == 0, (step, done.err)
        assert [state(each) for each in places] == wanted, step
        assert not [fault for each in places for fault in read_log(each / "provenance")[1]]


def _two_splits(root: Path) -> Path:
    write_jsonl(root, rows(6))
    write_jsonl(root, rows(12)[6:], "test.jsonl")
    make_manifest(root)
    return root
