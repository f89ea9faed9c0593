"""From labels and verdicts to counts, figures and warnings."""

from __future__ import annotations

from typing import Any

import pytest

from copycat.calibration.cases import CLOSED, OPEN, Labelled, build_case, build_cells, labels_sha256, ways_of
from copycat.calibration.consensus import Consensus, agree
from copycat.calibration.report import About, CalibrationReport, build_report
from copycat.errors import UserError
from copycat.schema import CalibrationCell, Character, CharacterSet, Judgement, MemberVerdict

ABOUT = About(judge="some-judge", judge_revision="a" * 40, source="here")
TRUTHS = {"y": agree({"ann": "yes"}), "n": agree({"ann": "no"}), "?": agree({"ann": "yes", "ben": "no"})}
UNSURE = agree({"ann": "unsure"})


def labelled(key: str, character: Character, consensus: Consensus, anchor: str | None = "name") -> Labelled:
    return Labelled(key, f"sha {key}", character, anchor, consensus)


def judgement(key: str, detected: str | None, **fields: Any) -> Judgement:
    return Judgement(key=key, image_sha256=f"sha {key}", detected=detected, **fields)


def report_of(characters: CharacterSet, *rows: tuple[str, str, str | None]) -> CalibrationReport:
    """Rows of truth, whose picture it is, and whom the judge sees."""
    people = {c.id: c for c in characters.characters}
    labels, verdicts = [], {}
    for place, (truth, character, seen) in enumerate(rows):
        key = str(place)
        labels.append(labelled(key, people[character], TRUTHS[truth], "name" if place % 2 else "description"))
        verdicts[key] = judgement(key, seen)
    return build_report(ABOUT, characters, labels, verdicts)


def test_hits_and_errors_are_counted_by_character_and_another_character_is_a_no(characters: CharacterSet) -> None:
    report = report_of(
        characters,
        ("y", "goofy", "goofy"),
        ("y", "goofy", None),
        ("y", "goofy", "max"),
        ("n", "goofy", "max"),
        ("n", "max", "max"),
        ("n", "max", None),
        ("?", "bluto", "bluto"),
    )
    assert report.calibration.cells == (
        CalibrationCell(character="goofy", tp=1, fn=2, fp=0, tn=1),
        CalibrationCell(character="max", tp=0, fn=0, fp=1, tn=1),
    )
    assert report.calibration.n_labels == 6
    assert (report.n_yes, report.n_no, report.n_tied, report.n_unsure) == (3, 3, 1, 0)
    assert [cell.character for cell in report.worst] == ["goofy", "max"]
    accuracy, sensitivity, specificity, _ = report.ways[0].scores
    assert (accuracy.value, sensitivity.value, specificity.value) == (0.5, 1 / 3, 2 / 3)


def test_pictures_that_nobody_is_sure_of_are_counted_and_left_out(characters: CharacterSet) -> None:
    goofy = characters.characters[0]
    labels = [labelled("0", goofy, TRUTHS["y"]), labelled("1", goofy, UNSURE), labelled("2", goofy, TRUTHS["?"])]
    report = build_report(ABOUT, characters, labels, {k: judgement(k, "goofy") for k in "012"})
    assert (report.n_unsure, report.n_tied, report.calibration.n_labels) == (1, 1, 1)


def test_pictures_without_an_answer_are_counted_and_no_part_of_any_figure(characters: CharacterSet) -> None:
    goofy = characters.characters[0]
    labels = [labelled(str(place), goofy, TRUTHS["y"]) for place in range(4)]
    verdicts = {"0": judgement("0", "goofy"), "1": judgement("1", None, reason="no answer")}
    verdicts["2"] = judgement("2", "goofy").model_copy(update={"image_sha256": "of another picture"})
    report = build_report(ABOUT, characters, labels, verdicts)
    assert report.ways[0].n_unanswered == 3
    assert report.calibration.n_labels == 1


