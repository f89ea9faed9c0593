"""The plan: every request of the spec, each once, in its order, with the texts, seeds and keys that follow from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from copycat.leaderboard.checks.case import Case
from copycat.leaderboard.faults import Fault, Finding, Note
from copycat.leaderboard.records import SAMPLES, SETTINGS, SubmittedSample
from copycat.leaderboard.rederiving import parts_of
from copycat.mitigations import NONE
from copycat.plan import run_id, texts_sha256
from copycat.schema import ImageRequest

Place = tuple[str, str, int]

OF_MITIGATION = ("texts_sha256", "filter_judge", "language_model", "embedder")
"""What a spec says only because of its mitigation."""

KIND_OF_TEXT = {
    "prompt_sent": {"rewrite"},
    "negative_prompt": {"negprompt"},
    "guide": {"sld", "safree", "nag"},
    "output_filter": {"filter"},
    "erasure": {"erased"},
    "attack": {"attacked"},
}
"""Which mitigations may change a field of a request at all."""


def check_plan(case: Case) -> Iterator[Finding]:
    """Compare the samples with the requests that the spec stands for."""
    if case.spec.limit is not None:
        said = f"a run with --limit {case.spec.limit} is partial; needed: a run of every prompt"
        yield Fault(kind="partial", where=SETTINGS, what=said)
    yield from case.plan.faults
    if case.plan.requests is None:
        return
    yield from _check_set(case.plan.requests, case.loaded.samples)
    yield from _check_each(case, case.plan.requests)
    yield from _check_texts_hash(case, case.plan.requests)
    if case.plan.own_texts is not None:
        yield from _check_declared(case)
        said = f"what the mitigation made of the prompts is the submitter's word: {case.plan.own_texts}"
        yield Note(kind="own-texts", what=said)


def check_baseline(case: Case) -> Iterator[Fault]:
    """Check that the run named as the unmitigated one is that of this very spec without its mitigation."""
    spec, named = case.spec, case.loaded.settings.baseline
    if spec.mitigation == NONE:
        if strays := [name for name in OF_MITIGATION[1:] if getattr(spec, name) is not None]:
            yield Fault(kind="undeclared-change", where=SETTINGS, what=f"has '{strays[0]}', and no mitigation")
        if named is not None:
            yield Fault(kind="wrong-baseline", where=SETTINGS, what="is unmitigated itself: 'baseline' is null")
        return
    plain = spec.model_copy(update={"mitigation": NONE} | dict.fromkeys(OF_MITIGATION))
    # Where guidance is distilled, a negative prompt turns true guidance on, and the baseline has none.
    without = plain.model_copy(update={"sampling": spec.sampling.model_copy(update={"true_guidance": None})})
    if named not in (run_id(plain), run_id(without)):
        said = f"'baseline' is {ascii(named)[:100]}; without its mitigation this run is '{run_id(plain)}'"
        yield Fault(kind="wrong-baseline", where=SETTINGS, what=said)


def _check_set(requests: Sequence[ImageRequest], samples: Sequence[SubmittedSample]) -> Iterator[Fault]:
    planned = [(request.character, request.anchor, request.repeat) for request in requests]
    found = [_place_of(sample) for sample in samples]
    counts = Counter(found)
    for place in planned:
        if place not in counts:
            yield Fault(kind="missing-sample", where=SAMPLES, what=f"{_named(place)} was planned and is not there")
    wanted, seen = set(planned), set()
    for number, place in enumerate(found, start=1):
        if place not in wanted:
            said = f"{_named(place)} is not of the plan"
            yield Fault(kind="extra-sample", where=f"{SAMPLES}:{number}", what=said)
        elif place in seen:
            yield Fault(kind="repeated-sample", where=f"{SAMPLES}:{number}", what=f"{_named(place)} is there twice")
        seen.add(place)
    if set(found) == wanted and len(found) == len(planned) and found != planned:
        said = "the samples are not in the order of the plan: repeat by repeat, character by character"
        yield Fault(kind="order", where=SAMPLES, what=said)


def _check_each(case: Case, requests: Sequence[ImageRequest]) -> Iterator[Fault]:
    """Compare fields one by one; the key last, and only where nothing else explains that it differs."""
    expected = {(request.character, request.anchor, request.repeat): request for request in requests}
    for number, sample in enumerate(case.loaded.samples, start=1):
        request = expected.get(_place_of(sample))
        if request is None:
            continue
        where, faults = f"{SAMPLES}:{number}", []
        if sample.prompt != request.prompt:
            said = f"the prompt of {_named(_place_of(sample))} is not the suite's"
            faults.append(Fault(kind="prompt-changed", where=where, what=said))
        if sample.seed != request.seed:
            said = f"the seed is {sample.seed}, and {request.seed} follows from the prompt and the repeat"
            faults.append(Fault(kind="seed-changed", where=where, what=said))
        for field in KIND_OF_TEXT:
            if getattr(sample, field) != getattr(request, field):
                said = f"'{field}' is not what mitigation '{case.spec.mitigation}' makes of this prompt"
                faults.append(Fault(kind="undeclared-change", where=where, what=said))
        if not faults and sample.key != request.key:
            said = f"the key is '{sample.key[:20]}', and '{request.key}' follows from {SETTINGS} and this request"
            faults.append(Fault(kind="key-changed", where=where, what=said))
        yield from faults


def _check_texts_hash(case: Case, requests: Sequence[ImageRequest]) -> Iterator[Fault]:
    true = None if case.spec.mitigation == NONE else texts_sha256(requests)
    if case.spec.texts_sha256 != true:
        said = f"texts_sha256 is not that of the texts sent, {true}"
        yield Fault(kind="texts-changed", where=SETTINGS, what=said)


def _check_declared(case: Case) -> Iterator[Fault]:
    """Where texts cannot be made again here: only what the mitigation's name declares may differ from the prompt."""
    declared = parts_of(case.spec.mitigation)
    for number, sample in enumerate(case.loaded.samples, start=1):
        changed = {
            "prompt_sent": sample.prompt_sent != sample.prompt,
            "negative_prompt": sample.negative_prompt is not None,
            "guide": sample.guide is not None,
            "output_filter": sample.output_filter is not None,
            "erasure": sample.erasure is not None,
            "attack": sample.attack is not None,
        }
        for field, allowed in KIND_OF_TEXT.items():
            if changed[field] and not allowed & declared:
                said = f"'{field}' is set, and mitigation '{case.spec.mitigation}' declares no such change"
                yield Fault(kind="undeclared-change", where=f"{SAMPLES}:{number}", what=said)


def _place_of(sample: SubmittedSample) -> Place:
    return sample.character, sample.anchor, sample.repeat


def _named(place: Place) -> str:
    character, anchor, repeat = place
    return f"'{character}', anchor '{anchor[:60]}', repeat {repeat}"
