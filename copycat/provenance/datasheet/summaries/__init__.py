"""R1: what two laws ask to be published of training data, field by field, and where it can come from.

eu.yaml, ab2013.yaml   the fields, each with the facts and the fields of a card that answer it
template.py            those files -> records
computed.py            facts of a dataset -> answers that can be computed
ready.py               card and facts -> ready, partly or missing for each field, with what to write
draft.py               the same as a draft in Markdown
rule.py                R1

This is no legal advice: it says what is filled in, not whether that is enough.
"""

from copycat.provenance.datasheet.summaries.ready import Readiness, readiness
from copycat.provenance.datasheet.summaries.template import SUMMARIES

__all__ = ["SUMMARIES", "Readiness", "readiness"]
