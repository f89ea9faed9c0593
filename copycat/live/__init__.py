"""A pipeline of the Stable Diffusion family taken apart: encode, noise, predict and denoise, with gradients.

What erasers train and attacks search goes through here, whatever part of the model was edited.

texts.py      token ids -> what the denoiser attends to; free token embeddings in front of, or inside, a prompt
pipeline.py   the denoiser as a function, its schedule, and rollouts from noise to a timestep
"""

from copycat.live.pipeline import LIVE_PIPELINES, LivePipeline, check_schedule, live_models, step_generator
from copycat.live.texts import Texts, TokenRow

__all__ = ["LIVE_PIPELINES", "LivePipeline", "Texts", "TokenRow", "check_schedule", "live_models", "step_generator"]
