"""What a dataset keeps of signals, in odd forms: a refusal stays one, and what cannot be read permits nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from copycat.errors import DataError
from copycat.provenance.dataset import open_dataset
from copycat.provenance.signals import Recorded, resolve
from copycat.provenance.signals.columns import cases_of
from copycat.provenance.signals.drift import Later, changes_since
from copycat.provenance.signals.files import headers_of, read_recorded

USE = "generative-training"
YES = {"source": "rsl", "parsed": json.dumps({USE: "allow"})}


def answer(folder: Path, **row: Any) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "data.parquet").unlink(missing_ok=True)
    pq.write_table(pa.Table.from_pylist([{"id": "a", "text": "x", **row}]), folder / "data.parquet")
    batch = next(iter(open_dataset(folder / "data.parquet").facts(("id", "url", "headers", "signals", "decision"))))
    return cases_of(batch).cases[0].answer(USE)  # type: ignore[arg-type]


DENIED = {
    "a use twice in a signal": {"signals": [{"source": "x", "parsed": f'{{"{USE}":"deny","{USE}":"allow"}}'}]},
    "a use twice in a decision": {"decision": [{"use": USE, "answer": "deny"}, {"use": USE, "answer": "allow"}]},
    "other letters": {"signals": [YES, {"source": "x", "parsed": json.dumps({"Generative_Training": "Denied"})}]},
    "a raw meta tag": {"signals": [YES, {"source": "meta-robots", "raw": "noai", "parsed": None}]},
    "a raw rule": {"signals": [YES, {"source": "aipref-robots", "raw": "train-ai=n", "parsed": ""}]},
    "a raw term": {"signals": [YES, {"source": "plus", "raw": "DMI-PROHIBITED", "parsed": None}]},
    "folded headers": {"headers": "X-Robots-Tag: index,\r\n noai\r\nServer: x"},
    "a header twice": {"headers": '{"X-Robots-Tag": "noai", "X-Robots-Tag": "all"}'},
    "bytes": {"headers": [{"name": b"X-Robots-Tag", "value": b"noai"}]},
    "of one visit": {"signals": [
        {"source": "content-signal", "parsed": json.dumps({USE: "deny"}), "fetched_at": "2026-01-01T10:00:00Z"},
        {"source": "content-signal", "parsed": json.dumps({USE: "allow"}), "fetched_at": "2026-01-01T10:00:05Z"}]},
}  # fmt: skip


@pytest.mark.parametrize("row", DENIED.values(), ids=DENIED)
def test_a_refusal_that_a_dataset_keeps_is_read_in_whatever_form(tmp_path: Path, row: dict[str, Any]) -> None:
    """S2, positive."""
    assert answer(tmp_path, **row) == "deny"


UNKNOWN = {
    "headers": {"headers": "no header at all", "signals": [YES]},
    "signals": {"signals": "noai", "headers": '{"Content-Usage": "train-ai=y"}'},
    "a signal that is no object": {"signals": json.dumps([YES, "noai"])},
    "a source that is unknown": {"signals": [YES, {"source": "ai.txt", "raw": "Disallow: *", "parsed": None}]},
    "a word that is unknown": {"signals": [YES, {"source": "x", "parsed": json.dumps({USE: "perhaps"})}]},
    "a decision": {"signals": [YES], "decision": "no json"},
    "a decision that says so": {"signals": [YES], "decision": [{"use": USE, "answer": "unknown"}]},
}


@pytest.mark.parametrize("row", UNKNOWN.values(), ids=UNKNOWN)
def test_beside_what_cannot_be_read_no_permission_stands(tmp_path: Path, row: dict[str, Any]) -> None:
    """S2, malformed."""
    assert answer(tmp_path, signals=[YES]) == "allow"
    assert answer(tmp_path, **row) == "unknown"


def test_a_key_twice_in_recorded_answers_loses_no_refusal(tmp_path: Path) -> None:
    rule = '{"location": "/", "tdm-reservation": 1, "tdm-reservation": 0}'
    path = tmp_path / "one.json"

    path.write_text(f'{{"url": "https://example.org/", "tdmrep": [{rule}]}}', encoding="utf-8")
    assert resolve(read_recorded(path)[0]).answers["mining"] == "deny"
    path.write_text('{"url": "https://example.org/", "headers": {"X-Robots-Tag": "noai", "X-Robots-Tag": "all"}}')
    assert resolve(read_recorded(path)[0]).answers["training"] == "deny"
    path.write_text('{"url": "https://example.org/", "robots": "x", "robots": "y"}', encoding="utf-8")
    with pytest.raises(DataError, match="'robots' twice"):
        read_recorded(path)


def test_headers_as_text_may_be_folded() -> None:
    assert headers_of("HTTP/1.1 200 OK\r\nA: b,\r\n\tc\r\nD: e", "x") == (("A", "b, c"), ("D", "e"))


def recorded(folder: Path, *held: dict[str, Any]) -> list[Recorded]:
    (folder / "later.jsonl").write_text("\n".join(map(json.dumps, held)), encoding="utf-8")
    return read_recorded(folder / "later.jsonl")


def test_of_newer_answers_the_newest_counts_in_whatever_order_they_stand(tmp_path: Path) -> None:
    site = {"url": "https://example.org:443/", "robots": "User-agent: *\nDisallow: /\n", "fetched_at": "2026-03-01"}
    old = {"url": "https://example.org/", "robots": "User-agent: *\nAllow: /\n", "fetched_at": "2026-01-01"}

    for held in ([site, old], [old, site]):
        newer = Later(recorded(tmp_path, *held)).of("https://example.org/a")
        assert newer is not None
        assert newer.signals[0].answers["training"] == "deny"


def test_a_page_that_does_not_answer_withdraws_no_refusal(tmp_path: Path) -> None:
    answer(tmp_path, headers='{"X-Robots-Tag": "noai", "Content-Signal": "search=no"}')
    batch = next(iter(open_dataset(tmp_path / "data.parquet").facts(("id", "headers"))))
    later = Later(
        recorded(
            tmp_path, {"url": "https://example.org/a", "error": "took too long", "robots": "User-agent: *\nAllow: /"}
        )
    )
    newer = later.of("https://example.org/a")

    assert newer is not None
    assert changes_since(cases_of(batch).cases[0], newer) == {}
