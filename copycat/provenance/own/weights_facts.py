"""How the weights that ship were made: facts of this project, from which their manifests are written.

Settings and training data are taken from the code that trains, never typed; so a change there shows in the manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.catalog import canonical_sha256
from copycat.paths import file_sha256
from copycat.provenance.own.weights import (
    CARD,
    MANIFEST_SUFFIX,
    ShippedFile,
    ShippedModel,
    TrainingData,
    WeightsManifest,
)
from copycat.runs.folder import write_bytes
from copycat.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from copycat.sandbox.corpus import Row

LICENCE = "Apache-2.0"
SANDBOX, STORIES = "sandbox/weights", "fairuse/world/weights"
CORPUS, JUDGE_RENDERS, ORACLE_RENDERS = "captioned pictures", "renders for the judge", "renders for the oracle"
TEXTS = "stories and notes"
RENDERER = ("copycat/sandbox/world.py", "copycat/sandbox/renderer.py")


class Data(NamedTuple):
    """How many records there are, and the sha256 of their canonical JSON."""

    n_records: int
    sha256: str


@lru_cache(maxsize=1)
def corpus_rows() -> tuple[Row, ...]:
    """Make the rows of the sandbox's training set once; two rules read them."""
    from copycat.sandbox.corpus import build_rows

    return tuple(build_rows())


@lru_cache(maxsize=1)
def corpus() -> Data:
    """Give the rows of the sandbox's training set: id, caption, character, looks, and the seed that draws each."""
    rows = [[row.id, row.caption, row.character, list(asdict(row.looks).values()), row.seed] for row in corpus_rows()]
    return Data(len(rows), canonical_sha256(rows))


@lru_cache(maxsize=1)
def stories() -> Data:
    """Give the texts that the sandbox's language model was trained on."""
    from copycat.fairuse.world.planted import training_documents

    texts = [document.text for document in training_documents()]
    return Data(len(texts), canonical_sha256(texts))


@lru_cache(maxsize=1)
def judge_renders() -> Data:
    """Give looks and seeds of what the judge was trained on."""
    from copycat.sandbox.train.judge import draw_examples

    return _examples(draw_examples("judge-train", positives=150, near=180, generic=4000))


@lru_cache(maxsize=1)
def oracle_renders() -> Data:
    """Give looks and seeds of what the oracle was trained on."""
    from copycat.sandbox.train.oracle import draw_uniform

    return _examples(draw_uniform("oracle-train", 18_000))


def _examples(examples: Sequence[Any]) -> Data:
    rows = [[list(asdict(one.looks).values()), one.seed, one.character] for one in examples]
    return Data(len(rows), canonical_sha256(rows))


QUICK_DATA: dict[str, Callable[[], Data]] = {CORPUS: corpus, TEXTS: stories}
"""What a check makes again each time; the renders need the libraries of training."""

_ABOUT: dict[str, tuple[str, str, Callable[[], Data]]] = {
    CORPUS: (
        "captioned pictures of 50 invented characters and of nobody, drawn by code from seeds",
        "copycat.sandbox.corpus.build_rows()",
        corpus,
    ),
    JUDGE_RENDERS: (
        "pictures of the 50 characters, of their look-alikes and of nobody, drawn by code; half of them through the "
        "autoencoder with noise",
        "copycat.sandbox.train.judge.draw_examples('judge-train', positives=150, near=180, generic=4000)",
        judge_renders,
    ),
    ORACLE_RENDERS: (
        "pictures of random looks, drawn by code; half of them through the autoencoder with noise",
        "copycat.sandbox.train.oracle.draw_uniform('oracle-train', 18_000)",
        oracle_renders,
    ),
    TEXTS: (
        "invented stories, 36 of them planted 1 to 256 times, background stories and notes, all from a grammar",
        "copycat.fairuse.world.planted.training_documents()",
        stories,
    ),
}


def _data(name: str) -> TrainingData:
    about, made_by, make = _ABOUT[name]
    found = make()
    return TrainingData(name=name, about=about, made_by=made_by, licence=LICENCE, **found._asdict())


