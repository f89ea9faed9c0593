"""The lists that CopyCat (arXiv 2406.14526) published: fetched on request, never shipped, their known faults told.

They have no licence, so this project holds no word of them: `copycat.data lists` fetches a file of the authors'
repository at one fixed commit into the user's own folder, with its address and sha256.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.catalog import write_list
from copycat.catalog.character_checks import telling_phrases, telling_word
from copycat.catalog.lists import Kind
from copycat.errors import BackendError, DataError, UserError
from copycat.names import fold
from copycat.registry import Registry
from copycat.schema import Character, CharacterSet, Record
from copycat.services.fetch import fetch_bytes
from copycat.services.retry import TransientError

COMMIT = "49df50942434c6eb326d6d8cc65c47447d67a95f"
ADDRESS = f"https://raw.githubusercontent.com/princeton-nlp/CopyCat/{COMMIT}/prompts"
MAX_BYTES, TIMEOUT_S = 1_000_000, 60.0
LAST_WORD = "cartoon"
"""Co-occurrence lists of k keywords end with this word beside the k."""


class PublishedList(Record):
    """One list: `files` from anchor (empty for keywords) to a CSV below the address; `column` holds the texts."""

    name: str
    kind: Kind
    files: dict[str, str]
    column: str = "prompt"
    ends_in_cartoon: bool = False
    summary: str


def _by_cooccurrence(name: str, tag: str, corpus: str) -> PublishedList:
    path = f"keywords_co-occurrence/50keywords_{tag}_top20.csv"
    return PublishedList(
        name=name,
        kind="keywords",
        files={"": path},
        ends_in_cartoon=True,
        summary=f"20 keywords ranked by co-occurrence in {corpus}",
    )


def _by_language_model(name: str, k: int) -> PublishedList:
    path = f"keywords_lm/n={k}_related_greedy.csv"
    summary = f"the {k} keywords that GPT-4 gave when asked for {k}"
    return PublishedList(name=name, kind="keywords", files={"": path}, column="keyword", summary=summary)


PUBLISHED: Registry[PublishedList] = Registry(
    "published list",
    (
        _by_cooccurrence("laion", "laion2b", "LAION-2B captions"),
        _by_cooccurrence("c4", "c4", "C4"),
        _by_cooccurrence("pile", "pile", "The Pile"),
        _by_cooccurrence("openwebtext", "openwebtext", "OpenWebText"),
        _by_cooccurrence("oscar", "re_oscar", "OSCAR"),
        PublishedList(
            name="embedding",
            kind="keywords",
            files={"": "keywords_embedding/n=20.csv"},
            summary="20 keywords ranked by the similarity of their embeddings to the name's",
        ),
        _by_language_model("lm", 5),
        _by_language_model("lm-three", 3),
        _by_language_model("lm-ten", 10),
        _by_language_model("lm-twenty", 20),
        PublishedList(
            name="descriptions",
            kind="description",
            files={"": "targets_60words.csv"},
            summary="a description of about 60 words by GPT-4",
        ),
        PublishedList(
            name="rewrites",
            kind="rewrite",
            files={"name": "targets_dalle_prompt.csv", "description": "targets_60words_dallerewrite.csv"},
            summary="rewrites of the names and the descriptions by GPT-4, one each",
        ),
    ),
    hint="see all: python -m copycat.data lists",
)


class Fetched(NamedTuple):
    """A list that was written, and what is wrong with it."""

    path: Path
    n_characters: int
    faults: tuple[str, ...]


def fetch_list(name: str, characters: CharacterSet, folder: Path, date: str, address: str = ADDRESS) -> Fetched:
    """Fetch a published list and freeze it below `folder`/<set id>.

    Raises:
        UnknownNameError: there is no such list.
        BackendError: it cannot be fetched.
        DataError: what came is not the table that was published.
    """
    row = PUBLISHED.get(name)
    texts: dict[str, tuple[str, ...]] = {}
    provenance = {"source": "CopyCat, arXiv 2406.14526", "commit": COMMIT, "fetched": date, "what": row.summary}
    faults: list[str] = []
    for anchor, file in row.files.items():
        content = _fetch(f"{address}/{file}", address)
        provenance |= {f"address{':' * bool(anchor)}{anchor}": f"{address}/{file}"}
        provenance |= {f"sha256{':' * bool(anchor)}{anchor}": hashlib.sha256(content).hexdigest()}
        of_file = dict(_read_rows(content, row, file, characters, faults))
        faults += [f"{file}: no row for '{c.name}'" for c in characters.characters if c.id not in of_file]
        texts |= {_key(characters.id, character, anchor): words for character, words in of_file.items()}
    faults += _faults_of(row, characters, texts)
    if not texts:
        raise DataError([f"{row.name}: names no character of set '{characters.id}'"], "  use --characters copycat50")
    path = write_list(folder, characters, row.kind, row.name, texts, provenance=provenance, faults=tuple(faults))
    return Fetched(path, len(texts), tuple(faults))


def _fetch(url: str, address: str) -> bytes:
    try:
        return fetch_bytes(url, address, (), MAX_BYTES, TIMEOUT_S)
    except (BackendError, TransientError) as error:
        why = type(error.__cause__ or error).__name__
        raise UserError(f"{url} cannot be fetched ({why})\n  this needs the internet, once") from error


def _key(set_id: str, character: str, anchor: str) -> str:
    return f"{set_id}/{character}/{anchor}" if anchor else character


def _read_rows(
    content: bytes, row: PublishedList, file: str, characters: CharacterSet, faults: list[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give character id and texts of each line whose target is in the set; others go into `faults`."""
    known = {fold(name): c.id for c in characters.characters for name in (*c.aliases, c.name)}
    table = csv.DictReader(io.StringIO(content.decode("utf-8", errors="replace"), newline=""))
    if not {"target", row.column} <= set(table.fieldnames or ()):
        raise DataError([f"{file}: has no columns 'target' and '{row.column}', but {table.fieldnames}"])
    for line in table:
        character = known.get(fold(line["target"] or ""))
        if character is None:
            faults.append(f"{file}: '{line['target']}' is no character of set '{characters.id}'")
        elif words := _words(line[row.column] or "", row):
            yield character, words


def _words(text: str, row: PublishedList) -> tuple[str, ...]:
    if row.kind != "keywords":
        return (" ".join(text.split()),) if text.strip() else ()
    words = [word.strip(" \n\"'.") for word in text.split(",")]
    words = [word for word in words if word]
    return tuple(words[:-1] if row.ends_in_cartoon and words and words[-1].lower() == LAST_WORD else words)


def _faults_of(row: PublishedList, characters: CharacterSet, texts: Mapping[str, Sequence[str]]) -> list[str]:
    """Say what an "indirect" text must not hold: the name, a brand, one keyword twice."""
    faults: list[str] = []
    for key, words in texts.items():
        character = _character_of(key, characters)
        matcher = telling_phrases(character.name, character.aliases, (*character.brand_words, character.franchise))
        faults += [f"{key}: {said}" for word in words if (said := telling_word(word, matcher))]
        folded = [fold(word) for word in words]
        faults += [f"{key}: '{w}' is there twice" for n, w in enumerate(words) if folded[n] in folded[:n]]
    return faults


def _character_of(key: str, characters: CharacterSet) -> Character:
    character_id = key.split("/")[1] if "/" in key else key
    return next(c for c in characters.characters if c.id == character_id)
