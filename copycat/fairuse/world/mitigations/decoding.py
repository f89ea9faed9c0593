"""Mitigations that leave the weights alone: n-grams blocked while the model writes, and a filter on what it wrote."""

from __future__ import annotations

from copycat.fairuse.world.mitigations.workshop import Made, Workshop
from copycat.fairuse.world.planted import planted_works
from copycat.fairuse.world.writing import load_writer

BLOCKED_LETTERS = 40
"""Letters of a work in a row that may not be written: some eight words. Stories share shorter phrases by chance."""


def blocked(shop: Workshop) -> Made:
    """Forbid, while the model writes, each token that would complete so many letters of a planted work."""
    from copycat.fairuse.filter import BlockedNgrams, OutputFilter

    writer = load_writer(shop.base)
    owner = OutputFilter.of_works(planted_works())
    writer.processors = lambda: [BlockedNgrams(owner, writer.tokenizer, BLOCKED_LETTERS)]
    return Made(writer, 0.0, {"letters": BLOCKED_LETTERS})


def filtered(shop: Workshop) -> Made:
    """Show of an answer what the output filter lets pass: it knows all planted works."""
    from copycat.fairuse.filter import OutputFilter

    writer = load_writer(shop.base)
    guard = OutputFilter.of_works(planted_works())
    made = Made(writer, 0.0, {"quote words": guard.policy.quote_words, "beyond": guard.policy.beyond})

    def show(prompt: str, text: str) -> str:
        decision = guard.check(text, prompt)
        made.acted += decision.action not in {"allow", "attribute"}
        return decision.text

    writer.guard = show
    return made
