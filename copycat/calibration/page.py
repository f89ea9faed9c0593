"""label.html: one picture at a time, yes, no or unsure, from a file and without a network.

The page tells neither model and mitigation nor prompt and verdict: labels are given blind. The same input gives the
same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader
from PIL import Image

from copycat.calibration.opened import OpenedRun
from copycat.errors import DataError
from copycat.models.decode import UndecodableError, decode_picture
from copycat.runs.pages import strict_environment
from copycat.schema import Character, Sample

SIDE_PX = 640
"""Larger pictures are made smaller, so that a page of 300 stays near 20 MB."""

SHEET_SIDE_PX = 1280
"""The same of clips, whose frames lie side by side."""

KEPT_BYTES = 40_000
"""Files up to this size are embedded as they are."""

_WEBP_QUALITY = 80
_TEMPLATES = PackageLoader("copycat")


class LabelPage(NamedTuple):
    """A run and the pictures of it that are labelled, in the order in which they are shown."""

    run: OpenedRun
    pictures: tuple[Sample, ...]
    seed: int


def build_page(page: LabelPage) -> str:
    """Write the page as text.

    Raises:
        DataError: pictures are missing or were changed.
    """
    environment = _environment()
    run = page.run.run.id.rpartition("+")[2]  # the hash at its end; all before it would tell model and mitigation
    items = _items(page)
    identity = hashlib.sha256("\n".join(f"{item['key']} {item['sha256']}" for item in items).encode()).hexdigest()
    return environment.get_template("labels.html.j2").render(
        run=run,
        title=page.run.characters.title or page.run.characters.id,
        items=items,
        storage=f"copycat-labels/{run}/{identity[:8]}",
        is_video=page.run.run.spec.sampling.is_video,
        css=_TEMPLATES.get_source(environment, "labels.css")[0],
        script=_TEMPLATES.get_source(environment, "labels.js")[0],
    )


@cache
def _environment() -> Environment:
    return strict_environment(_TEMPLATES)


def _items(page: LabelPage) -> list[dict[str, str]]:
    people = {character.id: character for character in page.run.characters.characters}
    side = SHEET_SIDE_PX if page.run.run.spec.sampling.is_video else SIDE_PX
    items, faults = [], []
    for sample in page.pictures:
        content = page.run.folder.read_image(sample)
        try:
            if content is None:
                raise UndecodableError("is missing or was changed")
            items.append(_item(sample, people[sample.character], _data_uri(content, side)))
        except UndecodableError as error:
            faults.append(f"{page.run.folder.path / (sample.image or '')}: {error}")
    if faults:
        raise DataError(faults, "  the same eval command makes them again")
    return items


def _item(sample: Sample, character: Character, source: str) -> dict[str, str]:
    return {
        "key": sample.key,
        "image": f"../{sample.image}",
        "sha256": sample.sha256 or "",
        "name": character.name,
        "franchise": character.franchise,
        "looks": character.description,
        "src": source,
    }


def _data_uri(content: bytes, side: int) -> str:
    """Give a picture as a data URI: as it is if it is small, else as WebP of at most `side` pixels."""
    picture = decode_picture(content)
    mime = {b"\x89P": "png", b"\xff\xd8": "jpeg"}.get(content[:2], "webp")
    if len(content) > KEPT_BYTES:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        written = io.BytesIO()
        picture.save(written, "WEBP", quality=_WEBP_QUALITY, method=4)
        content, mime = written.getvalue(), "webp"
    return f"data:image/{mime};base64,{base64.b64encode(content).decode('ascii')}"
