"""The suite: its version, its characters, its prompts and its anchors."""

from __future__ import annotations

from collections.abc import Iterator

from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.records import METRICS, SETTINGS, SUBMISSION


def check_versions(case: Case) -> Iterator[Fault]:
    """Check that all files speak of one version of the suite."""
    version = case.loaded.submission.suite_version
    for where, found in ((SETTINGS, case.spec.suite_version), (METRICS, case.loaded.result.suite_version)):
        if found != version:
            said = f"speaks of suite {found}, and {SUBMISSION} of suite {version}"
            yield Fault(kind="wrong-suite", where=where, what=said)


def check_suite(case: Case) -> Iterator[Fault]:
    """Check characters, prompts and anchors against those that ship."""
    yield from case.suite.faults
