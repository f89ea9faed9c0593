"""A removal: tombstones, files, derived datasets, the log; P3 sees whatever is left of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from planted_worlds import (
    DAY,
    NEIGHBOUR,
    make_manifest,
    png,
    rows,
    write_folder,
    write_jsonl,
    write_parquet,
    write_shard,
)

from copycat.errors import UserError
from copycat.provenance.dataset import open_dataset
from copycat.provenance.lookup import look_up, make_query
from copycat.provenance.manifest import Order, open_manifest, write_manifest
from copycat.provenance.records import Finding
from copycat.provenance.removal import Options, Removal, remove
from copycat.provenance.removal.log import read_log
from copycat.provenance.removal.rules import Removals
from copycat.provenance.removal.scrubbing import KEPT
from copycat.provenance.rules import Context


def take_out(root: Path, ids: Sequence[str], reason: str = "asked for", **options: Any) -> Removal:
    return remove(open_dataset(root), ids, reason, DAY, Options(**options))


def p3(root: Path) -> list[Finding]:
    """Run rule P3."""
    rule = Removals(Context(open_dataset(root)))
    for batch in rule.context.dataset.content(rule.needs):
        rule.see(batch)
    return list(rule.finish())


def ids_in(root: Path) -> list[str]:
    return [batch.id_of(row) for batch in open_dataset(root).content(("id",)) for row in range(batch.size)]


def tombstone(root: Path, name: str) -> dict[str, Any]:
    found = [row for table in open_manifest(open_dataset(root)).all_rows() for row in table.to_pylist()]
    return next(row for row in found if row["id"] == name)


@pytest.fixture
def toy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "split", tmp_path / "toy"))


def test_a_tombstone_keeps_id_hash_and_versions_and_nothing_readable(toy: Path) -> None:
    before = tombstone(toy, "r003")

    done = take_out(toy, ["r003"], rewrite=True)

    after = tombstone(toy, "r003")
    assert (done.ids, done.from_version, done.version) == (("r003",), "1", "2")
    assert (after["version_added"], after["version_removed"], after["tombstone_reason"]) == ("1", "2", "asked for")
    assert after["sha256"] == before["sha256"]
    assert not [name for name, value in after.items() if value is not None and name not in KEPT]
    assert "r003" not in ids_in(toy)
    everything = b"".join(path.read_bytes() for path in toy.rglob("*") if path.is_file())
    assert b"number 3:" not in everything


def test_p3_passes_after_a_removal_with_rewriting_and_other_records_stay_as_they_are(toy: Path) -> None:
    lines = (toy / "train.jsonl").read_bytes().splitlines(keepends=True)

    take_out(toy, ["r003", "r005"], rewrite=True)

    assert not p3(toy)
    assert (toy / "train.jsonl").read_bytes() == b"".join(lines[:3] + lines[4:5] + lines[6:])


def test_p3_names_the_files_that_still_hold_a_removed_record(toy: Path) -> None:
    done = take_out(toy, ["r003"])

    found = p3(toy)
    assert done.n_left == 1
    assert [(each.severity, each.n_records) for each in found] == [("error", 1)]
    assert found[0].evidence[0].place == "train.jsonl:4 id"


def test_the_same_command_twice_does_nothing_twice_and_can_rewrite_later(toy: Path) -> None:
    take_out(toy, ["r003"])
    log = (toy / "provenance" / "removals.jsonl").read_bytes()

    again = take_out(toy, ["r003"])
    rewritten = take_out(toy, ["r003"], rewrite=True)
    last = take_out(toy, ["r003"], rewrite=True)

    assert (again.ids, again.already, again.version) == ((), ("r003",), "2")
    assert rewritten.n_left == 0
    assert (last.version, last.holding) == (rewritten.version, ())
    assert (toy / "provenance" / "removals.jsonl").read_bytes() == log
    assert not p3(toy)


def test_a_derived_dataset_loses_the_record_by_id_and_by_content(toy: Path, tmp_path: Path) -> None:
    crops = write_jsonl(tmp_path / "crops", [{**rows()[3], "caption": "cropped"}, rows()[4]])
    copies = write_parquet(tmp_path / "copies", [{**rows()[3], "id": "other"}, rows()[4]])

    done = take_out(toy, ["r003"], rewrite=True, derived=(crops, copies))

    assert ids_in(crops) == ids_in(copies) == ["r004"]
    held = {each.dataset: (each.by_id, each.by_content) for each in done.holding}
    assert held == {"toy": (1, 0), "crops": (1, 0), "copies": (0, 1)}


@pytest.mark.slow
def test_where_a_derived_dataset_numbers_anew_only_content_counts(toy: Path, tmp_path: Path) -> None:
    derived = write_jsonl(tmp_path / "d", [{**rows()[4], "id": "r003"}, {**rows()[3], "id": "r004"}])

    take_out(toy, ["r003"], rewrite=True, derived=(derived,), derived_by="content")

    assert ids_in(derived) == ["r003"]


@pytest.mark.slow
def test_a_derived_dataset_with_a_manifest_gets_tombstones_and_a_log_of_its_own(toy: Path, tmp_path: Path) -> None:
    derived = write_parquet(tmp_path / "d", [{**rows()[3], "id": "other"}, rows()[4]])
    make_manifest(derived)

    take_out(toy, ["r003"], rewrite=True, derived=(derived,))

    assert tombstone(derived, "other")["tombstone_reason"] == "asked for"
    assert [line.id for line in read_log(derived / "provenance")[0]] == ["other"]
    assert not p3(derived)


@pytest.mark.parametrize("name", ["cut.parquet", "noise.tar", "empty"])
def test_a_derived_dataset_that_cannot_be_read_is_refused_before_anything_is_removed(
    toy: Path, tmp_path: Path, name: str
) -> None:
    whole = write_parquet(tmp_path / "whole", rows()) / "train.parquet"
    (tmp_path / "cut.parquet").write_bytes(whole.read_bytes()[:500])
    (tmp_path / "noise.tar").write_bytes(b"x" * 2000)
    (tmp_path / "empty").mkdir()

    with pytest.raises(UserError, match=f"--derived {name}: .*\n  nothing was removed"):
        take_out(toy, ["r003"], rewrite=True, derived=(tmp_path / name,))

    assert "r003" in ids_in(toy)
    assert not (toy / "provenance" / "removals.jsonl").exists()


def test_a_derived_dataset_that_breaks_off_later_is_left_and_named(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginning of each file is read before anything is removed; what lies deeper is told afterwards."""
    monkeypatch.setattr("copycat.provenance.removal.derived._faults", lambda dataset: [])
    derived = write_jsonl(tmp_path / "d", [rows()[3], rows()[4]])
    with (derived / "train.jsonl").open("a") as stream:
        stream.write('{"id": "r0\n')

    done = take_out(toy, ["r003"], rewrite=True, derived=(derived,))

    assert (done.n_left, done.n_unread) == (1, 1)
    assert "d: 1 place cannot be read, such as train.jsonl:3" in done.notes[-1]
    assert ids_in(derived) == ["r003", "r004"]


