"""What a user wants to discover, and how it is done: sources -> filter -> ranker -> a frozen list."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from copycat.catalog import LISTS, PromptSet, prompt_set_of, read_character_set, with_lists
from copycat.corpus import Corpus, Counts, count_documents, open_corpus
from copycat.corpus.reading import files_sha256
from copycat.discovery.candidates import FORMS, LLM_CANDIDATES, Source, from_answers, from_corpus, from_list, read_file
from copycat.discovery.engines import EngineCounts, InfiniGram, Wimbd, build_engine
from copycat.discovery.keywords import OWN, Discovered, Gathered, freeze, gather, rank
from copycat.discovery.rankers import RANKERS
from copycat.errors import UserError
from copycat.schema import CharacterSet, Record
from copycat.services.memory import AnswerMemory

if TYPE_CHECKING:
    from copycat.discovery.embedding import TextEncoder

CORPUS, LLM = "corpus", "llm"
KEYWORDS: Final = "keywords"
DESCRIPTION: Final = "description"
LM_RANKED, LM_GREEDY = "lm-ranked", "lm-greedy"
CORPUS_LIMIT = 50
"""Candidates of each character from a corpus: as many as the paper asks a language model for (appendix C.5)."""

ANSWERS = "answers.sqlite"
"""Beside the lists: what language models and search engines said."""

INSTRUCTIONS = {KEYWORDS: "keyword-candidates-v1", DESCRIPTION: "descriptions-v1"}

Progress = Callable[[str], AbstractContextManager[Callable[[int], None]]]
"""Shows a running count under a title."""


class Counting(Record):
    """How a corpus is counted, see `corpus.count_documents`; `checkpoint` is where finished parts are kept."""

    deduplicate: bool = False
    executor: str = "local"
    processes: int | None = None
    checkpoint: Path | None = None


class Wanted(Record):
    """What is to be ranked, by what, and where it goes. `sources` empty means the corpus, else the set's own lists."""

    kind: Literal["keywords", "description"] = KEYWORDS
    characters: str = "copycat50"
    sources: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    ranker: str = "cooccurrence"
    corpus: tuple[str, ...] = ()
    text_column: str | None = None
    corpus_id: str | None = None
    corpus_revision: str | None = None
    counting: Counting = Counting()
    engine: str | None = None
    model: str | None = None
    encoder: str = "text_encoder"
    pooling: str = "words"
    pool: Literal["own", "all"] = OWN
    llm: str | None = None
    name: str | None = None
    keep: int = 20
    lists: Path = LISTS
    device: str | None = None


class Frozen(NamedTuple):
    """What was found, and the file that holds it."""

    discovered: Discovered
    characters: CharacterSet
    name: str
    path: Path


def discover(wanted: Wanted, progress: Progress) -> Frozen:
    """Rank what a user wants ranked, and freeze the list.

    Raises:
        UserError: anything that the user must fix; nothing is written then.
    """
    row = RANKERS.get(wanted.ranker)
    if wanted.kind == DESCRIPTION and row.needs == "corpus":
        raise UserError(
            f"ranker '{row.name}' counts keywords\n  needed: --ranker embedding, or lm-ranked, for whole texts"
        )
    characters = read_character_set(wanted.characters)
    prompt_set = with_lists(prompt_set_of(characters), wanted.lists)
    name = wanted.name or row.name
    _require_free(name, wanted, prompt_set)
    corpus = _corpus_of(wanted)
    llm = _language_model_of(wanted)
    engine = None if wanted.engine is None else build_engine(wanted.engine, AnswerMemory(wanted.lists / ANSWERS))
    encoder = _encoder_of(wanted) if row.needs == "encoder" else None
    names = wanted.sources or ((CORPUS,) if corpus is not None else _own_lists(prompt_set, wanted))
    shelf = _Shelf(wanted, characters, prompt_set, corpus, llm, progress)
    gathered = gather(_sources(shelf, names), characters, pool=wanted.pool, without=wanted.without)
    if row.name == LM_RANKED and llm is not None and not hasattr(llm, "log_probabilities"):
        gathered = _chosen_by_service(shelf, gathered)
    with progress(f"count {len(gathered.texts):,} candidates") as advance:
        association = None if engine is None else EngineCounts(engine, advance)
        asked_llm = llm if row.needs == LLM else None
        found = rank(
            gathered, characters, row.name, corpus=None if engine else corpus, association=association,
            encoder=encoder, llm=asked_llm, counting=wanted.counting.model_dump(), advance=advance,
        )  # fmt: skip
    found = _with_facts(found, wanted, corpus, engine, encoder)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    path = freeze(found, characters, name, keep=wanted.keep, date=today, kind=wanted.kind, folder=wanted.lists)
    return Frozen(found, characters, name, path)


