"""A model that knows two poems by heart, the command line, and works of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from manuscript import MANUSCRIPT

from copycat.fairuse.works import load_works

if TYPE_CHECKING:
    from harness import Cli, CommandLine

KNOWN = ("sonnet-18", "ozymandias")


@pytest.fixture(scope="session")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model that has learnt two poems of the public domain, and has met no other."""
    from tiny_writer import save_tiny_writer

    works = load_works(["public-domain"])
    known = [one.readable for one in works if one.work.id in KNOWN]
    return save_tiny_writer(tmp_path_factory.mktemp("writer") / "tiny", known, [one.readable for one in works])


@pytest.fixture
def extract(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.fairuse extract ...` in an empty folder."""
    from copycat.commands.fairuse import app

    monkeypatch.chdir(tmp_path)
    run = command_line(app, "copycat.fairuse")
    return lambda *options: run("extract", *options)


@pytest.fixture
def manuscript(tmp_path: Path) -> Path:
    """A text of the user's own."""
    path = tmp_path / "manuscript.txt"
    path.write_text(MANUSCRIPT, encoding="utf-8")
    return path
