"""P4: every record can be looked up, and a planted one is found."""

from __future__ import annotations

from pathlib import Path

from planted_worlds import png, rows, write_folder, write_jsonl, write_parquet

from copycat.provenance.dataset import open_dataset
from copycat.provenance.licences.terms import whom_to_ask
from copycat.provenance.lookup.rules import Findable
from copycat.provenance.records import Finding
from copycat.provenance.rules import Context


def check(root: Path) -> tuple[Findable, list[Finding]]:
    rule = Findable(Context(open_dataset(root)))
    for batch in rule.context.dataset.content(rule.needs):
        rule.see(batch)
    return rule, list(rule.finish())


def test_p4_passes_where_every_record_is_found_by_what_it_holds(tmp_path: Path) -> None:
    records = [{**row, "image": {"bytes": png(i), "path": ""}} for i, row in enumerate(rows())]

    rule, found = check(write_parquet(tmp_path / "a", records))

    assert not found
    assert rule.n_tries == 4
    assert "4 of 4 tries found theirs" in rule.passed()


def test_p4_counts_records_that_nothing_can_find(tmp_path: Path) -> None:
    records = [*rows(6), {"id": "blind", "caption": "two words"}, {"id": "cut", "url": "no address"}]

    _, found = check(write_jsonl(tmp_path / "a", records))

    assert [(each.severity, each.n_records) for each in found] == [("warning", 2)]
    assert [each.line for each in found[0].evidence] == [7, 8]


def test_p4_says_where_nobody_can_be_asked(tmp_path: Path) -> None:
    _, found = check(write_folder(tmp_path / "a", 2))

    assert ["names nobody" in each.said for each in found] == [True]


def test_p4_survives_values_of_any_form(tmp_path: Path) -> None:
    """Malformed: numbers, lists, broken pictures and hashes where texts should be."""
    records = [
        {"id": 1, "url": ["https://a.example/1"], "author": 7, "phash": "zz", "image": "x"},
        {"id": None, "url": {"a": None}, "text": {"b": ["c"]}, "sha256": 3},
    ]

    rule, found = check(write_jsonl(tmp_path / "a", records))

    assert rule.n_records == 2
    assert all(each.severity == "warning" for each in found)


def test_p4_is_not_applicable_without_records(tmp_path: Path) -> None:
    rule, found = check(write_jsonl(tmp_path / "a", []))

    assert not found
    assert rule.not_applicable() == "there is no record"


def test_the_contact_is_found_in_front_matter_text_and_croissant(tmp_path: Path) -> None:
    cards = {
        "---\nmaintainers: [{name: x, email: a@example.org}]\n---\n": "a@example.org",
        "# T\n\n## How to opt out\n\nWrite to <b@example.org>.\n": "b@example.org",
        "# T\n\nSee c@example.org\n": "",
        "# T\n\nCite (author@example.org). Write to data@example.org.\n": "data@example.org",
        "# T\n\nSee https://example.org/contact.\n": "https://example.org/contact",
        "# T\n\n## Terms of use\n\nAsk d@example.org first.\n": "d@example.org",
        "---\ncontact: ask the maintainers\n---\n": "",
    }
    for number, (text, contact) in enumerate(cards.items()):
        root = write_jsonl(tmp_path / str(number), [{"id": "1"}])
        (root / "README.md").write_text(text)
        assert whom_to_ask(open_dataset(root)) == contact
