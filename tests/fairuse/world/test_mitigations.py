"""The runner of mitigations: what is finished is kept, figures become triples, and a page is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from copycat.errors import ResumeMismatchError, UnknownNameError
from copycat.fairuse.metrics import by_work
from copycat.fairuse.world.mitigations.page import build_page, pareto
from copycat.fairuse.world.mitigations.running import gather, methods_named, mitigate
from copycat.fairuse.world.mitigations.table import METHODS, NAMES
from copycat.fairuse.world.mitigations.workshop import Made, Method, Workshop
from copycat.fairuse.world.planted import all_works, copies_of
from copycat.fairuse.world.records import (
    Cost,
    Degeneracy,
    Extraction,
    MitigationResults,
    MitigationSetting,
    MitigationTriple,
    Utility,
    WorkExtraction,
)


def triple(name: str, recall: float, qa: float, bits: float = 1.0, against: str = "none") -> MitigationTriple:
    works = tuple(
        WorkExtraction(
            work_id=work.work.id,
            copies=copies_of(work.work.id),
            recall=recall if copies_of(work.work.id) else 0.0,
            recalls=(recall,),
            log_p=-9.0,
            nats_per_letter=0.01,
        )
        for work in all_works()
    )
    return MitigationTriple(
        method=name,
        against=against,
        title=f"<u>{name}</u>",
        extraction=Extraction(
            prefix_words=(10, 25, 50),
            recall=by_work({row.work_id: row.recalls for row in works if row.copies}),
            half_share=float(recall >= 0.5),
            held_out=0.0,
            spearman=None,
            works=works,
        ),
        utility=Utility(unseen_bits_per_letter=bits, qa_accuracy=qa, quotation=0.5),
        cost=Cost(training_seconds=12.0, microseconds_per_token=345.0),
        degenerate=Degeneracy(empty=0.0, repetitive=0.1, mean_words=140.0),
        facts={"texts": 4476},
    )


def results(*rows: MitigationTriple) -> MitigationResults:
    setting = MitigationSetting(model="a" * 64, training_texts="b" * 64, effort=1.0, training={"epochs": 6.0})
    return MitigationResults(setting=setting, rows=rows)


ROWS = (triple("none", 0.6, 0.9), triple("filter", 0.0, 0.9), triple("dp", 0.0, 0.1, bits=1.4))


def test_the_page_is_self_contained_escapes_and_has_a_label() -> None:
    page = build_page(results(*ROWS))
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page
    assert "&lt;u&gt;none&lt;/u&gt;" in page and "<u>" not in page
    assert "never comparable with real models" in page
    assert page == build_page(results(*ROWS))
    assert "nan" not in page


def test_a_mitigation_that_another_beats_everywhere_is_not_on_the_front() -> None:
    assert pareto(ROWS) == {"filter"}
    assert pareto((triple("none", 0.6, 0.9), triple("dp", 0.0, 0.1))) == {"none", "dp"}
    assert pareto((triple("a", 0.5, 0.5), triple("b", 0.5, 0.5))) == {"a", "b"}


def test_what_a_mitigation_is_compared_with_is_measured_too() -> None:
    assert [method.name for method in methods_named("filter")] == ["none", "filter"]
    assert [method.name for method in methods_named("dp,dedup")] == ["retrain", "dedup", "fine-tune", "dp"]
    assert [method.name for method in methods_named("all")] == list(NAMES)
    assert len(set(NAMES)) == len(METHODS)
    assert {method.against for method in METHODS} <= set(NAMES)
    with pytest.raises(UnknownNameError, match="dedup"):
        methods_named("dedupe")


def test_only_mitigations_of_one_model_are_compared() -> None:
    assert pareto((triple("none", 0.6, 0.9), triple("retrain", 0.9, 0.1, against="retrain"))) == {"none", "retrain"}


def test_what_is_finished_is_not_made_again(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from copycat.fairuse.world.mitigations import running

    made: list[str] = []

    def apply(shop: Workshop) -> Made:
        return Made(None, 0.0, {})  # type: ignore[arg-type]

    def measure(method: Method, _: Any) -> MitigationTriple:
        made.append(method.name)
        if method.name == "filter" and made.count("filter") == 1:
            raise KeyboardInterrupt
        return triple(method.name, 0.5, 0.5)

    monkeypatch.setattr(running, "measure", measure)
    shop = Workshop(tmp_path, lambda name, steps: lambda step, loss: None, tiny_folder)
    methods = [Method("none", "none", "x", apply), Method("filter", "none", "x", apply)]
    with pytest.raises(KeyboardInterrupt):
        mitigate(shop, methods)
    assert [row.method for row in mitigate(shop, methods).rows] == ["none", "filter"]
    assert made == ["none", "filter", "filter"]
    assert json.loads((tmp_path / "results.json").read_text())["kind"] == "fairuse-world-mitigations"
    assert gather(tmp_path).rows == mitigate(shop, methods).rows

    with pytest.raises(ResumeMismatchError, match="another effort"):
        mitigate(Workshop(tmp_path, shop.progress, tiny_folder, effort=0.5), methods)
