"""`python -m copycat.data validate`: every kind of data, every fault at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Cli
from run_folders import lines_of, read
from submissions import make_submission

from copycat.catalog import list_character_sets
from copycat.paths import data_folder


def test_without_a_name_everything_that_ships_is_in_order(data: Cli) -> None:
    answer = data("validate")

    assert answer.code == 0
    for name in list_character_sets():
        assert f"{name}: 50 characters, no fault" in answer.out
    assert "benign prompts, no fault" in answer.out


def test_without_a_name_the_board_and_the_lists_of_the_working_folder_are_checked_too(
    data: Cli, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("target,prompt\nAriel,sea maid\n")
    data("download", "prompts", "a.csv", "--kind", "keywords", "--name", "theirs")
    make_submission(tmp_path / "leaderboard", characters="copycat50", anchors=("name",), is_withheld=True)

    answer = data("validate")

    assert answer.code == 0, answer.err
    assert "leaderboard/submissions: 1 submission, no fault; no picture was judged again" in answer.out
    assert "keywords-theirs.json: keywords 'theirs' for 1 of 'copycat50'" in answer.out


def test_a_board_is_known_by_each_of_its_names_and_its_faults_are_told(data: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "board" / "submissions" / "1.0" / "a__b" / "0123456789ab"
    folder.mkdir(parents=True)
    (folder / "submission.json").write_text("{}")

    for name in ("board", "board/submissions"):
        answer = data("validate", name)
        assert answer.code == 2
        assert "board/submissions/1.0/a__b/0123456789ab: metrics.json: is not there" in answer.err


def test_an_exported_run_is_told_as_what_it_is(data: Cli, finished: Path) -> None:
    data("export", "run", finished, "--out", "run-dataset")
    data("export", "run", finished, "--out", "pictures", "--as", "imagefolder")

    for name in ("run-dataset", "pictures"):
        answer = data("validate", name)
        assert answer.code == 2
        assert f"{name}: is what `export run` made of a run" in answer.err
        assert "check the run that it was made of: python -m copycat.data validate RUN" in answer.err


def test_a_fault_of_copycat_data_is_told_once(data: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYCAT_DATA", str(tmp_path / "nowhere"))

    assert data("validate").err.count("holds no readable suite.json") == 1


def test_an_edited_file_of_copycat_data_is_told_once(
    data: Cli, tmp_path: Path, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(suite, tmp_path / "mine")
    miss_a_file(tmp_path / "mine" / "suite")
    monkeypatch.setenv("COPYCAT_DATA", str(tmp_path / "mine" / "suite"))

    answer = data("validate")

    assert answer.code == 2
    lines = [line for line in answer.err.splitlines() if "name.jsonl" in line]
    assert len(lines) == len(set(lines)) > 0


def test_faults_of_several_things_come_at_once_and_the_good_ones_are_named(data: Cli, characters_file: Path) -> None:
    bad = characters_file.with_name("bad.yaml")
    bad.write_text(characters_file.read_text().replace("name: Max", "nam: Max"))

    answer = data("validate", "bad.yaml", "mine.yaml", "unseen5", "nothing-of-mine/")

    assert answer.code == 2
    assert "mine.yaml: 3 characters, no fault" in answer.out
    assert "bad.yaml:10: characters[1] 'max', field 'nam': there is no such field" in answer.err
    assert "unknown character set 'unseen5'\n  did you mean 'unseen50'" in answer.err
    assert "nothing-of-mine" in answer.err


# ------------------------------------------------------------------------------- prompts and lists


def test_a_folder_of_frozen_prompts_is_checked_against_its_card(data: Cli, tmp_path: Path) -> None:
    shutil.copytree(data_folder("prompts") / "copycat50", tmp_path / "prompts")
    assert data("validate", "prompts").code == 0

    path = tmp_path / "prompts" / "name.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("Ariel", "Arial"), encoding="utf-8")
    answer = data("validate", "prompts")
    assert answer.code == 2
    assert "prompts/name.jsonl: differs from its sha256 in card.yaml" in answer.err


def test_prompts_of_an_own_set_are_checked_with_its_character_file(
    data: Cli, tmp_path: Path, characters_file: Path
) -> None:
    data("freeze", "mine.yaml", "--out", "prompts/my-set", "--by", "us", "--date", "2026-01-31")
    assert "which is no set that ships" in data("validate", "prompts/my-set").err

    (tmp_path / "characters").mkdir()
    characters_file.rename(tmp_path / "characters" / "my-set.yaml")
    answer = data("validate", "prompts/my-set")
    assert answer.code == 0
    assert "prompts 1.0 of 'my-set', no fault; rankers and lists: authored" in answer.out


def test_a_list_is_checked_by_its_hash_and_its_characters(data: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("target,prompt\nAriel,sea maid\n")
    data("download", "prompts", "a.csv", "--kind", "keywords", "--name", "theirs")
    path = Path("lists/copycat50/keywords-theirs.json")

    good = data("validate", path)
    assert good.code == 0
    assert "keywords 'theirs' for 1 of 'copycat50'" in good.out

    path.write_text(path.read_text(encoding="utf-8").replace("sea maid", "mermaid"), encoding="utf-8")
    assert "its texts differ from its sha256" in data("validate", path).err


# ------------------------------------------------------------------------------------------ suites


def miss_a_file(suite: Path) -> None:
    (suite / "prompts/unseen50/name.jsonl").unlink()


def add_a_file(suite: Path) -> None:
    (suite / "characters/more.yaml").write_text("id: more\n")


def edit_a_file(suite: Path) -> None:
    path = suite / "characters/copycat50.yaml"
    path.write_bytes(path.read_bytes().replace(b"Ariel", b"Arial"))


def link_a_file(suite: Path) -> None:
    path = suite / "prompts/unseen50/name.jsonl"
    path.rename(suite / "elsewhere")
    path.symlink_to(suite / "elsewhere")


SUITES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a file is missing": (miss_a_file, "prompts/unseen50/name.jsonl: is missing, but suite.json lists it"),
    "a file more": (add_a_file, "characters/more.yaml: is not in suite.json"),
    "an edited file": (edit_a_file, "characters/copycat50.yaml: differs from its sha256 in suite.json"),
    "a link": (link_a_file, "prompts/unseen50/name.jsonl: is a link, but suite.json lists it"),
}


@pytest.mark.parametrize(("change", "said"), SUITES.values(), ids=SUITES)
def test_a_suite_is_checked_file_by_file(
    data: Cli, tmp_path: Path, suite: Path, change: Callable[[Path], None], said: str
) -> None:
    shutil.copytree(suite, tmp_path / "mine")
    change(tmp_path / "mine" / "suite")

    answer = data("validate", "mine")

    assert answer.code == 2
    assert said in answer.err


def test_an_exported_suite_is_in_order(data: Cli, suite: Path) -> None:
    answer = data("validate", suite)

    assert answer.code == 0
    assert "no fault; sets: copycat50, sandbox, unseen50" in answer.out


# -------------------------------------------------------------------------------------------- runs


def swap_a_picture(run: Path) -> None:
    next((run / "images").iterdir()).write_bytes(b"another")


def repeat_a_sample(run: Path) -> None:
    path = run / "samples.jsonl"
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[0])


def break_a_line(run: Path) -> None:
    path = run / "samples.jsonl"
    path.write_bytes(b"{}\n" + path.read_bytes())


def judge_another(run: Path) -> None:
    (path,) = (run / "judgements").iterdir()
    line = lines_of(path)[0] | {"image_sha256": "0" * 64}
    path.write_text(json.dumps(line) + "\n")


def miscount(run: Path) -> None:
    found = read(run / "metrics.json")
    found["counts"] |= {"ok": 11, "refused": 1}
    (run / "metrics.json").write_text(json.dumps(found))


RUNS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a swapped picture": (swap_a_picture, ".png: is missing, or differs from its sha256"),
    "a sample twice": (repeat_a_sample, "is there twice"),
    "a broken line": (break_a_line, "samples.jsonl:1: field 'key': Field required"),
    "a verdict on other bytes": (judge_another, "is of other bytes, and does not count"),
    "other counts": (miscount, "metrics.json: counts 11 ok, and there are 12"),
}


@pytest.mark.parametrize(("change", "said"), RUNS.values(), ids=RUNS)
def test_a_run_is_checked_down_to_its_pictures(
    data: Cli, finished: Path, change: Callable[[Path], None], said: str
) -> None:
    assert "a run, finished; 12 samples, 12 pictures" in data("validate", finished).out

    change(finished)
    answer = data("validate", finished)

    assert answer.code == 2
    assert said in answer.err


# ------------------------------------------------------------------------------------- the leaderboard


def test_a_submission_is_verified_and_published_figures_are_read(data: Cli, tmp_path: Path) -> None:
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "submission.json").write_text("{}")
    (tmp_path / "reported").mkdir()
    (tmp_path / "reported" / "paper.yaml").write_text("id: paper\n")

    answer = data("validate", "submission", "reported/paper.yaml")

    assert answer.code == 2
    assert "submission: submission.json: " in answer.err
    assert "field 'tables': is missing" in answer.err
