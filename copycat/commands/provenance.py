"""`python -m copycat.provenance`: the table of its commands, each of which has a file beside this one."""

from __future__ import annotations

import typer

from copycat.commands.provenance_card import CARD_EPILOG, card
from copycat.commands.provenance_check import CHECK_EPILOG, check
from copycat.commands.provenance_diff import DIFF_EPILOG, diff
from copycat.commands.provenance_licence import LICENCE_EPILOG, licence
from copycat.commands.provenance_lookup import LOOKUP_EPILOG, lookup
from copycat.commands.provenance_manifest import MANIFEST_EPILOG, manifest
from copycat.commands.provenance_own import OWN_EPILOG, own
from copycat.commands.provenance_remove import REMOVE_EPILOG, remove
from copycat.commands.provenance_signals import SIGNALS_EPILOG, signals
from copycat.commands.provenance_usable import USABLE_EPILOG, usable

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Sources, licences, consent signals and removal of a dataset's records: facts with evidence, never a verdict.",
)


@app.callback()
def provenance() -> None:
    """Tell sources, licences, consent signals and removals of a dataset: facts with evidence, never a verdict."""


app.command(epilog=CHECK_EPILOG)(check)
app.command(epilog=LOOKUP_EPILOG)(lookup)
app.command(epilog=LICENCE_EPILOG)(licence)
app.command(epilog=SIGNALS_EPILOG)(signals)
app.command(epilog=USABLE_EPILOG)(usable)
app.command(epilog=REMOVE_EPILOG)(remove)
app.command(epilog=MANIFEST_EPILOG)(manifest)
app.command(epilog=DIFF_EPILOG)(diff)
app.command(epilog=OWN_EPILOG)(own)
app.command(epilog=CARD_EPILOG)(card)
