"""How fast texts are compared and filtered, beside plain Python and the libraries that one would pick instead.

    python benchmarks/text.py [--part metrics|filter|all] [--rounds 3]

metrics: a work of words that do not exist, in frequencies and phrases like those of a language, and a copy of it with
one word in ten changed. Each row is one metric by copycat, by the plainest Python that is right, and by a library,
on texts of the size that stands there (the plain way takes quadratic time); the best of `--rounds` counts. Where two
ways say the same thing, it is asserted that they do. Times are of the processor: every way runs on one core.
Then, for 1 MB against 1 MB: the longest common run of words, of letters, and near-verbatim recall, of pairs that are
equal, nearly equal, unrelated, and that repeat a word, a letter or a page.

filter: the output filter; see benchmarks/text_filter.py.
"""

from __future__ import annotations

import argparse
import difflib
import random
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

from copycat.fairuse.metrics import compare_texts, near_verbatim, number_words
from copycat.fairuse.metrics.near_verbatim import join, shortest_span
from copycat.fairuse.metrics.numbers import Pair, number_letters
from copycat.fairuse.metrics.runs import accumulated
from copycat.fairuse.metrics.sequence import common_subsequence, edit_similarity, local_edit_similarity
from copycat.fairuse.metrics.shingles import jaccard
from copycat.fairuse.metrics.suffixes import Match, longest_at_each, longest_match

BAR_S = 5.0
MEGABYTE = 1_000_000
PERMUTATIONS = 128

Words = Sequence[str]


def write_text(n_words: int, seed: int) -> list[str]:
    """Make words in the frequencies of a language, a third of them in phrases that return."""
    vocabulary = random.Random(0)
    consonants, vowels = ("st", "br", *"bdfgklmnprst"), ("ai", "on", "er", *"aeiou")
    syllables = [a + b for a in consonants for b in vowels]
    words = ["".join(vocabulary.choices(syllables, k=vocabulary.choice((1, 1, 2, 2, 3)))) for _ in range(20_000)]
    weights = list(accumulate(1 / (rank + 2) for rank in range(len(words))))
    phrases = [vocabulary.choices(words, cum_weights=weights, k=vocabulary.randint(2, 6)) for _ in range(4_000)]
    of_phrases = list(accumulate(1 / (rank + 5) for rank in range(len(phrases))))
    rng = random.Random(seed)
    made: list[str] = []
    while len(made) < n_words:
        if rng.random() < 0.1:
            made += rng.choices(phrases, cum_weights=of_phrases)[0]
        else:
            made += rng.choices(words, cum_weights=weights, k=3)
    return made[:n_words]


def changed(words: Words, share: float, seed: int) -> list[str]:
    """Put other words in place of a share of them."""
    rng = random.Random(seed)
    return [f"other{rng.randrange(1000)}" if rng.random() < share else word for word in words]


# ---------------------------------------------------------------------------------- plain Python


def plain_run(a: Words | str, b: Words | str) -> int:
    """Find the longest common run by the table of all pairs."""
    best, row = 0, [0] * (len(b) + 1)
    for word in a:
        row = [0] + [row[j] + 1 if word == other else 0 for j, other in enumerate(b)]
        best = max(best, *row)
    return best


def plain_subsequence(a: Words, b: Words) -> int:
    """Find the longest common subsequence by the table."""
    row = [0] * (len(b) + 1)
    for word in a:
        before, row = row, [0]
        for j, other in enumerate(b, start=1):
            row.append(before[j - 1] + 1 if word == other else max(before[j], row[-1]))
    return row[-1]


