"""An output against a suffix array: the longest spans, the works that hold them, and what no work holds."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from copycat.errors import DataError
from copycat.fairuse.attribution.index import AGAIN, SuffixIndex
from copycat.fairuse.attribution.records import Attribution, Place, SourcedSpan, WorkFound
from copycat.fairuse.text import Words, canonical

MIN_WORDS, MAX_PLACES = 6, 20
NOVELTY = (2, 3, 5, 8, 13)
"""n-grams of so many words."""

LONG_WORD = 40
"""Letters: longer "words" are texts whose spaces are gone, or all alike, and are searched from each letter."""

_STEP = 4096
"""Letters that are compared at once; a longer match is followed from one of these."""


class _Query(NamedTuple):
    """An output's canonical letters, where its units begin (and the end), and their places in the output."""

    letters: bytes
    begins: Sequence[int]
    places: Sequence[tuple[int, int]]


def attribute(output: str, index: SuffixIndex, name: str = "output", min_words: int = MIN_WORDS) -> Attribution:
    """Find the works of an index that hold spans of an output.

    Args:
        min_words: a span counts from so many words of the work on; shorter ones stand everywhere.

    Raises:
        DataError: the index is damaged.
    """
    query = _query_of(canonical(output))
    n_units = len(query.places)
    matches = [longest_match(index, query.letters[begin:]) for begin in query.begins[:-1]]
    # How many whole units each match covers.
    ends = [bisect_right(query.begins, query.begins[i] + length) - 1 for i, length in enumerate(matches)]
    try:
        found = list(_spans(query, ends, index, min_words))
    except IndexError as error:
        raise DataError(["the index is damaged: it points to letters or words that it lacks"], AGAIN) from error
    return Attribution(
        output=name,
        words=n_units,
        works=rank_works(found, {work.id: work.title for work in index.about.works}, n_units),
        spans=tuple(span for span, _ in found),
        novelty=novelty_of([end - i for i, end in enumerate(ends)]),
    )


def longest_match(index: SuffixIndex, query: bytes) -> int:
    """Count the letters of the longest prefix of a query that stands in the index at a beginning of a word.

    Time: logarithmic in the words of the index; each step compares at most 4,096 letters, but for a longer match.
    """
    low, high, step = 0, len(index.suffixes), _STEP
    while True:
        head = query[:step]
        place = _first_not_below(index, head, low, high)
        near = [i for i in (place - 1, place) if low <= i < high]
        length = max((_common(head, _letters(index, i, len(head))) for i in near), default=0)
        if length < step or len(query) <= step:
            return length
        low, high, step = place, _first_above(index, head, place, high), 2 * step


def places_of(index: SuffixIndex, prefix: bytes) -> NDArray[np.int32]:
    """Give all places in the letters of the index, at beginnings of words, where a prefix stands; ascending."""
    low = _first_not_below(index, prefix, 0, len(index.suffixes))
    return np.sort(index.suffixes[low : _first_above(index, prefix, low, len(index.suffixes))])


