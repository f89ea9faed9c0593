"""Negative prompts: classifier-free guidance away from the character.

Source: CopyCat (arXiv 2406.14526), Table 1. As there, the defender is assumed to know
which character the prompt is after; the figures are an upper bound on what the measure can do.
"""

from __future__ import annotations

from copycat.catalog import PromptSet
from copycat.errors import UnsupportedError
from copycat.schema import Character, ImageRequest

KEYWORDS = 5
"""How many keywords go into the negative prompt (CopyCat Table 1 uses five per ranker)."""


class NegativePrompt:
    """Puts the character's name, its keywords or the words 'copyrighted character' into the negative prompt.

    Args:
        variant: "name", "copyright", "keywords" or "name-and-keywords".
        prompt_set: where the keywords come from (its default ranker).

    Raises:
        UnsupportedError: the variant needs keywords and the set, or one of its characters, has none.
    """

    def __init__(self, variant: str, prompt_set: PromptSet) -> None:
        self.variant = variant
        self.keywords = prompt_set.keywords.get(prompt_set.default_ranker or "", {})
        lacking = [character for character in prompt_set.names if not self.keywords.get(character)]
        if "keywords" in variant and lacking:
            who = f"character '{lacking[0]}' of set" if self.keywords else "character set"
            raise UnsupportedError(
                f"mitigation 'negprompt:{variant}' needs keywords, and {who} '{prompt_set.id}' has none\n"
                "  give each character a list 'keywords', or use --mitigation negprompt:name"
            )

    def apply(self, request: ImageRequest, character: Character) -> ImageRequest:
        """Append to the negative prompt of the request."""
        words = {
            "name": [character.name],
            "copyright": ["copyrighted character"],
            "keywords": self._keywords_of(character),
            "name-and-keywords": [character.name, *self._keywords_of(character)],
        }[self.variant]
        before = [request.negative_prompt] if request.negative_prompt else []
        return request.model_copy(update={"negative_prompt": ", ".join([*before, *words])})

    def _keywords_of(self, character: Character) -> list[str]:
        return list(self.keywords.get(character.id, ()))[:KEYWORDS]
