"""Guides through a whole model: they reach the pixels of their own pictures, are taken off again, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import SAME, difference, quick, request, resolved, unloadable

from copycat.errors import UnsupportedError
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.guidance.hooks import replaced_forward
from copycat.schema import Guide, ImageRequest, Sampling

Folder = Callable[[str], Path]

GUIDES = {
    "sld": Guide(method="sld", concept=("house hat", "dog"), settings={"warm_up": 1, "scale": 2000}),
    "safree": Guide(method="safree", concept=("ab cat", "cat"), settings={"centre": -9}),
    "nag": Guide(method="nag", concept=("house hat", "dog")),
}
PAIRS = [("sd", "sld"), ("sd", "safree"), ("sd", "nag"), ("sdxl", "sld"), ("sdxl", "nag")]
IDLE = {
    "scale 0": Guide(method="sld", concept=("cat",), settings={"warm_up": 0, "scale": 0}),
    "a warm-up of all steps": Guide(method="sld", concept=("cat",), settings={"warm_up": 3}),
    "no filtered step": Guide(method="safree", concept=("cat",), settings={"most_steps": 0}),
    "blend 0": Guide(method="nag", concept=("cat",), settings={"blend": 0}),
    "NAG's scale 0": Guide(method="nag", concept=("cat",), settings={"scale": 0}),
}


def asked(guide: Guide | None, prompt: str = "ab cat", seed: int = 1, negative: str | None = None) -> ImageRequest:
    return request(prompt, seed, negative).model_copy(update={"guide": guide})


@pytest.fixture(scope="module")
def models(family_folder: Folder) -> dict[str, tuple[DiffusersModel, Sampling]]:
    rows = {family: resolved(family_folder(family)) for family in ("sd", "sdxl")}
    return {
        family: (DiffusersModel(row, "cpu"), quick(row, family, steps=3, width_px=16, height_px=16))
        for family, row in rows.items()
    }


Models = dict[str, tuple[DiffusersModel, Sampling]]


@pytest.mark.parametrize(("family", "method"), PAIRS)
def test_a_guide_reaches_its_own_picture_and_no_other_of_the_batch(models: Models, family: str, method: str) -> None:
    model, sampling = models[family]
    plain, guided = asked(None), asked(GUIDES[method])
    (alone,) = model.generate([plain], sampling)
    beside, changed, negated = model.generate([plain, guided, asked(GUIDES[method], negative="wolf")], sampling)
    assert difference(beside, alone) == 0
    assert difference(changed, alone) > 3
    assert difference(changed, negated) > 3


@pytest.mark.parametrize(("family", "method"), PAIRS)
def test_a_guided_picture_is_the_same_alone_and_in_a_batch(models: Models, family: str, method: str) -> None:
    model, sampling = models[family]
    guide = GUIDES[method]
    batch = [asked(guide), asked(guide, "dog house", 2), asked(guide, "ab", 3)]
    together = model.generate(batch, sampling)
    for one, picture in zip(batch, together, strict=True):
        (alone,) = model.generate([one], sampling)
        assert difference(alone, picture) <= SAME


@pytest.mark.parametrize("name", IDLE)
def test_a_guide_that_does_nothing_gives_the_picture_without_one(models: Models, name: str) -> None:
    model, sampling = models["sd"]
    plain, idle = model.generate([asked(None), asked(IDLE[name])], sampling)
    assert difference(plain, idle) == 0


@pytest.mark.parametrize("method", ["nag", "safree"])
def test_a_model_without_classifier_free_guidance_takes_these_guides(models: Models, method: str) -> None:
    model, sampling = models["sd"]
    unguided = sampling.model_copy(update={"guidance": 0.0})
    plain, changed = model.generate([asked(None), asked(GUIDES[method])], unguided)
    assert difference(plain, changed) > 3


@pytest.mark.parametrize(("family", "method"), PAIRS)
def test_guides_work_in_half_precision(family_folder: Folder, family: str, method: str) -> None:
    row = resolved(family_folder(family))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, family, steps=4, width_px=16, height_px=16)
    half = sampling.model_copy(update={"dtype": "bfloat16"})
    plain, guided = model.generate([asked(None), asked(GUIDES[method])], half)
    assert difference(plain, guided) > 3


@pytest.mark.parametrize("method", ["sld", "nag"])
def test_guides_go_with_prompts_in_pieces(family_folder: Folder, method: str) -> None:
    row = resolved(family_folder("sd"))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, "sd", steps=3, width_px=16, height_px=16)
    long = sampling.model_copy(update={"long_prompts": True})
    plain, changed = model.generate([asked(None, "x" * 90), asked(GUIDES[method], "x" * 90)], long)
    assert difference(plain, changed) > 3


def test_the_concept_is_encoded_beside_the_prompts_before_drawing(family_folder: Folder) -> None:
    row = resolved(family_folder("sd"))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, "sd")
    requests = [asked(Guide(method="nag", concept=("cat", "hat"))), asked(GUIDES["safree"], "dog")]
    model.prepare(requests, sampling)
    assert set(model._texts[None].rows) == {
        ("ab cat", False),
        ("", True),
        ("dog", False),
        ("cat, hat", False),
        ("dog", GUIDES["safree"].model_dump_json()),
    }


@pytest.mark.parametrize("method", GUIDES)
def test_nothing_of_a_guide_is_left_when_the_pipeline_fails(
    models: Models, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    model, sampling = models["sd"]
    (before,) = model.generate([asked(None)], sampling)
    network = model.pipeline.unet
    processors = network.attn_processors

    def fail(*_: Any, **__: Any) -> None:
        assert "forward" in vars(network) or network.attn_processors != processors
        raise KeyError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(model.pipeline.scheduler, "step", fail)
        with pytest.raises(KeyError):
            model.generate([asked(GUIDES[method])], sampling)
    assert "forward" not in vars(network)
    assert network.attn_processors == processors
    (after,) = model.generate([asked(None)], sampling)
    assert difference(before, after) == 0


def test_a_forward_that_another_library_put_there_is_put_back() -> None:
    network = torch.nn.Identity()
    network.forward = hook = lambda number: number + 1  # type: ignore[method-assign, assignment]
    with replaced_forward(network, lambda forward: lambda number: 10 * forward(number)):
        assert network(1) == 20
    assert network.forward is hook


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(("family", "method"), [("sd3", "nag"), ("flux", "sld"), ("sdxl", "safree"), ("if-1", "sld")])
def test_a_pipeline_that_cannot_act_on_a_guide_refuses_it_before_loading(
    family_folder: Folder, monkeypatch: pytest.MonkeyPatch, family: str, method: str
) -> None:
    row = resolved(family_folder(family))
    model = unloadable(row, monkeypatch)
    with pytest.raises(UnsupportedError, match=f"cannot honour the guide '{method}'\n.*StableDiffusionPipeline"):
        model.check([asked(GUIDES[method])], quick(row, family))


@pytest.mark.parametrize(
    ("guide", "changes", "told"),
    [
        (GUIDES["sld"], {"guidance": 1.0}, "without classifier-free guidance"),
        (GUIDES["sld"], {"steps": 1}, "would do nothing in 1 steps: it warms up for 1"),
        (GUIDES["safree"], {"long_prompts": True}, "leave out --long-prompts"),
        (Guide(method="sld", concept=("x",), settings={"warmup": 3}), {}, "it has warm_up, scale, threshold"),
        (Guide(method="sld", concept=("x",), settings={"warm_up": 2.5}), {}, "cannot take these settings: warm_up"),
        (Guide(method="nag", concept=("x",), settings={"blend": 2}), {}, "cannot take these settings: blend"),
    ],
)
def test_settings_that_a_guide_could_not_act_on_are_refused_before_loading(
    family_folder: Folder, monkeypatch: pytest.MonkeyPatch, guide: Guide, changes: dict[str, Any], told: str
) -> None:
    row = resolved(family_folder("sd"))
    model = unloadable(row, monkeypatch)
    with pytest.raises(UnsupportedError, match=told):
        model.check([asked(guide)], quick(row, "sd", **changes))
    model.check([asked(None)], quick(row, "sd", **changes))


@pytest.mark.parametrize("method", ["sld", "nag"])
def test_a_prompt_that_is_the_concept_itself_would_not_be_guided_and_is_refused(
    models: Models, family_folder: Folder, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    own = [asked(GUIDES[method].model_copy(update={"concept": ("AB  cat",)}))]
    model, sampling = models["sd"]
    plain, guided = model.generate([asked(None), *own], sampling)
    assert difference(plain, guided) <= SAME
    model = unloadable(resolved(family_folder("sd")), monkeypatch)
    with pytest.raises(UnsupportedError, match=f"'{method}' would do nothing for the prompt 'ab cat'"):
        model.check(own, sampling)
    model.check([asked(GUIDES["safree"])], sampling)
