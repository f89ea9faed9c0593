"""X5: each submission states licence and source of its model, and its files are those of its own list.

Whether its figures are true is another question: `python -m copycat.leaderboard verify --all` makes them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from copycat.leaderboard.records import MANIFEST, SUBMISSION, Submission
from copycat.paths import file_sha256
from copycat.provenance.own.found import Own, Result, date_fault, licence_fault, why
from copycat.provenance.own.weights import card_front
from copycat.provenance.records import Finding, Severity

MAX_BYTES = 1 << 20
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_.-]+)")


def check_submissions(own: Own) -> Result:
    """Check every submission below leaderboard/submissions/, and the card of them all."""
    top = own.root / "leaderboard" / "submissions"
    folders = sorted(path for path in top.glob("*/*/*") if path.is_dir() and not path.name.startswith("."))
    if not folders:
        return Result((), "no submission is here; a wheel ships none", is_applicable=False)
    findings = list(_check_card(own, top / "README.md"))
    for folder in folders:
        findings += [*_check_facts(own, folder / SUBMISSION), *_check_files(own, folder)]
    own.n_records += len(folders)
    return Result(tuple(findings), f"{len(folders)} submissions, each with licence and source of its model")


def _check_card(own: Own, card: Path) -> Iterator[Finding]:
    front = card_front(card)
    if front is None:
        said = "the submissions have no card"
        yield own.finding(
            said, "write leaderboard/submissions/README.md, with 'license' in its front matter", own.at(card)
        )
    elif fault := licence_fault(front.get("license")):
        said = f"the card of the submissions: {fault}"
        yield own.finding(said, "state an SPDX expression", own.at(card, "license", front.get("license") or ""))


def _check_facts(own: Own, path: Path) -> Iterator[Finding]:
    advice = "ask who sent it in to submit again; see docs/submit.md"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
        submission = Submission.model_validate_json(path.read_bytes())
    except (OSError, ValueError, ValidationError) as error:
        yield own.finding(f"{own.shown(path)} cannot be read: {why(error)}", advice, own.at(path))
        return
    model = submission.model
    if fault := licence_fault(model.licence):
        said = f"the model '{model.name}': {fault}"
        severity: Severity = "warning" if model.licence else "error"
        yield own.finding(said, advice, own.at(path, "model.licence", model.licence or ""), severity=severity)
    if fault := date_fault(submission.date, own.as_of):
        yield own.finding(f"{own.shown(path)}: the date {fault}", advice, own.at(path, "date", submission.date))


def _check_files(own: Own, folder: Path) -> Iterator[Finding]:
    path = folder / MANIFEST
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.stat().st_size <= MAX_BYTES else ["?"]
    except (OSError, ValueError):
        yield own.finding(f"{own.shown(folder)} has no {MANIFEST} that can be read", "submit it again", own.at(path))
        return
    listed: set[str] = set()
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            said = f"{own.shown(path)} holds a line that is none of sha256sum"
            yield own.finding(said, "submit it again", own.at(path, "", line, number))
            continue
        sha256, name = match.groups()
        listed.add(name)
        file = folder / name
        if not file.is_file() or file_sha256(file) != sha256:
            what = "has other bytes than its list says" if file.is_file() else "is listed, and is not there"
            advice = "restore it, or submit it again: what was verified is no longer there"
            yield own.finding(f"{own.shown(file)} {what}", advice, own.at(path, "", name, number))
    for file in sorted(folder.iterdir()):
        own.n_files += 1
        if file.name not in listed and file.name != MANIFEST:
            said = f"{own.shown(file)} is not on the list of its submission"
            yield own.finding(said, "take it out, or submit it again", own.at(file))
