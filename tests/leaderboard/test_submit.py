"""`python -m copycat.submit`: what it shows, what it asks, and where it writes or sends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import PYTHONPATH, Cli
from hub_server import TOKEN, HubServer
from run_folders import lines_of, read, runs_in, tree
from submissions import make_run

from copycat.commands.submit_preview import shown_size
from copycat.leaderboard.verify import VerifyOptions, verify_submission

SMALL: dict[str, Any] = {"anchors": ("name",), "characters": "copycat50"}
"""50 pictures, and a judge behind an address: nobody judges again."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 50 pictures; not to be changed."""
    return make_run(tmp_path_factory.mktemp("runs"), **SMALL)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A terminal at which somebody says no; holds the questions."""
    questions: list[str] = []

    def confirm(text: str, **_: object) -> bool:
        questions.append(text)
        return False

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", confirm)
    return questions


def submissions_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("leaderboard/submissions/1.0/*/*"))


# --------------------------------------------------------------------------------- what is shown


def test_it_shows_who_what_figures_and_files_before_it_writes(submit: Cli, finished: Path, tmp_path: Path) -> None:
    answer = submit(
        finished,
        "--dry-run",
        *("--organisation", "Institute of Doubles", "--contact", "https://lab.example.org"),
        *("--usd-per-picture", 0.04, "--attack", "none that I know", "--statement", "never saw these prompts"),
    )

    assert answer.code == 0
    shown = " ".join(answer.out.split())
    assert "submitter Some Laboratory, Institute of Doubles, https://lab.example.org" in shown
    assert "model sandbox (open, Apache-2.0, image): package:sandbox/weights/pipeline" in shown
    assert "0.04 USD" in shown
    assert "never saw these prompts" in shown
    assert "50 requests: 50 pictures" in shown
    assert "pictures.parquet about" in shown
    assert "so would the 50 pictures" in shown
    assert "nothing was written: --dry-run" in answer.err
    assert not list(tmp_path.iterdir())


def test_the_first_sample_is_shown_as_it_will_stand(submit: Cli, finished: Path, tmp_path: Path) -> None:
    shown = submit(finished).out

    (path,) = submissions_in(tmp_path)
    for name in ("samples.jsonl", "judgements.jsonl"):
        first = lines_of(path / name)[0]
        for field, value in first.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            (line, *_) = [line for line in shown.splitlines() if line.startswith(f"  {field} ")]
            assert text[:40] in line


def test_a_narrow_terminal_has_no_line_that_is_wider(
    submit: Cli, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copycat.console import out

    monkeypatch.setattr(out, "width", 80)

    shown = submit(finished, "--dry-run").out

    wide = [line for line in shown.splitlines() if len(line) > 80]
    assert [line for line in wide if "1.0/" not in line] == [], "but for a place, which is to be copied"
    assert "  truncated_negative_tokens  0" in shown
    assert "\u2026" in shown, "what is cut is seen to be cut"


def test_sizes_are_those_of_the_files(submit: Cli, finished: Path, tmp_path: Path) -> None:
    told = json.loads(submit(finished, "--json").out)["files"]

    (path,) = submissions_in(tmp_path)
    sizes = {file.name: file.stat().st_size for file in path.iterdir()}
    pictures = told.pop("pictures.parquet")
    assert told == {name: sizes[name] for name in told}
    assert sizes["pictures.parquet"] * 0.5 < pictures < sizes["pictures.parquet"]


def test_what_is_withheld_is_said(submit: Cli, finished: Path, tmp_path: Path) -> None:
    answer = submit(finished, "--withhold")

    (path,) = submissions_in(tmp_path)
    assert "the 50 pictures are withheld" in answer.out
    assert "nobody can judge them again" in answer.out
    assert not (path / "pictures.parquet").exists()


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (5e9, "5.0 GB")]
)
def test_a_size_is_shown_for_people(size: int, text: str) -> None:
    assert shown_size(int(size)) == text


# ------------------------------------------------------------------------------- what is written


def test_the_report_stands_for_its_run(submit: Cli, finished: Path, tmp_path: Path) -> None:
    (finished / "report.html").write_text("a report", encoding="utf-8")

    answer = submit(finished / "report.html", "--json")

    told = json.loads(answer.out)
    assert answer.code == 0
    assert told["path"] == f"leaderboard/submissions/{told['id']}"
    assert told["verification"]["faults"] == []
    assert verify_submission(tmp_path / told["path"], VerifyOptions(rejudge=0.0)).is_valid


def test_it_says_what_comes_next(submit: Cli, finished: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    answer = submit(finished, "--submitter", "O'Neill's $(touch here)", "--to", "elsewhere/submissions")

    (path,) = tmp_path.glob("elsewhere/submissions/1.0/*/*")
    lines = [line.strip() for line in answer.out.splitlines()]
    assert "verified: no fault" in lines
    assert f"git add {path.relative_to(tmp_path)}" in lines
    commit = next(line for line in lines if line.startswith("git commit"))
    printed = subprocess.run(["sh", "-c", f"echo {commit}"], capture_output=True, text=True, check=True).stdout
    assert printed == "git commit -m Submission of sandbox, none, by O'Neill's $(touch here)\n"


def test_outside_of_a_repository_nothing_is_said_of_git(submit: Cli, finished: Path, tmp_path: Path) -> None:
    board = submit(finished, "--to", tmp_path / "my board" / "submissions")
    elsewhere = submit(finished, "--to", "elsewhere")

    assert board.code == elsewhere.code == 0
    for answer in (board, elsewhere):
        assert "git add" not in answer.out
        assert "put it below leaderboard/submissions of the board's repository" in answer.out
    assert "python -m copycat.leaderboard build --leaderboard 'my board' --out preview" in board.out
    assert "copycat.leaderboard build" not in elsewhere.out


def test_the_same_command_twice_says_that_it_is_there(submit: Cli, finished: Path, tmp_path: Path) -> None:
    submit(finished)
    before = tree(tmp_path)

    answer = submit(finished)

    assert answer.code == 0
    assert "there already, with this content: leaderboard/submissions/1.0/" in answer.out
    assert tree(tmp_path) == before


def test_a_second_thought_does_not_replace_the_first(submit: Cli, finished: Path, tmp_path: Path) -> None:
    submit(finished)
    before = tree(tmp_path)

    answer = submit(finished, "--notes", "better now")

    assert answer.code == 2
    assert "another submission of these settings is there; it differs in submission.json" in answer.err
    assert tree(tmp_path) == before


def test_what_verification_refuses_is_not_kept(submit: Cli, tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    rows = lines_of(run / "samples.jsonl")
    rows[3]["seed"] += 1
    (run / "samples.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")

    answer = submit(run)

    assert answer.code == 1
    assert "[seed-changed]" in answer.err
    assert "not valid, see above; nothing was written" in answer.err
    assert not submissions_in(tmp_path)


def test_at_a_terminal_it_asks_first(submit: Cli, finished: Path, asked: list[str], tmp_path: Path) -> None:
    answer = submit(finished)

    assert asked == ["\nMake a folder below leaderboard/submissions of this?"]
    assert "nothing was written" in answer.err
    assert not list(tmp_path.iterdir())


def test_yes_is_an_answer(submit: Cli, finished: Path, asked: list[str], tmp_path: Path) -> None:
    submit(finished, "--yes")

    assert not asked
    assert len(submissions_in(tmp_path)) == 1


# ----------------------------------------------------------------------------- what was typed wrong


WRONG: dict[str, tuple[tuple[object, ...], str]] = {
    "no name": (("--submitter", " "), "--submitter ' ' cannot be used\n  needed: one line of 1 to 200 letters"),
    "a long name": (("--submitter", "x" * 300), "needed: one line of 1 to 200 letters"),
    "no address": (
        ("--contact", "me@example.org"),
        "--contact 'me@example.org' cannot be used\n  needed: a web address",
    ),
    "a script": (("--paper", "javascript:alert(1)"), "--paper 'javascript:alert(1)' cannot be used"),
    "no date": (("--date", "yesterday"), "'yesterday' is no date"),
    "both places": (("--to", "x", "--hub", "a/b"), "--to and --hub do not go together"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_option_that_is_wrong_is_named(what: str, submit: Cli, finished: Path, tmp_path: Path) -> None:
    options, said = WRONG[what]

    answer = submit(finished, *options)

    assert answer.code == 2
    assert said in answer.err
    assert not list(tmp_path.iterdir())


def test_a_run_that_may_not_be_submitted_is_refused_without_a_traceback(submit: Cli, tmp_path: Path) -> None:
    answer = submit(tmp_path)

    assert answer.code == 2
    assert "is no run folder" in answer.err
    assert "Traceback" not in answer.err


# -------------------------------------------------------------------------------- a run from the start


@pytest.mark.usefixtures("doubles")
def test_a_run_of_the_main_job_is_submitted_and_judged_again(cli: Cli, submit: Cli, tmp_path: Path) -> None:
    options = ("--characters", "sandbox", "--judge", "oracle", "--anchors", "name", "--seeds", 1, "--device", "cpu")
    cli("--model", "blank", *options)
    (run,) = runs_in()

    answer = submit(run)

    assert answer.code == 0, answer.err
    assert "of 50 pictures judged again" in answer.out
    (path,) = submissions_in(tmp_path)
    assert read(path / "submission.json")["model"]["source"] == "package:models/baselines.py"
    assert str(tmp_path) not in (path / "run_settings.json").read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------- to the Hub


def test_a_pull_request_adds_the_submission_and_nothing_else(
    submit: Cli, finished: Path, hub: HubServer, tmp_path: Path
) -> None:
    submit(finished, "--to", "here", "--date", "2026-11-28")
    (local,) = (tmp_path / "here").glob("1.0/*/*")

    answer = submit(finished, "--hub", "some-lab/board", "--date", "2026-11-28", "--yes")

    assert answer.code == 0, answer.err
    (pull_request,) = hub.pull_requests
    place = f"submissions/{local.relative_to(tmp_path / 'here')}"
    assert pull_request.files == {f"{place}/{name}": content for name, content in tree(local).items()}
    assert pull_request.deleted == ()
    assert pull_request.title == "Submission of sandbox, none, by Some Laboratory"
    assert f"python -m copycat.leaderboard verify {place}" in pull_request.description
    assert f"opened: {hub.url}/datasets/some-lab/board/discussions/1" in answer.out
    assert not submissions_in(tmp_path)


def test_the_token_is_in_the_authorization_header_and_nowhere_else(
    submit: Cli, finished: Path, hub: HubServer, tmp_path: Path
) -> None:
    answer = submit(finished, "--hub", "some-lab/board", "--yes")

    assert hub.where_is(TOKEN) == {"header authorization"}
    assert TOKEN not in answer.out + answer.err
    assert not list(tmp_path.iterdir())


def test_programs_are_told_the_address(submit: Cli, finished: Path, hub: HubServer) -> None:
    told = json.loads(submit(finished, "--hub", "some-lab/board", "--yes", "--json").out)

    assert told["pull_request"] == f"{hub.url}/datasets/some-lab/board/discussions/1"
    assert told["path"] is None


def test_what_the_hub_has_already_is_not_sent_again(submit: Cli, finished: Path, hub: HubServer) -> None:
    submit(finished, "--hub", "some-lab/board", "--yes")
    hub.repositories["datasets/some-lab/board"] |= hub.pull_requests[0].files

    answer = submit(finished, "--hub", "some-lab/board", "--yes")

    assert answer.code == 2
    assert "some-lab/board has this submission already, at submissions/1.0/" in answer.err
    assert len(hub.pull_requests) == 1


def test_what_verification_refuses_is_not_sent(submit: Cli, hub: HubServer, tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    rows = lines_of(run / "samples.jsonl")
    rows[3]["prompt"] += " in a hat"
    (run / "samples.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")

    answer = submit(run, "--hub", "some-lab/board", "--yes")

    assert answer.code == 1
    assert "[prompt-changed]" in answer.err
    assert "nothing was sent" in answer.err
    assert not hub.requests


def test_without_a_token_nothing_is_looked_at(
    submit: Cli, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")

    answer = submit(tmp_path / "no-such-run", "--hub", "some-lab/board", "--yes")

    assert answer.code == 2
    assert "HF_TOKEN is not set" in answer.err
    assert not hub.requests


def test_nothing_is_public_unless_somebody_has_agreed(submit: Cli, finished: Path, hub: HubServer) -> None:
    answer = submit(finished, "--hub", "some-lab/board")

    assert answer.code == 2
    assert "this would be public, and nobody can be asked here" in answer.err
    assert not hub.requests


def test_a_look_first_needs_no_token(submit: Cli, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)

    assert submit(finished, "--hub", "some-lab/board", "--dry-run").code == 0


REFUSALS: dict[str, tuple[dict[str, str], str, str]] = {
    "a token that is none": (
        {"HF_TOKEN": "hf_somebodyelses"},
        "some-lab/board",
        "does not accept the token of HF_TOKEN",
    ),
    "a token that may read": (
        {"HF_TOKEN": "hf_reader"},
        "some-lab/board",
        "may not open pull requests on some-lab/board",
    ),
    "no such dataset": ({}, "some-lab/bored", "the Hub has no dataset some-lab/bored that this token may see"),
    "no name of a dataset": ({}, "board of some lab", "'board of some lab' is no name of a dataset"),
    "no connection": ({"HF_ENDPOINT": "http://127.0.0.1:1"}, "some-lab/board", "the Hub cannot be reached"),
    "in the clear": ({"HF_ENDPOINT": "http://hub.example.org"}, "some-lab/board", "HF_ENDPOINT is no https address"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_the_hub_refuses_is_said_plainly(
    what: str, submit: Cli, finished: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, repository, said = REFUSALS[what]
    hub.readers = ("hf_reader",)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    answer = submit(finished, "--hub", repository, "--yes")

    assert answer.code == 2
    assert said in answer.err
    assert not hub.pull_requests
    assert not any(value in answer.err for name, value in environment.items() if name == "HF_TOKEN")


def test_a_server_that_falls_over_is_said_plainly(submit: Cli, finished: Path, hub: HubServer) -> None:
    hub.fails["/commit/"] = [500]

    answer = submit(finished, "--hub", "some-lab/board", "--yes")

    assert answer.code == 2
    assert "the Hub refused the pull request on some-lab/board (500)" in answer.err


# ------------------------------------------------------------------------------------- how it starts


def test_help_is_quick_and_imports_no_heavy_library() -> None:
    check = (
        "import sys; sys.argv = ['copycat.submit', '--help']\n"
        "from copycat.commands.submit import app\n"
        "try: app(standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'pyarrow', 'huggingface_hub', 'pydantic'} & set(sys.modules), 'too much is imported'"
    )
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    asked = subprocess.run([sys.executable, "-c", check], env=environment, capture_output=True, text=True, check=False)

    assert asked.returncode == 0, asked.stderr
    assert "--withhold" in asked.stdout


def test_the_console_command_is_the_same() -> None:
    from copycat.cli import app
    from copycat.commands.submit import submit

    assert any(command.callback is submit for command in app.registered_commands)
