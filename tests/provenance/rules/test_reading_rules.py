"""F1 (everything can be read) and F2 (ids): positive, negative and malformed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from small_datasets import ROWS, jsonl

from copycat.provenance.dataset import open_dataset
from copycat.provenance.records import Outcome
from copycat.provenance.rules import Context
from copycat.provenance.rules import reading as reading_module
from copycat.provenance.rules.running import run_rules


def outcome(path: Path, rule: str, columns: dict[str, str] | None = None) -> Outcome:
    return run_rules(Context(open_dataset(path, columns)), [rule]).outcomes[0]


# ------------------------------------------------------------------------------------------------ F1


def test_f1_passes_where_all_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS))

    assert outcome(tmp_path, "F1").model_dump(include={"status", "said"}) == {
        "status": "passed",
        "said": "3 records in 1 file",
    }


def test_f1_counts_what_cannot_be_read_and_shows_the_first_few(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS) + b"{\n" * 9)
    (tmp_path / "y.jsonl").write_bytes(b"")

    [finding] = outcome(tmp_path, "F1").findings

    assert (finding.severity, finding.n_records) == ("error", 10)
    assert finding.said == "10 places cannot be read as they stand"
    assert [evidence.place for evidence in finding.evidence] == [f"x.jsonl:{line}" for line in range(4, 9)]
    assert finding.evidence[0].value.startswith("is not JSON: ")


def test_f1_says_that_a_file_ends_early(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "x.parquet")
    (tmp_path / "y.parquet").write_bytes((tmp_path / "x.parquet").read_bytes()[:-10])

    [finding] = outcome(tmp_path, "F1").findings

    assert finding.said == "1 place cannot be read as it stands; 1 file could not be read to the end"


def test_f1_takes_a_damaged_card_and_a_damaged_sidecar_for_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS))
    (tmp_path / "README.md").write_text("---\n- no mapping\n---\n")
    (tmp_path / "provenance").mkdir()
    (tmp_path / "provenance" / "records.parquet").write_bytes(b"no table")

    report = run_rules(Context(open_dataset(tmp_path)), ["F1", "F2"])

    files = [evidence.file for evidence in report.outcomes[0].findings[0].evidence]
    assert files == ["provenance/records.parquet", "README.md"]
    assert report.n_records == 3


def test_f1_finds_that_there_is_no_record(tmp_path: Path) -> None:
    [finding] = outcome(tmp_path, "F1").findings

    assert (finding.severity, finding.said) == ("error", "there is no record")


def test_f1_warns_of_tables_that_are_not_read_unless_the_card_says_which_are(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "x.parquet")
    (tmp_path / "y.csv").write_text("id\n1\n")
    (tmp_path / "plot.png").write_bytes(b"x")

    undeclared = outcome(tmp_path, "F1").findings
    (tmp_path / "README.md").write_text("---\nconfigs:\n- {config_name: a, data_files: x.parquet}\n---\n")
    declared = outcome(tmp_path, "F1").findings

    assert [(one.severity, one.evidence[0].file) for one in undeclared] == [("warning", "y.csv"), ("note", "plot.png")]
    assert [(one.severity, one.evidence[0].file) for one in declared] == [("note", "y.csv"), ("note", "plot.png")]


def test_f1_warns_of_files_that_hold_many_records_and_are_not_read(tmp_path: Path) -> None:
    for name in ("data-00000-of-00001.arrow", "pictures.zip", "a.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "train.json").write_text(' [{"id": 1}, {"id": 2}]')
    (tmp_path / "one.json").write_text('{"id": 1}')

    [finding] = outcome(tmp_path, "F1").findings

    assert finding.severity == "warning"
    assert [one.file for one in finding.evidence] == ["data-00000-of-00001.arrow", "pictures.zip", "train.json"]


def test_f1_finds_that_a_column_that_was_named_is_in_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS))

    [finding] = outcome(tmp_path, "F1", {"author": "whom", "licence": "license"}).findings

    assert finding.said == "no file has the column that was named: 'whom' for 'author'"


# ------------------------------------------------------------------------------------------------ F2


def test_f2_passes_where_ids_are_all_different(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS))

    assert outcome(tmp_path, "F2").said == "3 ids, all different"


def test_f2_finds_ids_that_are_there_again_in_whatever_file_and_type(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl([{"id": "7"}, {"id": "8"}, {"id": " 7 "}]))
    (tmp_path / "y.jsonl").write_bytes(jsonl([{"id": 7}, {"id": 9}]))

    [finding] = outcome(tmp_path, "F2").findings

    assert (finding.severity, finding.n_records) == ("error", 2)
    assert finding.said == "2 records with the id of another record"
    assert [(one.place, one.value) for one in finding.evidence] == [("x.jsonl:3 id", "7"), ("y.jsonl:1 id", "7")]


def test_f2_lets_two_configurations_tell_of_the_same_records(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_bytes(jsonl(ROWS))
    assert outcome(tmp_path, "F2").findings[0].n_records == 3

    card = "---\nconfigs:\n- {config_name: a, data_files: a.jsonl}\n- {config_name: b, data_files: b.jsonl}\n---\n"
    (tmp_path / "README.md").write_text(card)

    assert outcome(tmp_path, "F2").status == "passed"


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_f2_warns_of_records_without_an_id(tmp_path: Path, value: object) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl([{"id": "a"}, {"id": value}, {"id": value}]))

    [finding] = outcome(tmp_path, "F2").findings

    assert (finding.severity, finding.n_records) == ("warning", 2)
    assert [one.line for one in finding.evidence] == [2, 3]


def test_f2_warns_where_there_is_no_column_of_ids(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl([{"text": "a"}]))

    assert outcome(tmp_path, "F2").findings[0].said == "1 record without an id, named by their place instead"


def test_f2_takes_malformed_ids_as_text(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl([{"id": {"a": 1}}, {"id": [1]}, {"id": {"a": 1}}, {"id": True}]))

    assert outcome(tmp_path, "F2").findings[0].evidence[0].value == '{"a": 1}'


def test_f2_a_collision_of_hashes_is_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl([*ROWS, ROWS[0]]))
    honest = reading_module._hashes

    def colliding(batch):  # type: ignore[no-untyped-def]
        hashes, is_missing = honest(batch)
        return np.zeros_like(hashes), is_missing

    monkeypatch.setattr(reading_module, "_hashes", colliding)

    [finding] = outcome(tmp_path, "F2").findings

    assert finding.n_records == 1
    assert finding.evidence[0].place == "x.jsonl:4 id"


@pytest.mark.slow
def test_f2_gives_each_id_the_same_hash_in_every_process(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import pyarrow as pa\n"
        "from copycat.provenance.dataset import Batch\n"
        "from copycat.provenance.rules.reading import _hashes\n"
        "print(_hashes(Batch('x', 1, 2, {'id': pa.array(['a', 'b'])}))[0].tolist())"
    )
    once, again = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    )

    assert once.stdout == again.stdout
    assert len(set(once.stdout.split(b","))) == 2


def test_f2_says_which_ids_are_of_removed_records_and_keeps_them_from_being_used_again(tmp_path: Path) -> None:
    rows = [{"id": "a"}, {"id": "b", "version_removed": "2"}]
    (tmp_path / "x.jsonl").write_bytes(jsonl(rows))

    assert outcome(tmp_path, "F2").said == "1 id, all different; so are those of the 1 record removed"

    (tmp_path / "x.jsonl").write_bytes(jsonl([*rows, {"id": "b"}]))

    assert outcome(tmp_path, "F2").findings[0].said == "1 record with the id of another record"


def picture(kind: str, size: int = 40) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (size, size, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp", "bmp", "tiff"])
def test_f1_passes_pictures_that_are_whole(tmp_path: Path, kind: str) -> None:
    (tmp_path / f"a.{kind}").write_bytes(picture(kind))
    (tmp_path / f"b.{kind}").write_bytes(picture(kind) + b"\0")

    assert outcome(tmp_path, "F1").said == "2 records in 2 files"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (picture("png")[:300], "ends early"),
        (picture("jpeg")[:-200], "ends early"),
        (picture("gif")[:-200], "ends early"),
        (picture("webp")[:-200], "ends early"),
        (b"", "is empty"),
        (bytes(range(256)), "is no picture"),
        (b"\x89PNG\r\n\x1a\nIEND", "is no picture"),
    ],
)
def test_f1_and_s5_tell_of_pictures_that_cannot_be_read(tmp_path: Path, raw: bytes, said: str) -> None:
    (tmp_path / "a.png").write_bytes(raw)
    (tmp_path / "b.png").write_bytes(picture("png"))

    [finding] = outcome(tmp_path, "F1").findings

    assert (finding.severity, finding.said, finding.n_records) == ("error", "1 picture cannot be read", 1)
    assert [(one.place, one.value) for one in finding.evidence] == [("a.png image", said)]
    assert outcome(tmp_path, "S5").said.endswith(
        "picture does not say no to generative-training; 1 more cannot be read (F1)"
    )


@pytest.mark.parametrize("rule", ["F2", "L4", "P1", "S5"])
def test_an_empty_folder_passes_no_rule_about_its_records(tmp_path: Path, rule: str) -> None:
    found = outcome(tmp_path, rule)

    assert found.status == "not-applicable"
    assert found.said.startswith("there is no ")


@pytest.mark.parametrize("rule", ["L1", "O1", "D1"])
def test_a_card_that_cannot_be_read_is_named_by_l1_o1_and_d1_with_the_reason(tmp_path: Path, rule: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS))
    (tmp_path / "README.md").write_text("---\na: &a MIT\nlicense: *a\n---\nwords\n")

    said = " ".join(finding.said for finding in outcome(tmp_path, rule).findings)

    assert "README.md:1: the front matter is not plain YAML: an alias (*name); write out what it stands for" in said


@pytest.mark.parametrize("rule", ["L1", "O1", "D1"])
def test_a_card_that_can_be_read_is_not_said_to_be_broken(tmp_path: Path, rule: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS))
    (tmp_path / "README.md").write_text("---\na: b\n---\nwords\n")

    assert "read" not in " ".join(finding.said for finding in outcome(tmp_path, rule).findings)
