"""What is printed, on a terminal and without one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer
from rich.console import Console

from copycat import console
from copycat.errors import UserError

if TYPE_CHECKING:
    from harness import CommandLine


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Everything that goes to stderr, as a terminal would get it."""
    screen = io.StringIO()
    fake = Console(file=screen, force_terminal=True, width=140, emoji=False, highlight=False)
    monkeypatch.setattr(console, "err", fake)
    return screen


def test_a_terminal_shows_a_bar_with_counts(terminal: io.StringIO) -> None:
    with console.progress_bar("generate fake + none", 10) as advance:
        advance(4)
        advance(6)
    assert "generate fake + none" in terminal.getvalue()
    assert "10/10" in terminal.getvalue()


def test_without_a_terminal_a_line_is_printed_every_tenth_of_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress_bar("make", 40) as advance:
        for _ in range(40):
            advance(1)
    printed = capsys.readouterr()
    told = printed.err.splitlines()
    assert [line.partition(",")[0] for line in told] == [f"make: {done} of 40" for done in range(0, 41, 4)]
    assert printed.out == ""


def test_without_a_terminal_a_line_tells_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 5.0, 15.0, 50.0, 85.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.progress_bar("make", 5_000) as advance:
        for n in (1_000, 20, 60, 20):
            advance(n)
    assert capsys.readouterr().err.splitlines() == [
        "make: 0 of 5,000",
        "make: 1,000 of 5,000",
        "make: 1,080 of 5,000, 1.8/s, 0:36:45 left",
        "make: 1,100 of 5,000, 1.2/s, 0:52:00 left",
    ]


def test_what_is_done_at_once_has_no_rate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.001, 0.002])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.progress_bar("measured", 144) as advance:
        advance(30)
        advance(114)
    assert capsys.readouterr().err.splitlines()[-1] == "measured: 144 of 144"


def test_a_count_without_an_end_tells_every_half_minute_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 31.0, 40.0, 62.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with console.running_count("count") as advance:
        for _ in range(4):
            advance(31_000)
    assert capsys.readouterr().err.splitlines() == ["count: 62,000, 2,000/s", "count: 124,000, 2,000/s"]


def test_nothing_to_do_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress_bar("make", 0) as advance:
        advance(0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("title", ["negprompt:copyright", "[bold]x[/bold]", "[/nothing]"])
def test_a_name_is_printed_as_it_is_even_if_it_looks_like_markup_or_an_emoji(
    title: str, capsys: pytest.CaptureFixture[str], terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with console.progress_bar(title, 1) as advance:
        advance(1)
    assert title in terminal.getvalue()
    monkeypatch.undo()
    with console.progress_bar(title, 1) as advance:
        advance(1)
    assert capsys.readouterr().err == f"{title}: 0 of 1\n{title}: 1 of 1\n"


def test_json_is_one_line_without_nan(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"a": "Zoë", "b": None})
    assert capsys.readouterr().out == '{"a": "Zoë", "b": null}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        console.print_json({"a": float("nan")})


def test_threads_wait_politely_unless_the_user_says_otherwise() -> None:
    """Spinning threads on a shared machine slow each other many times."""
    code = "import sys; sys.argv = ['x', '--help']; import copycat.commands.eval as e, copycat.console as c, os\n"
    code += "try: c.run_app(e.app)\nexcept SystemExit: print(os.environ['OMP_WAIT_POLICY'])"
    plain = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    for given, expected in ((plain, "passive"), (plain | {"OMP_WAIT_POLICY": "active"}, "active")):
        done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == expected


def test_the_end_of_a_program_is_the_end_wherever_it_is_told_to() -> None:
    """Pydantic wraps whatever is raised inside a serializer in an error of its own, an exit as well."""
    code = "import os, signal, typer\nfrom copycat import console\napp = typer.Typer()\n@app.command()\n"
    code += "def end():\n try: os.kill(os.getpid(), signal.SIGTERM)\n"
    code += " except SystemExit as end: raise ValueError('wrapped') from end\nconsole.run_app(app)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (console.EXIT_TERMINATED, False)
    assert "interrupted; everything finished is kept" in done.stderr


def test_an_error_does_not_command_the_terminal(command_line: CommandLine) -> None:
    app = typer.Typer(add_completion=False)

    @app.command()
    def broken() -> None:
        raise UserError("there is no file a\x1b[2Jb.txt\n  name another")

    answer = command_line(app, "broken")()

    assert answer.err == "error: there is no file a[2Jb.txt\n  name another\n"
