"""Captions and documents by the million: read as a stream, counted exactly as `copycat.names` reads names.

reading.py     files and folders of Parquet, JSONL, CSV and text, gzipped or not; the column of the texts
lines.py       rows of text files; batches.py: units of a corpus, and batches of texts
sieve.py       a library's search over whole batches; duplicates.py: texts that were there before
units.py       batches -> tallies (tally.py); executors.py: in threads, processes or on Ray
checkpoint.py  finished units in a folder
counting.py    how many documents name a character, hold a phrase, or both
phrases.py     the words that stand beside a name; common_words.py: names that are common words
"""

from copycat.corpus.common_words import common_word_warnings
from copycat.corpus.counting import Counts, count_documents
from copycat.corpus.phrases import Phrase, collect_phrases
from copycat.corpus.reading import Corpus, CorpusFacts, open_corpus

__all__ = [
    "Corpus",
    "CorpusFacts",
    "Counts",
    "Phrase",
    "collect_phrases",
    "common_word_warnings",
    "count_documents",
    "open_corpus",
]
