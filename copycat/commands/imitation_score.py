"""`python -m copycat.imitation score`: how alike the pictures of each concept are to held-out references."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from copycat.imitation.records import Concept, Score
    from copycat.imitation.score.embedders import Resolved
    from copycat.imitation.score.stage import Scored

SCORE_EPILOG = """References are fixed before a generation is looked at, the same number for every concept. Vectors are
kept in STUDY/embeddings, and nothing is embedded twice. Exit 0 done, 2 to be fixed by you, 130 or 143 interrupted."""

SHOWN_CONCEPTS = 20


def score(  # noqa: PLR0917 - one parameter per option
    references: Annotated[
        Path, typer.Option(metavar="FOLDER|FILE", help="held-out pictures, a folder per concept; or vectors of yours")
    ],
    out: Annotated[Path, typer.Option(metavar="STUDY", help="the folder of the study")],
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="score these: FOLDER/[arm/]concept/[prompt/]*.png; default: those of the study",
            show_default=False,
        ),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="sandbox, open_clip[:MODEL/PRETRAINED], dino[:HUB-ID|./FOLDER], csd:FILE, "
            "face:MODULE:CLASS; default: by the model that drew", show_default=False,
        ),
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="vectors of yours instead of pictures: .npy, .npz, .parquet", show_default=False
        ),
    ] = None,
    per_concept: Annotated[int, typer.Option(min=1, metavar="M", help="references of each concept")] = 10,
    false_match_rate: Annotated[
        float, typer.Option(help="share of references that may match another concept, for 'matched'")
    ] = 0.01,
    characters: Annotated[
        str | None,
        typer.Option(metavar="SET|FILE", help="whom to score; default: the concepts of the study", show_default=False),
    ] = None,
    concepts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="names, aliases, strata of yours instead", show_default=False)
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")] = False,
) -> int:  # fmt: skip
    """Score the pictures of each concept, arm and prompt.

    python -m copycat.imitation score --references sandbox-references --out STUDY
    """
    # Read when numpy is loaded, just below. The products are small: two of its threads wait for each other, and where
    # cores are shared take ten times as long as one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from copycat.commands.imitation_common import one_list
    from copycat.console import EXIT_DONE
    from copycat.imitation.score.stage import ScoreJob, score_study, write_scores
    from copycat.runs.environment import pick_device

    if not 0 < false_match_rate < 1:
        _refuse(
            f"--false-match-rate {false_match_rate:g} is no share\n  needed: a number between 0 and 1, such as 0.01"
        )
    whom = one_list(characters, concepts)
    chosen = _embedder(embedder, embeddings, pictures, out)
    job = ScoreJob(
        study=out,
        references=references,
        concepts=_concepts(out, whom, references),
        pictures=pictures,
        embeddings=embeddings,
        embedder=chosen,
        device="cpu" if chosen is None else pick_device(device),
        per_concept=per_concept,
        false_match_rate=false_match_rate,
    )
    scored = score_study(job)
    write_scores(out, scored)
    _print(scored, job.concepts, out, as_json=json)
    return EXIT_DONE


def _refuse(text: str) -> NoReturn:
    from copycat.errors import UserError

    raise UserError(text)


def _embedder(typed: str | None, embeddings: Path | None, pictures: Path | None, study: Path) -> Resolved | None:
    """Find the embedder; None where the vectors are ready."""
    from copycat.imitation.generate.pictures import read_generations_file
    from copycat.imitation.score.embedders import READY, default_embedder, resolve_embedder

    if embeddings is not None:
        if typed not in (None, READY):
            _refuse(f"--embeddings are vectors already, and --embedder {typed} makes them\n  leave out one of them")
        if pictures is not None:
            _refuse("--embeddings and --pictures both say what to score\n  leave out one of them")
        return None
    if typed == READY:
        _refuse("--embedder ready takes vectors of yours\n  needed: --embeddings FILE, and --references FILE")
    drawn = None if pictures is not None else read_generations_file(study)
    return resolve_embedder(typed or default_embedder(drawn.model if drawn else None))


def _concepts(study: Path, given: str | Path | None, references: Path) -> tuple[Concept, ...]:
    """Give the concepts that are asked for, or those of the study, or those that have references."""
    from copycat.imitation.concepts import concepts_of_names, read_concepts
    from copycat.imitation.records import CONCEPTS_FILE
    from copycat.imitation.score.embedders.ready import read_vectors
    from copycat.imitation.whose import subfolders

    if given is not None or (study / CONCEPTS_FILE).is_file():
        return read_concepts(study, given)
    if references.is_dir():
        names = [path.name for path in subfolders(references)]
    elif references.is_file():
        names = sorted(set(read_vectors(references).concept))
    else:
        _refuse(f"there is no folder or file {references}\n  needed: --references with a subfolder per concept")
    return concepts_of_names(names)


def _print(scored: Scored, concepts: tuple[Concept, ...], study: Path, *, as_json: bool) -> None:
    from copycat.commands.imitation_common import print_warnings
    from copycat.console import print_json
    from copycat.imitation.records import SCORE_FACTS_FILE, SCORES_FILE
    from copycat.paths import shown

    facts, path = scored.facts, study / SCORES_FILE
    if as_json:
        rows = [row.model_dump(mode="json") for row in scored.scores]
        print_json({"scores": rows, "facts": facts.facts, "warnings": list(facts.warnings), "path": str(path)})
        return
    _print_table(scored.scores, {concept.id: concept.name for concept in concepts})
    _say(f"embedder: {facts.facts['embedder']}, pictures: {facts.facts['pictures']}", style="italic dim")
    _say(shown(path))
    print_warnings(facts.warnings, study / SCORE_FACTS_FILE)


def _print_table(scores: tuple[Score, ...], names: dict[str, str]) -> None:
    """Show the mean over prompts by arm and over all concepts, then the concepts with the highest scores by name."""
    from rich.markup import escape
    from rich.table import Table

    from copycat.console import out
    from copycat.imitation.records import ARMS

    table = Table(title="likeness to held-out references", title_justify="left", box=None, pad_edge=False)
    table.add_column("", overflow="fold")
    for heading in ("raw", "z", "identified", "matched", "pictures"):
        table.add_column(heading, justify="right")
    for arm in ARMS:
        if rows := [row for row in scores if row.arm == arm]:
            table.add_row(f"all: {arm}", *_cells(rows))
    table.add_section()
    named: dict[str, list[Score]] = {}
    for row in scores:
        if row.arm == "named":
            named.setdefault(row.concept, []).append(row)
    means = {who: _mean(rows, "raw") for who, rows in named.items()}
    known = sorted((-mean, who) for who, mean in means.items() if mean is not None)
    for _, who in known[:SHOWN_CONCEPTS]:
        table.add_row(escape(names.get(who, who)), *_cells(named[who]))
    out.print(table)
    rest = [(len(known) - SHOWN_CONCEPTS, "more"), (len(means) - len(known), "without a score")]
    if summed := ", ".join(f"{n:,} {what}" for n, what in rest if n > 0):
        _say(f"and {summed}")


def _cells(rows: list[Score]) -> list[str]:
    values = [_mean(rows, name) for name in ("raw", "z", "identified", "matched")]
    n, planned = sum(row.n for row in rows), sum(row.planned for row in rows)
    forms = ("{:.3f}", "{:+.2f}", "{:.1%}", "{:.1%}")
    told = ["" if value is None else form.format(value) for form, value in zip(forms, values, strict=True)]
    return [*told, f"{n:,}" if n == planned else f"{n:,} of {planned:,}"]


def _mean(rows: list[Score], name: str) -> float | None:
    from statistics import fmean

    values = [value for row in rows if (value := getattr(row, name)) is not None]
    return fmean(values) if values else None


def _say(text: str, style: str | None = None) -> None:
    from copycat.console import out

    out.print(text, markup=False, soft_wrap=True, style=style)
