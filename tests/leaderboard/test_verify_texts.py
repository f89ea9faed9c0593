"""What mitigations send: made again where that is possible, and held to what their name declares where it is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from drafts import Draft
from submissions import make_submission

from copycat.leaderboard.layout import SizeLimits
from copycat.leaderboard.records import SubmittedSample
from copycat.leaderboard.rederiving import derive_suite, replan
from copycat.leaderboard.verify import Report, VerifyOptions, verify_submission
from copycat.plan import run_id, texts_sha256
from copycat.schema import RunSpec

UNSEEN = VerifyOptions(rejudge=0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Withheld submissions, one for each mitigation; not to be changed, copy them."""
    leaderboard, folders = tmp_path_factory.mktemp("board"), dict[str, Path]()

    def make(mitigation: str) -> Path:
        if mitigation not in folders:
            folders[mitigation] = make_submission(
                leaderboard, model="some-model", mitigation=mitigation, is_withheld=True
            )
        return folders[mitigation]

    return make


def draft_of(folder: Path, tmp_path: Path) -> Draft:
    shutil.copytree(folder, tmp_path / "submission")
    return Draft(tmp_path / "submission")


def replanned(draft: Draft) -> None:
    """Give all samples the keys that follow from what the draft says now, as a run of it would have had."""
    samples = [SubmittedSample.model_validate(sample) for sample in draft.samples]
    spec = RunSpec.model_validate(draft.spec)
    requests = replan(spec, derive_suite(spec, None, SizeLimits()), samples).requests
    assert requests is not None
    draft.settings["baseline"] = run_id(spec.model_copy(update={"mitigation": "none", "language_model": None}))
    draft.spec["texts_sha256"] = texts_sha256(requests)
    new = {sample["key"]: request.key for sample, request in zip(draft.samples, requests, strict=True)}
    for sample in draft.samples:
        sample["key"] = new[sample["key"]]
        if sample["image"]:
            sample["image"] = f"images/{sample['key']}.png"
    for judgement in draft.judgements:
        judgement["key"] = new[judgement["key"]]
    draft.add_up()


def kinds_of(report: Report) -> set[str]:
    return {fault.kind for fault in report.faults}


@pytest.mark.parametrize(
    "mitigation", ["negprompt", "rewrite:rules", "intent:names+negprompt:name", "sld:weak", "filter:block"]
)
def test_a_mitigation_that_needs_nobody_is_made_again(made: Callable[[str], Path], mitigation: str) -> None:
    report = verify_submission(made(mitigation), UNSEEN)

    assert report.faults == ()
    assert [note.kind for note in report.notes] == ["withheld"]


def test_a_weaker_negative_prompt_than_the_one_declared_is_refused(made: Callable[[str], Path], tmp_path: Path) -> None:
    draft = draft_of(made("negprompt"), tmp_path)
    for sample in draft.samples:
        sample["negative_prompt"] = sample["negative_prompt"].split(", ")[0]

    assert kinds_of(verify_submission(draft.write(), UNSEEN)) == {"undeclared-change"}


@pytest.mark.parametrize("mitigation", ["rewrite:fresh", "rewrite:of-my-own", "intent:llm+rewrite:rules"])
def test_texts_of_a_language_model_are_the_submitters_word(
    made: Callable[[str], Path], tmp_path: Path, mitigation: str
) -> None:
    draft = draft_of(made("none"), tmp_path)
    draft.spec.update(mitigation=mitigation, language_model="some-model@1")
    for number, sample in enumerate(draft.samples):
        sample["prompt_sent"] = f"A plain animal, number {number}."
    replanned(draft)

    report = verify_submission(draft.write(), UNSEEN)

    assert report.faults == ()
    assert [note.kind for note in report.notes] == ["own-texts", "withheld"]


