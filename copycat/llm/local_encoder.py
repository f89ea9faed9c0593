"""A text encoder of transformers as an embedder: the mean of its last hidden states, on this machine."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from copycat.errors import BackendError
from copycat.llm.weights import LocalWeights

log = logging.getLogger(__name__)

POOLING = "1_Pooling/config.json"
"""How sentence-transformers pools the vectors of a model's tokens."""

MEAN = "pooling_mode_mean_tokens"
POOLING_MODE = "pooling_mode_"
UNUSED = "pooler."
"""Weights that often are not there and are not used."""

MOST_TOKENS = 1 << 20
"""Tokenizers that know no limit state a far greater one."""


class LocalTextEncoder(LocalWeights):
    """Loads the tokenizer and the weights, in float32, when the first text is embedded.

    A vector is the mean of the last hidden states of all tokens of a text, the markers among them, as in Reimers and
    Gurevych, "Sentence-BERT" (arXiv 1908.10084), section 3. Nothing is put in front of a text.
    """

    noun, option = "text encoder", "--embedder"
    needed = "an encoder of transformers for mean pooling with its tokenizer, and weights in .safetensors files"

    def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """Embed texts in one batch; of one that is too long, the beginning is read. See `VectorSource`."""
        import torch

        inputs = self._inputs(texts)
        try:
            with torch.inference_mode():
                states = self._network(**inputs).last_hidden_state
        except (ValueError, RuntimeError, IndexError, AttributeError) as error:
            raise BackendError(f"it fell over: {' '.join(str(error).split())[:300]}") from error
        weights = inputs["attention_mask"].unsqueeze(-1).to(states.dtype)
        means = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return [[float(value) for value in row] for row in means.cpu()]

    def _inputs(self, texts: Sequence[str]) -> Any:
        self._require_mean_pooling()
        if self._tokenizer.pad_token is None:
            self._unfit("its tokenizer has no padding token, as those of language models")
        limit = self._limit
        lengths = [len(ids) for ids in self._tokenizer(list(texts), verbose=False)["input_ids"]]
        if limit is not None and max(lengths) > limit:
            log.warning("%s reads %d tokens of a text, the longest here has %d", self.identify(), limit, max(lengths))
        options = {} if limit is None else {"truncation": True, "max_length": limit}
        return self._tokenizer(list(texts), padding=True, return_tensors="pt", **options).to(self.device)

    @property
    def _limit(self) -> int | None:
        """How many tokens are read; None where nobody says."""
        stated = int(self._tokenizer.model_max_length)
        places = getattr(self._network.config, "max_position_embeddings", None)
        return min((limit for limit in (stated, places) if limit and limit < MOST_TOKENS), default=None)

    @cached_property
    def _network(self) -> Any:
        import torch
        from transformers import AutoModel

        settings = self._location | {"dtype": torch.float32, "use_safetensors": True}
        network, found = self._loaded(lambda: AutoModel.from_pretrained(output_loading_info=True, **settings))
        missing = sorted(name for name in found["missing_keys"] if not name.startswith(UNUSED))
        if missing:  # transformers would fill them with random numbers
            self._unfit(f"{len(missing)} of its weights are missing, {missing[0]} among them")
        return network.eval().to(self.device)

    def _require_mean_pooling(self) -> None:
        """Refuse a model that says that it was trained for another pooling.

        Raises:
            DataError: it says so, or its file about it cannot be read.
        """
        path = self._pooling_file
        if path is None:
            return
        try:
            stated = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            self._unfit(f"{POOLING} cannot be read ({error})")
        wanted = [name for name, is_on in stated.items() if name.startswith(POOLING_MODE) and is_on]
        if wanted not in ([], [MEAN]):
            self._unfit(f"it was trained for another pooling: {', '.join(wanted)}")

    @cached_property
    def _pooling_file(self) -> Path | None:
        if isinstance(self.source, Path):
            path = self.source / POOLING
            return path if path.is_file() else None
        from huggingface_hub import hf_hub_download

        try:
            return Path(hf_hub_download(self.source, POOLING, revision=self._commit))
        except (OSError, ValueError):  # most encoders have none
            return None
