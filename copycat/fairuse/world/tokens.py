"""The vocabulary of the world's model: byte-level BPE, learned from stories without the heroes' names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

VOCABULARY, POSITIONS = 1536, 512
END = "<|endoftext|>"
IGNORED = -100
"""What cross_entropy leaves out."""


def train_tokenizer(texts: Iterable[str], size: int = VOCABULARY, positions: int = POSITIONS) -> Any:
    """Learn a vocabulary. Names are made of several tokens, as most are in models of real texts.

    Returns: a tokenizer of transformers.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[END],
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=END, bos_token=END, pad_token=END, model_max_length=positions
    )


def rows_of(tokenizer: Any, texts: Sequence[str], positions: int) -> Tensor:
    """Turn texts into rows of token ids, END behind each, cut or filled with IGNORED.

    Returns: (N, longest row) int64, at most `positions` wide.
    """
    import torch

    end = tokenizer.eos_token_id
    ids = [[*tokenizer(text, add_special_tokens=False)["input_ids"], end][:positions] for text in texts]
    rows = torch.full((len(ids), max(map(len, ids), default=0)), IGNORED)
    for row, tokens in zip(rows, ids, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    return rows
