"""The main job from the command line: exit codes, what is printed where, and what lies in the folder."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from copycat_doubles import FakeModel
from harness import Cli, Doubles
from run_folders import folder_of, read, runs_in, samples_of, tree

from copycat import console

ROOT = Path(__file__).resolve().parents[1]
COUNTS = {"planned", "ok", "refused", "blocked", "invalid", "failed", "unjudged"}
ESTIMATE = {"metric", "anchor", "value", "low", "high", "k", "n", "unit", "better", "method", "reason"}
ESTIMATE |= {"per50_mean", "per50_std"}


def values_in(content: Any) -> Iterator[Any]:
    if isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from values_in(part)
    else:
        yield content


# -------------------------------------------------------------------------------------- a good run


def test_a_run_ends_with_tables_on_stdout_and_progress_on_stderr(run: Cli) -> None:
    answer = run("--mitigation", "negprompt:name")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == "fake, judged by fake-judge: 12 of 12 pictures"
    assert [line.split() for line in lines if line.startswith("anchor")] == [
        ["anchor", "none", "negprompt:name", "difference"]
    ] * 2
    assert {line.split()[0] for line in lines if "[" in line} == {"name", "description", "all", "[95"}
    assert f"{folder_of('negprompt:name')}/report.html" in answer.out
    assert "generate fake + none: 12 of 12" in answer.err
    assert "generate" not in answer.out


def test_a_run_folder_holds_what_the_contract_says(run: Cli) -> None:
    run("--mitigation", "negprompt:name")
    baseline, mitigated = folder_of("none"), folder_of("negprompt:name")
    common = {"run.json", "samples.jsonl", "metrics.json", "report.html", "images", "judgements", ".lock"}
    assert {p.name for p in baseline.iterdir()} == common
    assert {p.name for p in mitigated.iterdir()} == common | {"comparison.json"}
    assert len(list((mitigated / "images").iterdir())) == 12
    assert [p.name for p in (mitigated / "judgements").iterdir()] == ["fake-judge-1.jsonl"]
    assert [json.loads(line)["key"] for line in (mitigated / "judgements/fake-judge-1.jsonl").open()] == [
        sample["key"] for sample in samples_of(mitigated)
    ]


def test_every_file_that_the_report_links_to_is_there(run: Cli) -> None:
    run("--mitigation", "negprompt:name")
    for folder in (folder_of("none"), folder_of("negprompt:name")):
        page = (folder / "report.html").read_text(encoding="utf-8")
        linked = set(re.findall(r'href="([^"#:]+)"', page))
        assert {"run.json", "samples.jsonl", "metrics.json", "judgements/fake-judge-1.jsonl"} <= linked
        assert [name for name in linked if not (folder / name).exists()] == []


def test_a_narrow_terminal_breaks_long_anchors_at_their_colon(
    run: Cli, characters_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.out, "width", 80)
    answer = run("--mitigation", "negprompt:name", "--anchors", "keywords:authored-1")
    rows = [line.split()[0] for line in answer.out.splitlines() if "[" in line]
    assert rows == ["keywords:", "all"] * 2 + ["[95"]


def test_run_json_says_everything_and_that_the_run_is_finished(run: Cli) -> None:
    run("--mitigation", "negprompt:name", "--steps", 7, "--guidance", 5.5, "--batch-size", 3)
    content = read(folder_of("negprompt:name") / "run.json")
    assert content["status"] == "finished"
    assert content["id"] == folder_of("negprompt:name").name
    assert content["baseline"] == folder_of("none").name
    assert content["spec"]["sampling"] == {
        "steps": 7,
        "guidance": 5.5,
        "width_px": 16,
        "height_px": 16,
        "dtype": "float32",
        "scheduler": "NoScheduler",
    }
    assert content["spec"]["batch_size"] == 3
    assert {"torch", "diffusers", "transformers", "python", "device"} <= set(content["environment"])


def test_metrics_json_has_the_keys_of_the_contract(run: Cli) -> None:
    run("--mitigation", "negprompt:name")
    content = read(folder_of("negprompt:name") / "metrics.json")
    assert set(content) == {
        "schema_version",
        "suite_version",
        "model",
        "mitigation",
        "judge",
        "characters",
        "is_partial",
        "is_sandbox",
        "is_judge_calibrated",
        "correction",
        "counts",
        "estimates",
    }
    assert set(content["counts"]) == COUNTS
    assert content["counts"]["planned"] == content["counts"]["ok"] == 12
    assert all(set(estimate) == ESTIMATE for estimate in content["estimates"])
    assert {(e["metric"], e["anchor"]) for e in content["estimates"]} == {
        (metric, anchor)
        for metric in ("detect", "any_character", "consistency")
        for anchor in ("name", "description", "all")
    }
    detect = next(e for e in content["estimates"] if (e["metric"], e["anchor"]) == ("detect", "name"))
    assert (detect["n"], detect["unit"], detect["better"]) == (6, "share", "lower")
    assert detect["value"] == detect["k"] / 6
    assert detect["low"] <= detect["value"] <= detect["high"]
    assert detect["per50_mean"] == pytest.approx(50 * detect["value"])


def test_the_figures_are_those_of_the_pictures(run: Cli) -> None:
    run("--mitigation", "negprompt:name")
    folder = folder_of("negprompt:name")
    asked = {sample["key"]: sample["character"] for sample in samples_of(folder)}
    verdicts = [json.loads(line) for line in (folder / "judgements/fake-judge-1.jsonl").open()]
    detected = sum(verdict["detected"] == asked[verdict["key"]] for verdict in verdicts)
    estimates = read(folder / "metrics.json")["estimates"]
    everything = next(e for e in estimates if (e["metric"], e["anchor"]) == ("detect", "all"))
    assert (everything["k"], everything["n"]) == (detected, 12)


def test_metrics_json_holds_no_path_and_no_time_and_is_the_same_wherever_it_is_made(run: Cli) -> None:
    run("--mitigation", "negprompt:name", "--out", "here")
    run("--mitigation", "negprompt:name", "--out", "deep/in/there")
    for mitigation in ("none", "negprompt:name"):
        here, there = (folder_of(mitigation, out) / "metrics.json" for out in ("here", "deep/in/there"))
        assert here.read_bytes() == there.read_bytes()
        texts = [value for value in values_in(read(here)) if isinstance(value, str)]
        assert not [text for text in texts if "/" in text or str(time.gmtime().tm_year) in text]
        assert "seconds" not in here.read_text()


def test_the_baseline_comes_first_and_its_pictures_are_paired_by_seed(run: Cli) -> None:
    answer = run("--mitigation", "negprompt:copyright", "--mitigation", "negprompt:name", "--mitigation", "none")
    assert (
        answer.err.index("+ none:") < answer.err.index("+ negprompt:copyright:") < answer.err.index("+ negprompt:name:")
    )
    assert len(runs_in()) == 3
    paired = [
        [(s["character"], s["anchor"], s["repeat"], s["seed"], s["prompt"]) for s in samples_of(folder_of(name))]
        for name in ("none", "negprompt:copyright", "negprompt:name")
    ]
    assert paired[0] == paired[1] == paired[2]
    comparison = read(folder_of("negprompt:name") / "comparison.json")
    assert comparison["baseline"] == folder_of("none").name
    assert {(e["metric"], e["anchor"], e["unit"]) for e in comparison["estimates"]} >= {
        ("detect_difference", "all", "difference"),
        ("consistency_difference", "name", "difference"),
    }


def test_without_a_mitigation_the_baseline_stands_alone(run: Cli) -> None:
    answer = run()
    assert answer.code == 0
    assert len(runs_in()) == 1
    assert [line.split() for line in answer.out.splitlines() if line.startswith("anchor")] == [["anchor", "none"]] * 2


def test_a_users_own_keywords_can_be_an_anchor(run: Cli) -> None:
    assert run("--anchors", "keywords, keywords:authored-2", "--mitigation", "negprompt:keywords").code == 0
    folder = folder_of("negprompt:authored-5")
    assert read(folder / "run.json")["spec"]["anchors"] == ["keywords:authored-5", "keywords:authored-2"]
    assert samples_of(folder)[1]["prompt"] == "cartoon dog, green hat"


def test_json_is_one_object_and_nothing_else_on_stdout(run: Cli) -> None:
    answer = run("--mitigation", "negprompt:name", "--json")
    content = json.loads(answer.out)
    assert answer.out.count("\n") == 1
    assert [r["metrics"]["mitigation"] for r in content["runs"]] == ["none", "negprompt:name"]
    for one in content["runs"]:
        assert one["metrics"] == read(Path(one["folder"]) / "metrics.json")
        assert Path(one["report"]).is_file()
        assert one["is_valid"] is True
    assert content["runs"][0]["differences"] == []
    assert content["runs"][1]["differences"] == read(folder_of("negprompt:name") / "comparison.json")["estimates"]


def test_a_limit_marks_the_run_as_partial(run: Cli) -> None:
    answer = run("--mitigation", "negprompt:name", "--limit", 5)
    assert answer.out.startswith("fake, judged by fake-judge: 5 of 5 pictures (partial: --limit was set)\n")
    for mitigation in ("none", "negprompt:name"):
        content = read(folder_of(mitigation) / "metrics.json")
        assert (content["is_partial"], content["counts"]["planned"]) == (True, 5)


def test_a_limited_run_and_a_whole_one_do_not_share_a_folder(run: Cli) -> None:
    run("--limit", 5)
    run()
    assert len(runs_in()) == 2


@pytest.mark.slow
def test_two_models_in_one_command_have_folders_of_their_own(run: Cli, tiny_pipeline: Path) -> None:
    answer = run("--model", tiny_pipeline, "--steps", 1, "--limit", 2)
    assert answer.code == 0
    assert {path.name.split("+")[0] for path in runs_in()} == {"fake", "tiny"}


# ------------------------------------------------------------------------------------- repeating


def test_the_same_command_again_makes_nothing_and_changes_no_byte(run: Cli, doubles: Doubles) -> None:
    run("--mitigation", "negprompt:name")
    before = tree(Path("runs"))
    doubles.forget()
    assert run("--mitigation", "negprompt:name").code == 0
    assert (doubles.generated, doubles.judged) == ([], [])
    assert tree(Path("runs")) == before


def test_fresh_starts_again(run: Cli, doubles: Doubles) -> None:
    run()
    run("--fresh")
    assert len(doubles.generated) == 24


def test_another_judge_uses_the_pictures_that_are_there(run: Cli, doubles: Doubles) -> None:
    run()
    doubles.switch(judge_revision="2")
    doubles.forget()
    run()
    assert (len(doubles.generated), len(doubles.judged)) == (0, 12)
    assert {p.name for p in (folder_of("none") / "judgements").iterdir()} == {
        "fake-judge-1.jsonl",
        "fake-judge-2.jsonl",
    }


def test_a_picture_that_was_changed_is_told_once_and_made_again(
    run: Cli, doubles: Doubles, caplog: pytest.LogCaptureFixture
) -> None:
    run("--batch-size", 1)
    picture = folder_of("none") / samples_of(folder_of("none"))[3]["image"]
    before = picture.read_bytes()
    picture.write_bytes(b"")
    doubles.forget()
    assert run("--batch-size", 1).code == 0
    assert doubles.generated == [picture.stem]
    assert picture.read_bytes() == before
    assert [record.getMessage() for record in caplog.records] == [
        f"picture images/{picture.name} is missing or was changed; it is made again"
    ]


def test_other_weights_are_another_run(run: Cli, doubles: Doubles) -> None:
    run()
    doubles.switch(revision="2")
    run()
    assert len(runs_in()) == 2
    assert len(doubles.generated) == 24


def test_a_dry_run_makes_nothing(run: Cli, doubles: Doubles) -> None:
    answer = run("--mitigation", "negprompt:name", "--dry-run")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[:2] == [
        "fake: doubles, licence Apache-2.0",
        "  1 steps, guidance 3, 16x16, float32, NoScheduler; batches of 4 on cpu",
    ]
    runs = [line for line in lines if " -> " in line]
    assert [line.partition(" -> ")[0] for line in runs] == [
        "  none: 12 pictures (0 made), 12 to make",
        "  negprompt:name: 12 pictures (0 made), 12 to make",
    ]
    assert [line.partition(" -> ")[2].startswith("runs/fake+") for line in runs] == [True, True]
    assert any(line.startswith("  requests   24 pictures: 0 made, 24 to make") for line in lines)
    assert not Path("runs").exists()
    assert doubles.generated == []


def test_a_dry_run_on_a_broken_off_run_counts_and_changes_nothing(run: Cli, doubles: Doubles) -> None:
    run()
    journal = folder_of("none") / "samples.jsonl"
    journal.write_bytes(journal.read_bytes()[:-10])
    before = tree(Path("runs"))
    assert "  none: 12 pictures (11 made)" in run("--dry-run").out
    assert tree(Path("runs")) == before


# -------------------------------------------------------------------------------------- exit code 1


def test_a_run_with_too_little_coverage_ends_with_1_and_says_why(run: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"max/name": "invalid"})
    answer = run()
    assert answer.code == 1
    assert answer.out.startswith("fake, judged by fake-judge: 10 of 12 pictures\n")
    assert answer.err.endswith(
        "not valid: 83.3 % of 12 planned pictures of 'none' were judged, refused or blocked; 98 % are needed\n"
    )
    assert json.loads(run("--json").out)["runs"][0]["is_valid"] is False


def test_failed_requests_end_with_1_and_the_same_command_mends_it(run: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"max": "failed"})
    assert run().code == 1
    doubles.switch()
    assert run().code == 0
    assert read(folder_of("none") / "metrics.json")["counts"] == dict.fromkeys(COUNTS, 0) | {"planned": 12, "ok": 12}


@pytest.mark.parametrize("status", ["refused", "blocked"])
def test_refusals_and_blocks_are_answers_and_are_shown(run: Cli, doubles: Doubles, status: str) -> None:
    doubles.switch(ends={"max": status})
    answer = run()
    counts = read(folder_of("none") / "metrics.json")["counts"]
    assert answer.code == 0
    assert (counts["ok"], counts[status]) == (8, 4)


def test_a_model_that_refuses_everything_gives_zero_detections_and_no_consistency(run: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"my-set": "refused"})
    answer = run("--mitigation", "negprompt:name")
    assert answer.code == 0
    estimates = {(e["metric"], e["anchor"]): e for e in read(folder_of("none") / "metrics.json")["estimates"]}
    assert estimates["detect", "all"]["value"] == 0.0
    assert estimates["consistency", "all"]["value"] is None
    assert estimates["consistency", "all"]["reason"]
    assert "no figure" in answer.out


def test_a_run_without_a_single_picture_or_refusal_has_null_figures_with_a_reason(run: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"my-set": "invalid"})
    assert run().code == 1
    estimates = read(folder_of("none") / "metrics.json")["estimates"]
    assert all(e["value"] is None and e["reason"] for e in estimates)


# ------------------------------------------------------------------------------ exit code 2, texts

SEE = "python -m copycat.eval --list"
MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "an unknown model": (
        ("--model", "fkae"),
        "unknown model 'fkae'\n  did you mean 'fake'?\n"
        f"  see all: {SEE} models; ./folder, hub/repo-id and openai:MODEL work as well",
    ),
    "an unknown mitigation": (
        ("--mitigation", "negpromt"),
        f"unknown mitigation 'negpromt'\n  did you mean 'negprompt'?\n  see all: {SEE} mitigations",
    ),
    "an unknown variant": (
        ("--mitigation", "negprompt:copyrigt"),
        "unknown term 'copyrigt'\n  did you mean 'copyright'?\n  see all: python -m copycat.eval --list mitigations\n"
        "  a list is made by python -m copycat.discover, a published one fetched by python -m copycat.data lists",
    ),
    "an unknown anchor": (
        ("--anchors", "name,descripton"),
        f"unknown anchor 'descripton'\n  did you mean 'description'?\n  see all: {SEE} anchors",
    ),
    "an anchor given twice": (
        ("--anchors", "name,name"),
        "anchor 'name' is given twice\n  needed: each anchor once",
    ),
    "no anchor": (
        ("--anchors", " , "),
        "no anchor given\n  needed: a comma list, e.g. --anchors name,keywords,description",
    ),
    "too many keywords": (
        ("--anchors", "keywords:authored-7"),
        "character 'goofy' has 5 keywords of ranker 'authored', but anchor 'keywords:authored-7' needs 7\n"
        "character 'max' has 5 keywords of ranker 'authored', but anchor 'keywords:authored-7' needs 7\n"
        "character 'bluto' has 5 keywords of ranker 'authored', but anchor 'keywords:authored-7' needs 7\n"
        "  the most that every character has: 'keywords:authored-5'",
    ),
    "an unknown character set": (
        ("--characters", "sandbx"),
        "unknown character set 'sandbx'\n  did you mean 'sandbox'?\n"
        "  a path to a YAML file works as well, such as './my-characters.yaml'",
    ),
    "an unknown judge": (
        ("--judge", "fake-juge"),
        f"unknown judge 'fake-juge'\n  did you mean 'fake-judge'?\n  see all: {SEE} judges",
    ),
    "an unknown dtype": (
        ("--dtype", "float64"),
        "unknown dtype 'float64'\n  did you mean 'float16' or 'bfloat16' or 'float32'?",
    ),
    "an unknown device": (("--device", "gpu"), "unknown device 'gpu'\n  did you mean 'cpu'?"),
    "an unknown kind of list": (
        ("--list", "model"),
        "unknown list 'model'\n  did you mean 'models'?",
    ),
    "a folder that is no pipeline": (
        ("--model", "./nothing"),
        "nothing: no diffusers pipeline there\n  needed: a folder with a model_index.json",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_with_2_and_a_text_that_helps(run: Cli, mistake: str) -> None:
    options, text = MISTAKES[mistake]
    answer = run(*options)
    assert (answer.code, answer.out, answer.err) == (2, "", f"error: {text}\n")
    assert not Path("runs").exists()


def test_no_model_ends_with_2(cli: Cli) -> None:
    answer = cli()
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: no model given\n  needed: --model NAME, e.g. --model sandbox\n  see all: --list models\n"
    )


@pytest.mark.parametrize(
    "typed", ["--seeds 0", "--limit 0", "--guidance -1", "--steps many", "--batch-size 0", "--modle fake", "extra"]
)
def test_a_wrong_option_ends_with_2(run: Cli, typed: str) -> None:
    answer = run(*typed.split())
    assert (answer.code, answer.out) == (2, "")
    assert "Error: " in answer.err
    assert typed.split(maxsplit=1)[0] in answer.err
    assert "Traceback" not in answer.err


def test_a_broken_character_file_shows_every_fault_with_its_line(run: Cli, characters_file: Path) -> None:
    broken = characters_file.read_text().replace("id: max", "id: Max!").replace("    name: Bluto\n", "")
    characters_file.write_text(broken)
    answer = run()
    assert (answer.code, answer.out) == (2, "")
    lines = answer.err.splitlines()
    assert lines[0].startswith("error: mine.yaml:9: ")
    assert lines[1].startswith("mine.yaml:15: ")
    assert "Traceback" not in answer.err


def test_yaml_that_cannot_be_parsed_is_told_with_its_line(run: Cli, characters_file: Path) -> None:
    characters_file.write_text("id: my-set\ncharacters: [\n")
    answer = run()
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: mine.yaml:")
    assert "Traceback" not in answer.err


def test_a_character_file_that_is_not_there_is_told_by_its_name(run: Cli) -> None:
    answer = run("--characters", "not-there.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: not-there.yaml")


def test_a_mistake_in_the_last_model_is_found_before_the_first_one_starts(run: Cli, doubles: Doubles) -> None:
    assert run("--model", "sdlx").code == 2
    assert doubles.generated == []


def test_a_negative_prompt_without_guidance_is_refused_before_anything_is_made(run: Cli, tiny_pipeline: Path) -> None:
    answer = run("--model", tiny_pipeline, "--guidance", "1", "--mitigation", "negprompt:name")
    assert answer.code == 2
    assert answer.err.startswith("error: 'tiny' cannot honour a negative prompt with guidance 1\n")
    assert not Path("runs").exists()


def test_a_folder_in_which_somebody_works_is_refused(run: Cli) -> None:
    import fcntl

    run()
    with (folder_of("none") / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = run()
    assert answer.code == 2
    assert answer.err == (
        f"error: another process is working in {folder_of('none')}\n  wait for it, or use another --out folder\n"
    )


def test_an_edited_journal_is_told_with_file_and_line(run: Cli) -> None:
    run()
    journal = folder_of("none") / "samples.jsonl"
    journal.write_text(journal.read_text().replace('"status": "ok"', '"status": "fine"', 1))
    answer = run()
    assert answer.code == 2
    assert answer.err.startswith(f"error: {journal}:1: field 'status': ")
    assert answer.err.endswith("restore it, or start the run again with --fresh\n")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space; everything finished is kept, and the same command goes on from there"),
        (errno.EACCES, "choose a folder that you may write to: --out DIR"),
        (errno.EROFS, "the disk is read-only; choose another folder: --out DIR"),
    ],
    ids=["disk full", "not allowed", "read-only"],
)
def test_a_disk_that_takes_no_more_is_told_without_a_traceback_and_nothing_is_lost(
    run: Cli, doubles: Doubles, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    replace, count = Path.replace, 0

    def replace_until_full(self: Path, target: Path) -> Path:
        nonlocal count
        count += str(target).endswith(".png")
        if count > 6:
            raise OSError(number, os.strerror(number), str(target))
        return replace(self, target)

    with monkeypatch.context() as full:
        full.setattr(Path, "replace", replace_until_full)
        answer = run()
    made = doubles.generated
    assert answer.code == 2
    error = answer.err[answer.err.index("error: ") :]
    assert error.startswith("error: cannot write 'runs/fake+none+my-set+")
    assert error.endswith(f".png': {os.strerror(number)}\n  {advice}\n")
    assert len(samples_of(folder_of("none"))) == 4
    doubles.forget()
    assert run().code == 0
    assert doubles.generated[0] == made[4]


@pytest.mark.parametrize("out", ["mine.yaml", "mine.yaml/runs"])
def test_a_file_in_the_way_of_the_folder_is_told(run: Cli, out: str) -> None:
    answer = run("--out", out)
    assert answer.code == 2
    assert answer.err.startswith("error: cannot write 'mine.yaml/")
    assert answer.err.endswith("\n  a file is in the way; choose another folder: --out DIR\n")


def test_the_report_repeats_the_command_without_what_deletes_pictures(run: Cli) -> None:
    run("--fresh", "--json")
    page = (folder_of("none") / "report.html").read_text(encoding="utf-8")
    (command,) = re.findall(r"<code>(python -m copycat.eval .*)</code>", page)
    assert "--model fake" in command
    assert not {"--fresh", "--json"} & set(command.split())


# ---------------------------------------------------------------------------- interruption and bugs


def test_ctrl_c_keeps_what_is_finished_and_ends_with_130(run: Cli, doubles: Doubles) -> None:
    doubles.switch(interrupt_after=2)
    answer = run("--mitigation", "negprompt:name")
    assert (answer.code, answer.out) == (130, "")
    assert answer.err.endswith("\ninterrupted; everything finished is kept, and the same command goes on from there\n")
    assert len(samples_of(folder_of("none"))) == 8
    assert read(folder_of("none") / "run.json")["status"] == "running"
    doubles.switch()
    assert run("--mitigation", "negprompt:name").code == 0
    assert len(doubles.generated) == len(set(doubles.generated)) == 24


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_a_process_of_its_own_ends_it_with_a_code_and_a_word(
    doubles: Doubles, characters_file: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    doubles.switch(seconds=0.2)
    # A shell's background job ignores Ctrl-C and hands that down; a handler of ours is reset in the child instead.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "copycat.eval", "--model", "fake", "--judge", "fake-judge", "--device", "cpu"]
    command += ["--characters", str(characters_file), "--anchors", "name", "--seeds", "50"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=doubles.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        signal.signal(signal.SIGINT, inherited)
        deadline = time.monotonic() + 60
        while len(doubles.generated) < 8 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert "interrupted; everything finished is kept" in err
    assert "Traceback" not in err


def test_a_bug_shows_its_traceback(run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(FakeModel, "generate", fall_over)
    with pytest.raises(ZeroDivisionError):
        run()


# ----------------------------------------------------------------------------------- list and help


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("models", {"sandbox", "sdxl", "fake"}),
        ("mitigations", {"none", "negprompt:best|name|copyright|keywords|name,keywords|universal"}),
        ("judges", {"sandbox", "fake-judge"}),
        ("anchors", {"name", "description", "keywords:authored-3", "keywords:authored-5"}),
        ("characters", {"copycat50", "sandbox", "unseen50"}),
    ],
)
def test_a_list_names_everything_of_its_kind(run: Cli, kind: str, names: set[str]) -> None:
    answer = run("--list", kind)
    assert (answer.code, answer.err) == (0, "")
    listed = {line.split()[0] for line in answer.out.splitlines() if line.strip() and not line.startswith(" ")}
    assert names <= listed


def test_help_is_on_stdout_and_names_every_option(cli: Cli) -> None:
    answer = cli("--help")
    assert (answer.code, answer.err) == (0, "")
    for option in ("--model", "--mitigation", "--characters", "--anchors", "--seeds", "--limit", "--json", "--fresh"):
        assert option in answer.out


HEAVY = ("torch", "diffusers", "transformers", "open_clip", "openai", "ray", "pandas", "scipy", "huggingface_hub")


@pytest.mark.parametrize("option", ["--help", "--list mitigations", "--list models"])
def test_help_and_lists_import_no_heavy_library(option: str) -> None:
    script = f"""
