"""Video models by name; settings and sources as in table_images.py. Of each clip eight frames are looked at."""

from __future__ import annotations

from typing import Any

from copycat.models.frames import spread_frames
from copycat.models.row import ModelRow
from copycat.models.table_images import DIFFUSERS
from copycat.schema import Sampling

PAPER_FRAMES = (0, 6, 15)
"""CopyCat looks at these three of VideoFusion's 16 frames and takes the best verdict."""


def _clip(size_px: tuple[int, int], frames: int, fps: int, **settings: Any) -> Sampling:
    kept = spread_frames(frames)
    made = {"width_px": size_px[0], "height_px": size_px[1], "frames": frames, "kept_frames": kept, "fps": fps}
    return Sampling.model_validate(made | settings)


VIDEO_ROWS: tuple[ModelRow, ...] = (
    ModelRow(
        name="videofusion",
        target=DIFFUSERS,
        pipeline="TextToVideoSDPipeline",
        source="ali-vilab/text-to-video-ms-1.7b",
        summary="VideoFusion (ModelScope text-to-video), the paper's video model",
        licence="cc-by-nc-4.0",
        sampling=_clip((256, 256), 16, 8, steps=50, guidance=9.0, dtype="float16"),
        presets={"paper": {"steps": 50, "guidance": 9.0, "kept_frames": PAPER_FRAMES}},
        batch_size=4,
        variant="fp16",
        memory_gib=6,
    ),
    ModelRow(
        name="animatediff",
        target=DIFFUSERS,
        pipeline="AnimateDiffPipeline",
        source="stable-diffusion-v1-5/stable-diffusion-v1-5",
        parts={"motion_adapter": "guoyww/animatediff-motion-adapter-v1-5-2"},
        summary="AnimateDiff 1.5.2 on Stable Diffusion 1.5",
        licence="creativeml-openrail-m",
        sampling=_clip((512, 512), 16, 8, steps=25, guidance=7.5, dtype="float16", scheduler="DDIMScheduler"),
        batch_size=2,
        variant="fp16",
        memory_gib=8,
    ),
    ModelRow(
        name="cogvideox-2b",
        target=DIFFUSERS,
        pipeline="CogVideoXPipeline",
        source="zai-org/CogVideoX-2b",
        summary="CogVideoX 2B",
        licence="apache-2.0",
        sampling=_clip((720, 480), 49, 8, steps=50, guidance=6.0, dtype="float16"),
        memory_gib=16,
    ),
    ModelRow(
        name="cogvideox-5b",
        target=DIFFUSERS,
        pipeline="CogVideoXPipeline",
        source="zai-org/CogVideoX-5b",
        summary="CogVideoX 5B",
        licence="cogvideox-license",
        sampling=_clip((720, 480), 49, 8, steps=50, guidance=6.0, dtype="bfloat16"),
        memory_gib=24,
    ),
    ModelRow(
        name="wan-2.1-1.3b",
        target=DIFFUSERS,
        pipeline="WanPipeline",
        source="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
        summary="Wan 2.1, 1.3 billion parameters, 480p",
        licence="apache-2.0",
        sampling=_clip((832, 480), 81, 16, steps=50, guidance=5.0, dtype="bfloat16", vae_dtype="float32"),
        memory_gib=16,
    ),
    ModelRow(
        name="wan-2.1-14b",
        target=DIFFUSERS,
        pipeline="WanPipeline",
        source="Wan-AI/Wan2.1-T2V-14B-Diffusers",
        summary="Wan 2.1, 14 billion parameters, 480p",
        licence="apache-2.0",
        sampling=_clip((832, 480), 81, 16, steps=50, guidance=5.0, dtype="bfloat16", vae_dtype="float32"),
        memory_gib=40,
    ),
    ModelRow(
        name="wan-2.2-5b",
        target=DIFFUSERS,
        pipeline="WanPipeline",
        source="Wan-AI/Wan2.2-TI2V-5B-Diffusers",
        summary="Wan 2.2, 5 billion parameters, 720p",
        licence="apache-2.0",
        sampling=_clip((1280, 704), 121, 24, steps=50, guidance=5.0, dtype="bfloat16", vae_dtype="float32"),
        memory_gib=24,
    ),
    ModelRow(
        name="ltx-video",
        target=DIFFUSERS,
        pipeline="LTXPipeline",
        source="Lightricks/LTX-Video",
        summary="LTX-Video 0.9, 2 billion parameters",
        licence="ltx-video-open-weights",
        sampling=_clip((704, 480), 161, 24, steps=50, guidance=3.0, dtype="bfloat16"),
        memory_gib=13,
    ),
    ModelRow(
        name="hunyuan-video",
        target=DIFFUSERS,
        pipeline="HunyuanVideoPipeline",
        source="hunyuanvideo-community/HunyuanVideo",
        summary="HunyuanVideo at 512x320; distilled guidance, a negative prompt brings true guidance 6 with it",
        licence="tencent-hunyuan-community",
        sampling=_clip((512, 320), 61, 15, steps=30, guidance=6.0, dtype="bfloat16", vae_tiling=True),
        negative_guidance=6.0,
        memory_gib=30,
    ),
    ModelRow(
        name="mochi",
        target=DIFFUSERS,
        pipeline="MochiPipeline",
        source="genmo/mochi-1-preview",
        summary="Mochi 1 preview",
        licence="apache-2.0",
        sampling=_clip((848, 480), 85, 30, steps=64, guidance=4.5, dtype="bfloat16", vae_tiling=True),
        variant="bf16",
        memory_gib=30,
    ),
)
