"""copycat.eval --attack: which runs are made, what is sent, and how tables and files tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from erasures import save_erasure
from harness import Cli
from saved_attacks import found, save

from copycat.runs.folder import RunFolder

NAMES = ["none", "negprompt:name", "attacked:arc:O1", "negprompt:name+attacked:arc:O1"]


def runs_of(folder: Path) -> dict[str, RunFolder]:
    found = [RunFolder(path.parent) for path in folder.glob("runs/*/run.json")]
    return {run.read_run().spec.mitigation: run for run in found}


@pytest.fixture
def attacked(run: Cli) -> Any:
    return run("--mitigation", "negprompt:name", "--attack", "arc")


def test_every_mitigation_is_run_without_and_with_each_attack(attacked: Any, tmp_path: Path) -> None:
    assert attacked.code == 0, attacked.err
    assert set(runs_of(tmp_path)) == set(NAMES)


def test_an_attacked_run_differs_in_its_attack_alone(attacked: Any, tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    assert attacked.code == 0
    for plain, under in (NAMES[0::2], NAMES[1::2]):
        before, after = (runs[name].read_samples() for name in (plain, under))
        assert [(s.prompt_sent, s.negative_prompt, s.seed) for s in before] == [
            (s.prompt_sent, s.negative_prompt, s.seed) for s in after
        ]
        assert all(s.attack is None for s in before)
        assert {s.attack.terms[0].text.split()[-1] for s in after if s.attack} == {"Goofy", "Max", "Bluto"}


def test_the_table_has_each_mitigation_with_and_without_the_attack(attacked: Any) -> None:
    table = attacked.out[attacked.out.index("under attack, name") :]
    assert [title in table.splitlines()[1] for title in ("mitigation", "attack", "DETECT", "regained", "CONS")] == [
        True
    ] * 5
    assert table.count("arc:O1") >= 2
    assert "under attack, all" in table
    assert "same prompt and seed" in table
    assert attacked.out.count("attacked-arc-O1") == 2  # the reports


def test_json_holds_the_difference_to_the_same_mitigation_without_the_attack(run: Cli) -> None:
    answer = run("--mitigation", "negprompt:name", "--attack", "arc", "--json")
    runs = {found["metrics"]["mitigation"]: found for found in json.loads(answer.out)["runs"]}
    assert list(runs) == NAMES
    plain, under = (runs[name]["metrics"]["estimates"] for name in (NAMES[1], NAMES[3]))
    told = runs[NAMES[3]]["differences"]
    (difference,) = [e for e in told if (e["metric"], e["anchor"]) == ("detect_difference", "all")]
    after, before = (
        next(e["value"] for e in found if (e["metric"], e["anchor"]) == ("detect", "all")) for found in (under, plain)
    )
    assert difference["value"] == pytest.approx(after - before)
    folder = Path(runs[NAMES[3]]["folder"])
    compared = json.loads((folder / "comparison.json").read_text())
    assert compared["baseline"] == Path(runs[NAMES[1]]["folder"]).name
    assert "baseline (negprompt:name)" in (folder / "report.html").read_text()


def test_the_same_command_twice_draws_nothing(run: Cli, doubles: Any) -> None:
    run("--attack", "arc", "--attack", "arc:A3,weight=2")
    drawn = len(doubles.generated)
    assert drawn == 3 * 12
    assert run("--attack", "arc:O1", "--attack", "arc:A3,weight=2.0").code == 0
    assert len(doubles.generated) == drawn


def test_a_dry_run_tells_the_attacked_runs_and_draws_nothing(run: Cli, tmp_path: Path) -> None:
    answer = run("--mitigation", "negprompt:name", "--attack", "arc:O2,weight=0.5", "--dry-run")
    assert answer.code == 0
    assert "negprompt:name+attacked:arc:O2,weight=0.5: 12 pictures" in answer.out
    assert not (tmp_path / "runs").exists()


def test_benign_prompts_are_after_nobody_and_are_not_attacked(run: Cli) -> None:
    answer = run("--attack", "arc", "--benign", "--dry-run", "--json")
    planned = json.loads(answer.out)["runs"]
    assert sum("attacked" in found["mitigation"] for found in planned) == 1
    assert sum(found["mitigation"] == "none" for found in planned) == 2


def test_the_list_tells_what_each_form_adds_for_a_character(cli: Cli) -> None:
    answer = cli("--list", "attacks", "--characters", "copycat50")
    assert answer.code == 0
    assert "arc:A5" in answer.out
    assert '+ "Ariel" - "red-haired mermaid"' in answer.out
    assert "start=SHARE" in answer.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--attack", "arc:O7"), "unknown form of attack 'arc'"),
        (("--attack", "cce"), "must be searched for"),
        (("--attack", "./nowhere"), "attack.json is missing"),
        (("--attack", "arc", "--grid", "table1"), "--grid and --attack do not go together"),
    ],
)
def test_a_wrong_attack_ends_the_command_before_anything_is_drawn(
    run: Cli, doubles: Any, options: tuple[str, ...], told: str
) -> None:
    answer = run(*options)
    assert answer.code == 2
    assert told in answer.err
    assert "Traceback" not in answer.err
    assert not doubles.generated


@pytest.mark.slow
def test_erased_weights_are_attacked_too_and_draw_other_pictures(
    cli: Cli, characters_file: Path, doubles: Any, tiny_pipeline: Path, tmp_path: Path
) -> None:
    del characters_file, doubles
    save_erasure(tiny_pipeline, tmp_path / "e", size=3)
    options = ("--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml", "--steps", 2, "--seeds", 1)
    answer = cli("--model", tiny_pipeline, *options, "--anchors", "name", "--erased", "e", "--attack", "arc:A3")
    assert answer.code == 0, answer.err
    runs = runs_of(tmp_path)
    assert set(runs) == {"none", "erased:esd-goofy", "attacked:arc:A3", "erased:esd-goofy+attacked:arc:A3"}
    pictures = {name: [sample.sha256 for sample in run.read_samples()] for name, run in runs.items()}
    assert len({hashes[0] for hashes in pictures.values()}) == len(runs)
    both = runs["erased:esd-goofy+attacked:arc:A3"].read_samples()
    assert all(sample.erasure and sample.attack for sample in both)
    assert "erased:esd-goofy" in answer.out[answer.out.index("under attack") :]


@pytest.mark.slow
def test_a_saved_attack_tells_what_it_does_to_its_character_and_where_it_is_a_transfer(
    cli: Cli, characters_file: Path, doubles: Any, tiny_pipeline: Path, tmp_path: Path
) -> None:
    del characters_file, doubles
    erasure = save_erasure(tiny_pipeline, tmp_path / "e", size=3)
    searched_on = {"method": "esd", "sha256": erasure.delta_sha256, "concepts": erasure.concepts}
    save(tmp_path / "found", found("Goofy"), erasure=searched_on)
    options = ("--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml", "--steps", 2, "--seeds", 1)
    more = ("--anchors", "name", "--erased", "e", "--attack", "./found")
    answer = cli("--model", tiny_pipeline, *options, *more)
    assert answer.code == 0, answer.err
    *_, first, plain, erased = answer.out.splitlines()
    assert "attacks Goofy alone, and was searched on weights from which esd erased" in first
    assert plain.startswith("  none: Goofy is on ")
    assert plain.endswith(" without it; a transfer")
    assert erased.startswith("  erased:esd-goofy: Goofy is on ")
    assert erased.endswith(" of 1 without it")
