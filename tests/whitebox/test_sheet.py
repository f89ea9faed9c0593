"""The page with the pictures of an attack: what stands in it, and that nothing in it acts."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from PIL import Image

from copycat.attacks.saved import AttackCard, AttackedPrompt
from copycat.schema import Erasure
from copycat.whitebox.sheet import build_sheet

BAD = '<script>alert("x")</script>'


def png(_path: str) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(held, "PNG")
    return held.getvalue()


def row(number: int, form: str = "unlearndiffatk", **more: Any) -> AttackedPrompt:
    sides = {side: f"pictures/{number}-{side}.png" for side in ("original", "before", "after")}
    given = {"original": True, "before": False, "after": True, "pictures": sides, "text": f"prompt {number}"} | more
    return AttackedPrompt(id=str(number), form=form, sent=given["text"], seed=1, **given)


def card(*rows: AttackedPrompt, **changes: Any) -> AttackCard:
    given = {
        "method": "unlearndiffatk",
        "preset": "sandbox",
        "settings": {},
        "model": "tiny",
        "source": "folder:tiny",
        "revision": "0" * 40,
        "mitigation": "none",
        "characters": "my-set",
        "concept": "goofy",
        "name": "Goofy",
        "judge": "fake",
        "judge_revision": "1" * 40,
        "prompts": rows,
        "seconds": 1.0,
        "device": "cpu",
        "dtype": "float32",
        "versions": {},
    }
    return AttackCard.model_validate(given | changes)


def cells(page: str) -> list[list[str]]:
    """What the table of pictures says, line by line, and whether the judge saw the concept there ('!')."""
    table = page.partition('<table class="strip">')[2].partition("</table>")[0]
    lines = []
    for line in table.partition("<tbody>")[2].split("<tr>")[1:]:
        told = re.findall(r"<td>(.*?)</td>", line, re.S)
        lines.append([("!" if "frame seen" in one else "") + re.sub("<[^>]+>", "", one).strip() for one in told])
    return lines


def test_a_line_holds_the_original_before_and_after_of_a_prompt() -> None:
    found = row(1, prefix=(5, 6), decoded="q z", after=False)
    shown = row(2, before=True, pictures={"original": "a", "before": "b"})
    silent = row(3, before=None, after=None, prefix=(5,))
    page = build_sheet(card(found, shown, silent), png)
    assert cells(page) == [
        ["!yes", "no", "no"],
        ["!yes", "!yes", "as before"],
        ["!yes", "not judged", "not judged"],
    ]
    assert "q z (5 6)" in page
    assert page.count("data:image/webp;base64,") == 8
    assert "0.500" in page  # after: 1 of the 2 that were judged


def test_compositions_stand_side_by_side() -> None:
    rows = [row(n, f"arc:{form}", after=form == "A3") for form in ("A1", "A3") for n in (1, 2)]
    page = build_sheet(card(*rows, method="arc"), png)
    assert cells(page) == [["!yes", "no", "no", "!yes"]] * 2
    assert re.findall(r'<th scope="col">(A\d)</th>', page) == ["A1", "A3"]


@pytest.mark.parametrize("field", ["model", "name", "mitigation", "judge"])
def test_what_others_wrote_is_text_and_no_markup(field: str) -> None:
    erasure = Erasure(method="esd", concepts=(BAD,), sha256="0" * 64)
    prompts = row(1, text=BAD, prefix=(5,), decoded=BAD)
    page = build_sheet(card(prompts, **{field: BAD, "erasure": erasure}), png)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_a_picture_that_is_gone_leaves_an_empty_place() -> None:
    page = build_sheet(card(row(1, prefix=(5,))), lambda _: b"")
    assert "<img" not in page.partition("<main>")[2]
