"""The weights that ship: they load, they are small, and they do what the model card says."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from copycat.errors import CopycatError
from copycat.judges import JUDGES, JudgeRow
from copycat.judges.open_clip_judge import OpenClipJudge
from copycat.models import MODELS
from copycat.paths import package_folder
from copycat.sandbox.corpus import render_many
from copycat.sandbox.export import build_character_set
from copycat.sandbox.oracle import Oracle
from copycat.sandbox.train.calibrate import judge_pixels, precision_and_recall
from copycat.sandbox.train.judge import draw_examples
from copycat.sandbox.world import inhabitants
from copycat.schema import ImageRequest

WEIGHTS = package_folder("sandbox/weights")


def request(prompt: str, seed: int) -> ImageRequest:
    return ImageRequest(
        key=f"{prompt}-{seed}",
        character="zoravi",
        anchor="name",
        prompt_id=prompt,
        repeat=seed,
        prompt=prompt,
        prompt_sent=prompt,
        seed=seed,
    )


def test_all_weights_together_take_at_most_thirty_megabytes():
    size = sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file())

    assert size <= 30_000_000


def test_no_weights_need_pickle():
    assert not [p for p in WEIGHTS.rglob("*") if p.suffix in (".bin", ".pt", ".pth", ".ckpt", ".pkl")]


def test_the_model_is_a_genuine_stable_diffusion_pipeline():
    pipeline = StableDiffusionPipeline.from_pretrained(WEIGHTS / "pipeline", dtype=torch.float32)

    assert pipeline.tokenizer.model_max_length == 77
    assert pipeline.unet.config.in_channels == pipeline.vae.config.latent_channels


def test_the_judge_tells_characters_from_look_alikes_on_renders_it_has_not_seen():
    examples = draw_examples("test-judge", positives=3, near=3, generic=0)
    pixels = render_many([(example.looks, example.seed) for example in examples], processes=2)

    precision, recall = precision_and_recall(0.0, judge_pixels(WEIGHTS / "judge", pixels), examples)

    assert precision > 0.9
    assert recall > 0.9


def test_consistency_is_high_for_what_is_shown_and_low_for_what_is_not():
    people = inhabitants()
    who = people[0]
    other = next(p for p in people if p.appearance.species != who.appearance.species)
    pixels = render_many([(who.appearance, seed) for seed in range(8)], processes=1)
    judge = JUDGES.load("sandbox")(JUDGES.get("sandbox"), "cpu")
    pictures = [Image.fromarray(p) for p in pixels]

    right = judge.judge(pictures, [who.id] * 8, build_character_set())
    wrong = judge.judge(pictures, [other.id] * 8, build_character_set())

    assert np.mean([v.consistency for v in right]) > 0.9
    assert np.mean([v.consistency for v in wrong]) < 0.1
    assert [v.detected for v in right] == [v.detected for v in wrong]


def test_the_judge_never_runs_with_random_weights(tmp_path: Path):
    shutil.copytree(WEIGHTS / "judge", tmp_path / "judge")
    (tmp_path / "judge" / "open_clip_model.safetensors").unlink()
    row = JudgeRow(name="broken", target="", source=str(tmp_path / "judge"), summary="", is_calibrated=False)

    with pytest.raises((CopycatError, RuntimeError, FileNotFoundError, ValueError)):
        OpenClipJudge(row, "cpu").judge([], [], build_character_set())


def test_judge_settings_that_are_damaged_are_reported_with_their_file(tmp_path: Path):
    shutil.copytree(WEIGHTS / "judge", tmp_path / "judge")
    (tmp_path / "judge" / "judge.json").write_text(json.dumps({"threshold": 0.5}))
    row = JudgeRow(name="broken", target="", source=str(tmp_path / "judge"), summary="", is_calibrated=False)

    with pytest.raises(CopycatError, match=r"judge\.json"):
        _ = OpenClipJudge(row, "cpu").settings


def test_the_oracle_reads_every_attribute_of_renders_it_has_not_seen():
    examples = draw_examples("test-oracle", positives=2, near=2, generic=100)
    pixels = render_many([(example.looks, example.seed) for example in examples], processes=2)

    readings = Oracle(WEIGHTS / "oracle" / "oracle.safetensors").read(pixels)

    right = np.mean([reading.looks == example.looks for reading, example in zip(readings, examples, strict=True)])
    assert right > 0.9


def test_the_most_frequent_character_comes_back_from_its_name_and_a_plain_species_does_not():
    row = MODELS.get("sandbox")
    model, judge = MODELS.load("sandbox")(row, "cpu"), JUDGES.load("sandbox")(JUDGES.get("sandbox"), "cpu")
    who = max(inhabitants(), key=lambda p: p.pictures)
    requests = [request(who.name, seed) for seed in range(6)] + [request(who.appearance.species, s) for s in range(6)]

    pictures = [made.image for made in model.generate(requests, row.sampling)]
    verdicts = judge.judge(pictures, [who.id] * 12, build_character_set())

    assert sum(v.detected == who.id for v in verdicts[:6]) >= 4
    assert sum(v.detected is not None for v in verdicts[6:]) <= 1
