"""The small language model with planted works: the sandbox of texts.

grammar.yaml   templates and words; stories.py: facts and tellings; planted.py: works, copies, notes, questions
tokens.py      the vocabulary; training.py: the model; weights/: what is shipped; writing.py: how it is asked
measuring.py   extraction, utility, degenerate answers; mitigations/: each measured as a triple; records.py

A figure of this world says something about the instrument and about mechanisms, never about real models.
"""

from copycat.fairuse.world.planted import (
    Question,
    all_works,
    background_texts,
    copies_of,
    held_out_works,
    paraphrases_of,
    planted_works,
    questions_of,
)

__all__ = [
    "Question",
    "all_works",
    "background_texts",
    "copies_of",
    "held_out_works",
    "paraphrases_of",
    "planted_works",
    "questions_of",
]
