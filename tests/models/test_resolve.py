"""What a user typed after --model: a name, a folder, a repository, a service's model, or a mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import Cli

from copycat.errors import DataError, UnknownNameError, UserError
from copycat.models import MODELS
from copycat.models import resolve as module
from copycat.models.resolve import resolve_model
from copycat.models.table_images import CASCADE
from copycat.models.table_services import RETIRED


def test_a_name_of_the_table_is_its_row() -> None:
    assert resolve_model("sdxl") == MODELS.get("sdxl")


def test_a_folder_of_the_name_of_a_row_needs_a_dot(
    family_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sdxl").symlink_to(family_folder("sdxl"))
    assert resolve_model("sdxl") == MODELS.get("sdxl")
    assert resolve_model("./sdxl").source == str(family_folder("sdxl"))


def test_a_folder_of_the_home_is_found_by_a_tilde(
    family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(family_folder("wan").parent))
    assert resolve_model("~/wan").source == str(family_folder("wan"))


def test_a_folder_with_three_stages_is_a_cascade(family_folder: Callable[[str], Path]) -> None:
    row = resolve_model(str(family_folder("if")))
    assert (row.name, row.target, row.pipeline) == ("if", CASCADE, "IFPipeline")


@pytest.mark.parametrize("part", ["stage_1/unet", "stage_2/scheduler", "stage_3/vae"])
def test_a_component_that_is_missing_in_any_stage_is_named(
    family_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    import shutil

    monkeypatch.chdir(tmp_path)
    shutil.copytree(family_folder("if"), "mine")
    shutil.rmtree(Path("mine") / part)
    with pytest.raises(DataError) as caught:
        resolve_model("./mine")
    assert caught.value.faults == (f"mine/{part}: not there, though model_index.json lists it",)


# ------------------------------------------------------------------------------------- services


def test_a_model_of_a_service_is_taken_by_any_name_that_the_service_has() -> None:
    row = resolve_model("openai:some-model-of-tomorrow")
    assert (row.name, row.source) == ("openai:some-model-of-tomorrow", "some-model-of-tomorrow")
    assert row.is_service
    assert row.honours == ()


@pytest.mark.parametrize("text", ["openai:gpt-image-2", "openai:gpt-image-2-2026-04-21", "gpt-image-2"])
def test_a_model_of_a_service_that_has_a_row_is_that_row(text: str) -> None:
    assert resolve_model(text) == MODELS.get("gpt-image-2")


def test_a_service_without_a_model_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        resolve_model("openai:")
    assert str(caught.value) == "no model after 'openai:'\n  needed: openai:MODEL, such as openai:gpt-image-2"


@pytest.mark.parametrize("prefix", ["", "openai:"])
@pytest.mark.parametrize("name", RETIRED)
def test_a_model_that_was_shut_down_is_refused_with_the_day_and_what_to_use(name: str, prefix: str) -> None:
    title, ended, instead = RETIRED[name]
    with pytest.raises(UserError) as caught:
        resolve_model(f"{prefix}{name}")
    assert str(caught.value) == (
        f"{title} was shut down by its provider on {ended}; nobody can call it any more\n"
        f"  its provider's models of today: --model {instead}, see --list models\n"
        "  open models do not go away: --model sdxl"
    )
    assert resolve_model(instead).is_service


def test_the_model_that_the_paper_used_last_is_refused_on_the_command_line(cli: Cli) -> None:
    answer = cli("--model", "dall-e-3", "--characters", "copycat50")
    assert answer.code == 2
    assert answer.err.startswith("error: DALL·E 3 was shut down by its provider on 2026-05-12")


# --------------------------------------------------------------------------------- repositories


@pytest.mark.parametrize(
    ("text", "revision", "size"),
    [("some-lab/some-model", None, None), ("some-lab/some-model", "v2", (640, 480))],
)
def test_a_text_with_one_slash_is_a_repository_of_the_hub(
    monkeypatch: pytest.MonkeyPatch, text: str, revision: str | None, size: tuple[int, int] | None
) -> None:
    read: list[Any] = []

    def pipeline_row(name: str, source: Any, asked: str | None, size_px: Any) -> str:
        read.append((name, source.text, source.owner, source._asked, asked, size_px))
        return "the row"

    monkeypatch.setattr(module, "pipeline_row", pipeline_row)
    assert resolve_model(text, revision, size) == "the row"
    assert read == [(text, text, text, revision, revision, size)]


@pytest.mark.parametrize("text", ["sdlx", "some/deep/path", "some-lab"])
def test_anything_else_is_an_unknown_name(text: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        resolve_model(text)
    assert str(caught.value).startswith(f"unknown model '{text}'")
    assert "./folder, hub/repo-id and openai:MODEL work as well" in str(caught.value)


def test_a_row_can_be_taken_at_another_revision() -> None:
    assert resolve_model("sdxl", "some-branch") == MODELS.get("sdxl").model_copy(update={"revision": "some-branch"})


@pytest.mark.parametrize(
    ("text", "name"), [("sandbox", "sandbox"), ("gpt-image-2", "gpt-image-2"), ("openai:x", "openai:x")]
)
def test_what_is_no_repository_has_no_revision(text: str, name: str) -> None:
    with pytest.raises(UserError) as caught:
        resolve_model(text, "v2")
    assert str(caught.value) == (
        f"model '{name}' is no Hub repository and has no revision\n"
        "  leave out --revision; a folder is identified by the hash of its files"
    )


@pytest.mark.parametrize("family", ["wan", "if"])
def test_a_folder_has_no_revision(family_folder: Callable[[str], Path], family: str) -> None:
    with pytest.raises(UserError, match=f"model '{family}' is no Hub repository and has no revision"):
        resolve_model(str(family_folder(family)), "v2")


def test_a_cascade_that_lacks_a_stage_between_two_others_is_a_data_error(tmp_path: Path) -> None:
    for name in ("stage_1", "stage_3"):
        (tmp_path / "cascade" / name).mkdir(parents=True)
        (tmp_path / "cascade" / name / "model_index.json").write_text("{}")
    with pytest.raises(DataError, match="stage_2: no diffusers pipeline there"):
        resolve_model(str(tmp_path / "cascade"))
