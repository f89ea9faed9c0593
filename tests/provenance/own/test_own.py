"""What ships passes its own rules X1 to X5; and each rule sees what it is for, and what is malformed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from copycat.paths import data_folder, package_folder
from copycat.provenance.own import OWN_RULES, run_own
from copycat.provenance.own.weights import MANIFEST_SUFFIX, WeightsManifest
from copycat.provenance.records import CheckReport, Outcome
from copycat.sandbox.corpus import Row
from copycat.sandbox.world import inhabitants

TODAY = date(2026, 12, 1)
ROOT = data_folder("characters").parent
SUBMISSION = "leaderboard/submissions/1.0/copycat-project__blank/9355e2d3c6f6"


def outcome(root: Path, rule: str, package: Path | None = None, day: date = TODAY) -> Outcome:
    return run_own(root, day, package, [rule]).outcomes[0]


def errors(found: Outcome) -> list[str]:
    return [finding.said for finding in found.findings if finding.severity == "error"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Copies of two character sets, of prompts, and of one submission."""
    (tmp_path / "characters").mkdir()
    shutil.copy(ROOT / "characters" / "unseen50.yaml", tmp_path / "characters")
    for name in ("retain", "sandbox", "instructions"):
        shutil.copytree(ROOT / "prompts" / name, tmp_path / "prompts" / name)
    shutil.copytree(ROOT / SUBMISSION, tmp_path / SUBMISSION)
    shutil.copy(ROOT / "leaderboard/submissions/README.md", tmp_path / "leaderboard/submissions")
    return tmp_path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with one small weight, its card and its manifest."""
    folder = tmp_path / "copycat" / "toy" / "weights"
    folder.mkdir(parents=True)
    (tmp_path / "toy.py").write_text("")
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n\nThe toy model.\n")
    data = {"name": "toys", "about": "toys", "made_by": "toys()", "licence": "Apache-2.0", "n_records": 1}
    stated = {"bytes": 7, "sha256": "0" * 64}
    model = {"name": "toy", "about": "a toy", "made_by": "toy train", "code": ["toy.py"], "seed": 0, "settings": {}}
    model |= {"trained_on": [{**data, "sha256": "0" * 64}], "files": {"model.safetensors": stated}}
    content: dict[str, Any] = {
        "weights": "toy/weights",
        "card": "README.md",
        "licence": "Apache-2.0",
        "models": [model],
    }
    rewrite(folder.parent / f"weights{MANIFEST_SUFFIX}", content)
    return tmp_path / "copycat"


def rewrite(path: Path, content: dict[str, Any]) -> None:
    """Write a manifest whose hashes are those of the files beside it."""
    folder = path.parent / "weights"
    for model in content["models"]:
        for name, stated in model["files"].items():
            if (folder / name).is_file():
                stated["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(content))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_ships_passes_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """X1, X2, X3 and X5, positive; the data of trainings is made again by the slow test."""
    monkeypatch.setattr("copycat.provenance.own.weights_facts.QUICK_DATA", {})
    report: CheckReport = run_own(ROOT, TODAY, rules=["X1", "X2", "X3", "X5"])

    assert [finding.said for finding in report.findings if finding.severity == "error"] == []
    assert [one.status for one in report.outcomes] == ["found", "passed", "passed", "passed"]
    assert report.n_records == 150 + 9


@pytest.mark.slow
def test_what_ships_passes_all_rules_with_its_data_made_again() -> None:
    report = run_own(ROOT, TODAY)

    warned = {finding.said.split(":")[0] for finding in report.findings if finding.severity != "note"}
    assert warned <= {"O1", "R1"}, "copycat has no address to write to, which its corpus needs; nothing else is missing"
    assert [one.rule for one in report.outcomes] == [rule.id for rule in OWN_RULES]


def test_x1_notes_only_what_is_not_known(root: Path) -> None:
    found = outcome(root, "X1")

    assert {finding.severity for finding in found.findings} == {"note"}
    assert [finding.said.partition(":")[0] for finding in found.findings] == ["barbie", "mr-potato-head"]


X1: list[tuple[str, str, str]] = [
    ("    franchise: Bambi\n", "    franchise: Bambi\n    nonsense: 1\n", "field 'nonsense': there is no such field"),
    ("licences: {name: fact, ", "licences: {", "field 'licences.name': is missing"),
    ("key_characteristic: Apache-2.0", "key_characteristic: Mine-1.0", "the licence is neither on SPDX's list"),
    ('      description: ["looks in the work; own words"]\n', "", "'sources.description': is missing"),
    ('authors: [{name: "Felix Salten", died: 1945}],', "", "'novel by Felix Salten, 1922/1923' runs by lives"),
    ("characters:\n", "characters: [\n", "unseen50.yaml"),
    ("characters:\n", "characters: &a\n  - *a\n", ""),
]


@pytest.mark.parametrize(("old", "new", "said"), X1, ids=[said[:30] or "cyclic" for *_, said in X1])
def test_x1_finds_a_field_without_source_or_licence_and_what_is_malformed(
    root: Path, old: str, new: str, said: str
) -> None:
    edit(root / "characters" / "unseen50.yaml", old, new)

    found = errors(outcome(root, "X1"))
    assert found
    assert any(said in one or said == "unseen50.yaml" for one in found)


def test_x1_tells_a_set_that_is_a_link_to_itself_and_errors_before_notes(root: Path) -> None:
    (root / "characters" / "loop.yaml").symlink_to("loop.yaml")

    found = outcome(root, "X1")

    assert found.findings[0].severity == "error"
    assert "loop.yaml" in found.said


def test_x1_finds_a_legal_note_that_is_typed_in(root: Path) -> None:
    path = root / "characters" / "unseen50.yaml"
    edit(
        path,
        "    versions:\n",
        "    legal_status: [{version: all, jurisdiction: US, status: protected}]\n    versions:\n",
    )
    edit(path, "licences: {name: fact", "licences: {legal_status: fact, name: fact")
    edit(path, "sources:\n  not_aliases", "sources:\n  legal_status: [somebody]\n  not_aliases")

    assert errors(outcome(root, "X1")) == ["aang: the legal note on 'all' is typed in, not computed"]


def test_x1_finds_that_there_are_no_characters(tmp_path: Path) -> None:
    assert errors(outcome(tmp_path, "X1")) == ["there is no character set in characters"]


def retain(folder: Path) -> Path:
    return folder / "prompts" / "retain"


def lm(folder: Path) -> Path:
    return folder / "prompts" / "sandbox" / "keywords-lm.json"


X2: list[tuple[str, Callable[[Path], object], str]] = [
    ("no card", lambda r: (retain(r) / "card.yaml").unlink(), "prompts/retain has no card"),
    ("no licence", lambda r: edit(retain(r) / "card.yaml", "licence: Apache-2.0\n", ""), "no licence is stated"),
    ("no licence at all", lambda r: edit(retain(r) / "card.yaml", "Apache-2.0", "not-a-license"), "neither on SPDX"),
    ("no how", lambda r: edit(retain(r) / "card.yaml", "    how: ", "    hwo: "), "'how' is missing"),
    (
        "no by",
        lambda r: edit(retain(r) / "card.yaml", "by: the copycat project, by hand", "by: ' '"),
        "'by' is missing",
    ),
    ("no date", lambda r: edit(retain(r) / "card.yaml", "'2026-11-29'", "soon"), "'soon' is no date"),
    ("future", lambda r: edit(retain(r) / "card.yaml", "'2026-11-29'", "'2031-01-01'"), "is after 2026-12-01"),
    ("other bytes", lambda r: edit(retain(r) / "objects.txt", "a", "b"), "other bytes than its card says"),
    ("gone", lambda r: (retain(r) / "objects.txt").unlink(), "is on the card, and is not there"),
    ("leads out", lambda r: edit(retain(r) / "card.yaml", "objects.txt:", "../sandbox/name.jsonl:"), "is not there"),
    ("unlisted", lambda r: (retain(r) / "more.txt").write_text("x"), "prompts/retain/more.txt is on no card"),
    ("list, other texts", lambda r: edit(lm(r), '"stars"', '"moons"'), "its texts are not those of its sha256"),
    ("list, no maker", lambda r: edit(lm(r), '"by": ', '"made": '), "nothing says who or what made it"),
    ("list, broken", lambda r: lm(r).write_text("{"), "keywords-lm.json is broken"),
    ("list, no object", lambda r: lm(r).write_text("[1]"), "is not a mapping"),
    ("card, no mapping", lambda r: (retain(r) / "card.yaml").write_text("- 1"), "is not a mapping"),
    ("card, aliases", lambda r: (retain(r) / "card.yaml").write_text("a: &a\n  b: *a\n"), "card.yaml is broken"),
    ("card, no text", lambda r: (retain(r) / "card.yaml").write_bytes(b"\xff\xfe\x00"), "card.yaml is broken"),
    ("card, huge", lambda r: (retain(r) / "card.yaml").write_bytes(b"#" * (9 << 20)), "more than 8388608 bytes"),
]


@pytest.mark.parametrize(("what", "damage", "said"), X2, ids=[what for what, *_ in X2])
def test_x2_finds_prompts_without_card_and_files_that_are_not_as_listed(
    root: Path, what: str, damage: Callable[[Path], object], said: str
) -> None:
    assert errors(outcome(root, "X2")) == []
    damage(root)

    assert any(said in one for one in errors(outcome(root, "X2"))), what


def test_x2_finds_that_there_are_no_prompts(tmp_path: Path) -> None:
    assert errors(outcome(tmp_path, "X2")) == ["there is no folder of prompts"]


def weights(folder: Path) -> Path:
    return folder / "toy" / "weights"


def manifest(folder: Path) -> Path:
    return folder / "toy" / f"weights{MANIFEST_SUFFIX}"


X3: list[tuple[str, Callable[[Path], object], str]] = [
    ("other bytes", lambda p: (weights(p) / "model.safetensors").write_bytes(b"other"), "another sha256"),
    ("gone", lambda p: (weights(p) / "model.safetensors").unlink(), "lists 'model.safetensors', which is not there"),
    ("no manifest", lambda p: manifest(p).unlink(), "is a weight without a manifest"),
    ("elsewhere", lambda p: (p / "stray.onnx").write_bytes(b"x"), "copycat/stray.onnx is a weight without a manifest"),
    ("unlisted", lambda p: (weights(p) / "more.json").write_text("{}"), "in a folder of weights, and in no manifest"),
    ("no card", lambda p: (weights(p) / "README.md").unlink(), "has no model card"),
    ("other licence", lambda p: edit(weights(p) / "README.md", "apache-2.0", "mit"), "states the licence 'mit'"),
    ("broken front", lambda p: edit(weights(p) / "README.md", "license: ", "license: ["), "states the licence ''"),
    ("not spoken of", lambda p: edit(weights(p) / "README.md", "The toy", "The other"), "does not speak of the model"),
    ("no licence", lambda p: edit(manifest(p), '"licence": "Apache-2.0", "models"', '"licence": "mine", "models"'),
     "the licence is neither"),
    ("data's licence", lambda p: edit(manifest(p), '"Apache-2.0", "n_', '"mine", "n_'), "of the data"),
    ("leads out", lambda p: edit(manifest(p), '"model.safetensors"', '"../../../etc/passwd"'), "which is not there"),
    ("code is gone", lambda p: (p.parent / "toy.py").unlink(), "was made by toy.py, which is not there"),
    ("malformed", lambda p: manifest(p).write_text("{"), "cannot be read"),
    ("other form", lambda p: manifest(p).write_text('{"models": []}'), "cannot be read"),
    ("no text", lambda p: manifest(p).write_bytes(b"\xff"), "cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "damage", "said"), X3, ids=[what for what, *_ in X3])
def test_x3_refuses_a_weight_without_a_manifest_or_with_another_hash(
    tmp_path: Path, package: Path, what: str, damage: Callable[[Path], object], said: str
) -> None:
    assert outcome(tmp_path, "X3", package).status == "passed"
    damage(package)

    assert any(said in one for one in errors(outcome(tmp_path, "X3", package))), what


def test_x3_finds_weights_that_are_too_large_together(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycat.provenance.own.weights.MAX_TOTAL_BYTES", 6)

    assert errors(outcome(tmp_path, "X3", package)) == ["weights of 7 bytes ship, at most 6 are allowed"]


def test_x3_finds_that_the_code_makes_other_training_data_now(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycat.provenance.own.weights_facts.QUICK_DATA", {"toys": lambda: (1, "1" * 64)})

    assert errors(outcome(tmp_path, "X3", package)) == [
        "'toy' learned from 'toys', and the code makes other data of that name now"
    ]


def test_x3_has_nothing_to_say_where_no_weight_ships(tmp_path: Path) -> None:
    found = outcome(tmp_path, "X3", tmp_path)

    assert (found.status, found.said) == ("not-applicable", "no weight ships")


def test_every_weight_that_ships_is_in_a_manifest_with_seed_code_and_data() -> None:
    package = package_folder("")
    manifests = [
        WeightsManifest.model_validate_json(path.read_bytes()) for path in package.rglob(f"*{MANIFEST_SUFFIX}")
    ]

    assert {one.weights for one in manifests} == {"sandbox/weights", "fairuse/world/weights"}
    for one in manifests:
        for model in one.models:
            assert all((package.parent / path).is_file() for path in model.code)
            assert all(data.licence == "Apache-2.0" for data in model.trained_on)


@pytest.mark.slow
def test_the_manifests_are_what_the_facts_give() -> None:
    """Makes the data of all trainings again; imports the libraries of training."""
    from copycat.provenance.own.weights_facts import write_manifests

    assert [path.name for path, is_new in write_manifests(package_folder(""), is_dry=True) if is_new] == []


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus of forty rows, all of which are checked."""
    who = inhabitants()[0]
    rows = [
        Row(id=f"r{i}", caption=f"{who.name} in the rain, picture {i}", character=who.id, looks=who.appearance, seed=i)
        for i in range(40)
    ]
    monkeypatch.setattr("copycat.provenance.own.weights_facts.corpus_rows", lambda: tuple(rows))
    monkeypatch.setattr("copycat.provenance.own.corpus.EVERY", 1)


