"""Marks and pieces: nothing of a text is lost, twins find each other, long unshared stretches are folded away."""

from __future__ import annotations

import random

import pytest

from copycat.fairuse.compare import SideBySide, lay_out, marks_of
from copycat.fairuse.compare.page import Texts, build_page
from copycat.fairuse.metrics import compare_texts, shipped_background
from copycat.fairuse.works import load_works

WORKS = {loaded.work.id: loaded.readable for loaded in load_works(["public-domain"])}
ALICE, SONNET = WORKS["alice-opening"], WORKS["sonnet-18"]


def side_by_side(output: str, reference: str) -> SideBySide:
    comparison = compare_texts(output, reference)
    return lay_out(output, reference, marks_of(comparison))


def invented(n: int, seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(f"w{rng.randrange(10**6)}" for _ in range(n))


def mixed(seed: int) -> str:
    """Parts of a work, in any order, some twice, some disguised, between words of its own."""
    rng = random.Random(seed)
    parts = []
    for n in range(rng.randint(0, 8)):
        start = rng.randrange(len(ALICE))
        part = ALICE[start : start + rng.choice((40, 90, 500))]
        parts += [invented(rng.choice((2, 700)), seed + n), rng.choice((part, part.upper(), "  ".join(part)))]
    return " ".join(parts)


@pytest.mark.parametrize("seed", range(25))
def test_the_pieces_of_a_side_are_its_text_and_every_mark_is_somewhere_on_both(seed: int) -> None:
    output = mixed(seed)
    sides = side_by_side(output, ALICE)
    for text, pieces in ((output, sides.output), (ALICE, sides.reference)):
        assert "".join(piece.text for piece in pieces) == text
        for piece in pieces:
            assert "".join(part.text for part in piece.parts) == (piece.text if piece.mark else "")
        numbers = [n for piece in pieces if piece.mark for n in (piece.mark.number, *piece.also)]
        assert sorted(numbers) == [mark.number for mark in sides.marks]
    assert [mark.number for mark in sides.marks] == list(range(1, len(sides.marks) + 1))


def test_what_differs_inside_a_span_is_told_from_what_is_the_same() -> None:
    sides = side_by_side(SONNET.replace("temperate", "moderate"), SONNET)
    (mark,) = sides.marks
    assert mark.kind == "span"
    parts = [part for piece in sides.output for part in piece.parts if not part.exact and part.text.strip(" :,\n")]
    assert [part.text.strip(" :,\n") for part in parts] == ["moderate"]


def test_a_passage_that_is_quoted_twice_is_marked_once_in_the_work_and_both_quotes_lead_there() -> None:
    quote = "by chance, or nature's changing course untrimm'd"
    output = f"{quote} said one otter. {invented(5, 1)} {quote} said the other."
    sides = side_by_side(output, SONNET)
    assert [mark.kind for mark in sides.marks] == ["quote", "quote"]
    (piece,) = [piece for piece in sides.reference if piece.mark]
    assert (piece.mark and piece.mark.number, piece.also) == (1, (2,))


def test_a_long_stretch_that_is_not_shared_is_folded_away_and_a_short_one_is_not() -> None:
    output = f"{invented(2000, 1)} {SONNET} {invented(60, 2)}"
    sides = side_by_side(output, SONNET)
    assert [piece.kind for piece in sides.output] == ["plain", "folded", "plain", "mark", "plain"]
    folded = sides.output[1]
    assert folded.words > 1700
    assert len(sides.output[0].text) < 700


def test_texts_that_share_nothing_have_no_mark() -> None:
    sides = side_by_side(invented(40, 1), SONNET)
    assert sides.marks == ()
    assert [piece.kind for piece in sides.output] == ["plain"]
    assert side_by_side("", "").output == ()


def test_a_quote_that_anybody_may_write_is_marked_as_a_stock_phrase() -> None:
    common = "at the end of the day there was a"
    output, reference = f"{common} hum of otters", f"moss and bells {common} clock"
    comparison = compare_texts(output, reference)
    kinds = [mark.kind for mark in marks_of(comparison, output, shipped_background())]
    assert kinds == ["stock"]
    assert [mark.kind for mark in marks_of(comparison)] == ["quote"]


ODD = "ab \n\u200b\u0301\u05d0\u202e\ufb01\U0001f984\u3042\u0e01<&\"'0@\ud800\x00-"


@pytest.mark.parametrize("seed", range(30))
def test_letters_of_any_kind_are_compared_and_laid_out(seed: int) -> None:
    rng = random.Random(seed)
    output, reference = ("".join(rng.choices(ODD, k=rng.randint(1, 300))) + " tide clock" * 8 for _ in range(2))
    comparison = compare_texts(output, reference)
    sides = lay_out(output, reference, marks_of(comparison))
    assert "".join(piece.text for piece in sides.output) == output
    assert "".join(piece.text for piece in sides.reference) == reference
    assert comparison.canonical.common_substring >= 14
    page = build_page(Texts("a", output, "b", reference), comparison)
    assert page.encode("utf-8", "replace")
