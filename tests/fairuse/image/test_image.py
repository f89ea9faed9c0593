"""`python -m copycat.fairuse image`: pictures go up the ladder, and the page shows them beside references."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageOps
from tiny_judge import sandbox_render, save_references

from copycat.commands.fairuse import app
from copycat.sandbox.world import inhabitants

if TYPE_CHECKING:
    from harness import Cli, CommandLine

RATE = ("--fpr", "0.01", "--device", "cpu")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References and outputs, drawn once."""
    place = tmp_path_factory.mktemp("pictures")
    save_references(place / "refs", {who.id: [sandbox_render(i, 0)] for i, who in enumerate(inhabitants()[:20])})
    out = place / "out"
    out.mkdir()
    sandbox_render(2, 0).resize((128, 128)).save(out / "larger.png")
    ImageOps.mirror(sandbox_render(3, 0)).save(out / "mirrored.jpg", quality=90)
    (out / "same.png").write_bytes((place / "refs" / inhabitants()[4].id / "0.png").read_bytes())
    Image.frombytes("RGB", (64, 64), random.Random(1).randbytes(64 * 64 * 3)).save(out / "unrelated.png")
    (out / "broken.png").write_bytes(b"no picture")
    return place


@pytest.fixture
def cli(command_line: CommandLine, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    shutil.copytree(pictures, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.fairuse")


def test_each_rung_is_a_fact_of_its_own(cli: Cli) -> None:
    said = cli("image", "out", "--references", "refs", *RATE, "--json")
    assert said.code == 0
    report = json.loads(said.out)
    near = {facts["rung"]: facts["near"] for facts in report["rungs"]}
    assert (near["bytes"], near["pixels"]) == (1, 1)
    assert near["phash"] == 3
    found = {Path(one["picture"]).name: one for one in report["pictures"]}
    assert found["mirrored.jpg"]["rungs"]["phash"]["is_mirrored"]
    assert found["larger.png"]["rungs"]["phash"]["reference"] == f"{inhabitants()[2].id}/0.png"
    assert not any(rung["is_near"] for rung in found["unrelated.png"]["rungs"].values())
    assert found["broken.png"]["reason"] == "cannot be read: not a PNG, JPEG or WEBP file"


def test_the_table_says_what_the_rate_rests_on(cli: Cli) -> None:
    said = cli("image", "out", "--references", "refs", *RATE)
    assert "of 190" in said.out
    assert "different references of one subfolder" not in said.out
    assert "out/broken.png: cannot be read" in said.out
    assert "for real pictures name another: --encoder" in " ".join(said.out.split())


def test_another_picture_of_a_subject_is_near_and_not_called_a_copy(cli: Cli) -> None:
    """The sandbox's descriptor tells characters: what it finds near are new drawings, and the related pairs say so."""
    drawings = {who.id: [sandbox_render(i, seed) for seed in (0, 1)] for i, who in enumerate(inhabitants()[:20])}
    save_references(Path("drawings"), drawings)
    sandbox_render(0, 7).save("new.png")
    arguments = ("image", "new.png", "--references", "drawings", *RATE)
    facts = {one["rung"]: one for one in json.loads(cli(*arguments, "--json").out)["rungs"]}
    found = {rung: (one["near"], one["related"], one["related_passed"]) for rung, one in facts.items()}
    assert (found["pixels"], found["descriptor"]) == ((0, 0, 0), (1, 20, 20))
    said = cli(*arguments, "--out", "page.html")
    text = " ".join(said.out.split())
    assert "descriptor 100 %; where this is high, a rung tells the subject and not the copy" in text
    assert "copies" not in text
    page = Path("page.html").read_text(encoding="utf-8")
    assert "<title>1 picture against drawings</title>" in page
    assert "<dt>picture</dt>" in page
    assert "related pairs that count</th>" in page
    assert "tells the subject and not the copy" in page
    assert "1 pictures" not in page
    assert "copies" not in page


def test_a_judge_says_who_is_shown(cli: Cli) -> None:
    said = cli("image", "out/same.png", "--references", "refs", *RATE, "--judge", "sandbox", "--json")
    report = json.loads(said.out)
    assert report["pictures"][0]["character"] == inhabitants()[4].id
    assert (report["n_characters"], report["n_judged"]) == (1, 1)


def test_the_page_is_blurred_until_it_is_asked_for_and_asks_for_nothing_from_elsewhere(cli: Cli) -> None:
    Path("out/larger.png").rename("out/<b>larger.png")
    assert cli("image", "out", "--references", "refs", *RATE, "--out", "pages/page.html").code == 0
    page = Path("pages/page.html").read_text(encoding="utf-8")
    assert "filter: blur(" in page
    assert page.count("data:image/webp;base64,") >= 8
    assert "&lt;b&gt;larger.png" in page
    assert "<b>larger.png" not in page
    assert "https:" not in page


def test_no_word_of_the_report_is_a_verdict(cli: Cli) -> None:
    said = cli("image", "out", "--references", "refs", *RATE, "--json", "--out", "page.html")
    for text in (said.out, Path("page.html").read_text(encoding="utf-8")):
        assert not any(word in text.lower() for word in ("infring", "violat", "guilty", "illegal"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--references", "refs"), "190 pairs of unrelated pictures cannot show a false-positive rate of 0.001"),
        (("--references", "nowhere"), "there is no folder nowhere"),
        (("--references", "refs", "--fpr", "0.01", "--encoder", "eyes"), "'eyes' is no encoder of pictures"),
        (("--references", "refs", "--fpr", "0.01", "--judge", "sandbx"), "did you mean 'sandbox'?"),
        (("--references", "refs", "--fpr", "0.01", "--judge", "sandbox", "--characters", "copycat50"), "knows only"),
        (("--references", "refs", "--fpr", "2"), "2 is no rate"),
        (("--references", "refs", "--out", "refs"), "--out refs is no name of a page"),
        (("--references", "refs", "--out", "page.txt"), "a name that ends in .html"),
    ],
)
def test_what_is_wrong_is_told(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    answer = cli("image", "out", "--device", "cpu", *arguments)
    assert answer.code == 2
    assert said in " ".join(answer.err.split())


def test_a_picture_that_is_not_there_is_told(cli: Cli) -> None:
    answer = cli("image", "nothing.png", "--references", "refs", *RATE)
    assert answer.code == 2
    assert "there is no file or folder nothing.png" in answer.err


def test_a_name_of_a_file_does_not_command_the_terminal(cli: Cli) -> None:
    Path("out/broken.png").rename("out/\x1b[2Jbroken.png")
    said = cli("image", "out", "--references", "refs", *RATE)
    assert "[2Jbroken.png: cannot be read" in said.out
    assert "\x1b" not in said.out
