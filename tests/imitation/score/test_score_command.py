"""`copycat.imitation score`: from folders or vectors to the files of a study, and kill -9 in the middle."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from harness import Cli, CommandLine, Doubles
from PIL import Image
from run_folders import tree

from copycat.imitation.generate.pictures import generations_sha256
from copycat.imitation.records import Score
from copycat.imitation.tables import read_table

PATIENCE_SECONDS = 60.0
NAMES = ("Goofy", "Max", "Bluto", "Clarabelle")
COLOURS = {"goofy": (200, 30, 30), "max": (30, 200, 30), "bluto": (30, 30, 200), "clarabelle": (200, 200, 30)}
CSV = "name,noun\nGoofy,cartoon dog\nMax,teenager\nBluto,sailor\nClarabelle,cow\n"
FACES = """
import os, time
import numpy as np

class Colours:
    revision = "1"
    def embed(self, pictures):
        time.sleep(float(os.environ.get("SLOW", "0")))
        found = [np.asarray(p, dtype=float).mean(axis=(0, 1)) - 100 for p in pictures]
        with open(os.environ.get("FACES_LOG", os.devnull), "a") as log:
            log.write("".join(f"{vector.tolist()}\\n" for vector in found))
        return [None if vector.min() > 140 else vector for vector in found]
