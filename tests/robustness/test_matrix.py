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
from copycat.errors import ResumeMismatchError, UserError
from copycat.models.erased import CARD, DELTA
from copycat.paths import file_sha256
from copycat.robustness import cells, running
from copycat.robustness.order import CHOOSING_SEEDS
from copycat.schema import ErasureCard

GRID = ("--model", "fake", "--judge", "fake-judge", "--device", "cpu", "--characters", "mine.yaml", "--grid", "erasers")

SETTINGS: dict[str, dict[str, Any]] = {"esd": {"steps": 20}, "uce": {}}


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
    monkeypatch.setattr(running, "check_methods", lambda _: SETTINGS)
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
    assert matrix["least_p"] == 0.5  # of two concepts: ++, +-, -+, --
    of_goofy = {(c["method"], c["attack"]): c for c in matrix["by_concept"] if c["concept"] == "goofy"}
    assert of_goofy["esd", "none"] == {"concept": "goofy", "method": "esd", "attack": "none", "k": 0, "n": 12}
    assert of_goofy["none", "none"]["n"] == 6
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


@pytest.mark.slow
def test_another_attack_draws_only_what_it_adds(grid: Cli, doubles: Doubles) -> None:
    assert grid("--methods", "esd", "--anchors", "name").code == 0
    doubles.forget()
    assert grid("--methods", "esd", "--anchors", "name", "--attack", "arc:A1").code == 0
    n_concepts, n_seeds, n_models = 2, 2, 2
    assert len(doubles.generated) == n_concepts * n_seeds * n_models


@pytest.mark.slow
def test_cells_of_other_settings_are_made_anew_and_not_shown_beside_new_ones(
    grid: Cli, doubles: Doubles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--methods", "esd,uce", "--anchors", "name")
    assert grid(*options).code == 0
    made = cells.run_erasure

    def refuses_esd(order: ErasureOrder, folder: Path) -> ErasureCard:
        if order.method == "esd":
            raise ResumeMismatchError(f"{folder} holds another erasure\n  steps: 20 there, 9 asked for\n  --fresh it")
        return made(order, folder)

    monkeypatch.setattr(cells, "run_erasure", refuses_esd)
    monkeypatch.setattr(running, "check_methods", lambda _: SETTINGS | {"esd": {"steps": 9}})
    doubles.forget()
    answer = grid(*options)
    assert answer.code == 1
    assert "steps: 20 there, 9 asked for" in answer.err and "--fresh" not in answer.err
    assert "use another --out, or delete" in answer.err
    matrix = matrix_of(tmp_path)
    assert matrix["missing"] == ["esd-goofy-s0", "esd-max-s0"]
    assert {cell["method"] for cell in matrix["cells"]} == {"none", "uce"}
    assert doubles.generated == []
    page = (tmp_path / "m" / "matrix.html").read_text(encoding="utf-8")
    assert "esd-goofy-s0, esd-max-s0" in page


def test_an_erasure_that_diverged_is_told_wherever_its_figures_are(
    grid: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Callable[..., ErasureCard] = cells.run_erasure

    def diverges_for_max(order: ErasureOrder, folder: Path) -> ErasureCard:
        status = "diverged" if order.concepts[0].name == "Max" else "finished"
        return whole(order, folder).model_copy(update={"status": status})

    monkeypatch.setattr(cells, "run_erasure", diverges_for_max)
    answer = grid("--methods", "esd", "--anchors", "name")
    assert matrix_of(tmp_path)["diverged"] == ["esd-max-s0"]
    page = (tmp_path / "m" / "matrix.html").read_text(encoding="utf-8")
    assert "1 of 2 diverged" in page.partition('id="kept"')[0]
    for text in (answer.out, page):
        assert "esd-max-s0" in text and "last weights that were numbers" in " ".join(text.split())


def test_whom_retention_is_measured_on_is_chosen_by_pictures_that_no_cell_has(grid: Cli, tmp_path: Path) -> None:
    """Chosen by the pictures of the denominator, characters would seem to lose where nothing was lost."""
    assert grid("--methods", "esd", "--anchors", "name").code == 0
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "m" / "runs").glob("*/run.json")]
    seeds = [run["spec"]["seeds"] for run in runs if run["spec"]["mitigation"] == "none"]
    assert sorted(set(seeds)) == [2, 2 + CHOOSING_SEEDS]
    esd = next(row for row in matrix_of(tmp_path)["rows"] if row["method"] == "esd")
    assert esd["retention"][0]["n"] == 2 * 2 * 2  # seeds, concepts, and two others of each


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
    for said in ("In short", "by name", "by description", "all prompts", "others kept", "same franchise", "rest"):
        assert said in page
    for said in (
        "CONS, concept",
        "generic pictures, pixels",
        "another seed",
        "strongest attack",
        'class="count',
    ):
        assert said in page
    assert "their smallest p is 1" in page  # of one concept


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


@pytest.mark.slow
def test_a_dry_run_says_what_is_left_to_make_and_makes_nothing(grid: Cli, doubles: Doubles, tmp_path: Path) -> None:
    options = ("--methods", "esd,uce", "--attack", "arc:A1", "--attack", "cce", "--anchors", "name")
    answer = grid(*options, "--dry-run")
    assert answer.code == 0, answer.err
    assert "4: esd 2, uce 2" in answer.out and "4: cce 4" in answer.out and "at most" in answer.out
    assert (doubles.generated, list(tmp_path.glob("m/*/*"))) == ([], [])
    plain = ("--methods", "esd", "--attack", "arc:A1", "--anchors", "name")
    before = json.loads(grid(*plain, "--dry-run", "--json").out)
    assert grid(*plain).code == 0
    assert len(doubles.generated) == before["n_pictures"]
    after = json.loads(grid(*plain, "--methods", "esd,uce", "--dry-run", "--json").out)
    assert (after["n_cells"], after["n_finished"], after["erasures"], after["is_exact"]) == (6, 4, {"uce": 2}, True)
    doubles.forget()
    assert grid("--methods", "esd,uce", "--attack", "arc:A1", "--anchors", "name").code == 0
    assert len(doubles.generated) == after["n_pictures"]
