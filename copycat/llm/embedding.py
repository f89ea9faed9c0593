"""Text embeddings: a vector for each text, by a model behind an address or on this machine.

    build_embedder("openai:MODEL" | "org/repo" | "./folder", memory, device) -> Embedder

A vector that was given once is kept (`services.memory`): the same text is not sent to the same model again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from copycat.errors import BackendError, UserError
from copycat.paths import shown
from copycat.services.memory import AnswerMemory, answer_key

VECTORS = "embeddings.sqlite"
"""Beside the run folders: the vectors of texts."""

AT_ONCE = 32
"""Texts in one request; some servers take no more."""

SHOWN_LETTERS = 60

Vector = tuple[float, ...]


class VectorSource(Protocol):
    """A model that embeds texts; what it gives is checked by `Embedder`."""

    def identify(self) -> str:
        """Name the model as exactly as can be: 'openai:MODEL@HOST', 'hub:ORG/REPO@COMMIT', 'folder:NAME@HASH'."""

    def vectors(self, texts: Sequence[str]) -> Sequence[Any]:
        """Give what should be a vector, as a list of numbers, for each of at most `AT_ONCE` texts, in their order.

        Raises:
            BackendError: there is no answer.
            UserError: no text can be embedded.
        """

    def release(self) -> None:
        """Let go of the weights; the next text loads them again."""


class Embedder:
    """Gives a vector for each text, and the same one to the same text; safe to share between threads.

    Args:
        source: who embeds.
        memory: where vectors are kept; None to keep them for this process only.
    """

    def __init__(self, source: VectorSource, memory: AnswerMemory | None = None) -> None:
        self.source, self._memory = source, memory
        self._known: dict[str, Vector] = {}
        self._length: int | None = None
        self._lock = threading.Lock()

    def identify(self) -> str:
        """Name the model as exactly as can be."""
        return self.source.identify()

    def release(self) -> None:
        """Let go of the weights."""
        self.source.release()

    def embed(self, texts: Sequence[str], advance: Callable[[int], None] = lambda _: None) -> list[Vector]:
        """Embed texts, each once, in requests of many.

        Returns: the vectors, in the order of the texts: all of one length, finite, and none zero.

        Raises:
            UserError: a text has no vector that could be used; those that came before it are kept.
        """
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if not self._recall(text)]
            advance(len(texts) - len(new))
            for start in range(0, len(new), AT_ONCE):
                some = new[start : start + AT_ONCE]
                for text, found in zip(some, self._asked(some), strict=True):
                    self._keep(text, self._checked(text, found))
                advance(len(some))
            return [self._known[text] for text in texts]

    def _recall(self, text: str) -> bool:
        """Whether a vector is known, here or in the memory."""
        if text not in self._known and self._memory is not None:
            kept = self._memory.get(self._key(text))
            if kept is not None:
                self._known[text] = self._checked(text, kept)
        return text in self._known

    def _keep(self, text: str, vector: Vector) -> None:
        self._known[text] = vector
        if self._memory is not None:
            self._memory.put(self._key(text), vector)

    def _key(self, text: str) -> str:
        return answer_key("text", self.identify(), text, "embedding")

    def _asked(self, texts: Sequence[str]) -> Sequence[Any]:
        try:
            found = self.source.vectors(texts)
        except BackendError as error:
            self._stop(str(error))
        if len(found) != len(texts):
            self._stop(f"{len(found)} vectors came for {len(texts)} texts")
        return found

    def _checked(self, text: str, found: object) -> Vector:
        """Give the vector; refuse what no cosine can be made of."""
        of = f"the vector of '{text[:SHOWN_LETTERS]}'"
        if not isinstance(found, list) or not found or not all(_is_number(value) for value in found):
            self._stop(f"{of} is no list of numbers")
        vector = tuple(map(float, found))
        if not all(map(math.isfinite, vector)):
            self._stop(f"{of} holds values that are infinite or not numbers (NaN)")
        if not any(vector):
            self._stop(f"{of} is zero everywhere")
        if self._length not in (None, len(vector)):
            kept = "" if self._memory is None else f"; those kept in {shown(self._memory.path)} count, too"
            self._stop(f"{of} has {len(vector)} numbers, those of other texts have {self._length}{kept}")
        self._length = len(vector)
        return vector

    def _stop(self, why: str) -> NoReturn:
        raise UserError(
            f"embedder {self.identify()}: {why}\n"
            "  needed: a model of text embeddings, which gives as many finite numbers for each text\n"
            "  vectors that came are kept; the same command asks for the others again"
        )


def build_embedder(name: str, memory: AnswerMemory | None, device: str = "cpu") -> Embedder:
    """Build the embedder of a name; asks nobody and loads nothing.

    Args:
        name: 'openai:MODEL' for a service (OPENAI_BASE_URL says which), 'org/repo' of the Hugging Face Hub, or a
            folder of transformers.
        memory: where vectors are kept; None to keep none.
        device: for a model that runs here.

    Raises:
        UserError: the name has none of these forms.
    """
    kind, _, model = name.partition(":")
    if kind == "openai" and model:
        from copycat.llm.openai_embeddings import OpenAIEmbeddings

        return Embedder(OpenAIEmbeddings(model), memory)
    from copycat.llm.local_encoder import LocalTextEncoder

    if name.startswith((".", "/", "~")) or (name and Path(name).is_dir()):
        return Embedder(LocalTextEncoder(Path(name).expanduser(), device), memory)
    if name.count("/") == 1 and ":" not in name and all(name.split("/")):
        return Embedder(LocalTextEncoder(name, device), memory)
    raise UserError(
        f"'{name}' names no model that embeds texts\n"
        "  needed: openai:MODEL, org/repo of the Hugging Face Hub, or ./FOLDER of a transformers encoder"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
