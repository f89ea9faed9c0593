"""Edited weights in a model: they draw the pictures that name them and no others, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from erasures import save_erasure
from pictures import SAME, difference, quick, request, resolved, unloadable
from safetensors.torch import load_file, save_file

from copycat.errors import DataError, UnsupportedError
from copycat.models import ModelRow
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.erased import (
    ASKED,
    CARD,
    COMMAND,
    DELTA,
    check_base,
    file_sha256,
    put_on,
    read_card,
    read_erasures,
    take_off,
)
from copycat.models.loading import load_pipeline
from copycat.schema import Erasure, ImageRequest, Sampling

Folder = Callable[[str], Path]


@pytest.fixture(scope="module")
def base(family_folder: Folder) -> Path:
    return family_folder("sd")


@pytest.fixture(scope="module")
def edited(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of erasures by what they edit."""
    home = tmp_path_factory.mktemp("erasures")
    for name, parts in (("unet", ("unet",)), ("texts", ("text_encoder",)), ("both", ("unet", "text_encoder"))):
        save_erasure(base, home / name, *parts)
    return {name: home / name for name in ("unet", "texts", "both")}


def with_files(row: ModelRow, *folders: Path) -> ModelRow:
    files = {read_card(folder).delta_sha256: str(folder / DELTA) for folder in folders}
    return row.model_copy(update={"files": files})


def asked(erasure: Erasure | None, prompt: str = "ab cat", seed: int = 1) -> ImageRequest:
    return request(prompt, seed, "wolf").model_copy(update={"erasure": erasure})


def model_of(base: Path, *folders: Path) -> tuple[DiffusersModel, Sampling]:
    row = with_files(resolved(base), *folders)
    return DiffusersModel(row, "cpu"), quick(row, "sd", width_px=16, height_px=16)


@pytest.mark.parametrize("name", ["unet", "texts", "both"])
def test_an_erasure_draws_what_a_pipeline_saved_with_its_weights_draws(
    base: Path, edited: dict[str, Path], name: str, tmp_path: Path
) -> None:
    pipeline = load_pipeline(
        DiffusersModel(resolved(base), "cpu").source, resolved(base), quick(resolved(base), "sd"), "cpu"
    )
    put_on(pipeline, edited[name] / DELTA)
    pipeline.save_pretrained(tmp_path / "whole")
    whole, sampling = model_of(tmp_path / "whole")
    (wanted,) = whole.generate([asked(None)], sampling)
    model, sampling = model_of(base, *edited.values())
    found, plain = model.generate([asked(read_card(edited[name]).erasure), asked(None)], sampling)
    assert difference(found, wanted) == 0
    assert difference(found, plain) > SAME


def test_pictures_of_several_weights_in_one_batch_do_not_touch_each_other(base: Path, edited: dict[str, Path]) -> None:
    model, sampling = model_of(base, *edited.values())
    kinds = [None, *(read_card(folder).erasure for folder in edited.values())]
    alone = [DiffusersModel(model.row, "cpu").generate([asked(kind)], sampling)[0] for kind in kinds]
    order = [0, 2, 1, 3, 0, 3, 2, 1]
    together = model.generate([asked(kinds[place]) for place in order], sampling)
    assert all(difference(picture, alone[place]) <= SAME for place, picture in zip(order, together, strict=True))
    assert [difference(picture, alone[0]) > SAME for picture in alone] == [False, True, True, True]


def test_texts_are_encoded_once_for_each_kind_of_encoder(base: Path, edited: dict[str, Path]) -> None:
    model, sampling = model_of(base, *edited.values())
    kinds = [None, *(read_card(folder).erasure for folder in edited.values())]
    model.prepare([asked(kind) for kind in kinds], sampling)
    assert list(model._texts) == [None, read_card(edited["texts"]).delta_sha256, read_card(edited["both"]).delta_sha256]
    rows = [store.rows["ab cat", False]["prompt_embeds"] for store in model._texts.values()]
    assert not torch.equal(rows[0], rows[1])


def test_weights_that_are_taken_off_leave_no_trace(base: Path, edited: dict[str, Path]) -> None:
    row = resolved(base)
    pipeline = load_pipeline(DiffusersModel(row, "cpu").source, row, quick(row, "sd"), "cpu")
    before = {name: value.clone() for name, value in pipeline.unet.state_dict().items()}
    own = put_on(pipeline, edited["both"] / DELTA)
    changed = [name for name, value in pipeline.unet.state_dict().items() if not torch.equal(value, before[name])]
    assert sorted(f"unet.{name}" for name in changed) == sorted(name for name in own if name.startswith("unet."))
    take_off(pipeline, own)
    assert all(torch.equal(value, before[name]) for name, value in pipeline.unet.state_dict().items())


def test_after_release_the_same_pictures_are_drawn(base: Path, edited: dict[str, Path]) -> None:
    model, sampling = model_of(base, edited["both"])
    erased = asked(read_card(edited["both"]).erasure)
    (first,) = model.generate([erased], sampling)
    model.release()
    (plain, again) = model.generate([asked(None), erased], sampling)
    assert difference(first, again) <= SAME
    assert difference(plain, again) > SAME


