"""Where a model's or a judge's files are: a local folder, or a repository of the Hugging Face Hub at one commit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.errors import DataError, MissingExtraError
from copycat.paths import located, shown

INDEX = "model_index.json"
CONFIG = "config.json"


class Use(NamedTuple):
    """What files are for.

    `noun` is how error texts call their owner, `proof` names files of which one is in every cached copy, `advice` is
    what to do without a network.
    """

    noun: str
    proof: tuple[str, ...]
    advice: str

    def title(self, owner: str) -> str:
        """Call the owner as error texts do; without a noun, it says itself what it is."""
        return f"{self.noun} '{owner}'" if self.noun else owner


MODEL = Use(
    "model", (INDEX,), "go online, or fetch it elsewhere and use --model ./FOLDER; offline now: --model sandbox"
)
JUDGE = Use(
    "judge",
    (CONFIG,),
    "go online, or fetch it elsewhere and use --judge vlm:./FOLDER\n"
    "  or --judge openai:MODEL with OPENAI_BASE_URL, or --judge none to draw now and judge later\n"
    "  offline now: --characters sandbox, whose judge comes with copycat",
)


def used_weights(*names: str) -> Use:
    """Give the use of weights of which one of these files is needed in any case, whoever needs them."""
    advice = "go online, or fetch it elsewhere and name the folder instead, such as dino:./FOLDER or open_clip:./FOLDER"
    return Use("", names, advice)


class Source:
    """The files of one pipeline, or of one judge.

    Args:
        text: a folder (absolute, or 'package:' and a folder of ours), or a Hub repository 'org/name'.
        owner: who wants them, as error texts say it.
        revision: of a repository: branch, tag or commit; None for its default branch.
        use: what they are for.
    """

    def __init__(self, text: str, owner: str, revision: str | None = None, use: Use = MODEL) -> None:
        self.text, self.owner, self._asked, self.use = text, owner, revision, use
        path = located(text)
        self.folder: Path | None = path if path.is_absolute() else None
        self._commit: str | None = None

    @property
    def location(self) -> str:
        """What `from_pretrained` takes."""
        return str(self.folder or self.text)

    @property
    def commit(self) -> str | None:
        """The commit that the Hub resolves, or the newest one in the local cache when it cannot be reached.

        None for a folder.

        Raises:
            MissingExtraError: no such repository or revision, it is gated, or the Hub cannot be reached.
        """
        if self.folder is None and self._commit is None:
            self._commit = _resolve_commit(self.text, self._asked, self.owner, self.use)
        return self._commit

    @property
    def files(self) -> Path | None:
        """The folder that holds what is on this machine: the local one, or the cached copy; None without any."""
        if self.folder is not None:
            return self.folder
        return _cached_folder(self.text, self.use.proof, self.commit)

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a small file such as 'unet/config.json'; an empty dict if there is none.

        Raises:
            DataError: it is no JSON object.
        """
        path = self.folder / name if self.folder is not None else self._fetch(name)
        return read_json_object(path) if path is not None else {}

    def fetch(self, *names: str) -> Path:
        """Give one of these files: what lies on this machine, else the first that the repository has.

        Raises:
            MissingExtraError: there is none of them, or they cannot be read.
        """
        found = next(self._found(names), None)
        if found is None:
            raise MissingExtraError(
                f"{self.use.title(self.owner)}: {self.text} has none of {', '.join(names)}\n"
                "  needed: a repository with such weights"
            )
        return found

    def _found(self, names: Sequence[str]) -> Iterator[Path]:
        """Give those of these files that there are; what must be downloaded comes last, and only if it is asked for."""
        if self.folder is not None:
            yield from filter(Path.is_file, (self.folder / name for name in names))
        else:
            yield from filter(None, (_cached(self.text, name, self.commit) for name in names))
            yield from filter(None, map(self._fetch, names))

    def _fetch(self, name: str) -> Path | None:
        from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
        from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, LocalEntryNotFoundError

        try:
            return Path(hf_hub_download(self.text, name, revision=self.commit))
        except GatedRepoError as error:  # everybody may read what a gated repository is, not its files
            raise MissingExtraError(_gated(self.text, self.owner, self.use)) from error
        except LocalEntryNotFoundError as error:
            if try_to_load_from_cache(self.text, name, revision=self.commit) is _CACHED_NO_EXIST:
                return None
            raise MissingExtraError(unreachable(self.text, self.owner, error, self.use)) from error
        except EntryNotFoundError:
            return None
        except connection_errors() as error:
            raise MissingExtraError(unreachable(self.text, self.owner, error, self.use)) from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; an empty one if the file is not there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError([f"{shown(path)}: cannot be read as JSON ({error})"]) from error
    if not isinstance(content, dict):
        raise DataError([f"{shown(path)}: holds no JSON object"])
    return content


def _resolve_commit(repository: str, revision: str | None, owner: str, use: Use) -> str:
    from huggingface_hub import HfApi
    from huggingface_hub import errors as hub

    try:
        return str(HfApi().model_info(repository, revision=revision, timeout=10).sha)
    except hub.GatedRepoError as error:
        raise MissingExtraError(_gated(repository, owner, use)) from error
    except hub.RevisionNotFoundError as error:
        raise MissingExtraError(
            f"{use.title(owner)}: {repository} has no revision '{revision}'\n  needed: a branch, tag or commit of it"
        ) from error
    except hub.RepositoryNotFoundError as error:
        raise MissingExtraError(
            f"{use.title(owner)}: the Hub has no repository {repository}, or your token may not see it\n"
            f"  check the spelling at https://huggingface.co/{repository}; a private one needs HF_TOKEN"
        ) from error
    except connection_errors() as error:
        if (cached := _cached_folder(repository, use.proof, revision)) is not None:
            return cached.name
        raise MissingExtraError(unreachable(repository, owner, error, use)) from error


def _cached_folder(repository: str, proof: tuple[str, ...], revision: str | None) -> Path | None:
    """Give the folder of the cached copy of a revision, which is named by its commit."""
    for name in proof:
        if (path := _cached(repository, name, revision)) is not None:
            return path.parents[len(Path(name).parts) - 1]
    return None


def _cached(repository: str, name: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, name, revision=revision)
    return Path(found) if isinstance(found, str) else None


def connection_errors() -> tuple[type[Exception], ...]:
    """Give what the Hub's client raises when there is no answer, or not the one that was hoped for."""
    from huggingface_hub import errors as hub

    client_error: type[Exception] = hub.HTTPError  # type: ignore[attr-defined]  # of its client: httpx, httpx2, requests
    return (hub.HfHubHTTPError, client_error, OSError)


def _gated(repository: str, owner: str, use: Use) -> str:
    token_is_set = bool(os.environ.get("HF_TOKEN"))
    next_step = "HF_TOKEN is set, and its account has not accepted them" if token_is_set else "then: hf auth login"
    return (
        f"{use.title(owner)}: {repository} is gated, its owner asks you to accept terms first\n"
        f"  accept them at https://huggingface.co/{repository} ({next_step})"
    )


def unreachable(repository: str, owner: str, error: BaseException, use: Use = MODEL) -> str:
    """Say that a repository cannot be read, and what to do."""
    return (
        f"{use.title(owner)} is not on this machine and the Hub cannot be reached\n"
        f"  needed: {repository} ({type(error).__name__})\n"
        f"  {use.advice}"
    )
