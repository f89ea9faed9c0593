"""The folder of an erasure at work: checkpoints, losses, and what was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from copycat.erasure import Concept
from copycat.erasure.checkpoints import Asked, Checkpoint, Workplace
from copycat.errors import ResumeMismatchError, UserError

ASKED = Asked(
    method="esd",
    preset="corrected",
    settings={"steps": 4, "lr": 0.1},
    small={},
    concepts=(Concept(name="abc", anchor="b"),),
    seed=0,
    model="tiny",
    source="folder:tiny",
    revision="1" * 40,
    pipeline="StableDiffusionPipeline",
    dtype="float32",
)


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    (tmp_path / "out").mkdir()
    return Workplace(tmp_path / "out")


def checkpoint(steps: int) -> Checkpoint:
    return Checkpoint(
        steps, 1.5 * steps, {"unet.a.weight": torch.full((2, 2), float(steps))}, {"adam.0.step": torch.ones(())}
    )


def test_a_checkpoint_comes_back_as_it_was(place: Workplace) -> None:
    place.save(checkpoint(7))

    found = place.read_last()

    assert found is not None
    assert (found.steps, found.seconds) == (7, 10.5)
    assert found.edited["unet.a.weight"].tolist() == [[7, 7], [7, 7]]
    assert list(found.state) == ["adam.0.step"]


def test_the_last_two_are_kept_and_a_damaged_one_gives_way_to_the_one_before(place: Workplace) -> None:
    for steps in (9, 10, 100):
        place.save(checkpoint(steps))
    files = sorted(path.name for path in place.path.glob("*"))
    assert files == ["checkpoint-000010.safetensors", "checkpoint-000100.safetensors"]

    last = place.path / files[-1]
    last.write_bytes(last.read_bytes()[:-5])

    found = place.read_last()
    assert found is not None
    assert found.steps == 10


def test_an_unfinished_file_is_no_checkpoint(place: Workplace) -> None:
    (place.path / ".checkpoint-000003.safetensors.new").write_bytes(b"half")
    assert place.read_last() is None


def test_what_a_kill_left_half_written_goes_with_checkpoints_and_bank(place: Workplace) -> None:
    place.save(checkpoint(1))
    place.prepared.mkdir()
    (place.prepared / "bank.safetensors").write_bytes(b"latents")
    (place.path / ".checkpoint-000003.safetensors.new").write_bytes(b"half")
    (place.path / ".card.json.swp").write_text("mine")

    place.tidy()

    assert [path.name for path in place.path.iterdir()] == [".card.json.swp"]


def test_losses_of_steps_that_are_done_again_are_dropped(place: Workplace) -> None:
    for step in range(5):
        place.add_losses(step, {"erase": step / 10})

    place.cut_losses(3)

    assert [(line.step, line.losses["erase"]) for line in place.read_losses()] == [(0, 0.0), (1, 0.1), (2, 0.2)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"settings": {"steps": 5, "lr": 0.1}}, "steps: 4 there, 5 asked for"),
        ({"settings": {"steps": 4, "lr": 0.1, "eta": 1.0}}, "eta: not set there, 1.0 asked for"),
        ({"concepts": (Concept(name="abc"),)}, "concepts: 'abc -> b' there, 'abc -> None' asked for"),
        ({"seed": 3}, "seed: 0 there, 3 asked for"),
        ({"revision": "2" * 40}, f"revision: '{'1' * 40}' there, '{'2' * 40}' asked for"),
    ],
)
def test_other_settings_are_refused_by_name(place: Workplace, changes: dict[str, Any], told: str) -> None:
    place.take(ASKED)
    place.take(ASKED)

    with pytest.raises(ResumeMismatchError) as refused:
        place.take(ASKED.model_copy(update=changes))

    assert told in str(refused.value)
    assert "start anew with --fresh" in str(refused.value)


def test_one_process_at_a_time_works_in_a_folder(place: Workplace) -> None:
    with place.held(), pytest.raises(UserError, match="another process is working in"), Workplace(place.path).held():
        pass


def test_starting_anew_deletes_what_an_erasure_made_and_nothing_else(place: Workplace) -> None:
    place.take(ASKED)
    place.save(checkpoint(1))
    place.prepared.mkdir()
    (place.path / "notes.txt").write_text("mine")

    place.clear()

    assert [path.name for path in place.path.iterdir()] == ["notes.txt"]
