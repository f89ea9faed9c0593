"""An attack from its plan to its card: plain pictures, search, pictures under attack. A kill does not set it back."""

from __future__ import annotations

import time
from pathlib import Path

from copycat.attacks import ATTACK_FILE
from copycat.attacks.saved import AttackCard, AttackedPrompt, read_attack
from copycat.console import progress_bar
from copycat.models import Picture
from copycat.runs.environment import describe_environment
from copycat.runs.folder import append_journal, read_journal, write_bytes, write_json
from copycat.schema import Attack
from copycat.whitebox.cce import CceSettings
from copycat.whitebox.desk import Desk, PlainPicture, batches_of, done_rows, draw_attacked, keep_picture
from copycat.whitebox.folder import PICTURES, PLAIN, RESULTS, SHEET, held
from copycat.whitebox.job import PlannedAttack
from copycat.whitebox.searching import invert, learning_seconds, search
from copycat.whitebox.sheet import build_sheet
from copycat.whitebox.unlearndiffatk import UnlearnDiffAtkSettings
from copycat.whitebox.victim import Studio


def run_attack(planned: PlannedAttack) -> AttackCard:
    """Do what was planned, or what is missing of it, and save it.

    Raises:
        ResumeMismatchError: the folder holds another attack.
        DataError: the original model shows the concept on no picture, or what is finished there is damaged.
        UserError: another process works in the folder.
    """
    folder = planned.job.out
    with held(folder, planned.spec(), is_fresh=planned.job.fresh):
        if (folder / ATTACK_FILE).is_file():
            return _with_sheet(folder, read_attack(folder))
        studio = Studio(
            planned.row,
            planned.sampling,
            planned.device,
            planned.judge,
            (planned.characters, planned.concept),
        )
        desk = Desk(planned, folder, studio, _draw_plain(planned, folder, studio))
        learned = None
        if isinstance(planned.settings, UnlearnDiffAtkSettings):
            search(desk, planned.settings)
        elif isinstance(planned.settings, CceSettings):
            learned = invert(desk, planned.settings)
        else:
            _compose(desk)
        return _finish(desk, learned)


# ------------------------------------------------------------------ without an attack


def _draw_plain(planned: PlannedAttack, folder: Path, studio: Studio) -> dict[str, PlainPicture]:
    known = {row.key: row for row in read_journal(folder / PLAIN, PlainPicture)}
    pairs = list(zip(planned.originals, planned.mitigated, strict=True))
    with progress_bar("without an attack", len(pairs)) as advance:
        for batch in batches_of(planned, [original for original, _ in pairs]):
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
    kept = {
        side: path for side, (p, _) in sides.items() if (path := keep_picture(folder, f"{key}-{side}", p)) is not None
    }
    return PlainPicture(
        key=key, original=sides["original"][1], before=sides["before"][1], pictures=kept, seconds=seconds
    )


def _compose(desk: Desk) -> None:
    """Draw each form; of those that come to the same terms, such as A1 and O1, the first is drawn for both."""
    first: dict[tuple[Attack | None, ...], str] = {}
    for form, requests in desk.planned.forms.items():
        drawn = first.setdefault(tuple(request.attack for request in requests), form)
        if drawn == form:
            draw_attacked(desk, form, requests)
            continue
        done = done_rows(desk)
        rows = [row for row in read_journal(desk.folder / RESULTS, AttackedPrompt) if row.form == drawn]
        same = [row.model_copy(update={"form": form, "seconds": 0.0}) for row in rows]
        append_journal(desk.folder / RESULTS, [row for row in same if (row.form, row.id, row.seed) not in done])


def _finish(desk: Desk, learned: str | None) -> AttackCard:
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
        + learning_seconds(desk.folder),
        device=planned.device,
        dtype=planned.sampling.dtype,
        versions=describe_environment(planned.device),
    )
    write_json(desk.folder / ATTACK_FILE, card.model_dump(mode="json"))
    return _with_sheet(desk.folder, card)


def _with_sheet(folder: Path, card: AttackCard) -> AttackCard:
    """Write the page with all pictures, if it is not there."""
    if not (folder / SHEET).is_file():

        def load(relative: str) -> bytes:
            path = folder / PICTURES / Path(relative).name
            return path.read_bytes() if path.is_file() else b""

        page = build_sheet(card, load)
        write_bytes(folder / SHEET, page.encode())
    return card
