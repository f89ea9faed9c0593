"""Pictures that the model itself draws of an anchor, kept as latents in the erasure's folder with what made them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from copycat.erasure.eraser import Progress
from copycat.errors import DataError
from copycat.live import LivePipeline, step_generator
from copycat.paths import shown
from copycat.runs.folder import write_bytes, write_json
from copycat.schema import Record

LATENTS, MAKING = "prior.safetensors", "prior.json"


class Making(Record):
    """prior.json: what made a prior set. One that anything else made is another set.

    Attributes:
        model: as it was typed. weights: a hash of those that drew.
        prompts: in turn, one a picture.
        scheduler: the class of the model's own. guidance: scale of classifier-free guidance.
    """

    model: str
    weights: str
    prompts: tuple[str, ...]
    pictures: int
    scheduler: str
    steps: int
    guidance: float
    batch: int
    seed: int


def prior_set(live: LivePipeline, making: Making, folder: Path, progress: Progress) -> Any:
    """Draw a prior set, or go on with the one that lies in the folder.

    Each batch has a seed of its own, so that a set made in two goes is the one made in one.

    Args:
        progress: see `Eraser.prepare`.

    Returns: latents (pictures, channels, height, width) in float16 on the CPU; picture i shows prompt i, in turn.

    Raises:
        DataError: what lies there was made by something else, or is damaged.
    """
    import torch

    found = _read(folder, making)
    kept = [] if found is None else [found]
    done = 0 if found is None else len(found)
    if done >= making.pictures:
        return found
    every = max(making.batch, making.pictures // 10 // making.batch * making.batch)
    with progress("drawing anchor pictures", making.pictures) as advance:
        advance(done)
        while done < making.pictures:
            kept.append(_draw(live, making, done))
            done += len(kept[-1])
            advance(len(kept[-1]))
            if done % every == 0 or done == making.pictures:
                _write(folder, making, torch.cat(kept))
    return torch.cat(kept)


def _draw(live: LivePipeline, making: Making, first: int) -> Any:
    import torch

    count = min(making.batch, making.pictures - first)
    generator = step_generator(making.seed, "prior", first)
    with torch.no_grad():
        drawn = live.pipeline(
            prompt=[making.prompts[i % len(making.prompts)] for i in range(first, first + count)],
            latents=live.noise(count, generator),
            generator=generator,
            num_inference_steps=making.steps,
            guidance_scale=making.guidance,
            output_type="latent",
        ).images
    return drawn.to("cpu", torch.float16)


def _write(folder: Path, making: Making, latents: Any) -> None:
    from safetensors.torch import save

    write_json(folder / MAKING, making.model_dump(mode="json"))
    write_bytes(folder / LATENTS, save({"latents": latents.contiguous()}))


def _read(folder: Path, making: Making) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not (folder / LATENTS).is_file():
        return None
    again = "  erase into another folder, or delete this file to draw the set anew"
    try:
        held = Making.model_validate_json((folder / MAKING).read_text(encoding="utf-8"))
        latents = load_file(folder / LATENTS)["latents"]
    except (OSError, ValidationError, SafetensorError, KeyError, ValueError) as error:
        raise DataError([f"{shown(folder / LATENTS)}: not a readable prior set"], again) from error
    if others := _differences(held, making):
        raise DataError([f"{shown(folder / LATENTS)}: made with other settings: {', '.join(others)}"], again)
    return latents


def _differences(held: Making, wanted: Making) -> list[str]:
    old, new = held.model_dump(mode="json"), wanted.model_dump(mode="json")
    return [f"{name} was {_brief(old[name])}, not {_brief(new[name])}" for name in new if old[name] != new[name]]


def _brief(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
