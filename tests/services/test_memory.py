"""Answers that cost something are never paid for twice, by this process or another."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from copycat.errors import DataError
from copycat.services.memory import AnswerMemory, answer_key, pixels_sha256


def test_an_answer_is_given_back_after_a_restart(tmp_path: Path) -> None:
    AnswerMemory(tmp_path / "a.sqlite").put("k", {"text": "ja", "p": 0.25})
    assert AnswerMemory(tmp_path / "a.sqlite").get("k") == {"text": "ja", "p": 0.25}
    assert AnswerMemory(tmp_path / "a.sqlite").get("other") is None


def test_many_threads_may_write_at_once(tmp_path: Path) -> None:
    memory = AnswerMemory(tmp_path / "a.sqlite")
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda i: memory.put(f"k{i}", i), range(200)))
    assert [memory.get(f"k{i}") for i in range(200)] == list(range(200))


def test_an_answer_survives_a_kill_right_after_it_was_kept(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from copycat.services.memory import AnswerMemory; "
        "AnswerMemory(Path(sys.argv[1])).put('k', 'paid'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.sqlite")], check=False)
    assert done.returncode == -9
    assert AnswerMemory(tmp_path / "a.sqlite").get("k") == "paid"


def test_a_memory_that_is_cleared_has_forgotten_everything(tmp_path: Path) -> None:
    AnswerMemory(tmp_path / "a.sqlite").clear()
    assert not (tmp_path / "a.sqlite").exists()
    AnswerMemory(tmp_path / "a.sqlite").put("k", "old")
    AnswerMemory(tmp_path / "a.sqlite").clear()
    assert AnswerMemory(tmp_path / "a.sqlite").get("k") is None


def test_a_sleeping_memory_gives_and_keeps_nothing(tmp_path: Path) -> None:
    memory = AnswerMemory(tmp_path / "a.sqlite")
    memory.put("k", "old")
    with memory.asleep():
        assert memory.get("k") is None
        memory.put("j", "lost")
    assert (memory.get("k"), memory.get("j")) == ("old", None)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"a\.sqlite: cannot be used"):
        AnswerMemory(tmp_path / "a.sqlite").get("k")


def test_the_key_moves_with_everything_that_an_answer_depends_on() -> None:
    base = ("image", "revision", "question", "greedy")
    keys = {answer_key(*base)} | {answer_key(*(*base[:i], "other", *base[i + 1 :])) for i in range(4)}
    assert len(keys) == 5


def test_pictures_of_the_same_bytes_and_another_shape_differ() -> None:
    assert pixels_sha256((2, 3), b"x" * 18) != pixels_sha256((3, 2), b"x" * 18)
