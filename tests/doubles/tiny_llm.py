"""Real causal language models with random weights, and one that has learnt a few answers by heart.

Each is what a repository of the Hub holds: config, safetensors and a byte-level BPE tokenizer trained on its texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SEED = 5
MOST_STEPS, KNOWN_BY_HEART = 300, 0.01

TEMPLATE = """\
{%- for message in messages %}{{ '<|start|>' + message.role + '\n' + message.content + '<|end|>' }}{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start|>assistant\n' }}{%- endif %}"""

NO_SYSTEM = "{%- if messages[0].role == 'system' %}{{ raise_exception('no system') }}{%- endif %}" + TEMPLATE

Lesson = tuple[str, str, str]
"""An instruction, a text, and the answer to learn."""


def save_tiny_llm(
    folder: Path, texts: Sequence[str] = (), template: str | None = TEMPLATE, lessons: Sequence[Lesson] = ()
) -> Path:
    """Save a Llama with a chat template, or a GPT-2 where the template is None; it knows the lessons by heart."""
    whole = [*texts, *(part for lesson in lessons for part in lesson), "system user assistant"]
    tokenizer = _tokenizer(whole, template)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        network = _llama(tokenizer) if template else _gpt2(tokenizer)
        if lessons:
            _train(network, tokenizer, lessons)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(texts: Sequence[str], template: str | None) -> PreTrainedTokenizerFast:
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    marks = ["<|start|>", "<|end|>"] if template else ["<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=marks, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    inner.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=marks[-1], bos_token=marks[0])
    tokenizer.chat_template = template
    return tokenizer


def _llama(tokenizer: PreTrainedTokenizerFast) -> Any:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=1024,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def _gpt2(tokenizer: PreTrainedTokenizerFast) -> Any:
    end = tokenizer.eos_token_id
    size = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}
    return GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), bos_token_id=end, eos_token_id=end, **size))


def _train(network: Any, tokenizer: PreTrainedTokenizerFast, lessons: Sequence[Lesson]) -> None:
    rows = [_row(tokenizer, *lesson) for lesson in lessons]
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3)
    network.train()
    for _ in range(MOST_STEPS):
        losses = [network(input_ids=ids, labels=labels).loss for ids, labels in rows]
        if max(loss.item() for loss in losses) < KNOWN_BY_HEART:
            network.eval()
            return
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()
        optimizer.step()
    raise AssertionError(f"not learnt: {[loss.item() for loss in losses]}")


def _row(tokenizer: PreTrainedTokenizerFast, instruction: str, text: str, answer: str) -> tuple[Any, Any]:
    """Tokens of a whole conversation, and the same with all but the answer and its end masked."""
    if tokenizer.chat_template:
        told = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
        asked = tokenizer.apply_chat_template(told, add_generation_prompt=True, tokenize=False)
    else:
        asked = f"{instruction}\n\n{text}\n"
    before, after = tokenizer(asked)["input_ids"], tokenizer(answer)["input_ids"] + [tokenizer.eos_token_id]
    ids = torch.tensor([before + after])
    labels = torch.tensor([[-100] * len(before) + after])
    return ids, labels
