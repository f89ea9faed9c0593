from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from copycat import catalog
from copycat.catalog import (
    Anchor,
    PromptSet,
    build_prompts,
    characters_sha256,
    derived_prompt_set,
    freeze_prompt_set,
    list_anchors,
    list_character_sets,
    parse_anchor,
    prompts_sha256,
    read_character_set,
    read_prompt_set,
)
from copycat.errors import DataError, UnknownNameError, UserError
from copycat.schema import CharacterSet

USER_FILE = """\
id: my-set
characters:
  - id: goofy
    name: Goofy
    aliases: [The Goof]
    not_aliases: [goofy hat]
    franchise: Some Cartoons
    key_characteristic: tall cartoon dog
    description: A tall, clumsy dog in a green hat.
    keywords: [cartoon dog, green hat, clumsy]
  - id: max
    name: Max
    franchise: Some Cartoons
    key_characteristic: teenage cartoon dog
    description: A young dog in a red hoodie.
    keywords: [red hoodie, skateboard, teenager]
"""

SHIPPED_ENTRY = """\
id: {id}
title: Tiny
about: For a test
characters:
  - id: goofy
    name: Goofy
    franchise: Some Cartoons
    rights_holder: Somebody
    first_appearance: {{title: "A Film", year: 1932}}
    key_characteristic: tall cartoon dog
    description: A tall, clumsy dog in a green hat.
    legal_status:
      - {{version: film, jurisdiction: US, status: protected, from_year: 1932}}
    sources: {sources}
    licences: {{name: fact, franchise: fact, rights_holder: fact, first_appearance: fact, legal_status: fact,
               key_characteristic: Apache-2.0, description: Apache-2.0}}
"""
ALL_SOURCES = (
    "{name: [a], franchise: [a], rights_holder: [a], first_appearance: [a],"
    " key_characteristic: [a], description: [a], legal_status: [a]}"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that also holds the data folders of an installation with one set, 'tiny'."""
    for name in ("characters", "prompts"):
        (tmp_path / "data" / name).mkdir(parents=True)
    for module in ("character_sets", "prompt_sets"):
        monkeypatch.setattr(f"copycat.catalog.{module}.data_folder", lambda name: tmp_path / "data" / name)
    (tmp_path / "data/characters/tiny.yaml").write_text(SHIPPED_ENTRY.format(id="tiny", sources=ALL_SOURCES))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def user_set(text: str = USER_FILE) -> CharacterSet:
    Path("my.yaml").write_text(text, encoding="utf-8")
    return read_character_set("my.yaml")


def faults_of(text: str | bytes, name: str = "my.yaml") -> list[str]:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError) as caught:
        read_character_set(name)
    return list(caught.value.faults)


# ------------------------------------------------------------------------- reading character sets


def test_a_shipped_set_is_read_by_name(folder: Path) -> None:
    assert list_character_sets() == ("tiny",)
    assert [c.name for c in read_character_set("tiny").characters] == ["Goofy"]
    assert read_character_set(folder / "data/characters/tiny.yaml") == read_character_set("tiny")


def test_a_shipped_set_is_read_again_only_when_its_file_says_something_else(folder: Path) -> None:
    before = read_character_set("tiny")
    assert read_character_set("tiny") is before

    path = folder / "data/characters/tiny.yaml"
    path.write_text(path.read_text().replace(before.characters[0].description, "Something else."))
    assert read_character_set("tiny").characters[0].description == "Something else."


def test_a_users_file_needs_five_fields_only(folder: Path) -> None:
    characters = user_set().characters
    assert [c.id for c in characters] == ["goofy", "max"]
    assert characters[0].rights_holder is None and characters[0].sources == {}


def test_an_unknown_set_gets_a_suggestion_and_hears_of_paths(folder: Path) -> None:
    with pytest.raises(UnknownNameError) as caught:
        read_character_set("tinny")
    assert str(caught.value) == (
        "unknown character set 'tinny'\n  did you mean 'tiny'?\n"
        "  a path to a YAML file works as well, such as './my-characters.yaml'"
    )


def test_all_faults_of_a_file_come_at_once_each_with_its_line(folder: Path) -> None:
    text = textwrap.dedent("""\
        id: My Set
        colour: red
        characters:
          - id: goofy
            name: Goofy
            nam: x
            aliases: Goof
            franchise: 1932
            first_appearance: {title: T, year: soon}
            key_characteristic: ''
            description: Here is GOOFY, a dog.
            keywords: [dog, Dog, goofy's hat]
            not_aliases: [goofy hat, hat]
          - id: goofy
            name: goofy
            franchise: X
            franchise: Y
            key_characteristic: dog
          - just text
        """)
    assert faults_of(text) == [
        "my.yaml:1: field 'id': 'My Set' must be lower case letters and digits, in parts joined by single hyphens, "
        "such as 'mickey-mouse'",
        "my.yaml:2: field 'colour': there is no such field",
        "my.yaml:6: characters[0] 'goofy', field 'nam': there is no such field; did you mean 'name'?",
        "my.yaml:7: characters[0] 'goofy', field 'aliases': 'Goof' must be a list, such as [first, second]",
        "my.yaml:8: characters[0] 'goofy', field 'franchise': '1932' must be text; put it in quotes",
        "my.yaml:9: characters[0] 'goofy', field 'first_appearance.year': 'soon' must be a whole number",
        "my.yaml:10: characters[0] 'goofy', field 'key_characteristic': '' must not be empty",
        "my.yaml:11: characters[0] 'goofy', field 'description': 'GOOFY' names the character ('Goofy'); "
        "describe it without",
        "my.yaml:12: characters[0] 'goofy', field 'keywords[2]': 'goofy' names the character ('Goofy'); "
        "describe it without",
        "my.yaml:12: characters[0] 'goofy', field 'keywords[1]': 'Dog' is already keywords[0]",
        "my.yaml:13: characters[0] 'goofy', field 'not_aliases[1]': 'hat' must contain the name or an alias as whole "
        "words; else leave it out",
        "my.yaml:14: characters[1] 'goofy', field 'description': is missing; needed: about 60 words on its looks that "
        "do not name it",
        "my.yaml:14: characters[1] 'goofy', field 'id': 'goofy' is already the id of characters[0]",
        "my.yaml:15: characters[1] 'goofy', field 'name': 'goofy' is already a name of characters[0] 'goofy'; "
        "one name, one character",
        "my.yaml:17: characters[1] 'goofy', field 'franchise': is given twice, first on line 16",
        "my.yaml:19: characters[2]: 'just text' must be a mapping of fields",
    ]


def test_the_error_text_shows_every_fault_and_what_to_type(folder: Path) -> None:
    broken = USER_FILE.replace("clumsy]", "clumsy, " + ", ".join(["hat"] * 12) + "]")
    Path("my.yaml").write_text(broken)
    with pytest.raises(DataError) as caught:
        read_character_set("my.yaml")
    lines = str(caught.value).splitlines()
    assert lines[0] == "my.yaml:10: characters[0] 'goofy', field 'keywords[4]': 'hat' is already keywords[3]"
    assert len(lines) == 12
    assert lines[11] == "then check it: python -m copycat.data validate my.yaml"


def test_an_alias_of_two_characters_is_a_fault_however_it_is_spelled(folder: Path) -> None:
    assert faults_of(USER_FILE.replace("name: Max", "name: Max\n    aliases: [Maxi, the-GOOF]")) == [
        "my.yaml:13: characters[1] 'max', field 'aliases[1]': 'the-GOOF' is already a name of characters[0] 'goofy'; "
        "one name, one character"
    ]


def test_a_brand_word_gives_the_character_away(folder: Path) -> None:
    text = USER_FILE.replace("not_aliases: [goofy hat]", "brand_words: [Green Hat, Dogville]")
    assert faults_of(text.replace("[cartoon dog,", "[dogville's mayor,")) == [
        "my.yaml:9: characters[0] 'goofy', field 'description': 'green hat' is one of its brand_words ('Green Hat'); "
        "describe it without",
        "my.yaml:10: characters[0] 'goofy', field 'keywords[0]': 'dogville' is one of its brand_words ('Dogville'); "
        "describe it without",
        "my.yaml:10: characters[0] 'goofy', field 'keywords[1]': 'green hat' is one of its brand_words ('Green Hat'); "
        "describe it without",
    ]


def test_a_blocked_phrase_is_no_excuse_in_a_description(folder: Path) -> None:
    assert faults_of(USER_FILE.replace("clumsy dog in", "dog in a goofy hat, in")) == [
        "my.yaml:9: characters[0] 'goofy', field 'description': 'goofy' names the character ('Goofy'); "
        "describe it without"
    ]


def test_a_name_must_have_letters_and_cannot_be_blocked_too(folder: Path) -> None:
    text = USER_FILE.replace("[The Goof]", "['???']").replace("[goofy hat]", "[GOOFY]")
    assert faults_of(text) == [
        "my.yaml:5: characters[0] 'goofy', field 'aliases[0]': '???' must contain a letter or a digit",
        "my.yaml:6: characters[0] 'goofy', field 'not_aliases[0]': 'GOOFY' is a name of the character; "
        "it cannot be both",
    ]


def test_words_that_yaml_takes_for_something_else_are_shown_as_written(folder: Path) -> None:
    text = USER_FILE.replace("name: Max", "name: yes").replace("franchise: Some Cartoons", "franchise: 10:30")
    assert faults_of(text) == [
        "my.yaml:7: characters[0] 'goofy', field 'franchise': '10:30' must be text; put it in quotes",
        "my.yaml:12: characters[1] 'max', field 'name': 'yes' must be text; put it in quotes",
        "my.yaml:13: characters[1] 'max', field 'franchise': '10:30' must be text; put it in quotes",
    ]


def test_a_merged_mapping_is_no_duplicate(folder: Path) -> None:
    text = USER_FILE.replace("- id: goofy", "- &dog\n    id: goofy")
    text += "  - <<: *dog\n    id: third\n    name: Third\n    aliases: []\n    not_aliases: []\n"
    third = user_set(text).characters[2]
    assert (third.id, third.franchise) == ("third", "Some Cartoons")


def test_a_date_is_text(folder: Path) -> None:
    assert user_set(USER_FILE.replace("name: Max", "name: 2020-13-45")).characters[1].name == "2020-13-45"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "my.yaml: is empty"),
        (b"# nothing\n", "my.yaml: is empty"),
        (b"id: a\nname: caf\xe9\n", "my.yaml:2: byte 0xe9 is not UTF-8\n  save the file as UTF-8"),
        (b"- a\n- b\n", "my.yaml:1: the file: must be a mapping with 'id' and 'characters'"),
        (
            b"id: a\ntitle: Bob: the film\n",
            "my.yaml:2: not valid YAML: mapping values are not allowed here\n  text that contains ': ' needs quotes",
        ),
        (
            b"id: a\nx:\n\t- b\n",
            "my.yaml:3: not valid YAML: found character '\\t' that cannot start any token\n"
            "  indent with spaces, and quote text that starts with a special character",
        ),
        (b"id: [a\n", "my.yaml:2: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        (b"id: a\nb: \x07\n", "my.yaml:2: not valid YAML: character 7 is not allowed"),
        (b"id: a\n---\nid: b\n", "my.yaml:2: not valid YAML: but found another document"),
        (b"id: a\nx: !!int one\n", "my.yaml: a value cannot be read: invalid literal for int() with base 10: 'one'"),
    ],
)
def test_a_file_that_is_no_yaml_says_where(folder: Path, text: bytes, expected: str) -> None:
    assert faults_of(text) == [expected]


def test_a_file_that_is_nested_too_deeply_says_so(folder: Path) -> None:
    """PyYAML has a limit of its own from 6.0.4 on, and then names the line."""
    [fault] = faults_of(b"id: a\nx: " + b"[" * 3000 + b"]" * 3000)
    assert fault in ("my.yaml: is nested too deeply", "my.yaml:2: not valid YAML: exceeded maximum nesting depth")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("data/", "data: is a folder\n  needed: a YAML file"), ("none.yaml", "none.yaml: there is no such file")],
)
def test_a_path_to_no_file_says_so(folder: Path, name: str, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        read_character_set(name)
    assert caught.value.faults == (expected,)


def test_a_set_without_characters_says_what_is_needed(folder: Path) -> None:
    assert faults_of("id: a\n") == ["my.yaml:1: field 'characters': is missing; needed: a list of characters"]
    assert faults_of("id: a\ncharacters: []\n") == [
        "my.yaml:2: field 'characters': a list must have at least one entry"
    ]
    assert faults_of("id: a\ncharacters:\n") == [
        "my.yaml:2: field 'characters': nothing is given: must be a list, such as [first, second]"
    ]


def test_a_users_file_cannot_take_the_id_of_a_shipped_set(folder: Path) -> None:
    assert faults_of(USER_FILE.replace("my-set", "tiny")) == [
        "my.yaml:1: field 'id': 'tiny' is the id of a set that ships; choose another"
    ]


def test_a_shipped_set_needs_a_source_for_each_fact(folder: Path) -> None:
    sources = "{nam: [a], name: [a], franchise: [a], rights_holder: [a], first_appearance: [a], description: []}"
    text = SHIPPED_ENTRY.format(id="other", sources=sources).replace("rights_holder: Somebody", "rights_holder:")
    assert faults_of(text.replace("tall cartoon dog", "goofy dog"), "data/characters/tiny.yaml") == [
        "data/characters/tiny.yaml:1: field 'id': 'other' must be the name of the file, 'tiny'",
        "data/characters/tiny.yaml:8: characters[0] 'goofy', field 'rights_holder': is missing; "
        "needed in a set that ships",
        "data/characters/tiny.yaml:10: characters[0] 'goofy', field 'key_characteristic': 'goofy' names the character "
        "('Goofy'); describe it without",
        "data/characters/tiny.yaml:14: characters[0] 'goofy', field 'sources.nam': there is no such field of a "
        "character",
        "data/characters/tiny.yaml:14: characters[0] 'goofy', field 'sources.key_characteristic': is missing; "
        "needed: where 'key_characteristic' is from",
        "data/characters/tiny.yaml:14: characters[0] 'goofy', field 'sources.description': is missing; "
        "needed: where 'description' is from",
        "data/characters/tiny.yaml:14: characters[0] 'goofy', field 'sources.legal_status': is missing; "
        "needed: where 'legal_status' is from",
    ]


def test_a_shipped_set_needs_a_licence_for_each_field(folder: Path) -> None:
    text = SHIPPED_ENTRY.format(id="tiny", sources=ALL_SOURCES)
    text = text.replace("franchise: fact, ", "").replace("description: Apache-2.0", "description: free for all!")
    assert faults_of(text.replace("{name: fact", "{nam: fact, name: fact"), "data/characters/tiny.yaml") == [
        "data/characters/tiny.yaml:15: characters[0] 'goofy', field 'licences.nam': there is no such field of a "
        "character",
        "data/characters/tiny.yaml:15: characters[0] 'goofy', field 'licences.franchise': is missing; needed: an SPDX "
        "expression such as Apache-2.0, or 'fact'",
        "data/characters/tiny.yaml:16: characters[0] 'goofy', field 'licences.description': 'free for all!' is no SPDX "
        "expression; needed: such as Apache-2.0, or 'fact'",
    ]


def test_sources_and_licences_of_the_set_hold_for_each_character(folder: Path) -> None:
    text = SHIPPED_ENTRY.format(id="tiny", sources="{name: [a]}")
    start = text.index("    licences:")
    licences = " ".join(text[start:].split()).removeprefix("licences: ")
    whole = f"sources: {ALL_SOURCES}\nlicences: {licences}\n{text[:start]}"
    path = folder / "data/characters/tiny.yaml"
    path.write_text(whole)
    assert read_character_set("tiny").licences["name"] == "fact"


def test_versions_licences_and_sources_of_the_set_are_no_part_of_the_hash(folder: Path) -> None:
    fact = "{name: a film, year: 1990, country: US, kind: film, places: [US], sources: [a]}"
    dated = USER_FILE.replace("    franchise:", f"    versions: [{fact}]\n    franchise:")
    assert characters_sha256(user_set(dated)) == characters_sha256(user_set())
    more = USER_FILE.replace("characters:", "licences: {name: fact}\nsources: {name: [a]}\ncharacters:", 1)
    assert characters_sha256(user_set(more)) == characters_sha256(user_set())


def test_the_hash_of_the_sandbox_is_that_of_its_submissions() -> None:
    assert characters_sha256(read_character_set("sandbox")).startswith("cfa52c0c257c58673b2a38ad57a8c417b745e545")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("kind: play", "field 'versions[0].kind': 'play' must be 'personal', 'corporate', 'film' or 'folk'"),
        ("year: soon", "field 'versions[0].year': 'soon' must be a whole number"),
        ("country: America", "field 'versions[0].country': 'America' must match ^[A-Z]{2}$"),
        (
            "authors: [{name: A, died: 1950, living: true}]",
            "field 'versions[0].authors[0]': a mapping is wrong: value error, an author cannot be living and have "
            "died; leave one out",
        ),
        (
            "us_year: 1926",
            "field 'versions[0]': a mapping is wrong: value error, us_year needs us_year_why: why US law "
            "counts another year",
        ),
        ("places: [Mars]", "field 'versions[0].places[0]': 'Mars' must be 'US', 'EU', 'UK', 'JP' or 'worldwide'"),
    ],
)
def test_a_version_that_cannot_be_is_told(folder: Path, wrong: str, said: str) -> None:
    fact = {"name": "name: a film", "year": "year: 1990", "country": "country: US", "kind": "kind: film"}
    fact |= {"places": "places: [US]", "sources": "sources: [a]"}
    fact[wrong.partition(":")[0]] = wrong
    text = USER_FILE.replace("    franchise:", f"    versions: [{{{', '.join(fact.values())}}}]\n    franchise:", 1)
    assert [fault.partition("'goofy', ")[2] for fault in faults_of(text)] == [said]


def test_the_hash_is_of_what_the_set_says_not_of_its_layout(folder: Path) -> None:
    plain = characters_sha256(user_set())
    assert characters_sha256(user_set("# a comment\n" + USER_FILE.replace("[The Goof]", "\n      - The Goof"))) == plain
    assert characters_sha256(user_set(USER_FILE.replace("green hat.", "blue hat."))) != plain


@pytest.mark.parametrize("name", list_character_sets())
def test_every_set_that_ships_is_without_fault(name: str) -> None:
    assert read_character_set(name).id == name


# ----------------------------------------------------------------------------------------- anchors


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("name", "name"),
        (" description ", "description"),
        ("keywords", "keywords:authored-5"),
        ("keywords:laion", "keywords:laion-5"),
        ("keywords:laion-10", "keywords:laion-10"),
        ("keywords:co-occurrence-3", "keywords:co-occurrence-3"),
    ],
)
def test_an_anchor_has_one_label(text: str, label: str) -> None:
    anchor = parse_anchor(text, "authored")
    assert anchor.label == label
    assert parse_anchor(anchor.label, None) == anchor


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nmae", "unknown anchor 'nmae'\n  did you mean 'name'?\n"),
        ("keywords:", "unknown anchor 'keywords:'\n  did you mean 'keywords' or 'keywords:authored' or "),
        ("keywords-5", "unknown anchor 'keywords-5'\n  did you mean 'keywords' or 'keywords:authored-5'?\n"),
        ("Name:3", "unknown anchor 'Name:3'\n  did you mean 'name'?\n"),
    ],
)
def test_an_unknown_anchor_gets_a_suggestion(text: str, expected: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_anchor(text, "authored")
    assert str(caught.value).startswith(expected)
    assert str(caught.value).endswith("\n  see all: python -m copycat.eval --list anchors")


def test_no_keywords_cannot_be_asked_for() -> None:
    with pytest.raises(UserError) as caught:
        parse_anchor("keywords:laion-0", None)
    assert str(caught.value) == (
        "anchor 'keywords:laion-0' asks for no keywords\n  needed: at least 1, such as 'keywords:laion-5'"
    )


def test_keywords_of_a_set_without_any_say_what_to_type() -> None:
    with pytest.raises(UserError) as caught:
        parse_anchor("keywords", None)
    assert str(caught.value) == (
        "anchor 'keywords': this character set has no keywords\n"
        "  needed: a list 'keywords' for each character, or another anchor\n  type: --anchors name,description"
    )


# ----------------------------------------------------------------------------------------- prompts


def test_prompts_come_anchor_by_anchor_in_the_order_of_the_set(folder: Path) -> None:
    characters = user_set()
    anchors = [parse_anchor(text, "authored") for text in ("name", "keywords:authored-2", "description")]
    prompts = build_prompts(characters, derived_prompt_set(characters), anchors)
    assert [(p.id, p.text) for p in prompts] == [
        ("my-set/goofy/name", "Goofy"),
        ("my-set/max/name", "Max"),
        ("my-set/goofy/keywords:authored-2", "cartoon dog, green hat"),
        ("my-set/max/keywords:authored-2", "red hoodie, skateboard"),
        ("my-set/goofy/description", "A tall, clumsy dog in a green hat."),
        ("my-set/max/description", "A young dog in a red hoodie."),
    ]
    assert prompts_sha256(prompts) != prompts_sha256(prompts[::-1])


def test_too_few_keywords_name_the_character_and_what_there_is(folder: Path) -> None:
    characters = user_set()
    with pytest.raises(DataError) as caught:
        build_prompts(characters, derived_prompt_set(characters), [Anchor(kind="keywords", ranker="authored", k=4)])
    assert str(caught.value) == (
        "character 'goofy' has 3 keywords of ranker 'authored', but anchor 'keywords:authored-4' needs 4\n"
        "character 'max' has 3 keywords of ranker 'authored', but anchor 'keywords:authored-4' needs 4\n"
        "  the most that every character has: 'keywords:authored-3'"
    )


def test_an_unknown_ranker_gets_a_suggestion(folder: Path) -> None:
    characters = user_set()
    with pytest.raises(UnknownNameError, match=r"unknown anchor 'keywords:autored-3'\n  did you mean 'keywords:auth"):
        build_prompts(characters, derived_prompt_set(characters), [Anchor(kind="keywords", ranker="autored", k=3)])


def test_an_anchor_given_twice_is_refused(folder: Path) -> None:
    characters = user_set()
    with pytest.raises(UserError, match="anchor 'name' is given twice"):
        build_prompts(characters, derived_prompt_set(characters), [Anchor(kind="name")] * 2)


def test_the_anchors_listed_are_those_that_every_character_has(folder: Path) -> None:
    assert list_anchors(user_set()) == ("name", "description", "keywords:authored-3")
    without = user_set(USER_FILE.replace("    keywords: [red hoodie, skateboard, teenager]\n", ""))
    assert list_anchors(without) == ("name", "description")


# ------------------------------------------------------------------------------------- frozen sets


COOCCURRENCE = {"cooccurrence": {"goofy": ["hat", "dog"], "max": []}}


def frozen(folder: Path, **changes: str) -> tuple[CharacterSet, Path]:
    characters = user_set()
    target = folder / "data/prompts/my-set"
    made = {"how": "by hand", "by": "a test", "date": "2026-01-31", **changes}
    freeze_prompt_set(characters, target, COOCCURRENCE, **made)
    return characters, target


def prompt_faults(characters: CharacterSet) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        read_prompt_set(characters)
    return caught.value.faults


def test_a_frozen_set_reads_back_what_was_written(folder: Path) -> None:
    characters, target = frozen(folder)
    derived = derived_prompt_set(characters)
    assert read_prompt_set(characters) == PromptSet(
        id="my-set",
        version="1.0",
        default_ranker="authored",
        names=derived.names,
        descriptions=derived.descriptions,
        keywords={**derived.keywords, "cooccurrence": {"goofy": ("hat", "dog"), "max": ()}},
    )
    assert (target / "keywords-cooccurrence.jsonl").read_bytes() == (
        b'{"character":"goofy","keywords":["hat","dog"]}\n{"character":"max","keywords":[]}\n'
    )
    assert f"characters_sha256: {characters_sha256(characters)}" in (target / "card.yaml").read_text()


def test_freezing_again_changes_no_byte(folder: Path) -> None:
    _, target = frozen(folder)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    frozen(folder)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before


def test_a_frozen_version_cannot_change_but_a_new_one_can(folder: Path) -> None:
    _, target = frozen(folder)
    other = user_set(USER_FILE.replace("green hat.", "blue hat."))
    with pytest.raises(UserError) as caught:
        freeze_prompt_set(other, target, COOCCURRENCE, how="x", by="y", date="2026-02-01")
    assert str(caught.value) == (
        "data/prompts/my-set/card.yaml: version '1.0' is frozen, and description.jsonl would change\n"
        "  needed: a new version, with --version"
    )
    freeze_prompt_set(other, target, COOCCURRENCE, how="x", by="y", date="2026-02-01", version="1.1")
    assert read_prompt_set(other).descriptions["goofy"].endswith("blue hat.")


def test_an_edited_file_is_named(folder: Path) -> None:
    characters, target = frozen(folder)
    with (target / "name.jsonl").open("a") as file:
        file.write("\n")
    assert prompt_faults(characters) == (
        "data/prompts/my-set/name.jsonl: differs from its sha256 in card.yaml; it is frozen: restore it, "
        "or make a new version",
    )


def test_all_faults_of_a_prompt_set_come_at_once(folder: Path) -> None:
    characters, target = frozen(folder)
    (target / "keywords-authored.jsonl").unlink()
    (target / "keywords-new.jsonl").write_text("")
    rows = (
        b'{"character":"goofy","text":"a"}\n{"character":"goofy","text":"b"}\nno json\n{"character":"pip","text":"c"}\n'
    )
    old = hashlib.sha256((target / "description.jsonl").read_bytes()).hexdigest()
    (target / "description.jsonl").write_bytes(rows)
    card = (target / "card.yaml").read_text().replace(old, hashlib.sha256(rows).hexdigest())
    (target / "card.yaml").write_text(card)
    here = "data/prompts/my-set"
    assert prompt_faults(characters) == (
        f"{here}/keywords-new.jsonl: is not on card.yaml",
        f"{here}/description.jsonl:2: character 'goofy' is given twice",
        f"{here}/description.jsonl:3: invalid JSON: expected ident at line 1 column 2",
        f"{here}/description.jsonl:4: character 'pip' is not in the set",
        f"{here}/description.jsonl: character 'max' is missing",
        f"{here}/keywords-authored.jsonl: there is no such file, but card.yaml lists it",
    )


def test_a_wrong_card_names_line_and_field(folder: Path) -> None:
    characters, target = frozen(folder)
    card = (target / "card.yaml").read_text().replace("2026-01-31", "yesterday", 1)
    (target / "card.yaml").write_text(card.replace("  name.jsonl", "  nam.jsonl"))
    faults = prompt_faults(characters)
    here, file = "data/prompts/my-set/card.yaml", "^(name|description|keywords-[a-z][a-z0-9]*(-[a-z0-9]+)*)\\.jsonl$"
    assert faults == (
        f"{here}:6: field 'files': the key 'nam.jsonl' must match {file}",
        f"{here}:9: field 'files.nam.jsonl.date': 'yesterday' must match ^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$",
    )


def test_a_set_without_frozen_prompts_says_so(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_prompt_set(user_set())
    assert str(caught.value) == (
        "character set 'my-set' has no frozen prompts: there is no data/prompts/my-set/card.yaml\n"
        "  needed: a prompt set made by copycat.catalog.freeze_prompt_set"
    )


def test_a_shipped_set_takes_its_frozen_prompts_and_a_users_file_its_own(folder: Path) -> None:
    assert catalog.prompt_set_of(user_set()).version == "derived"
    with pytest.raises(UserError, match="character set 'tiny' has no frozen prompts"):
        catalog.prompt_set_of(read_character_set("tiny"))


def test_keywords_that_give_the_character_away_are_not_frozen(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        freeze_prompt_set(
            user_set(),
            folder / "p",
            {"laion-5": {"goofy": ["Goofy's hat", "dog", "DOG"], "pip": ["x"]}},
            how="x",
            by="y",
            date="2026-01-31",
        )
    assert caught.value.faults == (
        "ranker 'laion-5' must be lower case words joined by hyphens that do not end in a number",
        "ranker 'laion-5': character 'pip' is not in the set",
        "ranker 'laion-5', character 'goofy': 'Goofy' names the character ('Goofy')",
        "ranker 'laion-5', character 'goofy': 'DOG' is given twice",
        "ranker 'laion-5', character 'max': keywords are missing",
    )
    assert not (folder / "p").exists()


def test_importing_the_catalog_imports_nothing_heavy() -> None:
    code = (
        "import sys, copycat.catalog; "
        "print(sorted({'torch', 'numpy', 'diffusers', 'transformers', 'typer', 'pandas'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"
