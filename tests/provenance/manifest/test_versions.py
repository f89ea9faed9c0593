"""A manifest keeps every version: what came, what went, what changed, and what may not come back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests import Make, Manifested, greetings, rows_of

from copycat.errors import DataError, UnknownNameError, UserError
from copycat.provenance.dataset import open_dataset
from copycat.provenance.datasheet.facts import count_facts
from copycat.provenance.manifest import Order, merkle_root, open_manifest, record_sha256, write_manifest
from copycat.provenance.manifest.facts import FACT_COLUMNS
from copycat.provenance.manifest.publishing import publish, unfinished, writing
from copycat.provenance.records import HISTORY_FILE, NO_MODEL, RECORDS_FILE


def root_by_hand(rows: list[dict[str, Any]]) -> str:
    """The documented leaf, by id: id, sha256 and text_sha256 with NUL between."""
    ordered = sorted(rows, key=lambda row: row["id"].encode())
    return merkle_root(f"{row['id']}\0{record_sha256(row['text'])}\0".encode() for row in ordered)


def test_the_first_version_is_1_and_its_root_is_that_of_the_documentation(make: Make, manifested: Manifested) -> None:
    rows = greetings()
    written = manifested(make(rows))
    assert (written.is_new, written.manifest.last.version, written.manifest.last.n_records) == (True, "1", 6)
    assert written.manifest.root == root_by_hand(rows)


def test_the_same_data_again_add_nothing_and_touch_nothing(make: Make, manifested: Manifested) -> None:
    folder = make(greetings())
    manifested(folder)
    before = {path.name: path.read_bytes() for path in (folder / "provenance").iterdir()}
    again = manifested(folder)
    assert not again.is_new
    assert not manifested(folder, version="1").is_new
    assert {path.name: path.read_bytes() for path in (folder / "provenance").iterdir()} == before


def test_the_next_version_marks_what_came_went_and_changed_and_keeps_what_was(
    make: Make, manifested: Manifested
) -> None:
    first = greetings()
    folder = make(first)
    manifested(folder)
    second = [dict(row) for row in first[1:]] + [{"id": "new", "text": "hello, too"}]
    second[0]["text"] = "changed"
    second[1]["license"] = "MIT"
    make(second)
    manifest = manifested(folder).manifest
    last = manifest.last
    assert (last.version, last.n_records, last.n_added, last.n_removed, last.n_changed) == ("2", 6, 1, 1, 2)
    one, two = rows_of(manifest, "1"), rows_of(manifest, "2")
    assert set(one) == {row["id"] for row in first}
    assert set(two) == {row["id"] for row in second}
    assert one["g1"]["sha256"] == record_sha256("hello 1")
    assert two["g1"]["sha256"] == record_sha256("changed")
    assert (one["g2"]["licence"]["spdx"], two["g2"]["licence"]["spdx"]) == ("CC-BY-4.0", "MIT")
    assert (two["g1"]["version_added"], two["g1"]["version_changed"]) == ("1", "2")
    assert one["g0"]["version_removed"] == "2"
    for version, rows in (("1", first), ("2", second)):
        assert manifest.version(version).root == root_by_hand(rows)
        assert merkle_root_of_rows(manifest, version) == root_by_hand(rows)


def merkle_root_of_rows(manifest: Any, version: str) -> str:
    rows = rows_of(manifest, version).values()
    return merkle_root(f"{row['id']}\0{row['sha256']}\0{row['text_sha256'] or ''}".encode() for row in rows)


def test_a_record_that_comes_back_unchanged_is_in_the_versions_that_had_it(make: Make, manifested: Manifested) -> None:
    rows = greetings(4)
    folder = make(rows)
    manifested(folder)
    for present in (rows[1:], rows, rows[1:], rows):
        make(present)
        manifest = manifested(folder).manifest
    held = [name for name in "12345" if "g0" in rows_of(manifest, name)]
    assert held == ["1", "3", "5"]
    assert manifest.version("1").root == manifest.version("5").root


def test_an_id_is_never_given_to_other_content(make: Make, manifested: Manifested) -> None:
    rows = greetings(3)
    folder = make(rows)
    manifested(folder)
    make(rows[1:])
    manifested(folder)
    make([{"id": "g0", "text": "somebody else"}, *rows[1:]])
    with pytest.raises(DataError, match="g0: was removed, and a record with this id is in the data again"):
        manifested(folder)
    assert open_manifest(open_dataset(folder)).last.version == "2"


def test_a_record_with_a_tombstone_stays_out_whatever_the_data_say(make: Make, manifested: Manifested) -> None:
    rows = greetings(3)
    folder = make(rows)
    manifested(folder)
    manifest = manifested(folder, tombstones={"g1": "asked for by its author"}).manifest
    assert set(rows_of(manifest)) == {"g0", "g2"}
    kept = {row["id"]: row for table in manifest.all_rows() for row in table.to_pylist()}
    assert (kept["g1"]["version_removed"], kept["g1"]["tombstone_reason"]) == ("2", "asked for by its author")
    with pytest.raises(DataError, match="g1: was removed"):
        manifested(folder)


def test_another_content_under_the_name_of_a_version_is_refused_with_what_to_type(
    make: Make, manifested: Manifested
) -> None:
    folder = make(greetings())
    manifested(folder, version="v4")
    make(greetings(5))
    with pytest.raises(UserError, match=r"version v4 is there with root .*\n.*--version .*\n.*diff .* --from v4"):
        manifested(folder, version="v4")
    assert manifested(folder, version="v5").manifest.last.n_removed == 1
    with pytest.raises(UserError, match="version v4 is there"):
        manifested(folder, version="v4")


def test_a_version_that_nobody_wrote_is_unknown(make: Make, manifested: Manifested) -> None:
    manifest = manifested(make(greetings())).manifest
    with pytest.raises(UnknownNameError, match="unknown version '7'"):
        list(manifest.rows("7"))


def test_ids_that_are_missing_are_made_from_the_content_and_are_the_same_on_every_mirror(
    make: Make, manifested: Manifested
) -> None:
    rows = [{"text": "a"}, {"text": "b"}, {"text": "a"}]
    one = manifested(make(rows, "one")).manifest
    two = manifested(make(rows[::-1], "two")).manifest
    made = record_sha256("a")[:32]
    assert set(rows_of(one)) == {made, f"{made}-2", record_sha256("b")[:32]}
    assert one.root == two.root


def test_ids_that_are_there_twice_are_refused_and_can_be_made_instead(make: Make, manifested: Manifested) -> None:
    folder = make([{"id": "x", "text": "a"}, {"id": "x", "text": "b"}])
    with pytest.raises(DataError, match=r"1 record with an id that another record has: x\n.*--ids content"):
        manifested(folder)
    assert not (folder / "provenance" / "manifest.json").exists()
    assert manifested(folder, ids="content").manifest.last.n_records == 2
    with pytest.raises(UserError, match="so far ids come from content"):
        manifested(folder, ids="column")


def test_what_cannot_be_read_is_refused_and_left_out_only_on_request(make: Make, manifested: Manifested) -> None:
    folder = make(greetings(2))
    with (folder / "train.jsonl").open("a") as file:
        file.write("{broken\n")
    with pytest.raises(DataError, match=r"train.jsonl:3.*\n.*--lossy"):
        manifested(folder)
    written = manifested(folder, lossy=True)
    assert (written.manifest.last.n_records, written.n_faults) == (2, 1)


def test_an_empty_folder_has_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no record"):
        write_manifest(open_dataset(tmp_path), Order(date(2026, 2, 1)))


def test_a_single_file_has_its_sidecar_beside_it(make: Make, manifested: Manifested) -> None:
    file = make(greetings()) / "train.jsonl"
    manifested(file)
    assert (file.parent / "train.provenance" / RECORDS_FILE).is_file()


def test_two_writers_do_not_meet(make: Make, manifested: Manifested) -> None:
    folder = make(greetings())
    manifested(folder)
    with writing(folder / "provenance"), pytest.raises(UserError, match="another process writes in it"):
        manifested(folder)


def test_what_was_committed_is_finished_and_what_was_not_is_thrown_away(make: Make, manifested: Manifested) -> None:
    """The moments of a crash, one by one: before the commit, and between commit and renaming."""
    folder = make(greetings())
    manifested(folder)
    sidecar = folder / "provenance"
    published = (sidecar / "manifest.json").read_bytes()
    unfinished(sidecar, "manifest.json").write_bytes(b"half")
    assert open_manifest(open_dataset(folder)).last.version == "1"
    with writing(sidecar):
        assert not unfinished(sidecar, "manifest.json").exists()
        next_state = json.loads(published)
        next_state["versions"][0]["version"] = "one"
        unfinished(sidecar, "manifest.json").write_text(json.dumps(next_state))
        (sidecar / ".commit").touch()
    assert open_manifest(open_dataset(folder)).last.version == "one"
    with writing(sidecar):
        assert not (sidecar / ".commit").exists()
        assert not unfinished(sidecar, "manifest.json").exists()
        publish(sidecar, [])
    assert json.loads((sidecar / "manifest.json").read_text())["versions"][0]["version"] == "one"


def test_facts_in_any_form_are_taken_over_and_what_makes_no_sense_is_counted(
    make: Make, manifested: Manifested
) -> None:
    step = {"name": "crop", "in_sha": "a" * 64, "out_sha": "b" * 64}
    rows = [
        {
            "id": "a",
            "text": "x",
            "headers": {"Content-Type": "text/html", "X-Robots-Tag": ["noai", "noindex"]},
            "http_status": "200",
            "transforms": json.dumps([step]),
            "synthetic": {"model": "m-1", "prompt_hash": "c" * 64},
            "license_url": "https://example.org/licence",
        },
        {"id": "b", "text": "y", "headers": 7, "http_status": "soon", "transforms": "crop", "synthetic": "perhaps"},
        {"id": "c", "text": "z"},
    ]
    written = manifested(make(rows))
    found = rows_of(written.manifest)
    assert found["a"]["headers"][1:] == [
        {"name": "X-Robots-Tag", "value": "noai"},
        {"name": "X-Robots-Tag", "value": "noindex"},
    ]
    assert found["a"]["http_status"] == 200
    assert found["a"]["transforms"][0]["out_sha"] == "b" * 64
    assert found["a"]["synthetic"] == {"model": "m-1", "prompt_hash": "c" * 64}
    assert found["a"]["licence"]["evidence_url"] == "https://example.org/licence"
    assert {"use": "training", "answer": "deny"} in found["a"]["decision"]
    assert all(found["b"][name] is None for name in ("headers", "http_status", "transforms", "synthetic"))
    assert {"headers", "http_status", "transforms", "synthetic"} <= set(written.unread)
    assert all(found["c"][name] is None for name in ("headers", "licence", "signals", "decision", "synthetic"))


def test_whether_a_model_made_a_record_stays_unknown_in_the_sidecar_unless_the_dataset_says(
    make: Make, manifested: Manifested
) -> None:
    told = ["no", False, 0, "none", None, "", "unknown", "yes"]
    folder = make([{"id": f"{at}", "text": "x", "synthetic": said} for at, said in enumerate(told)])
    found = rows_of(manifested(folder).manifest)
    no = {"model": NO_MODEL, "prompt_hash": None}
    yes = {"model": None, "prompt_hash": None}
    assert [found[f"{at}"]["synthetic"] for at in range(8)] == [no] * 4 + [None] * 3 + [yes]
    dataset = open_dataset(folder)
    counted = [count_facts(dataset), count_facts(replace(dataset, sidecar=folder / "none"))]
    assert [(each.n_records, each.n_marked, each.n_synthetic) for each in counted] == [(8, 5, 1)] * 2


def test_history_is_only_written_when_something_changed(make: Make, manifested: Manifested) -> None:
    folder = make(greetings())
    manifested(folder)
    make(greetings(5))
    manifested(folder)
    assert not (folder / "provenance" / HISTORY_FILE).exists()


@pytest.mark.slow  # ImageHash takes a second to load
def test_how_a_picture_looks_is_hashed_on_request_and_kept(tmp_path: Path, manifested: Manifested) -> None:
    """Reference: ImageHash."""
    import imagehash
    from PIL import Image

    picture = Image.linear_gradient("L").rotate(30).convert("RGB")
    picture.save(tmp_path / "a.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    expected = str(imagehash.phash(picture))
    rows = rows_of(manifested(tmp_path, phash=True).manifest)
    assert (rows["a.png"]["phash"], rows["broken.png"]["phash"]) == (expected, None)
    (tmp_path / "broken.png").unlink()
    assert rows_of(manifested(tmp_path).manifest)["a.png"]["phash"] == expected


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["source", "use", "name", "a"]), inner),
    max_leaves=4,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "text", *FACT_COLUMNS), anything)), max_size=3))
def test_records_of_any_json_become_a_version_or_an_error_that_says_why(rows: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        try:
            written = write_manifest(open_dataset(Path(folder)), Order(date(2026, 2, 1)))
        except DataError as error:
            assert error.faults
            return
        assert len(rows_of(written.manifest)) == len(rows)
        assert not write_manifest(open_dataset(Path(folder)), Order(date(2026, 2, 1))).is_new
