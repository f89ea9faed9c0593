"""Verdicts on the frames of a clip, added up."""

from __future__ import annotations

from copycat.judges import Verdict
from copycat.judges.verdicts import combine_frames, first_of
from copycat.schema import Answer


def test_the_one_asked_for_goes_first_wherever_it_was_named() -> None:
    assert first_of(("pluto", "goofy"), "goofy") == "goofy"
    assert first_of(("pluto", "goofy"), "minnie") == "pluto"
    assert first_of((), "goofy") is None


def test_a_clip_whose_silent_frame_might_show_the_target_has_no_verdict() -> None:
    silent = Verdict(None, reason="busy")
    assert combine_frames([Verdict("pluto"), silent], "goofy").reason == "busy"
    assert combine_frames([Verdict("goofy"), silent], "goofy").detected == "goofy"


def test_a_clip_names_everybody_that_any_frame_names() -> None:
    frames = [
        Verdict("pluto", named=("pluto",), names=("Pluto",), closed=False, consistency=0.2),
        Verdict("goofy", named=("goofy", "pluto"), names=("Goofy", "Pluto"), closed=True),
    ]
    whole = combine_frames(frames, "goofy")
    assert (whole.detected, whole.named, whole.names) == ("goofy", ("pluto", "goofy"), ("Pluto", "Goofy"))
    assert (whole.closed, whole.consistency) == (True, 0.2)


def test_frames_without_a_word_leave_the_fields_of_words_empty() -> None:
    whole = combine_frames([Verdict("goofy", 0.9, 0.5), Verdict(None, 0.1, 0.7)], "goofy")
    assert (whole.named, whole.names, whole.closed) == (None, None, None)


def test_words_that_were_no_answer_are_kept_in_the_judgement_also_of_a_clip() -> None:
    words = (Answer(question="open-1", text="I cannot say"),)
    silent = Verdict(None, reason="unreadable answer", answers=words)
    assert silent.of("key", "ab").answers == words
    assert combine_frames([Verdict(None), silent], "goofy").of("key", "ab").answers == words
