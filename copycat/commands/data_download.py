"""`python -m copycat.data download suite|prompts`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from copycat.errors import UserError

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Fetch the suite of a Hub repository, or take up prompts that others wrote.",
)


@app.command()
def suite(
    repository: Annotated[str, typer.Argument(metavar="REPO", help="ORG/NAME on the Hub, or an exported folder")],
    revision: Annotated[str | None, typer.Option(metavar="REV", help="branch, tag or commit")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="the new folder")] = Path("suite"),
) -> int:
    """Fetch registry and prompts, each file checked by hash; killed, the same command goes on. HF_ENDPOINT is honoured.

    COPYCAT_DATA=suite python -m copycat.eval ...
    """
    from copycat import console
    from copycat.paths import DATA_VARIABLE
    from copycat.sharing.suite_download import download_suite

    done = download_suite(repository, out, revision)
    at = f" at commit {done.source.commit}" if done.source.commit else ""
    verb = "fetched from" if done.is_new else "was there already, from"
    sets = ", ".join(done.manifest.characters)
    said = f"{out}: suite {done.manifest.suite_version} ({sets}), {verb} {repository}{at}"
    console.out.print(said, markup=False, soft_wrap=True)
    console.out.print(f"  to measure with it: export {DATA_VARIABLE}={out}", markup=False, soft_wrap=True)
    return console.EXIT_DONE


@app.command()
def prompts(  # noqa: PLR0917 - one parameter per option
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="CSV, TSV, JSONL, JSON or Parquet; a dataset: folder, or ORG/NAME[:CONFIG] on the Hub",
        ),
    ],
    name: Annotated[str, typer.Option(metavar="LIST", help="what the new list is called")],
    kind: Annotated[Literal["keywords", "description", "rewrite"], typer.Option(help="what the texts are")],
    characters: Annotated[str, typer.Option(metavar="SET|FILE", help="whose prompts")] = "copycat50",
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="names the character; else found")] = None,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="holds the text; else found")] = None,
    separator: Annotated[str, typer.Option(help="between keywords; empty: each row is one keyword")] = ",",
    drop_last: Annotated[
        str | None, typer.Option(metavar="WORD", help="no keyword where it comes last, as 'cartoon' in CopyCat's files")
    ] = None,
    alias: Annotated[
        list[str] | None, typer.Option(metavar="THEIRS=OURS", help="what a character is called there; repeatable")
    ] = None,
    anchor: Annotated[str, typer.Option(help="of rewrites: the prompts that were rewritten")] = "name",
    encoding: Annotated[str | None, typer.Option(help="of a text file; else found")] = None,
    split: Annotated[str, typer.Option(help="of a dataset")] = "train",
    revision: Annotated[str | None, typer.Option(metavar="REV", help="of a dataset of the Hub")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where lists are kept")] = Path("lists"),
) -> int:
    """Freeze prompts of a table as a list, such as keywords:LIST-5; each row that is left out is told with its reason.

    python -m copycat.data download prompts words.csv --kind keywords --name theirs --alias "Wazowski=Mike Wazowski"
    """
    from copycat import console
    from copycat.catalog import parse_anchor, prompt_set_of, read_character_set
    from copycat.catalog.taking_up import Reading
    from copycat.sharing.prompt_lists import PromptSource, take_prompts

    of_set = read_character_set(characters)
    reading = Reading(kind=kind, separator=separator, last_word=drop_last, aliases=_aliases(alias or ()))
    label = parse_anchor(anchor, prompt_set_of(of_set).default_ranker).label
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    from_there = PromptSource(source, target, text, encoding, split, revision)
    taken = take_prompts(from_there, of_set, reading, name, out, date=today, anchor=label)
    for fault in taken.faults:
        console.err.print(f"  {fault}", markup=False, soft_wrap=True)
    chosen = f"column '{taken.columns.target}' names the character, '{taken.columns.text}' holds the text"
    console.err.print(chosen, markup=False, soft_wrap=True)
    counted = f"{taken.n_taken} of {taken.n_rows} rows taken up, for {taken.n_characters} of {len(of_set.characters)}"
    console.out.print(f"{taken.path}: {counted} characters", markup=False, soft_wrap=True)
    n_faults = len(taken.faults)
    remarks = f"{n_faults} remark{'s' if n_faults != 1 else ''}, above and in the file" if n_faults else "no fault"
    use = f"use: {taken.anchor}"
    if (n_all := len(of_set.characters)) > (n_taken := taken.n_characters):
        use = (
            f"covers {n_taken} of {n_all} characters, and an anchor needs all:\n"
            f"  add the others to the table, or type --characters FILE with a file of "
            + ("that one alone" if n_taken == 1 else f"those {n_taken}")
        )
    console.out.print(f"  {remarks}; {use}", markup=False, soft_wrap=True)
    return console.EXIT_DONE


def _aliases(options: list[str] | tuple[str, ...]) -> dict[str, str]:
    found = {}
    for option in options:
        theirs, equals, ours = option.partition("=")
        if not (theirs.strip() and equals and ours.strip()):
            raise UserError(
                f"--alias '{option}' has the wrong form\n  needed: THEIRS=OURS, such as 'Wazowski=Mike Wazowski'"
            )
        found[theirs.strip()] = ours.strip()
    return found
