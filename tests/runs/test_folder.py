"""The run folder: what is finished is never lost, and never mixed up with something else."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from copycat_doubles import draw
from plan_builders import SPEC, changed, requests_of, run_file

from copycat.errors import DataError, ResumeMismatchError, UserError
from copycat.runs.encoding import encode_png
from copycat.runs.folder import RunFolder, append_journal, read_journal, write_bytes, write_json
from copycat.schema import CharacterSet, Judgement, Sample

WHITE = "\u2028 Zoë 漫画 \x85"  # line separators of Unicode that are none in JSONL


def judgement(key: str, **fields: Any) -> Judgement:
    return Judgement(**{"key": key, "image_sha256": "0", "detected": None, "confidence": 0.5, **fields})


def sample_of(folder: RunFolder, characters: CharacterSet, number: int = 0) -> Sample:
    """Make a picture, save it and give the line that belongs to it."""
    request = requests_of(characters)[number]
    image = f"images/{request.key}.png"
    sha256 = folder.save_file(image, encode_png(draw(request, SPEC.sampling, request.seed)))
    return Sample(**request.model_dump(exclude={"prompt_id"}), status="ok", image=image, sha256=sha256)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "runs" / "one")


# --------------------------------------------------------------------------------------- journal


def test_a_journal_gives_back_what_was_appended(tmp_path: Path) -> None:
    path, rows = tmp_path / "deep" / "journal.jsonl", [judgement("a", reason=WHITE), judgement("b")]
    append_journal(path, rows[:1])
    append_journal(path, rows[1:])
    assert read_journal(path, Judgement) == rows
    assert path.read_bytes().count(b"\n") == 2


def test_a_journal_that_does_not_exist_is_empty_and_appending_nothing_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    append_journal(path, [])
    assert read_journal(path, Judgement) == []
    assert not path.exists()


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        append_journal(tmp_path / name, [judgement("a", confidence=0.1 + 0.2), judgement("b", reason=WHITE)])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("kept_bytes", [1, 20, -1], ids=["one byte", "half a line", "all but the newline"])
def test_a_last_line_that_a_crash_cut_off_does_not_count(tmp_path: Path, kept_bytes: int) -> None:
    path = tmp_path / "journal.jsonl"
    append_journal(path, [judgement("a")])
    whole = path.read_bytes()
    path.write_bytes(whole + whole.replace(b'"a"', b'"b"')[:kept_bytes])
    assert read_journal(path, Judgement) == [judgement("a")]
    append_journal(path, [judgement("c")])
    assert read_journal(path, Judgement) == [judgement("a"), judgement("c")]


def test_a_journal_that_is_nothing_but_a_cut_off_line_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"key": "a", "ima')
    assert read_journal(path, Judgement) == []
    append_journal(path, [judgement("c")])
    assert read_journal(path, Judgement) == [judgement("c")]


def test_reading_a_journal_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"key": "a", "ima')
    read_journal(path, Judgement)
    assert path.read_bytes() == b'{"key": "a", "ima'


@pytest.mark.parametrize(
    ("damaged", "rule"),
    [
        (b'{"key": "x", "image_sha256": "0"}', "field 'detected': Field required"),
        (
            b'{"key": "x", "image_sha256": "0", "detected": null, "mood": 1}',
            "field 'mood': Extra inputs are not permitted",
        ),
        (b'{"key": "x", "image_sha256": "0", "detected": null, "confidence": 2}', "field 'confidence': "),
        (b'{"key": "x", "imag', "Invalid JSON"),
        (b"", "Invalid JSON"),
        (b"\x00\x00\x00\xff\xfe", "Invalid JSON"),
    ],
    ids=["missing field", "extra field", "value out of range", "half a line", "empty line", "binary rubbish"],
)
def test_a_damaged_line_is_reported_with_file_line_and_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bytes, rule: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("judgements/fake.jsonl")
    append_journal(path, [judgement("a"), judgement("b")])
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + damaged + b"\n" + second)
    with pytest.raises(DataError) as caught:
        read_journal(path, Judgement)
    assert str(caught.value).startswith(f"judgements/fake.jsonl:2: {rule}")
    assert str(caught.value).endswith(
        "\n  the journal was edited or damaged; restore it, or start the run again with --fresh"
    )


def test_rewriting_replaces_the_samples_in_one_step(folder: RunFolder, characters: CharacterSet) -> None:
    one, two = sample_of(folder, characters, 0), sample_of(folder, characters, 1)
    folder.append_samples([one, two])
    folder.rewrite_samples([two])
    assert folder.read_samples() == [two]
    assert [path.name for path in folder.path.iterdir() if path.is_file()] == ["samples.jsonl"]


def test_judgements_of_two_judges_do_not_meet(folder: RunFolder) -> None:
    clip, newer, vlm = (
        changed(SPEC, judge=judge, judge_revision=revision)
        for judge, revision in (("clip/big:1", "a" * 40), ("clip/big:1", "b" * 40), ("vlm", "a" * 40))
    )
    for spec, key in ((clip, "a"), (newer, "b"), (vlm, "c")):
        folder.append_judgements(spec, [judgement(key)])
    assert [folder.read_judgements(spec) for spec in (clip, newer, vlm)] == [
        [judgement("a")],
        [judgement("b")],
        [judgement("c")],
    ]
    outside = changed(SPEC, judge="../x")
    assert folder.judgements_path(outside).parent == folder.path / "judgements"


# ------------------------------------------------------------------------------- files in one step


def test_json_is_written_so_that_it_diffs_well(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"b": 1, "a": "ë"})
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == '{\n  "a": "ë",\n  "b": 1\n}\n'


def test_json_never_holds_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    write_bytes(path, b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("relative", ["images/k.png", "videos/k.mp4"])
def test_a_file_is_saved_as_it_is_under_its_name_and_its_hash_is_told(folder: RunFolder, relative: str) -> None:
    sha256 = folder.save_file(relative, b"\x00bytes")
    assert sha256 == hashlib.sha256(b"\x00bytes").hexdigest()
    assert {p.relative_to(folder.path).as_posix() for p in folder.path.rglob("*") if p.is_file()} == {relative}
    assert (folder.path / relative).read_bytes() == b"\x00bytes"


def test_a_picture_is_given_back_only_if_it_is_the_one_that_was_saved(
    folder: RunFolder, characters: CharacterSet
) -> None:
    sample = sample_of(folder, characters)
    path = folder.path / str(sample.image)
    content = path.read_bytes()
    assert folder.read_image(sample) == content
    for damaged in (b"", content[:-1], content + b"x"):
        path.write_bytes(damaged)
        assert folder.read_image(sample) is None
    path.unlink()
    assert folder.read_image(sample) is None


# ------------------------------------------------------------------------------------- run.json


def test_opening_makes_the_folder_and_run_json(folder: RunFolder) -> None:
    assert folder.open(run_file()) == run_file()
    assert folder.read_run() == run_file()
    assert json.loads((folder.path / "run.json").read_text())["spec"]["seeds"] == 2


def test_opening_again_keeps_the_environment_in_which_the_run_was_begun(folder: RunFolder) -> None:
    folder.open(run_file(numpy="1.0"))
    folder.close()
    assert folder.open(run_file(numpy="9.0")).environment["numpy"] == "1.0"


def test_opening_again_with_another_judge_is_the_same_run(folder: RunFolder) -> None:
    folder.open(run_file())
    folder.close()
    other = changed(SPEC, judge="other", judge_revision="7")
    assert folder.open(run_file(other)).spec == other


def test_a_folder_of_another_spec_is_refused(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder.open(run_file())
    folder.close()
    with pytest.raises(ResumeMismatchError) as caught:
        folder.open(run_file(changed(SPEC, seeds=5, model_revision="2")))
    assert str(caught.value) == (
        "runs/one belongs to another run\n"
        "  model_revision: '1' here, '2' asked for\n"
        "  seeds: 2 here, 5 asked for\n"
        "  use another --out folder, or start this one again with --fresh"
    )


def test_an_unfinished_run_of_another_torch_is_refused(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder.open(run_file(torch="2.0"))
    folder.close()
    with pytest.raises(ResumeMismatchError) as caught:
        folder.open(run_file(torch="2.15", numpy="9"))
    assert str(caught.value) == (
        "runs/one was begun with other versions: torch 2.0 then, 2.15 now\n"
        "  pictures of two versions do not belong in one run\n"
        "  install the versions it was begun with, or start again with --fresh"
    )


def test_a_finished_run_of_another_torch_can_be_read_again(folder: RunFolder, characters: CharacterSet) -> None:
    folder.open(run_file(torch="2.0"))
    folder.append_samples([sample_of(folder, characters)])
    folder.write_run(run_file(status="finished", torch="2.0"))
    folder.close()
    assert folder.open(run_file(torch="2.15")).environment["torch"] == "2.0"


def test_a_finished_run_of_another_torch_is_refused_if_lines_of_its_journal_are_gone(
    folder: RunFolder, characters: CharacterSet
) -> None:
    folder.open(run_file(torch="2.0"))
    folder.append_samples([sample_of(folder, characters)])
    folder.write_run(run_file(status="finished", torch="2.0"))
    folder.close()
    with pytest.raises(ResumeMismatchError, match=r"torch 2\.0 then, 2\.15 now"):
        folder.open(run_file(torch="2.15"), n_planned=2)
    folder.close()
    assert folder.open(run_file(torch="2.15"), n_planned=1).environment["torch"] == "2.0"


@pytest.mark.parametrize("what", ["picture gone", "request failed"])
def test_a_finished_run_of_another_torch_is_refused_if_a_picture_would_be_made(
    folder: RunFolder, characters: CharacterSet, what: str
) -> None:
    folder.open(run_file(torch="2.0"))
    sample = sample_of(folder, characters)
    if what == "picture gone":
        (folder.path / str(sample.image)).unlink()
    else:
        sample = sample.model_copy(update={"status": "failed", "image": None, "sha256": None})
    folder.append_samples([sample])
    folder.write_run(run_file(status="finished", torch="2.0"))
    folder.close()
    with pytest.raises(ResumeMismatchError, match=r"torch 2\.0 then, 2\.15 now"):
        folder.open(run_file(torch="2.15"))


@pytest.mark.parametrize("content", [b"", b"{", b'{"id": 1}'])
def test_a_run_json_that_cannot_be_read_is_a_data_error(folder: RunFolder, content: bytes) -> None:
    folder.open(run_file())
    folder.close()
    (folder.path / "run.json").write_bytes(content)
    with pytest.raises(DataError, match=r"run\.json: cannot be read") as caught:
        folder.open(run_file())
    assert str(caught.value).endswith("\n  restore it, or start the run again with --fresh")


# ------------------------------------------------------------------------------------------ lock

HOLD = """
import sys
from pathlib import Path
from copycat.errors import UserError
from copycat.runs.encoding import encode_png
from copycat.runs.folder import RunFile, RunFolder
folder = RunFolder(Path(sys.argv[1]))
try:
    folder.open(RunFile.model_validate_json(sys.argv[2]))
except UserError as error:
    print(error)
"""


def test_a_second_process_is_refused_while_the_first_works_in_the_folder(folder: RunFolder) -> None:
    folder.open(run_file())
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def open_it_elsewhere() -> str:
        command = [sys.executable, "-c", HOLD, "one", run_file().model_dump_json()]
        cwd = folder.path.parent
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True).stdout

    refused = open_it_elsewhere()
    folder.close()
    accepted = open_it_elsewhere()
    assert refused == "another process is working in one\n  wait for it, or use another --out folder\n"
    assert accepted == ""


def test_clearing_deletes_everything_and_lets_go(folder: RunFolder) -> None:
    folder.open(run_file())
    folder.close()
    folder.clear()
    assert not folder.path.exists()
    folder.open(run_file(changed(SPEC, seeds=9)))


def test_clearing_is_refused_while_somebody_works_in_the_folder(folder: RunFolder) -> None:
    folder.open(run_file())
    with pytest.raises(UserError, match="another process is working in"):
        RunFolder(folder.path).clear()
    assert folder.read_run() == run_file()


def test_clearing_a_folder_that_is_not_there_does_nothing(folder: RunFolder) -> None:
    folder.clear()
    assert not folder.path.exists()
