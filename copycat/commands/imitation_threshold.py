"""`python -m copycat.imitation threshold`: scores against counts -> where imitation starts, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    metric: Annotated[str, typer.Option(metavar="raw|z|identified|matched|score", help="which score")] = "raw",
    permutations: Annotated[int, typer.Option(min=99, help="shuffles for p")] = 999,
    bootstraps: Annotated[int, typer.Option(min=100, help="draws for intervals")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="of shuffles and draws")] = 0,
    json: Annotated[bool, typer.Option("--json", help="print the analysis as JSON instead of a table")] = False,
) -> int:
    """Find the count at which imitation starts, and write STUDY/analysis.json.

    python -m copycat.imitation threshold --out study
    """
    from copycat.console import EXIT_DONE, print_json
    from copycat.imitation.concepts import read_concepts
    from copycat.imitation.records import ANALYSIS_FILE, CONCEPTS_FILE, COUNTS_FILE, SCORES_FILE
    from copycat.imitation.threshold.analysis import analyse
    from copycat.imitation.threshold.points import gather
    from copycat.paths import within
    from copycat.runs.folder import write_json

    concepts = read_concepts(out, None) if (out / CONCEPTS_FILE).is_file() else ()
    counts, scores = counts or out / COUNTS_FILE, scores or out / SCORES_FILE
    found = gather(counts, scores, metric, concepts)
    analysis = analyse(
        found.points,
        band=found.band,
        metric=found.metric,
        seed=seed,
        permutations=permutations,
        bootstraps=bootstraps,
        covariates=found.columns,
        left_out=found.left_out,
        warnings=found.warnings,
    ).model_copy(update={"files": {"counts": within(out, counts), "scores": within(out, scores)}})
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / ANALYSIS_FILE, analysis.model_dump(mode="json"))
    if json:
        print_json(analysis.model_dump(mode="json"))
    else:
        _print(analysis, out / ANALYSIS_FILE)
    return EXIT_DONE


def _print(analysis: Analysis, path: Path) -> None:
    from copycat.commands.imitation_common import print_warnings
    from copycat.console import out as screen
    from copycat.imitation.threshold.headline import concepts_text, headline_of
    from copycat.paths import shown

    screen.print(f"{concepts_text(len(analysis.points))}, score: {analysis.metric}", markup=False)
    screen.print(_table(analysis), markup=False)
    headline = headline_of(analysis)
    lines = [f"{analysis.verdict}: {headline.title}", analysis.why, *headline.sure]
    lines += [f"left out: {concept}: {why}" for concept, why in list(analysis.left_out.items())[:10]]
    more = len(analysis.left_out) - 10
    lines += [f"left out: {more} more, in the file"] if more > 0 else []
    for line in [*lines, "", shown(path)]:
        screen.print(line, markup=False, soft_wrap=True)
    print_warnings(analysis.warnings, path)


def _table(analysis: Analysis) -> Any:
    """Give the table of estimators; where scores rise gradually, ED10 and ED90 stand beneath ED50."""
    from rich.table import Table

    from copycat.imitation.threshold.analysis import AS_TOLD
    from copycat.imitation.threshold.estimators import row_of
    from copycat.imitation.threshold.headline import count_text, dose_text, name_of

    table = Table()
    for heading in ("estimator", "starts at", "95 % interval", "note"):
        table.add_column(heading)
    for answer in analysis.answers:
        reason = "" if answer.reason == AS_TOLD else answer.reason
        has_interval = answer.low is not None and answer.high is not None
        table.add_row(
            name_of(answer.estimator),
            count_text(answer.count) if answer.count is not None else "",
            f"{count_text(answer.low or 0.0)} to {count_text(answer.high or 0.0)}" if has_interval else "",
            reason or ("for comparison only" if row_of(answer.estimator).is_comparison else ""),
        )
        if analysis.verdict == "gradual":
            for name in ("ed10", "ed90"):
                if name in answer.statistics:
                    table.add_row(f"  {name.upper()}", dose_text(name, answer, analysis.points))
    return table
