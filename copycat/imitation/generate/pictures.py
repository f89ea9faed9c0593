"""The generations of a study, for whoever scores them: those that `generate` drew, or a folder of a user's own.

    STUDY/generations.json with STUDY/generations/<run>/      what `generate` leaves
    FOLDER/<concept>/[<prompt>/]*.png                         pictures of a user's own; <concept> is an id or a name
    FOLDER/<arm>/<concept>/[<prompt>/]*.png                   the same with control arms

A picture that is not there, or is damaged, or was refused has its row and its status: it lowers the coverage, and is
never a score of zero.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field, ValidationError

from copycat.catalog import canonical_sha256
from copycat.errors import DataError, UserError
from copycat.imitation.generate.arms import derangement
from copycat.imitation.records import ARMS, CONTROLS, GENERATIONS_FILE, GENERATIONS_FOLDER, Arm, Concept
from copycat.imitation.whose import listed, look_up, look_up_folders, subfolders
from copycat.models.decode import MAGIC, READING_ERRORS, UndecodableError, decode_picture
from copycat.paths import shown
from copycat.runs.folder import RunFolder
from copycat.schema import Record, Sample, Sampling
from copycat.schema.base import Slug

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
"""Of pictures that are read; those of the others are told."""
OTHER_SUFFIXES = (".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".jxl")

GenerationStatus = Literal["ok", "refused", "blocked", "invalid", "failed", "missing", "damaged"]


class Generation(Record):
    """One picture that was asked for, ready to be scored against the references of `concept`.

    `path` is relative to the root of the generations, and null unless the status is "ok"; `sha256` is of its bytes.
    In the arm "shuffled" the picture was asked for by another concept's name.
    """

    concept: Slug
    arm: Arm
    prompt: str
    repeat: int
    status: GenerationStatus
    path: str | None = None
    sha256: str | None = None
    detail: str = ""


class Generations(NamedTuple):
    """All pictures of a study; `warnings` are sentences for people, `facts` say where the pictures come from."""

    root: Path
    rows: tuple[Generation, ...]
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, str] = {}

    def path_of(self, row: Generation) -> Path:
        """Give the file of a picture whose status is "ok"."""
        if row.path is None:
            raise ValueError(f"a picture that is {row.status} has no file")
        return self.root / row.path

    def read(self, row: Generation) -> Image:
        """Decode a picture whose status is "ok" as RGB.

        Raises:
            UndecodableError: it is gone, or damaged where only decoding shows it; the text is the reason. Such a
                picture lowers the coverage as the others do.
        """
        try:
            return decode_picture(self.path_of(row).read_bytes())
        except OSError as error:
            raise UndecodableError(f"cannot be read ({error.strerror})") from error


class ArmFile(Record):
    """One arm in generations.json.

    `folder` is relative to the study, null for "shuffled", which has no pictures of its own; `names` are those that
    stood in the prompts, by concept; `pairs` say whose pictures are compared with a concept's references.
    """

    folder: str | None = None
    names: dict[Slug, str] = Field(default_factory=dict)
    pairs: dict[Slug, Slug] = Field(default_factory=dict)
    planned: int
    counts: dict[str, int] = Field(default_factory=dict)


class GenerationsFile(Record):
    """generations.json: what was drawn, with what; one line of `templates` is an id and its text with {name}.

    `order` holds the ids of templates as they are drawn one after the other, which a limited run depends on.
    """

    schema_version: int = 1
    model: str
    source: str
    revision: str
    licence: str
    device: str
    batch_size: int
    sampling: Sampling
    domain: str
    templates: dict[Slug, str]
    order: tuple[Slug, ...] = ()
    images: int
    limit: int | None = None
    concepts: tuple[Slug, ...]
    arms: dict[Arm, ArmFile]
    warnings: tuple[str, ...] = ()


def read_generations(where: Path, concepts: Sequence[Concept]) -> Generations:
    """Read every picture of the concepts, and every one that should be there and is not.

    Args:
        where: a study, or a folder of pictures.

    Raises:
        UserError: there is no such folder, or nothing in it is of these concepts.
        DataError: generations.json or a journal is damaged.
    """
    if (about := read_generations_file(where)) is not None:
        return _of_study(where, about, concepts)
    folder = where / GENERATIONS_FOLDER if (where / GENERATIONS_FOLDER).is_dir() else where
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {shown(folder)}\n"
            "  draw pictures first: python -m copycat.imitation generate, or name a folder of yours: --pictures FOLDER"
        )
    return _of_folder(folder, concepts)


def read_generations_file(study: Path) -> GenerationsFile | None:
    """Read what was drawn in a study; None if nothing was.

    Raises:
        DataError: the file is damaged.
    """
    path = study / GENERATIONS_FILE
    try:
        return GenerationsFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DataError(
            [f"{shown(path)}: cannot be read ({why})"], "  run the same `generate` again: no picture is drawn twice"
        ) from error


def generations_sha256(study: Path) -> str | None:
    """Hash the settings, arms and counts of generations.json; None where nothing was drawn, or the file is damaged."""
    try:
        content = json.loads((study / GENERATIONS_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    if isinstance(content, dict):
        content.pop("warnings", None)
    return canonical_sha256(content)[:16]


def pictures_in(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """List the pictures of a folder at any depth, by their suffixes; hidden files are none."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
    )


