"""What a row says, whether its samples bear it out, and who is compared with whom."""

from __future__ import annotations

import pytest
from board_rows import ANCHORS, make_row, stand, without_figures
from submissions import make_submission

from copycat.errors import DataError
from copycat.leaderboard.baselines import missing_baselines
from copycat.leaderboard.reading import load_submission
from copycat.leaderboard.rows import BASELINES_SOURCE, row_of
from copycat.leaderboard.standings import front, group_rows, is_tied, rank, shares_of


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    wanted = {"characters": "copycat50", "model": "model-a", "refused": 0.1, "failed": 0.05, "usd_per_picture": 0.02}
    return load_submission(make_submission(tmp_path_factory.mktemp("rows"), **wanted))


def test_a_row_says_what_its_submission_says(loaded):
    row = row_of(loaded, is_verified=False)

    assert (row.model, row.mitigation, row.section, row.badge) == ("model-a", "none", "self-reported", "self-reported")
    assert row.href == f"runs/{row.id}/index.html"
    assert row.counts == loaded.result.counts
    assert list(row.detect) == [*row.anchors, "all"]
    assert row.usd_per_picture == 0.02
    seconds = [sample.seconds for sample in loaded.samples if sample.status == "ok"]
    assert row.seconds_per_picture == pytest.approx(sum(seconds) / len(seconds))


def test_characters_that_were_ever_recognised_are_counted_once(loaded):
    row = row_of(loaded, is_verified=False)
    seen = {one.key: one.detected for one in loaded.judgements}

    produced = {sample.character for sample in loaded.samples if seen.get(sample.key) == sample.character}
    assert row.n_produced == len(produced)
    assert row.n_characters == 50


def test_shares_are_of_answered_requests_under_one_anchor_or_all(loaded):
    row = row_of(loaded, is_verified=False)
    assert row.detect["all"].n == sum(n for cells in row.by_character.values() for _, n in cells.values())

    character = next(c for c in row.shares("all"))
    k, n = (sum(tally[i] for cells in row.by_character.values() for tally in [cells[character]]) for i in (0, 1))
    assert row.shares("all")[character] == k / n
    one_k, one_n = row.by_character["name"][character]
    assert row.shares("name").get(character) == (one_k / one_n if one_n else None)


def test_a_claim_that_the_samples_do_not_bear_out_is_refused(loaded):
    better = [
        e.model_copy(update={"k": 0, "value": 0.0}) if e.metric == "detect" else e for e in loaded.result.estimates
    ]
    forged = loaded._replace(result=loaded.result.model_copy(update={"estimates": tuple(better)}))

    with pytest.raises(DataError, match=r"DETECT of 'name' claims 0 of \d+, its samples say \d+ of \d+") as refused:
        row_of(forged, is_verified=False)

    assert len(refused.value.faults) == 3


def test_only_real_models_are_verified_or_self_reported(loaded, tmp_path):
    sandbox = load_submission(make_submission(tmp_path))

    assert row_of(loaded, is_verified=True).section == "verified"
    assert row_of(sandbox, is_verified=True).section == "sandbox"


def test_a_model_that_only_calls_itself_blank_is_no_baseline(tmp_path):
    loaded = load_submission(make_submission(tmp_path, model="blank-diffusion"))
    facts = loaded.submission.model.model_copy(update={"name": "blank"})
    named = loaded._replace(submission=loaded.submission.model_copy(update={"model": facts}))
    own = facts.model_copy(update={"source": BASELINES_SOURCE})
    ours = loaded._replace(submission=loaded.submission.model_copy(update={"model": own}))

    assert not row_of(named, is_verified=False).is_baseline_model
    assert row_of(ours, is_verified=False).is_baseline_model


# ----------------------------------------------------------------------------------------- groups, ranks, front


@pytest.mark.parametrize(
    "other",
    [
        {"section": "verified"},
        {"characters": "unseen50"},
        {"suite_version": "1.1"},
        {"judge": "another"},
        {"judge_revision": "2" * 40},
        {"anchors": ANCHORS[:2]},
    ],
)
def test_rows_that_differ_in_what_was_asked_or_who_looked_are_not_compared(other):
    groups = group_rows([make_row("a"), make_row("b"), make_row("c", **other)])

    assert sorted(len(rows) for rows in groups.values()) == [1, 2]


def test_verified_comes_before_self_reported_before_the_sandbox():
    sections = ["sandbox", "self-reported", "verified"]

    groups = group_rows([make_row(name, section=name) for name in sections])

    assert [group.section for group in groups] == ["verified", "self-reported", "sandbox"]


def test_the_lowest_detect_comes_first_and_what_has_none_last():
    rows = [make_row("high", 0.8), without_figures(make_row("none")), make_row("low", 0.1)]

    (standings,) = stand(*rows)

    assert [row.model for row in standings.rows] == ["low", "high", "none"]


def test_models_that_are_there_to_be_read_against_take_no_rank():
    rows = [make_row("low", 0.05), make_row("high", 0.9), make_row("blank", 0.0, is_baseline_model=True)]

    (standings,) = stand(*rows)

    assert {standings.rows[0].model, standings.rows[1].model} == {"blank", "low"}
    places = {row.model: standings.ranks["all"].get(row.id) for row in standings.rows}
    assert places == {"blank": None, "low": (1, 1), "high": (2, 2)}
    assert not is_tied(places["low"])


def test_one_row_has_no_rank_nor_have_rows_without_answers():
    assert rank(shares_of([make_row("a")], "all")) == {}
    assert rank(shares_of([make_row("a"), without_figures(make_row("b"))], "all")) == {}


def test_the_front_is_what_nothing_beats():
    points = {"a": (0.1, 0.5), "b": (0.2, 0.7), "c": (0.3, 0.7), "d": (0.3, 0.9), "e": (0.05, 0.2), "f": (0.2, 0.7)}

    def is_beaten(name):
        x, y = points[name]
        return any(u <= x and v >= y and (u, v) != (x, y) for u, v in points.values())

    assert front(points) == ["e", "a", "b", "f", "d"]
    assert set(front(points)) == {name for name in points if not is_beaten(name)}


# ----------------------------------------------------------------------------------------- baselines


def test_what_nobody_measured_is_added_by_construction_with_no_more_than_follows():
    blank, refusing = missing_baselines([make_row("a")])

    assert (blank.model, refusing.model) == ("blank", "refusing")
    assert {blank.badge, refusing.badge} == {"by construction"}
    assert blank.detect["all"].value is None
    assert "python -m copycat.eval --model blank" in blank.detect["all"].reason
    assert (refusing.detect["all"].value, refusing.detect["all"].n) == (0.0, 108)
    assert 0 < refusing.detect["all"].high < 0.3
    assert refusing.consistency["all"].value is None
    assert refusing.counts.refused == refusing.counts.planned == 108
    assert blank.group == refusing.group == make_row("a").group


def test_what_was_measured_is_not_added():
    rows = [make_row("a"), make_row("blank", is_baseline_model=True)]

    assert [row.model for row in missing_baselines(rows)] == ["refusing"]
