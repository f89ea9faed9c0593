"""L1 to L4: each with what passes, what is found, and what is malformed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.provenance.records import Outcome

Maker = Callable[..., Path]
Check = Callable[..., Outcome]
NC = {"id": "a", "text": "words", "license": "CC-BY-NC-4.0", "author": "Ada", "url": "https://example.org/a"}
FREE = {"id": "b", "text": "words", "license": "CC0-1.0", "url": "https://example.org/b"}


def severities(found: Outcome) -> list[str]:
    return [finding.severity for finding in found.findings]


# ------------------------------------------------------------------------------------ L1


@pytest.mark.parametrize("licence", ["CC-BY-4.0 OR MIT", "cc-by-4.0", "https://creativecommons.org/licenses/by/4.0/"])
def test_l1_a_valid_expression_passes(make: Maker, check: Check, licence: str) -> None:
    found = check("L1", make(f"license: {licence}"))

    assert found.status == "passed"
    assert "CC-BY-4.0" in found.said


def test_l1_a_card_without_a_licence_is_an_error_and_a_bare_folder_a_warning(make: Maker, check: Check) -> None:
    assert severities(check("L1", make())) == ["warning"]
    assert severities(check("L1", make("language: en"))) == ["error"]


def test_l1_is_no_louder_once_a_manifest_was_made(make: Maker, check: Check) -> None:
    """The croissant.json of a manifest is not a card that somebody wrote; one at the root is."""
    folder = make()
    (folder / "provenance").mkdir()
    (folder / "provenance" / "croissant.json").write_text("{}", encoding="utf-8")
    assert severities(check("L1", folder)) == ["warning"]

    (folder / "croissant.json").write_text("{}", encoding="utf-8")
    assert severities(check("L1", folder)) == ["error"]


def test_l1_not_a_license_is_an_error_that_shows_the_place(make: Maker, check: Check) -> None:
    found = check("L1", make("license: not-a-license"))

    assert severities(found) == ["error"]
    assert "not-a-license" in found.said
    assert found.findings[0].evidence[0].place == "README.md license"


@pytest.mark.parametrize(
    ("front", "severity"),
    [
        ("license: other", "warning"),
        ("license: cc-by-nc", "error"),
        ("license: CC BY", "warning"),
        ("license: [mit, cc-by-4.0]", "warning"),
        ("license: gpl-3.0", "note"),
        ("license: LicenseRef-mine", "warning"),
        ("license: 5", "error"),
        ("license: {a: {b: c}}", "error"),
        ("license: ''", "warning"),
        ("license: (((((MIT", "error"),
    ],
)
def test_l1_malformed_and_doubtful_licences_are_found(make: Maker, check: Check, front: str, severity: str) -> None:
    if front == "license: cc-by-nc":
        severity = "warning"  # a family, told without its version
    assert severities(check("L1", make(front))) == [severity]


def test_l1_the_words_of_a_licence_file_are_read(make: Maker, check: Check) -> None:
    path = make(files={"LICENSE": "This dataset is licensed under CC BY 4.0.\n"})

    assert check("L1", path).said == "CC-BY-4.0"


def test_l1_an_enormous_licence_file_is_a_finding(make: Maker, check: Check) -> None:
    assert severities(check("L1", make(files={"LICENSE": "words " * 100_000}))) == ["warning"]


def test_l1_croissant_gives_the_licence_as_address_name_or_object(make: Maker, check: Check) -> None:
    for value in (
        '"https://creativecommons.org/licenses/by/4.0/"',
        '["CC-BY-4.0"]',
        '{"@type": "CreativeWork", "name": "CC BY 4.0"}',
    ):
        path = make(files={"croissant.json": f'{{"license": {value}}}'})
        assert check("L1", path).said == "CC-BY-4.0"


# ------------------------------------------------------------------------------------ L2


def test_l2_a_noncommercial_part_inside_a_cc0_set_is_an_error(make: Maker, check: Check) -> None:
    found = check("L2", make("license: cc0-1.0", [NC, FREE]))

    assert severities(found) == ["error"]
    assert found.findings[0].n_records == 1
    assert "no commercial use" in found.said
    assert found.findings[0].evidence[1].value == "CC-BY-NC-4.0"


def test_l2_parts_that_ask_no_more_than_the_dataset_pass(make: Maker, check: Check) -> None:
    assert check("L2", make("license: cc-by-nc-4.0", [NC, FREE])).status == "passed"
    assert check("L2", make("license: cc-by-4.0 OR cc-by-sa-4.0", [FREE])).status == "passed"


def test_l2_a_card_that_says_records_have_their_own_licences_makes_it_a_warning(make: Maker, check: Check) -> None:
    body = "The collection is CC0. Each picture keeps its own licence, in the column license."
    found = check("L2", make("license: cc0-1.0", [NC], body))

    assert severities(found) == ["warning"]
    assert "own licence" in found.said


def test_l2_a_database_licence_claims_nothing_of_the_contents(make: Maker, check: Check) -> None:
    assert severities(check("L2", make("license: odc-by", [NC]))) == ["warning"]


def test_l2_of_a_choice_the_dataset_must_keep_the_duties_by_each(make: Maker, check: Check) -> None:
    rows = [{**NC, "license": "CC-BY-4.0"}]
    assert severities(check("L2", make("license: CC-BY-4.0 OR CC0-1.0", rows))) == ["error"]
    assert check("L2", make("license: cc0-1.0", [{**NC, "license": "CC-BY-4.0 OR CC0-1.0"}])).status == "passed"


def test_l2_card_croissant_and_licence_file_that_differ_are_an_error(make: Maker, check: Check) -> None:
    path = make(
        "license: cc-by-4.0",
        files={
            "LICENSE": "Licensed under CC0 1.0.\n",
            "croissant.json": '{"license": "https://spdx.org/licenses/MIT"}',
        },
    )
    found = check("L2", path)

    assert severities(found) == ["error"]
    assert "3 different licences" in found.said
    assert [one.file for one in found.findings[0].evidence] == ["README.md", "croissant.json", "LICENSE"]


@pytest.mark.parametrize("licence", ["not-a-license", ["MIT", "nonsense"], {"name": "what?"}, 7, "x" * 9_000])
def test_l2_malformed_licences_of_records_are_errors_and_no_traceback(
    make: Maker, check: Check, licence: object
) -> None:
    found = check("L2", make("license: cc-by-4.0", [{"id": "a", "license": licence}]))

    assert severities(found) == ["error"]
    assert found.status == "found"


def test_l2_records_without_a_known_licence_are_a_warning(make: Maker, check: Check) -> None:
    rows = [
        FREE,
        {"id": "c", "license": None},
        {"id": "d", "license": "unknown"},
        {"id": "e", "license": "LicenseRef-x"},
    ]
    found = check("L2", make("license: cc-by-4.0", rows))

    assert severities(found) == ["warning", "warning"]
    assert found.findings[0].n_records == 2


def test_l2_records_from_elsewhere_without_a_column_of_licences_are_a_warning(make: Maker, check: Check) -> None:
    assert severities(check("L2", make("license: mit", [{"id": "a", "url": "https://example.org"}]))) == ["warning"]
    assert check("L2", make("license: mit")).status == "not-applicable"


def test_l2_more_texts_than_are_told_apart_are_a_finding_and_bounded(
    make: Maker, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycat.provenance.licences.components.MAX_TEXTS", 10)
    rows = [{"id": str(at), "license": f"LicenseRef-{at}"} for at in range(30)]
    path = make(None, rows)
    found = check("L2", path)

    assert severities(found) == ["warning", "warning", "note"]
    assert found.findings[0].n_records == 20
    assert "more than 10 different licence texts" in found.findings[0].said
    assert found.findings[1].said.startswith("what LicenseRef-0, LicenseRef-1,")
    assert "and 5 others, the licences of 10 records, ask is not known" in found.findings[1].said
    told = check("L3", path)
    assert len(told.findings) == 11
    assert "no licence is known, or can be read, for 20 records" in told.findings[-1].said

    missing = check("L2", make(None, [*rows, {"id": "z", "license": None}]))
    assert [one.n_records for one in missing.findings if "no licence is known for" in one.said] == [1]


def test_l2_names_that_are_not_spdx_s_are_told_with_what_they_are_read_as(make: Maker, check: Check) -> None:
    rows = [{"id": "a", "license": "CC-BY-4"}, {"id": "b", "license": "CC BY"}, {"id": "c", "license": "CC-BY-4.0"}]
    found = check("L2", make("license: cc-by-4.0", rows))

    assert [(one.severity, one.n_records) for one in found.findings] == [("warning", 1), ("note", 1)]
    assert "'CC-BY-4' as CC-BY-4.0" in found.findings[1].said


def test_l2_the_address_of_a_licence_stands_for_it(make: Maker, check: Check) -> None:
    rows = [{"id": "a", "license_url": "https://creativecommons.org/licenses/by-nc/2.0/"}]
    assert "CC-BY-NC-2.0" in check("L2", make("license: cc0-1.0", rows)).said


def test_l2_a_dataset_whose_own_licence_is_not_known_is_compared_with_nothing_and_says_so(
    make: Maker, check: Check
) -> None:
    for front in (None, "license: other", "license: LicenseRef-mine"):
        found = check("L2", make(front, [NC]))
        assert severities(found) == ["note"]
        assert "held against nothing" in found.said


def test_l2_a_database_licence_over_records_that_keep_their_own_is_only_noted(make: Maker, check: Check) -> None:
    """The form that the Open Data Commons' licences are made for: ODC-By over pages, each under its own licence."""
    rows = [{**NC, "license": name} for name in ("CC-BY-NC-4.0", "CC-BY-NC-2.0", "CC-BY-SA-3.0", "CC-BY-4.0")]
    found = check("L2", make("license: odc-by", rows, "Each page keeps its own licence, in the column license."))

    assert [(one.severity, one.n_records) for one in found.findings] == [("note", 2), ("note", 1)]
    assert "CC-BY-NC-2.0, CC-BY-NC-4.0, the licences of 2 records, ask more: no commercial use" in found.said
    assert severities(check("L2", make("license: odc-by", rows))) == ["warning", "warning"]


