"""What the commands of the wing share: how names and text stand in a terminal, and what may be a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

GAP = "..."


def one_line(text: str, letters: int | None = None) -> str:
    """Give text without control characters, white space as one space, and cut to so many letters.

    An output may hold sequences that clear a terminal or write elsewhere in it.
    """
    head = text if letters is None else text[: 4 * letters + 80]
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in head).split())
    return plain if letters is None or len(plain) <= letters else plain[:letters] + GAP


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Give each path the fewest of its last parts that tell it from all others: mostly the name of the file."""
    short = {}
    for path in dict.fromkeys(paths):
        parts = path.split("/")
        ends = ("/".join(parts[-n:]) for n in range(1, len(parts)))
        others = [other for other in set(paths) if other != path]
        short[path] = one_line(
            next((end for end in ends if not any(f"/{other}".endswith(f"/{end}") for other in others)), path)
        )
    return short


def short_path(path: str, letters: int) -> str:
    """Leave folders in the middle out where a path is longer than so many letters; its first and last part stay."""
    plain = one_line(path)
    first, *rest = plain.split("/")
    if len(plain) <= letters or len(rest) < 2:
        return plain
    for dropped in range(1, len(rest)):
        shorter = "/".join((first, GAP, *rest[dropped:]))
        if len(shorter) <= letters:
            return shorter
    return "/".join((first, GAP, rest[-1]))


def gate_line(most: int, longest: Sequence[int], unit: str) -> str:
    """Say whether a limit on the longest span was held, in the words of `extract`.

    Args:
        longest: span of each output.
    """
    beyond = [span for span in longest if span > most]
    if not beyond:
        return f"gate (longest {most:,}): held"
    outputs = "1 output" if len(beyond) == 1 else f"{len(beyond):,} outputs"
    return f"gate (longest {most:,}): {outputs} beyond; the longest span has {max(beyond):,} {unit}"


def require_page(option: str, page: Path | None) -> None:
    """Refuse what cannot be the name of a page before anything is compared.

    Raises:
        UserError: it is a folder, has another ending, or lies where nothing can be written.
    """
    from copycat.commands.outputs import require_output
    from copycat.errors import UserError

    if page is not None and page.suffix not in {".html", ".htm"}:
        raise UserError(f"{option} {page} is no name of a page\n  needed: a name that ends in .html, in a folder")
    require_output(option, page)
