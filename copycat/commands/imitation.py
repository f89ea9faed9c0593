"""`python -m copycat.imitation`: the table of its stages, each of which has a file beside this one."""

from __future__ import annotations

import typer

from copycat.commands.imitation_count import COUNT_EPILOG, count
from copycat.commands.imitation_counterfactual import COUNTERFACTUAL_EPILOG, counterfactual
from copycat.commands.imitation_generate import GENERATE_EPILOG, generate
from copycat.commands.imitation_report import REPORT_EPILOG, report
from copycat.commands.imitation_score import SCORE_EPILOG, score
from copycat.commands.imitation_threshold import THRESHOLD_EPILOG, threshold

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="How many training pictures until a model imitates: from captions to a report.",
)


@app.callback()
def imitation() -> None:
    """How many training pictures until a model imitates: from captions to a report."""


app.command(epilog=COUNT_EPILOG)(count)
app.command(epilog=GENERATE_EPILOG)(generate)
app.command(epilog=SCORE_EPILOG)(score)
app.command(epilog=THRESHOLD_EPILOG)(threshold)
app.command(epilog=REPORT_EPILOG)(report)
app.command(epilog=COUNTERFACTUAL_EPILOG)(counterfactual)
