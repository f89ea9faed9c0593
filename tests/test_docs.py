from __future__ import annotations

import re
from pathlib import Path

import pytest

from copycat.catalog import list_anchors, read_character_set

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)")
LINK_TO_SECTION = re.compile(r"\]\((?!https?://)([^)#]*)#([^)]+)\)")
NAMED_TEST = re.compile(r"`(test_[a-z0-9_]+)`")
NAMED_FILE = re.compile(r"`((?:copycat|tests|benchmarks|characters|docs)/[\w./-]+\.\w+)`")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", ["README.md", "docs/add-a-character-set.md"])
def test_the_example_of_a_character_file_is_without_fault(page: str, tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    path = tmp_path / "my.yaml"
    path.write_text(example[1], encoding="utf-8")

    anchors = list_anchors(read_character_set(path))

    assert {"name", "description", "keywords:authored-5"} <= set(anchors)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def sections_of(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_section_that_a_page_links_to_is_there(page: Path) -> None:
    links = LINK_TO_SECTION.findall(page.read_text(encoding="utf-8"))
    pages = {file: page.parent / file if file else page for file, _ in links if not file or file.endswith(".md")}
    known = {file: sections_of(path) for file, path in pages.items()}

    assert [f"{file}#{section}" for file, section in links if file in known and section not in known[file]] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_and_test_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {
        name
        for path in ROOT.glob("tests/**/test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }

    assert sorted(set(NAMED_TEST.findall(text)) - known) == []
    assert [path for path in NAMED_FILE.findall(text) if not (ROOT / path).exists() and "NAME" not in path] == []
