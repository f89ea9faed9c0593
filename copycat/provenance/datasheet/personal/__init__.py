"""D3: what of persons is in a dataset, told from a sample, without showing it.

digits.py     check digits of numbers of identity, cards and accounts
kinds.py      the table of kinds: pattern, check, words that must stand before
finding.py    a text -> places of what is personal; masks
sampling.py   a sample of records that is the same however the dataset is read
rule.py       D3
"""

from copycat.provenance.datasheet.personal.finding import Hit, find_personal

__all__ = ["Hit", "find_personal"]
