"""The denoiser of a pipeline as a function, with its schedule: noise, predictions, and rollouts to a timestep."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

from copycat.errors import UnsupportedError
from copycat.live.texts import Insert, Texts, TokenRow, encode_rows, joined, own_tokens, token_row
from copycat.models import MODELS

LIVE_PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
"""Pipelines whose parts are called as is certain here: a UNet that attends to the states of CLIP."""

OTHER_SCHEDULES = ("playground-v2.5",)
"""Models of these pipelines with noise that is added in another way (EDM), which the formulas here do not hold for."""

PREDICTIONS = ("epsilon", "v_prediction")


def step_generator(seed: int, *labels: object) -> Any:  # Any: torch.Generator
    """Give the CPU generator of one purpose at one step, so that a resumed run repeats the same numbers.

    Args:
        labels: what it is for, such as "attack" and the number of the step.
    """
    import torch

    digest = hashlib.sha256("#".join(map(str, (seed, *labels))).encode()).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(digest[:6], "big"))


def live_models() -> list[str]:
    """Name the models of the table that can be taken apart."""
    return [row.name for row in MODELS.rows() if row.pipeline in LIVE_PIPELINES and row.name not in OTHER_SCHEDULES]


def check_schedule(name: str) -> None:
    """Refuse a model of the table that is known to add noise in another way, before it is loaded.

    Raises:
        UnsupportedError: it does.
    """
    if name in OTHER_SCHEDULES:
        raise _other_schedule(name, "EDM")


def _other_schedule(name: str, schedule: str) -> UnsupportedError:
    return UnsupportedError(
        f"'{name}' adds noise as {schedule} does, and what is known here holds for DDPM's schedules\n"
        f"  it works with {', '.join(live_models())}"
    )


class LivePipeline:
    """Parts of a Stable Diffusion pipeline, called with gradients.

    "" is what guidance leads away from when nobody gave a negative prompt: of Stable Diffusion the encoded empty text,
    of SDXL zeros. The pipeline's own weights are used unless another network
    is given, so that an edited copy and the original share everything else.

    Args:
        pipeline: a loaded pipeline of `LIVE_PIPELINES`.
        name: of the model, for messages.

    Raises:
        UnsupportedError: another family.
    """

    def __init__(self, pipeline: Any, name: str) -> None:
        kind = type(pipeline).__name__
        if kind not in LIVE_PIPELINES:
            raise UnsupportedError(
                f"'{name}' ({kind}) cannot be taken apart for erasing and attacking\n"
                f"  it works with {' and '.join(LIVE_PIPELINES)}"
            )
        schedule = type(getattr(pipeline, "scheduler", None)).__name__
        if schedule.startswith("EDM"):
            raise _other_schedule(name, schedule)
        self.pipeline, self.name = pipeline, name
        self.is_xl = kind == "StableDiffusionXLPipeline"
        self.unet = pipeline.unet
        parts = [("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2")]
        found = [(t, e) for t, e in parts if getattr(pipeline, e, None) is not None]
        self.tokenizers = [getattr(pipeline, tokenizer) for tokenizer, _ in found]
        self.encoder_names = [encoder for _, encoder in found]
        for module in (self.unet, *self.encoders, pipeline.vae):
            module.requires_grad_(False).eval()
        self.autocast: Any = None
        """A torch dtype: encoders and denoiser run under autocast to it, so that edited weights may stay float32."""

    @property
    def encoders(self) -> list[Any]:
        """The text encoders, one or, of SDXL, two."""
        return [getattr(self.pipeline, name) for name in self.encoder_names]

    @property
    def device(self) -> Any:
        """Where the denoiser is."""
        return self.unet.device

    # ------------------------------------------------------------------ texts

    def token_ids(self, text: str) -> list[list[int]]:
        """Give a text's own tokens for each encoder, without start, end and padding."""
        return [own_tokens(tokenizer, text) for tokenizer in self.tokenizers]

    def rows(self, text: str, free: int = 0, *, placeholder: str | None = None) -> list[TokenRow]:
        """Lay a text out for each encoder.

        Args:
            free: places for free embeddings: right after the start token, or in place of `placeholder`.
            placeholder: a piece of the text that the free embeddings replace.

        Raises:
            UserError: with its free places it is longer than an encoder reads.
        """
        before, found, behind = text.partition(placeholder) if placeholder else ("", "", text)
        if placeholder and not found:
            raise UnsupportedError(f"the text '{text}' has no '{placeholder}'")
        parts = zip(self.token_ids(before.strip()), self.token_ids(behind.strip()), strict=True)
        return [token_row(t, part, free) for t, part in zip(self.tokenizers, parts, strict=True)]

    def encode(
        self,
        texts: Sequence[str],
        *,
        inserts: Insert | None = None,
        free: int = 0,
        placeholder: str | None = None,
        encoders: Sequence[Any] | None = None,
    ) -> Texts:
        """Encode texts, with gradients to whatever has them.

        Args:
            inserts: for each encoder (free, width) or (texts, free, width): see `rows`; the placeholder must stand at
                the same place in all texts.
            encoders: others than the pipeline's own, such as a frozen copy.
        """
        by_text = [self.rows(text, free, placeholder=placeholder) for text in texts]
        encoded = self.encode_laid(list(zip(*by_text, strict=True)), inserts, encoders=encoders)
        return encoded if inserts is not None else self._as_drawn(texts, encoded)

    def encode_laid(
        self,
        rows: Sequence[Sequence[TokenRow]],
        inserts: Insert | None = None,
        *,
        encoders: Sequence[Any] | None = None,
    ) -> Texts:
        """Encode texts that are laid out already: for each encoder, a row for each text. See `encode`."""
        with self._casting():
            return encode_rows(encoders or self.encoders, rows, inserts)

    def _as_drawn(self, texts: Sequence[str], encoded: Texts) -> Texts:
        """Let no text be zeros where the pipeline is guided away from zeros, as SDXL is."""
        import torch

        if not getattr(self.pipeline.config, "force_zeros_for_empty_prompt", False) or "" not in texts:
            return encoded
        stays = torch.tensor([text != "" for text in texts], device=encoded.states.device)
        return Texts(*(None if p is None else p * stays.reshape(-1, *[1] * (p.ndim - 1)) for p in encoded))

    def vocabulary(self) -> list[Any]:
        """Give the token embeddings of each encoder, (tokens, width)."""
        return [encoder.get_input_embeddings().weight for encoder in self.encoders]

    # ------------------------------------------------------------------ the denoiser

    def predict(self, x: Any, timesteps: Any, texts: Texts, *, unet: Any = None) -> Any:
        """Predict what the network was trained to: the noise, or v, as `prediction_type` says.

        Args:
            x: (n, channels, height, width) noisy latents.
            timesteps: (n,) or a single one, of the training schedule.
            texts: n rows.
            unet: another network than the pipeline's own, such as a frozen copy.
        """
        more = {}
        if self.is_xl:
            side_y, side_x = (extent * self._scale for extent in x.shape[-2:])
            ids = x.new_tensor([[side_y, side_x, 0, 0, side_y, side_x]], dtype=texts.states.dtype)
            more["added_cond_kwargs"] = {"text_embeds": texts.pooled, "time_ids": ids.expand(len(x), 6)}
        network = self.unet if unet is None else unet
        with self._casting():
            return network(x, timesteps, encoder_hidden_states=texts.states, return_dict=False, **more)[0]

    def guided(self, x: Any, timesteps: Any, texts: Texts, null: Texts, scale: float, *, unet: Any = None) -> Any:
        """Predict with classifier-free guidance: null + scale (texts - null). `null` has one row or n."""
        import torch

        null = null.repeated(len(x)) if len(null.states) == 1 else null
        both = self.predict(torch.cat([x, x]), _doubled(timesteps, len(x)), joined([null, texts]), unet=unet)
        without, under = both.chunk(2)
        return without + scale * (under - without)

    # ------------------------------------------------------------------ the schedule

    @cached_property
    def prediction_type(self) -> str:
        """Say what the network predicts: "epsilon" or "v_prediction".

        Raises:
            UnsupportedError: it predicts something else.
        """
        found = str(self.pipeline.scheduler.config.prediction_type)
        if found not in PREDICTIONS:
            raise UnsupportedError(
                f"the denoiser of '{self.name}' predicts '{found}'\n  what is known here: {' and '.join(PREDICTIONS)}"
            )
        return found

    @cached_property
    def alphas(self) -> Any:
        """Cumulative alpha of each training timestep, (steps,)."""
        return self._ddim().alphas_cumprod.to(self.device)

    def add_noise(self, latents: Any, noise: Any, timesteps: Any) -> Any:
        """Give x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise."""
        signal, size = self._shares(timesteps, latents)
        return signal * latents + size * noise

    def training_target(self, latents: Any, noise: Any, timesteps: Any) -> Any:
        """Give what the network should predict: the noise, or v = sqrt(abar_t) noise - sqrt(1 - abar_t) x_0."""
        if self.prediction_type == "epsilon":
            return noise
        signal, size = self._shares(timesteps, latents)
        return signal * noise - size * latents

    def clean(self, prediction: Any, x: Any, timesteps: Any) -> Any:
        """Give the x_0 that a prediction at x_t stands for."""
        signal, size = self._shares(timesteps, x)
        if self.prediction_type == "epsilon":
            return (x - size * prediction) / signal
        return signal * x - size * prediction

    def latent_shape(self, side_px: int | None = None) -> tuple[int, int, int]:
        """Give (channels, height, width) of the latents of a square picture; without a side the network's own."""
        side = self.unet.config.sample_size if side_px is None else side_px // self._scale
        return int(self.unet.config.in_channels), int(side), int(side)

    def noise(self, count: int, generator: Any, side_px: int | None = None) -> Any:
        """Draw standard noise (count, channels, height, width) on the CPU, and bring it to the denoiser."""
        import torch

        drawn = torch.randn((count, *self.latent_shape(side_px)), generator=generator)
        return drawn.to(self.device, self.unet.dtype)

    def sampling_timesteps(self, steps: int) -> list[int]:
        """List the timesteps of DDIM with so many steps, from noise to picture."""
        return [int(t) for t in self._ddim(steps).timesteps]

    def rollout(
        self, noise: Any, texts: Texts, null: Texts, *, steps: int, guidance: float, unet: Any = None
    ) -> Iterator[tuple[int, Any]]:
        """Denoise by DDIM (eta 0) and give, before each step, its exact timestep and the latents x_t at that timestep.

        The last item is (-1, x_0). No gradients; stop early by leaving the loop.

        Args:
            noise: (n, channels, height, width).
            texts: n rows. null: one row or n.
            guidance: the scale of classifier-free guidance.
        """
        import torch

        scheduler = self._ddim(steps)
        x = noise * scheduler.init_noise_sigma
        for timestep in scheduler.timesteps:
            yield int(timestep), x
            with torch.no_grad():
                predicted = self.guided(x, timestep.to(x.device), texts, null, guidance, unet=unet)
                x = scheduler.step(predicted, timestep, x, return_dict=False)[0]
        yield -1, x

    # ------------------------------------------------------------------ pictures

    def latents_of(self, images: Sequence[Any], generator: Any = None) -> Any:
        """Encode PIL pictures of one size, scaled as the denoiser knows them; without a generator the mode."""
        import torch

        pixels = self.pipeline.image_processor.preprocess(list(images)).to(self.device, self.pipeline.vae.dtype)
        with torch.no_grad():
            found = self.pipeline.vae.encode(pixels).latent_dist
        drawn = found.mode() if generator is None else found.sample(generator)
        return (drawn * self.pipeline.vae.config.scaling_factor).to(self.unet.dtype)

    def images_of(self, latents: Any) -> list[Any]:
        """Decode latents to PIL pictures."""
        import torch

        with torch.no_grad():
            scaled = latents.to(self.pipeline.vae.dtype) / self.pipeline.vae.config.scaling_factor
            pixels = self.pipeline.vae.decode(scaled, return_dict=False)[0]
        return list(self.pipeline.image_processor.postprocess(pixels.float(), output_type="pil"))

    # ------------------------------------------------------------------ private

    def _casting(self) -> Any:
        if self.autocast is None:
            return nullcontext()
        import torch

        return torch.autocast(self.device.type, dtype=self.autocast)

    @property
    def _scale(self) -> int:
        return int(self.pipeline.vae_scale_factor)

    def _ddim(self, steps: int | None = None) -> Any:
        from diffusers import DDIMScheduler

        config = self.pipeline.scheduler.config
        # where a config says nothing, as those of other schedulers, DDIM would clip the predicted x_0 to [-1, 1]
        scheduler: Any = DDIMScheduler.from_config(config, clip_sample=config.get("clip_sample", False))
        if steps is not None:
            scheduler.set_timesteps(steps)
        return scheduler

    def _shares(self, timesteps: Any, like: Any) -> tuple[Any, Any]:
        """Give sqrt(abar_t) and sqrt(1 - abar_t), to be multiplied with latents."""
        kept = self.alphas.to(like.device)[timesteps].reshape(-1, 1, 1, 1)
        return kept.sqrt().to(like.dtype), (1 - kept).sqrt().to(like.dtype)


def _doubled(timesteps: Any, count: int) -> Any:
    import torch

    whole = timesteps.expand(count) if timesteps.ndim == 0 else timesteps
    return torch.cat([whole, whole])
