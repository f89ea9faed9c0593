"""What a check is given: the records of a submission, and what the suite makes of its spec, derived once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from copycat.leaderboard.layout import SizeLimits
from copycat.leaderboard.pictures import Inspected, inspect_pictures
from copycat.leaderboard.reading import LIMITS, LoadedSubmission
from copycat.leaderboard.records import SubmittedSample
from copycat.leaderboard.rederiving import Derived, Replanned, derive_suite, replan
from copycat.schema import RunSpec

DEFAULT_SHARE = 0.05
MIN_REJUDGED = 20


class VerifyOptions(NamedTuple):
    """How a submission is verified.

    `rejudge` is the share of pictures that are judged again, in [0, 1]; None is DEFAULT_SHARE, and only by a judge
    that is light and asks nobody. `seed` chooses the same pictures again; None chooses others each time. `lists` is a
    folder of frozen lists (`copycat.catalog.lists`) beside those that ship. `device` is where a judge works.
    `is_board`: the submission stands on a board already, where one of another suite is history.
    """

    rejudge: float | None = None
    seed: int | None = None
    lists: Path | None = None
    device: str = "cpu"
    limits: SizeLimits = LIMITS
    is_board: bool = False

    def of_board(self) -> VerifyOptions:
        """Give the same options for a submission that already stands on a board."""
        return self._replace(is_board=True)


@dataclass(frozen=True)
class Case:
    """A submission whose files could be read."""

    loaded: LoadedSubmission
    options: VerifyOptions = field(default_factory=VerifyOptions)

    @property
    def spec(self) -> RunSpec:
        """What was asked."""
        return self.loaded.settings.spec

    @property
    def pictured(self) -> tuple[SubmittedSample, ...]:
        """The samples that have a picture."""
        return tuple(sample for sample in self.loaded.samples if sample.status == "ok")

    @cached_property
    def suite(self) -> Derived:
        """Characters and prompts that the spec stands for, made again here."""
        return derive_suite(self.spec, self.options.lists, self.options.limits)

    @cached_property
    def plan(self) -> Replanned:
        """Every request that the spec stands for, made again here."""
        return replan(self.spec, self.suite, self.loaded.samples)

    @cached_property
    def inspected(self) -> Inspected:
        """Every picture looked at, one after the other."""
        return inspect_pictures(self.loaded, self.options.limits)
