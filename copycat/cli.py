"""The console script: `copycat eval`, `copycat sandbox`, ... do what `python -m copycat.<name>` does."""

from __future__ import annotations

import typer

from copycat.commands import data, discover, fairuse, imitation, leaderboard, mitigate, provenance, sandbox
from copycat.commands.attack import EPILOG as ATTACK_EPILOG
from copycat.commands.attack import attack
from copycat.commands.calibrate import EPILOG as CALIBRATE_EPILOG
from copycat.commands.calibrate import calibrate
from copycat.commands.doctor import doctor
from copycat.commands.erase import EPILOG as ERASE_EPILOG
from copycat.commands.erase import erase
from copycat.commands.eval import EPILOG, evaluate
from copycat.commands.submit import EPILOG as SUBMIT_EPILOG
from copycat.commands.submit import submit
from copycat.console import run_app

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Measure how often image models reproduce protected characters, and what each mitigation changes.",
)
app.command("eval", epilog=EPILOG)(evaluate)
app.command("erase", epilog=ERASE_EPILOG)(erase)
app.command("attack", epilog=ATTACK_EPILOG)(attack)
app.command("calibrate", epilog=CALIBRATE_EPILOG)(calibrate)
app.command("submit", epilog=SUBMIT_EPILOG)(submit)
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(data.app, name="data")
app.add_typer(discover.app, name="discover")
app.add_typer(mitigate.app, name="mitigate")
app.add_typer(leaderboard.app, name="leaderboard")
app.add_typer(imitation.app, name="imitation")
app.add_typer(fairuse.app, name="fairuse")
app.add_typer(provenance.app, name="provenance")
app.command("doctor")(doctor)


def main() -> None:
    """Run the console script."""
    run_app(app)
