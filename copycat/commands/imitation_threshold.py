"""`python -m copycat.imitation threshold`: scores against counts -> where imitation starts, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.imitation.records import Analysis

THRESHOLD_EPILOG = """Your own files need columns concept and count, and concept and score. No change is a result: exit
0 done, whatever the verdict, 2 to be fixed by you."""


def threshold(  # noqa: PLR0917 - one parameter per option
    out: Annotated[Path, typer.Option(metavar="STUDY", help="the folder of the study")],
    counts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="default: STUDY/counts.csv", show_default=False)
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(metavar="FILE", help="default: STUDY/scores.csv", show_default=False)
    ] = None,
    metric: Annotated[str, typer.Option(metavar="raw|z|identified|matched", help="which score")] = "raw",
    permutations: Annotated[int, typer.Option(min=99, help="shuffles for p")] = 999,
    bootstraps: Annotated[int, typer.Option(min=100, help="draws for intervals")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="of shuffles and draws")] = 0,
    json: Annotated[bool, typer.Option("--json", help="print the analysis as JSON instead of a table")] = False,
) -> int:
    """Find the count at which imitation starts, and write STUDY/analysis.json.

    python -m copycat.imitation threshold --out study
    """
    from copycat.console import EXIT_DONE, print_json
    from copycat.imitation.analysis import analyse
    from copycat.imitation.points import gather
    from copycat.runs.folder import write_json

    found = gather(counts or out / "counts.csv", scores or out / "scores.csv", metric)
    analysis = analyse(
        found.points,
        band=found.band,
        metric=metric,  # type: ignore[arg-type]  # gather refuses other names
        seed=seed,
        permutations=permutations,
        bootstraps=bootstraps,
        covariates=found.columns,
        left_out=found.left_out,
    )
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "analysis.json", analysis.model_dump(mode="json"))
    if json:
        print_json(analysis.model_dump(mode="json"))
    else:
        _print(analysis, out / "analysis.json")
    return EXIT_DONE


def _print(analysis: Analysis, path: Path) -> None:
    from rich.table import Table

    from copycat.console import out as screen
    from copycat.imitation.headline import count_range, count_text, headline_of, name_of
    from copycat.paths import shown

    table = Table(title=f"{len(analysis.points)} concepts, score: {analysis.metric}", title_justify="left")
    for heading in ("estimator", "starts at", "95 % interval", "why not"):
        table.add_column(heading)
    for answer in analysis.answers:
        has_interval = answer.low is not None and answer.high is not None
        table.add_row(
            name_of(answer.estimator),
            count_text(answer.count) if answer.count is not None else "",
            count_range(answer.low or 0.0, answer.high or 0.0) if has_interval else "",
            answer.reason or ("for comparison only" if answer.estimator == "published" else ""),
        )
    screen.print(table, markup=False)
    headline = headline_of(analysis)
    lines = [f"{analysis.verdict}: {headline.title}", analysis.why, *headline.sure]
    lines += [f"warning: {warning}" for warning in analysis.warnings]
    lines += [f"left out: {concept}: {why}" for concept, why in list(analysis.left_out.items())[:10]]
    more = len(analysis.left_out) - 10
    lines += [f"left out: {more} more, in the file"] if more > 0 else []
    for line in [*lines, "", shown(path)]:
        screen.print(line, markup=False, soft_wrap=True)
