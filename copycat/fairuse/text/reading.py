"""Reading a text file that a user brings, or saying what is wrong with it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

from copycat.errors import UserError
from copycat.paths import shown

MAX_TEXT_BYTES = 64 * 2**20
"""No single work is as long: it is 60 times the Bible's length, and a text this long would be a corpus."""

BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

STANDARD_INPUT = Path("-")


def read_text(path: Path, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Read a text in UTF-8, or in UTF-16 with a byte order mark; '-' is what is piped in.

    Raises:
        UserError: there is no such file, it is too long, is no text, or has another encoding.
    """
    name = "standard input" if path == STANDARD_INPUT else shown(path)
    content = _read_bytes(path, name, max_bytes)
    encoding = next((BOMS[mark] for mark in BOMS if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in content[:65_536]:
        raise UserError(f"{name} is no text: it has zero bytes\n  bring it as plain text (.txt) in UTF-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise UserError(f"{name} begins as UTF-16 and is not\n  bring it as plain text (.txt) in UTF-8") from error
        raise UserError(
            f"{name} is not in UTF-8: there is a byte {content[error.start]:#04x} at place {error.start}\n"
            f"  convert it, such as: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > converted.txt"
        ) from error


def _read_bytes(path: Path, name: str, max_bytes: int) -> bytes:
    if path.is_dir():
        raise UserError(f"{name} is a folder\n  name a text file")
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {name}\n  name a text file in UTF-8") from error
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}\n  name a text file that can be read") from error
    if len(content) > max_bytes:
        raise UserError(
            f"{name} has more than {max_bytes:,} bytes, which is the most for one text\n"
            "  split it into works, one file each, and put them into a folder"
        )
    return content
