"""How many pictures fit into memory at once: found by halving, remembered, and never in the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path

import pytest
import torch
from pictures import difference, quick, request, resolved

from copycat.errors import BackendError
from copycat.models.batch_memory import BatchMemory, is_out_of_memory
from copycat.models.cache import cache_folder
from copycat.models.diffusers_model import DiffusersModel


class Machine:
    """Has room for so many rows; notes the sizes that were tried."""

    def __init__(self, room: int) -> None:
        self.room, self.tried = room, list[int]()

    def work(self, rows: Sequence[int]) -> list[int]:
        self.tried.append(len(rows))
        if len(rows) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return [row * 10 for row in rows]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "not" / "there" / "batch-sizes.json"


def test_a_batch_that_fits_is_done_in_one_go_and_nothing_is_written(path: Path) -> None:
    machine = Machine(room=8)
    assert BatchMemory("m", path).run(range(5), machine.work) == [0, 10, 20, 30, 40]
    assert machine.tried == [5]
    assert not path.exists()


def test_no_rows_are_no_work(path: Path) -> None:
    machine = Machine(room=8)
    assert BatchMemory("m", path).run((), machine.work) == []
    assert machine.tried == []


@pytest.mark.parametrize(
    ("rows", "room", "tried"), [(8, 3, [8, 4, 2, 2, 2, 2]), (5, 2, [5, 2, 2, 1]), (3, 1, [3, 1, 1, 1])]
)
def test_a_batch_that_does_not_fit_is_halved_until_it_does_and_keeps_its_order(
    path: Path, rows: int, room: int, tried: list[int]
) -> None:
    machine = Machine(room)
    assert BatchMemory("m", path).run(range(rows), machine.work) == [row * 10 for row in range(rows)]
    assert machine.tried == tried


def test_what_fitted_is_remembered_for_the_next_run_of_the_same_model_alone(path: Path) -> None:
    BatchMemory("m", path).run(range(8), Machine(room=3).work)
    assert json.loads(path.read_text()) == {"m": 2}
    again, other = Machine(room=3), Machine(room=3)
    assert BatchMemory("m", path).run(range(4), again.work) == [0, 10, 20, 30]
    BatchMemory("another", path).run(range(3), other.work)
    assert (again.tried, other.tried) == ([2, 2], [3])


def test_two_models_share_the_file_without_losing_each_other(path: Path) -> None:
    BatchMemory("m", path).run(range(4), Machine(room=2).work)
    BatchMemory("n", path).run(range(2), Machine(room=1).work)
    assert json.loads(path.read_text()) == {"m": 2, "n": 1}
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_one_picture_that_does_not_fit_is_a_backend_error(path: Path) -> None:
    machine = Machine(room=0)
    with pytest.raises(BackendError) as caught:
        BatchMemory("m", path).run(range(4), machine.work)
    assert str(caught.value) == ("out of memory with one picture; use a smaller --dtype or --size, or a larger device")
    assert machine.tried == [4, 2, 1]


@pytest.mark.parametrize("error", [RuntimeError("size mismatch"), KeyboardInterrupt(), BackendError("no")])
def test_any_other_error_passes_through_untouched(path: Path, error: BaseException) -> None:
    def work(rows: Sequence[int]) -> list[int]:
        raise error

    with pytest.raises(type(error)) as caught:
        BatchMemory("m", path).run(range(4), work)
    assert caught.value is error
    assert not path.exists()


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("x"), RuntimeError("MPS backend out of memory (...)")])
def test_out_of_memory_is_known_by_its_class_or_by_its_words(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("device-side assert triggered"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"m": 0}', '{"m": -2}', '{"m": "two"}', '{"m": null}', "\x00"])
def test_a_damaged_file_is_ignored_and_replaced(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(content)
    memory = BatchMemory("m", path)
    assert memory.limit is None
    memory.run(range(4), Machine(room=2).work)
    assert json.loads(path.read_text()) == {"m": 2}


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    memory = BatchMemory("m", tmp_path / "file" / "batch-sizes.json")
    assert memory.run(range(4), Machine(room=2).work) == [0, 10, 20, 30]


def test_the_file_lies_in_the_cache_folder_of_the_user(cache_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert BatchMemory("m").path == cache_home / "copycat" / "batch-sizes.json"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "copycat"


def test_a_pipeline_that_has_room_for_one_draws_a_batch_one_by_one_with_the_same_pictures(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, cache_home: Path
) -> None:
    from diffusers import StableDiffusionPipeline

    row = resolved(family_folder("sd"))
    sampling = quick(row, "sd")
    requests = [request(seed=seed, key=str(seed)) for seed in range(3)]
    expected = DiffusersModel(row, "cpu").generate(requests, sampling)
    call, tried = StableDiffusionPipeline.__call__, list[int]()

    @wraps(call)  # the settings of a call are read from its signature
    def small(self: object, *, generator: list[torch.Generator], **arguments: object) -> object:
        tried.append(len(generator))
        if len(generator) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return call(self, generator=generator, **arguments)

    monkeypatch.setattr(StableDiffusionPipeline, "__call__", small)
    for sizes in ([3, 1, 1, 1], [1, 1, 1]):  # the second model has read what the first one found
        tried.clear()
        drawn = DiffusersModel(row, "cpu").generate(requests, sampling)
        assert tried == sizes
        assert all(difference(one, other) <= 1 for one, other in zip(drawn, expected, strict=True))
    (remembered,) = json.loads((cache_home / "copycat" / "batch-sizes.json").read_text())
    assert remembered == f"{row.source} 32x32x1 float32 cpu"
