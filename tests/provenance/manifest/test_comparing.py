"""A comparison names every record that is not the same on both sides, and no other."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harness import Cli, CommandLine
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests import Make, Manifested, greetings, rows_of

from copycat.commands.provenance import app
from copycat.provenance.dataset import open_dataset
from copycat.provenance.manifest.aligning import align, differing
from copycat.provenance.manifest.comparing import Change, compare
from copycat.provenance.manifest.ids import chosen_ids
from copycat.provenance.manifest.sorting import MADE, Sorter


@pytest.fixture
def provenance(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.provenance")


def changes_of(answer: Any) -> set[tuple[str, str]]:
    return {(change["change"], change["id"]) for change in json.loads(answer.out)["changes"]}


def test_two_mirrors_with_the_same_records_are_the_same(make: Make, provenance: Cli) -> None:
    """P2, positive: neither the order of records nor the form of the file counts; moves are told."""
    rows = greetings()
    make(rows, "one")
    (Path("two")).mkdir()
    pq.write_table(pa.Table.from_pylist(rows[::-1]), "two/train.parquet")
    answer = provenance("diff", "one", "two", "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["is_same"], found["moved"]) == (0, True, 6)


def test_one_changed_byte_names_the_record_and_the_field(make: Make, provenance: Cli) -> None:
    rows = greetings()
    make(rows, "one")
    make([rows[0], rows[1] | {"text": "hello I"}, *rows[2:]], "two")
    answer = provenance("diff", "one", "two")
    assert answer.code == 1
    assert answer.out.splitlines()[0].startswith("changed g1 train.jsonl:2 (sha256:")
    assert "1 changed" in answer.out
    assert "moved" not in answer.out


def test_a_changed_fact_is_told_with_both_values(make: Make, provenance: Cli) -> None:
    rows = greetings(2)
    make(rows, "one")
    make([rows[0], rows[1] | {"license": "MIT"}], "two")
    found = json.loads(provenance("diff", "one", "two", "--json").out)["changes"]
    assert [(change["id"], change["fields"]) for change in found] == [("g1", ["licence"])]
    assert "CC-BY-4.0" in found[0]["old"]["licence"]
    assert "MIT" in found[0]["new"]["licence"]


def test_added_removed_renamed_and_replaced_files_are_told_apart(tmp_path: Path, provenance: Cli) -> None:
    for name, files in (
        ("one", {"same.txt": b"1", "old-name.txt": b"2", "gone.txt": b"3", "other.txt": b"4"}),
        ("two", {"same.txt": b"1", "new-name.txt": b"2", "come.txt": b"5", "other.txt": b"6"}),
    ):
        (tmp_path / name).mkdir()
        for file, data in files.items():
            (tmp_path / name / file).write_bytes(data)
    found = json.loads(provenance("diff", "one", "two", "--json").out)
    told = {(change["change"], change["id"], change["new_id"]) for change in found["changes"]}
    assert told == {
        ("renamed", "old-name.txt", "new-name.txt"),
        ("removed", "gone.txt", None),
        ("added", "come.txt", None),
        ("changed", "other.txt", None),
    }


def test_a_record_without_id_that_changed_is_found_by_its_place(make: Make, provenance: Cli) -> None:
    make([{"text": "a"}, {"text": "b"}, {"text": "c"}], "one")
    make([{"text": "a"}, {"text": "B"}, {"text": "c"}], "two")
    found = json.loads(provenance("diff", "one", "two", "--json").out)
    assert (found["changed"], found["added"], found["removed"]) == (1, 0, 0)
    assert found["changes"][0]["new_place"] == "train.jsonl:2"


def test_a_fact_that_differs_is_told_whatever_the_ids_are(make: Make, provenance: Cli) -> None:
    """The same contents under other ids are renamed; one of them whose licence and author differ is changed."""
    rows = greetings(4)
    make(rows, "one")
    others = [row | {"id": f"other-{at}"} for at, row in enumerate(rows)]
    make(others, "two")
    answer = provenance("diff", "one", "two", "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["is_same"], found["renamed"], found["changed"]) == (1, False, 4, 0)
    assert "ids are part of the root" in provenance("diff", "one", "two").out
    others[2] |= {"license": "CC-BY-NC-4.0", "author": "example.org"}
    make(others, "three")
    found = json.loads(provenance("diff", "one", "three", "--json").out)
    changed = [change for change in found["changes"] if change["change"] == "changed"]
    assert (found["renamed"], len(changed)) == (3, 1)
    assert changed[0]["fields"] == ["licence", "author"]
    assert (changed[0]["old"]["licence"], changed[0]["new"]["licence"]) == ("CC-BY-4.0", "CC-BY-NC-4.0")
    assert "licence: CC-BY-4.0 -> CC-BY-NC-4.0;" in provenance("diff", "one", "three").out


def pictures(folder: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """Write a folder of pictures with facts; gives the rows of the Parquet that the Hub would make of it."""
    folder.mkdir(parents=True)
    facts = [{"file_name": name, "license": "CC-BY-4.0", "author": "example.org"} for name in names]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(fact) + "\n" for fact in facts))
    rows = []
    for at, fact in enumerate(facts):
        data = b"picture %d" % at
        (folder / fact["file_name"]).write_bytes(data)
        rows.append({"image": {"bytes": data, "path": fact.pop("file_name")}, **fact})
    return rows


def test_a_folder_of_pictures_and_the_parquet_of_the_hub_have_one_root(provenance: Cli) -> None:
    """The path of a picture is its id where there is no column for one; so a changed licence is told of by it."""
    rows = pictures(Path("one"), ["a.png", "b.png", "c.png"])
    Path("two").mkdir()
    pq.write_table(pa.Table.from_pylist(rows[::-1]), "two/train.parquet")
    roots = [json.loads(provenance("manifest", name, "--json").out)["root"] for name in ("one", "two")]
    assert roots[0] == roots[1]
    assert json.loads(Path("two/provenance/manifest.json").read_text())["ids"] == "path"
    assert provenance("diff", "one", "two").code == 0
    assert provenance("check", "two", "--rules", "P1,P2,F2").code == 0
    assert provenance("diff", "two").code == 0
    rows[1]["license"] = "CC-BY-NC-4.0"
    pq.write_table(pa.Table.from_pylist(rows), "two.parquet")
    found = json.loads(provenance("diff", "one", "two.parquet", "--json").out)
    assert [(each["change"], each["id"], each["fields"]) for each in found["changes"]][:1] == [
        ("changed", "b.png", ["licence"])
    ]


@pytest.mark.parametrize(
    "paths", [["a.png", "a.png"], ["/home/x/a.png", "b.png"], ["../a.png", "b.png"], [None, "b.png"], ["", "b.png"],
              ["https://example.org/a.png", "b.png"]]
)  # fmt: skip
def test_paths_that_are_not_those_of_the_records_are_no_ids(tmp_path: Path, paths: list[str | None]) -> None:
    rows = [{"image": {"bytes": b"%d" % at, "path": path}} for at, path in enumerate(paths)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    assert chosen_ids(open_dataset(tmp_path)) == "column"
    (tmp_path / "x.parquet").unlink()
    lines = [json.dumps({"image": path, "text": f"{at}"}) for at, path in enumerate(["a.png", "b.png"])]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    assert chosen_ids(open_dataset(tmp_path)) == "path"


def test_ids_that_are_made_are_told_of_since_the_root_is_over_them(make: Make, provenance: Cli) -> None:
    make([{"text": "a"}, {"text": "b"}])
    answer = provenance("manifest", "data")
    assert "2 records have no id and get one from their content; a mirror that has ids of its own has" in answer.err


def test_of_records_with_one_content_those_that_say_the_same_are_paired(make: Make, provenance: Cli) -> None:
    licences = ("CC0-1.0", "MIT", "CC-BY-4.0")
    make([{"id": f"a{at}", "text": "same", "license": said} for at, said in enumerate(licences)], "one")
    make([{"id": f"b{at}", "text": "same", "license": said} for at, said in enumerate(reversed(licences))], "two")
    found = json.loads(provenance("diff", "one", "two", "--json").out)
    assert (found["renamed"], found["changed"]) == (3, 0)


def test_versions_of_one_dataset_are_compared_with_each_other_and_with_the_data(
    make: Make, manifested: Manifested, provenance: Cli
) -> None:
    rows = greetings()
    manifested(make(rows))
    manifested(make(rows[2:]))
    assert provenance("diff", "data").code == 0
    assert changes_of(provenance("diff", "data", "--from", "1", "--to", "2", "--json")) == {
        ("removed", "g0"),
        ("removed", "g1"),
    }
    make(rows[3:])
    assert changes_of(provenance("diff", "data", "--json")) == {("removed", "g2")}
    assert provenance("diff", "data/provenance", "data/provenance/manifest.json").code == 0
    assert len(json.loads(provenance("diff", "data", "--from", "1", "--json").out)["changes"]) == 3


def test_every_change_goes_to_a_file_and_the_terminal_shows_the_first(make: Make, provenance: Cli) -> None:
    make(greetings(40), "one")
    make(greetings(5), "two")
    answer = provenance("diff", "one", "two", "--show", "3", "--out", "all.jsonl")
    assert "and 32 more" in answer.out
    lines = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert {line["id"] for line in lines} == {f"g{number}" for number in range(5, 40)}


def test_what_cannot_be_compared_is_told_and_is_a_difference(make: Make, provenance: Cli) -> None:
    folder = make(greetings(2), "one")
    with (folder / "train.jsonl").open("a") as file:
        file.write("no json\n")
    make(greetings(2), "two")
    answer = provenance("diff", "one", "two")
    assert answer.code == 1
    assert "not compared: one: 1 unreadable (files or records), the first at train.jsonl:3" in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "nowhere: is not there"),
        (("data",), "is not there"),
        (("data", "data", "--from", "1"), "--from and --to are for one dataset"),
    ],
)
def test_what_cannot_be_opened_is_an_error_that_says_what_to_type(
    make: Make, provenance: Cli, arguments: tuple[str, ...], said: str
) -> None:
    make(greetings(1))
    answer = provenance("diff", *arguments)
    assert answer.code == 2
    assert said in answer.err


# ------------------------------------------------------------------------- against brute force


def tables(rows: dict[str, int], size: int) -> list[pa.Table]:
    ids = sorted(rows, key=str.encode)
    made = {
        "id": ids,
        "file": ["f"] * len(ids),
        "row": list(range(len(ids))),
        "sha256": [f"{rows[name]}" for name in ids],
        "text_sha256": [None] * len(ids),
    }
    table = pa.table(made, pa.schema([(name, pa.int64() if name == "row" else pa.string()) for name in made]))
    return [table.slice(at, size) for at in range(0, max(len(ids), 1), size)]


sides = st.dictionaries(st.sampled_from(["a", "b", "ba", "é", "z", "\U0001f600", "aa", "-"]), st.integers(0, 3))


@settings(max_examples=30, deadline=None)
@given(sides, sides, st.integers(1, 4), st.integers(1, 4))
def test_counts_are_those_of_sets_however_the_tables_are_cut(
    old: dict[str, int], new: dict[str, int], first: int, second: int
) -> None:
    told: list[Change] = []
    counts = compare(tables(old, first), tables(new, second), told.append)
    same_id = {change.id for change in told if change.new_id is None}
    renamed = [change for change in told if change.new_id is not None]
    assert counts.changed == sum(old[name] != new[name] for name in old.keys() & new.keys())
    assert counts.removed + len(renamed) == len(old.keys() - new.keys())
    assert counts.added + len(renamed) == len(new.keys() - old.keys())
    assert same_id <= old.keys() | new.keys()
    assert all(old[change.id] == new[change.new_id or ""] for change in renamed)


def test_differing_rows_are_those_of_python_nested_columns_and_nulls_included() -> None:
    chance = random.Random(3)
    values = [None, [], [{"a": "x"}], [{"a": None}], [{"a": "x"}, {"a": "y"}]]
    left, right = (([values[chance.randrange(5)] for _ in range(200)]) for _ in range(2))
    kind = pa.list_(pa.struct({"a": pa.string()}))
    expected = [row for row in range(200) if left[row] != right[row]]
    assert differing(pa.array(left, kind), pa.array(right, kind)) == expected
    texts = [[None, "a", "b"][chance.randrange(3)] for _ in range(200)]
    others = [[None, "a", "b"][chance.randrange(3)] for _ in range(200)]
    plain = differing(pa.array(texts), pa.array(others))
    assert plain == [row for row in range(200) if texts[row] != others[row]]


def test_records_beyond_memory_come_sorted_from_disk_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("copycat.provenance.manifest.sorting.PIECE_ROWS", 50)
    chance = random.Random(1)
    names = [f"{chance.randrange(400):x}" for _ in range(1000)]
    with Sorter(tmp_path) as sorter:
        for at in range(0, 1000, 17):
            part = names[at : at + 17]
            columns = {"id": part, "file": ["f"] * len(part), "row": list(range(at, at + len(part)))}
            sorter.add(pa.table(columns | {MADE: [True] * len(part)}))
        assert any(tmp_path.iterdir())
        found = [name for table in sorter.tables() for name in table["id"].to_pylist()]
        assert found == sorted(found) == sorted(set(found))
        assert len(found) == 1000
        assert {name.split("-")[0] for name in found} == set(names)
        again = [name for table in sorter.tables() for name in table["id"].to_pylist()]
        assert again == found
    assert not any(tmp_path.iterdir())


def test_of_a_record_that_was_removed_only_what_is_known_is_told(make: Make, provenance: Cli) -> None:
    """Removal forgets where it lay and what it said, in the versions that had it, too."""
    rows = greetings(4)
    make(rows)
    provenance("manifest", "data")
    provenance("remove", "data", "--id", "g1", "--reason", "asked for")
    told = provenance("diff", "data", "--from", "1", "--to", "2").out.splitlines()
    assert told[0] == "removed g1"
    assert provenance("diff", "data", "--from", "1").code == 0  # the file still has it, as it was
    rows[1]["text"] = "hello 9"
    make(rows)
    answer = provenance("diff", "data", "--from", "1", "--json")
    assert changes_of(answer) == {("changed", "g1")}


def test_a_pair_has_all_rows_of_both_sides_once() -> None:
    left, right = tables({"a": 1, "c": 2, "d": 3}, 2), tables({"b": 1, "c": 9, "e": 1}, 1)
    pairs = list(align(left, right))
    assert sum(len(pair.gone) for pair in pairs) == 2
    assert sum(len(pair.come) for pair in pairs) == 2
    assert sum(len(pair.both[0]) for pair in pairs) == 1


def test_a_version_is_read_back_as_it_was_written(make: Make, manifested: Manifested) -> None:
    rows = greetings(3)
    manifest = manifested(make(rows)).manifest
    assert [row["url"] for row in rows_of(manifest).values()] == [row["url"] for row in rows]