def rank_works(
    found: Sequence[tuple[SourcedSpan, range]], titles: Mapping[str, str], n_units: int
) -> tuple[WorkFound, ...]:
    """Rank works by how much of the output they hold in whole spans.

    Args:
        found: spans, each with the units of the output that it covers.
    """
    covered: dict[str, set[int]] = defaultdict(set)
    longest: dict[str, int] = defaultdict(int)
    for span, units in found:
        for work in span.works:
            covered[work].update(units)
            longest[work] = max(longest[work], span.words)
    ranks = {work: (len(units), longest[work]) for work, units in covered.items()}
    same = list(ranks.values())
    return tuple(
        WorkFound(
            work=work,
            title=titles.get(work, ""),
            words=words,
            share=words / n_units,
            longest=length,
            is_tied=same.count((words, length)) > 1,
        )
        for work, (words, length) in sorted(ranks.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    )


def novelty_of(known: Sequence[int]) -> dict[int, float]:
    """Give for each n the share of n-grams that the index lacks, from 0 to 1.

    Args:
        known: for each word of the output, how many words from it on stand in the index together.
    """
    shares = {}
    for n in NOVELTY:
        if (count := len(known) - n + 1) > 0:
            shares[n] = sum(length < n for length in known[:count]) / count
    return shares


# ----------------------------------------------------------------------------------------- query


def _query_of(words: Words) -> _Query:
    """Lay the words out as letters; a word that is a whole text is cut into its letters."""
    parts: list[bytes] = []
    places: list[tuple[int, int]] = []
    for word, start, end in zip(words.words, words.starts, words.ends, strict=True):
        pieces = list(word) if len(word) > LONG_WORD else [word]
        for number, piece in enumerate(pieces):
            parts.append(piece.encode("utf-8", "surrogatepass"))
            width = (end - start) / len(pieces)
            places.append((start + int(number * width), start + int((number + 1) * width)))
    begins = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(int).tolist()
    return _Query(b"".join(parts), begins, places)


def _spans(
    query: _Query, ends: Sequence[int], index: SuffixIndex, min_words: int
) -> Iterator[tuple[SourcedSpan, range]]:
    """Give the matches that lie in no longer one, with the units that they cover.

    Args:
        ends: for each unit, where the longest match that begins with it ends.
    """
    reached = 0
    for i, end in enumerate(ends):
        if end <= reached or end == i:
            continue
        prefix = query.letters[query.begins[i] : query.begins[end]]
        places = places_of(index, prefix)
        words = _words_within(index, int(places[0]), len(prefix))
        if words < min_words:
            continue
        reached = end
        span = SourcedSpan(
            start=query.places[i][0],
            end=query.places[end - 1][1],
            words=words,
            works=tuple(sorted(index.about.works[number].id for number in np.unique(index.owners(places)))),
            occurrences=len(places),
            places=tuple(_place(index, int(place), len(prefix)) for place in places[:MAX_PLACES]),
        )
        yield span, range(i, end)


def _place(index: SuffixIndex, letter: int, length: int) -> Place:
    """Say where letters of the index stand in the text of their work."""
    number = int(index.owners(np.array([letter], np.int32))[0])
    first, last = _word_numbers(index, letter, length)
    return Place(
        work=index.about.works[number].id, start=int(index.places[first][0]), end=int(index.places[last - 1][1])
    )


def _words_within(index: SuffixIndex, letter: int, length: int) -> int:
    """Count the words of a work that begin in a stretch of its letters."""
    first, last = _word_numbers(index, letter, length)
    return last - first


def _word_numbers(index: SuffixIndex, letter: int, length: int) -> tuple[int, int]:
    """Give the words that begin in a stretch of letters, end exclusive."""
    # numpy would turn the whole array into the type of a number of another.
    ends = np.array([letter, letter + length], index.starts.dtype)
    first, last = np.searchsorted(index.starts, ends)
    return int(first), int(last)


# ---------------------------------------------------------------------------------- suffix array


def _letters(index: SuffixIndex, number: int, length: int) -> bytes:
    place = int(index.suffixes[number])
    return index.letters[place : place + length]


def _first_not_below(index: SuffixIndex, prefix: bytes, low: int, high: int) -> int:
    """Find the first suffix from `low` on that does not come before the prefix."""
    length = len(prefix)
    while low < high:
        middle = (low + high) // 2
        if _letters(index, middle, length) < prefix:
            low = middle + 1
        else:
            high = middle
    return low


def _first_above(index: SuffixIndex, prefix: bytes, low: int, high: int) -> int:
    """Find the first suffix from `low` on that comes after all that begin with the prefix."""
    length = len(prefix)
    while low < high:
        middle = (low + high) // 2
        if _letters(index, middle, length) > prefix:
            high = middle
        else:
            low = middle + 1
    return low


def _common(first: bytes, second: bytes) -> int:
    """Count the letters at the beginning that are equal."""
    length = min(len(first), len(second))
    differing = int.from_bytes(first[:length], "big") ^ int.from_bytes(second[:length], "big")
    return length - (differing.bit_length() + 7) // 8
