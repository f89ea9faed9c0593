"""Differentially private fine-tuning by work: what the model may owe to any one work is bounded.

DP-SGD (Abadi et al. 2016, arXiv:1607.00133) with opacus. A row of a batch is a work, not a text: each step draws every
work with the same probability, takes one of its copies, and cuts that work's gradient to one length before noise is
added. However often a work was copied, it is one row; so the epsilon is one of works.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from copycat.errors import MissingExtraError
from copycat.fairuse.world.tokens import IGNORED, POSITIONS, rows_of

if TYPE_CHECKING:
    from torch import Tensor

DELTA = 1e-3
ORDERS = [*(1 + n / 10 for n in range(1, 100)), *range(11, 64), 128, 256, 512, 1024]
"""Of Renyi divergence, over which the accountant takes the smallest epsilon."""

OPEN_LR = 2e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateSettings:
    """DP-SGD: `sample_rate` is the probability that a step draws a work, `noise` the multiplier of `clip`."""

    steps: int = 300
    sample_rate: float = 0.25
    noise: float = 2.0
    clip: float = 1.0
    lr: float = 2e-4
    seed: int = 0


Report = Callable[[int, float], None]


def tune_privately(
    model: Any, tokenizer: Any, copies: Sequence[Sequence[str]], settings: PrivateSettings, report: Report
) -> float:
    """Fine-tune a model in place so that any one work changes little about it.

    Args:
        copies: for each work, all its texts.
        report: told the step and the mean loss of its works.

    Returns: the epsilon per work at DELTA that the accountant has counted.

    Raises:
        MissingExtraError: opacus is not installed.
    """
    _require_opacus()
    import torch
    from opacus import GradSampleModule  # type: ignore[import-untyped]
    from opacus.accountants import RDPAccountant  # type: ignore[import-untyped]
    from opacus.optimizers import DPOptimizer  # type: ignore[import-untyped]

    generator = torch.Generator().manual_seed(settings.seed)
    rows = [rows_of(tokenizer, texts, POSITIONS) for texts in copies]
    wrapped = GradSampleModule(model, loss_reduction="sum")
    optimiser = DPOptimizer(
        torch.optim.Adam(model.parameters(), lr=settings.lr),
        noise_multiplier=settings.noise,
        max_grad_norm=settings.clip,
        expected_batch_size=max(1, round(settings.sample_rate * len(copies))),
        loss_reduction="sum",
        generator=generator,
    )
    accountant = RDPAccountant()
    model.train()
    try:
        for step in range(settings.steps):
            optimiser.zero_grad()
            report(step + 1, _add_gradients(wrapped, _draw(rows, settings.sample_rate, generator)))
            optimiser.step()
            accountant.step(noise_multiplier=settings.noise, sample_rate=settings.sample_rate)
    finally:
        wrapped.remove_hooks()
        model.eval()
    with _without_notes_on_orders():
        return float(accountant.get_epsilon(DELTA, alphas=ORDERS))


def tune_openly(
    model: Any, tokenizer: Any, copies: Sequence[Sequence[str]], settings: PrivateSettings, report: Report
) -> int:
    """Fine-tune in place on as many rows a step, drawn from all texts alike, nothing cut and no noise added.

    Returns: rows of a step.
    """
    import torch

    generator = torch.Generator().manual_seed(settings.seed)
    rows = rows_of(tokenizer, [text for texts in copies for text in texts], POSITIONS)
    size = max(1, round(settings.sample_rate * len(copies)))
    optimiser = torch.optim.Adam(model.parameters(), lr=OPEN_LR)
    model.train()
    for step in range(settings.steps):
        drawn = rows[torch.randint(len(rows), (size,), generator=generator)]
        loss = row_losses(model, drawn).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        report(step + 1, float(loss.detach()))
    model.eval()
    return size


def epsilon(noise: float, sample_rate: float, steps: int, group: int = 1) -> float:
    """Give the epsilon at DELTA that DP-SGD promises a group of `group` rows.

    A group of k rows moves the sum of cut gradients by at most k lengths, and a step draws any of them with
    probability at most 1 - (1 - q)^k: noise / k and that rate bound what the group changes. So a work of k copies gets
    a weaker promise from clipping by example than one example does; clipping by work gives it that of one row.

    Raises:
        MissingExtraError: opacus is not installed.
    """
    _require_opacus()
    from opacus.accountants.analysis.rdp import compute_rdp, get_privacy_spent  # type: ignore[import-untyped]

    rate = 1 - (1 - sample_rate) ** group
    rdp = compute_rdp(q=rate, noise_multiplier=noise / group, steps=steps, orders=ORDERS)
    with _without_notes_on_orders():
        found, _ = get_privacy_spent(orders=ORDERS, rdp=rdp, delta=DELTA)
    return float(found)


@contextmanager
def _without_notes_on_orders() -> Iterator[None]:
    """Keep opacus from saying that other orders would give a tighter bound: where that is so, it is very loose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Optimal order is the")
        yield


def _draw(rows: Sequence[Tensor], rate: float, generator: Any) -> Tensor | None:
    """Draw each work with probability `rate`, and one copy of each that is drawn."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    drawn = [texts for texts in rows if float(torch.rand(1, generator=generator)) < rate]
    if not drawn:
        return None
    chosen = [texts[int(torch.randint(len(texts), (1,), generator=generator))] for texts in drawn]
    return pad_sequence(chosen, batch_first=True, padding_value=IGNORED)


def _add_gradients(wrapped: Any, rows: Tensor | None) -> float:
    """Add the gradient of each row's mean loss to the model; a step that draws no work adds noise alone."""
    import torch

    if rows is None:
        for parameter in wrapped.parameters():
            parameter.grad_sample = torch.zeros(0, *parameter.shape)
        return 0.0
    losses = row_losses(wrapped, rows)
    with warnings.catch_warnings():
        # opacus 1.6 hooks every module, the embedding too, whose input takes no gradient: torch 2.14 warns of that.
        warnings.filterwarnings("ignore", message="Full backward hook is firing")
        losses.sum().backward()  # type: ignore[no-untyped-call]
    return float(losses.detach().mean())


def row_losses(model: Any, rows: Tensor) -> Tensor:
    """Give the mean cross-entropy, in nats per token, of each row, (N,)."""
    from torch.nn import functional

    rows = rows[:, : int((rows != IGNORED).sum(1).max())]
    logits = model(input_ids=rows.clamp(min=0)).logits[:, :-1]
    targets = rows[:, 1:]
    losses: Tensor = functional.cross_entropy(
        logits.float().transpose(1, 2), targets, ignore_index=IGNORED, reduction="none"
    )
    return losses.sum(1) / (targets != IGNORED).sum(1)


def _require_opacus() -> None:
    from importlib.util import find_spec

    if find_spec("opacus") is None:
        raise MissingExtraError(
            "private fine-tuning needs opacus, which is not installed\n  install it: pip install 'copycat[dp]'"
        )
