"""What a run leaves for the pages that show many runs."""

from __future__ import annotations

from typing import Literal, NamedTuple

from copycat.leaderboard.rows import BoardRow
from copycat.schema import Record

Ending = Literal["target", "other", "none", "unjudged", "refused", "blocked", "invalid", "failed"]
"""What became of a request: whom the judge saw in its picture, or why there is no picture."""


class Thumbnail(NamedTuple):
    """A picture of a run; `href` is relative to the root of the site."""

    href: str
    anchor: str
    ending: Ending


class RunSummary(Record):
    """A run's row, and per character its first picture of each anchor, at most three; none where they are withheld."""

    row: BoardRow
    pictures: dict[str, tuple[Thumbnail, ...]]
