"""What the folder of a study holds, for its report: only analysis.json is needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from copycat.errors import DataError, UserError, first_faults
from copycat.imitation.concepts import read_concepts
from copycat.imitation.generate.pictures import generations_sha256
from copycat.imitation.records import (
    ANALYSIS_FILE,
    CONCEPTS_FILE,
    COUNT_FACTS_FILE,
    COUNTS_FILE,
    GENERATIONS_FILE,
    SCORE_FACTS_FILE,
    SCORES_FILE,
    Analysis,
    Concept,
    StudyFacts,
)
from copycat.imitation.report.cards import Tables
from copycat.imitation.report.staleness import other_pictures, what_changed
from copycat.imitation.tables import R, read_table
from copycat.imitation.threshold.points import GivenCount, GivenScore
from copycat.imitation.whose import Naming
from copycat.paths import shown
from copycat.runs.pages import flat

FACTS_FILES = (COUNT_FACTS_FILE, GENERATIONS_FILE, SCORE_FACTS_FILE)
BY_CONCEPT = {"concepts", "names", "pairs"}
"""Keys of generations.json that the page passes over."""


class Study(NamedTuple):
    """What the folder of a study holds.

    `facts` go by dotted name, that of the file first. `changed` says what the analysis does not know yet.
    """

    analysis: Analysis
    tables: Tables
    facts: dict[str, str]
    warnings: tuple[str, ...]
    changed: tuple[str, ...] = ()


def read_study(folder: Path) -> Study:
    """Read what the stages left.

    Raises:
        UserError: there is no analysis yet.
        DataError: a file does not fit, all its faults at once.
    """
    path = folder / ANALYSIS_FILE
    if not path.is_file():
        raise UserError(
            f"{shown(folder)} holds no {ANALYSIS_FILE}\n"
            f"  make it first: python -m copycat.imitation threshold --out {shown(folder)}"
        )
    analysis = _read_analysis(path)
    concepts = read_concepts(folder, None) if (folder / CONCEPTS_FILE).is_file() else ()
    tables = Tables(
        concepts=concepts,
        counts=_table_if_there(folder / COUNTS_FILE, GivenCount, ("concept",), concepts),
        scores=_table_if_there(folder / SCORES_FILE, GivenScore, ("concept", "arm", "prompt"), concepts),
    )
    facts: dict[str, str] = {}
    changed = what_changed(analysis, tables)
    warnings = [_stale(folder, changed)] if changed else []
    warnings += analysis.warnings
    for name in FACTS_FILES:
        found = _read_facts(folder / name)
        facts.update({f"{Path(name).stem}.{key}": value for key, value in sorted(found.facts.items())})
        warnings += found.warnings
    scored = _read_facts(folder / SCORE_FACTS_FILE).facts
    if told := other_pictures(generations_sha256(folder), scored):
        warnings.insert(0, told)
    return Study(analysis, tables, facts, tuple(dict.fromkeys(warnings)), changed)


def _table_if_there(path: Path, kind: type[R], key: Sequence[str], concepts: Sequence[Concept]) -> Sequence[R]:
    return read_table(path, kind, key, Naming(concepts)) if path.is_file() else ()


def _read_analysis(path: Path) -> Analysis:
    try:
        return Analysis.model_validate_json(path.read_bytes())
    except ValidationError as error:
        faults = [
            f"{shown(path)}: {'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors()
        ]
        again = f"  make it again: python -m copycat.imitation threshold --out {shown(path.parent)}"
        raise DataError(first_faults(faults), again) from error


def _stale(folder: Path, changed: Sequence[str]) -> str:
    return (
        f"{ANALYSIS_FILE} was made from other figures than {COUNTS_FILE} and {SCORES_FILE} hold now: "
        f"{'; '.join(changed)}. Unless you gave it other files, make it again: "
        f"python -m copycat.imitation threshold --out {shown(folder)}"
    )


def _read_facts(path: Path) -> StudyFacts:
    """Read the facts of a stage; a file of another shape gives its values by dotted name, but for lists of concepts."""
    if not path.is_file():
        return StudyFacts()
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError([f"{shown(path)}: no JSON ({error})"]) from error
    try:
        return StudyFacts.model_validate(content)
    except ValidationError:
        if not isinstance(content, dict):
            return StudyFacts()
    warnings = content.pop("warnings", [])
    facts = {name: value for name, value in flat(_without_concepts(content)) if value}
    return StudyFacts(facts=facts, warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else ())


def _without_concepts(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has an entry for each concept: hundreds of lines that nobody reads on a page."""
    return {
        name: _without_concepts(value) if isinstance(value, dict) else value
        for name, value in content.items()
        if name not in BY_CONCEPT
    }
