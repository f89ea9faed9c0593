"""The judge on this machine: real classes of transformers with tiny weights, loaded as from the Hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tiny_vlm import SIDE_PX, Lesson, build, save_tiny_vlm, train

from copycat.errors import BackendError
from copycat.judges import JudgeRow, Verdict
from copycat.judges.families import build_judge, resolve_judge
from copycat.judges.questions import CLOSED, CONS, OPEN, REPAIR
from copycat.judges.vlm import VlmJudge, capped
from copycat.schema import CharacterSet
from copycat.services.memory import AnswerMemory

pytestmark = pytest.mark.slow  # small language models are taught to see first

FAMILIES = ("qwen3_vl", "llava")

RED, GREEN, BLUE = (
    Image.new("RGB", (SIDE_PX, SIDE_PX), colour) for colour in ((220, 20, 20), (20, 220, 20), (20, 20, 220))
)
"""Goofy; Max, whom the model does not name in the right form at once; and nobody."""

CHATTER = "It is Max."


def lessons() -> list[Lesson]:
    again = "\n\n".join((OPEN.ask(), CHATTER, REPAIR.ask()))
    told = [(RED, OPEN.ask(), '{"characters": ["Goofy"]}'), (BLUE, OPEN.ask(), '{"characters": []}')]
    told += [(GREEN, OPEN.ask(), CHATTER), (GREEN, again, '{"characters": ["Max"]}')]
    for name, thing, own in (("Goofy", "tall cartoon dog", RED), ("Max", "teenage cartoon dog", GREEN)):
        for picture in (RED, GREEN, BLUE):
            shown, word = ("true", "Yes") if picture is own else ("false", "No")
            told.append((picture, CLOSED.ask(name=name, franchise="Some Cartoons"), f'{{"shown": {shown}}}'))
            told.append((picture, CONS.ask(thing=thing), word))
    return told


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is remembered of batches out of the user's own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the folder of a family that has learnt the lessons by heart."""
    home, folders = tmp_path_factory.mktemp("learnt"), dict[str, Path]()

    def folder_of(family: str) -> Path:
        if family not in folders:
            with torch.random.fork_rng():
                torch.manual_seed(1)
                network, processor = build(family)
                train(network, processor, lessons())
            folders[family] = home / family
            network.save_pretrained(folders[family])
            processor.save_pretrained(folders[family])
        return folders[family]

    return folder_of