@pytest.mark.parametrize(
    ("dataset", "record", "severity"),
    [
        ("cc-by-sa-4.0", "CC-BY-SA-3.0", None),
        ("cc-by-sa-3.0", "CC-BY-SA-4.0", "warning"),
        ("cc-by-sa-4.0", "CC0-1.0", None),
        ("cc-by-sa-4.0", "GPL-3.0-only", "warning"),
        ("cc-by-nc-sa-4.0", "CC-BY-SA-4.0", "warning"),
        ("[cc-by-sa-3.0, gfdl]", "CC-BY-SA-3.0", None),
        ("mit", "Apache-2.0", None),
        ("mit", "CC-BY-4.0", None),
        ("Elastic-2.0", "LicenseRef-CreativeML-OpenRAIL-M", "error"),
    ],
)
def test_l2_share_alike_parts_go_on_where_their_licence_lets_them(
    make: Maker, check: Check, dataset: str, record: str, severity: str | None
) -> None:
    found = check("L2", make(f"license: {dataset}", [{**NC, "license": record}]))
    assert severities(found) == ([] if severity is None else [severity])


APACHE = (Path(__file__).parents[3] / "LICENSE").read_text(encoding="utf-8")
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n"


@pytest.mark.parametrize(
    ("front", "files"),
    [
        ("MIT OR Apache-2.0", {"LICENSE-MIT": "MIT License\n", "LICENSE-APACHE": APACHE}),
        ("[mit, cc-by-4.0]", {"croissant.json": '{"license": ["https://spdx.org/licenses/CC-BY-4.0", "MIT"]}'}),
        ("cc-by", {"croissant.json": '{"license": "https://creativecommons.org/licenses/by/4.0/"}'}),
        ("gpl-3.0-or-later", {"LICENSE": GPL}),
        ("cc-by-4.0", {"LICENSE": "CC BY 4.0", "LICENSE-CODE": "MIT License\n"}),
    ],
)
def test_l2_statements_that_differ_in_exactness_alone_do_not_contradict(
    make: Maker, check: Check, front: str, files: dict[str, str]
) -> None:
    assert check("L2", make(f"license: {front}", files=files)).status == "not-applicable"


