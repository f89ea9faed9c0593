"""The plan: which requests, in which order, under which keys, with which seeds."""

from __future__ import annotations

from typing import Any

import pytest
from plan_builders import SPEC, changed, requests_of

from copycat.catalog import build_prompts, derived_prompt_set, parse_anchor
from copycat.plan import KEY_HEX_DIGITS, build_batches, build_requests, build_seed, run_id
from copycat.schema import (
    Attack,
    CharacterSet,
    Erasure,
    Guide,
    ImageRequest,
    OutputFilter,
    RunSpec,
    Sampling,
    Term,
    Upscaling,
)

SAMPLING = SPEC.sampling


def test_requests_go_repeat_by_repeat_character_by_character_anchor_by_anchor(characters: CharacterSet) -> None:
    order = [(r.repeat, r.character, r.anchor) for r in requests_of(characters)]
    assert order == [
        (repeat, character, anchor)
        for repeat in (0, 1)
        for character in ("goofy", "max", "bluto")
        for anchor in ("name", "description")
    ]


def test_anchors_keep_the_order_in_which_they_were_asked_for(characters: CharacterSet) -> None:
    requests = requests_of(characters, changed(SPEC, anchors=("description", "name")))
    assert [r.anchor for r in requests[:2]] == ["description", "name"]


def test_a_limit_takes_the_first_requests_and_changes_none_of_them(characters: CharacterSet) -> None:
    everything = requests_of(characters)
    assert requests_of(characters, changed(SPEC, limit=5)) == everything[:5]
    assert requests_of(characters, changed(SPEC, limit=10**6)) == everything


def test_more_repeats_leave_the_earlier_ones_as_they_are(characters: CharacterSet) -> None:
    fewer, more = requests_of(characters), requests_of(characters, changed(SPEC, seeds=3))
    assert more[: len(fewer)] == fewer
    assert len(more) == len(fewer) * 3 // 2


