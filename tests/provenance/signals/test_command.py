"""`python -m copycat.provenance signals`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from copycat.commands.provenance import app

if TYPE_CHECKING:
    from harness import Cli, CommandLine

ROBOTS = "User-agent: GPTBot\nDisallow: /art/\n\nUser-agent: *\nAllow: /\nContent-Usage: / search=y\n"


@pytest.fixture
def provenance(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.provenance")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    rows = [
        {"id": "a", "text": "x", "url": "https://example.org/art/a", "headers": {"X-Robots-Tag": "NoAI"}},
        {"id": "b", "text": "x", "url": "https://example.org/b", "headers": {"Content-Usage": "train-ai=y"}},
        {"id": "c", "text": "x", "url": "https://example.org/art/c"},
    ]
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_a_robots_txt_is_answered_for_an_address(provenance: Cli, tmp_path: Path) -> None:
    (tmp_path / "robots.txt").write_text(ROBOTS, encoding="utf-8")

    art = provenance("signals", "robots.txt", "--url", "https://example.org/art/cat.jpg")
    search = provenance("signals", "robots.txt", "--use", "search")

    assert (art.code, search.code) == (1, 0)
    assert "Disallow for GPTBot" in art.out
    assert "generative-training*" in art.out
    assert "aipref-robots (robots.txt:6)" in search.out


def test_a_picture_is_looked_into(provenance: Cli, tmp_path: Path, signed_picture: Callable[..., bytes]) -> None:
    (tmp_path / "no.jpg").write_bytes(signed_picture("notAllowed"))
    (tmp_path / "yes.jpg").write_bytes(signed_picture("allowed"))

    assert provenance("signals", "no.jpg").code == 1
    assert provenance("signals", "yes.jpg").code == 0
    assert provenance("signals", "yes.jpg", "--use", "generative-training,mining").code == 1


def test_a_dataset_is_counted_and_those_denied_are_listed(provenance: Cli, dataset: Path) -> None:
    answer = provenance("signals", dataset, "--json")

    held = json.loads(answer.out)
    assert answer.code == 1
    assert held["counts"]["generative-training"] == {"allow": 1, "deny": 1, "unknown": 1}
    assert [item["id"] for item in held["denied"]] == ["a"]
    assert held["policy"]["training"] == "deny"
    assert "deny generative-training: a (data.jsonl:1 signals) x-robots-tag: NoAI" in provenance("signals", dataset).out


def test_a_dataset_of_which_all_is_allowed_ends_with_0(provenance: Cli, tmp_path: Path) -> None:
    row = {"id": "b", "text": "x", "headers": {"Content-Usage": "train-ai=y"}}
    (tmp_path / "data.jsonl").write_text(json.dumps(row), encoding="utf-8")

    assert provenance("signals", "data.jsonl").code == 0


def test_newer_answers_are_compared_and_nothing_is_rewritten(provenance: Cli, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "later.json").write_text(json.dumps({"url": "https://example.org/", "robots": ROBOTS}))
    before = dataset.read_bytes()

    answer = provenance("signals", dataset, "--against", "later.json", "--json")

    held = json.loads(answer.out)
    assert (held["n_compared"], held["n_stricter"]) == (3, 1)
    assert held["drift"][0]["changes"]["training"] == ["unknown", "deny"]
    assert dataset.read_bytes() == before
    assert "nothing recorded was rewritten" in provenance("signals", dataset, "--against", "later.json").out


def test_pictures_in_a_dataset_are_looked_into(
    provenance: Cli, tmp_path: Path, signed_picture: Callable[..., bytes], plain_picture: bytes
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(signed_picture("notAllowed"))
    (folder / "b.jpg").write_bytes(plain_picture)

    held = json.loads(provenance("signals", folder, "--json").out)

    assert held["counts"]["generative-training"] == {"allow": 0, "deny": 1, "unknown": 1}
    assert held["denied"][0]["id"] == "a.jpg"


def test_pictures_are_looked_into_beside_a_sidecar_too(
    provenance: Cli, tmp_path: Path, signed_picture: Callable[..., bytes]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path / "pictures"
    (folder / "provenance").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(signed_picture("notAllowed"))
    row = {"id": "a", "signals": [{"source": "rsl", "parsed": '{"generative-training": "allow"}'}]}
    pq.write_table(pa.Table.from_pylist([row]), folder / "provenance" / "records.parquet")

    answer = provenance("signals", folder)

    assert answer.code == 1
    assert "pictures that say no inside themselves, beside the sidecar: 1" in answer.out


def test_the_forms_are_listed_with_their_standards(provenance: Cli) -> None:
    answer = provenance("signals", "--list")

    assert answer.code == 0
    assert "RFC 9309" in answer.out
    assert len(json.loads(provenance("signals", "--list", "--json").out)) >= 12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to look at"),
        (("none.txt",), "is not there"),
        (("https://example.org/",), "nothing is fetched unasked"),
        (("data.jsonl", "--record", "x.json"), "--record keeps what --live fetches"),
        (("data.jsonl", "--use", "trainig"), "did you mean 'training'"),
        (("data.jsonl", "--use", ","), "unknown use"),
        (("data.jsonl", "--against", "none.json"), "cannot be read"),
        (("http://127.0.0.1/", "--live"), "127.0.0.1 is no public address"),
        (("ftp://127.0.0.1/", "--live"), "its scheme is 'ftp'"),
        (("torn.json",), "is no JSON"),
        (("robots.txt", "--against", "robots.txt"), "--against does nothing for"),
        (("robots.txt", "--ids", "x.txt"), "--ids does nothing for"),
        (("robots.txt", "--url", "example"), "is no address"),
        (("data.jsonl", "--url", "https://example.org/"), "--url does nothing for"),
        (("https://example.org/", "--live", "--against", "robots.txt"), "--against does nothing for"),
        (("https://example.org/", "--live", "--record", "robots.txt"), "is there already"),
    ],
)
def test_what_the_user_must_fix_is_told(
    provenance: Cli, dataset: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "torn.json").write_text("{", encoding="utf-8")
    (tmp_path / "robots.txt").write_text(ROBOTS, encoding="utf-8")

    answer = provenance("signals", *arguments)

    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_what_is_fetched_is_kept_and_read_again(
    provenance: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copycat.provenance.signals import Recorded, Response
    from copycat.provenance.signals.live import Fetcher

    robots = Response(url="https://example.org/robots.txt", status=200, body=ROBOTS.encode())
    monkeypatch.setattr(Fetcher, "fetch_site", lambda self, url: Recorded(url=url, robots=robots))

    live = provenance("signals", "https://example.org/art/", "--live", "--record", "kept/one.json", "--json")
    again = provenance("signals", "kept/one.json", "--json")

    assert live.code == again.code == 1
    assert json.loads(live.out)["addresses"][0]["answers"] == json.loads(again.out)["addresses"][0]["answers"]


def test_letters_that_steer_a_terminal_are_not_printed(provenance: Cli, tmp_path: Path) -> None:
    held = {"url": "https://example.org/\x1b[2J", "headers": {"X-Robots-Tag": "noai\x1b]0;x\x07 [red]"}}
    (tmp_path / "one.json").write_text(json.dumps(held), encoding="utf-8")

    answer = provenance("signals", "one.json")

    assert "\x1b" not in answer.out
    assert "[red]" in answer.out


def test_what_changed_is_grouped_by_site_and_what_is_denied_now_comes_first(provenance: Cli, tmp_path: Path) -> None:
    rows = [{"id": f"{n:02}", "text": "x", "url": f"https://{'no' if n < 3 else 'yes'}.example/{n}"} for n in range(40)]
    later = [
        {"url": "https://yes.example/", "robots": "User-agent: *\nContent-Usage: train-ai=y\n"},
        {"url": "https://no.example/", "robots": "User-agent: *\nContent-Usage: train-ai=n\n"},
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "later.jsonl").write_text("\n".join(map(json.dumps, later)), encoding="utf-8")

    answer = provenance("signals", "data.jsonl", "--against", "later.jsonl")
    held = json.loads(provenance("signals", "data.jsonl", "--against", "later.jsonl", "--json").out)

    assert [(group["site"], group["n_records"], group["ids"]) for group in held["drift_groups"]] == [
        ("https://no.example", 3, ["00", "01", "02"]),
        ("https://yes.example", 37, ["03", "04", "05"]),
    ]
    assert [one["id"] for one in held["drift"][:4]] == ["00", "01", "02", "03"]
    assert answer.out.index("https://no.example") < answer.out.index("https://yes.example")
    assert "training, generative-training: unknown then, deny now" in " ".join(answer.out.split())


def test_the_ids_of_all_records_denied_are_written(provenance: Cli, tmp_path: Path) -> None:
    rows = [{"id": f"{n:02}", "text": "x", "headers": {"X-Robots-Tag": "noai" if n % 2 else "all"}} for n in range(60)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    answer = provenance("signals", "data.jsonl", "--use", "training,inference", "--ids", "out/denied.txt")

    assert (tmp_path / "out" / "denied.txt").read_text().split() == [f"{n:02}" for n in range(1, 60, 2)]
    assert "... of 30 records; the ids of all of them: --ids FILE" in answer.out


def test_the_list_tells_what_is_read_as_a_refusal_beyond_the_standard(provenance: Cli) -> None:
    said = " ".join(provenance("signals", "--list").out.split())

    assert "aipref-robots, aipref-header: of equal keys the last counts in the draft; here `n` in any of them" in said


def test_a_robots_txt_without_an_address_says_which_path_it_was_read_for(provenance: Cli, tmp_path: Path) -> None:
    (tmp_path / "robots.txt").write_text(ROBOTS, encoding="utf-8")

    assert "for the path /; for another: --url ADDRESS" in provenance("signals", "robots.txt").out


def test_data_that_cannot_be_read_is_told_and_nothing_at_all_is_refused(provenance: Cli, tmp_path: Path) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 torn")
    yes = json.dumps({"id": "a", "text": "x", "headers": {"Content-Usage": "train-ai=y"}})
    (tmp_path / "part.jsonl").write_text(yes + "\n{\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()

    torn, part, empty = (provenance("signals", name) for name in ("torn.parquet", "part.jsonl", "empty"))

    assert torn.code == empty.code == 2
    assert "torn.parquet: cannot be read" in torn.err
    assert "empty: holds no record\n  no signal was counted: mend it" in empty.err
    assert part.code == 1
    assert "note: 1 place was not read, or not as it stands (part.jsonl:2)" in part.err
    assert json.loads(provenance("signals", "part.jsonl", "--json").out)["unread"].startswith("1 place was not read")


def test_removed_records_are_not_counted(provenance: Cli, tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "x"}, {"id": "b", "headers": {"X-Robots-Tag": "noai"}, "version_removed": "2"}]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    held = json.loads(provenance("signals", "data.jsonl", "--json").out)

    assert (held["n_records"], held["n_denied"], held["denied"]) == (1, 0, [])


def test_a_picture_that_cannot_be_read_is_told_and_titled_by_its_name(provenance: Cli, tmp_path: Path) -> None:
    (tmp_path / "g.png").write_bytes(bytes(range(256)))

    answer = provenance("signals", "g.png")

    assert answer.code == 1
    assert "g.png is no picture: what it says inside itself may be lost" in " ".join(answer.err.split())
    assert answer.out.startswith("g.png")


def test_pictures_of_a_dataset_that_cannot_be_read_are_told(provenance: Cli, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(bytes(range(256)))

    answer = provenance("signals", "set")

    assert answer.code == 1
    assert "note: 1 picture cannot be read, and may say no inside" in answer.err
