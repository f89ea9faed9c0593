"""Where mitigations are made, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from copycat.fairuse.world.training import Settings, steps_per_epoch
from copycat.fairuse.world.writing import Writer

SMALL = Settings(width=64, layers=2, hidden=160, peak_lr=4e-3)
"""Models that are trained anew are smaller than the shipped one, so that all mitigations take minutes on a CPU."""

TRAINING_STEPS, PUBLIC_STEPS = 400, 250
"""Steps of each training anew, the same whatever its texts, and of the model that fine-tuning starts from."""

Report = Callable[[int, float], None]
Progress = Callable[[str, int], Report]


@dataclass(frozen=True)
class Workshop:
    """Where mitigations are made: a folder, and what is spent on each.

    Attributes:
        base: folder of the base model; None for the shipped one.
        effort: scales the steps of every training.
        settings: of models that are trained anew.
    """

    folder: Path
    progress: Progress
    base: Path | None = None
    effort: float = 1.0
    settings: Settings = SMALL

    def settings_of(self, texts: int, steps: int) -> Settings:
        """Give the settings of a training on so many texts that takes so many steps at full effort."""
        return replace(self.settings, epochs=self.steps(steps) / steps_per_epoch(texts, self.settings.batch))

    def steps(self, steps: int) -> int:
        """Scale the steps of a fine-tuning."""
        return max(1, round(steps * self.effort))


@dataclass
class Made:
    """A mitigated model, the seconds of processor time that its training took, and what was done.

    `acted` counts answers that were changed on their way to the reader.
    """

    writer: Writer
    training_seconds: float
    facts: dict[str, str | int | float]
    acted: int = 0


@dataclass(frozen=True)
class Method:
    """A row of the table; `against` names the row that it is to be compared with, itself for a model without one."""

    name: str
    against: str
    title: str
    apply: Callable[[Workshop], Made]
