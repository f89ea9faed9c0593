"""The table of names: every mitigation that `world mitigate` measures."""

from __future__ import annotations

from copycat.fairuse.world.mitigations import decoding, training_side
from copycat.fairuse.world.mitigations.workshop import Method

METHODS: tuple[Method, ...] = (
    Method("none", "no mitigation", training_side.none),
    Method("dedup-exact", "exact repetitions removed, trained anew", training_side.without_repetitions),
    Method("dedup", "exact and near copies removed, trained anew", training_side.without_near_copies),
    Method("cap", f"at most {training_side.CAP} copies of a work, trained anew", training_side.with_cap),
    Method("ngram-block", "n-grams of the works blocked while writing", decoding.blocked),
    Method("filter", "output filter on what was written", decoding.filtered),
    Method("preference", "trained to prefer paraphrases (DPO)", training_side.preferring),
    Method("fine-tune", "background, then tuned on the works without privacy", training_side.fine_tuned),
    Method("dp", "background, then tuned on the works with privacy by work", training_side.private),
)

NAMES = tuple(method.name for method in METHODS)
