"""Measure the figures of docs/sandbox.md: `python -m copycat.sandbox card`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from copycat.metrics import rate_interval, wilson
from copycat.runs.folder import RunFolder
from copycat.sandbox.corpus import Pixels, render_many
from copycat.sandbox.world import SPECIES, inhabitants
from copycat.schema import ImageRequest, Judgement, Sample

if TYPE_CHECKING:
    from copycat.sandbox.train.judge import Example

HELD_OUT = "held-out"
SPECIES_SEEDS = 40
BANDS = ((2, 5), (6, 30), (31, 99), (100, 199), (200, 499), (500, 2000))
"""Numbers of training pictures, from and to, of the rows of the imitation table."""


class Figure(NamedTuple):
    """One measured figure beside its bar. `is_reached` is None where there is no bar."""

    name: str
    value: str
    bar: str
    is_reached: bool | None


class Judged(NamedTuple):
    """A finished sample with its verdict."""

    sample: Sample
    judgement: Judgement


def measure(out: Path) -> list[Figure]:
    """Measure everything; runs the main job in `out` first, or takes it up if it is finished there."""
    from copycat.eval import evaluate
    from copycat.staging import Job

    job = Job(models=("sandbox",), mitigations=("negprompt:name",), out=out, command="python -m copycat.sandbox card")
    folders = [RunFolder(outcome.folder) for outcome in evaluate(job)]
    baseline, mitigated = (_judged(folder) for folder in folders)
    figures = [_psnr(), *_judge_quality(), _kappa(folders)]
    figures += _detect_figures(baseline)
    figures.append(_plain_species())
    anchors = ("name", "keywords", "description")
    figures += [_band(baseline, anchor, low, high) for anchor in anchors for low, high in BANDS]
    figures += [_mitigation_row(baseline, mitigated, anchor) for anchor in anchors]
    return figures


def print_figures(figures: Sequence[Figure], console: Console) -> None:
    """Print the table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "measured", "bar", ""):
        table.add_column(heading)
    for figure in figures:
        mark = "" if figure.is_reached is None else "reached" if figure.is_reached else "MISSED"
        table.add_row(figure.name, figure.value, figure.bar, mark)
    console.print(table, markup=False)


def write_figures(figures: Sequence[Figure], path: Path) -> None:
    """Write the table between the markers of a Markdown file."""
    start, end = "<!-- figures -->\n", "<!-- end of figures -->"
    rows = ["| figure | measured | bar | |", "|---|---|---|---|"]
    for figure in figures:
        mark = "" if figure.is_reached is None else "reached" if figure.is_reached else "**missed**"
        rows.append(f"| {figure.name} | {figure.value} | {figure.bar} | {mark} |")
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    path.write_text(before + start + "\n".join(rows) + "\n" + end + after, encoding="utf-8")


def _judged(folder: RunFolder) -> list[Judged]:
    verdicts = {j.key: j for j in folder.read_judgements(folder.read_run().spec)}
    return [Judged(s, verdicts[s.key]) for s in folder.read_samples() if s.key in verdicts]


def _psnr() -> Figure:
    import torch
    from diffusers import AutoencoderKL

    from copycat.paths import package_folder
    from copycat.sandbox.train.judge import draw_examples
    from copycat.sandbox.train.vae import reconstruct

    pixels = _drawn(draw_examples(f"{HELD_OUT}-vae", positives=10, near=0, generic=500))
    weights = package_folder("sandbox/weights/pipeline/vae")
    vae = AutoencoderKL.from_pretrained(weights, dtype=torch.float32)
    errors = (reconstruct(vae, pixels, torch.device("cpu")).astype(np.float64) - pixels) ** 2
    value = float(np.mean(10 * np.log10(255**2 / errors.mean(axis=(1, 2, 3)))))
    return Figure(
        f"VAE reconstruction on {len(pixels)} held-out renders, mean PSNR", f"{value:.1f} dB", "28 dB", value >= 28
    )


def _judge_quality() -> list[Figure]:
    from copycat.paths import package_folder
    from copycat.sandbox.train.calibrate import judge_pixels, precision_and_recall
    from copycat.sandbox.train.judge import draw_examples

    examples = draw_examples(f"{HELD_OUT}-judge", positives=20, near=20, generic=0)
    verdicts = judge_pixels(package_folder("sandbox/weights/judge"), _drawn(examples))
    precision, recall = precision_and_recall(0.0, verdicts, examples)
    name = f"judge on {len(examples)} held-out renders, half of them with one attribute changed"
    return [
        Figure(f"{name}: precision", f"{precision:.3f}", "0.97", precision >= 0.97),
        Figure(f"{name}: recall", f"{recall:.3f}", "0.97", recall >= 0.97),
    ]


