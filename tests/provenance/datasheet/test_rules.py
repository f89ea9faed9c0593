"""D1, D2 and D3 on small datasets: what fails, what passes, what is malformed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from copycat.provenance.dataset import open_dataset
from copycat.provenance.records import Finding, Outcome
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules

Check = Callable[..., Outcome]
HASH = "ab" * 32


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write records and a card, and give what came of one rule."""

    def of(rule: str, records: list[dict[str, Any]], card: str | None = None, **options: str) -> Outcome:
        lines = "\n".join(json.dumps({"id": str(at), **record}) for at, record in enumerate(records))
        (tmp_path / "train.jsonl").write_text(lines + "\n", encoding="utf-8")
        if card is not None:
            (tmp_path / "README.md").write_text(card, encoding="utf-8")
        context = Context(open_dataset(tmp_path), as_of=date(2026, 6, 1), options=options)
        return run_rules(context, [rule]).outcomes[0]

    return of


def only(outcome: Outcome) -> Finding:
    assert len(outcome.findings) == 1, outcome.findings
    return outcome.findings[0]


# ------------------------------------------------------------------------------------------------ D1

RECORDS = [{"text": "a tile", "language": "en", "source": "tiles.example.org"}] * 80


def test_d1_a_card_that_answers_little_is_a_warning(check: Check) -> None:
    found = only(
        check(
            "D1", RECORDS, "---\nlicense: mit\n---\n\n## Biases\n\nNone, because each tile was drawn by one program.\n"
        )
    )
    assert found.severity == "warning"
    assert found.said.startswith("the card answers 2 of 41 fields (identity 1/8")


def test_d1_no_card_is_a_warning(check: Check) -> None:
    found = only(check("D1", RECORDS))
    assert (found.severity, found.said.partition(":")[0]) == ("warning", "there is no card")


def test_d1_placeholders_are_told_with_their_place(check: Check) -> None:
    outcome = check("D1", RECORDS, "## Biases\n\nTBD\n\n## Limitations\n\nN/A\n")
    boilerplate = outcome.findings[0]
    assert boilerplate.said == "2 fields of the card hold a blank or text that says nothing: biases, limitations"
    assert [place.pointer for place in boilerplate.evidence] == ["Biases", "Limitations"]


def test_d1_a_card_that_contradicts_the_records_is_an_error(check: Check) -> None:
    outcome = check("D1", RECORDS[:9], "## Size\n\nThe dataset contains 10,000 rows.\n")
    found = outcome.findings[0]
    assert (found.severity, found.said) == ("error", "the card says '10,000 rows'; it is not so: 9 records")
    assert found.evidence[0].file == "README.md"


def test_d1_a_whole_card_passes(check: Check, whole_card: str) -> None:
    """The records are those that the card speaks of."""
    records = []
    for at in range(100):
        records.append(
            {
                "text": "a tile",
                "language": "en" if at < 70 else "de",
                "source": "tiles.example.org" if at < 60 else "mosaic.example.org",
                "url": None if at < 3 else f"https://tiles.example.org/{at}",
                "split": "train" if at < 80 else "test",
                "retrieved_at": "2025-03-02",
                "synthetic": at < 20,
                "generator": "Tile Captioner" if at < 20 else None,
                "prompt_hash": HASH if at < 20 else None,
            }
        )
    outcome = check("D1", records, whole_card)
    assert (outcome.status, outcome.said) == ("passed", "the card answers 41 of 41 fields")


@pytest.mark.parametrize(
    "card",
    ["---\ndataset_info: [1, {splits: 7}, {splits: [{name: {a: 1}, num_examples: x}]}]\n---\n",
     "---\nlanguage: {en: 1}\nlicense: [[[]]]\nsize_categories: {a: 1}\n---\n",
     "---\nlicense: [mit\n---\n# \ud7ff\n", "#" * 5000, "## Size\n" + "9" * 6000 + " rows\n", "| a |\n" * 3000,
     "- **License:** \n" * 500,
     "## Biases\n" + "because " * 5000],
)  # fmt: skip
def test_d1_a_malformed_card_is_read_as_far_as_it_goes(check: Check, card: str) -> None:
    assert check("D1", RECORDS, card).status == "found"


