"""P1 and P2: positive, negative and malformed datasets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from manifests import Make, Manifested, greetings

from copycat.provenance.dataset import open_dataset
from copycat.provenance.manifest import record_sha256
from copycat.provenance.manifest.chains import chain_fault
from copycat.provenance.records import Outcome
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules

A, B, C = "a" * 64, "b" * 64, "c" * 64


def step(taken: Any, given: Any) -> dict[str, Any]:
    return {"name": "crop", "version": "1", "in_sha": taken, "out_sha": given}


def outcome_of(folder: Path, rule: str, beside: str = "") -> Outcome:
    report = run_rules(Context(open_dataset(folder)), [rule, *([beside] if beside else [])])
    return report.outcomes[0]


# ------------------------------------------------------------------------------------------- P1


def test_p1_a_closed_chain_from_an_address_to_the_record_passes(make: Make, manifested: Manifested) -> None:
    content = record_sha256("hello")
    rows = [{"id": "a", "text": "hello", "url": "https://example.org/a", "transforms": [step(A, B), step(B, content)]}]
    folder = make(rows)
    assert outcome_of(folder, "P1").status == "passed"
    manifested(folder)
    assert outcome_of(folder, "P1").status == "passed"


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([step(A, B), step(C, A)], "step 2 takes cccccccccccc, and the step before gave bbbbbbbbbbbb"),
        ([step(A, B)], "the last step gives bbbbbbbbbbbb"),
        ([step(A, B), step(B, A)], "step 2 gives aaaaaaaaaaaa again: the chain goes in a circle"),
        ([step(A, None)], "step 1 has no sha256 in out_sha"),
        ([step("short", B)], "step 1 has no sha256 in in_sha"),
        ("crop, then scale", "is no list of steps"),
        (["crop"], "is no list of steps"),
        (7, "is no list of steps"),
    ],
)
def test_p1_a_broken_chain_is_an_error_with_the_link(make: Make, steps: Any, fault: str) -> None:
    assert (chain_fault(steps, C) or "").startswith(fault)
    folder = make([{"id": "a", "text": "hello", "url": "https://example.org", "transforms": steps}])
    found = outcome_of(folder, "P1").findings[0]
    assert (found.severity, found.n_records) == ("error", 1)
    assert found.evidence[0].place == "train.jsonl:1 transforms"
    assert found.evidence[0].value.startswith(fault)


def test_p1_a_step_that_changes_nothing_is_no_circle() -> None:
    assert chain_fault([step(A, A), step(A, B)], B) is None


def test_p1_an_enormous_chain_is_followed_to_its_end() -> None:
    hashes = [f"{number:064x}" for number in range(10_001)]
    steps = [step(hashes[at], hashes[at + 1]) for at in range(10_000)]
    assert chain_fault(steps, hashes[-1]) is None
    assert "circle" in (chain_fault([*steps, step(hashes[-1], hashes[0])], None) or "")


def test_p1_content_that_is_not_what_its_column_says_is_an_error(make: Make) -> None:
    rows = [
        {"id": f"{n}", "text": f"t{n}", "sha256": record_sha256(f"t{n}"), "url": "https://example.org"} for n in "123"
    ]
    assert outcome_of(make(rows), "P1").status == "passed"
    rows[1]["text"] = "other"
    found = outcome_of(make(rows), "P1").findings[0]
    assert (found.severity, found.evidence[0].line) == ("error", 2)


def test_p1_hashes_of_something_that_is_not_there_are_a_warning(make: Make) -> None:
    """A list of addresses with captions, and hashes of the pictures behind them."""
    rows = [{"id": n, "text": "a cat", "sha256": A, "url": f"https://example.org/{n}"} for n in "12"]
    found = outcome_of(make(rows), "P1").findings
    assert [finding.severity for finding in found] == ["warning"]


def test_p1_a_record_without_address_parent_or_model_is_a_warning(make: Make) -> None:
    rows = [
        {"id": "bare", "text": "x"},
        {"id": "made", "text": "y", "synthetic": True},
        {"id": "child", "text": "z", "transforms": [step(A, record_sha256("z"))]},
        {"id": "found", "text": "z", "url": "https://example.org"},
        *({"id": f"not-{at}", "text": "q", "synthetic": said} for at, said in enumerate((False, "Unknown", "n/a"))),
    ]
    found = outcome_of(make(rows), "P1").findings
    assert [(finding.severity, finding.n_records) for finding in found] == [("warning", 4)]
    assert found[0].evidence[0].line == 1


def test_p1_content_that_is_not_what_the_manifest_says_is_an_error(make: Make, manifested: Manifested) -> None:
    rows = greetings()
    manifested(make(rows))
    rows[3]["text"] = "hello III"
    found = outcome_of(make(rows), "P1").findings[0]
    assert (found.severity, found.n_records, found.evidence[0].place) == ("error", 1, "train.jsonl:4 g3")


# ------------------------------------------------------------------------------------------- P2


def test_p2_without_a_manifest_there_is_nothing_to_compare(make: Make) -> None:
    outcome = outcome_of(make(greetings()), "P2")
    assert outcome.status == "not-applicable"
    assert "python -m copycat.provenance manifest" in outcome.said


def test_p2_a_mirror_has_the_root_of_its_version(make: Make, manifested: Manifested, tmp_path: Path) -> None:
    folder = make(greetings())
    manifested(folder)
    shutil.copytree(folder, tmp_path / "mirror")
    assert outcome_of(tmp_path / "mirror", "P2").status == "passed"


@pytest.mark.parametrize("beside", ["", "P1"])
def test_p2_one_changed_byte_names_the_record(make: Make, manifested: Manifested, beside: str) -> None:
    folder = make(greetings())
    manifested(folder)
    data = (folder / "train.jsonl").read_bytes()
    (folder / "train.jsonl").write_bytes(data.replace(b"hello 2", b"hellO 2"))
    found = outcome_of(folder, "P2", beside).findings
    assert [finding.severity for finding in found] == ["error"]
    assert found[0].evidence[0].place == "train.jsonl:3 g2"
    assert found[0].evidence[0].value.startswith(record_sha256("hello 2")[:12])


def test_p2_one_changed_byte_in_a_picture_names_its_file(tmp_path: Path, manifested: Manifested) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"picture " + name.encode())
    manifested(tmp_path)
    (tmp_path / "b.png").write_bytes(b"picture B.png")
    found = outcome_of(tmp_path, "P2").findings
    assert [finding.evidence[0].place for finding in found] == ["b.png"]


def test_p2_records_that_came_and_went_are_errors(make: Make, manifested: Manifested) -> None:
    manifested(make(greetings()))
    found = outcome_of(make([*greetings()[1:], {"id": "new", "text": "x"}]), "P2").findings
    assert [(finding.severity, finding.n_records) for finding in found] == [("error", 1), ("error", 1)]
    assert "lacking" in found[0].said
    assert "more than in" in found[1].said


def test_p2_a_changed_fact_is_a_warning_with_the_file(make: Make, manifested: Manifested) -> None:
    rows = greetings()
    manifested(make(rows))
    rows[0]["license"] = "MIT"
    found = outcome_of(make(rows), "P2").findings
    assert [(finding.severity, finding.evidence[0].file) for finding in found] == [("warning", "train.jsonl")]


def test_p2_a_sidecar_that_was_tampered_with_is_an_error(make: Make, manifested: Manifested) -> None:
    folder = make(greetings())
    manifested(folder)
    path = folder / "provenance" / "records.parquet"
    table = pq.read_table(path)
    column = table.schema.get_field_index("sha256")
    other = [A, *table["sha256"].to_pylist()[1:]]
    pq.write_table(table.set_column(column, "sha256", pa.array(other, pa.string())), path)
    found = outcome_of(folder, "P2").findings
    assert found[0].said == "records.parquet gives another root than manifest.json states for version 1"


def test_p2_contents_under_other_ids_are_an_error_since_the_root_is_another(
    tmp_path: Path, manifested: Manifested
) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    manifested(tmp_path)
    (tmp_path / "a.txt").rename(tmp_path / "c.txt")
    found = outcome_of(tmp_path, "P2").findings
    assert [(finding.severity, finding.n_records, finding.evidence[0].place) for finding in found] == [
        ("error", 1, "c.txt a.txt")
    ]
    assert found[0].said == "the ids of 1 record are not those of version 1; the contents are"


@pytest.mark.parametrize("name", ["records.parquet", "manifest.json"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"{}", b"PAR1"])
def test_p1_and_p2_of_a_broken_sidecar_are_findings_and_no_traceback(
    make: Make, manifested: Manifested, name: str, content: bytes
) -> None:
    folder = make(greetings())
    manifested(folder)
    (folder / "provenance" / name).write_bytes(content)
    report = run_rules(Context(open_dataset(folder)), ["P1", "P2"])
    assert all(outcome.findings for outcome in report.outcomes)
    for outcome in report.outcomes:
        (found,) = [finding for finding in outcome.findings if "manifest" in finding.said]
        assert "from a copy; do not make it again" in found.advice
        assert found.evidence[0].file == f"provenance/{name}"
        assert found.said.startswith(f"the manifest cannot be read: {name}: ")
    assert "Traceback" not in json.dumps(report.model_dump(mode="json"))
