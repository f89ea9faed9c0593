"""Captions and documents by the million: read as a stream, counted exactly as `copycat.names` reads names.

reading.py     files and folders of Parquet, JSONL, CSV and text, gzipped or not; the column of the texts
lines.py       rows of text files; batches.py: units of a corpus, and batches of texts
footers.py     what the footer of a Parquet file says of its columns
sieve.py       a library's search over whole batches; duplicates.py: texts that were there before
named_rows.py  what is kept of rows that name a character, to tell their pictures apart
units.py       batches -> tallies (tally.py); executors.py: in threads, processes or on Ray
checkpoint.py  finished units in a folder
counting.py    how many documents name a character, hold a phrase, or both
phrases.py     the words that stand beside a name; common_words.py: names that are common words
"""

from copycat.corpus.common_words import common_word_warnings
from copycat.corpus.counting import Counts, NamedRows, count_documents, count_named_rows
from copycat.corpus.named_rows import picture_columns
from copycat.corpus.phrases import Phrase, collect_phrases
from copycat.corpus.reading import Corpus, CorpusFacts, open_corpus, shared_columns

__all__ = [
    "Corpus",
    "CorpusFacts",
    "Counts",
    "NamedRows",
    "Phrase",
    "collect_phrases",
    "common_word_warnings",
    "count_documents",
    "count_named_rows",
    "open_corpus",
    "picture_columns",
    "shared_columns",
]
