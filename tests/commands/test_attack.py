"""`copycat.attack` on the command line: what it prints, and what it says of what is wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from harness import Cli, CommandLine, Doubles
from rich.console import Console

from copycat.attacks.saved import AttackCard, AttackedPrompt
from copycat.commands import attack_tables
from copycat.schema import Erasure


@pytest.fixture
def attack(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    from copycat.commands.attack import app

    monkeypatch.chdir(tmp_path)
    return command_line(app, "copycat.attack")


@pytest.fixture
def arc(attack: Cli, tiny_pipeline: Path, doubles: Doubles, characters_file: Path) -> Cli:
    del doubles
    fixed = ("--model", tiny_pipeline, "--characters", characters_file, "--judge", "fake-judge", "--device", "cpu")
    shared = (*fixed, "--method", "arc", "--concept", "goofy", "--prompts", 1, "--set", "forms=A1+O3", "--out", "found")
    return lambda *options: attack(*shared, *options)


@pytest.mark.slow
def test_each_composition_is_told_with_its_rates_and_what_to_type_next(
    arc: Cli, tiny_pipeline: Path, characters_file: Path
) -> None:
    answer = arc()
    assert answer.code == 0
    assert "arc on tiny: is Goofy drawn?" in answer.out
    assert "arc:O3  0.0 % [0.0, 79.3], 0 of 1" in answer.out
    assert "--attack arc:A1" in answer.out
    assert f"copycat.eval --model {tiny_pipeline} --characters {characters_file} --judge fake-judge" in answer.out
    assert "under arc:A1: 1 of 1" in answer.err
    again = arc("--json")
    told = json.loads(again.out)
    assert [rate["form"] for rate in told["rates"]] == ["arc:A1", "arc:O3"]
    assert told["rates"][0]["after"] == {
        "k": 0,
        "n": 1,
        "value": 0.0,
        "low": 0.0,
        "high": pytest.approx(0.793, abs=1e-3),
    }
    assert (told["concept"], told["folder"]) == ("goofy", "found")
    assert "0 of 1" not in again.err  # nothing is drawn twice


def test_every_word_of_all_compositions_is_read_beside_a_long_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = ["A1", "A2", "A3", "A4", "A5", "O1", "O2", "O3"]
    shown = {"original": True, "before": False, "after": True}
    rows = (
        AttackedPrompt(id="1", form=f"arc:{form}", text="a long prompt " * 9, sent="", seed=1, **shown)
        for form in forms
    )
    console = Console(width=100, file=io.StringIO())
    monkeypatch.setattr(attack_tables, "out", console)
    console.print(attack_tables._forms_table(AttackCard.model_construct(prompts=tuple(rows))))
    assert isinstance(console.file, io.StringIO)
    titles, line = console.file.getvalue().splitlines()
    assert titles.split() == ["prompt", "original", "before", *forms]
    assert line.split()[-10:] == ["yes", "no", *["yes"] * 8]
    assert line.startswith("a long prompt a long prompt a")


@pytest.mark.parametrize(
    ("concepts", "spells", "told"),
    [
        (("Goofy", "Max"), False, []),
        (("goofy",), True, ["note: 1 of the prefixes found spell the name"]),
        (("Max", "Bluto"), False, ["note: the erasure is of Max, Bluto, and names no Goofy"]),
        (None, False, []),
    ],
)
def test_what_rates_do_not_say_is_said_beside_them(
    concepts: tuple[str, ...] | None, spells: bool, told: list[str]
) -> None:
    row = AttackedPrompt(
        id="1", form="cce", text="", sent="", seed=1, original=True, before=False, after=True, spells_name=spells
    )
    erasure = None if concepts is None else Erasure(method="esd", concepts=concepts, sha256="0" * 64)
    card = AttackCard.model_construct(prompts=(row,), erasure=erasure, name="Goofy", concept="goofy")
    assert attack_tables.notes_of(card) == told


def test_prompts_that_bring_nothing_back_are_told_from_those_that_never_showed_anything() -> None:
    row = AttackedPrompt(id="1", form="x", text="", sent="", seed=1, original=True, before=True, after=True)
    card = AttackCard.model_construct(prompts=(row,), erasure=None, name="Goofy", concept="goofy")
    assert attack_tables.notes_of(card) == ["note: nothing brought Goofy back here"]
    never = row.model_copy(update={"original": False, "before": False, "after": False})
    assert (
        "does not draw Goofy on these prompts either"
        in attack_tables.notes_of(card.model_copy(update={"prompts": (never,)}))[0]
    )


def test_methods_and_settings_are_listed(attack: Cli) -> None:
    methods = attack("--list", "methods").out
    assert all(name in methods for name in ("arc", "unlearndiffatk", "cce"))
    settings = attack("--list", "settings", "--method", "cce").out
    assert "steps" in settings
    assert "5000" in settings
    assert "settings of which method?" in attack("--list", "settings").err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--model is missing"),
        (("--model", "sandbox"), "--method is missing"),
        (("--model", "sandbox", "--method", "cc", "--concept", "x", "--out", "o"), "did you mean 'cce'"),
        (("--model", "flux-dev", "--method", "cce", "--concept", "x", "--out", "o"), "cannot be attacked by 'cce'"),
        (("--model", "playground-v2.5", "--method", "cce", "--concept", "x", "--out", "o"), "adds noise as EDM does"),
        (
            ("--model", "sandbox", "--method", "cce", "--concept", "Zorav", "--out", "o"),
            "did you mean 'Zoravi'",
        ),
        (
            ("--model", "sandbox", "--method", "cce", "--concept", "Zoravi", "--out", "o", "--erased", "nowhere"),
            "nowhere: no such folder",
        ),
    ],
)
def test_a_mistake_is_told_in_words(attack: Cli, options: tuple[str, ...], message: str) -> None:
    answer = attack(*options)
    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err


def test_a_prefix_that_is_no_text_is_told_by_its_tokens() -> None:
    row = AttackedPrompt(id="1", form="x", text="a", sent="a", seed=1, original=True, before=False, after=True)
    assert attack_tables._prefix_text(row.model_copy(update={"prefix": (7, 300), "decoded": "7-\ufffd"})) == "#7 #300"
    assert attack_tables._prefix_text(row.model_copy(update={"prefix": (7,), "decoded": "paws"})) == "paws"


@pytest.mark.slow
def test_that_there_was_nothing_to_bring_back_is_said(arc: Cli) -> None:
    assert "note: the original model does not draw Goofy on these prompts either" in arc().out
