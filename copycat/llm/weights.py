"""Weights of transformers on this machine, from a folder or from the Hugging Face Hub: what they are, and loading."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from copycat.errors import DataError, MissingExtraError
from copycat.paths import shown

CONFIG = "config.json"
IGNORED = {".md", ".lock", ".cache"}

T = TypeVar("T")


class LocalWeights:
    """The files of one model; a subclass loads its `_network` when it is first used.

    Attributes:
        noun, needed, option: what errors call it, what would be right, and the option that names it.

    Args:
        source: a folder, or a repository 'org/name' of the Hub.
    """

    noun, needed, option = "model", "a model of transformers", "--model"

    def __init__(self, source: Path | str, device: str) -> None:
        self.source, self.device = source, device

    def identify(self) -> str:
        """Give a folder's name and the hash of its files, or a repository and its commit.

        Raises:
            DataError: the folder holds no model.
            MissingExtraError: the repository is neither in the cache nor can it be reached.
        """
        return self._identity

    def release(self) -> None:
        """Let go of the weights; the next question loads them again."""
        if self.__dict__.pop("_network", None) is None:
            return
        import gc

        import torch

        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @cached_property
    def _identity(self) -> str:
        if isinstance(self.source, Path):
            return f"folder:{self.source.resolve().name}@{self._fingerprint(self.source)}"
        return f"hub:{self.source}@{self._commit}"

    def _fingerprint(self, folder: Path) -> str:
        """Hash the names and bytes of all files, but for notes and caches: 40 hex digits."""
        if not (folder / CONFIG).is_file():
            self._unfit(f"there is no {CONFIG}")
        whole = hashlib.sha256()
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and not IGNORED & {p.suffix, *p.parts}):
            with path.open("rb") as file:
                whole.update(f"{path.relative_to(folder).as_posix()}\n".encode())
                whole.update(hashlib.file_digest(file, "sha256").digest())
        return whole.hexdigest()[:40]

    @cached_property
    def _commit(self) -> str:
        from huggingface_hub import hf_hub_download

        try:
            path = Path(hf_hub_download(str(self.source), CONFIG))
        except (OSError, ValueError) as error:
            raise MissingExtraError(
                f"{self.noun} '{self.source}' cannot be had ({type(error).__name__})\n"
                f"  needed: a repository https://huggingface.co/{self.source}, or one in the cache; a gated or private "
                f"one needs HF_TOKEN\n  or {self.option} ./FOLDER, or {self.option} openai:MODEL"
            ) from error
        return path.parent.name  # .../snapshots/<commit>/config.json

    @property
    def _location(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"trust_remote_code": False}
        if isinstance(self.source, Path):
            return settings | {"pretrained_model_name_or_path": str(self.source)}
        return settings | {"pretrained_model_name_or_path": self.source, "revision": self._commit}

    @cached_property
    def _tokenizer(self) -> Any:  # Any: transformers' tokenizers share no typed base call
        from transformers import AutoTokenizer

        return self._loaded(lambda: AutoTokenizer.from_pretrained(**self._location))

    def _loaded(self, load: Callable[[], T]) -> T:
        from safetensors import SafetensorError
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            return load()
        except (OSError, ValueError, RuntimeError, ImportError, KeyError, SafetensorError) as error:
            self._unfit(f"cannot be loaded ({error})")

    def _unfit(self, why: str) -> NoReturn:
        where = shown(self.source) if isinstance(self.source, Path) else self.source
        raise DataError([f"{self.noun} {where}: {why}"], f"  needed: {self.needed}")
