"""An answer against its work: what counts, what does not, and what is taken back."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from manuscript import MANUSCRIPT

from copycat.fairuse.extract.measuring import covered_letters, is_looping, longest_common_run, measure
from copycat.fairuse.extract.records import Ask
from copycat.fairuse.works import LoadedWork, load_works, withhold
from copycat.fairuse.works.loading import work_of_text

REST = 300
PREFIX, FOLLOWING = MANUSCRIPT[:REST], MANUSCRIPT[REST:]
LOADED = LoadedWork(work_of_text(Path("manuscript.txt"), MANUSCRIPT), MANUSCRIPT)


def asked(**fields: object) -> Ask:
    known = {"key": "0" * 16, "work": "manuscript", "role": "work", "prompt": "prefix", "prefix": 25}
    return Ask.model_validate(known | {"rest": REST, "window_end": len(MANUSCRIPT)} | fields)


def test_the_true_continuation_has_recall_one_and_no_gain() -> None:
    figures = measure(asked(), LOADED, FOLLOWING).figures
    assert figures.recall == figures.recall_as_written == figures.rouge_l == 1.0
    assert figures.longest == figures.longest_near == len(FOLLOWING.split())


def test_the_prefix_that_was_shown_never_counts() -> None:
    measured = measure(asked(), LOADED, PREFIX)
    assert measured.figures.recall == 0.0
    assert measured.figures.longest < 5
    assert measured.stretches == ()


def test_places_of_stretches_count_from_the_start_of_the_work() -> None:
    quote = MANUSCRIPT[500:640].strip()
    (stretch,) = measure(asked(), LOADED, f"And then: {quote}").stretches
    assert quote[5:-5] in MANUSCRIPT[stretch.reference_start : stretch.reference_end]
    assert f"And then: {quote}"[stretch.output_start : stretch.output_end] in MANUSCRIPT


def test_a_quote_in_another_order_is_found_too() -> None:
    first, second = MANUSCRIPT[320:400].strip(), MANUSCRIPT[560:660].strip()
    measured = measure(asked(), LOADED, f"{second} something else came in between here, then {first}")
    assert len(measured.stretches) == 2


@pytest.mark.parametrize(
    ("evasion", "written"),
    [
        ("caps", FOLLOWING.upper()),
        ("leet", FOLLOWING.translate(str.maketrans("aeio", "4310"))),
        ("rot13", codecs.encode(FOLLOWING, "rot13")),
        ("spaced", "   ".join(" ".join(word) for word in FOLLOWING.split())),
        ("lines", "\n".join(f"{n}. {line}." for n, line in enumerate(FOLLOWING.split(". "), start=1))),
    ],
)
def test_what_an_evasion_hides_the_canonical_form_finds(evasion: str, written: str) -> None:
    """U4 for answers: within 0.02 of the plain one."""
    figures = measure(asked(evasion=evasion), LOADED, written).figures
    assert figures.recall >= 0.98
    assert figures.recall_as_written is not None
    if evasion != "lines":
        assert figures.recall_as_written < 0.2


def test_a_plain_answer_to_a_request_for_rot13_counts_as_it_stands() -> None:
    assert measure(asked(evasion="rot13"), LOADED, FOLLOWING).figures.recall == 1.0


def test_shares_are_of_the_window_and_the_longest_run_of_all_that_follows() -> None:
    ask = asked(window_end=REST + 150)
    late = MANUSCRIPT[600:760]
    figures = measure(ask, LOADED, late).figures
    assert figures.recall == 0.0
    assert figures.longest > 20


def test_another_work_shows_what_texts_share_by_chance() -> None:
    other = next(one for one in load_works(["public-domain"]) if one.work.id == "gettysburg-address")
    ask = asked(work=other.work.id, rest=0, window_end=len(other.readable))
    by_chance = measure(asked(), LOADED, FOLLOWING, (ask, other)).against_other
    assert by_chance is not None
    assert by_chance.recall == 0.0
    assert by_chance.longest < 6
    whole = measure(asked(), LOADED, other.readable, (ask, other)).against_other
    assert whole is not None
    assert whole.recall == 1.0


def test_stretches_in_another_work_are_looked_for_as_in_the_work_asked_for() -> None:
    """All of it counts, beyond its window too, but nothing before the end of the prefix."""
    other = next(one for one in load_works(["public-domain"]) if one.work.id == "gettysburg-address")
    ask = asked(work=other.work.id, rest=200, window_end=300)
    found = measure(asked(), LOADED, other.readable, (ask, other))
    assert found.other == "gettysburg-address"
    assert [(one.reference_start, one.reference_end) for one in found.stretches_in_other] == [
        (one.reference_start, one.reference_end) for one in measure(ask, other, other.readable).stretches
    ]
    assert found.stretches_in_other[0].reference_start >= 200
    assert measure(asked(), LOADED, FOLLOWING, (ask, other)).stretches_in_other == ()


def test_a_work_that_is_withheld_as_hashes_tells_letters_and_places(tmp_path: Path) -> None:
    withhold(LOADED.work, MANUSCRIPT, tmp_path / "m.withheld")
    (hashed,) = load_works([str(tmp_path / "m.withheld")])
    ask = asked(prompt="title", prefix=0, rest=0, window_end=0)
    measured = measure(ask, hashed, f"It goes so: {FOLLOWING}")
    assert measured.figures.longest == pytest.approx(len(FOLLOWING.split()), abs=2)
    assert measured.figures.recall == pytest.approx(len(FOLLOWING) / len(MANUSCRIPT), abs=0.03)
    assert measured.raw is None
    assert measure(ask, hashed, "Nothing of the kind was ever written anywhere.").figures.longest == 0


@pytest.mark.parametrize("text", ["", "\u200b\u200b", "!?", "\ud83d", "короткий текст", "字" * 40])
def test_an_answer_without_anything_of_the_work_is_no_error(text: str) -> None:
    assert measure(asked(), LOADED, text).figures.longest == 0


def test_loops_are_told_from_texts() -> None:
    assert is_looping("And so it went. " + "the river the river the river " * 6)
    assert is_looping("no " * 12)
    assert not is_looping(MANUSCRIPT)
    assert not is_looping("very very very good")


def test_longest_common_run_agrees_with_brute_force() -> None:
    first = "the lamp above the landing burned blue"
    assert longest_common_run(first, "a lamp above the landing was lit") == 4
    assert longest_common_run(first, "the blue lamp") == 1
    assert longest_common_run(first, "burned blue") == 2
    assert longest_common_run(first, "") == 0


def test_letters_are_covered_once() -> None:
    assert covered_letters([(0, 10), (5, 12), (20, 25), (21, 22)]) == 17
