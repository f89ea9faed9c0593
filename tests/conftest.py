"""What every test stands on: no network, a fixed terminal, the doubles, and a tiny real pipeline."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from copycat.schema import CharacterSet

if TYPE_CHECKING:
    from harness import Cli, CommandLine, Doubles
    from typer import Typer

HERE = Path(__file__).resolve().parent
DOUBLES, PLUGIN = HERE / "doubles", HERE / "doubles" / "plugin"

# Libraries and rich's consoles read these when they are imported, before any fixture runs.
SETTINGS = {
    "COLUMNS": "140",
    "GOMP_SPINCOUNT": "0",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "OMP_WAIT_POLICY": "passive",
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


@pytest.fixture
def doubles(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Doubles:
    """Install the plug-in package with models 'fake', 'fake-video' and 'fake-service', and judge 'fake-judge'."""
    from harness import Doubles

    monkeypatch.syspath_prepend(str(PLUGIN))
    return Doubles(monkeypatch, tmp_path_factory.mktemp("doubles") / "log.txt")


# ------------------------------------------------------------------------------ the command line


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command of a typer app, such as "copycat.eval", as a function that runs it in this process."""
    from harness import Answer

    from copycat.console import run_app

    def of(app: Typer, name: str) -> Cli:
        def run(*arguments: object) -> Answer:
            monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                run_app(app)
            printed = capsys.readouterr()
            return Answer(int(ended.value.code or 0), printed.out, printed.err)

        return run

    return of


@pytest.fixture
def cli(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.eval ...` in this process, in an empty folder."""
    from copycat.commands.eval import app

    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.eval")


@pytest.fixture
def run(cli: Cli, doubles: Doubles, characters_file: Path) -> Cli:
    """The fake model on three characters, two anchors and two seeds: twelve pictures per mitigation."""
    fixed = ("--model", "fake", "--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml")
    return lambda *options: cli(*fixed, "--anchors", "name,description", "--seeds", 2, *options)


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


# ------------------------------------------------------------- the tiny pipeline and the tiny judge


@pytest.fixture(scope="session")
def tiny_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A StableDiffusionPipeline with random weights on disk; not to be changed, copy it."""
    from tiny_pipeline import save_tiny_pipeline

    return save_tiny_pipeline(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An open_clip judge with random weights on disk; not to be changed, copy it."""
    from tiny_judge import save_tiny_judge

    return save_tiny_judge(tmp_path_factory.mktemp("judges") / "tiny")
