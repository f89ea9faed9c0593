"""The shipped model of the sandbox, from the command line: what comes back rises with copies; chance stays below."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness import Cli


def test_what_the_sandbox_gives_back_rises_with_copies_and_held_out_works_stay_at_nothing(extract: Cli) -> None:
    """U11, and U5 by figures: through the command, offline, with the defaults but for the length of answers."""
    answer = extract("--prefix", "25", "--length", "72", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    measures = found["measures"]
    assert measures["spearman"] > 0.8
    groups = {(group["axis"], group["value"]): group["figures"]["recall"] for group in measures["groups"]}
    assert groups["control", "held-out"]["highest"] == 0.0
    assert groups["copies", "1"]["mean"] < 0.1
    assert groups["copies", "256"]["mean"] > 0.9
    assert found["model"].startswith("sandbox@")
    likely = {work["work"]: work["log_p_per_letter"] for work in measures["works"]}
    best = max(work["copies"] or 0 for work in measures["works"])
    known = [likely[work["work"]] for work in measures["works"] if work["copies"] == best]
    unknown = [likely[work["work"]] for work in measures["works"] if work["role"] == "held-out"]
    assert min(known) > max(unknown)


def test_copies_are_not_told_of_another_model_that_is_asked_for_the_same_works(extract: Cli, writer: object) -> None:
    answer = extract("--model", writer, "--prefix", "10", "--length", "40", "--limit", "8", "--json")
    assert answer.code == 0, answer.err
    assert all(work["copies"] is None for work in json.loads(answer.out)["measures"]["works"])


def test_the_sandbox_is_labelled_wherever_its_figures_stand(extract: Cli) -> None:
    answer = extract("--limit", "6", "--length", "32", "--prefix", "25")
    assert "never comparable with real models" in answer.out
