"""`python -m copycat.data`: check and freeze character files and prompt sets."""

from copycat.commands.data import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
