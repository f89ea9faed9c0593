"""`python -m copycat.fairuse world`: train, card and mitigate from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from copycat.commands.fairuse import app
from copycat.fairuse.world import training
from copycat.fairuse.world.card import CARD_FILE
from copycat.fairuse.world.planted import Document, background_texts

if TYPE_CHECKING:
    from harness import Cli, CommandLine


@pytest.fixture
def cli(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.fairuse")


@pytest.mark.slow
def test_a_model_is_trained_and_its_card_measured(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_tokenizer: object
) -> None:
    tiny = training.Settings(width=16, layers=1, heads=2, hidden=32, epochs=1.0, batch=8)
    monkeypatch.setattr(training, "SHIPPED", tiny)
    monkeypatch.setattr(training, "training_documents", lambda: [Document(text) for text in background_texts(8)])
    monkeypatch.setattr(training, "new_tokenizer", lambda: tiny_tokenizer)
    trained = cli("world", "train", "--work", "w", "--epochs", 2)
    assert trained.code == 0, trained.err
    assert trained.out.strip() == "w/weights"
    assert "world 2/2" in trained.err
    assert {path.name for path in (tmp_path / "w/weights").iterdir()} >= {"model.safetensors", "tokenizer.json"}
    assert not list(tmp_path.rglob("*.bin")) and not list(tmp_path.rglob("*.pt"))


@pytest.mark.slow
def test_the_card_of_a_folder_is_printed_and_written(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_folder: Path
) -> None:
    from copycat.fairuse.world import measuring

    monkeypatch.setattr(measuring, "MAX_TOKENS", 8)
    answer = cli("world", "card", "--model", tiny_folder, "--json")
    assert answer.code == 0, answer.err
    figures = json.loads(answer.out)
    assert figures["extraction"]["recall"]["highest"] == 0
    assert figures["utility"]["qa_accuracy"] < 0.1
    assert not (tiny_folder / CARD_FILE).exists()


def test_a_folder_without_weights_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    answer = cli("world", "card", "--model", "nothing")
    assert answer.code == 2
    assert "world train" in answer.err
    assert "Traceback" not in answer.err


def test_an_unknown_mitigation_is_told_with_a_name_that_is_near(cli: Cli) -> None:
    answer = cli("world", "mitigate", "--method", "dedupp")
    assert answer.code == 2
    assert "dedup" in answer.err
