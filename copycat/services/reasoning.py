"""What models think aloud before their answer, between two marks that most of them share."""

from __future__ import annotations

START, END = "<think>", "</think>"


def after_reasoning(words: str) -> str | None:
    """Give what stands behind the reasoning, all words where there is none; None where they are reasoning only."""
    _, end, answer = words.rpartition(END)
    return None if not end and START in words else answer
