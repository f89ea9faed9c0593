"""What is done to counts after counting: verification by a sample, and scaling to the corpus that trained the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.errors import UserError
from copycat.imitation.count.counting import scaled
from copycat.imitation.count.verification import (
    Sample,
    errors_of_labels,
    parse_k_of_n,
    read_sample,
    verify_counts,
    why_no_correction,
)
from copycat.imitation.records import COUNTS_FILE, Concept, ConceptCount
from copycat.imitation.tables import read_table
from copycat.imitation.whose import Naming, listed
from copycat.paths import shown
from copycat.schema import CalibrationCell


class Adjustment(NamedTuple):
    """A sample that was looked at with the matcher's errors, and raw counts of another corpus; None: left alone.

    `notes` say how names in these files were taken.
    """

    sample: Sample | None = None
    errors: tuple[CalibrationCell, ...] = ()
    elsewhere: dict[str, int] | None = None
    source: str = ""
    notes: tuple[str, ...] = ()


class Told(NamedTuple):
    """What was done after counting, as facts and warnings of the study."""

    facts: dict[str, str]
    warnings: tuple[str, ...] = ()


def read_adjustment(
    verify: Path | None,
    sensitivity: str | None,
    specificity: str | None,
    scale_to: Path | None,
    concepts: Sequence[Concept] = (),
) -> Adjustment:
    """Read what a user gives for it, before anything is counted.

    Args:
        concepts: whose names and aliases may stand in place of ids.

    Raises:
        UserError: an option has the wrong form or lacks another; or the labels support no correction at all.
        DataError: a file is wrong.
    """
    if (sensitivity is None) != (specificity is None):
        raise UserError("--sensitivity and --specificity go together\n  needed: both, as K/N")
    if sensitivity is not None and verify is None:
        raise UserError("--sensitivity and --specificity correct a sample\n  needed: --verify FOLDER or a table")
    naming, other_naming = Naming(concepts), Naming(concepts)
    sample = read_sample(verify, naming) if verify is not None else None
    errors = sample.errors if sample is not None else ()
    if sensitivity is not None and specificity is not None:
        errors = errors_of_labels(
            parse_k_of_n("--sensitivity", sensitivity), parse_k_of_n("--specificity", specificity)
        )
    if why := why_no_correction(errors):
        raise UserError(
            f"counts are not estimable from this sample: {why}\n  needed: labels of more pictures, of both kinds"
        )
    notes = naming.notes(verify) if verify is not None else ()
    if scale_to is None:
        return Adjustment(sample, errors, notes=notes)
    rows = read_table(scale_to, ConceptCount, key=("concept",), id_of=other_naming)
    elsewhere = {row.concept: row.raw for row in rows if row.raw is not None}
    return Adjustment(sample, errors, elsewhere, shown(scale_to), (*notes, *other_naming.notes(scale_to)))


def adjust(counts: Sequence[ConceptCount], given: Adjustment) -> tuple[tuple[ConceptCount, ...], Told]:
    """Verify and scale counts; what cannot be estimated has no count, and a reason."""
    facts: dict[str, str] = {}
    warnings = [*given.notes]
    done = tuple(counts)
    if given.sample is not None:
        done = verify_counts(done, given.sample.by_concept, given.errors)
        facts |= _sample_facts(done, given.sample, given.errors)
        warnings += _sample_warnings(done, given.sample, given.errors)
    if given.elsewhere is not None:
        done = tuple(_scaled(count, given.elsewhere) for count in done)
        facts["scaled_to"] = given.source
    pairs = zip(counts, done, strict=True)
    lost = [now.concept for before, now in pairs if before.count is not None and now.count is None]
    if lost:
        such = "concepts lose their counts" if len(lost) > 1 else "concept loses its count"
        warnings.append(
            f"{len(lost):,} {such}, for nothing corrects or scales them ({COUNTS_FILE} says why): {listed(lost)}"
        )
    return done, Told(facts, tuple(warnings))


def _sample_facts(counts: Sequence[ConceptCount], sample: Sample, errors: Sequence[CalibrationCell]) -> dict[str, str]:
    """Say what the sample showed of the concepts that are counted, and who looked at it."""
    looked_at = [sample.by_concept[count.concept] for count in counts if count.concept in sample.by_concept]
    k, n = sum(each.k for each in looked_at), sum(each.n for each in looked_at)
    return {
        "verified": f"{k:,} of {n:,} sampled pictures of {len(looked_at):,} concepts were said to show them",
        "verified_by": _by_whom(errors),
    }


def _sample_warnings(
    counts: Sequence[ConceptCount], sample: Sample, errors: Sequence[CalibrationCell]
) -> Iterator[str]:
    if strangers := sorted({*sample.by_concept} - {count.concept for count in counts}):
        such = "a concept that is" if len(strangers) == 1 else f"{len(strangers):,} concepts that are"
        yield f"the sample has pictures of {such} not counted: {listed(strangers)}"
    if not errors:
        yield "the sample is taken as looked at without errors: no labels tell a matcher's"


def _scaled(count: ConceptCount, elsewhere: dict[str, int]) -> ConceptCount:
    there = elsewhere.get(count.concept)
    if there is None:
        nothing = {"count": None, "low": None, "high": None}
        return count.model_copy(update={**nothing, "reason": "not estimable: the other corpus has no raw count of it"})
    value, why = scaled(count.count, count.raw or 0, there)
    bounds = {name: scaled(getattr(count, name), count.raw or 0, there)[0] for name in ("low", "high")}
    return count.model_copy(update={"count": value, **bounds, "reason": count.reason or why})


def _by_whom(errors: Sequence[CalibrationCell]) -> str:
    if not errors:
        return "people, or a matcher that is taken to make no errors"
    tp, fn, fp, tn = (sum(getattr(cell, kind) for cell in errors) for kind in ("tp", "fn", "fp", "tn"))
    return f"a matcher: sensitivity {tp} of {tp + fn}, specificity {tn} of {tn + fp} labels"
