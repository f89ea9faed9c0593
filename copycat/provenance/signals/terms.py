"""The words of the standards -> our uses.

Why each word stands for what it does:

- `train-ai` of AIPREF is, by its definition, the training of a generative model. Labels of older drafts (`tdm`, `ai`,
  `genai`, `train-genai`, `bots`) can still be met; their refusals count, their permissions do not, because no standard
  in force says what they permit.
- `ai-train` of Content Signals and RSL is training or fine-tuning of whatever model; `ai-input` is grounding and
  retrieval, our inference. `ai-index` of RSL is an index for such retrieval, so it is inference, not search.
- A TDM reservation is the one of Article 4 of Directive (EU) 2019/790. Recital 105 and Article 53(1)(c) of the AI Act
  (Regulation (EU) 2024/1689) say that training is mining in this sense; so it speaks of mining and of both trainings.
- `noai` and `noimageai` were made against training (2022), and say "no AI" in so many words: both trainings, inference.
- CAWG has an entry for each of our uses but search; its `data_mining` leaves training to the others.
- PLUS says "Prohibited except for search engine indexing": so indexing is data mining there, and a plain
  "Prohibited" speaks of search, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from copycat.provenance.records import USES, Answer, Use

Answers = dict[Use, Answer]

TRAININGS: tuple[Use, ...] = ("training", "generative-training")
NOT_SEARCH: tuple[Use, ...] = ("training", "generative-training", "mining", "inference")

AIPREF: dict[str, tuple[Use, ...]] = {
    "train-ai": ("generative-training",),
    "ai-use": ("inference",),
    "search": ("search",),
}
OLD_AIPREF: dict[str, tuple[Use, ...]] = {
    "train-genai": ("generative-training",),
    "genai": ("generative-training",),
    "ai-train": TRAININGS,
    "ai": ("training", "generative-training", "inference"),
    "tdm": ("training", "generative-training", "mining"),
    "ai-input": ("inference",),
    "inference": ("inference",),
    "bots": USES,
    "all": USES,
    "*": USES,
}
CONTENT_SIGNAL: dict[str, tuple[Use, ...]] = {
    "ai-train": TRAININGS,
    "ai-input": ("inference",),
    "search": ("search",),
}
TDM: tuple[Use, ...] = ("training", "generative-training", "mining")
NOAI: tuple[Use, ...] = ("training", "generative-training", "inference")
RSL: dict[str, tuple[Use, ...]] = {
    "all": USES,
    "ai-all": ("training", "generative-training", "inference"),
    "ai-train": TRAININGS,
    "ai-input": ("inference",),
    "ai-index": ("inference",),
    "search": ("search",),
    "ai-use": ("inference",),
    "train-ai": TRAININGS,
    "train-genai": ("generative-training",),
    "ai-summarize": ("inference",),
}
"""The last four are of drafts before 1.0 and still served."""
RSL_DRAFT = {"ai-use", "train-ai", "train-genai", "ai-summarize"}
CAWG: dict[str, tuple[Use, ...]] = {
    "data_mining": ("mining",),
    "ai_inference": ("inference",),
    "ai_generative_training": ("generative-training",),
    "ai_training": ("training",),
}
PLUS: dict[str, tuple[tuple[Use, ...], Answer, str]] = {
    "DMI-UNSPECIFIED": ((), "unknown", ""),
    "DMI-ALLOWED": (NOT_SEARCH, "allow", ""),
    "DMI-PROHIBITED-AIMLTRAINING": (TRAININGS, "deny", ""),
    "DMI-PROHIBITED-GENAIMLTRAINING": (("generative-training",), "deny", ""),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": (NOT_SEARCH, "deny", ""),
    "DMI-PROHIBITED-SEECONSTRAINT": (USES, "deny", "but for what plus:OtherConstraints names"),
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": (USES, "deny", "but for what an embedded rights expression names"),
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": (USES, "deny", "but for what a linked rights expression names"),
    "DMI-PROHIBITED": (USES, "deny", ""),
}


def answers_of(uses: Iterable[Use], answer: Answer) -> Answers:
    """Give one answer for several uses."""
    return dict.fromkeys(uses, answer)


def widened(answers: Mapping[Use, Answer]) -> Answers:
    """Let a refusal of one kind of training speak of the other, where the same statement is silent on that.

    Training a generative model is training; and "any model" takes in the generative ones. A statement that names both
    (CAWG can) is left as it is.
    """
    wide = dict(answers)
    for one, other in (TRAININGS, TRAININGS[::-1]):
        if answers.get(one) == "deny" and answers.get(other, "unknown") == "unknown":
            wide[other] = "deny"
    return wide


def strictest(first: Mapping[Use, Answer], second: Mapping[Use, Answer]) -> Answers:
    """Join two statements of equal rank: any deny wins, then any allow (AIPREF vocabulary, "Combining Preferences")."""
    order: tuple[Answer, ...] = ("deny", "allow", "unknown")
    joined: Answers = {}
    for use in USES:
        said = [answers[use] for answers in (first, second) if use in answers]
        if said:
            joined[use] = min(said, key=order.index)
    return joined


def unread() -> Answers:
    """Give the answers of a statement that is there and cannot be read: unknown, which another's allow cannot mend."""
    return dict.fromkeys(USES, "unknown")
