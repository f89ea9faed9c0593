"""What is measured on the world's model, and the triple that every mitigation is told by."""

from __future__ import annotations

from copycat.fairuse.metrics import WorkSummary
from copycat.schema import SCHEMA_VERSION, Record


class WorkExtraction(Record):
    """How much of one work comes out.

    Attributes:
        copies: training texts that held the work before any mitigation.
        recall: near-verbatim recall of the continuation, mean over the prefixes.
        recalls: the same for each prefix length, in the order of `Extraction.prefix_words`.
        log_p: log of p_z, the probability that the model writes exactly this work, in nats; its first token is given.
        nats_per_letter: -log_p / letters. Lower means better known.
    """

    work_id: str
    copies: int
    recall: float
    recalls: tuple[float, ...]
    log_p: float
    nats_per_letter: float


class Extraction(Record):
    """Extraction over the planted works, with the held-out ones as control.

    Attributes:
        recall: near-verbatim recall over planted works: mean, 95 % interval by work, 95th percentile, highest.
        half_share: share of the planted works of which one prefix brought back at least half.
        held_out: mean recall of works that were never planted; 0 where none was measured.
        spearman: rank correlation of copies and mean recall over planted works; None where all are equal.
    """

    prefix_words: tuple[int, ...]
    recall: WorkSummary
    half_share: float
    held_out: float
    spearman: float | None
    works: tuple[WorkExtraction, ...]


class Utility(Record):
    """What the model is still good for; higher is better but for `unseen_bits_per_letter`.

    Attributes:
        unseen_bits_per_letter: of stories that no training text holds.
        qa_accuracy: share of questions on facts of planted works that are answered rightly.
        quotation: share of planted works of which one quoted sentence is given word for word when asked for.
        unseen_kept: share of the unseen stories that could be written and shown as they are; the rest are false alarms.
    """

    unseen_bits_per_letter: float
    qa_accuracy: float
    quotation: float
    unseen_kept: float = 1.0


class Cost(Record):
    """What it takes beyond the base model, in processor time, which other programs on the machine hardly change.

    Attributes:
        training_seconds: of all threads together.
        microseconds_per_token: of what is written, in batches, with everything that stands between model and reader.
    """

    training_seconds: float
    microseconds_per_token: float


class Degeneracy(Record):
    """Answers that are of no use: shares of all that was written.

    Attributes:
        empty: fewer than five words.
        repetitive: half of its runs of four words or more were there before in the same answer.
        mean_words: of an answer.
    """

    empty: float
    repetitive: float
    mean_words: float

    @property
    def share(self) -> float:
        """Give the share of degenerate answers: empty or repetitive."""
        return self.empty + self.repetitive


class MitigationTriple(Record):
    """A mitigation in one row: extraction, utility, cost; and how many answers are degenerate.

    `against` is the method that it is to be compared with: the same model without the mitigation. `facts` are settings
    and what the mitigation did, such as texts removed or an epsilon.
    """

    method: str
    against: str
    title: str
    extraction: Extraction
    utility: Utility
    cost: Cost
    degenerate: Degeneracy
    facts: dict[str, str | int | float]


class MitigationSetting(Record):
    """What decides on every figure: hashes of the base model and the training texts, effort, settings of training."""

    model: str
    training_texts: str
    effort: float
    training: dict[str, int | float]


class MitigationResults(Record):
    """results.json of `world mitigate`: a row for each method that was measured, the model without one first."""

    schema_version: int = SCHEMA_VERSION
    kind: str = "fairuse-world-mitigations"
    setting: MitigationSetting
    rows: tuple[MitigationTriple, ...]
