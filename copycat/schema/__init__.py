"""Every record that crosses a module boundary: frozen, checked, extra fields forbidden.

Flow: Character, Prompt -> ImageRequest -> Generation -> Judgement -> Estimate -> RunResult.
"""

from copycat.schema.base import SCHEMA_VERSION, SUITE_VERSION, Record, Slug, Status, Text
from copycat.schema.characters import (
    BENIGN,
    Character,
    CharacterSet,
    FirstAppearance,
    Prompt,
    SetWithSubjects,
)
from copycat.schema.edits import LEARNED, Attack, Erasure, ErasureCard, Term
from copycat.schema.judgements import (
    Answer,
    Calibration,
    CalibrationCell,
    CorrectionMethod,
    Judgement,
    Measurement,
    MemberVerdict,
    PictureLabel,
    Screening,
)
from copycat.schema.legal import Author, CharacterVersion, LegalNote
from copycat.schema.requests import Guide, ImageRequest, OutputFilter, Sample, Sampling, Upscaling
from copycat.schema.results import (
    MIN_COVERAGE,
    SERVICE,
    Correction,
    Counts,
    Estimate,
    PairedTest,
    RunResult,
    RunSpec,
    Unit,
)

__all__ = [
    "BENIGN",
    "LEARNED",
    "MIN_COVERAGE",
    "SCHEMA_VERSION",
    "SERVICE",
    "SUITE_VERSION",
    "Answer",
    "Attack",
    "Author",
    "Calibration",
    "CalibrationCell",
    "Character",
    "CharacterSet",
    "CharacterVersion",
    "Correction",
    "CorrectionMethod",
    "Counts",
    "Erasure",
    "ErasureCard",
    "Estimate",
    "FirstAppearance",
    "Guide",
    "ImageRequest",
    "Judgement",
    "LegalNote",
    "Measurement",
    "MemberVerdict",
    "OutputFilter",
    "PairedTest",
    "PictureLabel",
    "Prompt",
    "Record",
    "RunResult",
    "RunSpec",
    "Sample",
    "Sampling",
    "Screening",
    "SetWithSubjects",
    "Slug",
    "Status",
    "Term",
    "Text",
    "Unit",
    "Upscaling",
]
