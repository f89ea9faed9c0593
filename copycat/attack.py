"""`python -m copycat.attack`: try to bring back a concept that a model should not draw, and keep what does it."""

from copycat.commands.attack import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
