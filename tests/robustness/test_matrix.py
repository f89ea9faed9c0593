"""`--grid erasers` from the command line on doubles: figures, resuming, failures, processes, and the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import Cli, Doubles
from safetensors.torch import save_file

from copycat.erasure.training import Order as ErasureOrder
from copycat.errors import UserError
from copycat.models.erased import CARD, DELTA, file_sha256
from copycat.robustness import cells, running
from copycat.schema import ErasureCard

GRID = ("--model", "fake", "--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml", "--grid", "erasers")


def save_fake_erasure(order: ErasureOrder, folder: Path) -> ErasureCard:
    """Save weights for the fake model, which only looks at the name of who was erased."""
    if (folder / CARD).exists():
        return ErasureCard.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
    import torch

    folder.mkdir(parents=True)
    mark = hash((order.method, order.preset, order.seed, order.concepts[0].name)) % 1000
    save_file({"unet.x": torch.full((2,), float(mark))}, folder / DELTA)
    card = ErasureCard(
        method=order.method, preset=order.preset, settings={}, concepts=(order.concepts[0].name,), seed=order.seed,
        model="fake", source="fake", revision="1", pipeline="", delta_sha256=file_sha256(folder / DELTA),
        n_parameters=2, steps=1, planned=1, status="finished", losses={}, seconds=12.0, device="cpu", dtype="float32",
        versions={},
    )  # fmt: skip
    (folder / CARD).write_text(card.model_dump_json(), encoding="utf-8")
    return card


@pytest.fixture
def grid(cli: Cli, doubles: Doubles, characters_file: Path, monkeypatch: pytest.MonkeyPatch, tiny_judge: Path) -> Cli:
    from copycat.models.resolve import resolve_model

    identity = resolve_model("fake").source

    def run_erasure(order: ErasureOrder, folder: Path) -> ErasureCard:
        card = save_fake_erasure(order, folder).model_copy(update={"source": identity})
        (folder / CARD).write_text(card.model_dump_json(), encoding="utf-8")
        return card

    monkeypatch.setattr(cells, "run_erasure", run_erasure)
    monkeypatch.setattr(running, "check_methods", lambda _: None)
    from copycat.measures import Setting, resolve_measure

    def setting(settled: Any) -> Setting:
        row = resolve_measure("diversity").model_copy(update={"source": str(tiny_judge)})
        return Setting(row, "cpu", settled.characters)

    for module in (cells, running):
        monkeypatch.setattr(module, "encoder_setting", setting)
    return lambda *options: cli(*GRID, "--out", "m", "--seeds", 2, "--concepts", "goofy,Max", *options)


def matrix_of(folder: Path) -> Any:
    return json.loads((folder / "m" / "matrix.json").read_text(encoding="utf-8"))


def detect_of(matrix: Any, method: str, attack: str, anchor: str = "all") -> float:
    places = [c for c in matrix["cells"] if (c["method"], c["attack"], c["anchor"]) == (method, attack, anchor)]
    return float(places[0]["detect"]["value"])


def test_a_matrix_has_every_method_under_every_attack_and_what_is_kept(grid: Cli, tmp_path: Path) -> None:
    answer = grid("--methods", "esd,uce", "--attack", "arc:A1", "--training-seeds", 2)
    assert answer.code == 0, answer.err
    matrix = matrix_of(tmp_path)
    assert matrix["concepts"] == {"goofy": "Goofy", "max": "Max"}
    assert (matrix["methods"], matrix["n_missing"]) == (["none", "esd", "uce"], 0)
    (none, attack) = matrix["attacks"]
    assert none == "none" and attack.startswith("arc:A1")
    assert detect_of(matrix, "none", "none") > 0.5
    assert detect_of(matrix, "esd", "none") == detect_of(matrix, "uce", "none") == 0
    assert detect_of(matrix, "esd", attack) > 0.3
    regained = next(c for c in matrix["cells"] if (c["method"], c["attack"], c["anchor"]) == ("esd", attack, "all"))
    assert regained["regained"]["value"] == pytest.approx(detect_of(matrix, "esd", attack))
    esd = next(row for row in matrix["rows"] if row["method"] == "esd")
    assert (esd["n_erasures"], esd["n_diverged"], esd["erase_seconds"]) == (4, 0, 12.0)
    assert [kept["group"] for kept in esd["retention"]] == ["all", "franchise", "characteristic", "neighbours", "rest"]
    assert {one["metric"]: one["n"] > 0 for one in esd["distances"]} == {"pixels": True, "embedding": True}
    assert all(one["of_another_seed"] > 0 for one in esd["distances"])
    others = {row["method"]: row["consistency"]["others"]["n"] for row in matrix["rows"]}
    assert others["none"] == len(matrix["others"]) * matrix["seeds"]
    assert {(t["first"], t["second"]) for t in matrix["tests"]} == {("esd", "uce")}
    assert "original model" in answer.out and "others kept" in answer.out and "m/matrix.html" in answer.out


def test_the_same_command_twice_draws_nothing_and_gives_the_same_bytes(
    grid: Cli, doubles: Doubles, tmp_path: Path
) -> None:
    options = ("--methods", "esd", "--attack", "arc:A1", "--anchors", "name")
    assert grid(*options).code == 0
    first = [(tmp_path / "m" / name).read_bytes() for name in ("matrix.json", "matrix.html")]
    doubles.forget()
    assert grid(*options).code == 0
    assert doubles.generated == doubles.judged == []
    assert [(tmp_path / "m" / name).read_bytes() for name in ("matrix.json", "matrix.html")] == first


def test_another_attack_draws_only_what_it_adds(grid: Cli, doubles: Doubles) -> None:
    assert grid("--methods", "esd", "--anchors", "name").code == 0
    doubles.forget()
    assert grid("--methods", "esd", "--anchors", "name", "--attack", "arc:A1").code == 0
    n_concepts, n_seeds, n_models = 2, 2, 2
    assert len(doubles.generated) == n_concepts * n_seeds * n_models


def test_a_cell_that_fails_leaves_the_others_alone_and_is_made_later(
    grid: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Callable[..., ErasureCard] = cells.run_erasure

    def fails_for_max(order: ErasureOrder, folder: Path) -> ErasureCard:
        if order.concepts[0].name == "Max":
            raise UserError("no room for Max\n  needed: room")
        return whole(order, folder)

    monkeypatch.setattr(cells, "run_erasure", fails_for_max)
    answer = grid("--methods", "esd", "--anchors", "name")
    assert answer.code == 1
    assert "not made: esd-max-s0: no room for Max" in answer.err
    assert "1 cell is missing" in answer.out
    monkeypatch.setattr(cells, "run_erasure", whole)
    assert grid("--methods", "esd", "--anchors", "name").code == 0
    assert matrix_of(tmp_path)["n_missing"] == 0


def test_the_page_stands_alone_and_escapes_what_people_named(grid: Cli, tmp_path: Path, characters_file: Path) -> None:
    text = characters_file.read_text(encoding="utf-8").replace("name: Goofy", 'name: "<b>Goofy"')
    characters_file.write_text(text, encoding="utf-8")
    assert grid("--methods", "esd", "--concepts", "goofy", "--attack", "arc:A1").code == 0
    page = (tmp_path / "m" / "matrix.html").read_text(encoding="utf-8")
    assert "<b>Goofy" not in page and "&lt;b&gt;Goofy" in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "<script" not in page and ' style="' not in page
    for said in ("by name", "all prompts", "others kept", "original model"):
        assert said in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--concepts", "Gofy"), "Gofy"),
        (("--concepts", ""), "no concept given"),
        (("--methods", "esdd"), "esd"),
        (("--attack", "arcc"), "arc"),
        (("--mitigation", "negprompt"), "--grid erasers and --mitigation do not go together"),
        (("--model", "fake-video"), "--grid erasers needs one model"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_drawn(
    grid: Cli, doubles: Doubles, options: tuple[str, ...], said: str
) -> None:
    answer = grid(*options)
    assert answer.code == 2
    assert said in answer.err
    assert doubles.generated == []


def test_options_of_the_matrix_belong_to_its_grid(run: Cli) -> None:
    answer = run("--concepts", "goofy")
    assert answer.code == 2
    assert answer.err.startswith("error: --concepts belongs to --grid erasers\n")
