"""What the loops of an attack work with: the desk, plain rows, pictures of the concept, pictures under attack."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.attacks.saved import AttackedPrompt
from copycat.console import progress_bar, say
from copycat.errors import DataError
from copycat.models import Picture
from copycat.plan import build_batches, build_seed
from copycat.runs.encoding import encode_png
from copycat.runs.folder import append_journal, read_journal, write_bytes
from copycat.schema import ImageRequest, Record
from copycat.whitebox.folder import PICTURES, RESULTS
from copycat.whitebox.job import PlannedAttack
from copycat.whitebox.victim import Studio

TRIES_FOR_EACH = 4
"""Pictures of the name that the original model draws, at most, for each that is needed to show the concept."""


class PlainPicture(Record):
    """A prompt without an attack: whether the original and the attacked model's pictures show the concept."""

    key: str
    original: bool | None
    before: bool | None
    pictures: dict[str, str]
    seconds: float


class Desk(NamedTuple):
    """What the loops work with."""

    planned: PlannedAttack
    folder: Path
    studio: Studio
    plain: dict[str, PlainPicture]

    @property
    def seed(self) -> int:
        """Of what is learned once for all prompts."""
        return build_seed(f"attack/{self.planned.concept.id}", 0)


def draw_attacked(desk: Desk, form: str, requests: Sequence[ImageRequest]) -> None:
    """Draw and judge requests that carry their attack, batch by batch.

    A batch of which a kill left a part is drawn whole, so that its pictures are what they would have been.
    """
    done = done_rows(desk)
    with progress_bar(f"under {form}", len(requests)) as advance:
        for batch in batches_of(desk.planned, requests):
            missing = [r for r in batch if (form, r.prompt_id, r.seed) not in done]
            if missing:
                begun = time.monotonic()
                drawn = desk.studio.draw(batch)
                seconds = (time.monotonic() - begun) / len(missing)
                rows = [
                    attacked_row(desk, form, request, one, seconds=seconds)
                    for request, one in zip(batch, drawn, strict=True)
                    if request in missing
                ]
                append_journal(desk.folder / RESULTS, rows)
            advance(len(batch))


def concept_pictures(desk: Desk, count: int) -> list[Any]:
    """Give pictures of the original model that show the concept: of its name, with seeds of their own.

    Where it seldom draws the concept they are fewer, which is said.

    Raises:
        DataError: none does.
    """
    planned = desk.planned
    asked = planned.originals[0].model_copy(
        update={"prompt": planned.concept.name, "prompt_sent": planned.concept.name}
    )
    requests = [
        asked.model_copy(update={"key": f"target-{i}", "seed": build_seed(f"target/{planned.concept.id}", i)})
        for i in range(max(count * TRIES_FOR_EACH, 16))
    ]
    found: list[Any] = []
    with progress_bar(f"pictures of {planned.concept.name}", count) as advance:
        for batch in batches_of(planned, requests):
            shows = [p.image for p, is_shown in desk.studio.draw(batch) if is_shown and p.image is not None]
            found += shows[: count - len(found)]
            advance(min(len(shows), count))
            if len(found) == count:
                break
    if not found:
        raise DataError(
            [
                f"the original '{planned.row.name}' does not draw {planned.concept.name} by name: judge "
                f"'{planned.judge_row.name}' sees it on none of {len(requests)} pictures"
            ],
            "  an attack needs what was there before: choose another --concept, or another --judge",
        )
    if len(found) < count:
        say(f"note: {planned.concept.name} is on {len(found)} of {len(requests)} pictures, and {count} were wanted")
    return found


def attacked_row(
    desk: Desk,
    form: str,
    request: ImageRequest,
    drawn: tuple[Picture, bool | None] | None,
    *,
    seconds: float = 0.0,
) -> AttackedPrompt:
    """Tell of a prompt under attack; without a picture of its own it stays as it was before."""
    plain = desk.plain[request.key]
    pictures, after = dict(plain.pictures), plain.before
    if drawn is not None:
        after = drawn[1]
        stem = "".join(c if c.isalnum() or c == "-" else "-" for c in f"{request.key}-after-{form}")
        path = keep_picture(desk.folder, stem, drawn[0])
        pictures |= {} if path is None else {"after": path}
    return AttackedPrompt(
        id=request.prompt_id,
        form=form,
        text=request.prompt,
        sent=request.prompt_sent,
        seed=request.seed,
        original=plain.original,
        before=plain.before,
        after=after,
        seconds=seconds,
        pictures=pictures,
    )


def done_rows(desk: Desk) -> set[tuple[str, str, int]]:
    """Give form, prompt and seed of what is in the journal."""
    return {(row.form, row.id, row.seed) for row in read_journal(desk.folder / RESULTS, AttackedPrompt)}


def batches_of(planned: PlannedAttack, requests: Sequence[ImageRequest]) -> list[tuple[ImageRequest, ...]]:
    """Part requests as they are drawn together."""
    return build_batches(requests, planned.row.batch_size)


def keep_picture(folder: Path, stem: str, picture: Picture) -> str | None:
    """Save a picture, if there is one, and give its relative path."""
    if picture.image is None:
        return None
    relative = f"{PICTURES}/{stem}.png"
    write_bytes(folder / relative, encode_png(picture.image))
    return relative


def open_picture(folder: Path, relative: str) -> Any:  # Any: of PIL
    """Read a picture that was kept."""
    from PIL import Image

    with Image.open(folder / relative) as image:
        return image.convert("RGB")
