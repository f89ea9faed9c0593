"""X2: every folder of prompts has a card, and each file on it has how, by, date, licence and its own bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from copycat.catalog import canonical_sha256
from copycat.catalog.prompt_files import CARD
from copycat.paths import file_sha256
from copycat.provenance.dataset.card import load_plain_json, load_plain_yaml
from copycat.provenance.own.found import Own, Result, date_fault, licence_fault
from copycat.provenance.records import Finding

MAX_BYTES = 8 << 20
LIST_ADVICE = "make the list again with its command; see docs/anchors.md"


def check_prompts(own: Own) -> Result:
    """Check every folder below prompts/."""
    folders = sorted(path for path in (own.root / "prompts").glob("*") if path.is_dir())
    if not folders:
        said = "there is no folder of prompts"
        return Result((own.finding(said, "restore prompts/, or install copycat again"),), said)
    findings: list[Finding] = []
    n_before = own.n_files
    for folder in folders:
        findings += _check_folder(own, folder)
    return Result(tuple(findings), f"{own.n_files - n_before} files in {len(folders)} folders, all as their cards say")


def _check_folder(own: Own, folder: Path) -> Iterator[Finding]:
    path = folder / CARD
    card, fault = _read(path, load_plain_yaml)
    if fault:
        yield own.finding(f"prompts/{folder.name} has no card that can be read: {fault}",
                          "write card.yaml: id, version, licence, and each file's how, by, date, sha256",
                          own.at(path))  # fmt: skip
        card = {}
    elif fault := licence_fault(card.get("licence")):
        advice = "state the licence of the texts as 'licence:', an SPDX expression"
        yield own.finding(f"prompts/{folder.name}: {fault}", advice, own.at(path, "licence", card.get("licence") or ""))
    files = card.get("files")
    listed: Mapping[Any, Any] = files if isinstance(files, dict) else {}
    for name, entry in listed.items():
        yield from _check_entry(own, folder, str(name), entry if isinstance(entry, dict) else {})
    for file in sorted(folder.rglob("*")):
        if file.is_dir() or file.name == CARD or file.name.startswith("."):
            continue
        own.n_files += 1
        name = file.relative_to(folder).as_posix()
        if name in listed:
            continue
        if file.suffix == ".json":
            yield from _check_list(own, file)
        elif not fault or card:
            advice = "put it on the card, with how it was made, by whom and when, or take it out"
            yield own.finding(f"prompts/{folder.name}/{name} is on no card", advice, own.at(file))


def _check_entry(own: Own, folder: Path, name: str, entry: Mapping[str, Any]) -> Iterator[Finding]:
    where, card = f"files.{name}", folder / CARD
    for field in ("how", "by"):
        if not str(entry.get(field) or "").strip():
            said = f"prompts/{folder.name}/{name}: '{field}' is missing"
            yield own.finding(said, f"say {field} it was made on the card", own.at(card, where))
    if fault := date_fault(entry.get("date"), own.as_of):
        said = f"prompts/{folder.name}/{name}: the date {fault}"
        yield own.finding(said, "give the day on which it was made", own.at(card, f"{where}.date"))
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
        said = f"prompts/{folder.name}/{name} is on the card, and is not there"
        yield own.finding(said, "restore it, or take it off the card", own.at(card, where))
    elif file_sha256(file) != entry.get("sha256"):
        said = f"prompts/{folder.name}/{name} has other bytes than its card says"
        advice = "restore it: it is frozen; or make a new version of the set"
        yield own.finding(said, advice, own.at(file, "sha256", entry.get("sha256")))


def _check_list(own: Own, file: Path) -> Iterator[Finding]:
    """Check a frozen list, which states its own origin and the hash of its texts; its licence is that of the card."""
    listed, fault = _read(file, lambda text: load_plain_json(text.encode()))
    if fault:
        yield own.finding(f"{own.shown(file)}: {fault}", LIST_ADVICE, own.at(file))
        return
    said = listed.get("provenance")
    provenance: Mapping[str, Any] = said if isinstance(said, dict) else {}
    if not provenance.get("by"):
        yield own.finding(
            f"{own.shown(file)}: nothing says who or what made it", LIST_ADVICE, own.at(file, "provenance")
        )
    if fault := date_fault(provenance.get("date"), own.as_of):
        yield own.finding(f"{own.shown(file)}: the date {fault}", LIST_ADVICE, own.at(file, "provenance.date"))
    if canonical_sha256(listed.get("texts")) != listed.get("sha256"):
        said = f"{own.shown(file)}: its texts are not those of its sha256"
        yield own.finding(said, LIST_ADVICE, own.at(file, "sha256", listed.get("sha256")))


def _read(path: Path, parse: Any) -> tuple[dict[str, Any], str]:
    """Give a mapping, and what is wrong with its file, "" for nothing."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}, f"has more than {MAX_BYTES} bytes"
        value = parse(path.read_text(encoding="utf-8"))
    except OSError:
        return {}, f"there is no {path.name}" if not path.exists() else f"{path.name} cannot be opened"
    except ValueError as error:
        return {}, f"{path.name} is broken: {str(error)[:200]}"
    return (value, "") if isinstance(value, dict) else ({}, f"{path.name} is not a mapping")
