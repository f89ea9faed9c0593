"""All rules together over whatever a dataset may hold: findings, never a rule that could not check."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copycat.provenance.dataset import open_dataset
from copycat.provenance.dataset.columns import STANDARD
from copycat.provenance.records import PURPOSES, CheckReport
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules

COLUMNS = [name for name in STANDARD if name not in {"file", "row"}]

STRANGE = {
    "null": pa.nulls(4),
    "numbers": pa.array([0, -1, 2**62, None]),
    "floats": pa.array([float("nan"), float("inf"), -0.0, None]),
    "bools": pa.array([True, False, None, True]),
    "bytes": pa.array([b"", b"\xff\xfe", b"MIT", None]),
    "decimals": pa.array([Decimal("1.5"), None, Decimal(0), Decimal("-7")]),
    "times": pa.array([datetime(2026, 1, 2, tzinfo=UTC), None, datetime(1, 1, 1, tzinfo=UTC), None]),
    "far times": pa.array([2**50, None, -(2**50), 0], pa.timestamp("s")),
    "dictionary": pa.array(["MIT", None, "MIT", ""]).dictionary_encode(),
    "lists": pa.array([["a", None], [], None, ["MIT"]]),
    "structs": pa.array([{"spdx": "MIT", "name": None}, None, {"spdx": None, "name": "x"}, {"spdx": "(", "name": ""}]),
    "maps": pa.array([[("x-robots-tag", "noai")], [], None, [("", "")]], pa.map_(pa.string(), pa.string())),
    "headers": pa.array(
        [[{"name": "X-Robots-Tag", "value": "\x00\x1b[2J"}], [{"name": None, "value": None}], [], None]
    ),
    "hostile": pa.array(["<script>alert(1)</script>", "\x1b[2J\u202e", "a" * 200_000, "((((((((((MIT"]),
    "addresses": pa.array(["http://[::1", "//", "https://\u0130.example.org:99999/%zz", "javascript:alert(1)"]),
    "json": pa.array(['{"a": [1', "[" * 3000, '{"url": {"url": {}}}', "null"]),
}


def rarer_slow(names: Iterable[str], *usual: str) -> list[Any]:
    """Give all names as parameters; the usual ones belong to the default run."""
    return [pytest.param(name, marks=() if name in usual else pytest.mark.slow) for name in names]


def all_rules(path: Path, **fields: Any) -> CheckReport:
    """Check with every rule; fails where one could not check."""
    report = run_rules(Context(open_dataset(path), as_of=date(2026, 3, 1), **fields))
    broken = [outcome.said for outcome in report.outcomes if outcome.status == "not-checked"]
    assert not broken, broken
    report.model_dump_json().encode()
    return report


@pytest.mark.parametrize("name", rarer_slow(STRANGE, "null", "bytes", "times", "structs", "hostile"))
def test_no_rule_breaks_on_columns_of_strange_types(tmp_path: Path, name: str) -> None:
    pq.write_table(pa.table(dict.fromkeys(COLUMNS, STRANGE[name])), tmp_path / "x.parquet")

    assert all_rules(tmp_path).n_records == 4


@pytest.mark.parametrize("name", rarer_slow(STRANGE, "hostile", "null"))
def test_no_rule_breaks_on_a_sidecar_of_strange_types(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.jsonl").write_text('{"id": "a", "text": "b"}\n')
    (tmp_path / "provenance").mkdir()
    pq.write_table(pa.table(dict.fromkeys(STANDARD, STRANGE[name])), tmp_path / "provenance" / "records.parquet")
    (tmp_path / "provenance" / "manifest.json").write_text("[1]")
    (tmp_path / "provenance" / "removals.jsonl").write_text("{\n[]\n")

    assert all_rules(tmp_path).n_records == 1


CARDS = {
    "numbers": "license: 7\nlanguage: 3\nconfigs: 5\ntags: {a: 1}\n",
    "lists": "license: [mit, [cc0-1.0]]\nlanguage: [1, {a: b}, null]\npretty_name: [x]\nsize_categories: {}\n",
    "nulls": "license:\nlanguage:\nconfigs:\ndataset_info:\n",
    "dates": "license: 2026-01-01\nlanguage: 2026-01-01\ndate: 2026-01-01\n",
    "deep": "dataset_info: {features: [{name: {name: {name: [x]}}}]}\nlicense: {name: mit}\n",
    "hostile": 'license: "<script>\\e[2J"\nlanguage: "\\u202e"\nlicense_link: \'javascript:x\'\n',
}


CROISSANT = '{"license": {"@id": []}, "creator": [1], "distribution": 7, "recordSet": "x"}'


@pytest.mark.parametrize("name", rarer_slow(CARDS, "lists", "deep", "hostile"))
def test_no_rule_breaks_on_a_card_of_strange_values(tmp_path: Path, name: str) -> None:
    (tmp_path / "README.md").write_text(f"---\n{CARDS[name]}---\n# {name}\n\n## Uses\n\n|a|\n\n```\n")
    (tmp_path / "croissant.json").write_text(CROISSANT)
    (tmp_path / "x.jsonl").write_text('{"id": "a", "text": "b"}\n')

    assert all_rules(tmp_path, region="EU").n_records == 1


@pytest.mark.parametrize("purpose", rarer_slow(PURPOSES, "training", "adapting"))
def test_no_rule_breaks_on_nothing(tmp_path: Path, purpose: str) -> None:
    assert all_rules(tmp_path, purpose=PURPOSES[purpose], region="EU").n_records == 0


WORDS = ("MIT", "CC-BY-NC-4.0", "https://example.org/a", "noai", "0" * 64, "2026-01-01", "en", "a@b.org")
KEYS = ("name", "value", "spdx", "use", "answer", "source", "raw", "in_sha", "out_sha", "model", "url", "")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=10), max_size=4)
FRONTS = st.dictionaries(st.sampled_from(("license", "language", "configs", "contact", "tags", "version")), VALUES)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, front=FRONTS)
def test_no_json_breaks_a_rule(tmp_path: Path, rows: list[dict[str, Any]], front: dict[str, Any]) -> None:
    (tmp_path / "x.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "README.md").write_text(f"---\n{json.dumps(front)}\n---\n")

    all_rules(tmp_path)