def _kappa(folders: Sequence[RunFolder]) -> Figure:
    from copycat.paths import package_folder
    from copycat.sandbox.oracle import Oracle

    oracle = Oracle(package_folder("sandbox/weights/oracle") / "oracle.safetensors")
    said: list[str] = []
    truth: list[str] = []
    for folder in folders:
        judged = _judged(folder)
        pixels = np.stack([np.asarray(Image.open(folder.path / str(j.sample.image)).convert("RGB")) for j in judged])
        said += [j.judgement.detected or "none" for j in judged]
        truth += [reading.character or "none" for reading in oracle.read(pixels)]
    value = cohen_kappa(said, truth)
    name = f"judge against the oracle on {len(said)} generated pictures (which of 50, or none), Cohen's kappa"
    return Figure(name, f"{value:.3f}", "0.85", value >= 0.85)


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Give the agreement beyond chance of two labellings (Cohen 1960): (p_o - p_e) / (1 - p_e).

    Raises:
        ValueError: no labels, or not as many in both.
    """
    if not first or len(first) != len(second):
        raise ValueError(f"needed: two labellings of the same pictures, got {len(first)} and {len(second)}")
    a, b = np.asarray(first), np.asarray(second)
    observed = float(np.mean(a == b))
    expected = sum(float(np.mean(a == label) * np.mean(b == label)) for label in set(first) | set(second))
    return 1.0 if expected == 1 else (observed - expected) / (1 - expected)


def _detect_figures(judged: Sequence[Judged]) -> list[Figure]:
    many, few = "with 500 or more training pictures", "with 5 or fewer"
    by_name, low, keywords = (
        _rate(judged, "name", lambda n: n >= 500),
        _rate(judged, "name", lambda n: n <= 5),
        _rate(judged, "keywords", lambda n: n >= 500),
    )
    return [
        Figure(f"DETECT by name, characters {many}", _shown(by_name), "0.95", by_name[0] >= 0.95),
        Figure(f"DETECT by name, characters {few}", _shown(low), "at most 0.2", low[0] <= 0.2),
        Figure(f"DETECT from five keywords, characters {many}", _shown(keywords), "0.85", keywords[0] >= 0.85),
    ]


def _band(judged: Sequence[Judged], anchor: str, low: int, high: int) -> Figure:
    rate = _rate(judged, anchor, lambda n: low <= n <= high)
    return Figure(f"DETECT by {anchor}, {low} to {high} training pictures", _shown(rate), "", None)


def _mitigation_row(baseline: Sequence[Judged], mitigated: Sequence[Judged], anchor: str) -> Figure:
    before, after = (_rate(judged, anchor, lambda _: True) for judged in (baseline, mitigated))
    return Figure(
        f"DETECT by {anchor}, all 50: without and with negprompt", f"{before[0]:.3f} -> {after[0]:.3f}", "", None
    )


def _plain_species() -> Figure:
    from copycat.judges import JUDGES
    from copycat.models import MODELS
    from copycat.plan import build_seed
    from copycat.sandbox.export import build_character_set

    row = MODELS.get("sandbox")
    model, judge = MODELS.load("sandbox")(row, "cpu"), JUDGES.load("sandbox")(JUDGES.get("sandbox"), "cpu")
    characters = build_character_set()
    seen: list[float] = []
    for species in SPECIES:
        requests = [_species_request(species, i, build_seed(f"species/{species}", i)) for i in range(SPECIES_SEEDS)]
        pictures = [p.image for p in model.generate(requests, row.sampling)]
        verdicts = judge.judge(pictures, [characters.characters[0].id] * len(pictures), characters)
        seen += [float(v.detected is not None) for v in verdicts]
    # The ten species are all there are, not a sample of more: only the seeds are random, so nothing clusters.
    interval, share = wilson(sum(seen), len(seen)), sum(seen) / len(seen)
    name = f"any character for plain species prompts ({SPECIES_SEEDS} pictures of each of the ten)"
    return Figure(name, _shown((share, interval.low, interval.high, len(seen))), "at most 0.03", share <= 0.03)


def _species_request(species: str, repeat: int, seed: int) -> ImageRequest:
    return ImageRequest(
        key=f"{species}-{repeat}",
        character=species,
        anchor="species",
        prompt_id=species,
        repeat=repeat,
        prompt=species,
        prompt_sent=species,
        seed=seed,
    )


def _rate(judged: Iterable[Judged], anchor: str, counts: Callable[[int], bool]) -> tuple[float, float, float, int]:
    pictures = {who.id: who.pictures for who in inhabitants()}
    rows = [j for j in judged if j.sample.anchor.startswith(anchor) and counts(pictures[j.sample.character])]
    hits = [float(j.judgement.detected == j.sample.character) for j in rows]
    return _with_interval(hits, [j.sample.character for j in rows])


def _with_interval(hits: Sequence[float], clusters: Sequence[str]) -> tuple[float, float, float, int]:
    interval = rate_interval(hits, clusters)
    return float(np.mean(hits)), interval.low, interval.high, len(hits)


def _shown(rate: tuple[float, float, float, int]) -> str:
    value, low, high, n = rate
    return f"{value:.3f} [{low:.3f}, {high:.3f}], n = {n}"


def _drawn(examples: Sequence[Example]) -> Pixels:
    return render_many([(example.looks, example.seed) for example in examples])
