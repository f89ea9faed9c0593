"""Every exception that copycat raises on purpose.

    CopycatError
    ├── UserError              the user must fix something: text, no traceback, exit 2
    │   ├── UnknownNameError       a model, mitigation, judge, anchor or character set
    │   ├── UnsupportedError       this combination cannot do what was asked
    │   ├── DataError              a file is wrong: file:line, field, value, rule
    │   ├── MissingExtraError      a package or a key is not there
    │   ├── ResumeMismatchError    the run folder belongs to another spec
    │   ├── LimitReachedError      --max-errors or --max-cost; what is finished is kept
    │   ├── DriftError             (runs) a judge is no longer the one it was
    │   └── ServiceDownError       (services) so many requests in a row failed that going on is useless
    ├── BackendError           one request failed; becomes status "failed"
    │   └── RefusedError           (services) the policy of a service declined it; becomes "refused"
    ├── StoppedError           (services) a request was not sent, because the run is stopping
    └── BugError               an invariant of ours broke: traceback

A message says what is wrong with the value, what would be right, and what to type.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

MAX_LISTED = 10


def first_faults(faults: Sequence[str]) -> list[str]:
    """Give the first MAX_LISTED faults, and how many more there are."""
    more = len(faults) - MAX_LISTED
    return [*faults[:MAX_LISTED], *([f"and {more} more"] if more > 0 else [])]


class CopycatError(Exception):
    """Root of all errors raised on purpose."""


class UserError(CopycatError):
    """Something that the user must fix; shown as text, exit code 2."""


class UnknownNameError(UserError):
    """A name that no registry row and no file answers to."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        self.kind, self.name, self.known, self.hint = kind, name, tuple(known), hint
        super().__init__(_unknown_name_text(kind, name, list(self.known), hint))

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, tuple[str, ...], str]]:
        """Say how another process makes it again."""
        return type(self), (self.kind, self.name, self.known, self.hint)


class UnsupportedError(UserError):
    """A combination that would silently do nothing, refused before any weight is loaded."""


class DataError(UserError):
    """One or more faults of data files, all listed at once."""

    def __init__(self, faults: Sequence[str], fix: str = "") -> None:
        self.faults, self.fix = tuple(faults), fix
        super().__init__("\n".join([*self.faults, *([fix] if fix else [])]))

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[str, ...], str]]:
        """Say how another process makes it again: from its faults, not from its text."""
        return type(self), (self.faults, self.fix)


class MissingExtraError(UserError):
    """A package, a weight file or an environment variable that is needed and absent."""


class ResumeMismatchError(UserError):
    """The run folder was made by another spec, or its files were changed."""


class LimitReachedError(UserError):
    """A limit that the user set was reached; everything finished is kept."""


class BackendError(CopycatError):
    """One request failed in a model or judge; recorded as that sample's status."""


class BugError(CopycatError):
    """An invariant broke that no input should be able to break."""


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Give up to three known names that somebody who typed `name` may have meant, the nearest first."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)


def _unknown_name_text(kind: str, name: str, known: list[str], hint: str) -> str:
    lines = [f"unknown {kind} '{name}'"]
    close = near_names(name, known)
    if close:
        lines.append("  did you mean " + " or ".join(f"'{c}'" for c in close) + "?")
    elif known:
        listed = ", ".join(sorted(known)[:MAX_LISTED])
        lines.append(f"  known: {listed}{', ...' if len(known) > MAX_LISTED else ''}")
    if hint:
        lines.append(f"  {hint}")
    return "\n".join(lines)
