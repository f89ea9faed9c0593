"""Whatever a rule meets or does, the others go on, and the report says what was not checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from small_datasets import ROWS, jsonl

from copycat.errors import MissingExtraError, UnknownNameError
from copycat.provenance.dataset import Batch, open_dataset
from copycat.provenance.dataset.opening import Dataset
from copycat.provenance.records import Finding
from copycat.provenance.rules import RULES, Context, Rule, RuleRow
from copycat.provenance.rules import running as running_module
from copycat.provenance.rules.running import run_rules
from copycat.registry import Registry


class Broken(Rule):
    """Raises wherever it is told to."""

    id = "Z1"
    reads = "content"
    needs = ("text",)
    where: ClassVar[str] = "see"
    what: ClassVar[Exception] = ZeroDivisionError("of mine")

    def act(self, where: str) -> None:
        if self.where == where:
            raise self.what

    def see(self, batch: Batch) -> None:
        self.act("see")

    def finish(self) -> Iterable[Finding]:
        self.act("finish")
        return ()

    def not_applicable(self) -> str | None:
        self.act("not_applicable")
        return None

    def passed(self) -> str:
        self.act("passed")
        return "fine"


class Facts(Broken):
    """Reads facts."""

    id = "Z2"
    reads = "facts"
    needs = ("licence", "url")
    where = "nowhere"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    target = f"{__name__}:"
    own = (RuleRow("Z1", "z1", f"{target}Broken"), RuleRow("Z2", "z2", f"{target}Facts"))
    rows = (*(RULES.get(name) for name in ("F1", "F2")), *own)
    made = Registry("rule", rows)
    classes = {"Z1": Broken, "Z2": Facts}
    load = made.load
    monkeypatch.setattr(made, "load", lambda name: classes.get(name) or load(name))
    monkeypatch.setattr(running_module, "RULES", made)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS))
    return open_dataset(tmp_path)


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("where", ["see", "finish", "not_applicable", "passed"])
def test_a_rule_that_breaks_is_an_error_and_the_others_go_on(
    dataset: Dataset, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "where", where)

    report = run_rules(Context(dataset))

    broken = report.outcomes[2]
    assert broken.status == "not-checked"
    assert broken.findings[0].severity == "error"
    place = "at x.jsonl:1: " if where == "see" else ""
    assert broken.said == f"could not be checked ({place}ZeroDivisionError: of mine)"
    assert [outcome.status for outcome in report.outcomes] == ["passed", "passed", "not-checked", "passed"]


@pytest.mark.usefixtures("table")
def test_the_line_of_a_rule_says_its_gravest_finding(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def several(self: Broken) -> Iterable[Finding]:
        yield self.finding("note", "a trifle", "nothing")
        yield self.finding("error", "a hole", "mend it")

    monkeypatch.setattr(Broken, "where", "nowhere")
    monkeypatch.setattr(Broken, "finish", several)

    assert run_rules(Context(dataset), ["Z1"]).outcomes[0].said == "a hole; and 1 more"


@pytest.mark.usefixtures("table")
def test_what_a_rule_lacks_is_said_in_its_own_words(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "what", MissingExtraError("needs a package\n  pip install it"))

    assert run_rules(Context(dataset), ["Z1"]).outcomes[0].said == (
        "could not be checked (at x.jsonl:1: needs a package pip install it)"
    )


@pytest.mark.usefixtures("table")
def test_a_dataset_without_a_sidecar_is_read_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "where", "nowhere")
    asked: list[tuple[str, ...]] = []
    content = Dataset.content

    def counted(self: Dataset, needs: tuple[str, ...]) -> Iterator[Batch]:
        asked.append(tuple(needs))
        return content(self, needs)

    monkeypatch.setattr(Dataset, "content", counted)

    told: list[int] = []
    report = run_rules(Context(dataset), tell=told.append)

    assert asked == [("image", "id", "version_removed", "text", "licence", "url")]
    assert (report.n_records, sum(told)) == (3, 3)
    assert report.columns == {"id": "id", "text": "caption", "licence": "license", "url": "url"}


@pytest.mark.usefixtures("table")
def test_facts_come_from_the_sidecar_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr(Broken, "where", "nowhere")
    (tmp_path / "x.jsonl").write_bytes(jsonl(ROWS))
    (tmp_path / "provenance").mkdir()
    pq.write_table(pa.table({"id": ["r1", "r1"]}), tmp_path / "provenance" / "records.parquet")

    report = run_rules(Context(open_dataset(tmp_path)))

    assert report.n_records == 3
    assert report.outcomes[1].findings[0].evidence[0].file == "provenance/records.parquet"


def test_rules_are_asked_for_by_id_each_once(dataset: Dataset) -> None:
    report = run_rules(Context(dataset), ["F2", "F1", "F2"])

    assert [outcome.rule for outcome in report.outcomes] == ["F2", "F1"]
    with pytest.raises(UnknownNameError, match="unknown rule 'F9'"):
        run_rules(Context(dataset), ["F9"])


def test_the_seconds_of_each_rule_are_told_to_whoever_measures(dataset: Dataset) -> None:
    seconds: dict[str, float] = {}

    run_rules(Context(dataset), ["F1", "F2"], seconds=seconds)

    assert set(seconds) == {"F1", "F2"}


def test_the_same_dataset_gives_the_same_report(dataset: Dataset) -> None:
    assert run_rules(Context(dataset), ["F1", "F2"]) == run_rules(Context(dataset), ["F1", "F2"])


def test_every_row_of_the_table_has_a_rule_of_its_id_that_says_what_it_gives() -> None:
    for row in RULES.rows():
        rule = RULES.load(row.name)

        assert issubclass(rule, Rule)
        assert rule.id == row.name
        assert rule.reads in {"nothing", "facts", "content"}
        assert rule.severities, f"{row.name} says no severities"
        assert rule.__doc__, f"{row.name} has no docstring, which is its help"


def test_the_table_is_in_the_order_of_ids() -> None:
    names = [row.name for row in RULES.rows()]

    assert names == sorted(names, key=lambda name: ("FLSPDOR".index(name[0]), int(name[1:])))
