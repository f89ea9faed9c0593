"""ESD: fine-tune the denoiser until the concept's prompt steers it away from the concept.

Gandikota et al., "Erasing Concepts from Diffusion Models", arXiv 2303.07345, sections 3 and 4: the target is the
original network under negative guidance (equations 5 to 7); x edits cross-attention, u everything else, and the
latents to train on are made by the network itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from copycat.erasure.eraser import Concept, Progress
from copycat.erasure.frozen import Originals
from copycat.erasure.optimiser import flat_state, load_flat_state
from copycat.live import LivePipeline, Texts, step_generator
from copycat.schema import Record

CONCEPT = "{concept}"
BUCKETS_TOO_CLEAN = 2
"""By how many buckets of the schedule the latents of the published pairing are cleaner than their timestep says."""


class EsdSettings(Record):
    """What ESD is set to; the defaults are the corrected ones."""

    variant: Literal["x", "u", "strict", "all"] = Field(
        default="x", description="what is edited: cross-attention, all but it, its keys and values, everything"
    )
    steps: int = Field(default=200, ge=1, description="of training")
    lr: float = Field(default=5e-5, gt=0, description="learning rate of Adam")
    eta: float = Field(default=1.0, ge=0, description="negative guidance: how far from the concept the target lies")
    batch: int = Field(default=4, ge=1, description="latents in a step, each at a timestep of its own")
    rollout: Literal["student", "frozen"] = Field(
        default="student", description="whose latents: of the network being edited, or of the original"
    )
    rollout_steps: int = Field(default=50, ge=2, description="DDIM steps from noise to picture")
    guidance: float = Field(default=3.0, ge=0, description="scale of guidance in rollouts")
    pairing: Literal["exact", "bucket"] = Field(
        default="exact", description="the latents' own timestep, or one of a noisier bucket as in the published code"
    )
    prompts: tuple[str, ...] = Field(
        default=(CONCEPT,), min_length=1, description="texts of the concept, {concept} in place of its name"
    )


class Pair(NamedTuple):
    """Latents with what they are paired with: (n, channels, height, width), (n,), and the rows of n texts."""

    x: Any
    timesteps: Any
    texts: Texts


class Esd:
    """ESD at work; see `Eraser`."""

    SETTINGS: ClassVar[type[Record]] = EsdSettings
    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"steps": 1000, "lr": 1e-5, "batch": 1, "pairing": "bucket"},
        "sandbox": {"steps": 10, "lr": 1e-3, "rollout_steps": 10},
    }

    def __init__(self, live: LivePipeline, concepts: tuple[Concept, ...], settings: EsdSettings, seed: int) -> None:
        import torch

        self.live, self.concepts, self.settings, self.seed = live, concepts, settings, seed
        self.n_steps = settings.steps
        self._edited = {
            f"unet.{name}": parameter.requires_grad_()
            for name, parameter in live.unet.named_parameters()
            if is_edited(name, settings.variant)
        }
        self._originals = Originals(self._edited)
        self._optimiser = torch.optim.Adam(self._edited.values(), lr=settings.lr)
        with torch.no_grad():
            self._null = live.encode([""]).detached()
            texts = [text.replace(CONCEPT, concept.name) for concept in concepts for text in settings.prompts]
            self._texts = live.encode(texts).detached()

    def edited(self) -> dict[str, Any]:
        """Give the parameters that change."""
        return self._edited

    def prepare(self, folder: Path, progress: Progress) -> None:
        """Nothing: latents are drawn anew in each step."""

    def step(self, number: int) -> dict[str, float]:
        """Draw latents, and move the prediction under the concept to the target."""
        import torch

        pair = self._pair(number)
        with self._originals.in_place():
            target = self._target(pair)
        self._optimiser.zero_grad(set_to_none=True)
        loss = torch.nn.functional.mse_loss(self.live.predict(*pair).float(), target)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return {"erase": float(loss.detach())}

    def state(self) -> dict[str, Any]:
        """Give the optimiser's states."""
        return flat_state(self._optimiser)

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up the optimiser's states."""
        load_flat_state(self._optimiser, state)

    # ------------------------------------------------------------------ private

    def _target(self, pair: Pair) -> Any:
        null = self._null.repeated(len(pair.x))
        without = self.live.predict(pair.x, pair.timesteps, null).float()
        return target(without, self.live.predict(*pair).float(), self.settings.eta)

    def _pair(self, number: int) -> Pair:
        """Roll out as many latents as a batch has, each to a step of its own, drawn evenly."""
        import torch

        generator = step_generator(self.seed, "esd", number)
        count, steps = self.settings.batch, self.settings.rollout_steps
        texts = self._texts.picked(torch.randint(len(self._texts.states), (count,), generator=generator).tolist())
        places = torch.randint(steps, (count,), generator=generator)
        timesteps, taken = paired(self.live.sampling_timesteps(steps), places, self.settings.pairing, generator)
        timesteps = timesteps.clamp(max=len(self.live.alphas) - 1)
        noise = self.live.noise(count, generator)
        if self.settings.rollout == "frozen":
            with self._originals.in_place():
                x = self._latents(noise, texts, taken)
        else:
            x = self._latents(noise, texts, taken)
        return Pair(x, timesteps.to(x.device), texts)

    def _latents(self, noise: Any, texts: Texts, taken: Any) -> Any:
        """Give latents (n, ...), the i-th before step taken[i] of a rollout; the number of steps means the end."""
        import torch

        found = torch.empty_like(noise)
        settings = self.settings
        rollout = self.live.rollout(noise, texts, self._null, steps=settings.rollout_steps, guidance=settings.guidance)
        for place, (_, x) in enumerate(rollout):
            wanted = taken == place
            found[wanted] = x[wanted]
            if place >= int(taken.max()):
                break
        return found


def target(without: Any, under: Any, eta: float) -> Any:
    """Give what the prediction under the concept is moved to: e(null) - eta (e(c) - e(null)), of the original."""
    return without - eta * (under - without)


def paired(timesteps: list[int], places: Any, pairing: str, generator: Any) -> tuple[Any, Any]:
    """Give the timesteps to train at, and before which steps of the rollout their latents are taken.

    "exact" takes latents where they are at that timestep. "bucket" draws any timestep of the bucket that begins there
    and takes latents that have been denoised further, as the published code does.

    Args:
        timesteps: of the rollout, falling.
        places: (n,) steps of the rollout, from 0, the noisiest.
    """
    import torch

    exact = torch.tensor(timesteps)[places]
    if pairing == "exact":
        return exact, places
    width = timesteps[0] - timesteps[1]
    within = torch.randint(width, places.shape, generator=generator)
    return exact + within, (places + BUCKETS_TOO_CLEAN).clamp(max=len(timesteps))


def is_edited(name: str, variant: str) -> bool:
    """Say whether a variant edits a parameter of the UNet."""
    crossing = ".attn2." in name
    if variant == "strict":
        return crossing and (".to_k." in name or ".to_v." in name)
    return variant == "all" or crossing == (variant == "x")
