"""The records of the wing: what a rule finds, what a signal says, and what a manifest keeps of each record."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from copycat.schema import Record
from copycat.schema.base import Text

RULE_VERSION = "1"
"""Rises whenever the same dataset can get other findings or decisions."""

Severity = Literal["error", "warning", "note"]
"""An error fails the check; a warning is for a person to look at; a note informs."""
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

Answer = Literal["allow", "deny", "unknown"]
"""What is known of the will of whoever holds the rights. `unknown` is never read as `allow`."""

Use = Literal["training", "generative-training", "mining", "inference", "search"]
"""What is done with a record: training any model, training a generative one, text and data mining, giving it to a model
as input, finding and showing it."""
USES: tuple[Use, ...] = get_args(Use)


class Purpose(Record):
    """What somebody wants to do with a dataset, as licences and signals see it.

    Attributes:
        use: which answer of the signals counts.
        commercial: for commercial advantage (what NC licences forbid).
        shares_copies: records are passed on as they are.
        shares_changes: changed records, or works that adapt them, are passed on (what ND licences forbid).
        output_licence: under which licence that is done, an SPDX expression; None: undecided.
    """

    name: Text
    about: Text
    use: Use
    commercial: bool = False
    shares_copies: bool = False
    shares_changes: bool = False
    output_licence: str | None = None


PURPOSES: dict[str, Purpose] = {
    purpose.name: purpose
    for purpose in (
        Purpose(name="research", about="train a model, not commercially; pass nothing on", use="generative-training"),
        Purpose(name="training", about="train a model commercially; pass no record on", use="generative-training",
                commercial=True),
        Purpose(name="sharing", about="pass the dataset on as it is, to anybody", use="generative-training",
                commercial=True, shares_copies=True),
        Purpose(name="adapting", about="pass on changed records (cropped, translated, annotated), to anybody",
                use="generative-training", commercial=True, shares_copies=True, shares_changes=True),
        Purpose(name="search", about="index the records, to find and show them", use="search", commercial=True),
    )
}  # fmt: skip
"""What `--for` takes."""


def printable(text: str) -> str:
    """Give text that can be written as UTF-8: other bytes of a name are spelt out, lone surrogates become "?"."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")


def _printable(value: Any) -> Any:  # Any: what is no text is pydantic's to refuse
    return printable(value) if isinstance(value, str) else value


Said = Annotated[str, BeforeValidator(_printable)]
"""Text that may quote a dataset, whose names and values may hold anything."""


class Evidence(Record):
    """Where a finding can be seen.

    Attributes:
        file: relative to the dataset, with "/" between folders; "" is the dataset as a whole.
        line: of a text file, or row of a table, from 1.
        pointer: into the file: a JSON pointer, a column, a header, a member of an archive.
        value: what stands there, shortened.
    """

    file: Said = ""
    line: int | None = Field(default=None, ge=1)
    pointer: Said = ""
    value: Said = ""

    @property
    def place(self) -> str:
        """The place in one line, such as "data/train.parquet:17 licence"."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where} {self.pointer}".strip() or "the dataset"


class Finding(Record):
    """One thing that a rule found, for however many records.

    `said` is the fact in one sentence, `advice` what to do; `n_records` how many records it holds for (None: it is
    about the dataset), of which `evidence` shows the first few. `ignored` is why somebody decided not to count it
    (provenance.yaml); it stays visible.
    """

    rule: Text
    severity: Severity
    said: Annotated[Text, BeforeValidator(_printable)]
    advice: Annotated[Text, BeforeValidator(_printable)]
    evidence: tuple[Evidence, ...] = ()
    n_records: int | None = None
    ignored: str = ""


class Outcome(Record):
    """What came of one rule.

    `status`: passed; found (something, see the findings); not-applicable (nothing here that the rule is about); or
    not-checked (it could not be, which is also a finding). `said` is the reason, or what was seen.
    """

    rule: Text
    title: Text
    status: Literal["passed", "found", "not-applicable", "not-checked"]
    said: Annotated[Text, BeforeValidator(_printable)]
    findings: tuple[Finding, ...] = ()


class CheckReport(Record):
    """All that was checked of a dataset. The same dataset, settings and `as_of` give the same report.

    `columns` says which column of the dataset was read as which standard one; `notes` what else a reader must know,
    such as entries of provenance.yaml that have ended.
    """

    dataset: Text
    kind: str
    n_files: int
    n_records: int
    purpose: Purpose
    region: str
    as_of: date
    rule_version: str = RULE_VERSION
    columns: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings: errors first, otherwise in the order of the rules."""
        found = [finding for outcome in self.outcomes for finding in outcome.findings]
        return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))

    def count(self, severity: Severity) -> int:
        """How many findings are of this severity, without those that are ignored."""
        return sum(finding.severity == severity and not finding.ignored for finding in self.findings)


