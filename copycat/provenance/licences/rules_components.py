"""L2: the licences of the records beside that of the dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from copycat.provenance.dataset import Batch
from copycat.provenance.licences.components import NEEDS, Component, CountsLicences, of_records
from copycat.provenance.licences.duties import Duties, choices
from copycat.provenance.licences.facts import DUTY_TEXTS
from copycat.provenance.licences.fitting import goes_into, missing_duties
from copycat.provenance.licences.statements import (
    Statement,
    most_exact,
    own_expressions,
    separate_statement,
    statements,
)
from copycat.provenance.records import Evidence, Finding, Severity
from copycat.provenance.rules.rule import Context

SPDX_LIST = "see https://spdx.org/licenses for the names"
MAX_NAMED = 5
"""Licences that a finding names; it counts the others."""


class Part(NamedTuple):
    """A licence of records, with the texts that say it."""

    expression: str
    components: list[Component]


class ComponentLicences(CountsLicences):
    """L2: the licences of the records are stated apart, and the dataset claims no more freedom than they give.

    An error: two statements about the dataset contradict each other; a record's licence asks for what that of the
    dataset does not, and neither does the card say that records have licences of their own, nor does the dataset's
    licence cover the collection alone (ODbL and ODC-By, by their section 2.4); a text that is no licence. A warning:
    the same where one of these two holds, and a note where both do; a share-alike licence that may not go on under
    that of the dataset; records without a known licence, or with one whose version is not told. A note: names that
    are not SPDX's; a licence of the dataset that is not known, so that nothing can be held against it.
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
        own = own_expressions(statements(self.context.dataset))
        exact = most_exact(own)
        yield from self._contradictions(own, exact)
        yield from self._unread()
        yield from self._loosely_written()
        if not self.counts.has_column and self.has_urls:
            yield self.finding(
                "warning",
                "records come from other places, and their licences are not stated",
                "add a column 'licence' with an SPDX name for each record, 'unknown' where it is not known",
                n_records=self.counts.n_records,
            )
        if self.counts.stated:
            parts = [Part(name, group) for name, group in self.counts.by_expression().items() if name is not None]
            yield from self._unknown_parts(parts)
            yield from self._not_compared(exact)
            separate = separate_statement(self.context.dataset)
            for name in exact:
                yield from self._claims(name, own[name].place, separate, parts)

    def _contradictions(self, own: dict[str, Statement], exact: list[str]) -> Iterator[Finding]:
        if len(exact) < 2:
            return
        told = "; ".join(f"{own[name].place.place}: {name}" for name in exact)
        yield self.finding(
            "error",
            f"the dataset states {len(exact)} different licences for itself ({told})",
            "say the same in the card, croissant.json and LICENSE; two licences to choose from are 'A OR B' everywhere",
            *(own[name].place for name in exact),
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
                f"there are more than {len(self.counts.by_text):,} different licence texts; those of "
                f"{of_records(self.counts.n_beyond)} are not read, and nothing is known of them",
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

    def _not_compared(self, exact: list[str]) -> Iterator[Finding]:
        """Tell that the dataset's own licence is not known, which L1 warns of."""
        unknown = [name for name in exact if not choices(name) or any(one.unknown for one in choices(name))]
        if exact and not unknown:
            return
        what = f"what {unknown[0]} asks" if unknown else "the licence of the dataset"
        yield self.finding(
            "note",
            f"{what} is not known, so the licences of the records are held against nothing",
            "see L1; whatever it is, it may not give more freedom than the most binding of the records",
            n_records=self.counts.n_records,
        )

    def _unknown_parts(self, parts: list[Part]) -> Iterator[Finding]:
        unknown = [part for part in parts if all(one.unknown for one in choices(part.expression))]
        if unknown:
            named, n_records = _told(unknown)
            yield self.finding(
                "warning",
                f"what {named} {_asks(unknown, 'ask')} is not known",
                "read it, and compare it with the dataset's licence by hand",
                *_places(unknown),
                n_records=n_records,
            )

    def _claims(self, dataset: str, place: Evidence, separate: str, parts: list[Part]) -> Iterator[Finding]:
        """Compare each licence of records with that of the dataset: every choice of the dataset must keep the duty."""
        claims = choices(dataset)
        if not claims or any(one.unknown or one.kind == "proprietary" for one in claims):
            return
        lost: dict[str, list[Part]] = {}
        alike: dict[str, list[Part]] = {}
        for part in parts:
            known = [one for one in choices(part.expression) if not one.unknown]
            least = min((_lost(one, claims) for one in known), key=len, default=[])
            if least:
                lost.setdefault(", ".join(least), []).append(part)
            elif known and (said := _not_alike(part.expression, dataset)):
                alike.setdefault(said, []).append(part)
        for_contents = not all(one.covers_database_only for one in claims)
        excuses = bool(separate) + (not for_contents)
        severities: tuple[Severity, ...] = ("error", "warning", "note")
        for asked, group in lost.items():
            yield self._asks_more(dataset, asked, group, place, separate, severities[excuses])
        for said, group in alike.items():
            yield self.finding(
                severities[min(2, excuses + 1)],
                f"the dataset is {dataset}, and {_told(group)[0]} {'is' if len(group) == 1 else 'are'} "
                f"share-alike: {said}",
                "say in the card that these records keep their own licence, or give the dataset one that it may go "
                "on under",
                place,
                *_places(group),
                n_records=_told(group)[1],
            )

    def _asks_more(  # noqa: PLR0917 - the parts of one sentence
        self, dataset: str, asked: str, group: list[Part], place: Evidence, separate: str, severity: Severity
    ) -> Finding:
        named, n_records = _told(group)
        why = f" (the card says: {separate})" if separate else ""
        advice = {
            "error": "give the dataset the licence of its most binding part, take those records out, or say in the "
            "card that records have licences of their own",
            "warning": "whoever reads only the dataset's licence is misled: name what holds for the records beside it",
            "note": "the licence of the collection is not that of its records: keep theirs beside each of them",
        }[severity]
        return self.finding(
            severity,
            f"the dataset is {dataset}, and {named} {_asks(group, 'ask')} more: {asked}{why}",
            advice,
            place,
            *_places(group),
            n_records=n_records,
        )

    def not_applicable(self) -> str | None:
        """Say why there is nothing to compare."""
        return None if self.counts.stated else "no licences of records are stated"

    def passed(self) -> str:
        """Say what was seen."""
        n = len(self.counts.by_expression())
        return f"{n:,} licence{'' if n == 1 else 's'} of records, none of which asks more than that of the dataset"


def _told(parts: list[Part]) -> tuple[str, int]:
    """Name licences, with the records that have them: "A, the licence of 3 records,"."""
    n_records = sum(one.n_records for part in parts for one in part.components)
    names = ", ".join(part.expression for part in parts[:MAX_NAMED])
    more = f" and {len(parts) - MAX_NAMED:,} others" if len(parts) > MAX_NAMED else ""
    return f"{names}{more}, the licence{'' if len(parts) == 1 else 's'} of {of_records(n_records)},", n_records


def _asks(parts: list[Part], verb: str) -> str:
    return f"{verb}s" if len(parts) == 1 else verb


def _places(parts: list[Part]) -> list[Evidence]:
    return (
        [part.components[0].evidence for part in parts]
        if len(parts) > 1
        else [one.evidence for one in parts[0].components]
    )


def _lost(least: Duties, claims: tuple[Duties, ...]) -> list[str]:
    """Give what a licence of records asks and some choice of the dataset does not, in plain words."""
    found = dict.fromkeys(duty for claim in claims for duty in missing_duties(least, claim))
    return [*(["permission itself"] if least.kind == "proprietary" else []), *(DUTY_TEXTS[duty] for duty in found)]


def _not_alike(expression: str, dataset: str) -> str:
    """Say why a share-alike licence of records does not go on under that of the dataset; "" where it does."""
    mine = choices(expression)
    if not mine[0].share_alike or any(one.family for one in (*mine, *choices(dataset))):
        return ""
    fit = goes_into(expression, dataset)
    return "" if fit.answer is True else "; ".join(fit.reasons[:2])
