"""What tests of submissions stand on: the command, and a Hub on this computer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Cli, CommandLine
from hub_server import TOKEN, HubServer


@pytest.fixture
def submit(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.submit ... --submitter "Some Laboratory"` in this process, in an empty folder."""
    from copycat.commands.submit import app

    monkeypatch.chdir(tmp_path)
    typed = command_line(app, "copycat.submit")
    name = ("--submitter", "Some Laboratory")
    return lambda *arguments: typed(*arguments, *(() if "--submitter" in arguments else name))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub with one dataset, some-lab/board; the environment has its address and a token that may write."""
    from huggingface_hub import constants

    with HubServer({"datasets/some-lab/board": {"README.md": b"a board\n"}}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        yield server
