"""Real vision-language models with random weights, and one that has learnt a few answers by heart.

Each is what a repository of the Hub holds: config, safetensors, processor, tokenizer and chat template. The
tokenizer is a byte-level BPE trained on the judge's own questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from copycat.judges.questions import CLOSED, CONS, OPEN, REPAIR

SEED = 7
WIDTH = 64
SIDE_PX = 32
LEARNING_RATE = 4e-3
MOST_STEPS, KNOWN_BY_HEART = 400, 0.005
"""Steps of training at most, and the mean loss per token (nats) at which it ends: some 70 steps, some seconds."""

Lesson = tuple[Image.Image, str, str]
"""A picture, a question's text, and the answer to learn."""

CONTROL = {
    "qwen3_vl": ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
    + ["<|image_pad|>", "<|video_pad|>"],
    "llava": ["<pad>", "<s>", "</s>", "<image>"],
}

QWEN_TEMPLATE = """\
{%- for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}
{%- for part in message.content %}
{%- if part.type == 'image' %}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- else %}{{ part.text }}{%- endif %}
{%- endfor %}{{ '<|im_end|>\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"""

LLAVA_TEMPLATE = """\
{{ bos_token }}{%- for message in messages %}{{ message.role | upper + ': ' }}
{%- for part in message.content | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{%- endfor %}
{%- for part in message.content | selectattr('type', 'equalto', 'text') %}{{ part.text + ' ' }}{%- endfor %}
{%- endfor %}{%- if add_generation_prompt %}{{ 'ASSISTANT:' }}{%- endif %}"""

TEXTS = (
    *(question.text for question in (OPEN, CLOSED, CONS, REPAIR)),
    '{"characters": ["Goofy"]} {"characters": []} {"shown": true} {"shown": false}',
    "Yes No yes no user assistant USER ASSISTANT Some Cartoons Other Cartoons Max Bluto tall cartoon dog",
)


def save_tiny_vlm(family: str, folder: Path) -> Path:
    """Build a family ("qwen3_vl" or "llava") with the same random weights every time, and save it."""
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        network, processor = build(family)
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def build(family: str) -> tuple[Any, Any]:
    """Give network and processor."""
    return _qwen() if family == "qwen3_vl" else _llava()


def train(network: Any, processor: Any, lessons: Sequence[Lesson]) -> None:
    """Have it learn lessons by heart; the answers' tokens alone count."""
    batches = [_batch(processor, group) for group in _of_like_length(lessons)]
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    network.train()
    for step in range(MOST_STEPS):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, (step + 1) / 10)
        optimizer.zero_grad()
        losses = []
        for batch in batches:
            loss = network(**batch).loss
            loss.backward()
            losses.append(loss.item())
        if max(losses) < KNOWN_BY_HEART:
            network.eval()
            return
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    raise AssertionError(f"not learnt in {MOST_STEPS} steps: {losses}")


def _of_like_length(lessons: Sequence[Lesson]) -> list[list[Lesson]]:
    """Part lessons by the length of their questions, so that little is padded."""
    groups: dict[int, list[Lesson]] = {}
    for lesson in lessons:
        groups.setdefault(len(lesson[1]) // 200, []).append(lesson)
    return list(groups.values())


def _batch(processor: Any, lessons: Sequence[Lesson]) -> dict[str, Any]:
    tokenizer = processor.tokenizer
    rows = [_lesson(processor, *lesson) for lesson in lessons]
    length = max(len(row["input_ids"]) for row in rows)
    batch: dict[str, Any] = {}
    for name, filler in (("input_ids", tokenizer.pad_token_id), ("attention_mask", 0), ("labels", -100)):
        batch[name] = torch.tensor([[filler] * (length - len(row[name])) + row[name] for row in rows])
    for name in ("pixel_values", "image_grid_thw"):
        if name in rows[0]:
            batch[name] = torch.cat([row[name] for row in rows])
    if "mm_token_type_ids" in rows[0]:
        batch["mm_token_type_ids"] = (batch["input_ids"] == processor.image_token_id).long()
    return batch


def _lesson(processor: Any, picture: Image.Image, question: str, answer: str) -> dict[str, Any]:
    content = [{"type": "image"}, {"type": "text", "text": question}]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    made = processor(text=[prompt], images=[[picture]], return_tensors="pt", add_special_tokens=False)
    words = [*processor.tokenizer.encode(answer, add_special_tokens=False), processor.tokenizer.eos_token_id]
    asked = made.pop("input_ids")[0].tolist()
    ids = [*asked, *words]
    return {**made, "input_ids": ids, "attention_mask": [1] * len(ids), "labels": [-100] * len(asked) + words}


def _tokenizer(family: str, roles: dict[str, str]) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=CONTROL[family],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(TEXTS * 3, trainer)
    if start := roles.get("bos_token"):  # as Llama's: the tokenizer writes it by itself
        bpe.post_processor = processors.TemplateProcessing(f"{start} $A", None, [(start, bpe.token_to_id(start))])
    # As on the Hub: nothing says on which side to pad.
    return PreTrainedTokenizerFast(tokenizer_object=bpe, additional_special_tokens=CONTROL[family], **roles)


def _qwen() -> tuple[Any, Any]:
    tokenizer = _tokenizer("qwen3_vl", {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"})
    pixels = {"shortest_edge": SIDE_PX**2, "longest_edge": (4 * SIDE_PX) ** 2}
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=16, size=pixels),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(patch_size=16, size=pixels),
        chat_template=QWEN_TEMPLATE,
    )
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 2, 2]},
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            "depth": 2,
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_heads": 4,
            "out_hidden_size": WIDTH,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        tie_word_embeddings=True,
        **{
            f"{name}_id": tokenizer.convert_tokens_to_ids(f"<|{token}|>")
            for name, token in {
                "image_token": "image_pad",
                "video_token": "video_pad",
                "vision_start_token": "vision_start",
                "vision_end_token": "vision_end",
            }.items()
        },
    )
    network = Qwen3VLForConditionalGeneration(config)
    # What such repositories bring: sampling, which a judge must not do.
    settings = {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05}
    return _with_generation(network, tokenizer, settings).eval(), processor


def _llava() -> tuple[Any, Any]:
    roles = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    tokenizer = _tokenizer("llava", roles)
    side = {"height": SIDE_PX, "width": SIDE_PX}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(size={"shortest_edge": SIDE_PX}, crop_size=side),
        tokenizer=tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=LLAVA_TEMPLATE,
    )
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=SIDE_PX,
            patch_size=16,
        ),
        text_config=LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            pad_token_id=tokenizer.pad_token_id,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=4,
        vision_feature_layer=-1,
    )
    return _with_generation(LlavaForConditionalGeneration(config), tokenizer, {}).eval(), processor


def _with_generation(network: Any, tokenizer: Any, settings: dict[str, Any]) -> Any:
    from transformers import GenerationConfig

    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    network.generation_config = GenerationConfig(**ids, **settings)
    return network
