"""How many captions a second the corpus engine counts, beside three searches by hand over the same captions.

    python benchmarks/corpus.py [--rows 2000000] [--rounds 2] [--memory] [--cores 2]

Makes a Parquet file of captions (68 characters on average; 1 % hold a name of copycat50, every second one a keyword of
it, 2 % a letter beyond ASCII; 250,000 different ones, repeated) and the same as a text file. Each search runs in a
process of its own, on `--cores` cores, and rounds alternate; its best round counts. Prints captions per second, how
many times as fast the engine's count of names is, processor seconds, and the peak memory of the process.

The three by hand do less than the engine: polars looks for the letters of a name inside longer words, too; DuckDB and
ripgrep stop at whole words; none folds accents, lets the longest name win, minds `not_aliases`, or tells which
character it was. DuckDB (`pip install duckdb`) and ripgrep (`rg`) are left out where they are missing.
`--memory` only runs the engine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import polars as pl

from copycat.catalog import read_character_set
from copycat.corpus import count_documents, open_corpus

CHARACTERS = read_character_set("copycat50").characters
NAMES = [name for character in CHARACTERS for name in (character.name, *character.aliases)]
PHRASES = sorted({keyword for character in CHARACTERS for keyword in character.keywords})
DISTINCT, GROUP_ROWS = 250_000, 125_000


def captions(n: int, seed: int = 1) -> list[str]:
    """Make captions of words that do not exist, in frequencies like those of a language."""
    rng = random.Random(seed)
    consonants, vowels = ("st", "br", *"bdfgklmnprst"), ("ai", "on", "er", *"aeiou")
    syllables = [a + b for a in consonants for b in vowels]
    parts_of_names = {word for name in NAMES for word in name.lower().split()}
    made = ("".join(rng.choices(syllables, k=rng.choice((1, 1, 2, 2, 3)))) for _ in range(20_000))
    words = [word for word in made if word not in parts_of_names]
    weights = list(accumulate(1 / (rank + 2) for rank in range(len(words))))

    def caption() -> str:
        there = rng.choices(words, cum_weights=weights, k=rng.randint(6, 17))
        for pool, share in ((PHRASES, 0.5), (NAMES, 0.01), (["caf\u00e9"], 0.02)):
            if rng.random() < share:
                there.insert(rng.randrange(len(there)), rng.choice(pool))
        if rng.random() < 0.4:
            there[3] += ","
        return " ".join(there).capitalize()

    return [caption() for _ in range(n)]


def write(folder: Path, rows: int, with_text: bool) -> float:
    """Write `captions.parquet` and `captions.txt`; returns the mean length in characters."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = captions(min(rows, DISTINCT))
    as_text = "".join(f"{text}\n" for text in texts)
    table = pa.table({"id": range(len(texts)), "caption": texts})
    with (
        pq.ParquetWriter(folder / "captions.parquet", table.schema) as parquet,
        (folder / "captions.txt").open("w", encoding="utf-8") as plain,
    ):
        for _ in range(-(-rows // len(texts))):
            parquet.write_table(table, row_group_size=GROUP_ROWS)
            if with_text:
                plain.write(as_text)
    (folder / "names.txt").write_text("\n".join(NAMES), encoding="utf-8")
    return sum(map(len, texts)) / len(texts)


# ------------------------------------------------------------------------------------ the searches


def engine_names(folder: Path) -> int:
    """Count names."""
    return sum(count_documents(open_corpus([folder / "captions.parquet"]), CHARACTERS).names.values())


def engine_all(folder: Path) -> int:
    """Count names, phrases, and both together."""
    counts = count_documents(open_corpus([folder / "captions.parquet"]), CHARACTERS, PHRASES)
    return sum(counts.phrases.values())


def polars_by_hand(folder: Path) -> int:
    """Count captions that hold the letters of a name, in a streaming query."""
    near = pl.col("caption").str.contains_any(NAMES, ascii_case_insensitive=True)
    found = pl.scan_parquet(folder / "captions.parquet").select(near.sum()).collect(engine="streaming")
    return int(found.item())


def duckdb_by_hand(folder: Path) -> int:
    """Count captions that hold a name as whole words, in SQL."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {len(os.sched_getaffinity(0))}")
    expression = rf"(?i)\b(?:{'|'.join(map(re.escape, NAMES))})\b"
    query = "SELECT count(*) FROM read_parquet(?) WHERE regexp_matches(caption, ?)"
    return int(connection.execute(query, [str(folder / "captions.parquet"), expression]).fetchall()[0][0])


def ripgrep_by_hand(folder: Path) -> int:
    """Count lines of the text file that hold a name as whole words."""
    command = [
        "rg",
        "--count",
        "--ignore-case",
        "--word-regexp",
        "--fixed-strings",
        "--file",
        str(folder / "names.txt"),
    ]
    done = subprocess.run([*command, str(folder / "captions.txt")], check=True, capture_output=True)  # noqa: S603 - our own command
    return int(done.stdout)


SEARCHES: dict[str, tuple[str, Callable[[Path], int]]] = {
    "names": ("engine, names", engine_names),
    "all": (f"engine, names and {len(PHRASES)} phrases together", engine_all),
    "polars": ("polars contains_any, names", polars_by_hand),
    "duckdb": ("DuckDB regexp_matches, names", duckdb_by_hand),
    "rg": ("ripgrep -w -F -f, names", ripgrep_by_hand),
}


def run_here(name: str, folder: Path) -> None:
    """Run one search and print what it took."""
    start = time.perf_counter()
    found = SEARCHES[name][1](folder)
    seconds = time.perf_counter() - start
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(
        json.dumps(
            {
                "found": found,
                "seconds": seconds,
                "cpu": sum(each.ru_utime + each.ru_stime for each in usage),
                "peak_gib": max(each.ru_maxrss for each in usage) / 2**20,
            }
        )
    )


def run_apart(name: str, folder: Path, cores: int) -> dict[str, float]:
    """Run one search in a process of its own that sees so many cores."""
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, __file__, "--only", name, str(folder)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"POLARS_MAX_THREADS": str(cores)},
        preexec_fn=lambda: os.sched_setaffinity(0, chosen),
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Make the captions, run the searches, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--memory", action="store_true", help="only the engine")
    parser.add_argument("--only", nargs=2, metavar=("SEARCH", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        run_here(options.only[0], Path(options.only[1]))
        return
    missing = {"duckdb": importlib.util.find_spec("duckdb") is None, "rg": shutil.which("rg") is None}
    wanted = ["names", "all"] if options.memory else [name for name in SEARCHES if not missing.get(name)]
    for name in () if options.memory else (name for name in missing if missing[name]):
        print(f"{name} is not installed: left out")
    with tempfile.TemporaryDirectory(prefix="copycat-corpus-") as made:
        folder = Path(made)
        mean = write(folder, options.rows, with_text=not options.memory)
        load = os.getloadavg()[0]
        print(f"{options.rows:,} captions of {mean:.0f} characters, {options.cores} cores, load before: {load:.1f}")
        rounds = [{name: run_apart(name, folder, options.cores) for name in wanted} for _ in range(options.rounds)]
    best = {name: min((each[name] for each in rounds), key=lambda took: took["seconds"]) for name in wanted}
    print(f"{'':44}{'found':>10}{'captions/s':>12}{'of names':>10}{'CPU s':>8}{'peak GiB':>10}")
    for name in wanted:
        took = best[name]
        share = best["names"]["seconds"] / took["seconds"]
        rate = options.rows / took["seconds"]
        facts = f"{took['found']:>10,.0f}{rate:>12,.0f}{share:>10.2f}{took['cpu']:>8.2f}{took['peak_gib']:>10.2f}"
        print(f"{SEARCHES[name][0]:44}{facts}")


if __name__ == "__main__":
    main()
