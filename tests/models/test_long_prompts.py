"""Prompts longer than CLIP reads: cut into pieces, encoded piece by piece, joined."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import SAME, difference, quick, request, resolved, unloadable

from copycat.errors import UnsupportedError
from copycat.models import Picture
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.long_prompts import pieces_of
from copycat.models.text_recipes import RECIPES
from copycat.schema import ImageRequest

IN_PIECES = ("sd", "sdxl", "video-sd", "animatediff")


def words(count: int) -> str:
    """Words of one letter, each of them one token."""
    return " ".join("abcdefghij"[place % 10] for place in range(count))


@pytest.mark.parametrize(("tokens", "pieces"), [(0, 1), (1, 1), (75, 1), (76, 2), (150, 2), (151, 3)])
def test_every_piece_has_its_own_start_and_end_and_the_full_length(tokens: int, pieces: int) -> None:
    from tiny_families_parts import clip_tokenizer

    tokenizer = clip_tokenizer()
    cut = pieces_of(tokenizer, words(tokens))
    assert [len(piece) for piece in cut] == [77] * pieces
    assert [piece[0] for piece in cut] == [tokenizer.bos_token_id] * pieces
    assert all(tokenizer.eos_token_id in piece for piece in cut)
    special = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}
    read = [token for piece in cut for token in piece if token not in special]
    assert read == tokenizer(words(tokens), add_special_tokens=False).input_ids


@pytest.mark.parametrize("text", ["", "a b c", words(75)])
def test_a_text_that_fits_is_the_one_piece_that_the_tokenizer_itself_makes(text: str) -> None:
    from tiny_families_parts import clip_tokenizer

    tokenizer = clip_tokenizer()
    assert pieces_of(tokenizer, text) == [tokenizer(text, padding="max_length", max_length=77).input_ids]


def draw(folder: Path, family: str, *requests: ImageRequest, long_prompts: bool) -> list[Picture]:
    row = resolved(folder)
    sampling = quick(row, family, **({"long_prompts": True} if long_prompts else {}))
    model = DiffusersModel(row, "cpu")
    model.check(requests, sampling)
    model.prepare(requests, sampling)
    return model.generate(requests, sampling)


@pytest.mark.parametrize("family", IN_PIECES)
def test_prompts_that_fit_give_the_same_pictures_with_and_without_the_option(
    family_folder: Callable[[str], Path], family: str
) -> None:
    requests = (request("a cat", key="a"), request(words(75), 2, key="b"), request("a dog", 3, "a wolf", key="c"))
    plain, long = (draw(family_folder(family), family, *requests, long_prompts=asked) for asked in (False, True))
    assert all(difference(one, other) <= SAME for one, other in zip(plain, long, strict=True))


@pytest.mark.parametrize("family", IN_PIECES)
def test_of_a_longer_prompt_every_token_is_read(family_folder: Callable[[str], Path], family: str) -> None:
    longer = (request(words(90), key="a"), request(f"{words(89)} z", key="b"))
    cut, cut_too = draw(family_folder(family), family, *longer, long_prompts=False)
    whole, other = draw(family_folder(family), family, *longer, long_prompts=True)
    assert (cut.truncated_tokens, whole.truncated_tokens) == (15, 0)
    assert difference(cut, cut_too) <= SAME
    assert min(difference(cut, whole), difference(whole, other)) > SAME


def test_a_longer_negative_prompt_is_read_whole_too(family_folder: Callable[[str], Path]) -> None:
    asked = request("a cat", negative=words(90))
    (cut,) = draw(family_folder("sdxl"), "sdxl", asked, long_prompts=False)
    (whole,) = draw(family_folder("sdxl"), "sdxl", asked, long_prompts=True)
    assert (cut.truncated_negative_tokens, whole.truncated_negative_tokens) == (15, 0)
    assert difference(cut, whole) > SAME


@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_a_short_prompt_beside_a_long_one_gives_nearly_the_picture_that_it_gives_alone(
    family_folder: Callable[[str], Path], family: str
) -> None:
    short, long = request("a cat", key="a"), request(words(160), 2, key="b")
    (alone,) = draw(family_folder(family), family, short, long_prompts=True)
    beside, _ = draw(family_folder(family), family, short, long, long_prompts=True)
    assert difference(alone, beside) <= SAME


@pytest.mark.parametrize("family", ["flux", "sd3", "wan", "if-1", "hunyuandit", "kandinsky3"])
def test_long_prompts_are_refused_before_loading_where_the_encoders_cannot_read_pieces(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    row = resolved(family_folder(family))
    with pytest.raises(UnsupportedError) as caught:
        unloadable(row, monkeypatch).check([request()], quick(row, family, long_prompts=True))
    assert str(caught.value) == (
        f"'{family}' ({row.pipeline}) cannot encode a long prompt in pieces\n"
        "  leave out --long-prompts; the tokens that are cut off are counted for each picture"
    )


def test_only_pipelines_whose_texts_are_clip_s_alone_read_pieces() -> None:
    assert {name for name, recipe in RECIPES.items() if recipe.pieces} == {
        "StableDiffusionPipeline",
        "StableDiffusionXLPipeline",
        "AnimateDiffPipeline",
        "TextToVideoSDPipeline",
    }


@pytest.mark.parametrize("long_prompts", [False, True])
def test_a_longer_prompt_is_counted_and_not_warned_of(
    family_folder: Callable[[str], Path], capsys: pytest.CaptureFixture[str], long_prompts: bool
) -> None:
    draw(family_folder("sd"), "sd", request(words(90)), long_prompts=long_prompts)
    assert capsys.readouterr() == ("", "")
