"""docs/models.md: the tables of models as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from copycat.commands.list_models import MARKS, groups
from copycat.models import ModelRow
from copycat.models.table_baselines import BASELINE_ROWS
from copycat.models.table_images import IMAGE_ROWS
from copycat.models.table_services import RETIRED, SERVICE_ROWS
from copycat.models.table_videos import VIDEO_ROWS

INTRO = """# Models

Made from the tables in `copycat/models/` by `make docs`; do not edit. `python -m copycat.eval --list models` shows the
same, plug-ins included. Any other pipeline of diffusers is named by its Hub id or folder, any other model of an image
service by `openai:MODEL`: [add a model](add-a-model.md), [services](services.md).

**GiB** is GPU memory for one picture, worked out from published parameter counts, not measured. **Honours**: N a
negative prompt, G guidance, S the seed; what is not honoured is refused before a model is loaded. The settings are
those of the model cards, as far as they could be read when the tables were written; no weights were at hand, so no row
has been run on its real model yet.
"""
LOCAL_HEAD = "| name | steps | guidance | size | dtype | GiB | honours | licence | source |\n|" + "---|" * 9
SERVICE_HEAD = "| name | model | size | quality | ends |\n|---|---|---|---|---|"


def page_of_models() -> str:
    """Give the page, the models of this package only."""
    rows = (*IMAGE_ROWS, *VIDEO_ROWS, *SERVICE_ROWS, *BASELINE_ROWS)
    parts = [INTRO]
    for title, members, _ in groups(rows):
        parts.append(f"## {title[0].upper()}{title[1:]}\n")
        parts.append("\n".join(_service_table(members) if members[0].is_service else _local_table(members)) + "\n")
    parts.append("## Retired\n\n| name | ended | instead |\n|---|---|---|")
    parts.append("\n".join(f"| `{name}` | {r.ended} | `{r.instead}` |" for name, r in RETIRED.items()) + "\n")
    return "\n".join(parts)


def _local_table(rows: Sequence[ModelRow]) -> Iterator[str]:
    yield LOCAL_HEAD
    for row in rows:
        sampling = row.sampling
        steps = "+".join(str(n) for n in (sampling.steps, *(stage.steps for stage in sampling.upscaling or ())) if n)
        size = f"{sampling.width_px}x{sampling.height_px}"
        size += f", {sampling.frames} frames" if sampling.is_video else ""
        memory = "?" if row.memory_gib is None else f"{row.memory_gib:g}"
        marks = "".join(mark if feature in row.honours else "-" for feature, mark in MARKS.items())
        licence = row.licence + (", gated" if row.is_gated else "")
        guidance = "" if sampling.guidance is None else f"{sampling.guidance:g}"
        cells = (f"`{row.name}`", steps, guidance, size, sampling.dtype or "", memory, marks, licence)
        yield f"| {' | '.join(str(cell) for cell in cells)} | {row.source} |"


def _service_table(rows: Sequence[ModelRow]) -> Iterator[str]:
    yield SERVICE_HEAD
    for row in rows:
        size = f"{row.sampling.width_px}x{row.sampling.height_px}"
        yield f"| `{row.name}` | {row.source} | {size} | {row.sampling.quality} | {row.shutdown or 'not announced'} |"
