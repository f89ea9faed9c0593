"""What was done to a picture beside its prompt and negative prompt, in words for pages: weights, guide, attack."""

from __future__ import annotations

from copycat.schema import Attack, Sample


def changes_of(sample: Sample) -> tuple[str, ...]:
    """Tell the erasure, the guide and the attack of a sample, a line each; () where there was none."""
    told = []
    if (erasure := sample.erasure) is not None:
        told.append(f"weights: {', '.join(erasure.concepts)} erased by {erasure.method}")
    if (guide := sample.guide) is not None:
        told.append(f"guided by {guide.method}, away from {', '.join(guide.concept)}")
    if sample.attack is not None:
        told.append(f"attacked by {_attack(sample.attack)}")
    return tuple(told)


def _attack(attack: Attack) -> str:
    window = "" if (attack.start, attack.end) == (0, 1) else f", in the steps from {attack.start:g} to {attack.end:g}"
    terms = " ".join(f"{'-' if t.weight < 0 else '+'} {_times(t.weight)}“{t.text}”" for t in attack.terms)
    prefix = f"{len(attack.prefix)} tokens in front, {', '.join(map(str, attack.prefix))}" if attack.prefix else ""
    learned = f"learned embeddings {attack.learned[:8]}" if attack.learned else ""
    return f"{attack.method}: {'; '.join(part for part in (terms, prefix, learned) if part)}{window}"


def _times(weight: float) -> str:
    return "" if abs(weight) == 1 else f"{abs(weight):g} "
