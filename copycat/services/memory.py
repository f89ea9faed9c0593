"""Answers that cost something, kept: the same question is never paid for twice.

What is kept are the own words of a judge or a language model, so that a better reading of them costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from copycat.errors import DataError
from copycat.paths import shown

T = TypeVar("T")

TABLE = "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"


class AnswerMemory:
    """A table from key to JSON value in one SQLite file; many threads and processes may use it at once.

    Refusals and errors are not kept: they may pass.

    Args:
        path: of the file; made when the first answer is kept or asked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_asleep = False
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def get(self, key: str) -> object | None:
        """Give what was kept under a key, None if nothing was.

        Raises:
            DataError: the file is no database of ours.
        """
        with self._lock:
            if self._is_asleep:
                return None
            found = self._run("SELECT answer FROM answers WHERE key = ?", (key,))
        return json.loads(found[0][0]) if found else None

    def put(self, key: str, answer: object) -> None:
        """Keep an answer; the last one under a key counts."""
        with self._lock:
            if self._is_asleep:
                return
            self._run("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(answer, ensure_ascii=False)))

    def clear(self) -> None:
        """Forget all answers; verdicts in run folders and frozen lists stay."""
        if self.path.exists():
            with self._lock:
                self._run("DELETE FROM answers", ())

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Give and keep nothing for a while, so that every question is really asked."""
        self._is_asleep = True
        try:
            yield
        finally:
            self._is_asleep = False

    def _run(self, statement: str, values: tuple[str, ...]) -> list[tuple[str]]:
        try:
            if self._connection is None:
                self._connection = self._open()
            with self._connection:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise DataError(
                [f"{shown(self.path)}: cannot be used ({error})"],
                "  it holds answers that were paid for; move it away to ask for all of them again",
            ) from error

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # 30 s: as long as another process may hold it. WAL: readers do not wait for a writer.
        connection = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        # Every answer outlives a kill; one that a power failure takes is asked for again.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(TABLE)
        return connection


def answer_key(image_sha256: str, revision: str, question: str, sampling: str) -> str:
    """Name an answer by all that it depends on.

    Args:
        image_sha256: of the pixels as the judge gets them; another word where there is no picture.
        revision: of who answers: its weights or the service's model.
        question: the text as it was asked.
        sampling: settings of the answer, such as "greedy,64".
    """
    return hashlib.sha256("\x00".join((image_sha256, revision, question, sampling)).encode()).hexdigest()


def pixels_sha256(size: tuple[int, int], pixels: bytes) -> str:
    """Hash an RGB picture's size and pixels, whatever file they came from."""
    return hashlib.sha256(f"{size[0]}x{size[1]}\n".encode() + pixels).hexdigest()


def recall_or_ask(memory: AnswerMemory | None, key: str, kind: type[T], ask: Callable[[], T]) -> T:
    """Give the answer that is kept, if it is of this kind, else ask and keep it; what `ask` raises is not kept."""
    kept = None if memory is None else memory.get(key)
    if isinstance(kept, kind):
        return kept
    answer = ask()
    if memory is not None:
        memory.put(key, answer)
    return answer
