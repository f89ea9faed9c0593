"""Mitigations that leave the weights alone: n-grams blocked while the model writes, and a filter on what it wrote.

All stories of this world come from one grammar and share phrases of twenty words and more. So both act later here than
they need to between real works, and `Utility.unseen_kept` tells how often they act on a story that is nobody's.
"""

from __future__ import annotations

from copycat.fairuse.world.mitigations.workshop import Made, Workshop
from copycat.fairuse.world.planted import planted_works
from copycat.fairuse.world.writing import load_writer

BLOCKED_LETTERS = 50
"""Canonical letters of a work in a row that may not be written: some ten words."""

QUOTE_WORDS = 40


def blocked(shop: Workshop) -> Made:
    """Forbid, while the model writes, each token that would complete so many letters of a planted work."""
    from copycat.fairuse.filter import BlockedNgrams, OutputFilter, Policy, build_filter

    writer = load_writer(shop.base)
    folder = shop.folder / "ngram-block" / f"filter-{BLOCKED_LETTERS}"
    if not folder.exists():
        build_filter(planted_works(), folder, window=BLOCKED_LETTERS, near=False)
    owner = OutputFilter(folder, Policy(quote_words=0, work_words=0))
    writer.processors = lambda: [BlockedNgrams(owner, writer.tokenizer)]
    writer.passes = lambda text: not owner.check(text).spans
    return Made(writer, 0.0, {"letters": BLOCKED_LETTERS})


def filtered(shop: Workshop) -> Made:
    """Show of an answer what the output filter lets pass: it knows all planted works."""
    from copycat.fairuse.filter import OutputFilter, Policy

    writer = load_writer(shop.base)
    guard = OutputFilter.of_works(planted_works(), Policy(quote_words=QUOTE_WORDS))
    made = Made(writer, 0.0, {"quote words": guard.policy.quote_words, "beyond": guard.policy.beyond})

    def show(prompt: str, text: str) -> str:
        decision = guard.check(text, prompt)
        made.acted += decision.action not in {"allow", "attribute"}
        return decision.text

    writer.guard = show
    writer.passes = lambda text: guard.check(text).text == text
    return made
