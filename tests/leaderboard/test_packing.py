"""From a run folder to a submission: what goes in, what never does, and what is no submission."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harness import PYTHONPATH
from PIL import Image, PngImagePlugin
from run_folders import lines_of, read, tree
from submissions import make_run, make_submission, sha256_of

from copycat.catalog import read_character_set
from copycat.errors import DataError, UserError
from copycat.leaderboard import packing
from copycat.leaderboard.packing import About, model_facts, pack_run
from copycat.leaderboard.privacy import private_fields
from copycat.leaderboard.reading import load_submission, read_pictures
from copycat.leaderboard.records import Submitter
from copycat.leaderboard.verify import VerifyOptions, verify_submission
from copycat.runs.calibrations import write_calibration
from copycat.runs.folder import RunFolder
from copycat.schema import Calibration, CalibrationCell, RunSpec

ABOUT = About(submitter=Submitter(name="Test Laboratory"), date="2026-11-28")
SMALL: dict[str, Any] = {"anchors": ("name",)}
"""50 pictures instead of 150."""


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 50 pictures; not to be changed."""
    return make_run(tmp_path_factory.mktemp("runs"), **SMALL)


def rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    path.write_text(json.dumps(change(read(path))), encoding="utf-8")


def rewrite_lines(path: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    rows = change(lines_of(path))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def refusal(run: Path, tmp_path: Path) -> str:
    """Why a run is not packed; nothing is written."""
    with pytest.raises(UserError) as refused:
        pack_run(run, tmp_path / "out", ABOUT)
    assert not (tmp_path / "out").exists()
    return str(refused.value)


# ------------------------------------------------------------------------------------ what goes in


def test_a_run_is_packed_as_the_submission_that_it_stands_for(tmp_path: Path) -> None:
    changes = {"mitigation": "negprompt:name", "refused": 0.1, "random_seed": 3}
    expected = make_submission(tmp_path / "board", **changes)

    packed = pack_run(make_run(tmp_path / "runs", **changes), tmp_path / "out", ABOUT)

    assert packed.relative_to(tmp_path / "out") == expected.relative_to(tmp_path / "board" / "submissions")
    assert tree(packed) == tree(expected)


def test_what_is_packed_passes_verification(shared_run: Path, tmp_path: Path) -> None:
    packed = pack_run(shared_run, tmp_path / "submissions", ABOUT)

    report = verify_submission(packed, VerifyOptions(rejudge=0.0))

    assert report.faults == ()


def test_the_same_run_gives_the_same_bytes(shared_run: Path, tmp_path: Path) -> None:
    first, second = (pack_run(shared_run, tmp_path / name, ABOUT) for name in ("a", "b"))

    assert tree(first) == tree(second)


def test_only_the_date_moves_with_the_date(shared_run: Path, tmp_path: Path) -> None:
    first = pack_run(shared_run, tmp_path / "a", ABOUT)
    second = pack_run(shared_run, tmp_path / "b", ABOUT.model_copy(update={"date": "2026-12-24"}))

    before, after = tree(first), tree(second)
    assert {name for name in before if before[name] != after[name]} == {"submission.json", "MANIFEST.sha256"}


def test_the_manifest_is_what_sha256sum_checks(shared_run: Path, tmp_path: Path) -> None:
    packed = pack_run(shared_run, tmp_path / "out", ABOUT)

    command = ["sha256sum", "--check", "--strict", "MANIFEST.sha256"]
    checked = subprocess.run(command, cwd=packed, capture_output=True, check=True)

    assert len(checked.stdout.splitlines()) == len(tree(packed)) - 1


def test_pictures_are_the_very_bytes_of_the_run(shared_run: Path, tmp_path: Path) -> None:
    packed = pack_run(shared_run, tmp_path / "out", ABOUT)

    pictures = dict(read_pictures(packed))
    assert pictures == {path.stem: path.read_bytes() for path in (shared_run / "images").iterdir()}
    assert len(pictures) == 50


def test_the_parquet_file_tells_datasets_that_it_holds_pictures(shared_run: Path, tmp_path: Path) -> None:
    from datasets import Dataset, Features
    from datasets import Image as ImageFeature

    packed = pack_run(shared_run, tmp_path / "out", ABOUT)

    told = json.loads(pq.read_schema(packed / "pictures.parquet").metadata[b"huggingface"])
    assert Features.from_dict(told["info"]["features"])["image"] == ImageFeature()
    shown = Dataset.from_parquet(str(packed / "pictures.parquet"), cache_dir=str(tmp_path / "cache"))
    assert shown[0]["image"].size == (64, 64)
    assert sorted(shown.column_names) == ["image", "key", "sha256"]


def test_withheld_pictures_are_left_out_and_their_hashes_stay(shared_run: Path, tmp_path: Path) -> None:
    packed = pack_run(shared_run, tmp_path / "out", ABOUT.model_copy(update={"is_withheld": True}))

    loaded = load_submission(packed)
    assert not (packed / "pictures.parquet").exists()
    assert loaded.submission.pictures == "withheld"
    assert all(sample.sha256 and sample.perceptual_hash for sample in loaded.samples)


def test_a_clip_stays_and_its_hash_goes(tmp_path: Path) -> None:
    run, clip = make_run(tmp_path / "runs", **SMALL), b"frames and frames"
    (run / "videos").mkdir()
    (run / "videos" / "clip.mp4").write_bytes(clip)
    told = {"video": "videos/clip.mp4", "video_sha256": sha256_of(clip)}
    rewrite_lines(run / "samples.jsonl", lambda rows: [rows[0] | told, *rows[1:]])

    packed = pack_run(run, tmp_path / "out", ABOUT)

    assert load_submission(packed).samples[0].video_sha256 == sha256_of(clip)
    assert not [name for name, content in tree(packed).items() if clip in content]

    (run / "videos" / "clip.mp4").write_bytes(b"other frames")
    with pytest.raises(DataError, match="1 pictures are missing or were changed"):
        pack_run(run, tmp_path / "again", ABOUT)


def test_figures_come_from_the_samples_and_not_from_metrics_json(shared_run: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    (run / "metrics.json").write_text('{"estimates": "are what somebody typed"}', encoding="utf-8")

    packed = pack_run(run, tmp_path / "out", ABOUT)

    assert tree(packed) == tree(pack_run(shared_run, tmp_path / "again", ABOUT))


def test_verdicts_on_pictures_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    (judgements,) = (run / "judgements").iterdir()
    stale = {**lines_of(judgements)[0], "image_sha256": "0" * 64, "detected": None}
    rewrite_lines(judgements, lambda rows: [stale, *reversed(rows)])

    packed = pack_run(run, tmp_path / "out", ABOUT)

    loaded = load_submission(packed)
    assert [judgement.key for judgement in loaded.judgements] == [sample.key for sample in loaded.samples]
    assert verify_submission(packed, VerifyOptions(rejudge=0.0)).is_valid


def test_corrected_figures_come_with_what_they_stand_on(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    spec = RunSpec.model_validate(read(run / "run.json")["spec"])
    characters = [character.id for character in read_character_set("sandbox").characters]
    cells = tuple(CalibrationCell(character=name, tp=8, fn=2, fp=1, tn=9) for name in characters)
    told = {"judge": spec.judge, "judge_revision": spec.judge_revision, "characters": "sandbox"}
    source = "labels of people in /home/me/labels.csv"
    calibration = Calibration(source=source, labels_sha256="0" * 64, n_labels=1000, cells=cells, **told)
    write_calibration(RunFolder(run).judgements_path(spec).with_suffix(".calibration.json"), calibration)

    packed = pack_run(run, tmp_path / "submissions", ABOUT)

    loaded = load_submission(packed)
    assert loaded.calibration == calibration.model_copy(update={"source": "labels of people in .../labels.csv"})
    assert {"detect", "detect_corrected"} <= {estimate.metric for estimate in loaded.result.estimates}
    assert verify_submission(packed, VerifyOptions(rejudge=0.0)).faults == ()


# ---------------------------------------------------------------------------- what is no submission


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "a partial run": (lambda spec: spec | {"limit": 9}, "is partial: it was made with --limit 9"),
    "nobody's verdicts": (lambda spec: spec | {"judge": "none"}, "nobody has judged its pictures"),
    "benign prompts": (lambda spec: spec | {"anchors": ["benign"]}, "is of benign prompts"),
    "own characters": (lambda spec: spec | {"characters": "mine"}, "'mine' does not ship with copycat"),
    "changed characters": (lambda spec: spec | {"characters_sha256": "0" * 64}, "another hash than the suite's"),
    "changed prompts": (lambda spec: spec | {"prompts_sha256": "0" * 64}, "prompts have another hash"),
    "an own list": (lambda spec: spec | {"anchors": ["keywords:my-list-5"]}, "is no part of the suite"),
    "another judge's verdicts": (lambda spec: spec | {"judge_revision": "f" * 40}, "0.0 % of 50 planned pictures"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_run_that_cannot_be_compared_is_refused(what: str, tmp_path: Path) -> None:
    change, said = REFUSED[what]
    run = make_run(tmp_path / "runs", **SMALL)
    rewrite(run / "run.json", lambda content: content | {"spec": change(content["spec"])})

    assert said in refusal(run, tmp_path)


def test_every_reason_is_told_at_once(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    rewrite(run / "run.json", lambda c: c | {"spec": c["spec"] | {"limit": 9, "judge": "none"}})

    said = refusal(run, tmp_path)

    assert "--limit 9" in said
    assert "nobody has judged" in said


def test_a_run_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    rewrite_lines(run / "samples.jsonl", lambda rows: rows[:30])
    assert "is not finished: 30 of 50 requests have ended" in refusal(run, tmp_path)

    run = make_run(tmp_path / "others", **SMALL)
    rewrite(run / "run.json", lambda content: content | {"status": "running"})
    assert "is not finished: 50 of 50" in refusal(run, tmp_path)


def test_a_journal_with_a_line_twice_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    rewrite_lines(run / "samples.jsonl", lambda rows: [*rows, rows[0]])

    assert "its journal has 51 lines for 50 requests" in refusal(run, tmp_path)


@pytest.mark.parametrize("place", ["/proc/nowhere", "a-file/board"])
def test_where_nothing_can_be_written_is_said_plainly(place: str, shared_run: Path, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("in the way", encoding="utf-8")

    with pytest.raises(UserError, match=r"cannot write to .*\n  choose a folder that you may write to: --to DIR"):
        pack_run(shared_run, tmp_path / place, ABOUT)


def test_journals_of_shards_are_put_together_first(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    (run / "samples-1-of-2.jsonl").write_bytes((run / "samples.jsonl").read_bytes())

    assert "still holds the journals of shards" in refusal(run, tmp_path)


def test_a_picture_that_is_missing_or_changed_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    first, second = sorted((run / "images").iterdir())[:2]
    first.unlink()
    second.write_bytes(second.read_bytes() + b" ")

    said = refusal(run, tmp_path)

    assert "2 pictures are missing or were changed" in said
    assert f"images/{first.name}" in said


def test_a_run_that_covers_too_little_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", failed=0.1, unjudged=0.1, **SMALL)

    said = refusal(run, tmp_path)

    assert "planned pictures were judged, refused or blocked; 98 % are needed" in said
    assert "failed" in said
    assert "unjudged" in said


def test_what_is_no_run_folder_is_refused_with_what_would_be_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert "is no run folder, there is no run.json in it\n  needed: the folder of one run" in refusal(
        tmp_path / "empty", tmp_path
    )


# -------------------------------------------------------------------------------- what never leaves


def with_text_chunk(content: bytes) -> bytes:
    chunks, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    chunks.add_text("Author", "somebody")
    Image.open(io.BytesIO(content)).save(buffer, "PNG", pnginfo=chunks)
    return buffer.getvalue()


def test_a_picture_with_metadata_inside_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    sample = lines_of(run / "samples.jsonl")[0]
    changed = with_text_chunk((run / sample["image"]).read_bytes())
    (run / sample["image"]).write_bytes(changed)
    told = {"sha256": sha256_of(changed)}
    rewrite_lines(run / "samples.jsonl", lambda rows: [rows[0] | told, *rows[1:]])
    (judgements,) = (run / "judgements").iterdir()
    rewrite_lines(judgements, lambda rows: [rows[0] | {"image_sha256": told["sha256"]}, *rows[1:]])

    said = refusal(run, tmp_path)

    assert f"{sample['image']}: holds a chunk 'tEXt', which is no part of the picture" in said


SECRETS = {
    "a token of the Hub": ("hf_abcdefghijklmnopqrstuvwxyz", "a token of the Hugging Face Hub"),
    "an API key": ("sk-proj-abcdefghijklmnopqrst", "an API key"),
    "a bearer token": ("Authorization: Bearer abcdefgh.ijklmnop", "a bearer token"),
    "a password in an address": ("https://me:hunter2@example.org/x", "a password in a web address"),
    "a token of Replicate": ("r8_abcdefghijklmnopqrst", "a token of Replicate"),
    "a token of GitLab": ("glpat-abcdefghijklmnopqrst", "a token of GitLab, Slack or npm"),
    "a signed token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdef", "a signed token"),
    "a key in an address": ("https://example.org/v1?api_key=abcdefgh", "a key in a web address"),
    "a name and a password": ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "a user's name and password"),
    "a private key": ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
    "the value of a variable": ("it was open-sesame-42 all along", "the value of SOME_SERVICE_API_KEY"),
}


@pytest.mark.parametrize("what", SECRETS)
def test_what_works_like_a_key_is_found_wherever_it_stands(what: str) -> None:
    text, kind = SECRETS[what]
    value = {"a": ["fine", {"b": f"so it said {text}."}], "c": 3}

    found = list(private_fields(value, {"SOME_SERVICE_API_KEY": "open-sesame-42", "OTHER_TOKEN": "none"}))

    assert found == [("a.b", kind)]


INNOCENT = [
    "basic characteristics of authorization, and what does a key=value mean?",
    "a mouse/cat in a house/home/root/cellar, 1/2 body",
    "sk-8 or hf_ or bearer of news, none of them a key",
    "https://example.org/home/of/somebody and a@b.example",
    "C:3, ~5 pictures, / and \\",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_ordinary_words_are_no_secret(text: str) -> None:
    assert not list(private_fields({"prompt": text}, {"SHORT_TOKEN": "none", "EMPTY_API_KEY": ""}))


def test_a_secret_in_a_judges_words_is_named_and_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, kind = SECRETS["the value of a variable"]
    monkeypatch.setenv("SOME_SERVICE_API_KEY", "open-sesame-42")
    run = make_run(tmp_path / "runs", **SMALL)
    (judgements,) = (run / "judgements").iterdir()
    answers = {"answers": [{"question": "open-1", "text": text}]}
    rewrite_lines(judgements, lambda rows: [*rows[:4], rows[4] | answers, *rows[5:]])

    said = refusal(run, tmp_path)

    assert f"judgements.jsonl:5, field 'answers.text': holds {kind}" in said
    assert text not in said
    assert "open-sesame-42" not in said


def test_a_secret_in_what_the_submitter_types_is_refused(shared_run: Path, tmp_path: Path) -> None:
    about = ABOUT.model_copy(update={"notes": "made with hf_abcdefghijklmnopqrstuvwxyz"})

    with pytest.raises(DataError, match=r"submission\.json, field 'notes': holds a token of the Hugging Face Hub"):
        pack_run(shared_run, tmp_path, about)


@pytest.mark.parametrize("path", ["/home/somebody/models/x", "/Users/somebody/x", "C:\\Users\\somebody\\x", "~/judge"])
def test_a_home_is_not_published(path: str, tmp_path: Path, shared_run: Path) -> None:
    with pytest.raises(DataError, match="field 'statement': holds a path of somebody's home") as refused:
        pack_run(shared_run, tmp_path, ABOUT.model_copy(update={"statement": f"trained in {path}"}))

    assert "somebody/" not in str(refused.value)


def test_paths_in_what_programs_said_are_cut_to_their_last_part(tmp_path: Path) -> None:
    from copycat.paths import package_folder

    run = make_run(tmp_path / "runs", refused=0.2, **SMALL)
    facts = {"weights": "/data/me/judges/small", "own": str(package_folder("sandbox/weights/judge")), "rate": "1/2"}
    rewrite(run / "run.json", lambda content: content | {"judge_facts": facts})
    told = {"detail": "cannot read '/home/me/cache/weights.bin': 3/4 done, see https://example.org/a/b"}
    rewrite_lines(run / "samples.jsonl", lambda rows: [r if r["status"] == "ok" else r | told for r in rows])

    loaded = load_submission(pack_run(run, tmp_path / "out", ABOUT))

    expected = {"weights": ".../small", "own": "package:sandbox/weights/judge", "rate": "1/2"}
    assert loaded.settings.judge_facts == expected
    details = {sample.detail for sample in loaded.samples if sample.status == "refused"}
    assert details == {"cannot read '.../weights.bin': 3/4 done, see https://example.org/a/b"}


@pytest.mark.parametrize("field", ["judge", "mitigation"])
def test_a_name_that_is_a_path_of_this_machine_is_refused(field: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", **SMALL)
    packed = packing.look_over(packing.open_finished(run), ABOUT)
    spec = packed.files.settings.spec.model_copy(update={field: "vlm:/data/models/judge"})
    files = packed.files._replace(settings=packed.files.settings.model_copy(update={"spec": spec}))

    (said,) = packing._private(files)

    assert f"field 'spec.{field}': holds a path of this machine" in said


# ---------------------------------------------------------------------------- what the model is


@pytest.fixture(scope="module")
def spec(shared_run: Path) -> RunSpec:
    return RunSpec.model_validate(read(shared_run / "run.json")["spec"])


MODELS = {
    "a row": ({"model": "sandbox"}, (True, "Apache-2.0")),
    "a repository": ({"model": "org/repo", "model_source": "org/repo"}, (True, None)),
    "a folder": ({"model": "tuned", "model_source": "folder:tuned"}, (False, None)),
    "a row that is a service": ({"model": "gpt-image-2", "device": "service"}, (False, "service")),
    "another service": ({"model": "openai:x", "model_source": "x", "device": "service"}, (False, "service")),
}


@pytest.mark.parametrize("what", MODELS)
def test_a_model_is_open_if_anybody_can_have_its_weights(what: str, spec: RunSpec) -> None:
    changes, expected = MODELS[what]

    facts = model_facts(spec.model_copy(update=changes))

    assert (facts.is_open, facts.licence) == expected
    assert facts.modality == "image"


# ----------------------------------------------------------------------- what is there stays as it is


def test_a_submission_that_is_there_is_not_written_again(shared_run: Path, tmp_path: Path) -> None:
    packed = packing.look_over(packing.open_finished(shared_run), ABOUT)
    first = packing.write_packed(packed, tmp_path)
    before = tree(tmp_path)

    later = packing.look_over(packing.open_finished(shared_run), ABOUT.model_copy(update={"date": "2027-01-01"}))
    again = packing.write_packed(later, tmp_path)

    assert (first.is_new, again.is_new) == (True, False)
    assert again.path == first.path
    assert tree(tmp_path) == before


def test_a_submission_that_says_something_else_is_never_replaced(shared_run: Path, tmp_path: Path) -> None:
    pack_run(shared_run, tmp_path, ABOUT)
    before = tree(tmp_path)

    with pytest.raises(UserError, match=r"it differs in submission\.json\n  what was submitted stays as it was"):
        pack_run(shared_run, tmp_path, ABOUT.model_copy(update={"notes": "on second thoughts"}))

    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["write_pictures", "write_manifest", "write_bytes"])
def test_what_fails_half_way_leaves_nothing(
    name: str, shared_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copycat.leaderboard import writing

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, name, fail)

    with pytest.raises(KeyboardInterrupt):
        pack_run(shared_run, tmp_path / "out", ABOUT)

    assert not tree(tmp_path / "out")


PACK_AND_PACK = """
import os, sys
from pathlib import Path
from copycat.leaderboard import packing
from copycat.leaderboard.records import Submitter

about = packing.About(submitter=Submitter(name="Test Laboratory"), date="2026-11-28")
packed = packing.look_over(packing.open_finished(Path(sys.argv[1])), about)
for number in range(int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        packing.write_packed(packed, Path(sys.argv[2]) / str(number))
        os._exit(0)
    print(child, flush=True)
    sys.stdin.readline()
    os.waitpid(child, 0)
"""


@pytest.mark.slow
def test_a_kill_leaves_nothing_half(shared_run: Path, tmp_path: Path) -> None:
    kills, whole = 8, tree(pack_run(shared_run, tmp_path / "whole", ABOUT))
    command = [sys.executable, "-c", PACK_AND_PACK, str(shared_run), str(tmp_path), str(kills)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": PYTHONPATH}, **pipes) as packer:  # type: ignore[call-overload]
        for number in range(kills):
            child = int(packer.stdout.readline())
            time.sleep(0.004 * number)
            os.kill(child, signal.SIGKILL)
            packer.stdin.write("\n")
            packer.stdin.flush()
    assert packer.returncode == 0

    for number in range(kills):
        out = tmp_path / str(number)
        found = list(out.glob("1.0/*/*"))
        assert [tree(folder) for folder in found] in ([], [whole])
        assert tree(pack_run(shared_run, out, ABOUT)) == whole
        assert [path.name for path in out.iterdir()] == ["1.0"]


def test_a_damaged_footer_of_pictures_does_not_end_the_process(tmp_path: Path) -> None:
    """pyarrow 26 ends it where such a file is asked for the facts of a column."""
    image = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    rows = pa.table({"key": ["a"], "sha256": ["b"], "image": pa.array([{"bytes": b"c", "path": "d"}], image)})
    pq.write_table(rows, tmp_path / "pictures.parquet", compression="none", use_dictionary=False)
    whole = (tmp_path / "pictures.parquet").read_bytes()
    start, n_refused = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little"), 0
    assert dict(read_pictures(tmp_path)) == {"a": b"c"}

    for at in range(350):
        (tmp_path / "pictures.parquet").write_bytes(whole[: start + at] + b"\x15" + whole[start + at + 1 :])
        try:
            dict(read_pictures(tmp_path))
        except DataError:
            n_refused += 1

    assert n_refused > 10