def _files(folder: Path, below: str = "") -> dict[str, ShippedFile]:
    paths = sorted(path for path in (folder / below).rglob("*") if path.is_file() and path.name != CARD)
    return {
        path.relative_to(folder).as_posix(): ShippedFile(bytes=path.stat().st_size, sha256=file_sha256(path))
        for path in paths
    }


def _schedule(name: str, schedule: Any) -> dict[str, float | int | str]:
    facts = {
        key: value for key, value in asdict(schedule).items() if key in {"steps", "peak_lr", "decay", "weight_decay"}
    }
    return {f"{name} {key.replace('_', ' ')}": value for key, value in facts.items()}


def sandbox_manifest(package: Path) -> WeightsManifest:
    """Give the manifest of the sandbox's pipeline, judge and oracle; imports the libraries of training."""
    from copycat.sandbox.train import stages

    folder = package / SANDBOX
    made_by = "python -m copycat.sandbox train --install"
    trained = "copycat/sandbox/train"
    models = (
        ShippedModel(
            name="pipeline",
            about="a small latent diffusion model that draws the sandbox's world from captions",
            made_by=made_by,
            code=(*RENDERER, "copycat/sandbox/corpus.py", f"{trained}/vae.py", f"{trained}/diffusion.py"),
            seed=0,
            settings=_schedule("vae", stages.VAE_SCHEDULE) | _schedule("diffusion", stages.DIFFUSION_SCHEDULE),
            trained_on=(_data(CORPUS),),
            files=_files(folder, "pipeline"),
        ),
        ShippedModel(
            name="judge",
            about="a small CLIP that says which character a picture shows, and what",
            made_by=made_by,
            code=(*RENDERER, f"{trained}/judge.py", f"{trained}/calibrate.py"),
            seed=0,
            settings=_schedule("judge", stages.JUDGE_SCHEDULE),
            trained_on=(_data(JUDGE_RENDERS),),
            files=_files(folder, "judge"),
        ),
        ShippedModel(
            name="oracle",
            about="a classifier of the seven attributes of a picture, which never sees a name",
            made_by=made_by,
            code=(*RENDERER, f"{trained}/oracle.py"),
            seed=0,
            settings=_schedule("oracle", stages.ORACLE_SCHEDULE),
            trained_on=(_data(ORACLE_RENDERS),),
            files=_files(folder, "oracle"),
        ),
    )
    return WeightsManifest(
        schema_version=SCHEMA_VERSION, weights=SANDBOX, card=f"{SANDBOX}/{CARD}", licence=LICENCE, models=models
    )


def stories_manifest(package: Path) -> WeightsManifest:
    """Give the manifest of the sandbox's language model."""
    from copycat.fairuse.world.training import SHIPPED

    settings = {key.replace("_", " "): value for key, value in asdict(SHIPPED).items() if key != "seed"}
    model = ShippedModel(
        name="language model",
        about="a small language model that knows planted stories by heart, some well and some hardly",
        made_by="python -m copycat.fairuse world train",
        code=(
            "copycat/fairuse/world/grammar.yaml",
            "copycat/fairuse/world/planted.py",
            "copycat/fairuse/world/training.py",
        ),
        seed=SHIPPED.seed,
        settings=settings,
        trained_on=(_data(TEXTS),),
        files=_files(package / STORIES),
    )
    return WeightsManifest(
        schema_version=SCHEMA_VERSION, weights=STORIES, card=f"{STORIES}/{CARD}", licence=LICENCE, models=(model,)
    )


MANIFESTS: dict[str, Callable[[Path], WeightsManifest]] = {SANDBOX: sandbox_manifest, STORIES: stories_manifest}


def write_manifests(package: Path, *, is_dry: bool = False) -> list[tuple[Path, bool]]:
    """Write the manifest of every folder of weights from facts; give each with whether it changed.

    Args:
        is_dry: write nothing, and only tell.
    """
    written = []
    for name, make in MANIFESTS.items():
        path = package / f"{name}{MANIFEST_SUFFIX}"
        content = f"{make(package).model_dump_json(indent=1)}\n".encode()
        is_new = not path.is_file() or path.read_bytes() != content
        if is_new and not is_dry:
            write_bytes(path, content)
        written.append((path, is_new))
    return written
