"""Prompts of attacks that put tokens into them: a prefix of token ids, or learned embeddings of no word."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from copycat.errors import DataError, UnsupportedError
from copycat.models.capabilities import Capabilities
from copycat.models.text_inserts import encode_rows, own_tokens, token_row
from copycat.paths import shown
from copycat.schema import ImageRequest, Sampling
from copycat.schema.edits import LEARNED, Attack

PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
"""Pipelines whose texts are known to be CLIP's states and nothing else."""

INSERT = "insert:"
"""How the kind of a text begins that has tokens put into it; a JSON follows."""

ENCODERS = (("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2"))


def is_inserting(attack: Attack | None) -> bool:
    """Whether an attack changes the tokens of the prompt."""
    return attack is not None and bool(attack.prefix or attack.learned)


def prompt_key(request: ImageRequest) -> tuple[str, bool | str]:
    """Name the prompt of a request among encoded texts: plain, or with what its attack puts in."""
    attack = request.attack
    if attack is None or not is_inserting(attack):
        return request.prompt_sent, False
    put_in = {"prefix": attack.prefix, "learned": attack.learned}
    return request.prompt_sent, INSERT + json.dumps(put_in)


def check_inserts(
    name: str, able: Capabilities, requests: Sequence[ImageRequest], sampling: Sampling, files: Mapping[str, str]
) -> None:
    """Refuse what could not be put into prompts; loads no weights.

    Args:
        name: of the model, for the message.
        files: paths by hash, of learned embeddings.

    Raises:
        UnsupportedError: the pipeline, pieces of long prompts, the guide 'safree', or a prompt without its place.
        DataError: the file of learned embeddings is not there.
    """
    for request in requests:
        attack = request.attack
        if attack is None or not is_inserting(attack):
            continue
        if able.pipeline not in PIPELINES:
            raise UnsupportedError(
                f"'{name}' ({able.pipeline}) cannot put the tokens of the attack '{attack.method}' into a prompt\n"
                f"  it works with {' and '.join(PIPELINES)}; use the attack 'arc', or such a model"
            )
        if sampling.long_prompts:
            raise UnsupportedError(
                f"'{name}' cannot put the tokens of the attack '{attack.method}' into prompts in pieces\n"
                "  leave out --long-prompts"
            )
        if request.guide is not None and request.guide.method == "safree":
            raise UnsupportedError(
                f"the guide 'safree' filters the words of a prompt, and the attack '{attack.method}' puts in tokens "
                "that are no words\n  use another mitigation, or the attack 'arc'"
            )
        if attack.learned is not None:
            _check_learned(request, attack.learned, files)


def encode_attacked(pipeline: Any, text: str, kind: str, files: Mapping[str, str]) -> dict[str, Any]:
    """Encode a prompt with tokens put in: a prefix right after the start token, learned embeddings at LEARNED.

    As the pipeline does with every text, what is longer than the encoder reads is cut off at the end.

    Args:
        kind: of `prompt_key`.
        files: paths by hash, of learned embeddings.

    Raises:
        DataError: embeddings of another width, or for other encoders.
        UnsupportedError: a prefix where the encoders have different vocabularies, or of tokens that they lack.
    """
    put_in = json.loads(kind.removeprefix(INSERT))
    encoders = {e: getattr(pipeline, e) for _, e in ENCODERS if getattr(pipeline, e, None) is not None}
    tokenizers = [getattr(pipeline, t) for t, e in ENCODERS if e in encoders]
    vectors = None
    if put_in["learned"] is not None:
        vectors = _read_learned(Path(files[put_in["learned"]]), encoders)
    if put_in["prefix"]:
        _check_prefix(type(pipeline).__name__, tokenizers, put_in["prefix"])
    free = len(vectors[0]) if vectors else 0
    rows = [[token_row(t, _parts(t, text, put_in), free, may_cut=True)] for t in tokenizers]
    encoded = encode_rows(list(encoders.values()), rows, vectors)
    both = {"prompt_embeds": encoded.states, "pooled_prompt_embeds": encoded.pooled}
    return {name: row.cpu() for name, row in both.items() if row is not None}


def n_inserted(attack: Attack | None, files: Mapping[str, str]) -> int:
    """Count the tokens that an attack puts into a prompt."""
    if attack is None:
        return 0
    learned = 0
    if attack.learned is not None:
        from safetensors import safe_open

        with safe_open(files[attack.learned], framework="pt") as file:
            learned = next(int(file.get_slice(name).get_shape()[0]) for name in file.keys())  # noqa: SIM118
    return len(attack.prefix) + learned


def _parts(tokenizer: Any, text: str, put_in: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Give the tokens before and behind the free places; without learned embeddings everything is behind none."""
    prefix = list(put_in["prefix"])
    if put_in["learned"] is None:
        return prefix, own_tokens(tokenizer, text)
    before, _, behind = text.partition(LEARNED)
    return prefix + own_tokens(tokenizer, before.strip()), own_tokens(tokenizer, behind.strip())


def _check_prefix(name: str, tokenizers: Sequence[Any], prefix: Sequence[int]) -> None:
    first, *others = (tokenizer.get_vocab() for tokenizer in tokenizers)
    if any(other != first for other in others):
        raise UnsupportedError(f"{name}: its text encoders have different vocabularies\n  use the attack 'cce'")
    if strange := set(prefix) - set(first.values()):
        raise UnsupportedError(
            f"{name}: its vocabulary has no token {min(strange)}; the prefix was searched on a model with another one\n"
            "  attack this very model: python -m copycat.attack --method unlearndiffatk --model MODEL --concept NAME "
            "--out DIR"
        )


def _check_learned(request: ImageRequest, learned: str, files: Mapping[str, str]) -> None:
    if LEARNED not in request.prompt_sent:
        raise UnsupportedError(
            f"the prompt '{request.prompt_sent}' has no place for learned embeddings\n  needed: {LEARNED} in it"
        )
    if learned not in files or not Path(files[learned]).is_file():
        raise DataError(
            [f"no file of learned embeddings with the hash {learned[:12]} is there"],
            "  needed: the folder of the attack as it was saved, with --attack ./DIR",
        )


def _read_learned(path: Path, encoders: Mapping[str, Any]) -> list[Any]:
    """Read (k, width) for each text encoder, by the encoder's name."""
    from safetensors.torch import load_file

    held = load_file(path)
    widths = {name: encoder.get_input_embeddings().weight.shape[1] for name, encoder in encoders.items()}
    fits = held.keys() == widths.keys() and all(
        held[name].ndim == 2 and held[name].shape[1] == width for name, width in widths.items()
    )
    if not fits or len({len(rows) for rows in held.values()}) != 1:
        found = ", ".join(f"{name} {tuple(rows.shape)}" for name, rows in held.items())
        raise DataError(
            [f"{shown(path)}: {found} are no embeddings for {', '.join(f'{n} (k, {w})' for n, w in widths.items())}"],
            "  attack this very model: python -m copycat.attack --method cce --model MODEL --concept NAME --out DIR",
        )
    return [held[name].to(encoder.device, encoder.dtype) for name, encoder in encoders.items()]
