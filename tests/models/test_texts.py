"""Texts: each encoded once, the encoders freed, and the tokens that nobody read counted."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from pictures import SAME, difference, quick, request, resolved
from tiny_families import each_of

from copycat.models.diffusers_model import DiffusersModel
from copycat.models.resolve import resolve_model
from copycat.models.text_recipes import RECIPES
from copycat.models.texts import TextStore, recipe_of, truncated_tokens, wanted_texts
from copycat.schema import ImageRequest

STORED = (
    "sd", "sdxl", "sd3", "flux", "qwen", "pixart", "sana", "auraflow", "if-1",
    "video-sd", "animatediff", "cogvideox", "wan", "ltx", "mochi", "hunyuan-video",
)  # fmt: skip
"""Families whose texts are encoded once, for they have a recipe."""

ENCODERS = ("text_encoder", "text_encoder_2", "text_encoder_3")


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Note every text that a pipeline's class encodes."""
    import diffusers

    def watch(pipeline: str) -> list[str]:
        found = getattr(diffusers, pipeline)
        encode_prompt, texts = found.encode_prompt, list[str]()

        @wraps(encode_prompt)
        def noting(self: Any, prompt: Any = None, *args: Any, **settings: Any) -> Any:
            if prompt is not None:
                texts.extend([prompt] if isinstance(prompt, str) else prompt)
            return encode_prompt(self, prompt, *args, **settings)

        monkeypatch.setattr(found, "encode_prompt", noting)
        return texts

    return watch


def guided(family: str) -> dict[str, Any]:
    return {"true_guidance": 4.0} if family in ("flux", "hunyuan-video") else {}


REQUESTS = [
    request("ab cat", 1, key="a"),
    request("ab cat", 2, key="b"),
    request("dog house", 3, key="c"),
    request("ab cat", 1, "Goofy", key="d"),
    request("dog house", 3, "Goofy", key="e"),
]


@pytest.mark.parametrize("family", each_of(STORED))
def test_every_text_is_encoded_exactly_once_and_then_the_encoders_are_gone(
    family_folder: Callable[[str], Path], encoded: Callable[[str], list[str]], family: str
) -> None:
    row = resolved(family_folder(family))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, family, **guided(family))
    texts = encoded(row.pipeline)
    model.prepare(REQUESTS, sampling)
    assert sorted(texts) == ["", "Goofy", "ab cat", "dog house"]
    assert model.pipeline is None
    model.prepare(REQUESTS, sampling)
    model.generate(REQUESTS[:3], sampling)
    model.generate(REQUESTS[3:], sampling)
    assert len(texts) == 4
    left = [name for name in ENCODERS if getattr(model.pipeline, name, None) is not None]
    assert left == []
    assert model._encoders is None


@pytest.mark.parametrize("family", ["sd", "sdxl", "wan"])
def test_a_text_that_was_not_prepared_is_encoded_later_and_gives_the_same_picture(
    family_folder: Callable[[str], Path], encoded: Callable[[str], list[str]], family: str
) -> None:
    row = resolved(family_folder(family))
    sampling = quick(row, family)
    texts = encoded(row.pipeline)
    prepared, late = DiffusersModel(row, "cpu"), DiffusersModel(row, "cpu")
    prepared.prepare(REQUESTS, sampling)
    expected = prepared.generate(REQUESTS, sampling)
    texts.clear()
    late.prepare(REQUESTS[:1], sampling)
    drawn = late.generate(REQUESTS, sampling)
    assert sorted(texts) == ["", "Goofy", "ab cat", "dog house"]
    assert all(difference(one, other) <= SAME for one, other in zip(drawn, expected, strict=True))


