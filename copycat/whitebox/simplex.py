"""The probability simplex, in which a relaxed token lives: a share of every word of the vocabulary, together one."""

from __future__ import annotations

from typing import Any


def project(points: Any) -> Any:
    """Give for each row the nearest point, in Euclidean distance, with no negative entry and the sum one.

    That is max(v - tau, 0) with the one tau for which the entries sum to one, found exactly from the sorted row: tau =
    (sum of the k largest - 1) / k for the largest k whose k-th entry still exceeds it.

    Shapes:
        points: (..., n). returns: the same.

    Source: Held, Wolfe and Crowder (1974); Duchi et al. (ICML 2008), figure 1.
    """
    import torch

    falling, _ = points.sort(dim=-1, descending=True)
    excess = falling.cumsum(dim=-1) - 1
    counts = torch.arange(1, points.shape[-1] + 1, device=points.device, dtype=points.dtype)
    stays = falling * counts > excess  # true for the first ones, the largest always among them
    last = stays.sum(dim=-1, keepdim=True) - 1
    tau = excess.gather(-1, last) / (last + 1).to(points.dtype)
    return (points - tau).clamp_min(0)


def picked(shares: Any, table: Any) -> Any:
    """Give the embedding of each row's largest share, with the gradient of the shares' mixture (straight-through).

    Shapes:
        shares: (k, tokens). table: (tokens, width). returns: (k, width).
    """
    import torch

    hard = torch.nn.functional.one_hot(shares.argmax(dim=-1), shares.shape[-1]).to(shares.dtype)
    return (hard + shares - shares.detach()).to(table.dtype) @ table
