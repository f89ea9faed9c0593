"""Which pictures of a concept its generations are compared with: a fixed number, chosen before any generation is seen.

The first m in the order of their files' sha256 are taken, which nothing can depend on. Pictures that the embedder
rejects are passed over, and the next one is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from copycat.errors import UserError
from copycat.imitation.generate.pictures import OTHER_SUFFIXES, pictures_in
from copycat.imitation.records import Concept
from copycat.imitation.whose import listed, look_up_folders
from copycat.paths import shown
from copycat.schema import Record
from copycat.schema.base import Slug

PER_CONCEPT = 10
LAYOUT = """\
  needed: --references FOLDER with a subfolder per concept, named by its id, its name or an alias:
    FOLDER/some-concept/1.png
    FOLDER/some-concept/2.jpg
    FOLDER/other-concept/any-name.webp"""


class Reference(Record):
    """One held-out picture of a concept: where it is, relative to the folder, and the sha256 of its bytes."""

    concept: Slug
    picture: str
    sha256: str


class Candidates(NamedTuple):
    """All references of a folder by concept, in the order in which they are taken; `sha256` is of all of them."""

    by_concept: Mapping[str, Sequence[Reference]]
    sha256: str
    warnings: tuple[str, ...] = ()


class Chosen(NamedTuple):
    """The references that count, m of each concept.

    `left_out`: concept -> why it has none. `passed_over`: references that were asked for and have no vector.
    """

    by_concept: Mapping[str, Sequence[Reference]]
    left_out: Mapping[str, str]
    passed_over: Sequence[Reference] = ()


def find_references(folder: Path, concepts: Sequence[Concept]) -> Candidates:
    """List the pictures of each concept's subfolder, at any depth; decodes none.

    A file that is there twice counts once. Hidden files are passed over.

    Raises:
        UserError: there is no such folder, or no picture of any of the concepts in it.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {shown(folder)}\n{LAYOUT}")
    whose = look_up_folders(folder, concepts)
    found: dict[str, dict[str, Reference]] = {concept.id: {} for concept in concepts}
    for child, concept in whose.ids.items():
        for path in pictures_in(folder / child):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            name = path.relative_to(folder).as_posix()
            found[concept].setdefault(digest, Reference(concept=concept, picture=name, sha256=digest))
    left_out = whose.warnings("folder of references", "folders of references")
    if not any(found.values()):
        told = "".join(f"\n  {text}" for text in left_out)
        raise UserError(f"{shown(folder)} holds no picture of these concepts{told}\n{LAYOUT}")
    unread = pictures_in(folder, OTHER_SUFFIXES)
    warnings = [f"{len(unread)} files such as {shown(unread[0])} are not read; convert them to .png"] if unread else []
    return order_references(
        {concept: list(pictures.values()) for concept, pictures in found.items()}, (*warnings, *left_out)
    )


def order_references(by_concept: Mapping[str, Sequence[Reference]], warnings: tuple[str, ...] = ()) -> Candidates:
    """Put references in the order of their sha256, and tell pictures that stand for two concepts."""
    ordered = {who: sorted(pictures, key=lambda each: each.sha256) for who, pictures in by_concept.items()}
    owners: dict[str, list[str]] = {}
    for who, pictures in ordered.items():
        for each in pictures:
            owners.setdefault(each.sha256, []).append(who)
    shared = [whose for whose in owners.values() if len(whose) > 1]
    if shared:
        pairs = [" and ".join(whose) for whose in shared]
        what = f"{len(shared)} references are" if len(shared) > 1 else "1 reference is"
        warnings = (*warnings, f"{what} the same picture for two concepts: {listed(pairs)}")
    whole = hashlib.sha256()
    for who in sorted(ordered):
        whole.update("".join(f"{who} {each.sha256}\n" for each in ordered[who]).encode())
    return Candidates(ordered, whole.hexdigest(), warnings)


def choose_references(
    candidates: Candidates, m: int, usable: Callable[[Sequence[Reference]], Sequence[bool]]
) -> Chosen:
    """Take the first m usable references of each concept.

    Args:
        usable: whether each of these has a vector; asked about m of each concept, and about more where some have none.

    Raises:
        UserError: no concept has m of them.
    """
    taken: dict[str, list[Reference]] = {who: [] for who in candidates.by_concept}
    passed_over: list[Reference] = []
    asked = dict.fromkeys(taken, 0)
    while batch := _next_batch(candidates, m, taken, asked):
        for reference, is_usable in zip(batch, usable(batch), strict=True):
            asked[reference.concept] += 1
            (taken[reference.concept] if is_usable else passed_over).append(reference)
    left_out = {who: _why(len(candidates.by_concept[who]), len(taken[who]), m) for who in taken if len(taken[who]) < m}
    if len(left_out) == len(taken):
        most = max(map(len, taken.values()))
        fix = f"use fewer: --per-concept {most}" if most else "use other pictures, or another --embedder"
        raise UserError(f"no concept has {m} references that can be compared with; the most are {most}\n  {fix}")
    whole = {who: pictures for who, pictures in taken.items() if len(pictures) == m}
    return Chosen(whole, left_out, tuple(passed_over))


def _next_batch(
    candidates: Candidates, m: int, taken: Mapping[str, Sequence[Reference]], asked: Mapping[str, int]
) -> list[Reference]:
    return [
        reference
        for who, pictures in candidates.by_concept.items()
        for reference in pictures[asked[who] : asked[who] + m - len(taken[who])]
    ]


def _why(n_there: int, n_usable: int, m: int) -> str:
    if not n_there:
        return "no reference"
    unusable = f", {n_there - n_usable} of them rejected or damaged" if n_usable < n_there else ""
    return f"{n_there} {'references' if n_there > 1 else 'reference'}{unusable}; {m} are needed"