def test_d1_croissant_of_strange_shapes_is_read_as_far_as_it_goes(check: Check, tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = {"name": [deep]}
    strange = {
        "name": deep,
        "license": [None, {"@id": 3}],
        "creator": [[[]]],
        "recordSet": "none",
        "rai:dataBiases": {"@value": 7},
    }
    (tmp_path / "croissant.json").write_text(json.dumps(strange), encoding="utf-8")
    assert check("D1", RECORDS).status == "found"


# ------------------------------------------------------------------------------------------------ D2


def test_d2_a_synthetic_record_without_model_or_prompt_is_an_error(check: Check) -> None:
    records = [{"synthetic": True}, {"synthetic": True, "generator": "m-1"}, {"synthetic": False}, {"synthetic": None}]
    outcome = check("D2", records, "## Synthetic data\n\n50 % of the records are synthetic.\n")
    assert [(found.severity, found.n_records) for found in outcome.findings] == [("error", 1), ("error", 2)]
    assert outcome.findings[0].evidence[0].place == "train.jsonl:1 generator"


def test_d2_disclosed_records_and_a_stated_share_pass(check: Check) -> None:
    records = [{"synthetic": True, "generator": "m-1", "prompt_hash": HASH}, {"synthetic": False}]
    outcome = check("D2", records, "## Synthetic data\n\n50 % of the records are synthetic.\n")
    assert (outcome.status, outcome.said) == ("passed", "1 of 2 records (50.0 %) are synthetic")


@pytest.mark.parametrize(
    ("card", "severity"),
    [("## Synthetic data\n\n5 % are synthetic.\n", "error"), ("# Tiles\n", "warning"), (None, "warning")],
)
def test_d2_a_share_that_is_not_stated_or_not_so_is_a_finding(check: Check, card: str | None, severity: str) -> None:
    records = [{"synthetic": True, "generator": "m-1", "prompt_hash": HASH}, {"synthetic": False}]
    found = only(check("D2", records, card))
    assert found.severity == severity
    assert "1 of 2 records (50.0 %) are synthetic" in found.said


def test_d2_malformed_marks_are_read(check: Check) -> None:
    """Words, numbers and structs; a prompt in place of its hash."""
    records = [{"synthetic": "yes", "generator": "m", "prompt_hash": "draw a tile"},
               {"synthetic": 1, "generator": ["m"], "prompt_hash": HASH}, {"synthetic": "No"},
               {"synthetic": {"model": "m"}, "generator": "m", "prompt_hash": HASH}]  # fmt: skip
    outcome = check("D2", records, "## Synthetic data\n\n75 % of the records are synthetic.\n")
    found = only(outcome)
    assert (found.severity, found.said) == ("warning", "prompts of synthetic records that are no sha256: 1")


def test_d2_is_not_applicable_where_no_record_tells(check: Check) -> None:
    assert check("D2", [{"text": "a tile"}]).status == "not-applicable"
    assert check("D2", [{"synthetic": False}]).said == "no record is marked as synthetic"
    half = check("D2", [{"synthetic": False}, {"synthetic": None}]).said
    assert half == "no record is marked as synthetic; it is unknown for 1"
    assert check("D2", [{"synthetic": None}]).said.startswith("no record says whether a model made it")


def test_d2_a_share_is_told_with_how_many_do_not_say(check: Check) -> None:
    records = [{"synthetic": True, "generator": "m-1", "prompt_hash": HASH}, {"synthetic": False}, {"synthetic": None}]
    found = check("D2", records, "# Tiles\n").findings[0]
    assert "1 of 3 records (33.3 %) are synthetic; it is unknown for 1" in found.said
    assert "at least 33.3 %" in found.advice
    assert check("D2", records, "## Synthetic data\n\n50 % of the records are synthetic.\n").status == "passed"
    assert check("D2", records, "## Synthetic data\n\n5 % of the records are synthetic.\n").status != "passed"


# ------------------------------------------------------------------------------------------------ D3

MAIL = "Write to ines.vogt@mail.planted-fixture.org"


def test_d3_planted_addresses_are_counted_and_masked(check: Check) -> None:
    found = only(check("D3", [{"text": "a tile"}] * 9 + [{"text": MAIL}]))
    assert found.severity == "warning"
    assert found.said == "1 of 10 records (10.0 %) hold what belongs to a person (e-mail address: 1)"
    assert found.evidence[0].place == "train.jsonl:10 text"
    assert "ines" not in found.model_dump_json() and "planted" not in found.model_dump_json()


def test_d3_a_card_that_says_none_is_contradicted(check: Check) -> None:
    outcome = check("D3", [{"text": MAIL}], "## Personal data\n\nNone, because tiles show ornaments.\n")
    found = only(outcome)
    assert found.severity == "error"
    assert found.evidence[0].pointer == "Personal data"


def test_d3_a_card_that_says_what_is_left_is_not_contradicted(check: Check) -> None:
    card = "## Personal data\n\nNo names, but e-mail addresses stand in some captions.\n"
    assert only(check("D3", [{"text": MAIL}], card)).severity == "warning"


@pytest.mark.parametrize(
    ("text", "is_claim"),
    [
        ("None.", True),
        ("There is no personal data.", True),
        ("This dataset contains no personal or sensitive information.", True),
        ("Not looked for yet.", False),
        ("No e-mail addresses were removed.", False),
        ("Nothing was masked; names are kept.", False),
    ],
)
def test_d3_only_a_card_that_says_there_is_none_is_contradicted(check: Check, text: str, is_claim: bool) -> None:
    outcome = check("D3", [{"text": "mail zoravi@tiles.example.io"}], f"## Personal data\n\n{text}\n")
    assert outcome.findings[0].severity == ("error" if is_claim else "warning")


def test_d3_a_sample_says_how_sure_its_share_is(check: Check) -> None:
    records = [{"text": MAIL if at % 4 == 0 else "a tile"} for at in range(2000)]
    found = only(check("D3", records, **{"personal-sample": "200"}))
    assert "of a sample of 200 from 2000" in found.said and "[" in found.said


@pytest.mark.slow
def test_d3_of_very_long_texts_fewer_records_are_looked_at(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycat.provenance.datasheet.personal.rule.MOST_LETTERS", 1_000_000)
    outcome = check("D3", [{"text": "a tile of clay " * 266}] * 300)
    assert outcome.said.startswith("nothing in 250"), "1 million letters are 250 texts of 4,000"
    assert " of 300 records, so at most" in outcome.said


def test_d3_harmless_texts_pass(check: Check) -> None:
    outcome = check("D3", [{"text": "ISBN 978-3-16-148410-0, version 1.2.3.4"}] * 3)
    assert (outcome.status, outcome.said.partition(";")[0]) == ("passed", "nothing in 3 records")


def test_d3_texts_of_other_types_and_no_texts_are_no_failure(check: Check) -> None:
    assert check("D3", [{"text": 5}, {"text": None}, {"text": ["a", {"b": MAIL}]}, {"title": ""}]).status in {
        "passed",
        "found",
    }
    assert check("D3", [{"width": 64}]).status == "not-applicable"
