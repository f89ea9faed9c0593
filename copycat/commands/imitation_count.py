"""`python -m copycat.imitation count`: captions -> how many training pictures there are of each concept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from copycat.imitation.count.counting import Counted, Links
    from copycat.imitation.records import Concept, ConceptCount, StudyFacts

COUNT_EPILOG = """A corpus may have columns sha256, phash, url (or path) and status beside its captions; counts are then
of different pictures. Finished parts are kept in STUDY/counting: the same command goes on from there. Exit 0 done, 2 to
be fixed by you."""

SHOWN_CONCEPTS = 20


def count(  # noqa: PLR0917 - one parameter per option
    corpora: Annotated[list[str], typer.Argument(metavar="CORPUS...", help="captions: files, folders, globs")],
    out: Annotated[Path, typer.Option(metavar="STUDY", help="the folder of the study")],
    characters: Annotated[
        str | None, typer.Option(metavar="SET|FILE", help="count these characters", show_default=False)
    ] = None,
    concepts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="count these: a table with name, and aliases (a|b), noun, ...", show_default=False
        ),
    ] = None,
    text_column: Annotated[str | None, typer.Option(help="of the corpus; default: caption, text, ...")] = None,
    use: Annotated[
        str | None,
        typer.Option(
            metavar="raw|exact|near",
            help="the count that later stages use; default: the last of these that the corpus allows",
            show_default=False,
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="count in so many; default: this one, in threads")
    ] = None,
    sample_pictures: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="write N captions of each concept to STUDY/sample.csv, to be verified"),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|FILE",
            help="a sample that was looked at: FOLDER/<concept>/shown and other, or a table: concept, picture, matched",
            show_default=False,
        ),
    ] = None,
    sensitivity: Annotated[
        str | None,
        typer.Option(metavar="K/N", help="of N labelled pictures that show their concept, the matcher said so of K"),
    ] = None,
    specificity: Annotated[
        str | None, typer.Option(metavar="K/N", help="of N that do not show it, the matcher said so of K")
    ] = None,
    scale_to: Annotated[
        Path | None,
        typer.Option(
            metavar="COUNTS", help="counts.csv of the corpus that trained the model, to scale by its raw counts"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")] = False,
) -> int:
    """Count the training pictures of each concept in captions.

    python -m copycat.imitation count captions.parquet --characters sandbox --out study
    """
    from copycat.commands.imitation_common import one_list
    from copycat.console import EXIT_DONE, running_count
    from copycat.corpus import open_corpus
    from copycat.imitation.concepts import load_concepts, read_concepts
    from copycat.imitation.count.adjusting import adjust, read_adjustment
    from copycat.imitation.count.counting import count_concepts
    from copycat.imitation.count.files import write_counts, write_sample

    whom = one_list(characters, concepts)
    people = load_concepts(whom) if whom is not None else read_concepts(out, None)
    given = read_adjustment(verify, sensitivity, specificity, scale_to, people)
    chosen = _use(use)
    corpus = open_corpus([Path(path) for path in corpora], text_column=text_column)
    read_concepts(out, whom, may_replace=True)  # which keeps them in the study, now that nothing stands in the way
    with running_count("count") as advance:
        counted = count_concepts(
            corpus, people, use=chosen, processes=processes, checkpoint=out / "counting", advance=advance
        )
    counts, told = adjust(counted.counts, given)
    facts = write_counts(out, counted, counts, told)
    sample = write_sample(out, counted, people, sample_pictures) if sample_pictures else None
    if json:
        _print_json(out, counted, counts, facts, sample)
    else:
        _print(out, people, counts, facts, sample, counted.links_of)
    return EXIT_DONE


def _use(use: str | None) -> Literal["raw", "exact", "near"] | None:
    from copycat.errors import UnknownNameError
    from copycat.imitation.count.counting import USES

    if use is None:
        return None
    for known in USES:
        if use == known:
            return known
    raise UnknownNameError("count", use, USES)


def _print_json(
    study: Path,
    counted: Counted,
    counts: Sequence[ConceptCount],
    facts: StudyFacts,
    sample: Path | None,
) -> None:
    from copycat.console import print_json
    from copycat.imitation.records import COUNTS_FILE

    print_json(
        {
            "counts": [each.model_dump(mode="json") for each in counts],
            "aliases": {
                who: {alias: n._asdict() for alias, n in aliases.items()} for who, aliases in counted.aliases.items()
            },
            "use": counted.use,
            "dead_links": {
                "dead": counted.links.dead,
                "links": counted.links.known,
                "without_status": counted.links.unknown,
                "by_concept": {who: {"dead": n.dead, "links": n.known} for who, n in counted.links_of.items()},
            },
            "facts": facts.facts,
            "warnings": list(facts.warnings),
            "path": str(study / COUNTS_FILE),
            "sample": str(sample) if sample else None,
        }
    )


def _print(  # noqa: PLR0917 - one parameter per thing that is printed
    study: Path,
    concepts: Sequence[Concept],
    counts: Sequence[ConceptCount],
    facts: StudyFacts,
    sample: Path | None,
    links_of: dict[str, Links],
) -> None:
    from rich.table import Table

    from copycat.commands.imitation_common import print_warnings
    from copycat.console import out
    from copycat.imitation.records import COUNT_FACTS_FILE, COUNTS_FILE
    from copycat.paths import shown

    names = {concept.id: concept.name for concept in concepts}
    known = sorted((each for each in counts if each.count), key=lambda each: (-(each.count or 0), each.concept))
    table = Table(title="training pictures of each concept", title_justify="left", box=None, pad_edge=False)
    has_links = any(each.known for each in links_of.values())
    for heading in ("concept", "count", "raw", "exact", "near", *(("dead links",) if has_links else ())):
        table.add_column(heading, justify="left" if heading == "concept" else "right", overflow="fold")
    for each in known[:SHOWN_CONCEPTS]:
        cells = [_number(value) for value in (each.raw, each.exact, each.near)]
        if has_links:
            links = links_of[each.concept]
            cells.append(f"{links.dead / links.known:.1%}" if links.known else "")
        table.add_row(_escaped(names[each.concept]), _interval(each), *cells)
    out.print(table)
    rest = [
        (len(known) - SHOWN_CONCEPTS, "more"),
        (sum(each.count == 0 for each in counts), "of which there is no picture"),
        (sum(each.count is None for each in counts), "not estimable"),
    ]
    summed = ", ".join(f"{n:,} {what}" for n, what in rest if n > 0)
    if summed:
        out.print(f"and {summed}", markup=False)
    captions = f"{facts.facts['corpus.captions']} captions, count used: {facts.facts['count']}"
    dead = f", dead links: {facts.facts['dead_links']}" if "dead_links" in facts.facts else ""
    out.print(f"{captions}{dead}", style="italic dim", markup=False, soft_wrap=True)
    for path in (study / COUNTS_FILE, *((sample,) if sample else ())):
        out.print(shown(path), markup=False, soft_wrap=True)
    print_warnings(facts.warnings, study / COUNT_FACTS_FILE)


def _interval(count: ConceptCount) -> str:
    if count.low is None or count.high is None:
        return f"{count.count:,.0f}"
    return f"{count.count:,.0f} [dim]\\[{count.low:,.0f}, {count.high:,.0f}][/dim]"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _escaped(name: str) -> str:
    from rich.markup import escape

    return escape(name)