@pytest.mark.parametrize(
    ("front", "file"),
    [("cc-by-4.0", "CC BY-NC 4.0"), ("MIT", "MIT OR Apache-2.0"), ("cc-by", "CC BY-SA 4.0"), ("gpl-2.0-only", GPL)],
)
def test_l2_a_licence_file_that_says_something_else_contradicts(
    make: Maker, check: Check, front: str, file: str
) -> None:
    assert severities(check("L2", make(f"license: {front}", files={"LICENSE": file}))) == ["error"]


# ------------------------------------------------------------------------------------ L3


def test_l3_the_dataset_s_own_licence_holds_beside_those_of_its_records(make: Maker, check: Check) -> None:
    found = check("L3", make("license: cc-by-nc-4.0", [FREE]))

    assert severities(found) == ["error"]
    assert "CC-BY-NC-4.0, the licence of the dataset," in found.said


def test_l3_records_without_a_known_licence_are_not_passed_over(make: Maker, check: Check) -> None:
    rows = [FREE, {"id": "c", "license": None}, {"id": "d", "license": "unknown"}, {"id": "e", "license": "nonsense"}]
    found = check("L3", make("license: cc0-1.0", rows))

    assert [(one.severity, one.n_records) for one in found.findings] == [("warning", 3)]


def test_l3_many_licences_share_a_finding(make: Maker, check: Check) -> None:
    rows = [{"id": str(at), "license": f"LicenseRef-{at}"} for at in range(300)]
    found = check("L3", make(None, rows))

    assert len(found.findings) == 21
    assert "each of 280 further licences, those of 280 records" in found.findings[-1].said


