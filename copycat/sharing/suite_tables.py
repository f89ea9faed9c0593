"""The registry and the frozen prompts as rows of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.catalog import (
    NOTES_YEAR,
    Anchor,
    PromptSet,
    benign_prompts,
    build_prompts,
    legal_notes,
    parse_anchor,
    prompt_set_of,
    read_character_set,
    with_lists,
)
from copycat.catalog.prompts import LISTED_K
from copycat.paths import data_folder
from copycat.schema import BENIGN, CharacterSet
from copycat.sharing.parquet import WrittenTable, text_list, write_table

MEANINGS = {
    "id": "the character's id, or the prompt's: set/character/anchor",
    "name": "the name, as people write it",
    "aliases": "what a person or a judge would write for it",
    "not_aliases": "longer phrases that hold an alias and mean somebody else",
    "franchise": "the work that it comes from",
    "rights_holder": "who holds the rights, as far as is known; no legal advice",
    "first_appearance_title": "where the character was first published",
    "first_appearance_year": "when the character was first published",
    "key_characteristic": "the plain noun phrase that CONS asks for",
    "description": "its looks, without its name, an alias or a brand word",
    "brand_words": "words that give it away, which no description or keyword holds",
    "keywords": "innocent words, the most telling first",
    "version": "which version of the character",
    "jurisdiction": "where",
    "status": "what is known of its legal status there; no legal advice",
    "from_year": "the year in which the status began",
    "until_year": "the last year of protection, where it is known",
    "as_of": "the year in which the status is this one",
    "year": "when the version was first published",
    "country": "where the version was first published, an ISO 3166 code",
    "kind": "how the term is measured: personal (lives), corporate or film (publication), folk",
    "renewal": "of works published in the US before 1964: whether they were renewed, as far as is known",
    "authors": "whose lives measure the term, each with the year of death",
    "licence_status": "an SPDX expression, or fact: a name or a fact, which no licence covers",
    "note": "why, in a few words",
    "field": "the column of 'characters' that the source is for",
    "source": "where the fact comes from",
    "character": "id of the character that is meant",
    "anchor": "how the prompt reaches the character: name, description, or k keywords of a ranker",
    "text": "the prompt",
    "ranker": "what ranked the keywords",
    "shows": "what the benign prompt asks for, as CONS asks",
}

CHARACTER_COLUMNS = (
    "id",
    "name",
    "aliases",
    "not_aliases",
    "franchise",
    "rights_holder",
    "first_appearance_title",
    "first_appearance_year",
    "key_characteristic",
    "description",
    "brand_words",
    "keywords",
)


class SuiteSet(NamedTuple):
    """One character set with all its frozen texts."""

    characters: CharacterSet
    prompts: PromptSet


def read_suite_set(name: str) -> SuiteSet:
    """Read a set that ships with the prompts and lists that ship, and none of the user's own."""
    characters = read_character_set(name)
    return SuiteSet(characters, with_lists(prompt_set_of(characters), data_folder("prompts")))


def write_suite_tables(folder: Path, sets: Sequence[SuiteSet]) -> list[WrittenTable]:
    """Write each kind of table as a configuration, with one split for each set that has any such row."""
    benign = {("sandbox" if one.characters.is_sandbox else "everyday"): one for one in reversed(sets)}
    by_set = {one.prompts.id: one for one in sets}
    dated = {name: one for name, one in by_set.items() if any(c.versions for c in one.characters.characters)}
    kinds: list[tuple[str, Any, Callable[[SuiteSet], Iterator[dict[str, Any]]], dict[str, SuiteSet]]] = [
        ("characters", _character_schema(), _characters, by_set),
        ("prompts", _text_schema("id", "character", "anchor", "text"), _prompts, by_set),
        ("keywords", _keyword_schema(), _keywords, {name: one for name, one in by_set.items() if one.prompts.keywords}),
        ("legal_status", _legal_schema(), _legal_notes, by_set),
        ("versions", _version_schema(), _versions, dated),
        ("sources", _text_schema("character", "field", "source"), _sources, by_set),
        ("licences", _text_schema("character", "field", "licence_status"), _licences, by_set),
        (BENIGN, _text_schema("id", "text", "shows"), _benign, dict(sorted(benign.items()))),
    ]
    return [
        write_table(folder, config, split, schema, rows_of(one))
        for config, schema, rows_of, splits in kinds
        for split, one in splits.items()
    ]


