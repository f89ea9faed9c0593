"""What tests hold in their hands: the switches of the doubles, and the answer of a command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer import Typer

HERE = Path(__file__).resolve().parent
PYTHONPATH = os.pathsep.join(str(folder) for folder in (HERE.parents[1], HERE, HERE / "plugin"))


class Doubles:
    """Switches the fake model and judge, and counts what they did, in this process and in others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, log: Path) -> None:
        self._monkeypatch, self._log = monkeypatch, log
        self.switch()

    def switch(self, **switches: Any) -> None:
        """Set these switches and leave all others as they are by default; see copycat_doubles.Switches."""
        self._monkeypatch.setenv("COPYCAT_DOUBLES", json.dumps({**switches, "log": str(self._log)}))

    @property
    def generated(self) -> list[str]:
        """The keys of all pictures made, in order."""
        return self._events("generated")

    @property
    def judged(self) -> list[str]:
        """The pictures judged, in order."""
        return self._events("judged")

    def forget(self) -> None:
        self._log.unlink(missing_ok=True)

    @staticmethod
    def environment() -> dict[str, str]:
        """For a process of its own in which the doubles are installed, too."""
        return {**os.environ, "PYTHONPATH": PYTHONPATH}

    def _events(self, kind: str) -> list[str]:
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        return [name for event, _, name in (line.partition(" ") for line in lines) if event == kind]


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Answer]
CommandLine = Callable[[Typer, str], Cli]
