"""Whether a licence lets somebody do what they want, and whether material may go on under another licence.

Both say why, by section. True is said only where the facts of licences.yaml carry it; what is not known is None. A
statement about licences is no legal advice: exceptions of the law, contracts and other rights (persons, trade marks,
data protection) stand beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from copycat.provenance.licences.duties import Duties, base_of, choices
from copycat.provenance.licences.facts import DUTY_TEXTS, Duty, facts_of
from copycat.provenance.licences.parsing import parse_licence
from copycat.provenance.records import Purpose


class Fit(NamedTuple):
    """Whether it goes together (None: not known), and why, one sentence each."""

    answer: bool | None
    reasons: tuple[str, ...]


BARE_CLAIM = "'public domain' alone says neither in which country nor why"


class _Said(NamedTuple):
    answer: bool | None
    reason: str


@lru_cache(maxsize=8192)
def fits(expression: str | None, purpose: Purpose) -> Fit:
    """Say whether material under an expression may be used for a purpose.

    Of several choices (OR), the one that fits best is taken; of licences that hold together (AND), each must fit.

    Args:
        expression: what `parse_licence` gave; None: no licence is known.
    """
    if expression is None:
        return Fit(None, ("no licence is known, so nothing says that it may be used",))
    found = [_fit_choice(one, purpose) for one in choices(expression)]
    if not found:
        return Fit(None, (f"'{expression[:80]}' has more choices than are read",))
    best = min(found, key=lambda fit: (True, None, False).index(fit.answer))
    if len(found) > 1 and best.answer is not False:
        names = " AND ".join(choices(expression)[found.index(best)].licences)
        return Fit(best.answer, (f"by the choice {names}", *best.reasons))
    return best if len(found) == 1 else Fit(best.answer, tuple(reason for fit in found for reason in fit.reasons))


def _fit_choice(one: Duties, purpose: Purpose) -> Fit:
    if one.kind == "proprietary":
        return Fit(False, ("all rights are reserved: no permission is given",))
    said = [_Said(None, f"what {name} asks is not known") for name in one.unknown]
    if _is_bare_claim(one):
        said.append(_Said(None, BARE_CLAIM))
    said += [found for duty in one.asks if (found := _duty(one, duty, purpose)) is not None]
    if purpose.shares_changes and purpose.output_licence and not one.unknown:
        said += [
            _Said(fit.answer, reason)
            for name in one.licences
            for fit in (goes_into(name, purpose.output_licence),)
            if fit.answer is not True
            for reason in fit.reasons
        ]
    answers = {found.answer for found in said}
    answer = False if False in answers else None if None in answers else True
    deciding = [found.reason for found in said if found.answer is answer]
    told = deciding + ([] if answer is False else [found.reason for found in said if found.answer is not answer])
    return Fit(answer, tuple(dict.fromkeys(told)) or (_asks_nothing(one, purpose),))


def _asks_nothing(one: Duties, purpose: Purpose) -> str:
    """Say why none of the duties of a licence is due for a purpose that passes nothing on."""
    if not one.asks:
        return "it asks for nothing"
    words = ", ".join(f"{DUTY_TEXTS[duty]} ({where})" for duty, where in one.asks.items())
    return f"{words}: this is asked where the material is passed on, which '{purpose.name}' does not do"


def _duty(one: Duties, duty: Duty, purpose: Purpose) -> _Said | None:
    """Say what one duty means for a purpose; None where it does not touch it."""
    where = one.asks[duty]
    shares = purpose.shares_copies or purpose.shares_changes
    if duty == "non_commercial":
        said = "is commercial" if purpose.commercial else "is not"
        return _Said(not purpose.commercial, f"no commercial use ({where}); '{purpose.name}' {said}")
    if duty == "use_restrictions":
        return _restricted(one, purpose, where)
    if duty in ("no_derivatives", "share_alike"):
        return _changes(one, duty, purpose) if shares else _model(one, duty, purpose)
    if shares or duty == "network":
        return _Said(True, f"{DUTY_TEXTS[duty]} ({where})")
    return None


def _restricted(one: Duties, purpose: Purpose, where: str) -> _Said:
    restricting = [facts for facts in map(facts_of, map(base_of, one.licences)) if facts]
    if all(purpose.use in facts.allows for facts in restricting if "use_restrictions" in facts.asks):
        return _Said(True, f"some uses are left out ({where}); '{purpose.use}' is none of them")
    return _Said(None, f"some uses are left out ({where}); whether yours is one is for you to read")


def _changes(one: Duties, duty: Duty, purpose: Purpose) -> _Said | None:
    where = one.asks[duty]
    if duty == "no_derivatives":
        said = f"no changed copies may be passed on ({where}); '{purpose.name}' passes them on"
        return _Said(False, said) if purpose.shares_changes else None
    if purpose.shares_changes and purpose.output_licence is None:
        return _Said(None, f"changes go on under the same licence ({where}); no output licence is named")
    return _Said(True, f"{DUTY_TEXTS[duty]} ({where})")


def _model(one: Duties, duty: Duty, purpose: Purpose) -> _Said | None:
    """Say what a duty about changes means for a model that is trained, where no record is passed on."""
    if "training" not in purpose.use:
        return None
    if all((facts := facts_of(base_of(name))) is not None and facts.results for name in one.licences):
        return _Said(True, f"{DUTY_TEXTS[duty]} ({one.asks[duty]}); models are left free of it")
    return _Said(True, f"{DUTY_TEXTS[duty]} ({one.asks[duty]}); whether a model is a changed copy is not settled")


ORDER = (False, None, True)
"""The answer that decides first."""


def worst(answers: Iterable[bool | None]) -> bool | None:
    """Give False if any is, else None if any is, else True."""
    return min(answers, key=ORDER.index, default=True)


@lru_cache(maxsize=8192)
def purpose_fit(expression: str | None, purpose: Purpose) -> Fit:
    """Say whether a licence fits a purpose, and may go on under its output licence where it names one."""
    found = [fits(expression, purpose)]
    if purpose.output_licence is not None and expression is not None:
        found.append(goes_into(expression, purpose.output_licence))
    answer = worst(fit.answer for fit in found)
    return next(fit for fit in found if fit.answer is answer)


# ------------------------------------------------------------------------------ compatibility


@lru_cache(maxsize=8192)
def goes_into(component: str, output: str) -> Fit:
    """Say whether changes of material under `component` may go on under `output`, both SPDX expressions.

    Every duty of the component must also be one of the output, or the output would promise more than there is; a
    share-alike licence names where it may go. Of the component's choices one must do; of the output's, all, since
    whoever receives it picks.
    """
    there = parse_licence(output)
    if there.expression is None:
        return Fit(None, (f"the output licence '{output[:80]}' {there.fault or 'is not known'}",))
    mine, others = choices(component), choices(there.expression)
    if not mine or not others:
        return Fit(None, ("an expression has more choices than are read",))
    best = Fit(False, ())
    for one in mine:
        found = [_pair(one, other) for other in others]
        answers = [fit.answer for fit in found]
        answer = False if False in answers else None if None in answers else True
        reasons = tuple(dict.fromkeys(reason for fit in found if fit.answer is answer for reason in fit.reasons))
        if not best.reasons or (True, None, False).index(answer) < (True, None, False).index(best.answer):
            best = Fit(answer, reasons)
    return best


def _pair(one: Duties, other: Duties) -> Fit:
    mine, out = " AND ".join(one.licences), " AND ".join(other.licences)
    if one.unknown:
        return Fit(None, (f"what {', '.join(one.unknown)} asks is not known",))
    if _is_bare_claim(one):
        return Fit(None, (BARE_CLAIM,))
    if one.kind == "proprietary":
        return Fit(False, (f"{mine} gives no permission to pass anything on",))
    if one.no_derivatives:
        return Fit(False, (f"{mine} lets no changed copies be passed on ({one.asks['no_derivatives']})",))
    said = [_into(name, other) for name in one.licences]
    lost = missing_duties(one, other)
    dropped = [duty for duty in lost if not _may_keep(duty, other)]
    if dropped:
        said += [Fit(False, (f"{out} drops what {mine} asks: {', '.join(DUTY_TEXTS[duty] for duty in dropped)}",))]
    elif lost:
        words = ", ".join(DUTY_TEXTS[duty] for duty in lost)
        said += [Fit(None, (f"whether {out} keeps what {mine} asks ({words}) is not known",))]
    answers = [fit.answer for fit in said if fit.reasons]
    answer = False if False in answers else None if None in answers else True
    reasons = tuple(reason for fit in said if fit.answer is answer for reason in fit.reasons)
    return Fit(answer, reasons or (f"{out} keeps what {mine} asks",))


def _is_bare_claim(one: Duties) -> bool:
    return any((facts := facts_of(base_of(name))) is not None and facts.is_bare_claim for name in one.licences)


def _may_keep(duty: Duty, other: Duties) -> bool:
    """Whether terms that do not have a duty as it was given may have it all the same: their own, or their own list."""
    if other.kind == "proprietary" or other.unknown:
        return True
    return duty == "use_restrictions" and other.use_restrictions


def _into(name: str, other: Duties) -> Fit:
    """Say whether a licence lets material go on under another, duties aside; no reason where it is silent."""
    facts = facts_of(base_of(name))
    if facts is None:
        return Fit(True, ())
    short, out = base_of(name).removeprefix("LicenseRef-"), " AND ".join(other.licences)
    is_alike = "share_alike" in facts.asks
    is_open = bool(other.unknown) or facts.family or any((one := facts_of(to)) and one.family for to in other.licences)
    rows: tuple[tuple[bool, bool | None, str], ...] = (
        (_names_one(facts.not_into, other), False, f"{short} may not go on as {out} ({facts.because})"),
        (name in other.licences, True, f"{short} stays {short}" if is_alike else ""),
        (is_alike and _names_one(facts.goes_into, other), True, f"{short} may go on as {out} ({facts.because})"),
        (
            _names_one(facts.perhaps_into, other),
            None,
            f"whether {short} may go on as {out} is not known ({facts.because})",
        ),
        (not is_alike, True, ""),
        (is_open, None, f"whether {short} may go on as {out} is not known"),
        (True, False, f"{short} may not go on as {out} ({facts.because})"),
    )
    answer, said = next((answer, said) for holds, answer, said in rows if holds)
    return Fit(answer, (said,) if said else ())


def _names_one(patterns: tuple[str, ...], other: Duties) -> bool:
    return any(re.fullmatch(pattern, base_of(there)) for pattern in patterns for there in other.licences)


def missing_duties(one: Duties, other: Duties) -> tuple[Duty, ...]:
    """Give the duties of one that another does not have. Credit and notice count as one: both keep who made it.

    `source`, `share_alike` and `network` are left to `goes_into` of licences.yaml where the other is copyleft, too. The
    uses that one licence leaves out are not those of another, so `use_restrictions` is kept by the same licence alone.
    """
    credits = {"attribution", "notice"}
    has_credit = bool(credits & set(other.asks))
    lost: list[Duty] = []
    for duty in one.asks:
        if duty == "use_restrictions":
            lost += [] if _restricting(one) <= set(other.licences) else [duty]
            continue
        if duty in other.asks or (duty in credits and has_credit):
            continue
        if duty in ("source", "network") and other.share_alike:
            continue
        lost.append(duty)
    return tuple(lost)


def _restricting(one: Duties) -> set[str]:
    return {
        name
        for name in one.licences
        if (facts := facts_of(base_of(name))) is not None and "use_restrictions" in facts.asks
    }
