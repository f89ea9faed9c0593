"""The wing states facts: no record has a field, and no page a word, that says what they come to in law."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import copycat.fairuse
from copycat.schema import Record

JUDGING = re.compile(
    r"infring|guilt|violat|verdict|unlawful|lawful|illegal|legal|liab|plagiar|theft|stolen|pirat|innocent|unfair|\bsafe\b"
    r"|\bfair\b"
)
SUBJECT = re.compile(r"fair[ -]?use")
"""The name of the subject, and of the paper."""

TEMPLATES = sorted((Path(copycat.fairuse.__file__).parents[1] / "templates" / "fairuse").glob("*.j2"))


def records() -> list[type[Record]]:
    """Every record of the wing."""
    for module in pkgutil.walk_packages(copycat.fairuse.__path__, "copycat.fairuse."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

    def below(base: type[Record]) -> Iterator[type[Record]]:
        for record in base.__subclasses__():
            yield record
            yield from below(record)

    return sorted(
        {one for one in below(Record) if one.__module__.startswith("copycat.fairuse")}, key=lambda r: r.__name__
    )


def names_in(schema: Any) -> Iterator[str]:
    """The names of fields and the values of enumerations in a JSON schema; not its descriptions."""
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if name == "properties":
                yield from inner
            if name in {"enum", "const"}:
                yield from (str(value) for value in (inner if isinstance(inner, list) else [inner]))
            if name not in {"description", "title", "default"}:
                yield from names_in(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from names_in(inner)


def test_there_are_records_and_templates_to_look_at() -> None:
    assert len(records()) > 25
    assert len(TEMPLATES) >= 3


def test_no_field_and_no_value_of_any_record_judges() -> None:
    """F8: no field `infringes`, no boolean or word that could be read as a finding of law."""
    wrong = [
        (record.__name__, name)
        for record in records()
        for name in names_in(record.model_json_schema())
        if JUDGING.search(re.sub(r"fair_?use", "", name.replace("-", "_").lower()).replace("_", " "))
    ]
    assert not wrong


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_page_says_what_facts_come_to(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    words = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<style>.*?</style>", " ", text, flags=re.DOTALL)
    assert not JUDGING.search(SUBJECT.sub(" ", words.lower()))


def test_the_test_itself_would_see_a_judging_field() -> None:
    class Finding(Record):
        infringes: bool = False

    assert any(JUDGING.search(name) for name in names_in(Finding.model_json_schema()))
    assert JUDGING.search("this use is fair")
    assert not JUDGING.search(SUBJECT.sub(" ", "foundation models and fair use"))