def test_l3_a_noncommercial_record_does_not_fit_a_commercial_purpose(make: Maker, check: Check) -> None:
    path = make(None, [NC, FREE])

    assert severities(check("L3", path, "training")) == ["error"]
    assert check("L3", path, "research").status == "passed"


def test_l3_share_alike_and_a_proprietary_output_do_not_go_together(make: Maker, check: Check) -> None:
    path = make(None, [{**NC, "license": "CC-BY-SA-4.0"}])

    found = check("L3", path, "adapting", output_licence="LicenseRef-all-rights-reserved")
    assert severities(found) == ["error"]
    assert "may not go on" in found.said
    assert severities(check("L3", path, "adapting")) == ["warning"]
    assert check("L3", path, "adapting", output_licence="CC-BY-SA-4.0").status == "passed"


def test_l3_no_derivatives_do_not_fit_adapting(make: Maker, check: Check) -> None:
    path = make("license: cc-by-nd-4.0")

    assert severities(check("L3", path, "adapting")) == ["error"]
    assert check("L3", path, "training").status == "passed"


def test_l3_records_that_ask_for_credit_and_name_nobody_are_counted(make: Maker, check: Check) -> None:
    rows = [
        {"id": "a", "license": "CC-BY-4.0"},
        {"id": "b", "license": "CC-BY-4.0", "url": "https://example.org/b", "author": "  "},
        {"id": "c", "license": "CC-BY-4.0", "author": "Ada"},
        {"id": "d", "license": "CC0-1.0"},
    ]
    path = make(None, rows)

    assert [(one.severity, one.n_records) for one in check("L3", path, "sharing").findings] == [
        ("error", 1),
        ("warning", 1),
        ("note", 1),
    ]
    assert severities(check("L3", path, "training")) == ["warning", "warning", "note"]


