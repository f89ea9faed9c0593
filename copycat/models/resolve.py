"""What a user typed after --model -> a row: a name of the table, a folder, a Hub repository, or a service's model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from copycat.errors import DataError, UserError
from copycat.models import MODELS, ModelRow
from copycat.models.defaults import pipeline_row, upscaled_side
from copycat.models.hub import INDEX, Source, read_json_object
from copycat.models.table_images import CASCADE
from copycat.models.table_services import RETIRED, service_row
from copycat.paths import shown
from copycat.schema import Sampling, Upscaling

SERVICE_PREFIX = "openai:"
CASCADE_STAGES = ("stage_1", "stage_2", "stage_3")
"""Folders of a local cascade, each of them a pipeline."""


def resolve_model(text: str, revision: str | None = None, size_px: tuple[int, int] | None = None) -> ModelRow:
    """Find the row of a model.

    Args:
        revision: of a Hub repository: branch, tag or commit.
        size_px: width and height that the user asked for: the files of some pipelines do not say them.

    Raises:
        UnknownNameError: no row, no folder, and not of the form org/repo.
        DataError: a folder without a readable model_index.json.
        UserError: a service's model that has been shut down; a revision of what has none.
    """
    if text in MODELS.names():
        return _at_revision(MODELS.get(text), revision)
    folder = Path(text)
    if (text.startswith((".", "/", "~")) or "\\" in text) or _is_pipeline(folder) or _is_cascade(folder):
        return _at_revision(_folder_row(folder.expanduser(), size_px), revision)
    service = text.removeprefix(SERVICE_PREFIX)
    if service in RETIRED:
        _refuse_retired(service)
    if text.startswith(SERVICE_PREFIX):
        return _at_revision(_service(service), revision)
    if text.count("/") == 1:
        return pipeline_row(text, Source(text, text, revision), revision, size_px)
    return MODELS.get(text)


def _service(model: str) -> ModelRow:
    if not model:
        raise UserError("no model after 'openai:'\n  needed: openai:MODEL, such as openai:gpt-image-2")
    known = next((row for row in MODELS.rows() if row.is_service and model in (row.source, row.name)), None)
    return known or service_row(f"{SERVICE_PREFIX}{model}", model, f"{model} behind the OpenAI Images API")


def _refuse_retired(name: str) -> None:
    title, ended, instead = RETIRED[name]
    raise UserError(
        f"{title} was shut down by its provider on {ended}; nobody can call it any more\n"
        f"  its provider's models of today: --model {instead}, see --list models\n"
        "  open models do not go away: --model sdxl"
    )


def _at_revision(row: ModelRow, revision: str | None) -> ModelRow:
    if revision is None:
        return row
    if row.is_service or Path(row.source).is_absolute() or row.source.startswith("package:"):
        raise UserError(
            f"model '{row.name}' is no Hub repository and has no revision\n"
            "  leave out --revision; a folder is identified by the hash of its files"
        )
    return row.model_copy(update={"revision": revision})


def _folder_row(folder: Path, size_px: tuple[int, int] | None) -> ModelRow:
    if _is_cascade(folder):
        return _cascade_row(folder)
    if not _is_pipeline(folder):
        raise DataError([f"{shown(folder)}: no diffusers pipeline there"], "  needed: a folder with a model_index.json")
    folder = folder.resolve()
    _require_components(folder, read_json_object(folder / INDEX))
    return pipeline_row(folder.name, Source(str(folder), folder.name), size_px=size_px)


def _cascade_row(folder: Path) -> ModelRow:
    """Describe three pipelines that draw one after the other, with the settings of DeepFloyd IF."""
    like = MODELS.get("deepfloyd-if")
    folder = folder.resolve()
    stages = [folder / name for name in CASCADE_STAGES]
    if not stages[-1].exists():
        stages.pop()
    if broken := [stage for stage in stages if not _is_pipeline(stage)]:
        raise DataError(
            [f"{shown(stage)}: no diffusers pipeline there" for stage in broken],
            "  needed: stage_1, stage_2 and, if there is one, stage_3, each a whole diffusers folder",
        )
    for stage in stages:
        _require_components(stage, read_json_object(stage / INDEX))
    upscaling = [
        stage.model_copy(update={"source": path.name, "variant": None})
        for stage, path in zip(like.sampling.upscaling or (), stages[1:], strict=False)
    ]
    first = pipeline_row(folder.name, Source(str(stages[0]), folder.name))
    side = first.sampling.width_px
    for stage in stages[1:]:
        side = upscaled_side(Source(str(stage), folder.name), side)
    settings: dict[str, Any] = {
        "steps": like.sampling.steps,
        "guidance": like.sampling.guidance,
        "width_px": side,
        "height_px": side,
        "upscaling": tuple(Upscaling.model_validate(stage.model_dump()) for stage in upscaling),
    }
    sampling = Sampling.model_validate(first.sampling.model_dump() | settings)
    return first.model_copy(update={"target": CASCADE, "sampling": sampling, "source": str(folder)})


def _is_pipeline(folder: Path) -> bool:
    return (folder / INDEX).exists()


def _is_cascade(folder: Path) -> bool:
    return _is_pipeline(folder / CASCADE_STAGES[0])


def _require_components(folder: Path, pipeline: dict[str, Any]) -> None:
    """Name every missing component: diffusers would fail on some of them late, and with no word of the folder."""
    listed = [name for name, value in pipeline.items() if isinstance(value, list) and value[:1] != [None]]
    missing = [name for name in listed if not (folder / name).is_dir()]
    if missing:
        raise DataError(
            [f"{shown(folder / name)}: not there, though model_index.json lists it" for name in missing],
            "  needed: a whole diffusers folder; fetch it again",
        )
