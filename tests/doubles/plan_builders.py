"""A spec of the fake model, and requests and plans made of it."""

from __future__ import annotations

from typing import Any

from copycat_doubles import JUDGE, MODEL

from copycat.catalog import build_prompts, derived_prompt_set, parse_anchor
from copycat.mitigations import Setting, build_mitigation
from copycat.plan import build_requests, run_id
from copycat.runs.folder import RunFile
from copycat.runs.runner import Plan
from copycat.schema import CharacterSet, ImageRequest, RunSpec

SPEC = RunSpec(
    model=MODEL.name,
    model_source=MODEL.source,
    model_revision="1",
    mitigation="none",
    characters="my-set",
    characters_sha256="c0",
    anchors=("name", "description"),
    prompts_sha256="p0",
    seeds=2,
    sampling=MODEL.sampling,
    batch_size=MODEL.batch_size,
    device="cpu",
    judge=JUDGE.name,
    judge_revision="1",
)


def changed(spec: RunSpec, **fields: Any) -> RunSpec:
    return spec.model_copy(update=fields)


def requests_of(characters: CharacterSet, spec: RunSpec = SPEC) -> tuple[ImageRequest, ...]:
    prompt_set = derived_prompt_set(characters)
    anchors = [parse_anchor(text, prompt_set.default_ranker) for text in spec.anchors]
    prompts = build_prompts(characters, prompt_set, anchors)
    mitigation = build_mitigation(spec.mitigation, Setting(characters, prompt_set))
    return build_requests(spec, prompts, characters.characters, mitigation)


def plan_of(characters: CharacterSet, spec: RunSpec = SPEC) -> Plan:
    return Plan(spec=spec, requests=requests_of(characters, spec))


def run_file(spec: RunSpec = SPEC, status: str = "running", **environment: str) -> RunFile:
    versions = {"torch": "2.0", "diffusers": "1.0", "transformers": "5.0", "numpy": "2.0"}
    return RunFile(id=run_id(spec), spec=spec, environment=versions | environment, status=status)
