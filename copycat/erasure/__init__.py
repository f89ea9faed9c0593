"""Erasers: methods that edit a model's weights so that a concept is not drawn any more. This file is the table.

To add one: a file here with a class like `Eraser`, a row below, a test, a line in docs/erasure.md.

eraser.py     what every method has: the protocol, and the concept it erases
"""

from __future__ import annotations

from copycat.erasure.eraser import Concept, Eraser
from copycat.registry import Registry
from copycat.schema import Record

__all__ = ["ERASERS", "Concept", "Eraser", "EraserRow"]


class EraserRow(Record):
    """A method: `edits` says which weights, `source` which paper."""

    name: str
    target: str
    summary: str
    edits: str
    source: str


ERASERS: Registry[EraserRow] = Registry(
    "erasing method",
    (
        EraserRow(
            name="esd",
            target="copycat.erasure.esd:Esd",
            summary="fine-tunes the denoiser to steer away from the concept",
            edits="unet",
            source="Gandikota et al., arXiv 2303.07345",
        ),
        EraserRow(
            name="uce",
            target="copycat.erasure.uce:Uce",
            summary="solves for cross-attention weights in closed form, several concepts at once, in seconds",
            edits="unet",
            source="Gandikota et al., arXiv 2308.14761",
        ),
        EraserRow(
            name="advunlearn",
            target="copycat.erasure.advunlearn:AdvUnlearn",
            summary="trains the text encoder against an attacker that searches token embeddings",
            edits="text_encoder",
            source="Zhang et al., arXiv 2405.15234",
        ),
        EraserRow(
            name="doco",
            target="copycat.erasure.doco:DoCo",
            summary="matches the concept to an anchor with a discriminator, gradients freed of conflict",
            edits="unet",
            source="Wu et al., arXiv 2405.15304",
        ),
    ),
    hint="see all: python -m copycat.erase --list methods",
)
