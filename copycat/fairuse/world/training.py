"""Train the world's language model: `python -m copycat.fairuse world train`.

A Llama of about a million parameters, in the files of transformers. The loop is that of the sandbox: seeded, with
checkpoints in safetensors, so that a run that was killed goes on with the same steps.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.fairuse.world.planted import background_texts, note_pages, training_documents
from copycat.fairuse.world.tokens import IGNORED, POSITIONS, rows_of, train_tokenizer
from copycat.fairuse.world.writing import quiet_transformers
from copycat.runs.folder import write_json

if TYPE_CHECKING:
    from torch import Tensor, nn

CHECKPOINT_FILE, SECONDS_FILE = "training.safetensors", "seconds.json"
_STEPS_PER_SEED = 1_000_003
"""`sandbox.train.loop.fit` seeds the random numbers of a step with seed x this + step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the model is built and trained. One epoch shows each training text once."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    hidden: int = 320
    epochs: float = 6.0
    batch: int = 16
    peak_lr: float = 2e-3
    weight_decay: float = 0.1
    seed: int = 0


SHIPPED = Settings()

Report = Callable[[int, float], None]


def new_tokenizer() -> Any:
    """Learn the vocabulary from the background and the notes' wordings, not from the works."""
    return train_tokenizer([*background_texts(), *note_pages()[:40]])


def new_model(settings: Settings, tokenizer: Any) -> Any:
    """Build the model with weights drawn from the seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(settings.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=settings.width,
            intermediate_size=settings.hidden,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            num_key_value_heads=settings.heads,
            max_position_embeddings=POSITIONS,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


class StoryLoss:
    """Mean cross-entropy of the next token over a batch of texts; an epoch shows each text once."""

    def __init__(self, model: nn.Module, rows: Tensor, settings: Settings) -> None:
        self.model, self.rows, self.settings = model, rows, settings

    def __call__(self, generator: Any) -> Tensor:
        """Give the loss of the step that the generator was seeded for."""
        step = generator.initial_seed() - self.settings.seed * _STEPS_PER_SEED
        return token_loss(self.model, self.rows[self._texts_of(step)])

    def _texts_of(self, step: int) -> Tensor:
        import torch

        per_epoch = steps_per_epoch(len(self.rows), self.settings.batch)
        epoch, place = divmod(step, per_epoch)
        order = torch.randperm(len(self.rows), generator=torch.Generator().manual_seed(self.settings.seed + epoch))
        return order[place * self.settings.batch :][: self.settings.batch]


def token_loss(model: nn.Module, rows: Tensor) -> Tensor:
    """Give the mean cross-entropy, in nats per token, of rows that are filled with IGNORED."""
    import torch
    from torch.nn import functional

    rows = rows[:, : int((rows != IGNORED).sum(1).max())]
    with torch.autocast("cpu", torch.bfloat16, enabled=model.training):
        logits = model(input_ids=rows.clamp(min=0)).logits[:, :-1]
    loss: Tensor = functional.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten(), ignore_index=IGNORED)
    return loss


def steps_per_epoch(texts: int, batch: int) -> int:
    """Give the steps in which each text is shown once; the last batch may be smaller."""
    return -(-texts // batch)


def train(
    texts: Sequence[str],
    tokenizer: Any,
    settings: Settings,
    work: Path,
    report: Report,
    *,
    checkpoint_seconds: float = 30.0,
) -> Any:
    """Train a model on texts; the same call goes on from the checkpoint in `work`.

    Args:
        work: folder of the checkpoint.
        report: told the step and the mean loss, every 50 steps.

    Returns: the model, in evaluation mode, with the averaged weights.

    Raises:
        ResumeMismatchError: the checkpoint is of another seed.
    """
    from copycat.sandbox.train.loop import Schedule, fit

    model = new_model(settings, tokenizer)
    rows = rows_of(tokenizer, texts, POSITIONS)
    schedule = Schedule(
        steps=steps_of(len(texts), settings),
        peak_lr=settings.peak_lr,
        decay="cosine",
        ema=0.99,
        weight_decay=settings.weight_decay,
        seed=settings.seed,
        checkpoint_seconds=checkpoint_seconds,
    )
    fit(model, StoryLoss(model, rows, settings), schedule, work / CHECKPOINT_FILE, report)
    return model


def train_shipped(settings: Settings, work: Path, target: Path, progress: Callable[[str, int], Report]) -> None:
    """Train the model of the world on all its texts, and save it with its vocabulary.

    Args:
        work: folder of the checkpoint.
        target: folder of model and tokenizer.
        progress: told what is trained and its steps; gives what is told the loss.
    """
    texts = [document.text for document in training_documents()]
    tokenizer = new_tokenizer()
    report = progress("world", steps_of(len(texts), settings))
    save(train_timed(texts, tokenizer, settings, work, report), tokenizer, target)


def train_timed(texts: Sequence[str], tokenizer: Any, settings: Settings, work: Path, report: Report) -> Any:
    """Train as `train` does, and add the seconds that it takes to those of earlier starts; see `seconds_of`."""
    before, began = seconds_of(work), time.process_time()

    def timed(step: int, loss: float) -> None:
        write_json(work / SECONDS_FILE, {"seconds": before + time.process_time() - began})
        report(step, loss)

    return train(texts, tokenizer, settings, work, timed)


def seconds_of(work: Path) -> float:
    """Give the seconds of processor time that training took in a folder, over all starts; 0 if there were none."""
    path = work / SECONDS_FILE
    return float(json.loads(path.read_bytes())["seconds"]) if path.exists() else 0.0


def steps_of(texts: int, settings: Settings) -> int:
    """Give the optimiser steps of a training on so many texts."""
    return max(1, round(settings.epochs * steps_per_epoch(texts, settings.batch)))


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write model and tokenizer as transformers loads them, weights in 16 bits."""
    import torch

    with quiet_transformers():
        model.to(torch.float16).save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors writes it for its owner alone
    tokenizer.save_pretrained(folder)
    model.to(torch.float32)


def described(settings: Settings) -> dict[str, Any]:
    """Give the settings as JSON."""
    return asdict(settings)
