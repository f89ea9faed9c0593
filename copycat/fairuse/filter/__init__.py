"""Stop reproduction while a model writes: found letter by letter, confirmed exactly, decided by a policy.

letters.py     canonical letters of a text that arrives in pieces
hashing.py     one hash of letter windows, rolling in Python and whole arrays in numpy: the same numbers
building.py    works -> a folder with a Bloom filter, an exact index and the works' letters
parts.py       windows on their way into that index
index.py       that folder, memory-mapped
matching.py    where the output runs along a work, letter by letter
ledger.py      what of it may be shown: allowances, groups, the action
streaming.py   text in, text out that may be shown, the same whatever the pieces
decoding.py    n-gram blocking inside a transformers model
answers.py     answers of such a server, whole or in events
fields.py      where their texts stand, and what else may hold text
proxy.py       in front of a server that speaks the OpenAI API
"""

from copycat.fairuse.filter.building import build_filter
from copycat.fairuse.filter.decoding import BlockedNgrams
from copycat.fairuse.filter.records import Decision, FoundSpan, Policy
from copycat.fairuse.filter.streaming import FilterStream, OutputFilter

__all__ = ["BlockedNgrams", "Decision", "FilterStream", "FoundSpan", "OutputFilter", "Policy", "build_filter"]
