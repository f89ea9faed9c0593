"""Which work a span comes from: the suffix array of this project beside an index of infini-gram.

    python benchmarks/attribution.py [--megabytes 8] [--spans 50]

The library is the works that ship and invented ones, whose words are drawn from one list of 20,000. A span of a work
stands between invented text, as it is or in a disguise; right is the answer whose first work is the one that it was
taken from, alone. Prints how many are right, the time for each span and for making the index, its size, and memory.
infini-gram compares letters as they are, so that a disguise hides a span from it: it needs the extra `index`.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from copycat.fairuse.attribution.index import build_index, load_index, save_index
from copycat.fairuse.attribution.records import Attribution
from copycat.fairuse.attribution.search import attribute
from copycat.fairuse.works import LoadedWork, load_works
from copycat.fairuse.works.loading import work_of_text

LENGTHS = (10, 15, 30, 60)
DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "leet": lambda text: text.translate(str.maketrans("aeo", "430")),
    "spaced": lambda text: "   ".join(" ".join(word) for word in text.split()),
}

Ask = Callable[[str], Attribution]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=float, default=8)
    options.add_argument("--spans", type=int, default=50)
    asked = options.parse_args()
    dice = random.Random(1)
    words = ["".join(dice.choices("abdefgiklmnoprstuvz", k=dice.randint(2, 9))) for _ in range(20_000)]
    works = library(asked.megabytes, words, dice)
    print(f"{len(works)} works, {sum(len(work.readable) for work in works) / 1e6:.1f} MB of text\n")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("suffix array", suffix_array), ("infini-gram", infini_gram)):
            start = time.perf_counter()
            try:
                ask = make(works, Path(folder) / name.replace(" ", "-"))
            except ImportError as error:
                print(f"{name}: not measured ({error})")
                continue
            made = time.perf_counter() - start
            size = sum(
                file.stat().st_size for file in (Path(folder) / name.replace(" ", "-")).rglob("*") if file.is_file()
            )
            print(f"{name}: made in {made:.1f} s, {size / 1e6:.1f} MB on disk")
            report(ask, works, words, asked.spans)
    print(f"\nmost memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def library(megabytes: float, words: Sequence[str], dice: random.Random) -> list[LoadedWork]:
    """Give works of about so much text."""
    works = load_works(["public-domain", "sandbox"])
    while sum(len(work.readable) for work in works) < megabytes * 1e6:
        text = " ".join(dice.choices(words, k=30_000))
        works.append(LoadedWork(work_of_text(Path(f"invented-{len(works)}.txt"), text), text))
    return works


def suffix_array(works: Sequence[LoadedWork], folder: Path) -> Ask:
    """Make the index of this project, and open it from the disk."""
    save_index(build_index(works), folder)
    index = load_index(folder)
    return lambda text: attribute(text, index)


def infini_gram(works: Sequence[LoadedWork], folder: Path) -> Ask:
    """Make an index of infini-gram of bytes with its own package."""
    import infini_gram.indexing  # noqa: F401 - only whether it is there

    from copycat.fairuse.attribution.infini import InfiniGram

    (folder / "data").mkdir(parents=True)
    with (folder / "data" / "works.jsonl").open("w", encoding="utf-8") as file:
        for work in works:
            file.write(json.dumps({"text": work.readable, "id": work.work.id}) + "\n")
    command = f"-m infini_gram.indexing --data_dir {folder}/data --save_dir {folder}/index --token_dtype u8"
    settings = "--add_metadata --shards 1 --mem 4 --cpus 2 --ulimit 1024"
    subprocess.run([sys.executable, *command.split(), *settings.split()], check=True, capture_output=True)  # noqa: S603
    return InfiniGram(folder / "index").attribute


def report(ask: Ask, works: Sequence[LoadedWork], words: Sequence[str], n_spans: int) -> None:
    """Print how many spans of each length are traced, and the time for each."""
    print(f"  {'right, of ' + str(n_spans):<20}" + "".join(f"{length:>10} words" for length in LENGTHS))
    for name, disguise in DISGUISES.items():
        cells = []
        for length in LENGTHS:
            dice, right, spent = random.Random(length), 0, 0.0
            for _ in range(n_spans):
                work = dice.choice(works)
                own = work.readable.split()
                start = dice.randrange(max(1, len(own) - length))
                around = [" ".join(dice.choices(words, k=40)) for _ in range(2)]
                text = f"{around[0]} {disguise(' '.join(own[start : start + length]))} {around[1]}"
                begun = time.perf_counter()
                found = ask(text).works
                spent += time.perf_counter() - begun
                right += bool(found) and found[0].work == work.work.id and not found[0].is_tied
            cells.append(f"{right:>5}  {1000 * spent / n_spans:>5.1f} ms")
        print(f"  {name:<20}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
