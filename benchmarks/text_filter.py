"""What the output filter finds, what it costs, and beside it what a plain set and an automaton do.

python benchmarks/text_filter.py [--megabytes 50] [--rounds 3]      also: benchmarks/text.py --part filter
python benchmarks/text_filter.py --megabytes 1000 --only large      the figure to reach: minutes, 8 GB of disk in /tmp

small   one work, three ways: this filter; a Python set of its windows; pyahocorasick, where it is installed. They
        find the same windows; the others tell no place, no work and no allowance, and know no changed wording.
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
from typing import Any, NamedTuple

import numpy as np

from copycat.fairuse.filter import OutputFilter, Policy, build_filter
from copycat.fairuse.filter.hashing import window_hashes
from copycat.fairuse.filter.letters import LetterStream
from copycat.fairuse.records import Work
from copycat.fairuse.works import LoadedWork, load_works
from copycat.fairuse.works.loading import sha256_of

WINDOW = 24
WORK_BYTES = 8_000_000
STRICT = Policy(quote_words=0, work_words=0)
BAR_US = 50.0
LONG = Policy().quote_words
ROOT = Path(__file__).resolve().parents[1]


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


def reworded(text: str, every: int, rng: random.Random) -> str:
    """Put another word in place of one in `every`, at random."""
    return " ".join(word if rng.random() > 1 / every else rng.choice(OTHERS) for word in text.split())


OTHERS = ("something", "other", "green", "and", "whenever", "it", "house", "running", "above", "my")


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


# --------------------------------------------------------------------------------------- found


class Share(NamedTuple):
    """How many of some passages were found, and how much of their words."""

    found: int
    tried: int
    words: float

    def __str__(self) -> str:
        return f"{100 * self.found / self.tried:5.1f} % of {self.tried} found, {100 * self.words:5.1f} % of their words"


EVASIONS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "capitals": str.upper,
    "leet (a4 e3 o0 i1 s5)": lambda text: text.translate(str.maketrans("aeois", "43015")),
    "spaced letters": " ".join,
    "no spaces": lambda text: text.replace(" ", ""),
    "look-alikes (Cyrillic)": lambda text: text.translate(
        str.maketrans("aeopcx", "\u0430\u0435\u043e\u0440\u0441\u0445")
    ),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "zero-width between letters": "\u200b".join,
    "accents on vowels": lambda text: "".join(c + "\u0301" if c in "aeiou" else c for c in text),
    "numbered lines of 8 words": lambda text: "\n".join(
        f"{n + 1}. {' '.join(text.split()[n * 8 : n * 8 + 8])}" for n in range(-(-len(text.split()) // 8))
    ),
    "ROT13 (not undone)": lambda text: text.translate(
        str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
    ),
}


def print_found() -> None:
    """Print recall and false alarms, with the near stage and without."""
    works = load_works(["sandbox"])
    with tempfile.TemporaryDirectory() as folder:
        build_filter(works, Path(folder) / "exact", near=False)
        exact = OutputFilter(Path(folder) / "exact", STRICT)
        near = OutputFilter.of_works(works, STRICT)
        print(f"\npassages of {len(works)} sandbox works between words of the documentation: found, of any length")
        for length in (3, 4, 5, 6, 8, 10, 15, 20, 30, 50):
            print(f"  {length:>3} words              {share(near, works, length)}")
        print("50 words in disguise")
        for name, evade in EVASIONS.items():
            print(f"  {name:<26} {share(near, works, 50, evade)}")
        print("100 words with one in so many replaced: exact windows alone, and with the near stage")
        rng = random.Random(4)
        for every in (2, 3, 4, 5, 8, 12):
            evade = lambda text, every=every: reworded(text, every, rng)  # noqa: E731
            print(f"  one in {every:<3} {share(exact, works, 100, evade)}   near: {share(near, works, 100, evade)}")
        print_stitched(near, works)
        print_false_alarms(near)


def share(
    owner: OutputFilter, works: list[LoadedWork], length: int, evade: Callable[[str], str] = str, tries: int = 200
) -> Share:
    """Put passages between other words, and count what is found of them."""
    rng, documentation = random.Random(length), own_words()
    found, words = 0, 0.0
    for _ in range(tries):
        text = rng.choice(works).readable.split()
        start = rng.randrange(max(1, len(text) - length))
        passage = evade(" ".join(text[start : start + length]))
        at = rng.randrange(len(documentation) - 100)
        before, after = documentation[at : at + 30], documentation[at + 30 : at + 60]
        output = f"{' '.join(before)}.\n{passage}\n{' '.join(after)}"
        first = len(" ".join(before)) + 2
        spans = owner.check(output).spans
        covered = sum(max(0, min(span.end, first + len(passage)) - max(span.start, first)) for span in spans)
        found += bool(covered)
        words += min(1.0, covered / len(passage))
    return Share(found, tries, words / tries)


def own_words() -> list[str]:
    """Give the words of the project's documentation: English that copies no work."""
    return " ".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))).split()


def print_stitched(owner: OutputFilter, works: list[LoadedWork]) -> None:
    """Print what is found of outputs stitched from short quotes of one work, and whether the sum is beyond 40 words."""
    policy = owner.with_policy(Policy(quote_words=15, work_words=40))
    rng, documentation = random.Random(6), own_words()
    print("12 quotes of one work, six other words between two: outputs stopped at 40 words of one work in all")
    for length in (4, 5, 6, 8, 10):
        words = stopped = 0
        for _ in range(50):
            text = rng.choice(works).readable.split()
            parts: list[str] = []
            for number in range(12):
                start = (number * len(text)) // 12
                parts += text[start : start + length]
                at = rng.randrange(len(documentation) - 10)
                parts += documentation[at : at + 6]
            decision = policy.check(" ".join(parts))
            words += sum(span.words for span in decision.spans)
            stopped += decision.action == "trim"
        print(
            f"  of {length:>2} words: {100 * stopped / 50:3.0f} % stopped; "
            f"{words / 50:5.1f} words in spans, joined ones with their gaps"
        )


def print_false_alarms(owner: OutputFilter) -> None:
    """Print how many texts that copy nothing are flagged, and whether works that may be copied are touched."""
    texts = {
        "documentation": [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))],
        "public-domain works": [work.readable for work in load_works(["public-domain"])],
    }
    print("texts that copy nothing of them, with no word allowed")
    for name, each in texts.items():
        flagged = sum(owner.check(text).action != "allow" for text in each)
        words = sum(len(text.split()) for text in each)
        print(f"  {name:<20} {flagged} of {len(each)} texts flagged ({words:,} words)")
    public = load_works(["public-domain"])
    allowed = OutputFilter.of_works(public, STRICT)
    refused = sum(allowed.check(work.readable).action != "allow" for work in public)
    print(f"  public-domain works, indexed and allowed: {refused} of {len(public)} touched")


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
