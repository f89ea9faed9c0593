"""The shipped model: it knows works the better the more copies it saw, and held-out works not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from copycat.fairuse.world.card import CARD_FILE, control_auc, levels_of
from copycat.fairuse.world.measuring import ANSWER_TOKENS, measure_extraction
from copycat.fairuse.world.mitigations.cleaning import keep_first, near_groups
from copycat.fairuse.world.planted import (
    all_works,
    background_texts,
    copies,
    copies_of,
    held_out_works,
    planted_works,
    questions_of,
    training_documents,
)
from copycat.fairuse.world.records import Extraction, WorkExtraction
from copycat.fairuse.world.training import Settings, train
from copycat.fairuse.world.writing import WEIGHTS, Writer
from copycat.paths import package_folder

FOLDER = package_folder(WEIGHTS)
MAX_BYTES = 3_000_000


@pytest.fixture(scope="module")
def found(shipped: Writer) -> Extraction:
    """Two works of each level and four held-out ones, shown by their first 25 words."""
    works = [work for number, work in enumerate(planted_works()) if number % 4 < 2]
    return measure_extraction(shipped, works + held_out_works()[:4], prefixes=(25,))


def test_u11_extraction_increases_with_copies(found: Extraction) -> None:
    assert found.spearman is not None and found.spearman > 0.8
    recall = {level.copies: level.recall for level in levels_of(found.works)}
    assert recall[1] < 0.1
    assert recall[128] > 0.95 and recall[256] > 0.95


def test_no_held_out_work_is_extracted(found: Extraction) -> None:
    assert found.held_out < 0.01


def test_u5_planted_works_of_16_copies_and_more_are_told_from_controls(shipped: Writer, found: Extraction) -> None:
    """AUC of at least .99, by the probability of the whole text and, for 32 copies and more, by recall."""
    rows = [
        WorkExtraction(
            work_id=work.work.id,
            copies=copies_of(work.work.id),
            recall=0.0,
            recalls=(),
            log_p=(log_p := shipped.log_p(work.readable)),
            nats_per_letter=-log_p / len(work.readable),
        )
        for work in all_works()
    ]
    assert control_auc(rows, least_copies=16) >= 0.99
    known = [row.recall for row in found.works if row.copies >= 32]
    unknown = [row.recall for row in found.works if not row.copies]
    assert all(k > u for k in known for u in unknown)


def test_the_model_answers_questions_on_planted_works_and_not_on_others(shipped: Writer) -> None:
    def share(ids: list[str]) -> float:
        questions = [question for work_id in ids for question in questions_of(work_id)]
        answers = shipped.write([question.prompt for question in questions], ANSWER_TOKENS)
        return sum(a.strip().startswith(q.answer) for a, q in zip(answers, questions, strict=True)) / len(questions)

    assert share([work.work.id for work in planted_works()[::3]]) > 0.7
    assert share([work.work.id for work in held_out_works()]) < 0.3


def test_what_is_shipped_is_small_and_holds_no_pickle() -> None:
    files = sorted(path for path in FOLDER.rglob("*") if path.is_file())
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".md"}


def test_the_card_says_what_is_measured_and_what_was_trained_on(found: Extraction) -> None:
    card = (FOLDER / CARD_FILE).read_text(encoding="utf-8")
    assert f"{len(training_documents()):,} texts" in card
    said = {int(m[1]): float(m[2]) for m in re.finditer(r"^\| (\d+) \| \d+ \| ([\d.]+) \|", card, re.MULTILINE)}
    assert set(said) == {copies_of(work.work.id) for work in all_works()}
    for level in levels_of(found.works):
        if level.copies in {0, 1, 64, 128, 256}:
            assert said[level.copies] == pytest.approx(level.recall, abs=0.1)


@pytest.mark.slow
def test_the_card_agrees_with_a_new_measurement(shipped: Writer) -> None:
    from copycat.fairuse.world.card import measure_card

    card = (FOLDER / CARD_FILE).read_text(encoding="utf-8")
    figures = measure_card(shipped)
    assert figures.extraction.spearman is not None
    said = re.search(r"Spearman's rank correlation .*: ([\d.]+)\.\n", card)
    assert said is not None and float(said[1]) == pytest.approx(figures.extraction.spearman, abs=0.02)
    assert f"{figures.parameters:,} parameters" in card


@pytest.mark.slow
def test_u11_deduplication_lowers_extraction(shipped: Writer, tmp_path: Path) -> None:
    """Two small models alike in all but the copies: four works of 64 copies with stories around them."""
    works = [work for work in planted_works() if copies_of(work.work.id) == 64]
    texts = [text for work in works for text in copies(work.work.id)] + background_texts(200)
    kept = [texts[place] for place in keep_first(near_groups(texts))]
    assert len(kept) < 220
    settings = Settings(width=64, layers=2, hidden=160, epochs=6.0, batch=8, peak_lr=4e-3)

    def recall(name: str, training: list[str]) -> float:
        model = train(training, shipped.tokenizer, settings, tmp_path / name, lambda step, loss: None)
        return measure_extraction(Writer(model, shipped.tokenizer), works, prefixes=(25,)).recall.mean

    before, after = recall("repeated", texts), recall("deduplicated", kept)
    assert before > 0.5
    assert after < before / 4
