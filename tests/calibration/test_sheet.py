"""RUN/labels/: made once, made again without losing what people wrote; the page is blind and keeps to itself."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from PIL import Image

from copycat.calibration.labels import read_labels
from copycat.calibration.opened import OpenedRun, open_run
from copycat.calibration.page import KEPT_BYTES, SIDE_PX, LabelPage, build_page
from copycat.calibration.sheet import make_sheet
from copycat.errors import DataError, UserError


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def write_rows(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def test_the_table_names_the_picture_and_whom_to_look_for_and_nothing_of_the_judge(opened: OpenedRun) -> None:
    sheet = make_sheet(opened, 6, 0)
    rows = rows_of(sheet.tables[0])
    names = {character.id: character.name for character in opened.characters.characters}
    assert sheet.tables == (opened.folder.path / "labels" / "labels.csv",)
    assert len(rows) == sheet.n_pictures == 6
    for row in rows:
        sample = opened.pictures[row["key"]]
        assert row == {
            "key": sample.key,
            "image": f"../{sample.image}",
            "character": names[sample.character],
            "label": "",
            "rater": "",
            "anyone": "",
            "sha256": sample.sha256,
        }
        assert (sheet.tables[0].parent / row["image"]).is_file()


def test_made_again_it_is_the_same_to_the_byte(opened: OpenedRun) -> None:
    first = make_sheet(opened, 6, 0)
    before = [path.read_bytes() for path in (first.tables[0], first.page)]
    again = make_sheet(opened, 6, 0)
    assert [path.read_bytes() for path in (again.tables[0], again.page)] == before


def test_labels_that_are_filled_in_are_kept_also_those_of_other_pictures_and_other_columns(opened: OpenedRun) -> None:
    path = make_sheet(opened, 4, 0).tables[0]
    filled = [
        {**row, "label": "yes" if place % 2 else "", "note": f"note {place}"} for place, row in enumerate(rows_of(path))
    ]
    filled.append({**filled[1], "rater": "ben", "label": "no"})
    write_rows(path, filled)
    wanted = [row for row in filled if row["label"]]

    sheet = make_sheet(opened, 12, 1)
    rows = rows_of(path)
    assert sheet.n_filled == len(wanted) == 3
    assert {row["key"] for row in rows} == set(opened.pictures)
    assert [row for row in rows if row["label"]] == sorted(wanted, key=rows.index)
    assert len(rows) == 13

    make_sheet(opened, 1, 2)
    assert [row for row in rows_of(path) if row["label"]] != []
    assert {(row["key"], row["label"]) for row in rows_of(path) if row["label"]} == {
        (row["key"], row["label"]) for row in wanted
    }


def test_a_table_that_a_spreadsheet_saved_with_semicolons_keeps_them(opened: OpenedRun) -> None:
    path = make_sheet(opened, 4, 0).tables[0]
    rows = rows_of(path)
    rows[0]["label"] = "unsure"
    write_rows(path, rows, delimiter=";")
    make_sheet(opened, 6, 0)
    assert path.read_text(encoding="utf-8-sig").startswith("key;image;")
    assert [label.said for label in read_labels([path], opened)] == ["unsure"]


def test_a_broken_table_is_told_and_left_alone(opened: OpenedRun) -> None:
    path = make_sheet(opened, 4, 0).tables[0]
    path.write_text("something else\n", encoding="utf-8")
    with pytest.raises(DataError, match="lacks the columns key and label"):
        make_sheet(opened, 4, 0)
    assert path.read_text(encoding="utf-8") == "something else\n"


def test_labels_of_pictures_that_were_made_anew_stop_it(opened: OpenedRun) -> None:
    path = make_sheet(opened, 4, 0).tables[0]
    rows = rows_of(path)
    rows[2] |= {"label": "yes", "sha256": "0" * 64}
    write_rows(path, rows)
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"labels.csv:4: the picture was made anew"):
        make_sheet(opened, 4, 0)
    assert path.read_bytes() == before


def test_each_named_rater_gets_a_file(opened: OpenedRun) -> None:
    tables = make_sheet(opened, 3, 0, ["ann", "Zoë B"]).tables
    assert [path.name for path in tables] == ["labels-ann.csv", "labels-Zoë-B.csv"]
    assert {row["rater"] for row in rows_of(tables[1])} == {"Zoë B"}


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no run folder"):
        open_run(tmp_path, None)


def test_the_characters_of_a_users_own_file_are_asked_for_and_compared(
    opened: OpenedRun, characters_file: Path
) -> None:
    with pytest.raises(UserError, match=r"'my-set', are no set that ships\n  needed: --characters FILE"):
        open_run(opened.folder.path, None)
    characters_file.write_text(characters_file.read_text().replace("Bluto", "Brutus"), encoding="utf-8")
    with pytest.raises(UserError, match=r"made with other characters than 'mine\.yaml'"):
        open_run(opened.folder.path, "mine.yaml")


# -------------------------------------------------------------------------------------- the page


def page_of(opened: OpenedRun) -> str:
    return build_page(LabelPage(opened, tuple(opened.pictures.values()), 0))


def items_in(page: str) -> list[dict[str, str]]:
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    items: list[dict[str, str]] = json.loads(found[1])
    return items


def test_the_page_holds_the_pictures_and_says_nothing_of_verdicts_prompts_and_models(opened: OpenedRun) -> None:
    page = page_of(opened)
    items = items_in(page)
    assert [set(item) for item in items] == [{"key", "image", "sha256", "name", "franchise", "looks", "src"}] * 12
    picture = (opened.folder.path / "images" / f"{items[0]['key']}.png").read_bytes()
    assert items[0]["src"] == f"data:image/png;base64,{b64encode(picture).decode()}"
    for secret in ("detected", "confidence", "description", "fake", opened.run.id):
        assert secret not in page


def test_the_page_lets_in_its_own_script_and_style_and_nothing_else(opened: OpenedRun) -> None:
    page = page_of(opened)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:;")
    for kind, block in (("style", r"<style>(.*?)</style>"), ("script", r"<script>(.*?)</script>")):
        text = re.search(block, page, re.DOTALL)
        assert text is not None
        digest = b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1].replace("&#39;", "'")
    outside = re.findall(r'(?:src|href)="(?!data:)([^"]*)"', page)
    assert outside == []
    assert "http://" not in page and "https://" not in page


def test_a_name_cannot_break_out_of_the_page(opened: OpenedRun) -> None:
    first, *rest = opened.characters.characters
    evil = first.model_copy(update={"name": "</script><script>alert(1)</script>"})
    characters = opened.characters.model_copy(update={"characters": (evil, *rest)})
    page = page_of(opened._replace(characters=characters))
    assert page.count("<script>") == 1
    assert "alert(1)" in json.dumps(items_in(page))


def test_large_pictures_are_made_smaller(opened: OpenedRun) -> None:
    key, sample = next(iter(opened.pictures.items()))
    written = io.BytesIO()
    Image.effect_noise((1500, 1000), 90).convert("RGB").save(written, "PNG")
    sha256 = opened.folder.save_file(str(sample.image), written.getvalue())
    changed = sample.model_copy(update={"sha256": sha256})
    item = items_in(build_page(LabelPage(opened, (changed,), 0)))[0]
    assert len(written.getvalue()) > KEPT_BYTES
    assert item["src"].startswith("data:image/webp;base64,")
    with Image.open(io.BytesIO(b64decode(item["src"].partition(",")[2]))) as picture:
        assert max(picture.size) == SIDE_PX
    assert item["key"] == key


def test_pictures_that_are_gone_are_told_all_at_once(opened: OpenedRun) -> None:
    gone = list(opened.pictures.values())[:2]
    for sample in gone:
        (opened.folder.path / str(sample.image)).unlink()
    with pytest.raises(DataError) as told:
        page_of(opened)
    assert len(told.value.faults) == 2
