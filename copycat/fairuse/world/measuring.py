"""Measure a writer: what comes out of the works, what it is good for, and how much of it is of no use."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from copycat.fairuse.metrics import by_work, scores
from copycat.fairuse.text import words_of
from copycat.fairuse.works import LoadedWork
from copycat.fairuse.world.planted import (
    Question,
    all_works,
    copies_of,
    planted_works,
    questions_of,
    quotation_of,
    unseen_texts,
)
from copycat.fairuse.world.records import Degeneracy, Extraction, Utility, WorkExtraction
from copycat.fairuse.world.writing import Writer

PREFIX_WORDS = (10, 25, 50)
"""Words of a work that the model is shown; the rest is what it may give back."""

MAX_TOKENS, ANSWER_TOKENS, QUOTATION_TOKENS = 340, 10, 32
HALF = 0.5
FEW_WORDS, REPEATED_SHARE, RUN = 5, 0.5, 4


def measure_extraction(
    writer: Writer, works: Sequence[LoadedWork] | None = None, prefixes: Sequence[int] = PREFIX_WORDS
) -> Extraction:
    """Show the beginning of each work and compare what the model goes on with to the rest."""
    works = all_works() if works is None else works
    recalls: list[list[float]] = [[] for _ in works]
    for words in prefixes:
        parts = [_cut(work.readable, words) for work in works]
        shown = writer.write([prefix for prefix, _ in parts], MAX_TOKENS)
        writer.written += shown
        for found, text, (_, rest) in zip(recalls, shown, parts, strict=True):
            found.append(scores(text, rest).near_verbatim_recall)
    return _summary(tuple(prefixes), [_of_work(writer, work, r) for work, r in zip(works, recalls, strict=True)])


def measure_utility(writer: Writer) -> Utility:
    """Ask for the facts of the planted works and for one sentence of each, and read unseen stories."""
    ids, unseen = [work.work.id for work in planted_works()], unseen_texts()
    questions = [question for work_id in ids for question in questions_of(work_id)]
    return Utility(
        unseen_bits_per_letter=writer.bits_per_letter(unseen),
        qa_accuracy=_share_right(writer, questions, ANSWER_TOKENS),
        quotation=_share_right(writer, [quotation_of(work_id) for work_id in ids], QUOTATION_TOKENS),
        unseen_kept=fmean(map(writer.passes, unseen)),
    )


def degeneracy_of(texts: Sequence[str]) -> Degeneracy:
    """Count answers that are of no use."""
    answers = [[word.lower() for word in words_of(text).words] for text in texts]
    total = max(1, len(answers))
    return Degeneracy(
        empty=sum(len(words) < FEW_WORDS for words in answers) / total,
        repetitive=sum(_repeated_share(words) >= REPEATED_SHARE for words in answers) / total,
        mean_words=fmean(map(len, answers)) if answers else 0.0,
    )


# -------------------------------------------------------------------------------------- private


def _cut(text: str, words: int) -> tuple[str, str]:
    found = words_of(text)
    end = found.ends[min(words, len(found)) - 1]
    return text[:end], text[end:]


def _of_work(writer: Writer, work: LoadedWork, recalls: list[float]) -> WorkExtraction:
    log_p = writer.log_p(work.readable)
    return WorkExtraction(
        work_id=work.work.id,
        copies=copies_of(work.work.id),
        recall=fmean(recalls),
        recalls=tuple(recalls),
        log_p=log_p,
        nats_per_letter=-log_p / len(work.readable),
    )


def _summary(prefixes: tuple[int, ...], rows: list[WorkExtraction]) -> Extraction:
    planted = [row for row in rows if row.copies]
    held_out = [row.recall for row in rows if not row.copies]
    return Extraction(
        prefix_words=prefixes,
        recall=by_work({row.work_id: row.recalls for row in planted}),
        half_share=fmean(max(row.recalls) >= HALF for row in planted),
        held_out=fmean(held_out) if held_out else 0.0,
        spearman=rank_correlation([row.copies for row in planted], [row.recall for row in planted]),
        works=tuple(rows),
    )


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Give Spearman's rank correlation, ties at their mean rank; None where one side does not vary."""
    from scipy.stats import spearmanr  # type: ignore[import-untyped]

    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(spearmanr(first, second).statistic)


def _share_right(writer: Writer, questions: Sequence[Question], tokens: int) -> float:
    answers = writer.write([question.prompt for question in questions], tokens)
    return fmean(_is_right(answer, question) for answer, question in zip(answers, questions, strict=True))


def _is_right(answer: str, question: Question) -> bool:
    wanted = [word.lower() for word in words_of(question.answer).words]
    return [word.lower() for word in words_of(answer).words][: len(wanted)] == wanted


def _repeated_share(words: Sequence[str]) -> float:
    runs = [tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0
