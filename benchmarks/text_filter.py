"""What the output filter finds, what it costs, and beside it what a plain set and an automaton do.

python benchmarks/text_filter.py [--megabytes 50] [--rounds 3]      also: benchmarks/text.py --part filter
python benchmarks/text_filter.py --megabytes 1000 --only large      the figure to reach: minutes, 8 GB of disk in /tmp

small   one work, three ways: this filter; a Python set of its windows; pyahocorasick, where it is installed. They
        find the same windows; the others tell no place, no work and no allowance, and know no changed wording.
        Then withheld works, each of which is looked up by hashes of its own.
found   what is found of passages of the sandbox works among other text: by length, in disguise, reworded, stitched;
        and what is found in texts that copy nothing (the project's own documentation, the public-domain works).
large   pseudo-text in words of a vocabulary with Zipf's frequencies: time and memory of the build, of the loaded
        filter, and the microseconds of one token of a stream (median, 95th and 99th percentile), for text of its
        own, copies and reworded copies; then windows missed, and the Bloom filter's false-positive rate.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from text_filter_found import STRICT, print_found, reworded

from copycat.fairuse.filter import OutputFilter, Policy, build_filter
from copycat.fairuse.filter.hashing import window_hashes
from copycat.fairuse.filter.letters import LetterStream
from copycat.fairuse.records import Work
from copycat.fairuse.works import LoadedWork, WithheldGrams
from copycat.fairuse.works.loading import sha256_of

WINDOW = 24
WORK_BYTES = 8_000_000
BAR_US = 50.0
LONG = Policy().quote_words


def main(rounds: int = 3, megabytes: int = 50, only: str = "all") -> None:
    """Print all parts, or one."""
    if only in ("all", "small"):
        print_small(rounds)
    if only in ("all", "found"):
        print_found()
    if only in ("all", "large"):
        print_large(megabytes)


# --------------------------------------------------------------------------------------- texts


class Writer:
    """Writes pseudo-text: 50,000 words that do not exist, in Zipf's frequencies, by the seed."""

    def __init__(self) -> None:
        rng = random.Random(0)
        syllables = [a + b for a in ("st", "br", *"bdfgklmnprst") for b in ("ai", "on", "er", *"aeiou")]
        self._words = np.array(
            ["".join(rng.choices(syllables, k=rng.choice((1, 1, 2, 2, 3)))) for _ in range(50_000)], object
        )
        shares = 1 / (np.arange(len(self._words)) + 2.7)
        self._edges = np.cumsum(shares / shares.sum())

    def write(self, n_words: int, seed: int) -> str:
        """Write a text, in lines of 14 words."""
        drawn = np.searchsorted(self._edges, np.random.default_rng(seed).random(n_words))
        words = self._words[np.minimum(drawn, len(self._words) - 1)]
        return "\n".join(" ".join(words[i : i + 14]) for i in range(0, n_words, 14))


def loaded(text: str, name: str) -> LoadedWork:
    """Make a work that nobody may copy."""
    return LoadedWork(Work(id=name, title=name, status="protected", sha256=sha256_of(text)), text)


def tokens_of(text: str) -> list[str]:
    """Cut a text as tokenizers do on average: four and a half letters with their space."""
    tokens: list[str] = []
    for word in text.split(" "):
        parts = [word[i : i + 6] for i in range(0, len(word), 6)] or [""]
        tokens += [f" {parts[0]}", *parts[1:]]
    return tokens


# --------------------------------------------------------------------------------------- small


class SetWays:
    """The plainest Python that is right: a set of windows of letters; tells that something was found."""

    def __init__(self, text: str) -> None:
        letters, begins = plain_letters(text)
        self.windows = {letters[i : i + WINDOW] for i in begins if i + WINDOW <= len(letters)}

    def stream(self) -> Callable[[str], bool]:
        """Give a function that takes token after token, and tells a hit."""
        tail = ""

        def push(token: str) -> bool:
            nonlocal tail
            hit = False
            for letter in token.lower():
                if letter.isalnum():
                    tail = (tail + letter)[-WINDOW:]
                    hit |= tail in self.windows
            return hit

        return push


