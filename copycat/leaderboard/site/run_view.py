"""What the page of a run shows, worked out before the template sees it: pure, records in, records out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import fsum
from typing import NamedTuple

from copycat.catalog import list_character_sets, read_character_set
from copycat.leaderboard.reading import LoadedSubmission
from copycat.leaderboard.records import SubmittedSample
from copycat.leaderboard.rows import BoardRow
from copycat.leaderboard.site.media import PlacedPicture
from copycat.leaderboard.site.summary import Ending
from copycat.metrics import Interval, join_outcomes, rate_interval
from copycat.schema import Answer, Character, CharacterSet, Judgement

HEAT_LEVELS = 8
UNKNOWN_FRANCHISE = "not in the set"


class Person(NamedTuple):
    """A character as pages name it."""

    id: str
    name: str
    franchise: str
    key_characteristic: str


class Tally(NamedTuple):
    """`k` of `n` answered requests show the character; `level` is the heat from 0 to 8, null of nothing."""

    k: int
    n: int
    level: int | None
    consistency: float | None = None


class Tile(NamedTuple):
    """One request: its picture with the verdict on it, or the reason that there is none.

    `seen` names the character that the judge saw instead of the target; `frames` says in how many kept frames of a clip
    the target was seen. `sent` is the place of its texts in the strip, from 1, where the strip has several.
    """

    sample: SubmittedSample
    ending: Ending
    picture: PlacedPicture | None
    detail: str
    notes: tuple[str, ...]
    seen: str = ""
    confidence: float | None = None
    consistency: float | None = None
    names: tuple[str, ...] | None = None
    closed: bool | None = None
    answers: tuple[Answer, ...] = ()
    flags: tuple[str, ...] = ()
    frames: tuple[int, int] | None = None
    sent: int | None = None


class Sent(NamedTuple):
    """What the model was given for a prompt; `n_cut` is the most tokens that did not fit."""

    text: str
    negative: str | None
    guide: str
    n_cut: int


class Strip(NamedTuple):
    """One character and anchor."""

    anchor: str
    planned: str
    sent: tuple[Sent, ...]
    tiles: tuple[Tile, ...]
    tally: Tally


class Entry(NamedTuple):
    """One character: a row of the grid and a section of the gallery."""

    character: Person
    strips: tuple[Strip, ...]
    tally: Tally

    def tally_of(self, anchor: str) -> Tally | None:
        """Give the tally of one anchor, null where there is no request for it."""
        return next((strip.tally for strip in self.strips if strip.anchor == anchor), None)


class FranchiseRow(NamedTuple):
    """All characters of one franchise; an interval only where there are several, because it counts characters."""

    name: str
    characters: tuple[Person, ...]
    tallies: tuple[Tally, ...]
    total: Tally
    interval: Interval | None


def build_entries(
    loaded: LoadedSubmission, row: BoardRow, pictures: Mapping[str, PlacedPicture | None]
) -> tuple[Entry, ...]:
    """Arrange every sample of a run by character, anchor and repeat; most often recognised characters come first."""
    people, tiles = people_of(row.characters), _tiles(loaded, pictures)
    strips: dict[str, list[Strip]] = defaultdict(list)
    for (character, anchor), found in tiles.items():
        tally = tally_of(*row.by_character.get(anchor, {}).get(character, (0, 0)), _mean_consistency(found))
        strips[character].append(_strip(anchor, found, tally))
    entries = [
        Entry(people.get(c) or unknown_person(c), _in_order(found, row.anchors), _sum_of([s.tally for s in found]))
        for c, found in strips.items()
    ]
    return tuple(sorted(entries, key=lambda entry: (-_share(entry.tally), entry.character.name)))


def build_franchises(entries: Sequence[Entry], row: BoardRow) -> tuple[FranchiseRow, ...]:
    """Add entries up by franchise, the most recognised one first."""
    by_franchise: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_franchise[entry.character.franchise].append(entry)
    rows = [_franchise_row(name, found, row.anchors) for name, found in by_franchise.items()]
    return tuple(sorted(rows, key=lambda found: (-_share(found.total), found.name)))


@lru_cache
def shipped_set(set_id: str) -> CharacterSet | None:
    """Give a set that ships, read once; null for any other."""
    return read_character_set(set_id) if set_id in list_character_sets() else None


@lru_cache
def people_of(set_id: str) -> dict[str, Person]:
    """Give the characters of a set that ships by id; none of a set that does not."""
    characters = shipped_set(set_id)
    return {} if characters is None else {c.id: _person(c) for c in characters.characters}


def unknown_person(character: str) -> Person:
    """Name a character of a set that is not here by its id."""
    return Person(character, character, UNKNOWN_FRANCHISE, "")


def tally_of(k: int, n: int, consistency: float | None = None) -> Tally:
    """Give k of n its heat."""
    return Tally(k, n, round(HEAT_LEVELS * k / n) if n else None, consistency)


def guide_of(sample: SubmittedSample) -> str:
    """Tell the guidance away from a concept, "" where there was none."""
    guide = sample.guide
    return "" if guide is None else f"{guide.method}, away from {', '.join(guide.concept)}"


def _person(character: Character) -> Person:
    return Person(character.id, character.name, character.franchise, character.key_characteristic)


def _tiles(loaded: LoadedSubmission, pictures: Mapping[str, PlacedPicture | None]) -> dict[tuple[str, str], list[Tile]]:
    names = {person.id: person.name for person in people_of(loaded.settings.spec.characters).values()}
    reasons = {judgement.key: judgement.reason for judgement in loaded.judgements}
    tiles: dict[tuple[str, str], list[Tile]] = defaultdict(list)
    for outcome, sample in zip(join_outcomes(loaded.samples, loaded.judgements).rows, loaded.samples, strict=True):
        place = (sample.character, sample.anchor)
        judgement = outcome.judgement
        if sample.status == "ok" and judgement is not None:
            tiles[place].append(_judged_tile(sample, judgement, pictures.get(sample.key), names))
        else:
            why = reasons.get(sample.key) or "no judgement of this picture"
            tiles[place].append(_other_tile(sample, pictures.get(sample.key), why))
    return {place: sorted(found, key=lambda tile: tile.sample.repeat) for place, found in tiles.items()}


def _judged_tile(
    sample: SubmittedSample, judgement: Judgement, picture: PlacedPicture | None, names: Mapping[str, str]
) -> Tile:
    detected = judgement.detected
    ending: Ending = "none" if detected is None else "target" if detected == sample.character else "other"
    return Tile(
        sample=sample,
        ending=ending,
        picture=picture,
        detail=sample.detail,
        notes=(*_rejected(sample), *_judging_notes(judgement, names)),
        seen=names.get(detected, detected) if detected is not None and ending == "other" else "",
        confidence=judgement.confidence,
        consistency=judgement.consistency,
        names=judgement.names,
        closed=judgement.closed,
        answers=judgement.answers or (),
        flags=judgement.flags or (),
        frames=_frames_of_target(sample, judgement),
    )


def _other_tile(sample: SubmittedSample, picture: PlacedPicture | None, why_unjudged: str) -> Tile:
    """Give the tile of a request without a picture, or of a picture without a verdict."""
    if sample.status == "ok":
        return Tile(sample, "unjudged", picture, why_unjudged, tuple(_rejected(sample)))
    return Tile(sample, sample.status, picture, sample.detail, tuple(_rejected(sample)))


def _rejected(sample: SubmittedSample) -> list[str]:
    if not sample.rejected:
        return []
    return [f"an output filter threw away {len(sample.rejected)} before it, seen: {', '.join(sample.rejected)}"]


def _judging_notes(judgement: Judgement, names: Mapping[str, str]) -> list[str]:
    """Tell who else is in the picture, how members of an ensemble voted, and what the screen did."""
    notes = []
    if judgement.named and len(judgement.named) > 1:
        notes.append(f"in the picture: {', '.join(names.get(c, c) for c in judgement.named)}")
    for member in judgement.members or ():
        seen = names.get(member.detected, member.detected) if member.detected else member.reason or "nobody"
        notes.append(f"{member.judge}: {seen}")
    if judgement.screening in ("out", "audited"):
        notes.append("screened out" if judgement.screening == "out" else "screened out, looked at all the same")
    return notes


def _frames_of_target(sample: SubmittedSample, judgement: Judgement) -> tuple[int, int] | None:
    if judgement.frames is None:
        return None
    return sum(seen == sample.character for seen in judgement.frames), len(judgement.frames)


def _strip(anchor: str, tiles: list[Tile], tally: Tally) -> Strip:
    sent: dict[tuple[str, str | None, str], int] = {}
    texts = []
    for tile in tiles:
        sample = tile.sample
        text = (sample.prompt_sent, sample.negative_prompt, guide_of(sample))
        texts.append(text)
        sent[text] = max(sent.get(text, 0), sample.truncated_tokens + sample.truncated_negative_tokens)
    if len(sent) > 1:
        places = {text: place for place, text in enumerate(sent, start=1)}
        tiles = [tile._replace(sent=places[text]) for tile, text in zip(tiles, texts, strict=True)]
    return Strip(
        anchor=anchor,
        planned=tiles[0].sample.prompt,
        sent=tuple(Sent(*text, n_cut) for text, n_cut in sent.items()),
        tiles=tuple(tiles),
        tally=tally,
    )


def _in_order(strips: list[Strip], anchors: Sequence[str]) -> tuple[Strip, ...]:
    return tuple(sorted(strips, key=lambda strip: anchors.index(strip.anchor)))


def _mean_consistency(tiles: Sequence[Tile]) -> float | None:
    values = [tile.consistency for tile in tiles if tile.consistency is not None]
    return fsum(values) / len(values) if values else None


def _franchise_row(name: str, entries: Sequence[Entry], anchors: Sequence[str]) -> FranchiseRow:
    totals = [entry.tally for entry in entries]
    hits, owners = [], []
    for entry in entries:
        hits += [1] * entry.tally.k + [0] * (entry.tally.n - entry.tally.k)
        owners += [entry.character.id] * entry.tally.n
    by_anchor = ([tally for entry in entries if (tally := entry.tally_of(anchor))] for anchor in anchors)
    return FranchiseRow(
        name=name,
        characters=tuple(entry.character for entry in entries),
        tallies=tuple(_sum_of(tallies) for tallies in by_anchor),
        total=_sum_of(totals),
        interval=rate_interval(hits, owners) if sum(tally.n > 0 for tally in totals) > 1 else None,
    )


def _sum_of(tallies: Sequence[Tally]) -> Tally:
    return tally_of(sum(tally.k for tally in tallies), sum(tally.n for tally in tallies))


def _share(tally: Tally) -> float:
    """Give the share for sorting; what was never answered comes last."""
    return tally.k / tally.n if tally.n else -1.0
