"""Run `python -m copycat.sandbox`."""

from copycat.commands.sandbox import app
from copycat.console import run_app

run_app(app)
