"""Everything that a calibration tells of a judge, for the terminal and for --json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from copycat.calibration.cases import Case, Labelled, Pair, build_case, build_cells, labels_sha256, ways_of
from copycat.calibration.consensus import VOTE
from copycat.calibration.scores import Score, alpha, answers_of, mean_kappa, score_pairs, score_shares
from copycat.calibration.thresholds import fit_threshold, has_threshold, with_threshold
from copycat.errors import UserError
from copycat.schema import (
    Calibration,
    CalibrationCell,
    CharacterSet,
    CorrectionMethod,
    Judgement,
    PictureLabel,
    Record,
)

MIN_LABELS, MIN_OF_A_KIND = 300, 20
MAX_WORST, MIN_GROUP = 5, 5


class WayScores(Record):
    """How one way to read the judge's verdicts did."""

    name: str
    n_unanswered: int
    scores: tuple[Score, ...]


class GroupScores(Record):
    """How the judge did on the pictures of one franchise or one anchor."""

    kind: Literal["anchor", "franchise"]
    name: str
    n: int
    scores: tuple[Score, ...]


class ThresholdScores(Record):
    """A fitted threshold on the characters that it was not fitted on, beside the judge's own there.

    `use` is the judge's name with it.
    """

    threshold: float
    use: str
    n_fitted: int
    is_at_edge: bool
    held_out: tuple[Score, ...]
    held_out_own: tuple[Score, ...]


class PeopleScores(Record):
    """How people agree with each other; kappa is the mean over all pairs of them, null for anonymous votes."""

    n_people: int
    kappa: Score | None
    alpha: Score


class CalibrationReport(Record):
    """A judge against labels; `n_unsure` and `n_tied` pictures have no truth and are left out.

    `alpha` is Krippendorff's, of the judge and the people together, on all pictures.
    """

    calibration: Calibration
    n_yes: int
    n_no: int
    n_unsure: int
    n_tied: int
    ways: tuple[WayScores, ...]
    alpha: Score
    groups: tuple[GroupScores, ...]
    worst: tuple[CalibrationCell, ...]
    people: PeopleScores | None
    threshold: ThresholdScores | None
    warnings: tuple[str, ...]


class About(Record):
    """Which judge looked at what, and how rates are to be corrected for its errors."""

    judge: str
    judge_revision: str
    source: str
    method: CorrectionMethod = "rogan-gladen"


def build_report(
    about: About, characters: CharacterSet, labelled: Sequence[Labelled], verdicts: Mapping[str, Judgement]
) -> CalibrationReport:
    """Compare a judge with labels.

    Args:
        labelled: pictures with what people say of them, truth or none.
        verdicts: what the judge says, by key.

    Raises:
        UserError: no labelled picture has a verdict.
    """
    cases = [case for one in labelled if (case := build_case(one, verdicts.get(one.key))) is not None]
    ways = ways_of(cases)
    answered = ways[0].pairs
    if not answered:
        raise UserError(
            f"judge '{about.judge}' has given no verdict on a picture with a label ({len(cases)} have one)\n"
            "  needed: labels that say yes or no, of pictures that this judge has judged"
        )
    tied = [one.consensus.is_tied for one in labelled if one.consensus.truth is None]
    calibration = Calibration(
        **about.model_dump(),
        characters=characters.id,
        labels_sha256=labels_sha256(pair.case for pair in answered),
        n_labels=len(answered),
        cells=build_cells(answered),
        labels=tuple(
            PictureLabel(key=pair.case.key, image_sha256=pair.case.image_sha256, is_shown=pair.case.truth)
            for pair in answered
        ),
    )
    return CalibrationReport(
        calibration=calibration,
        n_yes=sum(case.truth for case in cases),
        n_no=sum(not case.truth for case in cases),
        n_unsure=len(tied) - sum(tied),
        n_tied=sum(tied),
        ways=tuple(
            WayScores(name=way.name, n_unanswered=way.n_unanswered, scores=score_pairs(way.pairs)) for way in ways
        ),
        alpha=_alpha(labelled, verdicts),
        groups=(*_groups("anchor", answered), *_groups("franchise", answered)),
        worst=_worst(calibration.cells),
        people=_people(labelled),
        threshold=_threshold(about.judge, cases),
        warnings=tuple(_warnings(answered)),
    )


