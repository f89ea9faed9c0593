"""The table of checks. To add one: a function in a file here, one entry below, a test that shows what it refuses.

Each check looks at a `Case` and gives faults and notes; none of them stops the others. What is compared across
submissions is in `board.py`, and what needs no record to be readable in `form.files_of` and `manifest.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from copycat.leaderboard.checks.calibration import check_calibration
from copycat.leaderboard.checks.case import Case, VerifyOptions
from copycat.leaderboard.checks.duplicates import check_duplicates
from copycat.leaderboard.checks.form import check_paths, check_place, check_texts
from copycat.leaderboard.checks.judgements import check_judge, check_judgements
from copycat.leaderboard.checks.metrics import check_metrics
from copycat.leaderboard.checks.outcomes import check_coverage, check_date, check_endings, check_model, check_outcomes
from copycat.leaderboard.checks.pictures import check_pictures
from copycat.leaderboard.checks.plan import check_baseline, check_plan
from copycat.leaderboard.checks.rejudge import check_again
from copycat.leaderboard.checks.suite import check_suite, check_versions
from copycat.leaderboard.faults import Finding

Check = Callable[[Case], Iterable[Finding]]

FORM_CHECKS: tuple[Check, ...] = (check_place, check_texts, check_paths, check_versions, check_date)
"""Those that hold for a submission of any version of the suite."""

SUITE_CHECKS: tuple[Check, ...] = (
    check_suite,
    check_plan,
    check_baseline,
    check_judge,
    check_judgements,
    check_pictures,
    check_duplicates,
    check_outcomes,
    check_endings,
    check_coverage,
    check_model,
    check_calibration,
    check_metrics,
    check_again,
)
"""Those that need the suite that the submission speaks of."""

__all__ = ["FORM_CHECKS", "SUITE_CHECKS", "Case", "Check", "VerifyOptions"]