"""


def draw(folder: Path, concept: str, n: int, seed: int = 0) -> None:
    """Save pictures of about the concept's colour."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, *map(ord, concept)])
    for number in range(n):
        pixels = np.array(COLOURS[concept]) + rng.integers(-30, 30, (6, 6, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")


def lay_out(folder: Path, n: int = 4) -> None:
    """Make concepts.csv, references, pictures by arm, and a module with an embedder."""
    (folder / "concepts.csv").write_text(CSV, encoding="utf-8")
    (folder / "colourfaces.py").write_text(FACES, encoding="utf-8")
    for concept in COLOURS:
        draw(folder / "refs" / concept, concept, 5, seed=1)
        for prompt in ("portrait", "poster"):
            draw(folder / "pics" / "named" / concept / prompt, concept, n, seed=len(prompt))
        draw(folder / "pics" / "unnamed" / concept, "max", n, seed=4)


@pytest.fixture
def score(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `python -m copycat.imitation score ...` in a folder that is laid out."""
    from copycat.commands.imitation import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("FACES_LOG", str(tmp_path / "faces.log"))
    lay_out(tmp_path)
    run = command_line(app, "copycat.imitation")
    return lambda *options: run("score", "--out", "study", "--device", "cpu", *options)


OURS = ("--references", "refs", "--pictures", "pics", "--embedder", "face:colourfaces:Colours", "--per-concept", 3)


def rows_of(study: Path = Path("study")) -> dict[tuple[str, str, str], Score]:
    rows = read_table(study / "scores.csv", Score, key=("concept", "arm", "prompt"))
    return {(row.concept, row.arm, row.prompt): row for row in rows}


def facts_of(study: Path = Path("study")) -> dict[str, str]:
    facts: dict[str, str] = json.loads((study / "scores.json").read_text(encoding="utf-8"))["facts"]
    return facts


def embedded() -> int:
    log = Path("faces.log")
    return len(log.read_text().splitlines()) if log.exists() else 0


# ------------------------------------------------------------------------------------------------- pictures


def test_pictures_are_scored_by_concept_arm_and_prompt(score: Cli) -> None:
    answer = score(*OURS, "--concepts", "concepts.csv")
    assert answer.code == 0, answer.err
    rows = rows_of()
    assert len(rows) == 4 * (2 + 1 + 2)
    for concept in COLOURS:
        named, shuffled = rows[concept, "named", "poster"], rows[concept, "shuffled", "poster"]
        assert (named.n, named.planned, named.identified, named.matched) == (4, 4, 1.0, 1.0)
        assert (named.raw or 0) > 0.9
        assert (shuffled.raw or 1) < 0.7
        assert (shuffled.identified, shuffled.matched) == (0.0, 0.0)
        assert (named.z, named.reason) == (None, "no z: 3 other concepts have references, and 5 are needed")
        assert rows[concept, "unnamed", ""].identified == (1.0 if concept == "max" else 0.0)
    facts = facts_of()
    assert facts["embedder"] == "face:colourfaces:Colours"
    assert facts["embedder.licence"].startswith("not told; many face models are for non-commercial use")
    assert facts["references.per_concept"] == "3, the first in the order of their sha256"
    assert facts["pictures"] == "48 of 48 scored"
    assert facts["match.true_match"] == "100.0% of references match the others of their concept"
    with Path("study/references.csv").open(encoding="utf-8") as file:
        used = list(csv.DictReader(file))
    assert (len(used), {row["picture"].split("/")[0] for row in used}) == (12, set(COLOURS))
    assert "all: named" in answer.out
    assert "no concept has a z: 3 other concepts have references, and 5 are needed" in answer.err
    assert "4 concepts have a score; `threshold` needs 10 to find a step" in answer.err
    assert "36 pairs of references and other concepts cannot tell a false-match rate of 1.0%" in answer.err


def test_the_same_command_twice_embeds_nothing_and_writes_the_same(score: Cli) -> None:
    first = score(*OURS, "--concepts", "concepts.csv")
    before, n = tree(Path("study")), embedded()
    again = score(*OURS)
    assert (again.code, again.out, tree(Path("study")), embedded()) == (0, first.out, before, n)
    draw(Path("pics/named/max/portrait"), "max", 6, seed=len("portrait"))
    score(*OURS)
    assert embedded() == n + 2
    assert rows_of()["max", "named", "portrait"].n == 6


def test_what_the_embedder_rejects_lowers_the_coverage_and_is_no_zero(score: Cli) -> None:
    score(*OURS, "--concepts", "concepts.csv")
    before = rows_of()["bluto", "named", "poster"]
    for number in range(4, 9):
        Image.new("RGB", (6, 6), (255 - number, 250, 250)).save(f"pics/named/bluto/poster/{number}.png")
    Path("pics/named/bluto/poster/9.png").write_bytes(b"no picture")
    answer = score(*OURS)
    after = rows_of()["bluto", "named", "poster"]
    assert (after.n, after.planned) == (4, 10)
    assert after.model_copy(update={"planned": 4}) == before
    assert facts_of()["pictures.rejected_by_the_embedder"] == "5"
    assert "5 pictures are rejected by the embedder: they lower the coverage and are no zeros" in answer.err
    for number in range(4):
        Image.new("RGB", (6, 6), (254 - number, 251, 250)).save(f"pics/named/bluto/poster/{number}.png")
    assert score(*OURS).code == 0
    row = rows_of()["bluto", "named", "poster"]
    assert (row.raw, row.z, row.identified, row.matched, row.n) == (None, None, None, None, 0)
    assert row.reason == "no picture could be scored: 1 damaged, 9 rejected by the embedder"


def test_who_has_too_few_references_is_left_out_with_a_row_that_says_why(score: Cli) -> None:
    for number in range(1, 5):
        Path(f"refs/max/{number}.png").unlink()
    for path in Path("refs/bluto").iterdir():
        path.unlink()
    answer = score(*OURS, "--concepts", "concepts.csv")
    assert answer.code == 0
    rows = rows_of()
    few, none = rows["max", "named", "poster"], rows["bluto", "named", "portrait"]
    assert (few.raw, few.n, few.planned, few.reason) == (None, 0, 4, "1 reference; 3 are needed")
    assert (none.raw, none.reason) == (None, "no reference")
    assert rows["goofy", "named", "poster"].reason == "no z: 1 other concept has references, and 5 are needed"
    assert "2 of 4 concepts are left out: max (1 reference; 3 are needed), bluto (no reference)" in answer.err


def test_one_concept_alone_has_a_raw_score(score: Cli) -> None:
    Path("one.csv").write_text("name\nGoofy\n", encoding="utf-8")
    assert score(*OURS, "--concepts", "one.csv").code == 0
    row = rows_of()["goofy", "named", "poster"]
    assert (row.raw or 0) > 0.9
    assert (row.z, row.identified, row.matched) == (None, None, None)
    assert row.reason == "no z, identified or matched: no other concept has references"


def put_references_among_pictures(n: int) -> None:
    for number in range(n):
        Path(f"pics/named/max/poster/same-{number}.png").write_bytes(Path(f"refs/max/{number}.png").read_bytes())


def test_a_few_pictures_that_are_references_are_left_out_and_told(score: Cli) -> None:
    score(*OURS, "--concepts", "concepts.csv")
    before = rows_of()["max", "named", "poster"]
    put_references_among_pictures(2)
    answer = score(*OURS)
    assert answer.code == 0
    assert "2 of 50 pictures are references themselves, byte for byte, and are left out: named/max/post" in answer.err
    after = rows_of()["max", "named", "poster"]
    assert (after.n, after.planned, after.raw, after.matched) == (4, 6, before.raw, before.matched)
    assert facts_of()["pictures.references_themselves"] == "2"


def test_references_that_are_the_pictures_are_refused_before_anything_is_embedded(score: Cli) -> None:
    put_references_among_pictures(5)
    answer = score(*OURS, "--concepts", "concepts.csv")
    assert (answer.code, embedded()) == (2, 0)
    assert "5 of 53 pictures are references themselves, byte for byte: named/max/poster/same-0.png" in answer.err
    assert "needed: references that are held out" in answer.err
    assert not Path("study/scores.csv").exists()


def test_references_without_a_vector_are_told_and_the_next_takes_their_place(score: Cli) -> None:
    damaged = Path("refs/max/damaged.png")
    rest = (b"no picture %d" % n for n in range(1000))
    content = next(text for text in rest if hashlib.sha256(text).hexdigest().startswith("00"))
    damaged.write_bytes(content)
    answer = score(*OURS, "--concepts", "concepts.csv")
    assert answer.code == 0, answer.err
    said = "1 reference cannot be compared with (1 damaged), and the next by hash takes the place where there is one"
    assert f"{said}: max (1); such as max/{damaged.name}" in answer.err
    assert rows_of()["max", "named", "poster"].n == 4


def test_a_folder_of_pictures_that_is_not_there_is_refused_before_anything_is_embedded(score: Cli) -> None:
    answer = score(*OURS[:2], "--pictures", "nowhere", *OURS[4:], "--concepts", "concepts.csv")
    assert (answer.code, "there is no folder nowhere" in answer.err, embedded()) == (2, True, 0)


def test_without_a_list_of_concepts_the_folders_of_references_are_the_list(score: Cli) -> None:
    assert score(*OURS).code == 0
    assert {concept for concept, _, _ in rows_of()} == set(COLOURS)


def test_json_holds_what_is_in_the_files(score: Cli) -> None:
    said: dict[str, Any] = json.loads(score(*OURS, "--concepts", "concepts.csv", "--json").out)
    kept = json.loads(Path("study/scores.json").read_text(encoding="utf-8"))
    assert (said["facts"], said["warnings"], said["path"]) == (kept["facts"], kept["warnings"], "study/scores.csv")
    assert [Score.model_validate(row) for row in said["scores"]] == list(rows_of().values())


def test_what_generate_drew_is_scored_by_the_sandbox_embedder_if_the_sandbox_drew(
    score: Cli, command_line: CommandLine, doubles: Doubles
) -> None:
    from copycat.commands.imitation import app

    del doubles
    drawn = ("--model", "fake", "--device", "cpu", "--images", 1, "--concepts", "concepts.csv")
    assert command_line(app, "copycat.imitation")("generate", "--out", "study", *drawn).code == 0
    answer = score("--references", "refs", "--per-concept", 3, "--embedder", "sandbox")
    assert answer.code == 0, answer.err
    rows = rows_of()
    assert {arm for _, arm, _ in rows} == {"named", "unnamed", "zero", "shuffled"}
    assert len(rows) == 4 * 5 * 4
    assert all(row.n == row.planned == 1 for row in rows.values())
    assert "knows drawings of the sandbox alone, and 'fake' drew these pictures" in answer.err
    assert facts_of()["generations.sha256"] == generations_sha256(Path("study"))
    file = Path("study/generations.json")
    file.write_text(file.read_text().replace('"model": "fake"', '"model": "sandbox"').replace('"character"', '"style"'))
    answer = score("--references", "refs", "--per-concept", 3)
    assert (answer.code, facts_of()["embedder"]) == (0, "sandbox")
    warnings = [line for line in answer.err.splitlines() if line.startswith("WARNING")]
    assert [line[:30] for line in warnings] == ["WARNING: 36 pairs of reference", "WARNING: no concept has a z: 3",
        "WARNING: 4 concepts have a sco"]  # fmt: skip


# -------------------------------------------------------------------------------------------------- vectors


def ready(folder: Path, n: int = 6) -> None:
    """Write references and pictures of four concepts as vectors: a direction each, and noise."""
    rng = np.random.default_rng(0)

    def vectors(count: int) -> Any:
        return (5 * np.eye(8)[:4].repeat(count, axis=0) + rng.normal(0, 0.5, (4 * count, 8))).astype(np.float32)

    np.save(folder / "refs.npy", vectors(5))
    pl.DataFrame({"concept": np.repeat(NAMES, 5)}).write_csv(folder / "refs.csv")
    np.savez(folder / "pics.npz", vectors=vectors(n), concept=np.repeat(NAMES, n), prompt=["a", "b"] * (2 * n))


READY = ("--references", "refs.npy", "--embeddings", "pics.npz", "--per-concept", 4)


def test_vectors_of_ones_own_are_scored_without_any_embedder(score: Cli) -> None:
    ready(Path())
    answer = score(*READY)
    assert answer.code == 0, answer.err
    rows = rows_of()
    assert {key[1] for key in rows} == {"named", "shuffled"}
    assert {(row.n, row.identified) for key, row in rows.items() if key[1] == "named"} == {(3, 1.0)}
    assert {row.identified for key, row in rows.items() if key[1] == "shuffled"} == {0.0}
    assert (facts_of()["embedder"], facts_of()["embeddings"]) == ("ready", "pics.npz")
    before = Path("study/scores.csv").read_bytes()
    vectors = np.load("refs.npy")
    np.save("refs.npy", vectors[::-1] * 7)
    pl.DataFrame({"concept": np.repeat(NAMES, 5)[::-1]}).write_csv("refs.csv")
    assert score(*READY, "--embedder", "ready").code == 0
    assert {k: r.n for k, r in rows_of().items()} == {k: r.n for k, r in rows.items()}
    np.save("refs.npy", vectors[::-1])
    score(*READY)
    assert Path("study/scores.csv").read_bytes() == before, "the order of rows changes nothing"


def test_a_picture_without_a_vector_lowers_the_coverage(score: Cli) -> None:
    ready(Path())
    arrays = dict(np.load("pics.npz"))
    arrays["reason"] = np.array(["no face"] * 2 + [""] * 22)
    arrays["vectors"][:2] = np.nan
    np.savez("pics.npz", **arrays)
    assert score(*READY).code == 0
    assert [(rows_of()["goofy", "named", p].n, rows_of()["goofy", "named", p].planned) for p in "ab"] == [
        (2, 3),
        (2, 3),
    ]
    assert facts_of()["pictures.no_face"] == "2"


def test_vectors_of_references_are_no_pictures(score: Cli) -> None:
    ready(Path(), n=20)
    arrays, references = dict(np.load("pics.npz")), np.load("refs.npy")
    arrays["vectors"][3:5] = references[:2]
    np.savez("pics.npz", **arrays)
    answer = score(*READY)
    assert answer.code == 0, answer.err
    assert "2 of 80 pictures are references themselves, number for number, and are left out: row 4" in answer.err
    assert facts_of()["pictures.references_themselves"] == "2"
    np.savez("pics.npz", vectors=references, concept=np.repeat(NAMES, 5))
    answer = score(*READY)
    assert (answer.code, "20 of 20 pictures are references themselves" in answer.err) == (2, True)


def test_vectors_that_cannot_be_compared_are_told(score: Cli) -> None:
    ready(Path())
    arrays = dict(np.load("pics.npz"))
    np.savez("pics.npz", **{**arrays, "vectors": arrays["vectors"][:, :5]})
    answer = score(*READY)
    assert answer.code == 2
    assert "pics.npz: vectors of 5 numbers, and references of 8 in refs.npy" in answer.err
    arrays["vectors"][3, 1] = np.nan
    np.savez("pics.npz", **arrays)
    answer = score(*READY)
    assert (answer.code, "row 4 ('Goofy'): a vector with NaN" in answer.err) == (2, True)


# --------------------------------------------------------------------------------------------------- errors


def test_what_is_wrong_is_told_and_no_score_is_written(score: Cli) -> None:
    given = ("--concepts", "concepts.csv")
    for options, said in (
        (("--references", "none", "--embedder", "sandbox"), "there is no folder or file none"),
        ((*OURS, *given, "--characters", "sandbox"), "leave out one of them"),
        ((*OURS, *given, "--false-match-rate", 1), "is no share"),
        ((*OURS, *given, "--per-concept", 99), "use fewer: --per-concept 5"),
        (("--references", "none", *given, "--embedder", "sandbox"), "there is no folder none"),
        ((*OURS[:2], *OURS[4:], *given), "copycat.imitation generate, or name a folder"),
        (("--references", "refs", *given, "--embedder", "sandbx"), "did you mean 'sandbox'"),
        (("--references", "refs", *given, "--embedder", "ready"), "needed: --embeddings FILE"),
        (("--references", "refs", *given, "--embeddings", "v.npy", "--embedder", "dino"), "leave out one of them"),
        (("--references", "refs", *given, "--embeddings", "v.npy", "--pictures", "pics"), "leave out one of them"),
        (("--references", "refs", *given, "--embeddings", "v.npy"), "no file of vectors: refs"),
        ((*OURS, *given, "--device", "tpu"), "tpu"),
    ):
        answer = score(*options)
        assert (answer.code, said in answer.err, "Traceback" in answer.err) == (2, True, False), answer.err
    assert not Path("study/scores.csv").exists()


# ---------------------------------------------------------------------------------------------------- kills


def start(folder: Path, study: str, slow: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "copycat.imitation", "score", "--out", study, "--device", "cpu"]
    command += [*map(str, OURS), "--concepts", "concepts.csv"]
    places = os.pathsep.join([str(folder), str(Path(__file__).resolve().parents[3])])
    environment = os.environ | {"FACES_LOG": f"{study}.log", "SLOW": str(slow), "PYTHONPATH": places}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, **quiet)  # type: ignore[call-overload]


@pytest.mark.slow
def test_a_study_killed_while_it_embeds_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    lay_out(tmp_path, n=40)
    _, complaints = start(tmp_path, "unbroken", 0).communicate(timeout=PATIENCE_SECONDS)
    whole = (tmp_path / "unbroken.log").read_text().splitlines()
    assert (tmp_path / "unbroken" / "scores.csv").is_file(), complaints.decode()

    def kept() -> int:
        indexes = [path.read_bytes().count(b"\n") for path in tmp_path.glob("broken/embeddings/*/index.jsonl")]
        return sum(indexes)

    for least in (60, 200):
        process, deadline = start(tmp_path, "broken", 0.15), time.monotonic() + PATIENCE_SECONDS
        while kept() < least and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
        assert not (tmp_path / "broken" / "scores.csv").exists()
    finished = kept()
    (tmp_path / "broken.log").unlink()
    start(tmp_path, "broken", 0).communicate(timeout=PATIENCE_SECONDS)
    assert len((tmp_path / "broken.log").read_text().splitlines()) == len(whole) - finished, "one was embedded twice"
    for name in ("scores.csv", "scores.json", "references.csv"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "unbroken" / name).read_bytes()
