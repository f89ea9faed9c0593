"""Names that are common words: "Link", "Woody". Their counts say little of the character."""

from __future__ import annotations

from copycat.corpus.counting import Counts

MIN_DOCUMENTS = 20
MIN_SHARE = 0.5


def common_word_warnings(
    counts: Counts, *, min_documents: int = MIN_DOCUMENTS, min_share: float = MIN_SHARE
) -> list[str]:
    """Say which names of one word are written like common words.

    The rule: who writes capitals writes names with one. Of the documents that have a capital elsewhere, a name
    is told where at least `min_share` write it without ("follow the link to Amazon"), unless there are fewer than
    `min_documents`. A corpus in small letters tells nothing by this rule, and a word that begins sentences or titles
    ("Link in bio") looks like a name to it: silence is no proof.

    Returns:
        A sentence for each name, in the order of the characters.
    """
    return [
        f"{who}: '{alias}' is written in small letters in {lower:,} of {cased:,} documents that have capitals "
        f"({lower / cased:.0%}): most of them may mean the common word"
        for who, aliases in counts.cased.items()
        for alias, cased in aliases.items()
        if cased >= min_documents and (lower := counts.lower[who].get(alias, 0)) >= min_share * cased
    ]
