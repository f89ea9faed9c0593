"""D4: a filter that hits one language is flagged, one that hits all alike is not."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from copycat.provenance.dataset import open_dataset
from copycat.provenance.datasheet.filters import Counts, Group, read_log
from copycat.provenance.datasheet.survival import survival
from copycat.provenance.records import Outcome
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules

Check = Callable[..., Outcome]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write a log of filters beside one record, and give what came of D4."""

    def of(log: str | bytes | None, name: str = "filters.jsonl") -> Outcome:
        (tmp_path / "train.jsonl").write_text('{"id": "1", "text": "a tile"}\n', encoding="utf-8")
        (tmp_path / "provenance").mkdir(exist_ok=True)
        if log is not None:
            raw = log if isinstance(log, bytes) else log.encode()
            (tmp_path / "provenance" / name).write_bytes(raw)
        return run_rules(Context(open_dataset(tmp_path)), ["D4"]).outcomes[0]

    return of


def rows_of(kept_of: dict[str, float], n: int, name: str = "toy 1", seed: int = 0) -> list[dict[str, Any]]:
    """A filter that keeps each language with its own chance."""
    draw = random.Random(seed)
    return [
        {"id": f"{language}{at}", "filter": name, "kept": draw.random() < chance, "language": language}
        for language, chance in kept_of.items()
        for at in range(n)
    ]


