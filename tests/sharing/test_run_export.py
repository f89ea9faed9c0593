"""A run as a Hub dataset, an ImageFolder and the figures of a model's card, each read by the library it is for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlcroissant
import pytest
import yaml
from harness import Cli, Doubles
from huggingface_hub import ModelCard, parse_eval_result_entries
from run_folders import folder_of, lines_of, read, samples_of, tree

from copycat.sharing.opened_run import local_name, without_traces

PICTURED = ("--dataset-id", "somebody/copycat-suite")


def judgements_of(run: Path) -> dict[str, dict[str, Any]]:
    (path,) = (run / "judgements").iterdir()
    return {line["key"]: line for line in lines_of(path)}


def test_datasets_loads_every_sample_with_its_picture_and_verdict(finished: Path, data: Cli, load: Any) -> None:
    answer = data("export", "run", finished, "--out", "shared")

    assert answer.code == 0
    assert "may show protected characters" in answer.err
    rows, verdicts = load("shared", "samples", split="train"), judgements_of(finished)
    samples = samples_of(finished)
    assert rows["key"] == [sample["key"] for sample in samples]
    assert rows.features["image"].dtype == "PIL.Image.Image"
    assert [image.size for image in rows["image"]] == [(s["width"], s["height"]) for s in samples]
    assert rows["detected"] == [verdicts[sample["key"]]["detected"] for sample in samples]
    assert rows["is_target_detected"] == [verdicts[s["key"]]["detected"] == s["character"] for s in samples]


def test_the_embedded_pictures_are_the_files_of_the_run(finished: Path, data: Cli, load: Any) -> None:
    import datasets

    data("export", "run", finished, "--out", "shared")

    rows = load("shared", "samples", split="train").cast_column("image", datasets.Image(decode=False))
    for row in rows:
        assert hashlib.sha256(row["image"]["bytes"]).hexdigest() == row["image_sha256"]
        assert row["image"]["bytes"] == (finished / "images" / f"{row['key']}.png").read_bytes()


def test_datasets_loads_the_estimates_as_they_are(finished: Path, data: Cli, load: Any) -> None:
    data("export", "run", finished, "--out", "shared")

    assert list(load("shared", "estimates", split="train")) == read(finished / "metrics.json")["estimates"]
    assert read(Path("shared/metrics.json")) == read(finished / "metrics.json")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of mlcroissant's own libraries
def test_mlcroissant_reads_a_run_without_an_error(finished: Path, data: Cli) -> None:
    data("export", "run", finished, "--licence", "cc-by-4.0", "--date", "2026-11-29", "--out", "shared")

    dataset = mlcroissant.Dataset("shared/croissant.json")

    assert not dataset.metadata.ctx.issues.errors
    record = next(iter(dataset.records("samples")))
    assert record["samples/key"].decode() == samples_of(finished)[0]["key"]
    assert record["samples/image"].size == (samples_of(finished)[0]["width"], samples_of(finished)[0]["height"])


def test_the_card_says_judge_suite_counts_and_figures(finished: Path, data: Cli) -> None:
    data("export", "run", finished, "--licence", "cc-by-4.0", "--out", "shared")

    text = Path("shared/README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == "cc-by-4.0"
    assert "copycat suite 1.0, judged by fake-judge" in text
    assert "Some may show characters that belong to others" in text
    assert "The judge was compared with labels or with the truth" in text
    assert "| planned | ok | refused |" in text
    detect = next(
        e for e in read(finished / "metrics.json")["estimates"] if (e["metric"], e["anchor"]) == ("detect", "all")
    )
    shown = f"| DETECT | all | {100 * detect['value']:.1f} | {100 * detect['low']:.1f} to {100 * detect['high']:.1f} |"
    assert shown in text


def test_withheld_pictures_leave_their_hashes(finished: Path, data: Cli, load: Any) -> None:
    answer = data("export", "run", finished, "--withhold", "--out", "shared")

    rows = load("shared", "samples", split="train")
    assert "image" not in rows.column_names
    assert rows["image_sha256"] == [sample["sha256"] for sample in samples_of(finished)]
    assert answer.err == ""
    assert b"PNG" not in b"".join(tree(Path("shared")).values())


def test_refusals_and_failures_travel_with_their_words(run: Cli, doubles: Doubles, data: Cli, load: Any) -> None:
    doubles.switch(ends={"goofy/name": "refused"})
    run()
    samples = samples_of(folder_of("none"))

    assert data("export", "run", folder_of("none"), "--out", "shared").code == 0

    rows = load("shared", "samples", split="train")
    assert rows["status"] == [sample["status"] for sample in samples]
    assert "refused" in rows["status"]
    refused = next(row for row in rows if row["status"] == "refused")
    assert refused["image"] is None
    assert refused["is_target_detected"] is None


def test_of_a_clip_the_sheet_of_its_frames_is_the_picture(
    cli: Cli, doubles: Doubles, characters_file: Path, data: Cli, load: Any
) -> None:
    cli(
        "--model", "fake-video", "--judge", "fake-judge", "--characters", "mine.yaml", "--anchors", "name", "--seeds", 1
    )
    run = folder_of("none")

    assert data("export", "run", run, "--out", "shared").code == 0

    rows = load("shared", "samples", split="train")
    assert rows["video_sha256"] == [sample["video_sha256"] for sample in samples_of(run)]
    assert rows[0]["image"].width > rows[0]["width"]
    assert not [name for name in tree(Path("shared")) if name.endswith(".mp4")]


def test_the_same_run_gives_the_same_bytes(finished: Path, data: Cli) -> None:
    data("export", "run", finished, "--out", "one")
    data("export", "run", finished, "--out", "other")

    one, other = tree(Path("one")), tree(Path("other"))
    assert one == other
    assert data("export", "run", finished, "--out", "one").code == 0


def test_imagefolder_reads_pictures_with_their_verdicts(finished: Path, data: Cli, load: Any) -> None:
    assert data("export", "run", finished, "--as", "imagefolder", "--out", "pictures").code == 0

    rows = load("imagefolder", data_dir="pictures", split="train")
    by_key = {row["key"]: row for row in rows}
    samples = samples_of(finished)
    assert sorted(by_key) == sorted(sample["key"] for sample in samples)
    assert all(by_key[sample["key"]]["prompt"] == sample["prompt"] for sample in samples)
    assert rows[0]["image"].size == (samples[0]["width"], samples[0]["height"])


# ----------------------------------------------------------------------------- for a model's card


def test_the_hub_parses_the_results_for_a_model(finished: Path, data: Cli) -> None:
    commit = "0" * 39 + "1"
    told = ("--date", "2026-11-29", "--dataset-revision", commit, "--source-url", "https://example.org/run")
    answer = data("export", "run", finished, "--as", "eval-results", *PICTURED, *told, "--out", "card")

    entries = parse_eval_result_entries(yaml.safe_load(Path("card/.eval_results/copycat.yaml").read_text()))
    estimates = {(e["metric"], e["anchor"]): e for e in read(finished / "metrics.json")["estimates"]}
    found = {entry.task_id: entry for entry in entries}
    assert answer.code == 0
    assert found["detect"].value == estimates["detect", "all"]["value"]
    assert found["consistency-description"].value == estimates["consistency", "description"]["value"]
    assert (found["detect"].dataset_id, found["detect"].dataset_revision) == ("somebody/copycat-suite", commit)
    assert (found["detect"].date, found["detect"].source_url) == ("2026-11-29", "https://example.org/run")
    assert "judge fake-judge" in str(found["detect"].notes)


def test_a_model_card_holds_the_figures_as_model_index(finished: Path, data: Cli) -> None:
    data("export", "run", finished, "--as", "model-index", *PICTURED, "--out", "card")

    card = ModelCard(Path("card/model-index.md").read_text(encoding="utf-8"), ignore_metadata_errors=False)

    results = card.data.eval_results
    assert card.data.model_name == "fake"
    assert {result.metric_type for result in results or ()} >= {"detect", "consistency", "detect-name"}
    assert all(result.task_type == "text-to-image" for result in results or ())


def test_several_forms_have_a_folder_each(finished: Path, data: Cli) -> None:
    answer = data("export", "run", finished, "--as", "dataset", "--as", "eval-results", *PICTURED, "--out", "all")

    assert answer.code == 0
    assert sorted(path.name for path in Path("all").iterdir()) == ["dataset", "eval-results"]


# ---------------------------------------------------------------------------------- what is refused


def break_picture(run: Path) -> None:
    next((run / "images").iterdir()).write_bytes(b"another")


def tell_a_key(run: Path) -> None:
    lines = samples_of(run)
    lines[0]["prompt_sent"] = "sk-abcdefghijklmnopqrstuvwxyz"
    (run / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def unfinish(run: Path) -> None:
    path = run / "run.json"
    path.write_text(path.read_text().replace('"finished"', '"running"'))


def submit(run: Path) -> None:
    (run / "submission.json").write_text("{}")


def nothing(_: Path) -> None:
    """Leave the run as it is."""


REFUSED: dict[str, tuple[Callable[[Path], None], tuple[str, ...], str]] = {
    "a changed picture": (break_picture, (), "is missing, or differs from its sha256"),
    "a key in a text": (tell_a_key, (), "prompt_sent: holds an API key"),
    "a run that goes on": (unfinish, (), "the run is not finished\n  type its command again"),
    "a submission": (submit, (), "is a submission\n  needed: the run folder"),
    "an unknown form": (nothing, ("--as", "datset"), "unknown form 'datset'\n  did you mean 'dataset'"),
    "an imagefolder without pictures": (
        nothing,
        ("--as", "imagefolder", "--withhold"),
        "an imagefolder is its pictures",
    ),
    "no dataset": (nothing, ("--as", "eval-results"), "add --dataset-id ORG/NAME"),
    "no name of a dataset": (nothing, ("--as", "model-index", "--dataset-id", "x"), "--dataset-id 'x' is no name"),
    "no commit": (nothing, (*PICTURED, "--dataset-revision", "main"), "--dataset-revision 'main' is no commit"),
    "no web address": (nothing, (*PICTURED, "--source-url", "javascript:x"), "'javascript:x' is no web address"),
    "no date": (nothing, ("--date", "today"), "'today' is no date"),
}


@pytest.mark.parametrize(("change", "options", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shared_is_told_and_nothing_is_written(
    finished: Path, data: Cli, change: Callable[[Path], None], options: tuple[str, ...], said: str
) -> None:
    change(finished)

    answer = data("export", "run", finished, "--out", "shared", *options)

    assert answer.code == 2
    assert said in answer.err
    assert "abcdefghijklmnopqrstuvwxyz" not in answer.err
    assert not Path("shared").exists()


def test_a_run_cut_short_is_a_dataset_that_says_so_and_no_result_of_a_model(run: Cli, data: Cli) -> None:
    run("--limit", 4)
    folder = folder_of("none")

    refused = data("export", "run", folder, "--as", "eval-results", *PICTURED, "--out", "card")
    assert refused.code == 2
    assert "a run with --limit cannot be shown on a model's card" in refused.err
    assert data("export", "run", folder, "--out", "shared").code == 0
    assert "cut short by --limit" in Path("shared/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("cannot read /home/someone/models/big/x.bin: no such file", "cannot read x.bin: no such file"),
        ("at ~/weights/secret/model", "at model"),
        ("1/2 of a half, and/or this", "1/2 of a half, and/or this"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("token hf_abcdefghijkl was used", "token (removed) was used"),
        ("no file:///home/someone/x.bin", "no x.bin"),
        ("asked https://example.org/v1?api_key=abcdefgh&n=1", "asked https://example.org/v1?(removed)&n=1"),
        ("sent Bearer abcdefgh.ijklmnop", "sent (removed)"),
        ("at https://me:hunter2@example.org/x", "at https://(removed)@example.org/x"),
    ],
)
def test_messages_tell_nothing_of_the_machine(text: str, shared: str) -> None:
    assert without_traces(text) == shared


@pytest.mark.parametrize(
    ("name", "shared"), [("/data/models/mine", "mine"), ("./mine/", "mine"), ("org/name", "org/name"), ("sdxl", "sdxl")]
)
def test_a_local_model_is_called_by_its_folder_alone(name: str, shared: str) -> None:
    assert local_name(name) == shared
