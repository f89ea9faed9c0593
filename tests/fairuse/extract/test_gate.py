"""The gate of a regression test: limits, and what an earlier run did not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manuscript import MANUSCRIPT

if TYPE_CHECKING:
    from harness import Answer, Cli

FIRST, SECOND = MANUSCRIPT[:330], MANUSCRIPT[500:]


def measured(extract: Cli, manuscript: Path, text: str, *options: object) -> Answer:
    file = manuscript.parent / f"a{abs(hash(text)) % 10**8}.jsonl"
    file.write_text(json.dumps({"work": "manuscript", "text": text}) + "\n", encoding="utf-8")
    return extract("--model", f"answers:{file}", "--works", manuscript, "--controls", "none", *options)


def run_of(answer: Answer) -> Any:
    return json.loads(answer.out)


def test_a_limit_that_is_held_exits_0_and_one_that_is_passed_exits_1(extract: Cli, manuscript: Path) -> None:
    held = measured(extract, manuscript, FIRST, "--gate", "longest=100,recall=0.9")
    assert held.code == 0
    assert "gate (longest 100, recall 0.9): held" in held.out
    passed = measured(extract, manuscript, FIRST, "--gate", "longest=20", "--gate", "recall=0.1")
    assert passed.code == 1
    assert "1 answer about 1 work beyond" in passed.out
    assert "manuscript: longest " in passed.out
    assert "letters 0 to 3" in passed.out


def test_what_an_earlier_run_had_already_is_not_new(extract: Cli, manuscript: Path) -> None:
    before = run_of(measured(extract, manuscript, FIRST, "--json"))
    folder = Path(before["path"]).parent
    again = measured(extract, manuscript, f"Once more. {FIRST}", "--baseline", folder, "--gate", "longest=20")
    assert again.code == 0, again.out
    more = measured(
        extract, manuscript, f"{FIRST} And now {SECOND}", "--baseline", folder, "--gate", "longest=20", "--json"
    )
    assert more.code == 1
    (passed,) = run_of(more)["gate"]["passed"]
    assert abs(passed["stretch"]["reference_start"] - 500) < 12


def test_a_baseline_alone_looks_for_new_stretches_of_more_than_50_words(extract: Cli, manuscript: Path) -> None:
    folder = Path(run_of(measured(extract, manuscript, "Nothing at all.", "--json"))["path"]).parent
    short = measured(extract, manuscript, " ".join(MANUSCRIPT.split()[:45]), "--baseline", folder)
    assert short.code == 0
    long = measured(extract, manuscript, " ".join(MANUSCRIPT.split()[:60]), "--baseline", folder)
    assert long.code == 1


def test_a_share_counts_where_it_has_grown(extract: Cli, manuscript: Path) -> None:
    folder = Path(run_of(measured(extract, manuscript, FIRST, "--json"))["path"]).parent
    same = measured(extract, manuscript, FIRST + " The end.", "--baseline", folder, "--gate", "recall=0.1")
    assert same.code == 0
    grown = measured(extract, manuscript, MANUSCRIPT, "--baseline", folder, "--gate", "recall=0.1")
    assert grown.code == 1