@pytest.mark.parametrize("family", ["pixart", "sana", "if-1"])
def test_no_prompt_is_cleaned_whatever_packages_are_installed(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    """With bs4 and ftfy installed, these pipelines would rewrite a prompt before they encode it."""
    import diffusers

    row = resolved(family_folder(family))
    found = getattr(diffusers, row.pipeline)
    encode_prompt, cleaned = found.encode_prompt, list[bool]()

    @wraps(encode_prompt)
    def noting(self: Any, *args: Any, clean_caption: bool, **settings: Any) -> Any:
        cleaned.append(clean_caption)
        return encode_prompt(self, *args, clean_caption=clean_caption, **settings)

    monkeypatch.setattr(found, "encode_prompt", noting)
    DiffusersModel(row, "cpu").prepare(REQUESTS, quick(row, family))
    assert cleaned == [False] * 4


def test_encoders_are_loaded_at_most_once_for_texts_that_come_later(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from copycat.models import diffusers_model

    halves: list[str] = []

    def noting(*arguments: Any) -> Any:
        halves.append(arguments[-1])
        return load(*arguments)

    load = diffusers_model.load_pipeline
    monkeypatch.setattr(diffusers_model, "load_pipeline", noting)
    row = resolved(family_folder("sd"))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, "sd")
    for text in ("one", "two", "one", "three"):
        model.generate([request(text)], sampling)
    assert halves == ["texts", "drawing"]


def test_the_half_that_encodes_holds_nothing_that_draws(
    family_folder: Callable[[str], Path],
) -> None:
    from copycat.models.loading import load_pipeline

    row = resolved(family_folder("sdxl"))
    model = DiffusersModel(row, "cpu")
    sampling = quick(row, "sdxl")
    texts = load_pipeline(model.source, row, sampling, "cpu", "texts")
    drawing = load_pipeline(model.source, row, sampling, "cpu", "drawing")
    assert (texts.unet, texts.vae) == (None, None)
    assert (drawing.text_encoder, drawing.text_encoder_2) == (None, None)
    assert None not in (texts.text_encoder, texts.text_encoder_2, drawing.unet, drawing.vae, drawing.tokenizer)


def test_a_family_without_a_recipe_keeps_its_encoders_and_prepares_nothing(
    family_folder: Callable[[str], Path], encoded: Callable[[str], list[str]]
) -> None:
    row = resolved(family_folder("kandinsky3"))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, "kandinsky3")
    assert recipe_of(row.pipeline) is None
    texts = encoded(row.pipeline)
    model.prepare(REQUESTS, sampling)
    assert texts == []
    model.generate(REQUESTS[:1], sampling)
    assert model.pipeline.text_encoder is not None


def test_every_recipe_is_of_a_class_that_diffusers_has() -> None:
    import diffusers

    assert [name for name in RECIPES if not hasattr(diffusers, name)] == []


def test_a_text_that_is_both_asked_for_and_unwanted_is_encoded_as_each() -> None:
    store = TextStore(RECIPES["StableDiffusionPipeline"])
    asked: list[ImageRequest] = [request("Goofy"), request("dog", negative="Goofy")]
    assert list(wanted_texts(asked)) == [("Goofy", False), ("", True), ("dog", False), ("Goofy", True)]
    assert store.missing(asked) == list(wanted_texts(asked))


# ------------------------------------------------------------------------------- tokens not read

# Of CLIP a word of one letter is a token, of T5 a letter. CLIP needs a start and an end, T5 the start of the word
# and an end. Encoders with a chat template read as many letters as it leaves them.
LIMITS = {
    "sd": (77, 2), "sdxl": (77, 2), "video-sd": (77, 2), "animatediff": (77, 2),
    "if-1": (77, 2), "pixart": (120, 2), "sd3": (256, 2), "flux": (512, 2), "auraflow": (256, 2),
    "cogvideox": (226, 2), "wan": (512, 2), "ltx": (128, 2), "mochi": (256, 2), "kandinsky3": (128, 2),
    "qwen": (512, 0), "z-image": (509, 0), "flux2-klein": (509, 0), "hunyuan-video": (257, 1),
}  # fmt: skip
"""Tokens that the most far-reading encoder of a family takes, and those that it needs for itself."""

