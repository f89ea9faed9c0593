"""Image services by name, and those that are gone. `openai:MODEL` reaches any other model of a compatible service.

Dates: the provider's page of deprecations as read on 2026-11-24; `python -m copycat.doctor` asks the service itself.
No page of the provider with prices per picture was found, so the rows hold none: give yours with --price.
"""

from __future__ import annotations

from typing import NamedTuple

from copycat.models.row import ModelRow
from copycat.schema import Sampling

OPENAI = "copycat.models.openai_images:OpenAIImagesModel"
SERVICE_SAMPLING = Sampling(width_px=1024, height_px=1024, quality="medium")


def service_row(name: str, model: str, summary: str, shutdown: str | None = None) -> ModelRow:
    """Describe a model that draws behind the OpenAI Images API: no seed, no negative prompt, no guidance."""
    return ModelRow(
        name=name,
        target=OPENAI,
        source=model,
        summary=summary,
        licence="service",
        honours=(),
        sampling=SERVICE_SAMPLING,
        concurrency=32,
        shutdown=shutdown,
    )


SERVICE_ROWS: tuple[ModelRow, ...] = (
    service_row("gpt-image-2.6", "gpt-image-2.6-sunburst", "OpenAI GPT Image 2.6 sunburst"),
    service_row("gpt-image-2.5", "gpt-image-2.5-sunburst-2026-09-08", "OpenAI GPT Image 2.5 sunburst, dated snapshot"),
    service_row("gpt-image-2", "gpt-image-2-2026-04-21", "OpenAI GPT Image 2, dated snapshot"),
    service_row("gpt-image-1.5", "gpt-image-1.5", "OpenAI GPT Image 1.5", shutdown="2026-12-01"),
    service_row("gpt-image-1-mini", "gpt-image-1-mini", "OpenAI GPT Image 1 mini", shutdown="2026-12-01"),
)


class Retired(NamedTuple):
    """A model that nobody can call any more, the day it ended, and what to use instead."""

    title: str
    ended: str
    instead: str


RETIRED: dict[str, Retired] = {
    "dall-e-3": Retired("DALL·E 3", "2026-05-12", "gpt-image-2"),
    "dall-e-2": Retired("DALL·E 2", "2026-05-12", "gpt-image-2"),
    "gpt-image-1": Retired("GPT Image 1", "2026-10-23", "gpt-image-2"),
}
