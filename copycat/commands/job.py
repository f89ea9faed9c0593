"""From the options of `python -m copycat.eval` to a job; every wrong value is told before anything is read."""

from __future__ import annotations

from typing import Any

from copycat.errors import UnknownNameError, UserError
from copycat.runs.executors import EXECUTORS
from copycat.runs.limits import Limits
from copycat.runs.shards import parse_shard
from copycat.staging import Job

CHOICES = {
    "dtype": ("float32", "float16", "bfloat16"),
    "compile_": ("off", "on", "auto"),
    "executor": EXECUTORS,
    "safety_checker": ("on", "off"),
}
SAME_NAME = (
    "llm",
    "embedder",
    "benign",
    "lists",
    "seeds",
    "judge",
    "references",
    "rejudge",
    "limit",
    "preset",
    "batch_size",
    "device",
    "revision",
    "executor",
    "out",
    "fresh",
)
DEFAULT_ANCHORS = "name,keywords,description"
SAMPLING = ("steps", "guidance", "true_guidance", "dtype", "frames", "safety_checker", "quality")


def build_job(options: dict[str, Any], command: str) -> Job:
    """Check the options and put them together.

    Raises:
        UserError: a value is missing or has the wrong form.
        UnknownNameError: a value is none of those that an option takes.
    """
    if not options["model"]:
        raise UserError("no model given\n  needed: --model NAME, e.g. --model sandbox\n  see all: --list models")
    _check_grid(options)
    typed = DEFAULT_ANCHORS if options["anchors"] is None else options["anchors"]
    anchors = tuple(part.strip() for part in typed.split(",") if part.strip())
    if not anchors:
        raise UserError("no anchor given\n  needed: a comma list, e.g. --anchors name,keywords,description")
    for name, known in CHOICES.items():
        if options[name] is not None and options[name] not in known:
            raise UnknownNameError(name.rstrip("_").replace("_", "-"), options[name], known)
    if options["shard"] is not None and options["fresh"]:
        raise UserError(
            "--fresh and --shard do not go together\n"
            "  each shard would delete what the others have drawn; delete the run folder once, or use another --out"
        )
    _check_llm(options)
    _check_embedder(options)
    return Job(
        models=tuple(options["model"]),
        mitigations=tuple(options["mitigation"] or ()),
        erased=tuple(options["erased"] or ()),
        attacks=tuple(options["attack"] or ()),
        characters=options["characters"],
        anchors=anchors,
        metrics=tuple(part.strip() for part in (options["metrics"] or "").split(",") if part.strip()),
        sampling=_sampling(options),
        compile=options["compile_"],
        shard=parse_shard(options["shard"]) if options["shard"] is not None else None,
        limits=_limits(options),
        command=command,
        **{name: options[name] for name in SAME_NAME},
    )


def _check_llm(options: dict[str, Any]) -> None:
    """Refuse what would ask a language model without drawing, or once in each of many processes."""
    for name, why in (
        ("dry_run", "what would be made depends on its answers"),
        ("shard", "each shard would ask for itself"),
    ):
        if options["llm"] is not None and options[name]:
            raise UserError(
                f"--llm and --{name.replace('_', '-')} do not go together: {why}\n"
                "  freeze the rewrites first: python -m copycat.mitigate rewrite --characters SET --llm NAME"
            )


def _check_embedder(options: dict[str, Any]) -> None:
    """Refuse what would embed texts without drawing, or once in each of many processes."""
    for name, why in (
        ("dry_run", "what would be made depends on its vectors"),
        ("shard", "each shard would ask for itself"),
    ):
        if options["embedder"] is not None and options[name]:
            raise UserError(
                f"--embedder and --{name.replace('_', '-')} do not go together: {why}\n"
                f"  leave out --{name.replace('_', '-')}, or use intent:retrieval, which needs no model"
            )


def _check_grid(options: dict[str, Any]) -> None:
    """Refuse what a grid decides itself, and what cannot be done to all of its cells at once."""
    for name in ("concepts", "methods", "training_seeds", "workers"):
        if options[name] is not None:
            said = f"--{name.replace('_', '-')}"
            raise UserError(f"{said} belongs to --grid erasers\n  add --grid erasers, or leave out {said}")
    if options["grid"] is None:
        return
    for name in ("mitigation", "erased", "attack", "anchors", "shard", "benign"):
        if options[name]:
            raise UserError(f"--grid and --{name} do not go together\n  the grid says what is run; leave out --{name}")
    if options["dry_run"]:
        raise UserError("--grid and --dry-run do not go together\n  use --limit N for a quick look at a grid")


def _sampling(options: dict[str, Any]) -> dict[str, Any]:
    asked = {name: options[name] for name in SAMPLING if options[name] is not None}
    if options["size"] is not None:
        asked["width_px"], asked["height_px"] = _size(options["size"])
    if options["keep_frames"] is not None:
        asked["kept_frames"] = _positions(options["keep_frames"])
    if options["long_prompts"]:
        asked["long_prompts"] = True
    return asked


def _size(text: str) -> tuple[int, int]:
    width, x, height = text.lower().partition("x")
    if not (x and width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 8):
        raise UserError(f"--size '{text}' has the wrong form\n  needed: WIDTHxHEIGHT in pixels, such as 1024x768")
    return int(width), int(height)


def _positions(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    positions = [int(part) for part in parts if part.isdecimal()]
    if len(positions) != len(parts) or sorted(set(positions)) != positions:
        raise UserError(f"--keep-frames '{text}' has the wrong form\n  needed: rising positions from 0, such as 0,6,15")
    return tuple(positions)


def _limits(options: dict[str, Any]) -> Limits:
    if options["max_cost"] is not None and options["price"] is None:
        raise UserError(
            "--max-cost needs to know what a picture costs\n  add --price USD, from your provider's price list"
        )
    return Limits(options["max_errors"], options["max_cost"], options["price"] or 0.0)
