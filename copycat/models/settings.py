"""From a model's row and what the user asked for to the explicit settings of a run."""

from __future__ import annotations

from typing import Any

from copycat.errors import UnknownNameError, UnsupportedError
from copycat.models.frames import spread_frames
from copycat.models.row import ModelRow
from copycat.schema import ImageRequest, Sampling

OPTION_OF = {
    "steps": "--steps",
    "guidance": "--guidance",
    "dtype": "--dtype",
    "frames": "--frames",
    "kept_frames": "--keep-frames",
    "quality": "--quality",
}
"""Settings that only some models have, and the option that sets each."""

WORTH_COMPILING = 200
"""Pictures from which on `--compile auto` compiles; a guess, not measured."""


def choose_sampling(row: ModelRow, device: str, preset: str | None, asked: dict[str, Any]) -> Sampling:
    """Put together the row's settings, a preset's and the user's, the later ones winning.

    On a CPU the default is float32: half precision is slower there.

    Raises:
        UnknownNameError: the row has no such preset.
        UnsupportedError: a setting that this model does not have.
    """
    changes = _preset(row, preset) | {name: value for name, value in asked.items() if value is not None}
    for name, option in OPTION_OF.items():
        if name in changes and getattr(row.sampling, name) is None:
            raise UnsupportedError(f"'{row.name}' has no setting '{option.removeprefix('--')}'\n  leave out {option}")
    if "frames" in changes and "kept_frames" not in changes:
        changes["kept_frames"] = spread_frames(changes["frames"])
    if device == "cpu" and row.sampling.dtype is not None and "dtype" not in changes:
        changes["dtype"] = "float32"
    sampling = row.sampling.model_dump() | changes
    if sampling.get("kept_frames", (0,))[-1] >= sampling.get("frames", 1):
        raise UnsupportedError(
            f"'{row.name}' draws {sampling['frames']} frames, numbered from 0; there is no frame "
            f"{sampling['kept_frames'][-1]}\n  use --keep-frames with smaller numbers, or --frames"
        )
    return Sampling.model_validate(sampling)


def chosen_compile(asked: str, device: str, n_pictures: int) -> str | None:
    """Say what to compile: with 'auto', on CUDA, if compiling is likely to pay for so many pictures."""
    is_worth_it = device.startswith("cuda") and n_pictures >= WORTH_COMPILING
    return "regional" if asked == "on" or (asked == "auto" and is_worth_it) else None


def with_negative_guidance(row: ModelRow, sampling: Sampling, requests: tuple[ImageRequest, ...]) -> Sampling:
    """Turn true guidance on where a negative prompt needs it and the user has not set it."""
    wants = row.negative_guidance is not None and any(request.negative_prompt for request in requests)
    if not wants or sampling.true_guidance is not None:
        return sampling
    return sampling.model_copy(update={"true_guidance": row.negative_guidance})


def _preset(row: ModelRow, name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    if name not in row.presets:
        raise UnknownNameError(f"preset of model '{row.name}':", name, row.presets or ("none",))
    return dict(row.presets[name])
