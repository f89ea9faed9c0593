"""A real BERT with random weights and a tokenizer of whole words, as a repository of the Hub holds one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

SEED = 7
MOST_TOKENS, LENGTH = 16, 32
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def save_tiny_encoder(folder: Path, texts: Sequence[str], pooling: str | None = None) -> Path:
    """Save a BERT that knows the words of these texts; `pooling` is what sentence-transformers' file is to say."""
    inner = Tokenizer(models.WordLevel({}, MARKS[1]))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    words = {word for text in texts for word, _ in inner.pre_tokenizer.pre_tokenize_str(text.lower())}
    vocabulary = {word: number for number, word in enumerate([*MARKS, *sorted(words)])}
    inner.model = models.WordLevel(vocabulary, MARKS[1])
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    marks = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), MARKS, strict=True))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, **marks)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        network = BertModel(
            BertConfig(
                vocab_size=len(vocabulary),
                hidden_size=LENGTH,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                max_position_embeddings=MOST_TOKENS,
                # Else two unlike texts differ by less than rounding does.
                initializer_range=1.0,
            )
        )
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if pooling is not None:
        (folder / "1_Pooling").mkdir()
        modes = {f"pooling_mode_{name}": name == pooling for name in ("cls_token", "mean_tokens", "max_tokens")}
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": LENGTH, **modes}))
    return folder
