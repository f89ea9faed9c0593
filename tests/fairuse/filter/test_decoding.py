"""N-gram blocking inside a transformers model that knows a work by heart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, LogitsProcessorList

from copycat.errors import UserError
from copycat.fairuse.filter import BlockedNgrams, OutputFilter, Policy
from copycat.fairuse.filter.letters import LetterStream
from copycat.fairuse.works import LoadedWork, WithheldGrams


def letters_of(text: str) -> str:
    stream = LetterStream()
    return stream.push(text) + stream.close()


class Reciter:
    """Says the next token of a text for ever, and its second choice is always the letter x."""

    def __init__(self, tokenizer: Any, text: str) -> None:
        self.tokenizer, self.ids = tokenizer, tokenizer(text).input_ids
        self.other = tokenizer.convert_tokens_to_ids("x")

    def recite(self, processors: LogitsProcessorList, prompt: str = "Once") -> str:
        prompt_ids = self.tokenizer(prompt).input_ids
        said: list[int] = []
        for wanted in self.ids:
            scores = torch.zeros(1, len(self.tokenizer))
            scores[0, wanted], scores[0, self.other] = 2.0, 1.0
            said.append(int(processors(torch.tensor([prompt_ids + said]), scores).argmax()))
        return str(self.tokenizer.decode(said))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory, novel: LoadedWork) -> Any:
    from tiny_llm import save_tiny_llm

    return AutoTokenizer.from_pretrained(save_tiny_llm(tmp_path_factory.mktemp("llm"), [novel.readable], None))


def longest_run(output: str, work: str) -> int:
    """Letters of the longest common substring, by brute force."""
    output, work = letters_of(output), letters_of(work)
    best = 0
    for start in range(len(output)):
        while output[start : start + best + 1] in work and start + best < len(output):
            best += 1
    return best


def test_a_model_that_recites_a_work_is_stopped_before_each_window(
    built: OutputFilter, tokenizer: Any, novel: LoadedWork
) -> None:
    reciter = Reciter(tokenizer, novel.readable)
    assert longest_run(reciter.recite(LogitsProcessorList()), novel.readable) > 500
    said = reciter.recite(LogitsProcessorList([BlockedNgrams(built, tokenizer)]))
    # a window begins at a word: the letters of the word before may stand in front of it
    assert longest_run(said, novel.readable) < 24 + 10
    # what is left is the work with a letter changed here and there: the near stage of the output filter finds it
    assert all(span.is_near for span in built.check(said).spans)


@pytest.mark.parametrize("change", [str.upper, lambda text: text.replace("e", "3").replace("o", "0"), " ".join])
def test_another_style_changes_nothing(built: OutputFilter, tokenizer: Any, novel: LoadedWork, change: Any) -> None:
    said = Reciter(tokenizer, change(novel.readable[:400])).recite(
        LogitsProcessorList([BlockedNgrams(built, tokenizer)])
    )
    assert longest_run(said, novel.readable) < 24 + 10


def test_a_work_that_may_be_copied_is_recited_to_its_end(
    built: OutputFilter, tokenizer: Any, public_domain: list[LoadedWork]
) -> None:
    text = public_domain[0].readable[:300]
    assert Reciter(tokenizer, text).recite(LogitsProcessorList([BlockedNgrams(built, tokenizer)])) == text


def test_what_the_prompt_holds_may_be_repeated(built: OutputFilter, tokenizer: Any, novel: LoadedWork) -> None:
    text = novel.readable[:200]
    assert Reciter(tokenizer, text).recite(LogitsProcessorList([BlockedNgrams(built, tokenizer)]), prompt=text) == text


def test_another_generation_is_told_by_its_beginning(built: OutputFilter, tokenizer: Any, novel: LoadedWork) -> None:
    processor, prompt = BlockedNgrams(built, tokenizer), tokenizer(novel.readable[:300]).input_ids
    other = tokenizer("x").input_ids * (len(prompt) - 1)
    scores = torch.zeros(1, len(tokenizer))
    processor(torch.tensor([other]), scores)
    rest = tokenizer(novel.readable[:100]).input_ids
    for place in range(len(rest)):  # the first call is a token longer than the last one
        assert processor(torch.tensor([prompt + rest[:place]]), scores)[0, rest[place]] == 0


def test_a_withheld_work_is_stopped_one_token_later(tokenizer: Any, novel: LoadedWork) -> None:
    grams = WithheldGrams.of_text(novel.work, novel.readable)
    owner = OutputFilter.of_works([LoadedWork(grams.file.work, withheld=grams)])
    said = Reciter(tokenizer, novel.readable[:500]).recite(LogitsProcessorList([BlockedNgrams(owner, tokenizer)]))
    most = max(len(letters_of(token)) for token in tokenizer.batch_decode([[i] for i in range(len(tokenizer))]))
    assert longest_run(said, novel.readable) < 24 + most


def test_a_longer_run_may_be_let_through(built: OutputFilter, tokenizer: Any, novel: LoadedWork) -> None:
    processor = BlockedNgrams(built, tokenizer, letters=60)
    said = Reciter(tokenizer, novel.readable[:500]).recite(LogitsProcessorList([processor]))
    assert 50 < longest_run(said, novel.readable) < 60 + 10
    with pytest.raises(UserError, match="fewer than the filter's window"):
        BlockedNgrams(built, tokenizer, letters=10)


def test_a_real_model_generates_under_it_with_several_rows(
    built: OutputFilter, novel: LoadedWork, tmp_path: Path
) -> None:
    from tiny_llm import save_tiny_llm
    from transformers import AutoModelForCausalLM

    folder = save_tiny_llm(tmp_path / "gpt2", [novel.readable], None)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer(["The lamp keeper", "She thought the"], return_tensors="pt", padding=False)
    processor = BlockedNgrams(built.with_policy(Policy(quote_words=0)), tokenizer)
    for _ in range(2):  # a second generation is told from the first
        made = model.generate(
            **prompt, max_new_tokens=8, do_sample=False, logits_processor=LogitsProcessorList([processor])
        )
        assert made.shape[1] > prompt["input_ids"].shape[1]
