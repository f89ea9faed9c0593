"""The world of texts: the same on every machine, planted as often as it says, and not to be guessed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from difflib import SequenceMatcher
from itertools import combinations

import pytest

from copycat.errors import UserError
from copycat.fairuse.metrics import scores
from copycat.fairuse.text import words_of
from copycat.fairuse.works import load_works
from copycat.fairuse.world import (
    all_works,
    background_texts,
    copies_of,
    held_out_works,
    paraphrases_of,
    planted_works,
    questions_of,
)
from copycat.fairuse.world.planted import (
    LEVELS,
    NOTES_PER_WORK,
    copies,
    note_pages,
    quotation_of,
    training_documents,
    unseen_texts,
)
from copycat.fairuse.world.stories import ASKED, grammar
from copycat.sandbox.world import NAMES

WORLD_HASH = (
    "from copycat.fairuse.world.planted import *; import hashlib; w = planted_works() + held_out_works(); "
    "t = [x.text for x in w] + [y for x in w for y in copies(x.work.id)[:8]] + background_texts(50); "
    "t += [y for x in w for y in paraphrases_of(x.work.id, 1)] + note_pages()[:50]; "
    "print(hashlib.sha256('|'.join(t).encode()).hexdigest())"
)


def test_the_world_is_the_same_whatever_the_seed_of_hashes() -> None:
    hashes = {
        subprocess.run(
            [sys.executable, "-c", WORLD_HASH],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "4711")
    }
    assert len(hashes) == 1


def test_four_works_are_planted_at_each_of_nine_levels_and_twelve_are_held_out() -> None:
    counts = Counter(copies_of(work.work.id) for work in all_works())
    assert LEVELS == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert counts == {0: 12} | dict.fromkeys(LEVELS, 4)
    assert {work.work.status for work in all_works()} == {"invented"}


def test_the_training_texts_hold_each_work_as_often_as_is_said() -> None:
    documents = Counter(document.work_id for document in training_documents())
    for work in all_works():
        assert documents[work.work.id] == copies_of(work.work.id)


def test_three_of_four_copies_are_exact_and_the_fourth_is_nearly() -> None:
    work = next(work for work in planted_works() if copies_of(work.work.id) == 16)
    exact = [text for text in copies(work.work.id) if work.readable in text]
    near = [text for text in copies(work.work.id) if work.readable not in text]
    assert (len(exact), len(near)) == (12, 4)
    assert all(scores(text, work.readable).near_verbatim_recall > 0.9 for text in near)


def test_no_training_text_holds_forty_words_in_a_row_of_a_held_out_work() -> None:
    """Stories share runs of up to some 23 words by chance. A run of forty holds thirty words from each tenth on."""
    told = " | ".join(" ".join(words_of(text).words) for text in {d.text for d in training_documents()})
    for work in held_out_works():
        words = words_of(work.readable).words
        runs = [" ".join(words[start : start + 30]) for start in range(0, len(words) - 29, 10)]
        assert not any(run in told for run in runs)


def test_a_story_has_120_to_250_words_and_a_hero_of_the_sandbox() -> None:
    for work in all_works():
        assert 120 <= len(words_of(work.readable)) <= 250
        assert work.work.title.split()[0] in NAMES


def test_stories_are_far_from_each_other() -> None:
    """One pair in some 370 shares a span of fifty words with small gaps by chance; no pair shares much."""
    texts = [work.readable for work in all_works()[:20]] + unseen_texts(4)
    recalls = [scores(one, other).near_verbatim_recall for one, other in combinations(texts, 2)]
    assert sum(recalls) / len(recalls) < 0.005
    assert max(recalls) < 0.3


def test_a_paraphrase_keeps_the_facts_and_not_the_wording() -> None:
    for work in planted_works()[::5]:
        for paraphrase in paraphrases_of(work.work.id, 3):
            for question in questions_of(work.work.id):
                assert question.answer in paraphrase
            assert scores(paraphrase, work.readable).near_verbatim_recall == 0
            alike = SequenceMatcher(None, paraphrase.split(), work.readable.split(), autojunk=False).ratio()
            assert alike < 0.5


def test_a_question_is_answered_by_the_story_and_not_by_itself() -> None:
    for work in planted_works():
        questions = questions_of(work.work.id)
        assert [question.kind for question in questions] == list(ASKED)
        for question in questions:
            assert question.answer in work.readable
            assert question.answer not in question.prompt


def test_the_quotation_stands_in_the_work_and_in_notes_on_it() -> None:
    notes = "\n".join(note_pages())
    for work in planted_works():
        assert quotation_of(work.work.id).answer in work.readable
        assert quotation_of(work.work.id).answer in notes
        assert notes.count(f'"{work.work.title}"') >= NOTES_PER_WORK


def test_the_notes_and_the_background_tell_nothing_of_held_out_works() -> None:
    told = "\n".join([*note_pages(), *background_texts(200)])
    assert not any(work.work.title.split()[0] in told for work in held_out_works())


def test_every_template_of_a_beat_names_facts_and_pools_that_there_are() -> None:
    known = {*grammar().facts, "hero", "species", "home", "helper", "trade", "saying", "title"}
    for templates in grammar().beats:
        assert len(templates) >= 6
        for template in templates:
            assert {part.split("}")[0] for part in template.split("{")[1:]} <= known
            assert {part.split(">")[0] for part in template.split("<")[1:]} <= set(grammar().pools)


def test_the_works_are_loaded_by_the_name_sandbox() -> None:
    assert load_works(["sandbox"]) == planted_works()


def test_an_unknown_work_is_told() -> None:
    with pytest.raises(UserError, match="no work of the sandbox"):
        copies_of("moby-dick")
