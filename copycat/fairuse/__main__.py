"""Run `python -m copycat.fairuse`."""

from copycat.commands.fairuse import app
from copycat.console import run_app

run_app(app)
