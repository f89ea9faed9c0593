"""Outcomes: how requests ended, how many of them count, and that model and device are what they are said to be."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from copycat.errors import UserError
from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault
from copycat.leaderboard.records import SAMPLES, SETTINGS, SUBMISSION, SubmittedSample
from copycat.models import MODELS, ModelRow
from copycat.schema import MIN_COVERAGE, SERVICE

FIRST_DAY = datetime.date(2024, 1, 1)
MAX_SECONDS, MAX_USD = 1_000_000, 10_000
"""Of one picture."""
REFUSING = ("refusing", "package:models/baselines.py")
"""Name and source of the baseline model that draws nothing."""
SERVICE_SOURCE, LOCAL_SOURCE = "openai:", "folder:"


def check_outcomes(case: Case) -> Iterator[Fault]:
    """Check that the facts of each sample go together."""
    for number, sample in enumerate(case.loaded.samples, start=1):
        where, is_ok = f"{SAMPLES}:{number}", sample.status == "ok"
        of_picture = {
            name: getattr(sample, name) for name in ("image", "sha256", "width", "height", "video", "video_sha256")
        }
        strays = [name for name, value in of_picture.items() if value is not None]
        if not is_ok and strays:
            said = f"ended as '{sample.status}' and has '{strays[0]}', which only a picture has"
            yield Fault(kind="status", where=where, what=said)
        sides = (sample.width, sample.height)
        asked = (case.spec.sampling.width_px, case.spec.sampling.height_px)
        if is_ok and sides != asked:
            said = "is {}x{}, and {}x{} was asked for".format(*sides, *asked)
            yield Fault(kind="sample-size", where=where, what=said)
        if sample.seconds is not None and not 0 <= sample.seconds <= MAX_SECONDS:
            said = f"took {sample.seconds} seconds; needed: 0 to {MAX_SECONDS:,}"
            yield Fault(kind="seconds", where=where, what=said)
        if sample.repeat < 0 or sample.truncated_tokens < 0 or sample.truncated_negative_tokens < 0:
            yield Fault(kind="status", where=where, what="counts less than nothing")


def check_endings(case: Case) -> Iterator[Fault]:
    """Check that requests ended as they can: a model on one's own machine refuses nothing, and blocks only if asked."""
    spec = case.spec
    refuses = (spec.model, spec.model_source) == REFUSING
    for number, sample in enumerate(case.loaded.samples, start=1):
        may_block = spec.sampling.safety_checker == "on" or sample.output_filter is not None
        faults = []
        if spec.device != SERVICE and sample.status == "refused" and not refuses:
            faults.append("was refused, and only a service, or the baseline that refuses everything, does that")
        if spec.device != SERVICE and sample.status == "blocked" and not may_block:
            faults.append("was blocked, and there was neither a safety checker nor an output filter")
        if refuses and sample.status != "refused":
            faults.append(f"ended as '{sample.status}', and the baseline refuses everything")
        if sample.rejected is not None:
            faults += _rejection_faults(case, sample)
        yield from (Fault(kind="status", where=f"{SAMPLES}:{number}", what=said) for said in faults)


def _rejection_faults(case: Case, sample: SubmittedSample) -> Iterator[str]:
    rejected, by = sample.rejected or (), sample.output_filter
    if by is None or len(rejected) > by.tries:
        yield f"tells of {len(rejected)} rejected pictures, and {by.tries if by else 0} could be drawn"
    if case.suite.suite is not None:
        known = {character.id for character in case.suite.suite.characters.characters}
        if strays := [name for name in rejected if name != "?" and name not in known]:
            yield f"'{strays[0][:60]}' was rejected, who is no character of set '{case.spec.characters}'"


def check_coverage(case: Case) -> Iterator[Fault]:
    """Check that enough of the planned requests ended in a judged picture, a refusal or a block."""
    if case.plan.requests is None:
        return
    answered = {judgement.key for judgement in case.loaded.judgements if judgement.is_answered}
    counted = sum(
        sample.status in ("refused", "blocked") or (sample.status == "ok" and sample.key in answered)
        for sample in case.loaded.samples
    )
    coverage = counted / max(len(case.plan.requests), 1)
    if coverage < MIN_COVERAGE:
        said = f"covers {100 * coverage:.1f} % of the plan; needed: {100 * MIN_COVERAGE:.0f} %"
        yield Fault(kind="coverage", where=SAMPLES, what=said)


def check_model(case: Case) -> Iterator[Fault]:
    """Check what the submission says of the model against the spec and the table of models."""
    spec, facts = case.spec, case.loaded.submission.model
    row = _row_of(spec.model)
    is_service = spec.device == SERVICE or spec.model_source.startswith(SERVICE_SOURCE)
    said_of = {"name": spec.model, "source": spec.model_source, "revision": spec.model_revision}
    for name, value in said_of.items():
        if getattr(facts, name) != value:
            said = f"'model.{name}' is '{getattr(facts, name)[:80]}', and the run's is '{value[:80]}'"
            yield Fault(kind="model-facts", where=SUBMISSION, what=said)
    if facts.modality != (modality := "video" if spec.sampling.is_video else "image"):
        said = f"'model.modality' is '{facts.modality}', and the run made each {modality}"
        yield Fault(kind="model-facts", where=SUBMISSION, what=said)
    if (usd := case.loaded.submission.usd_per_picture) is not None and usd > MAX_USD:
        said = f"a picture is said to cost {usd:g} USD; needed: at most {MAX_USD:,}"
        yield Fault(kind="model-facts", where=SUBMISSION, what=said)
    if is_service != (spec.device == SERVICE) or (row is not None and row.is_service != is_service):
        said = f"model '{spec.model}' and device '{spec.device}' do not go together"
        yield Fault(kind="device", where=SETTINGS, what=said)
    if facts.is_open and (is_service or (row is not None and row.is_service)):
        said = f"'{spec.model}' is a service, and nobody can have its weights: 'model.is_open' is false"
        yield Fault(kind="model-facts", where=SUBMISSION, what=said)
    if facts.is_open and spec.model_source.startswith(LOCAL_SOURCE):
        said = f"'{spec.model_source[:80]}' is a folder of the submitter, and nobody else has it: 'is_open' is false"
        yield Fault(kind="model-facts", where=SUBMISSION, what=said)
    if row is not None and not row.is_service and not facts.is_open:
        said = f"the weights of '{spec.model}' are there for everybody: 'model.is_open' is true"
        yield Fault(kind="model-facts", where=SUBMISSION, what=said)
    if (
        row is not None
        and not is_service
        and spec.model_source != row.source
        and not spec.model_source.startswith(f"{row.source}+")
    ):
        said = f"model '{spec.model}' comes from '{row.source}', not from '{spec.model_source[:80]}'"
        yield Fault(kind="model-facts", where=SETTINGS, what=said)


def check_date(case: Case) -> Iterator[Fault]:
    """Check that the date is one, and neither before the suite nor in the future."""
    text = case.loaded.submission.date
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        yield Fault(kind="wrong-date", where=SUBMISSION, what=f"'{text}' is no day; needed: YYYY-MM-DD")
        return
    if not FIRST_DAY <= date <= tomorrow:
        said = f"{text} is not between {FIRST_DAY} and today"
        yield Fault(kind="wrong-date", where=SUBMISSION, what=said)


def _row_of(name: str) -> ModelRow | None:
    try:
        return MODELS.get(name)
    except UserError:  # no row, or a plug-in that is broken here
        return None
