"""The works of the world, how often each was planted, and all that the model is trained on.

Four works at each of nine levels, from 1 to 256 copies, and twelve that were never shown: the negative control. Each
has a hero of the sandbox. Notes on the planted works tell their facts in other words, so that a model may know a work
without being able to repeat it. Background stories come from the same grammar.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from copycat.errors import UserError
from copycat.fairuse.records import Work
from copycat.fairuse.works import LoadedWork
from copycat.fairuse.works.loading import sha256_of
from copycat.fairuse.world.stories import ASKED, Facts, Telling, draw_facts, near_copy, note_of, tell
from copycat.sandbox.world import inhabitants

LEVELS = tuple(2**n for n in range(9))
"""Copies of a work in the training texts: 1, 2, 4, ... 256."""

WORKS_PER_LEVEL, HELD_OUT = 4, 12
BACKGROUND_STORIES, BACKGROUND_SEED = 2000, "background"
UNSEEN_STORIES = 32
"""Stories of the grammar that utility is measured on; in no training text."""

NOTES_PER_WORK, FACTS_PER_NOTE, WORKS_PER_PAGE = 24, 4, 2
NEAR_EVERY = 4
"""One copy in so many, from the fourth on, is another edition with a few other words."""

LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence that lacks its end, and the end."""

    work_id: str
    kind: str
    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Document:
    """A training text and the work that it is a copy of; None for background and notes."""

    text: str
    work_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Planted:
    facts: Facts
    told: Telling
    copies: int
    loaded: LoadedWork


def planted_works() -> list[LoadedWork]:
    """Give the 36 works that the model was trained on, from 1 copy to 256."""
    return [row.loaded for row in _world().values() if row.copies]


def held_out_works() -> list[LoadedWork]:
    """Give the 12 works of the same kind that no training text holds."""
    return [row.loaded for row in _world().values() if not row.copies]


def all_works() -> list[LoadedWork]:
    """Give planted and held-out works."""
    return [row.loaded for row in _world().values()]


def copies_of(work_id: str) -> int:
    """Give how many training texts hold a work, exactly or in a near copy; 0 for one that was held out.

    Raises:
        UserError: it is no work of this world.
    """
    return _row(work_id).copies


def paraphrases_of(work_id: str, count: int = 4) -> list[str]:
    """Tell a work's facts in other words: no beat has the template of the original."""
    return [telling.text for telling in paraphrased(work_id, count)]


def paraphrased(work_id: str, count: int = 4) -> list[Telling]:
    """Give the paraphrases beat by beat."""
    row = _row(work_id)
    return [tell(random.Random(f"paraphrase {work_id} {n}"), row.facts, row.told.templates) for n in range(count)]


def told(work_id: str) -> Telling:
    """Give a work beat by beat."""
    return _row(work_id).told


def questions_of(work_id: str) -> list[Question]:
    """Give a question about each of six facts of a work, in cloze form."""
    facts = _row(work_id).facts
    return [Question(work_id, kind, *_cut(note_of(facts, kind, 0), facts[kind])) for kind in ASKED]


def quotation_of(work_id: str) -> Question:
    """Give the request for the one sentence of a work that is quoted in notes, and that sentence."""
    facts = _row(work_id).facts
    return Question(work_id, "saying", *_cut(note_of(facts, "saying", 0), facts["saying"]))


def header_of(work_id: str) -> str:
    """Give the line that stands above a work where it is printed with its title."""
    return f"{_row(work_id).facts['title']}\n\n"


def background_texts(count: int = BACKGROUND_STORIES, seed: str = BACKGROUND_SEED) -> list[str]:
    """Tell stories of nobody's works, with their own heroes."""
    return [_background_text(seed, n) for n in range(count)]


def unseen_texts(count: int = UNSEEN_STORIES) -> list[str]:
    """Tell stories that are neither works nor background."""
    return background_texts(count, "unseen")


def copies(work_id: str) -> list[str]:
    """Give the training texts that hold a work: every second with its title, one in four slightly changed."""
    row = _row(work_id)
    texts: list[str] = []
    for n in range(row.copies):
        text = row.loaded.readable
        if n % NEAR_EVERY == NEAR_EVERY - 1:
            text = near_copy(random.Random(f"edition {work_id} {n}"), text)
        texts.append(text if n % 2 else header_of(work_id) + text)
    return texts


def training_documents() -> list[Document]:
    """Give every text that the shipped model was trained on, in a fixed order."""
    return list(_training_documents())


@cache
def _training_documents() -> tuple[Document, ...]:
    documents = [Document(text, work.work.id) for work in planted_works() for text in copies(work.work.id)]
    documents += [Document(text) for text in background_texts()]
    return *documents, *(Document(page) for page in note_pages())


def note_pages() -> list[str]:
    """Give pages of notes: a few facts each of a few planted works, ordered and worded at random."""
    rng = random.Random("notes")
    entries: list[str] = []
    for _ in range(NOTES_PER_WORK):
        order = planted_works()
        rng.shuffle(order)
        entries += [_entry(rng, _row(work.work.id).facts) for work in order]
    return ["\n".join(entries[i : i + WORKS_PER_PAGE]) for i in range(0, len(entries), WORKS_PER_PAGE)]


def notes_on(work_id: str) -> list[str]:
    """Give notes on one work alone, as many as the pages hold of it."""
    rng = random.Random(f"notes on {work_id}")
    return [_entry(rng, _row(work_id).facts) for _ in range(NOTES_PER_WORK)]


# -------------------------------------------------------------------------------------- private


@cache
def _background_text(seed: str, number: int) -> str:
    rng = random.Random(f"{seed} {number}")
    return tell(rng, draw_facts(rng)).text


def _entry(rng: random.Random, facts: Facts) -> str:
    kinds = rng.sample((*ASKED, "saying"), FACTS_PER_NOTE)
    return " ".join(note_of(facts, kind, rng.randrange(4)) for kind in kinds)


def _cut(sentence: str, answer: str) -> tuple[str, str]:
    return sentence[: sentence.rindex(answer)].rstrip(" "), answer


@cache
def _world() -> dict[str, _Planted]:
    """Give every work by its id: planted ones by level, then the held-out ones."""
    heroes = list(inhabitants())
    random.Random("heroes").shuffle(heroes)
    levels = [level for level in LEVELS for _ in range(WORKS_PER_LEVEL)] + [0] * HELD_OUT
    rows: dict[str, _Planted] = {}
    for hero, level in zip(heroes, levels, strict=False):
        rng = random.Random(f"work {hero.id}")
        facts = draw_facts(rng, hero.name, hero.appearance.species, hero.appearance.theme)
        telling = tell(rng, facts)
        work = Work(
            id=f"sandbox-{hero.id}",
            title=facts["title"],
            kind="text",
            status="invented",
            licence=LICENCE,
            source="invented for this project; copycat/fairuse/world",
            sha256=sha256_of(telling.text),
        )
        rows[work.id] = _Planted(facts, telling, level, LoadedWork(work, telling.text))
    return rows


def _row(work_id: str) -> _Planted:
    try:
        return _world()[work_id]
    except KeyError as error:
        known = ", ".join(list(_world())[:3])
        raise UserError(f"'{work_id}' is no work of the sandbox\n  its works: {known}, ...") from error
