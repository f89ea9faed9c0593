"""`python -m copycat.data legal`: notes for a place and a year."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import Cli, CommandLine

from copycat.commands.data import app


@pytest.fixture
def data_cli(command_line: CommandLine) -> Cli:
    return command_line(app, "copycat.data")


def test_the_year_decides_what_is_in_the_public_domain(data_cli: Cli) -> None:
    options = ("legal", "unseen50", "--place", "US", "--status", "public-domain", "--json")
    told = [json.loads(data_cli(*options, "--year", year).out) for year in (2033, 2034)]
    before, after = (one["notes"] for one in told)

    assert "no legal advice" in told[0]["about"]
    assert before["superman"] == []
    assert [note["version"] for note in after["superman"]] == ["1938 comic book design (Action Comics #1)"]


def test_one_character_is_told_with_its_reasons(data_cli: Cli) -> None:
    answer = data_cli("legal", "copycat50", "--character", "winnie-the-pooh", "--place", "US")

    assert answer.code == 0
    assert answer.out.startswith("3 notes for 2026")
    assert "17 U.S.C. § 304" in answer.out
    assert "no legal advice" in answer.out


def test_where_no_note_fits_that_is_said(data_cli: Cli) -> None:
    answer = data_cli("legal", "copycat50", "--place", "worldwide", "--status", "protected")

    assert (answer.code, answer.out) == (0, "0 notes for 2026: none has this place and status\n")


def test_a_note_that_a_user_wrote_stands_as_it_is(data_cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(
        "id: mine\ncharacters:\n  - id: ember\n    name: Ember\n    franchise: Tales\n    key_characteristic: fox\n"
        "    description: A small red fox.\n"
        "    legal_status: [{version: the only one, jurisdiction: FR, status: protected, note: ours}]\n"
    )
    notes = json.loads(data_cli("legal", path, "--json").out)["notes"]

    assert notes["ember"] == [
        {
            "version": "the only one",
            "jurisdiction": "FR",
            "status": "protected",
            "from_year": None,
            "until_year": None,
            "note": "ours",
        }
    ]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--place", "USA"), "did you mean 'US'?"),
        (("--status", "public_domain"), "did you mean 'public-domain'?"),
        (("--character", "mickey"), "did you mean 'mickey-mouse'?"),
        (("--year", "1990"), "2019"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(data_cli: Cli, option: tuple[str, str], said: str) -> None:
    answer = data_cli("legal", "copycat50", *option)

    assert answer.code == 2
    assert said in answer.err
