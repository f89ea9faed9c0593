"""C2PA manifests in pictures: the assertions `cawg.training-mining` and `c2pa.training-mining`.

CAWG Training and Data Mining Assertion 1.0 (March 2024) and 1.1; before C2PA 2.0 removed it, C2PA 1.4 had the same
under its own name. Entries: data_mining, ai_inference, ai_generative_training, ai_training; `use` is allowed,
notAllowed or constrained. A constraint is a condition that nobody has met yet: deny, with the condition in the note.

A refusal counts in whatever state the manifest is. A permission counts only from the active manifest, and only where
its signature holds (validation state Valid or Trusted). Valid is signed by somebody on no trust list, which is as much
as a header or XMP proves; the note tells so.

Nothing is fetched: c2pa-python asks for a manifest that a picture names by its address unless it is told not to. What
such a manifest says is unknown.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from copycat.provenance.records import Signal, Use
from copycat.provenance.signals.terms import CAWG, Answers, unread, widened

MARKS = (b"c2pa", b"jumb", b"dcterms:provenance")
LABELS = {"cawg.training-mining": "cawg", "c2pa.training-mining": "c2pa"}
MISSING = "holds a C2PA manifest, which cannot be read without c2pa-python: pip install 'copycat[c2pa]'"
FORMATS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG", "image/png"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"%PDF", "application/pdf"),
)


def holds_manifest(raw: bytes) -> bool:
    """Whether bytes look as if they held a C2PA manifest (JUMBF boxes labelled c2pa); cheap, and never too few."""
    return b"c2pa" in raw and (b"jumb" in raw or b"jumd" in raw)


def format_of(raw: bytes) -> str | None:
    """Give the media type of a picture by its first bytes; None for a kind that holds no manifest."""
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "image/webp"
    if raw[4:8] == b"ftyp":
        return "image/avif" if raw[8:12] in (b"avif", b"avis") else "image/heic"
    return next((kind for mark, kind in FORMATS if raw.startswith(mark)), None)


def read_credentials(raw: bytes, place: str, fetched_at: str | None = None) -> Iterator[Signal]:
    """Yield what the manifests in a picture say; nothing for a picture without one."""
    if not holds_manifest(raw):
        if b"dcterms:provenance" in raw:
            note = "names a C2PA manifest elsewhere, which is not fetched: what it says is unknown"
            yield Signal(source="cawg", answers=unread(), place=f"C2PA of {place}", fetched_at=fetched_at, note=note)
        return
    store, state, fault = _read_store(raw)
    if store is None:
        refused = _torn(raw)
        note = f"{fault}; a refusal can be made out in it" if refused else fault
        answers = unread() | refused
        yield Signal(source="cawg", answers=answers, place=f"C2PA of {place}", fetched_at=fetched_at, note=note)
        return
    found = False
    active = store.get("active_manifest")
    manifests = store.get("manifests")
    for name, manifest in manifests.items() if isinstance(manifests, Mapping) else ():
        for label, data in _assertions(manifest):
            found = True
            yield _signal(label, data, state if name == active else "not the active manifest", place, fetched_at)
    if not found:
        note = f"has no assertion on training or mining (manifest {state})"
        yield Signal(source="cawg", place=f"C2PA of {place}", fetched_at=fetched_at, note=note)


def _read_store(raw: bytes) -> tuple[dict[str, Any] | None, str, str]:
    """Give the manifest store, its validation state, and what is wrong."""
    try:
        import c2pa  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        return None, "", MISSING
    kind = format_of(raw)
    if kind is None:
        return None, "", "holds a C2PA manifest in a kind of file that is not read"
    try:
        with c2pa.Reader(kind, io.BytesIO(raw), context=_offline()) as reader:
            store = json.loads(reader.json())
            state = str(reader.get_validation_state() or "unknown").casefold()
    except (c2pa.C2paError, ValueError, OSError, RuntimeError) as error:
        return None, "", f"holds a C2PA manifest that cannot be read ({' '.join(str(error).split())[:120]})"
    return (store, state, "") if isinstance(store, dict) else (None, "", "holds a C2PA manifest that is no object")


@cache
def _offline() -> Any:  # Any: c2pa ships no types
    import c2pa

    return c2pa.Context(c2pa.Settings.from_dict({"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}))


def _assertions(manifest: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    held = manifest.get("assertions") if isinstance(manifest, Mapping) else None
    for assertion in held if isinstance(held, list) else ():
        label = str(assertion.get("label", "")) if isinstance(assertion, Mapping) else ""
        name = re.sub(r"(\.v\d+|__\d+)+$", "", label)
        if name in LABELS:
            data = assertion.get("data")
            yield name, data if isinstance(data, Mapping) else {}


def _signal(label: str, data: Mapping[str, Any], state: str, place: str, fetched_at: str | None) -> Signal:
    answers, notes = read_entries(data)
    if state == "valid":
        notes.append("signed by somebody on no trust list")
    elif state != "trusted":
        dropped = [use for use, answer in answers.items() if answer == "allow"]
        answers = {use: answer for use, answer in answers.items() if answer == "deny"}
        notes.append(f"manifest: {state}" + ("; its permissions do not stand" if dropped else ""))
    return Signal(
        source=LABELS[label],
        raw=json.dumps(data, sort_keys=True)[:200],
        answers=answers,
        place=f"C2PA {label} of {place}",
        fetched_at=fetched_at,
        note="; ".join(notes),
    )


def read_entries(data: Mapping[str, Any]) -> tuple[Answers, list[str]]:
    """Give what the entries of an assertion say, and the conditions."""
    entries = data.get("entries")
    answers: Answers = {}
    notes: list[str] = []
    for key, entry in entries.items() if isinstance(entries, Mapping) else ():
        uses: tuple[Use, ...] = CAWG.get(str(key).rpartition(".")[2].casefold().replace("-", "_"), ())
        word = str(entry.get("use", "") if isinstance(entry, Mapping) else entry)
        folded = re.sub(r"[^a-z]", "", word.casefold())
        for use in uses:
            if folded in ("notallowed", "disallowed", "denied", "prohibited"):
                answers[use] = "deny"
            elif folded == "constrained":
                info = entry.get("constraint_info", "") if isinstance(entry, Mapping) else ""
                answers[use] = "deny"
                notes.append(f"{use} only under terms: {str(info)[:120] or 'not said'}")
            elif word == "allowed" and answers.get(use) != "deny":
                answers[use] = "allow"
    return widened(answers), notes


def _torn(raw: bytes) -> Answers:
    """Give the refusals that can be made out in the CBOR of a manifest that cannot be read."""
    answers: Answers = {}
    for word, uses in CAWG.items():
        for found in re.finditer(rb"(?:cawg|c2pa)\." + word.encode() + rb"(?![a-z_])", raw):
            window = raw[found.end() : found.end() + 24]
            if b"notAllowed" in window or b"constrained" in window:
                answers |= dict.fromkeys(uses, "deny")
    return widened(answers)
