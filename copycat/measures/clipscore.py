"""CLIPScore: how well a picture fits the words it was asked for with.

Source: Hessel et al. 2021 (arXiv:2104.08718), section 3: 2.5 * max(cos(picture, "A photo depicts " + text), 0).
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL.Image import Image

from copycat.judges.open_clip_hub import sha40
from copycat.measures import SANDBOX_WEIGHTS, Setting
from copycat.measures.encoders import encoder_of
from copycat.schema import Measurement, Sample

WEIGHT = 2.5
PREFIX = "A photo depicts "


class ClipScore:
    """Compares a picture with the prompt as it was planned, whatever a mitigation or a service made of it.

    With the sandbox's encoder the prompt stands alone: it has never read the paper's prefix.
    """

    def __init__(self, setting: Setting) -> None:
        self.encoder = encoder_of(setting)
        self.prefix = "" if setting.source == SANDBOX_WEIGHTS else PREFIX

    def revision(self) -> str:
        """Hash weights and prefix."""
        return sha40("clipscore-1", self.encoder.weights.identity(), self.prefix)

    def measure(self, pictures: Sequence[Image], samples: Sequence[Sample]) -> list[Measurement]:
        """Measure pictures; see the protocol.

        Unit: score in [0, 2.5].
        Direction: higher fits better.
        """
        texts = tuple(dict.fromkeys(self.prefix + sample.prompt for sample in samples))
        seen, said = self.encoder.embed_pictures(pictures), self.encoder.embed_texts(texts)
        wanted = said[[texts.index(self.prefix + sample.prompt) for sample in samples]]
        cosines = (seen * wanted).sum(dim=1).float().tolist()
        return [
            Measurement(key=sample.key, image_sha256=sample.sha256 or "", value=clip_score(cosine))
            for sample, cosine in zip(samples, cosines, strict=True)
        ]


def clip_score(cosine: float) -> float:
    """Give 2.5 * max(cosine, 0), to six digits."""
    return round(WEIGHT * min(1.0, max(0.0, cosine)), 6)
