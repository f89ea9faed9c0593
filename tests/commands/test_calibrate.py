"""`python -m copycat.calibrate`: from a run to labels, from labels to a calibration, and labelled pictures judged."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from copycat_doubles import mark_of
from harness import Cli, CommandLine, Doubles
from PIL import Image
from run_folders import folder_of, lines_of, read, tree

from copycat.errors import MAX_LISTED
from copycat.runs.calibrations import read_calibration

CHARACTERS = ("--characters", "mine.yaml")
FAKE = ("--judge", "fake-judge", "--device", "cpu", *CHARACTERS)


@pytest.fixture
def calibrate(cli: Cli, command_line: CommandLine) -> Cli:
    """Run the command in this process, in the folder in which `cli` runs the main job."""
    from copycat.commands.calibrate import app

    del cli  # it changed to an empty folder

    return command_line(app, "copycat.calibrate")


def fill(path: Path, say: Callable[[dict[str, str]], str], rater: str = "ann", to: Path | None = None) -> Path:
    """Fill in a table of labels as a person would."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    target = to or path
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows([{**row, "label": say(row), "rater": rater} for row in rows])
    return target


def truth_of(folder: Path) -> Callable[[dict[str, str]], str]:
    """What the mark in the picture says, as the fake judge reads it."""
    samples = {sample["key"]: sample for sample in lines_of(folder / "samples.jsonl")}

    def say(row: dict[str, str]) -> str:
        sample = samples[row["key"]]
        with Image.open(folder / sample["image"]) as picture:
            return "yes" if picture.getpixel((0, 0)) == mark_of(sample["character"]) else "no"

    return say


# ------------------------------------------------------------------------------------ labels of a run


def test_a_run_gets_a_sheet_and_the_next_command_is_told(run: Cli, calibrate: Cli) -> None:
    run("--seeds", 10)
    folder = folder_of("none")
    before = tree(folder)
    answer = calibrate(folder, *CHARACTERS, "-n", 20)
    assert answer.code == 0
    assert "20 pictures to label" in answer.out
    assert f"then: python -m copycat.calibrate {folder} --labels {folder}/labels/labels.csv" in answer.out
    made = tree(folder)
    assert set(made) - set(before) == {"labels/labels.csv", "labels/label.html"}
    assert all(made[name] == content for name, content in before.items())
    as_json = json.loads(calibrate(folder, *CHARACTERS, "-n", 20, "--json").out)
    assert as_json["n_pictures"] == 20 and as_json["n_filled"] == 0


def test_labels_that_agree_promise_corrected_rates_and_replace_others_with_a_copy_kept(
    run: Cli, calibrate: Cli
) -> None:
    run("--mitigation", "negprompt:name", "--seeds", 30)
    folder = folder_of("negprompt:name")
    calibrate(folder, *CHARACTERS)
    table = fill(folder / "labels" / "labels.csv", truth_of(folder))
    answer = calibrate(folder, *CHARACTERS, "--labels", table)
    assert "run the eval command again" in answer.out
    fill(table, lambda row: "no")
    again = calibrate(folder, *CHARACTERS, "--labels", table)
    assert "it replaces the calibration with 180 labels" in again.out
    assert "no rate can be corrected with these labels: no labelled picture shows its character" in again.out
    assert len(list((folder.parent / "calibrations").glob("*.before.json"))) == 1


def test_labels_make_a_calibration_that_is_told_and_written(run: Cli, calibrate: Cli) -> None:
    run("--seeds", 10)
    folder = folder_of("none")
    calibrate(folder, *CHARACTERS)
    truth = truth_of(folder)
    wrong = {sample["key"] for sample in lines_of(folder / "samples.jsonl")[:6]}
    table = fill(folder / "labels" / "labels.csv", lambda row: "no" if row["key"] in wrong else truth(row))
    answer = calibrate(folder, *CHARACTERS, "--labels", table)
    assert answer.code == 0
    assert "judge fake-judge (revision 1) against 60 pictures of" in answer.out
    assert "labelled by 1 person" in answer.out
    assert "no rate can be corrected with these labels" in answer.out  # six false alarms among ten
    assert "only 60 labels" in answer.err
    path = folder.parent / "calibrations" / "fake-judge-1+my-set.json"
    assert str(path) in answer.out.replace("\n", "")
    calibration = read_calibration(path)
    assert calibration is not None
    assert calibration.n_labels == 60
    assert calibration.judge_revision == "1"
    cells = calibration.cells
    assert sum(cell.tp + cell.tn for cell in cells) == 60 - sum(cell.fp for cell in cells)
    assert 4 <= sum(cell.fp for cell in cells) <= 6
    assert sum(cell.fn for cell in cells) == 0

    as_json = json.loads(calibrate(folder, *CHARACTERS, "--labels", table, "--json").out)
    assert as_json["calibration"] == read(path)
    assert as_json["ways"][0]["name"] == "open question"


