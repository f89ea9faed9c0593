"""The questions of mitigations, answered by a language model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from copycat.errors import BackendError, UserError
from copycat.llm import Failure, LanguageModel, do_all
from copycat.llm.instructions import Instruction, read_instruction
from copycat.mitigations import Mitigation, Question
from copycat.schema import Character, ImageRequest

MAX_LISTED = 5


class Asker:
    """Gives the answers of one model; `instructions` are those that were followed so far, by id."""

    def __init__(self, llm: LanguageModel) -> None:
        self.llm = llm
        self.instructions: dict[str, Instruction] = {}
        self._of_thread = threading.local()

    def ask(self, question: Question) -> str:
        """Answer a question, drawn as its instruction says.

        Raises:
            BackendError: there is no answer.
            UnknownNameError: there is no such instruction.
        """
        instruction = read_instruction(question.instruction)
        self.instructions[instruction.id] = instruction
        self._asked.append((instruction, question))
        return self.llm.complete(
            instruction.text,
            question.text,
            temperature=instruction.temperature,
            seed=question.seed,
            max_tokens=instruction.max_tokens,
        )

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """Drop the answers of this block where it fails: one of them was of no use, and is worth another try."""
        self._asked.clear()
        try:
            yield
        except BackendError:
            for instruction, question in self._asked:
                self.llm.forget(
                    instruction.text,
                    question.text,
                    temperature=instruction.temperature,
                    seed=question.seed,
                    max_tokens=instruction.max_tokens,
                )
            raise

    @property
    def _asked(self) -> list[tuple[Instruction, Question]]:
        """What this thread has asked."""
        found: list[tuple[Instruction, Question]] = self._of_thread.__dict__.setdefault("asked", [])
        return found

    def described(self) -> str:
        """Name the model and what it was told, with hashes: what answers depend on beside the prompts."""
        told = [f"{name}@{self.instructions[name].sha256[:12]}" for name in sorted(self.instructions)]
        return ", ".join([self.llm.identify(), *told])


def ask_ahead(
    asker: Asker,
    mitigation: Mitigation,
    requests: Sequence[ImageRequest],
    characters: Mapping[str, Character],
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Have a mitigation ask all that it will ask of these requests, many at a time where the model is a service.

    The answers are in the model's memory then. One repeat after the other, so that no question is under way twice.

    Raises:
        UserError: there are questions without an answer; those with one are kept.
    """

    def failure_of(request: ImageRequest) -> Failure | None:
        try:
            with asker.forgetting():
                mitigation.apply(request, characters.get(request.character))
        except BackendError as error:
            return Failure(f"{request.prompt_id}: {error}")
        return None

    failures: list[Failure] = []
    for repeat in sorted({request.repeat for request in requests}):
        some = [request for request in requests if request.repeat == repeat]
        found = do_all(asker.llm, lambda place, some=some: failure_of(some[place]), len(some), advance)  # type: ignore[misc]
        failures += [failure for failure in found if failure is not None]
    require_answers(failures, len(requests))


def require_answers(failures: Sequence[Failure], count: int) -> None:
    """Refuse to go on where questions have no answer.

    Raises:
        UserError: there is a failure.
    """
    if not failures:
        return
    listed = [f"  {failure.reason.replace(chr(10), chr(10) + '  ')}" for failure in failures[:MAX_LISTED]]
    more = [f"  and {len(failures) - MAX_LISTED} more"] if len(failures) > MAX_LISTED else []
    raise UserError(
        "\n".join(
            [
                f"the language model gave no usable answer to {len(failures)} of {count} questions",
                *listed,
                *more,
                "  the answers that it gave are kept; the same command asks for the others again",
            ]
        )
    )
