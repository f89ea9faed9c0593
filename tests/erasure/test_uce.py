"""UCE's closed form against the normal equations, a numerical minimum, and the weights of a pipeline."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

from copycat.erasure import Concept
from copycat.erasure.uce import Mapped, Uce, UceSettings, aligned, solve_factor
from copycat.errors import UnsupportedError
from copycat.live import LivePipeline

LAM = 0.3


@cache
def loaded(folder: Path) -> Any:
    return DiffusionPipeline.from_pretrained(folder)


def uce(folder: Path, *concepts: Concept, **changes: Any) -> Uce:
    live = LivePipeline(copy.deepcopy(loaded(folder)), "tiny")
    return Uce(live, concepts or (Concept(name="abc", anchor="b"),), UceSettings(**changes), 0)


def random_problem() -> tuple[Mapped, Mapped, Any]:
    drawn = torch.Generator().manual_seed(3)

    def rows(n: int, width: int = 6) -> Any:
        return torch.randn(n, width, generator=drawn, dtype=torch.float64)

    kept = rows(4)
    erased = Mapped(rows(3), rows(3), torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64))
    return erased, Mapped(kept, kept, torch.tensor([1.0, 1.0, 3.0, 0.2], dtype=torch.float64)), rows(5)


def objective(weight: Any, before: Any, erased: Mapped, kept: Mapped) -> Any:
    total = LAM * (weight - before).square().sum()
    for part in (erased, kept):
        for state, wanted, share in zip(*part, strict=True):
            total = total + share * (weight @ state - before @ wanted).square().sum()
    return total


def test_the_closed_form_solves_the_normal_equations_row_by_row() -> None:
    """Each output is a ridge regression of its own, towards its old weights: solved in numpy by least squares."""
    erased, kept, before = random_problem()
    found = (before @ solve_factor(erased, kept, LAM)).numpy()

    states = torch.cat([erased.states, kept.states]).numpy()
    targets = torch.cat([erased.targets, kept.targets]).numpy() @ before.numpy().T
    root = np.sqrt(torch.cat([erased.weights, kept.weights]).numpy())[:, None]
    rows = np.vstack([root * states, np.sqrt(LAM) * np.eye(6)])
    for place in range(5):
        wanted = np.concatenate([root[:, 0] * targets[:, place], np.sqrt(LAM) * before[place].numpy()])
        np.testing.assert_allclose(found[place], np.linalg.lstsq(rows, wanted, rcond=None)[0], atol=1e-10)


def test_the_closed_form_is_where_a_numerical_search_ends() -> None:
    erased, kept, before = random_problem()
    weight = before.clone().requires_grad_()
    search = torch.optim.LBFGS([weight], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def again() -> Any:
        search.zero_grad()
        loss = objective(weight, before, erased, kept)
        loss.backward()
        return loss

    search.step(again)

    torch.testing.assert_close(before @ solve_factor(erased, kept, LAM), weight.detach(), atol=1e-6, rtol=1e-6)


def test_nothing_to_erase_changes_nothing() -> None:
    _, kept, _ = random_problem()
    none = Mapped(kept.states[:0], kept.states[:0], kept.weights[:0])
    torch.testing.assert_close(solve_factor(none, kept, LAM), torch.eye(6, dtype=torch.float64))


def test_words_go_to_words_the_end_to_the_end_and_padding_to_padding() -> None:
    assert aligned((3, 1), 7, "all") == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 5), (6, 6)]
    assert aligned((1, 3), 7, "all") == [(1, 1), (2, 4), (3, 4), (4, 4), (5, 5), (6, 6)]
    assert aligned((2, 0), 6, "all") == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]
    assert aligned((3, 1), 7, "own") == [(1, 1), (2, 1), (3, 1)]
    assert aligned((3, 2), 7, "last") == [(3, 2)]
    assert aligned((3, 0), 7, "last") == [(3, 0)]


def test_each_matrix_of_keys_and_values_gets_the_published_formula(tiny_pipeline: Path) -> None:
    """(lam W0 + sum (W0 g) c^T) (lam I + sum c c^T)^-1 with the last token of each concept, written out in numpy."""
    eraser = uce(tiny_pipeline, Concept(name="abc"), Concept(name="qz"), **Uce.PRESETS["published"])
    before = {name: p.detach().double().numpy() for name, p in eraser.edited().items()}
    states = eraser.live.encode(["abc", "qz", ""]).states.detach().double().numpy()
    last = [states[0, 3], states[1, 2]]
    start = states[2, 0]

    eraser.step(0)

    assert {name.split(".attn2.")[1] for name in before} == {"to_k.weight", "to_v.weight"}
    for name, old in before.items():
        left = 0.5 * old + sum(np.outer(old @ start, c) for c in last)
        right = 0.5 * np.eye(32) + sum(np.outer(c, c) for c in last)
        np.testing.assert_allclose(eraser.edited()[name].detach().numpy(), left @ np.linalg.inv(right), atol=1e-4)


def test_a_concept_reads_as_its_anchor_and_the_others_as_before(tiny_pipeline: Path) -> None:
    eraser = uce(tiny_pipeline, erase=50.0, keep=50.0, lam=1e-3, preserve=("q", "zx"), tokens="own")
    weight = next(p for name, p in eraser.edited().items() if name.endswith("to_v.weight"))
    states = eraser.live.encode(["abc", "b", "q"]).states.detach()
    before = states @ weight.detach().T

    losses = eraser.step(0)

    after = states @ weight.detach().T
    apart = (before[0, 1:4] - before[1, 1]).norm()
    assert (after[0, 1:4] - before[1, 1]).norm() < 0.1 * apart
    assert (after[2, 1] - before[2, 1]).norm() < 0.1 * apart
    assert set(losses) == {"erase", "keep"}


def test_a_concept_without_an_anchor_is_refused_where_one_is_needed(tiny_pipeline: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"abc has none\n  needed: --anchor TEXT, or --set target=null"):
        uce(tiny_pipeline, Concept(name="abc"))
    uce(tiny_pipeline, Concept(name="abc"), target="null")
