"""What a comparison of code says: spans, files, licences. Facts; whether a licence is kept to is not among them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from copycat.schema import Record, Text

LicenceSource = Literal["spdx-header", "header-text", "licence-file", "none"]

Duty = Literal["strong-copyleft", "weak-copyleft", "notice", "none", "unknown"]


class Settings(Record):
    """How fingerprints are made. A shared span of `guarantee` tokens has one in common; one below `k` never has."""

    k: int = Field(default=25, ge=5)
    window: int = Field(default=6, ge=1)
    sources: int = Field(default=10, ge=2)
    """A fingerprint in the files of so many sources is boilerplate."""

    @property
    def guarantee(self) -> int:
        """The length, in tokens, from which a shared span is always found: t = window + k - 1."""
        return self.window + self.k - 1


class Licence(Record):
    """The licence of a file. `expression` is one of SPDX, or None where nothing tells it; `evidence` says what did."""

    expression: str | None
    source: LicenceSource
    evidence: str


class CodeSpan(Record):
    """A run of tokens that stands in both files; lines count from 1, both ends included.

    `tokens` leaves out those of boilerplate and of tables: runs of so few kinds of token that they look alike
    everywhere. The lines are those of the whole run.
    """

    tokens: int
    output_first_line: int
    output_last_line: int
    file_first_line: int
    file_last_line: int


class CodeHit(Record):
    """A file that shares spans with an output.

    Attributes:
        share: of the output's tokens that are no boilerplate, how many are counted in a span; from 0 to 1.
        file_share: how many of the file's tokens lie in a span; from 0 to 1.
        longest: tokens of the longest span.
    """

    file: Text
    file_sha256: str
    share: float
    file_share: float
    longest: int
    spans: tuple[CodeSpan, ...]
    licence: Licence
    duty: Duty


class CodeOutput(Record):
    """One output against the corpus; the files with the largest share first.

    Attributes:
        share: of its tokens that are no boilerplate, how many are counted in a span of any file.
        boilerplate: how many of its tokens lie in fingerprints that are subtracted.
        stated: the licence that the output itself states at its top; None where it states none.
        reason: why nothing could be compared, such as fewer tokens than `k`; None where something was.
    """

    output: Text
    sha256: str
    language: str
    tokens: int
    boilerplate: int
    share: float
    longest: int
    hits: tuple[CodeHit, ...]
    stated: Licence | None = None
    reason: str | None = None


class CorpusFacts(Record):
    """What was compared with; `passed_over` counts files by the reason why they are not in the index."""

    folder: str
    sha256: str
    """Of the names and bytes of all indexed files."""

    files: int
    tokens: int
    fingerprints: int
    boilerplate: int
    """Different fingerprints that are subtracted."""

    passed_over: dict[str, int]


class CodeReport(Record):
    """Outputs against one corpus."""

    settings: Settings
    corpus: CorpusFacts
    outputs: tuple[CodeOutput, ...]
