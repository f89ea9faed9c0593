"""Rows of a foreign table -> texts of our characters. Each row is taken up, or told with its place and the reason."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import Field

from copycat.catalog.character_checks import telling_phrases, telling_word
from copycat.catalog.foreign_tables import ForeignTable, TableRow, unscrambled
from copycat.catalog.lists import Kind
from copycat.errors import DataError, UnknownNameError, UserError
from copycat.names import fold
from copycat.schema import Character, CharacterSet, Record

TARGET_COLUMNS = ("target", "character", "character_name", "name", "subject", "label", "entity")
TEXT_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "keywords": ("keywords", "keyword", "prompt", "words", "text"),
    "description": ("description", "prompt", "text", "caption"),
    "rewrite": ("rewrite", "rewritten", "rewritten_prompt", "prompt", "text"),
}

OTHER_SEPARATORS = (";", "|")

MAX_HINTS, NEAR = 100, 0.75
"""Misspelt names of a table that a name is sought for, and how alike it must be, of 1."""


class Columns(NamedTuple):
    """Which column names the character, and which holds the text."""

    target: str
    text: str


class Reading(Record):
    """How a text is read.

    `separator` stands between keywords; empty means one keyword for each row. `last_word` is no keyword if it comes
    last. `aliases` goes from what a file calls a character to a name or id of the set.
    """

    kind: Kind
    separator: str = ","
    last_word: str | None = None
    aliases: dict[str, str] = Field(default_factory=dict)


class TakenUp(NamedTuple):
    """Character id -> texts; `faults` says what was not taken up and what is odd, with its place.

    `places` says of each text where it stands.
    """

    texts: dict[str, tuple[str, ...]]
    faults: tuple[str, ...]
    n_rows: int
    n_taken: int
    places: dict[str, tuple[str, ...]]


def choose_columns(table: ForeignTable, kind: Kind, target: str | None = None, text: str | None = None) -> Columns:
    """Choose the columns: those that were named, else the first of the usual names.

    Raises:
        UnknownNameError: the table lacks a column that was named.
        UserError: no column has a usual name, and none was named.
    """
    chosen_target = _column(table, target, TARGET_COLUMNS, "--target", "")
    chosen_text = _column(table, text, TEXT_COLUMNS[kind], "--text", chosen_target)
    return Columns(chosen_target, chosen_text)


def _column(table: ForeignTable, named: str | None, usual: Sequence[str], option: str, taken: str) -> str:
    if named is not None:
        if named not in table.columns:
            raise UnknownNameError(f"column of {table.name}", named, table.columns)
        return named
    by_name = {column.lower().replace(" ", "_"): column for column in reversed(table.columns)}
    found = next((by_name[name] for name in usual if name in by_name and by_name[name] != taken), None)
    if found is None:
        listed = ", ".join(f"'{column}'" for column in table.columns) or "none"
        raise UserError(
            f"{table.name}: cannot tell which column is meant by {option}; its columns: {listed}\n"
            f"  type: {option} COLUMN"
        )
    return found


def take_up(table: ForeignTable, characters: CharacterSet, columns: Columns, reading: Reading) -> TakenUp:
    """Map the rows of a table to the characters of a set.

    Of keywords, the first row of a character counts; of descriptions and rewrites all, in the order of the file.

    Raises:
        UnknownNameError: an alias leads to no character of the set.
        DataError: no row names a character of the set.
    """
    known = _known(characters, reading.aliases)
    faults, n_taken = list(table.faults), 0
    texts: dict[str, tuple[str, ...]] = {}
    places: dict[str, tuple[str, ...]] = {}
    is_single = reading.kind == "keywords" and bool(reading.separator)
    for row in table.rows:
        character, words, said = _read_row(row, known, columns, reading, characters.id)
        faults += [f"{row.where}: {one}" for one in said]
        if character is None or not words:
            continue
        if is_single and character.id in texts:
            faults.append(f"{row.where}: {character.name} has a row already, {places[character.id][0]}: not taken up")
            continue
        if not is_single and (repeated := [word for word in words if word in texts.get(character.id, ())]):
            faults.append(f"{row.where}: {character.name} has '{_short(repeated[0])}' already: not taken up")
            continue
        n_taken += 1
        texts[character.id] = (*texts.get(character.id, ()), *words)
        places[character.id] = (*places.get(character.id, ()), *(row.where for _ in words))
    if lacking := [f"'{character.name}'" for character in characters.characters if character.id not in texts]:
        faults.append(f"{table.name}: no text for {', '.join(lacking)}")
    n_rows = len(table.rows) + table.n_unread
    if not texts:
        named = [fault for fault in faults if "is no character" in fault][:3]
        raise DataError(
            [f"{table.name}: none of its {n_rows} rows names a character of set '{characters.id}'", *named],
            f"  column '{columns.target}' was read; another: --target COLUMN; another set: --characters SET",
        )
    order = [character.id for character in characters.characters if character.id in texts]
    return TakenUp({i: texts[i] for i in order}, tuple(faults), n_rows, n_taken, places)


def text_faults(
    characters: CharacterSet, texts: Mapping[str, Sequence[str]], places: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Say what an "indirect" text must not hold: the name, a brand, one keyword twice.

    `texts` goes from character ids or ids of prompts; `places` from character ids to where each of the texts stands.
    """
    twice = "" if places is None else ": kept"
    kept = twice and f"{twice}; an anchor that names its character is no indirect one, take it out of the file"
    faults: list[str] = []
    by_id = {character.id: character for character in characters.characters}
    for key, words in texts.items():
        character = by_id[key.split("/")[1] if "/" in key else key]
        matcher = telling_phrases(character.name, character.aliases, (*character.brand_words, character.franchise))
        where = [key for _ in words] if places is None else [f"{place}: {key}" for place in places[character.id]]
        found = [(place, telling_word(word, matcher)) for place, word in zip(where, words, strict=True)]
        faults += [f"{place}: {said}{kept}" for place, said in found if said]
        folded = [fold(word) for word in words]
        faults += [f"{where[n]}: '{w}' is there twice{twice}" for n, w in enumerate(words) if folded[n] in folded[:n]]
    return faults


