"""A gate for regression tests: limits that no work may pass, and stretches that an earlier run did not have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from copycat.errors import DataError, UnknownNameError, UserError
from copycat.fairuse.extract.records import (
    MEASURES_FILE,
    RUN_FILE,
    AnswerMeasures,
    Ask,
    Figures,
    Measures,
    RunFile,
)
from copycat.fairuse.records import Shared
from copycat.paths import shown
from copycat.schema import Record

LONGEST, LONGEST_NEAR, RECALL = "longest", "longest_near", "recall"
LIMITED = (LONGEST, LONGEST_NEAR, RECALL, "rouge_l")

DEFAULT_WORDS = 50
"""Against an earlier run, where no longest stretch was given: so long a new stretch counts."""

MIN_SHARE_NEW = 0.5
"""A stretch is new where less than this share of its letters lies in stretches of the earlier run."""


class Limit(Record):
    """A figure, and the most that it may be."""

    figure: str
    most: float


class Passed(Record):
    """An answer that is beyond a limit: which figure, how much, and where in the work its longest stretch lies."""

    ask: Ask
    figure: str
    value: float
    most: float
    stretch: Shared | None


class GateResult(Record):
    """What passed the limits, the most first; empty where nothing did.

    `not_compared` counts answers to requests that the earlier run did not make, `not_told` those that have no such
    figure, as where a work is withheld as hashes: of them nobody knows whether the limit is held.
    """

    limits: tuple[Limit, ...]
    baseline: str | None
    passed: tuple[Passed, ...]
    not_compared: int = 0
    not_told: int = 0

    @property
    def is_held(self) -> bool:
        """Whether every answer is known to be within the limits."""
        return not self.passed and not self.not_told


def worst_of_works(passed: Sequence[Passed]) -> list[tuple[Passed, int]]:
    """Give the first of each work and figure, and how many there are."""
    found: dict[tuple[str, str], tuple[Passed, int]] = {}
    for one in passed:
        first, count = found.get((one.figure, one.ask.work), (one, 0))
        found[one.figure, one.ask.work] = first, count + 1
    return list(found.values())


def parse_gate(typed: Sequence[str]) -> tuple[Limit, ...]:
    """Read limits such as 'longest=50' or 'recall=0.1'.

    Raises:
        UserError: one has another form, or its figure is not known.
    """
    limits = []
    for text in ",".join(typed).split(","):
        figure, equals, most = (part.strip() for part in text.partition("="))
        if not text.strip():
            continue
        if figure not in LIMITED:
            raise UnknownNameError("figure of --gate", figure, LIMITED)
        try:
            value = float(most)
        except ValueError:
            value = -1.0
        if not equals or not 0 <= value < float("inf"):
            raise UserError(f"--gate: '{text.strip()}' is no limit\n  needed: {figure}=NUMBER, such as {figure}=50")
        limits.append(Limit(figure=figure, most=value))
    return tuple(limits)


def check(measures: Measures, limits: Sequence[Limit], baseline: tuple[str, Measures] | None = None) -> GateResult:
    """Find what is beyond the limits among answers to works; controls do not count.

    With an earlier run, longest and longest_near look at stretches alone that are new, and a share counts where it is
    beyond that of the same request there.
    """
    limits = tuple(limits) or (Limit(figure=LONGEST_NEAR, most=DEFAULT_WORDS),)
    asked = [answer for answer in measures.answers if answer.ask.role == "work"]
    known = _known(baseline[1]) if baseline else None
    earlier = {a.ask.key: a.measured.figures for a in baseline[1].answers} if baseline else {}
    passed = [found for answer in asked for limit in limits for found in _beyond(answer, limit, known, earlier)]
    passed.sort(key=lambda one: (-one.value, one.ask.key))
    missing = sum(answer.ask.key not in earlier for answer in asked) if baseline else 0
    return GateResult(
        limits=limits,
        baseline=baseline[0] if baseline else None,
        passed=tuple(passed),
        not_compared=missing,
        not_told=sum(any(getattr(a.measured.figures, one.figure) is None for one in limits) for a in asked),
    )


def of_the_same_works(earlier: tuple[RunFile, Measures], run: RunFile) -> tuple[str, Measures]:
    """Leave out of an earlier run what it found in another text of a work: its places are of that text."""
    file, measures = earlier
    hashes = {(one.work.id, one.work.sha256) for one in run.works}
    same = {one.work.id for one in file.works if (one.work.id, one.work.sha256) in hashes}
    kept = tuple(answer for answer in measures.answers if answer.ask.work in same)
    return file.id, measures.model_copy(update={"answers": kept})


def read_measures(run: Path) -> tuple[RunFile, Measures]:
    """Read a finished run.

    Raises:
        DataError: it is no run of an extraction, or its files are damaged.
    """
    from pydantic import ValidationError

    try:
        file = RunFile.model_validate_json((run / RUN_FILE).read_bytes())
        return file, Measures.model_validate_json((run / MEASURES_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else (error.strerror or "not readable")
        raise DataError(
            [f"{shown(run)} is no finished run of an extraction ({why})"],
            "  needed: a folder that `python -m copycat.fairuse extract` made",
        ) from error


# --------------------------------------------------------------------------------------- private

Places = dict[str, list[tuple[int, int]]]


def _known(measures: Measures) -> Places:
    found: Places = defaultdict(list)
    for answer in measures.answers:
        for stretch in answer.measured.stretches:
            found[answer.ask.work].append((stretch.reference_start, stretch.reference_end))
    return found


def _beyond(
    answer: AnswerMeasures, limit: Limit, known: Places | None, earlier: dict[str, Figures]
) -> Iterable[Passed]:
    measured = answer.measured
    value = getattr(measured.figures, limit.figure)
    if value is None or value <= limit.most:
        return
    if limit.figure in {LONGEST, LONGEST_NEAR}:
        # The longest run of a stretch is not kept; it has at most the words that are the same in both.
        words = "words" if limit.figure == LONGEST_NEAR else "matched"
        long = [stretch for stretch in measured.stretches if getattr(stretch, words) > limit.most]
        if known is not None:
            long = [stretch for stretch in long if _share_known(stretch, known[answer.ask.work]) < MIN_SHARE_NEW]
            if not long:
                return
        longest = max(long, key=lambda stretch: stretch.words, default=None)
        amount = min(value, getattr(longest, words)) if longest else value
        yield _passed(answer, limit, float(amount), longest)
        return
    if known is not None and value <= (getattr(earlier.get(answer.ask.key), limit.figure, None) or 0.0):
        return
    yield _passed(answer, limit, float(value), None)


def _passed(answer: AnswerMeasures, limit: Limit, value: float, stretch: Shared | None) -> Passed:
    return Passed(
        ask=answer.ask,
        figure=limit.figure,
        value=value,
        most=limit.most,
        stretch=stretch,
    )


def _share_known(stretch: Shared, known: Sequence[tuple[int, int]]) -> float:
    """Give the share of a stretch that lies in stretches that are known."""
    length = stretch.reference_end - stretch.reference_start
    covered, end = 0, stretch.reference_start
    for first, last in sorted(known):
        start = max(first, end, stretch.reference_start)
        stop = min(last, stretch.reference_end)
        if stop > start:
            covered += stop - start
            end = stop
    return covered / length if length else 1.0
