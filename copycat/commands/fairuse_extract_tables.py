"""What `python -m copycat.fairuse extract` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copycat.fairuse.extract.gate import GateResult
    from copycat.fairuse.extract.job import Finished, Job
    from copycat.fairuse.extract.money import Prices
    from copycat.fairuse.extract.records import Group, Measures
    from copycat.fairuse.metrics.by_work import WorkSummary

MAX_PASSED = 20

EXPLAINED = (
    "recall: what an answer holds near-verbatim, as a share of {share_of}; longest: the longest run of the same words, "
    "anywhere after the prefix. Means over works with 95 % intervals; highest: of all answers."
)

AS_WRITTEN = " As written: recall without taking disguises off; the difference is what an evasion hides."


def print_run(finished: Finished, gate: GateResult | None) -> None:
    """Show how the requests ended, figures by axis and beside controls, the gate, and the path."""
    from rich.table import Table

    from copycat.console import out
    from copycat.fairuse.extract.records import PAGE_FILE
    from copycat.fairuse.extract.telling import SANDBOX_NOTE, headline_of, lift_lines, rows_of, share_of, warnings_of
    from copycat.paths import shown

    note = [SANDBOX_NOTE] if finished.run.name == "sandbox" else []
    for line in (headline_of(finished), *note, *warnings_of(finished)):
        _say(line)
    table = Table(box=None, pad_edge=False)
    table.add_column("", overflow="fold")
    has_evasions = finished.run.spec.evasions != ("none",)
    headings = (
        "recall",
        *(("as written",) if has_evasions else ()),
        "highest\nrecall",
        "longest",
        "highest\nlongest",
        "answers",
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for label, group in rows_of(finished.measures):
        table.add_row(label, *_cells(group, has_evasions=has_evasions))
    out.print()
    out.print(table)
    out.print()
    explained = EXPLAINED.format(share_of=share_of(finished.run, finished.measures))
    _say(explained + (AS_WRITTEN if has_evasions else ""), style="italic dim")
    for line in (*lift_lines(finished.measures), *_copies(finished.measures)):
        _say(line)
    if gate is not None:
        print_gate(gate)
    _say(shown(finished.folder / PAGE_FILE))


def print_gate(gate: GateResult) -> None:
    """Show what is beyond the limits."""
    from copycat.fairuse.extract.telling import gate_text, passed_lines

    _say(gate_text(gate))
    for line in passed_lines(gate, MAX_PASSED):
        _say(f"  {line}")


def run_as_json(finished: Finished, gate: GateResult | None) -> dict[str, Any]:
    """Give the run for programs: all figures but those of single answers, which are in measures.json."""
    from copycat.fairuse.extract.records import MEASURES_FILE, PAGE_FILE

    return {
        "id": finished.run.id,
        "model": finished.run.spec.model,
        "measures": finished.measures.model_dump(mode="json", exclude={"answers"}),
        "left_out": finished.run.left_out,
        "unknown_rows": finished.unknown_rows,
        "spent": finished.spent._asdict(),
        "usd": finished.usd,
        "gate": gate.model_dump(mode="json") if gate else None,
        "path": str(finished.folder / MEASURES_FILE),
        "page": str(finished.folder / PAGE_FILE),
    }


def forecast_of(job: Job, prices: Prices | None) -> dict[str, Any]:
    """Count what would be asked, and what that costs at most."""
    from copycat.fairuse.extract.backends import Spent
    from copycat.fairuse.extract.money import most_tokens
    from copycat.fairuse.extract.prompts import build_request
    from copycat.fairuse.extract.records import Answered
    from copycat.runs.folder import read_journal

    asking = job.asking
    done = {row.ask.key for row in read_journal(job.journal, Answered) if row.status != "failed"}
    todo = [ask for ask in asking.asks if ask.key not in done]
    most = Spent()
    for ask in todo:
        request = build_request(ask, asking.works[ask.work], is_chat=job.run.spec.is_chat)
        most = Spent(*map(sum, zip(most, most_tokens(ask, request, asking.rounds), strict=True)))
    return {
        "id": job.run.id,
        "model": job.run.spec.model,
        "works": sum(one.role == "work" for one in job.run.works),
        "controls": sum(one.role != "work" for one in job.run.works),
        "requests": len(asking.asks),
        "done": len(done),
        "by_prompt": dict(Counter(ask.prompt for ask in asking.asks)),
        "left_out": job.run.left_out,
        "most_tokens_in": most.prompt_tokens,
        "most_tokens_out": most.completion_tokens,
        "most_usd": prices.of(most) if prices else None,
        "folder": str(job.folder),
    }


def print_forecast(forecast: dict[str, Any]) -> None:
    """Show what would be asked."""
    from copycat.fairuse.extract.telling import counted

    kinds = ", ".join(f"{count:,} {name}" for name, count in forecast["by_prompt"].items())
    works, controls = counted(forecast["works"], "work"), counted(forecast["controls"], "control")
    _say(f"{forecast['model']}: {works} and {controls}")
    _say(f"{counted(forecast['requests'], 'request')} ({kinds}), {forecast['done']:,} of them done")
    for reason, count in forecast["left_out"].items():
        _say(f"left out: {counted(count, 'request')} {reason}")
    usd = "" if forecast["most_usd"] is None else f", ${forecast['most_usd']:.2f}"
    _say(f"at most about {forecast['most_tokens_in']:,} tokens in and {forecast['most_tokens_out']:,} out{usd}")
    _say(forecast["folder"])


def _cells(group: Group, *, has_evasions: bool) -> Sequence[str]:
    recall, longest, written = (group.figures.get(name) for name in ("recall", "longest", "recall_as_written"))
    return [
        _mean(recall, "{:.3f}"),
        *([f"{written.mean:.3f}" if written else ""] if has_evasions else []),
        f"{recall.highest:.3f}" if recall else "",
        _mean(longest, "{:.1f}"),
        f"{longest.highest:,.0f}" if longest else "",
        f"{group.answers:,}",
    ]


def _mean(summary: WorkSummary | None, form: str) -> str:
    if summary is None:
        return "no figure"
    mean = form.format(summary.mean)
    if summary.low is None or summary.high is None:
        return mean
    return f"{mean} [dim]\\[{form.format(summary.low)}, {form.format(summary.high)}][/dim]"


def _copies(measures: Measures) -> Iterator[str]:
    if measures.spearman is not None:
        yield f"recall against copies in training, over works: Spearman {measures.spearman:+.2f}"


def _say(text: str, style: str | None = None) -> None:
    from copycat.console import out

    out.print(text, markup=False, soft_wrap=True, style=style)
