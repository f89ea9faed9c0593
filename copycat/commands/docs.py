"""What is made from the code itself: two pages of docs/ from parsers and tables, a JSON Schema from the records.

`make docs` writes them.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from copycat.commands import (
    attack,
    calibrate,
    data,
    discover,
    doctor,
    erase,
    eval,
    fairuse,
    imitation,
    leaderboard,
    mitigate,
    provenance,
    sandbox,
    submit,
)

INTRO = """# Commands

Made from the parsers by `make docs`; do not edit. Each command also answers to `copycat NAME`, such as `copycat eval`.
The answer goes to stdout, progress and log go to stderr.
"""

COMMANDS = (
    *(eval, erase, attack, discover, mitigate, calibrate, submit, leaderboard),
    *(data, imitation, fairuse, provenance, sandbox, doctor),
)
"""In the order of the page."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def write(
    page: Annotated[Path, typer.Argument(help="the Markdown file of all commands")],
    models: Annotated[Path, typer.Argument(help="the Markdown file of all models")],
    schema: Annotated[Path, typer.Argument(help="the JSON Schema of character files")],
) -> int:
    """Write the pages of all commands and models, and the schema of character files."""
    page.write_text(render_commands(), encoding="utf-8", newline="\n")
    models.write_text(render_models(), encoding="utf-8", newline="\n")
    schema.write_text(render_character_schema(), encoding="utf-8", newline="\n")
    return 0


def render_models() -> str:
    """Give the page: every model of the tables, with its settings and what it honours."""
    from copycat.commands.models_page import page_of_models

    return page_of_models()


def render_character_schema() -> str:
    """Give the JSON Schema by which an editor checks a character file as it is typed."""
    from copycat.schema import CharacterSet

    return json.dumps(CharacterSet.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def render_commands() -> str:
    """Give the page: one section per command, its options as a table."""
    parts = [INTRO]
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2]
        command = typer.main.get_command(module.app)
        parts += _sections(f"python -m copycat.{name}", command)
    return "\n".join(parts)


def _unmarked(epilog: str) -> str:
    """Give an epilog without the marks that keep click from filling its examples up into one paragraph."""
    return inspect.cleandoc(epilog).replace("\b\n", "")


def _sections(path: str, command: Any) -> Iterator[str]:  # Any: typer's own click and the real one differ by version
    yield f"## {path}\n"
    yield _prose(command)
    if command.params:
        yield "| option | default | what it does |\n|---|---|---|"
        yield "".join(f"{_row(parameter)}\n" for parameter in command.params)
    if command.epilog:
        yield f"```text\n{_unmarked(command.epilog)}\n```\n"
    for name, inner in getattr(command, "commands", {}).items():
        yield from _sections(f"{path} {name}", inner)


def _prose(command: Any) -> str:
    first, *examples = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n".join([f"{first}\n", *(f"```\n{example}\n```\n" for example in examples)])


def _row(parameter: Any) -> str:
    is_option = parameter.opts[0].startswith("-")
    name = parameter.opts[0] if is_option else parameter.opts[0].upper()
    many = "" if is_option or parameter.nargs == 1 else "..."
    value = f" {parameter.metavar}" if is_option and parameter.metavar else ""
    shown = parameter.default if isinstance(parameter.default, str | int | float | Path) else None
    default = "required" if parameter.required else "" if shown is None or shown is False else f"`{shown}`"
    cells = (f"`{name}{value}{many}`", default, parameter.help or "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    from copycat.console import run_app

    run_app(app)
