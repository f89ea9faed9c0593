"""What several commands of `python -m copycat.imitation` do alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SHOWN_WARNINGS = 10


def one_list(characters: str | None, concepts: Path | None) -> str | Path | None:
    """Give the one of two options that names the concepts; None where neither does.

    Raises:
        UserError: both are given.
    """
    from copycat.errors import UserError

    if characters is not None and concepts is not None:
        raise UserError(
            "--characters and --concepts do not go together\n  leave out one of them: a study is of one list"
        )
    return characters if characters is not None else concepts


def print_warnings(warnings: Sequence[str], file: Path) -> None:
    """Print the first few warnings on stderr; all of them are in the file."""
    from copycat.console import err
    from copycat.paths import shown

    for warning in warnings[:SHOWN_WARNINGS]:
        err.print(f"WARNING: {warning}", markup=False, soft_wrap=True)
    if len(warnings) > SHOWN_WARNINGS:
        err.print(f"and {len(warnings) - SHOWN_WARNINGS} more in {shown(file)}", markup=False, soft_wrap=True)
