"""`python -m copycat.provenance`: the table of its commands, each of which has a file beside this one."""

from __future__ import annotations

import typer

from copycat.commands.provenance_check import CHECK_EPILOG, check

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
