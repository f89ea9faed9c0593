"""A causal language model of transformers on this machine: it goes on with a text, or answers in its chat's form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from copycat.errors import BackendError
from copycat.fairuse.extract.backends import SANDBOX, SANDBOX_WEIGHTS, Reply, Request, Spent
from copycat.fairuse.extract.backends.words import end_of_words, reply_of, start_of_last_words
from copycat.fairuse.extract.records import Unit
from copycat.llm.local import LocalLanguageModel
from copycat.paths import package_folder

LETTERS_PER_TOKEN = 24
"""So many letters are looked at for one token of a prefix; few tokens are longer."""


class LocalTextModel(LocalLanguageModel):
    """Prefixes are counted in its own tokens.

    Requests of the same number of tokens are answered together, up to `at_once`. What is drawn depends on the seed of
    each request and not on the others.

    Args:
        source: a folder, or a repository 'org/name' of the Hub.
        is_raw: it goes on with the bare text, even if it has a chat template.
    """

    unit: Unit = "tokens"
    at_once = 16
    spare_tokens = 0
    option = "--model"

    def __init__(self, source: Path | str, device: str = "cpu", *, is_raw: bool = False) -> None:
        super().__init__(source, None, device)
        self._is_raw = is_raw
        self._asked = Spent()

    @property
    def is_chat(self) -> bool:
        """Whether it has a chat template that is to be used; reads the tokenizer."""
        return not self._is_raw and self._has_template

    def identify(self) -> str:
        """Give a folder's name and the hash of its files, or a repository and its commit."""
        identity = super().identify()
        if self.source == package_folder(SANDBOX_WEIGHTS):
            return f"{SANDBOX}@{identity.rpartition('@')[2]}"
        return identity

    def room(self) -> int | None:
        """Give the positions that its configuration tells."""
        return getattr(self._config, "max_position_embeddings", None)

    def cut(self, text: str, start: int, count: int) -> int | None:
        """Give where so many tokens end; counted in words where the tokenizer does not tell the places of tokens."""
        if not getattr(self._tokenizer, "is_fast", False):
            return end_of_words(text, start, count)
        piece = text[start : start + (count + 4) * LETTERS_PER_TOKEN]
        found = self._tokenizer(piece, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        return start + found[count - 1][1] if len(found) >= count else None

    def tail(self, text: str, count: int) -> int:
        """Give where the last so many tokens begin; counted in words as `cut` does."""
        if not getattr(self._tokenizer, "is_fast", False):
            return start_of_last_words(text, count)
        first = max(0, len(text) - (count + 4) * LETTERS_PER_TOKEN)
        piece = self._tokenizer(text[first:], add_special_tokens=False, return_offsets_mapping=True)
        found = piece["offset_mapping"]
        return first + int(found[-min(count, len(found))][0]) if found else 0

    def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer requests, those of equal length together."""
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        tokens: list[list[int]] = []
        replies = [Reply("", "failed")] * len(requests)
        for place, request in enumerate(requests):
            try:
                tokens.append(self._tokens_of(request))
            except BackendError as error:
                tokens.append([])
                replies[place] = Reply("", "failed", detail=str(error))
                continue
            groups[len(tokens[place]), request.max_tokens].append(place)
        for places in groups.values():
            for first in range(0, len(places), self.at_once):
                some = places[first : first + self.at_once]
                made = self._replies([tokens[place] for place in some], [requests[place] for place in some])
                for place, reply in zip(some, made, strict=True):
                    replies[place] = reply
        return replies

    def log_probability(self, prefix: str, following: str) -> float | None:
        """Give the log-probability of what follows, under teacher forcing; None where both have no room."""
        room = self.room()
        if room is not None and len(self._plain_tokens(prefix + following)) > room:
            return None  # some models would go on beyond what they were trained for, others fall over
        try:
            return self.log_probabilities(prefix, [following])[0]
        except BackendError:
            return None

    def spent(self) -> Spent:
        """Give the requests and tokens of this process."""
        return self._asked

    # --------------------------------------------------------------------------- private

    @cached_property
    def _config(self) -> Any:
        from transformers import AutoConfig

        return self._loaded(lambda: AutoConfig.from_pretrained(**self._location))

    def _tokens(self, prefix: str, text: str) -> tuple[list[int], int]:
        """Give the tokens of both texts, and how many are the prefix's alone; nothing is put in front."""
        alone, whole = self._plain_tokens(prefix), self._plain_tokens(prefix + text)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(alone, whole, strict=False)))
        if shared == 0:
            raise BackendError("nothing stands before the text that could tell its first token's probability")
        return whole, shared

    def _tokens_of(self, request: Request) -> list[int]:
        if not self.is_chat:
            return self._plain_tokens(request.text)
        # Thinking costs a hundred times the tokens; a template that does not know the word would pass it on.
        has_thinking = "enable_thinking" in str(self._tokenizer.chat_template)
        options: dict[str, Any] = {"enable_thinking": False} if has_thinking else {}
        said = [{"role": "user", "content": request.text}]
        written = self._answered(
            lambda: self._tokenizer.apply_chat_template(
                said, add_generation_prompt=True, tokenize=True, return_dict=True, **options
            )
        )
        tokens: list[int] = list(written["input_ids"])
        return tokens

    def _replies(self, rows: list[list[int]], requests: Sequence[Request]) -> list[Reply]:
        room = self.room()
        most = requests[0].max_tokens
        if room is not None and len(rows[0]) + most > room:
            most = room - len(rows[0])
        if most < 1 or not rows[0]:
            why = f"{len(rows[0])} tokens of the request do not fit the model's {room}" if rows[0] else "no token"
            return [Reply("", "failed", detail=why)] * len(rows)
        try:
            made = self._answered(lambda: self._drawn(rows, requests, most))
        except BackendError as error:
            return [Reply("", "failed", detail=str(error))] * len(rows)
        self._asked = Spent(
            self._asked.requests + len(rows),
            self._asked.prompt_tokens + sum(map(len, rows)),
            self._asked.completion_tokens + sum(map(len, made)),
        )
        return [self._reply(tokens, most) for tokens in made]

    def _reply(self, tokens: list[int], most: int) -> Reply:
        has_ended = bool(tokens) and tokens[-1] in self._ends
        text = str(self._tokenizer.decode(tokens, skip_special_tokens=True))
        ended: Any = "stop" if has_ended or len(tokens) < most else "length"
        if self.is_chat:
            return reply_of(text, ended)
        text = text.encode("utf-8", "replace").decode("utf-8")  # halves of letters can stand in no file
        return Reply(text, "answered" if text.strip() else "empty", ended)

    def _drawn(self, rows: list[list[int]], requests: Sequence[Request], most: int) -> list[list[int]]:
        """Go on with rows of equal length; each up to its end token, that token included."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        ends = self._ends
        pad = self._tokenizer.pad_token_id
        pad = ends[0] if pad is None and ends else (pad or 0)
        # What is left open is taken from the model's own settings, and a penalty of theirs would hide what it knows.
        config = GenerationConfig(
            max_new_tokens=most,
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            eos_token_id=ends or None,
            pad_token_id=pad,
        )
        ids = torch.tensor(rows, device=self.device)
        drawing = LogitsProcessorList([_draw_by_seed(requests)] if any(one.temperature for one in requests) else [])
        with torch.inference_mode():
            made = self._network.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=config,
                logits_processor=drawing,
            )
        return [_until_end(row, ends) for row in made[:, ids.shape[1] :].tolist()]


def _until_end(row: list[int], ends: Sequence[int]) -> list[int]:
    end = next((place for place, token in enumerate(row) if token in ends), len(row) - 1)
    return row[: end + 1]


def _draw_by_seed(requests: Sequence[Request]) -> Any:
    """Make a logits processor after which the highest logit is a draw at each row's temperature.

    The highest of logits / T plus Gumbel noise is a draw from their softmax (Gumbel 1954); each row has a generator of
    its own, so that an answer is the same whatever is answered beside it.
    """
    import torch

    generators = [torch.Generator().manual_seed(request.seed) for request in requests]

    def draw(ids: Any, logits: Any) -> Any:
        del ids
        drawn = logits.float().clone()
        for row, (request, generator) in enumerate(zip(requests, generators, strict=True)):
            if request.temperature:
                uniform = torch.rand(logits.shape[-1], generator=generator).clamp_(1e-9, 1 - 1e-9)
                noise = -torch.log(-torch.log(uniform))
                drawn[row] = drawn[row] / request.temperature + noise.to(logits.device)
        return drawn

    return draw
