"""Which pictures are labelled: in proportion, at random, and the same every time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from copycat.calibration.drawing import draw_pictures
from copycat.schema import Sample


def samples(**counts: int) -> list[Sample]:
    return [
        Sample(
            key=f"{character}{number}", character=character, anchor="name", repeat=0, prompt="", prompt_sent="",
            negative_prompt=None, seed=number, status="ok", image="images/x.png", sha256="0",
        )
        for character, count in counts.items()
        for number in range(count)
    ]  # fmt: skip


def drawn(rows: list[Sample], n: int, seed: int = 0) -> list[str]:
    return [sample.key for sample in draw_pictures(rows, n, seed)]


def test_the_same_seed_draws_the_same_pictures_whatever_the_order_of_the_samples() -> None:
    rows = samples(a=30, b=30)
    assert drawn(rows, 20) == drawn(rows[::-1], 20)
    assert drawn(rows, 20) != drawn(rows, 20, seed=1)


def test_each_character_gets_its_share() -> None:
    chosen = Counter(sample.character for sample in draw_pictures(samples(a=60, b=30, c=10), 20, 0))
    assert chosen == {"a": 12, "b": 6, "c": 2}


def test_shares_that_do_not_come_out_even_are_rounded_to_the_number_asked_for() -> None:
    rows = samples(a=7, b=7, c=7, d=1)
    for n in range(1, 23):
        chosen = draw_pictures(rows, n, 0)
        assert len({sample.key for sample in chosen}) == n
        for character, size in (("a", 7), ("d", 1)):
            assert abs(sum(s.character == character for s in chosen) - n * size / 22) < 1


def test_all_pictures_are_drawn_where_there_are_fewer_than_asked_for() -> None:
    rows = samples(a=3, b=2)
    assert set(drawn(rows, 300)) == {sample.key for sample in rows}


def test_requests_without_a_picture_are_not_drawn() -> None:
    refused = samples(a=1)[0].model_copy(update={"key": "z", "status": "refused", "image": None, "sha256": None})
    assert drawn([*samples(b=1), refused], 5) == ["b0"]


def test_characters_are_shown_in_a_mixed_order() -> None:
    order = [sample.character for sample in draw_pictures(samples(a=50, b=50), 100, 0)]
    changes = sum(first != second for first, second in pairwise(order))
    assert 30 < changes < 70


def test_every_picture_has_the_same_chance() -> None:
    rows = samples(a=20, b=10)
    seen = Counter(key for seed in range(400) for key in drawn(rows, 6, seed))
    assert all(40 < seen[sample.key] < 120 for sample in rows), seen  # 80 expected, std 8
