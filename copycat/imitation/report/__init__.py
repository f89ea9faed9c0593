"""Everything on one page: report.json, report.html and the plot.

reading.py     what the folder of a study holds; staleness.py: what changed since
cards.py       a concept's card; pictures.py: the pictures on it; wording.py: figures and checks in words
plot.py        score against count; build.py: the three files
"""