class Automaton:
    """pyahocorasick over the same windows."""

    def __init__(self, text: str) -> None:
        import ahocorasick

        self.automaton = ahocorasick.Automaton()
        for window in SetWays(text).windows:
            self.automaton.add_word(window, 1)
        self.automaton.make_automaton()

    def stream(self) -> Callable[[str], bool]:
        """Give a function that takes token after token, and tells a hit."""
        tail = ""

        def push(token: str) -> bool:
            nonlocal tail
            letters = "".join(letter for letter in token.lower() if letter.isalnum())
            begun, tail = tail, (tail + letters)[-WINDOW + 1 :]
            return any(True for _ in self.automaton.iter(begun + letters))

        return push


class Ours:
    """The filter of copycat."""

    def __init__(self, text: str) -> None:
        self.filter = OutputFilter.of_works([loaded(text, "work")], STRICT)

    def stream(self) -> Callable[[str], bool]:
        """Give a function that takes token after token, and tells whether it may be shown already."""
        stream = self.filter.stream()
        return lambda token: bool(stream.push(token))


def plain_letters(text: str) -> tuple[str, list[int]]:
    """Give the letters and digits of a text in lower case, and where its words begin."""
    letters: list[str] = []
    begins: list[int] = []
    for word in text.split():
        begins.append(len(letters))
        letters += [letter for letter in word.lower() if letter.isalnum()]
    return "".join(letters), begins


def print_small(rounds: int) -> None:
    """Print the three ways on one work of 2 MB."""
    writer = Writer()
    text = writer.write(300_000, seed=1)
    tokens = tokens_of(mixed(writer, text, 6_000))
    windows = len(SetWays(text).windows)
    print(f"one work of {len(text) / 1e6:.1f} MB, {windows:,} windows; {len(tokens):,} tokens, a third of them copied")
    for name, way in (("copycat", Ours), ("Python set", SetWays), ("pyahocorasick", Automaton)):
        gc.collect()
        before, started = rss(), time.perf_counter()
        try:
            made = way(text)
        except ImportError:
            print(f"  {name:<14} is not installed")
            continue
        seconds, memory = time.perf_counter() - started, rss() - before
        spent = [times_of(made.stream(), tokens) for _ in range(rounds)]
        median = min(float(np.median(one)) for one in spent)
        mean = min(float(np.mean(one)) for one in spent)
        print(
            f"  {name:<14} built in {seconds:5.2f} s, {memory / windows:7.1f} MB of memory per million windows, "
            f"{median:5.1f} us a token (median), {mean:5.1f} (mean)",
            flush=True,
        )
        del made
    print_withheld(writer, rounds)


def print_withheld(writer: Writer, rounds: int) -> None:
    """Print what a token takes where works are withheld: each has hashes of its own."""
    tokens = tokens_of(writer.write(3_000, seed=77))
    for count in (1, 3, 10):
        works: list[LoadedWork] = []
        for number in range(count):
            text = writer.write(20_000, seed=number)
            grams = WithheldGrams.of_text(loaded(text, f"work-{number}").work, text)
            works.append(LoadedWork(grams.file.work, withheld=grams))
        owner = OutputFilter.of_works(works, STRICT)
        spent = [times_of(owner.stream().push, tokens) for _ in range(rounds)]
        median, mean = (min(float(of(one)) for one in spent) for of in (np.median, np.mean))
        print(f"  {count:>2} withheld work(s)  {median:5.1f} us a token of other text (median), {mean:5.1f} (mean)")


def mixed(writer: Writer, text: str, words: int) -> str:
    """Make an output: text of its own, copies of passages, and copies with every fifth word changed."""
    rng = random.Random(5)
    source, own = text.split(), writer.write(words, seed=77).split()
    parts: list[str] = []
    while sum(len(part.split()) for part in parts) < words:
        start = rng.randrange(len(source) - 200)
        parts.append(" ".join(own[start % words : start % words + 120]))
        parts.append(" ".join(source[start : start + 60]))
        parts.append(reworded(" ".join(source[start + 100 : start + 160]), 5, rng))
    return " ".join(parts)


def times_of(push: Callable[[str], Any], tokens: list[str]) -> np.ndarray[Any, Any]:
    """Time each token of a stream. Unit: microseconds."""
    spent = np.empty(len(tokens))
    for number, token in enumerate(tokens):
        started = time.perf_counter_ns()
        push(token)
        spent[number] = time.perf_counter_ns() - started
    return spent / 1e3


