"""A submission as plain JSON, to be changed at will and written again as if an honest packer had written it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from copycat.catalog import prompts_sha256, read_character_set
from copycat.judges.families import resolve_judge
from copycat.leaderboard.hashing import perceptual_hash
from copycat.leaderboard.reading import LIMITS, read_pictures
from copycat.leaderboard.records import SubmittedSample
from copycat.leaderboard.rederiving import derive_suite
from copycat.leaderboard.writing import write_manifest
from copycat.metrics import summarise
from copycat.schema import Calibration, Judgement, RunSpec


class Draft:
    """Everything in the files of a submission.

    What is in `on_disk` is done to the folder before its manifest is made, what is in `at_last` afterwards.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.submission: dict[str, Any] = self._read("submission.json")
        self.settings: dict[str, Any] = self._read("run_settings.json")
        self.metrics: dict[str, Any] = self._read("metrics.json")
        self.samples = self._lines("samples.jsonl")
        self.judgements = self._lines("judgements.jsonl")
        self.calibration: dict[str, Any] | None = None
        self.pictures: list[tuple[str, bytes]] = list(read_pictures(folder))
        self.on_disk: list[Callable[[Path], object]] = []
        self.at_last: list[Callable[[Path], object]] = []

    @property
    def spec(self) -> dict[str, Any]:
        return self.settings["spec"]

    def add_up(self) -> None:
        """Make the figures anew from what samples and judgements say now."""
        spec = RunSpec.model_validate(self.spec)
        characters = read_character_set(spec.characters)
        calibration = None if self.calibration is None else Calibration.model_validate(self.calibration)
        result = summarise(
            spec,
            max(len(characters.characters) * len(spec.anchors) * spec.seeds, len(self.samples)),
            [SubmittedSample.model_validate(sample) for sample in self.samples],
            [Judgement.model_validate(judgement) for judgement in self.judgements],
            is_sandbox=characters.is_sandbox,
            is_judge_calibrated=resolve_judge(spec.judge).is_calibrated,
            set_names={character.id: character.name for character in characters.characters},
            calibration=calibration,
        )
        self.metrics = result.model_dump(mode="json")

    def keep_anchor(self, anchor: str) -> None:
        """Make it a submission of this anchor alone."""
        self.spec["anchors"] = [anchor]
        suite = derive_suite(RunSpec.model_validate(self.spec), None, LIMITS).suite
        assert suite is not None
        self.spec["prompts_sha256"] = prompts_sha256(suite.prompts)
        self.samples = [sample for sample in self.samples if sample["anchor"] == anchor]
        keys = {sample["key"] for sample in self.samples}
        self.judgements = [judgement for judgement in self.judgements if judgement["key"] in keys]
        self.pictures = [(key, content) for key, content in self.pictures if key in keys]
        self.add_up()

    def put_picture(self, place: int, content: bytes, *, hashed_as: str | None = None) -> None:
        """Give a sample another picture, and make everything that speaks of its bytes true of it."""
        sample = self.samples[place]
        sha256 = hashlib.sha256(content).hexdigest()
        for judgement in self.judgements:
            if judgement["key"] == sample["key"]:
                judgement["image_sha256"] = sha256
        sample["sha256"] = sha256
        sample["perceptual_hash"] = hashed_as or perceptual_hash(Image.open(io.BytesIO(content)))
        self.pictures[place] = (self.pictures[place][0], content)

    def picture(self, place: int) -> Image.Image:
        return Image.open(io.BytesIO(self.pictures[place][1])).convert("RGB")

    def write(self) -> Path:
        for name, content in (
            ("submission.json", self.submission),
            ("run_settings.json", self.settings),
            ("metrics.json", self.metrics),
            ("calibration.json", self.calibration),
        ):
            if content is not None:
                (self.folder / name).write_text(json.dumps(content) + "\n", encoding="utf-8")
        for name, rows in (("samples.jsonl", self.samples), ("judgements.jsonl", self.judgements)):
            (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        (self.folder / "pictures.parquet").unlink(missing_ok=True)
        if self.submission["pictures"] == "included":
            write_parquet(self.folder / "pictures.parquet", self.pictures)
        for change in self.on_disk:
            change(self.folder)
        write_manifest(self.folder)
        for change in self.at_last:
            change(self.folder)
        return self.folder

    def _read(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def _lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]


def write_parquet(path: Path, pictures: list[tuple[str, bytes]], **options: Any) -> None:
    """Write the pictures' file; `options` are those of Parquet's writer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("key", pa.string()), ("sha256", pa.string()), ("image", image)])
    rows = [
        {"key": key, "sha256": hashlib.sha256(content).hexdigest(), "image": {"bytes": content, "path": f"{key}.png"}}
        for key, content in pictures
    ]
    pq.write_table(
        pa.Table.from_pylist(rows, schema=schema), path, **({"compression": "none", "use_dictionary": False} | options)
    )


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