# ------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("python -m copycat.erase --out 'a b'", "python -m copycat.erase --out 'a b'"),
        ("python -m copycat.erase --out e; ls", "python -m copycat.erase --out 'e;' ls"),
        ("rm -r x", "the command that began it, again"),
        ("python -m copycat.erase 'open", "the command that began it, again"),
        (None, "the command that began it, again"),
    ],
)
def test_an_unfinished_erasure_says_how_far_it_came_and_what_goes_on(
    tmp_path: Path, command: str | None, told: str
) -> None:
    (tmp_path / ASKED).write_text('{"settings": {"steps": 20}}', encoding="utf-8")
    for steps in (15, 17):
        (tmp_path / f"checkpoint-{steps:06d}.safetensors").touch()
    if command is not None:
        (tmp_path / COMMAND).write_text(command, encoding="utf-8")
    with pytest.raises(DataError) as refused:
        read_card(tmp_path)
    assert "unfinished, at step 17 of 20" in str(refused.value)
    assert str(refused.value).endswith(f"\n  go on: {told}")
    (tmp_path / ASKED).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="unfinished, at step 17 "):
        read_card(tmp_path)


def test_weights_that_are_not_at_hand_are_refused_before_any_are_loaded(
    base: Path, edited: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = unloadable(resolved(base), monkeypatch)
    with pytest.raises(UnsupportedError, match="are not at hand\n  needed: --erased DIR"):
        model.check([asked(read_card(edited["unet"]).erasure)], quick(model.row, "sd"))


def test_weights_that_changed_since_their_card_was_read_are_refused(base: Path, tmp_path: Path) -> None:
    card = save_erasure(base, tmp_path / "e")
    model, sampling = model_of(base, tmp_path / "e")
    (tmp_path / "e" / DELTA).write_bytes(b"something else")
    with pytest.raises(UnsupportedError, match="are not at hand"):
        model.check([asked(card.erasure)], sampling)


def test_a_component_that_the_pipeline_lacks_is_refused(base: Path, tmp_path: Path) -> None:
    save_erasure(base, tmp_path / "e")
    tensors = {f"transformer.{name}": value for name, value in load_file(tmp_path / "e" / DELTA).items()}
    save_file(tensors, tmp_path / "odd.safetensors")
    sha256 = file_sha256(tmp_path / "odd.safetensors")
    row = resolved(base).model_copy(update={"files": {sha256: str(tmp_path / "odd.safetensors")}})
    odd = Erasure(method="esd", concepts=("Goofy",), sha256=sha256)
    with pytest.raises(UnsupportedError, match="has no transformer, which the erasure of Goofy by esd edits"):
        DiffusersModel(row, "cpu").check([asked(odd)], quick(row, "sd"))


def test_a_tensor_of_another_shape_is_refused_and_nothing_stays_changed(base: Path, tmp_path: Path) -> None:
    save_erasure(base, tmp_path / "e")
    tensors = load_file(tmp_path / "e" / DELTA)
    last = sorted(tensors)[-1]
    save_file(tensors | {last: tensors[last][:-1].contiguous()}, tmp_path / "cut.safetensors")
    row = resolved(base)
    pipeline = load_pipeline(DiffusersModel(row, "cpu").source, row, quick(row, "sd"), "cpu")
    before = {name: value.clone() for name, value in pipeline.unet.state_dict().items()}
    with pytest.raises(DataError, match="does not fit the model's unet"):
        put_on(pipeline, tmp_path / "cut.safetensors")
    assert all(torch.equal(value, before[name]) for name, value in pipeline.unet.state_dict().items())


def test_a_delta_of_another_revision_is_refused_with_what_to_type(base: Path, edited: dict[str, Path]) -> None:
    card = read_card(edited["unet"])
    check_base(card, "tiny", card.source, card.revision)
    with pytest.raises(UnsupportedError, match=r"was made for .*\n  use the model .*copycat.erase --model tiny"):
        check_base(card, "tiny", card.source, "f" * 64)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / CARD).unlink(), "no finished erasure there"),
        (lambda folder: (folder / CARD).write_text("{}", encoding="utf-8"), "card.json: method: Field required"),
        (lambda folder: (folder / DELTA).write_bytes(b"x"), "missing, or not the weights"),
        (lambda folder: (folder / DELTA).unlink(), "missing, or not the weights"),
    ],
)
def test_a_damaged_folder_is_told(base: Path, tmp_path: Path, damage: Callable[[Path], object], said: str) -> None:
    save_erasure(base, tmp_path / "e")
    damage(tmp_path / "e")
    with pytest.raises(DataError, match=said):
        read_card(tmp_path / "e")


# --------------------------------------------------------------------------------------- labels


def label_of(base: Path, folder: Path, **changes: object) -> str:
    save_erasure(base, folder, noise=len(str(folder)), **changes)
    return read_erasures([folder])[0].label


def test_a_label_tells_method_and_concepts_whatever_the_path(base: Path, tmp_path: Path) -> None:
    assert label_of(base, tmp_path / "a", concepts=("Buzz Light-Year", "Élan!")) == "erased:esd-buzz-light-year-élan"
    assert label_of(base, tmp_path / "other" / "b", method="uce") == "erased:uce-goofy"
    assert label_of(base, tmp_path / "c", seed=2, preset="published") == "erased:esd-goofy-published-s2"
    assert label_of(base, tmp_path / "e", status="diverged") == "erased:esd-goofy-diverged"
    assert label_of(base, tmp_path / "d", concepts=tuple("abcde")) == "erased:esd-a-b-c-and-2-more"


def test_two_erasures_of_one_label_are_told_apart_and_the_same_one_is_one(base: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        save_erasure(base, tmp_path / str(number), noise=number)
    labels = [one.label for one in read_erasures([tmp_path / "1", tmp_path / "2"])]
    hashes = [read_card(tmp_path / number).delta_sha256 for number in "12"]
    assert labels == [f"erased:esd-goofy-{sha256[:6]}" for sha256 in hashes]
    assert len(read_erasures([tmp_path / "1", tmp_path / "1"])) == 1
