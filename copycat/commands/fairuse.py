"""`python -m copycat.fairuse`: the table of its commands, each of which has a file beside this one."""

from __future__ import annotations

import typer

from copycat.commands.fairuse_attribute import ATTRIBUTE_EPILOG, attribute
from copycat.commands.fairuse_code import CODE_EPILOG, code
from copycat.commands.fairuse_compare import COMPARE_EPILOG, compare
from copycat.commands.fairuse_extract import EXTRACT_EPILOG, extract
from copycat.commands.fairuse_filter import app as filter_app
from copycat.commands.fairuse_image import IMAGE_EPILOG, image
from copycat.commands.fairuse_report import REPORT_EPILOG, report
from copycat.commands.fairuse_withhold import WITHHOLD_EPILOG, withhold
from copycat.commands.fairuse_world import app as world_app

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="How much of given works a model reproduces, and filters against it: facts, never a verdict.",
)


@app.callback()
def fairuse() -> None:
    """How much of given works a model reproduces, and filters against it: facts, never a verdict."""


app.command(epilog=WITHHOLD_EPILOG)(withhold)
app.command(epilog=CODE_EPILOG)(code)
app.command(epilog=EXTRACT_EPILOG)(extract)
app.command(epilog=ATTRIBUTE_EPILOG)(attribute)
app.add_typer(filter_app, name="filter")
app.command(epilog=COMPARE_EPILOG)(compare)
app.add_typer(world_app, name="world")
app.command(epilog=IMAGE_EPILOG)(image)
app.command(epilog=REPORT_EPILOG)(report)
