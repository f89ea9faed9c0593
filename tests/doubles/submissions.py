"""Valid submissions, made in a moment from the plan of a shipped suite: no model draws and no judge looks.

Pictures are coarse noise from their keys, verdicts come from a seeded dice; everything else, from keys to metrics, is
what the main job would have written. Only a judge that looks again would notice.
"""

from __future__ import annotations

import hashlib
import io
import random
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from copycat.catalog import build_prompts, parse_anchor, prompt_set_of, read_character_set
from copycat.judges.families import build_judge, resolve_judge
from copycat.leaderboard.hashing import perceptual_hash
from copycat.leaderboard.layout import SUBMISSIONS, submission_id
from copycat.leaderboard.records import ModelFacts, RunSettings, Submission, SubmittedSample, Submitter
from copycat.leaderboard.writing import Files, write_submission
from copycat.metrics import summarise
from copycat.mitigations import NONE, Setting, build_mitigation, canonical_mitigation
from copycat.models import MODELS
from copycat.plan import build_requests, run_id, texts_sha256
from copycat.runs.environment import describe_environment
from copycat.runs.folder import RunFile, RunFolder
from copycat.schema import CharacterSet, ImageRequest, Judgement, Prompt, RunSpec, Sample
from copycat.staging import Job, plan_job

SIDE_PX, BLOCKS = 64, 8
JUDGE_OF = {"sandbox": "sandbox"}
"""Per character set; every other is judged by OTHER_JUDGE."""
OTHER_JUDGE = "openai:double-vlm"
ANCHORS = ("name", "keywords", "description")


class Wanted(NamedTuple):
    """What may differ between submissions; shares are of all requests, `detect_rate` and `consistency` of pictures.

    A `model` of the table stands for itself; any other name is that of an open model of the doubles. With a
    `cast`, only requests for its characters are drawn: enough for pages, and too few for what is verified.
    """

    model: str = "sandbox"
    mitigation: str = NONE
    characters: str = "sandbox"
    detect_rate: float = 0.4
    consistency: float = 0.9
    refused: float = 0.0
    failed: float = 0.0
    unjudged: float = 0.0
    submitter: str = "Test Laboratory"
    organisation: str | None = None
    contact: str | None = None
    paper: str | None = None
    statement: str = ""
    notes: str = ""
    attack: str | None = None
    usd_per_picture: float | None = None
    date: str = "2026-11-28"
    seeds: int = 1
    is_withheld: bool = False
    is_open: bool = True
    anchors: tuple[str, ...] = ANCHORS
    random_seed: int = 0
    cast: tuple[str, ...] = ()


def make_submission(leaderboard: Path, **changes: Any) -> Path:
    """Write a submission to where it belongs below a leaderboard folder; see `Wanted` for what can be changed."""
    wanted = Wanted(**changes)
    files, pictures = build_submission(wanted)
    folder = leaderboard / SUBMISSIONS / submission_id(files.submission, files.settings)
    folder.mkdir(parents=True)
    write_submission(folder, files, pictures)
    return folder


def make_run(out: Path, **changes: Any) -> Path:
    """Write the run folder below `out` from which `make_submission` with the same changes would be packed."""
    files, pictures = build_submission(Wanted(**changes))
    spec, settings = files.settings.spec, files.settings
    folder = RunFolder(out / run_id(spec))
    for key, content in pictures:
        folder.save_file(f"images/{key}.png", content)
    folder.rewrite_samples(Sample(**sample.model_dump(exclude={"perceptual_hash"})) for sample in files.samples)
    folder.rewrite_judgements(spec, files.judgements)
    run = {"id": run_id(spec), "status": "finished", "environment": settings.environment}
    folder.write_run(RunFile(spec=spec, baseline=settings.baseline, **run))
    return folder.path


def make_many(leaderboard: Path, count: int, processes: int = 2, **changes: Any) -> list[Path]:
    """Write submissions of as many models, model-0000 and so on, each with figures and pictures of its own."""
    dice = random.Random(count)
    rates = [(dice.random(), dice.uniform(0.5, 1.0)) for _ in range(count)]
    many = [
        {"model": f"model-{place:04}", "detect_rate": rate, "consistency": shown, "random_seed": place} | changes
        for place, (rate, shown) in enumerate(rates)
    ]
    if processes == 1:
        return [make_submission(leaderboard, **one) for one in many]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(partial(_make, leaderboard), many, chunksize=8))


def build_submission(wanted: Wanted) -> tuple[Files, list[tuple[str, bytes]]]:
    """Give the records of a submission, and its pictures by key."""
    suite = _suite(wanted.characters, wanted.anchors)
    spec, requests = _plan(wanted, suite)
    dice = random.Random(wanted.random_seed)
    requests = tuple(one for one in requests if not wanted.cast or one.character in wanted.cast)
    drawn = [_draw(request, wanted, dice) for request in requests]
    samples = [sample for sample, _ in drawn]
    judgements = [_judge(sample, wanted, dice, suite.characters) for sample in samples if sample.status == "ok"]
    submission = Submission(
        suite_version=spec.suite_version,
        date=wanted.date,
        model=_facts(wanted, spec),
        attack=wanted.attack,
        submitter=Submitter(name=wanted.submitter, organisation=wanted.organisation, contact=wanted.contact),
        paper=wanted.paper,
        statement=wanted.statement,
        notes=wanted.notes,
        pictures="withheld" if wanted.is_withheld else "included",
        usd_per_picture=wanted.usd_per_picture,
    )
    baseline = None if spec.mitigation == NONE else run_id(_plan(wanted._replace(mitigation=NONE), suite)[0])
    settings = RunSettings(spec=spec, environment=suite.environment, baseline=baseline)
    result = summarise(
        spec,
        len(requests),
        samples,
        judgements,
        is_sandbox=suite.characters.is_sandbox,
        is_judge_calibrated=suite.is_calibrated,
        set_names={character.id: character.name for character in suite.characters.characters},
    )
    pictures = [(sample.key, content) for sample, content in drawn if content]
    return Files(submission, settings, result, samples, judgements), pictures


