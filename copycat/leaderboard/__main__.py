"""Run `python -m copycat.leaderboard`."""

from copycat.commands.leaderboard import app
from copycat.console import run_app

run_app(app)
