"""From files to a pipeline: which blocks are compiled, which parts come from elsewhere, what is turned off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import SAME, difference, quick, request, resolved

from copycat.errors import UnsupportedError
from copycat.models import MODELS, ModelRow
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.hub import Source
from copycat.models.loading import load_pipeline
from copycat.models.settings import choose_sampling, chosen_compile


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[torch.nn.Module]:
    """What was asked to be compiled; nothing is."""
    modules: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, *_, **__: modules.append(self))
    return modules


@pytest.mark.parametrize(
    ("family", "blocks"),
    [
        ("sd", {"BasicTransformerBlock": 4}),
        ("sdxl", {"BasicTransformerBlock": 4}),
        ("flux", {"FluxTransformerBlock": 1, "FluxSingleTransformerBlock": 1}),
        ("wan", {"WanTransformerBlock": 2}),
        ("sd3", {"JointTransformerBlock": 2}),
        ("cogvideox", {"CogVideoXBlock": 1}),
    ],
)
def test_the_blocks_that_the_denoiser_repeats_are_compiled_and_nothing_else(
    family_folder: Callable[[str], Path], compiled: list[torch.nn.Module], family: str, blocks: dict[str, int]
) -> None:
    row = resolved(family_folder(family))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, family, compile="regional")
    model.prepare([request()], sampling)
    assert compiled == []
    (picture,) = model.generate([request()], sampling)
    network = getattr(model.pipeline, "unet", None) or model.pipeline.transformer
    inside = {id(module) for module in network.modules()}
    assert picture.status == "ok"
    assert all(id(module) in inside for module in compiled)
    assert Counter(type(module).__name__ for module in compiled) == blocks


def test_a_network_without_repeated_blocks_is_not_compiled(
    family_folder: Callable[[str], Path], compiled: list[torch.nn.Module]
) -> None:
    row = resolved(family_folder("kandinsky3"))
    with pytest.raises(UnsupportedError) as caught:
        DiffusersModel(row, "cpu").generate([request()], quick(row, "kandinsky3", compile="regional"))
    assert str(caught.value) == (
        "Kandinsky3UNet names no blocks that could be compiled one by one\n  leave out --compile"
    )
    assert compiled == []


@pytest.mark.parametrize(
    ("asked", "device", "pictures", "chosen"),
    [
        ("on", "cpu", 1, "regional"),
        ("off", "cuda", 10_000, None),
        ("auto", "cuda", 199, None),
        ("auto", "cuda:1", 200, "regional"),
        ("auto", "cpu", 10_000, None),
        ("auto", "mps", 10_000, None),
    ],
)
def test_auto_compiles_where_it_is_likely_to_pay(asked: str, device: str, pictures: int, chosen: str | None) -> None:
    assert chosen_compile(asked, device, pictures) == chosen


# ------------------------------------------------------------------- parts with a home of their own


@pytest.fixture(scope="module")
def animate(family_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> ModelRow:
    """AnimateDiff as the table has it: the files of Stable Diffusion, and a motion adapter from elsewhere."""
    from diffusers import AnimateDiffPipeline

    whole = AnimateDiffPipeline.from_pretrained(family_folder("animatediff"))
    adapter = tmp_path_factory.mktemp("adapter")
    whole.motion_adapter.save_pretrained(adapter)
    return MODELS.get("animatediff").model_copy(
        update={"source": str(family_folder("sd")), "parts": {"motion_adapter": str(adapter)}}
    )


def test_a_part_of_its_own_is_passed_to_the_pipeline(animate: ModelRow) -> None:
    sampling = quick(animate, "animatediff")
    source = Source(animate.source, animate.name)
    pipeline = load_pipeline(source, animate, sampling, "cpu", "drawing")
    assert type(pipeline).__name__ == "AnimateDiffPipeline"
    assert type(pipeline.motion_adapter).__name__ == "MotionAdapter"
    assert type(pipeline.unet).__name__ == "UNetMotionModel"
    own = {name: weight for name, weight in pipeline.motion_adapter.named_parameters() if "to_v" in name}
    drawn = dict(pipeline.unet.named_parameters())
    assert own
    assert all(torch.equal(drawn[name], weight) for name, weight in own.items() if name in drawn)
    texts = load_pipeline(source, animate, sampling, "cpu", "texts")
    assert (texts.motion_adapter, texts.unet, texts.vae) == (None, None, None)


def test_a_pipeline_with_a_part_of_its_own_draws_clips(animate: ModelRow) -> None:
    model, sampling = DiffusersModel(animate, "cpu"), quick(animate, "animatediff")
    assert sampling.scheduler == "DDIMScheduler"
    asked = request(negative="wolf den")
    model.check([asked], sampling)
    model.prepare([request(), asked], sampling)
    plain, negative = model.generate([request(key="a"), asked], sampling)
    assert (plain.status, len(plain.clip)) == ("ok", sampling.frames)
    assert difference(plain, negative) > SAME


def test_a_model_of_two_repositories_is_identified_by_both_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycat.models.hub._resolve_commit", lambda repository, *_: f"commit of {repository}")
    row = MODELS.get("animatediff")
    identity = DiffusersModel(row, "cpu").identify()
    assert identity.source == f"{row.source}+{row.parts['motion_adapter']}"
    assert identity.revision == f"commit of {row.source}+commit of {row.parts['motion_adapter']}"


# ------------------------------------------------------------------------------ Kandinsky 2.2


@pytest.fixture(scope="module")
def kandinsky(tmp_path_factory: pytest.TempPathFactory) -> DiffusersModel:
    from tiny_kandinsky import save_tiny_kandinsky

    folder = save_tiny_kandinsky(tmp_path_factory.mktemp("kandinsky"))
    return DiffusersModel(MODELS.get("kandinsky-2.2").model_copy(update={"source": str(folder)}), "cpu")


@pytest.mark.slow
def test_kandinsky_draws_with_the_prior_that_its_decoder_names(kandinsky: DiffusersModel) -> None:
    asked = choose_sampling(kandinsky.row, "cpu", None, {"steps": 2, "width_px": 64, "height_px": 64})
    sampling = kandinsky.settle(asked)
    assert sampling.scheduler == "DDIMScheduler"
    kandinsky.check([request(negative="wolf den")], sampling)
    (one,) = kandinsky.generate([request(key="a")], sampling)
    others = (request("dog", 2, key="b"), request("a long blue house", 3, key="c"))
    assert difference(kandinsky.generate([others[0], request(key="a"), others[1]], sampling)[1], one) <= SAME
    for other in (request(seed=2), request("dog house"), request(negative="wolf den")):
        assert difference(kandinsky.generate([other], sampling)[0], one) > 5
    (negative,) = kandinsky.generate([request(negative="wolf den", key="a")], sampling)
    beside = (request("dog", 2, "fox", key="b"), request("house", 3, "a cat and a mouse", key="c"))
    drawn = kandinsky.generate([beside[0], request(negative="wolf den", key="a"), beside[1]], sampling)
    assert difference(drawn[1], negative) <= SAME


def test_tokens_that_the_prior_cannot_read_are_counted(kandinsky: DiffusersModel) -> None:
    asked = choose_sampling(kandinsky.row, "cpu", None, {"steps": 1, "width_px": 64, "height_px": 64})
    (picture,) = kandinsky.generate([request(" ".join("x" * 80))], kandinsky.settle(asked))
    assert picture.truncated_tokens == 80 + 2 - 77


# --------------------------------------------------------------------------- what is turned off


def test_a_watermark_is_never_drawn_even_with_the_package_that_draws_it(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers.pipelines.stable_diffusion_xl import pipeline_stable_diffusion_xl as home

    monkeypatch.setattr(home, "is_invisible_watermark_available", lambda: True)
    monkeypatch.setattr(home, "StableDiffusionXLWatermarker", object, raising=False)
    row = resolved(family_folder("sdxl"))
    pipeline = load_pipeline(Source(row.source, row.name), row, quick(row, "sdxl"), "cpu")
    assert pipeline.watermark is None


@pytest.fixture
def with_checker(family_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """Stable Diffusion with a safety checker that flags everything."""
    from diffusers import StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    vision = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(vision_config=vision | {"image_size": 32, "patch_size": 16}, projection_dim=32)
    checker = StableDiffusionSafetyChecker(config)
    for name in ("concept_embeds", "special_care_embeds"):
        getattr(checker, name).data.fill_(1)
    for name in ("concept_embeds_weights", "special_care_embeds_weights"):
        getattr(checker, name).data.fill_(-1)  # every similarity is above it
    StableDiffusionPipeline.from_pretrained(
        family_folder("sd"),
        safety_checker=checker,
        feature_extractor=CLIPImageProcessor(size=32, crop_size=32),
    ).save_pretrained(tmp_path / "checked")
    return tmp_path / "checked"


@pytest.mark.parametrize(("asked", "status"), [(None, "blocked"), ("on", "blocked"), ("off", "ok")])
def test_a_safety_checker_acts_unless_it_is_turned_off(with_checker: Path, asked: str | None, status: str) -> None:
    row = resolved(with_checker)
    sampling = quick(row, "sd", safety_checker=asked)
    assert sampling.safety_checker == (asked or "on")
    model: Any = DiffusersModel(row, "cpu")
    model.check([request()], sampling)
    model.prepare([request()], sampling)
    (picture,) = model.generate([request()], sampling)
    assert picture.status == status, picture.detail
    assert (model.pipeline.safety_checker is None) == (asked == "off")
