"""Who gets how many pictures: what changes between worlds, and what does not."""

from __future__ import annotations

from collections import Counter

from copycat.imitation.counterfactual.pictures import picture_of
from copycat.imitation.counterfactual.plan import cast, doses_of, plan
from copycat.imitation.counterfactual.settings import FULL, REDUCED, TINY
from copycat.imitation.counterfactual.training import bank_of, corpus_of


def test_permuted_worlds_deal_the_same_doses_to_the_characters_anew() -> None:
    permuted = [world for world in plan(REDUCED, seed=3) if world.kind == "permuted"]
    deals = [tuple(world.doses[who.id] for who in cast(REDUCED)) for world in permuted]
    assert len(permuted) == REDUCED.worlds
    assert {tuple(sorted(deal)) for deal in deals} == {tuple(sorted(doses_of(REDUCED)))}
    assert len(set(deals)) == len(deals)
    assert len({world.seed for world in permuted}) == len(permuted)


def test_doses_start_at_none_and_end_at_the_most() -> None:
    for setting in (TINY, REDUCED, FULL):
        doses = doses_of(setting)
        assert (doses[0], doses[1], doses[-1], len(doses)) == (0, 1, setting.most, setting.characters)
        assert doses == sorted(doses)


def test_a_series_changes_the_dose_of_its_probe_and_nothing_else() -> None:
    worlds = plan(REDUCED, seed=0)
    first, series = worlds[0], [world for world in worlds if world.kind == "series"]
    assert {first.doses[world.probe or ""] for world in series} == {REDUCED.most}
    for world in series:
        changed = {who for who in first.doses if first.doses[who] != world.doses[who]}
        assert changed == {world.probe}
        assert world.seed == first.seed
    reached = {world.doses[world.probe or ""] for world in series} | {REDUCED.most}
    assert reached == {0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}


def test_every_other_picture_of_a_series_keeps_its_place_in_every_batch() -> None:
    bank = bank_of(TINY)
    worlds = plan(TINY, seed=0)
    whole = corpus_of(worlds[0], bank, TINY)
    for world in worlds[1:3]:
        assert world.probe is not None
        places = corpus_of(world, bank, TINY)
        swapped = [(a, b) for a, b in zip(whole, places, strict=True) if a != b]
        assert len(swapped) == TINY.most - world.doses[world.probe]
        assert {bank.pictures[a].character for a, _ in swapped} == {world.probe}
        assert {bank.pictures[b].character for _, b in swapped} == {None}


def test_a_larger_dose_holds_the_pictures_of_a_smaller_one() -> None:
    bank = bank_of(TINY)
    who = cast(TINY)[1]
    few, many = bank.of(who.id, 3), bank.of(who.id, 7)
    assert many[:3] == few
    assert [bank.pictures[place] for place in many] == [picture_of(who, i) for i in range(7)]


def test_a_world_holds_each_character_as_often_as_its_dose_says() -> None:
    bank = bank_of(TINY)
    for world in plan(TINY, seed=5):
        shown = Counter(bank.pictures[place].character for place in corpus_of(world, bank, TINY))
        assert {who: shown[who] for who in world.doses} == dict(world.doses)
        assert len(set(corpus_of(world, bank, TINY))) == shown.total()


def test_permuted_worlds_come_among_those_of_the_series() -> None:
    kinds = [world.kind for world in plan(REDUCED, seed=0)]
    assert kinds[:5] == ["permuted", "series", "series", "series", "permuted"]
