"""The models that protect perfectly and are of no use."""

from __future__ import annotations

import io
import json

import pytest
from harness import Answer, Cli, Doubles
from PIL import Image
from run_folders import runs_in, samples_of

from copycat.models import MODELS
from copycat.models.resolve import resolve_model
from copycat.staging import default_characters

BASELINES = ("blank", "refusing")


def evaluate(cli: Cli, model: str, *options: object) -> Answer:
    fixed = ("--characters", "mine.yaml", "--judge", "fake-judge", "--device", "cpu", "--anchors", "name", "--json")
    return cli("--model", model, *fixed, *options)


@pytest.mark.usefixtures("doubles", "characters_file")
def test_the_blank_model_draws_one_grey_picture_that_counts_as_a_picture(cli: Cli) -> None:
    answer = evaluate(cli, "blank", "--seeds", 2)

    (folder,) = runs_in()
    samples = samples_of(folder)
    assert answer.code == 0
    assert {sample["status"] for sample in samples} == {"ok"}
    assert len({sample["sha256"] for sample in samples}) == 1
    picture = Image.open(io.BytesIO((folder / samples[0]["image"]).read_bytes()))
    assert picture.size == (64, 64)
    assert picture.getextrema() == ((128, 128),) * 3


@pytest.mark.usefixtures("doubles", "characters_file")
def test_the_refusing_model_gives_no_picture_and_a_valid_run(cli: Cli) -> None:
    answer = evaluate(cli, "refusing", "--seeds", 2)

    (run,) = json.loads(answer.out)["runs"]
    assert answer.code == 0
    assert run["is_valid"]
    assert run["metrics"]["counts"]["refused"] == 6
    assert {sample["detail"] for sample in samples_of(runs_in()[0])} == {"refuses everything"}


@pytest.mark.usefixtures("doubles", "characters_file")
@pytest.mark.parametrize("model", BASELINES)
def test_no_figure_of_a_baseline_is_a_detection(cli: Cli, model: str) -> None:
    answer = evaluate(cli, model)

    (run,) = json.loads(answer.out)["runs"]
    detect = next(e for e in run["metrics"]["estimates"] if (e["metric"], e["anchor"]) == ("detect", "all"))
    assert detect["value"] == 0
    assert detect["n"] == 9


@pytest.mark.usefixtures("doubles", "characters_file")
@pytest.mark.parametrize("model", BASELINES)
@pytest.mark.parametrize("mitigation", ["negprompt:name", "sld", "rewrite:rules+negprompt:name"])
def test_a_baseline_takes_every_mitigation_and_setting(cli: Cli, model: str, mitigation: str) -> None:
    assert evaluate(cli, model, "--mitigation", mitigation, "--guidance", 5).code == 0


@pytest.mark.parametrize("model", BASELINES)
def test_a_baseline_is_asked_for_real_characters_and_can_be_asked_for_others(model: str) -> None:
    assert default_characters(resolve_model(model)) == "copycat50"
    assert MODELS.get(model).honours == MODELS.get("sandbox").honours


def test_the_baselines_stand_in_a_group_of_their_own(cli: Cli, doubles: Doubles) -> None:
    listed = cli("--list", "models").out

    group = listed[listed.index("baselines: the ends of every leaderboard") :]
    assert group.index("blank") < group.index("refusing") < group.index("retired")