def _require_free(name: str, wanted: Wanted, prompt_set: PromptSet) -> None:
    """Refuse the name of a list that ships, before anything is counted."""
    taken = prompt_set.keywords if wanted.kind == KEYWORDS else prompt_set.described
    if name in taken and not (wanted.lists / prompt_set.id / f"{wanted.kind}-{name}.json").exists():
        raise UserError(
            f"set '{prompt_set.id}' has a list '{name}' already\n  needed: another name: --name {name}-mine"
        )


def _with_facts(
    found: Discovered,
    wanted: Wanted,
    corpus: Corpus | None,
    engine: InfiniGram | Wimbd | None,
    encoder: TextEncoder | None,
) -> Discovered:
    """Add to the provenance what the ranker did not see, and what people must know."""
    facts = {**found.provenance, "pool": wanted.pool, **_left_out(wanted)}
    warnings = list(found.warnings)
    if corpus is not None and found.counts is None:
        facts["corpus_sha256"] = files_sha256(corpus)
    if engine is not None:
        facts |= {"ranker": f"{found.ranker.name} ({engine.unit})", "engine": engine.identity}
        warnings += engine.warnings
    if encoder is not None:
        warnings += encoder.warnings
    return found._replace(provenance=facts, warnings=tuple(warnings))


def _left_out(wanted: Wanted) -> dict[str, str]:
    return {"left_out": ", ".join(wanted.without)} if wanted.without else {}


def count_corpus(
    given: Mapping[str, Any], counting: Mapping[str, Any], advance: Callable[[int], object]
) -> tuple[Counts, CharacterSet]:
    """Count a corpus as a user asks for it; `given` has the fields of `Wanted` and `phrases`.

    Raises:
        UserError: no corpus is named, or `count_documents` refuses.
    """
    if not given["corpus"]:
        raise UserError("no corpus given\n  needed: --corpus PATH, a file, a folder or a glob")
    characters = read_character_set(given["characters"])
    wanted = Wanted.model_validate({name: given[name] for name in Wanted.model_fields if name in given})
    corpus = _corpus_of(wanted)
    assert corpus is not None  # noqa: S101  # asked above
    return count_documents(corpus, characters.characters, given["phrases"], **counting, advance=advance), characters


class _Shelf(NamedTuple):
    """Everything that candidates can come from."""

    wanted: Wanted
    characters: CharacterSet
    prompt_set: PromptSet
    corpus: Corpus | None
    llm: Any
    progress: Progress

    def source(self, name: str) -> Source:
        """Give the candidates of a source as a user names it."""
        is_of_descriptions = self.wanted.kind == DESCRIPTION
        if name == CORPUS:
            if self.corpus is None:
                raise UserError("candidates from a corpus need one\n  needed: --corpus PATH")
            with self.progress("collect phrases") as advance:
                return from_corpus(self.corpus, self.characters, limit=CORPUS_LIMIT, advance=advance)
        if name == LLM:
            if self.llm is None:
                raise UserError("candidates from a language model need one\n  needed: --llm NAME")
            return _ask(self.llm, self.characters, self.wanted.kind, self.progress)
        if Path(name).suffix.lower() in FORMS:
            return read_file(Path(name), self.characters)
        return from_list(self.prompt_set, name, descriptions=is_of_descriptions)


