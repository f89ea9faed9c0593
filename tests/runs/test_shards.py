"""Parts of a run that several processes draw side by side, and the whole that they make."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harness import Cli, Doubles
from plan_builders import SPEC, changed, plan_of, requests_of, run_file
from run_folders import folder_of, lines_of, read, samples_of, tree, without_seconds

from copycat.errors import UserError
from copycat.runs.folder import RunFolder
from copycat.runs.shards import Shard, parse_shard
from copycat.schema import CharacterSet, Sample

PATIENCE_SECONDS = 60.0
BATCH = ("--batch-size", 1)


# ------------------------------------------------------------------------------------- the parts


@pytest.mark.parametrize("count", range(1, 9))
def test_shards_are_disjoint_and_together_the_whole(count: int) -> None:
    parts = [Shard(index, count).of(range(7)) for index in range(1, count + 1)]
    assert sorted(batch for part in parts for batch in part) == list(range(7))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(("text", "index", "count"), [("1/1", 1, 1), ("3/8", 3, 8), ("08/12", 8, 12)])
def test_a_shard_is_read(text: str, index: int, count: int) -> None:
    assert parse_shard(text) == Shard(index, count)


WRONG = ["0/3", "4/3", "1/0", "3", "1/", "/3", "1/3/3", "-1/3", "a/b", "1.0/3", "1 / 3", "1/3 ", "²/3"]


@pytest.mark.parametrize("text", WRONG)
def test_a_shard_of_the_wrong_form_is_refused(run: Cli, text: str) -> None:
    answer = run("--shard", text)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"error: --shard '{text}' has the wrong form\n  needed: i/n with i from 1 to n, such as --shard 3/8\n"
        "  in a SLURM array: --shard $((SLURM_ARRAY_TASK_ID + 1))/$SLURM_ARRAY_TASK_COUNT\n"
    )
    assert not Path("runs").exists()


def test_an_empty_shard_is_refused(run: Cli) -> None:
    """What a script gives whose variables are not set."""
    assert run("--shard", "").code == 2


def test_a_shard_that_would_delete_what_the_others_draw_is_refused(run: Cli, doubles: Doubles) -> None:
    run("--shard", "1/2")
    before = tree(Path("runs"))
    answer = run("--shard", "2/2", "--fresh")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: --fresh and --shard do not go together\n")
    assert tree(Path("runs")) == before


# ------------------------------------------------------------------------------ the same as a whole


def same_but_for_the_time(one: Path, other: Path) -> None:
    for mitigation in ("none", "negprompt:name"):
        folders = [folder_of(mitigation, out) for out in (one, other)]
        trees = [tree(folder) for folder in folders]
        samples = [without_seconds(samples_of(folder)) for folder in folders]
        assert samples[0] == samples[1]
        for content in trees:
            del content["samples.jsonl"]
            content["report.html"] = re.sub(rb"(?s)<code>.*?</code>", b"", content["report.html"])
        assert trees[0] == trees[1]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_shards_and_the_command_without_one_give_what_an_unsharded_run_gives(
    run: Cli, doubles: Doubles, order: tuple[int, ...]
) -> None:
    options = ("--mitigation", "negprompt:name", "--batch-size", 2)
    run(*options, "--out", "whole")
    doubles.forget()
    for index in order:
        answer = run(*options, "--out", "parts", "--shard", f"{index}/3")
        assert answer.code == 0
        assert doubles.judged == []
        assert f"fake + none, shard {index}-of-3: 4 pictures  {folder_of('none', 'parts')}\n" in answer.out
    assert len(doubles.generated) == len(set(doubles.generated)) == 24
    assert run(*options, "--out", "parts").code == 0
    assert len(doubles.generated) == 24
    same_but_for_the_time(Path("parts"), Path("whole"))


def test_a_shard_that_was_left_out_is_drawn_by_the_command_without_one(run: Cli, doubles: Doubles) -> None:
    options = ("--mitigation", "negprompt:name", "--batch-size", 2)
    run(*options, "--out", "whole")
    doubles.forget()
    for index in (1, 3):
        run(*options, "--out", "parts", "--shard", f"{index}/3")
    run(*options, "--out", "parts")
    assert len(doubles.generated) == len(set(doubles.generated)) == 24
    same_but_for_the_time(Path("parts"), Path("whole"))


def test_a_shard_of_a_plan_with_fewer_batches_has_nothing_to_draw(run: Cli, doubles: Doubles) -> None:
    answer = run("--batch-size", 12, "--shard", "2/2")
    assert (answer.code, doubles.generated) == (0, [])
    assert "shard 2-of-2: 0 pictures" in answer.out
    assert run("--batch-size", 12).code == 0


def test_a_shard_answers_in_json(run: Cli) -> None:
    answer = run("--shard", "1/2", "--json")
    (one,) = json.loads(answer.out)["shards"]
    assert one == {
        "folder": str(folder_of("none")),
        "model": "fake",
        "mitigation": "none",
        "n_finished": 8,
        "n_failed": 0,
        "is_benign": False,
    }


def test_another_number_of_shards_goes_on_from_what_is_there(run: Cli, doubles: Doubles) -> None:
    run("--out", "whole", *BATCH)
    doubles.forget()
    run(*BATCH, "--shard", "1/3")
    assert len(doubles.generated) == 4
    for index in (1, 2):
        run(*BATCH, "--shard", f"{index}/2")
    assert len(doubles.generated) == len(set(doubles.generated)) == 12
    run(*BATCH)
    assert len(doubles.generated) == 12
    assert without_seconds(samples_of(folder_of("none"))) == without_seconds(samples_of(folder_of("none", "whole")))
    assert not list(folder_of("none").glob("samples-*"))


def test_a_shard_begins_where_an_unsharded_run_was_broken_off(run: Cli, doubles: Doubles) -> None:
    doubles.switch(interrupt_after=5)
    assert run(*BATCH).code == 130
    doubles.switch()
    for index in (1, 2):
        run(*BATCH, "--shard", f"{index}/2")
    run(*BATCH)
    assert len(doubles.generated) == len(set(doubles.generated)) == 12


def test_a_shard_after_the_end_of_the_run_draws_nothing(run: Cli, doubles: Doubles) -> None:
    run()
    before = {name: content for name, content in tree(folder_of("none")).items() if ".lock" not in name}
    doubles.forget()
    assert run("--shard", "1/2").code == 0
    assert doubles.generated == []
    after = {name: content for name, content in tree(folder_of("none")).items() if ".lock" not in name}
    assert after == before


def test_failed_pictures_of_a_shard_end_with_1_and_are_tried_again(run: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"max/name": "failed"})
    answer = run(*BATCH, "--shard", "1/2")
    assert answer.code == 1
    assert "shard 1-of-2: 4 pictures, 2 failed: the same command tries them again" in answer.out
    doubles.switch()
    doubles.forget()
    assert run(*BATCH, "--shard", "1/2").code == 0
    assert len(doubles.generated) == 2
    run(*BATCH)
    assert {sample["status"] for sample in samples_of(folder_of("none"))} == {"ok"}


def test_a_picture_of_a_shard_that_was_changed_since_is_drawn_again(run: Cli, doubles: Doubles) -> None:
    run("--out", "whole", *BATCH)
    run(*BATCH, "--shard", "1/2")
    (line, *_) = lines_of(folder_of("none") / "samples-1-of-2.jsonl")
    (folder_of("none") / line["image"]).write_bytes(b"")
    doubles.forget()
    run(*BATCH)
    assert doubles.generated.count(line["key"]) == 1
    assert without_seconds(samples_of(folder_of("none"))) == without_seconds(samples_of(folder_of("none", "whole")))


def test_a_journal_of_a_shard_that_a_crash_cut_off_loses_its_last_line_only(run: Cli, doubles: Doubles) -> None:
    run(*BATCH, "--shard", "1/2")
    journal = folder_of("none") / "samples-1-of-2.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    lost = doubles.generated[-1]
    doubles.forget()
    run(*BATCH, "--shard", "1/2")
    assert doubles.generated == [lost]


def test_a_crash_between_taking_the_journals_together_and_deleting_them_loses_and_repeats_nothing(
    run: Cli, doubles: Doubles
) -> None:
    run(*BATCH, "--shard", "1/2")
    journal = folder_of("none") / "samples-1-of-2.jsonl"
    copy = Path(shutil.copy(journal, "copy"))
    run(*BATCH)
    before = tree(folder_of("none"))
    shutil.copy(copy, journal)
    doubles.forget()
    run(*BATCH)
    assert doubles.generated == []
    assert tree(folder_of("none")) == before


# ----------------------------------------------------------------------------------- side by side


def start(out: Path, characters_file: Path, doubles: Doubles, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "copycat.eval", "--model", "fake", "--judge", "fake-judge", "--device", "cpu"]
    command += ["--characters", str(characters_file), "--anchors", "name,description", "--seeds", "4"]
    command += ["--batch-size", "1", "--out", out.name, *more]
    return subprocess.Popen(
        command, cwd=out.parent, env=doubles.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, err


def wait_for_lines(out: Path, index: int, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(lines_of_shard(out, index)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the shard makes no progress"
        time.sleep(0.002)


@pytest.mark.slow
def test_shards_draw_at_the_same_time_in_processes_of_their_own_and_one_killed_repeats_nothing(
    tmp_path: Path, characters_file: Path, doubles: Doubles
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    unsharded = start(whole, characters_file, doubles)
    assert end_of(unsharded)[0] == 0
    doubles.forget()
    doubles.switch(seconds=0.03)
    shards = [start(parts, characters_file, doubles, "--shard", f"{index}/3") for index in (1, 2, 3)]
    wait_for_lines(parts, 1, 1, shards[0])
    shards[0].send_signal(signal.SIGSTOP)  # in the middle of its work while the others draw
    wait_for_lines(parts, 2, 3, shards[1])
    shards[1].send_signal(signal.SIGKILL)
    shards[1].communicate()
    kept = {line["key"] for line in lines_of_shard(parts, 2)}
    assert end_of(shards[2])[0] == 0
    assert 0 < len(lines_of_shard(parts, 1)) < 8
    shards[0].send_signal(signal.SIGCONT)
    assert end_of(shards[0])[0] == 0
    made = len(doubles.generated)
    assert end_of(start(parts, characters_file, doubles, "--shard", "2/3"))[0] == 0
    assert not kept & set(doubles.generated[made:])
    assert end_of(start(parts, characters_file, doubles))[0] == 0

    folders = [folder_of("none", out) for out in (parts, whole)]
    samples = [without_seconds(samples_of(folder)) for folder in folders]
    assert samples[0] == samples[1]
    assert len(samples[0]) == 24
    contents = [{k: v for k, v in tree(f).items() if k not in ("samples.jsonl", "report.html")} for f in folders]
    assert contents[0] == contents[1]


def lines_of_shard(out: Path, index: int) -> list[dict[str, Any]]:
    """The whole lines of its journal; none before it has one."""
    content = b"".join(path.read_bytes() for path in out.glob(f"*/samples-{index}-of-3.jsonl"))
    return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]


# ------------------------------------------------------------------------------------------ locks


def opened(path: Path, shard: Shard | None = None) -> RunFolder:
    folder = RunFolder(path, shard)
    folder.open(run_file())
    return folder


def test_shards_share_a_folder_and_no_shard_is_drawn_twice_at_a_time(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "run", Shard(1, 2)), opened(tmp_path / "run", Shard(2, 2))
    with pytest.raises(UserError, match="another process is working in"):
        opened(tmp_path / "run", Shard(1, 2))
    first.close()
    opened(tmp_path / "run", Shard(1, 2)).close()
    second.close()


def test_shards_of_two_numbers_are_not_drawn_at_the_same_time(tmp_path: Path) -> None:
    first = opened(tmp_path / "run", Shard(1, 2))
    with pytest.raises(UserError, match="another process is working in"):
        opened(tmp_path / "run", Shard(2, 3))
    first.close()
    opened(tmp_path / "run", Shard(2, 3)).close()


def test_a_shard_keeps_the_command_without_one_out_and_the_other_way_round(run: Cli) -> None:
    run("--limit", 1)
    path = folder_of("none")
    told = f"error: another process is working in {path}\n  wait for it, or use another --out folder\n"
    for holder, options in ((Shard(1, 2), ()), (None, ("--shard", "1/2"))):
        folder = RunFolder(path, holder)
        folder.open(folder.read_run())
        answer = run("--limit", 1, *options)
        folder.close()
        assert (answer.code, answer.out, answer.err) == (2, "", told)
        assert run("--limit", 1, *options).code == 0


def test_a_shard_at_work_keeps_fresh_from_deleting_its_pictures(run: Cli) -> None:
    run("--limit", 1)
    folder = RunFolder(folder_of("none"), Shard(1, 2))
    folder.open(folder.read_run())
    assert run("--limit", 1, "--fresh").code == 2
    folder.close()
    assert len(samples_of(folder.path)) == 1


@pytest.mark.slow
def test_shards_that_begin_at_the_same_moment_agree_on_one_run_json(
    tmp_path: Path, characters_file: Path, doubles: Doubles
) -> None:
    script = f"""
