"""The loops of an attack: draw plain pictures, search, draw under attack. What a kill leaves is taken up again."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.attacks import ATTACK_FILE
from copycat.attacks.saved import LEARNED_FILE, AttackCard, AttackedPrompt, with_learned, with_prefix
from copycat.console import progress_bar
from copycat.errors import DataError
from copycat.models import Picture
from copycat.models.erased import file_sha256
from copycat.names import mentions
from copycat.plan import build_batches, build_seed
from copycat.runs.encoding import encode_png
from copycat.runs.environment import describe_environment
from copycat.runs.folder import append_journal, read_journal, write_bytes, write_json
from copycat.schema import ImageRequest, Record
from copycat.whitebox.cce import CceSettings, Inversion, learn
from copycat.whitebox.folder import LEARNING, LEARNING_TIME, PLAIN, RESULTS, held
from copycat.whitebox.job import PlannedAttack
from copycat.whitebox.unlearndiffatk import Target, UnlearnDiffAtkSettings, allowed_tokens, search_prefix
from copycat.whitebox.victim import Studio, load_victim

TRIES_FOR_EACH = 4
"""Pictures of the name that the original model draws, at most, for each that is needed to show the concept."""

CHECKPOINT_STEPS = 100


class PlainPicture(Record):
    """A prompt without an attack: whether the original and the attacked model's pictures show the concept."""

    key: str
    original: bool | None
    before: bool | None
    pictures: dict[str, str]
    seconds: float


class _Desk(NamedTuple):
    """What the loops work with."""

    planned: PlannedAttack
    folder: Path
    studio: Studio
    plain: dict[str, PlainPicture]

    @property
    def seed(self) -> int:
        return build_seed(f"attack/{self.planned.concept.id}", 0)


def run_attack(planned: PlannedAttack) -> AttackCard:
    """Do what was planned, or what is missing of it, and save it.

    Raises:
        ResumeMismatchError: the folder holds another attack.
        DataError: the original model shows the concept on no picture.
        UserError: another process works in the folder.
    """
    folder = planned.job.out
    with held(folder, planned.spec(), is_fresh=planned.job.fresh):
        if (folder / ATTACK_FILE).is_file():
            return AttackCard.model_validate_json((folder / ATTACK_FILE).read_text(encoding="utf-8"))
        studio = Studio(
            planned.row,
            planned.sampling,
            planned.device,
            planned.judge,
            (planned.characters, planned.concept),
        )
        desk = _Desk(planned, folder, studio, _draw_plain(planned, folder, studio))
        learned = None
        if isinstance(planned.settings, UnlearnDiffAtkSettings):
            _search(desk, planned.settings)
        elif isinstance(planned.settings, CceSettings):
            learned = _invert(desk, planned.settings)
        else:
            for form, requests in planned.forms.items():
                _draw_attacked(desk, form, requests)
        return _finish(desk, learned)


# ------------------------------------------------------------------ without an attack


def _draw_plain(planned: PlannedAttack, folder: Path, studio: Studio) -> dict[str, PlainPicture]:
    known = {row.key: row for row in read_journal(folder / PLAIN, PlainPicture)}
    pairs = list(zip(planned.originals, planned.mitigated, strict=True))
    with progress_bar("without an attack", len(pairs)) as advance:
        for batch in _batches(planned, [original for original, _ in pairs]):
            missing = [request.key for request in batch if request.key not in known]
            if missing:
                begun = time.monotonic()
                places = [place for place, (original, _) in enumerate(pairs) if original in batch]
                sides = {
                    "original": studio.draw([pairs[place][0] for place in places]),
                    "before": studio.draw([pairs[place][1] for place in places]),
                }
                seconds = (time.monotonic() - begun) / len(batch)
                rows = [
                    _plain_row(folder, r.key, {s: d[i] for s, d in sides.items()}, seconds) for i, r in enumerate(batch)
                ]
                append_journal(folder / PLAIN, rows)
                known |= {row.key: row for row in rows}
            advance(len(batch))
    return known


def _plain_row(folder: Path, key: str, sides: dict[str, tuple[Picture, bool | None]], seconds: float) -> PlainPicture:
    kept = {side: path for side, (p, _) in sides.items() if (path := _keep(folder, f"{key}-{side}", p)) is not None}
    return PlainPicture(
        key=key, original=sides["original"][1], before=sides["before"][1], pictures=kept, seconds=seconds
    )


# ------------------------------------------------------------------ under attack


def _draw_attacked(desk: _Desk, form: str, requests: Sequence[ImageRequest]) -> None:
    """Draw and judge requests that carry their attack, batch by batch."""
    done = {(row.form, row.id, row.seed) for row in read_journal(desk.folder / RESULTS, AttackedPrompt)}
    with progress_bar(f"under {form}", len(requests)) as advance:
        for batch in _batches(desk.planned, requests):
            if any((form, request.prompt_id, request.seed) not in done for request in batch):
                begun = time.monotonic()
                drawn = desk.studio.draw(batch)
                seconds = (time.monotonic() - begun) / len(batch)
                rows = [
                    _row(desk, form, request, one, seconds=seconds) for request, one in zip(batch, drawn, strict=True)
                ]
                append_journal(desk.folder / RESULTS, rows)
            advance(len(batch))


def _search(desk: _Desk, settings: UnlearnDiffAtkSettings) -> None:
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
                row = _row(desk, planned.job.method, request, None)
            else:
                if plain.original is not True and spare is None:
                    spare = _concept_pictures(desk, 1)[0]
                image = _open(desk.folder, plain.pictures["original"]) if plain.original else spare
                target = Target(victim.latents_of([image]), request.seed)
                row = _search_one(desk, victim, request, target, allowed)
            append_journal(desk.folder / RESULTS, [row.model_copy(update={"seconds": time.monotonic() - begun})])
            advance(1)


