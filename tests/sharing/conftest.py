"""The command `python -m copycat.data`, an exported suite, and a finished run of the fake model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from harness import Cli, CommandLine
from run_folders import folder_of


@pytest.fixture
def data(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.data ...` in this process, in an empty folder."""
    from copycat.commands.data import app

    monkeypatch.chdir(tmp_path)

    return command_line(app, "copycat.data")


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suite as it is exported; not to be changed, copy it."""
    from copycat.sharing.suite_export import export_suite

    folder = tmp_path_factory.mktemp("exported") / "copycat-suite"
    export_suite(folder)
    return folder


@pytest.fixture(scope="session")
def kept_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that needs a finished run leaves it for the others."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def finished(request: pytest.FixtureRequest, kept_run: Path, tmp_path: Path) -> Path:
    """A finished run folder of its own: three characters, two anchors, two seeds."""
    if not any(kept_run.iterdir()):
        assert request.getfixturevalue("run")().code == 0
        folder = folder_of("none")
        shutil.copytree(folder, kept_run / folder.name)
        return folder
    (folder,) = kept_run.iterdir()
    return Path(shutil.copytree(folder, tmp_path / "runs" / folder.name))


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`datasets.load_dataset`, which keeps what it makes in a folder of the test."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets-cache")
    return datasets.load_dataset
