"""Recorded answers as files: each form, round trips, and what is no such file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from copycat.errors import DataError
from copycat.provenance.signals import Header, Recorded, Response, resolve
from copycat.provenance.signals.files import is_recorded, object_of, read_recorded, recorded_of

WHOLE = {
    "url": "https://example.org/cat.jpg",
    "status": 200,
    "fetched_at": "2026-03-01T10:00:00Z",
    "headers": {"X-Robots-Tag": ["nofollow", "noai"]},
    "body": "<html><meta name=robots content=noindex></html>",
    "robots": "User-agent: *\nContent-Usage: / search=y\n",
    "tdmrep": [{"location": "/", "tdm-reservation": 1}],
    "licences": ["<rsl><content url='/'><license><prohibits>ai-input</prohibits></license></content></rsl>"],
}


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_an_object_holds_all_parts_of_an_address(tmp_path: Path) -> None:
    (recorded,) = read_recorded(written(tmp_path / "one.json", WHOLE))

    assert recorded.page is not None
    assert recorded.page.headers == (Header("X-Robots-Tag", "nofollow"), Header("X-Robots-Tag", "noai"))
    assert {signal.source for signal in resolve(recorded).signals} >= {
        *("robots", "aipref-robots", "tdmrep-file", "x-robots-tag", "meta-robots", "rsl"),
    }
    assert resolve(recorded).answers["mining"] == "deny"


def test_what_is_written_is_read_as_it_was() -> None:
    page = Response(
        url="https://example.org/", status=200, headers=(Header("A", "b"), Header("A", "c")), body=b"\xff\0"
    )
    recorded = Recorded(
        url="https://example.org/",
        page=page.model_copy(update={"place": "https://example.org/"}),
        robots=Response(
            url="https://example.org/robots.txt", error="timed out", place="https://example.org/robots.txt"
        ),
    )

    assert recorded_of(json.loads(json.dumps(object_of(recorded))), Path(), "x") == recorded


def test_lines_are_one_address_each(tmp_path: Path) -> None:
    path = written(tmp_path / "many.jsonl", "\n".join(json.dumps({**WHOLE, "url": f"https://a/{n}"}) for n in range(3)))

    assert is_recorded(path)
    assert [recorded.url for recorded in read_recorded(path)] == ["https://a/0", "https://a/1", "https://a/2"]


def test_a_dataset_of_lines_is_no_recorded_file(tmp_path: Path) -> None:
    assert not is_recorded(
        written(tmp_path / "data.jsonl", json.dumps({"id": "1", "url": "https://a/", "headers": {}}))
    )
    assert not is_recorded(written(tmp_path / "torn.jsonl", "{"))


def test_a_folder_is_one_address(tmp_path: Path) -> None:
    written(tmp_path / "response.json", {"url": "https://example.org/b", "headers": {"Content-Type": "text/html"}})
    written(tmp_path / "robots.txt", "User-agent: GPTBot\nDisallow: /b\n")
    (tmp_path / ".well-known").mkdir()
    written(tmp_path / ".well-known" / "tdmrep.json", [{"location": "/", "tdm-reservation": 0}])
    written(tmp_path / "body.html", "<html><meta name='robots' content='noai'>")

    (recorded,) = read_recorded(tmp_path)

    decision = resolve(recorded)
    assert is_recorded(tmp_path)
    assert decision.because["training"] == ("robots", "meta-robots")
    assert decision.answers["mining"] == "allow"


def test_a_body_may_lie_in_a_file_or_be_bytes(tmp_path: Path) -> None:
    (tmp_path / "cat.bin").write_bytes(b"\x00\x01")
    own = {"url": "https://a/", "body_file": "cat.bin"}
    other = {"url": "https://a/", "body_base64": base64.b64encode(b"\x00\x01").decode()}

    for held in (own, other):
        page = recorded_of(held, tmp_path, "x").page
        assert page is not None
        assert page.body == b"\x00\x01"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ([], "is no object"),
        ({"@context": {}, "name": "x"}, "none of the keys"),
        ({"url": "a", "status": "fine"}, "status is 'fine'"),
        ({"url": "a", "status": True}, "status is 'True'"),
        ({"url": "a", "headers": 3}, "headers are int"),
        ({"url": "a", "headers": [["only"]]}, "a header is"),
        ({"url": "a", "body_file": "../../secret"}, "outside of its folder"),
        ({"url": "a", "body_file": "none"}, "cannot be read"),
        ({"url": "a", "body_base64": "%"}, "no base64"),
        ({"url": "a", "robots": {"status": "x"}}, "status is 'x'"),
    ],
)
def test_what_is_not_of_the_form_is_told_with_what_is_wrong(tmp_path: Path, held: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        recorded_of(held, tmp_path, "one.json")


def test_a_file_that_is_no_json_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "many.jsonl", json.dumps(WHOLE) + "\n{torn\n")

    with pytest.raises(DataError, match=r"many.jsonl:2: is no JSON"):
        read_recorded(path)


def test_deep_json_is_told_and_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no JSON"):
        read_recorded(written(tmp_path / "deep.json", "[" * 100_000))


def test_a_dataset_with_a_robots_txt_beside_its_card_is_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "robots.txt").write_text("User-agent: *", encoding="utf-8")

    assert is_recorded(tmp_path)
    (tmp_path / "README.md").write_text("# A set", encoding="utf-8")
    assert not is_recorded(tmp_path)
