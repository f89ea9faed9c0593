"""Published lists: fetched as they are, mapped to our characters, with every known kind of fault told."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from copycat.errors import DataError, UnknownNameError, UserError
from copycat.published import fetch_list
from copycat.schema import CharacterSet

FILES = {
    "/keywords_co-occurrence/50keywords_laion2b_top20.csv": (
        ',target,prompt\n0,Goofy,"Dog, dog, goofy grin, cartoon"\n1,"max ","Cap, Pok\u00e9mon, cartoon"\n'
        '2,Steve,"block, pixel, cartoon"\n'
    ),
    "/keywords_embedding/n=20.csv": ',target,prompt\n0,Goofy,"funny\n, dog\n, hat\n"\n1,Max,"cap\n, boy\n"\n',
    "/keywords_lm/n=5_related_greedy.csv": ',target,keyword\n0,Goofy,"tall, green hat"\n',
    "/keywords_co-occurrence/50keywords_c4_top20.csv": "<html>no such page</html>",
    "/keywords_co-occurrence/50keywords_pile_top20.csv": ",target,prompt\n0,Nobody,x\n",
    "/targets_dalle_prompt.csv": ',target,prompt\n0,Goofy,"A lanky\nhound."\n',
    "/targets_60words_dallerewrite.csv": ",target,prompt\n0,Goofy,A hound in a hat.\n",
}
DATE = "2026-11-25"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = FILES.get(self.path)
            self.send_response(200 if text is not None else 404)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def texts(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))["texts"]
    return found


def test_the_added_word_cartoon_is_no_keyword(tmp_path: Path, characters: CharacterSet, address: str) -> None:
    fetched = fetch_list("laion", characters, tmp_path, DATE, address)
    assert texts(fetched.path) == {"goofy": ["Dog", "dog", "goofy grin"], "max": ["Cap", "Pok\u00e9mon"]}


def test_names_doubles_and_strangers_are_told(tmp_path: Path, characters: CharacterSet, address: str) -> None:
    said = "\n".join(fetch_list("laion", characters, tmp_path, DATE, address).faults)
    assert "'Steve' is no character" in said
    assert "no text for 'Bluto'" in said
    assert "goofy: 'dog' is there twice" in said
    assert "goofy: 'goofy' names the character" in said


def test_line_breaks_inside_a_list_are_no_part_of_a_keyword(
    tmp_path: Path, characters: CharacterSet, address: str
) -> None:
    fetched = fetch_list("embedding", characters, tmp_path, DATE, address)
    assert texts(fetched.path) == {"goofy": ["funny", "dog", "hat"], "max": ["cap", "boy"]}


def test_lists_of_the_language_model_have_a_column_of_their_own(
    tmp_path: Path, characters: CharacterSet, address: str
) -> None:
    assert texts(fetch_list("lm", characters, tmp_path, DATE, address).path) == {"goofy": ["tall", "green hat"]}


def test_rewrites_belong_to_prompts(tmp_path: Path, characters: CharacterSet, address: str) -> None:
    assert texts(fetch_list("rewrites", characters, tmp_path, DATE, address).path) == {
        "my-set/goofy/name": ["A lanky hound."],
        "my-set/goofy/description": ["A hound in a hat."],
    }


def test_a_list_says_where_it_is_from_and_its_hash(tmp_path: Path, characters: CharacterSet, address: str) -> None:
    fetched = fetch_list("lm", characters, tmp_path, DATE, address)
    made = json.loads(fetched.path.read_text(encoding="utf-8"))["provenance"]
    content = FILES["/keywords_lm/n=5_related_greedy.csv"].encode()
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    assert made["address"].endswith("/keywords_lm/n=5_related_greedy.csv")
    assert made["fetched"] == DATE


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("lain", (UnknownNameError, "did you mean 'laion'")),
        ("openwebtext", (UserError, "cannot be fetched")),
        ("c4", (DataError, "has no columns 'target' and 'prompt'")),
        ("pile", (DataError, "none of its 1 rows names a character of set 'my-set'")),
    ],
)
def test_what_cannot_be_had_is_told_and_nothing_is_written(
    tmp_path: Path, characters: CharacterSet, address: str, name: str, wrong: tuple[type[Exception], str]
) -> None:
    with pytest.raises(wrong[0], match=wrong[1]):
        fetch_list(name, characters, tmp_path / "lists", DATE, address)
    assert not (tmp_path / "lists").exists()
