"""`copycat.imitation counterfactual` on worlds of three steps: what it keeps, and kill -9 in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import CommandLine
from typer import Typer

from copycat.imitation.counterfactual.analysis import Findings, MetricFindings
from copycat.imitation.counterfactual.logistic import Fit
from copycat.imitation.counterfactual.plan import plan
from copycat.imitation.counterfactual.scoring import Dose
from copycat.imitation.counterfactual.settings import REDUCED, TINY
from copycat.imitation.tables import read_table

PROGRAM = """
import sys
from copycat import console
from copycat.commands.imitation_counterfactual import counterfactual
import typer
app = typer.Typer()
app.command()(counterfactual)
console.run_app(app)
"""
PATIENCE_SECONDS = 90.0


def app_of() -> Typer:
    from copycat.commands.imitation_counterfactual import counterfactual

    app = Typer()
    app.command()(counterfactual)
    return app


def doses_in(path: Path) -> list[dict[str, object]]:
    """Read the lines without times. Where memory lies moves the last digits of sums, and of what is trained by them."""
    return [line.model_dump(exclude={"seconds"}) for line in read_table(path, Dose, ("world", "character"))]


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_figures(command_line: CommandLine, tmp_path: Path) -> None:
    run = command_line(app_of(), "copycat.imitation counterfactual")
    options = ("--setting", "tiny", "--device", "cpu", "--out")
    begun = tmp_path / "begun"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *options, str(begun)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not list(begun.glob("worlds/*.csv")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {path: path.stat().st_mtime_ns for path in begun.glob("worlds/*.csv")}
    assert 0 < len(finished) < len(plan(TINY, 0))
    assert run(*options, str(begun)).code == 0
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert run(*options, str(tmp_path / "whole")).code == 0
    for resumed, unbroken in zip(
        *(doses_in(folder / "doses.csv") for folder in (begun, tmp_path / "whole")), strict=True
    ):
        assert resumed == pytest.approx(unbroken, abs=0.01)
    assert len(doses_in(begun / "doses.csv")) == TINY.characters * len(plan(TINY, 0))
    assert not list(begun.glob("worlds/*.checkpoint.safetensors"))


@pytest.mark.slow
def test_findings_and_figures_lie_in_the_folder(command_line: CommandLine, tmp_path: Path) -> None:
    run = command_line(app_of(), "copycat.imitation counterfactual")
    options = ("--setting", "tiny", "--device", "cpu", "--out", tmp_path)
    said = run(*options, "--only", 1)
    assert said.code == 0
    assert said.err.startswith("tiny: shows that it runs; its figures mean nothing\n")
    assert "1 world (1 permuted, 0 of a series)" in said.out
    assert "seconds of training" in said.out.splitlines()[0]
    last = said.out.splitlines()[-1]
    assert last.endswith("/findings.json, and a figure of each metric beside it")
    found = json.loads(run(*options, "--only", 0, "--json").out)
    assert found == json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))
    assert found["worlds"] == 1
    assert {path.name for path in tmp_path.glob("*.svg")} == {"detected.svg", "attributes.svg", "similarity.svg"}


def test_a_curve_that_ends_above_what_can_be_reached_is_told_as_still_rising() -> None:
    from copycat.commands.imitation_counterfactual import lines_of

    rising = Fit(ed50=90.0, low=40.0, high=400.0, lower=-0.001, upper=1.17, n=16)
    whole = rising.model_copy(update={"upper": 1.004})
    metric = MetricFindings(
        metric="similarity",
        truth_pooled=whole,
        truth_series=rising,
        probe="zoravi",
        observed=(),
        spread=None,
        correlation_dose=-0.0001,
        correlation_named=None,
        others_and_probe=None,
    )
    said = lines_of(Findings(worlds=2, permuted=1, series=1, pictures=9, seconds=90, seeds=(0,), metrics=(metric,)))
    assert said[0].endswith("1.5 minutes of training")
    assert said[3].endswith("ED50 90 [40, 400], from 0.00 to 1.00")
    assert said[4].endswith("ED50 90 [40, 400], from 0.00, not levelled off")
    assert said[5].startswith("  rank correlation with the dose 0.000,")


def test_a_folder_of_another_setting_is_refused(command_line: CommandLine, tmp_path: Path) -> None:
    run = command_line(app_of(), "copycat.imitation counterfactual")
    (tmp_path / "setting.json").write_text(REDUCED.model_dump_json(), encoding="utf-8")
    refused = run("--setting", "tiny", "--device", "cpu", "--out", tmp_path)
    assert refused.code == 2
    assert "another setting" in refused.err


@pytest.mark.parametrize(
    ("options", "said"), [(("--setting", "huge"), "reduced"), (("--only", "0"), "no permuted world")]
)
def test_what_cannot_be_done_is_refused_with_what_can(
    command_line: CommandLine, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    run = command_line(app_of(), "copycat.imitation counterfactual")
    refused = run(*options, "--out", tmp_path)
    assert refused.code == 2
    assert said in refused.err
