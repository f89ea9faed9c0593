"""The tables of CopyCat (arXiv 2406.14526) as grids: every cell measured, beside the published one.

tables.py    what was published, cell by cell, with its place in the paper
cells.py     which mitigation and anchor each cell is for a given character set
verdicts.py  who beats whom: the published order against paired tests of the measured one
running.py   all cells of a model in one job
"""

from copycat.grids.cells import Cell, Missing, build_cells
from copycat.grids.running import GridResult, MeasuredCell, run_grid
from copycat.grids.tables import GRIDS, Grid, Published, Row
from copycat.grids.verdicts import Comparison

__all__ = [
    "GRIDS",
    "Cell",
    "Comparison",
    "Grid",
    "GridResult",
    "MeasuredCell",
    "Missing",
    "Published",
    "Row",
    "build_cells",
    "run_grid",
]
