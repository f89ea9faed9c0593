"""An erasure as a whole pipeline: the model with the delta put in, in a folder that any loader of diffusers reads."""

from __future__ import annotations

from pathlib import Path

from copycat.console import say
from copycat.errors import UserError
from copycat.models import ModelRow
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.erased import CARD, DELTA, check_base, put_on, read_card
from copycat.models.hub import INDEX, Source
from copycat.models.loading import load_pipeline
from copycat.paths import shown
from copycat.runs.folder import write_bytes
from copycat.schema import ErasureCard

CARD_OF_EXPORT = f"erasure-{CARD}"
"""The card's name in an exported folder."""


def commit_of(card: ErasureCard) -> str | None:
    """Give the commit of a Hub repository that an erasure was made for; None for what has none."""
    return None if ":" in card.source else card.revision.partition("+")[0]


def export_pipeline(row: ModelRow, erasure: Path, out: Path) -> ErasureCard:
    """Write the model that an erasure was made for, with its weights put in, as safetensors.

    Args:
        erasure: a finished folder.
        out: a new or empty folder, or one that was exported before.

    Raises:
        UnsupportedError: the erasure was made for another model.
        UserError: `out` holds something else.
    """
    card = read_card(erasure)
    source, revision = DiffusersModel(row, "cpu").identify()
    check_base(card, row.name, source, revision)
    if (out / INDEX).exists() and not (out / CARD_OF_EXPORT).exists():
        raise UserError(f"{shown(out)} holds another pipeline\n  choose a new folder: --export DIR")
    say(f"writing {shown(out)}")
    sampling = row.sampling.model_copy(update={"compile": None})
    pipeline = load_pipeline(Source(row.source, row.name, row.revision), row, sampling, "cpu", "all")
    put_on(pipeline, erasure / DELTA)
    pipeline.save_pretrained(out, safe_serialization=True)
    for weights in out.rglob("*.safetensors"):  # written for their owner alone, unlike the files beside them
        weights.chmod((out / INDEX).stat().st_mode & 0o777)
    write_bytes(out / CARD_OF_EXPORT, (erasure / CARD).read_bytes())
    return card
