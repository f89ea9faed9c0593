"""The suite from a Hub: checked by hash, whole or not at all, and gone on with after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
from harness import Cli
from hub_server import HubServer
from run_folders import read, tree

from copycat.catalog import list_character_sets, read_character_set, read_prompt_set
from copycat.errors import DataError
from copycat.paths import data_folder

REPOSITORY = "somebody/copycat-suite"
KEPT = f"datasets/{REPOSITORY}"
MANIFEST = "suite/suite.json"


@pytest.fixture
def hub(suite: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub that holds the exported suite, and whose address HF_ENDPOINT names."""
    with HubServer({KEPT: tree(suite)}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        yield hub


def change(hub: HubServer, **manifest: Any) -> dict[str, Any]:
    """Change fields of the suite.json that the Hub holds, and give the whole."""
    content = json.loads(hub.repositories[KEPT][MANIFEST]) | manifest
    hub.repositories[KEPT][MANIFEST] = json.dumps(content).encode()
    return content


def listed(hub: HubServer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(hub.repositories[KEPT][MANIFEST])["files"]
    return found


# ------------------------------------------------------------------------------------ what arrives


def test_the_suite_arrives_with_its_source(data: Cli, hub: HubServer, suite: Path) -> None:
    answer = data("download", "suite", REPOSITORY, "--revision", "main")

    commit = hub.commit_of(KEPT)
    assert answer.code == 0
    assert f"fetched from {REPOSITORY} at commit {commit}" in answer.out
    source = read(Path("suite/source.json"))
    assert (source["repository"], source["commit"], source["revision"]) == (REPOSITORY, commit, "main")
    assert source["endpoint"] == hub.url
    found = tree(Path("suite"))
    found.pop("source.json")
    assert found == tree(suite / "suite")
    assert [path.name for path in Path().iterdir()] == ["suite"]


def test_nothing_but_the_suite_is_fetched(data: Cli, hub: HubServer) -> None:
    hub.repositories[KEPT] |= {"suite/prompts/more.exe": b"MZ", "model.bin": b"x" * 1000}

    assert data("download", "suite", REPOSITORY).code == 0

    fetched = {
        asked.path.rpartition(f"{hub.commit_of(KEPT)}/")[2] for asked in hub.requests if "/resolve/" in asked.path
    }
    assert fetched == {MANIFEST} | {f"suite/{name}" for name in listed(hub)}


def test_a_suite_that_is_there_already_is_checked_and_left(data: Cli, hub: HubServer) -> None:
    data("download", "suite", REPOSITORY)
    hub.requests.clear()

    again = data("download", "suite", REPOSITORY)
    assert again.code == 0
    assert "was there already" in again.out
    assert not [asked for asked in hub.requests if "/resolve/" in asked.path]

    path = Path("suite/characters/copycat50.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace("Ariel", "Arial"), encoding="utf-8")
    changed = data("download", "suite", REPOSITORY)
    assert changed.code == 2
    assert "suite/characters/copycat50.yaml: differs from its sha256 in suite.json" in changed.err


def test_an_exported_folder_is_a_source_too(data: Cli, suite: Path) -> None:
    assert data("download", "suite", suite, "--out", "mine").code == 0

    assert read(Path("mine/source.json"))["commit"] is None
    assert data("validate", "mine").code == 0


# ------------------------------------------------------------------------------- how it is used


def test_copycat_reads_the_suite_that_the_environment_names(
    data: Cli, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data("export", "suite", "--characters", "unseen50", "--out", "exported")
    data("download", "suite", "./exported", "--out", "mine")
    monkeypatch.setenv("COPYCAT_DATA", "mine")

    assert list_character_sets() == ("unseen50",)
    assert data_folder("prompts") == Path("mine/prompts")
    assert len(read_prompt_set(read_character_set("unseen50")).names) == 50


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"suite_version": "0.9"}', "COPYCAT_DATA: mine holds suite 0.9, and this copycat measures with suite 1.0"),
        ("[]", "COPYCAT_DATA: mine holds no readable suite.json"),
        (None, "COPYCAT_DATA: mine holds no readable suite.json"),
        ('{"suite_version": "1.0"}', "COPYCAT_DATA: mine lacks the folder 'characters'"),
    ],
)
def test_a_suite_that_is_none_or_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COPYCAT_DATA", "mine")
    if content is not None:
        Path("mine").mkdir()
        Path("mine/suite.json").write_text(content)

    with pytest.raises(DataError) as refused:
        data_folder("characters")

    assert said in str(refused.value)
    assert "unset COPYCAT_DATA" in str(refused.value)


# ------------------------------------------------------------------------ what is refused


def test_a_file_that_was_changed_on_its_way_leaves_nothing(data: Cli, hub: HubServer) -> None:
    name = "suite/prompts/copycat50/name.jsonl"
    hub.repositories[KEPT][name] = hub.repositories[KEPT][name].replace(b"Ariel", b"Arial")

    answer = data("download", "suite", REPOSITORY)

    assert answer.code == 2
    assert "prompts/copycat50/name.jsonl: differs from its sha256 in suite.json" in answer.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["../escaped.yaml", "/etc/passwd", "characters/../../escaped.yaml", "characters/.hidden", "prompts/a/b/c.jsonl",
     "manifest.json", "characters\\..\\x", "prompts/a/"],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused_before_it_is_fetched(data: Cli, hub: HubServer, name: str) -> None:
    change(hub, files={name: {"bytes": 1, "sha256": "0" * 64}})
    hub.repositories[KEPT][f"suite/{name}"] = b"x"

    answer = data("download", "suite", REPOSITORY)

    assert answer.code == 2
    assert f"{REPOSITORY}/{MANIFEST}: field 'files.{name}" in answer.err
    assert not tree(Path())


def test_what_is_too_large_is_refused_before_it_is_fetched(data: Cli, hub: HubServer) -> None:
    name = "characters/copycat50.yaml"
    hub.repositories[KEPT][f"suite/{name}"] += b" "

    larger = data("download", "suite", REPOSITORY)
    assert larger.code == 2
    assert f"suite/{name}: " in larger.err
    assert "in suite.json" in larger.err
    assert not [asked for asked in hub.requests if asked.path.endswith("copycat50.yaml")]

    change(hub, files={name: {"bytes": 6_000_000, "sha256": "0" * 64}})
    assert "less than or equal to 5000000" in data("download", "suite", REPOSITORY).err
    hub.repositories[KEPT][MANIFEST] = b" " * 5_000_001
    assert "5,000,001 bytes, at most 5,000,000 are allowed" in data("download", "suite", REPOSITORY).err


def test_another_suite_version_is_refused(data: Cli, hub: HubServer) -> None:
    change(hub, suite_version="2.0")

    answer = data("download", "suite", REPOSITORY)

    assert answer.code == 2
    assert "is suite 2.0, and this copycat measures with suite 1.0" in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("somebody/nothing",), "the Hub has no dataset somebody/nothing, or your token may not see it"),
        ((REPOSITORY, "--revision", "v9"), f"{REPOSITORY} has no revision 'v9'\n  needed: a branch, tag or commit"),
        (("./nowhere",), "nowhere: holds no suite.json\n  needed: ORG/NAME, or an exported suite"),
        (("not a name",), "'not a name' is no name of a dataset\n  needed: ORG/NAME, or a folder"),
    ],
)
def test_a_source_that_is_not_there_is_told(data: Cli, hub: HubServer, arguments: tuple[str, ...], said: str) -> None:
    answer = data("download", "suite", *arguments)

    assert answer.code == 2
    assert said in answer.err


