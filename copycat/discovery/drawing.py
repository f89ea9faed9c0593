"""The laboratory of searches: draws prompts, has a judge look, and writes each verdict down before it is told.

    <folder>/lab.json        what draws and judges here: model, settings, judge, characters; another one is refused
    <folder>/journal.jsonl   one line per picture: character, prompt, seed, whom the judge saw

A search that was killed is started again by the same call: what the journal holds is not drawn again, so the search
takes the same course. Pictures are thrown away, unless they are wanted.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from pydantic import Field

from copycat.catalog import LISTS, canonical_sha256, characters_sha256
from copycat.errors import ResumeMismatchError, UnknownNameError, UnsupportedError, UserError
from copycat.judges import NO_JUDGE, Verdict
from copycat.judges.asking import judge_batch
from copycat.models.settings import choose_sampling
from copycat.paths import shown
from copycat.plan import KEY_HEX_DIGITS, build_batches, build_seed
from copycat.runs.executors import LOCAL, DrawnBatch, build_executor
from copycat.runs.folder import append_journal, read_journal, write_bytes, write_json
from copycat.runs.interrupts import deferred_interrupt
from copycat.schema import SERVICE, Character, CharacterSet, ImageRequest, Record, Sampling, Status
from copycat.staging import Job, Stage, set_up

log = logging.getLogger(__name__)

ANCHOR = "trigger"
ABOUT, JOURNAL, PICTURES = "lab.json", "journal.jsonl", "images"
DELIVERED_NOTHING: frozenset[Status] = frozenset({"refused", "blocked"})
"""These count as pictures that do not show the character, as in DETECT (decision 0005)."""


class LabJob(Record):
    """What every laboratory is asked for; None means the default of the model or the character set.

    `only` are ids of characters, empty for all of the set; `sampling` holds the fields of `schema.Sampling` that were
    asked for; `out` is the folder of this laboratory.
    """

    model: str
    characters: str | None = None
    only: tuple[str, ...] = ()
    lists: Path = LISTS
    judge: str | None = None
    references: Path | None = None
    preset: str | None = None
    sampling: dict[str, Any] = Field(default_factory=dict)
    revision: str | None = None
    batch_size: int | None = Field(default=None, ge=1)
    device: str | None = None
    out: Path


class Shots(NamedTuple):
    """Pictures wanted of a prompt, judged for one character: the numbers `first` to `first + n - 1` of a row of seeds.

    Prompts that share a row are drawn from the same noise, so that their pictures are pairs.
    """

    character: str
    prompt: str
    row: str
    first: int
    n: int


Hits = tuple[bool | None, ...]
"""For each picture whether the judge saw the character; None without a picture or a verdict."""


class About(Record):
    """What can move a verdict; two labs that are alike give the same journal."""

    schema_version: int = 1
    model: str
    model_source: str
    model_revision: str
    sampling: Sampling
    device: str
    batch_size: int
    judge: str
    judge_revision: str
    is_judge_calibrated: bool
    characters: str
    characters_sha256: str


class Seen(Record):
    """One line of the journal: a picture that was judged, or that a service or a safety checker kept back."""

    character: str
    prompt: str
    seed: int
    status: Status
    seen: tuple[str, ...]


class Lab:
    """Draws and judges for one model.

    Args:
        folder: Where the journal is; made with the first picture.
        batch_size: None for the model's own.
        keeps: Which rows of seeds leave their pictures in `images/`.
        advance: Told of pictures as they are judged, known ones too.
    """

    def __init__(
        self,
        stage: Stage,
        sampling: Sampling,
        folder: Path,
        *,
        batch_size: int | None = None,
        keeps: Callable[[str], bool] = lambda _: False,
        advance: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.stage, self.sampling, self.folder = stage, sampling, folder
        self.keeps, self.advance = keeps, advance
        self.about = _about(stage, sampling, batch_size or stage.row.batch_size)
        _require_drawable(stage, sampling)
        self._executor = build_executor(LOCAL, stage.row, stage.model, stage.device)
        self._require_same()
        rows = read_journal(folder / JOURNAL, Seen)
        self._known = {(row.character, row.prompt, row.seed): row for row in rows}
        self.drawn = 0

    def look(self, wanted: Sequence[Shots]) -> list[Hits]:
        """Give the hits of all shots, in their order; draws what the journal does not hold, in common batches.

        Raises:
            UserError: nothing can be drawn or judged at all.
        """
        requests = [self._request(shots, number) for shots in wanted for number in _numbers(shots)]
        distinct = list({request.key: request for request in requests}.values())
        missing = {request.key for request in distinct if self._seen(request) is None}
        self.advance(len(distinct) - len(missing))
        batches = build_batches(distinct, self.about.batch_size)
        self._draw([batch for batch in batches if any(request.key in missing for request in batch)], missing)
        hits = iter([self._is_hit(request) for request in requests])
        return [tuple(next(hits) for _ in _numbers(shots)) for shots in wanted]

    def expect(self, n: int) -> None:
        """Say what up to `n` pictures cost, where a service wants money for them."""
        if price := self.stage.row.usd_per_picture:
            log.warning("up to %d pictures, about $%.2f at list price; what is known is not paid again", n, n * price)

    def close(self) -> None:
        """Let go of threads."""
        self._executor.close()

    # --------------------------------------------------------------------------- private

    def _draw(self, batches: Sequence[tuple[ImageRequest, ...]], missing: set[str]) -> None:
        if not batches:
            return
        write_json(self.folder / ABOUT, self.about.model_dump(mode="json"))
        requests = [request for batch in batches for request in batch]
        self.stage.model.check(requests, self.sampling)
        if self.stage.row.is_service:  # others would load their text encoders anew for each round of a search
            self._executor.prepare(requests, self.sampling)
        with deferred_interrupt() as interrupt:
            drawn: Iterable[DrawnBatch] = self._executor.run(batches, self.sampling, lambda b: self._keep(b, missing))
            if self.stage.judge_row.is_heavy:  # it needs the accelerator to itself
                drawn = list(drawn)
                self._executor.release()
            for batch in drawn:
                self._keep(batch, missing)
                interrupt.check()
        interrupt.check()

    def _keep(self, drawn: DrawnBatch, missing: set[str]) -> None:
        """Judge a batch and write it down; what has no verdict is not written, and is drawn again next time."""
        made = [pair for pair in zip(drawn.batch, drawn.pictures, strict=True) if pair[0].key in missing]
        looks = [
            picture.detail or picture.status if picture.png is None else Image.open(io.BytesIO(picture.png))
            for _, picture in made
        ]
        targets = [request.character for request, _ in made]
        verdicts = judge_batch(self.stage.judge, looks, targets, self.stage.characters)
        rows = []
        for (request, picture), verdict in zip(made, verdicts, strict=True):
            if picture.png is not None and self.keeps(request.prompt_id):
                write_bytes(self.folder / PICTURES / f"{request.key}.png", picture.png)
            if (row := _row(request, picture.status, verdict)) is not None:
                rows.append(row)
        append_journal(self.folder / JOURNAL, rows)
        self._known |= {(row.character, row.prompt, row.seed): row for row in rows}
        self.drawn += len(made)
        self.advance(len(made))

    def _request(self, shots: Shots, number: int) -> ImageRequest:
        seed = build_seed(shots.row, number)
        return ImageRequest(
            key=canonical_sha256([shots.character, shots.prompt, seed])[:KEY_HEX_DIGITS],
            character=shots.character,
            anchor=ANCHOR,
            prompt_id=shots.row,
            repeat=number,
            prompt=shots.prompt,
            prompt_sent=shots.prompt,
            seed=seed,
        )

    def _seen(self, request: ImageRequest) -> Seen | None:
        return self._known.get((request.character, request.prompt, request.seed))

    def _is_hit(self, request: ImageRequest) -> bool | None:
        row = self._seen(request)
        return None if row is None else request.character in row.seen

    def _require_same(self) -> None:
        path = self.folder / ABOUT
        if not path.exists():
            return
        found, mine = About.model_validate_json(path.read_bytes()), self.about
        if other := [name for name in About.model_fields if getattr(found, name) != getattr(mine, name)]:
            raise ResumeMismatchError(
                f"{shown(self.folder)} holds pictures of another {', '.join(other)}\n"
                "  choose another --out, or delete this folder"
            )


def open_lab(
    job: LabJob, *, keeps: Callable[[str], bool] = lambda _: False, advance: Callable[[int], object] = lambda _: None
) -> Lab:
    """Find model, judge, characters and settings, and open the folder; loads no weights.

    Raises:
        UserError: anything that the user must fix.
    """
    asked = Job(
        models=(job.model,),
        characters=job.characters,
        judge=job.judge,
        references=job.references,
        revision=job.revision,
        device=job.device,
        sampling=job.sampling,
        out=job.out,
    )
    stage = set_up(asked, job.model)
    sampling = stage.model.settle(choose_sampling(stage.row, stage.device, job.preset, job.sampling))
    return Lab(stage, sampling, job.out, batch_size=job.batch_size, keeps=keeps, advance=advance)


def chosen_characters(characters: CharacterSet, only: Sequence[str]) -> tuple[Character, ...]:
    """Give the characters with these ids, in the order of the set; all where none is named.

    Raises:
        UnknownNameError: the set has no such character.
    """
    known = {who.id: who for who in characters.characters}
    for one in only:
        if one not in known:
            raise UnknownNameError("character", one, known)
    return tuple(who for who in characters.characters if not only or who.id in only)


def _numbers(shots: Shots) -> range:
    return range(shots.first, shots.first + shots.n)


def _row(request: ImageRequest, status: Status, verdict: Verdict) -> Seen | None:
    if status in DELIVERED_NOTHING:
        seen: tuple[str, ...] = ()
    elif status != "ok" or not verdict.is_answered:
        return None
    else:
        seen = verdict.seen
    return Seen(character=request.character, prompt=request.prompt, seed=request.seed, status=status, seen=seen)


def _about(stage: Stage, sampling: Sampling, batch_size: int) -> About:
    identity = stage.model.identify()
    return About(
        model=stage.row.name,
        model_source=identity.source,
        model_revision=identity.revision,
        sampling=sampling,
        device=SERVICE if stage.row.is_service else stage.device,
        batch_size=batch_size,
        judge=stage.judge_row.name,
        judge_revision=stage.judge.revision(),
        is_judge_calibrated=stage.judge_row.is_calibrated,
        characters=stage.characters.id,
        characters_sha256=characters_sha256(stage.characters),
    )


def _require_drawable(stage: Stage, sampling: Sampling) -> None:
    """Refuse what a search cannot honour, before any weight is loaded."""
    if stage.judge_row.name == NO_JUDGE:
        raise UserError("a search needs a judge\n  leave out --judge none, or name one: --list judges")
    if sampling.is_video:
        raise UnsupportedError(
            f"'{stage.row.name}' draws clips, and the search looks at pictures\n  name another model"
        )
    if (check := getattr(stage.judge, "check", None)) is not None:
        check(stage.characters)
