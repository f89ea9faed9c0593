"""`python -m copycat.discover keywords|descriptions|count|triggers|rerank`: this file has the first three."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copycat.commands.discover_triggers import rerank, triggers

if TYPE_CHECKING:
    from copycat.discovery.wanted import Frozen

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Find innocent words and descriptions that bring a character back.",
)

Characters = Annotated[str, typer.Option(metavar="SET|FILE", help="whose words")]
Name = Annotated[
    str | None, typer.Option(help="of the frozen list; NAME-5 are its best five; default: the ranker's name")
]
Without = Annotated[
    str | None, typer.Option(metavar="WORD,..", help="words that no candidate may hold, such as those of a franchise")
]
Model = Annotated[str | None, typer.Option(help="whose text encoder ranks")]
Encoder = Annotated[str, typer.Option(help="which encoder of the model, such as text_encoder_2")]
Pooling = Annotated[
    str, typer.Option(metavar="words|all|pooled", help="mean of the words' tokens, of all tokens, or the pooled vector")
]
Pool = Annotated[
    str, typer.Option(metavar="own|all", help="rank a character's own candidates, or everybody's for everybody")
]
Llm = Annotated[str | None, typer.Option("--llm", metavar="NAME", help="openai:MODEL, a folder, or org/name")]
Corpus = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH", help="captions or documents: files, folders, globs; repeatable"),
]
TextColumn = Annotated[str | None, typer.Option(help="of the corpus; default: caption, text, ...")]
CorpusId = Annotated[str | None, typer.Option(help="what results call the corpus; default: its path")]
CorpusRevision = Annotated[str | None, typer.Option(help="of the corpus, noted in the result")]
Deduplicate = Annotated[bool, typer.Option("--deduplicate", help="count a text once, however many documents have it")]
Processes = Annotated[int | None, typer.Option(min=1, help="count in so many; default: this one, in threads")]
Executor = Annotated[str, typer.Option(metavar="local|ray", help="count here, or on a Ray cluster")]
Checkpoint = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="finished parts of the count, so that it resumes; default: LISTS/counts"),
]
Lists = Annotated[Path, typer.Option(metavar="DIR", help="where lists are kept")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")]


@app.command()
def keywords(  # noqa: PLR0917 - one parameter per option
    characters: Characters = "copycat50",
    from_: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="candidates, repeatable: 'corpus', 'llm', a list that the set has, or a .txt, .csv, .tsv, .jsonl "
            "file; default: the corpus, else the set's own lists",
            show_default=False,
        ),
    ] = None,
    without: Without = None,
    ranker: Annotated[str, typer.Option(help="see --list")] = "cooccurrence",
    corpus: Corpus = None,
    text_column: TextColumn = None,
    corpus_id: CorpusId = None,
    corpus_revision: CorpusRevision = None,
    deduplicate: Deduplicate = False,
    processes: Processes = None,
    executor: Executor = "local",
    checkpoint: Checkpoint = None,
    engine: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="count in a public index instead: infini-gram:INDEX or wimbd:INDEX"),
    ] = None,
    model: Model = None,
    encoder: Encoder = "text_encoder",
    pooling: Pooling = "words",
    pool: Pool = "own",
    llm: Llm = None,
    name: Name = None,
    keep: Annotated[int, typer.Option(min=1, help="so many of each character are frozen")] = 20,
    lists: Lists = Path("lists"),
    device: Device = None,
    json: Json = False,
    list_: Annotated[bool, typer.Option("--list", help="print the rankers")] = False,
) -> int:
    """Rank keywords of every character and freeze them as a list; the anchor keywords:NAME-5 uses its best five.

    python -m copycat.discover keywords --corpus captions.parquet --name laion-mine
    """
    return _print_rankers() if list_ else _discover("keywords", locals())


@app.command()
def descriptions(  # noqa: PLR0917 - one parameter per option
    characters: Characters = "copycat50",
    from_: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="candidates, repeatable: 'description' (the set's own), 'llm', a list, or a file; default: all lists",
            show_default=False,
        ),
    ] = None,
    without: Without = None,
    ranker: Annotated[str, typer.Option(help="embedding or lm-ranked")] = "embedding",
    model: Model = None,
    encoder: Encoder = "text_encoder",
    pooling: Pooling = "words",
    llm: Llm = None,
    name: Name = None,
    keep: Annotated[int, typer.Option(min=1, help="so many of each character are frozen")] = 5,
    lists: Lists = Path("lists"),
    device: Device = None,
    json: Json = False,
) -> int:
    """Rank descriptions of every character and freeze them; the anchor description:NAME uses the best.

    python -m copycat.discover descriptions --from mine.jsonl --model sdxl --name mine
    """
    return _discover("description", locals())


app.command()(triggers)
app.command()(rerank)


def _discover(kind: str, typed: dict[str, Any]) -> int:
    from copycat import console
    from copycat.commands.discover_tables import print_frozen
    from copycat.discovery.wanted import Wanted, discover

    given = {
        **typed,
        "kind": kind,
        "sources": tuple(typed["from_"] or ()),
        "corpus": tuple(typed.get("corpus") or ()),
        "without": _words(typed["without"]),
    }
    _require_choices(given)
    if kind == "keywords":
        given["counting"] = counting_of(given)
    wanted = Wanted(**{field: value for field, value in given.items() if field in Wanted.model_fields})
    frozen = discover(wanted, console.running_count)
    if typed["json"]:
        console.print_json(_as_json(frozen))
    else:
        print_frozen(frozen)
    return console.EXIT_DONE


@app.command()
def count(  # noqa: PLR0917 - one parameter per option
    corpus: Corpus = None,
    characters: Characters = "copycat50",
    phrases: Annotated[
        str | None, typer.Option(metavar="WORD,..", help="also count these, alone and beside each name")
    ] = None,
    text_column: TextColumn = None,
    corpus_id: CorpusId = None,
    corpus_revision: CorpusRevision = None,
    deduplicate: Deduplicate = False,
    processes: Processes = None,
    executor: Executor = "local",
    checkpoint: Checkpoint = None,
    lists: Lists = Path("lists"),
    json: Json = False,
) -> int:
    """Count the documents of a corpus that name each character, by each of its names.

    python -m copycat.discover count --corpus captions.parquet --characters sandbox
    """
    from copycat.commands.discover_tables import print_counts
    from copycat.console import EXIT_DONE, print_json, running_count
    from copycat.discovery.wanted import count_corpus

    given = locals() | {"corpus": tuple(corpus or ()), "phrases": _words(phrases)}
    with running_count("count") as advance:
        counts, people = count_corpus(given, counting_of(given), advance)
    if json:
        print_json(counts.model_dump(mode="json"))
    else:
        print_counts(counts, people)
    return EXIT_DONE


def counting_of(given: dict[str, Any]) -> dict[str, Any]:
    """Give the options of a count as they were typed."""
    from copycat.errors import UnknownNameError

    if given["executor"] not in ("local", "ray"):
        raise UnknownNameError("executor", given["executor"], ("local", "ray"))
    checkpoint = given["checkpoint"] or given["lists"] / "counts"
    return {**{name: given[name] for name in ("deduplicate", "processes", "executor")}, "checkpoint": checkpoint}


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _require_choices(given: dict[str, Any]) -> None:
    from copycat.errors import UnknownNameError

    for option, known in (("pooling", ("words", "all", "pooled")), ("pool", ("own", "all"))):
        if given.get(option, known[0]) not in known:
            raise UnknownNameError(option, given[option], known)


def _print_rankers() -> int:
    from copycat import console
    from copycat.discovery.rankers import RANKERS

    for row in RANKERS.rows():
        console.out.print(f"{row.name:<14} needs {row.needs:<8} {row.summary}", markup=False, soft_wrap=True)
    return console.EXIT_DONE


def _as_json(frozen: Frozen) -> dict[str, Any]:
    found = frozen.discovered
    return {
        "list": frozen.name,
        "path": str(frozen.path),
        "provenance": found.provenance,
        "removed": [one._asdict() for one in found.gathered.removed],
        "faults": list(found.faults),
        "characters": {who: [one.model_dump() for one in ranked] for who, ranked in found.lists.items()},
    }
