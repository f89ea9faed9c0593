"""Mitigations: pure functions on requests. This file is the table of names.

To add one: a file here with a class that has `apply`, a row below, a test, a line in docs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from copycat.catalog import PromptSet
from copycat.errors import UserError
from copycat.registry import Registry, resolve
from copycat.schema import Character, CharacterSet, ImageRequest, Record

NONE = "none"


class Question(NamedTuple):
    """A question to a language model: the id of an instruction under prompts/instructions, a text, and a seed."""

    instruction: str
    text: str
    seed: int = 0


class Setting(NamedTuple):
    """What mitigations are built from.

    `ask` gives a language model's answer, the same one to the same question; None where there is no such model.
    `embed` gives a vector for each text, see `vectors.Embed`; None where there is no model for it.
    """

    characters: CharacterSet
    prompt_set: PromptSet
    ask: Callable[[Question], str] | None = None
    embed: Callable[[Sequence[str]], Sequence[tuple[float, ...]]] | None = None


class MitigationRow(Record):
    """A mitigation: `variants` come after a colon, the first is the default.

    One that `is_open` reads its variants itself, with its class's `canonical(variant, setting)`; then
    `variants` are examples.
    """

    name: str
    target: str
    summary: str
    variants: tuple[str, ...] = ()
    is_open: bool = False


class Mitigation(Protocol):
    """Changes what is sent to the model; never touches the model."""

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Give the request to send instead; character, anchor, repeat and seed stay as they are.

        Args:
            target: whom to protect; None where nobody is meant.
        """


class Detector(Protocol):
    """Says whom a request is after, so that the mitigations behind it act on that character and on no other."""

    def find(self, request: ImageRequest) -> Character | None:
        """Give the character that the prompt is after, None where it is after nobody."""


MITIGATIONS: Registry[MitigationRow] = Registry(
    "mitigation",
    (
        MitigationRow(name=NONE, target="copycat.mitigations.none:NoMitigation", summary="the prompt as it is"),
        MitigationRow(
            name="negprompt",
            target="copycat.mitigations.negprompt:NegativePrompt",
            summary="classifier-free guidance away from the character (CopyCat, Table 1); terms joined by commas",
            variants=("best", "name", "copyright", "keywords", "name,keywords", "universal"),
            is_open=True,
        ),
        MitigationRow(
            name="intent",
            target="copycat.mitigations.intent:Intent",
            summary="in front of others: finds whom the prompt is after; 'llm' needs --llm, 'embedding' --embedder",
            variants=("names", "retrieval", "llm", "embedding", "embedding,0.55"),
            is_open=True,
        ),
        MitigationRow(
            name="rewrite",
            target="copycat.mitigations.rewrite:Rewrite",
            summary="another prompt that names nobody: by rules, fresh by the model of --llm, or frozen under a NAME",
            variants=("rules", "fresh"),
            is_open=True,
        ),
        MitigationRow(
            name="sld",
            target="copycat.mitigations.guides:SafeLatentDiffusion",
            summary="Safe Latent Diffusion: each step steered away from terms, medium, weak, strong or max",
            variants=("medium", "weak", "strong", "max", "medium,name,keywords"),
            is_open=True,
        ),
        MitigationRow(
            name="safree",
            target="copycat.mitigations.guides:Safree",
            summary="SAFREE: the prompt's embedding is freed of what lies along terms",
            variants=("artist", "nudity", "artist,name,keywords"),
            is_open=True,
        ),
        MitigationRow(
            name="nag",
            target="copycat.mitigations.guides:NormalizedAttentionGuidance",
            summary="Normalized Attention Guidance: a negative for pipelines without classifier-free guidance, too",
            variants=("default", "default,name,keywords"),
            is_open=True,
        ),
        MitigationRow(
            name="filter",
            target="copycat.mitigations.output_filter:FilterOutput",
            summary="a judge looks at each picture; one that shows a character is drawn again, or blocked",
            variants=("regenerate", "block", "regenerate,JUDGE", "block,JUDGE"),
            is_open=True,
        ),
    ),
    hint="see all: python -m copycat.eval --list mitigations",
)


class Composition:
    """Mitigations one after the other. A detector among them decides whom those behind it protect.

    `asks`: whether a language model is asked. `embeds`: whether texts are embedded.
    """

    def __init__(self, parts: tuple[Mitigation | Detector, ...]) -> None:
        self.parts = parts
        self.asks, self.embeds = (any(getattr(part, does, False) for part in parts) for does in ("asks", "embeds"))

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Apply part after part, each to what the one before it gave; behind a detector that finds nobody, none."""
        is_idle = False
        for part in self.parts:
            find = getattr(part, "find", None)
            if find is not None:
                target = find(request)
                is_idle = target is None
            elif not is_idle:
                request = part.apply(request, target)  # type: ignore[union-attr]
        return request


def canonical_mitigation(text: str, setting: Setting) -> str:
    """Give the full name of what was typed, such as 'negprompt:authored-5' for 'negprompt:keywords'.

    Raises:
        UnknownNameError: no such mitigation or variant.
        UserError: nothing between two '+', or the same part twice.
    """
    parts = [_canonical_part(part.strip(), text, setting) for part in text.split("+")]
    repeated = next((part for place, part in enumerate(parts) if part != NONE and part in parts[:place]), None)
    if repeated is not None:
        raise UserError(f"mitigation '{text}' has the part '{repeated}' twice\n  needed: each part once")
    return "+".join([part for part in parts if part != NONE] or [NONE])


def build_mitigation(name: str, setting: Setting) -> Mitigation:
    """Build the mitigation of a name such as 'rewrite:rules+negprompt:name,keywords'."""
    parts = []
    for part in canonical_mitigation(name, setting).split("+"):
        kind, _, variant = part.partition(":")
        parts.append(MITIGATIONS.load(kind)(variant, setting))
    only: Mitigation = parts[0]
    return only if len(parts) == 1 and hasattr(only, "apply") else Composition(tuple(parts))


def _canonical_part(part: str, whole: str, setting: Setting) -> str:
    if not part:
        raise UserError(f"mitigation '{whole}' has an empty part\n  needed: NAME or NAME:VARIANT, joined by '+'")
    kind, _, variant = part.partition(":")
    row = MITIGATIONS.get(kind)
    if row.is_open:
        own: Any = resolve(row.target, f"mitigation '{kind}'")
        return f"{kind}:{own.canonical(variant or row.variants[0], setting)}"
    if not row.variants:
        if variant:
            raise UserError(f"mitigation '{kind}' takes no variant, got '{variant}'\n  type: {kind}")
        return kind
    known: Registry[MitigationRow] = Registry(
        f"variant of mitigation '{kind}':",
        (MitigationRow(name=v, target=row.target, summary="") for v in row.variants),
        MITIGATIONS.hint,
    )
    return f"{kind}:{known.get(variant or row.variants[0]).name}"
