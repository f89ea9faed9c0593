"""The lists that CopyCat (arXiv 2406.14526) published: fetched on request, never shipped, their known faults told.

They have no licence, so this project holds no word of them: `copycat.data lists` fetches a file of the authors'
repository at one fixed commit into the user's own folder, with its address and sha256.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from copycat.catalog import write_list
from copycat.catalog.foreign_tables import parse_foreign_table
from copycat.catalog.lists import Kind
from copycat.catalog.taking_up import Columns, Reading, TakenUp, take_up, text_faults
from copycat.errors import BackendError, DataError, UserError
from copycat.registry import Registry
from copycat.schema import CharacterSet, Record
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
        DataError: what came is not the table that was published, or names no character of the set.
    """
    row = PUBLISHED.get(name)
    texts: dict[str, tuple[str, ...]] = {}
    provenance = {"source": "CopyCat, arXiv 2406.14526", "commit": COMMIT, "fetched": date, "what": row.summary}
    faults: list[str] = []
    for anchor, file in row.files.items():
        content = _fetch(f"{address}/{file}", address)
        provenance |= {f"address{':' * bool(anchor)}{anchor}": f"{address}/{file}"}
        provenance |= {f"sha256{':' * bool(anchor)}{anchor}": hashlib.sha256(content).hexdigest()}
        taken = _take_up(content, row, file, characters)
        faults += taken.faults
        texts |= {_key(characters.id, character, anchor): words for character, words in taken.texts.items()}
    faults += text_faults(characters, texts)
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


def _take_up(content: bytes, row: PublishedList, file: str, characters: CharacterSet) -> TakenUp:
    table = parse_foreign_table(file, content, ".csv")
    if not {"target", row.column} <= set(table.columns):
        raise DataError([f"{file}: has no columns 'target' and '{row.column}', but {list(table.columns)}"])
    reading = Reading(kind=row.kind, last_word=LAST_WORD if row.ends_in_cartoon else None)
    return take_up(table, characters, Columns("target", row.column), reading)
