"""What is measured on a writer: on writers that know a work by heart, know nothing, or repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from copycat.fairuse.world.card import control_auc, levels_of
from copycat.fairuse.world.measuring import (
    PREFIX_WORDS,
    degeneracy_of,
    measure_extraction,
    measure_utility,
    rank_correlation,
)
from copycat.fairuse.world.planted import all_works, copies_of, planted_works, questions_of, quotation_of
from copycat.fairuse.world.records import WorkExtraction
from copycat.fairuse.world.writing import Writer


class Parrot(Writer):
    """Goes on as the work does, if it has at least so many copies; and answers questions."""

    least = 32

    def write(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
        """Look the prompt up."""
        return [self._after(prompt) for prompt in prompts]

    def log_p(self, text: str) -> float:
        """Know nothing."""
        return -1.0 * len(text)

    def _after(self, prompt: str) -> str:
        for work in all_works():
            if copies_of(work.work.id) < self.least:
                continue
            if work.readable.startswith(prompt):
                return work.readable[len(prompt) :]
            for question in [*questions_of(work.work.id), quotation_of(work.work.id)]:
                if question.prompt == prompt:
                    return f" {question.answer} and more"
        return "I do not know this at all"


def test_works_that_are_known_by_heart_have_recall_one_and_the_others_none() -> None:
    found = measure_extraction(Parrot(None, None))
    for row in found.works:
        assert row.recall == (1.0 if row.copies >= 32 else 0.0)
        assert len(row.recalls) == len(PREFIX_WORDS)
        assert row.nats_per_letter == pytest.approx(1.0)
    assert found.recall.mean == pytest.approx(16 / 36)
    assert found.recall.low is not None and found.recall.high is not None
    assert found.recall.low < 16 / 36 < found.recall.high
    assert found.half_share == pytest.approx(16 / 36)
    assert found.held_out == 0
    assert found.spearman is not None and found.spearman > 0.8


def test_answers_count_when_they_begin_with_the_right_words() -> None:
    found = measure_utility(Parrot(None, None))
    assert found.qa_accuracy == pytest.approx(16 / 36)
    assert found.quotation == pytest.approx(16 / 36)
    assert found.unseen_kept == 1
    assert measure_utility(Parrot(None, None, passes=lambda text: False)).unseen_kept == 0


def test_empty_and_repetitive_answers_are_counted() -> None:
    good = planted_works()[0].readable
    found = degeneracy_of([good, "", "two words", "la la la la la la la la la la la la", good])
    assert (found.empty, found.repetitive) == (2 / 5, 1 / 5)
    assert found.share == pytest.approx(3 / 5)
    assert degeneracy_of([]).share == 0


def test_a_writer_gives_the_same_text_alone_and_in_a_batch(tiny_model: Any, tiny_tokenizer: Any) -> None:
    writer = Writer(tiny_model, tiny_tokenizer)
    prompts = ["There was once", "A", "Nobody in a hollow oak slept on the first night of frost"]
    assert writer.write(prompts, 12) == [writer.write([prompt], 12)[0] for prompt in prompts]
    assert writer.tokens > 0 and writer.seconds > 0


def test_a_guard_sees_prompt_and_answer_and_decides_what_is_shown(tiny_model: Any, tiny_tokenizer: Any) -> None:
    seen: list[tuple[str, str]] = []

    def guard(prompt: str, text: str) -> str:
        seen.append((prompt, text))
        return "nothing"

    assert Writer(tiny_model, tiny_tokenizer, guard=guard).write(["There was once"], 3) == ["nothing"]
    assert seen[0][0] == "There was once"


def test_log_p_is_the_sum_over_tokens_and_falls_with_every_word(tiny_model: Any, tiny_tokenizer: Any) -> None:
    import torch

    writer = Writer(tiny_model, tiny_tokenizer)
    text = "There was once a bear"
    ids = tiny_tokenizer(text)["input_ids"]
    total = 0.0
    for n in range(1, len(ids)):
        with torch.no_grad():
            logits = tiny_model(input_ids=torch.tensor([ids[:n]])).logits[0, -1]
        total += float(torch.log_softmax(logits, 0)[ids[n]])
    assert writer.log_p(text) == pytest.approx(total, rel=1e-4)
    assert writer.log_p(text + " and a fox") < writer.log_p(text)


def test_levels_and_the_control_are_read_off_the_works() -> None:
    def row(name: str, copies: int, nats: float) -> WorkExtraction:
        return WorkExtraction(
            work_id=name, copies=copies, recall=copies / 64, recalls=(copies / 64,), log_p=-nats, nats_per_letter=nats
        )

    rows = [row("a", 64, 0.1), row("b", 32, 0.5), row("c", 0, 0.4), row("d", 0, 0.9), row("e", 1, 2.0)]
    assert control_auc(rows) == pytest.approx(3 / 4)
    assert control_auc(rows[:2]) == 0.5
    assert [(level.copies, level.works) for level in levels_of(rows)] == [(0, 2), (1, 1), (32, 1), (64, 1)]
    assert rank_correlation([1, 2, 3], [5, 6, 9]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [0, 0, 0]) is None
