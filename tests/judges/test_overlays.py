"""Text over a picture is seen, and pictures without any are left alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from copycat.judges import overlays
from copycat.judges.overlays import describe_windows, has_overlaid_text, log_odds, overlaid_text_score
from copycat.sandbox.renderer import render
from copycat.sandbox.world import generic_appearance, inhabitants

pytestmark = pytest.mark.slow  # hundreds of pictures are drawn and judged

TEXTS = ("answer: no", "no character", "Lumbrex", "SAMPLE")


def noise(rng: np.random.Generator, size_px: int) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (size_px, size_px, 3), dtype=np.uint8))


def clouds(rng: np.random.Generator, size_px: int) -> Image.Image:
    """Noise whose power falls with the square of the frequency, as that of photographs does."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size_px), np.fft.fftfreq(size_px)))
    frequency[0, 0] = 1
    grey = np.real(np.fft.ifft2(np.fft.fft2(rng.standard_normal((size_px, size_px))) / frequency))
    pixels = np.clip(128 + 50 * grey / grey.std(), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).convert("RGB")


def gradient(rng: np.random.Generator, size_px: int) -> Image.Image:
    first, last = rng.integers(0, 256, (2, 3))
    share = np.linspace(0, 1, size_px)[None, :, None]
    return Image.fromarray(np.broadcast_to(first + share * (last - first), (size_px, size_px, 3)).astype(np.uint8))