import sys
from copycat.commands.eval import app
sys.argv = ["copycat.eval", *{option.split()!r}]
try:
    app()
except SystemExit:
    pass
print("heavy:", *sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_the_module_itself_imports_no_heavy_library() -> None:
    script = f"import sys, copycat.eval; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


# ------------------------------------------------------------------------------- a real pipeline


def test_the_whole_job_on_a_real_pipeline(run: Cli, tiny_pipeline: Path, cli: Cli) -> None:
    options = ("--judge", "fake-judge", "--characters", "mine.yaml", "--anchors", "name,keywords", "--device", "cpu")
    options += ("--seeds", "1", "--steps", "2", "--batch-size", "4", "--mitigation", "negprompt:name")
    answer = cli("--model", tiny_pipeline, *options)
    assert answer.code == 0
    baseline, mitigated = folder_of("none"), folder_of("negprompt:name")
    assert [s["status"] for s in samples_of(mitigated)] == ["ok"] * 6
    pairs = zip(samples_of(baseline), samples_of(mitigated), strict=True)
    assert all(b["seed"] == m["seed"] and b["sha256"] != m["sha256"] for b, m in pairs)
    assert read(mitigated / "run.json")["spec"]["sampling"]["steps"] == 2
    before = tree(Path("runs"))
    assert cli("--model", tiny_pipeline, *options).code == 0
    assert tree(Path("runs")) == before


@pytest.mark.slow
def test_a_pipeline_that_was_changed_is_another_run(run: Cli, tiny_pipeline: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_pipeline, tmp_path / "model"))
    run("--model", model, "--steps", 1, "--limit", 1)
    config = model / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("0.00085", "0.0009").replace("0.0001", "0.00012"))
    run("--model", model, "--steps", 1, "--limit", 1)
    assert sum(path.name.startswith("model+") for path in runs_in()) == 2


