"""Near copies: what is found, what is not, and that nothing is missed for being quick."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from submissions import draw_noise

from copycat.leaderboard.hashing import distance, perceptual_hash
from copycat.leaderboard.near_copies import (
    MAX_BITS,
    distances,
    is_copy,
    near_pairs,
    near_pairs_by_bands,
    packed_hashes,
)
from copycat.leaderboard.pictures import Look


def look_at(picture: Image.Image) -> Look:
    small = picture.convert("RGB").resize((64, 64), Image.Resampling.BOX)
    return Look(perceptual_hash(picture), np.asarray(small), False)


def encoded(picture: Image.Image, kind: str, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=quality)
    return Image.open(buffer)


def with_noise(picture: Image.Image, levels: int) -> Image.Image:
    pixels = np.asarray(picture).astype(int)
    noise = np.random.default_rng(5).integers(-levels, levels + 1, pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def smooth(text: str, side: int = 256) -> Image.Image:
    """A drawing with soft edges: what models draw has none of the hard blocks of the doubles."""
    return draw_noise(text).resize((8, 8), Image.Resampling.BOX).resize((side, side), Image.Resampling.BICUBIC)


DOCTORED = {
    "as JPEG": lambda picture: encoded(picture, "JPEG", 75),
    "as WebP": lambda picture: encoded(picture, "WEBP", 80),
    "with noise": lambda picture: with_noise(picture, 2),
    "brighter": lambda picture: picture.point(lambda value: min(255, value + 8)),
    "larger": lambda picture: picture.resize((512, 512), Image.Resampling.BICUBIC),
    "moved by a pixel": lambda picture: Image.fromarray(np.roll(np.asarray(picture), 1, axis=0)),
}


@pytest.mark.parametrize("change", DOCTORED)
def test_a_doctored_picture_is_a_copy(change: str) -> None:
    for text in "abcdef":
        picture = smooth(text, side=64 if "pixel" in change else 256)
        one, other = look_at(picture), look_at(DOCTORED[change](picture))

        assert is_copy(one, other, distance(one.perceptual_hash, other.perceptual_hash)), text


def test_two_pictures_are_no_copies_of_each_other() -> None:
    looks = [look_at(smooth(str(number))) for number in range(30)]

    for place, one in enumerate(looks):
        for other in looks[:place]:
            assert not is_copy(one, other, distance(one.perceptual_hash, other.perceptual_hash))


def test_of_one_prompt_only_nearly_the_same_pixels_are_a_copy() -> None:
    one, noisy, redrawn = (look_at(with_noise(smooth("a", side=64), levels)) for levels in (0, 2, 20))

    assert is_copy(one, noisy, 10, may_be_alike=True)
    assert is_copy(one, redrawn, 10)
    assert not is_copy(one, redrawn, 10, may_be_alike=True)


def random_hashes(count: int) -> list[str]:
    dice = np.random.default_rng(7)
    return [dice.bytes(32).hex() for _ in range(count)]


def flipped(text: str, bits: list[int]) -> str:
    return f"{int(text, 16) ^ sum(1 << bit for bit in bits):064x}"


def test_distances_are_those_of_one_pair_after_the_other() -> None:
    texts = random_hashes(20)

    found = distances(packed_hashes(texts), packed_hashes(texts))

    assert found.tolist() == [[distance(one, other) for other in texts] for one in texts]


def test_bands_find_exactly_what_looking_at_every_pair_finds() -> None:
    dice = np.random.default_rng(11)
    texts = random_hashes(80)
    texts += [
        flipped(text, dice.choice(256, size, replace=False).tolist()) for text in texts for size in (0, 1, 9, 10, 11)
    ]
    packed = packed_hashes(texts)

    quick, slow = list(near_pairs_by_bands(packed)), list(near_pairs(packed, MAX_BITS))

    assert sorted(quick) == sorted(slow)
    assert len(quick) > 320


def test_only_pairs_of_two_groups_are_given() -> None:
    packed = packed_hashes(["0" * 64] * 6)
    groups = np.array([0, 0, 1, 1, 2, 0])

    wanted = [(i, j, 0) for i in range(6) for j in range(i + 1, 6) if groups[i] != groups[j]]

    assert sorted(near_pairs_by_bands(packed, groups)) == sorted(near_pairs(packed, 0, groups)) == wanted


def test_many_hashes_are_compared_within_seconds() -> None:
    dice = np.random.default_rng(13)
    packed = dice.integers(0, 2**63, (30_000, 4), dtype=np.uint64)
    packed[-10:] = packed[:10]

    assert len(list(near_pairs_by_bands(packed))) == 10


def test_no_hashes_are_no_pairs() -> None:
    assert list(near_pairs_by_bands(packed_hashes([]))) == []
    assert list(near_pairs(packed_hashes([]), MAX_BITS)) == []