def _search_one(desk: _Desk, victim: Any, request: ImageRequest, target: Target, allowed: Any) -> AttackedPrompt:
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
    row = _row(desk, method, with_prefix(request, method, found.prefix), last[found.prefix])
    return row.model_copy(
        update={
            "prefix": found.prefix,
            "decoded": decoded,
            "spells_name": mentions(decoded, desk.planned.concept),
            "loss": found.loss,
            "steps": found.steps,
        }
    )


def _invert(desk: _Desk, settings: CceSettings) -> str:
    """Learn embeddings and draw every prompt with them; gives their hash."""
    path = desk.folder / LEARNED_FILE
    if not path.is_file():
        _learn(desk, settings)
    learned = file_sha256(path)
    planned = desk.planned
    studio = desk.studio.with_file(learned, path)
    requests = [with_learned(r, planned.concept, planned.job.method, learned) for r in planned.mitigated]
    _draw_attacked(desk._replace(studio=studio), planned.job.method, requests)
    return learned


def _learn(desk: _Desk, settings: CceSettings) -> None:
    from safetensors.torch import load_file, save

    planned = desk.planned
    pictures = _concept_pictures(desk, settings.pictures)
    victim = load_victim(planned.row, planned.sampling, planned.device, planned.delta)
    inversion = Inversion(victim, victim.latents_of(pictures), settings, desk.seed)
    state, first, before, begun = desk.folder / LEARNING, 0, 0.0, time.monotonic()
    if state.is_file():
        before = _learning_seconds(desk.folder)
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


def _learning_seconds(folder: Path) -> float:
    path = folder / LEARNING_TIME
    return float(json.loads(path.read_text(encoding="utf-8"))["seconds"]) if path.is_file() else 0.0


def _concept_pictures(desk: _Desk, count: int) -> list[Any]:
    """Give pictures of the original model that show the concept: of its name, with seeds of their own.

    Raises:
        DataError: none does.
    """
    planned = desk.planned
    asked = planned.originals[0].model_copy(
        update={"prompt": planned.concept.name, "prompt_sent": planned.concept.name}
    )
    requests = [
        asked.model_copy(update={"key": f"target-{i}", "seed": build_seed(f"target/{planned.concept.id}", i)})
        for i in range(max(count * TRIES_FOR_EACH, 16))
    ]
    found: list[Any] = []
    with progress_bar(f"pictures of {planned.concept.name}", count) as advance:
        for batch in _batches(planned, requests):
            shows = [p.image for p, is_shown in desk.studio.draw(batch) if is_shown and p.image is not None]
            found += shows[: count - len(found)]
            advance(min(len(shows), count))
            if len(found) == count:
                break
    if not found:
        raise DataError(
            [
                f"the original '{planned.row.name}' does not draw {planned.concept.name} by name: judge "
                f"'{planned.judge_row.name}' sees it on none of {len(requests)} pictures"
            ],
            "  an attack needs what was there before: choose another --concept, or another --judge",
        )
    return found


# ------------------------------------------------------------------ rows and files


def _row(
    desk: _Desk,
    form: str,
    request: ImageRequest,
    drawn: tuple[Picture, bool | None] | None,
    *,
    seconds: float = 0.0,
) -> AttackedPrompt:
    """Tell of a prompt under attack; without a picture of its own it stays as it was before."""
    plain = desk.plain[request.key]
    pictures, after = dict(plain.pictures), plain.before
    if drawn is not None:
        after = drawn[1]
        stem = "".join(c if c.isalnum() or c == "-" else "-" for c in f"{request.key}-after-{form}")
        path = _keep(desk.folder, stem, drawn[0])
        pictures |= {} if path is None else {"after": path}
    return AttackedPrompt(
        id=request.prompt_id,
        form=form,
        text=request.prompt,
        sent=request.prompt_sent,
        seed=request.seed,
        original=plain.original,
        before=plain.before,
        after=after,
        seconds=seconds,
        pictures=pictures,
    )


def _finish(desk: _Desk, learned: str | None) -> AttackCard:
    planned = desk.planned
    rows = read_journal(desk.folder / RESULTS, AttackedPrompt)
    card = AttackCard(
        method=planned.job.method,
        preset=planned.preset,
        settings=planned.settings.model_dump(mode="json"),
        model=planned.row.name,
        source=planned.identity.source,
        revision=planned.identity.revision,
        erasure=planned.erasure,
        mitigation=planned.mitigation,
        characters=planned.characters.id,
        concept=planned.concept.id,
        name=planned.concept.name,
        judge=planned.judge_row.name,
        judge_revision=planned.judge.revision(),
        prompts=tuple(rows),
        learned=learned,
        seconds=sum(row.seconds for row in rows)
        + sum(row.seconds for row in desk.plain.values())
        + _learning_seconds(desk.folder),
        device=planned.device,
        dtype=planned.sampling.dtype,
        versions=describe_environment(planned.device),
    )
    write_json(desk.folder / ATTACK_FILE, card.model_dump(mode="json"))
    return card


def _batches(planned: PlannedAttack, requests: Sequence[ImageRequest]) -> list[tuple[ImageRequest, ...]]:
    return build_batches(requests, planned.row.batch_size)


def _keep(folder: Path, stem: str, picture: Picture) -> str | None:
    if picture.image is None:
        return None
    relative = f"pictures/{stem}.png"
    write_bytes(folder / relative, encode_png(picture.image))
    return relative


def _open(folder: Path, relative: str) -> Any:
    from PIL import Image

    with Image.open(folder / relative) as image:
        return image.convert("RGB")