# ------------------------------------------------------------------------- corrected figures


def calibrate(run_folder: Path, **fields: Any) -> None:
    """Put a calibration of the fake judge beside the runs."""
    cell = {"character": "goofy", "tp": 80, "fn": 20, "fp": 10, "tn": 90}
    content = {
        "judge": "fake-judge",
        "judge_revision": "1",
        "characters": "my-set",
        "source": "labels of somebody",
        "labels_sha256": "ab",
        "n_labels": 200,
        "cells": [cell, {**cell, "character": "bluto"}, {**cell, "character": "minnie"}],
    } | fields
    path = run_folder / "calibrations" / "fake-judge-1+my-set.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def metrics_of(mitigation: str) -> dict[str, Any]:
    return {e["metric"]: e for e in read(folder_of(mitigation) / "metrics.json")["estimates"] if e["anchor"] == "all"}


def test_once_a_judge_is_calibrated_every_rate_is_shown_raw_and_corrected(run: Cli, doubles: Doubles) -> None:
    run("--mitigation", "negprompt:name", "--seeds", 6)
    assert "detect_corrected" not in metrics_of("none")
    calibrate(Path("runs"))
    doubles.forget()
    answer = run("--mitigation", "negprompt:name", "--seeds", 6)
    assert (answer.code, doubles.generated, doubles.judged) == (0, [], [])
    assert "DETECT, corrected" in answer.out
    assert "corrected by 200 labels (rogan-gladen): labels of somebody" in answer.out
    for mitigation in ("none", "negprompt:name"):
        found = metrics_of(mitigation)
        raw, corrected = found["detect"]["value"], found["detect_corrected"]["value"]
        assert corrected == pytest.approx(min(1, max(0, (raw + 0.9 - 1) / 0.7)))
        assert read(folder_of(mitigation) / "metrics.json")["correction"]["method"] == "rogan-gladen"
    compared = {e["metric"] for e in read(folder_of("negprompt:name") / "comparison.json")["estimates"]}
    assert "detect_corrected_difference" in compared
    page = (folder_of("negprompt:name") / "report.html").read_text(encoding="utf-8")
    assert "corrected for the judge" in page
    assert "judge not calibrated" not in page


def test_a_run_keeps_the_calibration_that_it_was_corrected_with(run: Cli) -> None:
    run()
    calibrate(Path("runs"))
    run()
    before = (folder_of("none") / "metrics.json").read_bytes()
    shutil.rmtree("runs/calibrations")
    run()
    assert (folder_of("none") / "metrics.json").read_bytes() == before


def test_a_calibration_of_another_revision_corrects_nothing(run: Cli) -> None:
    run()
    calibrate(Path("runs"), judge_revision="1-and-more")
    run()
    assert "detect_corrected" not in metrics_of("none")


def test_a_broken_calibration_is_told_with_its_file(run: Cli) -> None:
    run()
    calibrate(Path("runs"), n_labels=0)
    answer = run()
    assert answer.code == 2
    assert "runs/calibrations/fake-judge-1+my-set.json: cannot be read as a calibration" in answer.err
