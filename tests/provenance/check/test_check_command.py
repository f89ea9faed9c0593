"""`python -m copycat.provenance check`: what is printed, written and returned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from small_datasets import ROWS, jsonl

from copycat.commands import provenance_check as commands
from copycat.provenance.records import CheckReport

if TYPE_CHECKING:
    from harness import Cli, CommandLine

DAY = ("--as-of", "2026-03-01")


@pytest.fixture
def check(command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    one = typer.Typer()  # alone: to build the app of all the commands takes longer than most checks
    one.command()(commands.check)
    return command_line(one, "copycat.provenance check")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "x.jsonl").write_bytes(jsonl(ROWS))
    return Path("good")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.jsonl").write_bytes(jsonl([ROWS[0], {"text": "no id"}]) + b"{\n")
    return Path("bad")


def test_a_dataset_without_errors_ends_with_0(check: Cli, good: Path) -> None:
    answer = check(good, "--rules", "F1,f2", *DAY)

    assert answer.code == 0
    assert answer.out.splitlines() == [
        "good: 3 records in 1 file (jsonl)",
        "for training (train a model commercially; pass no record on) in US, on 2026-03-01",
        "columns: id",
        "",
        "F1  ok  every file and every record can be read: 3 records in 1 file",
        "F2  ok  ids are there and unique: 3 ids, all different              ",
        "",
        "0 errors, 0 warnings, 0 notes",
    ]


def test_an_error_ends_with_1_and_is_shown_with_its_place_and_what_to_do(check: Cli, bad: Path) -> None:
    answer = check(bad, "--rules", "F1,F2", *DAY)

    assert answer.code == 1
    lines = [line.rstrip() for line in answer.out.splitlines()]
    assert lines[4:6] == [
        "F1  error    1 place cannot be read as it stands",
        "F2  warning  1 record without an id, named by their place instead",
    ]
    at = next(n for n, line in enumerate(lines) if line.startswith("error F1 ("))
    assert lines[at + 1].startswith("  to do: mend or take out")
    assert lines[at + 2].startswith("    x.jsonl:3  is not JSON")
    assert lines[-1] == "1 error, 1 warning, 0 notes"


def test_warnings_fail_only_where_it_is_strict(check: Cli, bad: Path) -> None:
    assert check(bad, "--rules", "F2").code == 0
    assert check(bad, "--rules", "F2", "--strict").code == 1


def test_json_is_exactly_the_report(check: Cli, bad: Path) -> None:
    answer = check(bad, "--rules", "F1", "--for", "research", "--region", "eu", "--json", *DAY)

    report = CheckReport.model_validate_json(answer.out)
    assert (report.purpose.name, report.region, report.count("error")) == ("research", "EU", 1)
    assert json.loads(answer.out) == report.model_dump(mode="json")


def test_all_forms_are_written_and_named(check: Cli, bad: Path) -> None:
    answer = check(bad, "--rules", "F1", "--out", "out", "--html", "p/q.html", "--sarif", "s.sarif", *DAY)

    names = ["p/q.html", "s.sarif", "out/check.html", "out/check.sarif", "out/check.json"]
    assert answer.out.splitlines()[-5:] == names
    assert Path("p/q.html").read_bytes() == Path("out/check.html").read_bytes()
    log = json.loads(Path("s.sarif").read_text())
    assert log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "bad/x.jsonl"
    assert CheckReport.model_validate_json(Path("out/check.json").read_bytes()).count("error") == 1


def test_the_same_command_writes_the_same_bytes(check: Cli, bad: Path) -> None:
    forms = []
    for _ in range(2):
        check(bad, "--rules", "F1,F2", "--out", "out", *DAY)
        forms.append([path.read_bytes() for path in sorted(Path("out").iterdir())])

    assert forms[0] == forms[1]


def test_settings_of_the_dataset_hold_unless_an_option_says_otherwise(check: Cli, bad: Path) -> None:
    text = "for: search\nregion: DE\nignore:\n- {rule: F1, reason: known, until: 2026-12-31}\n"
    (bad / "provenance.yaml").write_text(text)

    report = CheckReport.model_validate_json(check(bad, "--rules", "F1", "--region", "FR", "--json", *DAY).out)
    answer = check(bad, "--rules", "F1", *DAY)

    assert (report.purpose.name, report.region) == ("search", "FR")
    assert answer.code == 0
    assert "F1  ignored" in answer.out
    assert "  ignored: known (until 2026-12-31)" in answer.out
    assert answer.out.splitlines()[-1] == "0 errors, 0 warnings, 0 notes; 1 ignored"
    assert check(bad, "--rules", "F1", "--as-of", "2027-01-01").code == 1


def test_what_is_made_may_have_a_licence_of_its_own(check: Cli, good: Path) -> None:
    report = check(good, "--rules", "L3", "--for", "adapting", "--output-licence", "MIT", "--region", "us-ca", "--json")

    told = json.loads(report.out)
    assert (told["purpose"]["output_licence"], told["region"]) == ("MIT", "US-CA")


def test_the_sample_is_that_of_the_rule_about_personal_data(check: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(jsonl({"id": n, "text": "plain words"} for n in range(50)))

    assert "nothing in 7 of 50 records" in check("x.jsonl", "--rules", "D3", "--sample", 7).out


def test_newer_answers_are_named(check: Cli, good: Path) -> None:
    answer = check(good, "--rules", "S4", "--against", "gone.jsonl")

    assert answer.code == 2
    assert "gone.jsonl" in answer.err


def test_newer_answers_are_compared_with_those_that_were_recorded(check: Cli, tmp_path: Path) -> None:
    address = "https://example.org/a.png"
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "x.jsonl").write_bytes(jsonl([{"id": "a", "url": address, "headers": {"X-Robots-Tag": "all"}}]))
    newer = {"url": address, "status": 200, "fetched_at": "2026-11-20T09:00:00Z", "headers": {"X-Robots-Tag": "noai"}}
    (tmp_path / "newer.jsonl").write_bytes(jsonl([newer]))
    answer = check("set", "--rules", "S4", "--against", "newer.jsonl", *DAY)

    assert "a rights holder says no now, and did not when it was taken: 1 record" in answer.out


def test_what_was_read_as_what_is_told(check: Cli, good: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_bytes(jsonl([{"body": "a"}]))

    assert "\ncolumns: id, licence (from license), url\n" in check(good, "--rules", "F2,L2", *DAY).out
    assert "\ncolumns: none of those that rules look at; name them with --column" in check("odd.jsonl", *DAY).out
    assert "columns" not in check("odd.jsonl", "--rules", "F1", *DAY).out


def test_a_column_is_named_by_the_user(check: Cli, good: Path) -> None:
    report = check(good, "--rules", "F2", "--column", "id=url", "--json").out

    assert json.loads(report)["columns"]["id"] == "url"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "no dataset is named\n  needed: a folder or file, or --own, or --list"),
        (("gone",), "gone: is not there"),
        (("good", "--for", "trainig"), "unknown purpose 'trainig'\n  did you mean 'training'?"),
        (("good", "--rules", "F99"), "unknown rule 'F99'"),
        (("good", "--rules", ","), "--rules names no rule"),
        (("good", "--for", "adapting", "--output-licence", "CC-BY-SA-5"), "did you mean CC-BY-SA-"),
        (("good", "--output-licence", "MIT"), "needed: --for adapting; or leave it out"),
        (("good", "--region", "Europe"), "--region 'Europe' is no region\n  needed: a country's two letters"),
        (("good", "--column", "licence"), "--column 'licence' has the wrong form\n  needed: STANDARD=NAME"),
        (("good", "--column", "license=x"), "unknown standard column 'license'\n  did you mean 'licence'"),
        (("good", "--out", "good/x.jsonl"), "--out good/x.jsonl cannot be written: it is a file"),
        (("good", "--html", "page.txt"), "--html page.txt is no name of a page"),
        (("good", "--sarif", "good"), "--sarif good cannot be written: it is a folder"),
        (("good", "--own"), "--own checks what copycat ships, not 'good'"),
    ],
)
@pytest.mark.usefixtures("good")
def test_what_the_user_must_fix_ends_with_2_and_says_what_to_type(
    check: Cli, options: tuple[str, ...], said: str
) -> None:
    answer = check(*options)

    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_the_list_has_every_rule_and_purpose(check: Cli) -> None:
    answer = check("--list")
    table = json.loads(check("--list", "--json").out)

    assert answer.code == 0
    for row in (*table["rules"], *table["purposes"]):
        assert (row.get("id") or row["name"]) in answer.out
    assert {"id": "F2", "title": "ids are there and unique", "severities": ["error", "warning"]} in table["rules"]


def test_names_of_a_dataset_cannot_command_the_terminal(check: Cli, tmp_path: Path) -> None:
    (tmp_path / "x\x1b[2Jy.jsonl").write_text('{"id": "[red]a\\u001b[31m"}\n' * 2)

    answer = check(tmp_path, "--rules", "F1,F2")

    assert answer.code == 1
    assert "\x1b" not in answer.out
    assert "[red]" in answer.out


@pytest.mark.slow
def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['x', 'check', '--help']\n"
        "from copycat.commands.provenance import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        "print({'pyarrow', 'numpy', 'polars', 'jinja2', 'torch'} & set(sys.modules), file=sys.stderr)"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stderr.strip() == b"set()"


def test_a_day_that_is_none_is_refused_with_the_form_of_one(check: Cli, good: Path) -> None:
    answer = check(good, "--as-of", "yesterday")

    assert answer.code == 2
    assert "'yesterday' is no date" in answer.err
    assert "needed: YYYY-MM-DD" in answer.err
