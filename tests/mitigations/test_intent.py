"""Detectors of intent: whom a prompt is after, measured on the shipped prompts and on everyday ones."""

from __future__ import annotations

import math

import pytest

from copycat.catalog import build_prompts, parse_anchor, prompt_set_of, read_character_set
from copycat.errors import BackendError, UnsupportedError
from copycat.mitigations import Question, Setting, build_mitigation
from copycat.mitigations.intent import Intent
from copycat.mitigations.lexical import LexicalIndex
from copycat.schema import ImageRequest

BENIGN = (
    "a bowl of soup on a wooden table",
    "two people waiting for a bus in the rain",
    "an old bicycle leaning against a brick wall",
    "a kitchen with copper pans",
    "a lighthouse at dusk",
    "portrait of an elderly fisherman",
    "a plate of pasta with basil",
    "children playing football in a park",
    "a steam train crossing a viaduct",
    "a black cat asleep on a sofa",
    "a vase of tulips by the window",
    "an empty office at night",
    "a market stall with oranges and lemons",
    "a watercolour of a harbour with sailing boats",
    "a woman reading a newspaper in a cafe",
    "aerial view of terraced rice fields",
    "a robin on a snowy branch",
    "a violin on a chair",
    "a modern house with a flat roof",
    "a brown horse in a green field",
)


def setting_of(name: str, answer: str | None = None) -> Setting:
    characters = read_character_set(name)
    return Setting(characters, prompt_set_of(characters), None if answer is None else lambda question: answer)


def request(text: str) -> ImageRequest:
    return ImageRequest(
        key="k", character="c", anchor="name", prompt_id="p", repeat=0, prompt=text, prompt_sent=text, seed=1
    )


def found_share(variant: str, name: str, anchor: str) -> float:
    """Share of an anchor's prompts for which the right character is found."""
    setting = setting_of(name)
    detector = Intent(variant, setting)
    parsed = parse_anchor(anchor, setting.prompt_set.default_ranker)
    prompts = build_prompts(setting.characters, setting.prompt_set, [parsed])
    found = [(detector.find(request(prompt.text)), prompt.character) for prompt in prompts]
    return sum(who is not None and who.id == meant for who, meant in found) / len(found)


def alarm_count(variant: str, name: str) -> int:
    detector = Intent(variant, setting_of(name))
    return sum(detector.find(request(text)) is not None for text in BENIGN)


@pytest.mark.parametrize("name", ["sandbox", "copycat50"])
def test_names_find_each_named_character_and_no_everyday_prompt(name: str) -> None:
    assert found_share("names", name, "name") == 1.0
    assert alarm_count("names", name) == 0


def test_names_are_blind_to_a_prompt_that_names_nobody() -> None:
    assert found_share("names", "copycat50", "description") < 0.1


@pytest.mark.parametrize("name", ["sandbox", "copycat50"])
@pytest.mark.parametrize("anchor", ["keywords", "description"])
def test_retrieval_finds_most_of_those_who_are_only_described(name: str, anchor: str) -> None:
    assert found_share("retrieval", name, anchor) > 0.8


@pytest.mark.parametrize("name", ["sandbox", "copycat50"])
def test_retrieval_leaves_everyday_prompts_alone(name: str) -> None:
    assert alarm_count("retrieval", name) == 0


def test_retrieval_finds_nobody_where_no_word_is_known() -> None:
    assert Intent("retrieval", setting_of("sandbox")).find(request("zzz qqq")) is None


def test_a_cosine_is_that_of_weights_worked_out_by_hand() -> None:
    index = LexicalIndex({"one": "red cat", "two": "red dog dog"})
    rare = math.log(3 / 2) + 1  # one of two documents; 'red' is in both and weighs 1
    best = index.best("Cat")
    assert best is not None and best.id == "one"
    assert best.cosine == pytest.approx(rare / math.hypot(1, rare))
    twice = index.best("a dog")
    unknown = math.log(3) + 1
    assert twice is not None and twice.id == "two"
    assert twice.cosine == pytest.approx(2 * rare / math.hypot(1, 2 * rare) * rare / math.hypot(rare, unknown))
    assert index.best("red cat") == ("one", pytest.approx(1.0))


def test_an_index_has_no_answer_where_no_word_is_shared() -> None:
    assert LexicalIndex({"one": "red cat"}).best("blue") is None
    assert LexicalIndex({"one": "red cat"}).best("") is None
    assert LexicalIndex({}).best("blue") is None


def test_a_language_models_answer_is_read_as_a_name_or_none() -> None:
    setting = setting_of("copycat50")
    who = setting.characters.characters[0]
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return f"It is {who.name}."

    assert Intent("llm", setting._replace(ask=ask)).find(request("somebody")) == who
    names = "\n".join(f"- {other.name}" for other in setting.characters.characters)
    assert asked == [Question("intent-v1", f"Prompt: somebody\n\nCharacters:\n{names}", 0)]
    assert Intent("llm", setting_of("copycat50", " None. ")).find(request("a table")) is None


def test_an_answer_that_names_nobody_or_two_is_told() -> None:
    one, two = setting_of("copycat50").characters.characters[:2]
    for answer in ("I cannot say", "", f"{one.name} or {two.name}"):
        with pytest.raises(BackendError, match="needed: one name of the character set, or: none"):
            Intent("llm", setting_of("copycat50", answer)).find(request("somebody"))


def test_asking_a_language_model_needs_one() -> None:
    with pytest.raises(UnsupportedError, match="needs a language model\n  add --llm"):
        Intent("llm", setting_of("sandbox"))


# ------------------------------------------------------------------------------- in front of others


def test_a_negative_prompt_behind_a_detector_is_about_whom_the_prompt_names() -> None:
    setting = setting_of("sandbox")
    first, second = setting.characters.characters[:2]
    guarded = build_mitigation("intent:names+negprompt:name", setting)
    assert guarded.apply(request(f"a drawing of {second.name}"), first).negative_prompt == second.name
    assert guarded.apply(request("a bowl of soup"), first).negative_prompt is None


def test_an_everyday_prompt_stays_as_it_is_behind_a_detector() -> None:
    setting = setting_of("copycat50")
    guarded = build_mitigation("intent:retrieval+rewrite:rules+negprompt:name", setting)
    assert [text for text in BENIGN if guarded.apply(request(text), None) != request(text)] == []
    assert guarded.apply(request(setting.characters.characters[0].description), None).negative_prompt is not None


def test_what_stands_behind_a_detector_that_finds_nobody_does_nothing() -> None:
    setting = setting_of("copycat50")
    for behind in ("negprompt:copyright", "negprompt:universal", "rewrite:rules+negprompt:name"):
        guarded = build_mitigation(f"intent:names+{behind}", setting)
        assert guarded.apply(request("a bowl of soup"), setting.characters.characters[0]) == request("a bowl of soup")


def test_what_stands_in_front_of_a_detector_and_behind_the_next_one_acts() -> None:
    setting = setting_of("copycat50")
    who = setting.characters.characters[0]
    built = build_mitigation("negprompt:copyright+intent:names+rewrite:rules+intent:retrieval+negprompt:name", setting)
    sent = built.apply(request(who.description), None)
    assert sent.prompt_sent == who.description  # no name was found, and so nothing was rewritten
    assert sent.negative_prompt is not None and "copyrighted" in sent.negative_prompt.lower()
    assert who.name in sent.negative_prompt


def test_a_detector_alone_changes_nothing() -> None:
    setting = setting_of("sandbox")
    name = setting.characters.characters[0].name
    assert build_mitigation("intent", setting).apply(request(name), None) == request(name)
