"""Erasures against attacks: what an erasure removes, what it costs, and what brings the concept back.

neighbours.py   who shares species, theme or franchise with an erased character
retention.py    how much of the others is still drawn, with intervals over characters and concepts
generic.py      how far pictures of nobody moved from the original model's
of_runs.py      the same figures of erasures in a run of `copycat.eval --erased`
order.py        what a matrix is asked for: concepts, methods, attacks, seeds
cells.py        one erasure from its training to its figures; what is finished is not made again
searching.py    attacks that must be searched for, on one erasure
workers.py      cells in processes of their own
running.py      all cells
matrix.py       from the run folders of all cells to the figures
records.py      matrix.json
page.py         matrix.html
"""
