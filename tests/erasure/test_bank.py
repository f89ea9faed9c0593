"""Noisy latents: drawn as said, kept in a bank, and taken up where a kill left off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_pipeline import save_tiny_pipeline

from copycat.erasure.bank import (
    BANK,
    RECIPE,
    Bank,
    RolloutRules,
    Rollouts,
    Subject,
    fill_bank,
    weights_sha256,
)
from copycat.errors import DataError
from copycat.live import LivePipeline, step_generator


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> LivePipeline:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(save_tiny_pipeline(tmp_path_factory.mktemp("tiny") / "pipeline"))
    return LivePipeline(pipeline, "tiny")


@contextmanager
def silent(_title: str, _total: int) -> Iterator[Callable[[int], None]]:
    yield lambda _count: None


def rollouts(live: LivePipeline, *, exact: bool = True, per_rollout: int = 1, seed: int = 5) -> Rollouts:
    rules = RolloutRules(rollout_steps=5, guidance=3.0, exact_timesteps=exact, per_rollout=per_rollout)
    return Rollouts(live, live.encode([""]).detached(), rules, seed)


def subject(live: LivePipeline, *prompts: str, size: int = 6, label: str = "retain") -> Subject:
    return Subject(label, prompts, live.encode(prompts).detached(), size)


def fill(folder: Path, source: Rollouts, *subjects: Subject, **more: Any) -> Bank:
    asked: dict[str, Any] = {"weights": "w", "dtype": "float32", "batch": 2, **more}
    return fill_bank(folder, source, subjects, silent, **asked)


def test_latents_are_of_their_exact_timestep_and_predictions_are_the_original_ones(live: LivePipeline) -> None:
    asked = subject(live, "abc", "b")
    pairs = rollouts(live).draw(asked, [3])
    generator = step_generator(5, "rollout", "retain", 3)
    noise = live.noise(1, generator)
    place = int(torch.randperm(5, generator=generator)[0])
    texts, null = asked.texts.picked(pairs.rows), live.encode([""])
    walk = list(live.rollout(noise, texts, null, steps=5, guidance=3.0))
    assert int(pairs.t) == walk[place][0]
    assert torch.equal(pairs.x, walk[place][1])
    with torch.no_grad():
        torch.testing.assert_close(pairs.under, live.predict(pairs.x, pairs.t, texts))
        torch.testing.assert_close(pairs.without, live.predict(pairs.x, pairs.t, null))


def test_the_published_pairing_takes_latents_two_stretches_cleaner_than_their_timestep(live: LivePipeline) -> None:
    asked, source = subject(live, "abc"), rollouts(live, exact=False)
    stretch = 1000 // 5
    for number in range(8):
        pairs = source.draw(asked, [number])
        noise = live.noise(1, step_generator(5, "rollout", "retain", number))
        walk = [x for _, x in live.rollout(noise, asked.texts, live.encode([""]), steps=5, guidance=3.0)]
        of_stretch = int(pairs.t) // stretch
        # walk[0] is of the last stretch, walk[4] of the first, walk[5] the picture
        assert torch.equal(pairs.x, walk[min(4 - (of_stretch - 2), 5)])


def test_prompts_are_used_in_turn_and_then_in_another_order(live: LivePipeline) -> None:
    rows = rollouts(live).draw(subject(live, *"abcdef"), range(18)).rows
    assert [sorted(rows[first : first + 6]) for first in (0, 6, 12)] == [list(range(6))] * 3
    assert rows[:6] != rows[6:12]


def test_a_bank_holds_what_would_be_drawn_afresh(live: LivePipeline, tmp_path: Path) -> None:
    asked, source = subject(live, "abc", "b"), rollouts(live)
    bank = fill(tmp_path, source, asked)
    kept, fresh = bank.draw(asked, range(6)), source.draw(asked, range(6))
    assert kept.rows == fresh.rows
    assert torch.equal(kept.t, fresh.t)
    for name in ("x", "under", "without"):
        torch.testing.assert_close(getattr(kept, name), getattr(fresh, name))
    again = bank.draw(asked, range(6, 12))
    assert sorted(again.t.tolist()) == sorted(kept.t.tolist())


def test_several_latents_of_a_rollout_are_not_neighbours(live: LivePipeline, tmp_path: Path) -> None:
    asked, source = subject(live, "abc", "b", "ab", size=6), rollouts(live, per_rollout=2)
    bank = fill(tmp_path, source, asked)
    assert bank.draw(asked, range(6)).rows == [0, 1, 2, 0, 1, 2]
    first, fresh = bank.draw(asked, range(3)), rollouts(live).draw(asked, range(3))
    torch.testing.assert_close(first.x, fresh.x)
    assert len({float(x.sum()) for x in bank.draw(asked, range(6)).x}) == 6


def test_half_precision_keeps_latents_nearly(live: LivePipeline, tmp_path: Path) -> None:
    asked, source = subject(live, "abc"), rollouts(live)
    kept = fill(tmp_path, source, asked, dtype="float16").draw(asked, range(6))
    assert kept.x.dtype == torch.float32
    torch.testing.assert_close(kept.x, source.draw(asked, range(6)).x, atol=4e-3, rtol=2e-3)


class KilledError(Exception):
    pass


def test_a_bank_that_was_broken_off_goes_on_and_is_the_same(live: LivePipeline, tmp_path: Path) -> None:
    asked = subject(live, "abc", "b")
    fill(tmp_path / "whole", rollouts(live), asked)
    drawn: list[int] = []

    class Broken(Rollouts):
        def walk(self, subject: Subject, rollouts: Any, count: int) -> Any:
            if len(drawn) == 2:
                raise KilledError
            drawn.append(rollouts[0])
            return super().walk(subject, rollouts, count)

    source = rollouts(live)
    with pytest.raises(KilledError):
        fill(tmp_path / "broken", Broken(source.live, source.null, source.rules, source.seed), asked)
    assert not (tmp_path / "broken" / BANK).exists()
    drawn.clear()
    fill(tmp_path / "broken", Broken(source.live, source.null, source.rules, source.seed), asked)
    assert drawn == [4], "the first two batches were there"
    assert (tmp_path / "broken" / BANK).read_bytes() == (tmp_path / "whole" / BANK).read_bytes()
    assert sorted(path.name for path in (tmp_path / "broken").iterdir()) == [RECIPE, BANK]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"weights": "others"}, "weights"),
        ({"dtype": "float16"}, "dtype"),
        ({"seed": 6}, "seed"),
        ({"per_rollout": 2}, "rollouts"),
        ({"prompts": ("b",)}, "subjects"),
        ({"size": 4}, "subjects"),
    ],
    ids=str,
)
def test_a_bank_from_other_settings_is_refused(
    live: LivePipeline, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    def ask(prompts: tuple[str, ...] = ("abc",), size: int = 2, **more: Any) -> None:
        own = {key: more.pop(key) for key in ("seed", "per_rollout") if key in more}
        fill(tmp_path, rollouts(live, **own), subject(live, *prompts, size=size), **more)

    ask()
    with pytest.raises(DataError, match=rf"bank\.json: made with other settings \({said}\)\n  erase into a new folder"):
        ask(**changed)
    ask()


def test_a_bank_of_which_nothing_is_known_or_that_is_damaged_is_refused(live: LivePipeline, tmp_path: Path) -> None:
    asked = subject(live, "abc", size=2)
    fill(tmp_path, rollouts(live), asked)
    recipe = (tmp_path / RECIPE).read_bytes()
    (tmp_path / RECIPE).unlink()
    with pytest.raises(DataError, match="nothing says what made it"):
        fill(tmp_path, rollouts(live), asked)
    (tmp_path / RECIPE).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"bank\.json: cannot be read"):
        fill(tmp_path, rollouts(live), asked)
    (tmp_path / RECIPE).write_bytes(recipe)
    (tmp_path / BANK).write_bytes(b"half")
    with pytest.raises(DataError, match=r"bank\.safetensors: damaged\n  delete it"):
        fill(tmp_path, rollouts(live), asked)


def test_the_recipe_names_what_made_the_bank(live: LivePipeline, tmp_path: Path) -> None:
    fill(tmp_path, rollouts(live), subject(live, "abc", size=2))
    recipe = json.loads((tmp_path / RECIPE).read_bytes())
    assert recipe["subjects"]["retain"]["prompts"] == ["abc"]
    assert recipe["rollouts"] == {"exact_timesteps": True, "guidance": 3.0, "per_rollout": 1, "rollout_steps": 5}


def test_any_other_weight_is_another_model(live: LivePipeline) -> None:
    before = weights_sha256(live)
    bias = next(parameter for name, parameter in live.unet.named_parameters() if name.endswith("bias"))
    bias.data[0] += 1
    assert weights_sha256(live) != before
    bias.data[0] -= 1
    assert len(before) == 64


def test_a_model_is_the_same_in_another_process(live: LivePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler, before = live.pipeline.scheduler, weights_sha256(live)
    for noted in (["solver_type", "flow_shift"], ["flow_shift", "solver_type"]):  # diffusers lists a set
        changed = type(scheduler.config)({**scheduler.config, "_use_default_values": noted})
        monkeypatch.setattr(scheduler, "_internal_dict", changed)
        assert scheduler.config["_use_default_values"] == noted
        assert weights_sha256(live) == before
