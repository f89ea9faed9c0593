"""A causal language model that has learnt a few texts by heart, in seconds: what `extract` is to find in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tiny_llm import TEMPLATE, _tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

SEED = 7
MOST_STEPS, KNOWN_BY_HEART = 400, 0.02
POSITIONS, LEARNT = 400, 170


def save_tiny_writer(folder: Path, texts: Sequence[str], others: Sequence[str] = (), *, is_chat: bool = False) -> Path:
    """Save a GPT-2 that knows the first LEARNT tokens of `texts` by heart; its tokens are made of `others` too."""
    tokenizer = _tokenizer([*texts, *others], TEMPLATE if is_chat else None)
    end = tokenizer.eos_token_id
    size = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS}
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        network = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), bos_token_id=end, eos_token_id=end, **size))
        _learn(network, [tokenizer(text)["input_ids"][:LEARNT] for text in texts])
    network.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _learn(network: GPT2LMHeadModel, rows: Sequence[Sequence[int]]) -> None:
    """Learn all rows in one batch, in one thread: the products are small, and threads wait for each other."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    labels = torch.tensor([[*row, *[-100] * (longest - len(row))] for row in rows])
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=6e-3)
    network.eval()  # without dropout, it learns by heart in fewer steps
    try:
        for _ in range(MOST_STEPS):
            loss = network(input_ids=ids, labels=labels).loss
            if loss.item() < KNOWN_BY_HEART:
                return
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    finally:
        torch.set_num_threads(n_threads)
    raise AssertionError(f"not learnt: {loss.item()}")
