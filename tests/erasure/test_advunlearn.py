"""AdvUnlearn: its losses by hand, which weights it edits, and that a bank changes the cost alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_families import save_tiny_family
from transformers import CLIPTextConfig, CLIPTextModel

from copycat.erasure.advunlearn import AdvUnlearn, edited_parameters
from copycat.erasure.advunlearn_settings import AdvUnlearnSettings
from copycat.erasure.eraser import Concept
from copycat.errors import UnsupportedError, UserError
from copycat.live import LivePipeline, step_generator

SMALL: dict[str, Any] = {
    "steps": 3,
    "warm_up": 1,
    "lr": 1e-3,
    "attack_steps": 2,
    "attack_lr": 1e-2,
    "retain_batch": 2,
    "rollout_steps": 3,
    "per_rollout": 1,
    "bank": 9,
    "bank_retain": 6,
    "bank_dtype": "float32",
    "bank_batch": 1,
}


@contextmanager
def silent(_title: str, _total: int) -> Iterator[Callable[[int], None]]:
    yield lambda _count: None


def load(folder: Path) -> LivePipeline:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return LivePipeline(pipeline, "tiny")


@pytest.fixture
def retained(tmp_path: Path) -> str:
    path = tmp_path / "retain.txt"
    path.write_text("a\nb\nab c\n", encoding="utf-8")
    return f"file:{path}"


def eraser(live: LivePipeline, retained: str, *names: str, **settings: Any) -> AdvUnlearn:
    concepts = tuple(Concept(name=name) for name in names or ("xyz",))
    return AdvUnlearn(live, concepts, AdvUnlearnSettings(**{**SMALL, "retain": retained, **settings}), 4)


def weights(made: AdvUnlearn) -> dict[str, Any]:
    return {name: parameter.detach().clone() for name, parameter in made.edited().items()}


def run(made: AdvUnlearn, prepared: Path) -> list[dict[str, float]]:
    made.prepare(prepared, silent)
    return [made.step(number) for number in range(made.n_steps)]


def test_a_bank_changes_neither_losses_nor_weights(tiny_pipeline: Path, retained: str, tmp_path: Path) -> None:
    """With a bank of as many draws as the run makes, each is the draw that the run would have made itself."""
    banked, fresh = eraser(load(tiny_pipeline), retained), eraser(load(tiny_pipeline), retained, bank=0)
    before = weights(banked)
    with_bank, without = run(banked, tmp_path / "bank"), run(fresh, tmp_path / "none")
    assert [sorted(losses) for losses in with_bank] == [["erase", "retain"], *[["attack", "erase", "retain"]] * 2]
    assert with_bank == [pytest.approx(losses, abs=1e-6) for losses in without]
    assert not (tmp_path / "none").exists()
    for name, value in weights(banked).items():
        torch.testing.assert_close(value, weights(fresh)[name], atol=1e-6, rtol=0)
    assert any(not torch.equal(value, before[name]) for name, value in weights(banked).items())


def test_the_loss_of_the_first_step_is_the_papers(tiny_pipeline: Path, retained: str) -> None:
    """Equations 2, 4 and 5 of arXiv 2405.15234, from whole rollouts of the untouched pipeline."""
    live = load(tiny_pipeline)
    made = eraser(live, retained, bank=0, eta=2.0, gamma=0.25, retain_null=False)
    found = made.step(0)

    reference = load(tiny_pipeline)
    null, concept = reference.encode([""]), reference.encode(["xyz"])
    x, t = noisy(reference, concept, "concept-0", (2 * 1 + 1) * 0 + 2)
    with torch.no_grad():
        without, under = reference.predict(x, t, null), reference.predict(x, t, concept)
    target = without - 2.0 * (under - without)
    assert found["erase"] == pytest.approx(float((under - target).square().mean()), rel=1e-4)
    assert found["retain"] == pytest.approx(0.0, abs=1e-10), "the encoder is still the original one"
    assert found["erase"] == pytest.approx(9 * float((under - without).square().mean()), rel=1e-4)


def noisy(live: LivePipeline, texts: Any, label: str, number: int) -> tuple[Any, Any]:
    generator = step_generator(4, "rollout", label, number)
    noise = live.noise(1, generator)
    place = int(torch.randperm(3, generator=generator)[0])
    walk = list(live.rollout(noise, texts, live.encode([""]), steps=3, guidance=3.0))
    return walk[place][1], torch.tensor([walk[place][0]])


def test_the_attack_approaches_what_the_original_predicts_of_the_concept(tiny_pipeline: Path, retained: str) -> None:
    """The search is against the edited encoder, and the encoder's weights stay while it runs."""
    live = load(tiny_pipeline)
    made = eraser(live, retained, bank=0, attack_steps=4, attack_lr=0.1, warm_up=0)
    for parameter in made.edited().values():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=step_generator(0, "edit"))
    before = weights(made)
    free, last = made._attack(0, 0)
    assert all(torch.equal(value, before[name]) for name, value in weights(made).items())
    reference = load(tiny_pipeline)
    clean = reference.encode(["xyz"])
    start = made.prompts[0].start(step_generator(4, "attack", 0))
    errors: dict[str, float] = {}
    for name, vectors in (("start", start), ("found", free)):
        errors[name] = 0.0
        for number in range(4):
            x, t = noisy(reference, clean, "concept-0", number)
            with torch.no_grad():
                wanted = reference.predict(x, t, clean)
                errors[name] += float((live.predict(x, t, made.prompts[0].encode(vectors)) - wanted).square().mean())
    assert errors["found"] < errors["start"]
    assert last > 0


