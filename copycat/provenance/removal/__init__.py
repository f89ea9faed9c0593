"""Removals: tombstones, and what follows from them: files, splits, derived datasets, counts, models.

removing.py    what is done, in which order             planning.py    to which records, and where they lie
log.py         removals.jsonl, appended only, sealed
finding.py     where records lie: id, place, content    rewriting.py   data files without them
scrubbing.py   what a tombstone keeps                   exposure.py    pictures of a concept in each version
around.py      counts before and after it                rules.py       P3
"""

from copycat.provenance.removal.records import Exposure, LogLine, Options, Removal
from copycat.provenance.removal.removing import remove

__all__ = ["Exposure", "LogLine", "Options", "Removal", "remove"]