def _alpha(labelled: Sequence[Labelled], verdicts: Mapping[str, Judgement]) -> Score:
    """Take the judge as one more of the people, also on the pictures on which these do not agree."""
    rows = []
    for one in labelled:
        verdict = verdicts.get(one.key)
        is_answer = verdict is not None and verdict.is_answered and verdict.image_sha256 == one.image_sha256
        said = [verdict.detected == one.character.id] if verdict is not None and is_answer else []
        rows.append(([*answers_of(one.consensus.opinions), *said], one.character.id))
    return alpha(rows)


def _groups(kind: Literal["anchor", "franchise"], pairs: Sequence[Pair]) -> list[GroupScores]:
    """Give the groups of at least five pictures, where there is more than one group."""
    key: Callable[[Pair], str | None] = lambda pair: pair.case.anchor if kind == "anchor" else pair.case.franchise  # noqa: E731
    names = list(dict.fromkeys(name for pair in pairs if (name := key(pair)) is not None))
    of_each = {name: [pair for pair in pairs if key(pair) == name] for name in names}
    if len(names) < 2:
        return []
    return [
        GroupScores(kind=kind, name=name, n=len(rows), scores=score_shares(rows))
        for name, rows in of_each.items()
        if len(rows) >= MIN_GROUP
    ]


def _worst(cells: Sequence[CalibrationCell]) -> tuple[CalibrationCell, ...]:
    """Give the characters with most errors, those with the larger share first where they have as many."""
    wrong = [cell for cell in cells if cell.fn + cell.fp]
    return tuple(sorted(wrong, key=lambda cell: (-(cell.fn + cell.fp), cell.tp + cell.tn))[:MAX_WORST])


def _people(labelled: Sequence[Labelled]) -> PeopleScores | None:
    """Compare people with each other on all pictures that several looked at, also where they do not agree."""
    several = [(one.consensus.opinions, one.character.id) for one in labelled if len(one.consensus.opinions) > 1]
    if not several:
        return None
    names = {name for opinions, _ in several for name in opinions}
    is_anonymous = all(name.startswith(VOTE) for name in names)
    return PeopleScores(
        n_people=len(names),
        kappa=None if is_anonymous else mean_kappa(several),
        alpha=alpha([(answers_of(opinions), character) for opinions, character in several]),
    )


def _threshold(judge: str, cases: Sequence[Case]) -> ThresholdScores | None:
    fitted = fit_threshold(cases) if has_threshold(judge) else None
    if fitted is None:
        return None
    return ThresholdScores(
        threshold=fitted.threshold,
        use=with_threshold(judge, fitted.threshold),
        n_fitted=fitted.n_fitted,
        is_at_edge=fitted.is_at_edge,
        held_out=score_pairs(fitted.held_out),
        held_out_own=score_pairs(fitted.held_out_own),
    )


def _warnings(pairs: Sequence[Pair]) -> Iterable[str]:
    n_yes = sum(pair.case.truth for pair in pairs)
    if len(pairs) < MIN_LABELS:
        yield f"only {len(pairs)} labels: the intervals are wide; {MIN_LABELS} or more are advised"
    for count, what in ((n_yes, "show"), (len(pairs) - n_yes, "do not show")):
        if count < MIN_OF_A_KIND:
            yield (
                f"only {count} labelled pictures {what} their character: {MIN_OF_A_KIND} or more are needed to say how "
                f"often the judge {'sees it' if what == 'show' else 'is right to say no'}"
            )
