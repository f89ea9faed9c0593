"""L1 and L3: the dataset's licence, and all licences against what somebody wants to do. L2: rules_components."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from copycat.provenance.dataset import Batch
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.licences.attribution import NEEDS as CREDIT_NEEDS
from copycat.provenance.licences.attribution import MissingCredits
from copycat.provenance.licences.components import CountsLicences, of_records
from copycat.provenance.licences.duties import choices
from copycat.provenance.licences.fitting import Fit, fits
from copycat.provenance.licences.rules_components import SPDX_LIST
from copycat.provenance.licences.statements import Statement, own_expressions, statements
from copycat.provenance.records import CROISSANT_FILE, Evidence, Finding, Severity
from copycat.provenance.rules.rule import Context, Found, Rule


class DatasetLicence(Rule):
    """L1: the dataset says what its licence is, as an SPDX expression that is on the list.

    Nothing stated is an error where there is a card (Croissant requires a licence), a warning where there is none, or
    where the card says by a marked blank that it is a draft. A text that is no licence is an error; one whose version,
    or relation to others, is left open is a warning.
    """

    id = "L1"
    severities = ("error", "warning", "note")

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        dataset = self.context.dataset
        said = statements(dataset)
        if not said:
            # The croissant.json of a manifest is ours: it only repeats what somebody has said elsewhere.
            has_card = bool(dataset.card.file) or dataset.card.croissant_file == CROISSANT_FILE
            yield self.finding(
                "error" if has_card and not dataset.card.is_draft else "warning",
                "the dataset does not say what its licence is"
                + ("; its card is a draft" * dataset.card.is_draft)
                + (f"; not read of its card: {dataset.card.unread}" if dataset.card.unread else ""),
                "write 'license: ...' with an SPDX name into the front matter of README.md, and add the file LICENSE",
                Evidence(file=dataset.card.file or dataset.card.croissant_file),
            )
            return
        for one in said:
            yield from self._of(one, is_only=len(said) == 1)

    def _of(self, one: Statement, is_only: bool) -> Iterator[Finding]:
        parsed = one.parsed
        is_file = one.place.pointer == "" and one.place.file != "CITATION.cff"
        if parsed.fault and not is_file:
            near = f"did you mean {', '.join(parsed.near)}? " if parsed.near else ""
            yield self.finding(
                "error", f"'{parsed.text}' {parsed.fault}", f"{near}write an SPDX expression; {SPDX_LIST}", one.place
            )
        elif parsed.expression is None:
            severity: Severity = "warning" if is_only or not is_file else "note"
            said = "the words of the licence file are not recognised"
            if not is_file:
                said = f"no licence that is known is named ('{parsed.text}')"
            advice = "name the licence in the card, in SPDX; for terms of your own: LicenseRef-... and the file LICENSE"
            yield self.finding(severity, said, advice, one.place)
        elif parsed.is_family:
            yield self.finding(
                "warning",
                f"'{parsed.text}' names a licence without its version",
                f"write which version it is, such as CC-BY-4.0; {SPDX_LIST}",
                one.place,
            )
        elif parsed.method == "list":
            yield self.finding(
                "warning",
                f"several licences are named ({parsed.text}), and not how they belong together",
                f"write 'A AND B' where both hold, 'A OR B' where one may choose; read here as {parsed.expression}",
                one.place,
            )
        elif parsed.deprecated:
            yield self.finding(
                "note", f"{', '.join(parsed.deprecated)} is an old name", f"write {parsed.expression}", one.place
            )
        elif "LicenseRef-" in parsed.expression and any(one.unknown for one in choices(parsed.expression)):
            yield self.finding(
                "warning",
                f"what {parsed.expression} asks is not known",
                "put its text into the file LICENSE, and say in the card what may be done",
                one.place,
            )

    def passed(self) -> str:
        """Say what was seen."""
        return ", ".join(own_expressions(statements(self.context.dataset)))


class _Misfit(NamedTuple):
    """A licence that does not fit, or is not known to; `n_records` is None for that of the dataset."""

    expression: str
    n_records: int | None
    places: list[Evidence]
    fit: Fit


_ALLOWS = {False: "does not allow", None: "is not known to allow"}
_ADVICE = {
    False: "leave them out, ask whoever holds the rights, or choose another purpose with --for",
    None: "read the licence; a purpose that passes changes on also needs an output licence",
}
_OWN_ADVICE = "ask whoever holds the rights in the dataset, or choose another purpose with --for"
_LIST = "python -m copycat.provenance usable DATASET --for {} --out FILE.csv"
"""The command that lists every record with its licence, and whether it fits."""

MAX_FINDINGS = 20
"""Licences with a finding of their own; further ones share one."""


class LicenceFits(CountsLicences):
    """L3: the licences of the records, or else of the dataset, fit the purpose; the list of credits can be made.

    The dataset's own licence holds beside those of its records, for what it covers. An error: a licence does not allow
    the purpose. A warning: it is not known whether it does, or what the licence is; records whose licence
    asks for credit lack author, title or source (an error where copies are passed on and none of the three is there).
    """

    id = "L3"
    severities = ("error", "warning", "note")
    needs = CREDIT_NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.credits = MissingCredits()
        self.purpose = context.purpose

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        there = in_dataset(batch)
        self.credits.see(there, self.counts.see(there), self.counts)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        own = own_expressions(statements(self.context.dataset))
        misfits = [_Misfit(name, None, [one.place], fit) for name, one in own.items()
                   if (fit := fits(name, self.purpose)).answer is not True]  # fmt: skip
        for expression, group in self.counts.by_expression().items():
            fit = fits(expression, self.purpose)
            if expression is not None and fit.answer is not True:
                n_records = sum(one.n_records for one in group)
                misfits.append(_Misfit(expression, n_records, [one.evidence for one in group], fit))
        for one in misfits[:MAX_FINDINGS]:
            yield self._of(one)
        for answer in (False, None):
            rest = [one for one in misfits[MAX_FINDINGS:] if one.fit.answer is answer]
            if rest:
                yield self._rest(answer, rest)
        if self.counts.stated or own:
            yield from self._unknown()
        yield from self._credits()

    def _of(self, one: _Misfit) -> Finding:
        whose = "the dataset" if one.n_records is None else of_records(one.n_records)
        said = f"{one.expression}, the licence of {whose}, {_ALLOWS[one.fit.answer]} {self.purpose.name}"
        return self.finding(
            "error" if one.fit.answer is False else "warning",
            f"{said} ({self.purpose.about}): {'; '.join(one.fit.reasons[:3])}",
            self._advice(one),
            *one.places,
            n_records=one.n_records,
        )

    def _advice(self, one: _Misfit) -> str:
        if one.n_records is None:
            return _OWN_ADVICE if one.fit.answer is False else _ADVICE[None]
        return f"{_ADVICE[one.fit.answer]}; which they are: {_LIST.format(self.purpose.name)}"

    def _rest(self, answer: bool | None, rest: list[_Misfit]) -> Finding:
        n_records = sum(one.n_records or 0 for one in rest)
        return self.finding(
            "error" if answer is False else "warning",
            f"each of {len(rest):,} further licences, those of {of_records(n_records)}, {_ALLOWS[answer]} "
            f"{self.purpose.name}; all of them: licence DATASET --for {self.purpose.name} --json",
            f"{_ADVICE[answer]}; which they are: {_LIST.format(self.purpose.name)}",
            *(one.places[0] for one in rest),
            n_records=n_records,
        )

    def _unknown(self) -> Iterator[Finding]:
        """Tell of records whose own licence is not known, where a column should say it."""
        counts = self.counts
        open_ = [one for one in counts.stated if one.parsed.expression is None]
        n_records = sum(one.n_records for one in open_) + counts.n_beyond
        n_records += counts.n_missing if counts.has_column else 0
        if n_records:
            nobody = [counts.by_text[None]] if None in counts.by_text else []
            yield self.finding(
                "warning",
                f"no licence is known, or can be read, for {of_records(n_records)}, so nothing says that they may be "
                f"used for {self.purpose.name}",
                f"find it out, or leave them out; which they are: {_LIST.format(self.purpose.name)}",
                *(one.evidence for one in [*nobody, *open_]),
                n_records=n_records,
            )

    def _credits(self) -> Iterator[Finding]:
        shares = self.purpose.shares_copies or self.purpose.shares_changes
        worst: Severity = "error" if shares else "warning"
        rows: tuple[tuple[Found, str, Severity], ...] = (
            (self.credits.nothing, "neither author, title nor source is", worst),
            (self.credits.no_author, "no author is", "warning"),
            (self.credits.no_source, "no source is", "note"),
        )
        for found, said, severity in rows:
            if found:
                yield self.finding(
                    severity,
                    f"credit is asked for and {said} stated for {of_records(found.n_records)}",
                    "add columns 'author', 'title' and 'url'; 'licence DATASET --attribution FILE' writes the list",
                    *found.evidence,
                    n_records=found.n_records,
                )

    def not_applicable(self) -> str | None:
        """Say why there is nothing to compare."""
        if self.counts.stated or own_expressions(statements(self.context.dataset)):
            return None
        return "no licence is stated that could be held against the purpose"

    def passed(self) -> str:
        """Say what was seen."""
        return f"all licences allow {self.purpose.name}; credit is asked for by {of_records(self.credits.n_asking)}"
