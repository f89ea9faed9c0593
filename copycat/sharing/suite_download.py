"""The suite from a Hub dataset or an exported folder: checked by hash, put in place whole, its source written down.

A download that was killed goes on: what had arrived lies in a hidden folder beside the one that was asked for.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from copycat.errors import DataError, MissingExtraError, UserError
from copycat.models.hub import connection_errors
from copycat.paths import SUITE_FILE, shown
from copycat.runs.folder import write_bytes, write_json
from copycat.schema import Record
from copycat.sharing.folders import is_empty, new_folder, require_free_or_folder
from copycat.sharing.suite import (
    MAX_FILE_BYTES,
    SOURCE,
    SUITE,
    SuiteManifest,
    find_suite,
    parse_manifest,
    read_checked,
    read_manifest,
    suite_faults,
)

ENDPOINT = "HF_ENDPOINT"
TIMEOUT_S = 30
MAX_LISTED = 1_000
"""Files and folders below suite/ of which the sizes are asked for; suite.json may list fewer."""

DEFAULT_OUT = Path(SUITE)


class SuiteSource(Record):
    """source.json: where a suite was fetched from. `commit` is null for a folder; `revision` is what was asked for."""

    repository: str
    commit: str | None = None
    revision: str | None = None
    endpoint: str | None = None
    suite_sha256: str


class DownloadedSuite(NamedTuple):
    """What lies at `path` now; `is_new` is false where it was there already."""

    path: Path
    source: SuiteSource
    manifest: SuiteManifest
    is_new: bool


def download_suite(repository: str, out: Path = DEFAULT_OUT, revision: str | None = None) -> DownloadedSuite:
    """Fetch a suite.

    Args:
        repository: "org/name" of a dataset of the Hub, or a folder that `export_suite` made.
        revision: branch, tag or commit of the repository.

    Raises:
        MissingExtraError: no such repository or revision, or it cannot be reached.
        DataError: it holds no suite, one of another version, or files that are not those of suite.json.
        UserError: something else lies at `out`.
    """
    require_free_or_folder(out)
    folder = Path(repository).expanduser()
    if (place := find_suite(folder)) is not None:
        if revision is not None:
            raise UserError(f"{shown(folder)} is a folder and has no revisions\n  leave out --revision")
        return _put_in_place(place, out, SuiteSource(repository=repository, suite_sha256=_sha256(place / SUITE_FILE)))
    if folder.is_dir() or repository.startswith((".", "/", "~")):
        raise UserError(f"{shown(folder)}: holds no {SUITE_FILE}\n  needed: ORG/NAME, or an exported suite")
    return _from_hub(repository, out, revision)


def _from_hub(repository: str, out: Path, revision: str | None) -> DownloadedSuite:
    endpoint = os.environ.get(ENDPOINT) or None
    try:
        hub = _Hub(repository, endpoint, revision)
        if (there := _already_there(out, repository, hub.commit)) is not None:
            return there
        if not is_empty(out):
            raise UserError(
                f"{shown(out)} holds other files than {repository} at commit {hub.commit[:12]}\n"
                "  choose another folder: --out DIR, or move it away"
            )
        unfinished = out.parent / f".{out.name}.unfinished-{hub.commit[:12]}"
        try:
            manifest = hub.fetch(unfinished)
        except DataError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    except connection_errors() as error:
        raise _told(error, repository, revision) from error
    sha256 = _sha256(unfinished / SUITE / SUITE_FILE)
    asked = {"revision": revision, "endpoint": None if endpoint is None else _without_password(endpoint)}
    source = SuiteSource(repository=repository, commit=hub.commit, suite_sha256=sha256, **asked)
    try:
        done = _put_in_place(unfinished / SUITE, out, source, manifest)
    finally:  # files that are wrong would be taken for finished by the next try
        for path in out.parent.glob(f".{out.name}.unfinished-*"):
            shutil.rmtree(path, ignore_errors=True)
    return done


class _Hub:
    """One dataset repository at one commit."""

    def __init__(self, repository: str, endpoint: str | None, revision: str | None) -> None:
        from huggingface_hub import HfApi

        self.repository, self.endpoint = repository, endpoint
        self.api = HfApi(endpoint=endpoint)
        try:
            info = self.api.dataset_info(repository, revision=revision, timeout=TIMEOUT_S)
        except ValueError as error:  # the Hub's own rule for names
            if isinstance(error, OSError):
                raise
            raise UserError(f"'{repository}' is no name of a dataset\n  needed: ORG/NAME, or a folder") from error
        self.commit = str(info.sha)

    def fetch(self, folder: Path) -> SuiteManifest:
        """Fetch suite.json and the files that it lists, and nothing else; what is there already is kept."""
        from huggingface_hub import hf_hub_download, snapshot_download

        sizes = self._sizes()
        where = f"{self.repository}/{SUITE}/{SUITE_FILE}"
        if SUITE_FILE not in sizes:
            raise DataError([f"{where}: there is no such file"], "  needed: a dataset that `data export suite` made")
        if sizes[SUITE_FILE] > MAX_FILE_BYTES:
            raise DataError([f"{where}: {sizes[SUITE_FILE]:,} bytes, at most {MAX_FILE_BYTES:,} are allowed"])
        common: dict[str, Any] = {"repo_type": "dataset", "revision": self.commit, "local_dir": folder}
        common |= {"endpoint": self.endpoint, "etag_timeout": TIMEOUT_S}
        found = hf_hub_download(self.repository, f"{SUITE}/{SUITE_FILE}", **common)
        manifest = parse_manifest(Path(found).read_bytes(), where)
        _require_sizes(manifest, sizes, self.repository)
        snapshot_download(self.repository, allow_patterns=[f"{SUITE}/{name}" for name in manifest.files], **common)
        return manifest

    def _sizes(self) -> dict[str, int]:
        """Give the size in bytes of each file below suite/."""
        from huggingface_hub import errors as hub
        from huggingface_hub.hf_api import RepoFile

        tree = self.api.list_repo_tree(
            self.repository, path_in_repo=SUITE, recursive=True, revision=self.commit, repo_type="dataset"
        )
        try:
            listed = list(islice(tree, MAX_LISTED))
            return {f.path.removeprefix(f"{SUITE}/"): f.size for f in listed if isinstance(f, RepoFile)}
        except hub.EntryNotFoundError:
            return {}


def _require_sizes(manifest: SuiteManifest, sizes: Mapping[str, int], repository: str) -> None:
    """Refuse before anything is fetched what would turn out wrong."""
    faults = []
    for name, entry in manifest.files.items():
        if name not in sizes:
            faults.append(f"{repository}/{SUITE}/{name}: is missing, but {SUITE_FILE} lists it")
        elif sizes[name] != entry.bytes:
            faults.append(f"{repository}/{SUITE}/{name}: {sizes[name]:,} bytes, {entry.bytes:,} in {SUITE_FILE}")
    if faults:
        raise DataError(faults)


def _put_in_place(
    place: Path, out: Path, source: SuiteSource, manifest: SuiteManifest | None = None
) -> DownloadedSuite:
    """Copy the listed files, each checked, and source.json to `out` in one step."""
    manifest = manifest or read_manifest(place)
    faults: list[str] = []
    is_new = is_empty(out)
    with new_folder(out) as folder:
        for name, entry in manifest.files.items():
            write_bytes(folder / name, read_checked(place, name, entry, faults))
        if faults:
            raise DataError(faults, "  the suite was damaged or changed on its way; nothing was kept")
        write_bytes(folder / SUITE_FILE, (place / SUITE_FILE).read_bytes())
        write_json(folder / SOURCE, source.model_dump(mode="json"))
    return DownloadedSuite(out, source, manifest, is_new)


def _already_there(out: Path, repository: str, commit: str) -> DownloadedSuite | None:
    if not (out / SOURCE).is_file():
        return None
    try:
        source = SuiteSource.model_validate_json((out / SOURCE).read_bytes())
    except ValueError:
        return None
    if (source.repository, source.commit) != (repository, commit) or _sha256(out / SUITE_FILE) != source.suite_sha256:
        return None
    if faults := suite_faults(out):
        raise DataError(faults, f"  it was changed since it was fetched; move {shown(out)} away and fetch it again")
    return DownloadedSuite(out, source, read_manifest(out), is_new=False)


def _without_password(address: str) -> str:
    """Give scheme, host and port: what else an address holds may be a secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _told(error: Exception, repository: str, revision: str | None) -> UserError:
    from huggingface_hub import errors as hub

    if isinstance(error, hub.RevisionNotFoundError):
        return MissingExtraError(f"{repository} has no revision '{revision}'\n  needed: a branch, tag or commit of it")
    if isinstance(error, hub.RepositoryNotFoundError):
        return MissingExtraError(
            f"the Hub has no dataset {repository}, or your token may not see it\n"
            "  check the spelling; a private or gated one needs HF_TOKEN"
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return MissingExtraError(f"{repository} may not be read with this token ({status})\n  check HF_TOKEN")
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        raise error  # of the disk, not of the network
    return MissingExtraError(
        f"{repository} cannot be fetched ({type(error).__name__})\n"
        "  go online and type the same command again: what has arrived is kept"
    )
