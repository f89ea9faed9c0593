"""`python -m copycat.provenance own`: check what copycat ships, and write the manifests of its weights."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

OWN_EPILOG = """\
Five rules: characters (X1), prompts (X2), weights (X3), the sandbox's corpus (X4), submissions (X5). The same findings
as of `check --own`, which also writes SARIF and a page.

--write makes `weights.manifest.json` beside each folder of weights: files with their sha256, how each model was made,
and the fingerprint of what it learned from, all of it from the code that trains.

Exit 0 no error found, or written; 1 errors found; 2 to be fixed by you.

\b
Examples:
  python -m copycat.provenance own
  python -m copycat.provenance own --rules X3
  python -m copycat.provenance own --write
"""


def own(
    rules: Annotated[str | None, typer.Option(help="only these, such as X1,X3", metavar="IDS")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(help="the day to check for; default: today", formats=["%Y-%m-%d"])
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="write the manifests of the weights, from facts")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> int:
    """Check what copycat itself ships: characters, prompts, weights, corpus, submissions."""
    from copycat.commands.provenance_check_shown import print_report
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json
    from copycat.paths import data_folder
    from copycat.provenance.own import run_own

    if write:
        return _write(as_json=as_json)
    day = (as_of or datetime.now().astimezone()).date()
    wanted = None if rules is None else [name.strip() for name in rules.split(",") if name.strip()]
    report = run_own(data_folder("characters").parent, day, rules=wanted)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_report(report, [], strict=False)
    return EXIT_NOT_VALID if report.count("error") else EXIT_DONE


def _write(*, as_json: bool) -> int:
    from copycat.console import EXIT_DONE, out, print_json
    from copycat.paths import package_folder, shown
    from copycat.provenance.own.weights_facts import write_manifests

    written = write_manifests(package_folder(""))
    if as_json:
        print_json({"manifests": [{"file": shown(path), "is_new": is_new} for path, is_new in written]})
    else:
        for path, is_new in written:
            out.print(f"{shown(path)}: {'written' if is_new else 'as it was'}", markup=False, soft_wrap=True)
    return EXIT_DONE
