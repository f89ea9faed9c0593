"""S1 to S5: what rights holders say in signals, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

from copycat.provenance.dataset import Batch
from copycat.provenance.dataset.pictures import broken_pictures, pictures_of
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.records import USES, Finding, Use
from copycat.provenance.rules.rule import Context, Found, Rule
from copycat.provenance.signals.columns import NEEDS, Case, cases_of
from copycat.provenance.signals.combining import combine, policy_answer
from copycat.provenance.signals.drift import Later, changes_since, changes_within, reread

AGAINST = "signals-against"
"""The option of S4: a file or folder of newer recorded answers."""
SHOW = "python -m copycat.provenance signals DATASET"


class SignalRule(Rule):
    """A rule that looks at the distinct cases of a batch."""

    reads: ClassVar[Literal["nothing", "facts", "content"]] = "facts"
    needs = NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.n_records = self.n_spoken = 0

    def see(self, batch: Batch) -> None:
        """Take note of one batch."""
        batch = in_dataset(batch)
        self.n_records += batch.size
        held = cases_of(batch)
        self.n_spoken += len(held.rows(lambda case: bool(case.signals or case.stated or case.faults)))
        self.look(batch)

    def look(self, batch: Batch) -> None:
        """Take note of the cases of one batch."""
        raise NotImplementedError

    def note(self, found: Found, batch: Batch, rows: list[int], pointer: str, use: Use | None = None) -> None:
        """Note rows, with the signal that decides."""
        held = cases_of(batch)
        shown = rows[: max(0, 5 - len(found.evidence))]
        values = [_shown(held.cases[held.case_of[row]], use) for row in shown]
        found.add(batch, rows, pointer, [*values, *[""] * (len(rows) - len(values))])

    def not_applicable(self) -> str | None:
        """Say so where no record has a signal."""
        return None if self.n_spoken else "no record has headers, signals or a decision that speak"


def counted(found: Found) -> str:
    """Say how many records something holds for."""
    return records(found.n_records)


def records(number: int) -> str:
    """Give "1 record" or "1,234 records"."""
    return "1 record" if number == 1 else f"{number:,} records"


def _shown(case: Case, use: Use | None) -> str:
    said = [signal for signal in case.signals if use is None or signal.answers.get(use) == case.answer(use)]
    parts = [f"{signal.source}: {signal.raw or dict(signal.answers)}" for signal in said]
    return "; ".join(parts) or (f"decision: {dict(case.stated)}" if case.stated else "; ".join(case.faults))


class Resolved(SignalRule):
    """S1: what the signals of each record say to the use that the dataset is wanted for."""

    id = "S1"
    severities = ("error", "warning", "note")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.denied, self.unknown = Found(), Found()
        self.n_allowed = self.n_from_web = 0

    def look(self, batch: Batch) -> None:
        """Count the answers for the use in question."""
        import numpy as np
        import pyarrow.compute as pc

        use = self.context.purpose.use
        held = cases_of(batch)
        self.note(self.denied, batch, held.rows(lambda case: case.answer(use) == "deny"), "signals", use)
        self.n_allowed += len(held.rows(lambda case: case.answer(use) == "allow"))
        url = batch.column("url")
        has_url = np.zeros(batch.size, dtype=bool)
        if url is not None and url.null_count < len(url):
            has_url = pc.not_equal(batch.text_array("url"), "").to_numpy(zero_copy_only=False)
        spoke = np.array([bool(case.signals or case.stated or case.has_headers) for case in held.cases], dtype=bool)
        silent = np.array([case.answer(use) == "unknown" for case in held.cases], dtype=bool)
        self.n_from_web += int(has_url.sum())
        rows = [int(row) for row in np.nonzero(silent[held.case_of] & (has_url | spoke[held.case_of]))[0]]
        shown = [url[row].as_py() if url is not None else "" for row in rows[:5]]
        values = [value or "" for value in shown] + [""] * (len(rows) - len(shown))
        self.unknown.add(batch, rows, "url" if has_url.any() else "signals", values)

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        use = self.context.purpose.use
        if self.denied:
            yield self.finding(
                "error",
                f"a rights holder says no to {use}: {counted(self.denied)}",
                "leave them out (python -m copycat.provenance remove), or ask for a licence; "
                f"all of them: {SHOW} --ids FILE; with their licences: {self._list()}",
                *self.denied.evidence,
                n_records=self.denied.n_records,
            )
        if self.unknown:
            done = policy_answer("unknown", use)
            yield self.finding(
                "warning" if done == "deny" else "note",
                f"what the rights holders say to {use} is unknown: {counted(self.unknown)} from the web",
                f"record headers, robots.txt and tdmrep.json when you fetch; policy reads unknown as {done} for {use}; "
                f"which they are: {self._list()}",
                *self.unknown.evidence,
                n_records=self.unknown.n_records,
            )

    def _list(self) -> str:
        return f"python -m copycat.provenance usable DATASET --for {self.context.purpose.name} --out FILE.csv"

    def not_applicable(self) -> str | None:
        """Say so where nothing was taken from the web."""
        if self.n_spoken or self.n_from_web:
            return None
        return "no record has an address, headers or signals"

    def passed(self) -> str:
        """Say what was seen."""
        return f"{self.n_allowed:,} of {records(self.n_records)} allowed for {self.context.purpose.use}, none is denied"


class Tolerant(SignalRule):
    """S2: headers can be read; a refusal in a faulty form is a refusal, and is told."""

    id = "S2"
    severities = ("warning", "note")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.faulty, self.loose = Found(), Found()
        self.n_headers = 0

    def look(self, batch: Batch) -> None:
        """Look for faults and for refusals that only a tolerant reader sees."""
        held = cases_of(batch)
        self.n_headers += len(held.rows(lambda case: case.has_headers))
        rows = held.rows(lambda case: bool(case.faults))
        values = [held.cases[held.case_of[row]].faults[0] for row in rows[:5]]
        self.faulty.add(batch, rows, "headers", [*values, *[""] * (len(rows) - len(values))])
        self.note(self.loose, batch, held.rows(lambda case: any(map(is_loose, case.read))), "headers")

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        if self.faulty:
            yield self.finding(
                "warning",
                f"headers, signals or a decision cannot be read: {counted(self.faulty)}",
                "keep headers as name and value; what cannot be read is unknown, never a permission",
                *self.faulty.evidence,
                n_records=self.faulty.n_records,
            )
        if self.loose:
            yield self.finding(
                "note",
                f"a refusal is not written as its standard has it: {counted(self.loose)}",
                "it is read as a refusal; a strict reader may miss it, so look that no other tool let them in",
                *self.loose.evidence,
                n_records=self.loose.n_records,
            )

    def not_applicable(self) -> str | None:
        """Say so where there are no headers."""
        return None if self.n_headers or self.n_spoken else "no record has headers"

    def passed(self) -> str:
        """Say what was seen."""
        return f"the headers of {records(self.n_headers)} could be read"


def is_loose(signal: object) -> bool:
    """Whether a signal is a refusal that a strict reader would miss."""
    from copycat.provenance.records import Signal

    if not isinstance(signal, Signal) or "deny" not in signal.answers.values():
        return False
    if signal.source == "x-robots-tag":
        words = {word.strip() for word in signal.raw.split(",")}
        return "training" in signal.answers and not words & {"noai", "noimageai"}
    return bool(signal.note) and not signal.note.startswith("policy:")


class Precedence(SignalRule):
    """S3: signals of one record agree; the decision that is kept follows from them."""

    id = "S3"
    severities = ("error", "warning")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.weaker, self.baseless, self.contrary = Found(), Found(), Found()

    def look(self, batch: Batch) -> None:
        """Compare signals with each other and with the kept decision."""
        held = cases_of(batch)
        self.note(self.weaker, batch, held.rows(lambda case: bool(case.signals) and _is_weaker(case)), "decision")
        self.note(self.baseless, batch, held.rows(lambda case: not case.signals and _is_weaker(case)), "decision")
        self.note(self.contrary, batch, held.rows(_is_contrary), "signals")

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        if self.weaker:
            yield self.finding(
                "error",
                f"the kept decision is allow, and the signals do not say so: {counted(self.weaker)}",
                "resolve them again: python -m copycat.provenance manifest DATASET; deny wins, unknown is no allow",
                *self.weaker.evidence,
                n_records=self.weaker.n_records,
            )
        if self.baseless:
            yield self.finding(
                "warning",
                f"the kept decision is allow, and no signal is kept from which it follows: {counted(self.baseless)}",
                "keep the signals beside the decision (column 'signals'), so that others can follow it",
                *self.baseless.evidence,
                n_records=self.baseless.n_records,
            )
        if self.contrary:
            yield self.finding(
                "warning",
                f"signals contradict each other, and the refusal counts: {counted(self.contrary)}",
                "ask the rights holder which of them is meant, if you need these records",
                *self.contrary.evidence,
                n_records=self.contrary.n_records,
            )

    def passed(self) -> str:
        """Say what was seen."""
        return f"the signals of {records(self.n_spoken)} agree"


def _is_weaker(case: Case) -> bool:
    stated = case.stated or {}
    return any(stated.get(use) == "allow" and case.decision.answers[use] != "allow" for use in USES)


def _is_contrary(case: Case) -> bool:
    said = [answers for signal in case.signals for answers in signal.answers.items()]
    return any((use, "allow") in said and (use, "deny") in said for use in USES)


class Drift(SignalRule):
    """S4: signals that were read again later, in the dataset itself or in newer answers, say the same."""

    id = "S4"
    severities = ("warning", "note")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.stricter, self.looser = Found(), Found()
        self.n_compared = 0
        self.later: Later | None = None
        path = context.options.get(AGAINST)
        if path:
            from copycat.provenance.signals.files import read_recorded

            self.later = Later(read_recorded(Path(path)))

    def look(self, batch: Batch) -> None:
        """Compare then and now."""
        held = cases_of(batch)
        within = [changes_within(case) for case in held.cases]
        repeated = [bool(reread(case)) for case in held.cases]
        urls = batch.texts("url") if self.later is not None else []
        for row in range(batch.size) if urls or any(repeated) else ():
            at = held.case_of[row]
            found = dict(within[at])
            now = self.later.of(urls[row]) if self.later is not None and urls[row] else None
            if now is not None:
                found |= changes_since(held.cases[at], now)
            if now is None and not repeated[at]:
                continue
            self.n_compared += 1
            if found:
                is_stricter = any(after == "deny" for _, after in found.values())
                said = ", ".join(f"{use}: {before} then, {after} now" for use, (before, after) in found.items())
                (self.stricter if is_stricter else self.looser).add(batch, [row], "signals", [said])

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        if self.stricter:
            yield self.finding(
                "warning",
                f"a rights holder says no now, and did not when it was taken: {counted(self.stricter)}",
                "leave them out of what is trained from now on; what was recorded then is kept as it was",
                *self.stricter.evidence,
                n_records=self.stricter.n_records,
            )
        if self.looser:
            yield self.finding(
                "note",
                f"the signals changed since then, and not to a refusal: {counted(self.looser)}",
                "nothing needs to be done; what was recorded then is kept as it was",
                *self.looser.evidence,
                n_records=self.looser.n_records,
            )

    def not_applicable(self) -> str | None:
        """Say so where there is nothing newer."""
        if self.n_compared:
            return None
        if self.later is not None:
            return "the newer answers are about no address of the dataset"
        return f"no signal was read twice; compare with newer answers: {SHOW} --against RECORDED"

    def passed(self) -> str:
        """Say what was seen."""
        return f"{records(self.n_compared)} compared: the signals say the same"


class Inside(Rule):
    """S5: what pictures say inside themselves (XMP, C2PA) is known to the dataset."""

    id = "S5"
    severities = ("error", "warning")
    reads: ClassVar[Literal["nothing", "facts", "content"]] = "content"
    needs = ("id", "image")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.n_pictures = self.n_broken = 0
        self.denied, self.unread = Found(), Found()

    def see(self, batch: Batch) -> None:
        """Look into the pictures of one batch."""
        from copycat.provenance.signals.embedded import may_speak, read_embedded

        broken = broken_pictures(batch)
        self.n_broken += len(broken)
        for row, raw in pictures_of(batch.column("image")):
            self.n_pictures += row not in broken
            if not may_speak(raw):
                continue
            signals = list(read_embedded(raw, batch.place_of(row)))
            use = self.context.purpose.use
            answer = combine(signals).answers[use]
            said = "; ".join(f"{signal.source}: {signal.note or signal.raw}" for signal in signals if signal.answers)
            if answer == "deny":
                self.denied.add(batch, [row], "image", [said])
            elif any("unknown" in signal.answers.values() for signal in signals):
                self.unread.add(batch, [row], "image", [said])

    def finish(self) -> Iterable[Finding]:
        """Give what was found."""
        if self.denied:
            yield self.finding(
                "error",
                f"a picture says no to {self.context.purpose.use} inside itself: {counted(self.denied)}",
                "leave them out, or ask for a licence; see one: python -m copycat.provenance signals PICTURE",
                *self.denied.evidence,
                n_records=self.denied.n_records,
            )
        if self.unread:
            yield self.finding(
                "warning",
                f"a picture holds a statement that cannot be read: {counted(self.unread)}",
                "the reason stands beside each (no c2pa-python? pip install 'copycat[c2pa]'); unknown is no permission",
                *self.unread.evidence,
                n_records=self.unread.n_records,
            )

    def not_applicable(self) -> str | None:
        """Say so where there are no pictures."""
        if self.n_broken and not self.n_pictures:
            return "no picture can be read (F1)"
        return None if self.n_pictures else "there is no picture in the records"

    def passed(self) -> str:
        """Say what was seen."""
        broken = f"; {self.n_broken} more cannot be read (F1)" if self.n_broken else ""
        of = "the 1 picture does not say" if self.n_pictures == 1 else f"none of {self.n_pictures:,} pictures says"
        return f"{of} no to {self.context.purpose.use}{broken}"