def test_a_dataset_without_a_suite_and_a_full_folder_are_refused(data: Cli, hub: HubServer) -> None:
    hub.repositories[KEPT].pop(MANIFEST)
    assert f"{REPOSITORY}/{MANIFEST}: there is no such file" in data("download", "suite", REPOSITORY).err

    Path("suite").mkdir()
    Path("suite/mine.txt").write_text("mine")
    answer = data("download", "suite", REPOSITORY)
    assert answer.code == 2
    assert "suite holds other files than" in answer.err
    assert tree(Path()) == {"suite/mine.txt": b"mine"}


def test_a_token_that_is_refused_is_told_and_never_shown(
    data: Cli, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_anothersanothersanothers")

    answer = data("download", "suite", REPOSITORY)

    assert answer.code == 2
    assert f"{REPOSITORY} may not be read with this token (401)\n  check HF_TOKEN" in answer.err
    assert "hf_another" not in answer.out + answer.err


def test_a_hub_that_cannot_be_reached_is_told(data: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)

    answer = data("download", "suite", REPOSITORY)

    assert answer.code == 2
    assert f"{REPOSITORY} cannot be fetched (ConnectError)" in answer.err
    assert "type the same command again" in answer.err


# --------------------------------------------------------------------------------- after a kill


class Stalling(dict[str, bytes]):
    """Files of which one does not come until it is let go."""

    held, is_asked, go_on = "suite/prompts/sandbox/name.jsonl", threading.Event(), threading.Event()

    def __getitem__(self, path: str) -> bytes:
        if path == self.held:
            self.is_asked.set()
            self.go_on.wait(30)
        return super().__getitem__(path)


@pytest.mark.slow
def test_a_download_that_was_killed_goes_on_where_it_was(hub: HubServer, tmp_path: Path, suite: Path) -> None:
    files = Stalling(hub.repositories[KEPT])
    hub.repositories[KEPT] = files
    command = [sys.executable, "-m", "copycat.data", "download", "suite", REPOSITORY, "--out", "fetched"]
    settings = {**os.environ, "HF_HUB_OFFLINE": "0", "PYTHONPATH": str(Path(__file__).parents[2])}
    n_files = len(listed(hub))

    first = subprocess.Popen(command, cwd=tmp_path, env=settings, stderr=subprocess.DEVNULL)
    assert files.is_asked.wait(30)
    wait_until(lambda: len(fetched_from(hub)) >= n_files)  # suite.json and all files but the one that is held
    time.sleep(0.2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "fetched").exists()

    files.go_on.set()
    before = fetched_from(hub)
    second = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False)

    assert second.returncode == 0, second.stderr
    assert fetched_from(hub)[len(before) :] == [Stalling.held]
    found = tree(tmp_path / "fetched")
    found.pop("source.json")
    assert found == tree(suite / "suite")
    assert [path.name for path in tmp_path.iterdir()] == ["fetched"]


def fetched_from(hub: HubServer) -> list[str]:
    """The files whose bytes were sent, in order: the one that is held up comes last."""
    asked = [a.path for a in list(hub.requests) if a.method == "GET" and "/resolve/" in a.path]
    return [path.partition("/resolve/")[2].partition("/")[2] for path in asked]


def wait_until(is_so: Any, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
