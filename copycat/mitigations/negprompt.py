"""Negative prompts: classifier-free guidance away from the character.

Source: CopyCat (arXiv 2406.14526), Table 1. As there, the defender is assumed to know
which character the prompt is after; the figures are an upper bound on what the measure can do.
"""

from __future__ import annotations

from copycat.mitigations import Setting
from copycat.mitigations.terms import Terms, canonical_terms
from copycat.schema import Character, ImageRequest


class NegativePrompt:
    """Appends words to the negative prompt: the name, keyword lists, or what needs no knowledge of the target.

    Args:
        variant: terms joined by commas, see `copycat.mitigations.terms`.

    Raises:
        UnsupportedError: a term needs keywords that the set does not have.
    """

    def __init__(self, variant: str, setting: Setting) -> None:
        self.terms = Terms(variant, setting.prompt_set, f"negprompt:{variant}")

    @staticmethod
    def canonical(variant: str, setting: Setting) -> str:
        """Give the full form of a variant."""
        return canonical_terms(variant, setting.prompt_set)

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Append to the negative prompt of the request; nothing where there is nothing to say."""
        words = self.terms.words(target)
        if not words:
            return request
        before = [request.negative_prompt] if request.negative_prompt else []
        return request.model_copy(update={"negative_prompt": ", ".join([*before, *words])})
