"""`python -m copycat.mitigate`: make what mitigations need once, and freeze it."""

from copycat.commands.mitigate import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
