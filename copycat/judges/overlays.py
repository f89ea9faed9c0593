"""Whether text seems to be drawn over a picture: "answer: no character", captions, watermarks.

No letters are read. Strokes are what a square of 5 pixels cannot enter (the top-hat, bright and dark); a window of
the height of small letters and the width of about four slides over them at several scales; thirteen figures about
a window (how full its rows are and the rows above and below, how often strokes begin and end, how even their
contrast and colour are) go into a quadratic logistic regression, and the best window decides.

Fitted on 5,000 drawn pictures of 64 to 1024 pixels, half of them with text in nine fonts; measured on others:

    false alarms: 0 of 500 renders of the sandbox's characters and 4 of 500 generic ones; noise, gradients, checkers
        and overlapping shapes at most 1.5 %, bricks 2 %, rows of upright bars 5 to 10 %; squares cut from 23
        photographs and scans 5 %, 24 of those 28 in three full of small parts (a temple and, twice, a motorcycle)
    found, over characters: 98 % from 256 pixels on, whatever the size (2 to 12 % of the picture), place and length;
        at 64 pixels 80 %: on a bar 99 %, with an outline 90 %, bare 74 % (60 % with less than 80 of 255 grey levels
        between text and ground, 91 % from 120 on), at the top or bottom 90 %, across the figure 59 %,
        of 4 to 12 letters 74 %, of more 85 %
    found, elsewhere: 88 to 98 % over noise, checkers, bricks and gradients, 94 % over squares of the photographs

Text of fewer than four letters, handwriting and slanted text are not looked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

LONGEST_PX, SHORTEST_PX, LAST_PX = 512, 24, 96
"""A picture is reduced to 512 pixels, then halved for larger letters until it is below 96."""

STROKE_PX = 5
"""Strokes are thinner than this at some scale."""

CONTRASTS = (20, 60)
"""Grey levels, of 255, from which a stroke counts: faint text on a quiet ground, strong text on a busy one."""

WINDOWS = ((5, 22), (7, 30))
"""Rows and columns of a window: small letters without what sticks out of them. Scales in between come from halving."""

MARGIN_PX, STEP_PX, KEPT = 4, 3, 80
"""Rows looked at above and below a window; columns from one window to the next; how many are looked at closely."""

FEWEST_STROKES, MOST_STROKES, FEWEST_TURNS = 0.15, 0.8, 0.13
"""Shares of a window's pixels that are strokes, and at which a stroke begins or ends along the row."""


class Strokes(NamedTuple):
    """The strokes of a picture at one scale, with `MARGIN_PX` empty rows above and below.

    Shapes: mask and turns (H, W); hat (H, W), contrast in [0, 2.55]; colours (H, W, 4), red, green and blue about 0
    and the sum of their squares.
    """

    mask: Mask
    turns: Mask
    hat: Floats
    colours: Floats


def has_overlaid_text(picture: Image.Image) -> bool:
    """Whether text of four letters or more seems to be drawn over a picture.

    Args:
        picture: 64 to 1024 pixels; larger ones are reduced, smaller ones than 24 have none.
    """
    return overlaid_text_score(picture) >= 0.5


def overlaid_text_score(picture: Image.Image) -> float:
    """Give how much the most text-like place of a picture looks like text: in [0, 1], flagged from 0.5."""
    best = [float(log_odds(windows).max()) for windows in describe_windows(picture)]
    return 1 / (1 + math.exp(THRESHOLD - max(best))) if best else 0.0


def describe_windows(picture: Image.Image) -> Iterator[Floats]:
    """Describe the windows worth a closer look, one scale, polarity, contrast and size of window after the other.

    Yields: (N, 13), a row per window: the share of strokes in the two rows `MARGIN_PX` above, in the two right above,
        in the upper, middle and lower third of the window, in the two rows right below and `MARGIN_PX` below; the
        share of pixels at which strokes begin or end along the row, and along the column; the logarithm of the mean
        contrast of the strokes, and its variation; the logarithm of one plus the standard deviation of the colour
        of the strokes, and of what lies between them.
    """
    for level in _scales(picture.convert("RGB")):
        for strokes in _find_strokes(level):
            for rows, columns in WINDOWS:
                places = _best_places(strokes, rows, columns)
                if len(places):
                    yield _describe(strokes, places, rows, columns)


