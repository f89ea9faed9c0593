"""EmbeddingSim: candidates ranked by how near a model's own text encoder holds them to a name (CopyCat, section 3.2).

The score is cos(g(name), g(candidate)), where g is the text encoder of the model under test: the token embeddings
of its last hidden layer, pooled to one vector. The paper does not say which of two encoders it took, nor whether
the markers around a text are pooled with it; both are settings here. It serves keywords and descriptions alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from copycat.errors import DataError, UnsupportedError, UserError
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.hub import INDEX
from copycat.models.loading import load_pipeline
from copycat.models.row import ModelRow
from copycat.models.texts import is_text_part, truncated_tokens
from copycat.registry import resolve
from copycat.schema import Record

Pooling = Literal["words", "all", "pooled"]

ENCODER, TOKENIZER = "text_encoder", "tokenizer"
WITH_POOLED_VECTOR = "CLIP"
"""Encoders whose class begins so give one vector for a whole text, trained to stand for it."""

BATCH = 64


class EmbeddingSettings(Record):
    """What becomes of a text.

    Attributes:
        encoder: the component of the pipeline: "text_encoder", "text_encoder_2", ...
        pooling: "words" is the mean over the text's own tokens, without the markers of start and end; "all" counts
            the markers, too; "pooled" is the encoder's own vector for the whole text (CLIP: at the end marker, and
            projected where the encoder has a projection). Padding is in none of them.
    """

    encoder: str = ENCODER
    pooling: Pooling = "words"


class TextEncoder:
    """One text encoder of a pipeline and its tokenizer, in float32; see `load`.

    Attributes:
        identity: source@revision:encoder:pooling, all that an embedding depends on.
        warnings: a line for each text that was longer than the encoder reads.
    """

    def __init__(self, pipeline: Any, settings: EmbeddingSettings, identity: str) -> None:
        self.settings, self.identity = settings, identity
        self.warnings: list[str] = []
        self._pipeline = pipeline
        self._encoder = getattr(pipeline, settings.encoder).eval()
        self._tokenizer = getattr(pipeline, tokenizer_of(settings.encoder))

    @classmethod
    def load(cls, row: ModelRow, settings: EmbeddingSettings, device: str) -> TextEncoder:
        """Load one encoder of a model and nothing else of it.

        It is loaded in float32 whatever dtype the model draws in: T5 overflows in float16, and the same model is to
        rank alike on a CPU, where it draws in float32, too. Of a cascade, it is that of the first stage. A language
        model as encoder reads the bare text, without the template that its pipeline puts around a prompt.

        Raises:
            UnsupportedError: the model has no pipeline here, or the encoder has no pooled vector.
            UserError: the pipeline has no such encoder; the text lists those that it has.
            DataError, MissingExtraError: files are missing, damaged, or cannot be fetched.
        """
        model = resolve(row.target, f"model '{row.name}'")
        if not (isinstance(model, type) and issubclass(model, DiffusersModel)):
            raise UnsupportedError(
                f"'{row.name}' has no text encoder on this machine\n"
                "  use a model whose weights run here; see: python -m copycat.eval --list models"
            )
        drawn = model(row, device)
        index = drawn.source.read_json(INDEX)
        _check(row.name, index, settings)
        sampling = row.sampling.model_copy(update={"dtype": "float32", "vae_dtype": None})
        # Parts that a row names are left out of the half with the texts: so are the other encoders.
        wanted = (settings.encoder, tokenizer_of(settings.encoder))
        left_out = {name: "" for name in index if is_text_part(name) and name not in wanted}
        others = row.model_copy(update={"parts": row.parts | left_out})
        pipeline = load_pipeline(drawn.source, others, sampling, device, "texts")
        source, revision = drawn.identify()
        return cls(pipeline, settings, f"{source}@{revision}:{settings.encoder}:{settings.pooling}")

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Embed texts: an array (N, D), in their order; (0, 0) of none.

        Each text is read as if it were alone: padding is masked. Of a text that is too long, the encoder reads the
        beginning; `warnings` says of which.

        Raises:
            UserError: a text without a word.
        """
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        empty = [np.zeros((0, 0), np.float32)]
        return np.concatenate([self._embed_batch(batch) for batch in batches] or empty)

    def _embed_batch(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        import torch

        inputs = self._tokenizer(
            list(texts),
            **self._cut(texts),
            padding=True,
            return_attention_mask=True,
            return_special_tokens_mask=True,
            return_tensors="pt",
        ).to(self._encoder.device)
        is_read = inputs["attention_mask"]
        with torch.inference_mode():
            output = self._encoder(inputs["input_ids"], attention_mask=is_read, output_hidden_states=True)
        own = is_read.bool() & ~inputs["special_tokens_mask"].bool()
        _require_words(texts, own)
        if self.settings.pooling == "pooled":
            embeddings = _pooled(output)
        else:
            embeddings = _mean(_last_layer(output), own if self.settings.pooling == "words" else is_read.bool())
        found: npt.NDArray[np.float32] = embeddings.float().cpu().numpy()
        return found

    def _cut(self, texts: Sequence[str]) -> dict[str, Any]:
        """Say how the tokenizer is to cut texts: where the pipeline itself would, its end marker kept."""
        cuts = {text: cut for text in texts if (cut := truncated_tokens(self._pipeline, text))}
        if not cuts:
            return {}
        lengths = {text: len(self._tokenizer(text, verbose=False).input_ids) for text in cuts}
        limit = min(lengths[text] - cut for text, cut in cuts.items())
        new = [f"{self.settings.encoder} read {limit} tokens of {lengths[text]}: {text}" for text in cuts]
        self.warnings += [warning for warning in new if warning not in self.warnings]
        return {"truncation": True, "max_length": limit}


def similarities(encoder: TextEncoder, name: str, candidates: Sequence[str]) -> list[float]:
    """Give the cosine between a name and each candidate, in their order: -1 to 1, higher is nearer.

    Raises:
        UserError: the name or a candidate without a word.
        DataError: the weights of the encoder give no usable numbers.
    """
    if not candidates:
        return []
    vectors = encoder.embed([name, *candidates]).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise DataError(
            [f"{encoder.identity}: its embeddings are zero, infinite or not numbers"],
            "  the weights are damaged; fetch them again",
        )
    vectors /= lengths
    return [float(cosine) for cosine in np.clip(vectors[1:] @ vectors[0], -1.0, 1.0)]


def tokenizer_of(encoder: str) -> str:
    """Name the tokenizer that belongs to an encoder: 'tokenizer_2' for 'text_encoder_2'."""
    return encoder.replace(ENCODER, TOKENIZER)


def encoders_of(index: dict[str, Any]) -> dict[str, str]:
    """List the text encoders of a pipeline's model_index.json, each with the name of its class."""
    listed = {name: value for name, value in index.items() if name.startswith(ENCODER) and isinstance(value, list)}
    return {name: value[1] for name, value in listed.items() if value[1] and tokenizer_of(name) in index}


def _check(owner: str, index: dict[str, Any], settings: EmbeddingSettings) -> None:
    encoders = encoders_of(index)
    if settings.encoder not in encoders:
        known = ", ".join(f"{name} ({kind})" for name, kind in encoders.items()) or "none"
        raise UserError(f"'{owner}' has no text encoder '{settings.encoder}'\n  it has: {known}")
    kind = encoders[settings.encoder]
    if settings.pooling == "pooled" and not kind.startswith(WITH_POOLED_VECTOR):
        raise UnsupportedError(
            f"{settings.encoder} of '{owner}' ({kind}) gives no one vector for a text\n"
            "  use the pooling 'words' or 'all', or another encoder of the model"
        )


def _require_words(texts: Sequence[str], own: Any) -> None:
    for text, count in zip(texts, own.sum(dim=1).tolist(), strict=True):
        if not count:
            raise UserError(f"{text!r} has no words that could be embedded\n  needed: a name, keyword or sentence")


def _last_layer(output: Any) -> Any:
    """Give the hidden states (N, T, D) after the last layer and its norm; models with a head keep them elsewhere."""
    last = getattr(output, "last_hidden_state", None)
    return output.hidden_states[-1] if last is None else last


def _pooled(output: Any) -> Any:
    projected = getattr(output, "text_embeds", None)
    return output.pooler_output if projected is None else projected


def _mean(states: Any, kept: Any) -> Any:
    """Average states (N, T, D) over the kept tokens (N, T)."""
    weights = kept.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)
