"""What is found, what is not, and what an answer may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from planted_worlds import (
    DAY,
    SECRETS,
    make_manifest,
    picture,
    png,
    rows,
    write_folder,
    write_jsonl,
    write_parquet,
    write_shard,
)

from copycat.errors import UserError
from copycat.provenance.dataset import open_dataset
from copycat.provenance.lookup import LookupAnswer, look_up, make_query
from copycat.provenance.lookup.licence import licence_text, told_licence
from copycat.provenance.lookup.page import build_page
from copycat.provenance.lookup.records import Kind


def ask(root: Path, kind: Kind, given: str, **options: Any) -> LookupAnswer:
    return look_up(open_dataset(root), make_query(kind, given, **options), DAY)


def ids(answer: LookupAnswer) -> set[str]:
    return {hit.id for hit in answer.hits}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return write_parquet(tmp_path / "toy", rows())


def test_a_name_is_found_in_authors_and_texts_however_it_is_spelt(toy: Path) -> None:
    answer = ask(toy, "name", "ZORÁVI  meklun")

    assert ids(answer) == {f"r{i:03d}" for i in range(12) if i % 3 == 0 or i % 4 == 1}
    assert {hit.id: hit.found_by for hit in answer.hits}["r009"] == "author, text"
    assert answer.n_found == answer.n_now == len(answer.hits)
    assert answer.n_records == 12


def test_a_name_inside_another_word_is_not_the_name(tmp_path: Path) -> None:
    texts = ("Xozoravi Meklun", "Zoravi Mekluner", "Zoravi, Meklun", "Meklun Zoravi")
    records = [{"id": str(i), "text": text} for i, text in enumerate(texts)]

    assert ids(ask(write_jsonl(tmp_path / "a", records), "name", "Zoravi Meklun")) == {"2"}


def test_a_domain_finds_its_subdomains_and_not_its_letters(toy: Path) -> None:
    assert ids(ask(toy, "domain", "example.org")) == {f"r{i:03d}" for i in range(1, 12, 2)}
    assert not ask(toy, "domain", "ample.org").n_found


def test_a_text_is_found_by_a_part_of_it(toy: Path) -> None:
    answer = ask(toy, "text", "a PLAIN wooden chair, beside a very")

    assert ids(answer) == {f"r{i:03d}" for i in range(12) if i % 3}
    assert answer.hits[0].found_by == "text, all of it"


def test_of_a_long_text_each_run_of_eight_words_is_looked_for(toy: Path) -> None:
    answer = ask(toy, "text", "I wrote this: a plain wooden chair beside a very tall green lamp, and more after it")

    assert answer.n_found == 8
    assert answer.hits[0].found_by == "text, 3 of 10 runs of 8 words"


@pytest.mark.parametrize("way", ["parquet", "shard", "folder"])
def test_a_picture_is_found_by_its_bytes_and_by_its_looks(tmp_path: Path, way: str) -> None:
    if way == "parquet":
        root = write_parquet(tmp_path / "p", [{"id": str(i), "image": {"bytes": png(i), "path": ""}} for i in range(6)])
    else:
        root = (write_shard if way == "shard" else write_folder)(tmp_path / "p", 6)
    (tmp_path / "same.png").write_bytes(png(3))
    picture(3, 120).save(tmp_path / "alike.jpg", quality=85)
    picture(99).save(tmp_path / "other.png")

    same, alike = (ask(root, "picture", str(tmp_path / name)) for name in ("same.png", "alike.jpg"))

    assert [hit.found_by for hit in same.hits] == ["same bytes"]
    assert len(alike.hits) == 1
    assert alike.hits[0].id == same.hits[0].id
    assert alike.hits[0].found_by.startswith("alike, ")
    assert not ask(root, "picture", str(tmp_path / "other.png")).n_found


def test_a_mirrored_picture_is_found(tmp_path: Path) -> None:
    from PIL import ImageOps

    root = write_folder(tmp_path / "p", 4)
    ImageOps.mirror(picture(2)).save(tmp_path / "mirrored.png")

    assert ids(ask(root, "picture", str(tmp_path / "mirrored.png"))) == {"2.png"}


def test_hashes_of_the_dataset_are_enough(tmp_path: Path) -> None:
    import imagehash

    records = [{"id": str(i), "phash": str(imagehash.phash(picture(i)))} for i in range(6)]
    picture(4).save(tmp_path / "mine.png")

    assert ids(ask(write_jsonl(tmp_path / "a", records), "picture", str(tmp_path / "mine.png"))) == {"4"}


def test_an_id_is_found_and_nothing_like_it(toy: Path) -> None:
    assert ids(ask(toy, "id", "r003")) == {"r003"}
    assert not ask(toy, "id", "r00").n_found


@pytest.mark.parametrize("has_manifest", [False, True])
def test_nothing_of_a_neighbour_is_in_the_answer_or_its_page(toy: Path, has_manifest: bool) -> None:
    """A hit's own text names a neighbour, its licence too, and its address lies on the neighbour's site."""
    if has_manifest:
        make_manifest(toy)
    queries: dict[Kind, str] = {
        "name": "Zoravi Meklun",
        "domain": "example.org",
        "id": "r003",
        "text": "so it was: a plain wooden chair beside a very tall green lamp",
    }

    for kind, given in queries.items():
        answer = ask(toy, kind, given)
        assert answer.n_found
        for form in (answer.model_dump_json(), build_page(answer)):
            assert not [secret for secret in SECRETS if secret in form], kind


def test_a_free_text_licence_is_not_told_because_it_may_name_somebody() -> None:
    assert told_licence("CC-BY-4.0 OR MIT") == "CC-BY-4.0 OR MIT"
    for text in ("(c) Quendal", "LicenseRef-Quendal", "quendal", "MIT AND quendal", "", None, 7, "(" * 300):
        assert told_licence(text) is None


@pytest.mark.parametrize(
    ("stated", "told", "said"),
    [
        ("CC0", "CC0-1.0", "CC0-1.0"),
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0", "CC-BY-4.0"),
        ("Attribution-NonCommercial 3.0", "CC-BY-NC-3.0", "CC-BY-NC-3.0"),
        ("All rights reserved", "LicenseRef-all-rights-reserved", "all rights reserved"),
        ("All rights reserved, Quendal", None, "not known"),
    ],
)
def test_a_licence_that_check_reads_is_told_by_its_name(stated: str, told: str | None, said: str) -> None:
    assert told_licence(stated) == told
    assert licence_text(told_licence(stated)) == said


@pytest.mark.parametrize("has_manifest", [False, True])
def test_the_licence_of_a_hit_may_stand_in_any_form_or_as_an_address(tmp_path: Path, has_manifest: bool) -> None:
    root = write_jsonl(
        tmp_path / "a",
        [
            {"id": "1", "author": "Zoravi Meklun", "license": "CC BY-ND 2.0"},
            {"id": "2", "author": "Zoravi Meklun", "license_url": "https://creativecommons.org/licenses/by/4.0/"},
        ],
    )
    if has_manifest:
        make_manifest(root)

    assert [hit.licence for hit in ask(root, "name", "Zoravi Meklun").hits] == ["CC-BY-ND-2.0", "CC-BY-4.0"]


def test_what_cannot_be_read_is_never_an_answer_of_nothing(tmp_path: Path) -> None:
    """A Parquet file cut short, an archive of noise, and a folder of nothing hold nothing to look in."""
    whole = write_parquet(tmp_path / "whole", rows()) / "train.parquet"
    (tmp_path / "cut.parquet").write_bytes(whole.read_bytes()[:500])
    (tmp_path / "noise.tar").write_bytes(b"x" * 2000)
    (tmp_path / "empty").mkdir()

    for name in ("cut.parquet", "noise.tar", "empty"):
        with pytest.raises(UserError, match="nothing was looked up"):
            ask(tmp_path / name, "name", "Zoravi Meklun")


def test_a_part_that_cannot_be_read_is_said_and_named_on_the_page(tmp_path: Path) -> None:
    toy = write_jsonl(tmp_path / "toy", rows())
    with (toy / "train.jsonl").open("a") as stream:
        stream.write('{"id": "secret Quendal Vospari\n')

    answer = ask(toy, "name", "Tabriko")

    assert (answer.n_found, answer.n_unread) == (0, 1)
    assert "1 place was not read, or not as it stands (train.jsonl:13)" in answer.not_looked[0]
    page = build_page(answer)
    assert "Nothing found in what could be read." in page
    assert "no full answer" in page
    assert "Quendal" not in page


def test_versions_say_where_a_record_was_and_which_model_saw_it(toy: Path) -> None:
    make_manifest(toy)
    (toy / "provenance" / "models.yaml").write_text("- {name: m, version: '1', date: 2026-10-01}\n")

    answer = ask(toy, "domain", "example.org")

    assert answer.by_version == {"1": 6}
    assert answer.root is not None
    assert len(answer.root) == 64
    assert [(use.model, use.n_records) for use in answer.models] == [("m", 6)]
    assert {hit.version_added for hit in answer.hits} == {"1"}


def test_a_record_added_after_the_manifest_is_still_found(toy: Path) -> None:
    make_manifest(toy)
    write_parquet(toy, [{"id": "new", "author": "Zoravi Meklun"}], "more.parquet")

    assert "new" in ids(ask(toy, "name", "Zoravi Meklun"))


@pytest.mark.parametrize(
    ("kind", "given", "why"),
    [
        ("name", "A", "too broad"),
        ("name", "unknown", "too broad"),
        ("name", "12345", "too broad"),
        ("name", "  ", "is empty"),
        ("text", "two words", "too broad"),
        ("text", "a b c d e", "too broad"),
        ("text", "x" * 200_001, "at most"),
        ("domain", "com", "too broad"),
        ("picture", "/nowhere.png", "cannot be read"),
    ],
)
def test_a_question_that_fits_nearly_everything_is_refused_with_why(kind: Kind, given: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        make_query(kind, given)


def test_two_letters_are_a_name_where_each_is_a_word() -> None:
    assert make_query("name", "王芳").words == ("王", "芳")


def test_a_picture_of_one_shade_is_found_by_its_bytes_alone(tmp_path: Path) -> None:
    from PIL import Image

    root = write_folder(tmp_path / "p", 2)
    Image.new("RGB", (64, 64), "white").save(root / "white.png")
    Image.new("RGB", (64, 64), "black").save(tmp_path / "black.png")

    answer = ask(root, "picture", str(tmp_path / "black.png"))

    assert not answer.n_found
    assert "one shade" in " ".join(answer.not_looked)
    assert ids(ask(root, "picture", str(root / "white.png"))) == {"white.png"}


def test_pictures_that_cannot_be_read_are_counted_not_passed_over(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "p", 2)
    (root / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    picture(1).save(tmp_path / "mine.png")

    answer = ask(root, "picture", str(tmp_path / "mine.png"))

    assert ids(answer) == {"1.png"}
    assert "1 picture of the dataset cannot be read" in answer.not_looked
    assert answer.n_unread == 1


def test_a_dataset_without_the_field_says_that_nothing_could_be_compared(tmp_path: Path) -> None:
    root = write_jsonl(tmp_path / "a", [{"id": "1", "text": "some words"}])

    assert "nothing could be compared" in ask(root, "domain", "example.org").not_looked[0]


def test_lists_structs_and_bytes_that_are_no_text_are_searched_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "a").mkdir()
    table = pa.table(
        {
            "id": ["1", "2", "3"],
            "author": pa.array([["x", "Zoravi Meklun"], None, ["y"]], pa.list_(pa.string())),
            "caption": pa.array([b"\xff\xfe", b"by Zoravi Meklun \xff", None], pa.binary()),
            "url": pa.array([{"page": "https://a.example.org/1"}, None, None], pa.struct({"page": pa.string()})),
        }
    )
    pq.write_table(table, tmp_path / "a" / "x.parquet")

    assert ids(ask(tmp_path / "a", "name", "Zoravi Meklun")) == {"1", "2"}
    assert ids(ask(tmp_path / "a", "domain", "example.org")) == {"1"}


@pytest.mark.parametrize("write", [write_parquet, write_jsonl])
def test_every_column_that_means_the_same_is_looked_in(tmp_path: Path, write: Any) -> None:
    """A picture's address is on a host for pictures; the page that it stands on is the creator's."""
    record = {
        "id": "1",
        "image_url": "https://cdn.example/1.png",
        "page_url": "https://zoravi.example.org/",
        "alt": "x",
    }
    record |= {
        "caption": "words",
        "description": "a portrait by Zoravi Meklun",
        "license_url": "https://licence.example/by",
    }
    root = write(tmp_path / "a", [record])

    assert ids(ask(root, "domain", "example.org")) == {"1"}
    assert ids(ask(root, "name", "Zoravi Meklun")) == {"1"}
    assert not ask(root, "domain", "licence.example").n_found


def test_hits_beyond_the_limit_are_counted(toy: Path) -> None:
    answer = look_up(open_dataset(toy), make_query("domain", "example.org"), DAY, max_hits=2)

    assert (len(answer.hits), answer.n_found) == (2, 6)


def test_a_damaged_manifest_is_told_with_what_to_do(toy: Path) -> None:
    make_manifest(toy)
    (toy / "provenance" / "manifest.json").write_text("[]")

    with pytest.raises(UserError, match=r"names no versions\n  restore it from a copy; a manifest that is made"):
        ask(toy, "id", "r003")


def test_a_models_file_that_is_no_list_is_told_with_an_example(toy: Path) -> None:
    make_manifest(toy)
    (toy / "provenance" / "models.yaml").write_text("just words")

    with pytest.raises(UserError, match="no name or no version"):
        ask(toy, "id", "r003")


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycat.provenance.lookup.queries.MAX_PIXELS", 100)
    (tmp_path / "huge.png").write_bytes(png(1))

    with pytest.raises(UserError, match="is no picture"):
        make_query("picture", str(tmp_path / "huge.png"))
