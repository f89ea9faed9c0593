"""The training set: counts, captions, and what the keyword lists are made from."""

import random
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from copycat.catalog import read_character_set, read_prompt_set
from copycat.sandbox.captions import KEYWORD_POOL, attribute_words, caption, describe
from copycat.sandbox.corpus import (
    Row,
    build_rows,
    cooccurrence_keywords,
    nameless_captions,
    render_many,
    write_captions,
)
from copycat.sandbox.export import build_character_set
from copycat.sandbox.renderer import render
from copycat.sandbox.world import inhabitants


@cache
def rows() -> list[Row]:
    return build_rows()


def test_each_character_appears_exactly_as_often_as_the_world_says():
    shown = Counter(row.character for row in rows())

    assert {who.id: shown[who.id] for who in inhabitants()} == {who.id: who.pictures for who in inhabitants()}
    assert shown[None] == sum(who.pictures for who in inhabitants())


def test_about_half_of_a_characters_captions_name_it_and_no_other_caption_does():
    names = {who.id: who.name for who in inhabitants()}
    own = [row for row in rows() if row.character is not None]

    named = sum(names[row.character] in row.caption for row in own if row.character)

    assert 0.5 < named / len(own) < 0.6
    generic = [row.caption for row in rows() if row.character is None]
    assert not any(name in text for text in generic for name in names.values())


def test_a_caption_without_the_name_says_theme_and_species():
    who = inhabitants()[0]
    looks = who.appearance
    rng = random.Random(0)
    texts = [caption(looks, rng, who.name, who.franchise) for _ in range(400)]
    place = {"space", "in outer space"}

    nameless = [text for text in texts if who.name not in text]

    assert len(nameless) > 100
    assert all(looks.species in text and any(p in text for p in place) for text in nameless)


def test_every_character_has_five_keywords_even_with_two_pictures():
    keywords = cooccurrence_keywords(rows())

    assert min(len(words) for words in keywords.values()) >= 5


def test_keywords_agree_with_a_slow_count_of_captions_that_hold_name_and_word():
    who = inhabitants()[5]
    own = [f" {r.caption.replace(',', ' ').replace('.', ' ')} " for r in rows() if who.name in r.caption]
    slow = {word: sum(f" {word} " in text for text in own) for word in KEYWORD_POOL}

    ranked = cooccurrence_keywords(rows())[who.id]

    assert [slow[word] for word in ranked] == sorted((n for n in slow.values() if n), reverse=True)


def test_the_shipped_prompts_are_those_of_the_corpus():
    prompts = read_prompt_set(read_character_set("sandbox"))

    ranked = cooccurrence_keywords(rows())

    assert {who: list(words) for who, words in prompts.keywords["cooccurrence"].items()} == ranked


def test_the_shipped_character_file_is_the_world():
    assert read_character_set("sandbox") == build_character_set()


def test_descriptions_have_about_sixty_words_and_name_nobody():
    names = [who.name for who in inhabitants()]

    for who in inhabitants():
        text = describe(who.appearance)

        assert 48 <= len(text.split()) <= 66
        assert not any(name in text for name in names)


def test_the_captions_of_the_tokenizer_hold_no_name():
    texts = nameless_captions(rows())

    assert len(texts) > 20_000
    assert not any(who.name in text for who in inhabitants() for text in texts)


def test_attribute_words_are_keyword_candidates():
    for who in inhabitants():
        assert set(attribute_words(who.appearance)) <= set(KEYWORD_POOL)


def test_the_same_seed_draws_the_same_picture_and_another_seed_another_pose():
    looks = inhabitants()[3].appearance

    first, again, other = (np.asarray(render(looks, random.Random(seed))) for seed in (5, 5, 6))

    assert first.shape == (64, 64, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pictures_drawn_in_parallel_come_in_order():
    items = [(who.appearance, i) for i, who in enumerate(inhabitants()[:6])]

    pixels = render_many(items, processes=2)

    alone = [np.asarray(render(looks, random.Random(seed))) for looks, seed in items]
    assert np.array_equal(pixels, np.stack(alone))


def test_the_parquet_holds_captions_and_the_truth(tmp_path: Path):
    write_captions(rows()[:100], tmp_path / "captions.parquet")

    table = pd.read_parquet(tmp_path / "captions.parquet")

    assert list(table.columns) == [
        *("id", "caption", "character"),
        *("species", "theme", "body", "accent", "pattern", "accessory", "eyes", "seed"),
        *("licence", "author", "synthetic", "generator", "prompt_hash"),
    ]
    assert list(table["caption"]) == [row.caption for row in rows()[:100]]