def log_odds(features: Floats) -> Floats:
    """Give the log-odds, up to a constant, that a window holds text: (N, 13) -> (N,)."""
    z = np.clip((features - CENTRE) / SCALE, -4, 4)
    odds: Floats = BIAS + z @ LINEAR + ((z @ QUADRATIC) * z).sum(axis=1)
    return odds


def _scales(picture: Image.Image) -> Iterator[Image.Image]:
    share = LONGEST_PX / max(picture.size)
    if share < 1:
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        picture = picture.resize(size, Image.Resampling.BOX)
    while min(picture.size) >= SHORTEST_PX:
        yield picture
        if max(picture.size) < LAST_PX:
            return
        picture = picture.reduce(2)


def _find_strokes(picture: Image.Image) -> Iterator[Strokes]:
    """Find bright and dark strokes, at each contrast."""
    grey = np.asarray(picture.convert("L"))
    rgb = np.asarray(picture).astype(np.float32) - 128
    colours = np.concatenate([rgb, (rgb**2).sum(axis=2, keepdims=True)], axis=2)
    colours = np.pad(colours, ((MARGIN_PX, MARGIN_PX), (0, 0), (0, 0)))
    opened = _slide(_slide(grey, np.minimum), np.maximum)
    closed = _slide(_slide(grey, np.maximum), np.minimum)
    for hat in (grey - opened, closed - grey):
        padded = np.pad(hat, ((MARGIN_PX, MARGIN_PX), (0, 0)))
        for contrast in CONTRASTS:
            mask = padded > contrast
            turns = np.zeros_like(mask)
            turns[:, 1:] = mask[:, 1:] != mask[:, :-1]
            yield Strokes(mask, turns, padded.astype(np.float32) / np.float32(100), colours)


def _slide(grey: npt.NDArray[np.uint8], pick: Any) -> npt.NDArray[np.uint8]:
    """Take the smallest or largest value of each square of `STROKE_PX`; edges are repeated."""
    reach = STROKE_PX // 2
    for _ in range(2):  # along the columns, then, turned over, along the rows
        height = len(grey)
        padded = np.pad(grey, ((reach, reach), (0, 0)), mode="edge")
        found = padded[:height]
        for i in range(1, STROKE_PX):
            found = pick(found, padded[i : i + height])
        grey = np.ascontiguousarray(found.T)
    return grey


