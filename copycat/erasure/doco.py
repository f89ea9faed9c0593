"""DoCo: train cross-attention so that a discriminator cannot tell the concept's prediction from the anchor's.

Wu et al., "Unlearning Concepts in Diffusion Model via Concept Domain Correction and Concept Preserving Gradient",
arXiv 2405.15304. The defaults are the corrected method; "published" is that of the authors' code, but for this: the
prior set stays latents, without a trip through the autoencoder and without flips, and its prompts come from templates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from copycat.erasure.anchors import prompt_pairs
from copycat.erasure.discriminator import build_discriminator
from copycat.erasure.doco_settings import PRESETS, DoCoSettings
from copycat.erasure.eraser import Concept, Progress
from copycat.erasure.frozen import Originals
from copycat.erasure.optimiser import flat_state, load_flat_state
from copycat.erasure.prior_set import Making, prior_set
from copycat.erasure.surgery import clipped, group_of, operate
from copycat.errors import UnsupportedError
from copycat.live import LivePipeline, Texts, step_generator
from copycat.schema import Record

KEYS_AND_VALUES = ("attn2.to_k.weight", "attn2.to_v.weight")
LEARNING, JUDGING = "optimiser", "discriminator_optimiser"


class Drawn(NamedTuple):
    """What a step looks at: noisy latents of anchor pictures, the prompts of both sides, and what noised them."""

    x: Any
    timesteps: Any
    anchor: Texts
    concept: Texts
    latents: Any
    noise: Any


class DoCo:
    """DoCo on one pipeline; see `copycat.erasure.Eraser`.

    Raises:
        UnsupportedError: no cross-attention in the denoiser, or a concept without an anchor.
    """

    SETTINGS: ClassVar[type[Record]] = DoCoSettings
    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = PRESETS

    def __init__(self, live: LivePipeline, concepts: tuple[Concept, ...], settings: DoCoSettings, seed: int) -> None:
        import torch

        self.live, self.settings, self.seed = live, settings, seed
        self.n_steps = settings.steps
        self.pairs = prompt_pairs(concepts, settings.templates, settings.anchors)
        named = dict(live.unet.named_parameters())
        self.trained = {name: named[name] for name in named if name.endswith(KEYS_AND_VALUES)}
        if not self.trained:
            raise UnsupportedError(
                f"doco trains keys and values of the cross-attention, and the denoiser of '{live.name}' has none\n"
                "  use a model that attends to its texts, or another method: python -m copycat.erase --list methods"
            )
        self._originals = Originals(self.trained)
        for tensor in self.trained.values():
            tensor.requires_grad_(True)
        self._groups = [group_of(name, settings.surgery_scope) for name in self.trained]
        channels, *sides = live.latent_shape()
        first = step_generator(seed, "discriminator").initial_seed()
        built = build_discriminator(channels, min(sides), settings.norm, settings.knows_time, first)
        self.discriminator = built.to(live.device).train()
        decay = settings.weight_decay
        self.optimiser = torch.optim.AdamW(list(self.trained.values()), lr=settings.lr, weight_decay=decay)
        betas, judged = (0.5, 0.999), list(self.discriminator.parameters())
        self.discriminator_optimiser = torch.optim.Adam(judged, lr=settings.discriminator_lr, betas=betas)
        self._prior: Any = None
        self._anchor_texts: Any = None
        self._concept_texts: Any = None

    # ------------------------------------------------------------------ the protocol

    def edited(self) -> dict[str, Any]:
        """Give the keys and values that are trained."""
        return {f"unet.{name}": tensor for name, tensor in self.trained.items()}

    def prepare(self, folder: Path, progress: Progress) -> None:
        """Encode the prompts, and draw the prior set with the weights as they were."""
        import torch

        with torch.no_grad():
            self._anchor_texts = self.live.encode([pair.anchor for pair in self.pairs])
            self._concept_texts = self.live.encode([pair.concept for pair in self.pairs])
        with self._originals.in_place():
            self._prior = prior_set(self.live, self._making(), folder, progress)

    def step(self, number: int) -> dict[str, float]:
        """Teach the discriminator and, behind the warm-up, the keys and values before it."""
        import torch

        drawn = self._draw("step", number)
        with self._originals.in_place():
            anchor = self._seen(drawn, drawn.anchor)
        if number < self.settings.warm_up:
            with torch.no_grad():
                concept = self._seen(drawn, drawn.concept)
            self.discriminator_optimiser.zero_grad()
            return {"discriminator": self._teach_discriminator(anchor, concept, drawn.timesteps)}
        concept, losses = self._teach_keys(number, drawn)
        return losses | {"discriminator": self._teach_discriminator(anchor, concept.detach(), drawn.timesteps)}

    def state(self) -> dict[str, Any]:
        """Give the discriminator and both optimisers."""
        held = {f"discriminator.{name}": tensor for name, tensor in self.discriminator.state_dict().items()}
        return held | flat_state(self.optimiser, LEARNING) | flat_state(self.discriminator_optimiser, JUDGING)

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up the discriminator and both optimisers."""
        start = "discriminator."
        own = {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}
        self.discriminator.load_state_dict(own)
        load_flat_state(self.optimiser, state, LEARNING)
        load_flat_state(self.discriminator_optimiser, state, JUDGING)

    # ------------------------------------------------------------------ a step

    def _teach_keys(self, number: int, drawn: Drawn) -> tuple[Any, dict[str, float]]:
        """Do one step of the keys and values; give what the discriminator saw, and the losses."""
        import torch

        settings, tensors = self.settings, list(self.trained.values())
        concept = self._seen(drawn, drawn.concept)
        adversarial = self._sorted_as(concept, drawn.timesteps, settings.anchor_label)
        # published: the backward pass of this loss leaves its gradients in the discriminator as well
        left_in = [] if settings.clears_gradients else list(self.discriminator.parameters())
        found = torch.autograd.grad(adversarial, tensors + left_in)
        self.discriminator_optimiser.zero_grad()
        for parameter, gradient in zip(left_in, found[len(tensors) :], strict=True):
            parameter.grad = gradient.clone()
        prior, retaining = self._prior_loss(number)
        unlearning = clipped(found[: len(tensors)], settings.clip)
        freed = operate(unlearning, retaining, self._groups, settings.surgery, settings.surgery_strength)
        if settings.surgery == "none":
            both = zip(found[: len(tensors)], retaining, strict=True)
            freed = freed._replace(gradients=clipped([u + settings.prior_weight * r for u, r in both], settings.clip))
        for tensor, gradient in zip(tensors, freed.gradients, strict=True):
            tensor.grad = gradient
        falling = settings.lr_schedule == "linear"
        left = 1 - (number - settings.warm_up) / (settings.steps - settings.warm_up) if falling else 1.0
        self.optimiser.param_groups[0]["lr"] = settings.lr * left
        self.optimiser.step()
        self.optimiser.zero_grad()
        return concept, {"adversarial": float(adversarial.detach()), "prior": prior, "conflicts": freed.conflicts}

    def _prior_loss(self, number: int) -> tuple[float, list[Any]]:
        """Give the loss of the anchor's own pictures under the anchor's prompts, and its gradients."""
        import torch

        drawn = self._draw("prior", number)
        with self._start_frozen():
            predicted = self.live.predict(drawn.x, drawn.timesteps, drawn.anchor)
        target = self.live.training_target(drawn.latents, drawn.noise, drawn.timesteps)
        loss = torch.nn.functional.mse_loss(predicted.float(), target.float())
        return float(loss.detach()), list(torch.autograd.grad(loss, list(self.trained.values())))

    def _teach_discriminator(self, anchor: Any, concept: Any, timesteps: Any) -> float:
        """Do one step of the discriminator, on top of what its gradients hold already."""
        label = self.settings.anchor_label
        loss = self._sorted_as(anchor, timesteps, label) + self._sorted_as(concept, timesteps, 1 - label)
        loss.backward()
        self.discriminator_optimiser.step()
        self.discriminator_optimiser.zero_grad()
        return float(loss.detach()) / 2

    def _sorted_as(self, seen: Any, timesteps: Any, label: int) -> Any:
        """Give the binary cross-entropy of the discriminator's patches, for one label."""
        import torch

        logits = self.discriminator(seen, timesteps / len(self.live.alphas))
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    def _seen(self, drawn: Drawn, texts: Texts) -> Any:
        """Give what the discriminator looks at, of a prediction under these texts, in float32."""
        with self._start_frozen():
            predicted = self.live.predict(drawn.x, drawn.timesteps, texts).float()
        x, settings = drawn.x.float(), self.settings
        if settings.compares == "prediction":
            return predicted
        clean = self.live.clean(predicted, x, drawn.timesteps)
        if settings.clean_form == "clamped":
            return clean.clamp(-settings.clamp, settings.clamp)
        if settings.clean_form == "weighted":
            return clean * self.live.alphas[drawn.timesteps].sqrt().reshape(-1, 1, 1, 1).float()
        return clean

    def _draw(self, purpose: str, number: int) -> Drawn:
        """Draw pictures of the prior set, timesteps and noise for one purpose at one step."""
        import torch

        settings, generator = self.settings, step_generator(self.seed, purpose, number)
        size, all_steps = settings.batch, len(self.live.alphas)
        places = torch.randint(len(self._prior), (size,), generator=generator)
        low = int(settings.earliest * all_steps)
        high = max(low + 1, int(settings.latest * all_steps))
        timesteps = torch.randint(low, high, (size,), generator=generator).to(self.live.device)
        noise = torch.randn((size, *self._prior.shape[1:]), generator=generator)
        noise = noise.to(self.live.device, self.live.unet.dtype)
        latents = self._prior[places].to(noise)
        turns = [place % len(self.pairs) for place in places.tolist()]
        texts = self._anchor_texts.picked(turns), self._concept_texts.picked(turns)
        return Drawn(self.live.add_noise(latents, noise, timesteps), timesteps, *texts, latents, noise)

    # ------------------------------------------------------------------ the weights

    @contextmanager
    def _start_frozen(self) -> Iterator[None]:
        """Keep gradients out of the key and value of the first token, which all prompts share."""
        if not self.settings.frozen_start:
            yield
            return

        def cut(_module: Any, _inputs: Any, output: Any) -> Any:
            import torch

            return torch.cat([output[:, :1].detach(), output[:, 1:]], dim=1)

        names = [name.removesuffix(".weight") for name in self.trained]
        hooks = [self.live.unet.get_submodule(name).register_forward_hook(cut) for name in names]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _making(self) -> Making:
        settings, digest = self.settings, hashlib.sha256()
        for tensor in self.trained.values():  # the original ones, while the prior set is drawn
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
        return Making(
            model=self.live.name,
            weights=digest.hexdigest()[:16],
            prompts=tuple(pair.anchor for pair in self.pairs),
            pictures=settings.pictures,
            scheduler=type(self.live.pipeline.scheduler).__name__,
            steps=settings.prior_steps,
            guidance=settings.prior_guidance,
            batch=settings.batch,
            seed=self.seed,
        )
