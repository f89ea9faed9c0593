"""Measures: one number per picture beside the judge's verdict. This file is the table of names.

To add one: a file here with a class that has `revision` and `measure`, a row below, a test, a line in docs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from PIL.Image import Image

from copycat.errors import UserError
from copycat.metrics.measures import Scale
from copycat.registry import Registry, resolve
from copycat.schema import CharacterSet, Measurement, Record, Sample

DEFAULT_WEIGHTS = "ViT-B-32/openai"
SANDBOX_WEIGHTS = "package:sandbox/weights/judge"
"""The sandbox has a picture encoder of its own, so that every measure works offline."""


class MeasureRow(Record):
    """What a measure's name stands for.

    `source` is where the weights of its picture encoder are, as in `open_clip:SOURCE`; None for the usual ones.
    """

    name: str
    target: str
    summary: str
    scale: Scale
    source: str | None = None
    needs_references: bool = False


class Setting(NamedTuple):
    """What a measure is made for: `references` is a folder with pictures of each character, if there is one."""

    row: MeasureRow
    device: str
    characters: CharacterSet
    references: str | None = None

    @property
    def source(self) -> str:
        """Where the weights of the picture encoder are."""
        return self.row.source or (SANDBOX_WEIGHTS if self.characters.is_sandbox else DEFAULT_WEIGHTS)


class Measure(Protocol):
    """A measure, made from a `Setting`. `revision` is cheap; weights are loaded on first use.

    More methods may be there. `check()`: raises UserError before anything is measured where nothing could be.
    """

    def revision(self) -> str:
        """Say in 40 hex digits which weights, references and settings measure."""

    def measure(self, pictures: Sequence[Image], samples: Sequence[Sample]) -> list[Measurement]:
        """Measure pictures: one measurement for each, in their order.

        Args:
            pictures: RGB images.
            samples: what was asked for, one per picture. All pictures of a run with one character and anchor must
                come in one call, since some measures compare them with each other.

        Raises:
            UserError: nothing can be measured.
        """


MEASURES: Registry[MeasureRow] = Registry(
    "measure",
    (
        MeasureRow(
            name="clipscore",
            target="copycat.measures.clipscore:ClipScore",
            summary="2.5 times the cosine of picture and prompt, at least 0 (Hessel 2021); the prompt as asked for",
            scale=Scale(metric="clipscore", top=2.5, unit="score", better="higher"),
        ),
        MeasureRow(
            name="diversity",
            target="copycat.measures.diversity:Diversity",
            summary="mean cosine distance of a picture to the other pictures of its prompt",
            scale=Scale(metric="diversity", top=2.0, unit="score", better="higher"),
        ),
        MeasureRow(
            name="near-copy",
            target="copycat.measures.near_copy:NearCopy",
            summary="1 if the picture is nearly one of the references of its character, by perceptual hash",
            scale=Scale(metric="near_copy", top=1.0, unit="share", better="lower"),
            needs_references=True,
        ),
        MeasureRow(
            name="ladder-exact",
            target="copycat.measures.ladder_rungs:LadderExact",
            summary="1 if the picture is one of the references: the same file, or the same pixels",
            scale=Scale(metric="copy_exact", top=1.0, unit="share", better="lower"),
            needs_references=True,
        ),
        MeasureRow(
            name="ladder-phash",
            target="copycat.measures.ladder_rungs:LadderPhash",
            summary="1 if a reference is near by perceptual hash, at a stated false-positive rate",
            scale=Scale(metric="copy_phash", top=1.0, unit="share", better="lower"),
            needs_references=True,
        ),
        MeasureRow(
            name="ladder-dhash",
            target="copycat.measures.ladder_rungs:LadderDhash",
            summary="1 if a reference is near by difference hash, at a stated false-positive rate",
            scale=Scale(metric="copy_dhash", top=1.0, unit="share", better="lower"),
            needs_references=True,
        ),
        MeasureRow(
            name="ladder-descriptor",
            target="copycat.measures.ladder_rungs:LadderDescriptor",
            summary="1 if a reference is near by an encoder's vectors, at a stated false-positive rate",
            scale=Scale(metric="copy_descriptor", top=1.0, unit="share", better="lower"),
            needs_references=True,
        ),
    ),
    hint="known measures: clipscore, diversity, near-copy, ladder (all of ladder-exact, -phash, -dhash, -descriptor)",
)

LADDER = "ladder"
"""Stands for all measures whose names begin with it."""


def expand_measures(names: Sequence[str]) -> list[str]:
    """Give each measure once; 'ladder' is all rungs of it, and 'ladder:0.01' all at this false-positive rate."""
    found: list[str] = []
    for name in names:
        known, colon, rest = name.partition(":")
        rungs = [row.name for row in MEASURES.rows() if row.name.startswith(f"{LADDER}-")]
        found += [f"{rung}{colon}{rest}" for rung in rungs] if known == LADDER else [name]
    return list(dict.fromkeys(found))


def resolve_measure(name: str) -> MeasureRow:
    """Find what a measure's name stands for; 'clipscore:MODEL/PRETRAINED' takes other weights.

    Raises:
        UnknownNameError: no row has it.
        UserError: nothing after the colon.
    """
    known, colon, source = name.partition(":")
    row = MEASURES.get(known)
    if colon and not source:
        raise UserError(f"measure '{name}' is not complete\n  needed: {known} or {known}:MODEL/PRETRAINED")
    return row.model_copy(update={"source": source}) if source else row


def build_measure(row: MeasureRow, device: str, characters: CharacterSet, references: str | None = None) -> Measure:
    """Make a measure; its weights are loaded when it measures.

    Raises:
        UserError: it compares with references, and there are none.
    """
    if row.needs_references and references is None:
        from copycat.judges.references import LAYOUT

        raise UserError(f"measure '{row.name}' compares with pictures, and none are given\n{LAYOUT}")
    built: Any = resolve(row.target, f"measure '{row.name}'")(Setting(row, device, characters, references))
    measure: Measure = built
    return measure
