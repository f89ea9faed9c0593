"""What somebody gives -> a Query, or why it is too broad to be answered."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from copycat.errors import UserError
from copycat.names import fold, words
from copycat.paths import shown
from copycat.provenance.lookup.domains import domain_spellings
from copycat.provenance.lookup.records import Kind, Query

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_NAME_LETTERS, MIN_UNSPACED_LETTERS = 3, 2
MIN_TEXT_WORDS, MIN_TEXT_LETTERS = 5, 20
MAX_TEXT_LETTERS = 200_000
MAX_PICTURE_BYTES, MAX_PIXELS = 256 << 20, 200_000_000
DEFAULT_DISTANCE, MAX_DISTANCE = 6, 12
"""Of 64 bits. Two pictures that have nothing to do with each other differ in about 32, and hardly ever in 12 or fewer;
a smaller copy, another format or a little less colour seldom changes more than 6."""
MIN_SHADES = 2.0
"""Standard deviation of grey, of 255, below which the hash of a picture is that of noise."""

COMMON_NAMES = frozenset({
    "a", "admin", "an", "and", "anon", "anonymous", "artist", "author", "by", "copyright", "creator", "editor", "from",
    "getty", "image", "images", "me", "myself", "n", "none", "null", "of", "or", "photo", "photographer", "reserved",
    "shutterstock", "staff", "stock", "the", "unknown", "us", "user", "various", "we", "you",
})  # fmt: skip
"""Words that are no name of anybody; a name of these alone is refused."""

_UNSPACED = re.compile("[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")


def make_query(kind: Kind, given: str, max_distance: int = DEFAULT_DISTANCE) -> Query:
    """Make a query of what somebody gives.

    Args:
        given: a name, a domain, words of a text, an id, or the path of a picture.
        max_distance: of a picture, the bits of 64 in which it may differ.

    Raises:
        UserError: it is empty, cannot be read, or so broad that the answer would say nothing about anybody.
    """
    if not given.strip():
        raise UserError(f"--{kind} is empty\n  needed: {_NEEDED[kind]}")
    if kind == "domain":
        return Query(kind=kind, asked=_one_line(given), hosts=domain_spellings(given))
    if kind == "name":
        return Query(kind=kind, asked=_one_line(given), words=_name_words(given))
    if kind == "text":
        return Query(kind=kind, asked=_one_line(given), words=_text_words(given))
    if kind == "picture":
        return _picture_query(Path(given), max_distance)
    return Query(kind=kind, asked=_one_line(given))


_NEEDED = {
    "name": "a name, such as 'Zoravi'",
    "domain": "a domain, such as example.org",
    "picture": "a file of a picture",
    "text": f"at least {MIN_TEXT_WORDS} words in a row",
    "id": "the id of a record",
}


def _name_words(given: str) -> tuple[str, ...]:
    name = tuple(words(given))
    letters = sum(map(len, name))
    least = MIN_UNSPACED_LETTERS if _UNSPACED.search(fold(given)) else MIN_NAME_LETTERS
    if letters < least or not any(letter.isalpha() for word in name for letter in word):
        raise UserError(f"the name '{given}' is too broad: it has {_told(letters, 'letter')}\n  needed: a whole name")
    if all(word in COMMON_NAMES for word in name):
        raise UserError(f"the name '{given}' is too broad: nobody is called so\n  needed: a whole name")
    return name


def _text_words(given: str) -> tuple[str, ...]:
    if len(given) > MAX_TEXT_LETTERS:
        raise UserError(
            f"the text has {len(given):,} letters; at most {MAX_TEXT_LETTERS:,} are looked for\n  needed: a part of it"
        )
    found = tuple(words(given))
    letters = sum(map(len, found))
    if len(found) < MIN_TEXT_WORDS or (letters < MIN_TEXT_LETTERS and not _UNSPACED.search(given)):
        raise UserError(
            f"the text is too broad: it has {_told(len(found), 'word')} with {_told(letters, 'letter')}\n"
            f"  needed: at least {MIN_TEXT_WORDS} words in a row with {MIN_TEXT_LETTERS} letters, better twenty words"
        )
    return found


def _told(n: int, what: str) -> str:
    return f"1 {what}" if n == 1 else f"{n} {what}s"


def _picture_query(path: Path, max_distance: int) -> Query:
    if not 0 <= max_distance <= MAX_DISTANCE:
        raise UserError(
            f"--distance {max_distance} is not in 0 to {MAX_DISTANCE}\n"
            "  needed: few bits of 64; beyond that, pictures that have nothing in common are found"
        )
    if path.exists() and not path.is_file():  # a folder; a device or a pipe may never end
        raise UserError(f"{shown(path)} is no file\n  needed: a file of a picture")
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_PICTURE_BYTES else b""
    except OSError as error:
        raise UserError(f"{shown(path)} cannot be read: {error.strerror}\n  needed: a file of a picture") from error
    query = picture_query(content, path.name, max_distance)
    if query is None:
        raise UserError(f"{shown(path)} is no picture that can be read\n  needed: a PNG, JPEG, WebP or GIF file")
    return query


def picture_query(content: bytes, name: str, max_distance: int = DEFAULT_DISTANCE) -> Query | None:
    """Make a query of a picture's bytes; None where they are no picture that can be read."""
    hashes = hashes_of(content)
    if hashes is None:
        return None
    return Query(
        kind="picture",
        asked=_one_line(name) or "picture",
        sha256=hashlib.sha256(content).hexdigest(),
        phashes=hashes,
        max_distance=max_distance,
    )


def hashes_of(content: bytes, *, mirrored: bool = True) -> tuple[str, ...] | None:
    """Give the perceptual hash of a picture's bytes, and of its mirror image: 16 hexadecimal digits each.

    Returns:
        () for a picture of hardly more than one shade, whose hash is noise; None for what is no picture.
    """
    import io
    import warnings

    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    return None
                opened.draft("RGB", (256, 256))  # of a JPEG, decode only what the hash needs
                picture = opened.convert("RGB")
    except Exception:  # noqa: BLE001 - decoders raise anything on broken files
        return None
    if _is_plain(picture):
        return ()
    from copycat.measures.near_copy import perceptual_hash

    views = (picture, ImageOps.mirror(picture)) if mirrored else (picture,)
    return tuple(dict.fromkeys(f"{perceptual_hash(view):016x}" for view in views))


def _is_plain(picture: Image) -> bool:
    from PIL import ImageStat

    return ImageStat.Stat(picture.convert("L")).stddev[0] < MIN_SHADES


def _one_line(text: str, letters: int = 300) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * letters]).split())
    return plain if len(plain) <= letters else f"{plain[: letters - 1]}…"
