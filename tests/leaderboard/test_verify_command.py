"""`python -m copycat.leaderboard verify`, and the workflow that calls it."""

from __future__ import annotations

import json
import shlex
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from drafts import Draft
from harness import Cli, CommandLine
from submissions import make_submission

from copycat.commands.leaderboard import app

WORKFLOW = Path(__file__).parents[2] / "docs" / "examples" / "verify-submissions.yml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed, copy it."""
    draft = Draft(make_submission(tmp_path_factory.mktemp("board"), model="some-model", is_withheld=True))
    draft.keep_anchor("name")
    return draft.write()


@pytest.fixture
def board(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.leaderboard ...` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.leaderboard")


@pytest.fixture
def submission(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "mine"))


def spoiled(submission: Path) -> Path:
    draft = Draft(submission)
    draft.samples[0]["seed"] = 7
    draft.submission["submitter"]["name"] = "<b>[red]Somebody[/red]</b>"
    return draft.write()


def test_a_good_submission_is_said_to_have_no_fault(board: Cli, submission: Path) -> None:
    answer = board("verify", "mine")

    assert answer.code == 0
    assert answer.out == (
        "mine: no fault\n  note: pictures are withheld: their hashes and the verdicts on them are the submitter's word "
        "[withheld]\n"
    )


def test_the_faults_of_a_bad_one_are_told_one_a_line_with_exit_1(board: Cli, submission: Path) -> None:
    seed = Draft(submission).samples[0]["seed"]
    spoiled(submission)

    answer = board("verify", "mine")

    assert answer.code == 1
    assert answer.out.splitlines()[:3] == [
        "mine: 2 faults",
        "  submission.json: field 'submitter.name' holds '<' or '>'; needed: plain text [markup]",
        f"  samples.jsonl:1: the seed is 7, and {seed} follows from the prompt and the repeat [seed-changed]",
    ]


def test_the_json_is_one_object_with_a_kind_for_each_fault(board: Cli, submission: Path) -> None:
    spoiled(submission)

    answer = board("verify", "mine", "--json")

    found: dict[str, Any] = json.loads(answer.out)
    (report,) = found["submissions"]
    assert (answer.code, found["is_valid"], found["faults"]) == (1, False, [])
    assert [(fault["kind"], fault["where"]) for fault in report["faults"]] == [
        ("markup", "submission.json"),
        ("seed-changed", "samples.jsonl:1"),
    ]
    assert [note["kind"] for note in report["notes"]] == ["withheld"]


def test_an_archive_is_verified_like_its_folder(board: Cli, submission: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mine.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in submission.iterdir():
            archive.write(path, f"mine/{path.name}")

    assert board("verify", "mine.zip").out.startswith("mine.zip: no fault\n")


def test_a_board_without_submissions_is_in_order(board: Cli) -> None:
    answer = board("verify", "--all")

    assert answer.code == 0
    assert answer.out.startswith("no submissions in leaderboard/submissions\n")
    assert "no such folder; the folder of another board: --leaderboard DIR" in answer.out


def test_all_submissions_of_a_board_are_verified(board: Cli, submission: Path, tmp_path: Path) -> None:
    shutil.copytree(submission, tmp_path / "boards" / "submissions" / "1.0" / "a__b" / "0123456789ab")

    answer = board("verify", "--all", "--leaderboard", "boards")

    assert answer.code == 1
    assert "[wrong-place]" in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify"], "nothing to verify"),
        (["verify", "nowhere"], "nowhere is not there"),
        (["verify", "."], "name one of them, or use --all:\n    mine"),
        (["verify", "--all", "--since", "main"], "leaderboard is not there"),
        (["verify", "mine", "--rejudge", "7"], "--rejudge"),
    ],
)
def test_a_mistake_of_the_user_has_no_traceback(board: Cli, submission: Path, arguments: list[str], said: str) -> None:
    answer = board(*arguments)

    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_run_is_no_submission_and_how_to_make_one_is_said(board: Cli, tmp_path: Path) -> None:
    (tmp_path / "my run").mkdir()
    for name in ("run.json", "samples.jsonl", "metrics.json"):
        (tmp_path / "my run" / name).write_text("{}")

    answer = board("verify", "my run")

    assert answer.code == 2
    assert "is a run, not a submission\n  make one: python -m copycat.submit 'my run' --submitter NAME" in answer.err


# ------------------------------------------------------------------------------------- the workflow


@pytest.fixture
def workflow() -> dict[Any, Any]:
    found = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_workflow_runs_a_command_that_there_is(board: Cli, workflow: dict[Any, Any]) -> None:
    steps = workflow["jobs"]["verify"]["steps"]
    (line,) = [step["run"] for step in steps if "leaderboard verify" in step.get("run", "")]
    python, isolated, option, module, *arguments = shlex.split(line)

    assert (python, isolated, option, module) == ("python", "-P", "-m", "copycat.leaderboard")
    offered = board("verify", "--help").out
    for argument in arguments:
        assert not argument.startswith("--") or argument in offered


def test_the_workflow_gives_a_stranger_nothing(workflow: dict[Any, Any]) -> None:
    checkout = workflow["jobs"]["verify"]["steps"][0]["with"]

    assert set(workflow[True]) == {"pull_request"}  # YAML 1.1 reads the key "on" as true
    assert workflow["permissions"] == {"contents": "read"}
    assert checkout == {"fetch-depth": 0, "persist-credentials": False}
    assert "secrets." not in WORKFLOW.read_text(encoding="utf-8")
    # A branch's name is somebody else's text: it comes as a variable and not as a part of the script.
    assert all("${{" not in step.get("run", "") for step in workflow["jobs"]["verify"]["steps"])
