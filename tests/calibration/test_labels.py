"""labels.csv is read strictly, with all faults at once; what people say becomes one truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.calibration.consensus import agree, consensus_of
from copycat.calibration.labels import Label, Said, read_labels
from copycat.calibration.opened import OpenedRun
from copycat.errors import DataError

Write = Callable[..., Path]


def keys_of(run: OpenedRun) -> list[str]:
    return list(run.pictures)


def test_labels_are_read_with_who_gave_them(opened: OpenedRun, write: Write) -> None:
    first, second, third, *_ = keys_of(opened)
    rows = [
        {"key": first, "label": "Yes", "rater": "ann", "anyone": "no"},
        {"key": second, "label": "0", "rater": "", "anyone": ""},
        {"key": third, "label": "", "rater": "ann"},
    ]
    assert read_labels([write("mine.csv", rows)], opened) == (
        Label(first, "ann", "yes", False),
        Label(second, "mine", "no", None),
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_other_separators_a_byte_order_mark_and_windows_line_ends_are_accepted(
    opened: OpenedRun, tmp_path: Path, separator: str
) -> None:
    key = keys_of(opened)[0]
    text = separator.join(["label", "key"]) + "\r\n" + separator.join(["unsure", key]) + "\r\n"
    path = tmp_path / "labels.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert [label.said for label in read_labels([path], opened)] == ["unsure"]


def test_every_fault_is_told_at_once_with_its_line(opened: OpenedRun, write: Write) -> None:
    first, second, third, *_ = keys_of(opened)
    other = next(c.name for c in opened.characters.characters if c.id != opened.pictures[third].character)
    rows = [
        {"key": first, "label": "maybe"},
        {"key": "ffff", "label": "yes"},
        {"key": second, "label": "yes", "anyone": "perhaps"},
        {"key": third, "label": "no", "character": other},
        {"key": first, "label": "yes", "rater": "ann"},
        {"key": first, "label": "no", "rater": "ann"},
        {"key": second, "label": "no", "sha256": "0" * 64},
    ]
    with pytest.raises(DataError) as told:
        read_labels([write("labels.csv", rows)], opened)
    text = str(told.value)
    for line, part in (
        (2, "'maybe' is no label"),
        (3, "no picture with the key 'ffff'"),
        (4, "'perhaps' under 'anyone'"),
        (5, f"another character than '{other}'"),
        (7, "'ann' said 'yes' of this picture"),
        (8, "was made anew since it was labelled"),
    ):
        assert any(f"labels.csv:{line}: " in fault and part in fault for fault in told.value.faults), text
    assert text.endswith("needed: yes, no or unsure")


def test_missing_columns_are_named_of_every_file(opened: OpenedRun, write: Write) -> None:
    files = [write("a.csv", [{"picture": "x", "label": "yes"}]), write("b.csv", [{"x": "1"}])]
    with pytest.raises(DataError) as told:
        read_labels(files, opened)
    assert "a.csv:1: lacks the column key" in str(told.value)
    assert "b.csv:1: lacks the columns key and label" in str(told.value)


def test_a_file_that_is_not_there_or_no_text_is_told(opened: OpenedRun, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"key,label\n\xff\xfe,yes\n")
    with pytest.raises(DataError) as told:
        read_labels([tmp_path / "a.csv", tmp_path / "b.csv"], opened)
    assert "a.csv: cannot be read" in str(told.value)
    assert "b.csv: is not UTF-8 text" in str(told.value)


def test_a_label_of_a_picture_whose_file_was_changed_is_refused(opened: OpenedRun, write: Write) -> None:
    key, sample = next(iter(opened.pictures.items()))
    picture = opened.folder.path / str(sample.image)
    picture.write_bytes(picture.read_bytes() + b"x")
    with pytest.raises(DataError, match=f"{key}.png: is missing or was changed"):
        read_labels([write("labels.csv", [{"key": key, "label": "yes"}])], opened)


def test_only_the_labels_of_named_raters_count(opened: OpenedRun, write: Write) -> None:
    key = keys_of(opened)[0]
    rows = [{"key": key, "label": said, "rater": rater} for rater, said in (("ann", "yes"), ("ben", "no"))]
    labels = read_labels([write("labels.csv", rows)], opened, ["ben"])
    assert [(label.rater, label.said) for label in labels] == [("ben", "no")]


@pytest.mark.parametrize(
    ("said", "truth", "is_tied"),
    [
        ("y", True, False),
        ("n", False, False),
        ("u", None, False),
        ("yn", None, True),
        ("yu", None, False),
        ("yyn", True, False),
        ("nny", False, False),
        ("yynn", None, True),
        ("yuu", None, False),
        ("yyu", True, False),
        ("", None, False),
    ],
)
def test_the_truth_is_what_more_than_half_say(said: str, truth: bool | None, is_tied: bool) -> None:
    words: dict[str, Said] = {"y": "yes", "n": "no", "u": "unsure"}
    found = agree({str(place): words[letter] for place, letter in enumerate(said)})
    assert (found.truth, found.is_tied) == (truth, is_tied)


def test_labels_of_several_people_on_one_picture_are_put_together() -> None:
    labels = [Label("k", "ann", "yes"), Label("k", "ben", "yes"), Label("k", "cy", "no"), Label("m", "ann", "no")]
    found = consensus_of(labels)
    assert found["k"].truth is True
    assert found["k"].opinions == {"ann": "yes", "ben": "yes", "cy": "no"}
    assert found["m"].truth is False