class PlannedPicture(NamedTuple):
    """One picture that an arm asks for."""

    concept: str
    prompt: str
    repeat: int


def planned_pictures(
    concepts: Sequence[str], templates: Sequence[str], images: int, limit: int | None
) -> Iterator[PlannedPicture]:
    """List what an arm asks for in the order in which it is drawn: repeat by repeat, prompt by prompt.

    So a limited run has the same number of pictures of nearly every concept.
    """
    every = (PlannedPicture(concept, prompt, n) for n in range(images) for prompt in templates for concept in concepts)
    return islice(every, limit)


# ------------------------------------------------------------------------------------------ what `generate` drew


def _of_study(study: Path, about: GenerationsFile, concepts: Sequence[Concept]) -> Generations:
    rows: list[Generation] = []
    for arm, one in about.arms.items():
        if one.folder is not None:
            rows += _rows_of_arm(study, about, arm, one.folder)
    if (shuffled := about.arms.get("shuffled")) is not None:
        rows += _shuffled_rows(rows, shuffled.pairs)
    wanted = {concept.id for concept in concepts}
    rows = [row for row in rows if row.concept in wanted]
    return Generations(study, tuple(rows), (*about.warnings, *_warnings(rows, concepts)), _facts(about))


def _rows_of_arm(study: Path, about: GenerationsFile, arm: Arm, folder: str) -> Iterator[Generation]:
    """Give a row for each planned picture of an arm, whether it was drawn or not."""
    run = RunFolder(study / folder)
    drawn = {(s.character, s.anchor, s.repeat): s for s in run.read_samples()}
    order = about.order or tuple(about.templates)
    for planned in planned_pictures(about.concepts, order, about.images, about.limit):
        sample = drawn.get((planned.concept, anchor_of(arm, planned.prompt), planned.repeat))
        yield _row(run, folder, arm, planned, sample)


def anchor_of(arm: Arm, template: str) -> str:
    """Name the anchor of a prompt: a run folder alone tells what its pictures were asked for."""
    return f"{arm}/{template}"


def _row(run: RunFolder, folder: str, arm: Arm, planned: PlannedPicture, sample: Sample | None) -> Generation:
    row = Generation(concept=planned.concept, arm=arm, prompt=planned.prompt, repeat=planned.repeat, status="missing")
    if sample is None:
        return row.model_copy(update={"detail": "not drawn yet"})
    if sample.status != "ok":
        return row.model_copy(update={"status": sample.status, "detail": sample.detail})
    path = f"{folder}/{sample.image}"
    if run.read_image(sample) is not None:
        return row.model_copy(update={"status": "ok", "path": path, "sha256": sample.sha256})
    if (run.path / str(sample.image)).is_file():
        return row.model_copy(update={"status": "damaged", "detail": f"{path}: was changed"})
    return row.model_copy(update={"detail": f"{path}: is gone"})


def _facts(about: GenerationsFile) -> dict[str, str]:
    return {
        "generations.model": about.model,
        "generations.source": about.source,
        "generations.revision": about.revision,
        "generations.licence": about.licence,
        "generations.device": about.device,
        "generations.sampling": json.dumps(about.sampling.model_dump(mode="json"), sort_keys=True),
        "generations.templates": json.dumps(about.templates, ensure_ascii=False),
        "generations.images": str(about.images),
        "generations.arms": ", ".join(about.arms),
    }


# ------------------------------------------------------------------------------------- a folder of a user's own