@pytest.mark.parametrize(
    "other",
    [
        {"mitigation": "negprompt:name"},
        {"model": "sdxl", "model_source": "elsewhere", "model_revision": "2"},
        {"batch_size": 1},
        {"device": "cuda"},
        {"sampling": SAMPLING.model_copy(update={"steps": 51})},
        {"limit": 7},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_seeds_are_the_same_for_every_mitigation_model_and_setting(
    characters: CharacterSet, other: dict[str, Any]
) -> None:
    plain = {(r.prompt_id, r.repeat): r.seed for r in requests_of(characters)}
    for request in requests_of(characters, changed(SPEC, **other)):
        assert request.seed == plain[request.prompt_id, request.repeat]


def test_seeds_differ_between_prompts_and_between_repeats(characters: CharacterSet) -> None:
    requests = requests_of(characters, changed(SPEC, seeds=50))
    assert len({r.seed for r in requests}) == len(requests) == 300


def test_a_seed_is_fixed_for_good_and_exact_in_every_json_reader() -> None:
    assert build_seed("my-set/goofy/name", 0) == 42957135900481
    assert all(0 <= build_seed("p", repeat) < 2**48 for repeat in range(200))


def test_a_request_without_mitigation_sends_the_prompt_as_it_is(characters: CharacterSet) -> None:
    first = requests_of(characters)[0]
    assert (first.prompt, first.prompt_sent, first.negative_prompt) == ("Goofy", "Goofy", None)


# ------------------------------------------------------------------------------------------ keys

SPEC_FIELDS_THAT_MOVE_PIXELS: dict[str, Any] = {
    "model_source": "elsewhere",
    "model_revision": "2",
    "batch_size": 5,
    "device": "cuda",
    **{
        f"sampling.{name}": value
        for name, value in {
            "steps": 9,
            "guidance": 3.5,
            "width_px": 72,
            "height_px": 72,
            "dtype": "float16",
            "scheduler": "PNDMScheduler",
            "true_guidance": 4.0,
            "upscaling": (Upscaling(source="larger", steps=5, guidance=4.0),),
            "frames": 9,
            "kept_frames": (0, 8),
            "fps": 8,
            "compile": "regional",
            "long_prompts": True,
            "vae_dtype": "float32",
            "vae_tiling": True,
            "safety_checker": "off",
            "watermark": "off",
            "quality": "high",
        }.items()
    },
}


def test_the_list_of_sampling_settings_that_change_a_key_is_complete() -> None:
    listed = {name.removeprefix("sampling.") for name in SPEC_FIELDS_THAT_MOVE_PIXELS if name.startswith("sampling.")}
    assert listed == set(Sampling.model_fields)


@pytest.mark.parametrize("field", SPEC_FIELDS_THAT_MOVE_PIXELS)
def test_every_key_changes_with_a_setting_that_can_move_a_pixel(characters: CharacterSet, field: str) -> None:
    value = SPEC_FIELDS_THAT_MOVE_PIXELS[field]
    name = field.removeprefix("sampling.")
    spec = (
        changed(SPEC, **{field: value})
        if name == field
        else changed(SPEC, sampling=SAMPLING.model_copy(update={name: value}))
    )
    assert not {r.key for r in requests_of(characters)} & {r.key for r in requests_of(characters, spec)}


class Tampering:
    """A mitigation that changes one field of every request."""

    def __init__(self, field: str, value: object) -> None:
        self.change = {field: value}

    def apply(self, request: ImageRequest, character: object) -> ImageRequest:
        return request.model_copy(update=self.change)


REQUEST_FIELDS = {
    "character": "someone-else",
    "anchor": "other",
    "prompt_id": "other",
    "repeat": 77,
    "prompt": "other",
    "prompt_sent": "other",
    "negative_prompt": "other",
    "guide": Guide(method="sld", concept=("other",)),
    "output_filter": OutputFilter(tries=2),
    "erasure": Erasure(method="esd", concepts=("other",), sha256="0" * 64),
    "attack": Attack(method="arc", terms=(Term(text="other", weight=1),)),
    "seed": 77,
}


@pytest.mark.parametrize("field", [name for name in ImageRequest.model_fields if name != "key"])
def test_a_key_changes_with_every_field_of_its_request(characters: CharacterSet, field: str) -> None:
    prompts = build_prompts(characters, derived_prompt_set(characters), [parse_anchor("name", None)])
    tampering = Tampering(field, REQUEST_FIELDS[field])
    tampered = build_requests(SPEC, prompts, characters.characters, tampering)
    assert not {r.key for r in tampered} & {r.key for r in requests_of(characters)}


def test_keys_are_unique_and_of_one_length(characters: CharacterSet) -> None:
    mitigations = ("none", "negprompt:name", "negprompt:copyright")
    keys = [r.key for m in mitigations for r in requests_of(characters, changed(SPEC, mitigation=m, seeds=20))]
    assert len(set(keys)) == len(keys) == 360
    assert {len(key) for key in keys} == {KEY_HEX_DIGITS}


@pytest.mark.parametrize("other", [{"judge": "x"}, {"judge_revision": "x"}, {"limit": 12}, {"seeds": 9}], ids=str)
def test_a_key_does_not_depend_on_the_judge_or_the_size_of_the_run(
    characters: CharacterSet, other: dict[str, Any]
) -> None:
    assert {r.key for r in requests_of(characters)} <= {r.key for r in requests_of(characters, changed(SPEC, **other))}


# ---------------------------------------------------------------------------------------- run id


def test_a_run_is_named_after_model_mitigation_and_characters_with_a_hash() -> None:
    name, _, digest = run_id(changed(SPEC, mitigation="negprompt:name")).rpartition("+")
    assert name == "fake+negprompt-name+my-set"
    assert len(digest) == 8


def test_a_run_id_is_stable_and_independent_of_the_judge() -> None:
    assert run_id(SPEC) == run_id(changed(SPEC, judge="another", judge_revision="9")) == run_id(SPEC.model_copy())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suite_version", "9"),
        ("model", "x"),
        ("model_source", "x"),
        ("model_revision", "x"),
        ("texts_sha256", "x"),
        ("filter_judge", "x"),
        ("language_model", "x"),
        ("embedder", "x"),
        ("mitigation", "x"),
        ("characters", "x"),
        ("characters_sha256", "x"),
        ("anchors", ("name",)),
        ("prompts_sha256", "x"),
        ("seeds", 9),
        ("sampling", SAMPLING.model_copy(update={"guidance": 9.0})),
        ("batch_size", 9),
        ("device", "x"),
        ("limit", 9),
    ],
)
def test_a_run_id_changes_with_every_other_field_of_the_spec(field: str, value: object) -> None:
    assert run_id(changed(SPEC, **{field: value})) != run_id(SPEC)


def test_every_field_of_the_spec_is_in_the_test_above_or_belongs_to_the_judge() -> None:
    (mark,) = test_a_run_id_changes_with_every_other_field_of_the_spec.pytestmark  # type: ignore[attr-defined]
    assert {field for field, _ in mark.args[1]} | {"judge", "judge_revision"} == set(RunSpec.model_fields)


def test_a_run_id_is_a_plain_folder_name_whatever_the_model_is_called() -> None:
    name = run_id(changed(SPEC, model="../Ünï/..\\x:*? " * 20))
    assert not set(name) & set("/\\:*? ")
    assert len(name) < 100


# --------------------------------------------------------------------------------------- batches


def test_batches_cut_the_requests_in_order_and_the_last_one_may_be_smaller(characters: CharacterSet) -> None:
    requests = requests_of(characters)
    batches = build_batches(requests, 5)
    assert [len(batch) for batch in batches] == [5, 5, 2]
    assert tuple(request for batch in batches for request in batch) == requests


def test_no_requests_make_no_batch() -> None:
    assert build_batches((), 4) == []