def lines(rows: Sequence[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def test_d4_a_filter_that_hits_one_language_is_flagged(check: Check) -> None:
    outcome = check(lines(rows_of({"en": 0.9, "fr": 0.9, "sw": 0.4}, 300)))
    assert [found.severity for found in outcome.findings] == ["warning"]
    found = outcome.findings[0]
    assert "filter 'toy 1' keeps" in found.said and "of language 'sw'" in found.said
    assert found.evidence[0].file == "provenance/filters.jsonl"


def test_d4_a_filter_that_hits_all_alike_is_not_flagged(check: Check) -> None:
    outcome = check(lines(rows_of({"en": 0.8, "fr": 0.8, "sw": 0.8}, 300)))
    assert (outcome.status, outcome.said) == ("passed", "1 filters over 3 groups")


def test_d4_a_small_difference_among_very_many_records_is_not_flagged() -> None:
    counts = Counts()
    for language, kept in (("en", 900_000), ("de", 890_000)):
        for group in (Group("f", "", ""), Group("f", "language", language)):
            counts.add(group, True, kept)
            counts.add(group, False, 1_000_000 - kept)
    rows = survival(counts)
    assert all(row.p is not None and row.p < 1e-6 for row in rows)
    assert not any(row.is_flagged for row in rows)


def test_d4_groups_too_small_to_tell_are_not_tested(check: Check) -> None:
    outcome = check(lines([*rows_of({"en": 0.9}, 300), *rows_of({"sw": 0.0}, 12)]))
    assert outcome.status == "not-applicable"
    assert outcome.said == "no language, source or topic has 30 records or more beside 30 others"


@pytest.mark.slow
def test_false_alarms_over_many_groups_stay_below_one_in_twenty() -> None:
    """400 unbiased filters of twelve sources each: the chance of any flag is what Holm promises."""
    draw = random.Random(4)
    n_flagged = 0
    for _ in range(400):
        counts = Counts()
        for source in range(12):
            kept = sum(draw.random() < 0.5 for _ in range(40))
            for group in (Group("f", "", ""), Group("f", "source", str(source))):
                counts.add(group, True, kept)
                counts.add(group, False, 40 - kept)
        n_flagged += any(row.is_flagged for row in survival(counts))
    assert n_flagged / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


@pytest.mark.slow
def test_intervals_and_adjusted_p_values_are_those_of_statsmodels() -> None:
    """Wilson's intervals, chi-squared of two shares or Fisher's test, and Holm over all groups of all filters."""
    from scipy.stats import fisher_exact  # type: ignore[import-untyped]
    from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]
    from statsmodels.stats.proportion import proportion_confint, proportions_chisquare  # type: ignore[import-untyped]

    draw = random.Random(4)
    for _ in range(100):
        counts, table = Counts(), {}
        for name in ("f", "g"):
            for language in "abcdef"[: draw.randrange(2, 7)]:
                n, chance = draw.choice([5, 29, 30, 60, 400, 5000]), draw.choice([0.001, 0.02, 0.3, 0.9, 0.999])
                kept = sum(draw.random() < chance for _ in range(n))
                table[name, language] = kept, n
                for group in (Group(name, "", ""), Group(name, "language", language)):
                    counts.add(group, True, kept)
                    counts.add(group, False, n - kept)
        rows = {(row.filter, row.group): row for row in survival(counts)}
        raw, tested = [], []
        for (name, language), (kept, n) in table.items():
            row = rows[name, language]
            assert (row.low, row.high) == pytest.approx(proportion_confint(kept, n, method="wilson"), abs=1e-9)
            all_kept, all_n = (sum(pair[at] for (one, _), pair in table.items() if one == name) for at in (0, 1))
            if n < 30 or all_n - n < 30:
                assert row.p is None and not row.is_flagged
                continue
            least = min(a * b / all_n for a in (n, all_n - n) for b in (all_kept, all_n - all_kept))
            cells = [[kept, n - kept], [all_kept - kept, all_n - n - all_kept + kept]]
            right = 1.0
            if all_kept not in {0, all_n}:
                shares = [kept, all_kept - kept], [n, all_n - n]
                right = fisher_exact(cells).pvalue if least < 5 else proportions_chisquare(*shares)[1]
            raw.append(right)
            tested.append(row)
        if raw:
            assert [row.p for row in tested] == pytest.approx(list(multipletests(raw, method="holm")[1]), abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kept", "n", "rest_kept", "rest_n"), [(40, 100, 300, 400), (33, 40, 900, 1000), (2, 50, 3, 60)]
)
def test_p_values_are_those_of_scipy(kept: int, n: int, rest_kept: int, rest_n: int) -> None:
    from scipy.stats import chi2_contingency, fisher_exact  # type: ignore[import-untyped]

    counts = Counts()
    for name, k, many in (("a", kept, n), ("b", rest_kept, rest_n)):
        for group in (Group("f", "", ""), Group("f", "topic", name)):
            counts.add(group, True, k)
            counts.add(group, False, many - k)
    table = [[kept, n - kept], [rest_kept, rest_n - rest_kept]]
    expected = chi2_contingency(table, correction=False)
    right = expected.pvalue if expected.expected_freq.min() >= 5 else fisher_exact(table).pvalue
    assert survival(counts)[0].p == pytest.approx(min(1.0, 2 * right), rel=1e-6)


def test_d4_csv_and_parquet_logs_say_the_same_as_jsonl(tmp_path: Path) -> None:
    import csv

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = rows_of({"en": 0.9, "sw": 0.4}, 60)
    (tmp_path / "filters.jsonl").write_text(lines(rows), encoding="utf-8")
    with (tmp_path / "filters.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "filters.parquet")
    counted = [read_log(tmp_path / f"filters.{ending}", "log") for ending in ("jsonl", "csv", "parquet")]
    assert all(faults == [] for _, faults in counted)
    assert counted[0][0].all == counted[1][0].all == counted[2][0].all
    assert counted[0][0].kept == counted[1][0].kept == counted[2][0].kept


def test_d4_removals_with_the_reason_of_a_filter_are_counted(tmp_path: Path) -> None:
    rows = [{"id": f"{kind}{at}", "language": language, "version_removed": gone, "tombstone_reason": reason}
            for kind, language, gone, reason, n in (("a", "en", None, None, 90), ("b", "en", "2", "filter: toy 1", 10),
                                                    ("c", "sw", None, None, 40), ("d", "sw", "2", "filter: toy 1", 60),
                                                    ("e", "sw", "2", "asked for by its author", 50))
            for at in range(n)]  # fmt: skip
    (tmp_path / "train.jsonl").write_text(lines(rows), encoding="utf-8")
    outcome = run_rules(Context(open_dataset(tmp_path)), ["D4"]).outcomes[0]
    said = [found.said for found in outcome.findings]
    assert len(said) == 2 and any("keeps 40.0 % [30.9, 49.8] of language 'sw'" in one for one in said)


@pytest.mark.parametrize(
    ("log", "name", "n_bad"),
    [('{"filter": "f"}\n{"kept": true}\n[1]\nnot json\n', "filters.jsonl", 4), ("filter,kept\nf,perhaps\n",
     "filters.csv", 1),
     (b"PAR1 not parquet", "filters.parquet", 1), (b"\xff\xfe\x00", "filters.jsonl", 1)],
)  # fmt: skip
def test_d4_a_malformed_log_is_an_error(check: Check, log: str | bytes, name: str, n_bad: int) -> None:
    found = check(log, name).findings[0]
    assert (found.severity, found.said) == ("error", f"{n_bad} rows of the log of filters cannot be read")


def test_d4_is_not_applicable_without_filters(check: Check) -> None:
    assert check(None).status == "not-applicable"
