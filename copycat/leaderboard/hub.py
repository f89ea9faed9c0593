"""A submission as a pull request on a dataset of the Hugging Face Hub, for its owners to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from copycat.errors import MissingExtraError, UserError
from copycat.leaderboard.layout import SUBMISSIONS
from copycat.leaderboard.records import SUBMISSION
from copycat.models.hub import connection_errors

TOKEN, ENDPOINT = "HF_TOKEN", "HF_ENDPOINT"
DEFAULT_ENDPOINT = "https://huggingface.co"
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
GET_TOKEN = "make one that may write: https://huggingface.co/settings/tokens, then: export HF_TOKEN=..."  # noqa: S105


def endpoint() -> str:
    """Give the address of the Hub: HF_ENDPOINT, else the public one.

    Raises:
        UserError: a token would travel in the clear to another machine.
    """
    address = os.environ.get(ENDPOINT, "").strip().rstrip("/") or DEFAULT_ENDPOINT
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS):
        return address
    raise UserError(f"{ENDPOINT} is no https address\n  needed: {DEFAULT_ENDPOINT}, or https and the host of a mirror")


def require_token() -> str:
    """Give the token of the environment.

    Raises:
        MissingExtraError: there is none.
    """
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise MissingExtraError(f"a pull request on the Hub needs a token, and {TOKEN} is not set\n  {GET_TOKEN}")
    return token


def open_pull_request(folder: Path, submission: str, repository: str, title: str, description: str) -> str:
    """Open a pull request that adds a submission below submissions/; nothing else of the dataset is touched.

    Args:
        folder: the files of the submission.
        submission: its id, such as '1.0/someone__model/0123456789ab'.
        repository: 'org/name' of a dataset.

    Returns: the address of the pull request.

    Raises:
        MissingExtraError: no token, no such dataset, or no connection.
        UserError: it is there already, or this token may not open pull requests.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=endpoint(), token=require_token(), library_name="copycat")
    place = f"{SUBMISSIONS}/{submission}"
    with _clear_errors(repository):
        api.dataset_info(repository, timeout=20)
        if api.file_exists(repository, f"{place}/{SUBMISSION}", repo_type="dataset"):
            raise UserError(
                f"{repository} has this submission already, at {place}\n"
                "  what was submitted stays as it was: a new judge version, or other settings, is a new row"
            )
        operations = [CommitOperationAdd(f"{place}/{path.name}", path) for path in sorted(folder.iterdir())]
        made = api.create_commit(
            repository,
            operations,
            commit_message=title,
            commit_description=description,
            repo_type="dataset",
            create_pr=True,
        )
    return str(made.pr_url)


@contextmanager
def _clear_errors(repository: str) -> Iterator[None]:
    """Say in our words what the Hub refused. Without their chain: a client's error may quote what was sent."""
    from huggingface_hub import errors as hub

    try:
        yield
    except hub.HFValidationError:
        raise UserError(f"'{repository}' is no name of a dataset\n  needed: org/name") from None
    except hub.GatedRepoError:
        raise UserError(
            f"dataset {repository} is gated: accept its terms first, at {endpoint()}/datasets/{repository}"
        ) from None
    except hub.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        raise _refused(repository, status, has_repository=not isinstance(error, hub.RepositoryNotFoundError)) from None
    except connection_errors() as error:
        raise MissingExtraError(
            f"the Hub cannot be reached ({type(error).__name__}), and nothing was sent\n"
            "  go online, or write the submission to a folder and send it later: --to leaderboard/submissions"
        ) from None


def _refused(repository: str, status: int, *, has_repository: bool) -> Exception:
    if status == 401 and has_repository:
        return MissingExtraError(f"the Hub does not accept the token of {TOKEN} (401)\n  {GET_TOKEN}")
    if status in (401, 404):
        return MissingExtraError(
            f"the Hub has no dataset {repository} that this token may see ({status})\n"
            f"  see {endpoint()}/datasets/{repository}, or {GET_TOKEN}"
        )
    if status == 403:
        return UserError(f"this token may not open pull requests on {repository} (403)\n  {GET_TOKEN}")
    return UserError(
        f"the Hub refused the pull request on {repository} ({status}); nothing was added\n  try again later"
    )
