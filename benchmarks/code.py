"""Disguised pieces of code against a corpus: this project's fingerprints beside copydetect.

    python benchmarks/code.py [--files 60] [--pieces 60] [--seed 1]

The corpus is part of Python's standard library, which is wherever Python is. A piece is 40 lines of one of its files,
under a disguise; others are of files that are not in it. Both look for the file with the largest share of the piece,
with runs of 25 (tokens here, letters of reduced code in copydetect) and the same threshold of 0.33. Prints how many
pieces are traced to their file, how many of other files are over the threshold, and the time for each piece. A piece
that is all comment cannot be traced; and the library has files that share code for real, such as bz2 and lzma.
"""

from __future__ import annotations

import argparse
import io
import keyword
import random
import sysconfig
import tempfile
import time
import tokenize
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.fairuse.code.compare import compare_one
from copycat.fairuse.code.corpus import build_index
from copycat.fairuse.code.records import Settings

THRESHOLD, LINES = 0.33, 40


class Piece(NamedTuple):
    """Code cut out of a file."""

    file: str
    code: str


def renamed(code: str) -> str:
    """Give every identifier another name; layout goes where the tokenizer cannot follow it."""
    names: dict[str, str] = {}
    parts = []
    for word in code.split("\n"):
        try:
            for token in tokenize.generate_tokens(io.StringIO(word.strip()).readline):
                if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                    names.setdefault(token.string, f"thing_{len(names)}")
        except (tokenize.TokenError, IndentationError, SyntaxError):
            continue
    for line in code.split("\n"):
        pieces = "".join(letter if letter.isalnum() or letter == "_" else f"\0{letter}\0" for letter in line).split(
            "\0"
        )
        parts.append("".join(names.get(piece, piece) for piece in pieces))
    return "\n".join(parts)


def uncommented(code: str) -> str:
    """Take whole-line comments and empty lines out, and double the indentation."""
    lines = [line for line in code.split("\n") if line.strip() and not line.strip().startswith("#")]
    return "\n".join(" " * (len(line) - len(line.lstrip())) + line for line in lines)


DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": lambda code: code,
    "renamed": renamed,
    "other layout": uncommented,
    "both": lambda code: uncommented(renamed(code)),
}


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--files", type=int, default=60)
    options.add_argument("--pieces", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    dice = random.Random(asked.seed)
    library = Path(sysconfig.get_paths()["stdlib"])
    paths = [path for path in sorted(library.glob("*.py")) if 4_000 < path.stat().st_size < 60_000]
    dice.shuffle(paths)
    inside, outside = paths[: asked.files], paths[asked.files :]
    pieces = [cut(dice.choice(inside), dice) for _ in range(asked.pieces)]
    strangers = [cut(dice.choice(outside), dice) for _ in range(asked.pieces)]
    with tempfile.TemporaryDirectory() as folder:
        for path in inside:
            (Path(folder) / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        sides = {"copycat": ours(Path(folder)), "copydetect": theirs(Path(folder))}
        print(f"{len(inside)} files; {asked.pieces} pieces of them, {asked.pieces} of {len(outside)} other files\n")
        print(f"{'':<14}" + "".join(f"{name:>14}" for name in sides))
        seconds = dict.fromkeys(sides, 0.0)
        for name, disguise in DISGUISES.items():
            told = []
            for side, (_, trace) in sides.items():
                start = time.perf_counter()
                right = sum(trace(disguise(piece.code)) == piece.file for piece in pieces)
                seconds[side] += time.perf_counter() - start
                told.append(f"{right:>8} of {len(pieces)}")
            print(f"{name:<14}" + "".join(f"{cell:>14}" for cell in told))
        wrong = [sum(trace(piece.code) is not None for piece in strangers) for _, trace in sides.values()]
        print(f"{'other files':<14}" + "".join(f"{n:>8} of {len(strangers)}" for n in wrong))
        print(f"{'index, s':<14}" + "".join(f"{made:>14.1f}" for made, _ in sides.values()))
        n_asked = len(pieces) * len(DISGUISES)
        print(f"{'ms a piece':<14}" + "".join(f"{1000 * seconds[side] / n_asked:>14.1f}" for side in sides))


def cut(path: Path, dice: random.Random) -> Piece:
    """Take some lines out of a file."""
    lines = path.read_text(encoding="utf-8").split("\n")
    start = dice.randrange(max(1, len(lines) - LINES))
    return Piece(path.name, "\n".join(lines[start : start + LINES]))


def ours(folder: Path) -> tuple[float, Callable[[str], str | None]]:
    """Index the folder; gives seconds and how a piece is traced."""
    start = time.perf_counter()
    index = build_index(folder, Settings())

    def trace(code: str) -> str | None:
        hits = compare_one(code, "piece.py", index).hits
        return hits[0].file if hits and hits[0].share >= THRESHOLD else None

    return time.perf_counter() - start, trace


def theirs(folder: Path) -> tuple[float, Callable[[str], str | None]]:
    """Make copydetect's fingerprints of the folder."""
    import matplotlib

    matplotlib.use("Agg")
    from copydetect import CodeFingerprint, compare_files

    start = time.perf_counter()
    known: Sequence[tuple[str, Any]] = [(path.name, CodeFingerprint(str(path), 25, 6)) for path in folder.glob("*.py")]

    def trace(code: str) -> str | None:
        piece = folder / "piece.py"
        piece.write_text(code, encoding="utf-8")
        mine = CodeFingerprint(str(piece), 25, 6)
        piece.unlink()
        share, name = max((float(compare_files(mine, other)[1][0]), name) for name, other in known)
        return name if share >= THRESHOLD else None

    return time.perf_counter() - start, trace


if __name__ == "__main__":
    main()
