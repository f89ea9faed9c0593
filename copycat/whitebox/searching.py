"""The loops that look into the attacked model: a prefix for each prompt, or embeddings for all of them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from copycat.attacks.saved import LEARNED_FILE, AttackedPrompt, with_learned, with_prefix
from copycat.console import progress_bar
from copycat.models import Picture
from copycat.names import mentions
from copycat.paths import file_sha256
from copycat.runs.folder import append_journal, read_journal, write_bytes, write_json
from copycat.schema import ImageRequest
from copycat.whitebox.cce import CceSettings, Inversion, learn
from copycat.whitebox.desk import Desk, attacked_row, concept_pictures, draw_attacked, open_picture
from copycat.whitebox.folder import LEARNING, LEARNING_TIME, RESULTS
from copycat.whitebox.unlearndiffatk import Target, UnlearnDiffAtkSettings, allowed_tokens, search_prefix
from copycat.whitebox.victim import load_victim

CHECKPOINT_STEPS = 100


def search(desk: Desk, settings: UnlearnDiffAtkSettings) -> None:
    """Search a prefix for each prompt whose picture does not show the concept as it is."""
    done = {(row.id, row.seed) for row in read_journal(desk.folder / RESULTS, AttackedPrompt)}
    planned, concept = desk.planned, desk.planned.concept
    todo = [request for request in planned.mitigated if (request.prompt_id, request.seed) not in done]
    if not todo:
        return
    victim = load_victim(planned.row, planned.sampling, planned.device, planned.delta)
    names = (concept.name, *concept.aliases) if settings.leaves_out_name else ()
    allowed = allowed_tokens(victim, names)
    spare: Any = None
    with progress_bar("searching", len(planned.mitigated)) as advance:
        advance(len(planned.mitigated) - len(todo))
        for request in todo:
            begun = time.monotonic()
            plain = desk.plain[request.key]
            if plain.before:
                row = attacked_row(desk, planned.job.method, request, None)
            else:
                if plain.original is not True and spare is None:
                    spare = concept_pictures(desk, 1)[0]
                image = open_picture(desk.folder, plain.pictures["original"]) if plain.original else spare
                target = Target(victim.latents_of([image]), request.seed)
                row = _search_one(desk, victim, request, target, allowed)
            append_journal(desk.folder / RESULTS, [row.model_copy(update={"seconds": time.monotonic() - begun})])
            advance(1)


def _search_one(desk: Desk, victim: Any, request: ImageRequest, target: Target, allowed: Any) -> AttackedPrompt:
    method = desk.planned.job.method
    settings: Any = desk.planned.settings  # those of this method
    last: dict[tuple[int, ...], tuple[Picture, bool | None]] = {}

    def check(prefix: tuple[int, ...]) -> bool:
        if prefix not in last:
            drawn = desk.studio.draw([with_prefix(request, method, prefix)])[0]
            last.clear()
            last[prefix] = drawn
        return last[prefix][1] is True

    found = search_prefix(victim, request.prompt_sent, target, settings, allowed=allowed, check=check)
    decoded = victim.tokenizers[0].decode(found.prefix)
    row = attacked_row(desk, method, with_prefix(request, method, found.prefix), last[found.prefix])
    return row.model_copy(
        update={
            "prefix": found.prefix,
            "decoded": decoded,
            "spells_name": mentions(decoded, desk.planned.concept),
            "loss": found.loss,
            "steps": found.steps,
        }
    )


def invert(desk: Desk, settings: CceSettings) -> str:
    """Learn embeddings and draw every prompt with them; gives their hash."""
    path = desk.folder / LEARNED_FILE
    if not path.is_file():
        _learn(desk, settings)
    learned = file_sha256(path)
    planned = desk.planned
    studio = desk.studio.with_file(learned, path)
    requests = [with_learned(r, planned.concept, planned.job.method, learned) for r in planned.mitigated]
    draw_attacked(desk._replace(studio=studio), planned.job.method, requests)
    return learned


def _learn(desk: Desk, settings: CceSettings) -> None:
    from safetensors.torch import load_file, save

    planned = desk.planned
    pictures = concept_pictures(desk, settings.pictures)
    victim = load_victim(planned.row, planned.sampling, planned.device, planned.delta)
    inversion = Inversion(victim, victim.latents_of(pictures), settings, desk.seed)
    state, first, before, begun = desk.folder / LEARNING, 0, 0.0, time.monotonic()
    if state.is_file():
        before = learning_seconds(desk.folder)
        held = load_file(state)
        first = int(held.pop("done"))
        inversion.load_state(held)

    def keep(done: int) -> None:
        import torch

        write_json(desk.folder / LEARNING_TIME, {"seconds": before + time.monotonic() - begun})
        write_bytes(state, save(inversion.state() | {"done": torch.tensor(done)}))

    with progress_bar("learning", settings.steps) as advance:
        advance(first)
        learn(inversion, range(first, settings.steps), keep, advance, CHECKPOINT_STEPS)
    write_json(desk.folder / LEARNING_TIME, {"seconds": before + time.monotonic() - begun})
    write_bytes(desk.folder / LEARNED_FILE, save(inversion.learned()))
    state.unlink(missing_ok=True)


def learning_seconds(folder: Path) -> float:
    """Say how long it was learned, resumed parts too; 0 where nothing was."""
    path = folder / LEARNING_TIME
    return float(json.loads(path.read_text(encoding="utf-8"))["seconds"]) if path.is_file() else 0.0
