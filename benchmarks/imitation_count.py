"""How long it takes to count 400 concepts with aliases in ten million captions, on two cores.

    python benchmarks/imitation_count.py [--rows 10000000] [--concepts 400] [--cores 2] [--pictures] [--keep FOLDER]

Makes a Parquet file of captions (68 characters on average; 250,000 different ones, repeated; 1 % name a concept, 2 %
hold a letter beyond ASCII) and concepts of invented names with two aliases each. With `--pictures` each row has columns
sha256, phash and url too. `--keep` makes the corpus in a folder once and takes it from there the next time. Making it
is not in the timing; the count runs in a process of its own that sees `--cores` cores. Prints seconds, processor
seconds, captions per second, and the peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path

from copycat.corpus import open_corpus
from copycat.imitation.concepts import load_concepts
from copycat.imitation.count.counting import count_concepts

DISTINCT, GROUP_ROWS = 250_000, 125_000


def made_words(rng: random.Random, n: int) -> list[str]:
    """Make words that do not exist."""
    consonants, vowels = ("st", "br", *"bdfgklmnprst"), ("ai", "on", "er", *"aeiou")
    syllables = [a + b for a in consonants for b in vowels]
    return ["".join(rng.choices(syllables, k=rng.choice((2, 2, 3)))) for _ in range(n)]


def write(folder: Path, rows: int, n_concepts: int, with_pictures: bool) -> None:
    """Write `captions.parquet` and `concepts.jsonl`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = random.Random(1)
    first, last, title = (made_words(rng, n_concepts) for _ in range(3))
    concepts = [
        {"id": f"c-{n}", "name": f"{a} {b}".title(), "aliases": [f"{a} the {c}".title(), f"{c} {b}".title()]}
        for n, (a, b, c) in enumerate(zip(first, last, title, strict=True))
    ]
    (folder / "concepts.jsonl").write_text("".join(json.dumps(each) + "\n" for each in concepts), encoding="utf-8")
    names = [name for each in concepts for name in (each["name"], *each["aliases"])]
    common = made_words(rng, 20_000)
    weights = list(accumulate(1 / (rank + 2) for rank in range(len(common))))

    def caption() -> str:
        there = rng.choices(common, cum_weights=weights, k=rng.randint(5, 14))
        for pool, share in ((names, 0.01), (["caf\u00e9"], 0.02)):
            if rng.random() < share:
                there.insert(rng.randrange(len(there)), str(rng.choice(pool)))
        return " ".join(there).capitalize()

    texts = pa.array([caption() for _ in range(min(rows, DISTINCT))])
    numbers = np.random.default_rng(1)
    fields = {"caption": pa.string()}
    if with_pictures:
        fields |= {"sha256": pa.string(), "phash": pa.uint64(), "url": pa.string()}
    with pq.ParquetWriter(folder / "captions.parquet", pa.schema(fields)) as parquet:
        for part in range(-(-rows // len(texts))):
            columns = {"caption": texts}
            if with_pictures:
                looks = numbers.integers(0, 2**63, len(texts), dtype=np.uint64)
                columns["sha256"] = pa.array([f"{number:064x}" for number in looks.tolist()])
                columns["phash"] = pa.array(looks)
                columns["url"] = pa.array([f"http://pictures.test/{part}/{row}.jpg" for row in range(len(texts))])
            parquet.write_table(pa.table(columns), row_group_size=GROUP_ROWS)


def run_here(folder: Path) -> None:
    """Count, and print what it took."""
    start = time.perf_counter()
    corpus = open_corpus([folder / "captions.parquet"])
    counted = count_concepts(corpus, load_concepts(folder / "concepts.jsonl"))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "rows": counted.found.counts.corpus.rows,
                "named": sum(each.raw or 0 for each in counted.counts),
                "use": counted.use,
                "seconds": time.perf_counter() - start,
                "cpu": usage.ru_utime + usage.ru_stime,
                "peak_gib": usage.ru_maxrss / 2**20,
            }
        )
    )


def main() -> None:
    """Make the captions, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--concepts", type=int, default=400)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--pictures", action="store_true", help="with columns sha256, phash and url")
    parser.add_argument("--keep", type=Path, help="a folder for the corpus, made where it is not there")
    parser.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        run_here(options.only)
        return
    with tempfile.TemporaryDirectory(prefix="copycat-count-") as made:
        folder = options.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "captions.parquet").is_file():
            write(folder, options.rows, options.concepts, options.pictures)
        chosen = sorted(os.sched_getaffinity(0))[: options.cores]
        load = os.getloadavg()[0]
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, __file__, "--only", str(folder)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"POLARS_MAX_THREADS": str(options.cores)},
            preexec_fn=lambda: os.sched_setaffinity(0, chosen),
        )
    took = json.loads(done.stdout.splitlines()[-1])
    print(f"{took['rows']:,} captions, {options.concepts} concepts, {options.cores} cores, load before: {load:.1f}")
    print(f"{took['named']:,} captions name a concept; count used: {took['use']}")
    rate = took["rows"] / took["seconds"]
    print(f"{took['seconds']:.1f} s, {took['cpu']:.1f} CPU s, {rate:,.0f} captions/s, peak {took['peak_gib']:.2f} GiB")


if __name__ == "__main__":
    main()