def test_a_card_that_has_not_changed_is_named_when_records_have_left(toy: Path) -> None:
    done = take_out(toy, ["r003"], rewrite=True)

    assert "README.md is as it was" in done.notes[0]
    assert "12 before, 11 now" in done.notes[0]
    assert not take_out(toy, ["r003"], rewrite=True).notes


@pytest.mark.parametrize("has_manifest", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_derived_dataset_of_nothing_else_is_left_and_named(toy: Path, tmp_path: Path, has_manifest: bool) -> None:
    derived = write_jsonl(tmp_path / "d", [rows()[3]])
    if has_manifest:
        make_manifest(derived)

    done = take_out(toy, ["r003"], rewrite=True, derived=(derived,))

    assert (done.n_left, ids_in(derived)) == (1, ["r003"])
    assert "d: it would lose all its records" in done.notes[-1]


@pytest.mark.slow
def test_the_same_picture_under_another_id_goes_too(tmp_path: Path) -> None:
    records = [{"id": str(i), "image": {"bytes": png(i % 3), "path": ""}, "text": f"{i}"} for i in range(6)]
    root = write_parquet(tmp_path / "a", records)
    make_manifest(root)

    done = take_out(root, ["1"], rewrite=True)

    assert (done.ids, done.n_same_content) == (("1", "4"), 1)
    assert ids_in(root) == ["0", "2", "3", "5"]
    assert not p3(root)


@pytest.mark.slow
def test_a_short_text_of_strangers_stays(tmp_path: Path) -> None:
    """The content of a record without a picture is its caption; "a dog" is anybody's."""
    root = write_jsonl(
        tmp_path / "a", [{"id": str(i), "url": f"https://{i}.example/", "text": "a dog"} for i in range(4)]
    )
    make_manifest(root)

    done = take_out(root, ["1"], rewrite=True)

    assert (done.ids, done.n_short) == (("1",), 1)
    assert ids_in(root) == ["0", "2", "3"]
    assert not p3(root)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "shard", "parquet without ids"])