def test_nothing_to_compare_is_told(characters: CharacterSet) -> None:
    labels = [labelled("0", characters.characters[0], TRUTHS["y"])]
    with pytest.raises(UserError, match=r"given no verdict on a picture with a label \(1 have one\)"):
        build_report(ABOUT, characters, labels, {})


def test_the_question_that_names_the_target_and_each_member_are_measured_by_themselves(
    characters: CharacterSet,
) -> None:
    goofy = characters.characters[0]
    members = (
        MemberVerdict(judge="a", detected="goofy"),
        MemberVerdict(judge="b", detected="max"),
        MemberVerdict(judge="c", reason="fell over"),
    )
    case = build_case(labelled("0", goofy, TRUTHS["y"]), judgement("0", "goofy", closed=False, members=members))
    assert case is not None
    ways = {way.name: (tuple(pair.said for pair in way.pairs), way.n_unanswered) for way in ways_of([case])}
    assert ways == {OPEN: ((True,), 0), CLOSED: ((False,), 0), "a": ((True,), 0), "b": ((False,), 0), "c": ((), 1)}


def test_judges_that_are_not_asked_by_name_have_one_way_only(characters: CharacterSet) -> None:
    case = build_case(labelled("0", characters.characters[0], TRUTHS["n"]), judgement("0", None))
    assert case is not None
    assert [way.name for way in ways_of([case])] == [OPEN]


def test_groups_are_of_anchors_and_franchises_where_there_are_several(characters: CharacterSet) -> None:
    report = report_of(
        characters, *[("y", "goofy", "goofy")] * 6, *[("n", "max", None)] * 6, *[("n", "bluto", "bluto")] * 5
    )
    groups = {(group.kind, group.name): (group.n, group.scores[0].value) for group in report.groups}
    assert groups["franchise", "Some Cartoons"] == (12, 1.0)
    assert groups["franchise", "Other Cartoons"] == (5, 0.0)
    assert {name for kind, name in groups if kind == "anchor"} == {"name", "description"}


def test_people_are_compared_with_each_other_also_where_they_do_not_agree(characters: CharacterSet) -> None:
    goofy = characters.characters[0]
    said = [("yes", "yes"), ("no", "no"), ("yes", "no"), ("no", "yes")] * 5
    labels = [
        labelled(str(place), goofy, agree({"ann": a, "ben": b}))  # type: ignore[dict-item]
        for place, (a, b) in enumerate(said)
    ]
    report = build_report(ABOUT, characters, labels, {str(p): judgement(str(p), "goofy") for p in range(20)})
    assert report.people is not None and report.people.kappa is not None
    assert report.people.n_people == 2
    assert report.people.kappa.value == pytest.approx(0.0)
    assert report.people.alpha.n == 20
    assert report.alpha.n == 20
    assert report.n_tied == 10


def test_one_person_is_not_compared_with_anybody(characters: CharacterSet) -> None:
    assert report_of(characters, ("y", "goofy", "goofy")).people is None


def test_few_labels_and_few_of_one_kind_are_warned_of(characters: CharacterSet) -> None:
    few = report_of(characters, *[("y", "goofy", "goofy")] * 25, *[("n", "max", None)] * 3)
    assert len(few.warnings) == 2
    assert few.warnings[0].startswith("only 28 labels")
    assert few.warnings[1].startswith("only 3 labelled pictures do not show their character")
    many = report_of(characters, *[("y", "goofy", "goofy")] * 150, *[("n", "max", None)] * 150)
    assert many.warnings == ()


def test_the_hash_of_labels_moves_with_every_label_and_not_with_their_order(characters: CharacterSet) -> None:
    goofy, dog, *_ = characters.characters
    cases = [
        case
        for key, character, truth in (("0", goofy, "y"), ("1", dog, "n"))
        if (case := build_case(labelled(key, character, TRUTHS[truth]), None)) is not None
    ]
    assert labels_sha256(cases) == labels_sha256(cases[::-1])
    assert labels_sha256(cases) != labels_sha256([cases[0], cases[1]._replace(truth=True)])


def test_no_pairs_have_no_cells() -> None:
    assert build_cells([]) == ()
