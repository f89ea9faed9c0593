"""Everything on one page: report.json, report.html and the plot.

cards.py       a concept's card; wording.py: figures and checks in words; staleness.py: what changed since
plot.py        score against count; build.py: the three files
"""
