"""Rewriting: the prompt is replaced by one that names nobody and describes somebody else.

Source: CopyCat (arXiv 2406.14526), section 5; there a language model rewrites, once for each prompt.
"""

from __future__ import annotations

from copycat.errors import UnknownNameError, UnsupportedError
from copycat.mitigations import MITIGATIONS, Setting
from copycat.mitigations.rules import rewrite_by_rules
from copycat.schema import Character, ImageRequest

RULES = "rules"


class Rewrite:
    """Sends another prompt in place of the planned one.

    Args:
        variant: "rules", a rewriter without a language model that knows the target, or the name of rewrites that
            were made once and frozen (`copycat.catalog.lists`).
    """

    def __init__(self, variant: str, setting: Setting) -> None:
        self.variant = variant
        self.texts = setting.prompt_set.rewrites.get(variant, {})

    @staticmethod
    def canonical(variant: str, setting: Setting) -> str:
        """Check a variant.

        Raises:
            UnknownNameError: the set has no such rewrites.
        """
        known = (RULES, *setting.prompt_set.rewrites)
        if variant not in known:
            raise UnknownNameError("rewrites", variant, known, MITIGATIONS.hint)
        return variant

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Replace the prompt; without a target the rules change nothing.

        Raises:
            UnsupportedError: the frozen rewrites lack this prompt.
        """
        if self.variant == RULES:
            text = request.prompt_sent if target is None else rewrite_by_rules(request.prompt_sent, target)
            return request.model_copy(update={"prompt_sent": text})
        texts = self.texts.get(request.prompt_id)
        if not texts:
            raise UnsupportedError(
                f"rewrites '{self.variant}' have no text for prompt '{request.prompt_id}'\n"
                "  leave out its anchor with --anchors, or use rewrite:rules"
            )
        return request.model_copy(update={"prompt_sent": texts[request.repeat % len(texts)]})
