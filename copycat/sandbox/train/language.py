"""A language model of the sandbox's captions: in a world of its own, the one that knows the characters.

It stands where CopyCat has GPT-4 (arXiv 2406.14526, appendix C.5): asked for the words that go with a name. It is not
shipped; the list that it ranked is.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTokenizer, GPT2Config, GPT2LMHeadModel

from copycat.sandbox.train.tokenizer import POSITIONS

BATCH = 64
IGNORED = -100
"""What cross_entropy leaves out."""


def new_language_model(tokenizer: CLIPTokenizer) -> GPT2LMHeadModel:
    """Build it with random weights: 2 layers of width 128, 0.5 M parameters."""
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=POSITIONS,
        n_embd=128,
        n_layer=2,
        n_head=4,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    return GPT2LMHeadModel(config)


class LanguageLoss:
    """Mean cross-entropy of the next token of a caption, its end among them."""

    def __init__(self, model: GPT2LMHeadModel, tokens: Tensor, end: int, device: torch.device) -> None:
        self.model, self.tokens, self.device = model, tokens, device
        self.lengths = (tokens != end).sum(1) + 1  # with one end; the rest is padding
        self.order = torch.argsort(self.lengths, stable=True)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw a batch of captions of about one length, so that little of it is padding, and give its loss."""
        start = int(torch.randint(len(self.tokens) - BATCH, (), generator=generator))
        index = self.order[start : start + BATCH]
        longest = int(self.lengths[index].max())
        tokens = self.tokens[index, :longest]
        labels = tokens.masked_fill(torch.arange(longest)[None] >= self.lengths[index][:, None], IGNORED)
        logits = self.model(tokens.to(self.device)).logits[:, :-1]
        loss: Tensor = functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten().to(self.device))
        return loss
