"""The table of names: every mitigation that `world mitigate` measures."""

from __future__ import annotations

from copycat.fairuse.world.mitigations import decoding, training_side
from copycat.fairuse.world.mitigations.workshop import Method

METHODS: tuple[Method, ...] = (
    Method("none", "none", "the shipped model, no mitigation", training_side.none),
    Method("ngram-block", "none", "runs of the works' letters blocked while writing", decoding.blocked),
    Method("filter", "none", "output filter on what was written", decoding.filtered),
    Method("preference", "none", "trained to prefer paraphrases (DPO)", training_side.preferring),
    Method("retrain", "retrain", "a small model trained anew, no mitigation", training_side.again),
    Method("dedup-exact", "retrain", "exact repetitions removed, trained anew", training_side.without_repetitions),
    Method("dedup", "retrain", "exact and near copies removed, trained anew", training_side.without_near_copies),
    Method("cap", "retrain", f"at most {training_side.CAP} copies of a work, trained anew", training_side.with_cap),
    Method(
        "fine-tune", "fine-tune", "a small model, background first, then tuned on the works", training_side.fine_tuned
    ),
    Method("dp", "fine-tune", "the same, tuned with differential privacy by work", training_side.private),
)

NAMES = tuple(method.name for method in METHODS)