def test_the_empty_prompt_is_retained_where_asked_for(tiny_pipeline: Path, retained: str) -> None:
    """With a retain batch of one the empty prompt is half of the loss; edits that it alone sees are counted."""
    live = load(tiny_pipeline)
    made = eraser(live, retained, bank=0, retain_batch=1)
    for parameter in made.edited().values():
        parameter.data += 0.05
    rows = {"retain": made._retained[0], "null": made._retained[1]}
    assert rows["null"].prompts == ("",)
    reference, expected = load(tiny_pipeline), []
    for label, asked in rows.items():
        text = asked.prompts[0]
        x, t = noisy(reference, reference.encode([text]), label, 0)
        with torch.no_grad():
            gap = live.predict(x, t, live.encode([text])) - reference.predict(x, t, reference.encode([text]))
        expected.append(float(gap.square().mean()))
    assert float(made._retain_loss(0).detach()) == pytest.approx(sum(expected) / 2, rel=1e-4)


def test_retaining_in_steps_of_their_own_is_two_updates(tiny_pipeline: Path, retained: str) -> None:
    made = eraser(load(tiny_pipeline), retained, bank=0, retain_mode="iter", gamma=0.5)
    losses = made.step(0)
    assert losses["retain"] > 0, "the erasing update came before it"
    assert {int(state["step"]) for state in made._optimiser.state.values()} == {2}


def test_a_run_that_is_taken_up_ends_the_same(tiny_pipeline: Path, retained: str, tmp_path: Path) -> None:
    unbroken = eraser(load(tiny_pipeline), retained, prefix_init="latest", attack_steps=1)
    run(unbroken, tmp_path / "bank")
    first = eraser(load(tiny_pipeline), retained, prefix_init="latest", attack_steps=1)
    first.prepare(tmp_path / "bank", silent)
    for number in (0, 1):
        first.step(number)
    second = eraser(load(tiny_pipeline), retained, prefix_init="latest", attack_steps=1)
    second.prepare(tmp_path / "bank", silent)
    for name, parameter in second.edited().items():
        parameter.data.copy_(first.edited()[name])
    second.load_state({name: value.clone() for name, value in first.state().items()})
    second.step(2)
    for name, value in weights(second).items():
        assert torch.equal(value, weights(unbroken)[name])


def test_of_several_concepts_each_step_takes_one_at_random(tiny_pipeline: Path, retained: str) -> None:
    made = eraser(load(tiny_pipeline), retained, "xyz", "uv", bank=0, warm_up=0, prefix_init="latest", attack_steps=1)
    for number in range(4):
        made.step(number)
    assert sorted(made._found) == [0, 1]
    assert {key.split(".")[1] for key in made.state() if key.startswith("found.")} == {"0", "1"}


