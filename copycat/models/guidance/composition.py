"""Composed guidance: weighted texts beside the prompt, in every step of a window, in one pass of the denoiser.

Source: Petsiuk and Saenko, arXiv 2404.13706 ("Concept Arithmetics", section 3), after composable diffusion (Liu et
al., arXiv 2206.01714). With the scale s of classifier-free guidance, a prompt c, and terms c_j of weight w_j:

    e = e_null + s (e_c - e_null) + s sum_j w_j (e_cj - e_null)

`e_null` is the pipeline's own unguided side: with a negative prompt, that prompt. Whoever deploys one does not let
a caller choose another side, so each term is guided away from it as the prompt is; where the weights add up to zero
(a detour minus the detour alone) it cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from copycat.errors import UnsupportedError
from copycat.models.capabilities import Capabilities
from copycat.models.guidance.hooks import Forward, replaced_forward
from copycat.schema import Attack, ImageRequest, Sampling, Term

PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
"""Those that call their denoiser once per step with the rows [without a text, under the prompts], and guide alone."""


def acting_terms(attack: Attack | None) -> tuple[Term, ...]:
    """Give the terms that change anything: without them no pass is made, and nothing is rounded differently."""
    return tuple(term for term in attack.terms if term.weight != 0) if attack is not None else ()


def is_in_window(call: int, n_calls: int, attack: Attack) -> bool:
    """Say whether the terms act in a call of the denoiser, counted from 0: start <= call / n_calls < end."""
    return attack.start <= call / n_calls < attack.end


def check_terms(name: str, able: Capabilities, requests: Iterable[ImageRequest], sampling: Sampling) -> None:
    """Refuse attacks of weighted texts that a model could not act on; loads no weights.

    Args:
        name: of the model, for the message.
        able: what its pipeline can do.

    Raises:
        UnsupportedError: the pipeline, its guidance, another guide or a setting does not go with the attack.
    """
    asked = [(request.attack, request.guide) for request in requests if request.attack and request.attack.terms]
    for attack, guide in {(a.model_dump_json(), g and g.method): (a, g) for a, g in asked}.values():
        what = f"the weighted texts of the attack '{attack.method}'"
        if able.pipeline not in PIPELINES:
            raise UnsupportedError(
                f"'{name}' ({able.pipeline}) cannot honour {what}\n  it works with {' and '.join(PIPELINES)}"
            )
        if not able.can_negate or able.cfg_scale(sampling.guidance, sampling.true_guidance) <= 1:
            raise UnsupportedError(
                f"'{name}' cannot honour {what} without classifier-free guidance\n  use --guidance 3, or no attack"
            )
        if sampling.long_prompts:
            raise UnsupportedError(f"'{name}' cannot honour {what} with prompts in pieces\n  leave out --long-prompts")
        if guide is not None and guide.method != "sld":
            raise UnsupportedError(
                f"'{name}' cannot honour {what} under the guide '{guide.method}'\n"
                "  that guide knows one text for each picture; attack another mitigation, such as sld or negprompt"
            )
        steps = sampling.steps
        if steps is not None and not any(is_in_window(step, steps, attack) for step in range(steps)):
            raise UnsupportedError(
                f"the attack '{attack.method}' would act in none of {steps} steps: none lies from {attack.start:g} up "
                f"to {attack.end:g}\n  needed: a wider window, such as start=0,end=1"
            )


class ComposedForward:
    """Stands in for the denoiser's forward where a pipeline asks for [e_null, e_c].

    It asks for [e_null, e_c, e_c1, ... e_cN] in one batch, and gives [e_null, e_c + sum_j w_j (e_cj - e_null)]: the
    pipeline's own formula then yields the composed one. Outside of the window its call is passed on as it is.

    A step is a call of the denoiser. A scheduler of second order makes two calls for each of its steps but the last;
    the window's shares are of all calls, which are as many as the scheduler has timesteps.

    Args:
        forward: of the denoiser, or of what stands in for it already: SLD, which steers every text.
        rows: encoded terms, each of shape (pictures, ...): "prompt_embeds", and "pooled_prompt_embeds" of SDXL.
        weights: of each term, of shape (terms, pictures).
        count_calls: gives how many calls there will be, once the first is made.
    """

    def __init__(
        self,
        forward: Forward,
        rows: Sequence[Mapping[str, Any]],
        weights: Any,  # Any: a tensor
        attack: Attack,
        count_calls: Callable[[], int],
    ) -> None:
        self.forward, self.rows, self.weights, self.attack = forward, rows, weights, attack
        self.count_calls, self.made = count_calls, 0

    def __call__(self, sample: Any, timestep: Any, encoder_hidden_states: Any, **more: Any) -> tuple[Any]:
        """Predict the noise of a batch (2 pictures, channels, height, width)."""
        import torch

        acts = is_in_window(self.made, self.count_calls(), self.attack)
        self.made += 1
        if not acts:
            return (self.forward(sample, timestep, encoder_hidden_states=encoder_hidden_states, **more)[0],)
        count = self.weights.shape[1]
        texts = torch.cat([encoder_hidden_states, *(row["prompt_embeds"] for row in self.rows)])
        pictures = torch.cat([sample, *[sample[-count:]] * len(self.rows)])
        predicted = self.forward(pictures, timestep, encoder_hidden_states=texts, **self._with_terms(more))[0]
        null, prompted, *termed = predicted.split(count)
        # half precision would round the small differences of texts that are close to each other
        wide = torch.promote_types(predicted.dtype, torch.float32)
        composed = prompted.to(wide)
        for weight, term in zip(self.weights.to(wide), termed, strict=True):
            composed = composed + weight[:, None, None, None] * (term.to(wide) - null.to(wide))
        return (torch.cat([null, composed.to(predicted.dtype)]),)

    def _with_terms(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """Lengthen what SDXL's denoiser is told beside the text: a pooled text, and the sizes of the picture."""
        import torch

        added = more.get("added_cond_kwargs")
        if not added:
            return dict(more)
        pooled = torch.cat([added["text_embeds"], *(row["pooled_prompt_embeds"] for row in self.rows)])
        sizes = torch.cat([added["time_ids"], *[added["time_ids"][-self.weights.shape[1] :]] * len(self.rows)])
        return {**more, "added_cond_kwargs": {**added, "text_embeds": pooled, "time_ids": sizes}}


def composed_guidance(
    pipeline: Any, attacks: Sequence[Attack], encoded: Mapping[str, Mapping[str, Any]]
) -> AbstractContextManager[None]:
    """Put the terms of attacks on a pipeline's denoiser for one batch.

    Args:
        attacks: one for each picture, of one window and with the same number of terms that act.
        encoded: the terms' texts, one row each, on the denoiser's device.
    """
    import torch

    network = pipeline.unet
    terms = list(zip(*(acting_terms(attack) for attack in attacks), strict=True))
    weights = torch.tensor([[term.weight for term in of_one] for of_one in terms], device=network.device)
    rows = [
        {name: torch.cat([encoded[term.text][name] for term in of_one]) for name in encoded[of_one[0].text]}
        for of_one in terms
    ]
    return replaced_forward(
        network,
        lambda forward: ComposedForward(forward, rows, weights, attacks[0], lambda: len(pipeline.scheduler.timesteps)),
    )
