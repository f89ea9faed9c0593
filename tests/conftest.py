"""What every test stands on: no network, a fixed terminal, the doubles, and a tiny real pipeline."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from copycat.schema import CharacterSet

HERE = Path(__file__).resolve().parent
DOUBLES, PLUGIN = HERE / "doubles", HERE / "doubles" / "plugin"

# Libraries and rich's consoles read these when they are imported, before any fixture runs.
SETTINGS = {
    "COLUMNS": "140",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_OFFLINE": "1",
}
os.environ.update(SETTINGS)
for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
    os.environ.pop(name, None)
sys.path.insert(0, str(DOUBLES))

CHARACTERS_YAML = """\
id: my-set
characters:
  - id: goofy
    name: Goofy
    franchise: Some Cartoons
    key_characteristic: tall cartoon dog
    description: A tall, clumsy dog in a green hat.
    keywords: [cartoon dog, green hat, clumsy, orange jumper, buck teeth]
  - id: max
    name: Max
    franchise: Some Cartoons
    key_characteristic: teenage cartoon dog
    description: A young dog in a red hoodie.
    keywords: [red hoodie, skateboard, teenager, baggy trousers, white gloves]
  - id: bluto
    name: Bluto
    franchise: Other Cartoons
    key_characteristic: bearded sailor
    description: A huge man with a black beard.
    keywords: [black beard, sailor, brute, striped shirt, big fists]
"""


# --------------------------------------------------------------------------------- no network


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Cut the network off; yields the hosts that were tried, and fails the test if it leaves any there."""
    tried: list[str] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_locally(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            _require_local(str(address[0]), tried)
        connect(self, address)

    def look_up_locally(host: Any, *args: Any, **options: Any) -> Any:
        _require_local(str(host), tried)
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket.socket, "connect", connect_locally)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_locally)
    yield tried
    assert not tried, f"the test asked the network for {', '.join(tried)}"


def _require_local(host: str, tried: list[str]) -> None:
    if host not in ("127.0.0.1", "::1", "localhost", "None"):
        tried.append(host)
        raise ConnectionRefusedError(f"tests have no network: {host}")


# ---------------------------------------------------------------------------------- the doubles


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
        return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (HERE.parent, DOUBLES, PLUGIN)))}

    def _events(self, kind: str) -> list[str]:
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        return [name for event, _, name in (line.partition(" ") for line in lines) if event == kind]


@pytest.fixture
def doubles(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Doubles:
    """Install the plug-in package with model 'fake' and judge 'fake-judge'."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    return Doubles(monkeypatch, tmp_path_factory.mktemp("doubles") / "log.txt")


# ------------------------------------------------------------------------------ the command line


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Answer]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Run `python -m copycat.eval ...` in this process, in an empty folder."""
    from copycat.commands.eval import app
    from copycat.console import run_app

    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["copycat.eval", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_app(app)
        printed = capsys.readouterr()
        return Answer(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def characters_file(tmp_path: Path) -> Path:
    """A user's own characters: three, each with five keywords."""
    path = tmp_path / "mine.yaml"
    path.write_text(CHARACTERS_YAML, encoding="utf-8")
    return path


@pytest.fixture
def characters(characters_file: Path) -> CharacterSet:
    from copycat.catalog import read_character_set

    return read_character_set(characters_file)


# --------------------------------------------------------------------------- the tiny pipeline


@pytest.fixture(scope="session")
def tiny_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A StableDiffusionPipeline with random weights on disk; not to be changed, copy it."""
    from tiny_pipeline import save_tiny_pipeline

    return save_tiny_pipeline(tmp_path_factory.mktemp("models") / "tiny")
