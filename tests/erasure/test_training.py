"""Erasing from an order to a folder: broken off, taken up, diverged, refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from harness import Doubles
from safetensors.torch import load_file
from tiny_families import save_tiny_family

from copycat.erasure import ERASERS, Concept
from copycat.erasure.esd import Esd
from copycat.erasure.settings import build_settings
from copycat.erasure.training import Order, frozen_dtype, run_erasure, settle
from copycat.errors import ResumeMismatchError, UnknownNameError, UnsupportedError, UserError
from copycat.models import MODELS
from copycat.models.erased import read_card
from copycat.models.resolve import resolve_model

TYPED = {"steps": "6", "rollout_steps": "3", "batch": "1"}


def order(folder: Path, **changes: Any) -> Order:
    standard: dict[str, Any] = {"method": "esd", "concepts": (Concept(name="abc"),), "typed": TYPED}
    return Order(row=resolve_model(str(folder)), **standard | changes)


def delta(folder: Path) -> dict[str, Any]:
    return load_file(folder / "delta.safetensors")


def is_same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def unbroken(tiny_pipeline: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "out"
    run_erasure(order(tiny_pipeline), out)
    return out


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let something happen at the end of one step of ESD; it may change the losses."""
    step = Esd.step

    def happen(number: int, what: Any) -> None:
        def stepped(self: Esd, now: int) -> dict[str, float]:
            losses = step(self, now)
            return (what(self) or losses) if now == number else losses

        monkeypatch.setattr(Esd, "step", stepped)

    return happen


