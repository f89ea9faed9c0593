"""Damaged, hostile and enormous input: a fault with its place, and what can be read is read. Never an exception."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_datasets import ROWS, jsonl, read, shard, tar_bytes, write_all_kinds

from copycat.provenance.dataset import open_dataset, tables
from copycat.provenance.dataset.ahead import read_ahead
from copycat.provenance.dataset.batches import Batch
from copycat.provenance.records import Evidence, Finding

DOUBLES = Path(__file__).parents[2] / "doubles"

# -------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize(
    "line",
    [b"{", b"[1, 2]", b'"text"', b"null", b"7", b"true", b"\xff\xfe{}", b'{"a": 1} {"b": 2}', b"9" * 6000,
     b"[" * 100_000, b'{"licence": "MIT", "licence": "CC0-1.0"}'],
)  # fmt: skip
def test_a_bad_line_of_jsonl_is_a_fault_and_its_neighbours_are_read(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS[:1]) + line + b"\n\n" + jsonl(ROWS[1:]))

    found = read(tmp_path)

    assert found.texts("id") == ["a", "b", "c"]
    assert [fault.evidence.place for fault in found.faults] == ["x.jsonl:2"]
    assert found.batches[0].line_of(1) == 4


def test_a_key_that_is_there_twice_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"licence": "MIT", "licence": "CC0-1.0"}\n')

    assert read(tmp_path).said == ["x.jsonl:1 is not JSON: the key 'licence' is there twice"]


def test_a_line_beyond_the_limit_is_a_fault_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_LINE_BYTES", 1000)
    huge = json.dumps({"id": "h", "text": "x" * 5000}).encode()
    (tmp_path / "x.jsonl").write_bytes(huge + b"\n" + jsonl(ROWS))

    found = read(tmp_path)

    assert found.said == ["x.jsonl:1 is longer than 1000 bytes"]
    assert found.texts("id") == ["a", "b", "c"]


def test_values_of_mixed_types_and_lone_surrogates_become_text(tmp_path: Path) -> None:
    lines = ['{"id": 1, "text": "a"}', '{"id": "two", "text": "\\ud800"}', '{"id": {"x": [1]}, "text": null}']
    (tmp_path / "x.jsonl").write_text("\n".join(lines))

    found = read(tmp_path)

    assert found.texts("id") == ["1", "two", '{"x": [1]}']
    assert found.texts("text") == ["a", "?", ""]


def test_a_value_nested_many_levels_deep_comes_as_text(tmp_path: Path) -> None:
    deep = "[" * 400 + "]" * 400
    (tmp_path / "x.jsonl").write_text(f'{{"id": {deep}}}\n{{"id": "b"}}\n')

    assert read(tmp_path).texts("id") == [deep, "b"]


def test_numbers_that_no_type_holds_become_text(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(f'{{"id": {2**80}}}\n{{"id": 1e999}}\n')

    assert read(tmp_path).texts("id") == [str(2**80), "Infinity"]


@pytest.mark.parametrize("kind", ["jsonl.gz", "tar.gz", "tar", "parquet"])
@pytest.mark.parametrize("kept", [0.2, 0.4])
def test_a_truncated_file_is_a_fault(tmp_path: Path, kind: str, kept: float) -> None:
    path = write_all_kinds(tmp_path)[kind]
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])

    found = read(path)

    assert found.said
    assert found.n_records <= 3


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "csv", "tar", "tar.gz", "parquet"])
def test_an_empty_file_is_a_fault(tmp_path: Path, kind: str) -> None:
    path = write_all_kinds(tmp_path)[kind]
    path.write_bytes(b"")

    assert [fault.evidence.file for fault in read(path).faults] == [path.name]


def test_a_gz_that_holds_nothing_gives_no_record(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(b""))

    assert read(tmp_path).n_records == 0


def test_a_damaged_row_group_is_a_fault_and_the_others_are_read(tmp_path: Path) -> None:
    table = pa.table({"id": [f"number {n}" for n in range(300)]})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=100, compression="snappy", use_dictionary=False)
    raw = bytearray((tmp_path / "x.parquet").read_bytes())
    at = pq.read_metadata(tmp_path / "x.parquet").row_group(1).column(0).data_page_offset
    raw[at : at + 400] = b"\xff" * 400
    (tmp_path / "x.parquet").write_bytes(raw)

    found = read(tmp_path)

    assert found.texts("id") == [f"number {n}" for n in (*range(100), *range(200, 300))]
    assert len(found.said) == 1
    assert found.said[0].startswith("x.parquet:101 cannot be read, up to row 200: ")
    assert found.batches[-1].line_of(found.batches[-1].size - 1) == 300


def test_two_columns_of_one_name_are_a_fault_and_the_first_is_read(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["MIT"]), pa.array(["CC0-1.0"])], names=["licence", "licence"])
    pq.write_table(table, tmp_path / "x.parquet")
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "x.csv").write_text("licence,licence\nMIT,CC0-1.0\n")

    for folder, place in ((tmp_path / "x.parquet", "x.parquet licence"), (tmp_path / "y", "x.csv:1")):
        found = read(folder)
        assert found.texts("licence") == ["MIT"]
        assert [fault.evidence.place for fault in found.faults] == [place]


def test_rows_of_csv_that_do_not_fit_the_header_are_faults(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b'id,text\n1,a\n2\n3,c,d\n4,"two\nlines"\n5,\xff\n')

    found = read(tmp_path)

    assert found.texts("id") == ["1", "4", "5"]
    assert found.texts("text") == ["a", "two\nlines", "\ufffd"]
    assert found.said == [
        "x.csv:3 has fewer cells than the header",
        "x.csv:4 has more cells than the header",
        "x.csv:7 holds bytes that are not UTF-8, or letters lost before",
    ]


def test_a_csv_whose_cell_never_ends_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_LINE_BYTES", 100)
    (tmp_path / "x.csv").write_text('id,text\n1,a\n2,"' + "b\n" * 200)

    found = read(tmp_path)

    assert found.texts("id") == ["1"]
    assert found.faults[0].loses_rest
    assert "field larger than field limit" in found.said[0]


# ------------------------------------------------------------------------------------------ archives


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("../../z.txt", b"x")], "x.tar ../../z.txt has a name that leads out of the folder it is unpacked in"),
        ([("/z.txt", b"x")], "x.tar /z.txt has a name that leads out of the folder it is unpacked in"),
        ([("z.txt", b"x"), ("z.txt", b"y")], "x.tar z.txt is there twice"),
        ([("z.json", b"{")], "x.tar z.json is not JSON: "),
        ([("z.json", b"[]")], "x.tar z.json is not a JSON object"),
        ([("z.json", b'{"a": ' * 80 + b"1" + b"}" * 80)], "x.tar z.json is not JSON: more than 64 levels"),
        ([("z.txt", b"\xff")], "x.tar z.txt is not UTF-8 from byte 1 on; what is not is replaced"),
    ],
)
def test_a_bad_member_is_a_fault_and_the_shard_is_read(
    tmp_path: Path, members: list[tuple[str, bytes]], said: str
) -> None:
    (tmp_path / "x.tar").write_bytes(tar_bytes([*members, *shard(ROWS)]))

    found = read(tmp_path)

    assert found.said[0].startswith(said)
    assert len(found.said) == 1
    assert found.texts("url")[1:] == [row["url"] for row in ROWS]


def test_a_damaged_header_in_an_archive_does_not_pass_for_its_end(tmp_path: Path) -> None:
    """tarfile itself stops there and says nothing: the rest of the shard would be missed."""
    raw = bytearray(tar_bytes(shard(ROWS)))
    raw[1024 + 148 : 1024 + 156] = b"000000\0 "
    (tmp_path / "x.tar").write_bytes(raw)

    found = read(tmp_path)

    assert found.said == ["x.tar cannot be read on: a header is damaged (bad checksum)"]
    assert found.faults[0].loses_rest


def test_an_archive_cut_between_two_members_lacks_its_end_mark(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(tar_bytes([("a.txt", b"x")])[:1024])

    found = read(tmp_path)

    assert found.texts("text") == ["x"]
    assert found.said == ["x.tar cannot be read on: it ends without the mark of an archive's end"]


def test_links_and_devices_in_an_archive_are_told_of(tmp_path: Path) -> None:
    import io
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind in (("a.txt", tarfile.SYMTYPE), ("b", tarfile.FIFOTYPE), ("c", tarfile.DIRTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/hostname"
            archive.addfile(member)
    (tmp_path / "x.tar").write_bytes(stream.getvalue())

    assert read(tmp_path).said == ["x.tar a.txt is a link, which is not followed", "x.tar b is no file"]


# ------------------------------------------------------------------------------------------- folders


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")

    found = read(tmp_path)

    assert found.texts("id") == ["a.txt"]
    assert sorted(found.said) == [
        "again is a link to a folder, which is not followed: check that folder by itself",
        "loop.txt is a link to nothing",
    ]


def test_pipes_devices_and_links_to_nothing_are_faults_and_nothing_waits_for_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "null.txt").symlink_to("/dev/null")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")

    found = read(tmp_path)

    assert found.texts("id") == ["a.txt"]
    assert sorted(found.said) == [
        "gone.txt is a link to nothing",
        "null.txt is no regular file",
        "pipe.jsonl is no regular file",
    ]


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.parquet", "x.tar", "x.txt"])
def test_a_file_that_the_system_does_not_let_read_is_a_fault(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/proc/self/mem")  # whoever runs it, the first byte cannot be read

    assert name in " ".join(read(tmp_path).said)


def test_names_that_are_not_utf8_are_spelt_out(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")

    found = read(tmp_path)

    assert found.texts("id") == [r"caf\xe9.txt"]
    assert found.texts("text") == ["x"]


def test_facts_that_name_no_file_or_name_it_twice_are_faults(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    rows = [{"file_name": "a.png"}, {"file_name": "a.png"}, {"file_name": "../b.png"}, {"x": 1}, {"file_name": 7}]
    (tmp_path / "metadata.jsonl").write_bytes(jsonl(rows) + b"{\n")
    (tmp_path / "a.json").write_text("[]")

    found = read(tmp_path)

    assert [text.split(": ")[0] for text in found.said] == [
        "metadata.jsonl:2 file_name names a file a second time",
        "metadata.jsonl:3 file_name names a file that is not there",
        "metadata.jsonl:4 file_name has no file_name",
        "metadata.jsonl:5 file_name has no file_name",
        "metadata.jsonl:6 is not JSON",
        "a.json is not JSON with facts",
    ]


# --------------------------------------------------------------------------------------------- cards

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{this}: &{this} [{', '.join([f'*{last}'] * 9)}]\n" for last, this in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("a: &a\n  b: *a", "is not plain YAML: an alias (*name); write out what it stands for"),
        (BOMB, "is not plain YAML: an alias"),
        ("[" * 100 + "]" * 100, "is not plain YAML: more than 64 levels"),
        ("license: mit\nlicense: cc0-1.0", "is not plain YAML: the key 'license' is there twice"),
        ("- a list", "is not a mapping"),
        ("a: !!python/object:os.system x", "is not plain YAML: "),
        ("a: 'x", "is not plain YAML: "),
        ("a: 2026-99-99", "is not plain YAML: "),
        ("? [a, b]\n: c", "is not plain YAML: "),
        ("a: " + "x" * (1 << 20), "has 1048579 letters; at most 1048576 are read"),
    ],
    ids=["circle", "billion laughs", "deep", "twice", "list", "object", "open", "no date", "list as key", "huge"],
)
def test_front_matter_that_is_no_plain_mapping_is_a_fault(tmp_path: Path, front: str, said: str) -> None:
    (tmp_path / "README.md").write_text(f"---\n{front}\n---\nThe text stays.\n")
    start = time.perf_counter()

    card = open_dataset(tmp_path).card

    assert time.perf_counter() - start < 5
    assert (card.front, card.body) == ({}, "The text stays.")
    assert [fault.evidence.place for fault in card.faults] == ["README.md:1"]
    assert card.faults[0].said.startswith(f"the front matter {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"---\nlicense: mit\n", "README.md:1 the front matter has no end (a line '---')"),
        (b"---\nlicense: mit\n---\n\xff", "README.md:4 is not UTF-8 from byte 22 on"),
    ],
)
def test_a_card_that_is_damaged_is_a_fault(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "README.md").write_bytes(text)

    assert read(tmp_path).said == [said]


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b"\xff", b'{"a": ' * 70 + b"1" + b"}" * 70, b"[" * 100_000, b'{"a": 1, "a": 2}']
)
def test_croissant_that_cannot_be_read_is_a_fault(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "croissant.json").write_bytes(raw)

    found = read(tmp_path)

    assert found.dataset.card.croissant == {}
    assert [fault.evidence.file for fault in found.faults] == ["croissant.json"]


# -------------------------------------------------------------------------------------- all of them


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=300), name=st.sampled_from(["x.jsonl", "x.csv", "x.parquet", "x.tar", "x.jsonl.gz"]))
def test_no_bytes_make_reading_raise(tmp_path: Path, raw: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(raw)

    found = read(path)

    for fault in found.faults:
        json.dumps(fault.evidence.model_dump(mode="json")).encode()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_byte_makes_reading_raise(tmp_path: Path, data: st.DataObject) -> None:
    paths = tmp_path / "kinds"
    if not paths.exists():
        write_all_kinds(paths)
    name = data.draw(st.sampled_from(["jsonl/x.jsonl", "tar/x.tar", "parquet/x.parquet", "tar.gz/x.tar.gz"]))
    whole = (paths / name).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path / Path(name).name
    path.write_bytes(whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :])

    assert read(path).n_records <= 3


@pytest.mark.slow
def test_no_damaged_byte_of_a_footer_ends_the_process(tmp_path: Path) -> None:
    """pyarrow 26 ends the process where the size of a column of such a file is asked for."""
    code = """
