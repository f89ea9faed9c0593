"""What runs on a machine of a Ray cluster: one worker with a model of its own."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from copycat import errors
from copycat.errors import BugError, CopycatError
from copycat.models import ImageModel, ModelRow
from copycat.registry import resolve
from copycat.runs.encoding import EncodedPicture
from copycat.runs.environment import describe_environment
from copycat.runs.executors import Batch, draw, finish
from copycat.schema import ImageRequest, Sampling

FOLLOWING = ("COPYCAT_", "HF_HUB_OFFLINE")
"""How environment variables begin that hold for the workers as for the command; a token stays where it is."""


class Setting(NamedTuple):
    """What a worker takes over from the command: where Python looks for plug-ins, some variables, torch's threads."""

    paths: tuple[str, ...]
    variables: dict[str, str]
    threads: int | None

    @classmethod
    def of_this_process(cls, threads: int | None) -> Setting:
        """Take it from here."""
        variables = {name: value for name, value in os.environ.items() if name.startswith(FOLLOWING)}
        return cls(tuple(path for path in sys.path if path), variables, threads)

    def take_over(self) -> None:
        """Make it hold in this process; before torch is imported, which counts its threads then."""
        sys.path += [path for path in self.paths if path not in sys.path]
        os.environ.update(self.variables)
        if self.threads is not None:
            os.environ["OMP_NUM_THREADS"] = str(self.threads)


class Report(NamedTuple):
    """What a worker says when it is ready."""

    pid: int
    environment: dict[str, str]


class Refusal(NamedTuple):
    """An error raised on purpose, on its way to the user: an exception would arrive in a traceback of Ray's."""

    kind: str
    text: str

    @classmethod
    def of(cls, error: CopycatError) -> Refusal:
        """Describe an error by its class in copycat.errors, or the nearest one above it."""
        if isinstance(error, BugError):
            raise error
        kind = next(base.__name__ for base in type(error).__mro__ if base.__module__ == errors.__name__)
        return cls(kind, str(error))

    def as_error(self) -> CopycatError:
        """Build the same error again; its class may want other arguments than a text."""
        kind: type[CopycatError] = getattr(errors, self.kind)
        error = kind.__new__(kind)
        error.args = (self.text,)
        return error


class Worker:
    """Builds the model once, then draws and encodes batch after batch."""

    def __init__(self, row: ModelRow, device: str, setting: Setting) -> None:
        setting.take_over()
        self.row, self.device = row, device
        self._turn = threading.Lock()

    @cached_property
    def model(self) -> ImageModel:
        """The model of the row."""
        model: ImageModel = resolve(self.row.target, f"model '{self.row.name}'")(self.row, self.device)
        return model

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> Report | Refusal:
        """Have the model encode its texts."""
        try:
            self.model.prepare(requests, sampling)
            return Report(os.getpid(), describe_environment(self.device))
        except CopycatError as error:
            return Refusal.of(error)

    def draw(self, batch: Batch, sampling: Sampling) -> tuple[list[EncodedPicture], float] | Refusal:
        """Draw a batch and encode it. Called from two threads, one encodes while the other one draws."""
        try:
            with self._turn:
                drawn = draw(self.model, batch, sampling)
            made = finish(batch, drawn, sampling)
        except CopycatError as error:
            return Refusal.of(error)
        return made.pictures, made.seconds
