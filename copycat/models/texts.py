"""Texts of a pipeline: each one encoded once, then the encoders freed; and how many of its tokens were read."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from copycat.models.attacked_texts import INSERT, encode_attacked, n_inserted, prompt_key
from copycat.models.guidance import TextKey, encode_for_guide, guide_texts
from copycat.models.text_recipes import LIMITS, RECIPES, TextRecipe
from copycat.schema import ImageRequest
from copycat.schema.edits import LEARNED

TOKENIZERS = ("tokenizer", "tokenizer_2", "tokenizer_3", "prior_tokenizer")
SHORT_TOKENIZERS, SHORT_LIMIT = ("CLIP", "Bert"), 77
ENCODER_PARTS = ("text_encoder", "tokenizer", "processor")
"""Components whose names begin so have to do with texts alone."""


def is_text_part(name: str) -> bool:
    """Whether a component of a pipeline is there for texts alone."""
    return name.startswith(ENCODER_PARTS)


EMPTY = ("", True)
"""The text that stands for no negative prompt."""

TOKEN_ROWS = ("prompt_embeds", "negative_prompt_embeds")
"""Arguments with a row for every token of a text."""


class TextStore:
    """Keeps the embeddings of texts, on the CPU, as one row each.

    Args:
        recipe: of the pipeline's class.
        piecewise: encode a text longer than the encoder reads in pieces (see long_prompts.py).
        files: paths by hash, of learned embeddings that attacks put into prompts.
    """

    def __init__(self, recipe: TextRecipe, *, piecewise: bool = False, files: Mapping[str, str] | None = None) -> None:
        self.recipe, self.piecewise, self.files = recipe, piecewise, files or {}
        self.rows: dict[TextKey, dict[str, Any]] = {}

    def missing(self, requests: Sequence[ImageRequest]) -> list[TextKey]:
        """List the texts of requests that are not encoded yet, each with whether it is a negative prompt."""
        wanted = [*([EMPTY] if self.piecewise else []), *wanted_texts(requests), *guide_texts(requests)]
        return [text for text in dict.fromkeys(wanted) if text not in self.rows]

    def pieces(self, request: ImageRequest) -> int:
        """Say in how many pieces the longer text of a request was encoded: 1 where none is cut."""
        if not self.piecewise:
            return 1
        whole = self.rows[EMPTY]["prompt_embeds"].shape[1]
        rows = [self.rows[text] for text in wanted_texts([request])]
        return int(max(row["prompt_embeds"].shape[1] for row in rows)) // int(whole)

    def encode(self, pipeline: Any, texts: Iterable[TextKey]) -> None:
        """Encode texts one by one, so that no text's embedding depends on its neighbours."""
        import torch

        for text, kind in texts:
            with torch.inference_mode():
                if isinstance(kind, str) and kind.startswith(INSERT):
                    outputs = encode_attacked(pipeline, text, kind, self.files)
                elif isinstance(kind, str):
                    outputs = encode_for_guide(pipeline, text, kind)
                else:
                    outputs = self._encode_one(pipeline, text, kind)
            self.rows[text, kind] = outputs

    def arguments(
        self, pipeline: Any, requests: Sequence[ImageRequest], device: str, *, guided: bool
    ) -> dict[str, Any]:
        """Give the embeddings of a batch as arguments of the pipeline's call.

        Args:
            guided: classifier-free guidance is on, so that every picture needs a negative side.
        """
        positive = [self.rows[prompt_key(request)] for request in requests]
        sides = [(name, [row[name] for row in positive]) for name in self.recipe.outputs]
        if guided:
            negative = [self._negative(pipeline, request) for request in requests]
            sides += [
                (self.recipe.negative_name(name), [row[name] for row in negative]) for name in self.recipe.outputs
            ]
        if self.piecewise:
            sides = self._with_empty_pieces(sides)
        arguments = {name: _join(rows).to(device) for name, rows in _same_length(sides).items()}
        if guided:
            arguments["negative_prompt"] = None  # some pipelines have an empty text as default, beside embeddings
        return arguments

    def _negative(self, pipeline: Any, request: ImageRequest) -> dict[str, Any]:
        if request.negative_prompt is not None:
            return self.rows[request.negative_prompt, True]
        if self._zeros_for_none(pipeline):
            return {name: row * 0 for name, row in self.rows[prompt_key(request)].items()}
        return self.rows[EMPTY]

    def _with_empty_pieces(self, sides: Sequence[tuple[str, list[Any]]]) -> list[tuple[str, list[Any]]]:
        """Let empty texts follow a text of fewer pieces than the other side has: both must be of one length."""
        import torch

        longest = max(row.shape[1] for name, rows in sides if name in TOKEN_ROWS for row in rows)
        empty = self.rows[EMPTY]["prompt_embeds"]

        def lengthened(row: Any) -> Any:
            return torch.cat([row, *[empty] * ((longest - row.shape[1]) // empty.shape[1])], dim=1)

        return [(name, [lengthened(r) for r in rows] if name in TOKEN_ROWS else rows) for name, rows in sides]

    def _zeros_for_none(self, pipeline: Any) -> bool:
        rule = self.recipe.none_is_zeros
        return rule == "config" and bool(getattr(pipeline.config, "force_zeros_for_empty_prompt", False))

    def _encode_one(self, pipeline: Any, text: str, is_negative: bool) -> dict[str, Any]:
        if self.piecewise:
            from copycat.models.long_prompts import encode_in_pieces

            return {name: row.cpu() for name, row in encode_in_pieces(pipeline, text, self.recipe).items()}
        accepted = inspect.signature(pipeline.encode_prompt).parameters
        settings = call_defaults(pipeline, accepted) | dict(self.recipe.negative_changes if is_negative else {})
        needed = {"device": pipeline.device, "num_images_per_prompt": 1, "do_classifier_free_guidance": False}
        needed |= {"prompt_2": None, "prompt_3": None}
        settings |= {name: value for name, value in needed.items() if name in accepted}
        outputs = pipeline.encode_prompt(prompt=[text], **settings)
        outputs = outputs if isinstance(outputs, tuple | list) else (outputs,)
        rows = {name: outputs[place] for name, place in self.recipe.outputs.items()}
        return {name: _or_ones(row, outputs[0]).cpu() for name, row in rows.items()}


def wanted_texts(requests: Iterable[ImageRequest]) -> Iterable[TextKey]:
    """Give every prompt and negative prompt of requests; the empty negative one stands for none."""
    for request in requests:
        yield prompt_key(request)
        yield request.negative_prompt or "", True


def recipe_of(pipeline_name: str) -> TextRecipe | None:
    """Give the recipe of a pipeline class; None if it encodes with every batch."""
    return RECIPES.get(pipeline_name)


def call_defaults(pipeline: Any, accepted: Iterable[str]) -> dict[str, Any]:
    """Give what the pipeline's own call would tell its `encode_prompt`, as far as that is no text or tensor.

    `clean_caption` is always off: it depends on which packages are installed, and changes the prompt.
    """
    called = inspect.signature(type(pipeline).__call__).parameters
    shared = ("max_sequence_length", "complex_human_instruction", "clip_skip")
    settings = {name: called[name].default for name in shared if name in called and name in accepted}
    if "clean_caption" in accepted:
        settings["clean_caption"] = False
    return settings


def truncated_tokens(pipeline: Any, text: str) -> int:
    """Count the tokens of a text that no text encoder read: those that the most far-reading encoder cut off.

    CLIP, and the BERT of HunyuanDiT, stop at 77; others stop where the pipeline's call or its recipe says.
    """
    tokenizers = [getattr(pipeline, name, None) for name in TOKENIZERS]
    cuts = [_cut_of(pipeline, tokenizer, text) for tokenizer in tokenizers if tokenizer is not None]
    return min(cuts, default=0)


def truncated_of(pipeline: Any, request: ImageRequest, files: Mapping[str, str]) -> int:
    """Count the tokens of a request's prompt that no text encoder read, those that its attack puts in included."""
    put_in = n_inserted(request.attack, files)
    if not put_in:
        return truncated_tokens(pipeline, request.prompt_sent)
    has_place = request.attack is not None and request.attack.learned is not None
    text = request.prompt_sent.replace(LEARNED, "", 1) if has_place else request.prompt_sent
    tokenizers = [t for name in TOKENIZERS if (t := getattr(pipeline, name, None)) is not None]
    return min((_cut_of(pipeline, tokenizer, text, put_in) for tokenizer in tokenizers), default=0)


def _cut_of(pipeline: Any, tokenizer: Any, text: str, put_in: int = 0) -> int:
    name = type(pipeline).__name__
    called = inspect.signature(type(pipeline).__call__).parameters.get("max_sequence_length")
    recipe = RECIPES.get(name)
    own = (recipe.limit if recipe else None) or LIMITS.get(name)
    if type(tokenizer).__name__.startswith(SHORT_TOKENIZERS):
        limit = min(tokenizer.model_max_length, SHORT_LIMIT)
    else:
        limit = own or (tokenizer.model_max_length if called is None else called.default)
    tokens = len(tokenizer(text, truncation=False, verbose=False).input_ids)
    return max(0, tokens + put_in - int(limit))


def _or_ones(row: Any, embeddings: Any) -> Any:
    """Qwen gives no mask where every token counts."""
    import torch

    return torch.ones(embeddings.shape[:2], dtype=torch.bool) if row is None else row


def _join(rows: Sequence[Any]) -> Any:
    import torch

    return torch.cat([row.cpu() for row in rows])


def _same_length(sides: Sequence[tuple[str, Sequence[Any]]]) -> dict[str, list[Any]]:
    """Fill shorter texts of a batch up with zeros, and their masks with "not there"."""
    import torch

    filled: dict[str, list[Any]] = {}
    for name, rows in sides:
        longest = max(row.shape[1] for row in rows)
        filled[name] = [
            torch.cat([row, row.new_zeros((1, longest - row.shape[1], *row.shape[2:]))], dim=1) for row in rows
        ]
    return filled
