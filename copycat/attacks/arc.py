"""ARC, attacking by concept arithmetics: the guided prediction is composed of the prompt's and of detours to a target.

Source: Petsiuk and Saenko, "Concept Arithmetics for Circumventing Concept Inhibition in Diffusion Models", arXiv
2404.13706. What inhibits a target c_t acts where a text is close to it. A text that mixes the target with a detour
c_d is far enough away, and what the detour adds is taken off again: g(c_t + c_d) - g(c_d) ~ g*(c_t), where
g(c) = scale * (e(c) - e(null)) and g* is that of the model that is not inhibited. Nothing is optimised, and no
weights are needed: an interface that takes several weighted prompts is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from copycat.attacks.templates import REAL_DETOURS, SANDBOX_DETOURS, Detour, filled
from copycat.errors import UnknownNameError, UnsupportedError, UserError
from copycat.mitigations import Setting
from copycat.schema import Attack, Character, CharacterSet, ImageRequest, Term

Signed = tuple[tuple[str, float], ...]
"""Templates with their signs."""


OPTIONS = "detour=NAME, weight=NUMBER, start=SHARE, end=SHARE"
HINT = "see all: python -m copycat.eval --list attacks"


class Form(NamedTuple):
    """A composition: the terms that each of its detours gives, or those of `fixed` where it has none.

    Attributes:
        summary: the composition in words.
        n_detours: how many of the table it takes, from the one asked for on; 0 for none.
        needs_reduced: it uses c_t - c_d, which not every detour has words for.
    """

    summary: str
    terms: Callable[[Detour], Signed]
    n_detours: int = 1
    needs_reduced: bool = False
    fixed: Signed = ()


def _mixed_less_alone(detour: Detour) -> Signed:
    return (detour.mixed, 1.0), (detour.alone, -1.0)


def _reduced(detour: Detour) -> Signed:
    return ((detour.reduced or detour.mixed, 1.0),)  # never the latter: `_detours` refuses one that has no words


def _reduced_and_alone(detour: Detour) -> Signed:
    return (*_reduced(detour), (detour.alone, 1.0))


_TARGET_LESS_ANCHOR: Signed = (("{t}", 1.0), ("{anchor}", -1.0))

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "A1": Form("the target in a detour, less the detour", _mixed_less_alone),
        "A2": Form("the target without a detour, and the detour", _reduced_and_alone, needs_reduced=True),
        "A3": Form("the target in a detour", lambda d: ((d.mixed, 1.0),)),
        "A4": Form("the target without a detour", _reduced, needs_reduced=True),
        "A5": Form("the target, less its key characteristic", lambda _: (), n_detours=0, fixed=_TARGET_LESS_ANCHOR),
        "O1": Form("A1 put into words", _mixed_less_alone),
        "O2": Form("A1 with three detours at once", _mixed_less_alone, n_detours=3),
        "O3": Form("A5 put into words", lambda _: (), n_detours=0, fixed=_TARGET_LESS_ANCHOR),
    }
)
"""The five templates of the paper, and its three attacks on objects: O1 and O3 are A1 and A5 put into words."""


class Variant(NamedTuple):
    """What comes after 'arc:', taken apart. `detour` is None for a form's first one, or where it takes none."""

    form: str
    detour: str | None = None
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def __str__(self) -> str:
        """Write the form and every option that is not the default."""
        said = [self.form, *([f"detour={self.detour}"] if self.detour else [])]
        numbers = {"weight": (self.weight, 1.0), "start": (self.start, 0.0), "end": (self.end, 1.0)}
        return ",".join(said + [f"{name}={value:g}" for name, (value, default) in numbers.items() if value != default])


class ConceptArithmetics:
    """Adds weighted texts to the guided prediction of each step, as terms of the request's attack.

    The prompt stays what it is, and so does what a mitigation made of it: the terms name the target where a
    rewritten prompt names nobody. The anchor c_a of A5 and O3 is the character's key characteristic.

    Args:
        variant: FORM[,detour=NAME][,weight=NUMBER][,start=SHARE][,end=SHARE]. The weight multiplies every term, on top
            of the scale of guidance, at 1 as in the paper; start and end are shares of the steps.

    Raises:
        UnknownNameError: no such form or detour.
        UserError: another wrong value.
        UnsupportedError: a form and a detour that do not go together.
    """

    def __init__(self, variant: str, setting: Setting) -> None:
        self.variant = parse_variant(variant, setting.characters)
        self.terms = _terms(self.variant, setting.characters)

    @staticmethod
    def canonical(variant: str, setting: Setting) -> str:
        """Give the full form of a variant: 'o1, weight=1.50' -> 'O1,weight=1.5'."""
        return str(parse_variant(variant, setting.characters))

    def apply(self, request: ImageRequest, target: Character | None) -> ImageRequest:
        """Set the attack of the request; nothing where nobody is meant."""
        if target is None:
            return request
        terms = tuple(
            Term(text=filled(template, target), weight=sign * self.variant.weight) for template, sign in self.terms
        )
        attack = Attack(method="arc", terms=terms, start=self.variant.start, end=self.variant.end)
        return request.model_copy(update={"attack": attack})