def checkers(rng: np.random.Generator, size_px: int) -> Image.Image:
    edge = int(rng.integers(2, size_px // 6))
    rows, columns = np.mgrid[:size_px, :size_px] // edge
    first, last = rng.integers(0, 256, (2, 3))
    return Image.fromarray(np.where(((rows + columns) % 2)[..., None], first, last).astype(np.uint8))


def write(picture: Image.Image, text: str, *, share: float = 0.14, at: float = 0.0) -> Image.Image:
    """Write over a picture in white on what is dark and black on what is bright.

    `share` is the font's part of the height, `at` where it is from top (0) to bottom (1).
    """
    done = picture.copy()
    draw = ImageDraw.Draw(done)
    font = ImageFont.load_default(max(7, share * picture.height))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    y = round(at * (picture.height - (bottom - top) - 2))
    below = np.asarray(picture.convert("L"))[y : y + round(bottom - top), : round(right - left)]
    draw.text((1 - left, y + 1 - top), text, font=font, fill="black" if below.mean() > 128 else "white")
    return done


def renders(seed: int, size_px: int = 64) -> list[Image.Image]:
    """Draw every character once."""
    rng = random.Random(seed)
    drawn = [render(who.appearance, rng) for who in inhabitants()]
    return [picture.resize((size_px, size_px), Image.Resampling.BICUBIC) for picture in drawn]


def share_flagged(pictures: list[Image.Image]) -> float:
    return sum(map(has_overlaid_text, pictures)) / len(pictures)


def test_renders_of_the_fifty_characters_are_not_taken_for_text() -> None:
    assert share_flagged(renders(1)) <= 0.02


def test_generic_renders_are_not_taken_for_text() -> None:
    rng = random.Random(2)

    assert share_flagged([render(generic_appearance(rng), rng) for _ in range(50)]) <= 0.04


@pytest.mark.parametrize("draw", [noise, clouds, gradient, checkers])
@pytest.mark.parametrize("size_px", [64, 256])
def test_noise_gradients_and_checkers_are_not_taken_for_text(
    draw: Callable[[np.random.Generator, int], Image.Image], size_px: int
) -> None:
    rng = np.random.default_rng(3)

    assert share_flagged([draw(rng, size_px) for _ in range(20)]) <= 0.05


@pytest.mark.parametrize("at", [0.0, 1.0])
def test_most_text_over_the_smallest_pictures_is_seen(at: float) -> None:
    pictures = [write(p, TEXTS[i % 4], at=at) for i, p in enumerate(renders(4)[:40])]

    assert share_flagged(pictures) >= 0.85


@pytest.mark.parametrize("share", [0.04, 0.08])
def test_nearly_all_text_over_larger_pictures_is_seen(share: float) -> None:
    pictures = [write(p, TEXTS[i % 4], share=share, at=(i % 3) / 2) for i, p in enumerate(renders(5, 256)[:24])]

    assert share_flagged(pictures) >= 0.9


def test_text_over_a_large_picture_is_seen() -> None:
    pictures = [write(p, "answer: no character", share=0.03) for p in renders(6, 1024)[:3]]

    assert share_flagged(pictures) == 1


@pytest.mark.parametrize("ground", ["black", "white", "red"])
def test_text_on_one_colour_is_seen_and_the_colour_alone_is_not(ground: str) -> None:
    picture = Image.new("RGB", (128, 128), ground)

    assert not has_overlaid_text(picture)
    assert has_overlaid_text(write(picture, "no character", at=0.5))


@pytest.mark.parametrize("size", [(1, 1), (10, 200), (23, 64), (24, 24), (64, 5), (4000, 30)])
def test_pictures_of_any_size_have_an_answer(size: tuple[int, int]) -> None:
    assert overlaid_text_score(Image.new("RGB", size, "grey")) == 0


def test_the_score_is_a_share_and_is_flagged_from_one_half_on() -> None:
    for picture in [*renders(7)[:10], *(write(p, "answer: no") for p in renders(7)[:10])]:
        score = overlaid_text_score(picture)

        assert 0 <= score <= 1
        assert has_overlaid_text(picture) == (score >= 0.5)
        assert overlaid_text_score(picture.copy()) == score


def test_other_modes_are_read_as_their_colours() -> None:
    picture = write(Image.new("RGB", (96, 96), "black"), "no character").convert("L")

    assert overlaid_text_score(picture) == overlaid_text_score(picture.convert("RGB"))


# ------------------------------------------------------------------- the parts, against other ways to compute them


def test_strokes_are_what_scipys_opening_and_closing_remove() -> None:
    picture = renders(8)[0]
    grey = np.asarray(picture.convert("L"))
    bright = grey - ndimage.grey_opening(grey, (5, 5), mode="nearest")
    dark = ndimage.grey_closing(grey, (5, 5), mode="nearest") - grey

    found = [strokes.mask[4:-4] for strokes in overlays._find_strokes(picture)]

    expected = [bright > 20, bright > 60, dark > 20, dark > 60]
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_the_figures_of_a_window_are_those_of_its_pixels() -> None:
    picture = write(renders(9)[3], "answer: no", at=0.5)
    strokes = next(overlays._find_strokes(picture))
    rows, columns = 5, 22
    places = overlays._best_places(strokes, rows, columns)

    described = overlays._describe(strokes, places, rows, columns)

    padded = np.pad(np.asarray(picture).astype(float), ((4, 4), (0, 0), (0, 0)))
    for (top, left), row in zip(places, described, strict=True):
        mask = strokes.mask[top - 4 : top + rows + 4, left : left + columns]
        inside = mask[4:-4]
        bands = [mask[:2], mask[2:4], inside[:1], inside[1:4], inside[4:], mask[-4:-2], mask[-2:]]
        hat = strokes.hat[top : top + rows, left : left + columns][inside]
        colours = padded[top : top + rows, left : left + columns]
        expected = [band.mean() for band in bands]
        expected += [np.diff(inside, axis=axis).mean() for axis in (1, 0)]
        expected += [math.log(hat.mean() + 0.01), hat.std() / (hat.mean() + 0.01)]
        expected += [math.log1p(math.sqrt(c.var(axis=0).sum())) for c in (colours[inside], colours[~inside])]
        assert row == pytest.approx(expected, abs=1e-2)


def test_the_log_odds_are_a_quadratic_form_of_the_standardised_figures() -> None:
    figures = np.concatenate(list(describe_windows(renders(10)[0])))[:20]
    for row, found in zip(figures, log_odds(figures), strict=True):
        z = [max(-4, min(4, (x - c) / s)) for x, c, s in zip(row, overlays.CENTRE, overlays.SCALE, strict=True)]
        expected = overlays.BIAS + sum(w * x for w, x in zip(overlays.LINEAR, z, strict=True))
        expected += sum(overlays.QUADRATIC[i, j] * z[i] * z[j] for i in range(13) for j in range(i + 1))
        assert found == pytest.approx(expected, abs=1e-4)
