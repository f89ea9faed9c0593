"""Training-free guidance as mitigations: which concept, how strongly; the model steers (`copycat.models.guidance`).

The concept is said in terms, as a negative prompt is: `sld:strong,name,keywords` steers strongly away from the
name and five keywords. Without terms it is `best`; a defender who knows the target is assumed. The name alone
would do nothing to a prompt that is the name: these methods act on the difference between prompt and concept.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from copycat.mitigations import Setting
from copycat.mitigations.terms import Terms, canonical_terms
from copycat.schema import Character, Guide, ImageRequest


class GuidedAway:
    """Asks for guidance away from the words of terms; nothing where there is nothing to say.

    Args:
        variant: one of `PRESETS`, perhaps left out, then terms joined by commas, see `copycat.mitigations.terms`.

    Raises:
        UnsupportedError: a term needs keywords that the set does not have.
    """

    METHOD: ClassVar[Literal["sld", "safree", "nag"]]
    PRESETS: ClassVar[dict[str, dict[str, float]]]
    """By name, the first is the default."""

    def __init__(self, variant: str, setting: Setting) -> None:
        preset, _, terms = variant.partition(",")
        self.settings = self.PRESETS[preset]
        self.terms = Terms(terms, setting.prompt_set, f"{self.METHOD}:{variant}")

    @classmethod
    def canonical(cls, variant: str, setting: Setting) -> str:
        """Give the full form of a variant: 'strong' -> 'strong,name,authored-5'."""
        first, _, rest = (part.strip() for part in variant.partition(","))
        if first not in cls.PRESETS:
            first, rest = next(iter(cls.PRESETS)), variant
        return f"{first},{canonical_terms(rest or 'best', setting.prompt_set)}"

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Set the guide of the request."""
        words = self.terms.words(target)
        if not words:
            return request
        guide = Guide(method=self.METHOD, concept=words, settings=self.settings)
        return request.model_copy(update={"guide": guide})


class SafeLatentDiffusion(GuidedAway):
    """Safe Latent Diffusion with one of its four published settings (arXiv 2211.05105, section 3)."""

    METHOD = "sld"
    PRESETS: ClassVar[dict[str, dict[str, float]]] = {
        "medium": {"warm_up": 10, "scale": 1000, "threshold": 0.01, "momentum_scale": 0.3, "momentum": 0.4},
        "weak": {"warm_up": 15, "scale": 200, "threshold": 0, "momentum_scale": 0, "momentum": 0},
        "strong": {"warm_up": 7, "scale": 2000, "threshold": 0.025, "momentum_scale": 0.5, "momentum": 0.7},
        "max": {"warm_up": 0, "scale": 5000, "threshold": 1, "momentum_scale": 0.5, "momentum": 0.7},
    }


class Safree(GuidedAway):
    """SAFREE's projection of the prompt (arXiv 2410.12761), with its two published settings."""

    METHOD = "safree"
    PRESETS: ClassVar[dict[str, dict[str, float]]] = {
        "artist": {"tolerance": 0.01, "most_steps": 10, "centre": 5.5, "slope": 3.5},
        "nudity": {"tolerance": 0.01, "most_steps": 10, "centre": 5.333, "slope": 2.5},
    }


class NormalizedAttentionGuidance(GuidedAway):
    """Normalized Attention Guidance (arXiv 2505.21179): a negative that needs no classifier-free guidance."""

    METHOD = "nag"
    PRESETS: ClassVar[dict[str, dict[str, float]]] = {"default": {"scale": 4, "limit": 2.5, "blend": 0.5}}
