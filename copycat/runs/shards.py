"""Parts of a run that several processes draw side by side, as in a SLURM array: `--shard 3/8`.

Shard i of n draws the i-th, (i+n)-th, ... batch of the plan and writes a journal of its own. The command
without --shard takes all journals together, draws what is missing, judges and reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from copycat.errors import UserError

B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` equal parts; `index` counts from 1."""

    index: int
    count: int

    def of(self, batches: Sequence[B]) -> list[B]:
        """Give this shard's batches."""
        return list(batches[self.index - 1 :: self.count])

    def __str__(self) -> str:
        return f"{self.index}-of-{self.count}"


def parse_shard(text: str) -> Shard:
    """Read 'i/n'.

    Raises:
        UserError: not of this form, or i is not between 1 and n.
    """
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise UserError(
            f"--shard '{text}' has the wrong form\n  needed: i/n with i from 1 to n, such as --shard 3/8\n"
            "  in a SLURM array: --shard $((SLURM_ARRAY_TASK_ID + 1))/$SLURM_ARRAY_TASK_COUNT"
        )
    return Shard(int(index), int(count))
