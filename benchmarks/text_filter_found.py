"""What the output filter finds of passages, and what it finds where nothing was copied; see text_filter.py."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from copycat.fairuse.filter import OutputFilter, Policy, build_filter
from copycat.fairuse.works import LoadedWork, load_works

STRICT = Policy(quote_words=0, work_words=0)
ROOT = Path(__file__).resolve().parents[1]


def reworded(text: str, every: int, rng: random.Random) -> str:
    """Put another word in place of one in `every`, at random."""
    return " ".join(word if rng.random() > 1 / every else rng.choice(OTHERS) for word in text.split())


OTHERS = ("something", "other", "green", "and", "whenever", "it", "house", "running", "above", "my")


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
