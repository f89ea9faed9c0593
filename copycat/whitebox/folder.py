"""The folder of an attack: one process at a time, and one attack for ever.

plan.json           what the files here depend on
plain.jsonl         each prompt by the original model, and by the attacked one
learning.safetensors, learned.safetensors   of concept inversion: on the way, and done; learning.json says how long
results.jsonl       each prompt under attack
pictures/           all of them
attack.json         everything together
sheet.html          all pictures side by side, made from it
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from copycat.attacks import ATTACK_FILE
from copycat.attacks.saved import LEARNED_FILE
from copycat.errors import ResumeMismatchError, UserError
from copycat.paths import shown
from copycat.runs.folder import write_json
from copycat.runs.pages import flat

PLAN, PLAIN, RESULTS, SHEET = "plan.json", "plain.jsonl", "results.jsonl", "sheet.html"
PICTURES = "pictures"
MOST_TOLD = 5
"""Differences to the attack that a folder holds."""

HASH_DIGITS, SHOWN_DIGITS = 40, 12
LEARNING, LEARNING_TIME = "learning.safetensors", "learning.json"


@contextmanager
def held(folder: Path, spec: dict[str, Any], *, is_fresh: bool) -> Iterator[None]:
    """Hold the folder alone, and see to it that it holds this attack and no other.

    Args:
        spec: what its files depend on.
        is_fresh: forget what is there.

    Raises:
        UserError: another process holds it, or it cannot be made.
        ResumeMismatchError: it is another attack's, or nobody can say whose.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:  # as below /proc, where nobody can make a folder
        raise UserError(f"cannot make the folder {shown(folder)}\n  choose another folder: --out DIR") from error
    with (folder / ".lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"another process is working in {shown(folder)}\n  wait for it, or use another --out folder"
            ) from error
        if is_fresh:
            _clear(folder)
        _require_same(folder / PLAN, spec)
        yield


def _clear(folder: Path) -> None:
    for name in (ATTACK_FILE, SHEET, PLAN, PLAIN, RESULTS, LEARNING, LEARNING_TIME, LEARNED_FILE):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / PICTURES, ignore_errors=True)


def _require_same(path: Path, spec: dict[str, Any]) -> None:
    if not path.is_file():
        write_json(path, spec)
        return
    here = _read_plan(path)
    asked = json.loads(json.dumps(spec))
    if told := _differences(here, asked)[:MOST_TOLD]:
        raise ResumeMismatchError(
            f"{shown(path.parent)} belongs to another attack\n  "
            + "\n  ".join(told)
            + "\n  use another --out folder, or start this one again with --fresh"
        )


def _differences(here: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """Say what differs, a setting at a time; of another method nothing else, for it has settings of its own."""
    if here.get("method") != asked["method"]:
        here, asked = ({"method": one.get("method")} for one in (here, asked))
    before, wanted = dict(flat(here)), dict(flat(asked))
    return [
        f"{name}: {_short(before.get(name, 'not set'))} here, {_short(text)} asked for"
        for name, text in wanted.items()
        if before.get(name) != text
    ]


def _short(text: str) -> str:
    """Give some digits of a hash, and any other text as it is."""
    return text[:SHOWN_DIGITS] if len(text) >= HASH_DIGITS and all(c in "0123456789abcdef" for c in text) else text


def _read_plan(path: Path) -> dict[str, Any]:
    try:
        here = json.loads(path.read_bytes())
    except ValueError:
        here = None
    if not isinstance(here, dict):
        raise ResumeMismatchError(f"{shown(path)} cannot be read\n  start this attack again with --fresh")
    return here
