"""A report as SARIF and as a page; what is ignored; names of findings that stay."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from copycat.errors import DataError, UnknownNameError
from copycat.provenance.check.fingerprints import fingerprints
from copycat.provenance.check.ignoring import ignore
from copycat.provenance.check.page import build_page
from copycat.provenance.check.sarif import build_sarif, paragraphs
from copycat.provenance.check.settings import Ignored, find_purpose, read_settings, require_standard
from copycat.provenance.records import PURPOSES, CheckReport, Evidence, Finding, Outcome, Severity

HOSTILE = "<script>alert(1)</script> \"' & </style>"


def finding(said: str, severity: Severity = "error", rule: str = "F1", **fields: Any) -> Finding:
    return Finding(rule=rule, severity=severity, said=said, advice="mend it", **fields)


def report(*findings: Finding, **fields: Any) -> CheckReport:
    outcomes = []
    for rule, title in (("F1", "everything can be read"), ("F2", "ids are unique")):
        found = tuple(one for one in findings if one.rule == rule)
        status = "found" if found else "passed" if rule == "F1" else "not-applicable"
        outcomes.append(Outcome(rule=rule, title=title, status=status, said="seen", findings=found))  # type: ignore[arg-type]
    values = {
        "dataset": "my set",
        "kind": "jsonl",
        "n_files": 1,
        "n_records": 3,
        "purpose": PURPOSES["training"],
        "region": "EU",
        "as_of": date(2026, 3, 1),
        "outcomes": tuple(outcomes),
    }
    return CheckReport(**(values | fields))


PLACES = tuple(Evidence(file="a dir/x.jsonl", line=n, pointer="licence", value=f"v{n}") for n in range(1, 4))
FULL = report(
    finding("3 records are bad", evidence=PLACES, n_records=7),
    finding("the card says nothing", "warning", "F2"),
    finding("a picture", "note", "F2", evidence=(Evidence(file="p.png"),)),
)


# --------------------------------------------------------------------------------------- fingerprints


def test_a_finding_keeps_its_name_when_numbers_evidence_and_severity_change() -> None:
    before = fingerprints([finding("3 records are bad", evidence=PLACES)])

    assert fingerprints([finding("1,004 records are bad", "warning")]) == before
    assert fingerprints([finding("3 records are mad")]) != before
    assert fingerprints([finding("3 records are bad", rule="F2")]) != before


def test_findings_that_say_the_same_have_names_of_their_own() -> None:
    names = fingerprints([finding("1 is bad"), finding("2 is bad")])

    assert len(set(names)) == 2


# ------------------------------------------------------------------------------------------- ignoring


def entry(**fields: Any) -> Ignored:
    return Ignored(**({"rule": "F1", "reason": "made on export", "until": date(2026, 3, 1)} | fields))


def test_an_ignored_finding_stays_in_the_report_and_does_not_count() -> None:
    made = ignore(FULL, [entry()])

    assert [one.ignored for one in made.findings] == ["made on export (until 2026-03-01)", "", ""]
    assert (made.count("error"), FULL.count("error")) == (0, 1)
    assert made.notes == ()


def test_an_entry_counts_to_its_last_day_and_not_beyond() -> None:
    made = ignore(FULL, [entry(until=date(2026, 2, 28))])

    assert made.count("error") == 1
    assert made.notes == ("provenance.yaml: F1 was to be ignored until 2026-02-28, and counts again",)


def test_an_entry_may_be_about_one_finding_and_one_that_hits_nothing_is_told_of() -> None:
    name = fingerprints(FULL.findings)[1]

    made = ignore(FULL, [entry(rule="F2", finding=name), entry(finding="0" * 12)])

    assert [bool(one.ignored) for one in made.findings] == [False, True, False]
    assert made.notes == (f"provenance.yaml: nothing was found that F1 {'0' * 12} is about; the entry can go",)


def test_a_finding_is_ignored_by_its_fingerprint_alone() -> None:
    name = fingerprints(FULL.findings)[1]

    made = ignore(FULL, [entry(rule=None, finding=name), entry(rule=None, finding="0" * 12)])

    assert [bool(one.ignored) for one in made.findings] == [False, True, False]
    assert made.notes == ()  # the second may be of a rule that was not asked


# ------------------------------------------------------------------------------------------- settings


def test_settings_lie_with_the_dataset(tmp_path: Path) -> None:
    text = """for: research
