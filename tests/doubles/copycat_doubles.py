"""Models and a judge without weights, brought in as a plug-in package would bring them.

They do what the switches in the environment variable COPYCAT_DOUBLES say, so that a test can turn
them in its own process and in one that it starts, and they note every picture in a log file.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from pydantic import BaseModel, ConfigDict

from copycat.errors import BackendError
from copycat.judges import JudgeRow, Verdict
from copycat.models import ModelIdentity, ModelRow, Picture
from copycat.models.frames import build_sheet
from copycat.schema import CharacterSet, ImageRequest, Sampling
from copycat.services.breaker import Breaker
from copycat.services.throttle import Throttle

SWITCHES = "COPYCAT_DOUBLES"
SIZE_PX = 16
SENTINELS = 24
"""Pictures with which a judge is watched; neither counted nor noted here."""

MARK, NEGATIVE_MARK, CONSISTENCY_MARK = (0, 0), (1, 0), (2, 0)

MODEL = ModelRow(
    name="fake",
    target="copycat_doubles:FakeModel",
    source="doubles",
    summary="draws noise from the seed, and a mark of the character in most pictures",
    licence="Apache-2.0",
    sampling=Sampling(
        steps=1, guidance=3.0, width_px=SIZE_PX, height_px=SIZE_PX, dtype="float32", scheduler="NoScheduler"
    ),
    batch_size=4,
)
VIDEO = MODEL.model_copy(
    update={
        "name": "fake-video",
        "target": "copycat_doubles:FakeVideoModel",
        "sampling": MODEL.sampling.model_copy(update={"frames": 9, "kept_frames": (0, 4, 8), "fps": 8}),
        "batch_size": 2,
    }
)
SERVICE = MODEL.model_copy(
    update={"name": "fake-service", "target": "copycat_doubles:FakeService", "batch_size": 1, "concurrency": 2}
)
JUDGE = JudgeRow(
    name="fake-judge",
    target="copycat_doubles:FakeJudge",
    source="doubles",
    summary="reads the mark that the fake model leaves",
    is_calibrated=True,
)


class Switches(BaseModel):
    """How the doubles behave.

    `ends` maps a part of a prompt id to how such requests end; "failed" takes the whole batch along.
    `seconds` is slept per batch of pictures. After `interrupt_after` batches comes a Ctrl-C.
    `shows` maps the position of a frame to the character that it shows, others show nobody; without
    it every frame is drawn as a picture is. A judge that drifts is surer of the sentinel pictures than it was.
    """

    model_config = ConfigDict(extra="forbid")

    ends: dict[str, str] = {}
    seconds: float = 0.0
    interrupt_after: int | None = None
    is_random: bool = False
    shows: dict[int, str] | None = None
    judge_fails: bool = False
    revision: str = "1"
    judge_revision: str = "1"
    judge_drifts: bool = False
    log: str | None = None

    def note(self, event: str, name: str) -> None:
        if self.log is not None:
            with Path(self.log).open("a", encoding="utf-8") as file:
                file.write(f"{event} {name}\n")


def switches() -> Switches:
    return Switches.model_validate(json.loads(os.environ.get(SWITCHES, "{}")))


class FakeModel:
    """Obeys the protocol of copycat.models; `batches` holds what it was asked for."""

    def __init__(self, row: ModelRow = MODEL, device: str = "cpu") -> None:
        self.row, self.device = row, device
        self.batches: list[tuple[str, ...]] = []
        self.prepared: list[tuple[str, ...]] = []

    def identify(self) -> ModelIdentity:
        return ModelIdentity(self.row.source, switches().revision)

    def check(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        del requests, sampling

    def settle(self, sampling: Sampling) -> Sampling:
        return sampling

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        del sampling
        self.prepared.append(tuple(request.key for request in requests))

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        set_to = switches()
        if set_to.interrupt_after is not None and len(self.batches) >= set_to.interrupt_after:
            raise KeyboardInterrupt
        self.batches.append(tuple(request.key for request in requests))
        time.sleep(set_to.seconds)
        ends = [_end_of(request, set_to) for request in requests]
        if "failed" in ends:
            raise BackendError("the fake model fell over")
        for request in requests:
            set_to.note("generated", request.key)
        return [_picture(request, sampling, end, set_to) for request, end in zip(requests, ends, strict=True)]


class FakeVideoModel(FakeModel):
    """Draws clips."""

    def __init__(self, row: ModelRow = VIDEO, device: str = "cpu") -> None:
        super().__init__(row, device)

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        pictures = super().generate(requests, sampling)
        return [
            _clip(request, sampling) if picture.status == "ok" else picture
            for request, picture in zip(requests, pictures, strict=True)
        ]


class FakeService(FakeModel):
    """Is asked by several threads at a time."""

    def __init__(self, row: ModelRow = SERVICE, device: str = "cpu") -> None:
        super().__init__(row, device)
        self.throttle = Throttle(row.concurrency or 1, row.concurrency or 1)
        self.breaker = Breaker("doubles")


class FakeJudge:
    """Obeys the protocol of copycat.judges; `batches` holds how many pictures it was shown at a time."""

    def __init__(self, row: JudgeRow = JUDGE, device: str = "cpu") -> None:
        self.row, self.device = row, device
        self.batches: list[int] = []

    def revision(self) -> str:
        return switches().judge_revision

    def judge(
        self, pictures: Sequence[Image.Image], asked_for: Sequence[str], characters: CharacterSet
    ) -> list[Verdict]:
        del asked_for
        set_to = switches()
        if set_to.judge_fails:
            raise BackendError("the fake judge fell over")
        if len(pictures) == SENTINELS and pictures[0].size == (64, 64):
            return [Verdict(None, 0.9 if set_to.judge_drifts else 0.1, 0.5)] * SENTINELS
        self.batches.append(len(pictures))
        marks = {mark_of(character.id): character.id for character in characters.characters}
        for picture in pictures:
            set_to.note("judged", hashlib.sha256(picture.tobytes()).hexdigest()[:12])
        return [
            Verdict(
                detected=marks.get(picture.getpixel(MARK)),
                confidence=0.9,
                consistency=round(picture.getpixel(CONSISTENCY_MARK)[0] / 255, 6),
            )
            for picture in pictures
        ]


def mark_of(text: str) -> tuple[int, int, int]:
    """The colour that stands for a text."""
    red, green, blue = hashlib.sha256(text.encode()).digest()[:3]
    return red, green, blue


def _share_shown(request: ImageRequest) -> float:
    erased = None if request.erasure is None else {name.lower() for name in request.erasure.concepts}
    if erased is not None:
        return 0.7 if request.character not in erased else 0.6 if request.attack else 0.0
    return 0.3 if request.negative_prompt else 0.9


def draw(request: ImageRequest, sampling: Sampling, seed: object) -> Image.Image:
    """Noise from the seed; the character shows in 9 of 10 pictures, and in 3 with a negative prompt.

    One that was erased shows in none, under attack in 6; others in 7 where anything was erased.
    """
    dice = random.Random(str(seed))
    size = (sampling.width_px, sampling.height_px)
    image = Image.frombytes("RGB", size, dice.randbytes(size[0] * size[1] * 3))
    is_shown = dice.random() < _share_shown(request)
    image.putpixel(MARK, mark_of(request.character) if is_shown else (0, 0, 0))
    image.putpixel(NEGATIVE_MARK, mark_of(request.negative_prompt or ""))
    return image


def _end_of(request: ImageRequest, set_to: Switches) -> str:
    return next((end for part, end in set_to.ends.items() if part in request.prompt_id), "ok")


def _picture(request: ImageRequest, sampling: Sampling, end: str, set_to: Switches) -> Picture:
    if end != "ok":
        return Picture(end, None, f"switched to {end}")  # type: ignore[arg-type]
    seed = random.SystemRandom().random() if set_to.is_random else request.seed
    return Picture("ok", draw(request, sampling, seed))


def _clip(request: ImageRequest, sampling: Sampling) -> Picture:
    shows = switches().shows
    frames = [draw(request, sampling, f"{request.seed}/{place}") for place in range(sampling.frames or 0)]
    for place, frame in enumerate(frames if shows is not None else []):
        shown = (shows or {}).get(place)
        frame.putpixel(MARK, mark_of(shown) if shown else (0, 0, 0))
    return Picture("ok", build_sheet([frames[i] for i in sampling.kept_frames or ()]), clip=tuple(frames))
