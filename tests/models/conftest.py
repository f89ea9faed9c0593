"""Tiny pipelines of every family, saved once; and a cache folder of our own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is remembered between runs out of the user's own cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_search_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is given back where text encoders go and batches are halved; each time takes half a second."""
    monkeypatch.setattr("gc.collect", lambda *_: 0)


@pytest.fixture(scope="session")
def family_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the folder of a tiny family, 'sd' and the cascade 'if' among them; not to be changed, copy it."""
    from pictures import save_cascade
    from tiny_families import save_tiny_family
    from tiny_pipeline import save_tiny_pipeline

    home = tmp_path_factory.mktemp("families")

    @cache
    def folder_of(family: str) -> Path:
        if family == "sd":
            return save_tiny_pipeline(home / "sd")
        return save_cascade(home / "if") if family == "if" else save_tiny_family(family, home / family)

    return folder_of
