"""The table of estimators: what each asks of scores against counts, and the code behind it.

To add one: a file here with a function `answer`, a row below, a test, a line in docs/imitation.md.
"""

from __future__ import annotations

from copycat.errors import UnknownNameError
from copycat.registry import Registry
from copycat.schema import Record


class EstimatorRow(Record):
    """One estimator, and all that tables and plots need to show it.

    `target` is a function `(curve, asked) -> Answer`, see estimators/base.py. `title` is its name as people read it,
    `meaning` what it asks. `tone` is its colour: a class `t<tone>` of plot.css.

    `is_stepped`: what it fits stays level from one count to the next, and changes at the first count above.
    `needs_levels`: it puts a step only where `MIN_SEGMENT` concepts are on either side.
    `is_comparison`: it is shown for comparison only, and never weighed against the others.
    """

    name: str
    target: str
    title: str
    meaning: str = ""
    tone: str = "e"
    is_stepped: bool = False
    needs_levels: bool = False
    is_comparison: bool = False


_HERE = "copycat.imitation.threshold.estimators"
ESTIMATORS = Registry(
    "estimator",
    (
        EstimatorRow(
            name="supf",
            target=f"{_HERE}.supf:answer",
            title="sup-F",
            meaning="one step between two levels; p by shuffling the scores",
            tone="a",
            is_stepped=True,
            needs_levels=True,
        ),
        EstimatorRow(
            name="pelt",
            target=f"{_HERE}.pelt:answer",
            title="PELT",
            meaning="as many steps as pay for themselves, with a penalty that follows the noise; the first is the "
            "answer",
            tone="b",
            is_stepped=True,
            needs_levels=True,
        ),
        EstimatorRow(
            name="isotonic",
            target=f"{_HERE}.isotonic:answer",
            title="isotonic",
            meaning="the best curve that never falls; where it leaves the control band",
            tone="c",
            is_stepped=True,
        ),
        EstimatorRow(
            name="logistic",
            target=f"{_HERE}.logistic:answer",
            title="logistic",
            meaning="a smooth dose-response; its answer is ED50, where half of the rise is reached",
            tone="d",
        ),
        EstimatorRow(
            name="published",
            target=f"{_HERE}.published:answer",
            title="published",
            meaning="the setting of arXiv 2410.15002 (PELT, penalty 0.9, first step); it depends on the scale of the "
            "score, and is shown for comparison only",
            tone="x",
            is_stepped=True,
            is_comparison=True,
        ),
    ),
)


def row_of(estimator: str) -> EstimatorRow:
    """Give the row of an answer's estimator; a plain one for a name that the table lacks: analyses are files."""
    try:
        return ESTIMATORS.get(estimator)
    except UnknownNameError:
        return EstimatorRow(name=estimator, target="", title=estimator)