class _Known(dict[str, Character]):
    """Folded names -> characters. `hint` says which name a misspelt one may be, of the first MAX_HINTS of a table."""

    n_asked = 0

    def hint(self, name: str) -> str:
        self.n_asked += 1
        if self.n_asked > MAX_HINTS:
            return ""
        near = difflib.get_close_matches(fold(name), list(self), n=1, cutoff=NEAR)
        return f"; did you mean '{self[near[0]].name}'?" if near else ""


def _known(characters: CharacterSet, aliases: Mapping[str, str]) -> _Known:
    known = _Known((fold(name), c) for c in characters.characters for name in (c.id, *c.aliases, c.name))
    for called, meant in aliases.items():
        if fold(meant) not in known:
            names = [character.name for character in characters.characters]
            raise UnknownNameError(f"character of set '{characters.id}'", meant, names)
        known[fold(called)] = known[fold(meant)]
    return known


def _read_row(
    row: TableRow, known: _Known, columns: Columns, reading: Reading, set_id: str
) -> tuple[Character | None, tuple[str, ...], list[str]]:
    """Give the character, its texts, and all that is to be said of a row."""
    target, said = _cell(row.cells.get(columns.target), columns.target)
    if not target.strip():
        return None, (), [*said, f"column '{columns.target}' is empty: not taken up"]
    character = known.get(fold(target))
    if character is None:
        unknown = f"'{_short(target)}' is no character of set '{set_id}': not taken up{known.hint(target)}"
        return None, (), [*said, unknown]
    if target not in (character.name, character.id):
        said.append(f"'{target}' is taken as '{character.name}'")
    words, more = _words(row.cells.get(columns.text), columns.text, reading)
    said += more if words else [*more, f"'{character.name}' has no text in column '{columns.text}': not taken up"]
    return character, words, said


def _cell(value: Any, column: str) -> tuple[str, list[str]]:
    """Give a cell's text, and whether its letters were scrambled or lost."""
    text = "" if value is None else value if isinstance(value, str) else str(value)
    clear = unscrambled(text)
    said = [] if clear == text else [f"column '{column}' was scrambled by two encodings; read as '{_short(clear)}'"]
    plain = "".join(letter for letter in clear if letter.isspace() or unicodedata.category(letter) != "Cc")
    if plain != clear:
        said.append(f"column '{column}' holds control characters; read without them")
    if "\ufffd" in clear:
        said.append(f"column '{column}' has lost letters (\ufffd); read as it is")
    return plain, said


def _words(value: Any, column: str, reading: Reading) -> tuple[tuple[str, ...], list[str]]:
    cells = list(value) if isinstance(value, list | tuple) else [value]
    read = [_cell(cell, column) for cell in cells]
    said = [one for _, more in read for one in more]
    if reading.kind != "keywords":
        return tuple(" ".join(text.split()) for text, _ in read if text.strip()), said
    is_list = isinstance(value, list | tuple)
    if not is_list and reading.separator and reading.separator not in read[0][0]:
        said += [_other_separator(mark, column, reading) for mark in OTHER_SEPARATORS if mark in read[0][0]]
    return tuple(_keywords([text for text, _ in read], is_list, reading)), said


def _other_separator(mark: str, column: str, reading: Reading) -> str:
    return (
        f"column '{column}' holds '{mark}' and no '{reading.separator}': read as one keyword; "
        f"to part it: --separator '{mark}'"
    )


def _keywords(cells: Sequence[str], is_list: bool, reading: Reading) -> list[str]:
    splits = not is_list and bool(reading.separator)
    pieces = [piece for cell in cells for piece in (cell.split(reading.separator) if splits else [cell])]
    words = [" ".join(piece.strip(" \r\n\t\"'.").split()) for piece in pieces]
    words = [word for word in words if word]
    last = None if reading.last_word is None else reading.last_word.lower()
    return words[:-1] if words and words[-1].lower() == last else words


def _short(text: str, most: int = 60) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= most else f"{plain[:most]}..."
