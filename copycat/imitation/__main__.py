"""Run `python -m copycat.imitation`."""

from copycat.commands.imitation import app
from copycat.console import run_app

run_app(app)
