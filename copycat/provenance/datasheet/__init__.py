"""How complete the datasheet of a dataset is, and what its records say about that.

shape.py, facts.py  batches -> what can be counted: records, splits, languages, licences, sources, synthetic records
fields.yaml       the table of fields: where each is looked for, which facts it needs, what to write (fields.py)
answers.py        a card -> what it says in each field
boilerplate.py    what says nothing: placeholders, questions of templates, filler, the same text in several fields
evidence.py       the facts that a text holds: dates, numbers, links, names, reasons
claims.py         what a card claims and the records contradict
weighing.py       one field's text -> points and the reason
score.py          all of it -> 0, 0.5 or 1 for each field, with the reason
synthetic.py      D2: synthetic records, their share, model and prompt
personal/         D3: e-mail addresses, telephone numbers, numbers of identity cards, in a sample
survival.py       D4: what filters let through, by language, source and topic (filters.py reads their log)
summaries/        R1: what two laws ask to be published of training data, field by field
draft.py, page.py the card as a draft, the page
rules.py          D1 and R1
"""

from copycat.provenance.datasheet.facts import DatasetFacts, Facts
from copycat.provenance.datasheet.score import Completeness, completeness

__all__ = ["Completeness", "DatasetFacts", "Facts", "completeness"]