import sys
from pathlib import Path
from small_datasets import read
whole = Path(sys.argv[1]).read_bytes()
path = Path(sys.argv[1]).with_name("damaged.parquet")
for at in range(whole.index(b"PAR1", 4) - int.from_bytes(whole[-8:-4], "little") - 4, len(whole)):
    for value in (0, 0x15, 0x80, 0xFF):
        path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
        read(path)
print("all read")
"""
    path = write_all_kinds(tmp_path)["parquet"]

    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False, text=True, cwd=DOUBLES)

    assert done.stdout == "all read\n", done.stderr[-500:]


def test_text_that_quotes_a_dataset_can_always_be_written() -> None:
    evidence = Evidence(file="\udce9", value="\ud800 x")
    finding = Finding(rule="F1", severity="note", said="\udce9", advice="\ud800", evidence=(evidence,))

    assert finding.model_dump_json().encode()
    assert evidence.file == r"\xe9"


# ------------------------------------------------------------------------------------- reading ahead


def test_reading_ahead_gives_the_same_batches_in_their_order() -> None:
    batches = [Batch("x", n, 1, {}) for n in range(1, 50)]

    assert list(read_ahead(iter(batches))) == batches


def test_what_a_reader_raises_comes_after_what_it_gave() -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield Batch("x", 1, 1, {})
        raise OSError("no more")

    got = read_ahead(broken())

    assert next(got).first == 1
    with pytest.raises(OSError, match="no more"):
        next(got)


def test_whoever_stops_early_stops_the_reader() -> None:
    import threading

    def endless():  # type: ignore[no-untyped-def]
        while True:
            yield Batch("x", 1, 1, {})

    got = read_ahead(endless())
    next(got)
    got.close()

    assert "reader" not in {thread.name for thread in threading.enumerate()}
