"""`python -m copycat.provenance own`, `check --own`, and the card of the sandbox's corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import Cli, CommandLine

from copycat.commands.provenance import app
from copycat.paths import package_folder
from copycat.provenance.own.corpus import write_corpus
from copycat.provenance.own.weights import WeightsManifest
from copycat.sandbox.corpus import Row
from copycat.sandbox.world import inhabitants


@pytest.fixture
def own_cli(command_line: CommandLine) -> Cli:
    return command_line(app, "copycat.provenance")


def test_check_own_tells_what_ships_and_ends_well(own_cli: Cli) -> None:
    answer = own_cli("check", "--own", "--rules", "X2,X5", "--as-of", "2026-12-01")

    assert answer.code == 0
    assert "X2  ok" in answer.out
    assert "submissions, each with licence and source" in answer.out


def test_check_own_as_json_is_the_report(own_cli: Cli) -> None:
    answer = own_cli("check", "--own", "--rules", "X1", "--as-of", "2026-12-01", "--json")

    report = json.loads(answer.out)
    assert report["dataset"] == "what copycat ships"
    assert [one["rule"] for one in report["outcomes"]] == ["X1"]


def test_an_error_ends_with_1(own_cli: Cli) -> None:
    """Before the prompts were made, their dates lie in the future."""
    answer = own_cli("check", "--own", "--rules", "X2", "--as-of", "2026-01-01")

    assert answer.code == 1
    assert "is after 2026-01-01" in answer.out


def test_an_unknown_rule_gets_a_suggestion(own_cli: Cli) -> None:
    answer = own_cli("check", "--own", "--rules", "X22")

    assert answer.code == 2
    assert "did you mean 'X2'?" in answer.err


@pytest.mark.parametrize("option", [("--region", "EU"), ("--for", "research"), ("--seed", "1"), ("here",)])
def test_what_does_not_apply_to_what_ships_is_refused_and_not_ignored(own_cli: Cli, option: tuple[str, ...]) -> None:
    answer = own_cli("check", "--own", *option)

    assert answer.code == 2
    assert "leave" in answer.err


def test_own_tells_a_manifest_that_is_not_what_the_code_gives_and_writes_it(
    own_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = package_folder("fairuse/world") / "weights.manifest.json"
    manifest = WeightsManifest.model_validate_json(shipped.read_bytes())
    monkeypatch.setattr("copycat.provenance.own.weights_facts.MANIFESTS", {"weights": lambda _: manifest})
    monkeypatch.setattr("copycat.paths.package_folder", lambda _: tmp_path)

    told = own_cli("own")
    written = own_cli("own", "--write", "--json")
    again = own_cli("own")

    assert (told.code, "is not what the code gives" in told.out) == (1, True)
    assert (written.code, json.loads(written.out)["manifests"][0]["is_changed"]) == (0, True)
    assert (again.code, "is what the code gives" in again.out) == (0, True)
    assert (tmp_path / "weights.manifest.json").is_file()


def test_the_card_of_the_corpus_is_the_same_each_time_and_states_licence_and_columns(tmp_path: Path) -> None:
    looks = inhabitants()[0].appearance
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        rows = [Row(id=f"r{i}", caption="a cat", character=None, looks=looks, seed=i) for i in range(50)]
        write_corpus(tmp_path / name, rows)

    card = (tmp_path / "one/README.md").read_text(encoding="utf-8")
    assert card == (tmp_path / "other/README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card
    assert "all 50 records" in card
    described = json.loads((tmp_path / "one/croissant.json").read_text(encoding="utf-8"))
    assert described["creator"]["name"] == "The Copycat Project"
    assert {field["name"] for field in described["recordSet"][0]["field"]} >= {"caption", "seed", "prompt_hash"}
