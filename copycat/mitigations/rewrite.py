"""Rewriting: the prompt is replaced by one that names nobody and describes somebody else.

Source: CopyCat (arXiv 2406.14526), section 5; there a language model rewrites, once for each prompt.
"""

from __future__ import annotations

import re

from copycat.errors import BackendError, UnknownNameError, UnsupportedError
from copycat.mitigations import Question, Setting
from copycat.mitigations.rules import rewrite_by_rules
from copycat.schema import Character, ImageRequest

RULES, FRESH = "rules", "fresh"

INSTRUCTION = "rewrite-v1"

_QUOTES = "\"'`*\u201c\u201d\u2018\u2019\u00ab\u00bb"
_LABEL = re.compile(
    r"^(?:sure|certainly|of course|here (?:is|'s)|(?:[a-z]+ )?prompt)\b[^:\n]{0,80}:[*\"\s]+", re.IGNORECASE
)
_VERB = re.compile(
    r"^(?:please )?(?:create|generate|draw|paint|make|produce|render|design|illustrate|depict|visuali[sz]e|imagine)\s+"
    r"(?=(?:an?|the|one)\b)",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"^(?:an?|the|one) (?:image|picture) (?:of|showing|depicting|featuring|with)\s+", re.IGNORECASE)
"""Openers that speak of the picture and say nothing of what it shows. 'A watercolour of' does."""


class Rewrite:
    """Sends another prompt in place of the planned one.

    Args:
        variant: "rules", a rewriter without a language model that knows the target; "fresh", a language model that
            does not know it and rewrites anew for each repeat; or the name of rewrites that were made once and
            frozen (`copycat.catalog.lists`).

    Raises:
        UnsupportedError: a language model is needed and there is none.
    """

    def __init__(self, variant: str, setting: Setting) -> None:
        self.variant, self.ask = variant, setting.ask
        self.asks = variant == FRESH
        if self.asks and setting.ask is None:
            raise UnsupportedError(
                "mitigation 'rewrite:fresh' needs a language model\n"
                "  add --llm openai:MODEL, --llm org/repo or --llm ./FOLDER; or use rewrite:rules, which needs none"
            )
        self.texts = setting.prompt_set.rewrites.get(variant, {})

    @staticmethod
    def canonical(variant: str, setting: Setting) -> str:
        """Check a variant.

        Raises:
            UnknownNameError: the set has no such rewrites.
        """
        known = (RULES, FRESH, *setting.prompt_set.rewrites)
        if variant not in known:
            hint = "make some: python -m copycat.mitigate rewrite; the published: python -m copycat.data lists rewrites"
            raise UnknownNameError("rewrites", variant, known, hint)
        return variant

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Replace the prompt; without a target the rules change nothing.

        Raises:
            UnsupportedError: the frozen rewrites lack this prompt.
            BackendError: the language model gave no rewrite.
        """
        if self.variant == RULES:
            text = request.prompt_sent if target is None else rewrite_by_rules(request.prompt_sent, target)
            return request.model_copy(update={"prompt_sent": text})
        if self.ask is not None and self.variant == FRESH:
            answer = self.ask(Question(INSTRUCTION, request.prompt_sent, request.repeat))
            return request.model_copy(update={"prompt_sent": tidy_rewrite(answer)})
        texts = self.texts.get(request.prompt_id)
        if not texts:
            raise UnsupportedError(
                f"rewrites '{self.variant}' have no text for prompt '{request.prompt_id}'\n"
                "  leave out its anchor with --anchors, or make rewrites of it under another name:\n"
                "    python -m copycat.mitigate rewrite --characters SET --llm NAME --anchors ANCHORS --name NAME"
            )
        return request.model_copy(update={"prompt_sent": texts[request.repeat % len(texts)]})


def tidy_rewrite(answer: str) -> str:
    """Make a prompt of a language model's answer: one line, without quotes around it and without its opener.

    Raises:
        BackendError: nothing is left.
    """
    text = " ".join(answer.split())
    for opener in (_LABEL, _VERB, _PICTURE):
        text = opener.sub("", text.strip(_QUOTES + " "))
    text = text.strip(_QUOTES + " ")
    if not re.search(r"\w", text):
        raise BackendError(f"the language model gave no prompt: '{answer.strip()[:80]}'")
    return text[0].upper() + text[1:]
