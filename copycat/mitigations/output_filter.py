"""Output filter: a judge looks at each picture, and one that shows a protected character is drawn again or blocked.

The filter looks for every character of the set and is not told which one the prompt is after. Its
cost is pictures that are drawn and thrown away; what it lets through is what its judge misses. Where
the run is judged by the very judge that filters, nothing is ever seen to come through: use another.
"""

from __future__ import annotations

from copycat.errors import UserError
from copycat.mitigations import Setting
from copycat.schema import Character, ImageRequest, OutputFilter

ACTIONS = ("regenerate", "block")
TRIES = 4
"""Pictures drawn for a request at most, the first one included."""


class FilterOutput:
    """Asks for an output filter; models draw and `runs.filtering` filters.

    Args:
        variant: `regenerate` (draw again with another seed, up to four pictures, then block) or `block`, and
            perhaps after a comma the judge that filters, such as `regenerate,oracle`; else the run's own.
    """

    def __init__(self, variant: str, setting: Setting) -> None:
        del setting
        action, _, judge = variant.partition(",")
        self.filter = OutputFilter(judge=judge or None, tries=TRIES if action == "regenerate" else 1)

    @staticmethod
    def canonical(variant: str, setting: Setting) -> str:
        """Check a variant and give it without spaces."""
        del setting
        action, _, judge = (part.strip() for part in variant.partition(","))
        if action not in ACTIONS:
            raise UserError(
                f"output filter '{variant}' is none\n  needed: filter:regenerate or filter:block, perhaps with the "
                "judge that filters: filter:block,JUDGE"
            )
        return f"{action},{judge}" if judge else action

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Ask for the filter."""
        del target
        return request.model_copy(update={"output_filter": self.filter})
