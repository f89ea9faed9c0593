"""Settings of DoCo: the corrected defaults, the published ones, and what small networks need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from copycat.erasure.anchors import TEMPLATES
from copycat.erasure.discriminator import Norm
from copycat.erasure.surgery import SurgeryForm, SurgeryScope
from copycat.schema import Record


class DoCoSettings(Record):
    """What DoCo is set to; where the authors' code has a defect, the default is the correction."""

    steps: int = Field(default=2000, ge=1, description="of all, warm-up included")
    warm_up: int = Field(
        default=1000, ge=0, validate_default=True, description="first steps, in which only the discriminator learns"
    )
    batch: int = Field(
        default=8,
        ge=1,
        description="pictures of a step for the adversarial loss, and as many others for the prior loss",
    )
    lr: float = Field(default=4.8e-5, gt=0, description="learning rate of AdamW for keys and values")
    lr_schedule: Literal["constant", "linear"] = Field(
        default="linear",
        description="falling to 0 at the last step, or constant as published: it is never stepped there",
    )
    weight_decay: float = Field(default=1e-2, ge=0, description="of AdamW")
    clip: float = Field(default=1.0, gt=0, description="longest gradient, over all tensors, before surgery")
    discriminator_lr: float = Field(default=1e-4, gt=0, description="learning rate of Adam, betas 0.5 and 0.999")
    norm: Norm = Field(
        default="group", description="of the discriminator; batch as published, where each side is a batch of its own"
    )
    knows_time: bool = Field(default=True, description="the discriminator is told the timestep; not as published")
    compares: Literal["clean", "prediction"] = Field(
        default="clean", description="x_0 of a prediction, or the prediction itself as in the code's first release"
    )
    clean_form: Literal["raw", "clamped", "weighted"] = Field(
        default="clamped",
        description="x_0 as it is, which divides by sqrt(abar) as published; limited to +-clamp; times sqrt(abar)",
    )
    clamp: float = Field(default=4.0, gt=0, description="limit of a clamped x_0")
    anchor_label: Literal[0, 1] = Field(default=1, description="the anchor's label; 0 as published is the same game")
    clears_gradients: bool = Field(
        default=True, description="the discriminator learns without what the adversarial loss leaves in its gradients"
    )
    surgery: SurgeryForm = Field(
        default="projection", description="true, or cosine as published; none adds the prior loss instead"
    )
    surgery_scope: SurgeryScope = Field(default="layer", description="what is one vector; each tensor as published")
    surgery_strength: float = Field(default=1.0, ge=0, description="share of the conflict that is cut")
    prior_weight: float = Field(default=0.1, ge=0, description="of the prior loss without surgery")
    frozen_start: bool = Field(
        default=True, description="no gradient through key and value of a prompt's first token, which all prompts share"
    )
    earliest: float = Field(default=0.0, ge=0, le=1, description="timesteps are drawn evenly from this share on")
    latest: float = Field(
        default=1.0, gt=0, le=1, validate_default=True, description="timesteps are drawn evenly up to this share"
    )
    templates: tuple[str, ...] = Field(default=TEMPLATES, description="prompts, {} where anchor or concept stands")
    anchors: tuple[str, ...] = Field(default=(), description="words in place of the concepts' own anchors, in turn")
    pictures: int = Field(default=1000, ge=1, description="of the prior set, which the model draws of the anchor")
    prior_steps: int = Field(default=25, ge=1, description="of the model's own scheduler, for the prior set")
    prior_guidance: float = Field(default=6.0, ge=0, description="scale of guidance, for the prior set")

    @field_validator("warm_up")
    @classmethod
    def _leaves_steps(cls, warm_up: int, others: ValidationInfo) -> int:
        if warm_up >= others.data.get("steps", warm_up + 1):
            raise ValueError(f"warm_up must be less than steps, and steps is {others.data['steps']}")
        return warm_up

    @field_validator("latest")
    @classmethod
    def _follows_earliest(cls, latest: float, others: ValidationInfo) -> float:
        if latest <= others.data.get("earliest", 0.0):
            raise ValueError(f"latest must be more than earliest, and earliest is {others.data['earliest']}")
        return latest


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "published": {
        "lr_schedule": "constant",
        "norm": "batch",
        "knows_time": False,
        "clean_form": "raw",
        "anchor_label": 0,
        "clears_gradients": False,
        "surgery": "cosine",
        "surgery_scope": "tensor",
    },
    "sandbox": {  # few steps of few pictures erase, if the discriminator learns fast enough to know the way
        "steps": 240,
        "warm_up": 80,
        "batch": 4,
        "lr": 2e-4,
        "discriminator_lr": 5e-4,
        "pictures": 32,
        "prior_steps": 10,
        "prior_guidance": 3.0,
    },
}
"""Changes to the defaults. "published" is what the authors' code does; "sandbox" is laid over either for networks of
the sandbox's size."""
