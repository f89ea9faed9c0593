"""A file of ready answers instead of a model: JSON lines, each with what was asked and the text that came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from copycat.errors import DataError, UserError, first_faults
from copycat.fairuse.extract.backends import Reply
from copycat.fairuse.extract.backends.words import reply_of
from copycat.fairuse.extract.records import Ask, Evasion, PromptKind
from copycat.paths import file_sha256, shown

MAX_LINE_BYTES = 8 * 2**20


class AnswerRow(BaseModel):
    """A line of the file; fields beside these are left alone. `key`, or the axes, say what was asked."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str | None = None
    work: str | None = None
    prompt: PromptKind = "title"
    prefix: int = 0
    decoding: str = "greedy"
    draw: int = 0
    evasion: Evasion = "none"
    place: int = 0
    text: str
    status: Literal["answered", "refused", "empty", "failed"] | None = None

    @property
    def axes(self) -> tuple[object, ...]:
        """Give what names the ask where there is no key."""
        return (self.work, self.prompt, self.prefix, self.decoding, self.draw, self.evasion, self.place)


def axes_of(ask: Ask) -> tuple[object, ...]:
    """Give what names an ask, as a row does."""
    return (ask.work, ask.prompt, ask.prefix, ask.decoding, ask.draw, ask.evasion, ask.place)


class Found(NamedTuple):
    """Replies by key of ask, and how many rows belong to no ask."""

    replies: dict[str, Reply]
    unknown_rows: int


class AnswersFile:
    """Reads and checks the whole file.

    Raises:
        DataError: lines that are no answers, all listed.
        UserError: there is no such file, or it is empty.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UserError(f"answers: there is no file {shown(path)}\n  needed: JSON lines with work and text")
        self.path = path
        self.rows = tuple(_read(path))
        self.sha256 = file_sha256(path)
        if not self.rows:
            raise UserError(f'{shown(path)} holds no answer\n  needed: lines such as {{"work": "ID", "text": "..."}}')

    def identify(self) -> str:
        """Name the file by its hash."""
        return f"answers:{self.path.name}@{self.sha256[:40]}"

    def replies(self, asks: tuple[Ask, ...]) -> Found:
        """Find the reply to each ask: by its key, else by its axes; the first row counts."""
        by_key = {ask.key: ask for ask in asks}
        by_axes = {axes_of(ask): ask for ask in asks}
        replies: dict[str, Reply] = {}
        unknown = 0
        for row in self.rows:
            ask = by_key.get(row.key) if row.key is not None else None
            ask = ask or by_axes.get(row.axes)
            if ask is None or ask.key in replies:
                unknown += 1
                continue
            replies[ask.key] = _reply(row)
        return Found(replies, unknown)


def _reply(row: AnswerRow) -> Reply:
    told = reply_of(row.text, "unknown")
    return told if row.status is None else Reply(row.text, row.status, "unknown")


def _read(path: Path) -> Iterator[AnswerRow]:
    faults: list[str] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            if len(line) > MAX_LINE_BYTES:
                faults.append(f"{shown(path)}:{number}: longer than {MAX_LINE_BYTES // 2**20} MB, which is no answer")
                continue
            try:
                yield AnswerRow.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                field = ".".join(map(str, first["loc"]))
                faults.append(f"{shown(path)}:{number}: {f'{field}: ' if field else ''}{first['msg']}")
    if faults:
        raise DataError(first_faults(faults), '  needed: one JSON object a line, such as {"work": "ID", "text": "..."}')
