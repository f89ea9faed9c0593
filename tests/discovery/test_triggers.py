from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from copycat_doubles import FakeModel, draw
from harness import Doubles

from copycat.discovery.drawing import JOURNAL, Lab, Shots, open_lab
from copycat.discovery.triggers import REPORT, TriggerFound, TriggerJob, detect_of, find_triggers
from copycat.errors import BackendError, ResumeMismatchError, UnknownNameError, UnsupportedError, UserError
from copycat.metrics import wilson
from copycat.models import Picture
from copycat.schema import ImageRequest, Sampling

NOBODY = "nobody"

JobMaker = Callable[..., TriggerJob]


@pytest.fixture
def job(doubles: Doubles, characters_file: Path, tmp_path: Path) -> JobMaker:
    """A search of the fake model for three characters with five keywords each."""
    del doubles

    def make(**changes: Any) -> TriggerJob:
        fixed: dict[str, Any] = {
            "model": "fake",
            "judge": "fake-judge",
            "device": "cpu",
            "characters": str(characters_file),
            "lists": tmp_path / "lists",
            "out": tmp_path / "out",
            "budget": 120,
        }
        return TriggerJob(**{**fixed, **changes})

    return make


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Let the fake model show a character only where the prompt holds all words that this dict gives for it."""
    hidden: dict[str, set[str]] = {}

    def generate(self: FakeModel, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        self.batches.append(tuple(request.key for request in requests))
        pictures = []
        for request in requests:
            wanted = hidden.get(request.character, {NOBODY})
            shown = request.character if wanted <= set(request.prompt_sent.split(", ")) else NOBODY
            pictures.append(
                Picture("ok", draw(request.model_copy(update={"character": shown}), sampling, seed_of(request)))
            )
        return pictures

    monkeypatch.setattr(FakeModel, "generate", generate)
    return hidden


def seed_of(request: ImageRequest) -> str:
    return f"{request.seed}/{request.prompt}"


def by_character(found: Sequence[TriggerFound]) -> dict[str, TriggerFound]:
    return {one.character: one for one in found}


def journal_of(job: TriggerJob) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (job.out / JOURNAL).read_text(encoding="utf-8").splitlines()]


# ------------------------------------------------------------------------------------- the search


def test_hidden_words_of_several_characters_are_found_side_by_side(job: JobMaker, world: dict[str, set[str]]) -> None:
    world |= {"goofy": {"clumsy", "buck teeth"}, "max": {"skateboard"}}
    found = by_character(find_triggers(job(budget=200)).found)
    assert set(found["goofy"].words) == {"clumsy", "buck teeth"}
    assert found["max"].prompt == "skateboard"
    assert found["goofy"].reached
    assert found["bluto"].prompt is None
    assert found["bluto"].reason == "no prompt brought it back"


def test_the_final_figure_is_of_seeds_that_the_search_never_used(job: JobMaker, world: dict[str, set[str]]) -> None:
    world |= {"max": {"skateboard"}}
    wanted = job(only=("max",), fresh=30)
    (found,) = find_triggers(wanted).found
    rows = journal_of(wanted)
    of_trigger = [row for row in rows if row["prompt"] == found.prompt]
    assert len(rows) == found.search_pictures + 30
    assert len({row["seed"] for row in of_trigger}) == found.n + 30
    late = of_trigger[-30:]
    assert found.fresh is not None
    assert (found.fresh.k, found.fresh.n) == (sum(row["seen"] == ["max"] for row in late), 30)


def test_pictures_of_the_final_figure_are_kept_and_those_of_the_search_are_not(
    job: JobMaker, world: dict[str, set[str]]
) -> None:
    world |= {"max": {"skateboard"}}
    wanted = job(only=("max",), fresh=12)
    find_triggers(wanted)
    assert len(list((wanted.out / "images").glob("*.png"))) == 12


def test_nobody_is_drawn_beyond_the_budget_and_the_final_figure(job: JobMaker, doubles: Doubles) -> None:
    report = find_triggers(job(budget=20, fresh=5))
    assert all(one.search_pictures <= 20 for one in report.found)
    assert len(doubles.generated) == sum(one.search_pictures + 5 for one in report.found)


def test_words_that_tell_who_is_meant_are_not_tried_and_are_reported(job: JobMaker, tmp_path: Path) -> None:
    pool = tmp_path / "words.txt"
    pool.write_text("Goofy\ntall dog\nSome Cartoons\nhat\n", encoding="utf-8")
    wanted = job(pool=str(pool), only=("goofy",))
    (found,) = find_triggers(wanted).found
    assert [text.split("'")[1] for text in found.removed] == ["Goofy", "Some Cartoons"]
    prompts = {row["prompt"] for row in journal_of(wanted)}
    assert prompts
    assert not any("goofy" in prompt.lower() or "cartoons" in prompt.lower() for prompt in prompts)


def test_words_that_are_innocent_alone_do_not_spell_a_name_together(
    job: JobMaker, tmp_path: Path, characters_file: Path
) -> None:
    text = characters_file.read_text(encoding="utf-8").replace("name: Max", "name: Max\n    aliases: [Red Skater]")
    characters_file.write_text(text, encoding="utf-8")
    pool = tmp_path / "words.txt"
    pool.write_text("red\nskater\nhoodie\n", encoding="utf-8")
    wanted = job(pool=str(pool), only=("max",))
    find_triggers(wanted)
    prompts = {row["prompt"] for row in journal_of(wanted)}
    assert {"red", "skater"} <= prompts
    assert not any(prompt.startswith("red, skater") for prompt in prompts)


def test_with_the_pool_of_all_a_word_of_another_character_can_be_the_trigger(
    job: JobMaker, world: dict[str, set[str]]
) -> None:
    world |= {"max": {"sailor"}}
    assert by_character(find_triggers(job(pool="all", only=("max",), budget=300)).found)["max"].prompt == "sailor"


def test_the_report_says_what_searched_and_by_which_rules(job: JobMaker) -> None:
    wanted = job(only=("max",))
    report = find_triggers(wanted)
    written = json.loads((wanted.out / REPORT).read_text(encoding="utf-8"))
    assert written == report.model_dump(mode="json")
    assert written["lab"]["model_revision"] == "1"
    assert written["budget"] == 120
    assert not written["is_sandbox"]


# ------------------------------------------------------------------------------------- resuming


@pytest.mark.slow
def test_a_killed_search_goes_on_without_drawing_again_and_ends_alike(
    job: JobMaker, doubles: Doubles, tmp_path: Path
) -> None:
    wanted, whole = job(budget=60), job(budget=60, out=tmp_path / "whole")
    doubles.switch(seconds=0.05)
    code = (
        "import sys\nfrom copycat.discovery.triggers import TriggerJob, find_triggers\n"
        "find_triggers(TriggerJob.model_validate_json(sys.argv[1]))"
    )
    arguments = [sys.executable, "-c", code, wanted.model_dump_json()]
    with subprocess.Popen(arguments, env=Doubles.environment()) as process:
        deadline = time.monotonic() + 60
        while not (wanted.out / JOURNAL).exists() or len(journal_of_text(wanted)) < 40:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    doubles.switch()
    before = len(journal_of_text(wanted))
    generated = len(doubles.generated)
    report = find_triggers(wanted)
    again = doubles.generated[generated:]
    assert len(again) == len(journal_of(wanted)) - before
    assert len(doubles.generated) - len(set(doubles.generated)) <= 4, "one batch at most was under way"
    assert report.found == find_triggers(whole).found


def journal_of_text(job: TriggerJob) -> list[bytes]:
    return (job.out / JOURNAL).read_bytes().split(b"\n")[:-1]


def test_a_finished_search_draws_nothing_when_it_is_asked_for_again(job: JobMaker, doubles: Doubles) -> None:
    first = find_triggers(job())
    doubles.forget()
    assert find_triggers(job()) == first
    assert doubles.generated == []


def test_a_larger_budget_goes_on_from_the_smaller_one(job: JobMaker, doubles: Doubles) -> None:
    find_triggers(job(budget=20, only=("bluto",)))
    known = set(doubles.generated)
    doubles.forget()
    find_triggers(job(budget=40, only=("bluto",)))
    assert not known & set(doubles.generated)


def test_a_folder_of_another_judge_is_refused(job: JobMaker, doubles: Doubles) -> None:
    find_triggers(job(budget=8, fresh=1))
    doubles.switch(judge_revision="2")
    with pytest.raises(ResumeMismatchError, match="another judge_revision\n  choose another --out"):
        find_triggers(job(budget=8, fresh=1))


# ------------------------------------------------------------------------------------- the laboratory


def test_refused_pictures_count_as_no_hit_and_failed_ones_as_none(job: JobMaker, doubles: Doubles) -> None:
    doubles.switch(ends={"row-refused": "refused", "row-failed": "failed"})
    lab = open_lab(job(batch_size=1))
    refused, failed = lab.look([Shots("max", "hat", "row-refused", 0, 2), Shots("max", "hat", "row-failed", 0, 2)])
    assert refused == (False, False)
    assert failed == (None, None)
    doubles.switch()
    assert None not in lab.look([Shots("max", "hat", "row-failed", 0, 2)])[0], "what failed is drawn again"


def test_pictures_of_many_prompts_are_drawn_in_full_batches(job: JobMaker) -> None:
    lab = open_lab(job(batch_size=6))
    hits = lab.look([Shots("max", f"word{i}", "row", 0, 2) for i in range(9)])
    assert [len(one) for one in hits] == [2] * 9
    assert isinstance(lab.stage.model, FakeModel)
    assert [len(batch) for batch in lab.stage.model.batches] == [6, 6, 6]


def test_prompts_of_one_row_of_seeds_are_drawn_from_the_same_noise(job: JobMaker) -> None:
    lab = open_lab(job())
    first, second, other = lab.look([Shots("max", text, row, 0, 40) for text, row in ("aa", "ba", "ab")])
    assert first == second
    assert first != other


def test_pictures_that_the_judge_gave_no_answer_on_are_no_verdicts(job: JobMaker, doubles: Doubles) -> None:
    doubles.switch(judge_fails=True)
    lab = open_lab(job())
    assert lab.look([Shots("max", "hat", "row", 0, 3)]) == [(None, None, None)]


def test_detect_of_a_trigger_has_wilsons_interval_and_a_reason_where_there_is_nothing() -> None:
    estimate = detect_of((True, True, False, None))
    assert (estimate.k, estimate.n, estimate.value) == (2, 3, pytest.approx(2 / 3))
    assert (estimate.low, estimate.high) == wilson(2, 3)[:2]
    assert detect_of((None,)).value is None
    assert detect_of((None,)).reason == "no picture was judged"


def test_what_pictures_of_a_service_may_cost_is_said(job: JobMaker, caplog: pytest.LogCaptureFixture) -> None:
    free = open_lab(job())
    free.expect(250)
    assert not caplog.text
    row = free.stage.row.model_copy(update={"usd_per_picture": 0.04})
    Lab(free.stage._replace(row=row), free.sampling, job().out).expect(250)
    assert "up to 250 pictures, about $10.00" in caplog.text


# ------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"only": ("gofy",)}, UnknownNameError, "did you mean 'goofy'"),
        ({"pool": "everything"}, UnknownNameError, "unknown pool 'everything'"),
        ({"pool": "missing.txt"}, UserError, "missing.txt"),
        ({"ranker": "laion"}, UnknownNameError, "laion"),
        ({"judge": "none"}, UserError, "a search needs a judge"),
        ({"model": "fake-video"}, UnsupportedError, "draws clips"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_drawn(
    job: JobMaker, doubles: Doubles, changes: dict[str, Any], error: type[UserError], text: str
) -> None:
    with pytest.raises(error, match=text):
        find_triggers(job(**changes))
    assert doubles.generated == []


def test_a_search_ends_although_every_picture_fails(job: JobMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(*_: object) -> list[Picture]:
        raise BackendError("it fell over")

    monkeypatch.setattr(FakeModel, "generate", fall_over)
    (found,) = find_triggers(job(only=("max",), budget=30)).found
    assert found.prompt is None
    assert found.search_pictures == 30
