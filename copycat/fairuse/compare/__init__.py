"""Two texts side by side: what is shared, where, and nothing that judges it.

inputs.py   what a user names -> texts, works, withheld works
marks.py    spans and quotes of a comparison -> marks that do not overlap, with their twins
layout.py   a text and its marks -> pieces; long stretches without marks are folded away
page.py     one self-contained page
"""

from copycat.fairuse.compare.layout import Piece, SideBySide, lay_out
from copycat.fairuse.compare.marks import Mark, marks_of

__all__ = ["Mark", "Piece", "SideBySide", "lay_out", "marks_of"]
