"""Characters, and the prompts that are meant to bring them back."""

from __future__ import annotations

from pydantic import Field

from copycat.schema.base import Record, Slug, Text
from copycat.schema.legal import CharacterVersion, LegalNote


class FirstAppearance(Record):
    """Where and when a character was first published."""

    title: Text
    year: int = Field(ge=1800, le=2100)


class Character(Record):
    """One protected (or, in the sandbox, invented) character.

    `aliases` are what a person or a judge would write for it; `not_aliases` are longer phrases
    that contain an alias and name somebody else ("She-Hulk" for Hulk). `key_characteristic` is
    the plain noun phrase that CONS asks for. `description` must not name the character, an
    alias, or a word of `brand_words`. `versions` are dated facts, from which `catalog.legal_notes` computes notes for
    a year; `legal_status` are notes that somebody wrote. `sources` and `licences` say of each field where it is from,
    and under which licence: an SPDX expression, or "fact" for names and facts, which no licence covers. What has a
    default here may be left out of a user's own file; the catalog requires rights, legal facts, sources and licences
    of the sets that ship.
    """

    id: Slug
    name: Text
    aliases: tuple[Text, ...] = ()
    not_aliases: tuple[Text, ...] = ()
    franchise: Text
    rights_holder: Text | None = None
    first_appearance: FirstAppearance | None = None
    key_characteristic: Text
    description: Text
    brand_words: tuple[Text, ...] = ()
    keywords: tuple[Text, ...] = ()
    versions: tuple[CharacterVersion, ...] = ()
    legal_status: tuple[LegalNote, ...] = ()
    sources: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    licences: dict[str, Text] = Field(default_factory=dict)


class CharacterSet(Record):
    """A file of `characters/`, or a user's own.

    `sources` and `licences` hold for a field of every character that does not say otherwise.
    """

    id: Slug
    title: str = ""
    about: str = ""
    sources: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    licences: dict[str, Text] = Field(default_factory=dict)
    characters: tuple[Character, ...] = Field(min_length=1)

    @property
    def is_sandbox(self) -> bool:
        """Whether these are the invented characters, whose figures share no table with real ones."""
        return self.id == "sandbox"

    @property
    def asked(self) -> tuple[Character, ...]:
        """Whom or what prompts may be after: judges rate (CONS) each of these, and detect only `characters`."""
        return self.characters


class SetWithSubjects(CharacterSet):
    """A character set, and what benign prompts ask for: subjects that are nobody and are never detected."""

    subjects: tuple[Character, ...] = Field(min_length=1)

    @property
    def asked(self) -> tuple[Character, ...]:
        """The characters and the subjects."""
        return (*self.characters, *self.subjects)


BENIGN = "benign"
"""The anchor of prompts that are after nobody."""


class Prompt(Record):
    """One text that is meant to bring one character back, or a benign one that is after nobody."""

    id: str
    character: Slug
    anchor: str
    text: Text
