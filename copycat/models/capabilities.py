"""What a diffusers pipeline can do, read from the signature of its class and the configs beside its weights."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from copycat.errors import DataError
from copycat.models.hub import INDEX, Source
from copycat.models.row import Feature
from copycat.models.signatures import read_signatures

DENOISERS = ("transformer", "unet", "prior")
"""Components that may hold the network that denoises, the first one found counts."""


class Capabilities(NamedTuple):
    """What a pipeline acts on.

    `guidance_argument` carries `Sampling.guidance`, `true_guidance_argument` carries
    `Sampling.true_guidance`; None where there is no such setting. `can_negate` says whether a
    negative prompt is acted upon once guidance of the right kind is above 1.
    """

    pipeline: str
    arguments: frozenset[str]
    guidance_argument: str | None
    true_guidance_argument: str | None
    can_negate: bool
    is_video: bool

    @property
    def honours(self) -> tuple[Feature, ...]:
        """The features that requests and settings may use."""
        found: dict[Feature, bool] = {
            "negative prompt": self.can_negate,
            "guidance": self.guidance_argument is not None,
            "seed": "generator" in self.arguments,
        }
        return tuple(feature for feature, is_there in found.items() if is_there)

    def cfg_scale(self, guidance: float | None, true_guidance: float | None) -> float:
        """Give the scale of real classifier-free guidance under these settings; 1 where there is none."""
        scale = true_guidance if self.true_guidance_argument is not None else guidance
        return 1.0 if scale is None else scale


def read_capabilities(source: Source, index: Mapping[str, Any] | None = None) -> Capabilities:
    """Read what the pipeline of a source can do; loads no weights.

    Raises:
        DataError: diffusers has no such pipeline, or it makes no pictures from text.
    """
    index = source.read_json(INDEX) if index is None else index
    _, config = read_denoiser(source, index)
    name = str(index.get("_class_name"))
    return _capabilities(name, read_signatures(source, name).call, config, index)


def read_denoiser(source: Source, index: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Give the name of the component that denoises, and its config; "" and nothing if there is none."""
    name = next((name for name in DENOISERS if name in index), "")
    return name, source.read_json(f"{name}/config.json") if name else {}


def capabilities_of(pipeline: Any, config: Mapping[str, Any], index: Mapping[str, Any] | None = None) -> Capabilities:
    """Work out capabilities from a pipeline class, the config of its denoiser, and its own config."""
    arguments = frozenset(inspect.signature(pipeline.__call__).parameters)
    return _capabilities(pipeline.__name__, arguments, config, index or {})


def _capabilities(
    name: str, arguments: frozenset[str], config: Mapping[str, Any], index: Mapping[str, Any]
) -> Capabilities:
    """Do what `capabilities_of` does with what the class is called and may be called with.

    Where a pipeline has `true_cfg_scale`, its `guidance_scale` is an input of a network that guidance
    was distilled into; a network without that input (`guidance_embeds` false) ignores it.
    A UNet with `time_cond_proj_dim` takes guidance as an input, and then no negative prompt acts.
    A pipeline that says `is_distilled` of itself ignores guidance (FLUX.2 klein).
    """
    has_true, is_distilled = "true_cfg_scale" in arguments, bool(config.get("guidance_embeds"))
    guidance = "true_cfg_scale" if has_true and not is_distilled else "guidance_scale"
    is_stepwise = bool(index.get("is_distilled"))
    return Capabilities(
        pipeline=name,
        arguments=arguments,
        guidance_argument=guidance if guidance in arguments and not is_stepwise else None,
        true_guidance_argument="true_cfg_scale" if has_true and is_distilled else None,
        can_negate="negative_prompt" in arguments
        and guidance in arguments
        and not is_stepwise
        and config.get("time_cond_proj_dim") is None,
        is_video="num_frames" in arguments,
    )


def pipeline_class(source: Source, name: str) -> Any:  # Any: diffusers' pipelines share no typed base call
    """Find the class in diffusers.

    Raises:
        DataError: there is none of this name, or its call takes no prompt.
    """
    import diffusers

    found = getattr(diffusers, name, None)
    if found is None:
        problem = f"diffusers {diffusers.__version__} has no pipeline '{name}'"
    elif "prompt" not in inspect.signature(found.__call__).parameters:
        problem = f"pipeline '{name}' makes no pictures from text"
    else:
        return found
    where = f"{source.text}/{INDEX}" if source.folder is None else _index_path(source)
    raise DataError(
        [f"{where}: field '_class_name': {problem}"],
        "  needed: a text-to-image or text-to-video pipeline of diffusers, such as StableDiffusionPipeline",
    )


def _index_path(source: Source) -> str:
    from copycat.paths import shown

    assert source.folder is not None  # noqa: S101 - the caller asked
    return shown(source.folder / INDEX)
