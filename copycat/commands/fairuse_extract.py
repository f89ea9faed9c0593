"""`python -m copycat.fairuse extract`: ask a model for works in many ways, and measure what comes back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.fairuse.extract.choosing import Chosen, Typed
    from copycat.fairuse.extract.gate import GateResult, Limit
    from copycat.fairuse.extract.money import Prices
    from copycat.fairuse.extract.records import Measures, RunFile

EXTRACT_EPILOG = """The same command again takes up what is unfinished. Controls are asked in the same ways, and every
answer is measured against another work too. Exit 0 done; 1 a limit of --gate was passed or nobody can tell, or too
much is missing; 2 to be fixed by you; 130 or 143 interrupted.

\b
Examples:
  python -m copycat.fairuse extract
  python -m copycat.fairuse extract --model openai:MODEL --works novel.txt --withhold --evasions none,leet,caps
  python -m copycat.fairuse extract --model answers:answers.jsonl --works novel.txt --gate longest=50
"""


def extract(  # noqa: PLR0917 - one parameter per option
    model: Annotated[
        str, typer.Option(metavar="NAME", help="sandbox, ./FOLDER, org/repo, openai:MODEL, or answers:FILE.jsonl")
    ] = "sandbox",
    works: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|PATH", help="sandbox, public-domain, a text, a folder, works.yaml, a withheld work; again "
            "for more; default: sandbox", show_default=False,
        ),
    ] = None,
    controls: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|PATH", help="works that the model cannot know: sandbox (held-out works, as many as works, "
            "3 to 12), texts of yours, none; again for more; default: sandbox", show_default=False,
        ),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            metavar="KINDS", help="prefix, title, position, continue, paraphrase; default: prefix,title of a chat "
            "model, else prefix", show_default=False,
        ),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTHS", help="of what is shown, in tokens of a model on this machine, else in words; default: "
            "10,25,50", show_default=False,
        ),
    ] = None,
    decoding: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="greedy, t0.2, t1x8 (8 draws); default: greedy", show_default=False),
    ] = None,
    evasions: Annotated[
        str | None,
        typer.Option(
            metavar="LIST", help="none, leet, caps, spaced, rot13, translate, lines; default: none", show_default=False
        ),
    ] = None,
    places: Annotated[int, typer.Option(min=1, metavar="N", help="prefixes from so many places of each work")] = 1,
    length: Annotated[
        int, typer.Option(min=16, metavar="N", help="tokens of an answer, at most; its window has as many")
    ] = 128,
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="pieces of an answer to 'continue', at most")] = 8,
    raw: Annotated[bool, typer.Option("--raw", help="a chat model on this machine goes on with the bare text")] = False,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="at most N requests, all works alike")] = None,
    withhold: Annotated[
        bool, typer.Option("--withhold", help="write no prompt, answer or text of a work: only figures and places")
    ] = False,
    gate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIGURE=MOST", help="exit 1 where an answer has more: longest, longest_near, recall, rouge_l",
            show_default=False,
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="an earlier run: only what is new counts for --gate", show_default=False),
    ] = None,
    price: Annotated[
        str | None,
        typer.Option(metavar="IN/OUT", help="dollars for a million tokens of requests and answers, such as 2.5/10",
                     show_default=False),
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="stop before all starts together cost more")
    ] = None,
    requests: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="write the requests as JSON lines, to be answered elsewhere; ask nobody",
                     show_default=False),
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="cpu, cuda, mps; default: the best there is")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where run folders are made")] = Path("runs"),
    fresh: Annotated[bool, typer.Option("--fresh", help="delete what this run has made and start again")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be asked, ask nothing")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")] = False,
) -> int:  # fmt: skip
    """Ask a model for works in many ways, and measure how much of them its answers hold: facts, never a verdict.

    python -m copycat.fairuse extract
    """
    # Read when numpy is loaded: the products are small, and its threads would wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from copycat.errors import UserError
    from copycat.fairuse.extract.choosing import Typed, choose
    from copycat.fairuse.extract.gate import parse_gate, read_measures

    limits = parse_gate(gate or ())
    prices = _prices(price, max_cost)
    earlier = read_measures(baseline) if baseline is not None else None
    typed = Typed(
        model=model,
        works=tuple(works or ("sandbox",)),
        controls=tuple(controls or ("sandbox",)),
        prompts=prompts,
        prefixes=prefix,
        decoding=decoding,
        evasions=evasions,
        places=places,
        length=length,
        rounds=rounds,
        limit=limit,
        is_withheld=withhold,
        is_raw=raw,
        device=device,
    )
    chosen = choose(typed)
    if prices is not None and getattr(chosen.model, "throttle", None) is None:
        raise UserError(f"--price is for services: nobody charges for {model}\n  leave out --price and --max-cost")
    if requests is not None:
        return _write_requests(requests, chosen, typed, as_json=json)
    if dry_run:
        return _forecast(chosen, out, prices, as_json=json)
    return _run(chosen, out, (prices, max_cost), (limits, earlier), is_fresh=fresh, as_json=json)


def _run(
    chosen: Chosen,
    out: Path,
    money: tuple[Prices | None, float | None],
    gate: tuple[tuple[Limit, ...], tuple[RunFile, Measures] | None],
    *,
    is_fresh: bool,
    as_json: bool,
) -> int:
    from copycat.commands.fairuse_extract_tables import print_run, run_as_json
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json, progress_bar
    from copycat.fairuse.extract.gate import check, of_the_same_works
    from copycat.fairuse.extract.job import answer_job, build_job, finish_job, taken
    from copycat.fairuse.extract.money import Purse
    from copycat.fairuse.extract.page import write_page
    from copycat.fairuse.extract.records import CHARGES_FILE

    limits, earlier = gate
    result: GateResult | None = None
    with taken(build_job(chosen.asked, out), is_fresh=is_fresh) as job:
        n_asks = len(job.asking.asks)
        with progress_bar("answers", n_asks) as advance:
            told = answer_job(job, chosen.model, Purse(job.folder / CHARGES_FILE, *money), advance)
        with progress_bar("measured", n_asks) as advance:
            finished = finish_job(job, told, advance)
        if limits or earlier is not None:
            base = of_the_same_works(earlier, finished.run) if earlier is not None else None
            result = check(finished.measures, limits, base)
        write_page(finished, result)
    if as_json:
        print_json(run_as_json(finished, result))
    else:
        print_run(finished, result)
    is_good = finished.is_covered and (result is None or result.is_held)
    return EXIT_DONE if is_good else EXIT_NOT_VALID


def _prices(typed: str | None, max_cost: float | None) -> Prices | None:
    from copycat.errors import UserError
    from copycat.fairuse.extract.money import Prices

    if typed is None:
        if max_cost is not None:
            raise UserError(
                "--max-cost needs to know what tokens cost\n  add --price IN/OUT, dollars for a million tokens of "
                "requests and of answers, from your provider's price list"
            )
        return None
    parts = typed.split("/")
    try:
        usd_in, usd_out = (float(part) for part in parts)
    except ValueError:
        usd_in = usd_out = -1.0
    if not (0 <= usd_in < float("inf") and 0 <= usd_out < float("inf")):
        raise UserError(f"--price '{typed}' is no price\n  needed: two numbers, such as --price 2.5/10")
    return Prices(usd_in, usd_out)


def _forecast(chosen: Chosen, out: Path, prices: Prices | None, *, as_json: bool) -> int:
    from copycat.commands.fairuse_extract_tables import forecast_of, print_forecast
    from copycat.console import EXIT_DONE, print_json
    from copycat.fairuse.extract.job import build_job

    forecast = forecast_of(build_job(chosen.asked, out), prices)
    if as_json:
        print_json(forecast)
    else:
        print_forecast(forecast)
    return EXIT_DONE


def _write_requests(path: Path, chosen: Chosen, typed: Typed, *, as_json: bool) -> int:
    """Write what would be sent; a row with a text added to it is a row of answers:FILE."""
    import json

    from copycat.console import EXIT_DONE, print_json
    from copycat.console import out as screen
    from copycat.errors import UserError
    from copycat.fairuse.extract.prompts import build_request
    from copycat.paths import shown
    from copycat.runs.folder import write_bytes

    if typed.is_withheld:
        raise UserError("--requests writes the words of the works, and --withhold writes none\n  leave out one of them")
    works = {one.loaded.work.id: one.loaded for one in chosen.asked.works}
    fields = {"key", "work", "prompt", "prefix", "decoding", "draw", "evasion", "place"}
    rows = [
        ask.model_dump(mode="json", include=fields)
        | {
            "temperature": ask.temperature,
            "max_tokens": ask.length,
            "request": build_request(ask, works[ask.work], is_chat=chosen.asked.is_chat),
        }
        for ask in chosen.asked.plan.asks
        if ask.prompt != "continue"
    ]
    write_bytes(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "replace"))
    left = len(chosen.asked.plan.asks) - len(rows)
    if as_json:
        print_json({"requests": len(rows), "path": str(path)})
        return EXIT_DONE
    screen.print(f'{len(rows):,} requests; add "text" to each row, then: --model answers:{path}', markup=False)
    if left:
        screen.print(f"{left:,} of 'continue' are left out: each depends on the answer before", markup=False)
    screen.print(shown(path), markup=False)
    return EXIT_DONE
