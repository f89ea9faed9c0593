"""evidence.json: the longest stretches of a run, side by side with what stands around them; never of a withheld run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from copycat.fairuse.extract.records import Answered, AnswerMeasures, Ask
from copycat.fairuse.records import Shared
from copycat.fairuse.works import LoadedWork
from copycat.runs.folder import read_journal
from copycat.schema import SCHEMA_VERSION, Record

EVIDENCE_FILE = "evidence.json"
MAX_STRETCHES, PER_WORK = 40, 2
CONTEXT_LETTERS, MAX_LETTERS = 160, 2400


class Excerpt(Record):
    """A stretch of a text with what stands before and after it; `cut` letters were left out of its middle."""

    before: str
    text: str
    after: str
    start: int
    end: int
    cut: int = 0


class Evidence(Record):
    """One stretch: in the answer, and in the work. `prefix` is the end of what the model was shown."""

    ask: Ask
    stretch: Shared
    prefix: str
    output: Excerpt
    reference: Excerpt


class EvidenceFile(Record):
    """evidence.json."""

    schema_version: int = SCHEMA_VERSION
    stretches: tuple[Evidence, ...]
    n_stretches: int


def build_evidence(journal: Path, answers: Sequence[AnswerMeasures], works: Mapping[str, LoadedWork]) -> EvidenceFile:
    """Take the longest stretches, at most two of a work, each place of a work once."""
    texts = {row.ask.key: row.text for row in read_journal(journal, Answered) if row.text is not None}
    found = [(stretch, answer.ask) for answer in answers for stretch in answer.measured.stretches]
    found.sort(key=lambda one: (-one[0].words, one[1].key, one[0].reference_start))
    taken: list[Evidence] = []
    seen: dict[str, list[Shared]] = {}
    counts: Counter[str] = Counter()
    for stretch, ask in found:
        text, work = texts.get(ask.key), works[ask.work].text
        others = seen.setdefault(ask.work, [])
        if text is None or work is None or counts[ask.work] >= PER_WORK or any(_overlap(stretch, o) for o in others):
            continue
        others.append(stretch)
        counts[ask.work] += 1
        taken.append(_evidence(ask, stretch, text, work))
        if len(taken) >= MAX_STRETCHES:
            break
    return EvidenceFile(stretches=tuple(taken), n_stretches=len(found))


def _overlap(one: Shared, other: Shared) -> bool:
    return one.reference_start < other.reference_end and other.reference_start < one.reference_end


def _evidence(ask: Ask, stretch: Shared, text: str, work: str) -> Evidence:
    return Evidence(
        ask=ask,
        stretch=stretch,
        prefix=work[max(ask.start, ask.rest - CONTEXT_LETTERS) : ask.rest],
        output=_excerpt(text, stretch.output_start, stretch.output_end),
        reference=_excerpt(work, stretch.reference_start, stretch.reference_end),
    )


def _excerpt(text: str, start: int, end: int) -> Excerpt:
    shown, cut = text[start:end], max(0, end - start - MAX_LETTERS)
    if cut:
        half = MAX_LETTERS // 2
        shown = f"{shown[:half]} [\u2026] {shown[-half:]}"
    return Excerpt(
        before=text[max(0, start - CONTEXT_LETTERS) : start],
        text=shown,
        after=text[end : end + CONTEXT_LETTERS],
        start=start,
        end=end,
        cut=cut,
    )