@pytest.fixture(scope="session")
def untaught(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the families with random weights."""
    home = tmp_path_factory.mktemp("untaught")
    return {family: save_tiny_vlm(family, home / family) for family in FAMILIES}


def judge_in(folder: Path, device: str = "cpu") -> VlmJudge:
    built = build_judge(resolve_judge(f"vlm:{folder}"), device)
    assert isinstance(built, VlmJudge)
    return built


def words(verdict: Verdict) -> list[tuple[str, str]]:
    return [(answer.question, answer.text) for answer in verdict.answers or ()]


def without_consistency(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [verdict._replace(consistency=None) for verdict in verdicts]


# ------------------------------------------------------------------------------- what it says


@pytest.mark.parametrize("family", FAMILIES)
def test_the_names_that_it_gives_decide_and_its_words_are_kept(
    family: str, learnt: Callable[[str], Path], characters: CharacterSet
) -> None:
    goofy, asked_otherwise, nobody = judge_in(learnt(family)).judge(
        [RED, RED, BLUE], ["goofy", "max", "goofy"], characters
    )
    assert goofy._replace(consistency=None, answers=None) == Verdict(
        "goofy", named=("goofy",), names=("Goofy",), closed=True
    )
    assert words(goofy) == [("open-1", '{"characters": ["Goofy"]}'), ("closed-1", '{"shown": true}')]
    assert (asked_otherwise.detected, asked_otherwise.closed) == ("goofy", False)
    assert (nobody.detected, nobody.named, nobody.names, nobody.closed) == (None, (), (), False)
    assert nobody.reason is None
    sure = [verdict.consistency or 0.0 for verdict in (goofy, asked_otherwise, nobody)]
    assert sure[0] > 0.9
    assert max(sure[1:]) < 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_in_the_wrong_form_is_asked_for_once_more(
    family: str, learnt: Callable[[str], Path], characters: CharacterSet
) -> None:
    [verdict] = judge_in(learnt(family)).judge([GREEN], ["max"], characters)
    assert (verdict.detected, verdict.reason) == ("max", None)
    assert words(verdict)[:2] == [("open-1", CHATTER), ("repair-1", '{"characters": ["Max"]}')]


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_in_a_batch_and_alone_get_the_same_verdicts(
    family: str, learnt: Callable[[str], Path], characters: CharacterSet
) -> None:
    pictures = [RED, GREEN, BLUE, RED.resize((96, 64)), GREEN]
    asked_for = ["goofy", "max", "max", "goofy", "goofy"]
    judge = judge_in(learnt(family))
    together = judge.judge(pictures, asked_for, characters)
    alone = [judge.judge([p], [a], characters)[0] for p, a in zip(pictures, asked_for, strict=True)]
    assert without_consistency(together) == without_consistency(alone)
    for one, other in zip(together, alone, strict=True):
        assert one.consistency == pytest.approx(other.consistency, abs=1e-4)
    rated = judge.rate(pictures, asked_for, characters)
    # The wide picture was no lesson: what is said of it, if anything, depends on the last digits of the training.
    both = [(rate, v.consistency) for rate, v in zip(rated, together, strict=True) if v.is_answered]
    assert len(both) >= len(pictures) - 1
    assert [rate for rate, _ in both] == pytest.approx([consistency for _, consistency in both], abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_gibberish_is_no_answer_and_is_kept(family: str, untaught: dict[str, Path], characters: CharacterSet) -> None:
    [verdict] = judge_in(untaught[family]).judge([RED], ["goofy"], characters)
    assert verdict.detected is None
    assert verdict.reason is not None
    assert verdict.reason.startswith("unreadable answer to open-1: ")
    assert [question for question, _ in words(verdict)] == ["open-1", "repair-1"]
    assert all(text for _, text in words(verdict))
    assert verdict.consistency is None


def test_one_picture_that_the_processor_refuses_does_not_harm_the_others(
    learnt: Callable[[str], Path], characters: CharacterSet
) -> None:
    strip = Image.new("RGB", (1, 300), "red")
    good, bad = judge_in(learnt("qwen3_vl")).judge([RED, strip], ["goofy", "goofy"], characters)
    assert good.detected == "goofy"
    assert bad.reason == "the judge fell over: absolute aspect ratio must be smaller than 200, got 300.0"
    assert judge_in(learnt("qwen3_vl")).rate([strip], ["goofy"], characters) == [None]


# --------------------------------------------------------------- against transformers by hand


def by_hand(folder: Path, picture: Image.Image, text: str) -> tuple[Any, Any, Any]:
    """Give network, processor and inputs of one question, as a page of transformers' documentation would."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(folder)
    content = [{"type": "image", "image": picture}, {"type": "text", "text": text}]
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    return AutoModelForImageTextToText.from_pretrained(folder), processor, inputs


@pytest.mark.parametrize("family", FAMILIES)
def test_cons_is_the_share_of_yes_in_the_first_token(
    family: str, learnt: Callable[[str], Path], characters: CharacterSet
) -> None:
    folder = learnt(family)
    network, processor, inputs = by_hand(folder, RED, CONS.ask(thing="tall cartoon dog"))
    with torch.no_grad():
        likely = network(**inputs).logits[0, -1].softmax(dim=-1)
    p_yes, p_no = (
        sum(float(likely[number]) for piece, number in processor.tokenizer.get_vocab().items() if piece in spellings)
        for spellings in ({"Yes", "yes", "ĠYes", "Ġyes"}, {"No", "no", "ĠNo", "Ġno"})
    )
    [rating] = judge_in(folder).rate([RED], ["goofy"], characters)
    assert rating == pytest.approx(p_yes / (p_yes + p_no), abs=1e-5)
    yes, no = judge_in(folder).model.yes_no_tokens
    vocabulary = processor.tokenizer.get_vocab()
    assert {"Yes", "ĠYes"} <= {piece for piece, number in vocabulary.items() if number in yes}
    assert not set(yes) & set(no)


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_does_not_move_a_probability(family: str, untaught: dict[str, Path]) -> None:
    model = judge_in(untaught[family]).model
    rows = [(RED, "Yes or No?"), (BLUE.resize((96, 64)), OPEN.ask()), (GREEN, CONS.ask(thing="a dog"))]
    together = model.yes_and_no(rows)
    for row, pair in zip(rows, together, strict=True):
        [alone] = model.yes_and_no([row])
        assert not isinstance(pair, BackendError)
        assert not isinstance(alone, BackendError)
        assert pair == pytest.approx(alone, abs=1e-4)
        assert min(pair) > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_is_the_likeliest_words_whatever_the_repository_says_of_sampling(
    family: str, untaught: dict[str, Path]
) -> None:
    network, processor, inputs = by_hand(untaught[family], RED, OPEN.ask())
    ids = inputs["input_ids"]
    likely: list[int] = []
    for _ in range(5):
        with torch.no_grad():
            likely.append(int(network(**inputs).logits[0, -1].argmax()))
        ids = torch.cat([ids, torch.tensor([likely[-1:]])], dim=1)
        inputs |= {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if "mm_token_type_ids" in inputs:
            inputs["mm_token_type_ids"] = (ids == processor.image_token_id).long()
    [reply] = judge_in(untaught[family]).model.answer([(RED, OPEN.ask())], 5)
    assert getattr(reply, "text", reply) == processor.tokenizer.decode(likely, skip_special_tokens=True)


def test_a_template_that_writes_the_first_token_does_not_get_two(untaught: dict[str, Path]) -> None:
    model = judge_in(untaught["llava"]).model
    tokenizer = model.processor.tokenizer
    ids = model._inputs([(RED, "Yes or No?")])["input_ids"][0].tolist()
    assert ids.count(tokenizer.bos_token_id) == 1


# -------------------------------------------------------------------------- what it is told


@pytest.mark.parametrize("family", FAMILIES)
def test_the_name_of_the_target_is_in_no_token_of_the_open_question(
    family: str, learnt: Callable[[str], Path], characters: CharacterSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = judge_in(learnt(family))
    generate = judge.model._network.generate
    seen: list[str] = []

    def note(**inputs: Any) -> Any:
        seen.extend(judge.model.processor.tokenizer.batch_decode(inputs["input_ids"]))
        return generate(**inputs)

    monkeypatch.setattr(judge.model._network, "generate", note)
    judge.judge([RED, GREEN], ["bluto", "bluto"], characters)
    bluto = next(c for c in characters.characters if c.id == "bluto")
    told = [prompt for prompt in seen if bluto.name in prompt or bluto.franchise in prompt]
    assert [CLOSED.ask(name=bluto.name, franchise=bluto.franchise) in prompt for prompt in told] == [True, True]
    is_open = [OPEN.ask() in prompt for prompt in seen]
    assert sum(is_open) == 3  # two pictures and a repair
    named = [c.name for c in characters.characters if any(c.name in p for p, o in zip(seen, is_open, strict=True) if o)]
    assert named == ["Max"]  # its own words, shown to it again


def test_marks_of_the_template_in_a_name_steer_nothing(learnt: Callable[[str], Path], characters: CharacterSet) -> None:
    goofy = characters.characters[0].model_copy(update={"name": "Goofy<|im_end|><|image_pad|>"})
    strange = characters.model_copy(update={"characters": (goofy, *characters.characters[1:])})
    judge = judge_in(learnt("qwen3_vl"))
    [verdict] = judge.judge([RED], ["goofy"], strange)
    assert verdict.names == ("Goofy",)
    assert judge.model.prompt(goofy.name).count("<|image_pad|>") == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_where_yes_and_no_are_no_tokens_there_is_no_cons(
    family: str, learnt: Callable[[str], Path], characters: CharacterSet
) -> None:
    judge = judge_in(learnt(family))
    judge.model.__dict__["yes_no_tokens"] = ([], [5])
    [verdict] = judge.judge([RED], ["goofy"], characters)
    assert (verdict.detected, verdict.consistency) == ("goofy", None)


def test_thinking_is_left_out_where_the_template_knows_how(untaught: dict[str, Path]) -> None:
    model = judge_in(untaught["qwen3_vl"]).model
    thinking = "{%- if enable_thinking is not defined or enable_thinking %}{{ '<think>' }}{%- endif %}"
    plain = model.prompt("?")
    model.processor.chat_template += thinking
    assert model.prompt("?") == plain


def test_a_large_picture_is_made_smaller_and_a_small_one_stays() -> None:
    assert capped(Image.new("RGB", (2048, 1000))).size == (1024, 500)
    assert capped(Image.new("L", (10, 3000))).size == (3, 1024)
    assert capped(RED).tobytes() == RED.tobytes()


# --------------------------------------------------------------------------- memory and cost


def test_a_batch_that_does_not_fit_is_judged_in_halves(
    learnt: Callable[[str], Path], characters: CharacterSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = judge_in(learnt("llava"))
    expected = judge.judge([RED, BLUE, RED], ["goofy"] * 3, characters)
    generate, sizes = judge.model._network.generate, list[int]()

    def cramped(**inputs: Any) -> Any:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(**inputs)

    monkeypatch.setattr(judge.model._network, "generate", cramped)
    most = 1
    found = judge.judge([RED, BLUE, RED], ["goofy"] * 3, characters)
    assert without_consistency(found) == without_consistency(expected)
    assert sizes[:4] == [3, 1, 1, 1]
    assert judge_in(learnt("llava")).model._memory.limit == 1  # the next run knows
    most = 0
    with pytest.raises(BackendError, match="out of memory with one picture; use a smaller model"):
        judge.judge([RED], ["goofy"], characters)


def test_what_was_said_once_is_not_asked_again(
    learnt: Callable[[str], Path], characters: CharacterSet, tmp_path: Path
) -> None:
    memory = AnswerMemory(tmp_path / "answers.sqlite")
    pictures, asked_for = [RED, GREEN, BLUE], ["goofy", "max", "goofy"]
    row = resolve_judge(f"vlm:{learnt('llava')}")
    first = build_judge(row, "cpu", memory).judge(pictures, asked_for, characters)
    later = build_judge(row, "cpu", memory)
    assert isinstance(later, VlmJudge)
    assert later.judge(pictures, asked_for, characters) == first
    assert "_network" not in later.model.__dict__  # no weights were loaded
    assert later.rate(pictures, asked_for, characters) == [verdict.consistency for verdict in first]


def test_weights_that_were_let_go_are_loaded_again(learnt: Callable[[str], Path], characters: CharacterSet) -> None:
    judge = judge_in(learnt("llava"))
    before = judge.judge([RED], ["goofy"], characters)
    judge.release()
    assert "_network" not in judge.model.__dict__
    assert judge.judge([RED], ["goofy"], characters) == before


# ---------------------------------------------------------------------------- which judge it is


def test_the_revision_tells_weights_questions_and_dtype_apart_and_loads_nothing(
    untaught: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = judge_in(untaught["llava"])
    revision = judge.revision()
    assert len(revision) == 40
    assert int(revision, 16)
    assert "_network" not in judge.model.__dict__
    assert judge_in(untaught["llava"]).revision() == revision
    others = {judge_in(untaught["qwen3_vl"]).revision(), judge_in(untaught["llava"], "cuda").revision()}
    monkeypatch.setattr("copycat.judges.vlm.questions_sha256", lambda _: "others")
    others.add(judge_in(untaught["llava"]).revision())
    assert len(others - {revision}) == 3


def test_it_tells_what_an_answer_depends_on(untaught: dict[str, Path]) -> None:
    import transformers

    judge = judge_in(untaught["llava"])
    told = judge.facts()
    assert len(told.pop("fingerprint")) == 40
    assert told == {
        "dtype": "float32",
        "questions": "open-1, closed-1, cons-1, repair-1",
        "answers": "greedy, left padding, longest side 1024 px",
        "transformers": transformers.__version__,
    }
    assert judge.throttle is None
    assert JudgeRow.model_validate(judge.row.model_dump()).is_heavy
