"""One training loop for all sandbox models: schedule, EMA, checkpoint, resume."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from copycat.errors import ResumeMismatchError
from copycat.paths import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how fast to learn. `steps` are optimiser steps, `peak_lr` is reached after `warmup`."""

    steps: int
    peak_lr: float
    decay: Literal["cosine", "linear"]
    warmup: int = 100
    ema: float = 0.999
    weight_decay: float = 0.0
    seed: int = 0
    checkpoint_seconds: float = 60.0

    def lr_at(self, step: int) -> float:
        """Give the learning rate of a step: linear warm-up, then cosine or linear to zero."""
        if step < self.warmup:
            return self.peak_lr * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.peak_lr * ((1 + math.cos(math.pi * done)) / 2 if self.decay == "cosine" else 1 - done)


Loss = Callable[[torch.Generator], Tensor]
Report = Callable[[int, float], None]


def fit(model: nn.Module, loss_of: Loss, schedule: Schedule, checkpoint: Path, report: Report) -> None:
    """Train `model` in place and leave its EMA weights in it.

    The random numbers of step i depend on the seed and i alone, so a run that is killed and
    started again from its checkpoint takes the same steps as one that is not.

    Args:
        model: everything that learns, as one module.
        loss_of: draws a batch with the generator given (on the CPU) and returns a scalar loss.
        checkpoint: safetensors file of weights, EMA and optimiser state, replaced atomically.
        report: called every 50 steps with the step and the mean loss since the last call.

    Raises:
        ResumeMismatchError: the checkpoint is of a training run with another seed.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.peak_lr, weight_decay=schedule.weight_decay)
    ema = {k: v.detach().clone() for k, v in model.state_dict().items()}
    start = _restore(model, ema, optimiser, schedule.seed, checkpoint) if checkpoint.exists() else 0
    saved, total, seen = time.monotonic(), 0.0, 0
    model.train()
    for step in range(start, schedule.steps):
        for group in optimiser.param_groups:
            group["lr"] = schedule.lr_at(step)
        generator = torch.Generator().manual_seed(schedule.seed * 1_000_003 + step)
        loss = loss_of(generator)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        _follow(ema, model, min(schedule.ema, (1 + step) / (10 + step)))
        total, seen = total + float(loss.detach()), seen + 1
        last = step + 1 == schedule.steps
        if (step + 1) % 50 == 0 or last:
            report(step + 1, total / seen)
            total, seen = 0.0, 0
        if last or time.monotonic() - saved > schedule.checkpoint_seconds:
            _save(model, ema, optimiser, {"step": step + 1, "seed": schedule.seed}, checkpoint)
            saved = time.monotonic()
    model.load_state_dict(ema)
    model.eval()


def _follow(ema: dict[str, Tensor], model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        state = model.state_dict()
        floats = [k for k, v in state.items() if v.dtype.is_floating_point]
        torch._foreach_lerp_([ema[k] for k in floats], [state[k] for k in floats], 1 - decay)
        for k in state.keys() - set(floats):
            ema[k].copy_(state[k])


def _save(
    model: nn.Module,
    ema: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    progress: dict[str, int],
    checkpoint: Path,
) -> None:
    tensors = {f"model.{k}": v.detach().clone().contiguous() for k, v in model.state_dict().items()}
    tensors |= {f"ema.{k}": v.clone().contiguous() for k, v in ema.items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{k}": v.clone().contiguous() for k, v in state.items()}
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    fresh = checkpoint.with_suffix(".new")
    save_file(tensors, fresh, metadata={"progress": json.dumps(progress)})
    fresh.replace(checkpoint)


def _restore(
    model: nn.Module, ema: dict[str, Tensor], optimiser: torch.optim.Optimizer, seed: int, checkpoint: Path
) -> int:
    with safe_open(checkpoint, framework="pt") as file:
        tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - not a mapping
        progress: dict[str, int] = json.loads(file.metadata()["progress"])
    if (trained := progress.get("seed", 0)) != seed:  # checkpoints of before the option are of seed 0
        raise ResumeMismatchError(
            f"{shown(checkpoint)} was trained with seed {trained}, not {seed}\n"
            "  use another --work folder for each seed"
        )
    model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    for key, value in ema.items():
        value.copy_(tensors[f"ema.{key}"])
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("adam."):
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = value
    whole = optimiser.state_dict()
    optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
    return progress["step"]
