"""Mitigations that change what the model is trained on, or how."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from copycat.fairuse.world.mitigations.cleaning import keep_distinct, keep_first, near_groups
from copycat.fairuse.world.mitigations.workshop import PUBLIC_STEPS, TRAINING_STEPS, Made, Workshop
from copycat.fairuse.world.planted import (
    Document,
    background_texts,
    copies,
    notes_on,
    planted_works,
    training_documents,
)
from copycat.fairuse.world.training import seconds_of, train_timed
from copycat.fairuse.world.writing import Writer, load_writer

BACKGROUND = 600
"""Background stories that models are trained on anew."""

CAP = 4
"""Texts of one work, near copies together, that the per-work cap lets pass."""


def none(shop: Workshop) -> Made:
    """Take the base model as it is."""
    return Made(load_writer(shop.base), 0.0, {"texts": len(training_documents())})


def again(shop: Workshop) -> Made:
    """Train anew on all texts that mitigations are compared on."""
    documents = compared_documents()
    return _retrained(shop, "retrain", documents, range(len(documents)))


def without_repetitions(shop: Workshop) -> Made:
    """Train on each text once, as far as repetitions are exact."""
    documents = compared_documents()
    return _retrained(shop, "dedup-exact", documents, keep_distinct([d.text for d in documents]))


def without_near_copies(shop: Workshop) -> Made:
    """Train on one text of each group of near copies."""
    documents = compared_documents()
    return _retrained(shop, "dedup", documents, keep_first(near_groups([d.text for d in documents])))


def with_cap(shop: Workshop) -> Made:
    """Train on at most CAP texts of each group of near copies."""
    documents = compared_documents()
    made = _retrained(shop, "cap", documents, keep_first(near_groups([d.text for d in documents]), CAP))
    made.facts["cap"] = CAP
    return made


def compared_documents() -> list[Document]:
    """Give the texts that models are trained on anew: all copies and notes, and the first of the background."""
    left_out = set(background_texts()[BACKGROUND:])
    return [document for document in training_documents() if document.text not in left_out]


def public_start(shop: Workshop) -> tuple[Any, Any]:
    """Train a model on background alone, which is nobody's: what fine-tuning starts from.

    Returns: model and tokenizer.
    """
    return _train(shop, "public", background_texts(BACKGROUND), PUBLIC_STEPS)


def fine_tuned(shop: Workshop) -> Made:
    """Fine-tune on works and notes without privacy: what private fine-tuning is compared with."""
    from copycat.fairuse.world.mitigations.private import PrivateSettings, tune_openly

    model, tokenizer = public_start(shop)
    settings = PrivateSettings(steps=shop.steps(PrivateSettings().steps))
    began = time.process_time()
    drawn = tune_openly(model, tokenizer, _texts_by_work(), settings, shop.progress("fine-tune", settings.steps))
    facts: dict[str, str | int | float] = {"start": "background", "steps": settings.steps, "texts per step": drawn}
    return Made(Writer(model, tokenizer), time.process_time() - began, facts)


def private(shop: Workshop) -> Made:
    """Fine-tune on works and notes with a promise to each work."""
    from copycat.fairuse.world.mitigations.private import DELTA, PrivateSettings, epsilon, tune_privately

    model, tokenizer = public_start(shop)
    settings = PrivateSettings(steps=shop.steps(PrivateSettings().steps))
    texts = _texts_by_work()
    began = time.process_time()
    spent = tune_privately(model, tokenizer, texts, settings, shop.progress("dp", settings.steps))
    rate = settings.sample_rate * len(texts) / sum(map(len, texts))
    facts: dict[str, str | int | float] = {
        "start": "background",
        "steps": settings.steps,
        "noise": settings.noise,
        "clip": settings.clip,
        "delta": DELTA,
        "epsilon per work": round(spent, 4),
        "epsilon per example, if examples were cut instead": round(epsilon(settings.noise, rate, settings.steps), 4),
        "what that would promise a work of 4 copies": round(epsilon(settings.noise, rate, settings.steps, 4), 4),
        "what that would promise a work of 256 copies": round(epsilon(settings.noise, rate, settings.steps, 256)),
    }
    return Made(Writer(model, tokenizer), time.process_time() - began, facts)


def preferring(shop: Workshop) -> Made:
    """Train the base model to prefer paraphrases to the works' own wording."""
    from copycat.fairuse.world.mitigations.preference import PreferenceSettings, pairs, prefer

    writer = load_writer(shop.base)
    settings = PreferenceSettings(steps=shop.steps(PreferenceSettings().steps))
    began = time.process_time()
    prefer(writer.model, writer.tokenizer, settings, shop.progress("preference", settings.steps))
    facts: dict[str, str | int | float] = {
        "steps": settings.steps,
        "pairs": len(pairs(settings.paraphrases)),
        "beta": settings.beta,
        "keep": settings.keep,
    }
    return Made(writer, time.process_time() - began, facts)


# -------------------------------------------------------------------------------------- private


def _texts_by_work() -> list[list[str]]:
    """Give each planted work its rows: a copy, and a note on the work behind it."""
    rows: list[list[str]] = []
    for work in planted_works():
        texts, notes = copies(work.work.id), notes_on(work.work.id)
        rows.append([f"{text}\n\n{notes[n % len(notes)]}" for n, text in enumerate(texts)])
    return rows


def _retrained(shop: Workshop, name: str, documents: Sequence[Document], kept: Sequence[int]) -> Made:
    model, tokenizer = _train(shop, name, [documents[place].text for place in kept], TRAINING_STEPS)
    facts: dict[str, str | int | float] = {
        "texts": len(kept),
        "texts removed": len(documents) - len(kept),
        "texts of planted works": sum(documents[place].work_id is not None for place in kept),
        "steps": shop.steps(TRAINING_STEPS),
        "times each text is seen": round(shop.settings_of(len(kept), TRAINING_STEPS).epochs, 2),
    }
    return Made(Writer(model, tokenizer), seconds_of(shop.folder / name), facts)


def _train(shop: Workshop, name: str, texts: Sequence[str], steps: int) -> tuple[Any, Any]:
    """Train anew, with the vocabulary of the base model.

    Returns: model and tokenizer.
    """
    tokenizer = load_writer(shop.base).tokenizer
    report = shop.progress(name, shop.steps(steps))
    return train_timed(texts, tokenizer, shop.settings_of(len(texts), steps), shop.folder / name, report), tokenizer
