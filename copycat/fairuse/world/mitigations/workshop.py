"""Where mitigations are made, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from copycat.fairuse.world.training import SHIPPED, Settings
from copycat.fairuse.world.writing import Writer

Report = Callable[[int, float], None]
Progress = Callable[[str, int], Report]


@dataclass(frozen=True)
class Workshop:
    """Where mitigations are made: a folder, and what part of the shipped model's training is spent on each.

    Attributes:
        base: folder of the base model; None for the shipped one.
        effort: scales the steps of every training; 1 is that of the shipped model.
    """

    folder: Path
    progress: Progress
    base: Path | None = None
    effort: float = 1.0
    settings: Settings = SHIPPED

    def scaled(self) -> Settings:
        """Give the settings of a training from scratch."""
        return replace(self.settings, epochs=self.settings.epochs * self.effort)

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
    """A row of the table."""

    name: str
    title: str
    apply: Callable[[Workshop], Made]