def detours_of(characters: CharacterSet) -> tuple[Detour, ...]:
    """Give the detours that the models of these characters can follow."""
    return SANDBOX_DETOURS if characters.is_sandbox else REAL_DETOURS


def signed_terms(variant: str, characters: CharacterSet, target: Character) -> str:
    """Write out what a variant adds for a character: '+ "Zoravi sticker" - "sticker"'."""
    terms = _terms(parse_variant(variant, characters), characters)
    return " ".join(f'{"+" if sign > 0 else "-"} "{filled(template, target)}"' for template, sign in terms)


def parse_variant(text: str, characters: CharacterSet) -> Variant:
    """Take a variant apart and check it. Raises what `ConceptArithmetics` raises."""
    form, *options = (part.strip() for part in text.split(","))
    if form.upper() not in FORMS:
        raise UnknownNameError("form of attack 'arc':", form, FORMS, HINT)
    given = _options(text, options)
    variant = Variant(
        form.upper(),
        _named_detour(given["detour"], characters) if "detour" in given else None,
        **{name: _number(name, given[name]) for name in ("weight", "start", "end") if name in given},
    )
    if variant.weight == 0:
        raise UserError("attack 'arc': weight=0 would change nothing\n  needed: another number, such as weight=1.5")
    if not 0 <= variant.start < variant.end <= 1:
        raise UserError(
            f"attack 'arc': start={variant.start:g} and end={variant.end:g} leave no steps\n"
            "  needed: shares of the steps, 0 <= start < end <= 1, such as start=0.2,end=0.8"
        )
    chosen = _detours(variant, characters)
    return variant._replace(detour=None) if chosen == _detours(variant._replace(detour=None), characters) else variant


def _terms(variant: Variant, characters: CharacterSet) -> Signed:
    form = FORMS[variant.form]
    return form.fixed + tuple(term for detour in _detours(variant, characters) for term in form.terms(detour))


def _options(text: str, options: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for option in options:
        name, equals, value = (part.strip() for part in option.partition("="))
        if name not in ("detour", "weight", "start", "end") or not equals or name in given:
            raise UserError(f"attack 'arc:{text}' has no option '{option}'\n  needed: {OPTIONS}, each once at most")
        given[name] = value
    return given


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= 100:  # no number, too
        raise UserError(f"attack 'arc': {name}={text} is no number that it takes\n  needed: such as {name}=0.5")
    return float(f"{value:g}")  # as the full name says it, so that the name is the attack


def _named_detour(text: str, characters: CharacterSet) -> str:
    """Give the name of a detour by its name or its number, from 1."""
    names = [detour.name for detour in detours_of(characters)]
    if text.isdecimal() and 1 <= int(text) <= len(names):
        return names[int(text) - 1]
    if text.lower() not in names:
        raise UnknownNameError(f"detour of '{characters.id}':", text, names, f"or its number, 1 to {len(names)}")
    return text.lower()


def _detours(variant: Variant, characters: CharacterSet) -> tuple[Detour, ...]:
    """Choose the detours of a variant."""
    form, table = FORMS[variant.form], detours_of(characters)
    if variant.detour is not None and form.n_detours != 1:
        why = "needs none" if form.n_detours == 0 else f"takes the first {form.n_detours}"
        raise UnsupportedError(f"attack 'arc:{variant.form}' {why}, and no detour by name\n  leave out detour=")
    if variant.detour is None:
        return tuple(d for d in table if d.reduced is not None or not form.needs_reduced)[: form.n_detours]
    chosen = next(d for d in table if d.name == variant.detour)
    if form.needs_reduced and chosen.reduced is None:
        can = ", ".join(d.name for d in table if d.reduced is not None)
        raise UnsupportedError(
            f"attack 'arc:{variant.form}' needs words for the target without '{chosen.name}', and there are none\n"
            f"  use one of detour={can}"
        )
    return (chosen,)
