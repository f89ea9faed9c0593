"""Captions and documents by the million: read as a stream, counted exactly as `copycat.names` reads names.

reading.py   files and folders of Parquet, JSONL, CSV and text, gzipped or not -> batches of texts
sieve.py     which of them may hold a name or a phrase
counting.py  how many documents name a character, hold a phrase, or both
phrases.py   the words that stand beside a name
"""

from copycat.corpus.counting import Counts, count_documents
from copycat.corpus.phrases import Phrase, collect_phrases
from copycat.corpus.reading import Corpus, CorpusFacts, open_corpus

__all__ = ["Corpus", "CorpusFacts", "Counts", "Phrase", "collect_phrases", "count_documents", "open_corpus"]
