"""`python -m copycat.provenance manifest`: what it prints, proves and refuses, and what a kill leaves."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import Cli, CommandLine
from manifests import CARD, Make, greetings

from copycat.commands.provenance import app
from copycat.provenance.dataset import open_dataset
from copycat.provenance.manifest import open_manifest, record_sha256

COMMAND = ("manifest", "data", "--as-of", "2026-02-01")


@pytest.fixture
def provenance(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.provenance")


def test_the_command_prints_roots_and_what_is_not_stated(make: Make, provenance: Cli) -> None:
    make(greetings())
    answer = provenance(*COMMAND)
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert lines[0] == "version 1: 6 records"
    assert lines[1].startswith("root of records: ")
    assert "license" in lines[3]
    assert lines[-1] == "data/provenance"


def test_a_second_time_says_so_and_a_change_says_what_changed(make: Make, provenance: Cli) -> None:
    make(greetings())
    provenance(*COMMAND)
    assert provenance(*COMMAND).out.startswith("version 1 already has this root; nothing is written")
    make(greetings(4))
    found = json.loads(provenance(*COMMAND, "--json").out)
    assert (found["is_new"], found["version"], found["n_removed"]) == (True, "2", 2)


def test_a_record_is_proved_to_whoever_has_the_root(make: Make, provenance: Cli) -> None:
    make(greetings(), card=CARD)
    provenance(*COMMAND)
    proof = json.loads(provenance("manifest", "data", "--prove", "g4").out)
    Path("proof.json").write_text(json.dumps(proof))
    assert provenance("manifest", "data", "--proof", "proof.json").code == 0
    for wrong in ({"sha256": "0" * 64}, {"id": "g3"}, {"root": "0" * 64}):
        Path("proof.json").write_text(json.dumps(proof | wrong))
        answer = provenance("manifest", "data", "--proof", "proof.json", "--json")
        assert (answer.code, json.loads(answer.out)["holds"]) == (1, False)


def test_a_proof_of_a_mirror_holds_by_its_root_whatever_the_version_is_called(make: Make, provenance: Cli) -> None:
    make(greetings())
    make(greetings(), "mirror")
    make(greetings(5), "other")
    provenance(*COMMAND, "--version", "v7")
    for name in ("mirror", "other"):
        provenance("manifest", name)
    Path("proof.json").write_text(provenance("manifest", "data", "--prove", "g4").out)
    assert provenance("manifest", "mirror", "--proof", "proof.json").out.startswith("record g4 is in version 1, root ")
    answer = provenance("manifest", "other", "--proof", "proof.json")
    assert answer.code == 1
    assert "the proof is for version v7 with the root " in answer.out
    assert "no version here has that root: it was made from the manifest of another dataset" in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("manifest", "nowhere"), "nowhere: is not there"),
        (("manifest", "data", "--prove", "g9"), "version 1 has no record 'g9'"),
        (("manifest", "data", "--proof", "data/train.jsonl"), "is no proof"),
        (("manifest", "data", "--fact", "licence=MIT"), "did you mean 'license'"),
        (("manifest", "data", "--fact", "license"), "needed: NAME=VALUE"),
        (("manifest", "data", "--fact", "datePublished=soon"), "needed: YYYY-MM-DD"),
        (("manifest", "data", "--version", "a/b"), "is no name of a version"),
        (("manifest", "data", "--ids", "colum"), "did you mean 'column'"),
        (("manifest", "data", "--version", "7", "--prove", "g1"), "unknown version '7'"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_type(
    make: Make, provenance: Cli, arguments: tuple[str, ...], said: str
) -> None:
    make(greetings())
    if {"--prove", "--proof"} & {*arguments}:
        provenance(*COMMAND)
    answer = provenance(*arguments)
    assert answer.code == 2
    assert said in answer.err


def test_columns_that_were_named_once_are_known_to_the_next_version_the_comparison_and_the_check(
    make: Make, provenance: Cli
) -> None:
    rows = [{"key": f"k{n}", "line": f"hello {n}", "text": "the same"} for n in range(4)]
    make(rows)
    provenance(*COMMAND, "--column", "id=key", "--column", "text=line")
    assert "already has this root" in provenance(*COMMAND).out
    assert provenance("diff", "data").code == 0
    plain = provenance("check", "data", "--rules", "P2")
    assert plain.code == 1
    assert "the manifest was made with --column id=key" in plain.out
    assert provenance("check", "data", "--rules", "P2", "--column", "id=key", "--column", "text=line").code == 0
    make(rows[1:])
    assert json.loads(provenance(*COMMAND, "--json").out)["n_removed"] == 1


def test_no_part_of_an_id_passes_for_a_hash_in_a_proof(make: Make, provenance: Cli) -> None:
    """A leaf is joined with NUL, which an id may hold."""
    other = record_sha256("other")
    make([{"id": f"a\0{other}", "text": "x"}, {"id": "b", "text": "y"}])
    provenance(*COMMAND)
    proof = json.loads(provenance("manifest", "data", "--prove", f"a\0{other}").out)
    Path("proof.json").write_text(json.dumps(proof))
    assert provenance("manifest", "data", "--proof", "proof.json").code == 0
    forged = proof | {"id": "a", "sha256": other, "text_sha256": f"{proof['sha256']}\0"}
    Path("proof.json").write_text(json.dumps(forged))
    answer = provenance("manifest", "data", "--proof", "proof.json")
    assert (answer.code, "is no proof" in answer.err) == (2, True)


def test_a_sidecar_elsewhere_names_the_files_from_where_it_lies(make: Make, provenance: Cli) -> None:
    make(greetings(), card=CARD)
    assert provenance(*COMMAND, "--out", "kept/sidecar").out.splitlines()[-1] == "kept/sidecar"
    found = json.loads(Path("kept/sidecar/croissant.json").read_text())
    for each in found["distribution"]:
        assert (Path("kept/sidecar") / each["contentUrl"]).is_file()
    assert not Path("data/provenance").exists()
    assert provenance("diff", "kept/sidecar", "data").code == 0


def test_a_card_that_cannot_be_read_is_told(make: Make, provenance: Cli) -> None:
    make(greetings(), card="---\na: &x [*x]\nlicense: MIT\n---\n")
    assert "README.md:1 the front matter is not plain YAML" in provenance(*COMMAND).err
    assert "README.md:1" in json.loads(provenance(*COMMAND, "--json").out)["card_faults"][0]


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_old_version_or_the_new_one(make: Make, tmp_path: Path) -> None:
    """Version 2 is written in a process that is killed after ever so long; then version 1 or 2 is there, whole."""
    chance = random.Random(0)
    ended = set()
    for attempt in range(6):
        folder = make(greetings(3000), f"kill-{attempt}")
        command = [sys.executable, "-m", "copycat.provenance", "manifest", str(folder), "--as-of", "2026-02-01"]
        subprocess.run(command, check=True, capture_output=True)
        rows = greetings(3500)[500:]
        rows[7]["text"] = "changed"
        make(rows, f"kill-{attempt}")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        sidecar = folder / "provenance"
        begun = time.monotonic()
        while not any(sidecar.glob(".*")) and process.poll() is None and time.monotonic() - begun < 30:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.25)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        manifest = open_manifest(open_dataset(folder))
        last = manifest.last
        ended.add(last.version)
        assert (last.version, sum(table.num_rows for table in manifest.rows())) in {("1", 3000), ("2", 3000)}
        assert sum(table.num_rows for table in manifest.rows("1")) == 3000
        subprocess.run(command, check=True, capture_output=True)
        again = open_manifest(open_dataset(folder))
        assert (again.last.version, again.last.n_added, again.last.n_removed) == ("2", 500, 500)
        assert sum(table.num_rows for table in again.rows("1")) == 3000
        assert sorted(path.name for path in sidecar.iterdir()) == [
            "croissant.json",
            "history.parquet",
            "manifest.json",
            "records.parquet",
        ]
    assert ended
