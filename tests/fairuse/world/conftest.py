"""Models for the tests of the world: a tiny one with random weights, and the shipped one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from copycat.fairuse.world.planted import background_texts
from copycat.fairuse.world.tokens import train_tokenizer
from copycat.fairuse.world.training import Settings, new_model, save
from copycat.fairuse.world.writing import Writer, load_writer

TINY = Settings(width=16, layers=1, heads=2, hidden=32, epochs=1.0, batch=4)


@pytest.fixture(scope="session")
def tiny_tokenizer() -> Any:
    return train_tokenizer(background_texts(20), 400)


@pytest.fixture
def tiny_model(tiny_tokenizer: Any) -> Any:
    return new_model(TINY, tiny_tokenizer).eval()


@pytest.fixture(scope="session")
def tiny_folder(tiny_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-world")
    save(new_model(TINY, tiny_tokenizer), tiny_tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def shipped() -> Writer:
    return load_writer()
