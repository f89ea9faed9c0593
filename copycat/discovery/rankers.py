"""Rankers of candidates. This file is the table of names.

To add one: a class with `rank` here or in a file beside it, a row below, a test, a line in docs/anchors.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from copycat.corpus import Counts
from copycat.discovery.cooccurrence import log_likelihood_ratio, pointwise_mutual_information
from copycat.errors import BackendError, UnsupportedError
from copycat.registry import Registry
from copycat.schema import Character, Record

if TYPE_CHECKING:
    from copycat.discovery.embedding import TextEncoder


class Ranked(Record):
    """A candidate and how well it goes with the character; higher is better, in the ranker's own unit."""

    text: str
    score: float


class Seen(NamedTuple):
    """Documents that hold the name and the word, the name, the word, and all; `total` None where nobody knows."""

    together: int
    with_name: int
    with_word: int
    total: int | None


class Association(Protocol):
    """Says how often a character and a word meet."""

    def seen(self, character: Character, text: str) -> Seen:
        """Give the counts of one character and one candidate."""


class Bench(NamedTuple):
    """What rankers work with; a ranker refuses a bench that lacks what it needs."""

    association: Association | None = None
    encoder: TextEncoder | None = None
    llm: Any = None


class RankerRow(Record):
    """A ranker, and what it needs: counts of documents, the model's text encoder, or a language model."""

    name: str
    target: str
    summary: str
    needs: Literal["corpus", "encoder", "llm"]
    unit: str


_HERE = "copycat.discovery.rankers"

RANKERS: Registry[RankerRow] = Registry(
    "ranker",
    (
        RankerRow(
            name="cooccurrence",
            target=f"{_HERE}:Cooccurrence",
            summary="documents that hold both the name and the candidate",
            needs="corpus",
            unit="documents",
        ),
        RankerRow(
            name="pmi",
            target=f"{_HERE}:MutualInformation",
            summary="pointwise mutual information of name and candidate; rare words come first",
            needs="corpus",
            unit="bits",
        ),
        RankerRow(
            name="llr",
            target=f"{_HERE}:LikelihoodRatio",
            summary="log-likelihood ratio (G2) of name and candidate; common words go down, rare ones need evidence",
            needs="corpus",
            unit="G2",
        ),
        RankerRow(
            name="embedding",
            target=f"{_HERE}:EmbeddingSim",
            summary="cosine of name and candidate in the text encoder of the model under test",
            needs="encoder",
            unit="cosine",
        ),
        RankerRow(
            name="lm-ranked",
            target=f"{_HERE}:LmRanked",
            summary="a language model: log-probability after the name, or the best that a service chooses",
            needs="llm",
            unit="nats",
        ),
        RankerRow(
            name="lm-greedy",
            target=f"{_HERE}:LmGreedy",
            summary="a language model is asked for the best keywords themselves, as published: anew for each --keep",
            needs="llm",
            unit="place",
        ),
    ),
    hint="see all: python -m copycat.discover keywords --list",
)


class CorpusCounts:
    """The counts of a corpus, as `Association`."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts

    def seen(self, character: Character, text: str) -> Seen:
        """Give the counts of one character and one candidate."""
        found = self.counts
        together = found.together[character.id].get(text, 0)
        return Seen(together, found.names[character.id], found.phrases[text], found.corpus.rows)


class Cooccurrence:
    """Ranks by the number of documents that hold both; ties go to the word that is rarer, then to the alphabet.

    Candidates that never meet the name are left out. Source: CopyCat (arXiv 2406.14526), section 3.2.

    Raises:
        UnsupportedError: there are no counts.
    """

    def __init__(self, bench: Bench) -> None:
        if bench.association is None:
            raise UnsupportedError("this ranker counts documents\n  name a corpus: --corpus PATH, or --engine NAME")
        self.association = bench.association

    def rank(self, character: Character, candidates: Sequence[str]) -> tuple[Ranked, ...]:
        """Give the candidates, the best first."""
        seen = {text: self.association.seen(character, text) for text in candidates}
        scores = {text: self._score(counts) for text, counts in seen.items() if counts.together}
        best = sorted(scores, key=lambda text: (-scores[text], seen[text].with_word, text))
        return tuple(Ranked(text=text, score=scores[text]) for text in best)

    def _score(self, seen: Seen) -> float:
        return float(seen.together)


class MutualInformation(Cooccurrence):
    """Ranks by pointwise mutual information, in bits."""

    def _score(self, seen: Seen) -> float:
        return pointwise_mutual_information(seen.together, seen.with_name, seen.with_word, _total(seen))


class LikelihoodRatio(Cooccurrence):
    """Ranks by the signed log-likelihood ratio."""

    def _score(self, seen: Seen) -> float:
        return log_likelihood_ratio(seen.together, seen.with_name, seen.with_word, _total(seen))


class EmbeddingSim:
    """Ranks by the cosine of name and candidate in a text encoder; ties keep their order.

    Source: CopyCat (arXiv 2406.14526), section 3.2.

    Raises:
        UnsupportedError: there is no encoder.
    """

    def __init__(self, bench: Bench) -> None:
        if bench.encoder is None:
            raise UnsupportedError("this ranker reads with a model's text encoder\n  name the model: --model NAME")
        self.encoder = bench.encoder

    def rank(self, character: Character, candidates: Sequence[str]) -> tuple[Ranked, ...]:
        """Give the candidates, the best first."""
        from copycat.discovery.embedding import similarities

        scores = similarities(self.encoder, character.name, candidates)
        ranked = [Ranked(text=text, score=round(score, 6)) for text, score in zip(candidates, scores, strict=True)]
        return tuple(sorted(ranked, key=lambda one: -one.score))


class LmRanked:
    """Ranks by a language model's log-probability of the candidate after 'NAME, '.

    A service tells none: what it chose is ranked by place (`language.top_of_pool`).

    Raises:
        UnsupportedError: there is no language model.
    """

    def __init__(self, bench: Bench) -> None:
        if bench.llm is None:
            raise UnsupportedError("this ranker asks a language model\n  name one: --llm openai:MODEL, or a folder")
        self.llm = bench.llm

    def rank(self, character: Character, candidates: Sequence[str]) -> tuple[Ranked, ...]:
        """Give the candidates, the best first."""
        from copycat.discovery.language import log_probabilities_after

        if not hasattr(self.llm, "log_probabilities"):
            return by_place(candidates)
        scores = log_probabilities_after(self.llm, character.name, candidates)
        ranked = [Ranked(text=text, score=round(score, 6)) for text, score in zip(candidates, scores, strict=True)]
        return tuple(sorted(ranked, key=lambda one: -one.score))


class LmGreedy(LmRanked):
    """Ranks by the place in which a language model gave its words (`language.top_of_mind`)."""

    def rank(self, character: Character, candidates: Sequence[str]) -> tuple[Ranked, ...]:
        """Give the candidates in their order."""
        del character
        return by_place(candidates)


def by_place(candidates: Sequence[str]) -> tuple[Ranked, ...]:
    """Rank candidates in the order in which they stand: the first has 0, the next -1."""
    return tuple(Ranked(text=text, score=float(-place)) for place, text in enumerate(candidates))


def _total(seen: Seen) -> int:
    if seen.total is None:
        raise BackendError("how many documents there are is not known here, and this ranker needs it")
    return seen.total
