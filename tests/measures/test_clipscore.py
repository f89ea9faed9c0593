"""CLIPScore on renders whose truth is known, and its formula by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_judge import sandbox_render

from copycat.judges.open_clip_encoder import OpenClipEncoder
from copycat.judges.open_clip_weights import find_weights
from copycat.measures import SANDBOX_WEIGHTS, Measure, build_measure, resolve_measure
from copycat.measures.clipscore import PREFIX, clip_score
from copycat.schema import CharacterSet, Sample


@pytest.mark.parametrize(("cosine", "score"), [(0.3, 0.75), (-0.2, 0.0), (1.0, 2.5), (1.0000001, 2.5)])
def test_the_score_is_two_and_a_half_times_the_cosine_and_never_negative(cosine: float, score: float) -> None:
    assert clip_score(cosine) == pytest.approx(score)


def test_the_words_that_were_asked_for_fit_their_own_picture_best(
    build: Callable[..., Measure], samples: Callable[..., Sample], sandbox: CharacterSet
) -> None:
    prompts = [f"a picture of {c.name}" for c in sandbox.characters[:4]]
    right = [samples(c.id, prompt) for c, prompt in zip(sandbox.characters, prompts, strict=False)]
    wrong = [samples(c.id, prompts[i - 1]) for i, c in enumerate(sandbox.characters[:4])]
    pictures = [sandbox_render(i, 7) for i in range(4)]
    measure = build("clipscore")

    fits, does_not = measure.measure(pictures, right), measure.measure(pictures, wrong)

    assert [m.key for m in fits] == [sample.key for sample in right]
    assert [m.image_sha256 for m in fits] == [sample.sha256 for sample in right]
    assert all(a.value > b.value for a, b in zip(fits, does_not, strict=True))


def test_the_score_is_that_of_the_two_vectors(build: Callable[..., Measure], samples: Callable[..., Sample]) -> None:
    encoder = OpenClipEncoder(find_weights(SANDBOX_WEIGHTS, "me"), "cpu")
    cosine = float(encoder.embed_pictures([sandbox_render(3, 1)])[0] @ encoder.embed_texts(("a blue cat",))[0])
    (found,) = build("clipscore").measure([sandbox_render(3, 1)], [samples("x", "a blue cat")])
    assert found.value == pytest.approx(2.5 * max(cosine, 0), abs=1e-5)


def test_other_weights_read_the_prefix_of_the_paper(
    tiny_judge: Path, samples: Callable[..., Sample], sandbox: CharacterSet
) -> None:
    encoder = OpenClipEncoder(find_weights(str(tiny_judge), "me"), "cpu")
    said = encoder.embed_texts((f"{PREFIX}a blue cat",))[0]
    cosine = float(encoder.embed_pictures([sandbox_render(3, 1)])[0] @ said)
    measure = build_measure(resolve_measure(f"clipscore:{tiny_judge}"), "cpu", sandbox)
    (found,) = measure.measure([sandbox_render(3, 1)], [samples("x", "a blue cat")])
    assert found.value == pytest.approx(2.5 * max(cosine, 0), abs=1e-5)
