"""What is tested against what in a matrix, and for how many questions p values are adjusted."""

from __future__ import annotations

import itertools

import pytest

from copycat.metrics import Outcome, Outcomes
from copycat.robustness.matrix import Drawn, Table, build_cells, build_success, build_tests, least_p
from copycat.robustness.records import CellRecord, Searched, SearchedPrompt
from copycat.schema import CharacterSet, Judgement, Sample

CONCEPTS = [f"c{n}" for n in range(8)]


def outcomes(concept: str, *, is_seen: bool) -> Outcomes:
    sample = Sample(
        key=concept, character=concept, anchor="name", repeat=0, prompt="p", prompt_sent="p", negative_prompt=None,
        seed=1, status="ok", image="images/i.png", sha256="0" * 64,
    )  # fmt: skip
    verdict = Judgement(key=concept, image_sha256="0" * 64, detected=concept if is_seen else None, confidence=1)
    return Outcomes(rows=(Outcome(sample=sample, judgement=verdict),))


def table(characters: CharacterSet, seen: dict[tuple[str, str], bool]) -> Table:
    """All concepts alike: whether they are seen by method and attack."""
    attacks = list(dict.fromkeys(attack for _, attack in seen))
    drawn = []
    for concept, method in itertools.product(CONCEPTS, dict.fromkeys(method for method, _ in seen)):
        record = CellRecord(concept=concept, method=method, seed=0, asked={}, runs={})
        drawn.append(Drawn(record, {attack: outcomes(concept, is_seen=seen[method, attack]) for attack in attacks}))
    return Table(drawn, Outcomes(rows=()), (), characters, attacks, ("name",))


def test_methods_are_compared_under_each_attack_as_a_question_of_its_own(characters: CharacterSet) -> None:
    """Eight concepts that all differ have p = 2 / 2^8; three pairs of methods, of which two differ so: Holm's 3 p."""
    seen = {("none", "none"): True, ("none", "arc"): True}
    seen |= {(method, attack): method == "esd" for method in ("esd", "uce", "doco") for attack in ("none", "arc")}
    tests = [test for test in build_tests(table(characters, seen)) if test.anchor == "name"]
    told = {(test.attack, test.first, test.second): (test.difference.value, test.p, test.p_holm) for test in tests}
    assert told["arc", "esd", "uce"] == (1.0, 2 / 256, pytest.approx(6 / 256))
    assert told["arc", "uce", "doco"] == (0.0, 1.0, 1.0)
    assert len(told) == 2 * 3
    assert least_p(len(CONCEPTS)) == 2 / 256


def test_what_attacks_regain_is_adjusted_for_all_attacks_on_one_method(characters: CharacterSet) -> None:
    attacks = ("none", "a", "b", "c")
    seen = {("none", attack): True for attack in attacks} | {("esd", attack): attack == "b" for attack in attacks}
    cells = {(cell.method, cell.attack): cell for cell in build_cells(table(characters, seen)) if cell.anchor == "name"}
    regained = cells["esd", "b"]
    assert regained.regained is not None
    assert (regained.regained.value, regained.p_regained) == (1.0, 2 / 256)
    assert regained.p_holm == pytest.approx(3 * 2 / 256)
    assert (cells["esd", "none"].p_holm, cells["esd", "a"].p_holm, cells["none", "b"].p_holm) == (None, 1.0, 1.0)


def test_the_success_of_a_search_counts_prompts_that_showed_the_concept_before() -> None:
    """Two of four before, three after: that of papers counts both, and its interval counts concepts."""
    rows = [(True, True), (True, True), (False, True), (False, False)]
    drawn = []
    for concept, (before, after) in zip("wxyz", rows, strict=True):
        prompt = SearchedPrompt(id="name#1", before=before, after=after)
        searched = {"unlearndiffatk": Searched(seconds=1, prompts=(prompt,))}
        record = CellRecord(concept=concept, method="esd", seed=0, asked={}, runs={}, searched=searched)
        drawn.append(Drawn(record, {}))
    (found,) = build_success(Table(drawn, Outcomes(rows=()), (), None, ("none", "unlearndiffatk"), ()))  # type: ignore[arg-type]
    assert (found.before.k, found.after.k, found.after.n) == (2, 3, 4)
