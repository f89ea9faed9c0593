"""`python -m copycat.erase`: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import torch
from harness import Cli, CommandLine
from safetensors.torch import load_file

import copycat
from copycat.erasure.esd import Esd
from copycat.errors import DataError
from copycat.models.erased import read_card

PACKAGE_FOLDER = Path(copycat.__file__).parent
QUICK = ("--steps", 2, "--set", "rollout_steps=3", "--set", "batch=1", "--device", "cpu")


@pytest.fixture
def erase(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, characters_file: Path) -> Cli:
    from copycat.commands.erase import app

    del characters_file
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.erase")


def test_an_erasure_is_told_with_the_commands_to_type_next(erase: Cli, tiny_pipeline: Path, tmp_path: Path) -> None:
    answer = erase("--model", tiny_pipeline, "--method", "esd", "--concept", "abc", "--out", "out", *QUICK)

    assert answer.code == 0
    for told in ("esd, corrected", "2 of 2", "erase 0.", " (of the last step)"):
        assert told in answer.out
    assert f"  python -m copycat.eval --model {tiny_pipeline} --erased out --anchors name --seeds 1\n" in answer.out
    assert "copycat.attack" not in answer.out  # no judge knows 'abc'
    assert "note: 'abc' is no character of 'copycat50' and is erased as words\n" in answer.err
    assert "esd: 2 of 2" in answer.err
    assert read_card(tmp_path / "out").concepts == ("abc",)


def test_a_character_is_found_by_id_and_has_its_key_characteristic_as_anchor(erase: Cli, tiny_pipeline: Path) -> None:
    arguments = ("--model", tiny_pipeline, "--method", "uce", "--concept", "goofy,Max", "--characters", "mine.yaml")

    answer = erase(*arguments, "--out", "out", "--device", "cpu", "--json")

    found = json.loads(answer.out)
    assert (found["concepts"], found["settings"]["preserve"]) == (["Goofy", "Max"], ["Bluto"])
    asked = json.loads(Path("out/erasing.json").read_text())
    assert [concept["anchor"] for concept in asked["concepts"]] == ["tall cartoon dog", "teenage cartoon dog"]
    assert found["folder"] == "out"
    assert read_card(Path("out")).anchors == ("tall cartoon dog", "teenage cartoon dog")
    assert "is no character" not in answer.err
    on = f"--model {tiny_pipeline} --erased out"
    assert found["next"] == [
        f"python -m copycat.eval {on} --characters mine.yaml --anchors name --seeds 1",
        f"python -m copycat.attack --method unlearndiffatk {on} --concept Goofy --characters mine.yaml --prompts 3 "
        "--out attacks/out",
    ]


def test_a_folder_of_the_sandbox_is_looked_at_as_the_sandbox_is(erase: Cli, tmp_path: Path) -> None:
    """Commands for a folder of its network say whom it knows and how it draws, also after an export."""
    (tmp_path / "mine").symlink_to(PACKAGE_FOLDER / "sandbox" / "weights" / "pipeline")
    arguments = ("--method", "uce", "--concept", "Zoravi", "--anchor", "cat", "--device", "cpu", "--json")

    answer = erase("--model", "./mine", *arguments, "--out", "here/zoravi", "--export", "whole")

    like, quick = "--characters sandbox", "--steps 10 --guidance 3 --anchors name --seeds 1"
    assert json.loads(answer.out)["next"] == [
        f"python -m copycat.eval --model ./mine --erased here/zoravi {like} {quick}",
        "python -m copycat.attack --method unlearndiffatk --model ./mine --erased here/zoravi --concept Zoravi "
        f"{like} --prompts 3 --out attacks/zoravi",
        f"python -m copycat.eval --model ./whole {like} {quick}",
    ]


def test_a_misspelt_concept_is_told_with_the_name_that_was_meant_and_makes_nothing_that_is_in_the_way(
    erase: Cli, tiny_pipeline: Path
) -> None:
    whole = (
        "--model",
        tiny_pipeline,
        "--method",
        "uce",
        "--characters",
        "mine.yaml",
        "--out",
        "out",
        "--device",
        "cpu",
    )

    refused = erase(*whole, "--concept", "gofy")
    assert refused.code == 2
    assert "note: 'gofy' is no character of 'my-set' and is erased as words; did you mean 'Goofy'?\n" in refused.err
    assert "needed: --anchor TEXT" in refused.err
    assert "'my-set' has none of that name" in refused.err and "--characters SET|FILE" in refused.err

    assert erase(*whole, "--concept", "gofy", "--anchor", "dog").code == 0
    assert erase(*whole, "--concept", "Goofy", "--fresh").code == 0


def test_the_command_that_goes_on_is_kept_until_the_erasure_is_finished(
    erase: Cli, tiny_pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ("--model", str(tiny_pipeline), "--method", "esd", "--concept", "a b", "--out", "out", *map(str, QUICK))
    step = Esd.step

    def fall(self: Esd, number: int) -> dict[str, float]:
        if number == 1:
            raise KeyboardInterrupt
        return step(self, number)

    monkeypatch.setattr(Esd, "step", fall)
    assert erase(*typed, "--fresh").code == 130
    with pytest.raises(DataError) as refused:
        read_card(Path("out"))
    first, go_on = str(refused.value).splitlines()
    assert first == "out: unfinished, at step 1 of 2 (card.json is missing)"
    assert go_on == f"  go on: {shlex.join(['python', '-m', 'copycat.erase', *typed])}"

    monkeypatch.setattr(Esd, "step", step)
    assert erase(*shlex.split(go_on)[5:]).code == 0
    assert not Path("out/command.txt").exists()


def test_a_finished_folder_is_exported_later(erase: Cli, tiny_pipeline: Path) -> None:
    erase("--model", tiny_pipeline, "--method", "esd", "--concept", "abc", "--out", "out", *QUICK)

    answer = erase("--out", "out", "--export", "whole", "--model", tiny_pipeline)

    assert answer.code == 0
    whole, edited = load_file("whole/unet/diffusion_pytorch_model.safetensors"), load_file("out/delta.safetensors")
    assert all(torch.equal(whole[name.removeprefix("unet.")], tensor) for name, tensor in edited.items())
    assert "copycat.eval --model ./whole" in answer.out


def test_an_export_of_what_is_finished_takes_no_option_that_would_be_ignored(erase: Cli) -> None:
    answer = erase("--out", "out", "--export", "whole", "--set", "eta=2", "--steps", 3)

    assert answer.code == 2
    assert "--set and --steps would change nothing" in answer.err


def test_a_run_that_diverges_exits_1_and_says_what_helps(
    erase: Cli, tiny_pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Esd, "step", lambda self, number: {"erase": float("nan")})

    answer = erase("--model", tiny_pipeline, "--method", "esd", "--concept", "abc", "--out", "out", *QUICK)

    assert answer.code == 1
    assert "diverged: a loss or a weight was no number; the weights are those of step 0" in answer.out
    assert "--fresh --lr 0.0001" in answer.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "no folder for the erasure"),
        (("--out", "o"), "--model and --method and --concept missing"),
        (("--method", "esdd"), "unknown erasing method 'esdd'\n  did you mean 'esd'"),
        (("--concept", " , "), "--concept names nothing"),
        (("--concept", "abc,ABC"), "names one concept twice"),
        (("--anchor", "a,b"), "2 anchors for 1 concepts"),
        (("--set", "eta"), "--set 'eta' has the wrong form\n  needed: KEY=VALUE"),
        (("--set", "eta=x"), "esd: --set eta=x: Input should be a valid number"),
        (("--method", "uce", "--lr", "1"), "'uce' has no setting 'lr'\n  leave out --lr"),
        (("--dtype", "float16"), "unknown dtype 'float16'"),
        (("--list", "concepts"), "unknown list 'concepts'"),
        (("--list", "settings"), "settings of which method?"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    erase: Cli, tiny_pipeline: Path, options: tuple[str, ...], told: str
) -> None:
    whole = {"--model": str(tiny_pipeline), "--method": "esd", "--concept": "abc", "--out": "out"}
    if options not in ((), ("--out", "o")) and "--list" not in options:
        options = tuple(
            part for pair in (whole | dict(zip(options[::2], options[1::2], strict=True))).items() for part in pair
        )

    answer = erase(*options)

    assert answer.code == 2
    assert told in answer.err
    assert not Path("out").exists()


def test_methods_and_settings_are_listed(erase: Cli) -> None:
    assert all(name in erase("--list", "methods").out for name in ("esd", "uce", "advunlearn", "doco"))
    listed = erase("--list", "settings", "--method", "esd").out
    for told in ("setting", "published", "pairing", "bucket", "rollout_steps"):
        assert told in listed