def test_records_leave_datasets_of_every_form(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        root = write_folder(tmp_path / "a", 4)
    elif kind == "shard":
        root = write_shard(tmp_path / "a", 4)
    else:
        root = write_parquet(tmp_path / "a", [{"caption": row["caption"], "url": row["url"]} for row in rows(4)])
    make_manifest(root)
    names = [row["id"] for table in open_manifest(open_dataset(root)).rows() for row in table.to_pylist()]

    take_out(root, [names[1]], rewrite=True)

    assert len(ids_in(root)) == 3
    assert not p3(root)
    left = [row["id"] for table in open_manifest(open_dataset(root)).rows() for row in table.to_pylist()]
    assert left == [name for name in names if name != names[1]]


def test_p3_an_id_that_is_used_again_is_an_error(toy: Path) -> None:
    take_out(toy, ["r003"], rewrite=True)
    write_jsonl(toy, [{"id": "r003", "text": "another content altogether"}], "more.jsonl")

    assert ["ids are used again" in each.said for each in p3(toy)] == [True]


def test_p3_a_content_that_came_back_under_another_id_is_an_error(toy: Path) -> None:
    take_out(toy, ["r003"], rewrite=True)
    write_jsonl(toy, [{**rows()[3], "id": "new"}], "more.jsonl")

    assert ["under another id" in each.said for each in p3(toy)] == [True]
    write_manifest(open_dataset(toy), Order(as_of=DAY))
    assert ["under another id" in each.said for each in p3(toy)] == [True, True]


@pytest.mark.slow
def test_a_forgotten_hash_does_not_know_it_again(toy: Path) -> None:
    take_out(toy, ["r003"], rewrite=True, forget_hash=True)
    write_jsonl(toy, [{**rows()[3], "id": "new"}], "more.jsonl")

    assert tombstone(toy, "r003")["sha256"] is None
    assert b'sha256": null' in (toy / "provenance" / "removals.jsonl").read_bytes()
    assert not p3(toy)


def test_p3_sees_a_log_that_was_changed(toy: Path) -> None:
    take_out(toy, ["r003", "r005"], rewrite=True)
    path = toy / "provenance" / "removals.jsonl"
    lines = path.read_text().splitlines()
    damaged = (
        lines[1:],
        [lines[0].replace("asked for", "not asked"), lines[1]],
        [*lines, "{}"],
        [*lines, "\x00garbage"],
    )

    for log, said in (*((each, "not as written") for each in damaged), ([], "have no line in the log")):
        path.write_text("".join(line + "\n" for line in log))
        assert any(said in each.said for each in p3(toy)), log


def test_nothing_is_removed_while_the_log_is_in_doubt(toy: Path) -> None:
    take_out(toy, ["r003"])
    (toy / "provenance" / "removals.jsonl").write_text("{}\n")

    with pytest.raises(UserError, match="is no line of this log"):
        take_out(toy, ["r004"])


def test_p3_sees_a_removal_that_was_begun_and_not_finished(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycat.provenance.removal.removing._apply", lambda *_: ("1", []))
    take_out(toy, ["r003"], rewrite=True)
    monkeypatch.undo()

    assert any("has no tombstone for them" in each.said for each in p3(toy))
    done = take_out(toy, ["r003"], rewrite=True)
    assert (done.n_resumed, done.version) == (1, "2")
    assert not p3(toy)


def test_p3_malformed_manifest_is_a_finding(toy: Path) -> None:
    take_out(toy, ["r003"], rewrite=True)
    (toy / "provenance" / "records.parquet").write_bytes(b"PAR1 not really")

    assert any("cannot be read" in each.said for each in p3(toy))


def test_p3_is_not_applicable_where_nothing_was_removed(toy: Path) -> None:
    rule = Removals(Context(open_dataset(toy)))

    assert not list(rule.finish())
    assert rule.not_applicable() == "no record has been removed"
    assert rule.needs == ()


def test_a_record_that_changed_leaves_its_history_too(tmp_path: Path) -> None:
    root = write_jsonl(tmp_path / "a", rows(4))
    make_manifest(root)
    write_jsonl(root, [{**row, "author": "Jolvex"} for row in rows(4)])
    write_manifest(open_dataset(root), Order(as_of=DAY))

    take_out(root, ["r001"], rewrite=True)

    manifest = open_manifest(open_dataset(root))
    past = [row for table in manifest.history_rows() for row in table.to_pylist() if row["id"] == "r001"]
    assert past
    assert not [name for row in past for name, value in row.items() if value is not None and name not in KEPT]
    assert [version.version for version in manifest.versions] == ["1", "2", "3"]
    assert [sum(table.num_rows for table in manifest.rows(version)) for version in "123"] == [4, 4, 3]


def test_a_dry_run_changes_nothing(toy: Path) -> None:
    before = {path: path.read_bytes() for path in toy.rglob("*") if path.is_file()}

    done = take_out(toy, ["r003"], rewrite=True, dry_run=True)

    assert done.is_dry_run
    assert [each.is_rewritten for each in done.holding] == [False]
    assert {path: path.read_bytes() for path in toy.rglob("*") if path.is_file()} == before


def test_a_removed_record_is_still_found_by_its_id_and_its_picture(tmp_path: Path) -> None:
    records = [{"id": str(i), "image": {"bytes": png(i), "path": ""}, "author": "Zoravi Meklun"} for i in range(4)]
    root = write_parquet(tmp_path / "a", records)
    make_manifest(root)
    (tmp_path / "mine.png").write_bytes(png(2))
    take_out(root, ["2"], reason=f"asked for by {NEIGHBOUR}", rewrite=True)

    for kind, given in (("id", "2"), ("picture", str(tmp_path / "mine.png"))):
        answer = look_up(open_dataset(root), make_query(kind, given), DAY)  # type: ignore[arg-type]
        assert (answer.n_found, answer.n_now, answer.by_version) == (1, 0, {"1": 1, "2": 0})
        assert NEIGHBOUR not in answer.model_dump_json()


@pytest.mark.parametrize(
    ("ids", "reason", "said"),
    [(["nope"], "x", "there is no record 'nope'"), (["r003"], "  ", "--reason has 0 letters")],
)
def test_a_removal_that_cannot_be_done_is_told_and_changes_nothing(
    toy: Path, ids: list[str], reason: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        take_out(toy, ids, reason)

    assert not (toy / "provenance" / "removals.jsonl").exists()


@pytest.mark.slow
def test_a_file_that_loses_all_its_records_does_not_stop_the_next_version(toy: Path) -> None:
    done = take_out(toy, [f"tr{i:03d}" for i in range(8, 12)], rewrite=True)

    assert done.version == "2"
    assert not (toy / "test.jsonl").exists()
    assert not p3(toy)


def test_removing_every_record_is_refused(toy: Path) -> None:
    with pytest.raises(UserError, match="none of its 12 records would be left"):
        take_out(toy, ids_in(toy))
    assert not (toy / "provenance" / "removals.jsonl").exists()


def test_without_a_manifest_it_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="provenance manifest DATASET"):
        take_out(write_jsonl(tmp_path / "a", rows(2)), ["r000"])


def test_records_that_cannot_be_read_stop_a_removal_before_the_log(toy: Path) -> None:
    with (toy / "train.jsonl").open("a") as file:
        file.write("not json\n")

    with pytest.raises(UserError, match="--lossy"):
        take_out(toy, ["r003"])
    assert not (toy / "provenance" / "removals.jsonl").exists()
    assert take_out(toy, ["r003"], lossy=True, rewrite=True).version == "2"


def test_the_log_has_a_line_a_record_and_names_nobody(toy: Path) -> None:
    take_out(toy, ["r003", "r005"], by="name")

    lines = [json.loads(line) for line in (toy / "provenance" / "removals.jsonl").read_text().splitlines()]
    assert [(line["id"], line["by"], line["from_version"]) for line in lines] == [
        ("r003", "name", "1"),
        ("r005", "name", "1"),
    ]
    assert set(lines[0]) == {"id", "sha256", "phash", "content", "reason", "by", "from_version", "as_of", "before"}


def test_no_figure_of_nothing_is_given_for_versions_whose_records_are_gone(toy: Path) -> None:
    """A tombstone keeps no text: that nobody of the name is found in it does not tell that nobody was there."""
    before = look_up(open_dataset(toy), make_query("name", "Zoravi"), DAY)
    take_out(toy, [hit.id for hit in before.hits][:3], rewrite=True)

    after = look_up(open_dataset(toy), make_query("name", "Zoravi"), DAY)

    assert before.unsearched == {}
    assert (after.by_version, after.unsearched) == ({"1": before.n_found - 3, "2": before.n_found - 3}, {"1": 3})
    assert after.not_looked == ("3 records were removed before, and too little of them is kept to be looked in",)
    assert not look_up(open_dataset(toy), make_query("id", "r000"), DAY).unsearched


def test_a_removed_record_that_still_lies_in_the_files_is_looked_in_there(toy: Path) -> None:
    take_out(toy, ["r001", "r003"])

    answer = look_up(open_dataset(toy), make_query("name", "Zoravi"), DAY)

    assert answer.unsearched == {}
    assert {hit.id: hit.licence for hit in answer.hits}["r001"] == "CC-BY-4.0"  # as the file says it, not the table
    assert (answer.by_version["1"] - answer.by_version["2"], answer.n_found - answer.n_now) == (2, 2)


def test_a_record_that_left_the_files_by_itself_is_known_by_its_address_and_not_by_its_text(tmp_path: Path) -> None:
    root = write_jsonl(tmp_path / "a", rows(4))
    make_manifest(root)
    write_jsonl(root, rows(4)[1:])
    write_manifest(open_dataset(root), Order(as_of=DAY))

    site, name = (look_up(open_dataset(root), make_query(*query), DAY) for query in
                  (("domain", "neighbour.example"), ("name", "Zoravi")))  # fmt: skip

    assert (site.by_version, site.unsearched) == ({"1": 2, "2": 1}, {})
    assert name.unsearched == {"1": 1}


def test_a_record_that_changed_is_found_in_the_versions_since_and_may_have_been_in_those_before(tmp_path: Path) -> None:
    records = rows(4)
    root = write_jsonl(tmp_path / "a", records)
    make_manifest(root)
    write_jsonl(root, [{**records[0], "license": "CC0-1.0"}, {**records[1], "url": "https://other.example/"},
                       *records[2:]])  # fmt: skip
    write_manifest(open_dataset(root), Order(as_of=DAY))

    name = look_up(open_dataset(root), make_query("name", "Zoravi"), DAY)
    site = look_up(open_dataset(root), make_query("domain", "other.example"), DAY)

    assert (name.by_version, name.unsearched) == ({"1": 3, "2": 3}, {})  # a licence is not looked in
    assert (site.by_version, site.unsearched) == ({"1": 0, "2": 1}, {"1": 1})
