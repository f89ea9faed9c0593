"""Rules S1 to S5 on datasets: each with a positive, a negative and a malformed fixture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from copycat.provenance.dataset import open_dataset
from copycat.provenance.records import PURPOSES, Outcome, sidecar_schema
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules
from copycat.provenance.signals import resolve
from copycat.provenance.signals.columns import sidecar_decision, sidecar_signals
from copycat.provenance.signals.recorded import from_headers

Row = dict[str, Any]


def jsonl(folder: Path, *rows: Row) -> Path:
    path = folder / "data.jsonl"
    lines = [json.dumps({"id": str(number), "text": "x", **row}) for number, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def outcome(path: Path, rule: str, purpose: str = "training", **options: str) -> Outcome:
    context = Context(open_dataset(path), PURPOSES[purpose], options=options)
    return run_rules(context, [rule]).outcomes[0]


def severities(found: Outcome) -> list[str]:
    return [finding.severity for finding in found.findings]


def denied(**more: Any) -> Row:
    return {"url": "https://example.org/a", "headers": {"X-Robots-Tag": "NoAI"}, **more}


def kept(source: str, parsed: Any, fetched_at: str = "2026-01-01") -> Row:
    text = parsed if isinstance(parsed, str) else json.dumps(parsed)
    return {"source": source, "raw": "", "parsed": text, "fetched_at": fetched_at}


# ------------------------------------------------------------------------------------------ S1


def test_s1_a_record_whose_rights_holder_says_no_is_an_error_with_its_place(tmp_path: Path) -> None:
    found = outcome(jsonl(tmp_path, {"url": "https://example.org/b"}, denied()), "S1")

    assert severities(found) == ["error", "warning"]
    assert found.findings[0].n_records == 1
    assert found.findings[0].evidence[0].place == "data.jsonl:2 signals"
    assert "NoAI" in found.findings[0].evidence[0].value


def test_s1_records_that_are_allowed_pass(tmp_path: Path) -> None:
    row = {"url": "https://example.org/a", "headers": {"Content-Usage": "train-ai=y"}}

    assert outcome(jsonl(tmp_path, row), "S1").status == "passed"


def test_s1_what_is_unknown_is_told_with_what_policy_makes_of_it(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"url": "https://example.org/a"})

    for purpose, severity, done in (("training", "warning", "deny"), ("search", "note", "allow")):
        finding = outcome(path, "S1", purpose).findings[0]
        assert (finding.severity, finding.n_records) == (severity, 1)
        assert f"unknown as {done}" in finding.advice


def test_s1_a_refusal_of_another_use_is_none_of_this_one(tmp_path: Path) -> None:
    row = {"url": "https://example.org/a", "headers": {"X-Robots-Tag": "noindex", "Content-Usage": "train-ai=y"}}

    assert outcome(jsonl(tmp_path, row), "S1").status == "passed"
    assert outcome(jsonl(tmp_path, row), "S1", "search").status == "found"


def test_s1_a_folder_of_ones_own_texts_is_not_asked_for_signals(tmp_path: Path) -> None:
    (tmp_path / "poem.txt").write_text("A poem.", encoding="utf-8")

    assert outcome(tmp_path, "S1").status == "not-applicable"


MALFORMED = [
    {"headers": "no colon"},
    {"headers": 7},
    {"headers": [[["a"]]]},
    {"headers": "{torn"},
    {"signals": "[{"},
    {"signals": [{"source": "x", "parsed": "{"}]},
    {"signals": [kept("x", {"training": "perhaps"})]},
    {"decision": "{"},
    {"signals": "7"},
    {"decision": [{"use": "fly", "answer": "allow"}]},
]


@pytest.mark.parametrize("row", MALFORMED)
def test_s1_and_s2_malformed_columns_are_a_finding_and_never_a_permission(tmp_path: Path, row: Row) -> None:
    path = jsonl(tmp_path, {"url": "https://example.org/a", **row})

    found = outcome(path, "S2")

    assert found.status == "found", found.said
    assert found.findings[0].evidence
    assert outcome(path, "S1").status == "found"
    rules = ["S1", "S2", "S3", "S4", "S5"]
    assert all(one.status != "not-checked" for one in run_rules(Context(open_dataset(path)), rules).outcomes)


# ------------------------------------------------------------------------------------------ S2


def test_s2_a_refusal_in_a_faulty_form_is_told(tmp_path: Path) -> None:
    found = outcome(jsonl(tmp_path, denied(headers=[["tdm-reservation", "1, 1"]])), "S2")

    assert severities(found) == ["note"]
    assert "not written as its standard has it" in found.said


def test_s2_a_refusal_that_is_kept_and_stands_in_a_header_is_told_once(tmp_path: Path) -> None:
    signals = sidecar_signals(resolve(from_headers("", [("X-Robots-Tag", "NoAI")])))
    path = jsonl(tmp_path, denied(signals=signals))

    assert severities(outcome(path, "S2")) == ["note"]
    assert outcome(path, "S1").findings[0].evidence[0].value == "x-robots-tag: NoAI"


@pytest.mark.parametrize("headers", [{"X-Robots-Tag": "noai"}, {"tdm-reservation": "1"}, {"Server": "x"}, "Server: x"])
def test_s2_headers_as_their_standards_have_them_pass(tmp_path: Path, headers: Any) -> None:
    assert outcome(jsonl(tmp_path, denied(headers=headers)), "S2").status == "passed"


def test_s2_without_headers_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert outcome(jsonl(tmp_path, {}), "S2").status == "not-applicable"


# ------------------------------------------------------------------------------------------ S3


def test_s3_a_kept_allow_beside_a_refusal_is_an_error(tmp_path: Path) -> None:
    row = denied(decision=[{"use": "generative-training", "answer": "allow"}])

    assert severities(outcome(jsonl(tmp_path, row), "S3")) == ["error"]
    assert outcome(jsonl(tmp_path, row), "S1").status == "found"


def test_s3_an_unknown_that_became_an_allow_is_an_error(tmp_path: Path) -> None:
    row = {"signals": [kept("robots", {})], "decision": [{"use": "training", "answer": "allow"}]}

    assert severities(outcome(jsonl(tmp_path, row), "S3")) == ["error"]


def test_s3_signals_that_contradict_each_other_are_a_warning(tmp_path: Path) -> None:
    row = {"signals": [kept("rsl", {"training": "allow"}), kept("tdmrep-file", {"training": "deny"})]}

    assert severities(outcome(jsonl(tmp_path, row), "S3")) == ["warning"]


def test_s3_a_kept_decision_without_signals_is_a_warning(tmp_path: Path) -> None:
    assert severities(outcome(jsonl(tmp_path, {"decision": "allow"}), "S3")) == ["warning"]


def test_s3_a_decision_that_follows_passes(tmp_path: Path) -> None:
    row = {"signals": [kept("rsl", {"training": "allow"})], "decision": [{"use": "training", "answer": "allow"}]}

    assert outcome(jsonl(tmp_path, row), "S3").status == "passed"


# ------------------------------------------------------------------------------------------ S4


def test_s4_a_signal_that_was_added_later_is_told_and_nothing_is_rewritten(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"signals": [kept("robots", {}), kept("robots", {"training": "deny"}, "2026-06-01")]})
    before = path.read_bytes()

    found = outcome(path, "S4")

    assert severities(found) == ["warning"]
    assert "training: unknown then, deny now" in found.findings[0].evidence[0].value
    assert path.read_bytes() == before


def test_s4_newer_answers_are_compared_by_address_and_by_site(tmp_path: Path) -> None:
    later = tmp_path / "later.json"
    later.write_text(json.dumps({"url": "https://example.org/", "robots": "User-agent: *\nDisallow: /art/"}))
    rows = [{"url": f"https://{host}/art/a", "headers": {"Server": "x"}} for host in ("example.org", "example.com")]

    found = outcome(jsonl(tmp_path, *rows), "S4", **{"signals-against": str(later)})

    assert severities(found) == ["warning"]
    assert found.findings[0].n_records == 1


def test_s4_a_source_that_was_not_asked_again_still_says_what_it_said(tmp_path: Path) -> None:
    later = tmp_path / "later.json"
    later.write_text(json.dumps({"url": "https://example.org/", "robots": "User-agent: *\nAllow: /"}))

    found = outcome(jsonl(tmp_path, denied()), "S4", **{"signals-against": str(later)})

    assert found.status == "passed", found.said


def test_s4_without_newer_answers_there_is_nothing_to_compare(tmp_path: Path) -> None:
    found = outcome(jsonl(tmp_path, denied()), "S4")

    assert found.status == "not-applicable"
    assert "--against" in found.said


def test_s4_dates_that_are_none_do_not_disturb(tmp_path: Path) -> None:
    row = {"signals": [kept("robots", {}, "soon"), kept("robots", {}, ""), {"source": "robots", "parsed": "{}"}]}

    assert outcome(jsonl(tmp_path, row), "S4").status in {"passed", "not-applicable"}


@pytest.mark.parametrize(
    ("earlier", "later", "status"),
    [
        ("2026-01-01", "2026-02-01", "passed"),
        ("2026-01-01T00:00:00+02:00", "2026-01-01T22:00:00Z", "passed"),
        ("2026-01-01T00:00:00+02:00", "2026-01-01T21:59:00Z", "found"),
        ("2026-02-01", "2026-01-01", "found"),
        ("2026-01-01", "soon", "found"),
        ("2026-01-01", "", "found"),
    ],
)
def test_s4_a_refusal_is_withdrawn_only_by_what_is_known_to_be_later(
    tmp_path: Path, earlier: str, later: str, status: str
) -> None:
    refused = kept("aipref-header", {"generative-training": "deny"}, earlier)
    path = jsonl(tmp_path, {"signals": [refused, kept("aipref-header", {"generative-training": "allow"}, later)]})

    assert outcome(path, "S1").status == status


# ------------------------------------------------------------------------------------------ S5


def test_s5_a_picture_that_says_no_inside_itself_is_an_error(
    tmp_path: Path, signed_picture: Callable[..., bytes], plain_picture: bytes
) -> None:
    (tmp_path / "a.jpg").write_bytes(signed_picture("notAllowed"))
    (tmp_path / "b.jpg").write_bytes(plain_picture)

    found = outcome(tmp_path, "S5")

    assert severities(found) == ["error"]
    assert found.findings[0].evidence[0].file == "a.jpg"


def test_s5_plain_pictures_pass_and_texts_are_not_asked(tmp_path: Path, plain_picture: bytes) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    assert outcome(tmp_path, "S5").status == "not-applicable"

    (tmp_path / "b.jpg").write_bytes(plain_picture)
    assert outcome(tmp_path, "S5").status == "passed"


def test_s5_a_broken_manifest_is_a_warning(tmp_path: Path, signed_picture: Callable[..., bytes]) -> None:
    (tmp_path / "a.jpg").write_bytes(signed_picture("allowed")[:9000])

    assert severities(outcome(tmp_path, "S5")) == ["warning"]


# ------------------------------------------------------------------------------- forms of columns


def sidecar(folder: Path, rows: list[Row]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = jsonl(folder, *({"url": "https://example.org/"} for _ in rows))
    (folder / "data.provenance").mkdir(exist_ok=True)
    full = [{field.name: row.get(field.name) for field in sidecar_schema()} for row in rows]
    table = pa.Table.from_pylist(full, schema=sidecar_schema())
    pq.write_table(table, folder / "data.provenance" / "records.parquet")
    return path


def test_what_is_written_to_the_sidecar_is_read_from_it(tmp_path: Path) -> None:
    decision = resolve(from_headers("https://example.org/", [("tdm-reservation", "1"), ("Content-Usage", "search=y")]))
    row = {"id": "a", "signals": sidecar_signals(decision), "decision": sidecar_decision(decision)}
    path = sidecar(tmp_path, [row, {"id": "b", "headers": [{"name": "x-robots-tag", "value": "noai"}]}, {"id": "c"}])

    assert outcome(path, "S1").findings[0].n_records == 2
    assert severities(outcome(path, "S1", "search")) == ["note"]
    assert outcome(path, "S3").status == "passed"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Robots-Tag": "noai"},
        {"Server": "x", "x-robots-tag": "noai"},
        [["X-Robots-Tag", "noai"]],
        [{"name": "X-Robots-Tag", "value": "noai"}],
        json.dumps({"X-Robots-Tag": ["nofollow", "noai"]}),
        "HTTP/1.1 200 OK\nServer: x\nX-Robots-Tag: noai\n",
    ],
)
def test_headers_of_any_usual_form_are_read(tmp_path: Path, headers: Any) -> None:
    found = outcome(jsonl(tmp_path, {"headers": {"Server": "y"}}, {"headers": headers}, {}), "S1")

    assert found.findings[0].severity == "error"
    assert found.findings[0].n_records == 1
    assert found.findings[0].evidence[0].line == 2


def test_distinct_cases_are_told_apart_in_a_large_batch(tmp_path: Path) -> None:
    """Against a loop over the rows."""
    values = ["noai", "nofollow", "noindex", "noimageai"]
    rows: list[Row] = [
        {"id": str(n), "headers": [{"name": "X-Robots-Tag", "value": values[n % 4]}, {"name": "Age", "value": str(n)}]}
        for n in range(1000)
    ]
    path = sidecar(tmp_path, rows)
    loop = sum(
        resolve(from_headers("", [(h["name"], h["value"]) for h in row["headers"]])).answers["generative-training"]
        == "deny"
        for row in rows
    )

    assert outcome(path, "S1").findings[0].n_records == loop == 500


@pytest.mark.parametrize("rule", ["S1", "S2", "S3", "S4"])
def test_s1_to_s4_do_not_speak_of_records_that_were_removed(tmp_path: Path, rule: str) -> None:
    gone = denied(
        version_removed="2",
        decision=[{"use": "training", "answer": "allow"}],
        signals=[kept("robots", "{"), kept("robots", {"training": "allow"}, "2026-03-01")],
    )

    found = outcome(jsonl(tmp_path, gone, {"url": ""}), rule)

    assert found.findings == ()


def test_s4_an_unknown_that_was_kept_as_a_decision_may_become_an_allow(tmp_path: Path) -> None:
    later = tmp_path / "later.json"
    later.write_text(json.dumps({"url": "https://example.org/", "robots": "User-agent: *\nContent-Usage: train-ai=y"}))
    silent = {"url": "https://example.org/art/a", "decision": [{"use": "generative-training", "answer": "unknown"}]}
    refused = {"url": "https://example.org/art/b", "decision": [{"use": "generative-training", "answer": "deny"}]}

    found = outcome(jsonl(tmp_path, silent, refused), "S4", **{"signals-against": str(later)})

    assert severities(found) == ["note"]
    assert [(one.line, one.value) for one in found.findings[0].evidence] == [
        (1, "generative-training: unknown then, allow now")
    ]
