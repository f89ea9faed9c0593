"""Any open_clip model as a judge: zero-shot over names and distractors, or by likeness to a user's pictures.

Zero-shot. A character is as probable as the best of its names and aliases. It competes with the other
characters and with DISTRACTORS, which stand for "none of them": general things, and for each character
its own key characteristic, so that a cartoon mouse is not yet *the* mouse. Softmax over all of them; the
best character counts from the threshold on. CONS is the probability of the key characteristic among those
of the set. Source: Radford et al. 2021 (arXiv:2103.00020), section 3.1, for zero-shot and templates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL.Image import Image

from copycat.judges import Judge, JudgeRow, Verdict
from copycat.judges.likeness import Likeness, threshold_fact
from copycat.judges.open_clip_encoder import OpenClipEncoder
from copycat.judges.open_clip_judge import SETTINGS_FILE, OpenClipJudge, rounded, things_asked_for
from copycat.judges.open_clip_weights import FolderWeights, find_weights
from copycat.judges.references import References
from copycat.schema import CharacterSet

TEMPLATES = ("a picture of {}", "a drawing of {}", "a film still of {}")
"""Each text is the mean of its vectors in all of these."""

DISTRACTORS = (
    "an unknown character",
    "a generic cartoon animal",
    "a generic cartoon person",
    "a person",
    "an animal",
    "a person in a costume",
    "a robot",
    "a monster",
    "a toy",
    "an object",
    "a landscape",
    "a pattern",
)
THING = "a {}"

DEFAULT_PROBABILITY = 0.5
"""UNCALIBRATED. From here on one character is more probable than everything else together."""

DEFAULT_COSINE = 0.8
"""UNCALIBRATED. Cosine to the nearest reference; open_clip's vectors of any two pictures are fairly similar."""


def build(row: JudgeRow, device: str) -> Judge:
    """Make the judge of a name: one with its own texts where judge.json lies beside the weights."""
    weights = find_weights(row.source, f"judge '{row.name}'", row.revision)
    if row.references is not None:
        return LikenessJudge(row, OpenClipEncoder(weights, device))
    if isinstance(weights, FolderWeights) and (weights.folder / SETTINGS_FILE).is_file():
        return OpenClipJudge(row, device)
    return ZeroShotJudge(row, OpenClipEncoder(weights, device))


class ZeroShotJudge:
    """Compares pictures with texts."""

    def __init__(self, row: JudgeRow, encoder: OpenClipEncoder) -> None:
        self.row, self.encoder = row, encoder
        self.threshold = DEFAULT_PROBABILITY if row.threshold is None else row.threshold

    def revision(self) -> str:
        """Hash weights, texts and threshold."""
        texts = (*TEMPLATES, *DISTRACTORS, THING)
        return sha40("zero-shot-1", self.encoder.weights.identity(), repr(self.threshold), *texts)

    def facts(self) -> dict[str, str]:
        """Say where the weights come from, and what decides."""
        return {
            **self.encoder.weights.facts(),
            "threshold": threshold_fact(self.row.threshold, DEFAULT_PROBABILITY, "probability"),
            "templates": " | ".join(TEMPLATES),
        }

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol."""
        seen = self.encoder.embed_pictures(pictures)
        best, place = who_is_shown(self.encoder, seen, characters).max(dim=1)
        consistencies = zero_shot_consistencies(self.encoder, seen, asked_for, characters)
        return [
            Verdict(
                detected=characters.characters[int(i)].id if float(p) >= self.threshold else None,
                confidence=rounded(float(p)),
                consistency=consistency,
            )
            for p, i, consistency in zip(best, place, consistencies, strict=True)
        ]

    def rate(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        """Give CONS alone; see the protocol."""
        return zero_shot_consistencies(self.encoder, self.encoder.embed_pictures(pictures), asked_for, characters)


class LikenessJudge:
    """Compares pictures with a user's pictures; CONS stays zero-shot."""

    def __init__(self, row: JudgeRow, encoder: OpenClipEncoder) -> None:
        self.row, self.encoder = row, encoder
        self.references = References(Path(row.references or ""), f"judge '{row.name}'")

    def revision(self) -> str:
        """Hash weights, references, texts and threshold."""
        parts = (self.references.sha256, repr(self.likeness.threshold), *TEMPLATES, THING)
        return sha40("likeness-1", self.encoder.weights.identity(), *parts)

    def facts(self) -> dict[str, str]:
        """Say where weights and references come from, and what decides."""
        threshold = threshold_fact(self.row.threshold, DEFAULT_COSINE, "cosine")
        return {**self.encoder.weights.facts(), **self.references.facts(), "threshold": threshold}

    def check(self, characters: CharacterSet) -> None:
        """Read every reference; see the protocol."""
        self.references.of(characters)

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol."""
        seen = self.encoder.embed_pictures(pictures)
        verdicts = self.likeness.verdicts(seen, asked_for, characters)
        rated = zero_shot_consistencies(self.encoder, seen, asked_for, characters)
        return [v._replace(consistency=c) if v.is_answered else v for v, c in zip(verdicts, rated, strict=True)]

    def rate(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        """Give CONS alone; see the protocol."""
        return zero_shot_consistencies(self.encoder, self.encoder.embed_pictures(pictures), asked_for, characters)

    @cached_property
    def likeness(self) -> Likeness:
        """The comparison."""
        threshold = DEFAULT_COSINE if self.row.threshold is None else self.row.threshold
        return Likeness(self.references, self.encoder.embed_pictures, threshold)


def who_is_shown(encoder: OpenClipEncoder, seen: Any, characters: CharacterSet) -> Any:
    """Give the probability of each character, (N, characters) on the CPU; distractors take the rest."""
    import torch

    people = characters.characters
    named = [(place, text) for place, who in enumerate(people) for text in (who.name, *who.aliases)]
    distractors = (*DISTRACTORS, *dict.fromkeys(THING.format(who.key_characteristic) for who in people))
    texts = (*(text for _, text in named), *distractors)
    with torch.inference_mode():
        logits = (encoder.scale * seen @ embed_with_templates(encoder, texts).T).float().cpu()
        owners = torch.tensor([place for place, _ in named]).expand(len(logits), -1)
        best = torch.full((len(logits), len(people)), -torch.inf)
        best = best.scatter_reduce(1, owners, logits[:, : len(named)], "amax")
        return torch.cat([best, logits[:, len(named) :]], dim=1).softmax(dim=1)[:, : len(people)]


def zero_shot_consistencies(
    encoder: OpenClipEncoder, seen: Any, asked_for: Sequence[str], characters: CharacterSet
) -> list[float | None]:
    """Give CONS: the probability of the key characteristic asked for, among those of the set."""
    import torch

    things, wanted = things_asked_for(asked_for, characters)
    with torch.inference_mode():
        vectors = embed_with_templates(encoder, tuple(THING.format(thing) for thing in things))
        shares = (encoder.scale * seen @ vectors.T).float().softmax(dim=1).cpu()
    return [rounded(float(row[place])) for row, place in zip(shares, wanted, strict=True)]


def embed_with_templates(encoder: OpenClipEncoder, texts: tuple[str, ...]) -> Any:
    """Give (len(texts), D): of each text the mean of its vectors in all templates, of length 1 again."""
    import torch

    with torch.inference_mode():
        vectors = [encoder.embed_texts(tuple(template.format(text) for text in texts)) for template in TEMPLATES]
        return torch.nn.functional.normalize(torch.stack(vectors).mean(dim=0), dim=-1)


def sha40(*parts: str) -> str:
    """Hash texts into 40 hex digits, as long as a commit id."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