def test_a_finished_folder_holds_a_card_and_the_edited_weights_alone(unbroken: Path, tiny_pipeline: Path) -> None:
    card, edited = read_card(unbroken), delta(unbroken)

    assert sorted(path.name for path in unbroken.iterdir()) == [
        ".lock", "card.json", "delta.safetensors", "erasing.json", "losses.jsonl",
    ]  # fmt: skip
    assert (card.status, card.steps, card.planned, card.seed) == ("finished", 6, 6, 0)
    assert card.settings["lr"] == card.small["lr"] == 1e-3
    assert "steps" not in card.small
    assert card.source == f"folder:{tiny_pipeline.name}"
    assert all(name.startswith("unet.") and ".attn2." in name for name in edited)
    assert {tensor.dtype for tensor in edited.values()} == {torch.float32}
    assert card.n_parameters == sum(tensor.numel() for tensor in edited.values())
    lines = [json.loads(line) for line in (unbroken / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(6))
    assert card.losses == lines[-1]["losses"]


def test_a_run_that_breaks_again_and_again_ends_with_the_same_weights(
    unbroken: Path, tiny_pipeline: Path, tmp_path: Path, at_step: Any
) -> None:
    def fall(_eraser: Esd) -> None:
        raise SystemExit(143)

    for broken_at, left in ((0, []), (3, ["checkpoint-000002.safetensors"])):
        at_step(broken_at, fall)
        with pytest.raises(SystemExit):
            run_erasure(order(tiny_pipeline), tmp_path / "out", checkpoint_every=2)
        assert not (tmp_path / "out" / "card.json").exists()
        assert [path.name for path in (tmp_path / "out").glob("checkpoint-*")] == left
    at_step(-1, None)

    card = run_erasure(order(tiny_pipeline), tmp_path / "out", checkpoint_every=2)

    assert is_same(delta(tmp_path / "out"), delta(unbroken))
    assert card.delta_sha256 == read_card(unbroken).delta_sha256
    assert (tmp_path / "out" / "losses.jsonl").read_text() == (unbroken / "losses.jsonl").read_text()


def test_ctrl_c_waits_for_the_step_and_leaves_a_checkpoint_of_it(
    tiny_pipeline: Path, tmp_path: Path, at_step: Any
) -> None:
    at_step(2, lambda _: signal.raise_signal(signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        run_erasure(order(tiny_pipeline), tmp_path / "out", checkpoint_every=100)

    assert [path.name for path in (tmp_path / "out").glob("checkpoint-*")] == ["checkpoint-000003.safetensors"]


def test_a_loss_that_is_no_number_puts_the_last_good_weights_back(
    tiny_pipeline: Path, tmp_path: Path, at_step: Any
) -> None:
    run_erasure(order(tiny_pipeline, typed=TYPED | {"steps": "2"}), tmp_path / "good")
    at_step(3, lambda _: {"erase": float("nan")})

    card = run_erasure(order(tiny_pipeline), tmp_path / "out", checkpoint_every=2)

    assert (card.status, card.steps, card.planned) == ("diverged", 2, 6)
    assert is_same(delta(tmp_path / "out"), delta(tmp_path / "good"))
    assert read_card(tmp_path / "out") == card


def test_a_weight_that_is_no_number_before_any_checkpoint_gives_the_original_back(
    tiny_pipeline: Path, tmp_path: Path, at_step: Any
) -> None:
    def spoil(eraser: Esd) -> None:
        next(iter(eraser.edited().values())).data[0] = float("inf")

    at_step(0, spoil)

    card = run_erasure(order(tiny_pipeline), tmp_path / "out")

    own = load_file(tiny_pipeline / "unet" / "diffusion_pytorch_model.safetensors")
    assert (card.status, card.steps) == ("diverged", 0)
    assert all(torch.equal(tensor, own[name.removeprefix("unet.")]) for name, tensor in delta(tmp_path / "out").items())


def test_a_finished_folder_is_found_and_other_settings_are_refused_until_it_is_made_anew(
    unbroken: Path, tiny_pipeline: Path, tmp_path: Path
) -> None:
    before = (unbroken / "card.json").stat().st_mtime_ns
    assert run_erasure(order(tiny_pipeline), unbroken) == read_card(unbroken)
    assert (unbroken / "card.json").stat().st_mtime_ns == before

    run_erasure(order(tiny_pipeline, typed=TYPED | {"steps": "1"}), tmp_path / "out")
    with pytest.raises(ResumeMismatchError, match="steps: 1 there, 2 asked for"):
        run_erasure(order(tiny_pipeline, typed=TYPED | {"steps": "2"}), tmp_path / "out")
    assert run_erasure(order(tiny_pipeline, typed=TYPED | {"steps": "2"}), tmp_path / "out", is_fresh=True).steps == 2


def test_a_concept_that_the_encoder_cannot_read_is_refused(tiny_pipeline: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the concept '  ' has no tokens"):
        run_erasure(order(tiny_pipeline, concepts=(Concept(name="  "),)), tmp_path / "a")
    with pytest.raises(UserError, match=r"the anchor 'qqqq.*is too long\n  a text of 90 tokens"):
        run_erasure(order(tiny_pipeline, concepts=(Concept(name="abc", anchor="q" * 90),)), tmp_path / "b")


def test_what_is_refused_leaves_no_trace_that_would_stand_in_the_way_of_what_is_right(
    tiny_pipeline: Path, tmp_path: Path
) -> None:
    asked = {"method": "uce", "typed": {"preserve": "none"}}
    with pytest.raises(UnsupportedError, match="abc has none\n  needed: --anchor TEXT"):
        run_erasure(order(tiny_pipeline, **asked), tmp_path / "out")
    right = order(tiny_pipeline, **asked, concepts=(Concept(name="abc", anchor="b"),))
    card = run_erasure(right, tmp_path / "out")

    with pytest.raises(UnsupportedError):
        run_erasure(order(tiny_pipeline, **asked), tmp_path / "out", is_fresh=True)
    assert read_card(tmp_path / "out") == card


def test_a_model_without_the_part_that_is_edited_is_refused_before_anything_is_loaded(doubles: Doubles) -> None:
    with pytest.raises(
        UnsupportedError, match=r"'flux-dev' \(FluxPipeline\) has no UNet .*\n.*sandbox, .*sdxl, sd-1.4"
    ):
        settle(Order(row=MODELS.get("flux-dev"), method="esd", concepts=()))
    with pytest.raises(UnsupportedError, match=r"'playground-v2\.5' adds noise as EDM does"):
        settle(Order(row=MODELS.get("playground-v2.5"), method="esd", concepts=()))
    with pytest.raises(UnsupportedError, match="runs on somebody else's machine"):
        settle(Order(row=MODELS.get("fake-service"), method="esd", concepts=()))


def test_frozen_parts_are_coarser_on_a_gpu_and_never_float16() -> None:
    assert frozen_dtype(None, "cpu") == "float32"
    assert frozen_dtype(None, "cuda:1") == "bfloat16"
    assert frozen_dtype("float32", "cuda") == "float32"
    with pytest.raises(UnknownNameError, match="float16 is too coarse"):
        frozen_dtype("float16", "cuda")


def test_what_a_method_does_not_have_is_refused_with_what_it_has(tiny_pipeline: Path) -> None:
    for changes, told in (
        ({"method": "esp"}, "unknown erasing method 'esp'\n  did you mean 'esd'"),
        ({"preset": "publishd"}, "unknown preset of esd 'publishd'\n  did you mean 'published'"),
        ({"typed": {"guidence": "2"}}, "unknown setting of esd 'guidence'\n  did you mean 'guidance'"),
    ):
        with pytest.raises(UnknownNameError, match=told):
            settle(order(tiny_pipeline, **changes))
    with pytest.raises(UserError, match=r"--set variant=y: Input should be 'x', 'u', 'strict' or 'all'"):
        settle(order(tiny_pipeline, typed={"variant": "y"}))
    with pytest.raises(UserError, match="--set eta=inf: it must be a finite number"):
        settle(order(tiny_pipeline, typed={"eta": "inf"}))


def test_none_is_a_word_where_a_setting_has_it_and_nothing_where_it_may_be_nothing(tiny_pipeline: Path) -> None:
    found = settle(order(tiny_pipeline, method="doco", typed={"norm": "none", "anchors": "none"})).settings.model_dump()
    assert (found["norm"], found["anchors"]) == ("none", ())
    assert settle(order(tiny_pipeline, method="advunlearn", typed={"budget": "none"})).settings.budget is None  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="--set variant=none: Input should be 'x'"):
        settle(order(tiny_pipeline, typed={"variant": "none"}))


def test_settings_come_from_preset_size_and_what_was_typed_in_this_order(tiny_pipeline: Path) -> None:
    found = settle(order(tiny_pipeline, preset="published", typed={"lr": "0.5", "prompts": "a {concept}, {concept}"}))

    assert found.preset == "published"
    values = found.settings.model_dump()
    assert (values["pairing"], values["batch"]) == ("bucket", 1)
    assert (values["steps"], values["lr"]) == (found.small["steps"], 0.5)
    assert values["prompts"] == ("a {concept}", "{concept}")
    assert "lr" not in found.small


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_benchmark_of_memory_runs_every_method_past_its_warm_up(
    monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    benchmark = import_module("erasure_memory")

    for method in ERASERS.names():
        typed = benchmark.typed_for(method, device)
        built = build_settings(ERASERS.load(method), "corrected", typed, name=method, is_for_small=False).settings
        assert getattr(built, "warm_up", -1) < getattr(built, "steps", 1)


def test_a_warm_up_longer_than_the_run_would_leave_out_the_attacker_and_is_refused(tiny_pipeline: Path) -> None:
    with pytest.raises(UserError, match="warm_up must not be more than steps, got 10 and 5"):
        settle(order(tiny_pipeline, method="advunlearn", typed={"steps": "5"}))
    assert settle(order(tiny_pipeline, method="advunlearn", typed={"steps": "10"})).settings


def test_names_of_the_set_stand_in_the_card_where_others_are_preserved(tiny_pipeline: Path) -> None:
    found = settle(order(tiny_pipeline, method="uce", typed={}, others=("Q", "Z")))
    assert found.settings.model_dump()["preserve"] == ("Q", "Z")
    none = settle(order(tiny_pipeline, method="uce", typed={"preserve": "none"}, others=("Q", "Z")))
    assert none.settings.model_dump()["preserve"] == ()


def test_frozen_parts_may_be_of_half_precision_while_the_edited_weights_stay_whole(
    tiny_pipeline: Path, tmp_path: Path
) -> None:
    card = run_erasure(order(tiny_pipeline, dtype="bfloat16", typed=TYPED | {"steps": "1"}), tmp_path / "out")

    assert (card.status, card.dtype) == ("finished", "bfloat16")
    moved = delta(tmp_path / "out")
    own = load_file(tiny_pipeline / "unet" / "diffusion_pytorch_model.safetensors")
    apart = torch.cat([(moved[n] - own[n.removeprefix("unet.")].bfloat16().float()).flatten() for n in moved])
    assert 0 < float(apart.abs().max()) < 2e-3  # a step of Adam is at most lr, far below a step of bfloat16 at 1


@pytest.mark.parametrize("method", ["esd", "uce"])
def test_a_pipeline_with_two_text_encoders_is_edited_too(tmp_path: Path, method: str) -> None:
    typed = TYPED | {"steps": "1"} if method == "esd" else {"preserve": "none"}
    concepts = (Concept(name="abc", anchor="b"),)

    card = run_erasure(
        order(save_tiny_family("sdxl", tmp_path / "xl"), method=method, concepts=concepts, typed=typed),
        tmp_path / "out",
    )

    assert (card.status, card.pipeline) == ("finished", "StableDiffusionXLPipeline")
    assert all(".attn2." in name for name in delta(tmp_path / "out"))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd", "sdxl"])
@pytest.mark.parametrize("preset", ["corrected", "published"])
@pytest.mark.parametrize("method", ["esd", "uce", "advunlearn", "doco"])
def test_every_method_runs_on_frozen_parts_of_half_precision(
    tmp_path: Path, tiny_pipeline: Path, method: str, preset: str, family: str
) -> None:
    (tmp_path / "kept.txt").write_text("cat\na hat\n")
    attacked = {"steps": "2", "warm_up": "1", "attack_steps": "2", "retain": f"file:{tmp_path / 'kept.txt'}"}
    typed = {
        "esd": TYPED | {"steps": "2"},
        "uce": {"preserve": "none"},
        "advunlearn": attacked | {"rollout_steps": "3", "bank": "4", "bank_retain": "4", "per_rollout": "2"},
        "doco": {"steps": "3", "warm_up": "1", "batch": "2", "pictures": "4", "prior_steps": "2"},
    }[method]
    folder = tiny_pipeline if family == "sd" else save_tiny_family("sdxl", tmp_path / "xl")
    concepts = (Concept(name="abc", anchor="b"),)

    card = run_erasure(
        order(folder, method=method, preset=preset, typed=typed, concepts=concepts, dtype="bfloat16"), tmp_path / "out"
    )

    assert (card.status, card.dtype) == ("finished", "bfloat16")
    assert {tensor.dtype for tensor in delta(tmp_path / "out").values()} == {torch.float32}


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_weights(tiny_pipeline: Path, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "copycat.erase", "--model", str(tiny_pipeline), "--method", "esd", "--concept", "abc"),
        *("--set", "rollout_steps=3", "--set", "batch=1", "--steps", "120", "--checkpoint-every", "8"),
        *("--device", "cpu", "--out"),
    ]
    environment = Doubles.environment() | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*command, str(tmp_path / "whole")], env=environment, check=True, capture_output=True)
    out, kills = tmp_path / "killed", 0
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        started = subprocess.Popen(
            [*command, str(out)], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        newest = max((path.stat().st_mtime_ns for path in out.glob("checkpoint-*")), default=0)
        while started.poll() is None and (
            max((path.stat().st_mtime_ns for path in out.glob("checkpoint-*")), default=0) <= newest
        ):
            time.sleep(0.02)
        os.kill(started.pid, number)
        kills += started.wait() != 0
    assert kills == 3
    subprocess.run([*command, str(out)], env=environment, check=True, capture_output=True)

    assert is_same(delta(out), delta(tmp_path / "whole"))
    assert len((out / "losses.jsonl").read_text().splitlines()) == 120
