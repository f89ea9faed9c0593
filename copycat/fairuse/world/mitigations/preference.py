"""Preference training: the model learns to prefer a paraphrase to the wording of the work.

Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290, eq. 7) with a small term that keeps the
paraphrase likely in itself (Pang et al. 2024, arXiv:2404.19733), without which a model may learn to write neither.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.fairuse.world.planted import paraphrased, planted_works, told
from copycat.fairuse.world.tokens import END, IGNORED

if TYPE_CHECKING:
    from torch import Tensor

CUTS = (1, 2, 3, 4)
"""After how many beats of the work the two ways of going on part."""


class Pair(NamedTuple):
    """A beginning of a work and two ways to go on: in other words (chosen), and as the work does (rejected)."""

    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceSettings:
    """How long and how hard to prefer: `beta` of DPO, `keep` times the loss of the chosen text in nats per token."""

    steps: int = 120
    batch: int = 6
    beta: float = 0.1
    keep: float = 0.2
    lr: float = 2e-4
    paraphrases: int = 4
    seed: int = 0


Report = Callable[[int, float], None]


def pairs(paraphrases: int = 4) -> list[Pair]:
    """Make a pair for each planted work, paraphrase and cut."""
    made: list[Pair] = []
    for work in planted_works():
        original = told(work.work.id).beats
        for other in paraphrased(work.work.id, paraphrases):
            made += [Pair(" ".join(original[:cut]), _rest(other.beats, cut), _rest(original, cut)) for cut in CUTS]
    return made


def prefer(model: Any, tokenizer: Any, settings: PreferenceSettings, report: Report) -> None:
    """Train a model in place on the pairs; the model as it was is the reference."""
    import torch

    made = pairs(settings.paraphrases)
    rng = random.Random(f"preference {settings.seed}")
    reference = copy.deepcopy(model).eval()
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.lr, weight_decay=0.0)
    model.train()
    for step in range(settings.steps):
        batch = rng.sample(made, settings.batch)
        loss = _loss(model, reference, tokenizer, batch, settings)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = settings.lr * min(1.0, (step + 1) / 10) * (1 - step / settings.steps)
        optimiser.step()
        report(step + 1, float(loss.detach()))
    model.eval()


def dpo_loss(policy: Tensor, reference: Tensor, beta: float) -> Tensor:
    """Give the mean of -log sigmoid(beta x (gain of the chosen - gain of the rejected)), gain = policy - reference.

    Shapes: (N, 2) each: log-probabilities, in nats, of the chosen and the rejected text.
    """
    from torch.nn import functional

    gain = policy - reference
    loss: Tensor = -functional.logsigmoid(beta * (gain[:, 0] - gain[:, 1])).mean()
    return loss


def _loss(model: Any, reference: Any, tokenizer: Any, batch: Sequence[Pair], settings: PreferenceSettings) -> Tensor:
    import torch

    ids, is_asked = _rows(tokenizer, batch)
    policy, lengths = _log_p(model, ids, is_asked)
    with torch.no_grad():
        before, _ = _log_p(reference, ids, is_asked)
    kept = -(policy[:, 0] / lengths[:, 0]).mean()
    return dpo_loss(policy, before, settings.beta) + settings.keep * kept


def _rows(tokenizer: Any, batch: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    """Lay out chosen and rejected of each pair: (2N, L) ids, and which of them are answers."""
    import torch

    rows: list[tuple[list[int], int]] = []
    for pair in batch:
        prompt = tokenizer(pair.prompt, add_special_tokens=False)["input_ids"]
        for answer in (pair.chosen, pair.rejected):
            ids = tokenizer(answer + END, add_special_tokens=False)["input_ids"]
            rows.append((prompt + ids, len(prompt)))
    width = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), width), IGNORED)
    is_asked = torch.zeros((len(rows), width), dtype=torch.bool)
    for i, (row, start) in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        is_asked[i, start : len(row)] = True
    return ids, is_asked


def _log_p(model: Any, ids: Tensor, is_asked: Tensor) -> tuple[Tensor, Tensor]:
    """Give the log-probability of each answer and its length in tokens, (N, 2) each."""
    logs = model(input_ids=ids.clamp(min=0)).logits[:, :-1].float().log_softmax(-1)
    own = logs.gather(2, ids[:, 1:, None].clamp(min=0)).squeeze(2) * is_asked[:, 1:]
    return own.sum(1).view(-1, 2), is_asked[:, 1:].sum(1).view(-1, 2)


def _rest(beats: Sequence[str], cut: int) -> str:
    return " " + " ".join(beats[cut:])
