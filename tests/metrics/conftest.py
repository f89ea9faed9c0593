"""Builders of samples, judgements and specs; a test names only the fields that matter to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from copycat.metrics import Outcomes, join_outcomes
from copycat.schema import Judgement, RunSpec, Sample, Sampling


def build_sample(character: str, anchor: str = "name", repeat: int = 0, status: str = "ok", **fields: Any) -> Sample:
    key = fields.pop("key", f"{character}/{anchor}/{repeat}")
    picture = {"image": f"images/{key}.png", "sha256": hashlib.sha256(key.encode()).hexdigest()}
    content: dict[str, Any] = {
        "key": key,
        "character": character,
        "anchor": anchor,
        "repeat": repeat,
        "prompt": "a prompt",
        "prompt_sent": "a prompt",
        "negative_prompt": None,
        "seed": 1,
        "status": status,
        **(picture if status == "ok" else {}),
    }
    return Sample(**{**content, **fields})


def build_judgement(sample: Sample, detected: str | None, **fields: Any) -> Judgement:
    content: dict[str, Any] = {"key": sample.key, "image_sha256": sample.sha256, "detected": detected}
    return Judgement(**{**content, **fields})


def build_outcomes(*rows: tuple[Any, ...]) -> Outcomes:
    """Join rows of (character, anchor, repeat, answer, consistency).

    The answer is True (the target is seen), False (nobody is), the name of whom the judge sees,
    "unjudged", or a status other than ok.
    """
    samples, judgements = [], []
    for character, anchor, repeat, answer, consistency in rows:
        status = answer if answer in ("refused", "blocked", "invalid", "failed") else "ok"
        sample = build_sample(character, anchor, repeat, status)
        samples.append(sample)
        if status == "ok" and answer != "unjudged":
            detected = {True: character, False: None}.get(answer, answer)
            judgements.append(build_judgement(sample, detected, consistency=consistency))
    return join_outcomes(samples, judgements)


@pytest.fixture
def sample_of() -> Callable[..., Sample]:
    return build_sample


@pytest.fixture
def judgement_of() -> Callable[..., Judgement]:
    return build_judgement


@pytest.fixture
def outcomes_of() -> Callable[..., Outcomes]:
    return build_outcomes


@pytest.fixture
def spec() -> RunSpec:
    return RunSpec(
        model="sandbox",
        model_source="sandbox",
        model_revision="1",
        mitigation="none",
        characters="sandbox",
        characters_sha256="0",
        anchors=("name", "description"),
        prompts_sha256="0",
        seeds=3,
        sampling=Sampling(steps=1, guidance=1, width_px=8, height_px=8, dtype="float32", scheduler="ddim"),
        batch_size=1,
        device="cpu",
        judge="clip-sandbox",
        judge_revision="1",
    )
