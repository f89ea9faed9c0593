"""Which records may be used for a purpose, as far as licences and signals tell: yes, no or unknown for each.

judging.py   a batch -> for each record the licence's fit, the signals' answer, both together, and why
inside.py    what the pictures of a dataset with a manifest say inside themselves
finding.py   all batches -> the lists (CSV, ids) and what is counted
"""

from copycat.provenance.usable.finding import Lists, UsableReport, find_usable

__all__ = ["Lists", "UsableReport", "find_usable"]
