"""A language model on this machine: real ones of transformers, with random weights or a few answers by heart."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from tiny_llm import NO_SYSTEM, TEMPLATE, save_tiny_llm
from transformers import AutoModelForCausalLM, AutoTokenizer

from copycat.errors import BackendError, DataError, MissingExtraError
from copycat.llm import Asked, build_language_model, complete_all
from copycat.llm.local import LocalLanguageModel
from copycat.services.chat import CutOffAnswerError
from copycat.services.memory import AnswerMemory

LESSONS = (
    ("Say what it is.", "a red hat", "It is a hat."),
    ("Say what it is.", "a grey cat", "It is a cat."),
    ("Say its colour.", "a grey cat", "Grey."),
)
WORDS = ("cat", "hat", "a long grey dog", "")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llm(tmp_path_factory.mktemp("llm") / "taught", lessons=LESSONS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llm(tmp_path_factory.mktemp("llm") / "plain", WORDS, template=None, lessons=LESSONS[:1])


def test_it_answers_a_text_as_its_instruction_says(taught: Path) -> None:
    llm = LocalLanguageModel(taught)
    assert [llm.complete(instruction, text) for instruction, text, _ in LESSONS] == [answer for *_, answer in LESSONS]


def test_without_a_chat_template_instruction_and_text_are_one_text(plain: Path) -> None:
    instruction, text, answer = LESSONS[0]
    assert LocalLanguageModel(plain).complete(instruction, text) == answer


def test_where_the_template_has_no_system_the_user_says_the_instruction(tmp_path: Path) -> None:
    lesson = ("Say it.", "a hat", "Hat.")
    folder = save_tiny_llm(tmp_path / "m", lessons=[lesson])
    llm = LocalLanguageModel(folder)
    together = {"role": "user", "content": "Say it.\n\na hat"}
    expected = llm._tokenizer.apply_chat_template([together], add_generation_prompt=True)["input_ids"]
    llm._tokenizer.chat_template = NO_SYSTEM
    assert llm._inputs(Asked(*lesson[:2], 0.0, 0, 8))["input_ids"][0].tolist() == expected


def test_an_answer_without_an_end_is_told(taught: Path) -> None:
    with pytest.raises(BackendError, match="cut off"):
        LocalLanguageModel(taught).complete(*LESSONS[0][:2], max_tokens=3)


def test_one_that_cannot_be_asked_does_not_harm_the_others(plain: Path) -> None:
    instruction, text, answer = LESSONS[0]
    steps: list[int] = []
    llm = LocalLanguageModel(plain)
    found = complete_all(llm, instruction, [text, "x" * 3000, text], max_tokens=40, advance=steps.append)
    assert (found[0], found[2], steps) == (answer, answer, [1, 1, 1])
    assert "fell over" in found[1].reason  # type: ignore[union-attr]


def test_at_a_temperature_the_seed_decides_and_the_seed_of_others_stays(taught: Path) -> None:
    llm = LocalLanguageModel(taught)

    def drawn(seed: int) -> str:
        try:
            return llm.complete("Say its colour.", "a hat", temperature=3.0, seed=seed, max_tokens=12)
        except CutOffAnswerError as error:
            return error.text

    before = torch.random.get_rng_state()
    texts = [drawn(seed) for seed in (1, 2, 3, 1)]
    assert texts[0] == texts[3] and len(set(texts)) == 3
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_answer_is_kept_by_all_that_it_depends_on(taught: Path, tmp_path: Path) -> None:
    memory = AnswerMemory(tmp_path / "a.sqlite")
    first = LocalLanguageModel(taught, memory)
    first.complete(*LESSONS[0][:2])
    again = LocalLanguageModel(taught, memory)
    assert again.complete(*LESSONS[0][:2], seed=9) == LESSONS[0][2]  # at temperature 0 no seed is used
    assert "_network" not in vars(again)  # nothing was loaded for it
    again.complete(*LESSONS[1][:2])
    assert "_network" in vars(again)


def test_the_identity_moves_with_the_files_but_not_with_the_place(plain: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(plain, tmp_path / "elsewhere" / "plain"))
    first = LocalLanguageModel(plain).identify()
    assert first.startswith("folder:plain@") and LocalLanguageModel(copied).identify() == first
    (copied / "README.md").write_text("a note")
    assert LocalLanguageModel(copied).identify() == first
    (copied / "generation_config.json").write_text("{}")
    assert LocalLanguageModel(copied).identify() != first


# ---------------------------------------------------------------------------- log-probabilities


@pytest.mark.parametrize("prefix", ["The grey", "The grey ", ""])
def test_a_continuation_is_as_likely_as_its_tokens_one_after_the_other(plain: Path, prefix: str) -> None:
    found = LocalLanguageModel(plain).log_probabilities(prefix, WORDS)
    tokenizer, network = AutoTokenizer.from_pretrained(plain), AutoModelForCausalLM.from_pretrained(plain).eval()
    for word, value in zip(WORDS, found, strict=True):
        ids = [tokenizer.bos_token_id, *tokenizer(prefix + word)["input_ids"]]
        only = [tokenizer.bos_token_id, *tokenizer(prefix)["input_ids"]]
        place = 0
        while place < min(len(ids), len(only)) and ids[place] == only[place]:
            place += 1
        expected = 0.0
        for position in range(place, len(ids)):
            with torch.inference_mode():
                logits = network(torch.tensor([ids[:position]])).logits[0, -1].double()
            expected += float(logits[ids[position]] - logits.exp().sum().log())
        assert value == pytest.approx(expected, abs=1e-4)


def test_of_all_single_tokens_the_probabilities_add_up_to_one(plain: Path) -> None:
    llm = LocalLanguageModel(plain)
    total = sum(math.exp(v) for v in llm._weighed([([0, 5, token], 2) for token in range(len(llm._tokenizer))]))
    assert total == pytest.approx(1.0, abs=1e-5)


def test_what_a_model_learnt_is_likelier_than_what_it_did_not(plain: Path) -> None:
    instruction, text, answer = LESSONS[0]
    learnt, other = LocalLanguageModel(plain).log_probabilities(f"{instruction}\n\n{text}\n", (answer, "It is a cat."))
    assert other < learnt <= 0


def test_how_many_are_weighed_at_once_moves_nothing(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"{word} {other}" for word in WORDS for other in WORDS]
    together = LocalLanguageModel(plain).log_probabilities("A", words)
    monkeypatch.setattr("copycat.llm.local.AT_ONCE", 1)
    assert LocalLanguageModel(plain).log_probabilities("A", words) == pytest.approx(together, abs=1e-4)


# --------------------------------------------------------------------------------- what is refused


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no config\.json\n  needed: a causal language model"):
        build_language_model(str(tmp_path), None).identify()


def test_weights_that_are_missing_are_told(plain: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(plain, tmp_path / "m"))
    weights = load_file(folder / "model.safetensors")
    weights.pop("transformer.h.1.mlp.c_fc.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(DataError, match="1 of its weights are missing"):
        LocalLanguageModel(folder).complete("a", "b")


def test_a_repository_that_cannot_be_had_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingExtraError, match="language model 'org/not-there' cannot be had"):
        build_language_model("org/not-there", None).identify()


def test_the_template_of_the_double_is_the_one_that_it_learnt_with(taught: Path) -> None:
    assert LocalLanguageModel(taught)._tokenizer.chat_template == TEMPLATE