region: no
columns: {licence: rights}
sample: 500
ignore:
- {rule: F2, reason: made on export, until: 2027-01-31}
"""
    (tmp_path / "provenance.yaml").write_text(text)

    settings = read_settings(tmp_path)

    assert (settings.purpose, settings.region, settings.columns) == ("research", "NO", {"licence": "rights"})
    assert settings.ignore[0].until == date(2027, 1, 31)
    assert read_settings(tmp_path / "nothing").ignore == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ignore:\n- {rule: F2, until: 2027-01-31}", "provenance.yaml: ignore, entry 1: reason is missing"),
        ("ignore:\n- {rule: F2, reason: x}", "ignore, entry 1: until is missing"),
        ("ignore:\n- {rule: F2, reason: ' ', until: 2027-01-31}", "ignore, entry 1: reason is empty"),
        ("ignroe: []", "provenance.yaml: ignroe is no setting"),
        (
            "ignore:\n- {reason: x, until: 2027-01-31}",
            "ignore, entry 1: neither rule nor finding is given; needed: one",
        ),
        (
            "ignore:\n- {rule: F2, reason: x, until: soon}",
            "ignore, entry 1: until is wrong: input should be a valid date",
        ),
        ("sample: 0", "sample is wrong: input should be greater than or equal to 1"),
        ("columns: []", "columns is wrong: input should be a valid dictionary"),
        ("region: Europe", "region is no country's two letters (ISO 3166), US-CA, or EU"),
        ("- a list", "is not a mapping"),
        ("a: &a [*a]", "is not plain YAML: an alias"),
        ("'", "is not plain YAML: "),
    ],
)
def test_settings_that_are_wrong_are_told_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "provenance.yaml").write_text(text)

    with pytest.raises(DataError) as told:
        read_settings(tmp_path)

    assert said in str(told.value)
    assert str(told.value).splitlines()[-1] == "  the form: docs/provenance.md, 'Settings of a check'"


def test_unknown_names_suggest_near_ones(tmp_path: Path) -> None:
    (tmp_path / "provenance.yaml").write_text("ignore:\n- {rule: F11, reason: x, until: 2027-01-31}")

    with pytest.raises(UnknownNameError, match=r"unknown rule 'F11'\n  did you mean 'F1'"):
        read_settings(tmp_path)
    with pytest.raises(UnknownNameError, match=r"unknown purpose 'trainig'\n  did you mean 'training'\?"):
        find_purpose("trainig")
    with pytest.raises(UnknownNameError, match=r"unknown standard column 'license'\n  did you mean 'licence'"):
        require_standard({"license": "x"})


# ---------------------------------------------------------------------------------------------- SARIF


def sarif(made: CheckReport = FULL, prefix: str = "data/my set") -> dict[str, Any]:
    return build_sarif(made, prefix, "README.md", "1.2.3")


def test_sarif_has_the_structure_that_its_schema_asks_for() -> None:
    """The members, types and words of the OASIS schema that this form uses; written from section 3 of the standard."""
    log = sarif()

    assert (log["version"], set(log)) == ("2.1.0", {"$schema", "version", "runs"})
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == ["F1", "F2"]
    for rule in driver["rules"]:
        assert {"shortDescription", "fullDescription", "help"} <= set(rule)
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note", "none"}
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"].endswith(".")
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            assert location["physicalLocation"]["region"]["startLine"] >= 1
            assert " " not in location["physicalLocation"]["artifactLocation"]["uri"]
        assert len(result["locations"]) == 1


def test_sarif_places_a_finding_in_the_repository() -> None:
    first, second, third = sarif()["runs"][0]["results"]

    place = first["locations"][0]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "data/my%20set/a%20dir/x.jsonl", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }
    assert place["logicalLocations"] == [{"fullyQualifiedName": "licence", "kind": "member"}]
    assert [other["physicalLocation"]["region"]["startLine"] for other in first["relatedLocations"]] == [2, 3]
    assert first["occurrenceCount"] == 7
    uri = second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "data/my%20set/README.md", "the dataset as a whole stands at its card"
    assert third["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "data/my%20set/p.png"


def test_sarif_of_a_repository_that_is_the_dataset_has_plain_paths() -> None:
    results = sarif(prefix="")["runs"][0]["results"]

    assert results[2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "p.png"


def test_sarif_keeps_fingerprints_and_marks_what_is_ignored() -> None:
    made = sarif(ignore(FULL, [entry()]))["runs"][0]["results"]

    assert [one["partialFingerprints"] for one in made] == [
        one["partialFingerprints"] for one in sarif()["runs"][0]["results"]
    ]
    assert made[0]["suppressions"] == [{"kind": "external", "justification": "made on export (until 2026-03-01)"}]
    assert "suppressions" not in made[1]


def test_sarif_shows_no_rule_that_found_nothing_as_a_result() -> None:
    """Code scanning reads no kinds: a result of kind "pass" would be an alert."""
    run = sarif(report())["runs"][0]

    assert run["results"] == []
    assert run["properties"]["outcomes"] == {"F1": "passed", "F2": "not-applicable"}


def test_the_help_of_a_rule_is_its_docstring_without_its_id() -> None:
    assert (
        paragraphs("F1: every file\n    can be read.\n\n    More\n    of it.\n    ")
        == "Every file can be read.\n\nMore of it."
    )
    assert paragraphs("Note this: it is kept.") == "Note this: it is kept."


# ----------------------------------------------------------------------------------------------- page


class Tags(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action"}]
        self.ids += [value or "" for name, value in attrs if name == "id"]


def test_the_page_asks_nothing_of_the_network_and_runs_nothing() -> None:
    tags = Tags()
    tags.feed(build_page(FULL, "1.2.3"))

    assert "script" not in tags.tags
    assert all(address.startswith(("#", "data:,")) for address in tags.addresses)
    assert {address[1:] for address in tags.addresses if address.startswith("#")} <= set(tags.ids)
    assert len(tags.ids) == len(set(tags.ids))


def test_what_a_dataset_says_is_text_in_the_page() -> None:
    hostile = Evidence(file=HOSTILE, pointer=HOSTILE, value=HOSTILE)
    made = report(finding(HOSTILE, evidence=(hostile,)), dataset=HOSTILE, notes=(HOSTILE,), columns={"url": HOSTILE})
    tags = Tags()
    page = build_page(made, "1")
    tags.feed(page)

    assert "script" not in tags.tags
    assert "alert(1)" in page


def test_the_page_shows_each_finding_with_places_and_advice_and_each_rule() -> None:
    page = build_page(ignore(FULL, [entry(rule="F2")]), "1.2.3")

    for text in ("3 records are bad", "mend it", "a dir/x.jsonl:2", "For instance (of 7)", "everything can be read"):
        assert text in page
    assert "made on export" in page
    assert page.index("3 records are bad") < page.index('id="ignored"') < page.index("the card says nothing")


def test_a_page_without_findings_says_so() -> None:
    assert "No rule found anything that counts." in build_page(report(), "1")


def test_the_page_states_facts() -> None:
    text = re.sub(r"<style>.*?</style>", "", build_page(FULL, "1"), flags=re.DOTALL)

    assert not re.search(r"infring|guilt|violat|verdict|unlawful|illegal|\bsafe\b|compliant", text, re.IGNORECASE)


def test_letters_that_steer_or_turn_text_are_spelt_out_on_the_page() -> None:
    place = Evidence(file="\u202ecod\x1b[31m.exe", pointer="a\x00\u2066b\u2028", value="\ufeffx")

    page = build_page(report(finding("it \x9b is", evidence=(place,)), dataset="x\u202e"), "1")

    assert not re.search("[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]", page)
    assert r"\u202ecod\u001b[31m.exe" in page