def _best_places(strokes: Strokes, rows: int, columns: int) -> npt.NDArray[np.intp]:
    """Choose the windows with the most ends of strokes and the emptiest rows above and below.

    Returns: (N, 2), row and column of the upper left corner; N is at most `KEPT`.
    """
    n = len(strokes.mask) - rows - 2 * MARGIN_PX + 1
    if n < 1 or strokes.mask.shape[1] < columns:
        return np.zeros((0, 2), np.intp)
    full, turning = (_sums(mask, columns) for mask in (strokes.mask, strokes.turns))

    def between(sums: npt.NDArray[np.int32], first: int, end: int) -> npt.NDArray[np.int32]:
        """Sum over rows `first` to `end`, counted from the top of each window."""
        return sums[MARGIN_PX + end : MARGIN_PX + end + n] - sums[MARGIN_PX + first : MARGIN_PX + first + n]

    area = rows * columns
    inside, turns = between(full, 0, rows), between(turning, 0, rows)
    far = between(full, -MARGIN_PX, -2) + between(full, rows + 2, rows + MARGIN_PX)
    near = between(full, -2, 0) + between(full, rows, rows + 2)
    fits = (inside > FEWEST_STROKES * area) & (inside < MOST_STROKES * area) & (turns > FEWEST_TURNS * area)
    rank = np.where(fits, turns / area - (far + 0.3 * near) / (4 * columns), -np.inf).ravel()
    kept = min(KEPT, int(fits.sum()))
    if not kept:
        return np.zeros((0, 2), np.intp)
    best = np.argpartition(-rank, kept - 1)[:kept]
    return np.stack([best // fits.shape[1] + MARGIN_PX, best % fits.shape[1] * STEP_PX], axis=1)


def _sums(mask: Mask, columns: int) -> npt.NDArray[np.int32]:
    """Sum over all rows above each row, and over each window's columns: (H, W) -> (H + 1, windows)."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
    np.cumsum(mask, axis=0, dtype=np.int32, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    return (sums[:, columns:] - sums[:, :-columns])[:, ::STEP_PX]


def _describe(strokes: Strokes, places: npt.NDArray[np.intp], rows: int, columns: int) -> Floats:
    """Describe windows; see `describe_windows`."""
    top, left = places.T
    around = sliding_window_view(strokes.mask, (rows + 2 * MARGIN_PX, columns))[top - MARGIN_PX, left]
    inside = around[:, MARGIN_PX:-MARGIN_PX]
    ends = np.cumsum([0, 2, 2, rows // 3, rows - 2 * (rows // 3), rows // 3, 2])
    filled = np.add.reduceat(around.mean(axis=2), ends, axis=1) / np.diff([*ends, rows + 2 * MARGIN_PX])
    across = (inside[:, :, 1:] != inside[:, :, :-1]).mean(axis=(1, 2))
    down = (inside[:, 1:] != inside[:, :-1]).mean(axis=(1, 2))
    weights = inside.reshape(len(places), 1, -1).astype(np.float32)
    contrast, variation = _contrast(sliding_window_view(strokes.hat, (rows, columns))[top, left], weights)
    colours = sliding_window_view(strokes.colours, (rows, columns), axis=(0, 1))[top, left]
    colours = colours.reshape(len(places), 4, -1)
    of_strokes = (weights @ colours.transpose(0, 2, 1))[:, 0]
    count = weights.sum(axis=(1, 2))
    of_ground = colours.sum(axis=2) - of_strokes
    deviations = [_deviation(of_strokes, count), _deviation(of_ground, rows * columns - count)]
    return np.column_stack([filled, across, down, contrast, variation, *deviations]).astype(np.float32)


def _contrast(hat: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Give the logarithm of the strokes' mean contrast, and its coefficient of variation."""
    hat = hat.reshape(len(hat), 1, -1)
    count = weights.sum(axis=2)
    mean = (hat * weights).sum(axis=2) / count
    spread = np.sqrt(np.maximum((hat**2 * weights).sum(axis=2) / count - mean**2, 0))
    return np.log(mean + 0.01)[:, 0], (spread / (mean + 0.01))[:, 0]


def _deviation(sums: Floats, count: Floats) -> Floats:
    """Give log(1 + standard deviation of the colour) from the sums of three colours and of their squares."""
    means = sums / np.maximum(count, 1)[:, None]
    deviation: Floats = np.log1p(np.sqrt(np.maximum(means[:, 3] - (means[:, :3] ** 2).sum(axis=1), 0)))
    return deviation


def _below_diagonal(*rows: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Fill a square matrix up to its diagonal, row by row."""
    matrix = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        matrix[i, : i + 1] = row
    return matrix


# Fitted by logistic regression; how, and on what, is said at the top of the file.
# fmt: off
CENTRE = np.array([0.091, 0.232, 0.391, 0.453, 0.395, 0.229, 0.082, 0.320, 0.223, -0.010, 0.318, 3.918, 3.948])
SCALE = np.array([0.144, 0.222, 0.226, 0.164, 0.225, 0.224, 0.140, 0.102, 0.096, 0.424, 0.144, 0.849, 0.872])
"""Mean and standard deviation of the figures in windows with text."""

BIAS, THRESHOLD = -1.763, 2.691
LINEAR = np.array([-0.469, -0.173, -0.009, 0.669, 0.378, -0.276, -0.727, 2.836, 0.491, 0.414, -0.262, 0.008, -0.258])
QUADRATIC = _below_diagonal(
    (-0.013,),
    (-0.456, 0.359),
    (-0.061, -0.326, 0.512),
    (-0.010, -0.126, -0.085, -0.099),
    (-0.052, -0.475, -0.297, 0.059, 0.233),
    (0.196, 0.313, -0.201, -0.057, -0.208, 0.448),
    (0.470, 0.091, 0.028, -0.100, 0.014, -0.540, -0.092),
    (-0.245, 0.018, 0.056, 0.011, 0.329, -0.081, -0.345, -0.290),
    (0.072, -0.101, -0.119, 0.401, 0.146, -0.268, 0.350, 0.105, -0.428),
    (0.083, -0.177, -0.027, 0.028, -0.146, 0.201, 0.002, -0.437, 0.074, -0.536),
    (0.220, -0.006, -0.271, 0.050, -0.168, 0.095, 0.201, 0.163, 0.202, -0.113, -0.223),
    (0.065, 0.100, -0.014, 0.180, -0.123, 0.138, 0.355, 0.110, -0.204, -0.288, -0.108, 0.012),
    (-0.015, 0.058, 0.102, -0.546, 0.046, 0.018, -0.192, 0.109, -0.056, -0.283, -0.290, -0.559, -0.221),
)
# fmt: on
