"""Files of a judge's weights in a repository of the Hugging Face Hub, all of one commit."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from copycat.errors import MissingExtraError
from copycat.models.hub import connection_errors


class HubFiles:
    """A repository at one commit.

    What lies in the cache already is used as it is, and nobody is asked whether there is something newer, so
    that a judge on a plane is the one it was at home.

    Args:
        repository: 'org/name'.
        owner: whose weights these are, as error texts say it: "judge 'dino'".
        revision: branch, tag or commit; None for the default branch.
        known_by: names of files of which one is needed in any case; one in the cache tells the commit.
    """

    def __init__(self, repository: str, owner: str, revision: str | None, known_by: tuple[str, ...]) -> None:
        self.repository, self.owner, self._revision, self._known_by = repository, owner, revision, known_by

    @cached_property
    def commit(self) -> str:
        """The commit of what is in the cache, else the one that the Hub resolves.

        Raises:
            MissingExtraError: neither; the text says why and what to do.
        """
        for name in self._known_by:
            if (cached := self._cached(name, self._revision)) is not None:
                return cached.parents[len(Path(name).parts) - 1].name
        return self._ask_the_hub()

    def fetch(self, *names: str) -> Path:
        """Give one of these files: what lies in the cache, else the first that the repository has.

        Raises:
            MissingExtraError: it has none of them, or cannot be read.
        """
        from huggingface_hub import errors as hub
        from huggingface_hub import hf_hub_download

        for name in names:
            if (cached := self._cached(name, self.commit)) is not None:
                return cached
        for name in names:
            try:
                return Path(hf_hub_download(self.repository, name, revision=self.commit))
            except hub.LocalEntryNotFoundError as error:
                raise self._explained(error) from error
            except hub.EntryNotFoundError:
                continue
            except connection_errors() as error:
                raise self._explained(error) from error
        raise MissingExtraError(
            f"{self.owner}: {self.repository} has none of {', '.join(names)}\n  needed: a repository with such weights"
        )

    def _cached(self, name: str, revision: str | None) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.repository, name, revision=revision)
        return Path(found) if isinstance(found, str) else None

    def _ask_the_hub(self) -> str:
        from huggingface_hub import HfApi

        try:
            return str(HfApi().model_info(self.repository, revision=self._revision, timeout=10).sha)
        except connection_errors() as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> MissingExtraError:
        """Say what to do about an answer of the Hub's client, or the lack of one."""
        from huggingface_hub import errors as hub

        page = f"https://huggingface.co/{self.repository}"
        if isinstance(error, hub.GatedRepoError):
            why = f": {self.repository} is gated, its owner asks you to accept terms first"
            fix = f"accept them at {page}, then: hf auth login"
        elif isinstance(error, hub.RevisionNotFoundError):
            why = f": {self.repository} has no revision '{self._revision}'"
            fix = "needed: a branch, tag or commit of it"
        elif isinstance(error, hub.RepositoryNotFoundError):
            why = f": the Hub has no repository {self.repository}, or your token may not see it"
            fix = f"check the spelling at {page}; a private one needs HF_TOKEN"
        else:
            why = " is not on this machine and the Hub cannot be reached"
            fix = (
                f"needed: {self.repository} ({type(error).__name__})\n"
                "  go online, or fetch it elsewhere and name the folder instead, such as dino:./FOLDER or "
                "open_clip:./FOLDER"
            )
        return MissingExtraError(f"{self.owner}{why}\n  {fix}")
