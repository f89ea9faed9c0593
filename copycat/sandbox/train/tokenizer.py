"""The sandbox's own BPE vocabulary, in CLIP's format.

It is learned from captions without names, so that every name splits into several tokens,
as the names of most real characters do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

VOCABULARY = 900
POSITIONS = 77


def train_tokenizer(captions: Iterable[str]) -> CLIPTokenizer:
    """Learn a byte-level BPE vocabulary with CLIP's conventions (lower case, '</w>' at word ends)."""
    raw = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        end_of_word_suffix="</w>",
        initial_alphabet=alphabet,
        show_progress=False,
        min_frequency=5,
    )
    raw.train_from_iterator(captions, trainer)
    state = json.loads(raw.to_str())["model"]
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split()) for m in state["merges"]]
    pieces = alphabet + [f"{letter}</w>" for letter in alphabet] + ["".join(m) for m in merges]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    vocabulary["<|startoftext|>"] = len(vocabulary)
    vocabulary["<|endoftext|>"] = len(vocabulary)
    return cast(CLIPTokenizer, CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=POSITIONS))
