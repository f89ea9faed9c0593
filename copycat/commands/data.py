"""`python -m copycat.data`: validate, export and download are in files of their own; here are freeze and lists."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from copycat.commands import data_download, data_export
from copycat.commands.data_legal import LEGAL_EPILOG, legal
from copycat.commands.data_validate import validate
from copycat.commands.dates import check_date

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Check, freeze, export and download data: the suite, prompts and runs.",
)


app.command()(validate)
app.command(epilog=LEGAL_EPILOG)(legal)
app.add_typer(data_export.app, name="export")
app.add_typer(data_download.app, name="download")


@app.command()
def freeze(  # noqa: PLR0917 - one parameter per option
    file: Annotated[str, typer.Argument(help="name of a shipped set or path of a .yaml file")],
    out: Annotated[Path, typer.Option(help="folder of the prompt set, e.g. prompts/copycat50")],
    by: Annotated[str, typer.Option(help="who made the texts")],
    date: Annotated[str, typer.Option(help="when, YYYY-MM-DD", callback=check_date)],
    how: Annotated[str, typer.Option(help="how the texts were made")] = "from the character file",
    version: Annotated[str, typer.Option(help="a new one where texts of a frozen version have changed")] = "1.0",
    licence: Annotated[str | None, typer.Option(help="of the texts, an SPDX expression such as Apache-2.0")] = None,
) -> int:
    """Write the prompts of a character file as a frozen set with a card."""
    from copycat import console
    from copycat.catalog import freeze_prompt_set, read_character_set

    characters = read_character_set(file)
    card = freeze_prompt_set(characters, out, how=how, by=by, date=date, version=version, licence=licence)
    console.out.print(f"{out}: {', '.join(card.files)}", markup=False)
    return 0


@app.command()
def lists(
    names: Annotated[list[str] | None, typer.Argument(help="of published lists; without any, what there is")] = None,
    characters: Annotated[str, typer.Option(metavar="SET|FILE", help="whose keywords")] = "copycat50",
    out: Annotated[Path, typer.Option(metavar="DIR", help="where lists are kept")] = Path("lists"),
) -> int:
    """Fetch keyword lists and rewrites that CopyCat published; each becomes an anchor, such as keywords:laion-5."""
    from copycat import console
    from copycat.catalog import read_character_set
    from copycat.published import PUBLISHED, fetch_list

    if not names:
        for row in PUBLISHED.rows():
            console.out.print(f"{row.name:<12} {row.kind:<9} {row.summary}", markup=False, soft_wrap=True)
        return console.EXIT_DONE
    rows = [PUBLISHED.get(name) for name in names]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    for row in rows:
        fetched = fetch_list(row.name, read_character_set(characters), out, today)
        console.out.print(f"{fetched.path}: {fetched.n_characters} texts", markup=False, soft_wrap=True)
        for fault in fetched.faults:
            console.err.print(f"  {fault}", markup=False, soft_wrap=True)
        if fetched.faults:
            said = f"  {len(fetched.faults)} known faults, above and in the file; the list is as it was published"
            console.err.print(said, markup=False, soft_wrap=True)
    return console.EXIT_DONE