CLIP_ALONE = ("sd", "sdxl", "video-sd", "animatediff")


def text_of(family: str, tokens: int, letter: str = "x") -> str:
    return (" " if family in CLIP_ALONE else "").join(letter * tokens)


@pytest.mark.parametrize("family", each_of(LIMITS))
def test_tokens_are_counted_from_the_limit_of_the_encoder_that_reads_furthest(
    family_folder: Callable[[str], Path], family: str
) -> None:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(family_folder(family))
    limit, own = LIMITS[family]
    letters = limit - own
    lengths = (0, letters - 1, letters, letters + 1, letters + 50)
    assert [truncated_tokens(pipeline, text_of(family, n)) for n in lengths] == [0, 0, 0, 1, 50]


def test_of_two_encoders_with_different_limits_the_one_that_cuts_less_is_counted(
    family_folder: Callable[[str], Path],
) -> None:
    """HunyuanDiT: BERT takes 77 tokens, of a word of one letter one; T5 takes 256, of such a word two."""
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(family_folder("hunyuandit"))
    counts = {n: truncated_tokens(pipeline, " ".join("x" * n)) for n in (75, 127, 128, 140, 200)}
    assert counts == {75: 0, 127: 0, 128: 1, 140: 2 * 140 + 1 - 256, 200: 200 + 2 - 77}


@pytest.mark.parametrize("family", each_of(LIMITS))
def test_letters_within_the_limit_change_the_embedding_and_letters_beyond_it_do_not(
    family_folder: Callable[[str], Path], family: str
) -> None:
    """The limit is what the pipeline truly reads: seen in its pictures, not in its documentation."""
    row = resolve_model(str(family_folder(family)), size_px=(32, 32))
    model = DiffusersModel(row, "cpu")
    sampling = quick(row, family, **guided(family))
    limit, own = LIMITS[family]
    texts = (
        text_of(family, limit - own),
        text_of(family, limit - own + 4, "x")[: -len(text_of(family, 4))] + text_of(family, 4, "z"),
        text_of(family, limit - own)[:-1] + "z",
    )
    whole, beyond, within = (model.generate([request(text)], sampling)[0] for text in texts)
    assert (whole.truncated_tokens, beyond.truncated_tokens, within.truncated_tokens) == (0, 4, 0)
    assert difference(whole, beyond) == 0
    assert difference(whole, within) > 0


@pytest.mark.parametrize("family", ["sd", "sdxl", "wan", "if-1"])
def test_tokens_of_a_negative_prompt_are_counted_apart(family_folder: Callable[[str], Path], family: str) -> None:
    row = resolved(family_folder(family))
    model, sampling = DiffusersModel(row, "cpu"), quick(row, family)
    limit, own = LIMITS[family]
    asked = [
        request(text_of(family, limit - own + 3), key="a"),
        request("x", negative=text_of(family, limit - own + 5), key="b"),
        request(text_of(family, limit - own + 1), negative=text_of(family, limit - own + 2), key="c"),
    ]
    pictures = model.generate(asked, sampling)
    assert [(p.truncated_tokens, p.truncated_negative_tokens) for p in pictures] == [(3, 0), (0, 5), (1, 2)]


def test_a_chat_template_does_not_count_as_text_that_was_cut_off(family_folder: Callable[[str], Path]) -> None:
    for family in ("qwen", "z-image", "flux2-klein", "sana", "hunyuan-video"):
        row = resolve_model(str(family_folder(family)), size_px=(32, 32))
        sampling = quick(row, family, **guided(family))
        (picture,) = DiffusersModel(row, "cpu").generate([request("a blue dog in the rain")], sampling)
        assert (picture.truncated_tokens, picture.truncated_negative_tokens) == (0, 0)