def test_the_same_labels_give_the_same_bytes_and_another_out_is_honoured(run: Cli, calibrate: Cli) -> None:
    run()
    folder = folder_of("none")
    calibrate(folder, *CHARACTERS)
    table = fill(folder / "labels" / "labels.csv", truth_of(folder))
    calibrate(folder, *CHARACTERS, "--labels", table)
    calibrate(folder, *CHARACTERS, "--labels", table, "--out", "elsewhere")
    name = "fake-judge-1+my-set.json"
    there = Path("elsewhere") / "calibrations" / name
    assert (folder.parent / "calibrations" / name).read_bytes() == there.read_bytes()


def test_several_people_are_put_together_and_compared(run: Cli, calibrate: Cli) -> None:
    run("--seeds", 10)
    folder = folder_of("none")
    calibrate(folder, *CHARACTERS)
    empty, truth = folder / "labels" / "labels.csv", truth_of(folder)
    keys = [sample["key"] for sample in lines_of(folder / "samples.jsonl")]

    def unsure_of_some(row: dict[str, str]) -> str:
        return "unsure" if row["key"] in keys[:4] else "no" if row["key"] in keys[4:10] else truth(row)

    files = [fill(empty, truth, "ann", Path("ann.csv")), fill(empty, unsure_of_some, "ben", Path("ben.csv"))]
    answer = calibrate(folder, *CHARACTERS, "--labels", files[0], "--labels", files[1])
    assert answer.code == 0
    assert "labelled by 2 people" in answer.out
    assert "left out: 4 unsure" in answer.out and "tied" in answer.out
    assert "people among themselves (2): mean kappa of pairs" in answer.out
    only = calibrate(folder, *CHARACTERS, "--labels", files[0], "--labels", files[1], "--raters", "ann")
    assert "labelled by 1 person" in only.out and "tied" not in only.out


def test_without_a_filled_in_label_it_says_where_to_label(run: Cli, calibrate: Cli) -> None:
    run()
    folder = folder_of("none")
    calibrate(folder, *CHARACTERS)
    answer = calibrate(folder, *CHARACTERS, "--labels", folder / "labels" / "labels.csv")
    assert answer.code == 2
    assert "no label is filled in" in answer.err and "label.html in a browser" in answer.err
    assert not (folder.parent / "calibrations").exists()


def test_another_judge_must_have_judged_the_run_and_the_command_is_told(
    run: Cli, calibrate: Cli, doubles: Doubles
) -> None:
    run()
    folder = folder_of("none")
    calibrate(folder, *CHARACTERS)
    table = fill(folder / "labels" / "labels.csv", truth_of(folder))
    doubles.switch(judge_revision="2")
    answer = calibrate(folder, "--labels", table, *FAKE)
    assert answer.code == 2
    assert "judge 'fake-judge' (revision 2) has not judged" in answer.err
    command = "python -m copycat.eval --model fake --characters FILE --anchors name,description --seeds 2"
    assert command in answer.err and "--judge fake-judge" in answer.err
    run()
    assert calibrate(folder, "--labels", table, *FAKE).code == 0
    assert (folder.parent / "calibrations" / "fake-judge-2+my-set.json").exists()


def test_a_run_without_a_judge_is_told_apart(cli: Cli, calibrate: Cli, doubles: Doubles, characters_file: Path) -> None:
    del doubles, characters_file
    cli("--model", "fake", "--judge", "none", "--device", "cpu", *CHARACTERS, "--anchors", "name", "--seeds", 1)
    folder = folder_of("none")
    calibrate(folder, *CHARACTERS)
    answer = calibrate(folder, *CHARACTERS, "--labels", fill(folder / "labels" / "labels.csv", truth_of(folder)))
    assert answer.code == 2
    assert "nobody has judged" in answer.err and "--judge NAME" in answer.err


