"""Repositories of the Hugging Face Hub: which commit it is, what lies in the cache, and what to do if it fails."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import errors as hub
from pictures import difference, quick, request, resolved

from copycat.errors import DataError, MissingExtraError
from copycat.models import MODELS
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.hub import JUDGE, Source, used_weights
from copycat.models.resolve import resolve_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "some-lab/some-model"


def http_error(kind: type[Exception]) -> Exception:
    """An error of the Hub's client, made without an answer of a server."""
    error = kind.__new__(kind)
    Exception.__init__(error, "the Hub says no")
    return error


def source(revision: str | None = None) -> Source:
    return Source(REPOSITORY, "mine", revision)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """What the Hub is asked for; it answers with one commit."""
    calls: list[tuple[str, str | None]] = []

    def model_info(self: object, repository: str, *, revision: str | None, timeout: float) -> SimpleNamespace:
        del self, timeout
        calls.append((repository, revision))
        return SimpleNamespace(sha=COMMIT)

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    return calls


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Have a function of huggingface_hub raise an error."""

    def install(function: str, error: Exception) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise error

        home: Any = huggingface_hub if function == "hf_hub_download" else huggingface_hub.HfApi
        monkeypatch.setattr(home, function, fail)

    return install


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hub, and a machine without a network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def fill(cache: Path, repository: str, files: dict[str, str], *, absent: tuple[str, ...] = ()) -> Path:
    """Put files of a repository into the cache, as a download leaves them; returns their folder."""
    home = cache / f"models--{repository.replace('/', '--')}"
    content = {"refs/main": COMMIT, **{f"snapshots/{COMMIT}/{name}": text for name, text in files.items()}}
    for path, text in {**content, **{f".no_exist/{COMMIT}/{name}": "" for name in absent}}.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    return home / "snapshots" / COMMIT


# -------------------------------------------------------------------------------- which commit


def test_the_commit_is_asked_for_once_and_not_before_it_is_needed(asked: list[tuple[str, str | None]]) -> None:
    one = source("v1.0")
    assert asked == []
    assert [one.commit, one.commit] == [COMMIT, COMMIT]
    assert asked == [(REPOSITORY, "v1.0")]


def test_a_folder_has_no_commit_and_asks_nobody(tmp_path: Path, asked: list[tuple[str, str | None]]) -> None:
    assert Source(str(tmp_path), "mine").commit is None
    assert Source("package:sandbox/weights/pipeline", "sandbox").commit is None
    assert asked == []


def test_the_commit_is_what_the_model_is_identified_by_and_every_file_is_read_at(
    asked: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file.json").write_text('{"a": 1}')
    read: list[tuple[str, str, str]] = []

    def download(repository: str, name: str, revision: str) -> str:
        read.append((repository, name, revision))
        return str(tmp_path / "file.json")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    row = MODELS.get("sdxl").model_copy(update={"revision": "fp16-branch"})
    model = DiffusersModel(row, "cpu")
    assert model.identify() == (row.source, COMMIT)
    assert model.source.read_json("unet/config.json") == {"a": 1}
    assert asked == [(row.source, "fp16-branch")]
    assert read == [(row.source, "unet/config.json", COMMIT)]


# ----------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize(
    ("token", "step"),
    [("", "then: hf auth login"), ("hf_x", "HF_TOKEN is set, and its account has not accepted them")],
)
@pytest.mark.parametrize("where", ["model_info", "hf_hub_download"])
@pytest.mark.usefixtures("asked")
def test_of_a_gated_repository_the_page_with_its_terms_is_named(
    fails: Callable[[str, Exception], None],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    token: str,
    step: str,
) -> None:
    """The Hub tells everybody what a gated repository is, and gives its files to few."""
    monkeypatch.setenv("HF_TOKEN", token)
    fails(where, http_error(hub.GatedRepoError))
    with pytest.raises(MissingExtraError) as caught:
        source().read_json("model_index.json")
    assert str(caught.value) == (
        f"model 'mine': {REPOSITORY} is gated, its owner asks you to accept terms first\n"
        f"  accept them at https://huggingface.co/{REPOSITORY} ({step})"
    )


def test_a_missing_repository_may_be_a_private_one(fails: Callable[[str, Exception], None]) -> None:
    fails("model_info", http_error(hub.RepositoryNotFoundError))
    with pytest.raises(MissingExtraError) as caught:
        _ = source().commit
    assert str(caught.value) == (
        f"model 'mine': the Hub has no repository {REPOSITORY}, or your token may not see it\n"
        f"  check the spelling at https://huggingface.co/{REPOSITORY}; a private one needs HF_TOKEN"
    )


def test_a_missing_revision_is_named(fails: Callable[[str, Exception], None]) -> None:
    fails("model_info", http_error(hub.RevisionNotFoundError))
    with pytest.raises(MissingExtraError) as caught:
        _ = source("v9").commit
    assert str(caught.value) == (
        f"model 'mine': {REPOSITORY} has no revision 'v9'\n  needed: a branch, tag or commit of it"
    )


@pytest.mark.parametrize("kind", [hub.RepositoryNotFoundError, hub.RevisionNotFoundError, hub.GatedRepoError])
def test_a_judge_is_called_a_judge(fails: Callable[[str, Exception], None], kind: type[Exception]) -> None:
    fails("model_info", http_error(kind))
    with pytest.raises(MissingExtraError, match=r"^judge 'vlm:mine': "):
        _ = Source(REPOSITORY, "vlm:mine", "v9", JUDGE).commit


def complaint(owner: str, repository: str, reason: str) -> str:
    return (
        f"model '{owner}' is not on this machine and the Hub cannot be reached\n"
        f"  needed: {repository} ({reason})\n"
        "  go online, or fetch it elsewhere and use --model ./FOLDER; offline now: --model sandbox"
    )


@pytest.mark.parametrize("error", [ConnectionError("down"), TimeoutError("slow"), http_error(hub.HfHubHTTPError)])
def test_a_hub_that_does_not_answer_is_told_with_what_to_do(
    fails: Callable[[str, Exception], None], cache: Path, error: Exception
) -> None:
    fails("model_info", error)
    with pytest.raises(MissingExtraError) as caught:
        _ = source().commit
    assert str(caught.value) == complaint("mine", REPOSITORY, type(error).__name__)


def test_a_file_that_is_missing_offline_is_no_file_that_is_not_there(
    asked: list[tuple[str, str | None]], cache: Path
) -> None:
    with pytest.raises(MissingExtraError) as caught:
        source().read_json("unet/config.json")
    assert str(caught.value) == complaint("mine", REPOSITORY, "LocalEntryNotFoundError")


def test_a_file_that_the_repository_does_not_have_is_empty(
    asked: list[tuple[str, str | None]], fails: Callable[[str, Exception], None]
) -> None:
    fails("hf_hub_download", http_error(hub.RemoteEntryNotFoundError))
    assert source().read_json("vae/config.json") == {}


@pytest.mark.parametrize("text", ["[]", "{", "nothing"])
def test_a_file_that_is_no_json_object_is_a_data_error(
    asked: list[tuple[str, str | None]], cache: Path, text: str
) -> None:
    fill(cache, REPOSITORY, {"model_index.json": text})
    with pytest.raises(DataError, match=r"model_index\.json: (holds no JSON object|cannot be read as JSON)"):
        source().read_json("model_index.json")


# ------------------------------------------------------------------------------ without a network


def test_a_hub_model_in_offline_mode_fails_fast_with_what_to_do(cache: Path) -> None:
    start = time.monotonic()
    with pytest.raises(MissingExtraError) as caught:
        DiffusersModel(MODELS.get("sdxl"), "cpu").identify()
    assert str(caught.value) == complaint("sdxl", "stabilityai/stable-diffusion-xl-base-1.0", "OfflineModeIsEnabled")
    assert time.monotonic() - start < 5


def test_a_hub_model_without_a_network_fails_fast_with_what_to_do(
    cache: Path, monkeypatch: pytest.MonkeyPatch, network: list[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    start = time.monotonic()
    with pytest.raises(MissingExtraError) as caught:
        DiffusersModel(MODELS.get("sdxl"), "cpu").identify()
    assert str(caught.value) == complaint("sdxl", "stabilityai/stable-diffusion-xl-base-1.0", "ConnectError")
    assert time.monotonic() - start < 5
    assert network
    network.clear()


def test_a_hub_model_that_was_fetched_before_is_identified_offline(cache: Path) -> None:
    fill(cache, "stabilityai/stable-diffusion-xl-base-1.0", {"model_index.json": "{}"})
    assert DiffusersModel(MODELS.get("sdxl"), "cpu").identify().revision == COMMIT


def test_of_a_judge_the_config_tells_that_it_was_fetched_before(cache: Path) -> None:
    one = Source(REPOSITORY, "vlm:mine", use=JUDGE)
    with pytest.raises(MissingExtraError) as caught:
        _ = one.commit
    assert str(caught.value) == (
        "judge 'vlm:mine' is not on this machine and the Hub cannot be reached\n"
        f"  needed: {REPOSITORY} (OfflineModeIsEnabled)\n"
        "  go online, or fetch it elsewhere and use --judge vlm:./FOLDER\n"
        "  or --judge openai:MODEL with OPENAI_BASE_URL, or --judge none to draw now and judge later\n"
        "  offline now: --characters sandbox, whose judge comes with copycat"
    )
    folder = fill(cache, REPOSITORY, {"config.json": "{}"})
    assert (one.commit, one.files) == (COMMIT, folder)


def test_of_several_files_the_first_that_the_hub_has_is_downloaded_and_no_other(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(cache, REPOSITORY, {"config.json": "{}"})
    asked: list[str] = []

    def download(repository: str, name: str, revision: str | None) -> str:
        asked.append(name)
        if name == "rare.safetensors":
            raise hub.EntryNotFoundError("404")
        return str(cache / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    one = Source(REPOSITORY, "judge 'mine'", use=used_weights("config.json"))
    assert one.fetch("rare.safetensors", "model.safetensors", "model.bin") == cache / "model.safetensors"
    assert asked == ["rare.safetensors", "model.safetensors"]


def test_what_is_known_to_be_absent_is_known_offline_too(cache: Path) -> None:
    fill(cache, REPOSITORY, {"model_index.json": '{"a": 1}'}, absent=("vae/config.json",))
    assert source().read_json("model_index.json") == {"a": 1}
    assert source().read_json("vae/config.json") == {}


@pytest.fixture
def fetched(cache: Path, family_folder: Callable[[str], Path]) -> str:
    """A whole repository in the cache, of which no row knows."""
    snapshot = fill(cache, REPOSITORY, {})
    shutil.copytree(family_folder("sdxl"), snapshot)
    return REPOSITORY


def test_a_repository_without_a_row_takes_its_settings_from_its_files(fetched: str) -> None:
    row = resolve_model(fetched)
    assert (row.name, row.source, row.pipeline) == (fetched, fetched, "StableDiffusionXLPipeline")
    assert row.summary == "StableDiffusionXLPipeline on the Hub"
    assert row.sampling.model_dump() == {
        "steps": 50,
        "guidance": 5.0,
        "width_px": 16,
        "height_px": 16,
        "dtype": "float32",
    }
    assert DiffusersModel(row, "cpu").identify() == (fetched, COMMIT)


def test_a_repository_that_was_fetched_before_draws_offline(
    fetched: str, family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setattr("diffusers.pipelines.pipeline_utils.HF_HUB_CACHE", str(cache), raising=False)
    asked = request(negative="wolf den")
    drawn = [
        DiffusersModel(row, "cpu").generate([asked], quick(row, "sdxl"))[0]
        for row in (resolve_model(fetched), resolved(family_folder("sdxl")))
    ]
    assert difference(*drawn) == 0


def test_the_dtype_of_what_is_not_in_the_cache_is_read_from_the_hub(
    cache: Path, asked: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = json.dumps({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]})
    vae = json.dumps({"block_out_channels": [8, 8, 8, 8]})
    files = {"model_index.json": index, "unet/config.json": '{"sample_size": 64}', "vae/config.json": vae}
    fill(cache, REPOSITORY, files)
    stored = ["unet/model.fp16.safetensors", "unet/model.safetensors", "unet/config.json", "vae/model.safetensors"]
    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", lambda *_, **__: stored)
    read: list[tuple[str, str]] = []

    def metadata(repository: str, name: str, *, revision: str) -> SimpleNamespace:
        read.append((name, revision))
        return SimpleNamespace(parameter_count={"F32": 10, "BF16": 900})

    monkeypatch.setattr(huggingface_hub, "parse_safetensors_file_metadata", metadata)
    row = resolve_model(REPOSITORY, "v2")
    assert read == [("unet/model.safetensors", COMMIT)]
    assert (row.sampling.dtype, row.sampling.width_px, row.revision) == ("bfloat16", 512, "v2")
    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", lambda *_, **__: [])
    assert resolve_model(REPOSITORY).sampling.dtype == "float32"


def test_weights_that_nobody_can_look_at_are_told_with_what_to_do(
    cache: Path, asked: list[tuple[str, str | None]], fails: Callable[[str, Exception], None]
) -> None:
    index = json.dumps({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]})
    fill(
        cache,
        REPOSITORY,
        {"model_index.json": index, "unet/config.json": '{"sample_size": 64}'},
        absent=("vae/config.json",),
    )
    fails("list_repo_files", ConnectionError("down"))
    with pytest.raises(MissingExtraError) as caught:
        resolve_model(REPOSITORY)
    assert str(caught.value) == complaint(REPOSITORY, REPOSITORY, "ConnectionError")
