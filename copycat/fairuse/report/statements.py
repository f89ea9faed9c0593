"""What a user states: purpose, use, market. It is shown as stated, and nothing here checks it."""

from __future__ import annotations

from pathlib import Path

import yaml

from copycat.errors import DataError, UnknownNameError
from copycat.fairuse.text import read_text
from copycat.paths import shown
from copycat.schema import Record

MAX_LETTERS = 4000


class Statements(Record):
    """Free text on each head; empty where nothing was stated.

    Attributes:
        stated_by: who states all this.
        purpose, use: what the model and its answers are for, and how they are used.
        transformation: what the use adds to the works or makes of them.
        audience: who gets the answers.
        licensing: licences that were taken or offered.
        market: markets of the works, existing or likely, and what is known of effects on them.
    """

    stated_by: str = ""
    purpose: str = ""
    use: str = ""
    transformation: str = ""
    audience: str = ""
    licensing: str = ""
    market: str = ""

    def told(self, *names: str) -> list[tuple[str, str]]:
        """Give the heads of these that something was stated on."""
        return [(name, getattr(self, name)) for name in names if getattr(self, name)]


def read_statements(path: Path) -> Statements:
    """Read a YAML file of statements.

    Raises:
        UnknownNameError: it has another head. DataError: it is no list of texts.
        UserError: it cannot be read.
    """
    needed = f"  needed: texts under any of {', '.join(Statements.model_fields)}"
    try:
        rows = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise DataError([f"{shown(path)}: {' '.join(str(error).split())[:200]}"], needed) from error
    if not isinstance(rows, dict):
        raise DataError([f"{shown(path)}: holds no statements"], needed)
    for name, text in rows.items():
        if name not in Statements.model_fields:
            raise UnknownNameError("statement", str(name), Statements.model_fields)
        if not isinstance(text, str):
            raise DataError([f"{shown(path)}: {name}: {text!r} is no text"], needed)
        if len(text) > MAX_LETTERS:
            raise DataError(
                [f"{shown(path)}: {name}: has {len(text):,} letters, and at most {MAX_LETTERS:,} are shown"]
            )
    return Statements(**{name: text.strip() for name, text in rows.items()})