def test_faults_of_labels_are_told_and_nothing_is_written(run: Cli, calibrate: Cli) -> None:
    run()
    folder = folder_of("none")
    calibrate(folder, *CHARACTERS)
    table = fill(folder / "labels" / "labels.csv", lambda row: "maybe")
    answer = calibrate(folder, *CHARACTERS, "--labels", table)
    assert answer.code == 2
    assert answer.err.count("'maybe' is no label") == MAX_LISTED
    assert "more" in answer.err
    assert not (folder.parent / "calibrations").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "nothing to compare a judge with"),
        (("--labels", "hf:org/name"), "no judge given"),
        (("--labels", "a", "--labels", "b", "--judge", "x"), "several --labels go with a RUN only"),
        (("RUN", "--labels", "copychars"), "'copychars' has pictures of its own"),
        (("RUN", "--columns", "image=a"), "--columns has no use with a run alone"),
        (("RUN", "--labels", "a.csv", "-n", 5, "--limit", 3), "--limit and -n have no use with the labels of a run"),
        (("--sandbox", "--labels", "a"), "--labels has no use with --sandbox"),
        (("RUN",), "is no run folder"),
        (("--labels", "x", "--judge", "nobody"), "unknown judge 'nobody'"),
        (("--labels", "x", "--judge", "sandbox", "--characters", "copycat50", "--device", "cpu"), "x: is not there"),
    ],
)
def test_what_does_not_go_together_is_refused(calibrate: Cli, options: tuple[object, ...], told: str) -> None:
    answer = calibrate(*options)
    assert answer.code == 2
    wanted = {told, told.replace("--limit and -n", "-n and --limit")}
    assert any(text in answer.err for text in wanted), answer.err


# ------------------------------------------------------------------------------------ labelled pictures


def write_set(folder: Path, count: int, say: Callable[[int], object] = lambda n: "yes") -> Path:
    """Noise with a mark of the character in it; of every third picture the mark is missing."""
    import random

    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    names, pictures = ("goofy", "max", "bluto"), []
    for number in range(count):
        image = Image.frombytes("RGB", (16, 16), random.Random(number).randbytes(16 * 16 * 3))
        image.putpixel((0, 0), mark_of(names[number % 3]) if number % 4 else (0, 0, 0))
        written = io.BytesIO()
        image.save(written, "PNG")
        pictures.append({"bytes": written.getvalue(), "path": None})
    rows = {"image": pictures, "character": [names[n % 3].title() for n in range(count)]}
    pq.write_table(pa.table({**rows, "label": [say(n) for n in range(count)]}), folder / "train.parquet")
    return folder


@pytest.fixture
def mine(calibrate: Cli, doubles: Doubles, characters_file: Path) -> Iterator[Cli]:
    """The command with the fake judge and the three characters."""
    del doubles, characters_file
    yield lambda *options: calibrate(*options, *FAKE)


def test_labelled_pictures_are_judged_once_and_compared(mine: Cli, doubles: Doubles) -> None:
    place = write_set(Path("set"), 150, lambda n: "no" if n % 4 == 0 else "yes")
    answer = mine("--labels", place)
    assert answer.code == 0, answer.err
    assert "labels: 112 yes, 38 no" in answer.out
    assert len(doubles.judged) == 150
    calibration = read_calibration(Path("runs/calibrations/fake-judge-1+my-set.json"))
    assert calibration is not None
    assert sum(cell.tp for cell in calibration.cells) == 112
    assert sum(cell.tn for cell in calibration.cells) == 38
    again = mine("--labels", place)
    assert again.out == answer.out
    assert len(doubles.judged) == 150


def test_a_limit_and_further_pictures_later_judge_only_what_is_new(mine: Cli, doubles: Doubles) -> None:
    place = write_set(Path("set"), 150)
    mine("--labels", place, "--limit", 64)
    assert len(doubles.judged) == 64
    mine("--labels", place)
    assert len(doubles.judged) == 150


def test_rows_of_unknown_characters_are_counted_and_named(mine: Cli) -> None:
    Path("set").mkdir()
    written = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(written, "PNG")
    Path("set/a.png").write_bytes(written.getvalue())
    table = "image,character,label\na.png,Goofy,no\na.png,Somebody,yes\na.png,Somebody,yes\na.png,Max,\n"
    Path("set/labels.csv").write_text(table, encoding="utf-8")
    answer = mine("--labels", "set")
    assert answer.code == 0, answer.err
    assert "left out, 2 rows: not among the characters of 'my-set': Somebody (2)" in answer.out
    Path("set/labels.csv").write_text("image,character,label\na.png,Somebody,yes\n", encoding="utf-8")
    answer = mine("--labels", "set")
    assert answer.code == 2
    assert "no row has a label and a character of 'my-set'" in answer.err