def test_sdxl_is_erased_in_both_encoders(retained: str, tmp_path: Path) -> None:
    live = load(save_tiny_family("sdxl", tmp_path / "xl"))
    made = eraser(live, retained, bank=0, warm_up=0)
    before = weights(made)
    assert {name.partition(".")[0] for name in before} == {"text_encoder", "text_encoder_2"}
    losses = made.step(0)
    assert losses["attack"] > 0
    changed = {name.partition(".")[0] for name, value in weights(made).items() if not torch.equal(value, before[name])}
    assert changed == {"text_encoder", "text_encoder_2"}
    assert not any(parameter.requires_grad for parameter in live.unet.parameters())


# ------------------------------------------------------------------------------------ which weights


class TwelveLayers:
    name, encoder_names = "twelve", ("text_encoder",)

    def __init__(self) -> None:
        config = CLIPTextConfig(
            vocab_size=20, hidden_size=4, intermediate_size=4, num_hidden_layers=12, num_attention_heads=1
        )
        self.encoders = [CLIPTextModel(config)]


@pytest.fixture(scope="module")
def twelve() -> Any:
    return TwelveLayers()


def layers_of(live: Any, **settings: Any) -> set[str]:
    names = [name for name, _ in edited_parameters(live, AdvUnlearnSettings(**settings))]
    assert not any("embedding" in name for name in names)
    return {name.split("layers.")[1].split(".")[0] if "layers." in name else "norm" for name in names}


def test_all_layers_are_those_and_the_last_norm(twelve: Any) -> None:
    assert layers_of(twelve) == {*map(str, range(12)), "norm"}


def test_the_first_layers_are_exactly_so_many(twelve: Any) -> None:
    assert layers_of(twelve, layers=1) == {"0"}
    assert layers_of(twelve, layers=3) == {"0", "1", "2"}
    assert layers_of(twelve, layers=2, layer_match="startswith") == {"0", "1", "10", "11"}, "as published"


def test_a_component_is_its_part_of_each_layer(twelve: Any) -> None:
    for component, part in (("ffn", ".mlp."), ("attn", ".self_attn.")):
        names = [name for name, _ in edited_parameters(twelve, AdvUnlearnSettings(layers=2, component=component))]
        assert names
        assert all(part in name for name in names)


def test_more_layers_than_there_are_is_refused(twelve: Any) -> None:
    with pytest.raises(UnsupportedError, match="text_encoder of 'twelve' has 12 layers, not 13"):
        list(edited_parameters(twelve, AdvUnlearnSettings(layers=13)))


def test_a_retain_prompt_that_is_too_long_is_named(tiny_pipeline: Path, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text(f"a hat\n{'q' * 90}\n")
    settings = AdvUnlearnSettings(**{**SMALL, "retain": f"file:{tmp_path / 'kept.txt'}"})
    with pytest.raises(UserError, match=r"the retain prompt 'qqq.*is too long\n  a text of 90 tokens"):
        AdvUnlearn(load(tiny_pipeline), (Concept(name="xyz"),), settings, 4)


def test_the_published_preset_changes_what_its_code_does() -> None:
    changed = AdvUnlearnSettings(**AdvUnlearn.PRESETS["published"])
    assert (changed.steps, changed.lr, changed.attack_steps, changed.attack_lr, changed.gamma) == (
        1000,
        1e-5,
        30,
        1e-3,
        0.5,
    )
    assert not any(
        (changed.bpe_aware, changed.clear_gradients, changed.keep_last_update, changed.exact_timesteps, changed.bank)
    )


def test_the_published_code_trains_something_else(tiny_pipeline: Path, retained: str) -> None:
    small = {**SMALL, "warm_up": 0, "retain": retained, "bank": 0}
    found = []
    for preset in ({}, AdvUnlearn.PRESETS["published"]):
        settings = AdvUnlearnSettings(**{**small, **preset})
        made = AdvUnlearn(load(tiny_pipeline), (Concept(name="xyz"),), settings, 4)
        assert sorted(made.step(0)) == ["attack", "erase", "retain"]
        found.append(weights(made))
    assert any(not torch.equal(value, found[1][name]) for name, value in found[0].items())
