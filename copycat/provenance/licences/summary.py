"""What `licence` answers: each licence with what it asks, and whether it fits a purpose and an output licence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from copycat.errors import DataError, UserError
from copycat.provenance.dataset import Dataset, open_dataset
from copycat.provenance.dataset.files import SUFFIXES
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.dataset.unread import Unread
from copycat.provenance.licences.components import NEEDS, LicenceCounts
from copycat.provenance.licences.duties import Duties, choices
from copycat.provenance.licences.fitting import Fit, fits, goes_into
from copycat.provenance.licences.parsing import ParsedLicence, parse_licence
from copycat.provenance.licences.statements import licence_of_text, read_text, statements
from copycat.provenance.records import Purpose
from copycat.schema import Record

MAX_SHOWN_TEXTS = 5
MAX_NEAR = 30
"""Licences of a dataset for which near names are looked up; thousands of them would take minutes."""


class LicenceRow(Record):
    """One licence: as it was written, how it was read, what it asks, and whether it fits.

    Attributes:
        expression: None where nothing is known, or it could not be read (`fault`). written: texts, the most frequent
            first. place: where a dataset says it of itself. n_records: that have it.
        choices: what each choice of it asks, the one that asks least first.
        fits, reasons: for the purpose. goes_into, into_reasons: the output licence; None without one, too.
    """

    expression: str | None
    written: tuple[str, ...] = ()
    method: str = ""
    note: str = ""
    fault: str = ""
    near: tuple[str, ...] = ()
    place: str = ""
    n_records: int | None = None
    choices: tuple[Duties, ...] = ()
    fits: bool | None = None
    reasons: tuple[str, ...] = ()
    goes_into: bool | None = None
    into_reasons: tuple[str, ...] = ()


class LicenceAnswer(Record):
    """All licences of a dataset, or one; `answer` is True where all of them fit, None where it is not known.

    `unread` says what of the dataset could not be read, "" where all was.
    """

    what: str
    is_dataset: bool
    purpose: Purpose
    output_licence: str | None
    n_records: int | None = None
    n_without: int = 0
    n_not_told_apart: int = 0
    unread: str = ""
    own: tuple[LicenceRow, ...] = ()
    rows: tuple[LicenceRow, ...] = ()
    answer: bool | None = None


def open_what(what: str) -> Dataset | ParsedLicence:
    """Take what the user named: a dataset, a licence file, or a licence.

    Raises:
        UserError: it is none of these; names that are near are told.
    """
    path = Path(what)
    try:
        is_there = path.exists()
    except (OSError, ValueError):
        is_there = False
    if is_there and (path.is_dir() or path.name.casefold().endswith(tuple(SUFFIXES))):
        return open_dataset(path)
    parsed = parse_licence(what)
    if parsed.expression is not None or parsed.is_unknown:
        return parsed
    if is_there and path.is_file():
        text = read_text(path)
        if text is None:
            raise DataError([f"{path}: cannot be read as a licence"], "  needed: a text file, or a dataset")
        return licence_of_text(text)
    near = f"\n  did you mean {', '.join(parsed.near)}?" if parsed.near else ""
    raise UserError(
        f"'{parsed.text}' {parsed.fault}, and no such file is there{near}\n"
        "  needed: a licence such as CC-BY-4.0, a licence file, or the folder or file of a dataset"
    )


def answer_licence(parsed: ParsedLicence, purpose: Purpose, output: str | None) -> LicenceAnswer:
    """Answer for one licence."""
    row = _row(parsed, purpose, output)
    return LicenceAnswer(
        what=parsed.text or "nothing",
        is_dataset=False,
        purpose=purpose,
        output_licence=output,
        rows=(row,),
        answer=_all([row], output),
    )


def answer_dataset(
    dataset: Dataset, purpose: Purpose, output: str | None, tell: Callable[[int], None] = lambda rows: None
) -> LicenceAnswer:
    """Answer for a dataset: by the licences of its records, and by its own, which holds beside them.

    Where something cannot be read, it is not known that all of it fits.

    Raises:
        DataError: there is no record and no licence, or nothing that can be read.
    """
    counts, unread = LicenceCounts(), Unread(dataset)
    for batch in dataset.facts(NEEDS):
        counts.see(in_dataset(batch))
        unread.take(batch.faults)
        tell(batch.size)
    own = tuple(_row(one.parsed, purpose, output).model_copy(update={"place": one.place.place})
                for one in statements(dataset))  # fmt: skip
    if not counts.n_records and (unread.n or not own):
        raise unread.error("no licence was counted")
    rows: list[LicenceRow] = []
    for expression, group in counts.by_expression().items():
        parts = [[one] for one in group] if expression is None else [group]
        for part in parts:
            texts = tuple(one.text or "" for one in part[:MAX_SHOWN_TEXTS])
            number = sum(one.n_records for one in part)
            row = _row(part[0].parsed, purpose, output, has_near=len(rows) < MAX_NEAR)
            rows.append(row.model_copy(update={"written": texts, "n_records": number}))
    rows.sort(key=lambda row: -(row.n_records or 0))
    decide = [*rows, *([row for row in own if row.expression] or own)]
    answer = _all(decide, output)
    if counts.n_records and answer and rows and (counts.n_missing or counts.n_beyond):
        answer = None
    if unread.n and answer:
        answer = None
    return LicenceAnswer(
        what=dataset.name,
        is_dataset=True,
        purpose=purpose,
        output_licence=output,
        n_records=counts.n_records,
        n_without=counts.n_missing,
        n_not_told_apart=counts.n_beyond,
        unread=unread.told(),
        own=own,
        rows=tuple(rows),
        answer=answer,
    )


def _row(parsed: ParsedLicence, purpose: Purpose, output: str | None, has_near: bool = True) -> LicenceRow:
    fit = fits(parsed.expression, purpose)
    into = Fit(None, ())
    if output is not None:
        into = goes_into(parsed.expression, output) if parsed.expression else Fit(None, ("no licence is known",))
    return LicenceRow(
        expression=parsed.expression,
        written=(parsed.text,),
        method=parsed.method,
        note=parsed.note or (f"{', '.join(parsed.deprecated)} is an old name" if parsed.deprecated else ""),
        fault=parsed.fault,
        near=parsed.near if has_near else (),
        choices=choices(parsed.expression),
        fits=fit.answer,
        reasons=fit.reasons,
        goes_into=into.answer,
        into_reasons=into.reasons,
    )


def _all(rows: Iterable[LicenceRow], output: str | None) -> bool | None:
    answers = {row.fits for row in rows} | ({row.goes_into for row in rows} if output is not None else set())
    return False if False in answers else None if None in answers or not answers else True
