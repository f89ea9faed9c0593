"""Parts that the tiny families share: tokenizers made offline, text encoders, a VAE. All weights are random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from diffusers import AutoencoderKL, VQModel
from tokenizers.pre_tokenizers import ByteLevel
from torch import nn, no_grad
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2Tokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
    UMT5Config,
    UMT5EncoderModel,
)

Model = TypeVar("Model", bound=nn.Module)
WIDTH = 32  # of every text encoder
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PRINTABLE = [chr(code) for code in range(33, 127)]


def strengthen(model: Model, **factors: float) -> Model:
    """Multiply the weights whose name contains a key (a double underscore stands for a dot), and return the model."""
    with no_grad():
        for part, factor in factors.items():
            weights = [weight for name, weight in model.named_parameters() if part.replace("__", ".") in name]
            assert weights, f"no weight has '{part}' in its name"
            for weight in weights:
                weight.mul_(factor)
    return model.eval()


def clip_tokenizer() -> CLIPTokenizer:
    """Letters only: every word is as many tokens as it has letters."""
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[], model_max_length=77)


def t5_tokenizer() -> T5Tokenizer:
    """The start of a word and the letters of English, each a token."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -2.0) for letter in ["▁", *PRINTABLE])]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def qwen_tokenizer(template: str = "", special: Sequence[str] = ("<|im_start|>", "<|im_end|>")) -> Qwen2Tokenizer:
    """Bytes, the words of a template, and the markers of a conversation, each a token."""
    pieces = ["<|endoftext|>", *special, *sorted(ByteLevel.alphabet())]
    bytes_only = Qwen2Tokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)},
        merges=[],
        additional_special_tokens=list(special),
        model_max_length=4096,
    )
    tokenizer = bytes_only.train_new_from_iterator([template], vocab_size=2000, show_progress=False)
    tokenizer.chat_template = CHAT
    return tokenizer


def clip_text_encoder(tokenizer: CLIPTokenizer, *, projection: bool = False) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = (CLIPTextModelWithProjection if projection else CLIPTextModel)(config)
    return strengthen(model, token_embedding=50)  # the last layer but one, which has no norm, is read too


def t5_encoder(tokenizer: T5Tokenizer, *, width: int = WIDTH) -> T5EncoderModel:
    return T5EncoderModel(T5Config(**_t5_settings(tokenizer, width))).eval()


def umt5_encoder(tokenizer: T5Tokenizer) -> UMT5EncoderModel:
    return UMT5EncoderModel(UMT5Config(**_t5_settings(tokenizer, WIDTH))).eval()


def _t5_settings(tokenizer: T5Tokenizer, width: int) -> dict[str, int]:
    return {"vocab_size": len(tokenizer), "d_model": width, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 4}


def image_vae(*, halvings: int = 1, channels: int = 4, contrast: float = 1.5, **settings: object) -> AutoencoderKL:
    """One latent pixel is 2 ** halvings pixels wide; contrast spreads the grey levels of what is decoded."""
    blocks = halvings + 1
    vae = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        block_out_channels=(8,) * blocks,
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=16,
        **settings,
    )
    return strengthen(vae, decoder__conv_out=contrast)


def movq() -> VQModel:
    """The decoder of Kandinsky, which halves a side three times."""
    return VQModel(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        num_vq_embeddings=16,
        norm_num_groups=4,
        norm_type="spatial",
        vq_embed_dim=4,
    ).eval()
