"""Whether somebody or something is in a dataset: which records, and nothing of their neighbours.

queries.py    a name, a domain, a picture, a text or an id -> Query, or why it is too broad
domains.py    whose address a URL is            columns.py    columns as texts, whatever their type
matching.py   Query -> records of a batch       looking.py    the dataset and its manifest -> LookupAnswer
versions.py   versions, models trained on them  contact.py    whom the card names for removals
past.py       versions that are no longer whole gaps.py       what an answer does not cover
page.py       the answer for people             rules.py      P4
"""

from copycat.provenance.lookup.looking import look_up
from copycat.provenance.lookup.queries import make_query
from copycat.provenance.lookup.records import Hit, LookupAnswer, Query

__all__ = ["Hit", "LookupAnswer", "Query", "look_up", "make_query"]
