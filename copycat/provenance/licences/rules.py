"""L1 to L3: the dataset's licence, those of its records beside it, and both against what somebody wants to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from copycat.provenance.dataset import Batch
from copycat.provenance.licences.attribution import NEEDS as CREDIT_NEEDS
from copycat.provenance.licences.attribution import MissingCredits
from copycat.provenance.licences.components import NEEDS, Component, LicenceCounts, in_dataset, of_records
from copycat.provenance.licences.duties import Duties, choices
from copycat.provenance.licences.facts import DUTY_TEXTS
from copycat.provenance.licences.fitting import fits, missing_duties
from copycat.provenance.licences.statements import Statement, own_expressions, separate_statement, statements
from copycat.provenance.records import Evidence, Finding, Purpose, Severity
from copycat.provenance.rules.rule import Context, Found, Rule

SPDX_LIST = "see https://spdx.org/licenses for the names"


class DatasetLicence(Rule):
    """L1: the dataset says what its licence is, as an SPDX expression that is on the list.

    Nothing stated is an error where there is a card (Croissant requires a licence), a warning where there is none. A
    text that is no licence is an error; one whose version, or relation to others, is left open is a warning.
    """

    id = "L1"
    severities = ("error", "warning", "note")

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        dataset = self.context.dataset
        said = statements(dataset)
        if not said:
            has_card = bool(dataset.card.file or dataset.card.croissant_file)
            yield self.finding(
                "error" if has_card else "warning",
                "the dataset does not say what its licence is",
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
            said = "the words of the licence file are not recognised" if is_file else "the card names no licence"
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


class _CountsLicences(Rule):
    """Counts the licences of the records."""

    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs: ClassVar[tuple[str, ...]] = NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.counts = LicenceCounts()

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        self.counts.see(in_dataset(batch))


class ComponentLicences(_CountsLicences):
    """L2: the licences of the records are stated apart, and the dataset claims no more freedom than they give.

    An error: two statements about the dataset contradict each other; a record's licence asks for what that of the
    dataset does not, and the card does not say that records have licences of their own (then, a warning; and for
    ODbL and ODC-By, which cover the collection alone, by their section 2.4); a text that is no licence. A warning:
    records without a known licence, or with one whose version is not told. A note: names that are not SPDX's.
    """

    id = "L2"
    severities = ("error", "warning", "note")
    needs = (*NEEDS, "url")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.has_urls = False

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        super().see(batch)
        url = batch.column("url")
        self.has_urls = self.has_urls or (url is not None and url.null_count < batch.size)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        said = statements(self.context.dataset)
        own = own_expressions(said)
        yield from self._contradictions(own)
        yield from self._unread()
        yield from self._loosely_written()
        if not self.counts.has_column and self.has_urls:
            yield self.finding(
                "warning",
                "records come from other places, and their licences are not stated",
                "add a column 'licence' with an SPDX name for each record, 'unknown' where it is not known",
                n_records=self.counts.n_records,
            )
        if self.counts.stated and own:
            separate = separate_statement(self.context.dataset)
            for expression, place in own.items():
                yield from self._claims(expression, place.place, separate)

    def _contradictions(self, own: dict[str, Statement]) -> Iterator[Finding]:
        if len(own) < 2:
            return
        told = "; ".join(f"{one.place.place}: {name}" for name, one in own.items())
        yield self.finding(
            "error",
            f"the dataset states {len(own)} different licences for itself ({told})",
            "say the same in the card, croissant.json and LICENSE; two licences to choose from are 'A OR B' everywhere",
            *(one.place for one in own.values()),
        )

    def _unread(self) -> Iterator[Finding]:
        faulty = [one for one in self.counts.stated if one.parsed.fault]
        if faulty:
            named = ", ".join(f"'{one.parsed.text[:40]}'" for one in faulty[:3])
            near = sorted({name for one in faulty[:20] for name in one.parsed.near})[:4]
            yield self.finding(
                "error",
                f"the licence of {of_records(sum(one.n_records for one in faulty))} cannot be read: {named}",
                f"write SPDX names{f', perhaps {chr(44).join(near)}' if near else ''}; {SPDX_LIST}",
                *(one.evidence for one in faulty),
                n_records=sum(one.n_records for one in faulty),
            )
        if self.counts.n_beyond:
            yield self.finding(
                "warning",
                f"there are too many different licence texts; those of {of_records(self.counts.n_beyond)} are not read",
                "write SPDX names, and put other facts into columns of their own",
                n_records=self.counts.n_beyond,
            )
        unknown = [one for one in self.counts.stated if one.parsed.is_unknown]
        n_open = self.counts.n_missing + sum(one.n_records for one in unknown)
        if n_open and self.counts.has_column:
            nobody = self.counts.by_text.get(None)
            yield self.finding(
                "warning",
                f"no licence is known for {n_open:,} of {of_records(self.counts.n_records)}",
                "find it out, or leave them out; the licence of the dataset cannot give what nobody gave",
                *(one.evidence for one in [*([nobody] if nobody else []), *unknown]),
                n_records=n_open,
            )

    def _loosely_written(self) -> Iterator[Finding]:
        families = [one for one in self.counts.stated if one.parsed.is_family]
        named = [one for one in self.counts.stated if one.parsed.method in ("name", "list") and one not in families]
        rows: tuple[tuple[list[Component], Severity, str], ...] = (
            (families, "warning", "names a licence without its version, or a country's law"),
            (named, "note", "is not written in SPDX, and is read"),
        )
        for group, severity, said in rows:
            if group:
                n_records = sum(one.n_records for one in group)
                told = ", ".join(f"'{one.parsed.text[:40]}' as {one.parsed.expression}" for one in group[:3])
                yield self.finding(
                    severity,
                    f"the licence of {of_records(n_records)} {said}: {told}",
                    f"write the names of SPDX, versions with them; {SPDX_LIST}",
                    *(one.evidence for one in group),
                    n_records=n_records,
                )

    def _claims(self, dataset: str, place: Evidence, separate: str) -> Iterator[Finding]:
        """Compare each licence of records with that of the dataset: every choice of the dataset must keep the duty."""
        claims = choices(dataset)
        if not claims or any(one.unknown or one.kind == "proprietary" for one in claims):
            return
        covers_contents = not all(one.covers_database_only for one in claims)
        for expression, group in self.counts.by_expression().items():
            if expression is None:
                continue
            asked = choices(expression)
            known = [one for one in asked if not one.unknown]
            if not known:
                yield self._unknown_part(expression, group)
                continue
            lost = min((_lost(one, claims) for one in known), key=len)
            if not lost:
                continue
            n_records = sum(one.n_records for one in group)
            excused = bool(separate) or not covers_contents
            why = f" (the card says: {separate})" if separate else ""
            yield self.finding(
                "warning" if excused else "error",
                f"the dataset is {dataset}, and {expression}, the licence of {of_records(n_records)}, asks more: "
                f"{', '.join(lost)}{why}",
                "whoever reads only the dataset's licence is misled: name what holds for the records beside it"
                if excused
                else "give the dataset the licence of its most binding part, take those records out, or say in the "
                "card that records have licences of their own",
                place,
                *(one.evidence for one in group),
                n_records=n_records,
            )

    def _unknown_part(self, expression: str, group: list[Component]) -> Finding:
        n_records = sum(one.n_records for one in group)
        return self.finding(
            "warning",
            f"what {expression}, the licence of {of_records(n_records)}, asks is not known",
            "read it, and compare it with the dataset's licence by hand",
            *(one.evidence for one in group),
            n_records=n_records,
        )

    def not_applicable(self) -> str | None:
        """Say why there is nothing to compare."""
        return None if self.counts.stated else "no licences of records are stated"

    def passed(self) -> str:
        """Say what was seen."""
        names = list(self.counts.by_expression())
        return f"{len(names)} licences of records, none of which asks more than that of the dataset"


class LicenceFits(_CountsLicences):
    """L3: the licences of the records, or else of the dataset, fit the purpose; the list of credits can be made.

    An error: a licence does not allow the purpose. A warning: it is not known whether it does; records whose licence
    asks for credit lack author, title or source (an error where copies are passed on and none of the three is there).
    """

    id = "L3"
    severities = ("error", "warning", "note")
    needs = CREDIT_NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.credits = MissingCredits()
        self.purpose = purpose_of(context)

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        there = in_dataset(batch)
        self.credits.see(there, self.counts.see(there), self.counts)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        groups = self.counts.by_expression()
        if self.counts.stated:
            for expression, group in groups.items():
                yield from self._of(expression, sum(one.n_records for one in group), [one.evidence for one in group])
        else:
            for expression, one in own_expressions(statements(self.context.dataset)).items():
                yield from self._of(expression, None, [one.place])
        yield from self._credits()

    def _of(self, expression: str | None, n_records: int | None, places: list[Evidence]) -> Iterator[Finding]:
        if expression is None:
            return  # L2 tells of those
        fit = fits(expression, self.purpose)
        if fit.answer is True:
            return
        who = f"{expression}, the licence of {'the dataset' if n_records is None else of_records(n_records)},"
        reasons = "; ".join(fit.reasons[:3])
        said = "is not known to allow" if fit.answer is None else "does not allow"
        yield self.finding(
            "error" if fit.answer is False else "warning",
            f"{who} {said} {self.purpose.name} ({self.purpose.about}): {reasons}",
            "leave them out, ask whoever holds the rights, or choose another purpose with --for"
            if fit.answer is False
            else "read the licence; a purpose that passes changes on also needs an output licence",
            *places,
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


def purpose_of(context: Context) -> Purpose:
    """Give the purpose, with the output licence of `context.options` where there is one."""
    output = context.options.get("output_licence")
    return context.purpose.model_copy(update={"output_licence": output}) if output else context.purpose


def _lost(least: Duties, claims: tuple[Duties, ...]) -> list[str]:
    """Give what a licence of records asks and some choice of the dataset does not, in plain words."""
    found = dict.fromkeys(duty for claim in claims for duty in missing_duties(least, claim))
    return [*(["permission itself"] if least.kind == "proprietary" else []), *(DUTY_TEXTS[duty] for duty in found)]
