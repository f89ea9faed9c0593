"""The sandbox's own characters, references that are renders of them, and samples of prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tiny_judge import sandbox_render, save_references

from copycat.measures import Measure, build_measure, resolve_measure
from copycat.sandbox.export import build_character_set
from copycat.schema import CharacterSet, Sample


def sample_of(character: str, prompt: str = "a prompt", repeat: int = 0, anchor: str = "name") -> Sample:
    key = f"{character}/{anchor}/{repeat}"
    return Sample(
        key=key,
        character=character,
        anchor=anchor,
        repeat=repeat,
        prompt=prompt,
        prompt_sent="something else",
        negative_prompt=None,
        seed=1,
        status="ok",
        image=f"images/{key}.png",
        sha256=hashlib.sha256(key.encode()).hexdigest(),
    )


@pytest.fixture
def samples() -> Callable[..., Sample]:
    return sample_of


@pytest.fixture(scope="session")
def sandbox() -> CharacterSet:
    return build_character_set()


@pytest.fixture(scope="session")
def references(tmp_path_factory: pytest.TempPathFactory, sandbox: CharacterSet) -> Path:
    """Two renders each of the first three characters."""
    ids: Sequence[str] = [c.id for c in sandbox.characters[:3]]
    pictures = {name: [sandbox_render(place, seed) for seed in (0, 1)] for place, name in enumerate(ids)}
    return save_references(tmp_path_factory.mktemp("references") / "refs", pictures)


@pytest.fixture
def build(sandbox: CharacterSet) -> Callable[..., Measure]:
    """Make a measure of the sandbox by its name."""
    return lambda name, references=None: build_measure(
        resolve_measure(name), "cpu", sandbox, None if references is None else str(references)
    )
