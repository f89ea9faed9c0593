"""Safe Latent Diffusion: each step of classifier-free guidance is also steered away from a concept.

Source: Schramowski et al., "Safe Latent Diffusion", arXiv 2211.05105, section 3, eq. 3-8, and the four
settings of its table; where text and published code differ (the bound of the scale), the code, which made the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any

from pydantic import Field

from copycat.models.guidance.hooks import Forward, replaced_forward
from copycat.schema import Record


class SldSettings(Record):
    """What the method can be told; the defaults are those of "medium".

    Attributes:
        warm_up: steps, counted from 0, that are not steered yet; momentum already builds up.
        scale: s_S, by which the difference of prompt and concept is multiplied.
        threshold: lambda; where prompt minus concept is as large or larger, nothing is steered.
        momentum_scale: s_m, how much of the momentum is added.
        momentum: beta_m, how much of the momentum stays from step to step.
    """

    warm_up: int = Field(default=10, ge=0)
    scale: float = Field(default=1000, ge=0)
    threshold: float = 0.01
    momentum_scale: float = Field(default=0.3, ge=0, le=1)
    momentum: float = Field(default=0.4, ge=0, lt=1)


SLD_VARIANTS: Mapping[str, SldSettings] = MappingProxyType(
    {
        "weak": SldSettings(warm_up=15, scale=200, threshold=0.0, momentum_scale=0.0, momentum=0.0),
        "medium": SldSettings(),
        "strong": SldSettings(warm_up=7, scale=2000, threshold=0.025, momentum_scale=0.5, momentum=0.7),
        "max": SldSettings(warm_up=0, scale=5000, threshold=1.0, momentum_scale=0.5, momentum=0.7),
    }
)
"""The four published settings."""


def safety_term(
    null: Any, prompted: Any, unsafe: Any, momentum: Any, settings: SldSettings
) -> tuple[Any, Any]:  # Any: tensors
    """Work out what is taken from a prompt's prediction, and the momentum for the next step.

        mu    = min(1, s_S |e_c - e_s|) where e_c - e_s < lambda, else 0
        guid  = mu (e_s - e_null) + s_m nu
        nu'   = beta_m nu + (1 - beta_m) guid

    Args:
        null, prompted, unsafe: predicted noise without a text, under the prompt, under the concept:
            e_null, e_c, e_s, of shape (pictures, channels, height, width).
        momentum: nu, of the same shape: each picture has its own.

    Returns: guid and nu'. Both are zero all along where prompt and concept are one text: mu is a multiple of
        their difference.
    """
    difference = prompted - unsafe
    size = (difference.abs() * settings.scale).clamp(max=1.0)
    size = size.masked_fill(difference >= settings.threshold, 0.0)
    term = size * (unsafe - null) + settings.momentum_scale * momentum
    return term, settings.momentum * momentum + (1 - settings.momentum) * term


class SldForward:
    """Stands in for the denoiser's forward where a pipeline asks for [e_null, e_c], and gives [e_null, e_c - guid].

    The pipeline then computes e_null + s ((e_c - guid) - e_null) = e_null + s (e_c - e_null - guid),
    which is eq. 3 of the paper; its own classifier-free guidance is not touched. The concept is evaluated
    in a call of its own, so that the pipeline's two rows are what they were without a guide. A step is a
    call of the denoiser: a scheduler of second order makes two of each.

    Further texts of the same pictures may follow the prompts, those of an attack. Each is steered as a prompt, with
    momentum of its own that begins with its first call.

    Args:
        count: pictures of the batch; None where two texts are asked for, the unguided one and the prompt.
    """

    def __init__(
        self, forward: Forward, concept: Mapping[str, Any], settings: SldSettings, count: int | None = None
    ) -> None:
        self.forward, self.concept, self.settings, self.count = forward, concept, settings, count
        self.step = 0
        self.momentum: Any = None

    def __call__(self, sample: Any, timestep: Any, encoder_hidden_states: Any, **more: Any) -> tuple[Any]:
        """Predict the noise of a batch (texts x pictures, channels, height, width), text by text."""
        import torch

        count = self.count or len(sample) // 2
        every = self.forward(sample, timestep, encoder_hidden_states=encoder_hidden_states, **more)[0]
        unsafe = self._under_concept(sample[-count:], timestep, more)
        # half precision would round the small differences that are scaled up
        wide = torch.promote_types(every.dtype, torch.float32)
        null, prompted = every[:count], every[count:]
        n_texts = len(prompted) // count
        term, self.momentum = safety_term(
            _repeated_rows(null.to(wide), n_texts),
            prompted.to(wide),
            _repeated_rows(unsafe.to(wide), n_texts),
            self._momentum_for(prompted.to(wide)),
            self.settings,
        )
        is_warm = self.step >= self.settings.warm_up
        self.step += 1
        return (torch.cat([null, prompted - term.to(prompted.dtype)]) if is_warm else every,)

    def _momentum_for(self, prompted: Any) -> Any:
        """Give the momentum of the texts that are there: zero for new ones; that of texts which are gone is dropped."""
        import torch

        held = prompted[:0] if self.momentum is None else self.momentum[: len(prompted)]
        return torch.cat([held, torch.zeros_like(prompted[len(held) :])])

    def _under_concept(self, pictures: Any, timestep: Any, more: Mapping[str, Any]) -> Any:
        changed = dict(more)
        count = len(pictures)
        if added := more.get("added_cond_kwargs"):  # SDXL: a pooled text, and sizes for each text, too
            pooled = _repeated(self.concept["pooled_prompt_embeds"], count)
            changed["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": added["time_ids"][-count:]}
        texts = _repeated(self.concept["prompt_embeds"], count)
        return self.forward(pictures, timestep, encoder_hidden_states=texts, **changed)[0]


def sld_guidance(
    network: Any, concept: Mapping[str, Any], settings: SldSettings, count: int | None = None
) -> AbstractContextManager[None]:
    """Put the method on a denoiser for one batch.

    Args:
        concept: its text encoded, one row per argument of the pipeline: "prompt_embeds" (1, tokens, width),
            and "pooled_prompt_embeds" (1, width) where the pipeline has it.
        count: pictures of the batch, as in `SldForward`.
    """
    return replaced_forward(network, lambda forward: SldForward(forward, concept, settings, count))


def _repeated(row: Any, count: int) -> Any:
    return row.expand(count, *row.shape[1:])


def _repeated_rows(rows: Any, times: int) -> Any:
    return rows.repeat(times, 1, 1, 1)