import sys, threading
from pathlib import Path
from plan_builders import run_file
from copycat.runs.folder import RunFolder
from copycat.runs.shards import Shard
begin, failed = threading.Barrier(8), []
def take_part(path, index):
    folder = RunFolder(path, Shard(index, 8))
    begin.wait()
    try:
        folder.open(run_file(begun_by=str(index)))
        seen.append(folder.read_run().environment["begun_by"])
    except BaseException as error:
        failed.append(repr(error))
for number in range(40):
    path, seen = Path({str(tmp_path)!r}) / str(number), []
    threads = [threading.Thread(target=take_part, args=(path, index)) for index in range(1, 9)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    if len(set(seen)) != 1: failed.append(seen)
print(failed)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=doubles.environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# ------------------------------------------------------------------------------------- the folder


def test_a_shard_has_a_journal_of_its_own_and_reads_those_of_the_others(
    tmp_path: Path, characters: CharacterSet
) -> None:
    request = requests_of(characters)[0]
    folders = [RunFolder(tmp_path, shard) for shard in (Shard(1, 2), Shard(2, 2), None)]
    for folder in folders:
        line = request.model_copy(update={"key": folder.samples_path.stem}).model_dump(exclude={"prompt_id"})
        folder.append_samples([Sample(**line, status="refused")])
    assert [[s.key for s in folder.read_samples()] for folder in folders] == [
        ["samples-1-of-2"],
        ["samples-2-of-2"],
        ["samples"],
    ]
    assert [[s.key for s in folder.read_other_samples()] for folder in folders] == [
        ["samples-2-of-2", "samples"],
        ["samples-1-of-2", "samples"],
        ["samples-1-of-2", "samples-2-of-2"],
    ]


def test_an_unfinished_run_of_another_spec_is_refused_to_a_shard_as_well(tmp_path: Path) -> None:
    opened(tmp_path / "run").close()
    with pytest.raises(UserError, match="belongs to another run"):
        RunFolder(tmp_path / "run", Shard(1, 2)).open(run_file(changed(SPEC, seeds=9)))


def test_the_plan_of_a_shard_does_not_move_a_key(characters: CharacterSet) -> None:
    batches = [plan_of(characters).requests[i : i + 4] for i in range(0, 12, 4)]
    assert [Shard(index, 3).of(batches) for index in (1, 2, 3)] == [[batch] for batch in batches]


def test_the_run_is_running_until_the_command_without_a_shard_has_ended(run: Cli) -> None:
    run("--shard", "1/1")
    assert read(folder_of("none") / "run.json")["status"] == "running"
    assert not (folder_of("none") / "metrics.json").exists()
    run()
    assert read(folder_of("none") / "run.json")["status"] == "finished"
