"""No mitigation: the baseline that every other one is compared with."""

from __future__ import annotations

from copycat.catalog import PromptSet
from copycat.schema import Character, ImageRequest


class NoMitigation:
    """Sends every request as it is."""

    def __init__(self, variant: str, prompt_set: PromptSet) -> None:
        del variant, prompt_set

    def apply(self, request: ImageRequest, character: Character) -> ImageRequest:
        """Give back the request unchanged."""
        del character
        return request
