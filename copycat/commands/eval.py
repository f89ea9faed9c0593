"""`python -m copycat.eval` and `copycat eval`: options, table, exit code."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from copycat.eval import Job, Outcome

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EPILOG = """Results go to RUNS/<id>/: pictures, samples.jsonl, judgements, metrics.json, report.html.
The same command twice resumes. Exit 0 done, 1 ran but not valid (coverage under 98 %), 2 to be fixed by you,
130 interrupted."""


@app.command(epilog=EPILOG)
def evaluate(  # noqa: PLR0917 - one parameter per option
    model: Annotated[list[str] | None, typer.Option(help="name or ./folder; repeatable", show_default=False)] = None,
    mitigation: Annotated[
        list[str] | None, typer.Option(help="NAME[:VARIANT], '+' composes; repeatable", show_default=False)
    ] = None,
    characters: Annotated[
        str | None, typer.Option(metavar="SET|FILE", help="default: 'sandbox' for the sandbox, else 'copycat50'")
    ] = None,
    anchors: Annotated[
        str, typer.Option(help="comma list of name, keywords[:RANKER[-K]], description")
    ] = "name,keywords,description",
    seeds: Annotated[int, typer.Option(min=1, help="pictures per prompt")] = 3,
    judge: Annotated[str | None, typer.Option(help="who looks at the pictures", show_default=False)] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="at most this many pictures per model and mitigation: a partial run")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="sampling steps; default: the model's row")] = None,
    guidance: Annotated[float | None, typer.Option(min=0, help="guidance scale; default: the model's row")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="pictures made at once")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, float16 or bfloat16")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where run folders are made")] = Path("runs"),
    fresh: Annotated[bool, typer.Option("--fresh", help="delete what these runs have made and start again")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be made, make nothing")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")] = False,
    list_: Annotated[
        str | None, typer.Option("--list", metavar="KIND", help="models, mitigations, judges, anchors, characters")
    ] = None,
) -> int:
    """Measure how often a model reproduces protected characters, and what mitigations change.

    python -m copycat.eval --model sandbox --mitigation negprompt
    """
    if list_ is not None:
        from copycat.commands.listing import print_list

        print_list(list_, characters)
        return 0
    from copycat.errors import UserError

    if not model:
        raise UserError("no model given\n  needed: --model NAME, e.g. --model sandbox\n  see all: --list models")
    job = _job(
        models=tuple(model),
        mitigations=tuple(mitigation or ()),
        characters=characters,
        anchors=tuple(part.strip() for part in anchors.split(",") if part.strip()),
        seeds=seeds,
        judge=judge,
        limit=limit,
        steps=steps,
        guidance=guidance,
        batch_size=batch_size,
        device=device,
        dtype=dtype,
        out=out,
        fresh=fresh,
        command=_typed(),
    )
    if dry_run:
        from copycat.commands.dry_run import print_plan

        print_plan(job)
        return 0
    return _run(job, as_json=json)


def _job(**options: Any) -> Job:
    from copycat.errors import UserError
    from copycat.eval import Job

    if not options["anchors"]:
        raise UserError("no anchor given\n  needed: a comma list, e.g. --anchors name,keywords,description")
    dtype, known = options["dtype"], ("float32", "float16", "bfloat16")
    if dtype is not None and dtype not in known:
        from copycat.errors import UnknownNameError

        raise UnknownNameError("dtype", dtype, known)
    return Job(**options)


def _run(job: Job, *, as_json: bool) -> int:
    from copycat import console
    from copycat.eval import evaluate as run

    outcomes = run(job)
    if as_json:
        console.print_json({"runs": [_as_json(outcome) for outcome in outcomes]})
    else:
        from copycat.commands.tables import print_outcomes

        print_outcomes(outcomes)
    return console.EXIT_DONE if all(o.is_valid for o in outcomes) else console.EXIT_NOT_VALID


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "folder": str(outcome.folder),
        "report": str(outcome.folder / "report.html"),
        "is_valid": outcome.is_valid,
        "metrics": outcome.result.model_dump(mode="json"),
        "differences": [d.model_dump(mode="json") for d in outcome.differences],
    }


def _typed() -> str:
    """Give what was typed, as the report shows it: without what deletes pictures or only moves the answer."""
    lasting = [word for word in sys.argv[1:] if word not in ("--fresh", "--json")]
    return f"python -m copycat.eval {shlex.join(lasting)}".strip()
