"""Gradient surgery: what of one gradient works against another is cut out of it.

DoCo (Wu et al., arXiv 2405.15304), after the projection of Yu et al., arXiv 2001.06782.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, NamedTuple

SurgeryForm = Literal["projection", "cosine", "none"]
SurgeryScope = Literal["tensor", "layer", "global"]


class Operated(NamedTuple):
    """Gradients after surgery, and the share of groups in which there was something to cut."""

    gradients: list[Any]
    conflicts: float


def operate(
    unlearning: Sequence[Any],
    retaining: Sequence[Any],
    groups: Sequence[Hashable],
    form: SurgeryForm = "projection",
    strength: float = 1.0,
) -> Operated:
    """Free one gradient from its conflict with another, group by group.

    With u and r the parts of a group as one vector, and only where <u, r> < 0:

    - projection: u - strength <u, r> / ||r||^2 r. With strength 1 what is left is at a right angle to r.
    - cosine: u - strength cos(u, r) r / ||r||, as the published code has it since its second release. It lacks the
      factor ||u||: of a u shorter than 1 too much is taken, so that it ends up along r.

    Args:
        unlearning: u, a gradient for each tensor.
        retaining: r, of the same shapes.
        groups: the group of each tensor; tensors of one group are one vector.
    """
    members: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    freed, conflicts = list(unlearning), 0
    for places in members.values():
        inner = sum((unlearning[i] * retaining[i]).sum() for i in places)
        if form == "none" or float(inner) >= 0:
            continue
        conflicts += 1
        squared = sum(retaining[i].square().sum() for i in places)
        share = inner / squared
        if form == "cosine":
            share = share / sum(unlearning[i].square().sum() for i in places).sqrt()
        for i in places:
            freed[i] = unlearning[i] - strength * share * retaining[i]
    return Operated(freed, conflicts / max(1, len(members)))


def group_of(parameter: str, scope: SurgeryScope) -> str:
    """Name the group of a parameter: itself, its attention layer, or the one group of all."""
    if scope == "global":
        return ""
    return parameter if scope == "tensor" else parameter.rpartition(".to_")[0]


def clipped(gradients: Sequence[Any], longest: float) -> list[Any]:
    """Shorten gradients, taken as one vector, to at most this length."""
    norm = sum(gradient.square().sum() for gradient in gradients).sqrt()
    factor = (longest / (norm + 1e-6)).clamp(max=1.0)
    return [gradient * factor for gradient in gradients]
