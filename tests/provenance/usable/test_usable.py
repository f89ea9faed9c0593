"""`python -m copycat.provenance usable`: which records may be used, by licence and signals together."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, PngImagePlugin

from copycat.commands.provenance import app

if TYPE_CHECKING:
    from harness import Cli, CommandLine

ALLOWS, DENIES = {"Content-Usage": "train-ai=y"}, {"X-Robots-Tag": "NoAI"}
ROWS: list[dict[str, Any]] = [
    {"id": "both", "license": "CC-BY-4.0", "headers": ALLOWS},
    {"id": "silent", "license": "CC-BY-4.0"},
    {"id": "denied", "license": "CC-BY-4.0", "headers": DENIES},
    {"id": "no-fit", "license": "CC-BY-NC-4.0", "headers": ALLOWS},
    {"id": "no-licence", "headers": ALLOWS},
    {"id": "no-such", "license": "Zoravi Terms", "headers": ALLOWS},
    {"id": "neither", "headers": DENIES},
]
EXPECTED = {
    "both": "yes", "silent": "unknown", "denied": "no", "no-fit": "no", "no-licence": "unknown", "no-such": "unknown",
    "neither": "no",
}  # fmt: skip
DENYING_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">'
    "<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED</plus:DataMining>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.fixture
def run(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.provenance")


def dataset(folder: Path, rows: Sequence[dict[str, Any]] = ROWS, front: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    texts: list[dict[str, Any]] = [{"text": f"words of {at}", **row} for at, row in enumerate(rows)]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts), encoding="utf-8")
    if front:
        (folder / "README.md").write_text(f"---\n{front}\n---\n", encoding="utf-8")
    return folder


def answers(run: Cli, path: Path, *options: object) -> dict[str, str]:
    run("usable", path, "--out", "all.csv", *options)
    return {row["id"]: row["usable"] for row in table(Path("all.csv"))}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def picture(xmp: str = "", colour: str = "red") -> bytes:
    held, info = io.BytesIO(), PngImagePlugin.PngInfo()
    if xmp:
        info.add_itxt("XML:com.adobe.xmp", xmp)
    Image.new("RGB", (8, 8), colour).save(held, "PNG", pnginfo=info)
    return held.getvalue()


# ------------------------------------------------------------------------- what is usable


def test_a_record_is_usable_if_its_licence_fits_and_a_signal_allows(run: Cli, tmp_path: Path) -> None:
    answer = run("usable", dataset(tmp_path / "set"), "--out", "all.csv")
    found = table(tmp_path / "all.csv")

    assert answer.code == 1
    assert "7 records, usable: 1 yes, 3 no, 3 unknown" in answer.out
    assert {row["id"]: row["usable"] for row in found} == EXPECTED
    assert list(found[0]) == ["id", "place", "licence", "fits", "signal", "usable", "why"]
    assert [found[0][name] for name in ("place", "licence", "fits", "signal", "why")] == [
        "data.jsonl:1", "CC-BY-4.0", "yes", "allow", "",
    ]  # fmt: skip
    assert found[1]["why"] == "nothing is recorded of what the rights holder says"
    assert found[2]["why"] == "generative-training is denied by x-robots-tag"
    assert "no commercial use" in found[3]["why"]
    assert found[6]["why"].startswith("generative-training is denied") and "no licence is known" in found[6]["why"]


def test_all_usable_ends_with_0(run: Cli, tmp_path: Path) -> None:
    answer = run("usable", dataset(tmp_path / "set", ROWS[:1]), "--json")
    found = json.loads(answer.out)

    assert answer.code == 0
    assert found["counts"] == {"yes": 1, "no": 0, "unknown": 0}
    assert found["reasons"] == [{"usable": "yes", "why": "", "n_records": 1, "ids": ["both"]}]


def test_a_decision_that_a_dataset_keeps_of_its_own_records_counts(run: Cli, tmp_path: Path) -> None:
    rows = [{"id": "ours", "license": "MIT", "decision": "allow"}, {"id": "theirs", "license": "MIT"}]
    answer = run("usable", dataset(tmp_path / "set", rows))

    assert "2 records, usable: 1 yes, 0 no, 1 unknown" in answer.out
    assert "unknown is never yes: name the licences" in answer.out


def test_a_silent_rights_holder_is_a_permission_for_search_alone_and_an_unknown_licence_for_nothing(
    run: Cli, tmp_path: Path
) -> None:
    rows = [{"id": "a", "license": "CC-BY-4.0"}, {"id": "b"}]
    path = dataset(tmp_path / "set", rows)

    assert answers(run, path, "--for", "search") == {"a": "yes", "b": "unknown"}
    for purpose in ("research", "training", "sharing", "adapting"):
        assert answers(run, path, "--for", purpose) == {"a": "unknown", "b": "unknown"}


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("license: cc-by-4.0", "yes"),
        ("license: cc-by-nc-4.0", "no"),
        ("license: other\nlicense_name: zoravi-community", "unknown"),
        ("pretty_name: Zoravi", "unknown"),
    ],
)
def test_the_dataset_s_own_licence_stands_for_records_where_none_states_one(
    run: Cli, tmp_path: Path, front: str, expected: str
) -> None:
    path = dataset(tmp_path / "set", [{"id": "a", "headers": ALLOWS}], front)
    assert answers(run, path) == {"a": expected}


def test_the_dataset_s_own_licence_is_no_licence_of_a_record_among_others_that_state_one(
    run: Cli, tmp_path: Path
) -> None:
    rows = [{"id": "a", "headers": ALLOWS}, {"id": "b", "license": "MIT", "headers": ALLOWS}]
    assert answers(run, dataset(tmp_path / "set", rows, "license: cc-by-4.0")) == {"a": "unknown", "b": "yes"}
    assert answers(run, dataset(tmp_path / "set", rows, "license: cc-by-nc-4.0")) == {"a": "no", "b": "no"}


def test_an_address_of_unknown_terms_is_no_silence_that_the_dataset_s_own_licence_fills(
    run: Cli, tmp_path: Path
) -> None:
    rows = [{"id": "a", "license_url": "https://terms.example.org/", "headers": ALLOWS}]
    path = dataset(tmp_path / "set", rows, "license: cc-by-4.0")
    assert answers(run, path) == {"a": "unknown"}
    assert run("manifest", path).code == 0
    assert answers(run, path) == {"a": "unknown"}


def test_an_output_licence_counts(run: Cli, tmp_path: Path) -> None:
    rows = [{"id": name, "license": name, "headers": ALLOWS} for name in ("CC-BY-SA-4.0", "CC0-1.0")]
    given = ("--for", "adapting", "--output-licence", "MIT")
    assert answers(run, dataset(tmp_path / "set", rows), *given) == {"CC-BY-SA-4.0": "no", "CC0-1.0": "yes"}


def test_newer_answers_count_in_place_of_older_and_an_unexplained_refusal_stands(run: Cli, tmp_path: Path) -> None:
    kept = {"decision": [{"use": "generative-training", "answer": "deny"}], "headers": {"Content-Type": "a/b"}}
    held: dict[str, dict[str, Any]] = {
        "unasked": {},
        "now-allowed": {"headers": DENIES},
        "now-denied": {"headers": ALLOWS},
        "kept": kept,
    }
    rows = [{"id": name, "license": "MIT", "url": f"https://example.org/{name}", **more} for name, more in held.items()]
    newer = [
        {"url": f"https://example.org/{name}", "status": 200, "headers": headers}
        for name, headers in {"now-allowed": ALLOWS, "now-denied": DENIES, "kept": ALLOWS}.items()
    ]
    (tmp_path / "newer.jsonl").write_text("".join(json.dumps(one) + "\n" for one in newer), encoding="utf-8")
    found = answers(run, dataset(tmp_path / "set", rows), "--against", tmp_path / "newer.jsonl")

    assert found == {"unasked": "unknown", "now-allowed": "yes", "now-denied": "no", "kept": "no"}


def test_counts_agree_with_those_of_signals_and_licences(run: Cli, tmp_path: Path) -> None:
    path = dataset(tmp_path / "set")
    signals = json.loads(run("signals", path, "--json").out)["counts"]["generative-training"]
    licences = json.loads(run("licence", path, "--json").out)["rows"]
    run("usable", path, "--out", "all.csv")
    found = table(tmp_path / "all.csv")

    assert signals == {name: sum(row["signal"] == name for row in found) for name in signals}
    fitting = sum(row["n_records"] for row in licences if row["fits"])
    assert fitting == sum(row["fits"] == "yes" for row in found)


def test_licences_beyond_those_that_are_told_apart_are_unknown(
    run: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycat.provenance.usable.judging.MAX_TEXTS", 3)
    rows = [{"id": name, "license": name, "headers": ALLOWS} for name in ("MIT", "CC0-1.0", "CC-BY-4.0")]
    found = answers(run, dataset(tmp_path / "set", [*rows, {**rows[0], "id": "again"}]))
    assert found == {"MIT": "yes", "CC0-1.0": "yes", "CC-BY-4.0": "unknown", "again": "yes"}


# ------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("has_manifest", [False, True])
def test_a_picture_that_says_no_inside_itself_is_not_usable(run: Cli, tmp_path: Path, has_manifest: bool) -> None:
    path = tmp_path / "set"
    path.mkdir()
    (path / "a.png").write_bytes(picture())
    (path / "b.png").write_bytes(picture(DENYING_XMP, "blue"))
    (path / "README.md").write_text("---\nlicense: cc0-1.0\n---\n", encoding="utf-8")
    if has_manifest:
        assert run("manifest", path).code == 0

    assert answers(run, path) == {"a.png": "unknown", "b.png": "no"}


def test_a_picture_in_a_table_without_ids_is_known_by_its_place_after_a_manifest(run: Cli, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pictures = [{"bytes": picture(xmp, colour), "path": None} for xmp, colour in (("", "red"), (DENYING_XMP, "blue"))]
    pq.write_table(pa.table({"image": pictures, "license": ["MIT", "MIT"]}), tmp_path / "x.parquet")
    assert run("manifest", tmp_path / "x.parquet").code == 0
    run("usable", tmp_path / "x.parquet", "--out", "all.csv", "--ids", "ids.txt")
    found = table(tmp_path / "all.csv")

    assert sorted(row["usable"] for row in found) == ["no", "unknown"]
    refused = next(row for row in found if row["usable"] == "no")
    assert "plus" in refused["why"]
    assert (tmp_path / "ids.txt").read_text(encoding="utf-8") == f"{refused['id']}\n"


# ------------------------------------------------------------------------ lists and removal


def test_ids_that_are_not_usable_can_be_removed_and_are_counted_no_more(run: Cli, tmp_path: Path) -> None:
    path = dataset(tmp_path / "set")
    assert run("manifest", path).code == 0
    answer = run("usable", path, "--ids", "ids.txt")
    assert (tmp_path / "ids.txt").read_text(encoding="utf-8").split() == ["denied", "neither", "no-fit"]
    assert "3 of which it is unknown are not in that list" in answer.out

    assert run("remove", path, "--ids", "ids.txt", "--reason", "not for training", "--rewrite").code == 0
    again = run("usable", path, "--ids", "rest.txt", "--unknown-too")
    assert "4 records, usable: 1 yes, 0 no, 3 unknown" in again.out
    assert (tmp_path / "rest.txt").read_text(encoding="utf-8").split() == ["no-licence", "no-such", "silent"]


def test_files_that_hold_more_than_the_manifest_are_told(run: Cli, tmp_path: Path) -> None:
    path = dataset(tmp_path / "set", ROWS[:1])
    assert run("manifest", path).code == 0
    dataset(path, ROWS[:2])
    answer = run("usable", path)

    assert answer.code == 1
    assert "the manifest has 1 record and the files hold 2" in answer.err


def test_cells_compute_nothing_and_an_id_with_a_line_break_is_in_no_list(run: Cli, tmp_path: Path) -> None:
    rows = [{"id": name, "license": "CC-BY-NC-4.0"} for name in ("=1+1", "two\nlines", "plain")]
    answer = run("usable", dataset(tmp_path / "set", rows), "--out", "all.csv", "--ids", "ids.txt")

    assert [row["id"] for row in table(tmp_path / "all.csv")] == ["'=1+1", "two\nlines", "plain"]
    assert (tmp_path / "ids.txt").read_text(encoding="utf-8") == "=1+1\nplain\n"
    assert "1 ids hold a line break" in answer.out


def test_the_table_in_the_terminal_ends_and_says_how_many_reasons_there_are(run: Cli, tmp_path: Path) -> None:
    rows = [{"id": str(at), "license": f"Zoravi Terms {at}"} for at in range(30)]
    answer = run("usable", dataset(tmp_path / "set", rows))
    assert "and 10 more reasons" in answer.out


# ------------------------------------------------------------------------------- bad input


def test_what_cannot_be_read_is_told_and_is_never_all_usable(run: Cli, tmp_path: Path) -> None:
    path = dataset(tmp_path / "set", ROWS[:1])
    with (path / "data.jsonl").open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    answer = run("usable", path)

    assert answer.code == 1
    assert "1 yes, 0 no, 0 unknown" in answer.out
    assert "data.jsonl:2" in answer.err and "copycat.provenance check" in answer.err


def test_data_that_cannot_be_read_beside_a_whole_manifest_are_told(run: Cli, tmp_path: Path) -> None:
    path = dataset(tmp_path / "set", ROWS[:1])
    assert run("manifest", path).code == 0
    (path / "data.jsonl").write_bytes(b"\x00\xff\n")
    answer = run("usable", path)

    assert answer.code == 1
    assert "data.jsonl:1" in answer.err


@pytest.mark.parametrize("name", ["broken.parquet", "empty"])
def test_a_dataset_of_which_nothing_can_be_read_is_refused(run: Cli, tmp_path: Path, name: str) -> None:
    if name == "empty":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(b"PAR1 and no more")
    (tmp_path / "all.csv").write_text("the old list", encoding="utf-8")
    answer = run("usable", tmp_path / name, "--out", "all.csv")

    assert answer.code == 2
    assert name in answer.err
    assert (tmp_path / "all.csv").read_text(encoding="utf-8") == "the old list"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--out", "set/all.csv"), "among the records"),
        (("--ids", "set/ids.txt"), "among the records"),
        (("--out", "all.txt"), "ends in .csv"),
        (("--out", "all.csv", "--ids", "all.csv"), "the same file"),
        (("--out", "."), "cannot be written"),
        (("--unknown-too",), "belongs to --ids"),
        (("--for", "selling"), "research"),
        (("--output-licence", "CC-BY-99"), "output licence"),
        (("--against", "nothing.jsonl"), "nothing.jsonl"),
    ],
)
def test_what_cannot_be_done_is_refused_before_work_begins(
    run: Cli, tmp_path: Path, given: Sequence[str], said: str
) -> None:
    answer = run("usable", dataset(tmp_path / "set"), *given)

    assert answer.code == 2
    assert said in answer.err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["set"]


def test_the_help_says_what_unknown_means(run: Cli) -> None:
    answer = run("usable", "--help")
    assert answer.code == 0
    assert "Unknown is never" in answer.out


def test_findings_name_the_command_that_lists_the_records(run: Cli, tmp_path: Path) -> None:
    path = dataset(tmp_path / "set", [{**row, "url": f"https://example.org/{row['id']}"} for row in ROWS])
    report = json.loads(run("check", path, "--rules", "S1,L3", "--json").out)
    findings = [one for outcome in report["outcomes"] for one in outcome["findings"]]
    named = [one for one in findings if "usable DATASET --for training --out FILE.csv" in one["advice"]]

    assert {one["rule"] for one in named} == {"S1", "L3"}
    assert len([one for one in findings if one["rule"] == "S1"]) == 2
