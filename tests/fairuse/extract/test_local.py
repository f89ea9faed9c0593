"""A model on this machine: its tokens, its answers together and apart, its chat, its room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from copycat.errors import DataError, UserError
from copycat.fairuse.extract.axes import parse_decodings
from copycat.fairuse.extract.backends import Request, build_text_model
from copycat.fairuse.extract.backends.local import LocalTextModel
from copycat.fairuse.extract.plan import Axes, Measure, RoledWork, build_plan
from copycat.fairuse.works import load_works

if TYPE_CHECKING:
    from harness import Cli

SONNET = next(one for one in load_works(["public-domain"]) if one.work.id == "sonnet-18").readable


@pytest.fixture(scope="module")
def model(writer: Path) -> LocalTextModel:
    return LocalTextModel(writer)


@pytest.mark.parametrize("count", [1, 5, 25, 100])
def test_a_prefix_has_as_many_tokens_as_asked_for(model: LocalTextModel, count: int) -> None:
    end = model.cut(SONNET, 0, count)
    assert end is not None
    assert len(model._tokenizer(SONNET[:end])["input_ids"]) == count
    assert model.cut(SONNET, 0, 5000) is None


def test_the_tail_has_as_many_tokens_as_asked_for(model: LocalTextModel) -> None:
    start = model.tail(SONNET, 20)
    assert 0 < start < len(SONNET)
    assert len(model._tokenizer(SONNET[start:])["input_ids"]) == pytest.approx(20, abs=1)
    assert model.tail("two words", 500) == 0


def test_an_answer_is_the_same_alone_and_among_others(model: LocalTextModel) -> None:
    ends = [model.cut(SONNET, start, 12) for start in (0, 40, 80)]
    texts = [SONNET[start:end] for start, end in zip((0, 40, 80), ends, strict=True)]
    requests = [Request(text, 24, temperature, seed=n) for n, text in enumerate(texts) for temperature in (0.0, 1.0)]
    together = model.answer(requests)
    assert together == [model.answer([request])[0] for request in requests]


def test_another_seed_draws_another_answer_and_the_same_seed_the_same(model: LocalTextModel) -> None:
    texts = [model.answer([Request("The", 24, 1.2, seed)])[0].text for seed in (1, 2, 1)]
    assert texts[0] == texts[2] != texts[1]


def test_a_low_temperature_is_nearly_greedy(model: LocalTextModel) -> None:
    start = SONNET[: model.cut(SONNET, 0, 20)]
    greedy, cold = (model.answer([Request(start, 32, temperature, 9)])[0].text for temperature in (0.0, 0.05))
    assert greedy == cold


def test_a_request_that_does_not_fit_is_a_failure_of_its_own(model: LocalTextModel) -> None:
    replies = model.answer([Request(SONNET * 4, 16), Request("Shall I", 16)])
    assert [reply.status for reply in replies] == ["failed", "answered"]
    assert "do not fit" in replies[0].detail


def test_the_probability_is_that_of_what_generation_sees(model: LocalTextModel) -> None:
    middle = model.cut(SONNET, 0, 20)
    end = model.cut(SONNET, 0, 40)
    true = model.log_probability(SONNET[:middle], SONNET[middle:end])
    other = model.log_probability(SONNET[:middle], " a wholly different sentence about nothing at all")
    assert true is not None
    assert other is not None
    assert true > -2
    assert other < -20


def test_a_text_beyond_the_models_positions_has_no_probability(model: LocalTextModel) -> None:
    assert model.log_probability(SONNET, SONNET * 3) is None


def test_a_prefix_and_its_answer_have_room_in_the_model(model: LocalTextModel) -> None:
    works = [RoledWork(one, "work") for one in load_works(["public-domain"])]
    measure = Measure("tokens", is_chat=False, cut=model.cut, room=140)
    axes = Axes(("prefix",), (10, 100, 130), parse_decodings("greedy"), ("none",))
    plan = build_plan(works, axes, measure)
    assert {ask.prefix: ask.length for ask in plan.asks} == {10: 126, 100: 36}
    assert plan.left_out["longer than the model's context"] == 6


def test_places_spread_prefixes_over_the_work(model: LocalTextModel) -> None:
    works = [RoledWork(one, "work") for one in load_works(["public-domain"]) if one.work.id == "gettysburg-address"]
    measure = Measure("tokens", is_chat=False, cut=model.cut)
    plan = build_plan(works, Axes(("prefix",), (10,), parse_decodings("greedy"), ("none",), places=3), measure)
    starts = [ask.start for ask in plan.asks]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert len({ask.key for ask in plan.asks}) == len(plan.asks) == 3


def test_a_chat_model_is_asked_in_words_and_raw_only_on_demand(
    extract: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tiny_llm import save_tiny_llm

    folder = save_tiny_llm(tmp_path_factory.mktemp("chat") / "tiny", [SONNET])
    options = ("--model", folder, "--works", "public-domain", "--controls", "none", "--length", "32", "--limit", "2")
    answer = extract(*options, "--evasions", "caps", "--prompts", "title,position", "--json")
    assert answer.code in {0, 1}, answer.err
    spec = json.loads((Path(json.loads(answer.out)["path"]).parent / "run.json").read_text(encoding="utf-8"))["spec"]
    assert spec["is_chat"] is True
    refused = extract(*options, "--raw", "--prompts", "position")
    assert refused.code == 2
    assert "takes no requests" in refused.err


def test_a_folder_without_a_model_and_raw_for_a_service_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"config\.json"):
        build_text_model(str(tmp_path)).identify()
    with pytest.raises(UserError, match="--raw"):
        build_text_model("openai:some", is_raw=True)
