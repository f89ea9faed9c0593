"""What a run would take: measured before, or unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from copycat_doubles import MODEL
from plan_builders import SPEC, changed, plan_of, run_file

from copycat.plan import run_id
from copycat.runs.folder import RunFolder, append_journal
from copycat.runs.forecast import (
    Forecast,
    Pace,
    Weight,
    add_up,
    first_unaffordable,
    forecast_run,
    pace_of,
    read_past,
    typical_bytes,
    weight_of,
)
from copycat.runs.shards import Shard
from copycat.schema import CharacterSet, RunSpec, Sample, Sampling

SERVICE = MODEL.model_copy(update={"concurrency": 2})


def sample(key: str, status: str = "ok", seconds: float | None = 1.0, folder: Path | None = None) -> Sample:
    is_ok = status == "ok"
    if folder is not None and is_ok:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        (folder / "images" / f"{key}.png").write_bytes(b"x" * 100)
    given: dict[str, Any] = {"key": key, "character": "max", "anchor": "name", "repeat": 0, "seed": 1}
    given |= {"prompt": "Max", "prompt_sent": "Max", "negative_prompt": None, "status": status, "seconds": seconds}
    return Sample(**given, image=f"images/{key}.png" if is_ok else None, sha256="0" * 64 if is_ok else None)


def make_past(out: Path, seconds: list[float], spec: RunSpec = SPEC, device: str = "cpu") -> None:
    """Write a run folder whose pictures took so long."""
    folder = RunFolder(out / run_id(spec))
    folder.write_run(run_file(spec, device=device))
    append_journal(folder.samples_path, [sample(f"k{i}", seconds=s, folder=folder.path) for i, s in enumerate(seconds)])


def forecast(**fields: Any) -> Forecast:
    given = {"model": "m", "mitigation": "none", "folder": "runs/m", "is_service": False, "is_video": False}
    given |= {"device": "cpu", "batch_size": 4, "n_planned": 10, "n_made": 0, "n_failed": 0, "n_to_make": 10}
    given |= {"n_charged": 0, "pace": None, "weight": Weight(n_bytes=100), "usd_each": 0.0}
    return Forecast.model_validate(given | fields)


# ------------------------------------------------------------------------------------- what is there


def test_pictures_are_made_failed_or_still_to_make(tmp_path: Path, characters: CharacterSet) -> None:
    plan, folder = plan_of(characters), RunFolder(tmp_path)
    keys = [request.key for request in plan.requests]
    ends = [sample(keys[0], folder=tmp_path), sample(keys[1]), sample(keys[2], "refused"), sample(keys[3], "failed")]
    append_journal(folder.samples_path, [*ends, sample("of-another-plan", "refused")])

    found = forecast_run(MODEL, plan, folder, [])

    assert (found.n_planned, found.n_made, found.n_failed, found.n_to_make) == (12, 2, 1, 10)
    assert found.n_charged == 3


def test_with_fresh_everything_is_to_make(tmp_path: Path, characters: CharacterSet) -> None:
    plan, folder = plan_of(characters), RunFolder(tmp_path)
    append_journal(folder.samples_path, [sample(plan.requests[0].key, folder=tmp_path)])
    found = forecast_run(MODEL, plan, folder, [], is_fresh=True)
    assert (found.n_made, found.n_to_make) == (1, 12)


def test_a_shard_counts_its_own_part_of_the_plan(tmp_path: Path, characters: CharacterSet) -> None:
    assert forecast_run(MODEL, plan_of(characters), RunFolder(tmp_path, Shard(3, 3)), []).n_planned == 4


def test_what_another_shard_has_finished_is_made(tmp_path: Path, characters: CharacterSet) -> None:
    plan, folder = plan_of(characters), RunFolder(tmp_path)
    key = plan.requests[0].key
    append_journal(folder.samples_path, [sample(key, "failed")])
    append_journal(tmp_path / "samples-1-of-2.jsonl", [sample(key, folder=tmp_path)])
    found = forecast_run(MODEL, plan, folder, [])
    assert (found.n_made, found.n_failed) == (1, 0)


# ------------------------------------------------------------------------------------------- the time


def test_the_time_is_the_median_without_the_batch_that_loaded_the_model(tmp_path: Path) -> None:
    make_past(tmp_path, [9, 9, 9, 9, 1, 2, 3, 40])
    assert pace_of(SPEC, read_past(tmp_path)) == Pace(seconds=2.5, n=4)


def test_a_single_batch_says_that_loading_is_in_it(tmp_path: Path) -> None:
    make_past(tmp_path, [9, 9, 9, 9])
    assert pace_of(SPEC, read_past(tmp_path)) == Pace(seconds=9, n=4, has_loading=True)


def test_another_mitigation_and_other_characters_measure_as_well(tmp_path: Path) -> None:
    make_past(tmp_path, [1] * 8, changed(SPEC, mitigation="negprompt:name", characters="others"))
    assert pace_of(SPEC, read_past(tmp_path)) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"model_source": "another"},
        {"model_revision": "2"},
        {"batch_size": 1},
        {"sampling": SPEC.sampling.model_copy(update={"steps": 2})},
    ],
    ids=str,
)
def test_another_model_or_setting_measures_nothing(tmp_path: Path, other: dict[str, Any]) -> None:
    make_past(tmp_path, [1] * 8, changed(SPEC, **other))
    assert pace_of(SPEC, read_past(tmp_path)) is None


def test_another_device_measures_nothing(tmp_path: Path) -> None:
    make_past(tmp_path, [1] * 8, device="cuda: NVIDIA H100")
    assert pace_of(SPEC, read_past(tmp_path)) is None


def test_a_broken_run_folder_measures_nothing_and_stops_nothing(tmp_path: Path) -> None:
    make_past(tmp_path, [1] * 8)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    assert len(read_past(tmp_path)) == 1


# ------------------------------------------------------------------------------- the disk and the money


def test_files_are_as_large_as_those_that_are_there(tmp_path: Path) -> None:
    make_past(tmp_path, [1] * 8)
    assert weight_of(SPEC, read_past(tmp_path)) == Weight(n_bytes=100, n=8)


def test_without_any_a_rule_of_thumb_holds_for_pictures_and_clips() -> None:
    assert weight_of(SPEC, []).n == 0
    assert typical_bytes(Sampling(width_px=100, height_px=100)) == 16_000
    clip = Sampling(width_px=100, height_px=100, frames=40, kept_frames=(0, 39), fps=8)
    assert typical_bytes(clip) == pytest.approx(2 * 16_000 + 40 * 500)


def test_the_price_of_the_user_goes_before_that_of_the_row(tmp_path: Path, characters: CharacterSet) -> None:
    plan, folder = plan_of(characters), RunFolder(tmp_path)
    listed = SERVICE.model_copy(update={"usd_per_picture": 0.5})
    assert forecast_run(SERVICE, plan, folder, []).usd_each is None
    assert forecast_run(listed, plan, folder, []).usd_each == 0.5
    assert forecast_run(listed, plan, folder, [], price=0.1).usd_each == 0.1
    assert forecast_run(MODEL, plan, folder, [], price=0.1).usd_each == 0.0


def test_a_total_is_unknown_where_a_part_is() -> None:
    known = forecast(pace=Pace(seconds=2, n=1), n_to_make=5)
    unknown = forecast(is_service=True, usd_each=None)
    total = add_up([known, unknown])
    assert (total.device_seconds, total.usd, total.n_api_calls, total.n_bytes) == (10, None, 10, 1500)
    assert add_up([forecast(), known]).device_seconds is None


def test_what_is_already_made_leaves_nothing_unknown() -> None:
    total = add_up([forecast(n_to_make=0), forecast(n_to_make=0, is_service=True, usd_each=None)])
    assert (total.device_seconds, total.usd, total.n_bytes) == (0, 0, 0)


@pytest.mark.parametrize(("most", "charged", "count"), [(1.0, 0, None), (0.5, 0, 5), (0.5, 3, 2), (0.5, 9, 0)])
def test_max_cost_pays_for_what_is_left_of_it(most: float, charged: int, count: int | None) -> None:
    run = forecast(is_service=True, usd_each=0.1, n_charged=charged)
    assert first_unaffordable([run], most) == (None if count is None else (run, count))


def test_max_cost_holds_for_all_runs_of_a_command_together() -> None:
    drawn_here, first = forecast(n_to_make=99), forecast(is_service=True, usd_each=0.1, n_to_make=10)
    second = forecast(is_service=True, usd_each=0.1, n_to_make=10, n_charged=3, mitigation="negprompt:name")
    assert first_unaffordable([drawn_here, first, second], 2.3) is None
    assert first_unaffordable([drawn_here, first, second], 2.0) == (second, 7)
    assert first_unaffordable([drawn_here, first, second], 0.4) == (first, 4)


def test_what_was_paid_for_and_of_no_use_counts_as_paid(tmp_path: Path, characters: CharacterSet) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.add_extra_charges(4)
    assert forecast_run(SERVICE, plan_of(characters), folder, []).n_charged == 4
    assert forecast_run(SERVICE, plan_of(characters), folder, [], is_fresh=True).n_charged == 0


def test_a_clip_whose_file_is_gone_is_to_be_made_again(tmp_path: Path, characters: CharacterSet) -> None:
    plan, folder = plan_of(characters), RunFolder(tmp_path / "run")
    request = plan.requests[0]
    files = {"image": f"images/{request.key}.png", "video": f"videos/{request.key}.mp4", "sha256": "0", "status": "ok"}
    for name in ("image", "video"):
        folder.save_file(files[name], b"x")
    folder.append_samples([Sample.model_validate(request.model_dump(exclude={"prompt_id"}) | files)])
    assert forecast_run(MODEL, plan, folder, []).n_made == 1
    (folder.path / files["video"]).unlink()
    assert forecast_run(MODEL, plan, folder, []).n_made == 0
