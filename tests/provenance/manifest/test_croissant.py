"""croissant.json is Croissant 1.1 with RAI and PROV-O, and says nothing that nobody stated. Reference: mlcroissant."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from manifests import CARD, Make, Manifested, greetings

from copycat.paths import file_sha256
from copycat.provenance.dataset import Card
from copycat.provenance.manifest.publishing import publish, unfinished, writing
from copycat.provenance.manifest.stated import RECOMMENDED, REQUIRED, stated_properties
from copycat.provenance.records import RECORDS_FILE


def jsonld_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "provenance" / "croissant.json").read_text())
    return found


def test_a_card_that_states_all_gives_all_required_and_recommended_properties(
    make: Make, manifested: Manifested
) -> None:
    folder = make(greetings(), card=CARD)
    assert manifested(folder).missing == ()
    found = jsonld_of(folder)
    assert found["conformsTo"] == ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
    assert set(REQUIRED) | set(RECOMMENDED) <= found.keys()
    assert found["rai:dataLimitations"] == "too small for anything"
    assert found["prov:wasDerivedFrom"] == [{"@type": "prov:Entity", "@id": "https://example.org/parent"}]
    assert found["prov:wasAttributedTo"] == [{"@type": "prov:Agent", "prov:label": "The Greetings Project"}]
    assert found["usageInfo"]["odrl:permission"]["odrl:action"] == {"@id": "odrl:read"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of mlcroissant's own libraries
def test_mlcroissant_finds_no_fault_and_loads_the_records(make: Make, manifested: Manifested) -> None:
    import mlcroissant

    folder = make(greetings(3), card=CARD)
    manifested(folder)
    dataset = mlcroissant.Dataset(jsonld=str(folder / "provenance" / "croissant.json"))
    assert (dataset.metadata.issues.errors, dataset.metadata.issues.warnings) == (set(), set())
    records = list(dataset.records("records"))
    assert [record["records/id"] for record in records] == [b"g0", b"g1", b"g2"]
    assert {record["records/licence"] for record in records} == {b"CC-BY-4.0"}
    kept = dataset.metadata.to_json()
    assert "prov:wasDerivedFrom" in kept
    assert "usageInfo" in kept


def test_files_have_their_hashes_and_the_same_version_gives_the_same_bytes(make: Make, manifested: Manifested) -> None:
    one, two = (make(greetings(), name, CARD) for name in ("one", "two"))
    manifested(one)
    manifested(two)
    assert (one / "provenance" / "croissant.json").read_bytes() == (two / "provenance" / "croissant.json").read_bytes()
    for each in jsonld_of(one)["distribution"]:
        path = one / "provenance" / each["contentUrl"]
        assert file_sha256(path) == each["sha256"]


def test_what_nobody_stated_is_named_and_not_made_up(make: Make, manifested: Manifested) -> None:
    folder = make(greetings())
    missing = manifested(folder, version="spring").missing
    assert {"license", "url", "creator", "datePublished", "version (MAJOR.MINOR.PATCH)"} <= set(missing)
    assert not {"license", "url", "creator", "datePublished"} & jsonld_of(folder).keys()


def test_what_the_user_types_goes_before_the_card_and_is_kept_in_the_next_version(
    make: Make, manifested: Manifested
) -> None:
    folder = make(greetings(), card=CARD)
    manifested(folder, facts={"license": "MIT", "prov:wasGeneratedBy": "a walk", "rai:dataBiases": "friendly"})
    found = jsonld_of(folder)
    assert found["license"] == "MIT"
    assert found["prov:wasGeneratedBy"] == {"@type": "prov:Activity", "prov:label": "a walk"}
    make(greetings(5), card=CARD)
    manifested(folder)
    assert jsonld_of(folder)["rai:dataBiases"] == "friendly"


@pytest.mark.parametrize(
    ("front", "name", "value"),
    [
        ({"license": ["mit", "apache-2.0"]}, "license", ["mit", "apache-2.0"]),
        ({"license": "other", "license_link": "https://example.org/l"}, "license", "https://example.org/l"),
        ({"authors": ["A. Writer"]}, "creator", [{"@type": "sc:Person", "name": "A. Writer"}]),
        ({"creator": {"@type": "Person", "name": "B"}}, "creator", [{"@type": "sc:Person", "name": "B"}]),
        ({"date_published": "last spring"}, "datePublished", None),
        ({"date_published": "2026-03-01T10:00:00"}, "datePublished", "2026-03-01"),
        ({"language": "en"}, "inLanguage", ["en"]),
        ({"creator": 7}, "creator", [{"@type": "sc:Organization", "name": "7"}]),
        (
            {"source_datasets": ["extended|squad"]},
            "prov:wasDerivedFrom",
            [{"@type": "prov:Entity", "prov:label": "squad"}],
        ),
        ({"source_datasets": "squad"}, "prov:wasDerivedFrom", None),
        ({"rai": {"dataBiases": ["a", "b"]}}, "rai:dataBiases", ["a", "b"]),
        ({"rai": "none", "prov": 3}, "rai:dataBiases", None),
    ],
)
def test_front_matter_of_any_form_is_read(
    make: Make, monkeypatch: pytest.MonkeyPatch, front: dict[str, Any], name: str, value: Any
) -> None:
    from dataclasses import replace

    from copycat.provenance.dataset import open_dataset

    dataset = replace(open_dataset(make(greetings(1))), card=Card(front=front))
    assert stated_properties(dataset, {}).get(name) == value


def test_more_files_than_can_be_listed_are_described_by_their_endings(
    tmp_path: Path, manifested: Manifested, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycat.provenance.manifest.croissant.MAX_FILES", 2)
    for name in ("a.png", "b.png", "c.txt"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "README.md").write_text(CARD)
    manifested(tmp_path)
    kinds = [each["@type"] for each in jsonld_of(tmp_path)["distribution"]]
    assert kinds == ["cr:FileSet", "cr:FileSet", "cr:FileObject"]


def faults_of(folder: Path) -> tuple[set[str], set[str]]:
    """What mlcroissant says of a croissant.json."""
    import mlcroissant

    issues = mlcroissant.Dataset(jsonld=str(folder / "provenance" / "croissant.json")).metadata.issues
    return issues.errors, issues.warnings


ODD_NAMES = ("a b.png", "é ü.png", 'q"uote.txt', "ap'o.txt", "x#y?.txt", "per%20cent.txt", "new\nline.txt")


def test_files_with_odd_names_have_plain_ids(tmp_path: Path, manifested: Manifested) -> None:
    for name in (*ODD_NAMES, "plain.txt", "records"):
        (tmp_path / name).write_bytes(name.encode())
    manifested(tmp_path)
    ids = {each["@id"]: each["name"] for each in jsonld_of(tmp_path)["distribution"]}
    assert len(ids) == len(ODD_NAMES) + 3
    assert {"plain.txt", RECORDS_FILE} <= ids.keys()
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in ids)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of mlcroissant's own libraries
@pytest.mark.parametrize("many", [False, True])
def test_mlcroissant_finds_no_fault_in_files_with_odd_names(
    tmp_path: Path, manifested: Manifested, monkeypatch: pytest.MonkeyPatch, *, many: bool
) -> None:
    monkeypatch.setattr("copycat.provenance.manifest.croissant.MAX_FILES", 2 if many else 500)
    for name in ODD_NAMES:
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "README.md").write_text(CARD)
    manifested(tmp_path)
    assert faults_of(tmp_path) == (set(), set())


ODD_CROISSANT = {
    "name": {"en": "Greetings"},
    "description": 5,
    "license": {"@id": "https://example.org/l"},
    "url": ["https://example.org/a", "https://example.org/b"],
    "creator": ["The Greetings Project", 5, {"@type": ["x"], "name": {"en": "G"}}],
    "datePublished": "soon",
    "keywords": [1, None, {"a": "b"}],
    "rai:dataBiases": {"a": "b"},
    "prov:wasDerivedFrom": 5,
    "usageInfo": [[1]],
}


def test_a_croissant_of_any_form_becomes_one_in_due_form(make: Make, manifested: Manifested) -> None:
    folder = make(greetings(1))
    (folder / "croissant.json").write_text(json.dumps(ODD_CROISSANT))
    assert "datePublished" in manifested(folder).missing
    found = jsonld_of(folder)
    assert (found["name"], found["description"], found["license"]) == ("Greetings", "5", "https://example.org/l")
    assert (found["url"], found["keywords"]) == ("https://example.org/a", ["1", "b"])
    assert [agent["name"] for agent in found["creator"]] == ["The Greetings Project", "5", "G"]
    assert {agent["@type"] for agent in found["creator"]} == {"sc:Organization"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of mlcroissant's own libraries
def test_mlcroissant_finds_no_error_in_it(make: Make, manifested: Manifested) -> None:
    folder = make(greetings(1))
    (folder / "croissant.json").write_text(json.dumps(ODD_CROISSANT))
    manifested(folder)
    assert faults_of(folder)[0] == set()


@pytest.mark.parametrize(
    "front",
    [
        "usageInfo: {a: 2026-01-01}",
        "usageInfo: .nan",
        "usageInfo: !!set {a, b}",
        "prov: {wasDerivedFrom: [2026-01-01]}",
        "prov: {wasDerivedFrom: !!binary aGVsbG8=}",
        "rai: {dataBiases: {a: .inf}}",
        "license: .nan",
    ],
)
def test_what_yaml_can_say_and_json_cannot_is_no_traceback(make: Make, manifested: Manifested, front: str) -> None:
    folder = make(greetings(1), card=f"---\n{front}\n---\n")
    manifested(folder)
    assert jsonld_of(folder)["@type"] == "sc:Dataset"


def test_the_hash_of_the_table_stays_true_when_somebody_else_publishes_a_table(
    make: Make, manifested: Manifested
) -> None:
    folder = make(greetings(), card=CARD)
    manifested(folder)
    sidecar = folder / "provenance"
    with writing(sidecar):
        unfinished(sidecar, RECORDS_FILE).write_bytes(b"another table")
        publish(sidecar, [RECORDS_FILE])
    stated = {each["@id"]: each["sha256"] for each in jsonld_of(folder)["distribution"]}
    assert stated[RECORDS_FILE] == file_sha256(sidecar / RECORDS_FILE)
