"""The records of an extraction: what is asked, what came back, and how much of the work it holds.

Flow: ExtractSpec + works -> Ask (in order, a key each) -> Answered (journal) -> Measured -> Measures (measures.json).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from copycat.fairuse.metrics.by_work import WorkSummary
from copycat.fairuse.records import Shared, TextScores, Work
from copycat.schema import SCHEMA_VERSION, Record

PromptKind = Literal["prefix", "title", "position", "continue", "paraphrase"]
Evasion = Literal["none", "leet", "caps", "spaced", "rot13", "translate", "lines"]
Role = Literal["work", "held-out", "own-control"]
Status = Literal["answered", "refused", "empty", "failed", "missing"]
Ended = Literal["stop", "length", "loop", "diverged", "rounds", "unknown"]
Unit = Literal["tokens", "words"]

RUN_FILE, ANSWERS_FILE, MEASURES_FILE, PAGE_FILE = "run.json", "answers.jsonl", "measures.json", "report.html"
CHARGES_FILE = "charges.json"


class AskedWork(Record):
    """A work as the run knows it; `copies` is how often the model was trained on it, where that is known."""

    work: Work
    role: Role
    words: int
    letters: int
    copies: int | None = None


class ExtractSpec(Record):
    """All that decides on the answers; a run folder belongs to one of these.

    Attributes:
        model: its identity, as exactly as it can be known.
        unit: of prefixes: tokens of a model on this machine, words for a service or a file.
        is_chat: the model is asked in the form of its chat; else it goes on with the bare text.
        length: tokens of an answer at most (of one piece, where the model is asked to go on).
        prompts_sha256: of the file with the wording of all requests.
        is_withheld: nothing readable of works and answers is written.
    """

    model: str
    works: tuple[tuple[str, str, Role], ...]
    prompts: tuple[PromptKind, ...]
    prefixes: tuple[int, ...]
    unit: Unit
    is_chat: bool
    decodings: tuple[str, ...]
    evasions: tuple[Evasion, ...]
    places: int
    length: int
    rounds: int
    limit: int | None
    prompts_sha256: str
    is_withheld: bool
    answers_sha256: str | None = None


class RunFile(Record):
    """run.json."""

    schema_version: int = SCHEMA_VERSION
    kind: Literal["fairuse-extract"] = "fairuse-extract"
    id: str
    name: str
    spec: ExtractSpec
    works: tuple[AskedWork, ...]
    left_out: dict[str, int]
    environment: dict[str, str]
    facts: dict[str, str]
    status: Literal["begun", "finished"]


class Ask(Record):
    """One request: how one work is asked for, once.

    Places are letters of the work's text, end exclusive: the prefix that is shown lies from `start` to `rest`, and the
    answer is expected to give the window from `rest` to `window_end`. Of a work that is withheld as hashes, they are
    all 0. `place` counts where a prefix is taken from, or the part that a position prompt asks for, from 0.

    `key` is a hash of the axes and the work's own hash; no text can be told from it.
    """

    key: str
    work: str
    role: Role
    prompt: PromptKind
    prefix: int = 0
    decoding: str = "greedy"
    temperature: float = 0.0
    draw: int = 0
    evasion: Evasion = "none"
    place: int = 0
    start: int = 0
    rest: int = 0
    window_end: int = 0
    length: int = Field(default=128, ge=1)

    @property
    def seed(self) -> int:
        """Give the seed of a drawn answer: the same whatever the order, and for every model."""
        return int(self.key[:8], 16)


class Figures(Record):
    """How much of a work one answer holds; higher means more.

    Attributes:
        longest: words of the longest run that is the same in both (canonical form), anywhere after the prefix.
        longest_near: words of the longest near-verbatim span, anywhere after the prefix.
        recall: share of the window that is covered by near-verbatim spans (canonical form).
        recall_as_written: the same in the form as the answer was written.
        rouge_l: longest common subsequence with the window, as a share of the window's words (canonical form).
        prefix: words that are right from the first one on.

    None stands where a work that is withheld as hashes cannot tell.
    """

    longest: int = 0
    longest_near: int = 0
    recall: float = 0.0
    recall_as_written: float | None = 0.0
    rouge_l: float | None = 0.0
    prefix: int | None = 0


class Probability(Record):
    """How likely a model finds the true continuation (teacher forcing): nats for so many tokens and letters."""

    log_p: float
    tokens: int
    letters: int


class Measured(Record):
    """An answer against its work, in figures and places alone: nothing here can be read.

    Attributes:
        window: scores against the window, raw and canonical; None for a work that is withheld as hashes.
        stretches: what answer and work share, near-verbatim or exact; places in the work count from its start.
        against_other: the same answer against the window of another work, which it was not asked for.
        other, stretches_in_other: which work that is, and what the answer shares with all of it that follows where a
            prefix would have ended.
    """

    words: int
    letters: int
    repeats: bool
    figures: Figures
    raw: TextScores | None = None
    canonical: TextScores | None = None
    stretches: tuple[Shared, ...] = ()
    against_other: Figures | None = None
    other: str | None = None
    stretches_in_other: tuple[Shared, ...] = ()


class Answered(Record):
    """A line of the journal. `text` is None in a withheld run; `measured` stands there instead."""

    ask: Ask
    status: Status
    ended: Ended = "unknown"
    detail: str = ""
    text: str | None = None
    pieces: int = 1
    probability: Probability | None = None
    measured: Measured | None = None


class AnswerMeasures(Record):
    """One answer in measures.json."""

    ask: Ask
    status: Status
    ended: Ended
    detail: str
    pieces: int
    probability: Probability | None
    measured: Measured


class Group(Record):
    """Figures of all answers to works that share a value of an axis, by work; a figure nobody could tell is absent.

    Axes: "all", "prompt", "prefix", "decoding", "evasion", "copies"; "control" for held-out works ("held-out"), works
    of the user's own ("own-control"), and answers measured against another work ("shuffled").

    "all" and "control" have the figure "covered" too, one value a work: see `WorkMeasures`. Of "shuffled", it is the
    share of the other work that lies in the stretches of all answers about a work; of several others, the highest.
    """

    axis: str
    value: str
    answers: int
    figures: dict[str, WorkSummary]


class WorkMeasures(Record):
    """A work over all its answers: the highest and the mean of each figure, and the share of it that any answer held.

    Attributes:
        covered: share of the work's letters that lies in a stretch of any answer; what was shown does not count.
        counts: how the requests ended.
        best_key: of the answer with the longest stretch.
        log_p_per_letter: the highest log-probability of a true continuation, nats per letter; None where not told.
        chance_in_100_draws: the chance that at least one of 100 draws at temperature 1 gives the next 50 tokens word
            for word, for the likeliest of them (Cooper et al., arXiv 2505.12546).
    """

    work: str
    role: Role
    copies: int | None
    counts: dict[str, int]
    best: dict[str, float]
    mean: dict[str, float]
    covered: float
    best_key: str | None
    log_p_per_letter: float | None
    chance_in_100_draws: float | None


class Lift(Record):
    """What works show beyond controls: the difference of the means over works of the best of each.

    The interval is 95 %, by a bootstrap over works on both sides, or over pairs where answers to a work are measured
    against another one; None where a side has fewer than five.
    """

    figure: str
    control: str
    works: float
    controls: float
    difference: float
    low: float | None
    high: float | None


class Measures(Record):
    """measures.json: made again from the journal at any time, byte for byte; no times and no texts.

    `same_as_another` counts answers that are, letter by letter, the answer to a request about another work; None where
    answers are withheld and cannot be compared.
    """

    schema_version: int = SCHEMA_VERSION
    counts: dict[str, int]
    coverage: float
    works: tuple[WorkMeasures, ...]
    groups: tuple[Group, ...]
    lifts: tuple[Lift, ...]
    spearman: float | None
    same_as_another: int | None
    repeating: int
    answers: tuple[AnswerMeasures, ...]
