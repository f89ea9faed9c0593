"""Judge labelled pictures now. Each verdict is on the disk as soon as it is there; nothing is judged twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from copycat.calibration.cases import Labelled
from copycat.calibration.columns import Namesakes, read_label
from copycat.calibration.consensus import count_votes
from copycat.calibration.labelled_sets import OpenedSet
from copycat.calibration.labels import Said
from copycat.catalog import canonical_sha256
from copycat.errors import DataError
from copycat.judges import Judge
from copycat.judges.asking import JUDGE_BATCH, Look, each_kept, judge_batch
from copycat.judges.ensemble import throttle_of
from copycat.models.decode import UndecodableError, decode_picture
from copycat.runs.folder import append_journal, read_journal
from copycat.schema import Character, CharacterSet, Judgement


class Entry(NamedTuple):
    """One labelled picture, with the bytes of its file."""

    labelled: Labelled
    content: bytes


class Bench(NamedTuple):
    """Who judges, whom the judge may name, and the journal of its verdicts."""

    judge: Judge
    characters: CharacterSet
    journal: Path


def read_entries(opened: OpenedSet, characters: CharacterSet, namesakes: Namesakes) -> Iterator[list[Entry]]:
    """Read labelled pictures in chunks; rows without a label, or of unknown characters, are left out.

    Raises:
        DataError: labels or pictures of a chunk cannot be read; all of its faults at once.
    """
    people = {character.id: character for character in characters.characters}
    numbered = enumerate(opened.rows, start=1)
    while rows := list(islice(numbered, JUDGE_BATCH)):
        faults: list[str] = []
        entries = []
        for number, row in rows:
            try:
                entry = _entry(opened, row, people, namesakes)
            except ValueError as error:
                faults.append(f"{opened.source}, row {number}: {error}")
                continue
            entries += [entry] if entry is not None else []
        if faults:
            raise DataError(
                faults, "  needed in a label: yes or no, 1 or 0, a list of those, or votes as 3/5; or other --columns"
            )
        yield entries


def judge_entries(
    chunks: Iterable[Sequence[Entry]], bench: Bench, advance: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[Labelled, Judgement]]:
    """Judge chunk by chunk what is not judged yet, and give every picture with its verdict.

    Raises:
        UserError: no picture can be judged; every verdict that was given is kept.
    """
    known = {j.key: j for j in read_journal(bench.journal, Judgement) if j.is_answered}
    for chunk in chunks:
        entries = list({entry.labelled.key: entry for entry in chunk}.values())
        unanswered: dict[str, Judgement] = {}
        for judgement in _judge_missing(entries, bench, set(known)):
            (known if judgement.is_answered else unanswered)[judgement.key] = judgement
        advance(len(chunk))
        for entry in chunk:
            key = entry.labelled.key
            yield entry.labelled, known.get(key) or unanswered[key]


def _judge_missing(entries: Sequence[Entry], bench: Bench, known: set[str]) -> Iterator[Judgement]:
    """Judge what is not known yet and journal it, before anybody hears of it."""
    missing = [entry for entry in entries if entry.labelled.key not in known]
    throttle = throttle_of(bench.judge)
    if throttle is not None:

        def keep(_: Entry, judgement: Judgement) -> None:
            append_journal(bench.journal, [judgement])

        for _, judgement in each_kept(missing, lambda entry: _judge_batch([entry], bench)[0], keep, throttle):
            yield judgement
    elif missing:
        # The whole chunk as in an unbroken run: a network's last digits depend on the batch's size.
        fresh = [judgement for judgement in _judge_batch(entries, bench) if judgement.key not in known]
        append_journal(bench.journal, fresh)
        yield from fresh


def _entry(
    opened: OpenedSet, row: Mapping[str, object], people: Mapping[str, Character], namesakes: Namesakes
) -> Entry | None:
    columns = opened.columns
    votes = read_label(row.get(columns.label), row.get(columns.votes) if columns.votes else None, opened.label_names)
    character = namesakes.find(row.get(columns.character)) if votes is not None else None
    if votes is None or character is None:
        return None
    content = opened.read_picture(row)
    sha256 = hashlib.sha256(content).hexdigest()
    yes, no = votes
    said = [*_words("yes", yes), *_words("no", no)] or _words("unsure", 1)
    key = canonical_sha256([sha256, character])[:20]
    return Entry(Labelled(key, sha256, people[character], None, count_votes(said)), content)


def _words(said: Said, count: int) -> list[Said]:
    return [said] * count


def _judge_batch(entries: Sequence[Entry], bench: Bench) -> list[Judgement]:
    looks = [_decoded(entry.content) for entry in entries]
    targets = [entry.labelled.character.id for entry in entries]
    verdicts = judge_batch(bench.judge, looks, targets, bench.characters)
    return [
        verdict.of(entry.labelled.key, entry.labelled.image_sha256)
        for entry, verdict in zip(entries, verdicts, strict=True)
    ]


def _decoded(content: bytes) -> Look:
    try:
        return decode_picture(content)
    except UndecodableError as error:
        return f"the picture cannot be read: {error}"
