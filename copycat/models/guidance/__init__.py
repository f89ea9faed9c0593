"""Guidance while a picture is drawn, away from a concept or by an attack's texts: who can, and how it is put on.

A method needs to know how a pipeline calls its denoiser: once per step, with one batch whose last rows
are the pictures under their prompts. `PIPELINES` names those for which that is certain; others refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from pydantic import ValidationError

from copycat.errors import UnsupportedError
from copycat.models.capabilities import Capabilities
from copycat.models.guidance.composition import acting_terms, check_terms, composed_guidance
from copycat.models.guidance.nag import NagSettings, nag_guidance
from copycat.models.guidance.safree import SafreeSettings, encode_filtered, safree_guidance
from copycat.models.guidance.sld import SldSettings, sld_guidance
from copycat.schema import ImageRequest, Record, Sampling
from copycat.schema.requests import Guide

TextKey = tuple[str, bool | str]
"""A text to encode: with whether it is a negative prompt, or with the JSON of a guide that filters it."""

PIPELINES: dict[str, tuple[str, ...]] = {
    "StableDiffusionPipeline": ("sld", "safree", "nag"),
    "StableDiffusionXLPipeline": ("sld", "nag"),
}
"""Methods by pipeline. SAFREE needs one text encoder whose pooled embedding lives in the space of its tokens."""

SETTINGS: dict[str, type[Record]] = {"sld": SldSettings, "safree": SafreeSettings, "nag": NagSettings}


def settings_of(guide: Guide) -> Any:  # Any: one record per method
    """Give the settings of a guide, with the method's defaults where it names none.

    Raises:
        UnsupportedError: the method has no such setting, or not with this value.
    """
    kind = SETTINGS[guide.method]
    try:
        return kind.model_validate(guide.settings)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise UnsupportedError(
            f"the guide '{guide.method}' cannot take these settings: {faults}\n  it has {', '.join(kind.model_fields)}"
        ) from error


def check_guides(name: str, able: Capabilities, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
    """Refuse the guides and weighted texts of requests that a model could not act on; loads no weights.

    Args:
        name: of the model, for the message.
        able: what its pipeline can do.

    Raises:
        UnsupportedError: the pipeline, its guidance, a setting or a prompt does not go with a guide or an attack.
    """
    check_terms(name, able, requests, sampling)
    for guide in _different(requests):
        _check_pipeline(name, able, guide)
        settings = settings_of(guide)
        if guide.method == "sld":
            _check_sld(name, able, settings, sampling)
        if guide.method == "safree" and sampling.long_prompts:
            raise UnsupportedError(
                f"'{name}' cannot honour the guide 'safree' with prompts in pieces\n  leave out --long-prompts"
            )
    for request in requests:
        if request.guide is not None:
            _check_prompt(request, request.guide)


def guide_texts(requests: Iterable[ImageRequest]) -> Iterable[TextKey]:
    """Give the texts that guides and attacks of requests need encoded, beside prompts and negative prompts."""
    for request in requests:
        if request.guide is not None:
            yield _text_of(request, request.guide)
        for term in acting_terms(request.attack):
            yield term.text, False


def encode_for_guide(pipeline: Any, prompt: str, guide: str) -> dict[str, Any]:
    """Encode a prompt as the guide wants it; `guide` is its JSON."""
    asked = Guide.model_validate_json(guide)
    return encode_filtered(pipeline, prompt, asked.concept, settings_of(asked))


def shared_of(request: ImageRequest) -> str:
    """Say what requests must have in common to be drawn together: the guide, and the number and window of terms.

    Which texts and weights the terms have is each picture's own.
    """
    terms, attack = acting_terms(request.attack), request.attack
    window = f"{len(terms)} {attack.start} {attack.end}" if attack is not None and terms else ""
    return f"{request.model_dump_json(include={'guide'})} {window}"


@contextmanager
def guidance(
    pipeline: Any, requests: Sequence[ImageRequest], rows: Mapping[TextKey, Mapping[str, Any]]
) -> Iterator[None]:
    """Give the context in which a pipeline draws requests of one `shared_of`; no change where nothing is asked for.

    An attack's texts are guided as the prompt is: SLD belongs to whoever deploys the model, and steers them, too.

    Args:
        rows: of encoded texts, with those of `guide_texts(requests)`.
    """
    with ExitStack() as stack:
        if requests[0].guide is not None:
            stack.enter_context(_guided(pipeline, requests, requests[0].guide, rows))
        attacks = [request.attack for request in requests if request.attack is not None]
        if acting_terms(requests[0].attack):
            texts = {term.text for attack in attacks for term in acting_terms(attack)}
            encoded = {text: _moved(rows[text, False], pipeline.unet) for text in texts}
            stack.enter_context(composed_guidance(pipeline, attacks, encoded))
        yield


def _guided(
    pipeline: Any, requests: Sequence[ImageRequest], guide: Guide, rows: Mapping[TextKey, Mapping[str, Any]]
) -> AbstractContextManager[None]:
    network, settings = pipeline.unet, settings_of(guide)
    found = [_moved(rows[_text_of(request, guide)], network) for request in requests]
    if guide.method == "safree":
        return safree_guidance(network, found)
    if guide.method == "sld":
        return sld_guidance(network, found[0], settings, len(requests))
    return nag_guidance(network, found[0]["prompt_embeds"], len(requests), settings)


def _different(requests: Iterable[ImageRequest]) -> Iterable[Guide]:
    return {r.guide.model_dump_json(): r.guide for r in requests if r.guide is not None}.values()


def _check_pipeline(name: str, able: Capabilities, guide: Guide) -> None:
    if guide.method in PIPELINES.get(able.pipeline, ()):
        return
    can = [pipeline for pipeline, methods in PIPELINES.items() if guide.method in methods]
    raise UnsupportedError(
        f"'{name}' ({able.pipeline}) cannot honour the guide '{guide.method}'\n"
        f"  it works with {' and '.join(can)}; use another mitigation, or such a model"
    )


def _check_sld(name: str, able: Capabilities, settings: SldSettings, sampling: Sampling) -> None:
    if not able.can_negate or able.cfg_scale(sampling.guidance, sampling.true_guidance) <= 1:
        raise UnsupportedError(
            f"'{name}' cannot honour the guide 'sld' without classifier-free guidance\n"
            "  use --guidance 3, or the guide 'nag', which needs none"
        )
    if sampling.steps is not None and sampling.steps <= settings.warm_up:
        raise UnsupportedError(
            f"the guide 'sld' would do nothing in {sampling.steps} steps: it warms up for {settings.warm_up}\n"
            "  use --steps 50, for which its settings were made, or a smaller warm_up"
        )


def _check_prompt(request: ImageRequest, guide: Guide) -> None:
    """Refuse a prompt that is the concept itself: SLD and NAG scale the difference of both, which is then zero."""
    concept = ", ".join(guide.concept)
    if guide.method != "safree" and _as_read(request.prompt_sent) == _as_read(concept):
        raise UnsupportedError(
            f"the guide '{guide.method}' would do nothing for the prompt '{request.prompt_sent}': it is the concept\n"
            "  add words to the concept, such as the franchise, or use the guide 'safree'"
        )


def _as_read(text: str) -> str:
    """Bring a text to the case and spaces in which CLIP reads it."""
    return " ".join(text.lower().split())


def _text_of(request: ImageRequest, guide: Guide) -> TextKey:
    """Name the encoded text: SAFREE filters each prompt, the other methods encode the concept alone."""
    if guide.method == "safree":
        return request.prompt_sent, guide.model_dump_json()
    return ", ".join(guide.concept), False


def _moved(row: Mapping[str, Any], network: Any) -> dict[str, Any]:
    """Bring the floats of an encoded text to the network's device and dtype; counts stay as they are."""
    return {
        name: value.to(network.device, network.dtype) if value.is_floating_point() else value.to(network.device)
        for name, value in row.items()
    }
