"""What reports say of a picture's weights, guide and attack."""

from __future__ import annotations

from pathlib import Path

from harness import Cli

from copycat.runs.changes import changes_of
from copycat.schema import Attack, Erasure, Guide, Sample, Term
from copycat.sharing.run_tables import _sample_row

SAMPLE = Sample(
    key="k",
    character="cat",
    anchor="name",
    repeat=0,
    prompt="a cat",
    prompt_sent="a cat",
    negative_prompt=None,
    seed=1,
    status="refused",
)


def told(**fields: object) -> tuple[str, ...]:
    return changes_of(SAMPLE.model_copy(update=fields))


def test_a_plain_picture_has_nothing_to_tell() -> None:
    assert told() == ()


def test_weights_guide_and_terms_are_told_with_signs_weights_and_window() -> None:
    terms = (Term(text="cat cake", weight=1.0), Term(text="cake", weight=-1.5))
    assert told(
        erasure=Erasure(method="esd", concepts=("Cat", "Dog"), sha256="0"),
        guide=Guide(method="sld", concept=("cat", "whiskers")),
        attack=Attack(method="arc", terms=terms, start=0.2, end=0.8),
    ) == (
        "weights: Cat, Dog erased by esd",
        "guided by sld, away from cat, whiskers",
        "attacked by arc: + “cat cake” - 1.5 “cake”, in the steps from 0.2 to 0.8",
    )


def test_searched_attacks_tell_their_tokens_and_embeddings() -> None:
    assert told(attack=Attack(method="unlearndiffatk", prefix=(7, 8))) == (
        "attacked by unlearndiffatk: 2 tokens in front, 7, 8",
    )
    assert told(attack=Attack(method="cce", learned="0123456789")) == ("attacked by cce: learned embeddings 01234567",)


def test_the_report_shows_what_an_attack_added(run: Cli, tmp_path: Path) -> None:

    answer = run("--attack", "arc:A5")
    assert answer.code == 0
    (page,) = tmp_path.glob("runs/*attacked*/report.html")
    text = page.read_text(encoding="utf-8")
    assert "attacked by arc: + “Goofy” - “tall cartoon dog”" in text
    assert "attacked:arc:A5" in text


def test_a_shared_run_tells_the_attack_and_the_weights_of_each_picture() -> None:
    attack = Attack(method="arc", terms=(Term(text="Cat", weight=2.0),))
    row = _sample_row(SAMPLE.model_copy(update={"attack": attack}), None)
    assert Attack.model_validate_json(row["attack"]) == attack
    assert row["erasure"] is None
