"""What stands above the tables of a run: how it is labelled, and what a user should know of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from copycat.console import out
from copycat.judges import NO_JUDGE
from copycat.schema import RunResult

if TYPE_CHECKING:
    from copycat.eval import Outcome


def heading(result: RunResult, of: str = "pictures") -> str:
    """Give model, judge and number of pictures of a run, with the labels that its figures must not go without."""
    labels = ["sandbox: an invented world, never comparable with real models"] if result.is_sandbox else []
    labels += ["partial: --limit was set"] if result.is_partial else []
    counts = result.counts
    judge = "nobody" if result.judge == NO_JUDGE else result.judge
    about = f"{result.model}, judged by {judge}: {counts.ok} of {counts.planned} {of}"
    return f"{about} ({'; '.join(labels)})" if labels else about


def print_notes(outcomes: Sequence[Outcome]) -> None:
    """Print how requests of these runs ended that gave no picture, and what else is worth knowing."""
    for outcome in outcomes:
        for note in outcome.notes:
            out.print(f"  {outcome.result.mitigation}: {note}", markup=False, soft_wrap=True)
