"""How far generic pictures moved, against the same distances by hand."""

from __future__ import annotations

import hashlib
import io
import math
from pathlib import Path

import pytest
from PIL import Image

from copycat.measures import Setting, resolve_measure
from copycat.measures.encoders import encoder_of
from copycat.robustness.generic import Moved, distance, moved_between, moved_by_seed
from copycat.runs.folder import RunFolder, write_bytes, write_journal
from copycat.schema import CharacterSet, Sample


def save_run(folder: Path, pictures: dict[tuple[str, int], Image.Image | None]) -> RunFolder:
    samples = []
    for (prompt, repeat), picture in pictures.items():
        name = f"images/{prompt}{repeat}.png"
        content = io.BytesIO()
        if picture is not None:
            picture.save(content, "PNG")
            (folder / "images").mkdir(parents=True, exist_ok=True)
            write_bytes(folder / name, content.getvalue())
        samples.append(
            Sample(
                key=f"{prompt}{repeat}",
                character=prompt,
                anchor="benign",
                repeat=repeat,
                prompt=prompt,
                prompt_sent=prompt,
                negative_prompt=None,
                seed=1,
                status="failed" if picture is None else "ok",
                image=None if picture is None else name,
                sha256=None if picture is None else hashlib.sha256(content.getvalue()).hexdigest(),
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_journal(folder / "samples.jsonl", samples)
    return RunFolder(folder)


@pytest.fixture
def setting(tiny_judge: Path, characters: CharacterSet) -> Setting:
    return Setting(resolve_measure("diversity").model_copy(update={"source": str(tiny_judge)}), "cpu", characters)


def flat(grey: int) -> Image.Image:
    return Image.new("RGB", (32, 32), (grey, grey, grey))


def test_pixels_are_the_root_of_the_mean_squared_difference(tmp_path: Path, setting: Setting) -> None:
    half = flat(0)
    half.paste((255, 255, 255), (0, 0, 16, 32))
    before = save_run(tmp_path / "a", {("cat", 0): flat(0), ("dog", 0): flat(0), ("owl", 0): flat(9)})
    after = save_run(tmp_path / "b", {("cat", 0): flat(51), ("dog", 0): half, ("owl", 0): None})
    moved = moved_between(before, after, setting)
    assert [(row.prompt, row.pixels) for row in moved] == [("cat", 0.2), ("dog", round(math.sqrt(0.5), 6))]


def test_embedding_is_one_minus_the_cosine_and_nothing_for_the_same_picture(tmp_path: Path, setting: Setting) -> None:
    noise = Image.effect_noise((32, 32), 90).convert("RGB")
    before = save_run(tmp_path / "a", {("cat", 0): flat(200), ("cat", 1): noise})
    after = save_run(tmp_path / "b", {("cat", 0): flat(200), ("cat", 1): flat(20)})
    same, other = moved_between(before, after, setting)
    assert (same.pixels, same.embedding) == (0, pytest.approx(0, abs=1e-6))
    one, two = encoder_of(setting).embed_pictures([noise, flat(20)]).tolist()
    cosine = sum(a * b for a, b in zip(one, two, strict=True))
    assert other.embedding == pytest.approx(1 - cosine, abs=1e-5)
    assert [row.pixels > 0.1 for row in moved_by_seed(before, setting)] == [True]


def test_a_distance_has_an_interval_over_concepts_or_over_the_prompts_of_one() -> None:
    def rows(*values: float) -> list[Moved]:
        return [Moved(prompt=f"p{n}", repeat=0, pixels=value, embedding=0.0) for n, value in enumerate(values)]

    of_one = distance("pixels", {"x": rows(0.1, 0.3)})
    assert of_one.value == pytest.approx(0.2)
    half = 12.706204736 * 0.1  # t of one degree, and the standard error of two values 0.2 apart
    assert (of_one.low, of_one.high) == (0.0, pytest.approx(0.2 + half))
    of_two = distance("pixels", {"x": rows(0.1, 0.3), "y": rows(0.2, 0.2)}, rows(0.5, 0.7))
    assert (of_two.low, of_two.high) == (pytest.approx(0.2), pytest.approx(0.2))
    assert of_two.of_another_seed == pytest.approx(0.6)
    assert distance("pixels", {}).value is None


def test_without_its_encoder_pictures_are_compared_by_their_pixels(
    tmp_path: Path, setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = setting._replace(row=setting.row.model_copy(update={"source": str(tmp_path / "nowhere")}))
    before = save_run(tmp_path / "a", {("cat", 0): flat(0)})
    moved = moved_between(before, save_run(tmp_path / "b", {("cat", 0): flat(51)}), nowhere)
    assert [(row.pixels, row.embedding) for row in moved] == [(0.2, None)]
    assert "compared by their pixels alone" in capsys.readouterr().err
    assert distance("embedding", {"": moved}).value is None
