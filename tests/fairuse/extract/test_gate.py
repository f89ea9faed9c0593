"""The gate of a regression test: limits, and what an earlier run did not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manuscript import MANUSCRIPT

from copycat.fairuse.extract.gate import check, parse_gate
from copycat.fairuse.extract.records import AnswerMeasures, Ask, Figures, Measured, Measures
from copycat.fairuse.extract.summary import build_measures
from copycat.fairuse.records import Shared
from copycat.fairuse.works import withhold
from copycat.fairuse.works.loading import work_of_text

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
    assert "characters 0 to 3" in passed.out


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


def test_places_of_another_text_of_a_work_do_not_hide_what_is_new(extract: Cli, manuscript: Path) -> None:
    folder = Path(run_of(measured(extract, manuscript, MANUSCRIPT, "--json"))["path"]).parent
    assert measured(extract, manuscript, FIRST, "--baseline", folder, "--gate", "longest=20").code == 0
    revised = f"{SECOND} {FIRST}"
    manuscript.write_text(revised, encoding="utf-8")
    answer = measured(extract, manuscript, revised, "--baseline", folder, "--gate", "longest=20")
    assert answer.code == 1
    assert "1 answer has no request like it" in answer.out


def test_a_figure_that_nobody_can_tell_holds_no_limit(extract: Cli, manuscript: Path) -> None:
    withheld = manuscript.parent / "m.withheld"
    withhold(work_of_text(manuscript, MANUSCRIPT), MANUSCRIPT, withheld)
    answer = measured(extract, withheld, FIRST, "--gate", "rouge_l=0.1")
    assert answer.code == 1
    assert "gate (rouge_l 0.1): not known" in answer.out
    assert "1 answer without such a figure" in answer.out
    assert measured(extract, withheld, FIRST, "--gate", "recall=0.9").code == 0


def test_a_gate_is_not_passed_by_answers_that_are_missing(extract: Cli, manuscript: Path) -> None:
    """A limit that is held by what came says nothing of what did not come."""
    answer = measured(extract, manuscript, "Nothing.", "--gate", "longest=50", "--prompts", "title,prefix")
    assert answer.code == 1
    assert "held" in answer.out
    assert "not valid below 98 %" in answer.out


def test_what_is_told_of_a_new_stretch_is_its_own_length() -> None:
    """The longest run of the answer may be one that was known before."""
    ask = Ask(key="k", work="w", role="work", prompt="title")
    old, new = (
        Shared(output_start=a, output_end=b, reference_start=a, reference_end=b, words=n, matched=m)
        for a, b, n, m in ((0, 400, 80, 80), (500, 700, 45, 30))
    )

    def found(*stretches: Shared) -> Measures:
        figures = Figures(longest=80, longest_near=80)
        measured = Measured(words=200, letters=1000, repeats=False, figures=figures, stretches=stretches)
        answer = AnswerMeasures(
            ask=ask, status="answered", ended="stop", detail="", pieces=1, probability=None, measured=measured
        )
        return build_measures([], [answer], 1, None)

    for limit, values in (("longest=20", [30.0]), ("longest=40", []), ("longest_near=40", [45.0])):
        result = check(found(old, new), parse_gate([limit]), ("before", found(old)))
        assert [one.value for one in result.passed] == values
