"""Language models as rankers: by the probability of a candidate after the name, or by asking for the best.

    log_probabilities_after   a model that runs here orders a pool of candidates
    top_of_pool               a service, which tells no probabilities, is asked for its best k of a pool
    top_of_mind               LM-Ranked as published ("greedy" in its file names): asked for k keywords, without a pool

Source: CopyCat (arXiv 2406.14526), section 3.2 and appendix C.5, for the last; the paper asks GPT-4 at temperature 0,
anew for each k, so that its best 3 are no beginning of its best 5. The first two are ours, because words that
other rankers did not get to choose from cannot be compared with theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from copycat.discovery.candidates import Source
from copycat.errors import BackendError
from copycat.llm import Failure, LanguageModel, complete_all
from copycat.llm.instructions import read_instruction
from copycat.llm.parsing import read_list
from copycat.names import fold
from copycat.schema import Character

INSTRUCTION = "keywords-ranked-v1"


class WeighingModel(Protocol):
    """A language model that runs here."""

    def log_probabilities(self, prefix: str, continuations: Sequence[str]) -> list[float]:
        """Sum the log-probabilities of the tokens of each continuation, in nats."""


def log_probabilities_after(llm: WeighingModel, name: str, candidates: Sequence[str]) -> list[float]:
    """Say how likely it is that each candidate follows 'NAME, ': nats, at most 0, higher is likelier.

    It is the probability of the whole candidate. The mean for each token would favour words whose later tokens follow
    by themselves ("sleepy eyes"). Words that are common everywhere come high, and long ones low.

    Raises:
        BackendError: the model cannot weigh a text.
    """
    if empty := [text for text in candidates if not text.strip()]:
        raise BackendError(f"the language model reads no token in {empty[0]!r}")
    return llm.log_probabilities(f"{name}, ", candidates)


def top_of_pool(
    llm: LanguageModel,
    characters: Sequence[Character],
    pool: Mapping[str, Sequence[str]],
    k: int,
    advance: Callable[[int], None] = lambda _: None,
) -> Source:
    """Ask for the best `k` of each character's candidates, at temperature 0; the best first, spelt as in the pool.

    The candidates are shown in the order of the alphabet, so that no other ranker's order shows through. `silent`
    names every character with fewer than `k`, and why.

    Raises:
        UserError: no question can be answered.
    """
    spelt = {who.id: {fold(text): text for text in reversed(pool.get(who.id, ()))} for who in characters}
    asked = [who for who in characters if spelt[who.id]]
    questions = [question(who, min(k, len(spelt[who.id])), list(spelt[who.id].values())) for who in asked]
    said = {who.id: answer for who, answer in zip(asked, _ask(llm, questions, advance), strict=True)}
    found: dict[str, tuple[str, ...]] = {}
    silent: list[str] = []
    for who in characters:
        candidates = spelt[who.id]
        words = _words_of(said.get(who.id, Failure("it has no candidates")), len(candidates), who, silent)
        chosen = tuple(candidates[fold(word)] for word in words if fold(word) in candidates)[:k]
        found[who.id] = chosen
        if words and len(chosen) < (wanted := min(k, len(candidates))):
            others = ", ".join(word for word in words if fold(word) not in candidates)
            outside = f"; not among its candidates: {others}" if others else ""
            silent.append(f"{who.id}: {len(chosen)} of {wanted} were chosen{outside}")
    return Source(_label(llm, f"best {k} of a pool"), found, tuple(silent))


def top_of_mind(
    llm: LanguageModel, characters: Sequence[Character], k: int, advance: Callable[[int], None] = lambda _: None
) -> Source:
    """Ask for the best `k` keywords of each character, at temperature 0, whatever words they are; the best first.

    Nothing is filtered: the published lists hold names. `silent` names every character with fewer than `k`, and why.

    Raises:
        UserError: no question can be answered.
    """
    answers = _ask(llm, [question(who, k) for who in characters], advance)
    found: dict[str, tuple[str, ...]] = {}
    silent: list[str] = []
    for who, answer in zip(characters, answers, strict=True):
        found[who.id] = words = tuple(_words_of(answer, k, who, silent))
        if words and len(words) < k:
            silent.append(f"{who.id}: {len(words)} of {k} were given")
    return Source(_label(llm, f"best {k}"), found, tuple(silent))


def question(character: Character, k: int, candidates: Sequence[str] = ()) -> str:
    """Write what the instruction expects: a character, where it comes from, a number, and perhaps candidates."""
    lines = [f"Character: {character.name}", f"From: {character.franchise}", f"Number: {k}"]
    listed = sorted(candidates, key=lambda text: (fold(text), text))
    return "\n".join([*lines, *(["Candidates:", *(f"- {text}" for text in listed)] if listed else [])])


def _ask(llm: LanguageModel, questions: Sequence[str], advance: Callable[[int], None]) -> list[str | Failure]:
    instruction = read_instruction(INSTRUCTION)
    return complete_all(
        llm,
        instruction.text,
        questions,
        temperature=instruction.temperature,
        max_tokens=instruction.max_tokens,
        advance=advance,
    )


def _words_of(answer: str | Failure, limit: int, who: Character, silent: list[str]) -> list[str]:
    """Read an answer; of one that cannot be used, `silent` says why."""
    if isinstance(answer, Failure):
        silent.append(f"{who.id}: {answer.reason.splitlines()[0]}")
        return []
    try:
        return read_list(answer, limit)
    except BackendError as error:
        silent.append(f"{who.id}: {str(error).splitlines()[0]}")
        return []


def _label(llm: LanguageModel, what: str) -> str:
    instruction = read_instruction(INSTRUCTION)
    return f"llm:{llm.identify()} with {instruction.id}@{instruction.sha256[:12]}, {what}"
