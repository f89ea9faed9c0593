"""`python -m copycat.fairuse filter`, from the command line."""

from __future__ import annotations

import io
import json
import re
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import NOVEL, UNRELATED

if TYPE_CHECKING:
    from harness import Cli, CommandLine


@pytest.fixture
def fairuse(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    from copycat.commands.fairuse import app

    monkeypatch.chdir(tmp_path)
    Path("novel.txt").write_text(NOVEL, encoding="utf-8")
    Path("copied.txt").write_text(NOVEL[:400].upper(), encoding="utf-8")
    Path("own.txt").write_text(UNRELATED, encoding="utf-8")
    return command_line(app, "copycat.fairuse")


@pytest.fixture
def built_by_command(fairuse: Cli) -> Cli:
    assert fairuse("filter", "build", "public-domain", "novel.txt", "--out", "novel.filter").code == 0
    return fairuse


def test_a_build_tells_what_it_made_and_how_much_of_the_disk_it_takes(fairuse: Cli) -> None:
    answer = fairuse("filter", "build", "novel.txt", "--out", "novel.filter", "--json")
    facts = json.loads(answer.out)
    assert (answer.code, facts["works"], facts["folder"]) == (0, 1, "novel.filter")
    assert facts["bytes"] == sum(path.stat().st_size for path in Path("novel.filter").iterdir())
    again = fairuse("filter", "build", "novel.txt", "--out", "novel.filter")
    assert (again.code, "holds something already" in again.err) == (2, True)
    table = fairuse("filter", "build", "novel.txt", "--out", "other.filter", "--no-near")
    assert "per million windows" in table.out
    assert "short windows" not in table.out


def test_a_build_tells_of_withheld_works_their_hashes_and_of_short_ones_that_they_are_never_found(fairuse: Cli) -> None:
    Path("tiny.txt").write_text("Too short.", encoding="utf-8")
    assert fairuse("withhold", "novel.txt", "--title", "The Tenth Storm").code == 0
    hidden = fairuse("filter", "build", "novel.withheld", "--out", "hidden.filter").out
    assert "659 of 24 letters each, of withheld works" in hidden
    assert "stretches without a whole window are not found" in hidden
    assert "short windows" not in hidden
    mixed = fairuse("filter", "build", "own.txt", "tiny.txt", "--out", "mixed.filter").out
    assert "works with fewer than 24 letters: tiny" in mixed
    assert "withheld works" not in mixed


def test_a_filter_is_read_by_its_owner_alone(fairuse: Cli) -> None:
    """It holds the letters of the works, and the salt of withheld ones."""
    assert fairuse("withhold", "own.txt", "--title", "A Loaf").code == 0
    assert fairuse("filter", "build", "novel.txt", "own.withheld", "--out", "novel.filter").code == 0
    paths = [Path("novel.filter"), *Path("novel.filter").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in paths}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_of_many_spans_the_longest_are_printed(built_by_command: Cli) -> None:
    words = NOVEL.split()
    quotes = [" ".join(words[i % 90 : i % 90 + 8 + i % 3]) for i in range(30)]
    Path("many.txt").write_text(f"\n{UNRELATED}\n".join(quotes), encoding="utf-8")
    answer = built_by_command("filter", "check", "novel.filter", "many.txt")
    lines = answer.out.splitlines()
    assert lines[-1].split()[1:] == ["more:", "--json"]
    assert len(lines) == 22
    places = [int(line.partition("-")[0].split()[-1]) for line in lines[1:-1]]
    assert places == sorted(places)
    found = json.loads(built_by_command("filter", "check", "novel.filter", "many.txt", "--json").out)
    assert len(found["outputs"][0]["spans"]) > 20


def test_a_check_shows_each_span_and_a_gate_fails_on_a_long_one(built_by_command: Cli) -> None:
    answer = built_by_command("filter", "check", "novel.filter", "copied.txt", "own.txt")
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert lines[1].split()[:2] == ["copied.txt", "trim"]
    assert lines[1].rstrip().endswith("beyond the allowance")
    assert "none found" in lines[2]
    gated = built_by_command("filter", "check", "novel.filter", "copied.txt", "--gate", 25)
    assert gated.code == 1
    assert re.fullmatch(r"gate \(longest 25\): 1 output beyond; the longest span has 7\d words\n", gated.err)
    held = built_by_command("filter", "check", "novel.filter", "own.txt", "--gate", 0)
    assert (held.code, held.err) == (0, "gate (longest 0): held\n")


def test_a_withheld_manuscript_is_built_and_found_without_its_text(fairuse: Cli) -> None:
    assert fairuse("withhold", "novel.txt", "--title", "The Tenth Storm").code == 0
    assert fairuse("filter", "build", "novel.withheld", "--out", "novel.filter").code == 0
    Path("novel.txt").unlink()
    found = json.loads(fairuse("filter", "check", "novel.filter", "copied.txt", "--json").out)
    (span,) = found["outputs"][0]["spans"]
    assert (span["title"], span["outcome"]) == ("The Tenth Storm", "beyond")
    assert found["longest_words"] == span["words"] >= 70


def test_what_is_piped_in_is_filtered_to_what_may_be_shown(
    built_by_command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = io.TextIOWrapper(io.BytesIO(f"{UNRELATED}{NOVEL}".encode()))
    monkeypatch.setattr("sys.stdin", piped)
    answer = built_by_command("filter", "check", "novel.filter", "-", "--text", "--quote-words", 4)
    assert answer.out == f"{UNRELATED}The lamp keeper of [...].\n"


def test_the_prompt_and_works_of_the_allow_list_are_no_reproduction(built_by_command: Cli) -> None:
    Path("asked.txt").write_text(f"Say this again: {NOVEL}", encoding="utf-8")
    for more in (("--prompt", "asked.txt"), ("--allow-work", "novel")):
        answer = built_by_command("filter", "check", "novel.filter", "copied.txt", *more, "--json")
        assert json.loads(answer.out)["outputs"][0]["action"] == "allow"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check", "own.txt", "own.txt"), "holds no filter"),
        (("check", "novel.filter", "missing.txt"), "there is no file missing.txt"),
        (("check", "novel.filter", "binary.txt"), "is no text: it has zero bytes"),
        (("check", "novel.filter", "latin.txt"), "is not in UTF-8"),
        (("check", "novel.filter", "own.txt", "--allow-work", "novl"), "did you mean 'novel'"),
        (("check", "novel.filter", "own.txt", "--beyond", "rewrite"), "needs a model that writes"),
        (("check", "novel.filter", "own.txt", "--rewriter", "openai:words-1"), "add --beyond rewrite"),
        (("check", "novel.filter", "own.txt", "--text", "--json"), "choose one"),
        (("check", "novel.filter", "-", "--prompt", "-"), "can be read once"),
        (("serve", "novel.filter", "--upstream", "somewhere"), "is no address of a server"),
        (("build", "short.txt", "--out", "short.filter"), "no work has 24 letters"),
        (("build", "no-such-work", "--out", "x.filter"), "unknown works 'no-such-work'"),
    ],
)
def test_what_is_wrong_is_told_without_a_traceback(
    built_by_command: Cli, arguments: tuple[str, ...], told: str
) -> None:
    Path("binary.txt").write_bytes(b"a\0b")
    Path("latin.txt").write_bytes("caf\u00e9 au lait".encode("latin-1"))
    Path("short.txt").write_text("Too short.", encoding="utf-8")
    answer = built_by_command("filter", *arguments)
    assert answer.code == 2
    assert told in answer.err
    assert "Traceback" not in answer.err


