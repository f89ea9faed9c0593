"""The judge behind any OpenAI-compatible address: a provider's model, or a vLLM server of your own."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PIL.Image import Image, Resampling, frombytes

from copycat.errors import BackendError
from copycat.judges import JudgeRow, JudgeUsage, Verdict
from copycat.judges.answers import from_top_logprobs
from copycat.judges.dialogue import CutOffError, interview
from copycat.judges.questions import CONS, Question, questions_sha256
from copycat.schema import Character, CharacterSet
from copycat.services import RefusedError
from copycat.services.chat import Chat, CutOffAnswerError
from copycat.services.chat_forms import Wanted
from copycat.services.memory import AnswerMemory, answer_key, pixels_sha256
from copycat.services.openai_client import Service

MAX_SIDE_PX = 1024
"""Larger pictures are made smaller: services do so too, each in its own way, and charge by the pixel."""

SETTINGS = f"temperature 0; picture before question; at most {MAX_SIDE_PX} px, Lanczos; strict JSON where taken"


CUT_OFF = "cut off"
"""What marks, in the memory, words that ended where the tokens did."""


class Shown(NamedTuple):
    """A picture as the service gets it: a data URI, and the hash of its pixels."""

    uri: str
    sha256: str


class OpenAIJudge:
    """Asks a vision-language model; many threads may ask at once.

    It is asked whom a picture shows, then by name whether it shows the target, and then whether it shows the key
    characteristic: CONS is the probability of "Yes" as the service tells it (`judges.answers.yes_probability`).
    A service that tells no log-probabilities gives no CONS: its word "yes" is no probability.

    The service gets the pixels and the question, and no file name, prompt or model name with them.
    """

    def __init__(self, row: JudgeRow, device: str) -> None:
        del device
        # In ids of models '@' stands for nothing of ours.
        self.model = row.source if row.revision is None else f"{row.source}@{row.revision}"
        self.chat = Chat(Service.find(row.base_url, row.key_variable), self.model)
        self.throttle = self.chat.throttle
        self._memory: AnswerMemory | None = None

    def revision(self) -> str:
        """Hash host, model id, questions and settings; asks nobody. A service states nothing to rely on."""
        parts = (self.chat.service.host, self.model, questions_sha256(), SETTINGS)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]

    def facts(self) -> dict[str, str]:
        """Give what judges and, once the service has answered, what it says of itself and which form it took."""
        found = {
            "host": self.chat.service.host,
            "model": self.model,
            "questions": questions_sha256(),
            "settings": SETTINGS,
        }
        told = {f"{name} answered": ", ".join(sorted(seen)) for name, seen in self.chat.versions.items() if seen}
        if told or self.chat.usage.prompt_tokens:
            found |= told | {"form": self.chat.form.described}
        if self.chat.was_asked_for_logprobs:
            none = "none: the service tells none, so that there is no CONS"
            found["log-probabilities"] = (
                f"{self.chat.form.top_logprobs} likeliest tokens" if self.chat.tells_logprobs else none
            )
        return found

    def usage(self) -> JudgeUsage:
        """Give what was sent so far, and the tokens that the service counted."""
        return JudgeUsage(*self.chat.usage)

    def check(self, characters: CharacterSet) -> None:
        """Make the client, so that a missing key is told before anything is drawn; asks nobody."""
        del characters
        self.chat.connect()

    def remember_in(self, memory: AnswerMemory) -> None:
        """Keep answers there, and do not ask again for those that are kept."""
        self._memory = memory

    def judge(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[Verdict]:
        """Judge the pictures one after the other; one without an answer does not take the others with it.

        Raises:
            ServiceDownError: too many requests in a row failed.
            StoppedError: the run stops.
            UserError: the service can answer no request: key, credit or model is not there, or it has no eyes.
        """
        targets = {character.id: character for character in characters.asked}
        return [
            self._judge_one(picture, targets[target], characters)
            for picture, target in zip(pictures, asked_for, strict=True)
        ]

    def rate(self, pictures: Sequence[Image], asked_for: Sequence[str], characters: CharacterSet) -> list[float | None]:
        """Ask for CONS alone; None where it cannot be had."""
        targets = {character.id: character for character in characters.asked}
        return [self._rate_one(picture, targets[target]) for picture, target in zip(pictures, asked_for, strict=True)]

    def _judge_one(self, picture: Image, target: Character, characters: CharacterSet) -> Verdict:
        shown = show(picture)
        try:
            ask, keep = self._asker(shown)
            verdict = interview(ask, target, characters, keep)
            if not verdict.is_answered:
                return verdict
            return verdict._replace(consistency=self._consistency(shown, target))
        except BackendError as error:
            return Verdict(None, reason=str(error))

    def _rate_one(self, picture: Image, target: Character) -> float | None:
        try:
            return self._consistency(show(picture), target)
        except BackendError:
            return None

    def _consistency(self, shown: Shown, target: Character) -> float | None:
        text = CONS.ask(thing=target.key_characteristic)
        key = self._key(shown, text, CONS)
        tokens = _as_tokens(self._recall(key))
        if tokens is None:
            wanted = Wanted(shown.uri, text, CONS.max_tokens, is_first_token=True)
            try:
                tokens = self.chat.ask_first_token(wanted)
            except RefusedError:
                return None
            if tokens is None:
                return None
            self._keep(key, tokens)
        return from_top_logprobs(tokens)

    def _asker(self, shown: Shown) -> tuple[Callable[[Question, str], str], Callable[[], None]]:
        """Give what asks about one picture, and what keeps the answers since the last keeping."""
        fresh: dict[str, object] = {}

        def ask(question: Question, text: str) -> str:
            key = self._key(shown, text, question)
            words = self._recall(key)
            if words is None:
                wanted = Wanted(shown.uri, text, question.max_tokens, question.id, question.answer_schema)
                try:
                    words = self.chat.ask(wanted)
                except CutOffAnswerError as error:
                    words = {CUT_OFF: error.text}
                fresh[key] = words
            if isinstance(words, dict):
                raise CutOffError(str(words.get(CUT_OFF, "")))
            return str(words)

        def keep() -> None:
            for key, words in fresh.items():
                self._keep(key, words)
            fresh.clear()

        return ask, keep

    def _key(self, shown: Shown, text: str, question: Question) -> str:
        sampling = f"temperature 0, {question.max_tokens} tokens"
        return answer_key(shown.sha256, f"openai:{self.chat.service.host}/{self.model}", text, sampling)

    def _recall(self, key: str) -> object | None:
        return None if self._memory is None else self._memory.get(key)

    def _keep(self, key: str, answer: object) -> None:
        if self._memory is not None:
            self._memory.put(key, answer)


def show(picture: Image) -> Shown:
    """Write a picture anew from its pixels, so that nothing that is known of it goes along."""
    picture = picture.convert("RGB")
    longest = max(picture.size)
    if longest > MAX_SIDE_PX:
        width, height = (max(1, round(side * MAX_SIDE_PX / longest)) for side in picture.size)
        picture = picture.resize((width, height), Resampling.LANCZOS)
    pixels = picture.tobytes()
    buffer = io.BytesIO()
    # The fastest level that packs: a sixth more bytes than usual in a ninth of the time (1024 px).
    frombytes("RGB", picture.size, pixels).save(buffer, "PNG", compress_level=1)
    text = base64.b64encode(buffer.getvalue()).decode()
    return Shown(f"data:image/png;base64,{text}", pixels_sha256(picture.size, pixels))


def _as_tokens(kept: object) -> list[tuple[str, float]] | None:
    """Read log-probabilities as the memory gives them back."""
    if not isinstance(kept, list):
        return None
    return [(str(token), float(logprob)) for token, logprob in kept]
