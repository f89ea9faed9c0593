"""R1: the mapping of two laws' fields is complete, and says of each field what there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.errors import UnknownNameError
from copycat.provenance.dataset import Card, open_dataset
from copycat.provenance.datasheet import Completeness, DatasetFacts
from copycat.provenance.datasheet.fields import card_fields
from copycat.provenance.datasheet.summaries import SUMMARIES, readiness
from copycat.provenance.datasheet.summaries.computed import computed, top_domains
from copycat.provenance.datasheet.summaries.draft import summary_draft
from copycat.provenance.datasheet.summaries.template import summary
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules

MakeCard = Callable[[str], Card]
Score = Callable[..., Completeness]

# The numbered parts of the Commission's template of 24 July 2025, and of Civil Code 3111(a).
PARTS = {
    "eu": ("1.1", "1.2", "1.3", "2.1", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6", "3.1", "3.2", "3.3"),
    "ab2013": tuple(str(number) for number in range(1, 13)),
}


@pytest.mark.parametrize("name", SUMMARIES)
def test_r1_every_part_of_the_template_has_its_field(name: str) -> None:
    ids = [field.id.split(" ")[0] for field in summary(name).fields]
    assert tuple(dict.fromkeys(ids)) == PARTS[name]


@pytest.mark.parametrize("name", SUMMARIES)
def test_r1_every_field_is_answered_by_something_that_is_there(name: str) -> None:
    known = {field.id for field in card_fields().fields}
    for field in summary(name).fields:
        assert field.write and set(field.card) <= known
        assert (field.who == "provider") != bool(field.card or field.facts), field.id


def test_a_law_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="eu"):
        summary("ue")


def test_the_top_tenth_of_domain_names_is_by_records_and_never_none() -> None:
    domains = {f"d{at:02}.example.org": at + 1 for at in range(25)}
    top = top_domains(DatasetFacts(n_records=325, domains=domains))
    assert top == [("d24.example.org", 25), ("d23.example.org", 24), ("d22.example.org", 23)]
    assert top_domains(DatasetFacts(domains={"a.example.org": 1})) == [("a.example.org", 1)]
    assert top_domains(DatasetFacts()) == []


def test_what_the_records_tell_is_computed_and_the_rest_is_not_invented(tiles: DatasetFacts) -> None:
    assert computed(DatasetFacts()) == {}
    found = computed(tiles)
    assert found["synthetic"] == "20 of 100 records (20.0 %); Tile Captioner: 20 (20.0 %)"
    assert found["period"] == "2025-03-01 to 2025-03-09"
    assert "signals" not in found


@pytest.mark.parametrize(("n", "said"), [(999_999, "less than"), (1_000_000, "1 million to 1"), (10**9, "more than 1")])
def test_the_size_of_pictures_is_in_the_ranges_of_the_template(n: int, said: str) -> None:
    assert said in computed(DatasetFacts(n_records=n, modalities=("image",)))["range"]


def test_r1_a_whole_card_leaves_what_it_does_not_say(
    card_of: MakeCard, score: Score, tiles: DatasetFacts, whole_card: str
) -> None:
    card = card_of(whole_card)
    eu = readiness(summary("eu"), card, score(card), tiles)
    assert {one.field.id for one in eu.fields if one.status == "missing"} == {
        "1.3 modality", "1.3 size", "2.2.1", "2.2.2", "2.4", "2.6", "3.2",
    }  # fmt: skip
    assert {one.field.id for one in eu.fields if one.status == "provider"} == {"1.1", "1.2"}


def test_r1_an_empty_card_has_nothing_but_what_records_tell(score: Score, tiles: DatasetFacts) -> None:
    ready = readiness(summary("ab2013"), Card(), score(Card()), tiles)
    by_id = {one.field.id: one.status for one in ready.fields}
    assert [name for name, status in by_id.items() if status == "ready"] == ["1", "3", "5", "10", "12"]


def test_boilerplate_makes_no_field_ready(card_of: MakeCard, score: Score) -> None:
    card = card_of("\n\n".join(f"## {field.title}\n\nTBD" for field in card_fields().fields))
    for name in SUMMARIES:
        ready = readiness(summary(name), card, score(card, None), DatasetFacts())
        assert ready.count("ready") == ready.count("partly") == 0


def test_a_draft_holds_what_is_known_and_marks_the_rest(
    card_of: MakeCard, score: Score, tiles: DatasetFacts, whole_card: str
) -> None:
    card = card_of(whole_card)
    text = summary_draft(readiness(summary("eu"), card, score(card), tiles), "tiles", tiles, "2026-06-01")
    assert "### 2.5: synthetic data\n\n20 of 100 records (20.0 %)" in text
    assert "### 2.2.1: datasets licensed by rights holders\n\n[to be written: " in text
    assert "| tiles.example.org | 57 |" in text
    assert "no legal advice" in text


def test_a_draft_shows_hostile_names_as_text(score: Score) -> None:
    known = DatasetFacts(n_records=1, sources={"<script>alert(1)</script>|x": 1})
    text = summary_draft(readiness(summary("eu"), Card(), score(Card()), known), "<b>", known, "2026-06-01")
    assert "<script>" not in text and "<b>" not in text


@pytest.mark.parametrize(
    ("region", "severities"), [("US", ["note", "warning"]), ("DE", ["warning", "note"]), ("JP", ["note", "note"])]
)
def test_r1_a_gap_is_a_warning_where_the_law_holds(tmp_path: Path, region: str, severities: list[str]) -> None:
    (tmp_path / "train.jsonl").write_text(json.dumps({"id": "1", "text": "a tile"}), encoding="utf-8")
    outcome = run_rules(Context(open_dataset(tmp_path), region=region), ["R1"]).outcomes[0]
    assert [found.severity for found in outcome.findings] == severities
    assert outcome.findings[0].said.startswith("Public summary of training content (EU): 1 of 19 fields")


def test_r1_malformed_facts_are_no_failure(tmp_path: Path) -> None:
    rows = [{"id": "1", "url": 5, "language": ["x"], "retrieved_at": {"a": 1}, "signals": "x", "decision": [1]},
            {"id": "2", "url": "http://[", "language": None, "retrieved_at": "99", "signals": None}]  # fmt: skip
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert run_rules(Context(open_dataset(tmp_path)), ["R1"]).outcomes[0].status == "found"


def test_r1_records_with_addresses_are_not_said_to_be_crawled(
    card_of: MakeCard, score: Score, tiles: DatasetFacts
) -> None:
    """A photograph with an address was perhaps taken by its owner: only the card can say that somebody crawled."""
    walked = card_of("## Data collection\n\nTwo people walked the quays with a Nikon D7500 in May 2025.\n")
    crawled = card_of("## Data collection\n\nThe pages were crawled with Wget 1.21 in March 2025.\n")
    for card, status in ((walked, "partly"), (crawled, "ready")):
        ready = readiness(summary("eu"), card, score(card), tiles)
        found = {one.field.id: one for one in ready.fields}
        assert {found[name].status for name in ("2.3 period", "2.3 content", "2.3 domains")} == {status}
        assert found["2.3 crawlers"].status == ("ready" if status == "ready" else "missing")
        assert "walked" not in " ".join(one.answer for one in ready.fields if one.field.id.startswith("2.3"))
    assert found["1.3 date"].come_from[0] == "records: the latest day of retrieval"


def test_r1_unknown_is_not_told_as_none_synthetic(score: Score, tiles: DatasetFacts) -> None:
    """Records that do not say so are no records that no model made: nothing is ready where any is unknown."""
    silent = tiles.model_copy(update={"n_marked": 0, "n_synthetic": 0, "generators": {}})
    partly = tiles.model_copy(update={"n_marked": 20})
    no_model = tiles.model_copy(update={"n_synthetic": 0, "generators": {}})
    told = {"missing": silent, "partly": partly, "ready": no_model}
    for status, known in told.items():
        ready = readiness(summary("eu"), Card(), score(Card(), known), known)
        found = next(one for one in ready.fields if one.field.id == "2.5")
        assert found.status == status
        assert ("synthetic" in computed(known)) is bool(found.answer)
    assert computed(partly)["synthetic"].startswith("20 of 100 records (20.0 %); unknown for 80")
    assert score(Card(), silent).left_out == () and score(Card(), no_model).left_out != ()
