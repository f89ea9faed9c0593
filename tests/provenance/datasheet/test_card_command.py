"""`card`: the table, the draft, the summaries and the page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from copycat.commands.provenance import app
from copycat.provenance.dataset import open_dataset
from copycat.provenance.datasheet import completeness
from copycat.provenance.datasheet.facts import count_facts
from copycat.provenance.datasheet.shape import columns_of
from copycat.provenance.rules import Context
from copycat.provenance.rules.running import run_rules

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Sixty records of two languages, a fifth of them synthetic, and no card."""
    folder = tmp_path / "tiles"
    folder.mkdir()
    rows = [
        {
            "id": str(at),
            "text": "a tile",
            "language": "en" if at % 3 else "de",
            "source": "tiles.example.org",
            "url": f"https://tiles.example.org/{at}",
            "retrieved_at": "2025-03-02",
            "synthetic": at % 5 == 0,
            "generator": "Tile Captioner" if at % 5 == 0 else None,
        }
        for at in range(60)
    ]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


@pytest.fixture
def cli(command_line: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.provenance")


def test_the_table_says_what_to_write(cli: Any, dataset: Path) -> None:
    answer = cli("card", dataset)
    assert answer.code == 0
    assert answer.out.startswith("tiles: 0 of 41 fields (0 %)")
    assert "removal and contact" in answer.out
    assert "Public summary of training content (EU): 4 of 19 fields ready" in answer.out


def test_a_card_that_contradicts_its_records_exits_1(cli: Any, dataset: Path) -> None:
    (dataset / "README.md").write_text("## Size\n\nThe dataset contains 10,000 rows.\n", encoding="utf-8")
    answer = cli("card", dataset, "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["score"]["contradictions"][0]["claim"] == "10,000 rows"


def test_a_draft_counts_what_the_records_tell_and_its_blanks_count_nothing(cli: Any, dataset: Path) -> None:
    answer = cli("card", dataset, "--draft", "--out", "draft.md")
    assert (answer.code, answer.out) == (0, "draft.md\n")
    (dataset / "README.md").write_text(Path("draft.md").read_text(encoding="utf-8"), encoding="utf-8")
    opened = open_dataset(dataset)
    found = completeness(opened.card, count_facts(opened), columns_of(opened))
    assert found.contradictions == ()
    told = {field.field for field in found.fields if field.points}
    assert told == {"name", "languages", "size", "sources", "timeframe", "synthetic-share", "synthetic-models"}


def test_a_draft_keeps_what_the_card_says_already(cli: Any, dataset: Path) -> None:
    said = "None, because every picture was drawn by one program."
    (dataset / "README.md").write_text(f"---\nlicense: mit\n---\n\n## Imputation\n\n{said}\n", encoding="utf-8")
    answer = cli("card", dataset, "--draft")
    assert said in answer.out and "license: mit" in answer.out


def test_l1_a_draft_has_a_marked_place_for_each_key_and_makes_no_rule_worse(cli: Any, dataset: Path) -> None:
    """L1 asks for a licence as loudly as before; each key is filled in by taking the mark of the comment away."""

    def licence_rule() -> str:
        return run_rules(Context(open_dataset(dataset)), ["L1"]).outcomes[0].findings[0].severity

    before = licence_rule()
    assert cli("card", dataset, "--draft", "--out", dataset / "README.md").code == 0
    text = (dataset / "README.md").read_text(encoding="utf-8")
    front = text.split("---\n")[1]
    keys = ["license", "homepage", "creator", "date_published", "version", "contact"]
    assert [line.split(":")[0] for line in front.splitlines() if ":  # [to be written: " in line] == [
        f"# {key}" for key in keys
    ]
    assert open_dataset(dataset).card.front.keys() == {"pretty_name", "language"}
    assert before == licence_rule() == "warning"
    for key, value in zip(keys, ["CC0-1.0", "https://example.org", "{name: Tile Works, url: https://example.org}",
                                 "2026-01-31", "1.0.0", "tiles@example.org"], strict=True):  # fmt: skip
        text = text.replace(f"# {key}:", f"{key}: {value}")
    (dataset / "README.md").write_text(text, encoding="utf-8")
    opened = open_dataset(dataset)
    found = completeness(opened.card, count_facts(opened), columns_of(opened))
    assert all(
        one.points == 1 for one in found.fields if one.field in {"licence", "url", "creator", "published", "version"}
    )
    assert opened.card.faults == () and "# Still to be" not in cli("card", dataset, "--draft").out


def test_a_draft_leaves_no_word_of_a_person_out_and_no_placeholder_in(cli: Any, dataset: Path) -> None:
    """What belongs to a key, to a field that does not count, or to none; the same text twice; a draft of a draft."""
    (dataset / "train.jsonl").write_text(
        json.dumps({"id": "1", "text": "a tile", "synthetic": False}), encoding="utf-8"
    )
    said = ["English, mostly.", "No model was used by us.", "Glazed in 1904.", "Nobody looked at that so far, sadly."]
    titles = ["Languages", "Models", "Kiln notes", "Workers", "Quality"]
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in zip(titles, [*said, said[-1]], strict=True))
    (dataset / "README.md").write_text(f"---\nlicense: TBD\n---\n\n{body}\n", encoding="utf-8")
    draft = cli("card", dataset, "--draft").out
    assert [draft.count(text) for text in said] == [1, 1, 1, 2]
    assert "\n# license:  # [to be written" in draft and "TBD" not in draft
    (dataset / "README.md").write_text(draft, encoding="utf-8")
    assert cli("card", dataset, "--draft").out.count("[to be written: what was paid") == 1


def test_a_draft_never_replaces_another_text(cli: Any, dataset: Path) -> None:
    path = dataset / "README.md"
    path.write_text("# Mine\n", encoding="utf-8")
    answer = cli("card", dataset, "--draft", "--out", path)
    assert answer.code == 2 and "is there already, and says something else" in answer.err
    assert path.read_text(encoding="utf-8") == "# Mine\n"


@pytest.mark.slow
def test_the_same_draft_again_does_nothing(cli: Any, dataset: Path) -> None:
    for _ in range(2):
        assert cli("card", dataset, "--summary", "ab2013", "--as-of", "2026-06-01", "--out", "ab.md").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--summary", "ue"), "unknown summary 'ue'"), (("--draft", "--summary", "eu"), "are two texts"), (("--out",
     "x.md"), "there is nothing to write"),
     (("--page", "x.txt"), "is no name of a page"), (("--draft", "--out", "."), "cannot be written: it is a folder")],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_before_a_record_is_read(
    cli: Any, dataset: Path, options: tuple[str, ...], said: str
) -> None:
    answer = cli("card", dataset, *options)
    assert answer.code == 2 and said in answer.err


