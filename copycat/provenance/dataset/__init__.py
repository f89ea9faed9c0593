"""A dataset of any of the usual forms: its files, its card, and its records in batches, never all at once.

opening.py   a path -> Dataset (which kind it is, which files are data, where its sidecar lies)
files.py     the files of a folder, the kind and split of each
card.py      README.md with YAML front matter, croissant.json
contact.py   whom the dataset names for questions and removals
columns.py   standard names of columns, and what others call them
batches.py   Batch, Fault: what readers yield
declared.py  which files a card says hold the records, and of which split
parquet.py   Parquet -> batches      tables.py   JSONL and CSV -> batches      archives.py   WebDataset -> batches
folders.py   a folder of files, with metadata beside them -> batches
pictures.py  whether bytes are a picture that can be read
present.py   a batch without the records that were removed
unread.py    what could not be read, for an answer that says what it does not cover
ahead.py     read the next batches while the last one is looked at
"""

from copycat.provenance.dataset.batches import Batch, Fault
from copycat.provenance.dataset.card import Card
from copycat.provenance.dataset.files import DataFile
from copycat.provenance.dataset.opening import Dataset, open_dataset

__all__ = ["Batch", "Card", "DataFile", "Dataset", "Fault", "open_dataset"]
