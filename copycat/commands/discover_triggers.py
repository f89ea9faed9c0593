"""`python -m copycat.discover triggers|rerank`: search prompts on a model, and rank prompts by what it draws."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from copycat.discovery.drawing import LabJob
    from copycat.discovery.rerank import RerankReport
    from copycat.discovery.search import Found
    from copycat.discovery.triggers import TriggerReport
    from copycat.schema import Estimate

SAMPLING = ("steps", "guidance")
SHOWN_LETTERS = 60
"""Of a prompt in a table."""

Model = Annotated[str | None, typer.Option(help="who draws: see python -m copycat.eval --list models")]
Characters = Annotated[str | None, typer.Option(metavar="SET|FILE", help="default: that of the model")]
Only = Annotated[str | None, typer.Option(metavar="ID,..", help="these characters of the set only")]
Lists = Annotated[Path, typer.Option(metavar="DIR", help="where lists are kept")]
Judge = Annotated[str | None, typer.Option(help="who looks; default: that of the characters")]
References = Annotated[
    Path | None, typer.Option(metavar="DIR", help="pictures of each character, for judges that compare")
]
Preset = Annotated[str | None, typer.Option(help="named settings of the model")]
Steps = Annotated[int | None, typer.Option(min=1, help="default: the model's")]
Guidance = Annotated[float | None, typer.Option(min=0, help="default: the model's")]
Revision = Annotated[str | None, typer.Option(help="commit or branch of a Hub repository")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="pictures at a time; default: the model's")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="default: triggers/MODEL+SET or rerank/MODEL+SET")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")]


def triggers(  # noqa: PLR0917 - one parameter per option
    model: Model = None,
    characters: Characters = None,
    only: Only = None,
    pool: Annotated[
        str, typer.Option(metavar="own|all|FILE", help="words to try: the character's own, everybody's, or a file's")
    ] = "own",
    ranker: Annotated[str | None, typer.Option(help="whose list of keywords; default: that of the set")] = None,
    without: Annotated[str | None, typer.Option(metavar="WORD,..", help="words that no prompt may hold")] = None,
    target: Annotated[float, typer.Option(min=0.01, max=0.99, help="DETECT that makes a prompt a trigger")] = 0.8,
    budget: Annotated[int, typer.Option(min=1, help="pictures per character for the search")] = 300,
    longest: Annotated[int, typer.Option(min=1, help="words of the longest prompt")] = 8,
    fresh: Annotated[int, typer.Option("--fresh-seeds", min=1, help="pictures of the figure to report")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="of the groups in which a wide pool is tried")] = 0,
    lists: Lists = Path("lists"),
    judge: Judge = None,
    references: References = None,
    preset: Preset = None,
    steps: Steps = None,
    guidance: Guidance = None,
    revision: Revision = None,
    batch_size: BatchSize = None,
    device: Device = None,
    out: Out = None,
    json: Json = False,
) -> int:
    """Find the shortest innocent prompt that brings each character back, and measure it on fresh seeds.

    python -m copycat.discover triggers --model sandbox --only sniddle,juntaro
    """
    from copycat import console
    from copycat.discovery.triggers import TriggerJob, find_triggers

    job = TriggerJob(**_given(locals(), TriggerJob, "triggers"))
    with console.running_count("search") as advance:
        report = find_triggers(job, advance, _tell_found)
    if json:
        console.print_json(report.model_dump(mode="json"))
    else:
        _print_triggers(report, job.out)
    return console.EXIT_DONE


def rerank(  # noqa: PLR0917 - one parameter per option
    model: Model = None,
    from_: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="prompts, repeatable: a .txt, .csv, .tsv, .jsonl file, a triggers.json, an anchor such as "
            "keywords:laion-5, or a list of descriptions",
            show_default=False,
        ),
    ] = None,
    characters: Characters = None,
    only: Only = None,
    seeds: Annotated[int, typer.Option(min=1, help="pictures of each prompt; all prompts have the same seeds")] = 20,
    target: Annotated[float, typer.Option(min=0.01, max=0.99, help="DETECT that makes a prompt a trigger")] = 0.5,
    lists: Lists = Path("lists"),
    judge: Judge = None,
    references: References = None,
    preset: Preset = None,
    steps: Steps = None,
    guidance: Guidance = None,
    revision: Revision = None,
    batch_size: BatchSize = None,
    device: Device = None,
    out: Out = None,
    json: Json = False,
) -> int:
    """Draw many prompts of each character and say which bring it back, and which cannot be told from the best.

    python -m copycat.discover rerank --model sandbox --from keywords:cooccurrence-3 --from description
    """
    from copycat import console
    from copycat.discovery.rerank import RerankJob, rerank_by_generator

    job = RerankJob(**_given(locals(), RerankJob, "rerank"))
    with console.running_count("draw") as advance:
        report = rerank_by_generator(job, advance)
    if json:
        console.print_json(report.model_dump(mode="json"))
    else:
        _print_rankings(report, job.out)
    return console.EXIT_DONE


def _given(typed: dict[str, Any], kind: type[LabJob], name: str) -> dict[str, Any]:
    """Turn what was typed into the fields of a job.

    Raises:
        UserError: no model is named.
    """
    from copycat.errors import UserError

    if not typed["model"]:
        raise UserError("no model given\n  needed: --model NAME, e.g. --model sandbox")
    whole = {
        **typed,
        "only": _parts(typed["only"]),
        "without": _parts(typed.get("without")),
        "sources": tuple(typed.get("from_") or ()),
        "sampling": {field: typed[field] for field in SAMPLING if typed[field] is not None},
        "out": typed["out"] or Path(name) / _slug(f"{typed['model']}+{typed['characters'] or 'default'}"),
    }
    return {field: value for field, value in whole.items() if field in kind.model_fields}


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-.+" else "-" for c in text).strip("-.")


def _tell_found(who: str, found: Found) -> None:
    """Say on stderr how a search ended: on a large model the next one may take an hour."""
    from copycat.console import err
    from copycat.discovery.triggers import prompt_of

    best = found.triggers[0] if found.triggers else None
    said = f"'{prompt_of(best.words)}' {best.tally.hits} of {best.tally.n}" if best else "nothing"
    err.print(f"{who}: {said}, {found.pictures} pictures", markup=False, soft_wrap=True)


def _print_triggers(report: TriggerReport, folder: Path) -> None:
    from rich.table import Table

    from copycat.console import err, out
    from copycat.discovery.triggers import REPORT
    from copycat.paths import shown

    title = f"DETECT in % on {report.fresh_pictures} seeds that no search has used, 95 % interval"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("character", "prompt", "DETECT", "searched"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "searched" else "left")
    for one in report.found:
        prompt = _escaped(one.prompt or one.reason or "", is_dim=one.prompt is None)
        mark = "" if one.reached or one.prompt is None else " (below the target in the search)"
        table.add_row(one.character, prompt + mark, _share(one.fresh), str(one.search_pictures))
    out.print(table)
    _print_sandbox(report.is_sandbox)
    out.print(shown(folder / REPORT), markup=False, soft_wrap=True)
    if removed := sum(len(one.removed) for one in report.found):
        err.print(f"{removed} words removed because they tell who is meant; all are in the file", markup=False)


def _print_rankings(report: RerankReport, folder: Path) -> None:
    from rich.table import Table

    from copycat.console import out
    from copycat.discovery.rerank import REPORT
    from copycat.paths import shown

    title = f"DETECT in % on {report.seeds} common seeds; those of a character hold together at 95 %"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("character", "prompt", "DETECT", f"from {100 * report.target:.0f} %?", "to the best"):
        is_free = heading in ("character", "prompt")
        table.add_column(heading, overflow="fold", no_wrap=not is_free, min_width=18 if heading == "prompt" else None)
    for ranking in report.rankings:
        for place, row in enumerate(ranking.prompts):
            told = f" [dim]({_escaped(row.tells)})[/dim]" if row.tells else ""
            p = "" if row.p_holm is None or row.is_best else f"{row.p_holm:.3f}" if row.p_holm >= 0.001 else "< 0.001"
            against = "best" if row.is_best else f"alike {p}" if row.prompt in ranking.not_worse else f"worse {p}"
            who = ranking.character if place == 0 else ""
            share = _share(row.detect, is_counted=False)
            table.add_row(who, _escaped(_short(row.prompt)) + told, share, row.triggers, against)
    out.print(table)
    out.print(
        "to the best of the character: p paired by seed, adjusted by Holm; alike: they cannot be told apart",
        style="italic dim",
    )
    _print_sandbox(report.is_sandbox)
    out.print(shown(folder / REPORT), markup=False, soft_wrap=True)


def _print_sandbox(is_sandbox: bool) -> None:
    from copycat.console import out

    if is_sandbox:
        out.print("sandbox: invented characters; not to be put beside real models", style="italic dim")


def _share(estimate: Estimate | None, *, is_counted: bool = True) -> str:
    if estimate is None:
        return ""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return f"- ({estimate.reason})"
    low, high = 100 * estimate.low, 100 * estimate.high
    count = f" {estimate.k}/{estimate.n}" if is_counted else ""
    return rf"{100 * estimate.value:.1f} \[{low:.1f}, {high:.1f}]{count}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_LETTERS else text[: SHOWN_LETTERS - 3] + "..."


def _escaped(text: str, *, is_dim: bool = False) -> str:
    from rich.markup import escape

    return f"[dim]{escape(text)}[/dim]" if is_dim else escape(text)
