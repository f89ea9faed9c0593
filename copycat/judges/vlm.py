"""A vision-language model on this machine, asked in words about each picture (`dialogue`), many pictures at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from PIL.Image import Image, Resampling

from copycat.errors import BackendError, DataError, UserError
from copycat.judges import JudgeRow, Verdict
from copycat.judges.answers import yes_probability
from copycat.judges.questions import CONS, QUESTIONS, Question, questions_sha256
from copycat.judges.rounds import Reply, interview_all
from copycat.judges.vlm_check import require_class, require_room
from copycat.judges.vlm_model import SpeakingModel
from copycat.models.fingerprint import fingerprint
from copycat.models.hub import CONFIG, JUDGE, Source
from copycat.paths import shown
from copycat.schema import CharacterSet
from copycat.services.memory import AnswerMemory, answer_key, pixels_sha256

MAX_SIDE_PX = 1024
"""Larger pictures are made smaller before they are looked at: their tokens grow with their pixels."""

SETTINGS = f"greedy, left padding, longest side {MAX_SIDE_PX} px"
NEXT_TOKEN = "next-token"  # noqa: S105  # how CONS is read
R = TypeVar("R")


class VlmJudge:
    """Whom it names when nobody is named to it decides; CONS is P(Yes) after VQAScore (arXiv:2404.01291).

    Its answers are the likeliest words, token by token, so that the same picture gets the same answer. It gets
    pixels and questions, and neither file names nor prompts.

    Raises:
        UserError: the row names neither a folder nor a repository.
    """

    def __init__(self, row: JudgeRow, device: str) -> None:
        self.row, self.device = row, device
        self.dtype = "float32" if device == "cpu" else "bfloat16"
        self.source = source_of(row)
        self.model = SpeakingModel(self.source, device, self.dtype)
        self.throttle = None
        self._memory: AnswerMemory | None = None

    def revision(self) -> str:
        """Hash the weights' commit or content, the questions, the dtype and how answers are made."""
        parts = (self._identity, questions_sha256(QUESTIONS), self.dtype, SETTINGS)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]

    def facts(self) -> dict[str, str]:
        """Give the commit of the weights and what else an answer depends on."""
        from transformers import __version__

        return {
            "commit" if self.source.folder is None else "fingerprint": self._identity,
            "dtype": self.dtype,
            "questions": ", ".join(question.id for question in QUESTIONS),
            "answers": SETTINGS,
            "transformers": __version__,
        }

    def check(self, characters: CharacterSet) -> None:
        """Refuse, before anything is drawn, a model that is no judge or does not fit; loads no weights."""
        del characters
        require_class(self.source)
        require_room(self.source, self.device, self.dtype)
        self.model.require_place_for_picture()

    def remember_in(self, memory: AnswerMemory) -> None:
        """Keep its words and its probabilities there."""
        self._memory = memory

    def release(self) -> None:
        """Drop the weights, so that others have the device; the next picture loads them again."""
        self.model.release()

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge a batch; see the protocol."""
        seen = [capped(picture) for picture in pictures]
        person = {character.id: character for character in characters.asked}
        targets = [person[name] for name in asked_for]

        def ask(question: Question, texts: Sequence[tuple[int, str]]) -> Sequence[Reply]:
            return self._answers(question, [(seen[place], text) for place, text in texts])

        verdicts = interview_all(ask, targets, characters)
        answered = [place for place, verdict in enumerate(verdicts) if verdict.is_answered]
        ratings = self._ratings([(seen[i], targets[i].key_characteristic) for i in answered])
        for place, rating in zip(answered, ratings, strict=True):
            verdicts[place] = verdicts[place]._replace(consistency=rating)
        return verdicts

    def rate(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        """Give CONS alone, in [0, 1]; None where the model would say neither yes nor no."""
        thing = {character.id: character.key_characteristic for character in characters.asked}
        return self._ratings(
            [(capped(picture), thing[name]) for picture, name in zip(pictures, asked_for, strict=True)]
        )

    # --------------------------------------------------------------------------- private

    @cached_property
    def _identity(self) -> str:
        return self.source.commit or fingerprint(Path(self.source.location))

    def _answers(self, question: Question, rows: Sequence[tuple[Image, str]]) -> list[Reply]:
        sampling = f"greedy,{question.max_tokens}"
        return self._remembered(rows, sampling, lambda missing: self.model.answer(missing, question.max_tokens))

    def _ratings(self, rows: Sequence[tuple[Image, str]]) -> list[float | None]:
        asked = [(picture, CONS.ask(thing=thing)) for picture, thing in rows]
        pairs = self._remembered(asked, NEXT_TOKEN, self.model.yes_and_no)
        return [None if isinstance(pair, BackendError) else _rounded(yes_probability(*pair)) for pair in pairs]

    def _remembered(
        self,
        rows: Sequence[tuple[Image, str]],
        sampling: str,
        ask: Callable[[Sequence[tuple[Image, str]]], Sequence[R]],
    ) -> list[R]:
        """Give what was said before, and ask for the rest at once."""
        memory = self._memory
        if memory is None:
            return [*ask(rows)] if rows else []
        keys = [self._key(picture, text, sampling) for picture, text in rows]
        said: list[Any] = [memory.get(key) for key in keys]
        missing = [place for place, answer in enumerate(said) if answer is None]
        for place, answer in zip(missing, ask([rows[i] for i in missing]) if missing else (), strict=True):
            said[place] = answer
            if not isinstance(answer, Exception):
                memory.put(keys[place], answer)
        return said

    def _key(self, picture: Image, text: str, sampling: str) -> str:
        return answer_key(pixels_sha256(picture.size, picture.tobytes()), self.revision(), text, sampling)


def source_of(row: JudgeRow) -> Source:
    """Find the files of a row: a folder, or a repository of the Hub at its revision.

    Raises:
        DataError: no model in that folder.
        UserError: no repository's name; a folder with a revision.
    """
    folder = Path(row.source).expanduser()
    if row.source.startswith((".", "/", "~")) or "\\" in row.source or (folder / CONFIG).is_file():
        if not (folder / CONFIG).is_file():
            raise DataError([f"{shown(folder)}: no model of transformers there"], f"  needed: a folder with a {CONFIG}")
        if row.revision is not None:
            raise UserError(
                f"judge '{row.name}' is a folder and has no revision\n"
                f"  leave out @{row.revision}; a folder is identified by the hash of its files"
            )
        return Source(str(folder.resolve()), row.name, use=JUDGE)
    if row.source.count("/") != 1:
        raise UserError(
            f"judge '{row.name}': '{row.source}' is no repository of the Hub\n"
            "  needed: vlm:ORG/NAME, such as vlm:Qwen/Qwen3-VL-8B-Instruct, or vlm:./FOLDER"
        )
    return Source(row.source, row.name, row.revision, JUDGE)


def capped(picture: Image) -> Image:
    """Give an RGB picture whose longest side is at most 1024 pixels; smaller ones stay as they are."""
    picture = picture.convert("RGB")
    scale = MAX_SIDE_PX / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Resampling.LANCZOS)


def _rounded(probability: float | None) -> float | None:
    """Six digits: beyond them, machines differ."""
    return None if probability is None else round(probability, 6)
