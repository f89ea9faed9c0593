"""History is append-only: what once stood below submissions/ stands there unchanged. Asks git."""

from __future__ import annotations

import subprocess
from pathlib import Path

from copycat.errors import UserError
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.layout import SUBMISSIONS
from copycat.paths import shown

WHAT_OF = {"D": "was removed", "M": "was changed", "T": "is now of another kind (a link, say)"}
TIMEOUT_S = 120


def changes_since(leaderboard: Path, reference: str) -> list[Fault]:
    """Find files of submissions that were there where a reference and the present part, and are no more what they were.

    The working tree counts, committed or not.

    Args:
        reference: a commit, branch or tag, such as origin/main.

    Raises:
        UserError: git is not there, the folder is in no repository, or there is no such reference.
    """
    if not leaderboard.is_dir():
        raise UserError(f"{shown(leaderboard)} is not there\n  needed: the folder of the board: --leaderboard DIR")
    commit = _git(leaderboard, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}"])
    if commit is None:
        raise UserError(
            f"there is no '{reference}' in the repository of {shown(leaderboard)}\n"
            "  needed: a commit, branch or tag; a shallow clone has few of them: git fetch --unshallow"
        )
    base = _git(leaderboard, ["merge-base", commit.strip(), "HEAD"])
    if base is None:
        raise UserError(
            f"'{reference}' and HEAD have no commit in common\n"
            "  needed: the whole history: git fetch --unshallow, or fetch-depth: 0 of actions/checkout"
        )
    told = _git(
        leaderboard,
        ["diff", "--no-ext-diff", "--no-renames", "--name-status", "-z", base.strip(), "--", f"./{SUBMISSIONS}"],
    )
    fields = (told or "").split("\0")
    return [_fault(kind, path) for kind, path in zip(fields[::2], fields[1::2], strict=False) if kind in WHAT_OF]


def _fault(kind: str, path: str) -> Fault:
    said = f"{WHAT_OF[kind]}, and history is append-only; needed: a new submission beside the old one"
    return Fault(kind="history", where=ascii(path)[1:-1], what=said)


def _git(folder: Path, arguments: list[str]) -> str | None:
    """Run git and give what it prints, None where it says no."""
    try:
        # core.quotePath and hooks play no part: names come NUL-terminated, and diff runs nothing.
        command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise UserError("git is not there\n  needed by --since; install it, or leave out --since") from error
    except subprocess.TimeoutExpired as error:
        raise UserError(f"git gave no answer within {TIMEOUT_S} s\n  leave out --since") from error
    if done.returncode == 0:
        return done.stdout.decode("utf-8", errors="surrogateescape")
    if b"not a git repository" in done.stderr:
        raise UserError(f"{shown(folder)} is in no git repository\n  needed by --since; leave it out")
    return None
