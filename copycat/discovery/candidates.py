"""Where candidates come from: a user's file, a list that the set has, a corpus, a language model.

Each source gives, for each character id, texts in an order of its own; `filters.py` and a ranker come after.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.catalog import PromptSet
from copycat.corpus import Corpus, collect_phrases
from copycat.errors import BackendError, DataError, UnknownNameError, UserError
from copycat.llm import Failure
from copycat.llm.parsing import read_list
from copycat.names import fold
from copycat.paths import shown
from copycat.schema import CharacterSet

Pool = Mapping[str, tuple[str, ...]]
"""Character id -> candidates."""

FORMS = (".txt", ".csv", ".tsv", ".jsonl")
EVERYBODY = "*"
LLM_CANDIDATES = 50
"""So many keywords are asked for. Source: CopyCat (arXiv 2406.14526), appendix C.5."""


class Source(NamedTuple):
    """Candidates, what they are from, and the characters of whom it knew nothing, with the reason."""

    label: str
    pool: Pool
    silent: tuple[str, ...] = ()


def read_file(path: Path, characters: CharacterSet) -> Source:
    """Read a user's candidates.

    A .txt has a candidate on each line, for every character. A .csv or .tsv has the columns `character` (id or name,
    `*` for everybody) and `text`; a .jsonl has the same fields, or `texts`, a list.

    Raises:
        UserError: there is no such file, or it ends in something else.
        DataError: a row is wrong, or names somebody who is not in the set; all faults at once.
    """
    if not path.is_file() or path.suffix.lower() not in FORMS:
        raise UserError(f"{shown(path)}: no file of candidates\n  needed: a file that ends in {', '.join(FORMS)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError([f"{shown(path)}: is not UTF-8 ({error.reason} at byte {error.start})"]) from error
    faults: list[str] = []
    rows = _rows_of(text, path, faults)
    ids = {fold(key): who.id for who in characters.characters for key in (who.name, who.id)}
    pool: dict[str, list[str]] = {who.id: [] for who in characters.characters}
    for number, who, texts in rows:
        if who != EVERYBODY and fold(who) not in ids:
            faults.append(f"{shown(path)}:{number}: '{who}' is not a character of set '{characters.id}'")
            continue
        for one in pool if who == EVERYBODY else (ids[fold(who)],):
            pool[one] += [entry for entry in texts if entry.strip()]
    if faults:
        raise DataError(faults)
    if not any(pool.values()):
        raise DataError([f"{shown(path)}: holds no candidate"])
    return Source(f"file:{path.name}", {who: tuple(texts) for who, texts in pool.items()})


def from_list(prompt_set: PromptSet, name: str, *, descriptions: bool = False) -> Source:
    """Take the keywords or descriptions of a list that the set has.

    Raises:
        UnknownNameError: it has no such list.
    """
    if descriptions and name == "description":
        return Source("set:description", {who: (text,) for who, text in prompt_set.descriptions.items()})
    lists = prompt_set.described if descriptions else prompt_set.keywords
    if name not in lists:
        raise UnknownNameError("list", name, ["description", *lists] if descriptions else list(lists))
    return Source(f"set:{name}", lists[name])


def from_corpus(
    corpus: Corpus, characters: CharacterSet, *, limit: int, advance: Callable[[int], object] = lambda _: None
) -> Source:
    """Take the words and two-word phrases of the documents that name a character, the most frequent first."""
    found = collect_phrases(corpus, characters.characters, limit=limit, advance=advance)
    pool = {who.id: tuple(phrase.text for phrase in found[who.id]) for who in characters.characters}
    silent = tuple(f"{who}: no phrase in two documents that name it" for who, texts in pool.items() if not texts)
    return Source(f"corpus:{corpus.id}", pool, silent)


def from_answers(label: str, answers: Mapping[str, str | Failure], *, descriptions: bool = False) -> Source:
    """Read what a language model said of each character; one that gave no list is told, not dropped."""
    pool: dict[str, tuple[str, ...]] = {}
    silent: list[str] = []
    for who, answer in answers.items():
        try:
            if isinstance(answer, Failure):
                raise BackendError(answer.reason)
            pool[who] = (_described(answer),) if descriptions else tuple(read_list(answer, LLM_CANDIDATES))
        except BackendError as error:
            pool[who] = ()
            silent.append(f"{who}: {str(error).splitlines()[0]}")
    return Source(label, pool, tuple(silent))


def joined(sources: Sequence[Source], characters: CharacterSet) -> dict[str, tuple[str, ...]]:
    """Join the candidates of all sources, in the order of the sources."""
    return {
        who.id: tuple(dict.fromkeys(text for source in sources for text in source.pool.get(who.id, ())))
        for who in characters.characters
    }


def _described(answer: str) -> str:
    text = " ".join(answer.split()).strip("\"'\u201c\u201d ")
    if not text:
        raise BackendError("the language model answered with nothing")
    return text


def _rows_of(text: str, path: Path, faults: list[str]) -> list[tuple[int, str, list[str]]]:
    """Read (line, character, texts), adding what is wrong to `faults`."""
    form = path.suffix.lower()
    if form == ".txt":
        return [(n, EVERYBODY, [line]) for n, line in enumerate(text.splitlines(), 1)]
    if form == ".jsonl":
        return _json_rows(text, path, faults)
    reader = csv.DictReader(text.splitlines(), delimiter="\t" if form == ".tsv" else ",")
    if not {"character", "text"} <= set(reader.fieldnames or ()):
        there = ", ".join(reader.fieldnames or ()) or "none"
        faults.append(f"{shown(path)}: needs the columns 'character' and 'text'; it has: {there}")
        return []
    return [(n, row["character"] or "", [row["text"] or ""]) for n, row in enumerate(reader, 2)]


def _json_rows(text: str, path: Path, faults: list[str]) -> list[tuple[int, str, list[str]]]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            texts = row["texts"] if "texts" in row else [row["text"]]
            if not (isinstance(texts, list) and all(isinstance(entry, str) for entry in texts)):
                raise TypeError
            rows.append((number, str(row["character"]), texts))
        except (ValueError, KeyError, TypeError):
            faults.append(f"{shown(path)}:{number}: needs a JSON object with 'character' and 'text', or 'texts'")
    return rows
