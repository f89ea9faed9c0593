"""`python -m copycat.provenance licence`, and the list of credits that it writes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer import Typer

from copycat.commands.provenance_licence import LICENCE_EPILOG, licence
from copycat.provenance.dataset import open_dataset
from copycat.provenance.licences.attribution import Written, write_attribution
from copycat.provenance.records import PURPOSES

Maker = Callable[..., Path]
Run = Callable[..., Any]

ROWS = [
    {"id": "a", "license": "CC-BY-4.0", "title": "A <b>cat</b>", "author": "Ada", "url": "https://example.org/a"},
    {"id": "b", "license": "CC0-1.0"},
    {"id": "c", "license": "CC BY-NC 2.0", "title": "=1+1", "author": "Bo\nnie", "url": "javascript:alert(1)"},
    {"id": "d"},
]


@pytest.fixture
def run(command_line: Callable[..., Run]) -> Run:
    app = Typer(add_completion=False, rich_markup_mode=None)
    app.callback()(lambda: None)
    app.command(epilog=LICENCE_EPILOG)(licence)
    made = command_line(app, "copycat.provenance")
    return lambda *given: made("licence", *given)


def test_a_licence_that_fits_ends_with_0_and_one_that_does_not_with_1(run: Run) -> None:
    assert run("CC-BY-4.0").code == 0
    answer = run("CC-BY-NC-4.0", "--for", "training")
    assert answer.code == 1
    assert "no commercial use (CC-BY-NC-4.0 2(a)(1))" in answer.out
    assert run("LicenseRef-mine").code == 1
    assert run("other").code == 1


def test_an_output_licence_is_held_against_share_alike(run: Run) -> None:
    assert run("CC-BY-SA-4.0", "--for", "adapting", "--output-licence", "cc by-sa 4.0").code == 0
    refused = run("CC-BY-SA-4.0", "--for", "adapting", "--output-licence", "LicenseRef-all-rights-reserved")
    assert refused.code == 1
    assert "may not go on" in refused.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("not-a-license",), "neither on SPDX's list"),
        (("cc-by-5.0",), "did you mean CC-BY-4.0"),
        (("missing.parquet",), "no such file is there"),
        (("MIT", "--for", "trainign"), "did you mean 'training'"),
        (("MIT", "--output-licence", "nonsense"), "the output licence 'nonsense'"),
        (("MIT", "--attribution", "credits.txt"), "needs a dataset"),
        ((), "no licence and no dataset is named"),
        (("--public-domain-error", 1.2, 0.9, 5), "between 0 and 1"),
        (("MIT", "--public-domain-error", 0.9, 0.9, 5), "leave out the licence"),
        (("MIT", "--measured-on", 5), "belongs to --public-domain-error"),
    ],
)
def test_what_the_user_must_fix_ends_with_2_and_says_how(run: Run, given: tuple[object, ...], said: str) -> None:
    answer = run(*given)

    assert answer.code == 2
    assert said in answer.err and "Traceback" not in answer.err


def test_the_licences_of_a_dataset_are_counted_beside_its_own(run: Run, make: Maker) -> None:
    answer = run(make("license: cc0-1.0", ROWS), "--json")
    said = json.loads(answer.out)

    assert answer.code == 1
    assert said["own"][0]["expression"] == "CC0-1.0"
    assert {row["expression"]: row["n_records"] for row in said["rows"]} == {
        "CC-BY-4.0": 1,
        "CC0-1.0": 1,
        "CC-BY-NC-2.0": 1,
    }
    assert said["n_without"] == 1
    assert said["answer"] is False


def test_a_dataset_without_licences_of_records_is_told_by_its_own(run: Run, make: Maker) -> None:
    answer = run(make("license: cc-by-4.0"))

    assert answer.code == 0
    assert "none of which states a licence of its own" in answer.out


def test_a_dataset_that_says_nothing_is_not_known_to_fit(run: Run, make: Maker) -> None:
    assert run(make()).code == 1


def test_the_dataset_s_own_licence_counts_beside_those_of_its_records(run: Run, make: Maker) -> None:
    rows = [{"id": "a", "license": "CC0-1.0"}]
    refused = run(make("license: cc-by-nc-4.0", rows))
    unknown = run(make("license: other\nlicense_name: zoravi-community", rows))

    assert (refused.code, unknown.code) == (1, 1)
    assert "as an SPDX expression); for training: does not: no commercial use" in refused.out
    assert "'other: zoravi-community' says that no licence is known" in unknown.out
    assert "not all licences are known to fit" in unknown.out


def test_the_figures_of_public_domain_errors_are_shown_with_their_assumption(run: Run) -> None:
    answer = run("--public-domain-error", 0.9658, 0.9720, 424_059)

    assert answer.code == 0
    assert "0.0958 %" in answer.out and "406 of 424,059" in answer.out and "11,874" in answer.out


def test_a_licence_file_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("This is licensed under CC BY-SA 4.0.", encoding="utf-8")
    assert "CC-BY-SA-4.0" in run(tmp_path / "LICENSE").out


# --------------------------------------------------------------------------------- credits


def test_credits_name_title_author_source_and_licence(run: Run, make: Maker, tmp_path: Path) -> None:
    answer = run(make(None, ROWS), "--for", "research", "--attribution", tmp_path / "credits.txt")
    lines = (tmp_path / "credits.txt").read_text(encoding="utf-8").splitlines()

    assert "credits of 2 records, 1 that ask for nothing left out" in answer.out
    assert "left out of the credits: 1 whose licence is not known to fit 'research'" in answer.out
    assert lines[2] == (
        '"A <b>cat</b>" by Ada, https://example.org/a. Licence: CC-BY-4.0 (https://spdx.org/licenses/CC-BY-4.0.html)'
    )
    assert len(lines) == 4


def test_credits_are_of_records_that_fit_the_purpose_and_say_how_many_were_left_out(
    run: Run, make: Maker, tmp_path: Path
) -> None:
    answer = run(make(None, ROWS), "--for", "training", "--attribution", tmp_path / "credits.csv", "--json")
    with (tmp_path / "credits.csv").open(encoding="utf-8", newline="") as file:
        assert [row["record"] for row in csv.DictReader(file)] == ["a"]
    written = json.loads(answer.out)["attribution"]
    assert {name: written[name] for name in Written._fields} == {
        "n_listed": 1, "n_left_out": 1, "n_no_fit": 1, "n_unknown": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("own", "expected"),
    [("cc-by-4.0", Written(1, 0)), ("cc-by-nc-4.0", Written(0, 0, 1)), ("other", Written(0, 0, 0, 1))],
)
def test_the_dataset_s_own_licence_asks_credit_for_records_where_none_states_one(
    make: Maker, tmp_path: Path, own: str, expected: Written
) -> None:
    path = make(f"license: {own}", [{"id": "a", "title": "A cat"}])
    assert write_attribution(open_dataset(path), tmp_path / "credits.csv", PURPOSES["training"]) == expected
    assert ("CC-BY-4.0" in (tmp_path / "credits.csv").read_text(encoding="utf-8")) == bool(expected.n_listed)


def test_credit_that_is_asked_but_not_due_for_a_purpose_is_said_to_be_so(run: Run) -> None:
    credit, nothing = run("CC-BY-4.0"), run("CC0-1.0")

    assert "credit the author (CC-BY-4.0 3(a)(1)(A))" in credit.out
    assert "this is asked where the material is passed on, which 'training' does not do" in credit.out
    assert "it asks for nothing" in nothing.out and "passed on, which" not in nothing.out


def test_a_page_of_credits_escapes_what_the_dataset_says(make: Maker, tmp_path: Path) -> None:
    write_attribution(open_dataset(make(None, ROWS)), tmp_path / "credits.html", PURPOSES["research"])
    page = (tmp_path / "credits.html").read_text(encoding="utf-8")

    assert "A &lt;b&gt;cat&lt;/b&gt;" in page and "<b>cat" not in page
    assert 'href="javascript' not in page
    assert "http-equiv" in page and "<script" not in page


def test_a_table_of_credits_computes_nothing_in_a_spreadsheet(make: Maker, tmp_path: Path) -> None:
    write_attribution(open_dataset(make(None, ROWS)), tmp_path / "credits.csv", PURPOSES["research"])
    with (tmp_path / "credits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["record"] for row in rows] == ["a", "c"]
    assert rows[1]["title"] == "'=1+1"
    assert rows[1]["author"] == "Bo nie"


def test_half_a_list_is_never_left(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "credits.csv"
    path.write_text("the old list", encoding="utf-8")

    def stop(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_attribution(open_dataset(make(None, ROWS)), path, PURPOSES["research"], stop)

    assert path.read_text(encoding="utf-8") == "the old list"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["credits.csv", "set"]


@pytest.mark.parametrize("name", ["set/credits.csv", "set/deep/credits.html", "set/LICENSE.txt", "table.csv"])
def test_credits_are_not_written_among_the_records_or_over_them(
    run: Run, make: Maker, tmp_path: Path, name: str
) -> None:
    path = make(None, ROWS)
    table = tmp_path / "table.csv"
    table.write_text("id,license\na,MIT\n", encoding="utf-8")
    before = sorted(one.name for one in path.iterdir())
    answer = run(table if name == "table.csv" else path, "--attribution", tmp_path / name)

    assert answer.code == 2
    assert "among the records" in answer.err and "provenance" in answer.err
    assert sorted(one.name for one in path.iterdir()) == before
    assert table.read_text(encoding="utf-8") == "id,license\na,MIT\n"


def test_credits_may_lie_with_the_manifest_and_are_written_over_a_second_time(make: Maker) -> None:
    path = make(None, ROWS)
    for name in ("provenance/credits.csv", "attribution.txt"):
        first = write_attribution(open_dataset(path), path / name, PURPOSES["training"])
        text = (path / name).read_bytes()
        assert write_attribution(open_dataset(path), path / name, PURPOSES["training"]) == first
        assert (path / name).read_bytes() == text


def test_credits_that_a_spreadsheet_would_compute_are_text_in_every_cell(make: Maker, tmp_path: Path) -> None:
    signs = ["=1", "+1", "-1", "@a", "\t=1", " \r\n=1", "\uff1d1", '"=1"', "a\n=1"]
    rows = [{"id": sign, "license": "CC-BY-4.0", "title": sign, "author": sign, "url": sign} for sign in signs]
    write_attribution(open_dataset(make(None, rows)), tmp_path / "credits.csv", PURPOSES["research"])
    with (tmp_path / "credits.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in list(csv.reader(file))[1:] for cell in row]

    assert len(cells) == 6 * len(signs)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")) for cell in cells)


def test_texts_beyond_those_that_are_told_apart_are_said_to_be_unread(
    run: Run, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copycat.provenance.licences.components.MAX_TEXTS", 3)
    answer = run(make("license: cc0-1.0", [{"id": str(at), "license": f"CC-BY-{v}"} for at, v in enumerate("1234")]))

    assert answer.code == 1
    assert "1 records have other texts, which are not read: at most 3 are told apart" in answer.out
    assert "not all licences are known to fit" in answer.out


def test_a_licence_whose_sections_nobody_read_says_so(run: Run) -> None:
    assert "from memory" not in run("CC-BY-SA-4.0").out
    assert "from memory" in run("CDLA-Sharing-1.0").out


def test_a_dataset_that_cannot_be_read_is_told_and_is_not_known_to_fit(run: Run, make: Maker) -> None:
    folder = make("license: MIT", rows=[{"id": "a", "licence": "MIT"}])
    assert run(folder).code == 0

    with (folder / "data.jsonl").open("a") as stream:
        stream.write("{\n")
    part = run(folder)
    (folder / "data.jsonl").write_text("{\n")
    torn = run(folder)

    assert part.code == 1
    assert "note: 1 place was not read, or not as it stands (data.jsonl:2)" in part.err
    assert "not all licences are known to fit" in part.out
    assert torn.code == 2
    assert "data.jsonl:1: is not JSON" in torn.err
