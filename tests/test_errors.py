"""Errors reach other processes as they are: a worker's text is what the user reads."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from copycat.errors import CopycatError, DataError, UnknownNameError, UserError


@pytest.mark.parametrize(
    "error",
    [
        DataError(["a.csv:1: wrong", "a.csv:2: wrong, too"], "  mend it"),
        UnknownNameError("ranker", "ebmedding", ["embedding", "pmi"], "see --list"),
        UserError("no corpus\n  needed: one"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_another_process_keeps_its_kind_and_its_text(error: CopycatError) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        there = pool.submit(same, error).result()
    assert (type(there), str(there)) == (type(error), str(error))
    assert vars(there) == vars(error)


def same(error: CopycatError) -> CopycatError:
    return error
