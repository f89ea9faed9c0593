"""The settings that come with the counterfactual, from a minute to a night."""

from __future__ import annotations

from copycat.imitation.counterfactual.plan import Setting

SERIES = (0, 200, 500, 100, 50, 20, 10, 5, 2, 1, 1000)
"""The steep part first. The most pictures are those of the first permuted world, which is trained anyway."""

TINY = Setting(
    name="tiny",
    characters=4,
    most=8,
    generic=8,
    worlds=2,
    series=(0, 2, 8),
    steps=3,
    batch=4,
    peak_lr=1e-3,
    ema=0.9,
    widths=(16, 16, 16),
    tokens=16,
    samples=2,
    references=2,
)
"""Shows that everything runs; its figures mean nothing."""

REDUCED = Setting(
    name="reduced",
    characters=16,
    most=1000,
    generic=600,
    worlds=5,
    series=SERIES,
    steps=750,
    batch=16,
    peak_lr=2e-3,
    ema=0.99,
    widths=(32, 64, 96),
    tokens=24,
    samples=16,
    references=10,
)
"""Under two hours on two CPU cores."""

FULL = Setting(
    name="full",
    characters=25,
    most=1000,
    generic=4000,
    worlds=10,
    series=SERIES,
    steps=7500,
    batch=32,
    peak_lr=1e-3,
    ema=0.999,
    widths=(64, 96, 128),
    tokens=77,
    samples=40,
    references=10,
)
"""The sandbox's own model and number of steps; for a GPU."""

SETTINGS = {setting.name: setting for setting in (TINY, REDUCED, FULL)}