def _sources(shelf: _Shelf, names: Sequence[str]) -> list[Source]:
    """Give the candidates of every source; a greedy language model is its own only one."""
    if shelf.wanted.ranker != LM_GREEDY:
        return [shelf.source(name) for name in names]
    if shelf.llm is None:
        raise UserError(f"ranker '{LM_GREEDY}' asks a language model\n  needed: --llm NAME")
    from copycat.discovery.language import top_of_mind

    with shelf.progress(f"ask {shelf.llm.identify()}") as advance:
        return [top_of_mind(shelf.llm, shelf.characters.characters, shelf.wanted.keep, advance)]


def _chosen_by_service(shelf: _Shelf, gathered: Gathered) -> Gathered:
    """Have a service choose the best of each character's candidates, since it tells no probabilities."""
    from copycat.discovery.language import top_of_pool

    with shelf.progress(f"ask {shelf.llm.identify()}") as advance:
        chosen = top_of_pool(shelf.llm, shelf.characters.characters, gathered.pool, shelf.wanted.keep, advance)
    return gathered._replace(pool=chosen.pool, sources=(*gathered.sources, chosen))


def _own_lists(prompt_set: PromptSet, wanted: Wanted) -> tuple[str, ...]:
    """Name every list of the set, as candidates; a greedy language model needs none."""
    if wanted.ranker == LM_GREEDY:
        return ()
    if wanted.kind == DESCRIPTION:
        return (DESCRIPTION, *prompt_set.described)
    if not prompt_set.keywords:
        raise UserError(f"set '{prompt_set.id}' has no keywords to rank\n  needed: --from FILE, or --corpus PATH")
    return tuple(prompt_set.keywords)


def _corpus_of(wanted: Wanted) -> Corpus | None:
    if not wanted.corpus:
        return None
    return open_corpus(
        [Path(path) for path in wanted.corpus],
        text_column=wanted.text_column,
        id=wanted.corpus_id,
        revision=wanted.corpus_revision,
    )


def _encoder_of(wanted: Wanted) -> TextEncoder | None:
    if wanted.model is None:
        return None
    from copycat.discovery.embedding import EmbeddingSettings, TextEncoder
    from copycat.models.resolve import resolve_model
    from copycat.runs.environment import pick_device

    settings = EmbeddingSettings.model_validate({"encoder": wanted.encoder, "pooling": wanted.pooling})
    return TextEncoder.load(resolve_model(wanted.model), settings, pick_device(wanted.device))


def _language_model_of(wanted: Wanted) -> Any:
    if wanted.llm is None:
        return None
    from copycat.llm import build_language_model

    return build_language_model(wanted.llm, AnswerMemory(wanted.lists / ANSWERS))


def _ask(llm: Any, characters: CharacterSet, kind: str, progress: Progress) -> Source:
    """Ask a language model about every character; who got no usable answer is told."""
    from copycat.discovery.language import question
    from copycat.llm import complete_all
    from copycat.llm.instructions import read_instruction

    instruction = read_instruction(INSTRUCTIONS[kind])
    number = LLM_CANDIDATES if kind == KEYWORDS else 1
    with progress(f"ask {llm.identify()}") as advance:
        answers = complete_all(
            llm,
            instruction.text,
            [question(who, number) for who in characters.characters],
            temperature=instruction.temperature,
            max_tokens=instruction.max_tokens,
            advance=advance,
        )
    by_character = {who.id: answer for who, answer in zip(characters.characters, answers, strict=True)}
    label = f"llm:{llm.identify()} with {instruction.id}@{instruction.sha256[:12]}"
    return from_answers(label, by_character, descriptions=kind == DESCRIPTION)