def plain_edits(a: Words, b: Words, is_local: bool = False) -> int:
    """Count edits by the table; `is_local` counts none before and behind the best window of b."""
    row = [0] * (len(b) + 1) if is_local else list(range(len(b) + 1))
    for i, word in enumerate(a, start=1):
        before, row = row, [i]
        for j, other in enumerate(b, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return min(row) if is_local else row[-1]


def plain_acs(a: Words, b: Words, least: int) -> int:
    """Sum runs from left to right, looking for each at every place of b."""
    total = i = 0
    while i < len(a):
        longest = 0
        for j in range(len(b)):
            length = 0
            while i + length < len(a) and j + length < len(b) and a[i + length] == b[j + length]:
                length += 1
            longest = max(longest, length)
        total += longest if longest >= least else 0
        i += longest if longest >= least else 1
    return total


def plain_jaccard(a: Words, b: Words, n: int) -> float:
    """Compare sets of tuples."""
    first, second = ({tuple(words[i : i + n]) for i in range(len(words) - n + 1)} for words in (a, b))
    return len(first & second) / len(first | second)


# ------------------------------------------------------------------------------------- libraries


def difflib_run(a: Words | str, b: Words | str) -> int:
    """Ask difflib for the longest match."""
    return difflib.SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size


def difflib_near_verbatim(a: Words, b: Words) -> float:
    """Take difflib's matching blocks, and join and count them as copycat does."""
    found = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    spans = [span for span, _ in join([Match(*block) for block in found if block.size >= 3], 5)]
    least = shortest_span(min(len(a), len(b)))
    return sum(span.matched for span in spans if span.length >= least) / len(b)


def rouge_recall(a: Words, b: Words) -> float:
    """Ask rouge_score for ROUGE-L."""
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(["rougeL"])
    return float(scorer.score(target=" ".join(b), prediction=" ".join(a))["rougeL"].recall)


def rapidfuzz_window(a: Words, b: Words) -> float:
    """Ask rapidfuzz for the best window of one length, by insertions and deletions alone: another figure."""
    from rapidfuzz import fuzz

    return fuzz.partial_ratio(list(a), list(b)) / 100


def datasketch_jaccard(a: Words, b: Words, n: int) -> float:
    """Estimate the Jaccard similarity by MinHash."""
    from datasketch import MinHash

    hashed = []
    for words in (a, b):
        made = MinHash(num_perm=PERMUTATIONS, seed=1)
        made.update_batch([" ".join(words[i : i + n]).encode() for i in range(len(words) - n + 1)])
        hashed.append(made)
    return float(hashed[0].jaccard(hashed[1]))


# ------------------------------------------------------------------------------------ the table


class Way(NamedTuple):
    """One way to compute a metric; `tolerance` is how far it may be off copycat's figure, None where it is another."""

    name: str
    run: Callable[[], float]
    tolerance: float | None = 0.0


def print_row(what: str, size: str, ours: Callable[[], float], ways: Sequence[Way], rounds: int) -> None:
    """Time a metric in each way, and check that they say the same."""
    figure, seconds = timed(ours, rounds)
    print(f"{what:<28} {size:<24} copycat {shown(seconds):>9}", end="", flush=True)
    for way in ways:
        other, theirs = timed(way.run, 1 if seconds and way.name == "plain" else rounds)
        if way.tolerance is not None:
            assert abs(other - figure) <= way.tolerance, (what, way.name, figure, other)
        print(f"   {way.name} {shown(theirs)} ({theirs / seconds:,.3g}x)", end="", flush=True)
    print()


def timed(run: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Give a figure and the processor's seconds in the best round."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        figure = run()
        best = min(best, time.process_time() - started)
    return figure, best


def shown(seconds: float) -> str:
    """Give a time in a unit that suits it."""
    return (
        f"{seconds:.2f} s"
        if seconds >= 1
        else f"{1e3 * seconds:.1f} ms"
        if seconds >= 1e-3
        else f"{1e6 * seconds:.0f} us"
    )


def print_metrics(rounds: int) -> None:
    """Print each metric beside the others, then what long texts take."""
    work = write_text(200_000, seed=1)
    output = changed(work, 0.1, seed=2)
    n = 2_000
    a, b = output[:n], work[:n]
    letters = (" ".join(a)[:n], " ".join(b)[:n])
    pair, size = number_words(a, b), f"{n:,} x {n:,} words"

    print("times in a row are of that way, and how many times as long as copycat it takes; counting words is included")
    print_row(
        "longest common run",
        size,
        lambda: longest_match(number_words(a, b)).length,
        [Way("plain", lambda: plain_run(a, b)), Way("difflib", lambda: difflib_run(a, b))],
        rounds,
    )
    print_row(
        "the same of letters",
        f"{n:,} x {n:,} letters",
        lambda: longest_match(number_letters(*letters)).length,
        [Way("plain", lambda: plain_run(*letters)), Way("difflib", lambda: difflib_run(*letters))],
        rounds,
    )
    print_row(
        "near-verbatim recall",
        size,
        lambda: near_verbatim(number_words(a, b)).recall,
        [Way("difflib", lambda: difflib_near_verbatim(a, b))],
        rounds,
    )
    print_row(
        "subsequence, ROUGE-L recall",
        size,
        lambda: (common_subsequence(number_words(a, b)) or 0) / n,
        [Way("plain", lambda: plain_subsequence(a, b) / n, 1e-9), Way("rouge_score", lambda: rouge_recall(a, b), 1e-9)],
        rounds,
    )
    print_row(
        "edit similarity",
        size,
        lambda: edit_similarity(number_words(a, b)) or 0,
        [Way("plain", lambda: 1 - plain_edits(a, b) / n)],
        rounds,
    )
    page, book = output[500:700], work[:5_000]
    print_row(
        "edit similarity, best window",
        "200 x 5,000 words",
        lambda: local_edit_similarity(number_words(page, book)) or 0,
        [
            Way("plain", lambda: 1 - plain_edits(page, book, is_local=True) / 200),
            Way("rapidfuzz (another figure)", lambda: rapidfuzz_window(page, book), None),
        ],
        rounds,
    )
    print_row(
        "ACS, runs of 3 and more",
        size,
        lambda: accumulated(longest_at_each(number_words(a, b))[0], 3),
        [Way("plain", lambda: plain_acs(a, b, 3))],
        rounds,
    )
    a, b = output[:20_000], work[:20_000]
    print_row(
        "Jaccard of 5-word windows",
        "20,000 x 20,000 words",
        lambda: jaccard(number_words(a, b), 5),
        [
            Way("plain", lambda: plain_jaccard(a, b, 5)),
            Way(f"datasketch, {PERMUTATIONS} permutations", lambda: datasketch_jaccard(a, b, 5), 0.15),
        ],
        rounds,
    )
    print_row(
        "near-verbatim recall",
        "20,000 x 20,000 words",
        lambda: near_verbatim(number_words(a, b)).recall,
        [Way("difflib", lambda: difflib_near_verbatim(a, b))],
        rounds,
    )
    assert pair.shorter == n
    print_comparisons(work, output, rounds)
    print_long(work, rounds)


def print_comparisons(work: Words, output: Words, rounds: int) -> None:
    """Print what `compare_texts`, all metrics in both forms, takes for an answer of a model."""
    print("\nall metrics, raw and canonical, of one answer (compare_texts)")
    for answer, reference in ((50, 50), (250, 250), (250, 2_500), (1_000, 10_000), (1_000, 100_000)):
        texts = " ".join(output[:answer]), " ".join(work[:reference])
        _, seconds = timed(lambda texts=texts: compare_texts(*texts).canonical.near_verbatim_recall, rounds)  # type: ignore[misc]
        print(f"  {answer:>6,} words against {reference:>7,}: {shown(seconds)}")


def print_long(work: Words, rounds: int) -> None:
    """Print the longest common run and near-verbatim recall for 1 MB against 1 MB."""
    text = " ".join(work)[:MEGABYTE]
    words = text.split()
    other = " ".join(write_text(len(work), seed=9))[:MEGABYTE]
    rng = random.Random(3)
    pairs = {
        "equal": (text, text),
        "1 % of words changed": (" ".join(changed(words, 0.01, 4)), text),
        "10 % of words changed": (" ".join(changed(words, 0.1, 5)), text),
        "unrelated": (other, text),
        "one word repeated": ("moss " * (MEGABYTE // 5), "moss " * (MEGABYTE // 5 - 999)),
        "one letter repeated": ("a" * MEGABYTE, "a" * (MEGABYTE - 999)),
        "one letter, spaced": ("a " * (MEGABYTE // 2), "a " * (MEGABYTE // 2 - 999)),
        "a page repeated": (" ".join(words[:300] * 999)[:MEGABYTE], " ".join(words[:301] * 999)[:MEGABYTE]),
        "two words at random": tuple(" ".join(rng.choices(("a", "b"), k=MEGABYTE // 2)) for _ in range(2)),
    }
    print(
        f"\n1 MB against 1 MB: common run of words and of letters, near-verbatim recall; at most {BAR_S:.0f} s in all"
    )
    for name, (first, second) in pairs.items():
        pair = number_words(first.split(), second.split())
        letters = number_letters(first, second)
        run, seconds = timed(lambda pair=pair: longest_match(pair).length, rounds)  # type: ignore[misc]
        _, for_letters = timed(lambda letters=letters: longest_match(letters).length, rounds)  # type: ignore[misc]
        _, for_near = timed(lambda pair=pair: near_verbatim(pair).recall, rounds)  # type: ignore[misc]
        found = near_verbatim(pair)
        total = seconds + for_letters + for_near
        told = f"{shown(seconds):>8} + {shown(for_letters):>8} + {shown(for_near):>8} = {total:.2f} s"
        print(
            f"  {name:<22} {told}   run {run:,.0f}, recall {found.recall:.4f}{'' if found.exact else ' (bounded)'}"
            f"{'' if total <= BAR_S else '   ABOVE THE BAR'}",
            flush=True,
        )
        check_long(pair, run)


def check_long(pair: Pair, run: float) -> None:
    """Check a long result: the blocks are equal in both texts and in order, and none is longer than the run."""
    found = near_verbatim(pair)
    at = (0, 0)
    for block in found.blocks:
        assert at[0] <= block.output
        assert at[1] <= block.reference
        at = (block.output + block.length, block.reference + block.length)
        assert (pair.output[block.output : at[0]] == pair.reference[block.reference : at[1]]).all()
        assert block.length <= run


def print_filter(rounds: int) -> None:
    """Print the filter's half, which has a file of its own beside this one."""
    import text_filter

    text_filter.main(rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("metrics", "filter", "all"), default="metrics")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.part in ("metrics", "all"):
        print_metrics(given.rounds)
    if given.part in ("filter", "all"):
        print_filter(given.rounds)
