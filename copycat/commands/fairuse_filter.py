"""`python -m copycat.fairuse filter`: build a filter of works, check outputs with it, stand in front of a server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from copycat.fairuse.filter import Decision, OutputFilter

BUILD_EPILOG = """
A work is found once --window letters in a row are the same, some five words of English: of quotes of five words one in
four is found, of six two in three, of eight nearly all. Where every fourth word is another, nine words of ten are still
found; of a withheld work, of which there are hashes alone, five of ten. A filter holds the letters of all other works
and is as secret as they are; with a withheld work, it holds the salt too. Its owner alone may read it.

\b
Examples:
  python -m copycat.fairuse filter build public-domain novel.txt --out novel.filter
  python -m copycat.fairuse filter build manuscript.withheld --out manuscript.filter
  python -m copycat.fairuse filter build my-library/ --out library.filter --no-near
"""

CHECK_EPILOG = """
A span that is longer than --quote-words, or with which more than --work-words of its work are quoted, is beyond the
allowance. Public-domain works may be copied, and works under an open licence with their source.
Exit 0 done, 1 a span is longer than --gate, 2 to be fixed by you.

\b
Examples:
  python -m copycat.fairuse filter check novel.filter answer.txt
  some-model | python -m copycat.fairuse filter check novel.filter - --text
  python -m copycat.fairuse filter check novel.filter answers/*.txt --gate 25
  python -m copycat.fairuse filter check novel.filter answer.txt --beyond rewrite --rewriter openai:MODEL
"""

SERVE_EPILOG = """
It listens on this computer alone. Filtered are /chat/completions and /completions, whole or in events; the header
x-copycat-action, or the last line of the events, tells what was done, and so does a line here for each request of which
not all may be shown: works and words, never text. What the user asked with may be repeated.

\b
Examples:
  python -m copycat.fairuse filter serve novel.filter --upstream http://127.0.0.1:8000/v1
  OPENAI_BASE_URL=http://127.0.0.1:8400/v1 your-program
"""

MAX_OUTPUT_BYTES = 16 * 2**20
"""No model writes as much at once, and each letter of an output takes 30 bytes of memory."""

PIECE, TOLD_FROM = 65_536, 500_000
"""Letters of an output that are checked at once, and how many of all outputs take so long that progress is shown."""

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Find works in what a model writes, while it writes, and decide what may be shown.",
)

Folder = Annotated[Path, typer.Argument(metavar="FILTER", help="the folder of a filter", show_default=False)]
QuoteWords = Annotated[int, typer.Option(min=0, metavar="N", help="the most words of one passage that may be quoted")]
WorkWords = Annotated[int, typer.Option(min=0, metavar="N", help="the most words of one work in one output")]
Beyond = Annotated[
    Literal["trim", "rewrite", "block"], typer.Option(help="what is done with more: trim, rewrite or block")
]
Cite = Annotated[bool, typer.Option("--cite", help="show quotations with their source")]
AllowWork = Annotated[list[str] | None, typer.Option(metavar="ID", help="a work that may be copied; repeatable")]
RewriterModel = Annotated[
    str | None, typer.Option(metavar="MODEL", help="who rewrites: openai:MODEL, org/repo, or ./FOLDER")
]


@app.callback()
def filter_commands() -> None:
    """Find works in what a model writes, while it writes, and decide what may be shown."""


@app.command(epilog=BUILD_EPILOG)
def build(  # noqa: PLR0917 - one parameter per option
    works: Annotated[
        list[str],
        typer.Argument(
            help="public-domain, text files, folders of them, works.yaml, withheld works", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="the new folder", show_default=False)],
    window: Annotated[
        int, typer.Option(metavar="N", help="letters in a row that must be the same, spaces not counted")
    ] = 24,
    bloom_rate: Annotated[
        float, typer.Option(metavar="P", help="share of other windows that reach the exact index")
    ] = 1e-3,
    near: Annotated[bool, typer.Option("--near/--no-near", help="find changed wording, too: twice the size")] = True,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Build a filter: a Bloom filter, an exact index that confirms its hits, and the letters of the works."""
    from copycat.commands.fairuse_filter_tables import print_built
    from copycat.console import print_json, running_count
    from copycat.fairuse.filter.building import build_filter, each_work
    from copycat.paths import shown

    with running_count("letters") as advance:
        file = build_filter(each_work(works), out, window=window, bloom_rate=bloom_rate, near=near, advance=advance)
    facts = file.model_dump(mode="json") | {"folder": shown(out)} | _sizes(out, file.windows)
    if json:
        print_json(facts)
    else:
        print_built(facts)


@app.command(epilog=CHECK_EPILOG)
def check(  # noqa: PLR0917 - one parameter per option
    folder: Folder,
    outputs: Annotated[list[Path], typer.Argument(help="text files, or - for what is piped in", show_default=False)],
    prompt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="what the user wrote: repeating it is no reproduction")
    ] = None,
    quote_words: QuoteWords = 25,
    work_words: WorkWords = 100,
    beyond: Beyond = "trim",
    cite: Cite = False,
    allow_work: AllowWork = None,
    rewriter: RewriterModel = None,
    text: Annotated[bool, typer.Option("--text", help="print what may be shown, and nothing else")] = False,
    gate: Annotated[
        int | None, typer.Option(min=0, metavar="WORDS", help="exit 1 if a span is longer, for a check in CI")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> int:
    """Check whole outputs: which works stand in them, where, how long, and what may be shown."""
    from copycat.commands.fairuse_filter_tables import print_checked
    from copycat.commands.fairuse_shown import gate_line
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json, say
    from copycat.fairuse.text import read_text

    _refuse_contradictions(outputs, prompt, text=text, json=json)
    owner = _filter_of(folder, _policy(quote_words, work_words, beyond, cite, allow_work), rewriter)
    asked = "" if prompt is None else read_text(prompt)
    decisions = _decisions({str(path): read_text(path, MAX_OUTPUT_BYTES) for path in outputs}, owner, asked)
    longest_of = [
        max((span.words for span in decision.spans if span.outcome not in ("allowed", "attributed")), default=0)
        for decision in decisions.values()
    ]
    longest = max(longest_of, default=0)
    if json:
        rows = [{"output": name} | decision.model_dump(mode="json") for name, decision in decisions.items()]
        print_json({"outputs": rows, "longest_words": longest})
    elif text:
        for decision in decisions.values():
            typer.echo(decision.text, nl=False)
    else:
        print_checked(decisions)
    if gate is None:
        return EXIT_DONE
    say(gate_line(gate, longest_of, "words"))
    return EXIT_NOT_VALID if longest > gate else EXIT_DONE


@app.command(epilog=SERVE_EPILOG)
def serve(  # noqa: PLR0917 - one parameter per option
    folder: Folder,
    upstream: Annotated[
        str, typer.Option(metavar="URL", help="the server, as a program would be told: https://HOST/v1")
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="of this computer; 0 for any that is free")] = 8400,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="how long the server may be silent")] = 600.0,
    quote_words: QuoteWords = 25,
    work_words: WorkWords = 100,
    beyond: Beyond = "trim",
    cite: Cite = False,
    allow_work: AllowWork = None,
    rewriter: RewriterModel = None,
) -> None:
    """Stand in front of a server that speaks the OpenAI API, and show of its answers what may be shown."""
    from copycat.commands.fairuse_filter_tables import decided_line
    from copycat.console import nothing_to_resume, say
    from copycat.fairuse.filter.proxy import FilterProxy

    nothing_to_resume()
    owner = _filter_of(folder, _policy(quote_words, work_words, beyond, cite, allow_work), rewriter)

    def tell(decisions: Sequence[Decision]) -> None:
        if (line := decided_line(decisions)) is not None:
            say(line)

    with FilterProxy(owner, upstream, port=port, timeout_s=timeout, tell=tell) as proxy:
        typer.echo(f"OPENAI_BASE_URL={proxy.url}")
        say(f"in front of {proxy.upstream}; Ctrl-C stops it")
        proxy.wait()


# ------------------------------------------------------------------------------------ what they need


def _refuse_contradictions(outputs: list[Path], prompt: Path | None, *, text: bool, json: bool) -> None:
    from copycat.errors import UserError

    if text and json:
        raise UserError("--text and --json are two ways to print\n  choose one; --json holds the text too")
    if [*outputs, prompt].count(Path("-")) > 1:
        raise UserError("'-' stands twice, and what is piped in can be read once\n  save it as a file")


def _decisions(texts: dict[str, str], owner: OutputFilter, asked: str) -> dict[str, Decision]:
    """Check texts in pieces, so that a long one shows how far it is."""
    from copycat.console import progress_bar

    size = sum(map(len, texts.values()))
    decisions: dict[str, Decision] = {}
    with progress_bar("letters", size) if size >= TOLD_FROM else nullcontext(lambda _: None) as advance:
        for name, text in texts.items():
            stream = owner.stream(asked)
            for start in range(0, len(text), PIECE):
                stream.push(text[start : start + PIECE])
                advance(min(PIECE, len(text) - start))
            decisions[name] = stream.close()[1]
    return decisions


def _policy(quote_words: int, work_words: int, beyond: Any, cite: bool, allow_work: list[str] | None) -> Any:
    from copycat.fairuse.filter import Policy

    return Policy(
        quote_words=quote_words, work_words=work_words, beyond=beyond, cite=cite, allow_works=tuple(allow_work or ())
    )


def _filter_of(folder: Path, policy: Any, rewriter: str | None) -> OutputFilter:
    from copycat.errors import UserError
    from copycat.fairuse.filter import OutputFilter

    if policy.beyond == "rewrite" and rewriter is None:
        raise UserError(
            "--beyond rewrite needs a model that writes\n  add --rewriter openai:MODEL, org/repo or ./FOLDER"
        )
    if policy.beyond != "rewrite" and rewriter is not None:
        raise UserError(f"--rewriter has nothing to do: --beyond is {policy.beyond}\n  add --beyond rewrite")
    if rewriter is None:
        return _checked(OutputFilter(folder, policy))
    from copycat.fairuse.filter.rewriting import rewriter_of
    from copycat.llm import build_language_model

    return _checked(OutputFilter(folder, policy, rewriter_of(build_language_model(rewriter, None))))


def _checked(owner: OutputFilter) -> OutputFilter:
    """Refuse an id that no work of the filter has: what was meant would be trimmed."""
    from copycat.errors import UnknownNameError

    ids = [work.id for work in owner.works]
    for name in owner.policy.allow_works:
        if name not in ids:
            raise UnknownNameError("work", name, ids)
    return owner


def _sizes(folder: Path, windows: int) -> dict[str, Any]:
    """Give the bytes of each file, and of all per million windows."""
    sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("*.bin"))}
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"bytes": total, "files": sizes, "mb_per_million_windows": round(total / windows, 3) if windows else None}
