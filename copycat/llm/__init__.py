"""Language models: they rewrite prompts, say whom a prompt is after, and suggest keywords.

    build_language_model("openai:MODEL" | "org/repo" | "./folder", memory, device) -> LanguageModel

An answer that was given once is kept (`services.memory`): the same question to the same model is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from copycat.errors import BackendError, UserError
from copycat.services.memory import AnswerMemory, answer_key
from copycat.services.pool import run_adaptive
from copycat.services.throttle import Throttle

ANSWERS = "llm-answers.sqlite"
"""What language models said: not beside what judges said, which `--rejudge` forgets."""

MAX_TOKENS = 512

T = TypeVar("T")


class LanguageModel(Protocol):
    """Answers a text as an instruction says.

    `throttle` is that of a service, which many threads may ask at once; None where the model runs here.
    """

    @property
    def throttle(self) -> Throttle | None:
        """How many questions may be under way."""

    def identify(self) -> str:
        """Name the model as exactly as can be: 'openai:MODEL@HOST', 'hub:ORG/REPO@COMMIT', 'folder:NAME@HASH'."""

    def complete(
        self, instruction: str, text: str, *, temperature: float = 0.0, seed: int = 0, max_tokens: int = MAX_TOKENS
    ) -> str:
        """Give the answer, without what the model thought aloud, and without blanks around it.

        Args:
            instruction: what to do with the text.
            temperature: 0 for the likeliest answer; then the seed is not used.
            seed: which of many answers; most services promise nothing for it.

        Raises:
            RefusedError: the model or its service declined.
            BackendError: there is no answer, or one that was cut off.
            UserError: no question can be answered.
        """

    def forget(self, instruction: str, text: str, *, temperature: float, seed: int, max_tokens: int) -> None:
        """Drop an answer that is kept and turned out to be of no use, so that it is asked for again."""

    def facts(self) -> dict[str, str]:
        """Give what is known of how it answers, for people."""

    def release(self) -> None:
        """Let go of the weights; the next question loads them again."""


class Failure(NamedTuple):
    """A question without an answer, and why."""

    reason: str


class Asked(NamedTuple):
    """All that an answer depends on, but for the model."""

    instruction: str
    text: str
    temperature: float
    seed: int
    max_tokens: int

    @classmethod
    def of(cls, instruction: str, text: str, temperature: float, seed: int, max_tokens: int) -> Asked:
        """Put it together; without a temperature no seed is used."""
        return cls(instruction, text, temperature, seed if temperature else 0, max_tokens)

    def key(self, identity: str) -> str:
        """Name the answer in a memory."""
        sampling = f"temperature {self.temperature:g}, seed {self.seed}, {self.max_tokens} tokens"
        return answer_key("text", identity, f"{self.instruction}\x00{self.text}", sampling)


def build_language_model(name: str, memory: AnswerMemory | None, device: str = "cpu") -> LanguageModel:
    """Build the model of a name; asks nobody and loads nothing.

    Args:
        name: 'openai:MODEL' for a service (OPENAI_BASE_URL says which), 'org/repo' of the Hugging Face Hub, or a
            folder of transformers.
        memory: where answers are kept; None to keep none.
        device: for a model that runs here.

    Raises:
        UserError: the name has none of these forms.
    """
    kind, _, model = name.partition(":")
    if kind == "openai" and model:
        from copycat.llm.openai import OpenAILanguageModel

        return OpenAILanguageModel(model, memory)
    from copycat.llm.local import LocalLanguageModel

    if name.startswith((".", "/", "~")) or (name and Path(name).is_dir()):
        return LocalLanguageModel(Path(name).expanduser(), memory, device)
    if name.count("/") == 1 and ":" not in name and all(name.split("/")):
        return LocalLanguageModel(name, memory, device)
    raise UserError(
        f"'{name}' names no language model\n"
        "  needed: openai:MODEL, org/repo of the Hugging Face Hub, or ./FOLDER of transformers"
    )


def complete_all(
    llm: LanguageModel,
    instruction: str,
    texts: Sequence[str],
    *,
    temperature: float = 0.0,
    seed: int = 0,
    max_tokens: int = MAX_TOKENS,
    advance: Callable[[int], None] = lambda _: None,
) -> list[str | Failure]:
    """Answer many texts, in threads where the model is a service.

    Returns: an answer or a failure for each text, in their order.

    Raises:
        UserError: no question can be answered; what was answered before is in the memory.
    """

    def ask(place: int) -> str | Failure:
        try:
            return llm.complete(instruction, texts[place], temperature=temperature, seed=seed, max_tokens=max_tokens)
        except BackendError as error:
            return Failure(str(error))

    return do_all(llm, ask, len(texts), advance)


def do_all(
    llm: LanguageModel, work: Callable[[int], T], count: int, advance: Callable[[int], None] = lambda _: None
) -> list[T]:
    """Call `work` with 0 to `count` - 1, in threads where the model is a service, and give the results in order."""
    found: dict[int, T] = {}
    for place, result in _done(llm.throttle, work, count):
        found[place] = result
        advance(1)
    return [found[place] for place in range(count)]


def _done(throttle: Throttle | None, work: Callable[[int], T], count: int) -> Iterator[tuple[int, T]]:
    if throttle is not None:
        yield from run_adaptive(range(count), work, throttle)
    else:
        yield from ((place, work(place)) for place in range(count))


def forget(memory: AnswerMemory | None, key: str) -> None:
    """Drop what is kept under a key."""
    if memory is not None:
        memory.put(key, None)
