"""What tests of submissions stand on: the command, and a Hub on this computer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Answer, Cli
from hub_server import TOKEN, HubServer


@pytest.fixture
def submit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Run `python -m copycat.submit ... --submitter "Some Laboratory"` in this process, in an empty folder."""
    from copycat.commands.submit import app
    from copycat.console import run_app

    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        typed = ["copycat.submit", *map(str, arguments)]
        typed += [] if "--submitter" in typed else ["--submitter", "Some Laboratory"]
        monkeypatch.setattr(sys, "argv", typed)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_app(app)
        printed = capsys.readouterr()
        return Answer(int(ended.value.code or 0), printed.out, printed.err)

    return run


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
