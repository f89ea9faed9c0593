"""A causal language model of transformers, from a folder or from the Hugging Face Hub, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

from copycat.errors import BackendError
from copycat.llm import MAX_TOKENS, Asked, forget
from copycat.llm.weights import LocalWeights
from copycat.llm.words import read_answer
from copycat.services.chat import CutOffAnswerError
from copycat.services.memory import AnswerMemory, recall_or_ask

AT_ONCE = 16
"""Continuations that are weighed in one pass."""

T = TypeVar("T")


class LocalLanguageModel(LocalWeights):
    """Loads the tokenizer and the weights when the first question is asked.

    With a chat template, the instruction is the words of the system and the text those of the user; without one, both
    stand in one text, one below the other, and the answer is the paragraph that follows.

    Args:
        source: a folder, or a repository 'org/name' of the Hub.
    """

    throttle: None = None
    noun, option = "language model", "--llm"
    needed = "a causal language model of transformers with its tokenizer, and weights in .safetensors files"

    def __init__(self, source: Path | str, memory: AnswerMemory | None = None, device: str = "cpu") -> None:
        super().__init__(source, device)
        self._memory = memory

    def complete(
        self, instruction: str, text: str, *, temperature: float = 0.0, seed: int = 0, max_tokens: int = MAX_TOKENS
    ) -> str:
        """Give the answer that is kept, else the model's; see `LanguageModel`."""
        asked = Asked.of(instruction, text, temperature, seed, max_tokens)
        return recall_or_ask(self._memory, asked.key(self.identify()), str, lambda: read_answer(self._generate(asked)))

    def forget(self, instruction: str, text: str, *, temperature: float, seed: int, max_tokens: int) -> None:
        """Drop an answer that is kept; see `LanguageModel`."""
        forget(self._memory, Asked.of(instruction, text, temperature, seed, max_tokens).key(self.identify()))

    def log_probabilities(self, prefix: str, continuations: Sequence[str]) -> list[float]:
        """Say how likely each text is right after the prefix.

        Of each, the log-probabilities of its tokens are summed (unit: nats, at most 0; higher is likelier), so that
        longer texts have lower sums. A token that holds the end of the prefix and the start of the text counts.

        Raises:
            BackendError: nothing stands before a text that could tell its first token's probability.
        """
        found: list[float] = []
        for start in range(0, len(continuations), AT_ONCE):
            rows = [self._tokens(prefix, text) for text in continuations[start : start + AT_ONCE]]
            found += self._weighed(rows)
        return found

    def facts(self) -> dict[str, str]:
        """Give the precision in which it computes."""
        return {"dtype": self._dtype, "device": self.device}

    # --------------------------------------------------------------------------- private

    @property
    def _dtype(self) -> str:
        return "bfloat16" if self.device.startswith("cuda") else "float32"

    @cached_property
    def _network(self) -> Any:
        import torch
        from transformers import AutoModelForCausalLM

        settings = self._location | {"dtype": getattr(torch, self._dtype), "use_safetensors": True}
        if self.device != "cpu":  # straight to the device: the machine's memory may be smaller
            settings["device_map"] = self.device
        network, found = self._loaded(
            lambda: AutoModelForCausalLM.from_pretrained(output_loading_info=True, **settings)
        )
        if missing := sorted(found["missing_keys"]):  # transformers would fill them with random numbers
            self._unfit(f"{len(missing)} of its weights are missing, {missing[0]} among them")
        return network.eval()

    @property
    def _ends(self) -> list[int]:
        """The tokens that end an answer."""
        own = self._network.generation_config.eos_token_id
        ends = own if isinstance(own, list) else [own]
        return sorted({end for end in (*ends, self._tokenizer.eos_token_id) if end is not None})

    def _generate(self, asked: Asked) -> str:
        import torch
        from transformers import GenerationConfig

        inputs = self._inputs(asked)
        ends = self._ends
        pad = self._tokenizer.pad_token_id
        pad = ends[0] if pad is None and ends else pad
        settings: dict[str, Any] = {"eos_token_id": ends or None, "pad_token_id": pad}
        if asked.temperature:
            settings |= {"do_sample": True, "temperature": asked.temperature, "top_k": 0, "top_p": 1.0}
        config = GenerationConfig(max_new_tokens=asked.max_tokens, **settings)
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(asked.seed)
            made = self._answered(lambda: self._network.generate(**inputs, generation_config=config))
        tokens = made[0, inputs["input_ids"].shape[1] :].tolist()
        answer = str(self._tokenizer.decode(tokens, skip_special_tokens=True))
        if not self._has_template:
            answer, end, _ = answer.strip().partition("\n\n")
            if end:
                return answer
        if len(tokens) >= asked.max_tokens and tokens[-1] not in ends:
            raise CutOffAnswerError(answer)
        return answer

    @property
    def _has_template(self) -> bool:
        return bool(getattr(self._tokenizer, "chat_template", None))

    def _inputs(self, asked: Asked) -> Any:
        if not self._has_template:
            whole = f"{asked.instruction}\n\n{asked.text}\n"
            return self._tokenizer(whole, return_tensors="pt", return_token_type_ids=False).to(self.device)
        from jinja2 import TemplateError

        def written(conversation: list[dict[str, str]]) -> Any:
            return self._tokenizer.apply_chat_template(conversation, **options)

        # Thinking costs a hundred times the tokens; a template that does not know the word would pass it on.
        options: dict[str, Any] = (
            {"enable_thinking": False} if "enable_thinking" in str(self._tokenizer.chat_template) else {}
        )
        options |= {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True}
        user = {"role": "user", "content": asked.text}
        try:
            inputs = written([{"role": "system", "content": asked.instruction}, user])
        except TemplateError:  # some models know no words of the system
            user["content"] = f"{asked.instruction}\n\n{asked.text}"
            inputs = self._answered(lambda: written([user]))
        return inputs.to(self.device)

    def _tokens(self, prefix: str, text: str) -> tuple[list[int], int]:
        """Give the tokens of both texts, and how many of them are the prefix's alone."""
        alone, whole = (self._plain_tokens(part) for part in (prefix, prefix + text))
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(alone, whole, strict=False)))
        start = self._tokenizer.bos_token_id
        if start is not None and whole[:1] != [start]:
            whole, shared = [start, *whole], shared + 1
        if shared == 0:
            raise BackendError("the language model has no start token, so that the first token has no probability")
        return whole, shared

    def _plain_tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text)["input_ids"]
        return tokens[:-1] if tokens and tokens[-1] == self._tokenizer.eos_token_id else tokens

    def _weighed(self, rows: Sequence[tuple[list[int], int]]) -> list[float]:
        import torch

        longest = max(len(tokens) for tokens, _ in rows)
        # Padded behind: what comes later moves nothing that stands before it.
        padded = [tokens + [0] * (longest - len(tokens)) for tokens, _ in rows]
        mask = [[1] * len(tokens) + [0] * (longest - len(tokens)) for tokens, _ in rows]
        ids, seen = (torch.tensor(table, device=self.device) for table in (padded, mask))
        with torch.inference_mode():
            logits = self._answered(lambda: self._network(input_ids=ids, attention_mask=seen).logits)
        likely = logits[:, :-1].float().log_softmax(dim=-1).gather(2, ids[:, 1:, None])[..., 0]
        return [
            float(line[shared - 1 : len(tokens) - 1].sum())
            for line, (tokens, shared) in zip(likely.cpu(), rows, strict=True)
        ]

    def _answered(self, work: Callable[[], T]) -> T:
        """Turn what goes wrong with one question, such as one that is too long, into its failure."""
        from jinja2 import TemplateError

        try:
            return work()
        except (ValueError, RuntimeError, IndexError, TemplateError) as error:
            raise BackendError(f"the language model fell over: {' '.join(str(error).split())[:300]}") from error
