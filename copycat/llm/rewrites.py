"""Rewriting every prompt once by a language model, and freezing what came as a list of the character set."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.catalog.lists import write_list
from copycat.catalog.prompt_sets import PromptSet
from copycat.errors import BackendError, UserError
from copycat.llm import Failure, LanguageModel, complete_all
from copycat.llm.asking import require_answers
from copycat.llm.instructions import Instruction
from copycat.mitigations.residue import Residue, residue
from copycat.mitigations.rewrite import FRESH, RULES, tidy_rewrite
from copycat.paths import shown
from copycat.schema import CharacterSet, Prompt

TOP_KEYWORDS = 5
"""As many keywords as CopyCat counts in rewrites (arXiv 2406.14526, section 5)."""


class Left(NamedTuple):
    """What one rewrite still holds of its character; `repeat` counts from 0."""

    prompt_id: str
    repeat: int
    residue: Residue


class FrozenRewrites(NamedTuple):
    """A list of rewrites and what can be said of them.

    `left` has one entry for each text of a prompt that is after a character. `n_keywords` is how many keywords were
    looked for, of all texts together.
    """

    path: Path
    name: str
    texts: dict[str, tuple[str, ...]]
    left: tuple[Left, ...]
    n_keywords: int
    is_new: bool

    @property
    def n_texts(self) -> int:
        """How many rewrites there are."""
        return sum(len(texts) for texts in self.texts.values())

    @property
    def naming(self) -> tuple[Left, ...]:
        """The texts that still name the character, its franchise or a brand of it."""
        return tuple(left for left in self.left if left.residue.names)

    @property
    def keyword_share(self) -> float | None:
        """Share of the looked-for keywords that are still there; lower is better; None without keywords."""
        return sum(len(left.residue.keywords) for left in self.left) / self.n_keywords if self.n_keywords else None

    @property
    def mean_words(self) -> float:
        """Mean length of a text in words."""
        return sum(len(text.split()) for texts in self.texts.values() for text in texts) / self.n_texts


def provenance_of(llm: LanguageModel, instruction: Instruction, per_seed: int) -> dict[str, str]:
    """Say of rewrites where they come from: all that decides on them but the prompts."""
    return {
        "language model": llm.identify(),
        "instruction": instruction.id,
        "instruction sha256": instruction.sha256,
        "temperature": f"{instruction.temperature:g}",
        "rewrites of each prompt": str(per_seed),
    }


def check_list(
    folder: Path, prompt_set: PromptSet, name: str, prompts: Sequence[Prompt], provenance: Mapping[str, str]
) -> None:
    """Refuse a list's name before anything is asked that would be paid for.

    Args:
        folder: of lists; those in it are in the prompt set already, and so they are sound.
        provenance: as `provenance_of` gives it.

    Raises:
        UserError: the name is a variant of its own, or that of other rewrites.
    """
    if name in (RULES, FRESH):
        raise UserError(f"'{name}' cannot name rewrites: rewrite:{name} is something else\n  choose another --name")
    path = _path(folder, prompt_set.id, name)
    if not path.exists():
        return
    kept = json.loads(path.read_text(encoding="utf-8"))["provenance"]
    others = [f"{key}: {kept.get(key)}" for key, value in provenance.items() if kept.get(key) != value]
    others += [] if set(prompt_set.rewrites[name]) == {prompt.id for prompt in prompts} else ["of other prompts"]
    if others:
        raise UserError(
            f"{shown(path)} holds other rewrites ({'; '.join(others)}), and lists are frozen\n"
            "  choose another --name, or move the file away"
        )


def rewrite_prompts(
    llm: LanguageModel,
    instruction: Instruction,
    prompts: Sequence[Prompt],
    per_seed: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, tuple[str, ...]]:
    """Rewrite each prompt, `per_seed` times with other seeds.

    Returns: prompt id to its rewrites.

    Raises:
        UserError: some have no usable rewrite; the answers that came are in the model's memory.
    """
    found: dict[str, tuple[str, ...]] = {prompt.id: () for prompt in prompts}
    failures: list[Failure] = []
    sampling: Any = {"temperature": instruction.temperature, "max_tokens": instruction.max_tokens}
    for seed in range(per_seed):
        answers = complete_all(
            llm,
            instruction.text,
            [prompt.text for prompt in prompts],
            seed=seed,
            advance=advance,
            **sampling,
        )
        for prompt, answer in zip(prompts, answers, strict=True):
            try:
                found[prompt.id] += (tidy_rewrite(_text_of(answer)),)
            except BackendError as error:
                failures.append(Failure(f"{prompt.id}: {error}"))
                llm.forget(instruction.text, prompt.text, seed=seed, **sampling)
    require_answers(failures, len(prompts) * per_seed)
    return found


def freeze_rewrites(
    folder: Path,
    characters: CharacterSet,
    prompt_set: PromptSet,
    *,
    name: str,
    prompts: Sequence[Prompt],
    texts: Mapping[str, tuple[str, ...]],
    provenance: dict[str, str],
) -> FrozenRewrites:
    """Write rewrites as a list, and look for what they still hold of their characters.

    A list of the same name and the same texts stays as it is.

    Raises:
        UserError: there is a list of this name with other texts, or the name has the wrong form.
    """
    left, n_keywords = _left_in(prompts, texts, characters, prompt_set)
    faults = tuple(f"{one.prompt_id}: names {', '.join(one.residue.names)}" for one in left if one.residue.names)
    is_new = prompt_set.rewrites.get(name) != dict(texts)
    path = _path(folder, characters.id, name)
    if is_new:
        path = write_list(folder, characters, "rewrite", name, dict(texts), provenance=provenance, faults=faults)
    return FrozenRewrites(path, name, dict(texts), left, n_keywords, is_new)


def _path(folder: Path, set_id: str, name: str) -> Path:
    return folder / set_id / f"rewrite-{name}.json"


def _text_of(answer: str | Failure) -> str:
    if isinstance(answer, Failure):
        raise BackendError(answer.reason)
    return answer


def _left_in(
    prompts: Sequence[Prompt], texts: Mapping[str, tuple[str, ...]], characters: CharacterSet, prompt_set: PromptSet
) -> tuple[tuple[Left, ...], int]:
    by_id = {character.id: character for character in characters.characters}
    lists = prompt_set.keywords.get(prompt_set.default_ranker or "", {})
    left, n_keywords = [], 0
    for prompt in prompts:
        if prompt.character not in by_id:  # a benign prompt, which is after nobody
            continue
        keywords = lists.get(prompt.character, ())[:TOP_KEYWORDS]
        for repeat, text in enumerate(texts[prompt.id]):
            left.append(Left(prompt.id, repeat, residue(text, by_id[prompt.character], keywords)))
            n_keywords += len(keywords)
    return tuple(left), n_keywords