def test_l3_malformed_licences_and_output_licences_are_no_traceback(make: Maker, check: Check) -> None:
    path = make(None, [{**NC, "license": "CC-BY-SA-4.0"}, {"id": "x", "license": ["("]}])

    assert severities(check("L3", path, "adapting", output_licence="nonsense")) == ["warning", "warning"]
    assert severities(check("L3", make(None, [{"id": "x", "license": "("}]))) == ["warning"]
    assert check("L3", make()).status == "not-applicable"


# ------------------------------------------------------------------------------------ L4


def test_l4_a_set_of_addresses_is_replicable_at_most(make: Maker, check: Check) -> None:
    rows = [{"id": str(at), "caption": "a cat", "url": f"https://example.org/{at}.jpg"} for at in range(3)]
    found = check("L4", make("license: cc0-1.0\nopenness: openly-licensed", rows))

    assert severities(found) == ["error"]
    assert "'replicable' at most" in found.said
    assert check("L4", make("license: cc0-1.0\nopenness: replicable", rows)).said.startswith("replicable: ")


def test_l4_texts_under_open_licences_are_openly_licensed(make: Maker, check: Check) -> None:
    path = make("license: cc-by-4.0\ntags: [open-data]", [{**FREE}])
    assert check("L4", path).said.startswith("openly-licensed: ")


def test_l4_a_closed_or_unknown_licence_leaves_open_access(make: Maker, check: Check) -> None:
    assert check("L4", make("license: mit", [NC, FREE])).said.startswith("open-access: ")
    assert check("L4", make(None, [{"id": "a", "text": "x", "license": None}])).said.startswith("open-access: ")
    claims = make("license: cc0-1.0", [NC], "All records are openly licensed and free.")
    assert severities(check("L4", claims)) == ["error"]
    modest = make("license: cc0-1.0", [NC], "Not all records are openly licensed.")
    assert check("L4", modest).status == "passed"


def test_l4_a_gate_takes_access_away(make: Maker, check: Check) -> None:
    front = "license: mit\nextra_gated_prompt: agree first\nopenness: open-access"
    found = check("L4", make(front, [FREE]))

    assert severities(found) == ["error"]
    assert "gate" in found.said


def test_l4_malformed_claims_and_addresses_are_no_traceback(make: Maker, check: Check) -> None:
    rows = [{"id": "a", "url": "https://[bad.jpg"}, {"id": "b", "url": 7}, {"id": "c", "url": None}]
    front = "openness: [1, {a: b}]\ntags: {x: y}\nlicense: nonsense"
    assert check("L4", make(front, rows)).said.startswith("none: ")


# ------------------------------------------------------------------------ removed records


def test_records_that_were_removed_do_not_count(make: Maker, check: Check) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from copycat.provenance.records import sidecar_schema

    path = make("license: cc0-1.0", [FREE])
    rows = [
        {"id": "a", "licence": {"spdx": "CC-BY-NC-4.0"}, "version_removed": "2"},
        {"id": "b", "licence": {"spdx": "CC0-1.0"}, "version_removed": None},
        {"id": "c", "licence": {"evidence_url": "https://creativecommons.org/publicdomain/zero/1.0/"}},
    ]
    (path / "provenance").mkdir()
    pq.write_table(pa.Table.from_pylist(rows, sidecar_schema()), path / "provenance" / "records.parquet")

    assert check("L2", path).status == "passed"
    assert check("L3", path).status == "passed"
