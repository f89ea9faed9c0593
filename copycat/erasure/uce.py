"""UCE: new keys and values of cross-attention in closed form, so that a concept's tokens read as those of its anchor.

Gandikota et al., "Unified Concept Editing in Diffusion Models", arXiv 2308.14761, section 4. For each matrix W0 of keys
or values, over pairs (c, g) of a concept's and its target's states and over states p to keep, W minimises

    erase sum |W c - W0 g|^2  +  keep sum |W p - W0 p|^2  +  lam |W - W0|^2

which is W = W0 (lam I + erase sum g c^T + keep sum p p^T) (lam I + erase sum c c^T + keep sum p p^T)^-1. All matrices
read the same states, so that one factor serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from copycat.erasure.eraser import Concept, NoAnchorError, Progress
from copycat.erasure.esd import CONCEPT, is_edited
from copycat.erasure.settings import SET_NAMES
from copycat.live import LivePipeline
from copycat.schema import Record


class UceSettings(Record):
    """What UCE is set to; the defaults are the corrected ones."""

    target: Literal["anchor", "null"] = Field(default="anchor", description="what a concept is mapped to")
    tokens: Literal["all", "own", "last"] = Field(
        default="all",
        description="which states of a text: all behind its start, those of its words, or only that of the last word",
    )
    lam: float = Field(default=0.5, gt=0, description="weight of staying as it was")
    erase: float = Field(default=10.0, gt=0, description="weight of a concept, all its states together")
    keep: float = Field(default=1.0, ge=0, description="weight of a text to keep, all its states together")
    preserve: tuple[str, ...] = Field(
        default=(SET_NAMES,), description="texts to keep: a comma list; 'set' is all other names of --characters"
    )
    prompts: tuple[str, ...] = Field(
        default=(CONCEPT,), min_length=1, description="texts, {concept} in place of what is erased or kept"
    )


class Mapped(NamedTuple):
    """States and what they are mapped to, (n, width) each, with the weight of each row, (n,)."""

    states: Any
    targets: Any
    weights: Any


class Uce:
    """UCE at work; see `Eraser`."""

    SETTINGS: ClassVar[type[Record]] = UceSettings
    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "published": {"target": "null", "tokens": "last", "erase": 1.0, "preserve": ()},
    }

    def __init__(self, live: LivePipeline, concepts: tuple[Concept, ...], settings: UceSettings, seed: int) -> None:
        del seed  # nothing is drawn
        self.live, self.concepts, self.settings = live, concepts, settings
        self.n_steps = 1
        if settings.target == "anchor" and (bare := [c.name for c in concepts if c.anchor is None]):
            raise NoAnchorError(
                f"uce maps a concept to an anchor, and {', '.join(bare)} has none\n"
                "  needed: --anchor TEXT, or --set target=null"
            )
        self._edited = {
            f"unet.{name}": parameter
            for name, parameter in live.unet.named_parameters()
            if is_edited(name, "strict") and parameter.ndim == 2
        }

    def edited(self) -> dict[str, Any]:
        """Give the parameters that change."""
        return self._edited

    def prepare(self, folder: Path, progress: Progress) -> None:
        """Nothing: texts are encoded in the step."""

    def step(self, number: int) -> dict[str, float]:
        """Solve for the factor and put it behind every matrix; the losses are mean squared errors of values."""
        import torch

        del number
        settings = self.settings
        with torch.no_grad():
            erased, kept = self._erased(), self._kept()
            factor = solve_factor(erased, kept, settings.lam)
            losses = {"erase": 0.0, "keep": 0.0}
            for parameter in self._edited.values():
                held = parameter.cpu() if parameter.device.type == "mps" else parameter  # which has no float64
                before = held.double()
                after = before @ factor.to(before.device)
                losses["erase"] += _error(after, before, erased) / len(self._edited)
                losses["keep"] += _error(after, before, kept) / len(self._edited)
                parameter.copy_(after)
        return losses

    def state(self) -> dict[str, Any]:
        """Give nothing: there is one step."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up nothing."""

    # ------------------------------------------------------------------ private

    def _erased(self) -> Mapped:
        anchors = ["" if self.settings.target == "null" else str(concept.anchor) for concept in self.concepts]
        names = [concept.name for concept in self.concepts]
        return self._mapped(names, anchors, self.settings.erase)

    def _kept(self) -> Mapped:
        names = [name for name in self.settings.preserve if name != SET_NAMES]
        return self._mapped(names, names, self.settings.keep)

    def _mapped(self, names: Sequence[str], targets: Sequence[str], weight: float) -> Mapped:
        """Encode names and targets in all prompts; each text weighs `weight`, however many states it has."""
        import torch

        parts = [
            self._pair(form.replace(CONCEPT, name), form.replace(CONCEPT, to) if to else "")
            for name, to in zip(names, targets, strict=True)
            for form in self.settings.prompts
        ]
        if not parts:
            width = self.live.encode([""]).states.shape[-1]
            empty = torch.zeros(0, width, dtype=torch.float64)
            return Mapped(empty, empty, empty[:, 0])
        share = weight / len(self.settings.prompts)
        weights = [torch.full((len(states),), share / len(states), dtype=torch.float64) for states, _ in parts]
        return Mapped(torch.cat([s for s, _ in parts]), torch.cat([t for _, t in parts]), torch.cat(weights))

    def _pair(self, text: str, to: str) -> tuple[Any, Any]:
        states = self.live.encode([text, to]).states.cpu().double()
        lengths = [max(map(len, self.live.token_ids(each))) for each in (text, to)]
        places = aligned((lengths[0], lengths[1]), states.shape[1], self.settings.tokens)
        return states[0, [here for here, _ in places]], states[1, [there for _, there in places]]


