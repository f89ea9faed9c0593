"""Near-copies: copies of renders that were changed a little are found, other characters are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from tiny_judge import sandbox_render

from copycat.measures import Measure, build_measure, resolve_measure
from copycat.measures.near_copy import MAX_DISTANCE, perceptual_hash
from copycat.schema import CharacterSet, Sample

Change = Callable[[Image.Image], Image.Image]


def as_jpeg(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=30)
    return Image.open(buffer).convert("RGB")


CHANGES: dict[str, Change] = {
    "identical": lambda picture: picture,
    "four times as large": lambda picture: picture.resize((256, 256), Image.Resampling.BICUBIC),
    "half as large": lambda picture: picture.resize((32, 32), Image.Resampling.BICUBIC),
    "jpeg": as_jpeg,
    "mirrored": ImageOps.mirror,
    "brighter": lambda picture: picture.point(lambda value: min(255, int(value * 1.2))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_copy_that_was_changed_a_little_is_found(
    build: Callable[..., Measure],
    samples: Callable[..., Sample],
    references: Path,
    sandbox: CharacterSet,
    change: Change,
) -> None:
    who = sandbox.characters[1].id
    (found,) = build("near-copy", references).measure([change(sandbox_render(1, 1))], [samples(who)])
    assert found.value == 1
    assert found.detail["reference"] == f"{who}/1.png"
    assert found.detail["mirrored"] == int(change is ImageOps.mirror)


def test_of_other_characters_hardly_any_picture_is_a_copy(
    build: Callable[..., Measure], samples: Callable[..., Sample], references: Path, sandbox: CharacterSet
) -> None:
    pictures = [sandbox_render(number, 3) for number in range(3, 50)]
    asked = [samples(sandbox.characters[number % 3].id, repeat=number) for number in range(3, 50)]
    found = build("near-copy", references).measure(pictures, asked)
    assert sum(m.value for m in found) <= 1
    assert all(m.detail["distance"] > MAX_DISTANCE for m in found if m.value == 0)


def test_the_detail_tells_distance_and_likeness(
    build: Callable[..., Measure], samples: Callable[..., Sample], references: Path, sandbox: CharacterSet
) -> None:
    (found,) = build("near-copy", references).measure([sandbox_render(0, 0)], [samples(sandbox.characters[0].id)])
    assert found.detail == {
        "reference": f"{sandbox.characters[0].id}/0.png",
        "distance": 0,
        "mirrored": 0,
        "cosine": 1.0,
    }


def test_only_references_of_the_character_asked_for_count(
    build: Callable[..., Measure], samples: Callable[..., Sample], references: Path, sandbox: CharacterSet
) -> None:
    (found,) = build("near-copy", references).measure([sandbox_render(0, 0)], [samples(sandbox.characters[2].id)])
    assert str(found.detail["reference"]).startswith(sandbox.characters[2].id)


def test_who_has_no_reference_is_not_measured(
    build: Callable[..., Measure], samples: Callable[..., Sample], references: Path, sandbox: CharacterSet
) -> None:
    who = sandbox.characters[9].id
    (found,) = build("near-copy", references).measure([sandbox_render(9, 0)], [samples(who)])
    assert (found.value, found.reason) == (None, f"there is no reference picture of '{who}'")


def test_references_are_checked_before_anything_is_measured(tmp_path: Path, sandbox: CharacterSet) -> None:
    (tmp_path / "junk.txt").touch()
    measure = build_measure(resolve_measure("near-copy"), "cpu", sandbox, str(tmp_path))
    with pytest.raises(Exception, match=r"junk.txt: lies outside of any character's folder"):
        measure.check()  # type: ignore[attr-defined]


def test_a_hash_has_sixty_four_bits_of_which_those_of_the_mirror_image_differ() -> None:
    picture = sandbox_render(4, 0)
    hashes = perceptual_hash(picture), perceptual_hash(ImageOps.mirror(picture))
    assert all(0 <= each < 2**64 for each in hashes)
    assert (hashes[0] ^ hashes[1]).bit_count() > MAX_DISTANCE
