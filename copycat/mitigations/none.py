"""No mitigation: the baseline that every other one is compared with."""

from __future__ import annotations

from copycat.mitigations import Setting
from copycat.schema import Character, ImageRequest


class NoMitigation:
    """Sends every request as it is."""

    def __init__(self, variant: str, setting: Setting) -> None:
        del variant, setting

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Give back the request unchanged."""
        del target
        return request
