"""A batch -> what licence and signals say of each record, together.

No: the licence does not fit the purpose, or a signal denies the use. Unknown: the licence is not known, or nobody knows
what the rights holder says, where policy does not read that as a permission (for search it does). Yes: neither. Unknown
is never yes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.licences.components import MAX_TEXTS, licence_texts
from copycat.provenance.licences.components import NEEDS as LICENCE_NEEDS
from copycat.provenance.licences.fitting import Fit, purpose_fit, worst
from copycat.provenance.licences.own import own_licence
from copycat.provenance.licences.parsing import parse_licence
from copycat.provenance.licences.statements import Statement, own_expressions, statements
from copycat.provenance.records import Answer, Purpose, Signal, SignalDecision
from copycat.provenance.rules.rule import shortened
from copycat.provenance.signals.columns import KEPT, Case, cases_of
from copycat.provenance.signals.columns import NEEDS as SIGNAL_NEEDS
from copycat.provenance.signals.combining import combine, policy_answer
from copycat.provenance.signals.drift import Later, Newer, signals_since

NEEDS = tuple(dict.fromkeys((*SIGNAL_NEEDS, *LICENCE_NEEDS)))


class Judged(NamedTuple):
    """What is known of one record.

    Attributes:
        licence: as an expression, else as it is written; "" where none is stated. fits: the purpose (None: not known).
        signal: what the rights holder says. usable: both together, the dataset's own licence too.
        why: all that is not yes, what decides first; because: what decides.
    """

    licence: str
    fits: bool | None
    signal: Answer
    usable: bool | None
    why: str
    because: str


class _Part(NamedTuple):
    """One thing that is asked of a record: the answer, and why it is not True."""

    answer: bool | None
    why: str


class _Licence(NamedTuple):
    name: str
    part: _Part


class Judge:
    """Judges the batches of one dataset, for one purpose.

    Args:
        states: whether any record states a licence. Where none does, the dataset's own holds for all of them.
        later: newer answers of servers, which replace what a record keeps of the sources that were asked again.
    """

    def __init__(self, dataset: Dataset, purpose: Purpose, states: bool, later: Later | None = None) -> None:
        self.purpose, self.states, self.later = purpose, states, later
        said = statements(dataset)
        known = own_expressions(said)
        self.own_name = own_licence(dataset) or ""
        self.own = [_own_part(one, purpose) for one in (known.values() if known else said)]
        self._texts: dict[str | None, _Licence] = {None: self._read(None)}

    def judge(self, batch: Batch, inside: Mapping[int, SignalDecision]) -> list[Judged]:
        """Judge the records of a batch; `inside` is row -> what its picture says."""
        import numpy as np

        numbers, texts = _numbered(batch)
        held = cases_of(batch)
        keys = held.case_of * len(texts) + numbers
        distinct, inverse = np.unique(keys, return_inverse=True)
        shared = [self._judged(self._licence(texts[key % len(texts)]), held.cases[key // len(texts)])
                  for key in distinct.tolist()]  # fmt: skip
        found = [shared[at] for at in inverse.reshape(-1).tolist()]
        newer = self._newer(batch)
        for row in sorted({*inside, *newer}):
            licence, case = self._licence(texts[int(numbers[row])]), held.cases[int(held.case_of[row])]
            signals = inside[row].signals if row in inside else ()
            found[row] = self._judged(licence, case, signals, newer.get(row))
        return found

    def _newer(self, batch: Batch) -> dict[int, Newer]:
        if self.later is None or batch.column("url") is None:
            return {}
        found = ((row, self.later.of(url)) for row, url in enumerate(batch.texts("url")) if url)
        return {row: newer for row, newer in found if newer is not None}

    def _licence(self, text: str | None) -> _Licence:
        found = self._texts.get(text)
        if found is None and len(self._texts) >= MAX_TEXTS:
            return _Licence(
                shortened(text or ""), _Part(None, f"more than {MAX_TEXTS:,} licences, and this is not read")
            )
        if found is None:
            found = self._texts[text] = self._read(text)
        return found

    def _read(self, text: str | None) -> _Licence:
        if text is None:
            if not self.states and self.own:
                return _Licence(self.own_name, _Part(worst(part.answer for part in self.own), ""))
            others = (
                ", and that of the dataset stands for none where some state theirs" if self.states and self.own else ""
            )
            return _Licence("", _Part(None, f"no licence is known{others}"))
        parsed = parse_licence(text)
        if parsed.expression is None:
            said = parsed.fault or parsed.note or "names no licence that is known"
            return _Licence(shortened(text), _Part(None, f"the licence '{shortened(text)}' {said}"))
        fit = purpose_fit(parsed.expression, self.purpose)
        return _Licence(parsed.expression, _part(parsed.expression, fit))

    def _judged(
        self, licence: _Licence, case: Case, inside: Sequence[Signal] = (), newer: Newer | None = None
    ) -> Judged:
        decision = case.joined(inside) if newer is None else self._now(case, newer, inside)
        use = self.purpose.use
        answer = decision.answers[use]
        done: dict[Answer, bool] = {"allow": True, "deny": False}
        if answer == "unknown" and policy_answer(answer, use) == "allow":
            done["unknown"] = True
        signal = _Part(done.get(answer), self._because(decision))
        parts = [licence.part, *self.own, signal]
        usable = worst(part.answer for part in parts)
        why, because = (_whys(parts, answers) for answers in ((False, None), (usable,)))
        return Judged(licence.name, licence.part.answer, answer, usable, why, because if usable is not True else "")

    def _now(self, case: Case, newer: Newer, inside: Sequence[Signal]) -> SignalDecision:
        """Combine what still stands with newer answers; a kept refusal that no kept signal explains still stands."""
        use = self.purpose.use
        stands: list[Signal] = []
        if case.stated and case.stated.get(use) == "deny" and case.decision.answers[use] != "deny":
            stands.append(Signal(source="recorded", answers={use: "deny"}, note=KEPT))
        return combine((*signals_since(case, newer), *inside, *stands))

    def _because(self, decision: SignalDecision) -> str:
        use = self.purpose.use
        if decision.answers[use] == "deny":
            names = dict.fromkeys(one.source for one in decision.signals if one.answers.get(use) == "deny")
            words = (KEPT if name == "recorded" else name for name in names)
            return f"{use} is denied by {', '.join(words)}"
        if not decision.signals:
            return "nothing is recorded of what the rights holder says"
        return f"what is recorded of the rights holder leaves {use} open"


def _whys(parts: list[_Part], answers: Sequence[bool | None]) -> str:
    said = (part.why for wanted in answers for part in parts if part.answer is wanted and part.why)
    return "; ".join(dict.fromkeys(said))


def _part(named: str, fit: Fit) -> _Part:
    said = {True: "fits", False: "does not fit", None: "is not known to fit"}[fit.answer]
    return _Part(fit.answer, f"{named} {said}: {'; '.join(fit.reasons[:2])}")


def _own_part(one: Statement, purpose: Purpose) -> _Part:
    expression = one.parsed.expression
    if expression is None:
        said = one.parsed.fault or one.parsed.note or "names no licence that is known"
        return _Part(None, f"the dataset's own licence '{shortened(one.parsed.text)}' {said}")
    return _part(f"the dataset's own licence {expression}", purpose_fit(expression, purpose))


def _numbered(batch: Batch) -> tuple[Any, list[str | None]]:
    """Give the licence of each record as a number, and the texts that the numbers stand for."""
    import numpy as np

    texts = licence_texts(batch)
    if texts is None:
        return np.zeros(batch.size, dtype=np.int64), [None]
    encoded = texts.dictionary_encode()
    values: list[str | None] = encoded.dictionary.to_pylist()
    codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), [*values, None]
