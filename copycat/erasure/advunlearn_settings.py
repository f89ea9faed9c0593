"""Settings of AdvUnlearn: the corrected defaults, the published ones, and what small networks need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from copycat.schema import Record


class AdvUnlearnSettings(Record):
    """What AdvUnlearn is set to; the defaults are the paper's numbers, with each fault of its code corrected."""

    steps: int = Field(default=1000, ge=1, description="of training")
    warm_up: int = Field(default=200, ge=0, description="steps of them, the first, against the plain concept")
    lr: float = Field(default=1e-5, gt=0, description="learning rate of Adam on the text encoder")
    eta: float = Field(default=1.0, ge=0, description="negative guidance: how far from the concept the target lies")
    gamma: float = Field(default=0.5, ge=0, description="weight of the retain loss")
    retain: str = Field(
        default="objects", description="retain prompts: objects, captions (the sandbox's), names (others'), file:PATH"
    )
    retain_mode: Literal["reg", "iter"] = Field(
        default="reg", description="the retain loss is added, or has a step of its own behind each"
    )
    retain_batch: int = Field(default=5, ge=1, description="retain prompts in a step")
    retain_null: bool = Field(
        default=True, description="the empty prompt is retained, too: the edited encoder encodes it at drawing"
    )
    layers: Literal["all"] | int = Field(
        default="all", description="all layers of the text encoder and its last norm, or the first so many layers"
    )
    layer_match: Literal["exact", "startswith"] = Field(
        default="exact", description="startswith finds 'layers.1' in 'layers.10', too, as the published code does"
    )
    component: Literal["all", "ffn", "attn"] = Field(default="all", description="what of each layer")
    form: Literal["prefix", "replace", "add"] = Field(
        default="prefix", description="free embeddings before the concept's tokens, in their place, or added to them"
    )
    prefix_tokens: int = Field(default=1, ge=1, description="free embeddings of a prefix")
    prefix_init: Literal["random", "latest"] = Field(
        default="random", description="each search begins with random tokens, or with what the last one found"
    )
    bpe_aware: bool = Field(
        default=True, description="false takes a token for each word, and throws away tokens behind them, as published"
    )
    attack_steps: int = Field(default=30, ge=1, description="of each search")
    attack_lr: float = Field(default=1e-3, gt=0, description="size of a step of the search")
    attack_optimiser: Literal["adam", "sign"] = Field(default="adam", description="of the search")
    budget: float | None = Field(default=None, gt=0, description="no coordinate leaves the search's start by more")
    fast: bool = Field(default=False, description="search by the sign of the gradient (FGSM)")
    one_step_fast: bool = Field(
        default=True, description="a fast search is one step from a random start; false is Adam on signs, as published"
    )
    clear_gradients: bool = Field(default=True, description="before each step of the search")
    keep_last_update: bool = Field(default=True, description="of the search; false gives what was before it")
    attack_batch: int = Field(default=1, ge=1, description="latents in a step of the search")
    erase_batch: int = Field(default=1, ge=1, description="latents in a step of training")
    rollout_steps: int = Field(default=50, ge=2, description="DDIM steps from noise to picture")
    guidance: float = Field(default=3.0, ge=0, description="scale of guidance in rollouts")
    exact_timesteps: bool = Field(
        default=True, description="latents at their own timestep; false pairs them with a noisier one, as published"
    )
    bank: int = Field(default=2048, ge=0, description="latents kept of each concept; 0 draws all anew in each step")
    bank_retain: int = Field(default=1024, ge=1, description="latents kept of the retain prompts")
    per_rollout: int = Field(default=8, ge=1, description="latents that a bank keeps of one rollout")
    bank_dtype: Literal["float16", "float32"] = Field(default="float16", description="in which a bank is kept")
    bank_batch: int = Field(default=8, ge=1, description="rollouts side by side")

    @model_validator(mode="after")
    def _fits(self) -> AdvUnlearnSettings:
        if self.layers != "all" and self.layers < 1:
            raise ValueError(f"layers must be 'all' or the number of the first layers, at least 1, not {self.layers}")
        if self.warm_up > self.steps:  # as many is a method without its attacker, which may be asked for
            raise ValueError(f"warm_up must not be more than steps, got {self.warm_up} and {self.steps}")
        if self.per_rollout > self.rollout_steps:
            raise ValueError(f"a rollout of {self.rollout_steps} steps has no {self.per_rollout} latents to keep")
        return self


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "published": {
        "layer_match": "startswith",
        "bpe_aware": False,
        "one_step_fast": False,
        "clear_gradients": False,
        "keep_last_update": False,
        "exact_timesteps": False,
        "retain_null": False,
        "bank": 0,
    },
    "sandbox": {
        "steps": 150,
        "warm_up": 10,
        "lr": 3e-4,
        "retain": "captions",
        "prefix_tokens": 3,
        "attack_steps": 6,
        "attack_lr": 1e-2,
        "rollout_steps": 10,
        "bank": 240,
        "bank_retain": 240,
        "per_rollout": 5,
        "bank_batch": 16,
        "bank_dtype": "float32",
    },
}
"""Changes to the defaults. "published" is the paper's numbers (arXiv 2405.15234, section 5.1; gamma as for objects)
with what its code does; "sandbox" is laid over either for networks of the sandbox's size."""
