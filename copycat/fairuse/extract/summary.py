"""From answers to measures.json: figures by work, by axis, beside controls. Pure: the same answers, the same bytes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import correlation, fmean
from typing import get_args

from copycat.fairuse.extract.measuring import covered_letters
from copycat.fairuse.extract.records import (
    AnswerMeasures,
    AskedWork,
    Figures,
    Group,
    Lift,
    Measures,
    Role,
    Status,
    WorkMeasures,
)
from copycat.fairuse.metrics import by_work, chance_of_extraction, log_p_per_letter
from copycat.fairuse.metrics.by_work import DRAWS, MIN_WORKS, WorkSummary

FIGURES = tuple(Figures.model_fields)
STATUSES: tuple[Status, ...] = get_args(Status)

LIFTED = ("recall", "longest", "longest_near", "rouge_l")
CONTROLS: tuple[Role, ...] = ("held-out", "own-control")
SHUFFLED = "shuffled"

RESPONDED = frozenset({"answered", "refused", "empty"})
"""Ends of a request that say something of the model; the others are missing data."""

Values = Mapping[str, Sequence[float]]


def build_measures(
    works: Sequence[AskedWork],
    answers: Sequence[AnswerMeasures],
    n_planned: int,
    same_as_another: int | None,
) -> Measures:
    """Summarise a run.

    Args:
        n_planned: requests of the plan, answered or not.
        same_as_another: see `Measures`.
    """
    told = [answer for answer in answers if answer.status in RESPONDED]
    counts = Counter(answer.status for answer in answers)
    rows = tuple(_work(work, answers) for work in works)
    return Measures(
        counts={status: counts[status] for status in STATUSES} | {"planned": n_planned},
        coverage=len(told) / n_planned if n_planned else 0.0,
        works=rows,
        groups=tuple(_with_covered(group, works, rows, told) for group in _groups(works, told)),
        lifts=tuple(_lifts(told)),
        spearman=_spearman([row for row in rows if row.role == "work"]),
        same_as_another=same_as_another,
        repeating=sum(answer.measured.repeats for answer in answers),
        answers=tuple(answers),
    )


def value_of(figures: Figures, name: str) -> float | None:
    """Give a figure by its name."""
    found: float | None = getattr(figures, name)
    return found


# --------------------------------------------------------------------------------------- by work


def _work(work: AskedWork, answers: Sequence[AnswerMeasures]) -> WorkMeasures:
    own = [answer for answer in answers if answer.ask.work == work.work.id]
    told = [answer for answer in own if answer.status in RESPONDED]
    values = {name: _values(told, name) for name in FIGURES}
    counts = Counter(answer.status for answer in own)
    likely = [answer.probability for answer in told if answer.probability is not None]
    places = [(s.reference_start, s.reference_end) for answer in told for s in answer.measured.stretches]
    best = max(told, key=lambda answer: (answer.measured.figures.longest_near, answer.ask.key), default=None)
    return WorkMeasures(
        work=work.work.id,
        role=work.role,
        copies=work.copies,
        counts={status: counts[status] for status in STATUSES if counts[status]},
        best={name: max(found) for name, found in values.items() if found},
        mean={name: fmean(found) for name, found in values.items() if found},
        covered=_share(places, work.letters),
        best_key=best.ask.key if best else None,
        log_p_per_letter=max((log_p_per_letter(one.log_p, one.letters) for one in likely), default=None),
        chance_in_100_draws=max((chance_of_extraction(min(0.0, one.log_p), 100) for one in likely), default=None),
    )


def _values(answers: Iterable[AnswerMeasures], name: str) -> list[float]:
    found = (value_of(answer.measured.figures, name) for answer in answers)
    return [float(value) for value in found if value is not None]


def _spearman(works: Sequence[WorkMeasures]) -> float | None:
    """Correlate copies with the recall of works, by ranks; None where copies are not known or all the same."""
    known = [(work.copies, work.mean["recall"]) for work in works if work.copies is not None and "recall" in work.mean]
    if len(known) < MIN_WORKS or len({copies for copies, _ in known}) < 2 or len({r for _, r in known}) < 2:
        return None
    # Pearson's correlation of ranks, of equal values the mean of theirs; scipy's takes seconds to be loaded.
    ranks = [_ranks([pair[side] for pair in known]) for side in (0, 1)]
    return correlation(*ranks)


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in values]


# --------------------------------------------------------------------------------------- by axis


def _groups(works: Sequence[AskedWork], told: Sequence[AnswerMeasures]) -> Iterable[Group]:
    asked = [answer for answer in told if answer.ask.role == "work"]
    copies = {work.work.id: work.copies for work in works}
    axes: dict[str, Callable[[AnswerMeasures], str | int | None]] = {
        "all": lambda answer: "works",
        "prompt": lambda answer: answer.ask.prompt,
        "prefix": lambda answer: answer.ask.prefix or None,
        "decoding": lambda answer: answer.ask.decoding,
        "evasion": lambda answer: answer.ask.evasion,
        "copies": lambda answer: copies.get(answer.ask.work),
    }
    for axis, value in axes.items():
        yield from _by(axis, asked, value)
    for role in CONTROLS:
        yield from _by(
            "control", [answer for answer in told if answer.ask.role == role], lambda answer: answer.ask.role
        )
    if others := [(answer, answer.measured.against_other) for answer in asked if answer.measured.against_other]:
        figures = _summaries([(answer.ask.work, figures) for answer, figures in others if figures is not None])
        yield Group(axis="control", value=SHUFFLED, answers=len(others), figures=figures)


def _by(
    axis: str, answers: Iterable[AnswerMeasures], value: Callable[[AnswerMeasures], str | int | None]
) -> Iterable[Group]:
    """Group answers by a value; numbers in their order, names in the order of the plan."""
    found: dict[str | int, list[AnswerMeasures]] = defaultdict(list)
    for answer in answers:
        here = value(answer)
        if here is not None:
            found[here].append(answer)
    names = sorted(found, key=lambda name: (isinstance(name, str), name if isinstance(name, int) else 0))
    for name in names:
        rows = found[name]
        figures = _summaries([(answer.ask.work, answer.measured.figures) for answer in rows])
        yield Group(axis=axis, value=str(name), answers=len(rows), figures=figures)


def _summaries(rows: Sequence[tuple[str, Figures]]) -> dict[str, WorkSummary]:
    found: dict[str, WorkSummary] = {}
    for name in FIGURES:
        values: dict[str, list[float]] = defaultdict(list)
        for work, figures in rows:
            if (value := value_of(figures, name)) is not None:
                values[work].append(float(value))
        if values:
            found[name] = by_work(values)
    return found


def _with_covered(
    group: Group, works: Sequence[AskedWork], rows: Sequence[WorkMeasures], told: Sequence[AnswerMeasures]
) -> Group:
    """Add the share of works in the stretches of all answers, of all works and of controls."""
    if group.axis not in {"all", "control"}:
        return group
    if group.value == SHUFFLED:
        values = _covered_in_others(works, told)
    else:
        role = "work" if group.axis == "all" else group.value
        values = {row.work: [row.covered] for row in rows if row.role == role and row.counts}
    return group.model_copy(update={"figures": group.figures | {"covered": by_work(values)}}) if values else group


def _covered_in_others(works: Sequence[AskedWork], told: Sequence[AnswerMeasures]) -> dict[str, list[float]]:
    letters = {work.work.id: work.letters for work in works}
    places: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for answer in told:
        if answer.ask.role == "work" and answer.measured.other is not None:
            stretches = answer.measured.stretches_in_other
            places[answer.ask.work][answer.measured.other] += [(s.reference_start, s.reference_end) for s in stretches]
    return {work: [max(_share(found, letters[other]) for other, found in by.items())] for work, by in places.items()}


def _share(places: Sequence[tuple[int, int]], letters: int) -> float:
    return min(1.0, covered_letters(places) / letters) if letters else 0.0


# --------------------------------------------------------------------------------------- controls


def _lifts(told: Sequence[AnswerMeasures]) -> Iterable[Lift]:
    asked = [answer for answer in told if answer.ask.role == "work"]
    own = [(answer.ask.work, answer.measured.figures) for answer in asked]
    controls: dict[str, list[tuple[str, Figures]]] = {
        role: [(answer.ask.work, answer.measured.figures) for answer in told if answer.ask.role == role]
        for role in CONTROLS
    }
    controls[SHUFFLED] = [(a.ask.work, a.measured.against_other) for a in asked if a.measured.against_other is not None]
    for control, rows in controls.items():
        for name in LIFTED:
            works, others = _bests(own, name), _bests(rows, name)
            if works and others:
                yield _lift(name, control, works, others)


def _bests(rows: Iterable[tuple[str, Figures]], name: str) -> dict[str, float]:
    """Give the highest value of each work, sorted by work."""
    found: dict[str, float] = {}
    for work, figures in rows:
        if (value := value_of(figures, name)) is not None:
            found[work] = max(float(value), found.get(work, 0.0))
    return dict(sorted(found.items()))


def _lift(figure: str, control: str, works: Mapping[str, float], others: Mapping[str, float]) -> Lift:
    import numpy as np

    sides = [np.array(list(side.values())) for side in (works, others)]
    means = [float(side.mean()) for side in sides]
    low = high = None
    if min(map(len, sides)) >= MIN_WORKS:
        rng = np.random.default_rng(0)
        chosen = [rng.integers(len(side), size=(DRAWS, len(side))) for side in sides]
        if list(works) == list(others):  # the same answers on both sides: a work is drawn with what it is compared with
            chosen[1] = chosen[0]
        drawn = [side[rows].mean(axis=1) for side, rows in zip(sides, chosen, strict=True)]
        low, high = (float(end) for end in np.quantile(drawn[0] - drawn[1], (0.025, 0.975)))
    return Lift(
        figure=figure,
        control=control,
        works=means[0],
        controls=means[1],
        difference=means[0] - means[1],
        low=low,
        high=high,
    )