def test_a_passage_is_written_anew_by_a_service(built_by_command: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from text_server import TextServer

    asked: list[str] = []

    def answer(instruction: str, text: str, body: dict[str, object]) -> str:
        asked.append(text)
        return "In short, she counted storms." if "in your own words" in instruction else text

    rewrites = ("--beyond", "rewrite", "--rewriter", "openai:words-1", "--quote-words", 5)
    with TextServer(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        done = built_by_command("filter", "check", "novel.filter", "copied.txt", "--text", *rewrites)
    assert (done.code, done.out) == (0, "In short, she counted storms.")
    assert asked == [NOVEL[:400].upper()]
    with TextServer(answer, ["refusal_field"] * 9) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        done = built_by_command("filter", "check", "novel.filter", "copied.txt", "--text", *rewrites)
    assert (done.code, done.out) == (0, "THE LAMP KEEPER OF ORRIN [...]")


def test_a_proxy_tells_where_it_stands_and_what_it_did_until_it_is_stopped(
    built_by_command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each answer of which not all may be shown a line: the action, works and words, never their text."""
    from text_server import TextServer

    from copycat.fairuse.filter.proxy import FilterProxy

    urls: list[str] = []

    def interrupted(proxy: FilterProxy) -> None:
        urls.append(proxy.url)
        for message in ("Go on.", "Bake."):
            body = json.dumps({"model": "words-1", "messages": [{"role": "user", "content": message}]}).encode()
            request = urllib.request.Request(f"{proxy.url}/chat/completions", body)  # noqa: S310 - to this computer
            urllib.request.urlopen(request, timeout=20).read()  # noqa: S310
        raise KeyboardInterrupt

    monkeypatch.setattr(FilterProxy, "wait", interrupted)
    with TextServer(lambda _, text, body: UNRELATED if "Bake" in text else NOVEL) as server:
        done = built_by_command("filter", "serve", "novel.filter", "--upstream", server.url, "--port", 0)
    assert (done.code, done.out) == (130, f"OPENAI_BASE_URL={urls[0]}\n")
    told, decided, *rest = done.err.splitlines()
    assert told == f"in front of {server.url}; Ctrl-C stops it"
    assert re.fullmatch(r"trim: novel 1\d\d words", decided)
    assert rest == ["", "stopped"]


def test_a_proxy_that_is_terminated_is_stopped_and_not_taken_up_again(built_by_command: Cli) -> None:
    """As `kill` ends it; a name and password in the server's address are not told."""
    command = (sys.executable, "-m", "copycat.fairuse", "filter", "serve", "novel.filter", "--port", "0")
    upstream = ("--upstream", "http://me:secret@127.0.0.1:9/v1")
    with subprocess.Popen([*command, *upstream], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        assert server.stdout.readline().startswith("OPENAI_BASE_URL=http://127.0.0.1:")
        assert server.stderr.readline() == "in front of http://127.0.0.1:9/v1; Ctrl-C stops it\n"
        server.terminate()
        _, err = server.communicate(timeout=20)
    assert server.returncode == 143
    assert err.endswith("\nstopped\n")  # a signal in the middle of the line before has it printed again
    assert "goes on from there" not in err
