"""A run as rows: one for each sample with its verdict, one for each estimate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from copycat.catalog import canonical_json
from copycat.errors import DataError
from copycat.schema import Estimate, Judgement, Sample
from copycat.sharing.opened_run import OpenedRun, picture_bytes, without_traces
from copycat.sharing.parquet import text_list

MEANINGS = {
    "key": "hash of all that can move a pixel of this picture",
    "character": "id of the character that the prompt is after",
    "anchor": "how the prompt reaches the character: name, description, or k keywords of a ranker",
    "repeat": "counts the seeds of one prompt, from 0",
    "prompt": "the prompt as planned",
    "prompt_sent": "what the model was given",
    "negative_prompt": "what the model was told to keep away from",
    "guidance_away": "training-free guidance away from a concept, as JSON",
    "erasure": "edited weights that drew the picture, as JSON",
    "attack": "what was done while drawing to bring the character back, as JSON",
    "seed": "the picture's own seed",
    "status": "ok, refused, blocked, invalid or failed",
    "detail": "in words why there is no picture",
    "image": "the picture; of a clip, the sheet of its kept frames",
    "image_sha256": "sha256 of the picture's file",
    "video_sha256": "sha256 of the clip's file, which is not here",
    "width": "pixels; of a clip, those of one frame",
    "height": "pixels; of a clip, those of one frame",
    "seconds": "the batch's time divided by its size",
    "truncated_tokens": "tokens of prompt_sent that no text encoder read",
    "truncated_negative_tokens": "tokens of negative_prompt that no text encoder read",
    "rejected": "whom an output filter saw in the pictures that it threw away",
    "detected": "id of the character that the judge sees, null for none of them",
    "is_target_detected": "whether the judge sees the character that the prompt is after; null without a verdict",
    "confidence": "the judge's probability of its best character, in [0, 1]",
    "consistency": "the judge's probability, in [0, 1], that the key characteristic is shown",
    "unjudged_because": "why the judge gave no verdict",
    "named": "ids of all characters of the set that the judge sees",
    "names": "the characters as the judge calls them, of the set or not",
    "answers": "the judge's own words, one for each question",
    "flags": "what is odd about the picture",
    "metric": "which figure",
    "value": "the estimate; null with a reason",
    "low": "lower end of the 95 % interval",
    "high": "upper end of the 95 % interval",
    "k": "of n, for rates",
    "n": "how many samples, or pairs",
    "unit": "share, probability, difference, coefficient, score or seconds",
    "better": "whether lower or higher protects better or serves better",
    "method": "of the interval",
    "per50_mean": "detected characters per repeat, scaled to a set of 50: mean",
    "per50_std": "the same: population standard deviation over repeats",
    "reason": "why there is no value",
}

_INTEGERS = ("repeat", "seed", "width", "height", "truncated_tokens", "truncated_negative_tokens", "k", "n")
_FLOATS = ("seconds", "confidence", "consistency", "value", "low", "high", "per50_mean", "per50_std")
_LISTS = ("rejected", "named", "names", "answers", "flags")
_SAMPLE_COLUMNS = (
    *("key", "character", "anchor", "repeat", "prompt", "prompt_sent", "negative_prompt", "guidance_away"),
    *("erasure", "attack", "seed"),
    *("status", "detail", "image", "image_sha256", "video_sha256", "width", "height", "seconds"),
    *("truncated_tokens", "truncated_negative_tokens", "rejected"),
    *("detected", "is_target_detected", "confidence", "consistency", "unjudged_because"),
    *("named", "names", "answers", "flags"),
)


def sample_schema(has_pictures: bool) -> Any:
    """Give the schema of samples; pictures are an Image feature of `datasets`, with their bytes inside."""
    import pyarrow as pa
    from datasets import Features, Image  # type: ignore[import-untyped]

    kinds: dict[str, Any] = {"is_target_detected": pa.bool_()}
    kinds |= dict.fromkeys(_INTEGERS, pa.int64()) | dict.fromkeys(_FLOATS, pa.float64())
    kinds |= dict.fromkeys(_LISTS, text_list())
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = [name for name in _SAMPLE_COLUMNS if has_pictures or name != "image"]
    schema = pa.schema([(name, picture if name == "image" else kinds.get(name, pa.string())) for name in columns])
    features = Features.from_arrow_schema(schema)
    return Features(features | {"image": Image()}).arrow_schema if has_pictures else features.arrow_schema


def estimate_schema() -> Any:
    """Give the schema of estimates."""
    import pyarrow as pa

    kinds: dict[str, Any] = dict.fromkeys(_INTEGERS, pa.int64()) | dict.fromkeys(_FLOATS, pa.float64())
    return pa.schema([(name, kinds.get(name, pa.string())) for name in Estimate.model_fields])


def sample_rows(opened: OpenedRun, has_pictures: bool) -> Iterator[dict[str, Any]]:
    """Give one row for each sample.

    Raises:
        DataError: pictures that are missing or changed, after the last row.
    """
    faults: list[str] = []
    for sample in opened.samples:
        row = _sample_row(sample, opened.verdicts.get(sample.key))
        content = picture_bytes(opened, sample, faults) if has_pictures else None
        yield row | ({"image": {"bytes": content, "path": f"{sample.key}.png"}} if content is not None else {})
    if faults:
        raise DataError(faults, "  restore them, or leave the pictures out: --withhold")


def estimate_rows(opened: OpenedRun) -> Iterator[dict[str, Any]]:
    """Give one row for each estimate."""
    return (estimate.model_dump(mode="json") for estimate in opened.result.estimates)


def _sample_row(sample: Sample, verdict: Judgement | None) -> dict[str, Any]:
    row = sample.model_dump(mode="json", exclude={"image", "sha256", "video", "guide", "output_filter"})
    for column, record in (("guidance_away", sample.guide), ("erasure", sample.erasure), ("attack", sample.attack)):
        row[column] = None if record is None else canonical_json(record.model_dump(mode="json"))
    row |= {"detail": without_traces(sample.detail), "image_sha256": sample.sha256}
    if verdict is None or verdict.image_sha256 != sample.sha256:
        return row | ({"unjudged_because": "the judge has not looked at it"} if sample.status == "ok" else {})
    if not verdict.is_answered:
        return row | {"unjudged_because": without_traces(verdict.reason or "")}
    return row | {
        "detected": verdict.detected,
        "is_target_detected": verdict.detected == sample.character,
        "confidence": verdict.confidence,
        "consistency": verdict.consistency,
        "named": verdict.named,
        "names": verdict.names,
        "answers": [f"{answer.question}: {answer.text}" for answer in verdict.answers] if verdict.answers else None,
        "flags": verdict.flags,
    }
