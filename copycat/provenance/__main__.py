"""`python -m copycat.provenance`: sources, licences, consent signals and removal of a dataset's records."""

from copycat.commands.provenance import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
