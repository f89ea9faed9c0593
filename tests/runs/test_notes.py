"""What a user is told of requests that gave no picture."""

from __future__ import annotations

from copycat.runs.notes import notes_of
from copycat.schema import Sample


def sample(status: str, detail: str = "", cut: int = 0) -> Sample:
    files = {"image": "images/k.png", "sha256": "0" * 64} if status == "ok" else {}
    fields = {"key": "k", "character": "cat", "anchor": "name", "repeat": 0, "prompt": "p", "prompt_sent": "p"}
    more = {"negative_prompt": None, "seed": 1, "status": status, "detail": detail, "truncated_tokens": cut}
    return Sample.model_validate({**fields, **more, **files})


def test_a_run_without_trouble_needs_no_note() -> None:
    assert notes_of([sample("ok"), sample("ok")]) == ()


def test_each_way_of_ending_is_told_with_its_most_common_reason() -> None:
    samples = [sample("refused", "policy"), sample("invalid", "all black"), sample("invalid", "all black")]
    assert notes_of([*samples, sample("invalid", "too small"), sample("ok")]) == (
        "1 refused: policy",
        "3 invalid: all black (and 1 other reasons)",
    )


def test_what_a_model_says_of_pictures_is_counted_without_the_particulars() -> None:
    rewritten = [sample("ok", f"prompt was rewritten by the service: {text}") for text in ("a cat", "a dog")]
    assert notes_of(rewritten) == ("2 pictures: prompt was rewritten by the service",)


def test_texts_that_were_cut_are_counted() -> None:
    assert notes_of([sample("ok", cut=3), sample("ok")]) == ("1 pictures: the text was longer than the model reads",)
