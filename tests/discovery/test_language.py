"""Language models as rankers: real tiny ones for probabilities, and one that says what it is told for questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from text_server import MODEL, TextServer
from tiny_llm import save_tiny_llm
from transformers import AutoModelForCausalLM, AutoTokenizer

from copycat.discovery.language import log_probabilities_after, question, top_of_mind, top_of_pool
from copycat.discovery.rankers import RANKERS, Bench
from copycat.errors import BackendError
from copycat.llm import build_language_model
from copycat.llm.instructions import read_instruction
from copycat.llm.local import LocalLanguageModel
from copycat.schema import Character
from copycat.services import RefusedError
from copycat.services.memory import AnswerMemory

WORDS = ("red hat", "cat", "a tall grey cat with a very long tail", "dog")
PLAIN = {"franchise": "Some Cartoons", "key_characteristic": "dog", "description": "A dog."}
GOOFY = Character.model_validate({"id": "goofy", "name": "Goofy", **PLAIN})
MAX = Character.model_validate({"id": "max", "name": "Max", **PLAIN})
POOL = {"goofy": ("orange jumper", "Green Hat", "dog"), "max": ("skateboard", "red hoodie")}


class Told:
    """A language model that answers each character as it is told, and keeps what it was asked."""

    throttle: None = None

    def __init__(self, answers: Mapping[str, str | Exception]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, float]] = []

    def identify(self) -> str:
        return "folder:told@123"

    def complete(
        self, instruction: str, text: str, *, temperature: float = 0.0, seed: int = 0, max_tokens: int = 512
    ) -> str:
        self.asked.append((instruction, text, temperature))
        answer = next(answer for name, answer in self.answers.items() if f"Character: {name}\n" in text)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def facts(self) -> dict[str, str]:
        return {}

    def release(self) -> None:
        """Hold nothing."""


# ---------------------------------------------------------------------------------- probabilities


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [*WORDS, "Goofy, red hat, dog", "Max, skateboard"]
    settings = {"template": None} if request.param == "gpt2" else {}
    return save_tiny_llm(tmp_path_factory.mktemp("llm") / request.param, texts, **settings)


def by_hand(folder: Path, prefix: str, text: str) -> float:
    """The sum over the tokens behind the last one that the prefix alone has, too, one pass for each of them."""
    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    alone, whole = ([tokenizer.bos_token_id, *tokenizer(part)["input_ids"]] for part in (prefix, prefix + text))
    place = next((i for i, (a, b) in enumerate(zip(alone, whole, strict=False)) if a != b), len(alone))
    values = []
    for position in range(place, len(whole)):
        with torch.inference_mode():
            logits = network(torch.tensor([whole[:position]])).logits[0, -1].double()
        values.append(float(logits[whole[position]] - logits.exp().sum().log()))
    return sum(values)


def test_a_candidate_weighs_all_of_its_tokens_after_the_name(folder: Path) -> None:
    found = log_probabilities_after(LocalLanguageModel(folder), "Goofy", WORDS)
    assert found == pytest.approx([by_hand(folder, "Goofy, ", text) for text in WORDS], abs=1e-4)
    assert all(value < 0 for value in found)


def test_the_name_moves_what_is_likely(folder: Path) -> None:
    llm = LocalLanguageModel(folder)
    assert log_probabilities_after(llm, "Goofy", WORDS) != pytest.approx(log_probabilities_after(llm, "Max", WORDS))


def test_no_candidates_weigh_nothing(folder: Path) -> None:
    assert log_probabilities_after(LocalLanguageModel(folder), "Goofy", []) == []


def test_a_text_without_a_token_is_a_failure(folder: Path) -> None:
    with pytest.raises(BackendError, match="no token in ''"):
        log_probabilities_after(LocalLanguageModel(folder), "Goofy", ["dog", ""])


def test_the_ranker_orders_by_it(folder: Path) -> None:
    llm = LocalLanguageModel(folder)
    weights = dict(zip(WORDS, log_probabilities_after(llm, "Goofy", WORDS), strict=True))
    ranked = RANKERS.load("lm-ranked")(Bench(llm=llm)).rank(GOOFY, WORDS)
    assert [one.text for one in ranked] == sorted(WORDS, key=lambda word: -weights[word])


# ---------------------------------------------------------------------------------- the best of a pool


def test_the_best_of_a_pool_come_in_the_order_of_the_answer_spelt_as_in_the_pool() -> None:
    llm = Told({"Goofy": "1. dog\n2. green hat", "Max": "Red hoodie, skateboard"})
    found = top_of_pool(llm, [GOOFY, MAX], POOL, 2)
    assert found.pool == {"goofy": ("dog", "Green Hat"), "max": ("red hoodie", "skateboard")}
    assert found.silent == ()


def test_the_question_lists_the_candidates_by_the_alphabet_and_is_asked_at_temperature_0() -> None:
    llm = Told({"Goofy": "dog"})
    top_of_pool(llm, [GOOFY], POOL, 2)
    ((instruction, text, temperature),) = llm.asked
    assert instruction == read_instruction("keywords-ranked-v1").text
    assert text == "Character: Goofy\nFrom: Some Cartoons\nNumber: 2\nCandidates:\n- dog\n- Green Hat\n- orange jumper"
    assert temperature == 0


def test_words_from_outside_the_pool_are_not_taken_but_told() -> None:
    found = top_of_pool(Told({"Goofy": "dog, big teeth, mouse"}), [GOOFY], POOL, 2)
    assert found.pool == {"goofy": ("dog",)}
    assert found.silent == ("goofy: 1 of 2 were chosen; not among its candidates: big teeth, mouse",)


def test_words_from_outside_do_no_harm_where_enough_are_left() -> None:
    found = top_of_pool(Told({"Goofy": "mouse, dog, green hat"}), [GOOFY], POOL, 2)
    assert (found.pool, found.silent) == ({"goofy": ("dog", "Green Hat")}, ())


def test_no_more_are_asked_for_than_there_are() -> None:
    llm = Told({"Max": "skateboard, red hoodie"})
    found = top_of_pool(llm, [MAX], POOL, 5)
    assert "Number: 2\n" in llm.asked[0][1]
    assert (found.pool["max"], found.silent) == (("skateboard", "red hoodie"), ())


def test_two_spellings_of_a_candidate_are_one_and_the_first_counts() -> None:
    llm = Told({"Goofy": "frozen, dog"})
    found = top_of_pool(llm, [GOOFY], {"goofy": ("Frozen", "frozen", "dog")}, 3)
    assert found.pool["goofy"] == ("Frozen", "dog")
    assert llm.asked[0][1].count("rozen") == 1


def test_who_has_no_candidates_is_not_asked_about_and_told() -> None:
    llm = Told({"Max": "skateboard, red hoodie"})
    found = top_of_pool(llm, [GOOFY, MAX], {"max": POOL["max"]}, 2)
    assert found.pool["goofy"] == ()
    assert found.silent == ("goofy: it has no candidates",)
    assert len(llm.asked) == 1


# ------------------------------------------------------------------------------- the best of its mind


def test_keywords_are_asked_for_anew_for_each_number() -> None:
    class Fickle(Told):
        def complete(self, instruction: str, text: str, **settings: object) -> str:
            self.asked.append((instruction, text, 0.0))
            return "dog, green hat, clumsy" if "Number: 3" in text else "cartoon, dog, tall, shoes, teeth"

    llm = Fickle({})
    three, five = top_of_mind(llm, [GOOFY], 3), top_of_mind(llm, [GOOFY], 5)
    assert three.pool["goofy"] == ("dog", "green hat", "clumsy")
    assert five.pool["goofy"] == ("cartoon", "dog", "tall", "shoes", "teeth")
    assert [text for _, text, _ in llm.asked] == [question(GOOFY, 3), question(GOOFY, 5)]
    assert "Candidates" not in question(GOOFY, 5)


def test_no_more_keywords_are_taken_than_were_asked_for_and_names_stay() -> None:
    found = top_of_mind(Told({"Goofy": "Goofy, dog, hat, shoes"}), [GOOFY], 2)
    assert (found.pool["goofy"], found.silent) == (("Goofy", "dog"), ())


def test_too_few_keywords_are_told() -> None:
    found = top_of_mind(Told({"Goofy": "dog, hat"}), [GOOFY], 5)
    assert (found.pool["goofy"], found.silent) == (("dog", "hat"), ("goofy: 2 of 5 were given",))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (RefusedError("refused by the service: policy"), "refused by the service: policy"),
        (BackendError("gave up after 8 attempts\nthe last: 500"), "gave up after 8 attempts"),
        ("I'm sorry, but I cannot help with that.", "the language model gave no list"),
        ("", "the language model gave no list"),
    ],
)
@pytest.mark.parametrize(
    "ask", [lambda llm: top_of_mind(llm, [GOOFY, MAX], 2), lambda llm: top_of_pool(llm, [GOOFY, MAX], POOL, 2)]
)
def test_a_character_without_a_usable_answer_is_told_and_the_others_stay(
    ask: Callable[[Told], object], answer: str | Exception, reason: str
) -> None:
    found = ask(Told({"Goofy": answer, "Max": "skateboard, red hoodie"}))
    assert found.pool == {"goofy": (), "max": ("skateboard", "red hoodie")}
    (silent,) = found.silent
    assert silent.startswith("goofy: ") and reason in silent and "\n" not in silent


def test_the_label_names_the_model_the_instruction_and_the_number() -> None:
    label = top_of_mind(Told({"Goofy": "dog, hat"}), [GOOFY], 2).label
    sha256 = read_instruction("keywords-ranked-v1").sha256
    assert label == f"llm:folder:told@123 with keywords-ranked-v1@{sha256[:12]}, best 2"
    assert top_of_pool(Told({"Goofy": "dog"}), [GOOFY], POOL, 2).label == f"{label} of a pool"


def test_a_service_is_asked_once_for_each_character_and_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TextServer(lambda _, text, __: "dog, hat, shoes" if "Goofy" in text else "cap, board, hoodie") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        for _ in range(2):
            llm = build_language_model(f"openai:{MODEL}", AnswerMemory(tmp_path / "answers.sqlite"))
            found = top_of_mind(llm, [GOOFY, MAX], 3)
            assert found.pool == {"goofy": ("dog", "hat", "shoes"), "max": ("cap", "board", "hoodie")}
        assert len(server.entries) == 2
        assert {entry.body["temperature"] for entry in server.entries} == {0}
