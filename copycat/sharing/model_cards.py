"""Figures of a run for the card of its model: `.eval_results/copycat.yaml`, and the older model-index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from copycat.errors import MissingExtraError, UserError
from copycat.metrics.texts import text_of
from copycat.runs.folder import write_bytes
from copycat.schema import Estimate
from copycat.sharing.folders import new_folder
from copycat.sharing.opened_run import OpenedRun, local_name, require_whole

EVAL_RESULTS = Path(".eval_results/copycat.yaml")
MODEL_INDEX = Path("model-index.md")
SHARED_METRICS = ("detect", "detect_corrected", "consistency", "any_character")
_DATASET_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class Told(NamedTuple):
    """What a run does not know of itself.

    `dataset_id` is where the suite is on the Hub, `revision` its commit; `source_url` is where the samples are.
    """

    dataset_id: str
    revision: str | None = None
    date: str | None = None
    source_url: str | None = None


def check_told(told: Told) -> Told:
    """Refuse what the Hub would not take.

    Raises:
        UserError: no name of a dataset, no commit, or no web address.
    """
    if not _DATASET_ID.fullmatch(told.dataset_id):
        raise UserError(f"--dataset-id '{told.dataset_id}' is no name of a dataset\n  needed: ORG/NAME")
    if told.revision is not None and not re.fullmatch("[0-9a-f]{40}", told.revision):
        raise UserError(f"--dataset-revision '{told.revision}' is no commit\n  needed: 40 hex digits")
    if told.source_url is not None and not re.fullmatch(r"https?://[^\s<>\"'`\\]+", told.source_url):
        raise UserError(f"--source-url '{told.source_url}' is no web address\n  needed: https://...")
    return told


def write_eval_results(opened: OpenedRun, out: Path, told: Told) -> Path:
    """Write `.eval_results/copycat.yaml` as the Hub reads it in a model repository.

    Raises:
        UserError: the run is partial or not valid, or `told` is wrong.
    """
    try:
        from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml
    except ImportError as error:
        raise MissingExtraError("this huggingface_hub is too old\n  pip install -U huggingface_hub") from error
    require_whole(opened, "shown on a model's card")
    check_told(told)
    entries = [
        EvalResultEntry(
            dataset_id=told.dataset_id,
            task_id=task_id(estimate),
            value=estimate.value,
            dataset_revision=told.revision,
            date=told.date,
            source_url=told.source_url,
            source_name=None if told.source_url is None else "copycat run",
            notes=_notes(opened, estimate),
        )
        for estimate in _estimates(opened)
    ]
    text = yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True)
    with new_folder(out) as folder:
        write_bytes(folder / EVAL_RESULTS, text.encode())
    return out / EVAL_RESULTS


def write_model_index(opened: OpenedRun, out: Path, told: Told) -> Path:
    """Write the front matter of a model card with a model-index.

    Raises:
        UserError: the run is partial or not valid, or `told` is wrong.
    """
    from huggingface_hub import EvalResult, ModelCardData

    require_whole(opened, "shown on a model's card")
    check_told(told)
    results = [
        EvalResult(
            task_type="text-to-image",
            dataset_type=told.dataset_id,
            dataset_name=f"copycat suite {opened.result.suite_version}, {opened.result.characters}",
            dataset_config="prompts",
            dataset_split=opened.result.characters,
            dataset_revision=told.revision,
            metric_type=task_id(estimate),
            metric_name=f"{text_of(estimate.metric).name}, anchor {estimate.anchor}: {_notes(opened, estimate)}",
            metric_value=estimate.value,
            source_name=None if told.source_url is None else "copycat run",
            source_url=told.source_url,
        )
        for estimate in _estimates(opened)
    ]
    data = ModelCardData(model_name=local_name(opened.result.model), eval_results=results)
    with new_folder(out) as folder:
        write_bytes(folder / MODEL_INDEX, f"---\n{data.to_yaml(line_break=chr(10))}\n---\n".encode())
    return out / MODEL_INDEX


def task_id(estimate: Estimate) -> str:
    """Name a figure as a task: "detect" over all anchors, "detect-keywords-laion-5" of one."""
    metric = estimate.metric.replace("_", "-")
    return metric if estimate.anchor == "all" else f"{metric}-{re.sub(r'[^a-z0-9]+', '-', estimate.anchor.lower())}"


def _estimates(opened: OpenedRun) -> Iterator[Estimate]:
    return (e for e in opened.result.estimates if e.metric in SHARED_METRICS and e.value is not None)


def _notes(opened: OpenedRun, estimate: Estimate) -> str:
    result = opened.result
    parts = [
        f"{estimate.unit}, {estimate.better} is better",
        f"95 % interval {estimate.low:.3f} to {estimate.high:.3f}" if estimate.low is not None else "no interval",
        f"n {estimate.n}",
        f"mitigation {result.mitigation}",
        f"characters {result.characters}",
        f"judge {result.judge}",
        f"suite {result.suite_version}",
    ]
    return "; ".join([*parts, *(["sandbox: never comparable with real models"] if result.is_sandbox else [])])
