"""Models at full size with random weights: SDXL and PixArt-alpha for `generation.py`, SD 1.4 for erasing."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from copycat.models import MODELS, ModelRow
from copycat.plan import build_seed
from copycat.runs.runner import Plan
from copycat.schema import ImageRequest, RunSpec

PROMPTS = ("a cartoon mouse in a garden", "videogame, plumber", "an astronaut bear, toy, blue and green")
NEGATIVE = "copyrighted character"


def sdxl(folder: Path) -> Path:
    """Build the SDXL pipeline from the published configuration of its parts; float16, about 7 GB."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    with torch.device("cuda"):
        torch.set_default_dtype(torch.float16)
        unet = UNet2DConditionModel.from_config(_unet_config())
        vae = _vae(AutoencoderKL, scaling_factor=0.13025, force_upcast=True)
        encoders = _clip_encoders()
        torch.set_default_dtype(torch.float32)
    tokenizer = _clip_tokenizer()
    pipeline = StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=encoders[0],
        text_encoder_2=encoders[1],
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear", steps_offset=1, timestep_spacing="leading"),
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder)
    return folder


def sd14(folder: Path) -> Path:
    """Build a pipeline of the size of Stable Diffusion 1.4; float16, about 2 GB. A CPU does, in a minute."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    text = CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        unet = UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(320, 640, 1280, 1280),
            cross_attention_dim=768,
            attention_head_dim=8,
        )
        pipeline = StableDiffusionPipeline(
            vae=_vae(AutoencoderKL, scaling_factor=0.18215, force_upcast=False),
            text_encoder=CLIPTextModel(text),
            tokenizer=_clip_tokenizer(),
            unet=unet,
            scheduler=DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, steps_offset=1),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.to(torch.float16).save_pretrained(folder)
    return folder


def pixart(folder: Path) -> Path:
    """Build PixArt-alpha 512 with a T5 of its published size; float16, about 11 GB."""
    import torch
    from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, PixArtAlphaPipeline, PixArtTransformer2DModel
    from transformers import T5Config, T5EncoderModel

    with torch.device("cuda"):
        torch.set_default_dtype(torch.float16)
        transformer = PixArtTransformer2DModel(
            sample_size=64, num_layers=28, cross_attention_dim=1152, caption_channels=4096, out_channels=8
        )
        vae = _vae(AutoencoderKL, scaling_factor=0.18215, force_upcast=False)
        config = T5Config(
            vocab_size=32128,
            d_model=4096,
            d_kv=64,
            d_ff=10240,
            num_layers=24,
            num_heads=64,
            feed_forward_proj="gated-gelu",
        )
        encoder = T5EncoderModel(config)
        torch.set_default_dtype(torch.float32)
    pipeline = PixArtAlphaPipeline(
        tokenizer=_t5_tokenizer(),
        text_encoder=encoder,
        vae=vae,
        transformer=transformer,
        scheduler=DPMSolverMultistepScheduler(),
    )
    pipeline.save_pretrained(folder)
    return folder


BUILDERS: dict[str, Callable[[Path], Path]] = {"sdxl": sdxl, "pixart-alpha": pixart}


def row_of(name: str, folder: Path) -> ModelRow:
    """Give the model's row with the folder of random weights in place of the Hub's."""
    return MODELS.get(name).model_copy(update={"source": str(folder.resolve()), "variant": None})


def plan_of(row: ModelRow, asked: argparse.Namespace) -> Plan:
    """Plan pictures with a negative prompt, the settings of the row and those asked for."""
    changes = {"steps": asked.steps, "width_px": asked.side, "height_px": asked.side}
    sampling = row.sampling.model_copy(update={name: value for name, value in changes.items() if value})
    requests = tuple(_request(number) for number in range(asked.pictures))
    spec = RunSpec(
        model=row.name,
        model_source=row.source,
        model_revision="random weights",
        mitigation="negprompt:copyright",
        characters="none",
        characters_sha256="",
        anchors=("name",),
        prompts_sha256="",
        seeds=1,
        sampling=sampling,
        batch_size=asked.batch_size or row.batch_size,
        device="cuda",
        judge="none",
        judge_revision="none",
    )
    return Plan(spec=spec, requests=requests)


def print_share(batch_size: int) -> None:
    """Print the UNet's share of the matrix-multiply rate that this device reaches in bf16."""
    rate, flops, seconds = matrix_rate(), *unet_step(batch_size)
    print(
        f"UNet of SDXL, bf16, batch {batch_size} with guidance: {flops / 1e12:.1f} TFLOP in {1000 * seconds:.0f} ms = "
        f"{flops / seconds / 1e12:.0f} TFLOP/s; matrices of 8192 reach {rate / 1e12:.0f} TFLOP/s; "
        f"share {100 * flops / seconds / rate:.0f} %"
    )


def matrix_rate(side: int = 8192, rounds: int = 50) -> float:
    """Measure floating-point operations per second of bf16 matrix products."""
    import torch

    left, right = (torch.randn(side, side, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return 2 * side**3 / _seconds(lambda: left @ right, rounds)


def unet_step(batch_size: int, rounds: int = 10) -> tuple[float, float]:
    """Count the operations of one guided step at 1024 px, and measure its seconds."""
    import torch
    from diffusers import UNet2DConditionModel
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("cuda"):
        unet: Any = UNet2DConditionModel.from_config(_unet_config()).to(torch.bfloat16).eval()
        rows, dtype = 2 * batch_size, torch.bfloat16
        latents = torch.randn(rows, 4, 128, 128, dtype=dtype)
        text = torch.randn(rows, 77, 2048, dtype=dtype)
        added = {"text_embeds": torch.randn(rows, 1280, dtype=dtype), "time_ids": torch.zeros(rows, 6, dtype=dtype)}

    def step() -> Any:
        with torch.inference_mode():
            return unet(latents, 500, encoder_hidden_states=text, added_cond_kwargs=added).sample

    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops()), _seconds(step, rounds)


def _seconds(work: Callable[[], Any], rounds: int) -> float:
    import torch

    for _ in range(3):
        work()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(rounds):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / rounds


def _unet_config() -> dict[str, Any]:
    return {
        "sample_size": 128,
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "attention_head_dim": (5, 10, 20),
        "transformer_layers_per_block": (1, 2, 10),
        "cross_attention_dim": 2048,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
        "use_linear_projection": True,
    }


def _request(number: int) -> ImageRequest:
    prompt = PROMPTS[number % len(PROMPTS)]
    return ImageRequest(
        key=f"{number:020d}",
        character="nobody",
        anchor="name",
        prompt_id=prompt,
        repeat=number,
        prompt=prompt,
        prompt_sent=prompt,
        negative_prompt=NEGATIVE,
        seed=build_seed(prompt, number),
    )


def _vae(kind: Any, scaling_factor: float, *, force_upcast: bool) -> Any:
    return kind(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        sample_size=1024,
        scaling_factor=scaling_factor,
        force_upcast=force_upcast,
    )


def _clip_encoders() -> tuple[Any, Any]:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    small = CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    large = CLIPTextConfig(
        hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, projection_dim=1280
    )
    return CLIPTextModel(small), CLIPTextModelWithProjection(large)


def _clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    from copycat.models.hub import Source

    folder = Source("package:sandbox/weights/pipeline", "sandbox").folder
    assert folder is not None
    return CLIPTokenizer.from_pretrained(folder / "tokenizer")


def _t5_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = [chr(code) for code in range(32, 127)]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -5.0) for letter in letters)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
