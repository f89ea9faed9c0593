"""From what a user names to works with their texts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from copycat.errors import DataError, UnknownNameError, UserError, first_faults
from copycat.fairuse.records import Work
from copycat.fairuse.text import read_text
from copycat.fairuse.works.withheld import WORK_FILE, WithheldGrams
from copycat.paths import package_folder, shown

LIST_FILE = "works.yaml"
TEXT_SUFFIXES = (".txt", ".md")


@dataclass(frozen=True)
class LoadedWork:
    """A work with its text, or with its hashes where it is withheld; exactly one of the two is there."""

    work: Work
    text: str | None = None
    withheld: WithheldGrams | None = None

    @property
    def readable(self) -> str:
        """Give the text.

        Raises:
            UserError: the work is withheld.
        """
        if self.text is None:
            raise UserError(
                f"'{self.work.title}' is withheld: its text is not stored\n  name the file of the text itself"
            )
        return self.text


def _public_domain() -> list[LoadedWork]:
    return _of_list(package_folder("fairuse/works/public_domain") / LIST_FILE)


def _sandbox() -> list[LoadedWork]:
    from copycat.fairuse.world import planted_works  # which is made of works of this module

    return planted_works()


SHIPPED: dict[str, Callable[[], list[LoadedWork]]] = {"public-domain": _public_domain, "sandbox": _sandbox}
"""Name -> the works that come with the project."""


def load_works(sources: Sequence[str]) -> list[LoadedWork]:
    """Load every work that is named, in order.

    Args:
        sources: each the name of shipped works, a text file, a folder of text files (with or without works.yaml), a
            works.yaml, or the folder of a withheld work.

    Raises:
        UnknownNameError: it is none of these.
        DataError: a list or a withheld work is wrong.
        UserError: a text cannot be read, holds no word, or two works have one id.
    """
    loaded = [work for source in sources for work in _load(source)]
    ids = [work.work.id for work in loaded]
    if doubled := sorted({name for name in ids if ids.count(name) > 1}):
        raise UserError(f"two works have the id '{doubled[0]}'\n  rename a file, or give them ids in a {LIST_FILE}")
    return loaded


def work_of_text(path: Path, text: str, title: str | None = None) -> Work:
    """Make the record of a text that nothing is known of but its file."""
    slug = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "work"
    return Work(id=slug, title=title or path.stem, source=path.name, sha256=sha256_of(text), file=path.name)


def sha256_of(text: str) -> str:
    """Hash a text's bytes in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _load(source: str) -> Iterator[LoadedWork]:
    path = Path(source)
    if source in SHIPPED and not path.is_file():
        yield from SHIPPED[source]()
    elif (path / WORK_FILE).is_file():
        grams = WithheldGrams.load(path)
        yield LoadedWork(grams.file.work, withheld=grams)
    elif (path / LIST_FILE).is_file():
        yield from _of_list(path / LIST_FILE)
    elif path.suffix in {".yaml", ".yml"} and path.is_file():
        yield from _of_list(path)
    elif path.is_dir():
        yield from _of_folder(path)
    elif path.is_file():
        yield _of_file(path)
    else:
        raise UnknownNameError("works", source, SHIPPED, "  or name a text file, or a folder of text files")


def _of_folder(folder: Path) -> Iterator[LoadedWork]:
    files = sorted(path for path in folder.iterdir() if path.suffix in TEXT_SUFFIXES and path.is_file())
    if not files:
        raise UserError(f"{shown(folder)} holds no text file ({', '.join(TEXT_SUFFIXES)}) and no {LIST_FILE}")
    for path in files:
        yield _of_file(path)


def _of_file(path: Path) -> LoadedWork:
    text = _read_words(path)
    return LoadedWork(work_of_text(path, text), text)


def _of_list(path: Path) -> list[LoadedWork]:
    """Read a list of works and their files; all faults at once."""
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))["works"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())[:200]
        raise DataError([f"{shown(path)}: holds no list 'works' ({why})"]) from error
    loaded: list[LoadedWork] = []
    faults: list[str] = []
    for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
        try:
            loaded.append(_of_row(path.parent, row))
        except ValidationError as error:
            first = error.errors()[0]
            faults.append(f"{shown(path)}: work {number}: {'.'.join(map(str, first['loc']))}: {first['msg']}")
        except (UserError, TypeError) as error:
            faults.append(f"{shown(path)}: work {number}: {error}")
    if faults:
        raise DataError(first_faults(faults))
    return loaded


def _of_row(folder: Path, row: object) -> LoadedWork:
    if not isinstance(row, dict) or not isinstance(row.get("file"), str):
        raise UserError("no 'file': name the text file of the work, beside the list")
    text = _read_words(folder / row["file"])
    work = Work.model_validate({"sha256": sha256_of(text)} | row)
    if work.sha256 != sha256_of(text):
        raise UserError(f"sha256: {row['file']} is not the text that the list was made for")
    return LoadedWork(work, text)


def _read_words(path: Path) -> str:
    from copycat.fairuse.text import words_of

    text = read_text(path)
    if not len(words_of(text[:100_000])):
        raise UserError(f"{shown(path)} holds no word\n  name a text with words in it")
    return text
