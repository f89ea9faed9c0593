"""An output against a work: what the figures say of copies, disguises, quotes and nothing at all."""

from __future__ import annotations

import random

import pytest
from rouge_score import rouge_scorer

from copycat.fairuse.metrics import best_of, compare_texts, near_verbatim, near_verbatim_grid, number_words, scores
from copycat.fairuse.metrics.near_verbatim import shortest_span
from copycat.fairuse.records import TextScores
from copycat.fairuse.text import words_of
from copycat.fairuse.works import load_works

WORKS = {loaded.work.id: loaded.readable for loaded in load_works(["public-domain"])}
GETTYSBURG, ALICE, SONNET = WORKS["gettysburg-address"], WORKS["alice-opening"], WORKS["sonnet-18"]
SHARES = [name for name, field in TextScores.model_fields.items() if "float" in str(field.annotation)]
SHARES.remove("discounted_runs")
OTHER = " and then the otter rowed home over the quiet harbour with nine new lamps for the keeper's daughter"


def leet(text: str) -> str:
    return text.translate(str.maketrans("aoeistAOEIST", "403157403157"))


def spaced(text: str) -> str:
    return "   ".join(" ".join(word) for word in text.split())


def invented(n: int, seed: int = 1) -> str:
    rng = random.Random(seed)
    return " ".join(f"w{rng.randrange(5000)}" for _ in range(n))


@pytest.mark.parametrize(
    "text", [GETTYSBURG, SONNET, "moss", "the bell", "日本語の文章", "q " * 400], ids=lambda t: t[:8]
)
def test_u1_two_texts_that_are_the_same_have_every_similarity_1(text: str) -> None:
    found = compare_texts(text, text)
    for score in (found.raw, found.canonical):
        assert {getattr(score, name) for name in SHARES} == {1.0}
        lengths = {score.common_prefix, score.common_substring, score.common_subsequence, score.longest_near_verbatim}
        assert lengths == {score.output_words} == {score.reference_words}
    assert found.raw.common_substring_chars == len(text)


@pytest.mark.parametrize(("output", "reference"), [("", ""), ("", SONNET), (SONNET, ""), ("...", SONNET)])
def test_u1_an_empty_text_has_every_figure_0(output: str, reference: str) -> None:
    found = compare_texts(output, reference)
    for score in (found.raw, found.canonical):
        figures = score.model_dump(exclude={"output_words", "reference_words", "discounted_runs", "exact_blocks"})
        assert set(figures.values()) == {0}
    assert found.spans == found.blocks == found.quotes == ()


def test_u1_the_best_of_several_answers_does_not_depend_on_their_order() -> None:
    answers = [scores(text, SONNET) for text in ("", SONNET[100:300], ALICE, SONNET[:90], SONNET[50:120] + OTHER)]
    best = best_of(answers)
    rng = random.Random(4)
    for _ in range(20):
        rng.shuffle(answers)
        assert best_of(answers) == best
    assert best.common_substring == max(score.common_substring for score in answers)


def test_the_best_of_answers_keeps_a_figure_that_only_one_of_them_has() -> None:
    one = scores(SONNET, SONNET)
    other = one.model_copy(update={"edit_similarity": None, "common_prefix": 999, "exact_blocks": False})
    best = best_of([one, other])
    assert (best.edit_similarity, best.common_prefix, best.exact_blocks) == (1.0, 999, False)
    with pytest.raises(ValueError, match="no scores"):
        best_of([])


def test_u3_a_wrong_first_word_makes_the_prefix_0_and_leaves_near_verbatim_recall() -> None:
    found = compare_texts("Five" + GETTYSBURG[4:], GETTYSBURG)
    for score in (found.raw, found.canonical):
        assert score.common_prefix == 0
        assert score.near_verbatim_recall >= 0.95
    assert len(found.spans) == 1


@pytest.mark.parametrize("work", sorted(WORKS))
@pytest.mark.parametrize("disguise", [leet, str.upper, spaced, lambda text: spaced(leet(text).upper())])
def test_u4_a_disguised_copy_scores_within_2_percent_of_the_plain_one(disguise: object, work: str) -> None:
    assert callable(disguise)
    text = WORKS[work]
    plain = text[: len(text) * 2 // 3] + OTHER
    wanted, found = compare_texts(plain, text).canonical, compare_texts(disguise(plain), text).canonical
    for name in SHARES:
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=0.02), name
    assert abs(found.acs_6 - wanted.acs_6) <= 0.02 * wanted.acs_6


@pytest.mark.parametrize("work", sorted(WORKS))
def test_u4_evenly_spaced_letters_score_as_the_plain_copy_although_nothing_tells_its_words_apart(work: str) -> None:
    text = WORKS[work]
    plain = text[: len(text) * 2 // 3]
    found, wanted = (
        compare_texts(" ".join("".join(plain.split())), text).canonical,
        compare_texts(plain, text).canonical,
    )
    for name in SHARES:
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=0.02), name


def test_evasion_gain_is_what_the_canonical_form_finds_beyond_the_raw_one() -> None:
    assert compare_texts(spaced(SONNET), SONNET).evasion_gain == 1.0
    assert compare_texts(SONNET, SONNET).evasion_gain == 0.0


