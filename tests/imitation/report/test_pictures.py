"""Pictures on the cards: which are taken, that nothing but pixels is left of them, and what is absent."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from harness import Cli, CommandLine
from PIL import Image
from studies import make_analysis, write_study

from copycat.imitation.report.pictures import SIDE_PX, find_pictures
from copycat.imitation.report.reading import read_study
from copycat.imitation.score.references import Reference
from copycat.imitation.tables import write_table
from copycat.runs.folder import write_json

WHO = "zorzorzor-0"
SECRET = "taken at home"  # noqa: S105 - of a place


def draw(path: Path, angle: float, vectors: dict[str, list[float]]) -> str:
    """Save a picture with metadata, and keep a vector at this angle to that of the references; gives its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x010E] = SECRET
    Image.new("RGB", (300, 200), (int(100 * angle), 90, 90)).save(path, exif=exif)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    vectors[digest] = [float(np.cos(angle)), float(np.sin(angle))]
    return digest


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Make a study of one concept with a reference, four pictures by name at other angles, and one control picture."""
    folder, vectors = write_study(tmp_path / "study", make_analysis(n=1)), {}
    digest = draw(tmp_path / "refs" / WHO / "0.jpg", 0.0, vectors)
    for number, angle in enumerate((0.9, 0.1, 0.5, 0.7)):
        draw(tmp_path / "pics" / "named" / WHO / f"{number}.jpg", angle, vectors)
    draw(tmp_path / "pics" / "zero" / WHO / "0.jpg", 0.05, vectors)
    write_table(folder / "references.csv", [Reference(concept=WHO, picture=f"{WHO}/0.jpg", sha256=digest)], Reference)
    facts = {"embedder": "dino", "embedder.revision": "r1"}
    facts |= {"references": f"{tmp_path / 'refs'} (sha256 0f)", "generations.folder": str(tmp_path / "pics")}
    write_json(folder / "scores.json", {"facts": facts})
    place = folder / "embeddings" / "dino-r1"
    place.mkdir(parents=True)
    write_json(place / "embedder.json", {"name": "dino", "revision": "r1", "dimensions": 2, "facts": {}})
    lines = [json.dumps({"sha256": sha256, "row": row}) for row, sha256 in enumerate(vectors)]
    (place / "index.jsonl").write_text("".join(f"{line}\n" for line in lines))
    np.array(list(vectors.values()), np.float32).tofile(place / "vectors.f32")
    return folder


def test_a_card_shows_a_reference_and_of_the_pictures_by_name_the_median_and_the_closest(study: Path) -> None:
    pictures = find_pictures(study, read_study(study))[WHO]

    assert [(each.kind, each.likeness and round(each.likeness, 3)) for each in pictures] == [
        ("reference", None),
        ("median", round(float(np.cos(0.7)), 3)),
        ("closest", round(float(np.cos(0.1)), 3)),
    ]


def test_pictures_are_small_and_hold_no_metadata(study: Path) -> None:
    for each in find_pictures(study, read_study(study))[WHO]:
        content = base64.b64decode(each.src.removeprefix("data:image/webp;base64,"))
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.size == (SIDE_PX, 64)
            assert not picture.getexif()
        assert SECRET.encode() not in content
        assert len(content) < 3_000


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ("refs", ["median", "closest"]),
        ("pics", ["reference"]),
        ("study/embeddings", ["reference"]),
        ("study/references.csv", []),
    ],
)
def test_what_is_gone_is_absent(study: Path, gone: str, left: list[str]) -> None:
    path = study.parent / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    assert [each.kind for each in find_pictures(study, read_study(study)).get(WHO, ())] == left


@pytest.mark.parametrize("name", ["embedder.json", "index.jsonl", "vectors.f32"])
def test_damaged_vectors_leave_the_reference(study: Path, name: str) -> None:
    (study / "embeddings" / "dino-r1" / name).write_text("" if name == "vectors.f32" else "{}\n")

    assert [each.kind for each in find_pictures(study, read_study(study))[WHO]] == ["reference"]


def test_a_file_that_is_another_by_now_is_not_shown(study: Path) -> None:
    draw(study.parent / "refs" / WHO / "0.jpg", 0.3, {})

    assert [each.kind for each in find_pictures(study, read_study(study))[WHO]] == ["median", "closest"]


def test_a_study_without_pictures_has_none(tmp_path: Path) -> None:
    folder = write_study(tmp_path, make_analysis())

    assert not any(find_pictures(folder, read_study(folder)).values())


def test_the_command_embeds_pictures_and_leaves_them_out_where_it_is_told_to(
    command_line: CommandLine, study: Path
) -> None:
    from copycat.commands.imitation import app

    run: Cli = command_line(app, "copycat.imitation")
    with_pictures = run("report", "--out", str(study))
    page = (study / "report.html").read_text()
    without = run("report", "--out", str(study), "--no-pictures", "--json")

    assert "3 small pictures are on the page; --no-pictures leaves them out" in with_pictures.out
    assert page.count("<img ") == page.count("data:image/webp;base64,") == 3
    assert str(study.parent) not in page
    assert json.loads(without.out)["pictures"] == 0
    assert "<img " not in (study / "report.html").read_text()
