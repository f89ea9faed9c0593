"""What the footer of a Parquet file says of its columns, read without pyarrow.

pyarrow 26 ends the process, with no exception, where a column of some damaged or hostile footers is asked for
(`metadata.row_group(n).column(n)`); reading rows of such a file raises as it should.

Source: "Apache Parquet format" 2.11 (parquet.thrift), and "Thrift compact protocol encoding".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

MAGIC = b"PAR1"
MAX_LEVELS = 32
CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4")
ENCODINGS = {0: "PLAIN", 2: "PLAIN_DICTIONARY", 3: "RLE", 4: "BIT_PACKED", 8: "RLE_DICTIONARY"}


class Chunk(NamedTuple):
    """A column in one row group: its path ("a.list.element"), how it is written, its bytes on disk and in memory."""

    path: str
    codec: str
    encodings: frozenset[str]
    compressed_size: int
    uncompressed_size: int


def read_chunks(file: Path) -> list[list[Chunk]]:
    """Give the columns of each row group, in the file's order.

    Raises:
        ValueError: the footer is damaged, or says something twice.
        OSError: the file cannot be read.
    """
    with file.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(size - 8, 0))
        end = stream.read()
        length = int.from_bytes(end[:4], "little")
        if end[4:] != MAGIC or length + 8 > size:
            raise ValueError("it has no footer of Parquet")
        stream.seek(size - 8 - length)
        footer = stream.read(length)
    try:
        groups = _Compact(footer).struct()[4]
        return [[_chunk(column[3]) for column in group[1]] for group in groups]
    except (KeyError, TypeError, AttributeError, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"its footer is damaged ({type(error).__name__}: {error})") from error


def _chunk(said: dict[int, Any]) -> Chunk:
    codec, sizes = said[4], (said[7], said[6])
    if not all(isinstance(number, int) for number in (codec, *sizes)):
        raise TypeError("a number is none")
    name = CODECS[codec] if 0 <= codec < len(CODECS) else str(codec)
    encodings = frozenset(ENCODINGS.get(each, str(each)) for each in said[2])
    return Chunk(".".join(part.decode() for part in said[3]), name, encodings, *sizes)


class _Compact:
    """Reads values of Thrift's compact protocol: structs become field -> value, lists and sets become lists."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def struct(self, level: int = 0) -> dict[int, Any]:
        """Read fields up to the end mark."""
        if level > MAX_LEVELS:
            raise ValueError(f"its footer has more than {MAX_LEVELS} levels")
        fields: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._signed()
            if field in fields:
                raise ValueError(f"its footer says field {field} twice")
            kind = head & 15
            fields[field] = kind == 1 if kind in (1, 2) else self._value(kind, level)
        return fields

    def _value(self, kind: int, level: int) -> Any:
        if kind in (4, 5, 6):
            return self._signed()
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            head = self._byte()
            inner = head & 15
            size = head >> 4 if head >> 4 < 15 else self._varint()
            return [self._value(inner, level + 1) for _ in range(size)]
        if kind == 12:
            return self.struct(level + 1)
        if kind in (1, 2, 3):  # a truth value in a list takes a byte, too
            return self._byte()
        if kind == 7:
            return self._bytes(8)
        raise ValueError(f"its footer has a value of the unknown kind {kind}")

    def _byte(self) -> int:
        self.at += 1
        return self.raw[self.at - 1]

    def _bytes(self, size: int) -> bytes:
        taken = self.raw[self.at : self.at + size]
        if len(taken) != size:
            raise IndexError("a text ends behind the end")
        self.at += size
        return taken

    def _varint(self) -> int:
        number = shift = 0
        while shift < 70:
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7
        raise ValueError("its footer has a number without end")

    def _signed(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)
