"""What each text of a batch holds: names as `copycat.names` reads them, phrases as whole folded words.

A library's search for many strings does the work on whole batches. Names that it finds near are read exactly, text
by text; phrases are sought in the folded texts, where " red hair " between spaces means these whole words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from copycat.errors import UserError
from copycat.names import Named, words

if TYPE_CHECKING:
    import polars as pl

_BETWEEN = r"[\x00-/:-@\[-`{-\x7f]"
"""What folding makes a space of in an ASCII text: all but letters and digits."""

_FOLDED = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)) + bytes(range(128, 256))
"""Byte -> byte of the folded ASCII text; those of other characters stay."""

MOST_IN_EXPRESSION = 1_000
"""Words of all names up to which one regular expression is the fastest search; twice as many take ten times as long."""


class Who(NamedTuple):
    """What counting needs of a character; goes to other processes."""

    id: str
    name: str
    aliases: tuple[str, ...]
    not_aliases: tuple[str, ...]


def who_of(characters: Iterable[Named]) -> tuple[Who, ...]:
    """Take of characters what counting needs."""
    return tuple(Who(each.id, each.name, tuple(each.aliases), tuple(each.not_aliases)) for each in characters)


class NameSieve:
    """Leaves out the texts that name nobody.

    In an ASCII text a name stands as it is but for case, with characters that are no letters and no digits around and
    between its words. Any other text is always left in. Very many names are sought in the folded texts instead.
    """

    def __init__(self, characters: Sequence[Named]) -> None:
        spelt = [words(alias) for character in characters for alias in (character.name, *character.aliases)]
        names = sorted({tuple(name) for name in spelt if name})
        plain = [f"{_BETWEEN}+".join(name) for name in names if "".join(name).isascii()]
        self.expression = f"(?i-u:(?:^|{_BETWEEN})(?:{'|'.join(plain)})(?:{_BETWEEN}|$))" if plain else None
        self.folded = [f" {' '.join(name)} " for name in names]
        self.are_many = sum(map(len, names)) > MOST_IN_EXPRESSION

    def keep(self, texts: pl.Series) -> pl.Series:
        """Give the places of the texts that must be read."""
        if self.are_many:
            return fold_texts(texts).str.contains_any(self.folded).arg_true()
        near = ~is_ascii(texts)
        if self.expression is not None:
            near |= texts.str.contains(self.expression)
        return near.arg_true()


class PhraseFinder:
    """Finds whole words and runs of words in folded texts; phrases may overlap, and each that is there counts.

    Raises:
        UserError: a phrase holds no letter or digit.
    """

    def __init__(self, phrases: Collection[str]) -> None:
        self.spellings: dict[str, list[str]] = {}
        for phrase in phrases:
            if not (key := words(phrase)):
                raise UserError(f"phrase '{phrase}' holds no letter or digit\n  needed: words to count; leave it out")
            self.spellings.setdefault(f" {' '.join(key)} ", []).append(phrase)

    def find(self, folded: pl.Series) -> pl.Series:
        """Give, of each folded text, the list of the keys of `spellings` that it holds, each once."""
        return folded.str.extract_many(list(self.spellings), overlapping=True).list.unique()


def is_ascii(texts: pl.Series) -> pl.Series:
    """Say of each text whether it is ASCII."""
    return texts.str.len_bytes() == texts.str.len_chars()


def fold_texts(texts: pl.Series) -> pl.Series:
    """Give the folded words of each text with one space before, between and after them; as `words` gives them."""
    import polars as pl

    other = (~is_ascii(texts)).arg_true()
    folded = _translated(texts)
    if len(other):
        folded = folded.scatter(other, [" ".join(words(text)) for text in texts.gather(other)])
    padded = pl.select(pl.lit(" ") + folded + pl.lit(" ")).to_series()
    return padded.str.replace_all("  +", " ")


def _translated(texts: pl.Series) -> pl.Series:
    """Fold the bytes of all texts at once, where they lie one after the other; right for those in ASCII."""
    import polars as pl
    import pyarrow as pa

    stored = texts.to_arrow().cast(pa.large_string())
    _, offsets, data = stored.buffers()
    if data is None:
        return texts
    moved = pa.LargeStringArray.from_buffers(
        len(stored), offsets, pa.py_buffer(data.to_pybytes().translate(_FOLDED)), offset=stored.offset
    )
    return pl.Series(values=moved)
