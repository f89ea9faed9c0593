"""Verdicts that somebody takes money for: none is lost to a kill, and none is paid for twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from chat_server import ChatServer
from harness import Doubles
from run_folders import folder_of, lines_of, read

from copycat.catalog import read_character_set

KILLS = 2
PICTURES = 3 * 2 * 8
PATIENCE_SECONDS = 60.0
LATENCY_S = 0.03


def start(out: Path, characters_file: Path, doubles: Doubles, server: ChatServer) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "copycat.eval", "--model", "fake", "--judge", "openai:eyes-1", "--device", "cpu"]
    command += ["--characters", str(characters_file), "--anchors", "name,description", "--seeds", "8"]
    environment = doubles.environment() | {"OPENAI_BASE_URL": server.url}
    return subprocess.Popen(command, cwd=out, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def asked(server: ChatServer) -> Counter[str]:
    """How often each question about each picture was answered."""
    return Counter(str(entry.body["messages"]) for entry in server.entries if entry.is_charged)


@pytest.mark.slow
def test_a_run_killed_while_it_is_judged_goes_on_and_asks_nothing_again(
    tmp_path: Path, characters_file: Path, doubles: Doubles
) -> None:
    characters = read_character_set(str(characters_file))
    with ChatServer(latency_s=LATENCY_S).see(characters) as server:
        for _ in range(KILLS):
            before = len(server.entries)
            process = start(tmp_path, characters_file, doubles, server)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(server.entries) < before + 100 and process.poll() is None:
                assert time.monotonic() < deadline, "nobody is asked"
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            time.sleep(3 * LATENCY_S)  # what was under way is answered to nobody
        process = start(tmp_path, characters_file, doubles, server)
        _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, complaints.decode()
        folder = folder_of("none", tmp_path / "runs")
        (path,) = (folder / "judgements").glob("*.jsonl")
        verdicts = lines_of(path)
        assert len(verdicts) == len({verdict["key"] for verdict in verdicts}) == PICTURES
        assert read(folder / "metrics.json")["counts"]["unjudged"] == 0
        sentinels = 24 * 3 * (KILLS + 1)
        n_again = sum(count - 1 for count in asked(server).values()) - sentinels
        # At a kill up to 20 answers are under way, and 20 more verdicts have an answer but not all three.
        assert n_again <= KILLS * 40
        before = len(server.entries)
        process = start(tmp_path, characters_file, doubles, server)
        process.communicate(timeout=PATIENCE_SECONDS)
        assert len(server.entries) == before, "a finished run asked again"
