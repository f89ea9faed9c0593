"""Figures: made again from samples and judgements, and compared digit by digit."""

from __future__ import annotations

from collections.abc import Iterator

from copycat.catalog import list_character_sets
from copycat.errors import UserError
from copycat.judges.families import resolve_judge
from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.records import METRICS
from copycat.leaderboard.rederiving import shipped_characters
from copycat.metrics import summarise
from copycat.schema import Estimate, RunResult


def check_metrics(case: Case) -> Iterator[Fault]:
    """Make metrics.json again and compare."""
    try:
        true = _summarise(case)
    except (UserError, ValueError, ArithmeticError) as error:
        said = f"cannot be made again: {str(error).splitlines()[0][:200]}"
        yield Fault(kind="figures", where=METRICS, what=said)
        return
    if true is None:
        return  # other checks say why
    claimed = case.loaded.result
    for name in sorted(set(RunResult.model_fields) - {"estimates", "schema_version", "suite_version"}):
        if getattr(claimed, name) != getattr(true, name):
            said = f"'{name}' is {_shown(getattr(claimed, name))}; made again, it is {_shown(getattr(true, name))}"
            yield Fault(kind="changed-figure", where=METRICS, what=said)
    yield from _compare(claimed.estimates, true.estimates)


def _summarise(case: Case) -> RunResult | None:
    spec = case.spec
    if spec.characters not in list_character_sets() or case.plan.requests is None:
        return None
    characters = shipped_characters(spec.characters)
    return summarise(
        spec,
        len(case.plan.requests),
        case.loaded.samples,
        case.loaded.judgements,
        is_sandbox=characters.is_sandbox,
        is_judge_calibrated=resolve_judge(spec.judge).is_calibrated,
        set_names={character.id: character.name for character in characters.characters},
        calibration=case.loaded.calibration,
    )


def _compare(claimed: tuple[Estimate, ...], true: tuple[Estimate, ...]) -> Iterator[Fault]:
    expected = {(one.metric, one.anchor): one for one in true}
    found = {(one.metric, one.anchor): one for one in claimed}
    for (metric, anchor), one in found.items():
        name = f"{metric[:60]} of {anchor[:60]}"
        if (metric, anchor) not in expected:
            said = f"{name} cannot be made again from samples and judgements; leave it out"
            yield Fault(kind="changed-figure", where=METRICS, what=said)
        elif repr(one) != repr(right := expected[metric, anchor]):  # to ==, -0.0 is 0.0
            differing = next(f for f in Estimate.model_fields if repr(getattr(one, f)) != repr(getattr(right, f)))
            said = f"'{differing}' is {_shown(getattr(one, differing))}; made again, it is "
            yield Fault(kind="changed-figure", where=METRICS, what=f"{name}: {said}{_shown(getattr(right, differing))}")
    for metric, anchor in expected:
        if (metric, anchor) not in found:
            said = f"{metric} of {anchor} is not there; every figure is told"
            yield Fault(kind="changed-figure", where=METRICS, what=said)
    if len(found) < len(claimed):
        yield Fault(kind="changed-figure", where=METRICS, what="has a figure twice")
    elif list(found) != list(expected) and set(found) == set(expected):
        yield Fault(kind="changed-figure", where=METRICS, what="the figures are in another order")


def _shown(value: object) -> str:
    return str(value)[:120]
