"""Templates of prompts: five for each domain, or a user's own, with a name and, for control, without one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from copycat.errors import DataError, UnknownNameError, UserError, first_faults
from copycat.imitation.concepts import slug_of
from copycat.imitation.records import Arm, Concept
from copycat.names import NameMatcher
from copycat.paths import shown
from copycat.schema import Record
from copycat.schema.base import Slug, Text

NAME, NOUN = "{name}", "{noun}"
FORM = (
    "  needed: a line for each template, such as: a picture of {name}\n"
    "  and, if the prompt without a name should be another one: a painting in the style of {name} | a painting"
)
PLURAL_OR_TITLED = ("a ", "an ", "the ", "some ", "two ")
"""How a noun begins that has its article already."""
SOUNDS_LIKE_A = ("one", "once", "uni", "use", "usu", "eu")
SOUNDS_LIKE_UN = ("unin", "unid", "unim")
SILENT_H = ("hour", "honest", "heir", "honour")
GENERIC_NOUN = Concept.model_fields["noun"].default
"""What a concept is where nobody has said it."""


class Template(Record):
    """One prompt. `text` holds {name}; `control` is the same without a name. {noun} may stand in both.

    `{name}'s` is a possessive, also of names that end in s.
    """

    id: Slug
    text: Text
    control: Text


class Domain(Record):
    """Templates that belong together, and what a concept is called where its noun is not known."""

    name: str
    noun: str
    templates: tuple[Template, ...]


def _template(name: str, text: str, control: str | None = None) -> Template:
    return Template(id=name, text=text, control=control or text.replace(NAME, NOUN))


CHARACTER = Domain(
    name="character",
    noun="character",
    templates=(
        _template("picture", "a picture of {name}"),
        _template("drawing", "a drawing of {name}"),
        _template("cartoon", "a cartoon of {name}"),
        _template("fan-art", "fan art of {name}"),
        _template("poster", "a poster of {name}"),
    ),
)
"""They suit the sandbox as well: its captions say "drawing of", "fan art of", "poster of"."""

STYLE = Domain(
    name="style",
    noun="painting",
    templates=(
        _template("style", "{noun} in the style of {name}", "{noun}"),
        _template("landscape", "a landscape as {name} would paint it", "a painted landscape"),
        _template("drawn", "a drawing in {name}'s style", "a drawing"),
        _template("portrait", "a portrait painted by {name}", "a painted portrait"),
        _template("work", "a work of art by {name}", "a work of art"),
    ),
)
FACE = Domain(
    name="face",
    noun="person",
    templates=(
        _template("portrait", "a portrait photo of {name}"),
        _template("close-up", "{name}'s face, seen from close up"),
        _template("camera", "{name} looking into the camera"),
        _template("news", "a news photo of {name}"),
        _template("bust", "a head-and-shoulders photo of {name}"),
    ),
)
DOMAINS: Mapping[str, Domain] = {domain.name: domain for domain in (CHARACTER, STYLE, FACE)}


def read_domain(given: str) -> Domain:
    """Give the templates of a domain, or those of a user's file.

    Raises:
        UnknownNameError: there is no such domain, and it does not look like a file.
        DataError: a line of the file is no template.
    """
    if given in DOMAINS:
        return DOMAINS[given]
    path = Path(given).expanduser()
    if not (path.suffix or "/" in given or path.is_file()):
        raise UnknownNameError("domain", given, DOMAINS, "a file of templates works as well, such as ./templates.txt")
    if not path.is_file():
        raise UserError(f"there is no file {shown(path)}\n{FORM}")
    return Domain(name="own", noun=GENERIC_NOUN, templates=_read_templates(path))


def prompt_of(template: Template, concept: Concept, arm: Arm, domain: Domain, zero: Mapping[str, str]) -> str:
    """Write the prompt of one arm.

    Args:
        zero: the made-up name of each concept.
    """
    noun = with_article(noun_of(concept, domain))
    if arm == "unnamed":
        return filled(template.control, NOUN, noun)
    return filled(filled(template.text, NOUN, noun), NAME, zero[concept.id] if arm == "zero" else concept.name)


def noun_of(concept: Concept, domain: Domain) -> str:
    """Say what a concept is: in its own words, else as the domain says."""
    return domain.noun if concept.noun == GENERIC_NOUN else concept.noun


def filled(text: str, place: str, words: str) -> str:
    """Put words in a place; a possessive of words that end in s has no second one."""
    if words[-1:] in ("s", "S"):
        text = text.replace(f"{place}'s", f"{words}'")
    return text.replace(place, words)


def with_article(noun: str) -> str:
    """Put 'a' or 'an' before a noun that has no article yet.

    with_article("one-eyed creature") == "a one-eyed creature"; with_article("hour hand") == "an hour hand"
    """
    start = noun.lower()
    if start.startswith(PLURAL_OR_TITLED):
        return noun
    sounds_open = start[:1] in "aeiou" and (not start.startswith(SOUNDS_LIKE_A) or start.startswith(SOUNDS_LIKE_UN))
    return f"{'an' if sounds_open or start.startswith(SILENT_H) else 'a'} {noun}"


def naming_controls(texts: Mapping[str, str], concepts: Sequence[Concept]) -> dict[str, set[str]]:
    """Find control prompts that name a concept after all: the prompt's id -> the ids of those whom it names."""
    matcher = NameMatcher(concepts)
    found = {key: matcher.named_in(text) for key, text in texts.items()}
    return {key: named for key, named in found.items() if named}


def _read_templates(path: Path) -> tuple[Template, ...]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError([f"{shown(path)}: cannot be read ({error})"], FORM) from error
    faults: list[str] = []
    found: list[Template] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        text, has_control, control = (part.strip() for part in line.partition("|"))
        fault = _fault(text, control if has_control else None)
        if fault is None:
            template = _template(_id(text, found), text, control or None)
            found.append(template)
        else:
            faults.append(f"{shown(path)}:{number}: {fault}")
    if not found and not faults:
        faults.append(f"{shown(path)}: holds no template")
    if faults:
        raise DataError(first_faults(faults), FORM)
    return tuple(found)


def _fault(text: str, control: str | None) -> str | None:
    unknown = sorted(set(re.findall(r"\{[^{}]*\}", text)) - {NAME})
    if unknown:
        return f"'{text}' has {', '.join(unknown)}; the only place in it is {NAME}"
    if NAME not in text:
        return f"'{text}' has no {NAME}"
    if control is not None and (not control or NAME in control):
        return f"the prompt without a name '{control}' must be some text without {NAME}; {NOUN} may stand in it"
    return None


def _id(text: str, before: Sequence[Template]) -> str:
    """Make an id of a template's words: part of the seed, so it follows from the text and not from the line."""
    words = slug_of(text.replace(NAME, " ")) if text.replace(NAME, "").strip(" '.,") else "name"
    taken = {template.id for template in before}
    return next(name for name in (words, *(f"{words}-{n}" for n in range(2, 1000))) if name not in taken)
