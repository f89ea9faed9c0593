"""`python -m copycat.data`: check, freeze, export and download character files, prompt sets and runs."""

from copycat.commands.data import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
