from __future__ import annotations

from pathlib import Path

from copycat.commands.docs import render_character_schema, render_commands, render_models

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cli.md"
SCHEMA = ROOT / "characters" / "schema.json"


def test_the_page_of_commands_is_what_the_parsers_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_commands(), "docs/cli.md is old; type: make docs"


def test_the_schema_of_character_files_is_what_the_records_say() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == render_character_schema(), "characters/schema.json is old; make docs"


def test_the_page_of_models_is_what_the_tables_say() -> None:
    page = ROOT / "docs" / "models.md"
    assert page.read_text(encoding="utf-8") == render_models(), "docs/models.md is old; type: make docs"


def test_every_option_of_the_main_job_is_on_the_page() -> None:
    page = render_commands()

    for option in ("--model", "--mitigation", "--characters", "--seeds", "--limit", "--dry-run", "--json", "--list"):
        assert f"| `{option}" in page
