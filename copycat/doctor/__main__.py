"""Run `python -m copycat.doctor`."""

from copycat.commands.doctor import app
from copycat.console import run_app

run_app(app)