@pytest.mark.usefixtures("few_rows")
def test_x4_runs_the_rules_for_datasets_on_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """X4, positive and negative: a card without a licence is found by L1 and told as X4."""
    from copycat.provenance.own import corpus

    assert errors(outcome(ROOT, "X4")) == []

    def unlicensed(folder: Path) -> None:
        (folder / "README.md").write_text("# A dataset\n")

    monkeypatch.setattr(corpus, "describe_corpus", unlicensed)
    assert any(said.startswith("L1: ") for said in errors(outcome(ROOT, "X4")))


@pytest.mark.usefixtures("few_rows")
def test_x4_of_a_malformed_corpus_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    from copycat.provenance.own import corpus

    def broken(folder: Path, rows: object) -> None:
        (folder / "captions.parquet").write_bytes(b"PAR1 and no more")

    monkeypatch.setattr(corpus, "write_corpus", broken)
    assert any(said.startswith("F1: ") for said in errors(outcome(ROOT, "X4")))


@pytest.mark.slow
def test_the_suite_and_the_corpus_pass_a_check_as_they_are_exported(tmp_path: Path) -> None:
    """Registry, prompt sets and corpus are datasets, too: no rule finds an error in them, for any purpose."""
    from copycat.provenance.dataset import open_dataset
    from copycat.provenance.own.corpus import write_corpus
    from copycat.provenance.own.weights_facts import corpus_rows
    from copycat.provenance.records import PURPOSES
    from copycat.provenance.rules import Context
    from copycat.provenance.rules.running import run_rules
    from copycat.sharing.suite_export import export_suite

    export_suite(tmp_path / "suite")
    (tmp_path / "corpus").mkdir()
    write_corpus(tmp_path / "corpus", corpus_rows())
    for name in ("suite", "corpus"):
        for purpose in PURPOSES.values():
            report = run_rules(Context(open_dataset(tmp_path / name), purpose=purpose, as_of=TODAY))
            assert [finding.said for finding in report.findings if finding.severity == "error"] == [], purpose.name


