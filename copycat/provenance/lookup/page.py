"""The answer as a page for people who know nothing of datasets: large type, plain words, one self-contained file."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader

from copycat.provenance.lookup.licence import licence_text
from copycat.provenance.lookup.records import Hit, LookupAnswer
from copycat.runs.pages import strict_environment

MAX_SHOWN = 200
"""Records that the page lists."""

BROAD = 1_000
"""So many matches are seldom of one person."""

_TEMPLATES = PackageLoader("copycat")

QUESTIONS = {
    "name": "Is the name “{}” in it?",
    "domain": "Is anything from {} in it?",
    "picture": "Is the picture “{}” in it?",
    "text": "Is this text in it?",
    "id": "Is the record {} in it?",
}
KIND_TEXTS = {"name": "a name", "domain": "a web address", "picture": "a picture", "text": "words", "id": "a number"}
MEANINGS = {
    "name": "The name stands in these records, as an author or in a title or text. Other people may be called "
    "the same: whether it is you cannot be seen from here.",
    "domain": "These records name an address on this site, or on a part of it, as the place where they come from.",
    "picture": "“Same bytes” is the very same file. “Alike” is a picture that looks nearly the same, such as a smaller "
    "copy or another format; now and then it is another picture.",
    "text": "These records hold these words in the same order; capital letters, accents and punctuation do not count. "
    "A common phrase may have been written by somebody else.",
    "id": "There is a record of this number.",
}
MEANINGS_OF_NOTHING = {
    "name": "No record has the name as its author or in its title or text. A work of yours may still be there without "
    "your name: look for its address or for the picture itself.",
    "domain": "No record names an address on this site. Copies of your work that were taken from another site are not "
    "found this way: look for your name or for the picture itself.",
    "picture": "No picture is the same file, and none looks nearly the same. A picture that was cropped or much "
    "changed is not found this way.",
    "text": "No record holds a run of these words in this order. A translation or retelling is not found this way.",
    "id": "There is no record of this number.",
}


def build_page(answer: LookupAnswer) -> str:
    """Write the page of an answer; what comes from the dataset is escaped, and leads nowhere but to its contact."""
    environment = _environment()
    kind = answer.query.kind
    things = ("picture", "pictures") if kind == "picture" else ("record", "records")
    return environment.get_template("provenance/lookup.html.j2").render(
        answer=answer,
        question=QUESTIONS[kind].format(answer.query.asked),
        kind_text=KIND_TEXTS[kind],
        meaning=MEANINGS[kind],
        meaning_of_nothing=MEANINGS_OF_NOTHING[kind],
        day=f"{answer.as_of.day} {answer.as_of:%B %Y}",
        removed=answer.n_found - answer.n_now,
        left_over=sum(hit.version_removed is not None and hit.is_in_files for hit in answer.hits),
        broad=answer.n_found >= BROAD,
        versions=list(answer.by_version.items()),
        counted=counted_in(answer),
        was_counted=any(each.n for each in counted_in(answer)),
        shown=answer.hits[:MAX_SHOWN],
        thing=things[0],
        things=things[1],
        fields=", ".join(_FIELD_TEXTS.get(name, name) for name in answer.looked_in),
        link=_link(answer.contact),
        css="".join(_source(environment, name) for name in ("imitation/tokens.css", "imitation/page.css"))
        + _source(environment, "provenance/lookup.css"),
    )


@cache
def _environment() -> Environment:
    environment = strict_environment(_TEMPLATES)
    environment.filters["plain"] = _plain
    environment.filters["state"] = state_of
    environment.filters["licence"] = licence_text
    return environment


_FIELD_TEXTS = {"url": "addresses", "image": "pictures", "phash": "hashes of pictures", "sha256": "hashes of files",
                "author": "authors", "title": "titles", "text": "texts", "source": "sources",
                "id": "numbers"}  # fmt: skip


class CountedIn(NamedTuple):
    """Pictures of a version whose captions named what was asked for; None: there is no figure."""

    version: str
    n: float | None
    is_at_least: bool


def counted_in(answer: LookupAnswer) -> list[CountedIn]:
    """Give what was counted around removals, in the order of the versions."""
    order = list(answer.by_version)
    found = [CountedIn(version, n, is_at_least=False) for version, n in answer.counted.items()]
    found += [CountedIn(version, n, is_at_least=True) for version, n in answer.counted_at_least.items()]
    return sorted(found, key=lambda each: order.index(each.version) if each.version in order else len(order))


def state_of(hit: Hit) -> str:
    """Say since when a record is in the dataset, or since when it is not."""
    if hit.version_removed is not None:
        left = ", but still in the files" if hit.is_in_files else ""
        return f"removed in version {hit.version_removed}{left}"
    return "in it" if hit.version_added is None else f"in it since version {hit.version_added}"


def _link(contact: str) -> str | None:
    """Give where a contact leads, for a web address or an e-mail address; None for any other text."""
    if contact.startswith(("https://", "http://")) and " " not in contact:
        return contact
    name, at, host = contact.partition("@")
    is_mail = at and name and "." in host and all(letter.isalnum() or letter in "@.+-_" for letter in contact)
    return f"mailto:{contact}" if is_mail else None


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text[:400]).split())


def _source(environment: Environment, name: str) -> str:
    """Give the text of a file beside the templates, as it is: braces in CSS are no jinja2."""
    return _TEMPLATES.get_source(environment, name)[0]
