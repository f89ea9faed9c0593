"""Under which licence something is passed on, as the user names it."""

from __future__ import annotations

from copycat.errors import UserError
from copycat.provenance.licences.parsing import parse_licence
from copycat.provenance.records import Purpose


def with_output(purpose: Purpose, licence: str | None) -> Purpose:
    """Give the purpose with its output licence, as an SPDX expression; unchanged for None.

    Raises:
        UserError: it cannot be read as a licence; near names are told.
    """
    if licence is None:
        return purpose
    read = parse_licence(licence)
    if read.expression is None:
        near = f"\n  did you mean {', '.join(read.near)}?" if read.near else ""
        said = read.fault or "names no licence"
        raise UserError(f"the output licence '{licence[:80]}' {said}{near}\n  needed: such as CC-BY-SA-4.0")
    return purpose.model_copy(update={"output_licence": read.expression})


def require_passed_on(purpose: Purpose) -> None:
    """Refuse an output licence for a purpose that passes no changes on: nothing would be held against it.

    Raises:
        UserError: the purpose passes none on.
    """
    if not purpose.shares_changes:
        raise UserError(
            f"--output-licence counts where changes are passed on, and '{purpose.name}' is: {purpose.about}\n"
            "  needed: --for adapting; or leave it out"
        )
