"""Mitigations that change what the model is trained on, or how."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from copycat.fairuse.world.mitigations.cleaning import keep_distinct, keep_first, near_groups
from copycat.fairuse.world.mitigations.workshop import Made, Workshop
from copycat.fairuse.world.planted import (
    Document,
    background_texts,
    copies,
    notes_on,
    planted_works,
    training_documents,
)
from copycat.fairuse.world.training import seconds_of, steps_of, train_timed
from copycat.fairuse.world.writing import Writer, load_writer

CAP = 4
"""Texts of one work, near copies together, that the per-work cap lets pass."""


def none(shop: Workshop) -> Made:
    """Take the base model as it is."""
    return Made(load_writer(shop.base), 0.0, {"texts": len(training_documents())})


def without_repetitions(shop: Workshop) -> Made:
    """Train on each text once, as far as repetitions are exact."""
    documents = training_documents()
    return _retrained(shop, "dedup-exact", documents, keep_distinct([d.text for d in documents]))


def without_near_copies(shop: Workshop) -> Made:
    """Train on one text of each group of near copies."""
    documents = training_documents()
    return _retrained(shop, "dedup", documents, keep_first(near_groups([d.text for d in documents])))


def with_cap(shop: Workshop) -> Made:
    """Train on at most CAP texts of each group of near copies."""
    documents = training_documents()
    made = _retrained(shop, "cap", documents, keep_first(near_groups([d.text for d in documents]), CAP))
    made.facts["cap"] = CAP
    return made


def public_start(shop: Workshop) -> tuple[Any, Any, float]:
    """Train a model on the background alone, which is nobody's: what private fine-tuning starts from.

    Returns: model, tokenizer, seconds of training.
    """
    tokenizer = load_writer(shop.base).tokenizer
    texts = background_texts()
    return *_train(shop, "public", texts, tokenizer), seconds_of(shop.folder / "public")


def fine_tuned(shop: Workshop) -> Made:
    """Fine-tune on works and notes without privacy: what private fine-tuning is compared with."""
    from copycat.fairuse.world.mitigations.private import PrivateSettings, tune_openly

    model, tokenizer, _ = public_start(shop)
    settings = PrivateSettings(steps=shop.steps(PrivateSettings().steps))
    began = time.process_time()
    drawn = tune_openly(model, tokenizer, _texts_by_work(), settings, shop.progress("fine-tune", settings.steps))
    facts: dict[str, str | int | float] = {"start": "background", "steps": settings.steps, "texts per step": drawn}
    return Made(Writer(model, tokenizer), time.process_time() - began, facts)


def private(shop: Workshop) -> Made:
    """Fine-tune on works and notes with a promise to each work."""
    from copycat.fairuse.world.mitigations.private import DELTA, PrivateSettings, epsilon, tune_privately

    model, tokenizer, _ = public_start(shop)
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
    """Give each planted work its rows: a copy and a note on the work."""
    rows: list[list[str]] = []
    for work in planted_works():
        texts, notes = copies(work.work.id), notes_on(work.work.id)
        rows.append([f"{notes[n % len(notes)]}\n\n{text}" for n, text in enumerate(texts)])
    return rows


def _retrained(shop: Workshop, name: str, documents: Sequence[Document], kept: Sequence[int]) -> Made:
    tokenizer = load_writer(shop.base).tokenizer
    model, _ = _train(shop, name, [documents[place].text for place in kept], tokenizer)
    facts: dict[str, str | int | float] = {
        "texts": len(kept),
        "texts removed": len(documents) - len(kept),
        "texts of planted works": sum(documents[place].work_id is not None for place in kept),
        "epochs": shop.scaled().epochs,
    }
    return Made(Writer(model, tokenizer), seconds_of(shop.folder / name), facts)


def _train(shop: Workshop, name: str, texts: Sequence[str], tokenizer: Any) -> tuple[Any, Any]:
    settings = shop.scaled()
    report = shop.progress(name, steps_of(len(texts), settings))
    return train_timed(texts, tokenizer, settings, shop.folder / name, report), tokenizer
