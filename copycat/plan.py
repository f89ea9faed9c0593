"""Pure: a spec and its prompts -> the ordered requests of a run, with content-hash keys."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import islice

from copycat.catalog import canonical_sha256
from copycat.mitigations import Mitigation
from copycat.schema import Character, ImageRequest, Prompt, RunSpec

KEY_HEX_DIGITS = 20
CHANGED = {"prompt_sent", "negative_prompt", "guide", "output_filter", "erasure", "attack"}
"""The fields of a request that a mitigation, an erasure or an attack may change."""


def build_requests(
    spec: RunSpec, prompts: Sequence[Prompt], characters: Sequence[Character], mitigation: Mitigation
) -> tuple[ImageRequest, ...]:
    """List every picture of a run, repeat by repeat, character by character, anchor by anchor.

    So the first requests of a limited run show all anchors of the first characters. A prompt whose character is not
    among `characters` is after nobody: mitigations have no target, and it comes behind the others, in the order given.
    """
    by_id = {character.id: character for character in characters}
    place = {character.id: i for i, character in enumerate(characters)}
    anchor_place = {anchor: i for i, anchor in enumerate(spec.anchors)}
    ordered = sorted(prompts, key=lambda p: (place.get(p.character, len(place)), anchor_place[p.anchor]))
    # One after the other as they are needed: a mitigation may ask a language model that is paid for.
    requests = (
        _with_key(spec, mitigation.apply(_plain_request(prompt, repeat), by_id.get(prompt.character)))
        for repeat in range(spec.seeds)
        for prompt in ordered
    )
    return tuple(islice(requests, spec.limit))


def build_batches(requests: Sequence[ImageRequest], batch_size: int) -> list[tuple[ImageRequest, ...]]:
    """Say which pictures are made together: part of the plan, so that a resumed run repeats the same arithmetic."""
    return [tuple(requests[i : i + batch_size]) for i in range(0, len(requests), batch_size)]


def texts_sha256(requests: Sequence[ImageRequest]) -> str:
    """Hash what a mitigation made of the prompts, so that other keywords or rewrites are another run."""
    return canonical_sha256([request.model_dump(mode="json", include=CHANGED) for request in requests])


def build_seed(prompt_id: str, repeat: int) -> int:
    """Give the seed of a picture: the same for every model and mitigation, whatever the order of work.

    Unit: an integer below 2**48, so that JSON readers keep it exact.
    """
    digest = hashlib.sha256(f"{prompt_id}#{repeat}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def run_id(spec: RunSpec) -> str:
    """Name the run folder: for people; only the hash at its end identifies the spec."""
    identity = spec.model_dump(mode="json", exclude={"judge", "judge_revision"})
    parts = (spec.model, spec.mitigation, spec.characters)
    readable = "+".join("".join(c if c.isalnum() or c in "-.+" else "-" for c in part) for part in parts)
    return f"{readable[:80].strip('-')}+{canonical_sha256(identity)[:8]}"


def _plain_request(prompt: Prompt, repeat: int) -> ImageRequest:
    return ImageRequest(
        key="",
        character=prompt.character,
        anchor=prompt.anchor,
        prompt_id=prompt.id,
        repeat=repeat,
        prompt=prompt.text,
        prompt_sent=prompt.text,
        seed=build_seed(prompt.id, repeat),
    )


def _with_key(spec: RunSpec, request: ImageRequest) -> ImageRequest:
    """Hash everything that can move a pixel of this picture."""
    content = {
        "model": spec.model_source,
        "revision": spec.model_revision,
        "sampling": spec.sampling.model_dump(mode="json"),
        "device": spec.device,
        "batch_size": spec.batch_size,
        "request": request.model_dump(mode="json", exclude={"key"}),
    }
    return request.model_copy(update={"key": canonical_sha256(content)[:KEY_HEX_DIGITS]})
