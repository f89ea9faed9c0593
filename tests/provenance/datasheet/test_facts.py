"""What is counted of records, against counting by hand, and whatever the batches are."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from copycat.provenance.dataset import Batch, open_dataset
from copycat.provenance.datasheet.facts import NEEDS, Facts, count_facts
from copycat.provenance.datasheet.personal.sampling import Sample
from copycat.provenance.datasheet.shape import columns_of


def test_facts_are_those_counted_by_hand(tmp_path: Path) -> None:
    draw = random.Random(2)
    rows = [
        {
            "id": str(at),
            "language": draw.choice(["en", "de", None, ""]),
            "source": draw.choice(["a", "b"]),
            "url": draw.choice(["https://www.A.example.org/x", "http://u:p@b.example.org:80/", "no address", None]),
            "synthetic": draw.choice([True, False]),
            "version_removed": draw.choice([None, None, "3"]),
            "tombstone_reason": "asked for",
            "retrieved_at": f"2025-0{draw.randrange(1, 9)}-03T10:00:00Z",
        }
        for at in range(500)
    ]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = count_facts(open_dataset(tmp_path))
    live = [row for row in rows if row["version_removed"] is None]
    assert (found.n_records, found.n_removed) == (len(live), 500 - len(live))
    assert found.languages == dict(Counter(str(row["language"]) for row in live if row["language"]).most_common())
    hosts = Counter("a" if "A." in str(row["url"]) else "b" for row in live if "example" in str(row["url"]))
    assert found.domains == {f"{name}.example.org": count for name, count in hosts.most_common()}
    assert found.n_synthetic == sum(row["synthetic"] is True for row in live)
    assert found.n_without_origin == found.n_synthetic
    assert found.removals == {"asked for": 500 - len(live)}
    assert (found.first_retrieved, found.last_retrieved) == (
        min(str(row["retrieved_at"])[:10] for row in live),
        max(str(row["retrieved_at"])[:10] for row in live),
    )
    assert found.splits == {"train": len(live)}
    assert columns_of(open_dataset(tmp_path)) == tuple(rows[0])


def test_the_structs_of_a_sidecar_are_read() -> None:
    origin = pa.array([{"model": "m-1", "prompt_hash": "ab"}, None, {"model": None, "prompt_hash": "ab"}])
    licence = pa.array([{"spdx": "MIT", "method": "x"}, None, {"spdx": None, "method": "y"}])
    facts = Facts()
    facts.add(Batch("records.parquet", 1, 3, {"synthetic": origin, "licence": licence}))
    found = facts.close()
    assert (found.n_marked, found.n_synthetic, found.n_without_origin) == (2, 2, 1)
    assert found.generators == {"m-1": 1} and found.licences == {"MIT": 1}


def test_a_record_that_does_not_say_whether_it_is_synthetic_is_no_natural_one() -> None:
    """A blank, a null, "unknown", and a sidecar's null stay unknown; a model's name says yes, and 0.0 of pandas no."""
    told = pa.array(["True", "false", None, " ", "Unknown", None, "0.0", "nan"])
    model = pa.array([None, None, None, None, None, "m-1", None, None], pa.string())
    facts = Facts()
    facts.add(Batch("a.csv", 1, 8, {"synthetic": told, "generator": model}))
    found = facts.close()
    assert (found.n_marked, found.n_synthetic, found.synthetic_share) == (4, 2, None)
    assert found.synthetic_range == (2 / 8, 6 / 8)
    for empty in (pa.nulls(3), pa.nulls(3, pa.struct({"model": pa.string(), "prompt_hash": pa.string()}))):
        facts = Facts()
        facts.add(Batch("records.parquet", 1, 3, {"synthetic": empty}))
        found = facts.close()
        assert (found.n_marked, found.synthetic_share, found.synthetic_range) == (0, None, (0, 1))


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string(), pa.dictionary(pa.int32(), pa.string())])
def test_columns_of_any_text_type_are_counted(kind: pa.DataType) -> None:
    facts = Facts()
    facts.add(Batch("x", 1, 2, {name: pa.array(["a", None]).cast(kind) for name in NEEDS}))
    assert facts.close().n_removed == 1


@pytest.mark.slow
def test_a_sample_is_the_same_however_the_dataset_is_cut() -> None:
    texts = [f"text {at}" for at in range(5000)]

    def drawn(step: int) -> list[str]:
        sample = Sample(100, 7, ("text",))
        for first in range(0, 5000, step):
            part = texts[first : first + step]
            sample.add(Batch("x", first + 1, len(part), {"text": pa.array(part)}))
        return [record.texts[0][1] for record in sample.records()]

    assert drawn(64) == drawn(5000) == drawn(1)


@pytest.mark.slow
def test_every_record_has_the_same_chance_to_be_drawn() -> None:
    """Chi-squared over ten blocks of a thousand records, 200 seeds: no block is drawn more often than chance."""
    counts = [0] * 10
    for seed in range(200):
        sample = Sample(50, seed, ("text",))
        sample.add(Batch("x", 1, 1000, {"text": pa.array([str(at) for at in range(1000)])}))
        for record in sample.records():
            counts[int(record.texts[0][1]) // 100] += 1
    assert sum(counts) == 200 * 50
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 27.9, "the 99.9 % point for 9 degrees of freedom"


def test_hosts_are_those_of_the_standard_library() -> None:
    """urllib.parse, which reads addresses by RFC 3986, is the reference."""
    from urllib.parse import urlsplit

    from copycat.provenance.datasheet.facts import host_of

    draw = random.Random(9)
    for _ in range(500):
        host = draw.choice(
            ["a.example.org", "B.Example.ORG", "[2001:db8::1]", "192.0.2.1", "xn--bcher-kva.example.org"]
        )
        user, port = draw.choice(["", "u:p@", "me@"]), draw.choice(["", ":80", ":8080"])
        end = f"{user}{host}{port}{draw.choice(['', '?a=b@c', '#x', '?q=:1'])}"
        expected = urlsplit(f"https://{end}").hostname or ""
        assert host_of(end).strip("[]") == expected, end
    assert host_of("www.a.example.org.") == "a.example.org"
