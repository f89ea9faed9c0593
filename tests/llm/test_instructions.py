"""Instructions: each has its form, tells what it must, and is found where the package is installed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from copycat.catalog import read_character_set
from copycat.errors import DataError, UnknownNameError
from copycat.llm import instructions
from copycat.llm.instructions import read_instruction
from copycat.names import NameMatcher
from copycat.paths import data_folder

SHA256 = {
    "descriptions-v1": "8fb2a71ffcf59bc8ae4e5f38c57a7bf93f85d5c77c479e2e83aba8fa1ba4a5f9",
    "intent-v1": "68f7fd0be0ae5141ba84f780c0fac99d27114ab100a7e2e6db510d52ae6ab473",
    "keyword-candidates-v1": "dddb850bf23c796d35794b01727dd0652793b6ecf01da76a98e431df3b8703e6",
    "keywords-ranked-v1": "06123ea725c62d722649dd6f367a849e549e75225c55da5ef4ec4ea75e12596d",
    "rewrite-v1": "4888b3c0f75d56314db0dcc9fbac7375b8982e4915ff05c02d93efbfda626fea",
}
IDS = tuple(SHA256)


def test_these_instructions_ship() -> None:
    assert tuple(sorted(path.stem for path in (data_folder("prompts") / "instructions").glob("*.md"))) == IDS


@pytest.mark.parametrize("name", IDS)
def test_a_frozen_instruction_never_changes(name: str) -> None:
    assert read_instruction(name).sha256 == SHA256[name], "a new text is a new version: make a file NAME-v2.md"


@pytest.mark.parametrize("name", IDS)
def test_an_instruction_names_no_character(name: str) -> None:
    for characters in ("copycat50", "unseen50"):
        matcher = NameMatcher(read_character_set(characters).characters)
        assert matcher.find(read_instruction(name).text) == []


def test_an_instruction_is_its_text_with_its_sampling_and_the_hash_of_its_file() -> None:
    found = read_instruction("rewrite-v1")
    raw = (data_folder("prompts") / "instructions" / "rewrite-v1.md").read_bytes()
    assert found.text.startswith("You write prompts") and "---" not in found.text
    assert (found.temperature, found.max_tokens) == (0.7, 512)
    assert found.sha256 == hashlib.sha256(raw).hexdigest()


def test_an_unknown_instruction_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'rewrite-v1'"):
        read_instruction("rewrite-v2")


def test_a_file_of_another_form_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "instructions").mkdir()
    (tmp_path / "instructions" / "bare-v1.md").write_text("Just do it.")
    monkeypatch.setattr(instructions, "data_folder", lambda _: tmp_path)
    with pytest.raises(DataError, match=r"bare-v1\.md: needed: temperature"):
        read_instruction("bare-v1")