def rss() -> float:
    """Give the memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


# --------------------------------------------------------------------------------------- large


def print_large(megabytes: int) -> None:
    """Print what a large filter costs."""
    folder = Path(tempfile.mkdtemp(prefix="copycat-filter-"))
    try:
        writer = Writer()
        words = round(WORK_BYTES / (len(writer.write(100_000, 0)) / 100_000))
        count = max(1, round(megabytes * 1e6 / WORK_BYTES))
        written = [0]

        def works() -> Iterator[LoadedWork]:
            for number in range(count):
                text = writer.write(words, seed=1000 + number)
                written[0] += len(text)
                yield loaded(text, f"work-{number}")

        started = time.perf_counter()
        before = rss()
        file = build_filter(works(), folder / "filter")
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        millions = file.windows / 1e6
        print(f"\n{written[0] / 1e6:,.0f} MB of pseudo-text in {count} works, {millions:,.1f} million windows")
        print(f"  built in {seconds:,.0f} s, {written[0] / 1e6 / seconds:,.2f} MB/s, writing the text included")
        print(f"  memory of the build: {(peak - before) / 1e6:,.0f} MB at most")
        for path in sorted((folder / "filter").glob("*.bin")):
            size = path.stat().st_size
            print(f"  {path.name:<18} {size / 1e6:10,.1f} MB, {size / 1e6 / millions:6.2f} MB per million windows")
        gc.collect()
        before = rss()
        owner = OutputFilter(folder / "filter", STRICT)
        print(
            f"  loaded: {(rss() - before) / 1e6:,.0f} MB of memory, {(rss() - before) / 1e6 / millions:.2f} per million"
        )
        print_latency(owner, writer, words)
        print(f"  memory afterwards: {(rss() - before) / 1e6:,.0f} MB, pages of mapped files included")
        print_missed(owner)
    finally:
        shutil.rmtree(folder)


def print_latency(owner: OutputFilter, writer: Writer, words: int) -> None:
    """Print what a token of a stream takes."""
    source = writer.write(words, seed=1000)
    kinds = {
        "text of its own": writer.write(15_000, seed=5),
        "copies": " ".join(source.split()[1000:6000]),
        "copies, every fifth word changed": reworded(" ".join(source.split()[9000:14_000]), 5, random.Random(1)),
        "a mix of the three": mixed(writer, source, 15_000),
    }
    for name, text in kinds.items():
        stream, tokens = owner.stream(), tokens_of(text)
        spent = times_of(stream.push, tokens)
        _, decision = stream.close()
        median, p95, p99 = (float(np.percentile(spent, q)) for q in (50, 95, 99))
        print(
            f"  {name:<34} {median:5.1f} us a token in the median, {p95:6.1f} at 95 %, {p99:6.1f} at 99 %, "
            f"{spent.mean():5.1f} on average; {len(tokens):,} tokens, {len(decision.spans)} spans, "
            f"{sum(span.words > LONG for span in decision.spans)} of more than {LONG} words"
            f"{'' if median < BAR_US else '   ABOVE THE BAR'}",
            flush=True,
        )


def print_missed(owner: OutputFilter) -> None:
    """Look 100,000 indexed windows up, and as many that are not there."""
    rng = np.random.default_rng(3)
    every = owner.index.places()
    places = rng.choice(every, min(100_000, len(every)), replace=False).tolist()
    missed = 0
    for place in places:
        window = owner.letters.read(place, WINDOW)
        codes = np.frombuffer(window.encode("utf-32-le"), np.uint32)
        hashed = int(window_hashes(codes, WINDOW, owner.file.hash_seed)[0])
        missed += place not in owner.index.find(hashed, window)
    stream = LetterStream()
    letters = stream.push(Writer().write(400_000, seed=4)) + stream.close()
    codes = np.frombuffer(letters.encode("utf-32-le"), np.uint32)
    hashes = window_hashes(codes, WINDOW, owner.file.hash_seed).tolist()
    there = [i for i, hashed in enumerate(hashes) if hashed in owner.index.bloom]
    passed = sum(not owner.index.find(hashes[i], letters[i : i + WINDOW]) for i in there)
    print(f"  windows missed: {missed} of {len(places):,} indexed ones")
    print(
        f"  Bloom filter: {passed / len(hashes):.5f} of {len(hashes):,} windows that are not there pass, "
        f"set {owner.file.bloom_rate}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--only", choices=("all", "small", "found", "large"), default="all")
    given = parser.parse_args()
    main(given.rounds, given.megabytes, given.only)