class _Suite(NamedTuple):
    characters: CharacterSet
    setting: Setting
    prompts: tuple[Prompt, ...]
    spec: RunSpec
    is_calibrated: bool
    environment: dict[str, str]


@lru_cache
def _suite(name: str, anchors: tuple[str, ...]) -> _Suite:
    """Plan the sandbox model on a character set, with a judge of that set."""
    characters = read_character_set(name)
    prompt_set = prompt_set_of(characters)
    prompts = build_prompts(characters, prompt_set, [parse_anchor(a, prompt_set.default_ranker) for a in anchors])
    job = Job(models=("sandbox",), characters=name, anchors=anchors, seeds=1, judge="none", device="cpu")
    spec = plan_job(job)[0][1][0].plan.spec
    judge = JUDGE_OF.get(name, OTHER_JUDGE)
    revision = _hex("judge") if judge == OTHER_JUDGE else build_judge(resolve_judge(judge), "cpu").revision()
    spec = spec.model_copy(update={"judge": judge, "judge_revision": revision})
    is_calibrated = resolve_judge(judge).is_calibrated
    setting = Setting(characters, prompt_set)
    return _Suite(characters, setting, prompts, spec, is_calibrated, describe_environment("cpu"))


def _plan(wanted: Wanted, suite: _Suite) -> tuple[RunSpec, tuple[ImageRequest, ...]]:
    name = canonical_mitigation(wanted.mitigation, suite.setting)
    changes: dict[str, Any] = {"mitigation": name, "seeds": wanted.seeds, "model": wanted.model}
    if wanted.model != suite.spec.model:
        changes |= {"model_source": f"doubles/{wanted.model}", "model_revision": _hex(wanted.model)}
    spec = suite.spec.model_copy(update=changes)
    requests = build_requests(spec, suite.prompts, suite.characters.characters, build_mitigation(name, suite.setting))
    if name != NONE:
        spec = spec.model_copy(update={"texts_sha256": texts_sha256(requests)})
    return spec, requests


def _draw(request: ImageRequest, wanted: Wanted, dice: random.Random) -> tuple[SubmittedSample, bytes]:
    planned = request.model_dump(exclude={"prompt_id"})
    chance = dice.random()
    if chance < wanted.refused:
        return SubmittedSample(**planned, status="refused", detail="the service said no", seconds=0.5), b""
    if chance < wanted.refused + wanted.failed:
        return SubmittedSample(**planned, status="failed", detail="the service fell over", seconds=0.5), b""
    picture = draw_noise(request.key)
    content = encode(picture)
    sample = SubmittedSample(
        **planned,
        status="ok",
        image=f"images/{request.key}.png",
        sha256=sha256_of(content),
        width=SIDE_PX,
        height=SIDE_PX,
        seconds=round(0.05 + dice.random() / 100, 6),
        perceptual_hash=perceptual_hash(picture),
    )
    return sample, content


def draw_noise(text: str) -> Image.Image:
    """Coarse coloured noise, as clearly another for another text as noise can be."""
    dice = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
    blocks = dice.integers(0, 256, (BLOCKS, BLOCKS, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize((SIDE_PX, SIDE_PX), Image.Resampling.NEAREST)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def encode(picture: Image.Image) -> bytes:
    """The bytes of a PNG file without metadata."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _judge(sample: SubmittedSample, wanted: Wanted, dice: random.Random, characters: CharacterSet) -> Judgement:
    chance, sha256 = dice.random(), str(sample.sha256)
    if dice.random() < wanted.unjudged:
        return Judgement(key=sample.key, image_sha256=sha256, detected=None, reason="the judge fell over")
    detected = sample.character if chance < wanted.detect_rate else None
    if detected is None and dice.random() < 0.05:
        detected = dice.choice(characters.characters).id
    return Judgement(
        key=sample.key,
        image_sha256=sha256,
        detected=detected,
        confidence=round(dice.uniform(0.5, 1) if detected else dice.uniform(0, 0.5), 6),
        consistency=round(min(1.0, max(0.0, dice.gauss(wanted.consistency, 0.05))), 6),
    )


def _facts(wanted: Wanted, spec: RunSpec) -> ModelFacts:
    licence = _licences().get(wanted.model, "Apache-2.0")
    return ModelFacts(
        name=wanted.model,
        source=spec.model_source,
        revision=spec.model_revision,
        modality="video" if spec.sampling.is_video else "image",
        is_open=wanted.is_open,
        licence=licence if wanted.is_open else "service",
    )


@lru_cache
def _licences() -> dict[str, str]:
    return {row.name: row.licence for row in MODELS.rows()}


def _make(leaderboard: Path, changes: dict[str, Any]) -> Path:
    return make_submission(leaderboard, **changes)


def _hex(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
