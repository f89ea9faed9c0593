"""The loops: make what is missing, judge what is missing, and no more."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from copycat_doubles import FakeJudge, FakeModel
from harness import Doubles
from plan_builders import SPEC, changed, plan_of

from copycat.runs import judging, runner
from copycat.runs.executors import LocalExecutor
from copycat.runs.folder import RunFolder
from copycat.runs.judging import Bench
from copycat.runs.runner import Advance, Plan
from copycat.schema import CharacterSet, Judgement, Sample


@pytest.fixture
def plan(characters: CharacterSet) -> Plan:
    """Twelve requests in batches of five: 5, 5, 2."""
    return plan_of(characters, changed(SPEC, batch_size=5))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def generate(plan: Plan, folder: RunFolder) -> list[Sample]:
    return generate_with(FakeModel(), plan, folder, lambda count: None)


def generate_with(model: FakeModel, plan: Plan, folder: RunFolder, advance: Advance) -> list[Sample]:
    return runner.generate(plan, folder, LocalExecutor(model, overlaps=False), advance)


def judge(plan: Plan, folder: RunFolder, samples: list[Sample], characters: CharacterSet) -> list[Judgement]:
    return judging.judge_pictures(plan, folder, samples, Bench(FakeJudge(), characters), lambda count: None)


def contents(folder: RunFolder) -> dict[str, bytes]:
    return {p.relative_to(folder.path).as_posix(): p.read_bytes() for p in folder.path.rglob("*") if p.is_file()}


def keys(plan: Plan) -> list[str]:
    return [request.key for request in plan.requests]


# ------------------------------------------------------------------------------------ generating


def test_every_request_becomes_a_sample_in_the_order_of_the_plan(
    plan: Plan, folder: RunFolder, doubles: Doubles
) -> None:
    samples = generate(plan, folder)
    assert [s.key for s in samples] == keys(plan)
    assert folder.read_samples() == samples
    assert {s.status for s in samples} == {"ok"}
    assert {(s.width, s.height) for s in samples} == {(16, 16)}
    assert sorted(p.name for p in folder.images.iterdir()) == sorted(f"{key}.png" for key in keys(plan))


def test_a_sample_says_what_was_sent(characters: CharacterSet, folder: RunFolder, doubles: Doubles) -> None:
    plan = plan_of(characters, changed(SPEC, mitigation="negprompt:name"))
    sample = generate(plan, folder)[0]
    assert (sample.prompt, sample.prompt_sent, sample.negative_prompt) == ("Goofy", "Goofy", "Goofy")
    assert sample.seed == plan.requests[0].seed
    assert sample.seconds is not None and sample.seconds >= 0


def test_the_model_is_asked_in_the_batches_of_the_plan(plan: Plan, folder: RunFolder, doubles: Doubles) -> None:
    model = FakeModel()
    generate_with(model, plan, folder, lambda count: None)
    assert model.batches == [tuple(keys(plan)[:5]), tuple(keys(plan)[5:10]), tuple(keys(plan)[10:])]


def test_progress_counts_every_request_once_whether_made_now_or_before(
    plan: Plan, folder: RunFolder, doubles: Doubles
) -> None:
    told: list[int] = []
    generate_with(FakeModel(), plan, folder, told.append)
    assert told == [0, 5, 5, 2]
    told.clear()
    generate_with(FakeModel(), plan, folder, told.append)
    assert told == [12]


def test_a_finished_run_is_repeated_without_making_or_judging_a_picture(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet
) -> None:
    judge(plan, folder, generate(plan, folder), characters)
    runner.add_up(plan, folder, characters)
    before = contents(folder)
    doubles.forget()
    judge(plan, folder, generate(plan, folder), characters)
    runner.add_up(plan, folder, characters)
    assert (doubles.generated, doubles.judged) == ([], [])
    assert contents(folder) == before


@pytest.mark.parametrize("finished", range(13))
def test_a_run_broken_off_anywhere_ends_in_the_same_pictures_and_the_same_journal_but_for_the_time(
    plan: Plan, folder: RunFolder, doubles: Doubles, tmp_path: Path, finished: int
) -> None:
    unbroken = RunFolder(tmp_path / "unbroken")
    expected = generate(plan, unbroken)
    folder.images.mkdir(parents=True)
    for sample in expected[:finished]:
        shutil.copy(unbroken.path / str(sample.image), folder.path / str(sample.image))
    folder.append_samples(expected[:finished])

    samples = generate(plan, folder)

    assert [s.model_dump(exclude={"seconds"}) for s in samples] == [s.model_dump(exclude={"seconds"}) for s in expected]
    assert folder.read_samples() == samples
    assert samples[:finished] == expected[:finished]
    pictures = [{k: v for k, v in contents(f).items() if k.startswith("images/")} for f in (folder, unbroken)]
    assert pictures[0] == pictures[1]


def damage(path: Path, how: str, other: Path) -> None:
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:50])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        shutil.copy(other, path)


@pytest.mark.parametrize("how", ["missing", "truncated", "empty", "replaced by another picture"])
def test_a_picture_that_is_not_the_one_finished_is_made_again(
    plan: Plan, folder: RunFolder, doubles: Doubles, how: str
) -> None:
    samples = generate(plan, folder)
    before = contents(folder)
    damage(folder.path / str(samples[3].image), how, folder.path / str(samples[4].image))
    again = generate(plan, folder)
    after = contents(folder)
    assert [s.model_dump(exclude={"seconds"}) for s in again] == [s.model_dump(exclude={"seconds"}) for s in samples]
    assert {k: v for k, v in after.items() if k != "samples.jsonl"} == {
        k: v for k, v in before.items() if k != "samples.jsonl"
    }
    assert doubles.generated == keys(plan) + keys(plan)[:5]  # its whole batch: the same arithmetic


def test_making_a_picture_again_leaves_the_finished_ones_of_its_batch_as_they_are(
    plan: Plan, folder: RunFolder, doubles: Doubles
) -> None:
    doubles.switch(is_random=True)  # as a GPU may be
    samples = generate(plan, folder)
    before = contents(folder)
    (folder.path / str(samples[3].image)).unlink()
    again = generate(plan, folder)
    assert again[3].sha256 != samples[3].sha256
    assert [s for i, s in enumerate(again) if i != 3] == [s for i, s in enumerate(samples) if i != 3]
    changed_files = {k for k, v in contents(folder).items() if before.get(k) != v}
    assert changed_files == {"samples.jsonl", samples[3].image}
    assert all(folder.read_image(sample) for sample in again)


def test_failed_requests_are_tried_again_and_the_others_are_not(
    plan: Plan, folder: RunFolder, doubles: Doubles
) -> None:
    doubles.switch(ends={"max/name": "failed"})
    first = generate(plan, folder)
    assert [s.status for s in first] == ["failed"] * 10 + ["ok"] * 2  # both batches with 'max' in them
    assert {s.detail for s in first if s.status == "failed"} == {"the fake model fell over"}
    doubles.switch()
    doubles.forget()
    second = generate(plan, folder)
    assert {s.status for s in second} == {"ok"}
    assert doubles.generated == keys(plan)[:10]
    assert folder.read_samples() == second


def test_a_failed_batch_does_not_stop_the_others(plan: Plan, folder: RunFolder, doubles: Doubles) -> None:
    doubles.switch(ends={"goofy/name": "failed"})
    assert [s.status for s in generate(plan, folder)] == ["failed"] * 10 + ["ok"] * 2


@pytest.mark.parametrize("status", ["refused", "blocked", "invalid"])
def test_a_request_that_ended_without_a_picture_stands_and_is_counted(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet, status: str
) -> None:
    doubles.switch(ends={"max/description": status})
    judge(plan, folder, generate(plan, folder), characters)
    doubles.switch()
    doubles.forget()
    samples = generate(plan, folder)
    judge(plan, folder, samples, characters)
    counts = runner.add_up(plan, folder, characters).counts
    assert doubles.generated == []
    assert [s.detail for s in samples if s.status == status] == [f"switched to {status}"] * 2
    assert counts.model_dump(include={"planned", "ok", status, "unjudged"}) == {
        "planned": 12,
        "ok": 10,
        status: 2,
        "unjudged": 0,
    }
    assert counts.coverage == (10 / 12 if status == "invalid" else 1.0)


def test_lines_of_other_requests_are_taken_out_of_the_journal(plan: Plan, folder: RunFolder, doubles: Doubles) -> None:
    samples = generate(plan, folder)
    folder.append_samples([samples[0].model_copy(update={"key": "of-an-older-plan"})])
    assert generate(plan, folder) == samples
    assert folder.read_samples() == samples


def test_ctrl_c_keeps_every_batch_that_was_finished(plan: Plan, folder: RunFolder, doubles: Doubles) -> None:
    doubles.switch(interrupt_after=2)
    with pytest.raises(KeyboardInterrupt):
        generate(plan, folder)
    assert [s.key for s in folder.read_samples()] == keys(plan)[:10]
    doubles.switch()
    generate(plan, folder)
    assert doubles.generated == keys(plan)


def test_a_bug_in_a_model_is_not_hidden(plan: Plan, folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(FakeModel, "generate", fall_over)
    with pytest.raises(ZeroDivisionError):
        generate(plan, folder)


# -------------------------------------------------------------------------------------- disk full


@pytest.mark.parametrize(
    "disk",
    [("picture", 7, 5), ("journal", 1, 7)],  # half a batch's lines: two whole ones and one that is cut off
    ids=["picture", "journal"],
)
def test_a_full_disk_loses_nothing_that_was_finished(
    plan: Plan, folder: RunFolder, doubles: Doubles, monkeypatch: pytest.MonkeyPatch, disk: tuple[str, int, int]
) -> None:
    part, after, finished = disk
    with monkeypatch.context() as full:
        fill_disk(full, folder, part, after)
        with pytest.raises(OSError, match="No space left"):
            generate(plan, folder)
    kept = folder.read_samples()
    assert [s.key for s in kept] == keys(plan)[:finished]
    samples = generate(plan, folder)
    assert samples[:finished] == kept
    assert [s.key for s in folder.read_samples()] == keys(plan)
    assert not [p for p in folder.path.rglob("*") if p.name.endswith(".new")]


def fill_disk(monkeypatch: pytest.MonkeyPatch, folder: RunFolder, part: str, after: int) -> None:
    """Let so many pictures, or so many appends to the journal, succeed; the next one is cut off half way."""
    open_file, count = Path.open, 0

    class FullFile:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> FullFile:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, content: bytes) -> None:
            self.file.write(content[: len(content) // 2])
            self.file.flush()
            raise OSError(errno.ENOSPC, "No space left on device", str(folder.path))

    def open_until_full(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        nonlocal count
        is_it = self == folder.samples_path if part == "journal" else self.parent == folder.images
        file = open_file(self, mode, *args, **options)
        if is_it and set(mode) & set("wa"):
            count += 1
            if count > after:
                return FullFile(file)
        return file

    monkeypatch.setattr(Path, "open", open_until_full)


# --------------------------------------------------------------------------------------- judging


def test_every_picture_is_judged_once_and_found_to_be_what_was_drawn(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet
) -> None:
    samples = generate(plan, folder)
    judgements = judge(plan, folder, samples, characters)
    assert [j.key for j in judgements] == keys(plan)
    assert [j.image_sha256 for j in judgements] == [s.sha256 for s in samples]
    assert {j.detected for j in judgements} <= {"goofy", "max", "bluto", None}
    assert all(j.detected in (s.character, None) for j, s in zip(judgements, samples, strict=True))
    assert len(doubles.judged) == 12


def test_only_pictures_are_shown_to_the_judge(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet
) -> None:
    doubles.switch(ends={"goofy": "refused", "max": "invalid"})
    assert {j.key for j in judge(plan, folder, generate(plan, folder), characters)} == {
        request.key for request in plan.requests if request.character == "bluto"
    }


@pytest.mark.parametrize("kept", [0, 1, 5, 11])
def test_judging_goes_on_where_it_was_broken_off(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet, kept: int
) -> None:
    samples = generate(plan, folder)
    path = folder.judgements_path(SPEC)
    whole = judge(plan, folder, samples, characters)
    before = path.read_bytes()
    lines = before.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]) + lines[kept][:20])
    assert judge(plan, folder, samples, characters) == whole
    assert path.read_bytes() == before


def test_judge_batches_are_the_same_after_a_break(
    plan: Plan,
    folder: RunFolder,
    doubles: Doubles,
    characters: CharacterSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judging, "JUDGE_BATCH", 5)
    samples = generate(plan, folder)
    path = folder.judgements_path(SPEC)
    judge(plan, folder, samples, characters)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:7]))
    second = FakeJudge()
    judging.judge_pictures(plan, folder, samples, Bench(second, characters), lambda count: None)
    assert second.batches == [5, 2]  # the batch of which two were known, and the last


def test_the_verdict_on_a_picture_that_was_changed_since_is_not_used(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet
) -> None:
    doubles.switch(is_random=True)
    samples = generate(plan, folder)
    old = judge(plan, folder, samples, characters)
    (folder.path / str(samples[0].image)).unlink()
    again = generate(plan, folder)
    new = judge(plan, folder, again, characters)
    assert new[0].image_sha256 == again[0].sha256 != old[0].image_sha256
    assert new[1:] == old[1:]
    assert folder.read_judgements(SPEC) == new


@pytest.mark.parametrize("edit", [{"seed": 5}, {"prompt_sent": "a cat"}, {"negative_prompt": "x"}, {"repeat": 1}])
def test_a_line_that_is_not_what_was_planned_is_made_again(
    plan: Plan, folder: RunFolder, doubles: Doubles, edit: dict[str, Any]
) -> None:
    samples = generate(plan, folder)
    folder.rewrite_samples([samples[0].model_copy(update=edit), *samples[1:]])
    doubles.forget()
    again = generate(plan, folder)
    assert [s.model_copy(update={"seconds": 0}) for s in again] == [
        s.model_copy(update={"seconds": 0}) for s in samples
    ]
    assert samples[0].key in doubles.generated
    assert folder.read_samples() == again


def test_a_verdict_that_names_nobody_of_the_set_is_asked_for_again(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet
) -> None:
    samples = generate(plan, folder)
    verdicts = judge(plan, folder, samples, characters)
    folder.rewrite_judgements(plan.spec, [v.model_copy(update={"detected": "bob"}) for v in verdicts])
    assert judge(plan, folder, samples, characters) == verdicts


def test_another_revision_of_the_judge_judges_everything_anew_and_leaves_the_old_verdicts(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet
) -> None:
    samples = generate(plan, folder)
    old = judge(plan, folder, samples, characters)
    doubles.forget()
    newer = Plan(spec=changed(plan.spec, judge_revision="2"), requests=plan.requests)
    judge(newer, folder, samples, characters)
    assert len(doubles.judged) == 12
    assert folder.read_judgements(plan.spec) == old
    assert runner.add_up(newer, folder, characters).counts.unjudged == 0


def test_pictures_that_a_judge_fails_on_are_counted_as_unjudged_and_tried_again(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet
) -> None:
    samples = generate(plan, folder)
    doubles.switch(judge_fails=True)
    failed = judge(plan, folder, samples, characters)
    counts = runner.add_up(plan, folder, characters).counts
    assert {(j.detected, j.confidence, j.reason) for j in failed} == {(None, None, "the fake judge fell over")}
    assert (counts.ok, counts.unjudged, counts.coverage) == (12, 12, 0.0)
    doubles.switch()
    assert all(j.is_answered for j in judge(plan, folder, samples, characters))
    assert runner.add_up(plan, folder, characters).counts.unjudged == 0


# ------------------------------------------------------------------------------------- adding up


def test_metrics_can_be_rebuilt_byte_for_byte_from_the_journals(
    plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet
) -> None:
    judge(plan, folder, generate(plan, folder), characters)
    runner.add_up(plan, folder, characters)
    path = folder.path / "metrics.json"
    before = path.read_bytes()
    path.unlink()
    runner.add_up(plan, folder, characters)
    assert path.read_bytes() == before


def test_adding_up_needs_no_picture(plan: Plan, folder: RunFolder, doubles: Doubles, characters: CharacterSet) -> None:
    judge(plan, folder, generate(plan, folder), characters)
    shutil.rmtree(folder.images)
    assert runner.add_up(plan, folder, characters).counts.ok == 12