class Licence(Record):
    """What is known of the licence of a record, and from where.

    Attributes:
        spdx: an SPDX expression; None where none is known.
        evidence_url: where the licence was stated; snippet_hash: sha256 of the words that stated it.
        method: how it was told (field, header, page, register, own, ...); confidence: from 0 to 1, None where nobody
            measured how often the method is right.
    """

    spdx: str | None = None
    evidence_url: str | None = None
    snippet_hash: str | None = None
    method: str = ""
    confidence: float | None = Field(default=None, ge=0, le=1)


class Signal(Record):
    """One statement of a rights holder in a machine-readable form.

    Attributes:
        source: the form, a name of the table in `signals/`.
        raw: as it was served, shortened.
        answers: for the uses that it speaks of; a use that is not there was not spoken of.
        place: the address, file or header it stood in; fetched_at: when it was read (ISO 8601), None if not recorded.
        note: why it is read so, where that is not plain (a fault, a condition, a payment).
    """

    source: Text
    raw: str = ""
    answers: dict[Use, Answer] = Field(default_factory=dict)
    place: str = ""
    fetched_at: str | None = None
    note: str = ""


class SignalDecision(Record):
    """All signals about one thing, combined.

    `answers` has every use; `because` the signals that decided it. What policy makes of `unknown` is not part of it.
    """

    answers: dict[Use, Answer]
    because: dict[Use, tuple[str, ...]] = Field(default_factory=dict)
    signals: tuple[Signal, ...] = ()


class Transform(Record):
    """One step from what was retrieved to what is in the dataset; hashes are sha256 in hex."""

    name: Text
    version: str = ""
    params_hash: str = ""
    in_sha: str
    out_sha: str


class Synthetic(Record):
    """Which model made a record, and from which prompt (sha256 in hex)."""

    model: Text
    prompt_hash: str


NO_MODEL = "none"
"""The `synthetic.model` of a record that no model made, as its dataset says; null is where nobody says."""

SIDECAR_FOLDER = "provenance"
"""The folder in a dataset (of a single file `x.parquet`: the folder `x.provenance` beside it) that holds:

    records.parquet   one row a record, removed ones too, by id; its columns are `sidecar_schema()`
    history.parquet   what rows were before they changed, in the same columns; not there while none has
    manifest.json     versions, each with its Merkle root and number of records
    croissant.json    the dataset level
    removals.jsonl    the log of removals, appended only
"""
RECORDS_FILE, HISTORY_FILE, MANIFEST_FILE, CROISSANT_FILE, REMOVALS_FILE = (
    "records.parquet",
    "history.parquet",
    "manifest.json",
    "croissant.json",
    "removals.jsonl",
)


def sidecar_schema() -> Any:
    """Give the columns of records.parquet, in their order, as a pyarrow.Schema.

    `id` is unique and never used again. `file` and `row` (from 1) say where the record lies in the dataset. `sha256` is
    of its content (`manifest.content`), `text_sha256` of the text that goes with a picture, `phash` the perceptual hash
    of its picture. `synthetic` is null where nobody says whether a model made it; its model is NO_MODEL where none did.
    A record is part of the versions from `version_added` up to, not including, `version_removed`; `version_changed` is
    the version since which the row is as it is, null where that is the one it was added in.
    """
    import pyarrow as pa

    text, many = pa.string(), pa.list_
    return pa.schema(
        {
            "id": text,
            "file": text,
            "row": pa.int64(),
            "split": text,
            "sha256": text,
            "text_sha256": text,
            "phash": text,
            "url": text,
            "retrieved_at": text,
            "http_status": pa.int32(),
            "headers": many(pa.struct({"name": text, "value": text})),
            "licence": pa.struct(
                {
                    "spdx": text,
                    "evidence_url": text,
                    "snippet_hash": text,
                    "method": text,
                    "confidence": pa.float32(),
                }
            ),
            "author": text,
            "title": text,
            "signals": many(pa.struct({"source": text, "raw": text, "parsed": text, "fetched_at": text})),
            "decision": many(pa.struct({"use": text, "answer": text})),
            "rule_version": text,
            "transforms": many(
                pa.struct({"name": text, "version": text, "params_hash": text, "in_sha": text, "out_sha": text})
            ),
            "synthetic": pa.struct({"model": text, "prompt_hash": text}),
            "language": text,
            "source": text,
            "version_added": text,
            "version_changed": text,
            "version_removed": text,
            "tombstone_reason": text,
        }
    )
