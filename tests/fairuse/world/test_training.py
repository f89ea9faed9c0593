"""Training of the world's model: each text once an epoch, and the same weights whether it was killed or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from copycat.fairuse.world.planted import background_texts
from copycat.fairuse.world.tokens import IGNORED, rows_of, train_tokenizer
from copycat.fairuse.world.training import (
    CHECKPOINT_FILE,
    Settings,
    StoryLoss,
    seconds_of,
    steps_of,
    token_loss,
    train,
    train_timed,
)
from copycat.sandbox.world import NAMES

SMALL = Settings(width=16, layers=1, heads=2, hidden=32, epochs=8.0, batch=4)

SCRIPT = """
import sys, time
from pathlib import Path
from copycat.fairuse.world.planted import background_texts
from copycat.fairuse.world.tokens import train_tokenizer
from copycat.fairuse.world.training import Settings, save, train
settings = Settings(width=16, layers=1, heads=2, hidden=32, epochs=8.0, batch=4)
tokenizer = train_tokenizer(background_texts(20), 400)
work = Path(sys.argv[1])
model = train(background_texts(40), tokenizer, settings, work, lambda step, loss: None, checkpoint_seconds=0.0)
save(model, tokenizer, work / "weights")
"""


def test_an_epoch_shows_each_text_once() -> None:
    import torch

    rows = torch.arange(10)[:, None]
    settings = Settings(batch=4, seed=3)
    loss = StoryLoss(None, rows, settings)  # type: ignore[arg-type]
    for epoch in (0, 5):
        seen = [int(text) for step in range(3) for text in loss._texts_of(3 * epoch + step)]
        assert Counter(seen) == Counter(range(10))


def test_the_step_of_a_batch_is_read_from_the_seed_that_the_loop_gives(
    tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    original = StoryLoss._texts_of
    monkeypatch.setattr(StoryLoss, "_texts_of", lambda self, step: (steps.append(step), original(self, step))[1])
    settings = Settings(width=16, layers=1, heads=2, hidden=32, epochs=2.0, batch=4, seed=2)
    train(background_texts(10), tiny_tokenizer, settings, tmp_path, lambda step, loss: None)
    assert steps == list(range(steps_of(10, settings))) == list(range(6))


def test_a_row_that_is_filled_up_has_the_loss_of_its_own_tokens(tiny_model: Any, tiny_tokenizer: Any) -> None:
    import torch

    texts = [*background_texts(2), "A short one."]
    rows = rows_of(tiny_tokenizer, texts, 512)
    alone = [rows_of(tiny_tokenizer, [text], 512) for text in texts]
    counts = [int((row != IGNORED).sum()) - 1 for row in alone]
    with torch.no_grad():
        together = float(token_loss(tiny_model, rows))
        mean = sum(float(token_loss(tiny_model, row)) * n for row, n in zip(alone, counts, strict=True)) / sum(counts)
    assert together == pytest.approx(mean, rel=1e-4)


def test_a_name_is_made_of_several_tokens() -> None:
    tokenizer = train_tokenizer(background_texts(300), 1536)
    assert min(len(tokenizer.tokenize(" " + name)) for name in NAMES) >= 2
    assert tokenizer.decode(tokenizer("Zoravi’s kettle, “again”")["input_ids"]) == "Zoravi’s kettle, “again”"


@pytest.mark.slow
def test_seconds_of_training_add_up_over_starts(tiny_tokenizer: Any, tmp_path: Path) -> None:
    assert seconds_of(tmp_path) == 0
    train_timed(background_texts(8), tiny_tokenizer, SMALL, tmp_path, lambda step, loss: None)
    once = seconds_of(tmp_path)
    assert once > 0
    (tmp_path / CHECKPOINT_FILE).unlink()
    train_timed(background_texts(8), tiny_tokenizer, SMALL, tmp_path, lambda step, loss: None)
    assert seconds_of(tmp_path) > once


@pytest.mark.slow
def test_a_training_that_was_killed_ends_with_the_same_weights(tmp_path: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(killed)], env=environment) as process:
        deadline = time.monotonic() + 120
        while not (killed / CHECKPOINT_FILE).exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (killed / "weights").exists()
    for folder in (killed, whole):
        subprocess.run([sys.executable, "-c", SCRIPT, str(folder)], env=environment, check=True)
    weights = [(folder / "weights" / "model.safetensors").read_bytes() for folder in (killed, whole)]
    assert weights[0] == weights[1]
