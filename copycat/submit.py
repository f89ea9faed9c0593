"""`python -m copycat.submit`: a finished run as a submission to the leaderboard."""

from copycat.commands.submit import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
