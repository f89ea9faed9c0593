"""`python -m copycat.discover`: words and descriptions that bring a character back."""

from copycat.commands.discover import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
