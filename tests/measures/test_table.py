"""The table of measures: names, weights, and what a measure needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.errors import MissingExtraError, UnknownNameError, UserError
from copycat.measures import DEFAULT_WEIGHTS, MEASURES, SANDBOX_WEIGHTS, Setting, build_measure, resolve_measure
from copycat.registry import resolve
from copycat.schema import CharacterSet


@pytest.mark.parametrize("row", MEASURES.rows(), ids=lambda row: row.name)
def test_the_target_of_a_row_has_the_methods_of_the_protocol(row: object) -> None:
    found = resolve(row.target, row.name)  # type: ignore[attr-defined]
    assert callable(found.revision)
    assert callable(found.measure)


@pytest.mark.parametrize("name", ["clipscore", "diversity"])
def test_a_measure_of_the_sandbox_works_offline_and_tells_its_revision(build: Callable[..., object], name: str) -> None:
    assert len(build(name).revision()) == 40  # type: ignore[attr-defined]


def test_real_characters_get_the_usual_weights_the_sandbox_its_own_and_a_name_after_the_colon_overrides_both(
    sandbox: CharacterSet, characters: CharacterSet
) -> None:
    usual, other = resolve_measure("clipscore"), resolve_measure("clipscore:ViT-L-14/openai")
    assert Setting(usual, "cpu", characters).source == DEFAULT_WEIGHTS == "ViT-B-32/openai"
    assert Setting(usual, "cpu", sandbox).source == SANDBOX_WEIGHTS
    assert Setting(other, "cpu", sandbox).source == "ViT-L-14/openai"
    assert other.name == "clipscore"


def test_weights_that_are_not_there_offline_are_told(
    characters: CharacterSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    measure = build_measure(resolve_measure("diversity:ViT-B-16/openai"), "cpu", characters)
    with pytest.raises(MissingExtraError, match="the picture encoder 'ViT-B-16/openai' is not on this machine"):
        measure.revision()


def test_an_unknown_measure_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'clipscore'"):
        resolve_measure("clip-score")


def test_a_name_without_its_weights_is_not_complete() -> None:
    with pytest.raises(UserError, match="needed: clipscore or clipscore:MODEL/PRETRAINED"):
        resolve_measure("clipscore:")


def test_near_copies_need_references(build: Callable[..., object]) -> None:
    with pytest.raises(UserError, match="measure 'near-copy' compares with pictures, and none are given"):
        build("near-copy")
