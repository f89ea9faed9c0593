"""An attack from the job to its folder: what is kept, what it means, and that a kill does not set it back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from erasures import save_erasure
from PIL.Image import Image
from tiny_families import save_tiny_family

from copycat.attacks import attack_files, build_attack
from copycat.attacks.saved import AttackCard, read_attack
from copycat.catalog import prompt_set_of
from copycat.errors import DataError, ResumeMismatchError, UnknownNameError, UnsupportedError, UserError
from copycat.judges import Verdict
from copycat.mitigations import Setting
from copycat.models.diffusers_model import DiffusersModel
from copycat.schema import Attack, CharacterSet, Term
from copycat.whitebox import searching
from copycat.whitebox.desk import open_picture
from copycat.whitebox.job import AttackJob, PlannedAttack, plan_attack
from copycat.whitebox.rates import attack_rates
from copycat.whitebox.running import run_attack
from copycat.whitebox.victim import Studio

pytestmark = pytest.mark.usefixtures("characters_file")

SEARCH = ("rounds=2", "iterations=1", "timesteps=1", "tokens=2")
LEARN = ("steps=4", "batch=1", "pictures=2", "tokens=2")


class Script:
    """A judge that says what it was told to, picture by picture, and then the last word for ever."""

    def __init__(self, *shown: bool) -> None:
        self.shown = list(shown)

    def revision(self) -> str:
        return "0" * 40

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        del characters
        said = [self.shown.pop(0) if len(self.shown) > 1 else self.shown[0] for _ in pictures]
        return [Verdict(whom if is_shown else None) for whom, is_shown in zip(asked_for, said, strict=True)]


@pytest.fixture
def erased(tiny_pipeline: Path, tmp_path: Path) -> Path:
    save_erasure(tiny_pipeline, tmp_path / "erased")
    return tmp_path / "erased"


def planned(pipeline: Path, out: Path, judge: Script | None = None, **asked: Any) -> PlannedAttack:
    given: dict[str, Any] = {"method": "unlearndiffatk", "concept": "Goofy", "prompts": 2, "device": "cpu"} | asked
    given["characters"] = str(out.parent / "mine.yaml")
    found = plan_attack(AttackJob(model=str(pipeline), out=out, judge="none", **given))
    return found._replace(judge=judge or Script(False), sampling=found.sampling.model_copy(update={"steps": 2}))


def test_a_search_goes_on_until_a_picture_shows_the_concept(tiny_pipeline: Path, erased: Path, tmp_path: Path) -> None:
    #              original      before        first prompt's two rounds, second prompt's first
    judge = Script(True, True, False, False, False, True, True)
    card = run_attack(planned(tiny_pipeline, tmp_path / "out", judge, erased=erased, changes=SEARCH))
    assert [(row.original, row.before, row.after, row.steps) for row in card.prompts] == [
        (True, False, True, 2),
        (True, False, True, 1),
    ]
    assert [len(row.prefix) for row in card.prompts] == [2, 2]
    assert card == read_attack(tmp_path / "out")
    assert card.erasure is not None
    assert card.erasure.method == "esd"
    assert all((tmp_path / "out" / path).is_file() for row in card.prompts for path in row.pictures.values())
    assert set(card.prompts[0].pictures) == {"original", "before", "after"}
    assert (tmp_path / "out" / "sheet.html").read_text(encoding="utf-8").count("<img") == 6


def test_the_saved_prefix_draws_the_picture_that_was_kept(
    tiny_pipeline: Path, erased: Path, characters: CharacterSet, tmp_path: Path
) -> None:
    plan = planned(tiny_pipeline, tmp_path / "out", Script(True, True, False), erased=erased, changes=SEARCH)
    card = run_attack(plan)
    attack = build_attack(str(tmp_path / "out"), Setting(characters, prompt_set_of(characters)))
    request = attack.apply(plan.mitigated[0], plan.concept)
    (picture,) = DiffusersModel(plan.row, "cpu").generate([request], plan.sampling)
    kept = open_picture(tmp_path / "out", card.prompts[0].pictures["after"])
    assert picture.image is not None
    assert picture.image.tobytes() == kept.tobytes()


@pytest.mark.slow  # two searches of a pipeline with two encoders, and their pictures again
@pytest.mark.parametrize(("method", "changes"), [("unlearndiffatk", SEARCH), ("cce", LEARN)])
def test_what_was_found_on_two_encoders_draws_the_picture_that_was_kept(
    characters: CharacterSet, tmp_path: Path, method: str, changes: tuple[str, ...]
) -> None:
    model = save_tiny_family("sdxl", tmp_path / "sdxl")
    judge = Script(True) if method == "cce" else Script(True, True, False)
    plan = planned(model, tmp_path / "out", judge, method=method, changes=changes)
    small = plan.sampling.model_copy(update={"width_px": 32, "height_px": 32})
    plan = plan._replace(sampling=small)
    card = run_attack(plan)
    attack = build_attack(str(tmp_path / "out"), Setting(characters, prompt_set_of(characters)))
    row = plan.row.model_copy(update={"files": attack_files([str(tmp_path / "out")])})
    request = attack.apply(plan.mitigated[0], plan.concept)
    (picture,) = DiffusersModel(row, "cpu").generate([request], plan.sampling)
    assert picture.image is not None
    kept = open_picture(tmp_path / "out", card.prompts[0].pictures["after"])
    assert picture.image.tobytes() == kept.tobytes()
    assert picture.image.tobytes() != open_picture(tmp_path / "out", card.prompts[0].pictures["before"]).tobytes()


def test_a_prompt_that_shows_the_concept_anyhow_is_not_searched(tiny_pipeline: Path, tmp_path: Path) -> None:
    card = run_attack(planned(tiny_pipeline, tmp_path / "out", Script(True), changes=SEARCH))
    assert [(row.before, row.after, row.prefix) for row in card.prompts] == [(True, True, ())] * 2
    (rates,) = attack_rates(card.prompts)
    assert (rates.before.k, rates.after.k, rates.after.n) == (2, 2, 2)


@pytest.mark.slow
def test_a_broken_search_goes_on_and_ends_in_the_same(
    tiny_pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_attack(planned(tiny_pipeline, tmp_path / "a", Script(True, True, False), changes=SEARCH))
    search, n_searched = searching.search_prefix, []

    def breaking(*args: Any, **more: Any) -> Any:
        n_searched.append(1)
        if len(n_searched) == 2:
            raise KeyboardInterrupt
        return search(*args, **more)

    monkeypatch.setattr(searching, "search_prefix", breaking)
    with pytest.raises(KeyboardInterrupt):
        run_attack(planned(tiny_pipeline, tmp_path / "b", Script(True, True, False), changes=SEARCH))
    assert not (tmp_path / "b" / "attack.json").exists()
    resumed = run_attack(planned(tiny_pipeline, tmp_path / "b", Script(False), changes=SEARCH))
    assert len(n_searched) == 3
    assert without_times(resumed) == without_times(whole)


def without_times(card: AttackCard) -> dict[str, Any]:
    held = card.model_dump(exclude={"seconds"})
    return held | {"prompts": [{k: v for k, v in row.items() if k != "seconds"} for row in held["prompts"]]}


@pytest.mark.slow
def test_learned_embeddings_are_the_same_after_a_break(
    tiny_pipeline: Path, erased: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {"method": "cce", "erased": erased, "changes": LEARN}
    monkeypatch.setattr(searching, "CHECKPOINT_STEPS", 1)
    whole = run_attack(planned(tiny_pipeline, tmp_path / "a", Script(True), **asked))
    step = searching.Inversion.step

    def breaking(self: Any, number: int) -> float:
        if number == 2:
            raise KeyboardInterrupt
        return step(self, number)

    monkeypatch.setattr(searching.Inversion, "step", breaking)
    with pytest.raises(KeyboardInterrupt):
        run_attack(planned(tiny_pipeline, tmp_path / "b", Script(True), **asked))
    assert (tmp_path / "b" / "learning.safetensors").is_file()
    monkeypatch.setattr(searching.Inversion, "step", step)
    resumed = run_attack(planned(tiny_pipeline, tmp_path / "b", Script(True), **asked))
    assert resumed.learned == whole.learned
    assert resumed.prompts[0].sent == "<learned>"
    assert not (tmp_path / "b" / "learning.safetensors").exists()


def test_compositions_are_drawn_without_a_search(tiny_pipeline: Path, tmp_path: Path) -> None:
    #              original     before        A1            O3
    judge = Script(True, True, False, False, True, False, True, True)
    plan = planned(tiny_pipeline, tmp_path / "out", judge, method="arc", changes=("forms=A1+O3,weight=1.5",))
    card = run_attack(plan)
    rates = {rate.form: rate for rate in attack_rates(card.prompts)}
    assert {form: rate.after.k for form, rate in rates.items()} == {"arc:A1": 1, "arc:O3,weight=1.5": 2}
    assert rates["arc:A1"].before.k == 0
    again = run_attack(plan._replace(judge=Script(False)))
    assert again == card


def test_forms_that_come_to_the_same_terms_are_drawn_once(tiny_pipeline: Path, tmp_path: Path) -> None:
    #              original     before        A1            A5
    judge = Script(True, True, False, False, True, False, True, True)
    plan = planned(tiny_pipeline, tmp_path / "out", judge, method="arc", changes=("forms=A1+O1+A5+O3",))
    card = run_attack(plan)
    assert {rate.form: rate.after.k for rate in attack_rates(card.prompts)} == {
        "arc:A1": 1,
        "arc:O1": 1,
        "arc:A5": 2,
        "arc:O3": 2,
    }
    kept = {row.form: row.pictures["after"] for row in card.prompts if row.seed == card.prompts[0].seed}
    assert kept["arc:A1"] == kept["arc:O1"] != kept["arc:A5"]


def test_a_batch_of_which_a_kill_left_a_part_is_in_the_attack_once(tiny_pipeline: Path, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"method": "arc", "changes": ("forms=A1+O1",)}
    whole = run_attack(planned(tiny_pipeline, tmp_path / "out", Script(False), **asked))
    (tmp_path / "out" / "attack.json").unlink()
    results = tmp_path / "out" / "results.jsonl"
    lines = results.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    results.write_bytes(lines[0] + lines[1][:40])
    resumed = run_attack(planned(tiny_pipeline, tmp_path / "out", Script(False), **asked))
    assert without_times(resumed) == without_times(whole)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("plan.json", ResumeMismatchError, "plan.json cannot be read\n  start this attack again with --fresh"),
        ("attack.json", DataError, "attack.json: "),
    ],
)
def test_a_damaged_file_is_told_and_not_believed(
    tiny_pipeline: Path, tmp_path: Path, name: str, kind: type[Exception], message: str
) -> None:
    asked: dict[str, Any] = {"method": "arc", "prompts": 1, "changes": ("forms=A1",)}
    run_attack(planned(tiny_pipeline, tmp_path / "out", **asked))
    (tmp_path / "out" / name).write_text('["', encoding="utf-8")
    with pytest.raises(kind, match=message):
        run_attack(planned(tiny_pipeline, tmp_path / "out", **asked))


def test_a_folder_that_nobody_can_make_is_told(tiny_pipeline: Path, tmp_path: Path) -> None:
    plan = planned(tiny_pipeline, tmp_path / "out", method="arc", prompts=1)
    plan = plan._replace(job=plan.job.model_copy(update={"out": Path("/proc/nobody/out")}))
    with pytest.raises(UserError, match="cannot make the folder /proc/nobody/out"):
        run_attack(plan)


def test_a_folder_of_another_attack_is_refused_unless_it_is_to_be_forgotten(
    tiny_pipeline: Path, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"method": "arc", "prompts": 1, "changes": ("forms=A1",)}
    run_attack(planned(tiny_pipeline, tmp_path / "out", **asked))
    with pytest.raises(ResumeMismatchError, match="concept: goofy here, max asked for"):
        run_attack(planned(tiny_pipeline, tmp_path / "out", **(asked | {"concept": "Max"})))
    with pytest.raises(ResumeMismatchError, match=r"settings\.forms: A1 here, A3 asked for"):
        run_attack(planned(tiny_pipeline, tmp_path / "out", **(asked | {"changes": ("forms=A3",)})))
    with pytest.raises(ResumeMismatchError, match=r"method: arc here, cce asked for\n  use another --out"):
        run_attack(planned(tiny_pipeline, tmp_path / "out", method="cce", prompts=1))
    card = run_attack(planned(tiny_pipeline, tmp_path / "out", **(asked | {"concept": "Max", "fresh": True})))
    assert card.concept == "max"


def test_a_model_that_never_drew_the_concept_cannot_be_attacked(tiny_pipeline: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not draw Goofy by name: judge 'none' sees it on none of 16 pictures"):
        run_attack(planned(tiny_pipeline, tmp_path / "out", Script(False), changes=SEARCH))


def test_pictures_that_nobody_could_judge_count_nowhere(
    tiny_pipeline: Path, tmp_path: Path, characters: CharacterSet
) -> None:
    class Silent(Script):
        def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
            return [Verdict(None, reason="asleep") for _ in super().judge(pictures, asked_for, characters)]

    plan = planned(tiny_pipeline, tmp_path / "out", method="arc", prompts=1)
    studio = Studio(plan.row, plan.sampling, "cpu", Silent(True), (characters, plan.concept))
    assert studio.draw(plan.originals)[0][1] is None


@pytest.mark.parametrize(
    ("asked", "kind", "message"),
    [
        ({"method": "unlearndifatk"}, UnknownNameError, "unlearndiffatk"),
        ({"concept": "Gofy"}, UnknownNameError, "Goofy"),
        ({"changes": ("token=3",)}, UnknownNameError, "tokens"),
        ({"changes": ("tokens=many",)}, UserError, "--set tokens=many: Input should be a valid integer"),
        ({"changes": ("tokens",)}, UserError, "needed: name=value"),
        ({"changes": ("lr=inf",)}, UserError, "--set lr=inf: Input should be a finite number"),
        ({"preset": "publish"}, UnknownNameError, "published"),
        ({"prompts": 99}, UserError, "there are 13 prompts of a concept, and not 99"),
        ({"mitigation": "filter:regenerate"}, UnsupportedError, "an attack draws each picture once"),
        ({"mitigation": "safree"}, UnsupportedError, "the attack 'unlearndiffatk' puts in tokens that are no words"),
        ({"method": "arc", "preset": "published"}, UnknownNameError, "unknown preset 'published'"),
        ({"prompts": Path("nowhere.txt")}, DataError, "nowhere.txt: there is no such file"),
        ({"method": "arc", "changes": ("forms=A9",)}, UnknownNameError, "A9"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_drawn(
    tiny_pipeline: Path, tmp_path: Path, asked: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        planned(tiny_pipeline, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_a_folder_belongs_to_the_words_of_its_compositions_too(tiny_pipeline: Path, tmp_path: Path) -> None:
    plan = planned(tiny_pipeline, tmp_path / "out", method="arc", changes=("forms=O1",))
    (form, requests), *_ = plan.forms.items()
    terms = (Term(text="another cake", weight=1.0),)
    others = tuple(r.model_copy(update={"attack": Attack(method="arc", terms=terms)}) for r in requests)
    assert plan._replace(forms={form: others}).spec()["prompts"] != plan.spec()["prompts"]


def test_an_erasure_of_another_model_is_refused(tiny_pipeline: Path, erased: Path, tmp_path: Path) -> None:
    card = json.loads((erased / "card.json").read_text(encoding="utf-8"))
    (erased / "card.json").write_text(json.dumps(card | {"revision": "f" * 40}), encoding="utf-8")
    with pytest.raises(UnsupportedError, match="this erasure was made for"):
        planned(tiny_pipeline, tmp_path / "out", erased=erased)


def test_prompts_of_a_file_are_taken_line_by_line(tiny_pipeline: Path, tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("Goofy at sea\n\n a dog \nGoofy at sea\n", encoding="utf-8")
    plan = planned(tiny_pipeline, tmp_path / "out", prompts=path, seeds=2)
    assert [r.prompt_sent for r in plan.mitigated] == ["Goofy at sea", "a dog"] * 2
    assert len({r.seed for r in plan.mitigated}) == 4


def test_a_mitigation_is_at_work_on_the_attacked_model_alone(tiny_pipeline: Path, tmp_path: Path) -> None:
    plan = planned(tiny_pipeline, tmp_path / "out", mitigation="negprompt:name")
    assert {r.negative_prompt for r in plan.mitigated} == {"Goofy"}
    assert {r.negative_prompt for r in plan.originals} == {None}


class Knows(Script):
    """A judge that knows some pictures again, whatever it was shown before."""

    def __init__(self, folder: Path) -> None:
        super().__init__(False)
        self.known = {open_picture(folder, path.name).tobytes() for path in folder.glob("*-original.png")}

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        del characters
        is_known = [picture.convert("RGB").tobytes() in self.known for picture in pictures]
        return [Verdict(whom if known else None) for whom, known in zip(asked_for, is_known, strict=True)]


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from test_running import SEARCH, Knows, planned
from copycat.whitebox.running import run_attack
pipeline, erased, known, out = map(Path, sys.argv[1:])
run_attack(planned(pipeline, out, Knows(known), prompts=3, changes=SEARCH, erased=erased))
"""


@pytest.mark.slow  # processes of their own, killed while they search
def test_a_search_that_is_killed_ends_in_the_same_attack(tiny_pipeline: Path, erased: Path, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"prompts": 3, "changes": SEARCH, "erased": erased}
    whole = run_attack(planned(tiny_pipeline, tmp_path / "a", Script(True, True, True, False), **asked))
    here, out, known = Path(__file__).resolve(), tmp_path / "b", tmp_path / "a" / "pictures"
    code = KILLED.format(paths=[str(here.parent), str(here.parents[1] / "doubles")])
    for wanted in ("plain.jsonl", "results.jsonl"):
        command = [sys.executable, "-c", code, *map(str, (tiny_pipeline, erased, known, out))]
        started = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 300
        while not (out / wanted).exists() and started.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        started.send_signal(signal.SIGKILL)
        started.wait()
        assert (out / wanted).exists()
    resumed = run_attack(planned(tiny_pipeline, out, Knows(known), **asked))
    assert without_times(resumed) == without_times(whole)
