"""Licences of datasets and of their records: what is stated, what it asks, and whether it goes together.

licences.yaml   what each licence asks, with sections        facts.py   reads it
naming.py, addresses.py, parsing.py   what people write -> SPDX expression, with how it was read
duties.py       expression -> duties (AND, OR, WITH)         fitting.py  with a purpose, or another licence
statements.py   what a dataset says of its own licence       components.py   the licences of its records, counted
output.py       the licence that something is passed on under
own.py          the dataset's licence where its records state none
attribution.py, listing.py   the list of credits             openness.py     how open it is, by what is there
terms.py, clauses.yaml   terms of use: clauses worth a look  public_domain.py   how often "public domain" is wrong
rules.py (L1, L3), rules_components.py (L2), rules_terms.py (L4, O1), rules_public_domain.py (D5)
"""

from copycat.provenance.licences.duties import Duties, choices, duties
from copycat.provenance.licences.fitting import Fit, fits, goes_into
from copycat.provenance.licences.parsing import ParsedLicence, parse_licence

__all__ = ["Duties", "Fit", "ParsedLicence", "choices", "duties", "fits", "goes_into", "parse_licence"]