def test_u8_stitched_six_word_quotes_are_found_by_acs_and_missed_by_the_substring() -> None:
    words = words_of(ALICE).words
    starts = list(range(0, len(words) - 6, 17))
    random.Random(1).shuffle(starts)
    quotes = [" ".join(words[start : start + 6]) for start in starts]
    stitched = " so said otters ".join(quotes)

    found = compare_texts(stitched, ALICE)

    assert found.canonical.common_substring <= 8
    assert found.canonical.near_verbatim_recall == 0
    assert found.canonical.acs_6 >= 6 * len(quotes)
    assert len(found.quotes) == len(quotes)
    assert found.canonical.acs_15 == 0


def test_rouge_l_is_that_of_rouge_score() -> None:
    scorer = rouge_scorer.RougeScorer(["rougeL"])
    rng = random.Random(8)
    for _ in range(40):
        first, second = (" ".join(rng.choices("abcdefgh", k=rng.randint(1, 40))) for _ in range(2))
        found, wanted = scores(first, second), scorer.score(target=second, prediction=first)["rougeL"]
        assert found.rouge_l_recall == pytest.approx(wanted.recall)
        assert found.rouge_l_precision == pytest.approx(wanted.precision)


def test_jaccard_is_what_minhash_estimates() -> None:
    from datasketch import MinHash

    first, second = GETTYSBURG, GETTYSBURG[:900] + ALICE[:400]
    hashes = []
    for text in (first, second):
        words = words_of(text).words
        hashed = MinHash(num_perm=1024, seed=1)
        for start in range(len(words) - 4):
            hashed.update(" ".join(words[start : start + 5]).encode())
        hashes.append(hashed)
    assert scores(first, second).minhash_words == pytest.approx(hashes[0].jaccard(hashes[1]), abs=0.05)


def test_spans_and_blocks_are_places_of_the_original_texts() -> None:
    output = f"He said: {spaced(GETTYSBURG[:600].upper())} ... {OTHER}"
    found = compare_texts(output, GETTYSBURG)
    (span,) = found.spans
    assert output[span.output_start : span.output_end].startswith("F O U R   S C O R E")
    assert GETTYSBURG[span.reference_start :].startswith("Four score")
    assert span.matched <= span.words
    assert sum(block.matched for block in found.blocks) == span.matched
    for block in (*found.blocks, *found.quotes):
        left = compare_texts(
            output[block.output_start : block.output_end], GETTYSBURG[block.reference_start : block.reference_end]
        )
        assert left.canonical.edit_similarity == 1


def test_two_small_changes_a_sentence_apart_leave_one_span_and_a_rewritten_sentence_makes_two() -> None:
    words = invented(300).split()
    small = [*words[:150], "changed", "twice", *words[152:]]
    large = [*words[:150], *invented(20, seed=2).split(), *words[150:]]

    one, two = (near_verbatim(number_words(text, words)) for text in (small, large))

    assert [span.matched for span in one.spans] == [298]
    assert [span.length for span in one.spans] == [300]
    assert [span.matched for span in two.spans] == [150, 150]
    assert two.recall == 1.0
    assert two.precision == 300 / 320


def test_a_span_shorter_than_fifty_words_is_told_as_the_longest_and_not_counted() -> None:
    work = invented(400)
    found = scores(invented(300, seed=9) + " " + " ".join(work.split()[100:140]), work)
    assert (found.near_verbatim_recall, found.longest_near_verbatim) == (0.0, 40)


@pytest.mark.parametrize(
    ("shorter", "needed"), [(1000, 50), (63, 50), (50, 40), (14, 12), (4, 4), (3, 3), (2, 2), (1, 1)]
)
def test_of_a_short_text_four_fifths_are_a_span(shorter: int, needed: int) -> None:
    assert shortest_span(shorter) == needed


@pytest.mark.parametrize(
    ("words", "recall", "precision"), [(1, 0, 0), (3, 0, 0), (9, 0, 0), (10, 0.025, 1), (30, 0.075, 1)]
)
def test_a_short_output_is_no_long_span_of_a_longer_work_by_a_few_common_words(
    words: int, recall: float, precision: float
) -> None:
    work = invented(400)
    found = scores(" ".join(work.split()[50 : 50 + words]), work)
    assert (found.near_verbatim_recall, found.near_verbatim_precision) == (pytest.approx(recall), precision)
    assert found.longest_near_verbatim == found.common_substring == words


def test_the_grid_falls_with_the_length_that_is_asked_and_grows_with_the_gap() -> None:
    words = invented(400).split()
    output = [word if place % 40 > 3 else "changed" for place, word in enumerate(words)]
    grid = near_verbatim_grid(number_words(output, words), gaps=(0, 4), lengths=(20, 36, 50))
    assert grid == {(0, 20): 0.9, (0, 36): 0.9, (0, 50): 0.0, (4, 20): 0.9, (4, 36): 0.9, (4, 50): 0.9}


def test_half_a_word_a_lone_surrogate_and_binary_letters_are_compared_like_others() -> None:
    odd = "moss \ud800 bell \x00\x01 lantern tide otter"
    assert compare_texts(odd, odd).raw.common_substring_chars == len(odd)
