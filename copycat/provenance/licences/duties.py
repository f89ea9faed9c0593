"""What an expression asks for: AND means all of it, OR a choice, WITH a permission on top.

Of several choices, the one that asks least is shown first; an exception after WITH only adds permissions (SPDX 2.3,
annex D.3), so the licence before it is what counts.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

from copycat.provenance.licences.facts import DUTIES, DUTY_TEXTS, Duty, LicenceFacts, facts_of
from copycat.provenance.licences.parsing import tree_of
from copycat.schema import Record

MAX_CHOICES = 64
"""Of an expression; more than that are read as unknown."""

WEIGHTS: dict[Duty, int] = {
    "notice": 1,
    "attribution": 2,
    "source": 4,
    "network": 4,
    "share_alike": 8,
    "use_restrictions": 16,
    "non_commercial": 32,
    "no_derivatives": 32,
}
"""How much a duty binds, to order choices. The order matters, not the numbers."""

Choice = tuple[str, ...]
"""Ids of licences that hold together, such as ("MIT", "CC-BY-4.0")."""


class Duties(Record):
    """What one choice of an expression asks for.

    Attributes:
        licences: that hold together. kind: the most binding of theirs.
        asks: duty -> licences and sections that ask for it.
        unknown: licences whose text nobody has put into licences.yaml: they may ask for anything.
        family: licences whose version was not told.
        suits_data: all of them were written with data in mind. is_open: anybody may use, change and pass on.
        covers_database_only: nothing is said of the contents (ODbL, ODC-By).
    """

    licences: tuple[str, ...]
    kind: str
    asks: dict[Duty, str]
    unknown: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    suits_data: bool = False
    is_open: bool = False
    covers_database_only: bool = False

    @property
    def attribution(self) -> bool:
        """Whether the author must be credited."""
        return "attribution" in self.asks

    @property
    def notice(self) -> bool:
        """Whether the notice, or the text, must be kept."""
        return "notice" in self.asks

    @property
    def share_alike(self) -> bool:
        """Whether changes go on under the same licence."""
        return "share_alike" in self.asks

    @property
    def non_commercial(self) -> bool:
        """Whether commercial use is left out."""
        return "non_commercial" in self.asks

    @property
    def no_derivatives(self) -> bool:
        """Whether changed copies may not be passed on."""
        return "no_derivatives" in self.asks

    @property
    def source(self) -> bool:
        """Whether the form in which it is changed must be given."""
        return "source" in self.asks

    @property
    def use_restrictions(self) -> bool:
        """Whether some uses are left out."""
        return "use_restrictions" in self.asks

    @property
    def told(self) -> str:
        """What is asked, in plain words."""
        if self.unknown:
            return f"not known ({', '.join(self.unknown)})"
        if self.kind == "proprietary":
            return "no permission is given"
        return "; ".join(DUTY_TEXTS[duty] for duty in DUTIES if duty in self.asks) or "nothing"


def duties(expression: str | None) -> Duties | None:
    """Give what an expression asks for, by the choice that asks least; None where no choice is known whole.

    Args:
        expression: what `parse_licence` gave; None is unknown.
    """
    known = [one for one in choices(expression) if not one.unknown]
    return known[0] if known else None


@lru_cache(maxsize=4096)
def choices(expression: str | None) -> tuple[Duties, ...]:
    """Give what each choice of an expression asks for: those that are known before others, then what asks least first.

    An expression with more than MAX_CHOICES has none.
    """
    if not expression:
        return ()
    found = sorted((_duties_of(names) for names in ids_of_choices(expression)), key=_weight)
    return tuple(found)


@lru_cache(maxsize=4096)
def ids_of_choices(expression: str) -> tuple[Choice, ...]:
    """Give the choices of an expression, each a set of licences that hold together: its disjunctive normal form."""
    found = _choices(tree_of(expression))
    return tuple(dict.fromkeys(found)) if found is not None else ()


def is_public_domain(expression: str | None) -> bool:
    """Whether some choice asks for nothing because it is a dedication or a mark."""
    return any(one.kind == "public-domain" for one in choices(expression)) and duties(expression) is not None


def base_of(symbol: str) -> str:
    """Give the licence before WITH, without a "+": whoever may take a later version may also stay with this one."""
    return symbol.partition(" WITH ")[0].removesuffix("+")


def _choices(tree: Any) -> list[Choice] | None:
    """Any: a node of license-expression. None where there are too many."""
    operator = getattr(tree, "operator", None)
    if operator is None:
        return [(str(tree),)]
    parts = [_choices(part) for part in tree.args]
    if any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    if operator == " OR ":
        joined = list(dict.fromkeys(choice for part in known for choice in part))
        return joined if len(joined) <= MAX_CHOICES else None
    number = 1
    for part in known:
        number *= len(part)
        if number > MAX_CHOICES:
            return None
    return [tuple(dict.fromkeys(name for choice in picked for name in choice)) for picked in product(*known)]


def _duties_of(names: Choice) -> Duties:
    facts = [(name, _facts(name)) for name in names]
    known = [(name, one) for name, one in facts if one is not None]
    asks: dict[Duty, str] = {}
    for name, one in known:
        for duty, section in one.asks.items():
            said = f"{base_of(name).removeprefix('LicenseRef-')} {section}"
            asks[duty] = f"{asks[duty]}; {said}" if duty in asks else said
    order = ("public-domain", "permissive", "copyleft", "restricted", "proprietary")
    unknown = tuple(name for name, one in facts if one is None)
    return Duties(
        licences=names,
        kind="unknown" if unknown else max((one.kind for _, one in known), key=order.index),
        asks=asks,
        unknown=unknown,
        family=tuple(name for name, one in known if one.family),
        suits_data=bool(known) and not unknown and all(one.suits_data for _, one in known),
        is_open=bool(known) and not unknown and all(one.is_open for _, one in known),
        covers_database_only=bool(known) and not unknown and all(one.covers == "database" for _, one in known),
    )


def _facts(symbol: str) -> LicenceFacts | None:
    """Give the facts of the licence before WITH; an exception that is not SPDX's own may be anything."""
    exception = symbol.partition(" WITH ")[2]
    return None if exception.startswith("LicenseRef-") else facts_of(base_of(symbol))


def _weight(one: Duties) -> tuple[bool, bool, int, str]:
    return bool(one.unknown), one.kind == "proprietary", sum(WEIGHTS[duty] for duty in one.asks), str(one.licences)