def test_rows_on_the_same_picture_are_votes(mine: Cli) -> None:
    Path("set").mkdir()
    image = Image.new("RGB", (16, 16), "red")
    image.putpixel((0, 0), mark_of("goofy"))
    image.save("set/a.png")
    rows = ["image,character,label", *("a.png,Goofy,yes",) * 2, "a.png,Goofy,no"]
    Path("set/labels.csv").write_text("\n".join(rows), encoding="utf-8")
    answer = mine("--labels", "set/labels.csv", "--json")
    found = json.loads(answer.out)
    assert (found["n_yes"], found["n_no"]) == (1, 0)
    assert found["people"]["n_people"] == 3 and found["people"]["kappa"] is None


def test_labels_that_cannot_be_read_stop_it_before_their_pictures_are_judged(mine: Cli, doubles: Doubles) -> None:
    place = write_set(Path("set"), 10, lambda n: "perhaps" if n > 6 else "no")
    answer = mine("--labels", place)
    assert answer.code == 2
    assert [f"row {n}: 'perhaps' is no label" in answer.err for n in (7, 8, 9, 10)] == [False, True, True, True]
    assert doubles.judged == []


def test_a_picture_that_cannot_be_decoded_has_no_answer(mine: Cli) -> None:
    place = write_set(Path("set"), 5)
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (place / "train.parquet").unlink()
    image = Image.new("RGB", (16, 16), "red")
    image.save(place / "good.png")
    (place / "labels.csv").write_text("image,character,label\nbroken.png,Max,yes\ngood.png,Max,no\n", encoding="utf-8")
    answer = mine("--labels", place)
    assert answer.code == 0
    assert "open question: 1 labelled pictures without an answer" in answer.out


def test_another_calibration_is_replaced_and_that_is_told(mine: Cli) -> None:
    mine("--labels", write_set(Path("one"), 10))
    answer = mine("--labels", write_set(Path("two"), 20))
    assert "it replaces the calibration with 10 labels, one" in answer.out


def test_a_judge_of_other_characters_is_refused(calibrate: Cli, characters_file: Path) -> None:
    del characters_file
    answer = calibrate("--labels", write_set(Path("set"), 3), "--judge", "sandbox", "--device", "cpu", *CHARACTERS)
    assert answer.code == 2
    assert "knows only character set 'sandbox', not 'my-set'" in answer.err


@pytest.mark.slow
def test_killed_while_judging_the_same_command_goes_on(mine: Cli, doubles: Doubles) -> None:
    place = write_set(Path("set"), 64 * 12)
    mine("--labels", place)
    journal = next(Path("runs/calibrations").glob("*.jsonl"))
    expected = {path.name: path.read_bytes() for path in Path("runs/calibrations").iterdir()}
    for path in Path("runs/calibrations").iterdir():
        path.unlink()
    command = [sys.executable, "-m", "copycat.calibrate", "--labels", str(place), *FAKE]
    process = subprocess.Popen(command, env=doubles.environment(), stdout=-3, stderr=-3)
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = journal.read_bytes()
    whole = kept[: kept.rfind(b"\n") + 1]
    journal.write_bytes(whole + b'{"key": "torn')
    doubles.forget()
    assert mine("--labels", place).code == 0
    n_kept = whole.count(b"\n") // 64 * 64  # a chunk that is not kept whole is judged as a whole
    assert len(doubles.judged) == 64 * 12 - n_kept
    assert journal.read_bytes().startswith(whole)
    assert {path.name: path.read_bytes() for path in Path("runs/calibrations").iterdir()} == expected


# ------------------------------------------------------------------------------------ the laboratory


def test_the_laboratory_is_asked_with_the_judge_the_number_and_the_seed(
    calibrate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    class Result:
        def model_dump(self, **_: object) -> dict[str, Any]:
            return {"rows": []}

    def run_lab(judge: Any, scenes: Any, characters: Any, advance: Any) -> Result:
        asked["judge"], asked["characters"] = judge, characters.id
        for _ in scenes:
            advance(1)
        return Result()

    def build_scenes(n: int, seed: int) -> Iterator[int]:
        asked["scenes"] = (n, seed)
        return iter(range(n))

    lab = ModuleType("copycat.sandbox.lab")
    lab.__dict__.update(run_lab=run_lab, build_scenes=build_scenes, lab_table=lambda result: "the table")
    monkeypatch.setitem(sys.modules, "copycat.sandbox.lab", lab)
    answer = calibrate("--sandbox", "-n", 7, "--seed", 3, "--device", "cpu")
    assert answer.code == 0
    assert "the table" in answer.out and "never comparable with real models" in answer.out
    assert asked["scenes"] == (7, 3) and asked["characters"] == "sandbox"
    assert json.loads(calibrate("--sandbox", "-n", 7, "--device", "cpu", "--json").out)["judge"] == "sandbox"