def _characters(one: SuiteSet) -> Iterator[dict[str, Any]]:
    for character in one.characters.characters:
        row = character.model_dump(mode="json", exclude={"versions", "legal_status", "sources", "licences"})
        first = row.pop("first_appearance") or {}
        row["first_appearance_title"], row["first_appearance_year"] = first.get("title"), first.get("year")
        yield row


def _legal_notes(one: SuiteSet) -> Iterator[dict[str, Any]]:
    for character in one.characters.characters:
        for note in legal_notes(character):
            yield {"character": character.id, **note.model_dump(mode="json"), "as_of": NOTES_YEAR}


def _sources(one: SuiteSet) -> Iterator[dict[str, Any]]:
    for character in one.characters.characters:
        for field, texts in character.sources.items():
            yield from ({"character": character.id, "field": field, "source": text} for text in texts)
        for field, texts in one.characters.sources.items():
            if field not in character.sources and getattr(character, field):
                yield from ({"character": character.id, "field": field, "source": text} for text in texts)
        for version in character.versions:
            for text in version.sources:
                yield {"character": character.id, "field": "versions", "source": f"{version.name}: {text}"}


def _licences(one: SuiteSet) -> Iterator[dict[str, Any]]:
    for character in one.characters.characters:
        for field, licence in {**one.characters.licences, **character.licences}.items():
            if getattr(character, field):
                yield {"character": character.id, "field": field, "licence_status": licence}


def _versions(one: SuiteSet) -> Iterator[dict[str, Any]]:
    for character in one.characters.characters:
        for version in character.versions:
            authors = [f"{a.name} ({a.died or ('living' if a.living else 'unknown')})" for a in version.authors]
            facts = version.model_dump(mode="json", include={"name", "year", "country", "kind", "renewal"})
            yield {"character": character.id, "version": facts.pop("name"), **facts, "authors": authors}


def _prompts(one: SuiteSet) -> Iterator[dict[str, Any]]:
    labels = ["name", "description"]
    for ranker, lists in sorted(one.prompts.keywords.items()):
        fewest = min(len(lists[character.id]) for character in one.characters.characters)
        labels += [Anchor(kind="keywords", ranker=ranker, k=k).label for k in LISTED_K if k <= fewest]
    anchors = [parse_anchor(label, one.prompts.default_ranker) for label in labels]
    for prompt in build_prompts(one.characters, one.prompts, anchors):
        yield prompt.model_dump(mode="json")


def _keywords(one: SuiteSet) -> Iterator[dict[str, Any]]:
    for ranker, lists in sorted(one.prompts.keywords.items()):
        for character in one.characters.characters:
            yield {"character": character.id, "ranker": ranker, "keywords": list(lists[character.id])}


def _benign(one: SuiteSet) -> Iterator[dict[str, Any]]:
    subjects, prompts = benign_prompts(one.characters)
    shown = {subject.id: subject.key_characteristic for subject in subjects.subjects}
    for prompt in prompts:
        yield {"id": prompt.id, "text": prompt.text, "shows": shown[prompt.character]}


def _text_schema(*columns: str) -> Any:
    import pyarrow as pa

    return pa.schema([(column, pa.string()) for column in columns])


def _keyword_schema() -> Any:
    import pyarrow as pa

    return pa.schema([("character", pa.string()), ("ranker", pa.string()), ("keywords", text_list())])


def _legal_schema() -> Any:
    import pyarrow as pa

    texts = [(column, pa.string()) for column in ("character", "version", "jurisdiction", "status", "note")]
    years = [(column, pa.int64()) for column in ("from_year", "until_year", "as_of")]
    return pa.schema([*texts[:4], *years[:2], texts[4], years[2]])


def _version_schema() -> Any:
    import pyarrow as pa

    texts = [(column, pa.string()) for column in ("character", "version", "country", "kind", "renewal")]
    return pa.schema([*texts[:2], ("year", pa.int64()), *texts[2:], ("authors", text_list())])


def _character_schema() -> Any:
    import pyarrow as pa

    kinds = {"first_appearance_year": pa.int64()}
    kinds |= dict.fromkeys(("aliases", "not_aliases", "brand_words", "keywords"), text_list())
    return pa.schema([(column, kinds.get(column, pa.string())) for column in CHARACTER_COLUMNS])