def aligned(lengths: tuple[int, int], positions: int, tokens: str) -> list[tuple[int, int]]:
    """Say which state of a text is mapped to which of its target.

    Position 0 is the start; then come a text's own tokens, its end, and padding, which has read all of them. Words go
    to words, the last as often as needed, the end to the end, padding to padding. An empty target gives its state at
    the same position, and to the last token alone, as in the published code, its start.

    Args:
        lengths: own tokens of the text and of its target, 0 for an empty one.
        positions: of a row of the text encoder.
        tokens: "all", "own" or "last".
    """
    here, there = lengths
    if tokens == "last":
        return [(here, there)]
    own = [(place, min(place, there) if there else place) for place in range(1, here + 1)]
    if tokens == "own":
        return own
    end = here + 1
    behind = [(place, max(place, there + 1)) for place in range(end + 1, positions)]
    return [*own, (end, there + 1 if there else end), *behind]


def solve_factor(erased: Mapped, kept: Mapped, lam: float) -> Any:
    """Give the (width, width) float64 matrix that stands behind each matrix of keys or values; see the top."""
    import torch

    width = erased.states.shape[1]
    shared = lam * torch.eye(width, dtype=torch.float64) + _moment(kept.states, kept)
    right = shared + _moment(erased.states, erased)
    left = shared + _moment(erased.targets, erased)
    return torch.linalg.solve(right, left, left=False)


def _moment(rows: Any, mapped: Mapped) -> Any:
    """Give the weighted sum of rows times states transposed."""
    return (rows * mapped.weights[:, None]).T @ mapped.states


def _error(after: Any, before: Any, mapped: Mapped) -> float:
    """Give the weighted mean of the squared error of a text's values."""
    total = float(mapped.weights.sum())
    if not total:
        return 0.0
    wanted = mapped.targets.to(before.device) @ before.T
    off = (mapped.states.to(before.device) @ after.T - wanted).square().mean(dim=1).cpu()
    return float((off * mapped.weights).sum() / total)
