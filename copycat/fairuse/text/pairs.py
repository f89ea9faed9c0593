"""Two texts in the canonical form, where the words of each tell apart what the other wrote without ends of words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from copycat.fairuse.text.canonical import LEFT_OUT, MIN_SPACED_LETTERS, SIGNS, canonical
from copycat.fairuse.text.words import Words
from copycat.names import fold_with_origins

TELLING_WORDS, MEAN_LETTERS = 8, 8
"""So many spaced-out words in a row, of so many letters at most in the mean, are told apart by gaps. English: 4.3."""

MIN_RUN_TOGETHER = 16
"""So many letters in a row may be several words without spaces; hardly a word is as long."""

EXPLAINED = 0.9
"""The share of letters that are run together which known words must explain."""

MIN_MEAN_LETTERS, OF_KOREAN = 3, 2
"""How long these must be in the mean: short words explain any letters."""

LONGEST_WORD = 40


def canonical_pair(output: str, reference: str) -> tuple[Words, Words]:
    """Give the canonical words of two texts; what has no ends of words in one is cut into words that the other has.

    That is spaced-out letters ("t h e c a t") and words that are run together ("thecatsatonthemat").
    """
    (first, doubtful), (second, others) = _remembered(output), _remembered(reference)
    return _cut_by(first, doubtful, second), _cut_by(second, others, first)


@lru_cache(maxsize=8)
def _remembered(text: str) -> tuple[Words, tuple[int, ...]]:
    """Give `canonical(text)`, and which of its words may be several.

    This takes a third of a second for a megabyte, and many answers are of one work.
    """
    words = canonical(text)
    may_be_several = (
        i for i in range(len(words)) if len(words.words[i]) >= MIN_RUN_TOGETHER or _is_spaced_out(words, i)
    )
    return words, tuple(may_be_several)


def _cut_by(words: Words, doubtful: Sequence[int], other: Words) -> Words:
    """Cut words that may be several into words of the other text."""
    if not doubtful:
        return words
    unclear = set(_unclear(words))
    vocabulary = set(other.words)
    lengths = _lengths_by_ending(vocabulary)
    parts: list[tuple[str, int, int]] = []
    first = 0
    for i in doubtful:
        word = words.words[i]
        cuts = [] if word in vocabulary else _cut(word, vocabulary, lengths)
        if len(cuts) < 2 or not (i in unclear or _explains(cuts, word, vocabulary, is_spaced=_is_spaced_out(words, i))):
            continue
        parts += zip(words.words[first:i], words.starts[first:i], words.ends[first:i], strict=True)
        places = _letter_places(words, i)
        parts += ((word[start:end], places[start][0], places[end - 1][1]) for start, end in cuts)
        first = i + 1
    parts += zip(words.words[first:], words.starts[first:], words.ends[first:], strict=True)
    return Words(words.text, *(list(column) for column in zip(*parts, strict=True)))


def _is_spaced_out(words: Words, i: int) -> bool:
    return len(words.words[i]) >= MIN_SPACED_LETTERS and words.ends[i] - words.starts[i] >= 2 * len(words.words[i]) - 1


def _explains(cuts: list[tuple[int, int]], word: str, vocabulary: Collection[str], *, is_spaced: bool) -> bool:
    """Whether known words explain the letters: all that a gap tells apart, nearly all that are run together."""
    known = sum(end - start for start, end in cuts if word[start:end] in vocabulary)
    if is_spaced:
        return known == len(word)
    mean = OF_KOREAN if "\uac00" <= word[0] <= "\ud7a3" else MIN_MEAN_LETTERS
    return known >= EXPLAINED * len(word) and len(word) >= mean * len(cuts)


def _unclear(words: Words) -> Iterator[int]:
    """Give the words that are spaced-out letters and may be anything, as their gaps do not tell where a word ends.

    Where many such words follow each other and are no longer than words are, the gaps have told. Then a word is cut
    only where known words explain all of its letters, as those beside a hyphen.
    """
    run: list[int] = []
    for i in range(len(words) + 1):
        if i < len(words) and (_is_spaced_out(words, i) or (run and len(words.words[i]) < MIN_SPACED_LETTERS)):
            run.append(i)
            continue
        letters = sum(len(words.words[k]) for k in run)
        if len(run) < TELLING_WORDS or letters > MEAN_LETTERS * len(run):
            yield from (k for k in run if _is_spaced_out(words, k))
        run = []


def _letter_places(words: Words, i: int) -> list[tuple[int, int]]:
    """Find the place of each canonical letter of one word, with the points that belong to it."""
    start = words.starts[i]
    folded = fold_with_origins(words.text[start : words.ends[i]].translate(SIGNS))
    places: list[tuple[int, int]] = []
    for k, letter in enumerate(folded.text):
        end = start + folded.end_of(k + 1)
        if ord(letter) in LEFT_OUT and places:
            places[-1] = (places[-1][0], end)
        elif letter != " ":
            places.append((start + folded.start_of(k), end))
    return places


def _lengths_by_ending(vocabulary: Collection[str]) -> dict[str, list[int]]:
    """Give the lengths of the words that end with the same two letters; those of one letter are told by themselves."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for word in vocabulary:
        if 1 < len(word) <= LONGEST_WORD:
            found[word[-2:]].add(len(word))
    return {ending: sorted(lengths) for ending, lengths in found.items()}


def _cut(word: str, vocabulary: Collection[str], lengths: dict[str, list[int]]) -> list[tuple[int, int]]:
    """Cut letters into known words, leaving the fewest letters over, then making the fewest pieces.

    Letters left over that stand together are one piece. Time: letters x LONGEST_WORD at most.
    """
    best: list[tuple[int, int, int]] = [(0, 0, 0)]  # letters left over, pieces, where the last piece starts
    for end in range(1, len(word) + 1):
        left, pieces, _ = best[end - 1]
        found = (left + (word[end - 1] not in vocabulary), pieces + 1, end - 1)
        for length in lengths.get(word[max(0, end - 2) : end], ()):
            start = end - length
            if start >= 0 and word[start:end] in vocabulary:
                found = min(found, (best[start][0], best[start][1] + 1, start))
        best.append(found)
    cuts: list[tuple[int, int]] = []
    end = len(word)
    while end > 0:
        start = best[end][2]
        is_left_over = word[start:end] not in vocabulary
        if cuts and is_left_over and word[cuts[-1][0] : cuts[-1][1]] not in vocabulary:
            cuts[-1] = (start, cuts[-1][1])
        else:
            cuts.append((start, end))
        end = start
    return cuts[::-1]
