"""A small board of runs that differ in kind, and its site: few characters each, so that pages open at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from submissions import Wanted, build_submission, draw_noise, encode

from copycat.leaderboard.hashing import perceptual_hash
from copycat.leaderboard.layout import SUBMISSIONS, submission_id
from copycat.leaderboard.reading import LoadedSubmission, load_submission
from copycat.leaderboard.records import SubmittedSample
from copycat.leaderboard.rows import row_of
from copycat.leaderboard.site.character_pages import write_character_pages
from copycat.leaderboard.site.compare import write_compare_page
from copycat.leaderboard.site.pages import write_assets
from copycat.leaderboard.site.run_page import write_run
from copycat.leaderboard.site.summary import RunSummary
from copycat.leaderboard.writing import Files, write_submission
from copycat.metrics import summarise
from copycat.models.frames import build_sheet
from copycat.schema import Answer, Guide, Judgement

SANDBOX_CAST = ("zoravi", "meklun", "fandreth", "ishtolu")
REAL_CAST = ("mario", "batman", "pikachu")
FRAMES = 8

EVIL = "</script></title><img src=x onerror=alert(1)>\"'><svg onload=alert(2)>\u2028 =1+1 {{ 7*7 }}"
"""Where a name or a text may stand."""

Pictures = list[tuple[str, bytes]]


class SmallSite(NamedTuple):
    """A built site; `runs` by what is special about them."""

    root: Path
    runs: dict[str, RunSummary]
    loaded: dict[str, LoadedSubmission]

    def page(self, name: str) -> Path:
        return self.root / self.runs[name].row.href

    def id(self, name: str) -> str:
        return self.runs[name].row.id


def build_small_site(folder: Path, names: Sequence[str] = ()) -> SmallSite:
    """Write the submissions of these names, or all, and every page but the board's own."""
    root = folder / "site"
    write_assets(root)
    loaded = {name: load_submission(_write(folder, *draft)) for name, draft in drafts(names).items()}
    runs = {name: write_run(one, row_of(one, is_verified=False), root) for name, one in loaded.items()}
    write_character_pages(root, list(runs.values()))
    write_compare_page(root, [summary.row for summary in runs.values()])
    return SmallSite(root, runs, loaded)


@cache
def shared_small_site(folder: Path) -> SmallSite:
    """Build the whole site once for all modules of tests; nobody may change it."""
    return build_small_site(folder)


def drafts(names: Sequence[str] = ()) -> dict[str, tuple[Files, Pictures]]:
    """Give the files of each run and its pictures."""
    made: dict[str, Callable[[], tuple[Files, Pictures]]] = {
        "plain": lambda: drafted(SANDBOX_CAST, detect_rate=0.6, seeds=2, contact="https://example.org/lab"),
        "mitigated": lambda: drafted(SANDBOX_CAST, detect_rate=0.2, seeds=2, mitigation="negprompt", random_seed=1),
        "troubled": lambda: drafted(REAL_CAST, model="model-t", refused=0.2, failed=0.2, unjudged=0.3, **_REAL),
        "withheld": lambda: drafted(REAL_CAST, model="model-w", is_withheld=True, **_REAL),
        "hostile": lambda: hostile(*drafted(REAL_CAST, model="model-h", refused=0.2, **_REAL)),
        "clips": lambda: clips(*drafted(REAL_CAST, model="model-c", **_REAL)),
    }
    return {name: made[name]() for name in names or made}


_REAL: dict[str, Any] = {"characters": "copycat50", "seeds": 2}


def drafted(cast: Sequence[str], **changes: Any) -> tuple[Files, Pictures]:
    """A submission on these characters only, with the figures that follow."""
    return build_submission(Wanted(cast=tuple(cast), **changes))


def hostile(files: Files, pictures: Pictures) -> tuple[Files, Pictures]:
    """The same with something that wants to be markup or a script wherever a submitter may write."""
    texts = {"prompt": EVIL, "prompt_sent": EVIL + "!", "negative_prompt": EVIL}
    guided = {"detail": EVIL, "guide": Guide(method="nag", concept=(EVIL,))}
    samples = [one.model_copy(update={**texts, **guided}) for one in files.samples]
    said = {"names": (EVIL,), "answers": (Answer(question=EVIL, text=EVIL),), "flags": (EVIL,), "closed": True}
    judgements = [one.model_copy(update=said) for one in files.judgements]
    submission = files.submission
    words = EVIL[:190]
    model = submission.model.model_copy(update={"name": words, "source": words, "revision": words, "licence": words})
    who = {"name": words, "organisation": "Evil", "contact": "https://example.org/?q=%3Cscript%3E&x=1"}
    changes = {"model": model, "attack": words, "statement": EVIL, "notes": EVIL}
    submission = submission.model_copy(
        update={**changes, "submitter": submission.submitter.model_copy(update=who), "paper": "http://example.org/a"}
    )
    facts = {"judge_facts": {EVIL: EVIL}, "environment": {EVIL: EVIL}}
    settings = files.settings.model_copy(update=facts)
    files = files._replace(submission=submission, settings=settings, samples=samples, judgements=judgements)
    return files, pictures


def clips(files: Files, pictures: Pictures) -> tuple[Files, Pictures]:
    """The same as clips of eight kept frames, of which the target is in two wherever it is seen."""
    sheets = {key: encode(build_sheet([draw_noise(f"{key} {i}") for i in range(FRAMES)])) for key, _ in pictures}
    sampling = files.settings.spec.sampling.model_copy(
        update={"frames": FRAMES, "kept_frames": tuple(range(FRAMES)), "fps": 8}
    )
    spec = files.settings.spec.model_copy(update={"sampling": sampling})
    samples = [_clip(sample, sheets[sample.key]) for sample in files.samples]
    hashes = {sample.key: sample.sha256 for sample in samples}
    judgements = [
        one.model_copy(
            update={
                "image_sha256": hashes[one.key],
                "frames": (one.detected,) * 2 + (None,) * (FRAMES - 2),
                "sheet": (one.detected,) if one.detected else (),
            }
        )
        for one in files.judgements
        if one.key in hashes
    ]
    model = files.submission.model.model_copy(update={"modality": "video"})
    files = files._replace(
        submission=files.submission.model_copy(update={"model": model}),
        settings=files.settings.model_copy(update={"spec": spec}),
    )
    return _changed(files, samples, judgements), list(sheets.items())


def _clip(sample: SubmittedSample, sheet: bytes) -> SubmittedSample:
    video = {"video": f"videos/{sample.key}.mp4", "video_sha256": hashlib.sha256(b"clip" + sheet).hexdigest()}
    return sample.model_copy(
        update={
            **video,
            "sha256": hashlib.sha256(sheet).hexdigest(),
            "perceptual_hash": perceptual_hash(draw_noise(sample.key)),
        }
    )


def _changed(files: Files, samples: Sequence[SubmittedSample], judgements: Sequence[Judgement]) -> Files:
    kept = {sample.key for sample in samples}
    judgements = [judgement for judgement in judgements if judgement.key in kept]
    result = summarise(files.settings.spec, len(samples), samples, judgements, is_sandbox=files.result.is_sandbox)
    return files._replace(samples=samples, judgements=judgements, result=result)


def _write(folder: Path, files: Files, pictures: Pictures) -> Path:
    path = folder / SUBMISSIONS / submission_id(files.submission, files.settings)
    path.mkdir(parents=True)
    write_submission(path, files, pictures)
    return path
