"""The picture encoders that measures share, so that two measures of one run load them once."""

from __future__ import annotations

from functools import lru_cache

from copycat.judges.open_clip_encoder import OpenClipEncoder
from copycat.judges.open_clip_weights import find_weights
from copycat.measures import Setting


def encoder_of(setting: Setting) -> OpenClipEncoder:
    """Give the encoder of a measure; loads nothing yet."""
    return shared_encoder(setting.source, setting.device)


@lru_cache(maxsize=2)
def shared_encoder(source: str, device: str) -> OpenClipEncoder:
    """Give the encoder of a source; loads nothing yet."""
    return OpenClipEncoder(find_weights(source, f"the picture encoder '{source}'"), device)
