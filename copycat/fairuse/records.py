"""The records of the wing: works, scores of a text against a work, and the places that they share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from copycat.schema import Record, Slug, Text

Kind = Literal["text", "code", "image"]

WorkStatus = Literal["public-domain", "open", "protected", "invented", "unknown"]
"""Whether anybody must be asked before the work is copied; `open` works have a licence with duties."""


class Work(Record):
    """What a model may reproduce. The text itself is not part of the record: `works.LoadedWork` holds both.

    Attributes:
        licence: an SPDX expression, where there is one.
        source: where the text was taken from.
        sha256: of the text's bytes in UTF-8; of a withheld work, a hash with its salt as key.
        file: of the text, relative to the file that lists the works; None for a work that is withheld.
        withheld: only salted hashes and lengths of it are stored.
    """

    id: Slug
    title: Text
    author: str = ""
    year: int | None = None
    language: str = "en"
    kind: Kind = "text"
    status: WorkStatus = "unknown"
    licence: str | None = None
    source: str = ""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    file: str | None = None
    withheld: bool = False

    @model_validator(mode="after")
    def _has_file_or_is_withheld(self) -> Work:
        if self.withheld and self.file is not None:
            raise ValueError("a withheld work names no file: its text is not stored")
        return self


class TextScores(Record):
    """How much of a reference an output holds, in one form of both texts (raw or canonical).

    Lengths are in words unless the name says otherwise; shares and similarities lie from 0 to 1. Higher means more
    reproduction. Definitions: `copycat.fairuse.metrics`. A figure that would take too long is None: subsequence,
    ROUGE-L and edit similarity beyond 200,000 words against as many, the local one beyond 20,000 against 200,000.

    Attributes:
        minhash_chars, minhash_words: the Jaccard similarity that MinHash estimates, exact.
        discounted_runs: runs of three words and more, each word weighted from 0 (a common phrase) to 1 (never seen);
            None without a background.
        exact_blocks: False where a text repeats itself so much that the near-verbatim figures come from its rarer
            windows alone, and may be too low.
    """

    output_words: int
    reference_words: int
    common_prefix: int
    common_substring: int
    common_substring_chars: int
    common_subsequence: int | None
    rouge_l_recall: float | None
    rouge_l_precision: float | None
    acs_3: int
    acs_6: int
    acs_15: int
    edit_similarity: float | None
    local_edit_similarity: float | None
    minhash_chars: float
    minhash_words: float
    near_verbatim_recall: float
    near_verbatim_precision: float
    longest_near_verbatim: int
    discounted_runs: float | None = None
    exact_blocks: bool = True


class GridCell(Record):
    """Near-verbatim recall where spans may have gaps of `max_gap` words and must have `min_span` words."""

    max_gap: int
    min_span: int
    recall: float


class Shared(Record):
    """A stretch that both texts hold, nearly or exactly; places are letters of the original texts, end exclusive.

    `words` is its length in the text in which it is shorter, `matched` how many of them are the same in both.
    """

    output_start: int
    output_end: int
    reference_start: int
    reference_end: int
    words: int
    matched: int


class TextComparison(Record):
    """An output against a reference: raw, canonical, and where."""

    raw: TextScores
    canonical: TextScores
    spans: tuple[Shared, ...]
    """Of the canonical forms, mapped back to the original texts; in the order of the output."""

    blocks: tuple[Shared, ...]
    """The exact matches that the spans are joined from."""

    quotes: tuple[Shared, ...] = ()
    """Runs of six words and more, in whatever order the reference has them; disjoint in the output and in its order."""

    @property
    def evasion_gain(self) -> float:
        """How much near-verbatim recall the canonical form finds beyond the raw one, from -1 to 1."""
        return self.canonical.near_verbatim_recall - self.raw.near_verbatim_recall