X5: list[tuple[str, Callable[[Path], object], str]] = [
    ("no card", lambda r: (r / "leaderboard/submissions/README.md").unlink(), "the submissions have no card"),
    ("card, no licence", lambda r: edit(r / "leaderboard/submissions/README.md", "license:", "lice:"), "no licence is"),
    ("no licence", lambda r: edit(r / SUBMISSION / "submission.json", '"licence": "Apache-2.0"', '"licence": null'),
     "the model 'blank': no licence is stated"),
    ("future", lambda r: edit(r / SUBMISSION / "submission.json", "2026-11-29", "2099-11-29"), "is after 2026-12-01"),
    ("other bytes", lambda r: edit(r / SUBMISSION / "metrics.json", "0", "1"), "other bytes than its list says"),
    ("no list", lambda r: [(r / SUBMISSION / one).unlink() for one in ("submission.json", "MANIFEST.sha256")],
     "has no MANIFEST.sha256 that can be read"),
    ("gone", lambda r: (r / SUBMISSION / "samples.jsonl").unlink(), "is listed, and is not there"),
    ("unlisted", lambda r: (r / SUBMISSION / "more.txt").write_text("x"), "is not on the list of its submission"),
    ("no list", lambda r: (r / SUBMISSION / "MANIFEST.sha256").unlink(), "has no MANIFEST.sha256"),
    ("malformed list", lambda r: (r / SUBMISSION / "MANIFEST.sha256").write_text("0 ../../x"), "none of sha256sum"),
    ("malformed", lambda r: (r / SUBMISSION / "submission.json").write_text("{"), "cannot be read"),
    ("gone facts", lambda r: (r / SUBMISSION / "submission.json").unlink(), "cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "damage", "said"), X5, ids=[what for what, *_ in X5])
def test_x5_finds_a_submission_without_licence_or_with_other_files(
    root: Path, what: str, damage: Callable[[Path], object], said: str
) -> None:
    assert errors(outcome(root, "X5")) == []
    damage(root)

    assert any(said in one for one in errors(outcome(root, "X5"))), what


def test_x5_has_nothing_to_say_where_no_submission_is(tmp_path: Path) -> None:
    assert outcome(tmp_path, "X5").status == "not-applicable"


def test_a_rule_that_breaks_is_a_finding_and_the_others_go_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(own: object) -> None:
        raise KeyError("a thing")

    monkeypatch.setattr("copycat.provenance.own.prompts.check_prompts", broken)
    report = run_own(root, TODAY, rules=["X2", "X5"])
    assert [one.status for one in report.outcomes] == ["not-checked", "passed"]
    assert report.count("error") == 1


def test_the_same_day_gives_the_same_report(root: Path) -> None:
    assert run_own(root, TODAY, rules=["X1", "X2", "X5"]) == run_own(root, TODAY, rules=["X1", "X2", "X5"])
