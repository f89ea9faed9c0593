"""`python -m copycat.data export suite|run`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copycat.commands.dates import check_date

if TYPE_CHECKING:
    from copycat.sharing.opened_run import OpenedRun

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Write the suite, or the results of a run, as folders that the Hugging Face Hub and `datasets` read.",
)
DATASET, IMAGE_FOLDER, EVAL_RESULTS, MODEL_INDEX = "dataset", "imagefolder", "eval-results", "model-index"
FORMS = (DATASET, IMAGE_FOLDER, EVAL_RESULTS, MODEL_INDEX)


def _checked(date: str | None) -> str | None:
    return None if date is None else check_date(date)


@app.command()
def suite(
    out: Annotated[Path, typer.Option(metavar="DIR", help="the new folder")],
    characters: Annotated[
        list[str] | None, typer.Option(metavar="SET", help="sets that ship, repeatable; all without it")
    ] = None,
    hub_id: Annotated[
        str | None, typer.Option(metavar="ORG/NAME", help="where it will be on the Hub, for the card's examples")
    ] = None,
) -> int:
    """Write registry and frozen prompts as a Hub dataset: Parquet, a card, Croissant, and the exact files by hash."""
    from copycat import console
    from copycat.sharing.suite_export import export_suite

    exported = export_suite(out, characters or (), hub_id)
    for table in exported.tables:
        console.out.print(f"{out}/{table.path}: {table.n_rows} rows", markup=False, soft_wrap=True)
    said = f"{out}: {len(exported.manifest.files)} files of suite {exported.manifest.suite_version} beside them"
    console.out.print(said, markup=False, soft_wrap=True)
    return console.EXIT_DONE


@app.command()
def run(  # noqa: PLR0917 - one parameter per option
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="a finished run folder, such as runs/sdxl+...")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="the new folder; with several forms, one below it for each")],
    forms: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="FORM", help=f"{', '.join(FORMS)}; repeatable  [default: {DATASET}]"),
    ] = None,
    withhold: Annotated[bool, typer.Option("--withhold", help="leave the pictures out, keep their hashes")] = False,
    licence: Annotated[
        str, typer.Option(metavar="NAME", help="of pictures and verdicts, as the Hub calls it, such as cc-by-4.0")
    ] = "other",
    date: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="of publication, or of the evaluation", callback=_checked)
    ] = None,
    dataset_id: Annotated[
        str | None, typer.Option(metavar="ORG/NAME", help="the suite on the Hub; eval-results and model-index need it")
    ] = None,
    dataset_revision: Annotated[str | None, typer.Option(metavar="COMMIT", help="of that dataset")] = None,
    source_url: Annotated[str | None, typer.Option(metavar="URL", help="where the samples can be looked at")] = None,
) -> int:
    """Write samples, verdicts and estimates of a run as a Hub dataset, or what a model's card takes of them."""
    from copycat import console
    from copycat.errors import UnknownNameError, UserError
    from copycat.sharing.model_cards import Told, check_told, write_eval_results, write_model_index
    from copycat.sharing.opened_run import open_run
    from copycat.sharing.run_export import export_image_folder, export_run

    wanted = list(dict.fromkeys(forms or [DATASET]))
    for form in wanted:
        if form not in FORMS:
            raise UnknownNameError("form", form, FORMS)
    if withhold and IMAGE_FOLDER in wanted:
        raise UserError("an imagefolder is its pictures\n  leave out --withhold, or --as imagefolder")
    if dataset_id is None and {EVAL_RESULTS, MODEL_INDEX} & set(wanted):
        raise UserError("a model's card names the dataset that it was measured with\n  add --dataset-id ORG/NAME")
    told = Told(dataset_id or "", dataset_revision, date, source_url)
    if dataset_id is not None:
        check_told(told)
    opened = open_run(run_folder)
    _require_nothing_private(opened)
    writers: dict[str, Callable[[Path], object]] = {
        DATASET: lambda to: export_run(opened, to, licence=licence, has_pictures=not withhold, date=date),
        IMAGE_FOLDER: lambda to: export_image_folder(opened, to),
        EVAL_RESULTS: lambda to: write_eval_results(opened, to, told),
        MODEL_INDEX: lambda to: write_model_index(opened, to, told),
    }
    for form in wanted:
        to = out if len(wanted) == 1 else out / form
        writers[form](to)
        console.out.print(f"{to}: {form} of {opened.run.id}", markup=False, soft_wrap=True)
    if not withhold and not opened.result.is_sandbox and {DATASET, IMAGE_FOLDER} & set(wanted):
        said = "the pictures may show protected characters: who publishes them answers for that; or use --withhold"
        console.err.print(said, markup=False, soft_wrap=True)
    return console.EXIT_DONE


def _require_nothing_private(opened: OpenedRun) -> None:
    """Refuse a run in whose words there is what works like a key, or tells where somebody works.

    Raises:
        DataError: every field that holds such a thing, never the thing itself.
    """
    from copycat.errors import DataError, first_faults
    from copycat.leaderboard.privacy import private_fields
    from copycat.sharing.opened_run import shared_spec
    from copycat.sharing.run_tables import sample_rows

    rows = {row["key"]: row for row in sample_rows(opened, has_pictures=False)}
    content = {"spec": shared_spec(opened), "samples": rows, "estimates": opened.result.model_dump(mode="json")}
    if faults := [f"{field}: holds {kind}" for field, kind in private_fields(content)]:
        fix = "  take it out of the run folder, and of what it came from, before you share it"
        raise DataError(first_faults(faults), fix)
