"""The attacker inside AdvUnlearn: free token embeddings that make the edited model draw the concept again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from copycat.erasure.advunlearn_settings import AdvUnlearnSettings
from copycat.errors import UserError
from copycat.live import LivePipeline, Texts, TokenRow
from copycat.live.texts import token_row

Loss = Callable[[Sequence[Any], int], Any]
"""The attacker's loss for free embeddings, one tensor for each encoder, at an attack step's number."""


class AttackedPrompt:
    """A concept's prompt with free embeddings: before its tokens, in their place, or added to them.

    Source: arXiv 2405.15234, section 4 and table A4 (prefix, replace, add).

    Raises:
        UserError: the concept has no tokens, or too many.
    """

    def __init__(self, live: LivePipeline, name: str, settings: AdvUnlearnSettings) -> None:
        self.live, self.settings = live, settings
        self.tokens = live.token_ids(name)
        if not all(self.tokens):
            raise UserError(f"'{name}' has no tokens that could be erased\n  needed: a name in letters")
        words = None if settings.bpe_aware else len(name.split())
        laid = [self._row(t, own, words) for t, own in zip(live.tokenizers, self.tokens, strict=True)]
        self.rows: list[TokenRow] = laid

    def start(self, generator: Any) -> list[Any]:
        """Give what the search begins with: random tokens of the vocabulary, or, to be added, nothing.

        Returns: for each encoder (free, width), float32.
        """
        import torch

        found = []
        for row, table in zip(self.rows, self.live.vocabulary(), strict=True):
            picked = torch.randint(len(table), (row.free,), generator=generator).to(table.device)
            vectors = table[picked].detach().float().clone()
            found.append(torch.zeros_like(vectors) if self.settings.form == "add" else vectors)
        return found

    def encode(self, free: Sequence[Any]) -> Texts:
        """Encode the attacked prompt by the edited encoders, with gradients to them and to the free embeddings."""
        vectors = list(free)
        if self.settings.form == "add":
            own = zip(self.rows, self.tokens, self.live.vocabulary(), free, strict=True)
            vectors = [table[ids[: row.free]].detach() + more for row, ids, table, more in own]
        return self.live.encode_laid([[row] for row in self.rows], vectors)

    def _row(self, tokenizer: Any, ids: list[int], words: int | None) -> TokenRow:
        """Lay the tokens out; `words` is how many of them the published code takes the concept to have."""
        if self.settings.form == "prefix":
            count = self.settings.prefix_tokens
            kept = ids if words is None else [*ids[:words], *ids[words + count :]]
            return token_row(tokenizer, ([], kept), count)
        count = len(ids) if words is None else min(words, len(ids))
        return token_row(tokenizer, ([], ids[count:]), count)


def search(start: Sequence[Any], loss_of: Loss, settings: AdvUnlearnSettings, generator: Any) -> list[Any]:
    """Search free embeddings with a small loss.

    K steps of Adam or of the gradient's sign, or, fast, one step of the sign from a random start within one step of
    `start` (FGSM): delta = delta_0 - alpha sign(gradient). Source: arXiv 2405.15234, equations 5 to 7.
    """
    import torch

    lr, once = settings.attack_lr, settings.fast and settings.one_step_fast
    begun = [vectors.detach().clone() for vectors in start]
    if once:
        shifts = [(2 * torch.rand(v.shape, generator=generator) - 1).to(v.device) * lr for v in begun]
        begun = [v + shift for v, shift in zip(begun, shifts, strict=True)]
    free = [vectors.clone().requires_grad_() for vectors in begun]
    by_sign = once or (settings.attack_optimiser == "sign" and not settings.fast)
    optimiser = None if by_sign else torch.optim.Adam(free, lr=lr)
    gradients = [torch.zeros_like(vectors) for vectors in free]
    before = begun
    for number in range(1 if once else settings.attack_steps):
        before = [vectors.detach().clone() for vectors in free]
        fresh = torch.autograd.grad(loss_of(free, number), free)
        kept = 0.0 if settings.clear_gradients else 1.0
        gradients = [kept * old + new for old, new in zip(gradients, fresh, strict=True)]
        if settings.fast and not once:  # the published code leaves the signs in the accumulated gradient
            gradients = [gradient.sign() for gradient in gradients]
        _step(free, gradients, optimiser, lr)
        _project(free, start, settings.budget)
    return [vectors.detach() for vectors in (free if settings.keep_last_update else before)]


def _step(free: Sequence[Any], gradients: Sequence[Any], optimiser: Any, lr: float) -> None:
    import torch

    for vectors, gradient in zip(free, gradients, strict=True):
        vectors.grad = gradient
        if optimiser is None:
            with torch.no_grad():
                vectors.sub_(lr * gradient.sign())
    if optimiser is not None:
        optimiser.step()


def _project(free: Sequence[Any], start: Sequence[Any], budget: float | None) -> None:
    """Bring every coordinate back to within `budget` of its start."""
    import torch

    if budget is None:
        return
    with torch.no_grad():
        for vectors, origin in zip(free, start, strict=True):
            vectors.copy_(torch.clamp(vectors, origin - budget, origin + budget))
