"""`python -m copycat.fairuse withhold`: hash a manuscript, so that it can be looked for where it may not go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WITHHOLD_EPILOG = """
\b
Examples:
  python -m copycat.fairuse withhold novel.txt --title "The Tide Clock"
  python -m copycat.fairuse compare answer.txt novel.withheld
"""


def withhold(
    text: Annotated[Path, typer.Argument(help="the manuscript: plain text in UTF-8", show_default=False)],
    title: Annotated[str | None, typer.Option(help="its title; default: the name of the file")] = None,
    author: Annotated[str, typer.Option(help="its author")] = "",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="the new folder; default: NAME.withheld beside the text", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Store salted hashes and lengths of a work, and nothing that can be read; the text stays where it is."""
    from copycat.console import out as console
    from copycat.console import print_json
    from copycat.fairuse.text import read_text
    from copycat.fairuse.works import withhold as withhold_work
    from copycat.fairuse.works.loading import work_of_text
    from copycat.fairuse.works.withheld import SALT_FILE, SUFFIX
    from copycat.paths import shown

    content = read_text(text)
    folder = out or text.with_name(text.stem + SUFFIX)
    work = work_of_text(text, content, title).model_copy(update={"author": author})
    grams = withhold_work(work, content, folder)
    facts = {"folder": shown(folder), "id": work.id, "words": grams.file.words, "letters": grams.file.letters}
    if json:
        print_json(facts)
        return
    console.print(f"{work.title}: {grams.file.words:,} words, {len(grams.grams):,} salted hashes", markup=False)
    console.print(
        f"{shown(folder)}/{SALT_FILE} is as secret as the text: who has it can search in the hashes, and guess",
        markup=False,
    )
    console.print(shown(folder), markup=False)
