"""The ladder: from the same bytes to a picture that is near to a reference, each rung by itself.

    bytes       the same file (sha256)
    pixels      the same pixels, whatever the file
    phash       64 bits of a picture's low frequencies (ImageHash), as it is or mirrored
    dhash       64 bits of which neighbour is brighter, as it is or mirrored
    descriptor  cosine of an encoder's vectors, as it is or mirrored

The upper three need a threshold. It is the loosest at which at most the stated share of pairs of unrelated pictures
passes, and so means something only where there are enough such pairs: to show a rate of 1 in 1,000 takes 1,000 of them.
To be near is not to be a copy: another picture of the same subject may be, too. Related pairs tell how often.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import ceil, floor
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps
from PIL.Image import Image

from copycat.errors import DataError, UserError, first_faults
from copycat.models.decode import UndecodableError
from copycat.paths import file_sha256, shown

Rung = Literal["bytes", "pixels", "phash", "dhash", "descriptor"]
RUNGS: tuple[Rung, ...] = ("bytes", "pixels", "phash", "dhash", "descriptor")
EXACT: tuple[Rung, ...] = ("bytes", "pixels")

DEFAULT_RATE = 0.001
MAX_UNRELATED = 2_000
"""Of more pictures than that, so many are drawn at random to make pairs of: two million pairs at most."""

BATCH = 256
"""Pictures that are in memory at a time."""

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[Image]], Vectors]
"""Pictures -> (N, D) float32, each row of length 1."""


class Seen(NamedTuple):
    """What the ladder compares of one picture; hashes as it is, then mirrored."""

    sha256: str
    pixels: str
    phash: tuple[int, int]
    dhash: tuple[int, int]


class Threshold(NamedTuple):
    """Where a rung begins to count, and what that is worth.

    Attributes:
        limit: the most bits that may differ, or the cosine that must be exceeded; None where no limit keeps the rate.
        pairs, passed: pairs of unrelated pictures, and how many of them pass.
        at_most: the 95 % upper bound of the rate, as if pairs were independent (Clopper-Pearson; of none passed, the
            rule of three). They share pictures, so the true bound is wider.
        pictures, touched: unrelated pictures, and how many of them pass against any reference that is not related.
    """

    rung: Rung
    limit: float | None
    pairs: int
    passed: int
    at_most: float
    pictures: int
    touched: int

    def passes(self, value: float) -> bool:
        """Whether a distance in bits, or a cosine, counts as near."""
        return self.limit is not None and (value > self.limit if self.rung == "descriptor" else value <= self.limit)


class Related(NamedTuple):
    """Pairs of different pictures of one subfolder of the references, and how many of them count as near."""

    pairs: int
    passed: int


class Nearest(NamedTuple):
    """The nearest reference on one rung: its number, the distance in bits or the cosine, and if it counts."""

    reference: int
    value: float
    is_mirrored: bool
    is_near: bool


@dataclass(frozen=True)
class Gallery:
    """Pictures of a folder. Those of one subfolder are related to each other; all others are not.

    Attributes:
        names: paths inside the folder; groups: the subfolder right below it, or the name of a picture beside these.
    """

    folder: Path
    names: tuple[str, ...]
    groups: tuple[str, ...]
    seen: tuple[Seen, ...]

    def read(self, places: Sequence[int]) -> list[Image]:
        """Read some of the pictures again: a folder may hold more than memory does."""
        from copycat.judges.references import read_picture

        return [read_picture(self.folder / self.names[i]).convert("RGB") for i in places]

    @cached_property
    def sha256(self) -> str:
        """The hash of all names and files."""
        lines = (f"{name}\n{seen.sha256}\n" for name, seen in zip(self.names, self.seen, strict=True))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


class Ladder:
    """References with their hashes, vectors and thresholds; each is made when it is first asked for.

    Args:
        unrelated: pictures that show none of the references, to calibrate with; None for the pairs of references
            from different subfolders.
        embed: of the encoder of the descriptor; None leaves this rung out.
        rate: the share of unrelated pairs that may pass.

    Raises:
        UserError: the rate is no share.
    """

    def __init__(self, references: Gallery, unrelated: Gallery | None, embed: Embed | None, rate: float) -> None:
        if not 0 < rate < 1:
            raise UserError(f"{rate:g} is no rate\n  needed: a number between 0 and 1, such as {DEFAULT_RATE}")
        self.references, self.unrelated, self.embed, self.rate = references, unrelated, embed, rate
        self._thresholds: dict[Rung, Threshold] = {}
        self._own_values: dict[Rung, NDArray[Any]] = {}

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs that there are."""
        return RUNGS if self.embed is not None else RUNGS[:-1]

    def threshold(self, rung: Rung) -> Threshold:
        """Give the threshold of a rung that has one.

        Raises:
            UserError: there are too few pairs to show the rate.
        """
        if rung not in self._thresholds:
            self._thresholds[rung] = self._calibrate(rung)
        return self._thresholds[rung]

    def related(self, rung: Rung) -> Related:
        """Count related pairs on a rung that has a threshold: where many pass, it tells the subject, not the copy."""
        places = _drawn(self.references)
        groups, pixels = np.array([(self.references.groups[i], self.references.seen[i].pixels) for i in places]).T
        is_pair = np.triu((groups[:, None] == groups) & (pixels[:, None] != pixels), 1)
        if not is_pair.any():
            return Related(0, 0)
        passes = self.threshold(rung).passes
        return Related(int(is_pair.sum()), sum(map(passes, self._among_references(rung, places)[is_pair].tolist())))

    def nearest(self, rung: Rung, seen: Sequence[Seen], pictures: Sequence[Image]) -> list[Nearest | None]:
        """Find the nearest reference of each picture; None where an exact rung has none.

        Args:
            seen: of the same pictures.
        """
        if rung in EXACT:
            return [self._exact(rung, one) for one in seen]
        threshold = self.threshold(rung)
        found = []
        for as_is, mirrored in zip(*self._values(rung, seen, lambda: pictures), strict=True):
            both = np.stack([as_is, mirrored])
            place = int(both.argmax() if rung == "descriptor" else both.argmin())
            side, reference = divmod(place, both.shape[1])
            value = float(both[side, reference])
            found.append(Nearest(reference, value, bool(side), threshold.passes(value)))
        return [*found]

    # ------------------------------------------------------------------------------ private

    def _exact(self, rung: Rung, seen: Seen) -> Nearest | None:
        place = self._by_hash[rung].get(seen.sha256 if rung == "bytes" else seen.pixels)
        return None if place is None else Nearest(place, 0.0, False, True)

    @cached_property
    def _by_hash(self) -> dict[Rung, dict[str, int]]:
        seen = list(enumerate(self.references.seen))[::-1]
        return {"bytes": {one.sha256: i for i, one in seen}, "pixels": {one.pixels: i for i, one in seen}}

    @cached_property
    def _vectors(self) -> Vectors:
        return np.concatenate([self._embedded(self.references.read(part)) for part in _parts(self.references)])

    def _embedded(self, pictures: Sequence[Image]) -> Vectors:
        if self.embed is None:
            raise UserError("there is no encoder for the descriptor\n  name one: --encoder NAME")
        return self.embed(pictures)

    def _values(
        self, rung: Rung, seen: Sequence[Seen], read: Callable[[], Sequence[Image]]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Compare pictures, as they are and mirrored, with all references: two arrays (N, R), bits or cosines."""
        if rung == "descriptor":
            pictures = read()
            as_is = self._embedded(pictures) @ self._vectors.T
            return as_is, self._embedded([ImageOps.mirror(picture) for picture in pictures]) @ self._vectors.T
        of_references = np.array([getattr(one, rung)[0] for one in self.references.seen], np.uint64)
        own = np.array([getattr(one, rung) for one in seen], np.uint64).reshape(-1, 2)
        sides = [np.bitwise_count(own[:, side, None] ^ of_references) for side in (0, 1)]
        return sides[0], sides[1]

    def _calibrate(self, rung: Rung) -> Threshold:
        """Compare unrelated pictures with the references: those given, or the references with each other."""
        gallery = self.unrelated or self.references
        places = _drawn(gallery)
        is_pair = self._unrelated_pairs(gallery, places)
        require_pairs(int(is_pair.sum()) // (1 if self.unrelated else 2), self.rate, rung)
        if self.unrelated is not None:
            return threshold_of(rung, self._closest(rung, gallery, places), is_pair, is_pair, self.rate)
        values, is_pair = self._among_references(rung, places), is_pair[:, places]
        return threshold_of(rung, values, is_pair, np.triu(is_pair, 1), self.rate)

    def _closest(self, rung: Rung, gallery: Gallery, places: NDArray[np.int64]) -> NDArray[Any]:
        """Compare pictures with all references, on the side on which each is closer: (N, R), bits or cosines."""
        parts = []
        for start in range(0, len(places), BATCH):
            some = places[start : start + BATCH].tolist()
            sides = self._values(rung, [gallery.seen[i] for i in some], partial(gallery.read, some))
            parts.append(_closer(rung)(*sides))
        return np.concatenate(parts)

    def _among_references(self, rung: Rung, places: NDArray[np.int64]) -> NDArray[Any]:
        """Compare references with each other, in the order of the two in which they are closer: (N, N)."""
        if rung not in self._own_values:
            values = self._closest(rung, self.references, places)[:, places]
            self._own_values[rung] = _closer(rung)(values, values.T)
        return self._own_values[rung]

    def _unrelated_pairs(self, gallery: Gallery, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Mark pairs of a picture and a reference from different groups; the same pixels are no pair.

        A picture that stands in two groups is related to both, and so are its copies there.
        """
        pixels = np.array([one.pixels for one in self.references.seen])
        if self.unrelated is not None:
            return np.asarray(np.array([gallery.seen[i].pixels for i in places])[:, None] != pixels)
        groups = np.array(self.references.groups)
        is_pair = np.asarray(groups[places][:, None] != groups)
        for twins in _twins_of(pixels, groups):
            # Whoever stands in a group of theirs, and the copies of that picture elsewhere.
            related = np.isin(pixels, pixels[np.isin(groups, groups[twins])])
            is_twin = np.isin(np.arange(len(pixels)), twins)
            is_pair[np.ix_(is_twin[places], related)] = False
            is_pair[np.ix_(related[places], is_twin)] = False
        return is_pair


def _twins_of(pixels: NDArray[np.str_], groups: NDArray[np.str_]) -> Iterator[NDArray[np.int64]]:
    """Give the places of pictures with the same pixels that stand in more than one group."""
    order = np.argsort(pixels, kind="stable")
    bounds = np.flatnonzero(pixels[order][1:] != pixels[order][:-1]) + 1
    for same in np.split(order, bounds):
        if len(same) > 1 and len(np.unique(groups[same])) > 1:
            yield same


def _drawn(gallery: Gallery) -> NDArray[np.int64]:
    """Give the places of all pictures, or of MAX_UNRELATED of them, always the same."""
    n = len(gallery.names)
    return np.arange(n) if n <= MAX_UNRELATED else np.sort(np.random.default_rng(0).choice(n, MAX_UNRELATED, False))


def _closer(rung: Rung) -> np.ufunc:
    return np.maximum if rung == "descriptor" else np.minimum


def _parts(gallery: Gallery) -> Iterator[list[int]]:
    for start in range(0, len(gallery.names), BATCH):
        yield list(range(start, min(start + BATCH, len(gallery.names))))


def see(picture: Image, sha256: str) -> Seen:
    """Hash one picture, whose file has this sha256."""
    import imagehash

    mirrored = ImageOps.mirror(picture)
    pixels = hashlib.sha256(f"{picture.width}x{picture.height}\n".encode() + picture.convert("RGB").tobytes())
    return Seen(
        sha256,
        pixels.hexdigest(),
        (int(str(imagehash.phash(picture)), 16), int(str(imagehash.phash(mirrored)), 16)),
        (int(str(imagehash.dhash(picture)), 16), int(str(imagehash.dhash(mirrored)), 16)),
    )


def threshold_of(
    rung: Rung, values: NDArray[Any], is_pair: NDArray[np.bool_], is_counted: NDArray[np.bool_], rate: float
) -> Threshold:
    """Find the loosest limit at which at most a share of `rate` of the pairs passes.

    Shapes:
        values: (N, R), bits or cosines.
        is_pair: (N, R), which of them are of unrelated pictures.
        is_counted: (N, R), those of them that make each pair count once.
    """
    is_cosine = rung == "descriptor"
    found = np.sort(values[is_counted].astype(np.float64))
    closest = found[::-1] if is_cosine else found
    edge = float(closest[floor(rate * len(found))])  # of the first pair that must not pass
    limit = edge if is_cosine else edge - 1
    is_passed = is_pair & (values > limit if is_cosine else values.astype(np.int64) <= limit)
    passed = int((is_passed & is_counted).sum())
    return Threshold(
        rung=rung,
        limit=limit if is_cosine or limit >= 0 else None,
        pairs=len(found),
        passed=passed,
        at_most=upper_bound(passed, len(found)),
        pictures=int(is_pair.any(axis=1).sum()),
        touched=int(is_passed.any(axis=1).sum()),
    )


def upper_bound(passed: int, pairs: int) -> float:
    """Bound a rate from above at 95 % (Clopper and Pearson 1934); of 0 in n it is about 3 / n."""
    from scipy.stats import beta  # type: ignore[import-untyped]

    return 1.0 if passed >= pairs else float(beta.ppf(0.95, passed + 1, pairs - passed))


def require_pairs(pairs: int, rate: float, rung: str) -> None:
    """Refuse a rate that so many pairs cannot show.

    Raises:
        UserError: there are fewer than 1 / rate of them.
    """
    needed = ceil(1 / rate - 1e-9)
    if pairs < needed:
        possible = ceil(1000 / pairs) / 1000 if pairs > 1 else 1.0
        state = f"\n  or state a rate that they can show: --fpr {possible:g}, or --metrics ladder:{possible:g}"
        raise UserError(
            f"{pairs:,} pairs of unrelated pictures cannot show a false-positive rate of {rate:g} ({rung})\n"
            f"  needed: {needed:,} or more; references of one subfolder are related, all others are not\n"
            "  give copycat.fairuse image pictures that show none of them: --calibration FOLDER; or more references"
            f"{state if possible < 1 else ''}"
        )


def read_gallery(folder: Path, owner: str) -> Gallery:
    """Read every picture below a folder; hidden files and those with other endings are passed over.

    Args:
        owner: who compares with them, as error texts say it.

    Raises:
        UserError: there is no such folder, or no picture in it.
        DataError: files that are no whole pictures, the first of them at once.
    """
    from copycat.judges.references import read_picture

    if not folder.is_dir():
        raise UserError(f"{owner}: there is no folder {shown(folder)}\n  needed: a folder of pictures")
    names: list[str] = []
    seen: list[Seen] = []
    faults: list[str] = []
    for path in picture_files(folder):
        try:
            picture = read_picture(path).convert("RGB")
        except UndecodableError as error:
            faults.append(f"{shown(path)}: {error}")
            continue
        names.append(path.relative_to(folder).as_posix())
        seen.append(see(picture, file_sha256(path)))
    if faults:
        raise DataError(first_faults(faults), "  remove them, or replace them")
    if not names:
        raise UserError(f"{owner}: {shown(folder)} holds no picture ({', '.join(PICTURE_SUFFIXES)})")
    return Gallery(folder, tuple(names), tuple(name.partition("/")[0] for name in names), tuple(seen))


def picture_files(folder: Path) -> list[Path]:
    """Give the files below a folder that are pictures by their endings, in order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURE_SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