def _of_folder(folder: Path, concepts: Sequence[Concept]) -> Generations:
    children = [child.name for child in subfolders(folder)]
    concepts_named_so = look_up(ARMS, concepts).ids
    arms = {arm: folder / arm for arm in ARMS if arm != "shuffled" and arm in children and arm not in concepts_named_so}
    if not arms and (arm := folder.resolve().name) in CONTROLS and arm not in concepts_named_so:
        raise UserError(f"{shown(folder)} is the arm {arm}; give its parent")
    rows: list[Generation] = []
    folders: dict[str, None] = {}
    for arm, place in (arms or {"named": folder}).items():
        whose = look_up_folders(place, concepts)
        folders.update(dict.fromkeys([*whose.shared, *whose.strangers]))
        by_concept: dict[Slug, list[Path]] = {}
        for name, concept in whose.ids.items():
            by_concept.setdefault(concept, []).append(place / name)
        for concept, places in by_concept.items():
            folders.update(dict.fromkeys(each.name for each in places) if len(places) > 1 else {})
            rows += _rows_of_folders(folder, places, concept, arm)
    warnings = look_up(folders, concepts).warnings("folder", "folders")
    if not rows:
        such = " or ".join(f"{concept.id}/" for concept in concepts[:2])
        raise UserError(
            f"{shown(folder)} holds no picture of these concepts\n"
            f"  needed: a folder for each concept, named by its id or name, such as {such}, with {', '.join(SUFFIXES)}"
            + "".join(f"\n  {text}" for text in warnings)
        )
    ids = sorted({row.concept for row in rows if row.arm == "named"})
    rows += _shuffled_rows(rows, derangement(ids))
    unread = Counter(path.suffix.lower() for path in pictures_in(folder, OTHER_SUFFIXES))
    warnings += [
        f"{n} {'files' if n > 1 else 'file'} {suffix} {'are' if n > 1 else 'is'} not read; convert to .png"
        for suffix, n in sorted(unread.items())
    ]
    facts = {"generations.folder": str(folder)}
    return Generations(folder, tuple(rows), (*warnings, *_warnings(rows, concepts)), facts)


def _rows_of_folders(root: Path, folders: Sequence[Path], concept: Slug, arm: Arm) -> Iterator[Generation]:
    """Give the pictures of a concept's folders; one that is in several folders counts once."""
    repeats: Counter[str] = Counter()
    before: set[tuple[str, str]] = set()
    for folder in folders:
        here: set[tuple[str, str]] = set()
        for path in pictures_in(folder):
            inside = path.parent.relative_to(folder).as_posix()
            prompt = "" if inside == "." else inside
            name = path.relative_to(root).as_posix()
            flaw, digest = _look(path)
            if digest is not None:
                here.add((prompt, digest))
                if (prompt, digest) in before:
                    continue
            yield Generation(
                concept=concept,
                arm=arm,
                prompt=prompt,
                repeat=repeats[prompt],
                status="ok" if flaw is None else "damaged",
                path=name if flaw is None else None,
                sha256=digest,
                detail=f"{name}: {flaw}" if flaw else "",
            )
            repeats[prompt] += 1
        before |= here


def _look(path: Path) -> tuple[str | None, str | None]:
    """Find what is wrong with a file without decoding its pixels, and hash it."""
    from PIL import Image

    try:
        content = path.read_bytes()
        if not content.startswith(tuple(MAGIC.values())):
            return "no PNG, JPEG or WEBP" if content else "empty", None
        with Image.open(BytesIO(content), formats=tuple(MAGIC)) as picture:
            picture.verify()
    except READING_ERRORS as error:
        return f"damaged or cut off ({str(error)[:80] or type(error).__name__})", None
    return None, hashlib.sha256(content).hexdigest()


# ---------------------------------------------------------------------------------------------------- both


def _shuffled_rows(rows: Sequence[Generation], pairs: Mapping[str, str]) -> list[Generation]:
    """Take the pictures of one concept as those of another."""
    of = {whose: concept for concept, whose in pairs.items()}
    return [
        row.model_copy(update={"concept": of[row.concept], "arm": "shuffled"})
        for row in rows
        if row.arm == "named" and row.concept in of
    ]


def _warnings(rows: Sequence[Generation], concepts: Sequence[Concept]) -> Iterator[str]:
    there = {row.concept for row in rows if row.arm == "named"}
    if lacking := [concept.name for concept in concepts if concept.id not in there]:
        yield f"{len(lacking)} of {len(concepts)} concepts have no picture: {listed(lacking)}"
    own = [row for row in rows if row.arm != "shuffled"]
    ended = Counter(row.status for row in own)
    for status in ("missing", "damaged", "refused", "blocked", "invalid", "failed"):
        if ended[status]:
            are, they = ("is", "it lowers") if ended[status] == 1 else ("are", "they lower")
            yield f"{ended[status]:,} of {len(own):,} pictures {are} {status}: {they} the coverage"
    sizes = set(Counter((row.concept, row.arm, row.prompt) for row in own).values())
    if len(sizes) > 1:
        yield f"concepts and prompts have from {min(sizes):,} to {max(sizes):,} pictures"
