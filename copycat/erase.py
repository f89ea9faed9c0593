"""`python -m copycat.erase`: edit a model's weights so that a concept is not drawn any more."""

from copycat.commands.erase import app
from copycat.console import run_app

if __name__ == "__main__":
    run_app(app)
