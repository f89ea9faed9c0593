"""From what a user names to the texts that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from copycat.errors import UnknownNameError, UserError
from copycat.fairuse.text import read_text
from copycat.fairuse.text.reading import STANDARD_INPUT
from copycat.fairuse.works import SHIPPED, LoadedWork, load_works
from copycat.fairuse.works.loading import work_of_text
from copycat.fairuse.works.withheld import WORK_FILE

MOST_LETTERS = 20_000_000
"""Letters of both texts together, up to which they are compared: some three minutes, two gigabytes."""


@dataclass(frozen=True)
class Output:
    """A text that a model may have written; `name` is the file's."""

    name: str
    text: str


def read_outputs(sources: Sequence[str]) -> list[Output]:
    """Read outputs: text files, '-' for standard input, or a shipped work such as 'public-domain:sonnet-18'.

    Raises:
        UserError: one cannot be read, or standard input is named twice.
    """
    if sources.count("-") > 1:
        raise UserError("'-' stands for standard input, which can be read once\n  name files for the other texts")
    return [_read_output(source) for source in sources]


def read_work(source: str) -> LoadedWork:
    """Read the work: a text file, the folder of a withheld work, a shipped work by name and id, or '-'.

    Raises:
        UserError: it cannot be read, or names several works.
        UnknownNameError: it names nothing.
        DataError: a list or a withheld work is damaged.
    """
    if source == str(STANDARD_INPUT):
        text = read_text(STANDARD_INPUT)
        work = work_of_text(Path("standard-input"), text, "standard input")
        return LoadedWork(work.model_copy(update={"file": None}), text)
    if (shipped := _shipped(source)) is not None:
        return shipped
    path = Path(source)
    if path.is_file() and path.suffix not in {".yaml", ".yml"}:
        text = read_text(path)  # unlike a list of works, a comparison may be with a text that has no word
        return LoadedWork(work_of_text(path, text), text)
    found = load_works([source])
    if len(found) > 1:
        first = f"{source}:{found[0].work.id}" if source in SHIPPED else found[0].work.file or found[0].work.id
        raise UserError(
            f"'{source}' holds {len(found)} works, and a comparison is with one\n  name one, such as {first}"
        )
    return found[0]


def require_comparable(output: Output, reference: str) -> None:
    """Refuse texts that are too long to be compared.

    Raises:
        UserError: they have more than MOST_LETTERS letters together.
    """
    letters = len(output.text) + len(reference)
    if letters > MOST_LETTERS:
        raise UserError(
            f"{output.name} and the work have {letters:,} letters together, and {MOST_LETTERS:,} can be compared\n"
            "  compare part of them, such as a chapter, or look the output up: attribute, filter check"
        )


def _read_output(source: str) -> Output:
    if (shipped := _shipped(source)) is not None:
        return Output(shipped.work.title, shipped.readable)
    path = Path(source)
    if (path / WORK_FILE).is_file():
        raise UserError(
            f"{source} is a withheld work, and has no text to compare\n  name it last: compare OUTPUT {source}"
        )
    return Output("standard input" if path == STANDARD_INPUT else path.name, read_text(path))


def _shipped(source: str) -> LoadedWork | None:
    """Find a shipped work by 'NAME:ID'; None for what is named in another way."""
    name, colon, wanted = source.partition(":")
    if not colon or name not in SHIPPED or Path(source).exists():
        return None
    works = {loaded.work.id: loaded for loaded in SHIPPED[name]()}
    if wanted not in works:
        raise UnknownNameError(f"work of {name}", wanted, works)
    return works[wanted]
