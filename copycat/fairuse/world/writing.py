"""Let the world's model write, and ask how likely it finds a text."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from copycat.errors import MissingExtraError
from copycat.paths import package_folder

WEIGHTS = "fairuse/world/weights"
BATCH = 64


@dataclass
class Writer:
    """A model as it is asked: weights, and what stands between them and the reader.

    Attributes:
        processors: gives the logits processors of transformers for one batch of prompts.
        guard: given a prompt and the text that was written, what is shown.
        passes: whether a text could be written and shown as it is.
        tokens, seconds: what was written so far, and the processor time that it took.
    """

    model: Any
    tokenizer: Any
    processors: Callable[[], Sequence[Any]] = tuple
    guard: Callable[[str, str], str] = lambda prompt, text: text
    passes: Callable[[str], bool] = lambda text: True
    tokens: int = 0
    seconds: float = 0.0
    written: list[str] = field(default_factory=list)

    def write(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
        """Go on with each prompt greedily, up to the end of the text or `max_tokens`.

        Returns: what is shown of each continuation, without the prompt.
        """
        shown: list[str] = []
        for start in range(0, len(prompts), BATCH):
            part = prompts[start : start + BATCH]
            began = time.process_time()
            texts, count = self._continue(part, max_tokens)
            shown += [self.guard(prompt, text) for prompt, text in zip(part, texts, strict=True)]
            self.seconds += time.process_time() - began
            self.tokens += count
        return shown

    def _continue(self, prompts: Sequence[str], max_tokens: int) -> tuple[list[str], int]:
        import torch
        from transformers import LogitsProcessorList

        rows = [self.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
        width, end = max(map(len, rows)), self.tokenizer.eos_token_id
        ids = torch.tensor([[end] * (width - len(row)) + row for row in rows])
        seen = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        with torch.no_grad():
            written = self.model.generate(
                input_ids=ids,
                attention_mask=seen,
                max_new_tokens=max_tokens,
                do_sample=False,
                pad_token_id=end,
                logits_processor=LogitsProcessorList(list(self.processors())),
            )[:, width:]
        texts = [self.tokenizer.decode(row, skip_special_tokens=True) for row in written]
        return texts, int((written != end).sum())

    def log_p(self, text: str) -> float:
        """Give the log, in nats, of the probability of a text after its first token (teacher forcing)."""
        import torch

        ids = torch.tensor([self.tokenizer(text, add_special_tokens=False)["input_ids"]])
        with torch.no_grad():
            logs = self.model(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
        return float(logs.gather(1, ids[0, 1:, None]).sum())

    def bits_per_letter(self, texts: Sequence[str]) -> float:
        """Give the mean bits that the model needs for a letter of these texts."""
        return -sum(map(self.log_p, texts)) / sum(map(len, texts)) / math.log(2)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers from drawing a bar for a model that is read or written in no time."""
    from transformers.utils import logging

    was_shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_shown:
            logging.enable_progress_bar()


def load_writer(folder: Path | None = None) -> Writer:
    """Load the shipped model, or one that was saved in the same form.

    Raises:
        MissingExtraError: the shipped weights are missing from this installation.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = folder or package_folder(WEIGHTS)
    if not (place / "model.safetensors").is_file():
        raise MissingExtraError(
            f"the sandbox's language model is missing from {place}\n"
            "  install copycat again, or train it: python -m copycat.fairuse world train"
        )
    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32, local_files_only=True).eval()
    return Writer(model, AutoTokenizer.from_pretrained(place, local_files_only=True))
