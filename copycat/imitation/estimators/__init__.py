"""The table of estimators: what each asks of scores against counts, and the code behind it."""

from __future__ import annotations

from copycat.registry import Registry
from copycat.schema import Record


class EstimatorRow(Record):
    """One estimator: `target` is a function `(curve, asked) -> Answer`, see estimators/base.py.

    `scale_free`: its answer stays the same when scores are stretched or moved.
    """

    name: str
    target: str
    scale_free: bool = True
    meaning: str = ""


_HERE = "copycat.imitation.estimators"
ESTIMATORS = Registry(
    "estimator",
    (
        EstimatorRow(name="supf", target=f"{_HERE}.supf:answer", meaning="one step; p by permutation"),
        EstimatorRow(name="pelt", target=f"{_HERE}.pelt:answer", meaning="steps; the penalty follows the noise"),
        EstimatorRow(name="isotonic", target=f"{_HERE}.isotonic:answer", meaning="rises out of the control band"),
        EstimatorRow(name="logistic", target=f"{_HERE}.logistic:answer", meaning="smooth dose-response, ED50"),
        EstimatorRow(
            name="published",
            target=f"{_HERE}.published:answer",
            scale_free=False,
            meaning="PELT with penalty 0.9, first point; for comparison only",
        ),
    ),
)
