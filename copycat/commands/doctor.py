"""`python -m copycat.doctor` and `copycat doctor`: what is installed, reachable and missing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.doctor.records import Finding

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

STYLES = {"ok": "green", "warning": "yellow", "missing": "bold red", "-": "dim"}
MARK_WIDTH, MAX_WIDTH = 9, 120
NO_BREAK = "\N{NO-BREAK SPACE}"
MAIN_JOB = "python -m copycat.eval --model sandbox --mitigation negprompt"


@app.command()
def doctor(
    out: Annotated[Path, typer.Option(metavar="DIR", help="where run folders are made")] = Path("runs"),
    offline: Annotated[bool, typer.Option("--offline", help="ask neither the Hub nor a service")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> int:
    """Say what is installed, reachable and missing. Exit 0 if the main job on the sandbox can run, else 2.

    python -m copycat.doctor --offline
    """
    import datetime

    from copycat import console
    from copycat.doctor.facts import gather
    from copycat.doctor.findings import can_run_sandbox, find_all
    from copycat.models import MODELS

    with console.err.status("looking at machine, packages and network"):
        facts = gather(out, is_offline=offline)
    findings = find_all(facts, MODELS.rows(), datetime.datetime.now(datetime.UTC).date())
    is_fine = can_run_sandbox(findings)
    if json:
        dump = [finding.model_dump(mode="json") for finding in findings]
        console.print_json({"can_run_sandbox": is_fine, "findings": dump, "facts": facts.model_dump(mode="json")})
    else:
        for text, style in layout(findings, console.out.width):
            console.out.print(text, style=style, markup=False, soft_wrap=True)
    return console.EXIT_DONE if is_fine else console.EXIT_USER


def layout(findings: Sequence[Finding], width: int) -> Iterator[tuple[str, str]]:
    """Give lines of text with their styles: sections, and at the end whether the main job can run."""
    from copycat.doctor.findings import to_do

    section = ""
    for finding in findings:
        if finding.section != section:
            yield from [("", "")] * bool(section)
            section = finding.section
            yield section, "bold"
        style = "" if finding.mark == "ok" else STYLES[finding.mark]
        for text in _hanging(finding.mark, finding.text, width):
            yield text, style
        if finding.fix:
            yield from ((text, style) for text in _hanging("", f"-> {finding.fix}", width))
    missing = to_do(findings)
    yield "", ""
    if not missing:
        yield "The main job on the sandbox can run here:", STYLES["ok"]
        yield f"  {MAIN_JOB}", ""
        return
    yield "The main job on the sandbox cannot run here. To do:", STYLES["missing"]
    for finding in missing:
        yield f"  {finding.fix or finding.text}", ""


def _hanging(mark: str, text: str, width: int) -> list[str]:
    start = f"  {mark:<{MARK_WIDTH}}"
    lines = textwrap.wrap(
        re.sub(r"(?<=\S) (?=\d)", NO_BREAK, text),  # 'torch 2.14.1' stays on one line
        min(width, MAX_WIDTH),
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(NO_BREAK, " ") for line in lines]
