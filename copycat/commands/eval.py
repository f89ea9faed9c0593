"""`python -m copycat.eval` and `copycat eval`: options, table, exit code."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from json import loads as parse_json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from copycat.eval import Outcome
    from copycat.staging import Job

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

ERASERS_GRID = "erasers"
"""The grid that is no table of the paper: erasing methods against attacks."""

EPILOG = """Results go to RUNS/<id>/: pictures, samples.jsonl, judgements, metrics.json, report.html.
The same command twice resumes. Exit 0 done, 1 ran but not valid (coverage under 98 %), 2 to be fixed by you,
130 or 143 interrupted."""


@app.command(epilog=EPILOG)
def evaluate(  # noqa: PLR0917 - one parameter per option
    model: Annotated[
        list[str] | None,
        typer.Option(help="name, ./folder, hub/repo-id or openai:MODEL; repeatable", show_default=False),
    ] = None,
    mitigation: Annotated[
        list[str] | None, typer.Option(help="NAME[:VARIANT], '+' composes; repeatable", show_default=False)
    ] = None,
    erased: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="an erasure of copycat.erase, beside the own weights; repeatable"),
    ] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME[:VARIANT] or ./FOLDER of copycat.attack: each mitigation is measured under it, too; repeatable",
            show_default=False,
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="a table of the paper: table1, table2, table8, figure3; or erasers: methods against attacks",
            show_default=False,
        ),
    ] = None,
    concepts: Annotated[
        str | None, typer.Option(help="of --grid erasers: a comma list of characters to erase", show_default=False)
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="of --grid erasers: a comma list of NAME[:PRESET]; default: all", show_default=False),
    ] = None,
    training_seeds: Annotated[
        int | None,
        typer.Option(min=1, help="of --grid erasers: erasures of each concept by each method; default: 1"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="of --grid erasers: processes that erase and draw at a time; default: 1")
    ] = None,
    llm: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="who rewrites for rewrite:fresh and decides for intent:llm: openai:MODEL, org/repo or ./FOLDER",
            show_default=False,
        ),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="who embeds texts for intent:embedding: openai:text-embedding-3-small, org/repo or ./FOLDER",
            show_default=False,
        ),
    ] = None,
    benign: Annotated[
        bool, typer.Option("--benign", help="measure on innocent prompts, too, what the mitigations cost there")
    ] = False,
    characters: Annotated[
        str | None, typer.Option(metavar="SET|FILE", help="default: 'sandbox' for the sandbox, else 'copycat50'")
    ] = None,
    anchors: Annotated[
        str | None,
        typer.Option(help="comma list of name, keywords[:RANKER[-K]], description; default: all three"),
    ] = None,
    lists: Annotated[
        Path, typer.Option(metavar="DIR", help="keyword lists and rewrites of yours, see docs/mitigations.md")
    ] = Path("lists"),
    seeds: Annotated[int, typer.Option(min=1, help="pictures per prompt")] = 3,
    judge: Annotated[
        str | None,
        typer.Option(
            help="who looks, see --list judges; default: 'sandbox' for its characters, else 'default'",
            show_default=False,
        ),
    ] = None,
    references: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="pictures of each character, a subfolder per id, for judges that compare"),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            help="further measures, a comma list of clipscore, diversity; near-copy, ladder[:FPR] (need --references)"
        ),
    ] = None,
    rejudge: Annotated[
        bool, typer.Option("--rejudge", help="drop this judge's verdicts on these runs and judge them anew")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="at most this many pictures per model and mitigation: a partial run")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="named settings of the model, such as 'paper'")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="sampling steps (of a cascade: stage 1); default: the model's row")
    ] = None,
    guidance: Annotated[float | None, typer.Option(min=0, help="guidance scale; default: the model's row")] = None,
    true_guidance: Annotated[
        float | None, typer.Option(min=0, help="scale of real guidance where the other one is distilled (FLUX.1)")
    ] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="pixels; default: the model's row")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="length of a clip; default: the model's row")] = None,
    keep_frames: Annotated[
        str | None, typer.Option(help="which frames are looked at, from 0, such as 0,6,15; default: 8 evenly spread")
    ] = None,
    long_prompts: Annotated[
        bool, typer.Option("--long-prompts", help="encode prompts longer than CLIP reads in pieces")
    ] = False,
    safety_checker: Annotated[
        str | None, typer.Option(metavar="on|off", help="of pipelines that have one; default: on")
    ] = None,
    quality: Annotated[str | None, typer.Option(help="of a service's pictures, in its own words")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="pictures made at once")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, float16 or bfloat16")] = None,
    compile_: Annotated[
        str,
        typer.Option(
            "--compile", metavar="off|on|auto", help="torch.compile, block by block; auto: on CUDA from 200 pictures"
        ),
    ] = "off",
    revision: Annotated[str | None, typer.Option(help="branch, tag or commit of a Hub repository")] = None,
    executor: Annotated[str, typer.Option(metavar="local|ray", help="draw here, or on a Ray cluster")] = "local",
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="draw only the I-th of N parts; without it: the rest, and judge")
    ] = None,
    max_errors: Annotated[int | None, typer.Option(min=0, help="stop after so many failed requests")] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="stop before all runs together cost more")
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="of one picture of a service, for --max-cost and --dry-run"),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where run folders are made")] = Path("runs"),
    fresh: Annotated[bool, typer.Option("--fresh", help="delete what these runs have made and start again")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be made, make nothing")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")] = False,
    list_: Annotated[
        str | None,
        typer.Option("--list", metavar="KIND", help="models, mitigations, attacks, judges, anchors, characters"),
    ] = None,
) -> int:
    """Measure how often a model reproduces protected characters, and what mitigations change.

    python -m copycat.eval --model sandbox --mitigation negprompt
    """
    if list_ is not None:
        from copycat.commands.listing import print_list

        print_list(list_, characters)
        return 0
    from copycat.commands.job import build_job

    options = locals()
    if grid == ERASERS_GRID:
        return _forecast_matrix(options, as_json=json) if dry_run else _run_matrix(options, as_json=json)
    job = build_job(options, command=_typed())
    if dry_run:
        from copycat.commands.dry_run import print_plan

        print_plan(job, as_json=json)
        return 0
    if grid is not None:
        return _run_grid(grid, job, as_json=json)
    return _draw(job, as_json=json) if job.shard else _run(job, as_json=json)


def _forecast_matrix(options: dict[str, Any], *, as_json: bool) -> int:
    from copycat import console
    from copycat.commands.robustness_tables import build_order, print_forecast
    from copycat.robustness.forecast import forecast

    found = forecast(build_order(options, command=_typed()))
    if as_json:
        console.print_json(found.model_dump(mode="json"))
    else:
        print_forecast(found)
    return console.EXIT_DONE


def _run_matrix(options: dict[str, Any], *, as_json: bool) -> int:
    from copycat import console
    from copycat.commands.robustness_tables import build_order, print_matrix
    from copycat.robustness.running import run_matrix

    order = build_order(options, command=_typed())
    matrix, failed = run_matrix(order)
    for one in failed:
        console.say(f"not made: {one.cell.text}: {one.reason}")
    if as_json:
        console.print_json(matrix.model_dump(mode="json"))
    else:
        print_matrix(matrix, order.base.out)
    return console.EXIT_NOT_VALID if matrix.n_missing else console.EXIT_DONE


def _run_grid(name: str, job: Job, *, as_json: bool) -> int:
    from copycat import console
    from copycat.commands.grid_tables import print_grid
    from copycat.grids import GRIDS, run_grid

    results = run_grid(GRIDS.get(name), job)
    if as_json:
        console.print_json({"grids": [parse_json(result.path.read_text(encoding="utf-8")) for result in results]})
    else:
        for result in results:
            print_grid(result)
    return console.EXIT_DONE if all(result.is_valid for result in results) else console.EXIT_NOT_VALID


def _run(job: Job, *, as_json: bool) -> int:
    from copycat import console
    from copycat.eval import evaluate as run

    outcomes = run(job)
    if as_json:
        console.print_json(_runs_as_json(outcomes, has_benign=job.benign) | _erased_as_json(job, outcomes))
    else:
        from copycat.commands.attacked_notes import notes_on_saved
        from copycat.commands.erased_notes import print_notes
        from copycat.commands.tables import print_outcomes

        print_outcomes(outcomes)
        if job.erased:
            from copycat.commands.erased_notes import notes_on_strangers
            from copycat.commands.erased_tables import erased_figures, print_erased

            print_erased(erased_figures(job, outcomes))
            print_notes(notes_on_strangers(outcomes, job.characters))
        print_notes(notes_on_saved(job.attacks, outcomes))
    return console.EXIT_DONE if all(o.is_valid for o in outcomes) else console.EXIT_NOT_VALID


def _draw(job: Job, *, as_json: bool) -> int:
    from copycat import console
    from copycat.eval import draw_shard

    outcomes = draw_shard(job)
    if as_json:
        console.print_json({"shards": [{**o._asdict(), "folder": str(o.folder)} for o in outcomes]})
    else:
        from copycat.commands.tables import print_shards

        print_shards(job.shard, outcomes)
    return console.EXIT_NOT_VALID if any(o.n_failed for o in outcomes) else console.EXIT_DONE


def _runs_as_json(outcomes: Sequence[Outcome], *, has_benign: bool) -> dict[str, Any]:
    runs = [outcome for outcome in outcomes if not outcome.is_benign]
    content = {"runs": [_as_json(outcome) for outcome in runs]}
    return content | (
        {"benign": [_as_json(outcome) for outcome in outcomes if outcome.is_benign]} if has_benign else {}
    )


def _erased_as_json(job: Job, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Give what is left of erased concepts and what is kept of the others, by model."""
    if not job.erased:
        return {}
    from copycat.commands.erased_tables import erased_figures

    figures = erased_figures(job, outcomes)
    return {"erased": {model: [row.model_dump(mode="json") for row in rows] for model, rows in figures.items()}}


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "folder": str(outcome.folder),
        "report": str(outcome.folder / "report.html"),
        "is_valid": outcome.is_valid,
        "metrics": outcome.result.model_dump(mode="json"),
        "notes": list(outcome.notes),
        "differences": [d.model_dump(mode="json") for d in outcome.differences],
    }


def _typed() -> str:
    """Give what was typed, as the report shows it: without what deletes pictures or only moves the answer."""
    lasting = [word for word in sys.argv[1:] if word not in {"--fresh", "--json"}]
    return f"python -m copycat.eval {shlex.join(lasting)}".strip()