def test_texts_of_a_language_model_differ_only_where_the_name_says_so(
    made: Callable[[str], Path], tmp_path: Path
) -> None:
    draft = draft_of(made("none"), tmp_path)
    draft.spec.update(mitigation="intent:llm+negprompt:name", language_model="some-model@1")
    for sample in draft.samples:
        sample["negative_prompt"] = "somebody"
    draft.samples[0]["prompt_sent"] = "a plain grey stone"
    replanned(draft)

    (fault,) = verify_submission(draft.write(), UNSEEN).faults

    assert (fault.kind, fault.where) == ("undeclared-change", "samples.jsonl:1")
    assert fault.what == "'prompt_sent' is set, and mitigation 'intent:llm+negprompt:name' declares no such change"


def test_texts_of_a_language_model_may_not_change_after_the_run(made: Callable[[str], Path], tmp_path: Path) -> None:
    draft = draft_of(made("none"), tmp_path)
    draft.spec.update(mitigation="rewrite:fresh", language_model="some-model@1")
    replanned(draft)
    draft.samples[0]["prompt_sent"] = "another one"

    assert kinds_of(verify_submission(draft.write(), UNSEEN)) == {"key-changed", "texts-changed"}


# --------------------------------------------------------------------------- erasures and attacks


def test_a_run_under_concept_arithmetics_is_made_again_term_by_term(
    made: Callable[[str], Path], tmp_path: Path
) -> None:
    draft = draft_of(made("rewrite:rules"), tmp_path)
    spec = RunSpec.model_validate(draft.spec | {"mitigation": "rewrite:rules+attacked:arc:O1"})
    found = replan(spec, derive_suite(spec, None, SizeLimits()), [])
    assert found.requests is not None and not found.faults and found.own_texts is None
    assert all(request.attack is not None and request.attack.method == "arc" for request in found.requests)
    assert all(request.prompt_sent != request.prompt for request in found.requests if request.anchor == "name")


@pytest.mark.parametrize(
    ("mitigation", "said"),
    [
        ("erased:esd-mario", "copycat.erase --export DIR"),
        ("erased:esd-mario+negprompt:name", "copycat.erase --export DIR"),
        ("erased:uce-mario+attacked:arc:O1", "copycat.erase --export DIR"),
        ("attacked:unlearndiffatk:mario-abcdef", "such as arc:O1"),
        ("negprompt:name+attacked:/etc/", "such as arc:O1"),
        ("attacked:../../somewhere", "such as arc:O1"),
        ("attacked:cce:x/y", "such as arc:O1"),
    ],
)
def test_what_needs_weights_that_nobody_hands_in_is_refused_with_what_to_do(
    made: Callable[[str], Path], tmp_path: Path, mitigation: str, said: str
) -> None:
    draft = draft_of(made("none"), tmp_path)
    spec = RunSpec.model_validate(draft.spec | {"mitigation": mitigation})
    found = replan(spec, derive_suite(spec, None, SizeLimits()), [])
    assert found.requests is None
    (fault,) = found.faults
    assert fault.kind == "weights-elsewhere"
    assert said in fault.what


@pytest.mark.parametrize("text", ["attacked:arc", "attacked:arc:o1", "attacked:arc:O1,weight=1.0"])
def test_an_attack_that_is_not_given_by_its_full_name_is_told(
    made: Callable[[str], Path], tmp_path: Path, text: str
) -> None:
    draft = draft_of(made("none"), tmp_path)
    spec = RunSpec.model_validate(draft.spec | {"mitigation": text})
    (fault,) = replan(spec, derive_suite(spec, None, SizeLimits()), []).faults
    assert fault.kind == "unknown-mitigation"
    assert "'attacked:arc:O1'" in fault.what


def test_an_attack_that_the_mitigation_does_not_declare_is_found(made: Callable[[str], Path], tmp_path: Path) -> None:
    draft = draft_of(made("none"), tmp_path)
    draft.samples[0]["attack"] = {"method": "arc", "terms": [{"text": "a cake", "weight": 1.0}]}
    draft.add_up()
    report = verify_submission(draft.write(), UNSEEN)
    assert any(fault.kind == "undeclared-change" and "'attack'" in fault.what for fault in report.faults)
