"""Words with their places in a text, as they stand and in the canonical form in which evasions are equal."""

from copycat.fairuse.text.canonical import canonical
from copycat.fairuse.text.pairs import canonical_pair
from copycat.fairuse.text.reading import MAX_TEXT_BYTES, read_text
from copycat.fairuse.text.words import Words, words_of

__all__ = ["MAX_TEXT_BYTES", "Words", "canonical", "canonical_pair", "read_text", "words_of"]
