"""Diversity: how much the pictures of one prompt differ from each other.

A model that gives one picture for every seed has memorised it, or has collapsed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from PIL.Image import Image

from copycat.judges.open_clip_hub import sha40
from copycat.measures import Setting
from copycat.measures.encoders import encoder_of
from copycat.schema import Measurement, Sample

ALONE = "the only picture of its prompt"


class Diversity:
    """Gives each picture its mean cosine distance to the others of its prompt.

    The mean over the pictures of one prompt is then their mean pairwise distance.
    """

    def __init__(self, setting: Setting) -> None:
        self.encoder = encoder_of(setting)

    def revision(self) -> str:
        """Hash the weights."""
        return sha40("diversity-1", self.encoder.weights.identity())

    def measure(self, pictures: Sequence[Image], samples: Sequence[Sample]) -> list[Measurement]:
        """Measure pictures; see the protocol. All repeats of a prompt must be among them.

        Unit: cosine distance in [0, 2].
        Direction: higher is more varied.
        """
        seen = self.encoder.embed_pictures(pictures)
        groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for place, sample in enumerate(samples):
            groups[sample.character, sample.anchor, sample.prompt].append(place)
        values: dict[int, float | None] = {}
        for places in groups.values():
            values |= zip(places, mean_distances(seen[places].float().cpu().tolist()), strict=True)
        return [
            Measurement(
                key=sample.key,
                image_sha256=sample.sha256 or "",
                value=values[place],
                reason=ALONE if values[place] is None else None,
            )
            for place, sample in enumerate(samples)
        ]


def mean_distances(vectors: Sequence[Sequence[float]]) -> list[float | None]:
    """Give each unit vector's mean cosine distance (1 - cosine, in [0, 2]) to the others; None where it is alone."""
    import numpy as np

    if len(vectors) == 1:
        return [None]
    cosines = np.asarray(vectors) @ np.asarray(vectors).T
    others = (cosines.sum(axis=1) - cosines.diagonal()) / (len(vectors) - 1)
    return [round(min(2.0, max(0.0, 1 - float(mean))), 6) for mean in others]
