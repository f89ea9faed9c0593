"""O1 and D5: terms of use, and how often "public domain" is wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycat.provenance.dataset import open_dataset
from copycat.provenance.licences.public_domain import public_domain_error
from copycat.provenance.licences.terms import Text, clauses, find_clauses, sections
from copycat.provenance.records import Outcome

Maker = Callable[..., Path]
Check = Callable[..., Outcome]
CONTACT = "Write to data@example.org."

TOY: dict[str, str] = {
    "no-commercial-use": "The data may not be used for commercial purposes.",
    "no-passing-on": "You may not redistribute the files.",
    "ask-first": "Use requires prior written permission of the library.",
    "credit-required": "Users must cite our paper.",
    "copyright-claimed": "All rights reserved.",
    "bound-by-downloading": "By downloading this dataset you agree to all of the above.",
    "may-change-any-time": "We may change these terms at any time without notice.",
    "forbids-mining-for-research": "Text and data mining is reserved; no crawling or text and data mining takes place.",
    "gives-up-exceptions": "You waive any rights under fair use.",
    "deletes-models": "Upon our request you will delete all models trained on it.",
    "binds-outputs": "Any models trained on the data must be published under the same terms.",
    "indemnity": "You agree to indemnify the authors.",
    "no-criticism": "You may not publish benchmark results.",
    "blames-users": "You are solely responsible for any copyright infringement.",
    "for-good": "It may only be used for ethical purposes.",
    "no-harm": "Do not use it in harmful ways.",
    "discretion": "We may end access at our sole discretion.",
    "reasonable": "A reasonable number of copies is fine.",
}
HARMLESS = (
    "Please cite our paper if you like.",
    "The records are in the public domain.",
    "You may use it for anything, commercially too.",
    "The texts may contain offensive words.",
    "Version 3 of these terms is of 2 January 2026.",
    "Removals are announced in removals.jsonl; please follow them.",
    "Attribution is welcome.",
)


def ids(text: str) -> set[str]:
    return {hit.clause.id for hit in find_clauses(Text("TERMS.md", 1, "", text))}


def test_o1_there_is_a_toy_text_for_each_clause() -> None:
    assert {clause.id for clause in clauses()} == set(TOY)
    assert all(clause.source and clause.advice for clause in clauses())


@pytest.mark.parametrize(("name", "text"), TOY.items())
def test_o1_each_clause_is_found_in_its_toy_text(name: str, text: str) -> None:
    assert name in ids(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_o1_plain_sentences_have_no_clause(text: str) -> None:
    assert ids(text) == set()


def test_o1_a_sentence_is_shown_with_its_line() -> None:
    text = "Terms\n\n- One may read it.\n- We may change these terms at any time\n  without notice.\n"
    hits = list(find_clauses(Text("TERMS.md", 1, "", text)))

    assert [(hit.clause.id, hit.place.line) for hit in hits] == [("may-change-any-time", 4)]


def test_o1_only_sections_about_terms_are_read() -> None:
    body = "# Set\n## History\nAll rights reserved.\n## Terms of use\n### For you\nBe kind.\n## Authors\nMine.\n"
    assert [text.words for text in sections(body, "README.md")] == ["### For you\nBe kind."]


def test_o1_restricting_what_the_dataset_gives_freely_is_an_error(make: Maker, check: Check) -> None:
    path = make("license: cc0-1.0", body=CONTACT, files={"TERMS.md": TOY["no-commercial-use"]})
    found = check("O1", path)

    assert [finding.severity for finding in found.findings] == ["error"]
    assert found.findings[0].evidence[0].place == "TERMS.md:1"


def test_o1_restricting_records_in_the_public_domain_is_a_warning(make: Maker, check: Check) -> None:
    rows = [{"id": "a", "license": "https://creativecommons.org/publicdomain/mark/1.0/"}, {"id": "b", "license": "MIT"}]
    found = check("O1", make("license: other", rows, CONTACT, {"TERMS.txt": TOY["no-passing-on"]}))

    assert [(finding.severity, finding.n_records) for finding in found.findings] == [("warning", 1)]


def test_o1_a_restriction_of_works_that_are_protected_is_none_of_its_business(make: Maker, check: Check) -> None:
    path = make("license: cc-by-nc-4.0", body=CONTACT, files={"TERMS.md": TOY["no-commercial-use"]})
    assert check("O1", path).status == "passed"


def test_o1_a_missing_contact_is_a_warning(make: Maker, check: Check) -> None:
    assert [one.severity for one in check("O1", make("license: mit")).findings] == ["warning"]
    assert check("O1", make("license: mit", body="See https://example.org/contact")).status == "passed"
    assert check("O1", make("license: mit\ncontact: me@example.org")).status == "passed"


def test_o1_without_terms_and_card_there_is_nothing_to_read(make: Maker, check: Check) -> None:
    assert check("O1", make()).status == "not-applicable"


def test_o1_the_text_of_a_known_licence_is_left_alone(make: Maker, check: Check) -> None:
    licence = Path(__file__).parents[3] / "LICENSE"
    path = make("license: apache-2.0", body=CONTACT, files={"LICENSE": licence.read_text(encoding="utf-8")})
    assert check("O1", path).status == "passed"


def test_o1_malformed_terms_are_no_traceback(make: Maker, check: Check) -> None:
    path = make("license: cc0-1.0\nextra_gated_prompt: [1, 2]\nterms: {a: b}", body="# " * 5_000 + CONTACT)
    (path / "TERMS.md").write_bytes(b"\xff\xfe\x00 We may change these terms at any time. " + b"x" * 100_000)
    found = check("O1", path)

    assert [finding.severity for finding in found.findings] == ["warning"]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_o1_whatever_terms_say_nothing_is_raised(text: str) -> None:
    list(find_clauses(Text("TERMS.md", 1, "", text)))
    list(sections(text, "README.md"))


# ------------------------------------------------------------------------------------ D5


def test_d5_the_published_figures_come_out() -> None:
    """arXiv 2501.08365: 96.58 % and 97.20 % of 424,059; the product is .0958 %, 406; .09 % is printed."""
    found = public_domain_error(0.9658, 0.9720, 424_059)

    assert f"{100 * found.rate:.4f}" == "0.0958"
    assert round(found.expected) == 406
    assert (found.lowest, round(found.highest, 6)) == (0.0, 0.028)
    assert round(found.expected_highest) == 11_874


def test_d5_the_bounds_hold_for_any_dependence_and_are_reached() -> None:
    """Brute force: all joint distributions of two errors over 40 works."""
    n, first, second = 40, 30, 25
    rates = set()
    for overlap in range(41):
        if max(0, first + second - n) <= overlap <= min(first, second):
            rates.add(overlap / n)
    found = public_domain_error(1 - first / n, 1 - second / n, n)

    assert math.isclose(found.lowest, min(rates)) and math.isclose(found.highest, max(rates))
    assert all(found.lowest - 1e-12 <= one.rate <= found.highest + 1e-12 for one in found.correlated)
    assert math.isclose(found.correlated[-1].rate, found.highest)


def test_d5_a_simulation_of_independent_errors_lies_in_the_spread() -> None:
    chance = random.Random(7)
    found = public_domain_error(0.9, 0.8, 2_000)
    inside = 0
    for _ in range(100):
        wrong = sum(chance.random() < 0.1 and chance.random() < 0.2 for _ in range(2_000))
        inside += found.spread_low <= wrong <= found.spread_high
    assert inside >= 88


def test_d5_an_interval_needs_the_size_of_the_sample() -> None:
    assert public_domain_error(0.9, 0.9, 10).low is None
    found = public_domain_error(0.9, 0.9, 10, measured_on=100)
    wider = public_domain_error(0.9, 0.9, 10, measured_on=20)
    assert found.low is not None and found.high is not None and wider.low is not None and wider.high is not None
    assert wider.low < found.low < found.rate < found.high < wider.high


@pytest.mark.parametrize("given", [(1.1, 0.9, 5), (0.9, -0.1, 5), (math.nan, 0.9, 5), (0.9, 0.9, -1)])
def test_d5_impossible_figures_are_refused(given: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        public_domain_error(*given)


def matched(confidence: object) -> dict[str, object]:
    return {"licence": {"spdx": "CC-PDM-1.0", "method": "register match", "confidence": confidence}}


def test_d5_confidences_give_how_many_are_expected_to_be_wrong(make: Maker, check: Check) -> None:
    rows = [{"id": str(at), **matched(0.9)} for at in range(50)]
    found = check("D5", make(None, rows))

    assert [(one.severity, one.n_records) for one in found.findings] == [("warning", 50)]
    assert "5 are probably not" in found.said and "independent" in found.said


@pytest.mark.parametrize("shares", [(0.9, 0.5), ("0.9", "0.5")])
def test_d5_method_and_confidence_may_be_columns_of_their_own(
    make: Maker, check: Check, shares: tuple[object, object]
) -> None:
    """D5: of flat columns, as tables of text have them, too."""
    rows = [
        {"id": str(at), "license": "CC-PDM-1.0", "license_method": "register match", "license_confidence": share}
        for at, share in enumerate([*shares, None, "high"])
    ]
    found = check("D5", make(None, rows))

    assert [(one.severity, one.n_records) for one in found.findings] == [("error", 1), ("warning", 1), ("note", 2)]
    page = [{"id": "a", "license": "CC-PDM-1.0", "license_method": "page"}]
    assert check("D5", make(None, page)).status == "not-applicable"


def test_d5_a_manifest_keeps_method_and_confidence(make: Maker, check: Check) -> None:
    from copycat.provenance.manifest import write_manifest
    from copycat.provenance.manifest.writing import Order

    row = {"id": "a", "license": "CC-PDM-1.0", "licence_method": "register match", "licence_confidence": 0.25}
    path = make(None, [row, {**row, "id": "b", "licence_method": None, "licence_confidence": None}])
    write_manifest(open_dataset(path), Order(as_of=date(2026, 1, 2)))

    assert [one.n_records for one in check("D5", path).findings] == [1]


def test_d5_a_look_up_without_a_measured_error_is_a_warning(make: Maker, check: Check) -> None:
    found = check("D5", make(None, [{"id": "a", **matched(None)}]))
    assert [one.severity for one in found.findings] == ["warning"]


def test_d5_malformed_confidences_are_errors(make: Maker, check: Check) -> None:
    rows = [{"id": str(at), **matched(value)} for at, value in enumerate([1.5, -1.0, 0.5])]
    found = check("D5", make(None, rows))

    assert found.findings[0].severity == "error"
    assert found.findings[0].n_records == 2


def test_d5_a_dedication_is_no_look_up(make: Maker, check: Check) -> None:
    rows = [{"id": "a", "licence": {"spdx": "CC0-1.0", "method": "page", "confidence": None}}]
    assert check("D5", make(None, rows)).status == "not-applicable"
    assert check("D5", make()).status == "not-applicable"


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ("{title_accuracy: 0.9658, registration_accuracy: 0.972, n: 424059, false_rate: 0.0009}", "warning"),
        ("{title_accuracy: 0.9658, registration_accuracy: 0.972, n: 424059, false_rate: 0.00095760}", "note"),
        ("{title_accuracy: 0.9658, registration_accuracy: 0.972, n: 424059, false_rate: 0.5}", "error"),
        ("{title_accuracy: 96.58, registration_accuracy: 0.972}", "error"),
        ("{title_accuracy: high}", "error"),
        ("[1, 2]", "error"),
    ],
)
def test_d5_what_a_card_states_is_worked_out_again(make: Maker, check: Check, fields: str, severity: str) -> None:
    found = check("D5", make(f"license: mit\npublic_domain_matching: {fields}"))
    assert [one.severity for one in found.findings] == [severity]


@pytest.mark.parametrize("unit", ["dataset ", "x", "licensed under ", "no not no ", "data is "])
def test_a_card_that_is_made_to_be_slow_is_read_in_no_time(make: Maker, check: Check, unit: str) -> None:
    """Patterns that try every beginning with every end would take hours here."""
    path = make("license: mit", body=(unit * 100_000)[:100_000])

    for rule in ("L1", "L2", "L4", "O1"):
        assert check(rule, path).status in ("passed", "found", "not-applicable")
