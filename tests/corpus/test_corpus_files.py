"""Files of a corpus: what is found, what is refused by name, and that no damage ends in a traceback."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import CancelledError
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from copycat.catalog.character_checks import Phrases
from copycat.corpus import Corpus, Counts, count_documents, open_corpus
from copycat.corpus import batches as batches_module
from copycat.corpus.batches import read_batches, units_of
from copycat.corpus.reading import files_sha256
from copycat.errors import DataError, UserError

ARIEL = (Phrases("ariel", "Ariel"),)


def count(*paths: Path, text_column: str | None = None) -> Counts:
    return count_documents(open_corpus(paths, text_column=text_column), ARIEL, ["sea"])


def texts_of(corpus: Corpus) -> list[str]:
    return [text for unit in units_of(corpus) for batch in read_batches(corpus, unit) for text in batch.texts]


def parquet(path: Path, **columns: object) -> Path:
    pl.DataFrame(columns).write_parquet(path)
    return path


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------ which files


def test_files_of_different_forms_make_one_corpus(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", caption=["Ariel"])
    jsonl(tmp_path / "b.jsonl", {"caption": "Ariel", "text": "x"})
    (tmp_path / "c.csv").write_text("text,caption\nx,Ariel\n")
    (tmp_path / "d.txt").write_text("Ariel\n")
    (tmp_path / "e.csv").write_text("")
    counts = count(tmp_path)
    assert (counts.names["ariel"], counts.corpus.rows, counts.corpus.files) == (4, 4, 5)
    assert counts.corpus.text_column == "caption"


def test_the_column_is_one_that_every_file_has(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", caption=["x"], text=["Ariel"])
    jsonl(tmp_path / "b.jsonl", {"text": "Ariel"})
    counts = count(tmp_path)
    assert (counts.names["ariel"], counts.corpus.text_column) == (2, "text")


def test_the_file_that_lacks_the_column_of_the_others_is_named(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", caption=["x"])
    jsonl(tmp_path / "b.jsonl", {"text": "x"})
    with pytest.raises(DataError, match=r"b.jsonl: no column 'caption', which other files have; it has: text"):
        open_corpus([tmp_path])
    (tmp_path / "c.csv").write_text("url\nx\n")
    with pytest.raises(DataError, match=r"c.csv: no text column; it has: url"):
        open_corpus([tmp_path])


def test_a_file_that_is_given_twice_counts_once(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"caption": "Ariel"})
    (tmp_path / "link.jsonl").symlink_to(path)
    counts = count(path, tmp_path, tmp_path / "." / "a.jsonl", tmp_path / "link.jsonl")
    assert (counts.names["ariel"], counts.corpus.files) == (1, 1)


def test_globs_take_files_of_known_forms(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.pdf"):
        (tmp_path / name).write_text("Ariel\n")
    assert count(tmp_path / "*").names["ariel"] == 2
    assert count(tmp_path / "a.*").names["ariel"] == 1
    with pytest.raises(UserError, match="no such file or folder"):
        open_corpus([tmp_path / "*.csv"])


def test_a_file_whose_name_looks_like_a_glob_is_read(tmp_path: Path) -> None:
    (tmp_path / "part[1].txt").write_text("Ariel\n")
    jsonl(tmp_path / "q[1].jsonl", {"caption": "Ariel"})
    parquet(tmp_path / "p[1].parquet", caption=["Ariel"])
    assert count(tmp_path / "part[1].txt", tmp_path / "q[1].jsonl", tmp_path / "p[1].parquet").names["ariel"] == 3


def test_the_hash_does_not_depend_on_the_order_of_the_paths(tmp_path: Path) -> None:
    first, second = tmp_path / "1.txt", tmp_path / "2.txt"
    first.write_text("Ariel\n")
    second.write_text("sea\n")
    assert count(first, second).corpus.sha256 == count(second, first).corpus.sha256


def test_the_hash_is_given_up_between_files(tmp_path: Path) -> None:
    for name in ("1.txt", "2.txt"):
        (tmp_path / name).write_text("Ariel\n")
    asked = iter((False, True))
    with pytest.raises(CancelledError):
        files_sha256(open_corpus([tmp_path]), lambda: next(asked))


# ------------------------------------------------------------------------------------ which bytes


@pytest.mark.parametrize("name", ["c.txt", "c.csv", "c.jsonl"])
def test_a_byte_order_mark_is_no_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = {"c.txt": "Ariel\n", "c.csv": "caption,n\nAriel,1\n", "c.jsonl": '{"caption": "Ariel"}\n'}[name]
    path.write_text(content, encoding="utf-8-sig")
    assert texts_of(open_corpus([path])) == ["Ariel"]


@pytest.mark.parametrize("name", ["c.txt", "c.csv", "c.jsonl", "c.parquet"])
def test_a_replacement_character_in_the_text_is_not_undecodable_but_wrong_bytes_are(tmp_path: Path, name: str) -> None:
    rows = ["Ariel \ufffd".encode(), b"Ariel \xff"]
    path = tmp_path / name
    if name == "c.parquet":
        parquet(path, caption=rows)
    elif name == "c.jsonl":
        path.write_bytes(b"".join(b'{"caption": "' + row + b'"}\n' for row in rows))
    else:
        path.write_bytes((b"caption\n" if name == "c.csv" else b"") + b"".join(row + b"\n" for row in rows))
    assert texts_of(open_corpus([path])) == ["Ariel \ufffd", "Ariel \ufffd"]
    assert count(path).corpus.undecodable == 1


def test_a_parquet_column_of_texts_with_wrong_bytes_is_read_with_replacements(tmp_path: Path) -> None:
    offsets = b"".join(n.to_bytes(4, "little") for n in (0, 5, 7, 10))
    wrong = pa.StringArray.from_buffers(3, pa.py_buffer(offsets), pa.py_buffer(b"Ariel\xff\xfesea"))
    pq.write_table(pa.table({"caption": wrong}), tmp_path / "c.parquet", row_group_size=2)
    counts = count(tmp_path / "c.parquet")
    assert (counts.names["ariel"], counts.phrases["sea"], counts.corpus.undecodable) == (1, 1, 1)


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["Ariel", None, "sea"]).dictionary_encode(),
        pa.array(["Ariel", None, "sea"], pa.large_string()),
        pa.array(["Ariel", None, "sea"], pa.string_view()),
        pa.array([b"Ariel", None, b"sea"], pa.binary()),
    ],
    ids=str,
)
def test_texts_are_read_from_every_type_that_holds_them(tmp_path: Path, values: pa.Array) -> None:
    pq.write_table(pa.table({"caption": values}), tmp_path / "c.parquet")
    assert texts_of(open_corpus([tmp_path])) == ["Ariel", "", "sea"]


@pytest.mark.parametrize("values", [[["Ariel"]], [{"en": "Ariel"}], [1]])
def test_a_parquet_column_that_holds_no_texts_is_refused(tmp_path: Path, values: list[object]) -> None:
    path = parquet(tmp_path / "c.parquet", caption=values)
    with pytest.raises(DataError, match=r"c.parquet: column 'caption' holds .*, not texts"):
        open_corpus([path])


def test_half_of_a_surrogate_pair_is_replaced_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"caption": "Ariel \\ud83d"}\n{"caption": "Ariel \\ud83d\\ude00"}\n')
    assert texts_of(open_corpus([path])) == ["Ariel \ufffd", "Ariel \U0001f600"]
    assert count(path).corpus.undecodable == 1


def test_json_that_is_nested_too_deep_is_a_line_without_the_column(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "c.jsonl", {"caption": "Ariel"})
    path.write_text(path.read_text() + '{"caption": ' + "[" * 100_000 + "\n")
    counts = count(path)
    assert (counts.names["ariel"], counts.corpus.rows, counts.corpus.undecodable) == (1, 2, 1)


# ----------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize("content", [b"Ariel\n", gzip.compress(b"Ariel\n" * 9_999)[:-30], b"\x1f\x8b\x08\x00" * 30])
def test_a_damaged_or_false_gzip_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.txt.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"c.txt.gz: cannot be read"):
        count(path)


def test_a_gzip_file_whose_header_line_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"c.jsonl.gz: cannot be read"):
        open_corpus([path])


def test_damaged_pages_of_parquet_are_told_with_the_file(tmp_path: Path) -> None:
    path = parquet(tmp_path / "c.parquet", caption=[f"Ariel {n}" for n in range(50_000)])
    content = bytearray(path.read_bytes())
    content[1_000:60_000] = bytes(59_000)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"c.parquet: "):
        count(path)


def test_an_open_quote_is_told_with_the_line_where_its_record_began(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text('caption\nAriel\n"two\nlines"\n"open\n' + "x" * 90 + "\n" + "y\n" * 9)
    with pytest.raises(DataError, match=r"c.csv:5: the file ends within quotes"):
        count(path)
    corpus = open_corpus([path]).model_copy(update={"max_line_bytes": 95})
    with pytest.raises(DataError, match=r"c.csv:5: the record is longer than 95 bytes"):
        texts_of(corpus)


def test_a_caption_with_a_comma_that_is_not_quoted_is_refused_and_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("caption,url\na cat,u1\na dog, with Brindle,u2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"c\.csv:3: more cells than there are columns, from 'u2' on"):
        count(path)


def test_a_field_of_many_lines_is_one_document_and_short_rows_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text('n,caption\r\n1,"Ariel\r\nin the ""sea"""\r\n\r\n2\r\n3,x', newline="")
    assert texts_of(open_corpus([path])) == ['Ariel\r\nin the "sea"', "", "x"]


# ---------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize("name", ["c.txt", "c.parquet", "said_too_little.parquet"])
def test_batches_are_bounded_by_bytes(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches_module, "BATCH_BYTES", 10_000)
    texts = ["x" * 1_000 for n in range(100)] if "little" in name else [f"{n:01000}" for n in range(100)]
    path = tmp_path / name
    if name == "c.txt":
        path.write_text("".join(f"{text}\n" for text in texts))
    else:
        parquet(path, caption=texts)
    corpus = open_corpus([path])
    sizes = [sum(map(len, batch.texts)) for unit in units_of(corpus) for batch in read_batches(corpus, unit)]
    assert max(sizes) <= 2 * 10_000
    assert texts_of(corpus) == texts


def test_row_groups_are_taken_together_into_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches_module, "UNIT_ROWS", 25)
    texts = [f"Ariel {n}" for n in range(95)]
    pq.write_table(pa.table({"caption": texts}), tmp_path / "c.parquet", row_group_size=10)
    corpus = open_corpus([tmp_path])
    assert [(unit.start, unit.stop) for unit in units_of(corpus)] == [(0, 30), (30, 60), (60, 90), (90, 95)]
    assert texts_of(corpus) == texts
