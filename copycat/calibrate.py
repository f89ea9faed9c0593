"""`python -m copycat.calibrate`: a judge against labels."""

from copycat.commands.calibrate import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