class Outside(HTMLParser):
    """Notes tags that would run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loads = [
            value for name, value in attrs if name in {"src", "href"} and value and not value.startswith(("#", "data:"))
        ]
        if tag in {"script", "img", "iframe", "b-a"} or loads or any(name.startswith("on") for name, _ in attrs):
            self.found.append(f"{tag} {attrs}")


def test_the_page_holds_hostile_text_as_text_and_asks_for_nothing(cli: Any, dataset: Path) -> None:
    rows = [
        {
            "id": "1",
            "language": HOSTILE,
            "source": HOSTILE,
            "generator": HOSTILE,
            "url": f"https://{HOSTILE}/",
            HOSTILE: 1,
        }
    ]
    (dataset / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (dataset / "README.md").write_text(
        f"# {HOSTILE}\n\n## {HOSTILE}\n\nx\n\n## Size\n\n9 rows in all {HOSTILE}\n", encoding="utf-8"
    )
    (dataset / "provenance").mkdir()
    log = [{"filter": HOSTILE, "kept": at % 2, "language": HOSTILE if at < 50 else "b"} for at in range(100)]
    (dataset / "provenance" / "filters.jsonl").write_text("\n".join(map(json.dumps, log)), encoding="utf-8")
    assert cli("card", dataset, "--page", "page.html").code == 1
    page = Path("page.html").read_text(encoding="utf-8")
    outside = Outside()
    outside.feed(page)
    assert outside.found == []
    assert "Whom filters hit" in page and "<script" not in page


@pytest.mark.slow
def test_a_page_is_the_same_twice(cli: Any, dataset: Path) -> None:
    pages = []
    for _ in range(2):
        cli("card", dataset, "--page", "page.html", "--as-of", "2026-06-01")
        pages.append(Path("page.html").read_bytes())
    assert pages[0] == pages[1]


def test_a_draft_keeps_a_persons_words_though_they_count_nothing(cli: Any, dataset: Path) -> None:
    said = "The tiles ![a workshop](w.png) were looked at <br> in the workshop."
    (dataset / "README.md").write_text(f"## Workers\n\n{said}\n\n## Impact\n\nTBD\n", encoding="utf-8")
    answer = cli("card", dataset, "--draft")
    assert f"{said}\n\n[to be written: what was paid" in answer.out
    assert "TBD" not in answer.out


@pytest.mark.parametrize("options", [("--json",), ("--draft",)])
def test_a_card_that_cannot_be_read_is_told_first_with_the_cause(
    cli: Any, dataset: Path, options: tuple[str, ...]
) -> None:
    (dataset / "README.md").write_text("---\na: &x 1\nlicense: *x\n---\n\n# Tiles\n", encoding="utf-8")
    answer = cli("card", dataset, *options)
    assert answer.code == (0 if "--draft" in options else 1)
    assert answer.err.startswith("the card could not be read whole: README.md:1 the front matter")
    assert "an alias (*name)" in answer.err
    if "--json" in options:
        assert json.loads(answer.out)["card_faults"][0].startswith("README.md:1 the front matter")


def test_what_is_best_written_next_stands_before_the_table(cli: Any, dataset: Path) -> None:
    """First what the records contradict, then what Croissant requires and the summaries of two laws take."""
    (dataset / "README.md").write_text(
        "---\nlicense: mit\n---\n\n## Timeframe\n\n1999-01 to 1999-02\n", encoding="utf-8"
    )
    out = cli("card", dataset).out
    first, _, table = out.partition("part ")
    assert "the card says '1999-01 to 1999-02'" in first
    listed = [line.strip() for line in first.partition("best written next:")[2].splitlines()]
    named = [line.partition("  ")[0] for line in listed if "  " in line][:5]
    assert named[0] == "when it was collected"
    assert {"sources", "description"} <= set(named)
    assert "--draft --out CARD.md" in first
    assert "social impact" in table and "social impact" not in first


def test_a_draft_counts_one_removed_record_as_one(cli: Any, tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "a tile"}, {"id": "b", "text": "a tile", "version_removed": "2"}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    assert "\n1 record was removed so far." in cli("card", "x.jsonl", "--draft").out
