"""What the judge on this machine refuses before anything is drawn, and how it says so."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import errors as hub
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_vlm import save_tiny_vlm

from copycat.errors import DataError, MissingExtraError, UserError
from copycat.judges.families import DEFAULT_VLM, resolve_judge
from copycat.judges.vlm import VlmJudge
from copycat.judges.vlm_check import KNOWN_PARAMETERS, weights_gib
from copycat.schema import CharacterSet

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "some-lab/some-vlm"
Change = Callable[[Path], object]


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_vlm("llava", tmp_path_factory.mktemp("whole") / "llava")


@pytest.fixture
def whole(family: Path, tmp_path: Path) -> Path:
    """A folder of a model that can be changed."""
    return Path(shutil.copytree(family, tmp_path / "whole"))


def judge(name: str, device: str = "cpu") -> VlmJudge:
    return VlmJudge(resolve_judge(f"vlm:{name}"), device)


def complaint(name: str | Path, characters: CharacterSet, device: str = "cpu") -> str:
    with pytest.raises(UserError) as caught:
        judge(str(name), device).check(characters)
    return str(caught.value)


def rewrite(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def write_header(path: Path, **tensors: tuple[str, list[int]]) -> None:
    """Write what is read of a large file: its beginning."""
    header = {name: {"dtype": kind, "shape": shape, "data_offsets": [0, 0]} for name, (kind, shape) in tensors.items()}
    text = json.dumps(header | {"__metadata__": {"format": "pt"}}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)


# ------------------------------------------------------------------------------------ the name


def test_a_name_is_a_repository_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'llava' is no repository of the Hub\n  needed: vlm:ORG/NAME"):
        judge("llava")
    with pytest.raises(DataError, match=r"no model of transformers there\n  needed: a folder with a config\.json"):
        judge(str(tmp_path))


def test_a_folder_has_no_revision(family: Path) -> None:
    with pytest.raises(UserError, match="is a folder and has no revision\n  leave out @v2"):
        judge(f"{family}@v2")


def test_a_folder_may_lie_beside_the_command(family: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(family.parent)
    assert judge("./llava").source.folder == judge("llava").source.folder == family


# ------------------------------------------------------------------------------ what is no judge


def test_a_whole_model_passes_and_loads_no_weights(family: Path, characters: CharacterSet) -> None:
    one = judge(str(family))
    one.check(characters)
    assert "_network" not in one.model.__dict__


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model_type": "qwen3"}, "config.json: 'qwen3' is no vision-language model"),
        ({"model_type": "newest"}, "has no class for 'newest'; a newer one may"),
        (
            {"model_type": "own", "auto_map": {"AutoModel": "own.Own"}},
            "'own' needs code of its own, which is never run",
        ),
        ({"model_type": None}, "without a model_type: no model of transformers"),
    ],
)
def test_what_transformers_has_no_vision_language_class_for_is_refused(
    whole: Path, characters: CharacterSet, changes: dict[str, Any], why: str
) -> None:
    rewrite(whole / "config.json", **changes)
    text = complaint(whole, characters)
    assert why in text
    assert text.endswith("such as --judge vlm:Qwen/Qwen3-VL-8B-Instruct")


def test_a_template_that_would_drop_the_picture_is_refused(whole: Path, characters: CharacterSet) -> None:
    (whole / "chat_template.jinja").write_text("{{ messages[0].content[-1].text }}")
    assert "its chat template has no place for a picture" in complaint(whole, characters)


def test_a_template_that_cannot_be_written_is_told_without_a_traceback(whole: Path, characters: CharacterSet) -> None:
    (whole / "chat_template.jinja").write_text("{{ messages[0].content + '?' }}")
    assert "its chat template cannot write a question about a picture (" in complaint(whole, characters)


def test_a_model_without_a_chat_template_is_refused(whole: Path, characters: CharacterSet) -> None:
    (whole / "chat_template.jinja").unlink()
    assert "its processor has no chat template" in complaint(whole, characters)


def _as_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _without_a_part(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    parts = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))


@pytest.mark.parametrize("change", [_as_pickle, _without_a_part])
def test_weights_that_are_not_whole_or_no_safetensors_are_refused(
    whole: Path, characters: CharacterSet, change: Change
) -> None:
    change(whole)
    assert "no weights in model.safetensors, or not all files that" in complaint(whole, characters)


def test_a_weight_that_is_missing_is_not_made_up(whole: Path, characters: CharacterSet) -> None:
    weights = load_file(whole / "model.safetensors")
    name = next(name for name in weights if "language_model" in name and "mlp" in name)
    save_file({key: value for key, value in weights.items() if key != name}, whole / "model.safetensors")
    with pytest.raises(DataError, match="1 of its weights are missing"):
        judge(str(whole)).rate([Image.new("RGB", (32, 32), "red")], ["goofy"], characters)


def test_damaged_weights_are_told_without_a_traceback(whole: Path, characters: CharacterSet) -> None:
    (whole / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(DataError, match="cannot be loaded"):
        judge(str(whole)).rate([Image.new("RGB", (32, 32), "red")], ["goofy"], characters)


# ----------------------------------------------------------------------------------- too large


def test_memory_is_that_of_the_dtype_in_use_and_quantised_weights_stay_as_they_are() -> None:
    assert weights_gib({"BF16": 2**30}, "float32") == 4
    assert weights_gib({"F32": 2**29, "BF16": 2**29}, "bfloat16") == 2
    assert weights_gib({"F8_E4M3": 2**30, "I32": 2**28}, "bfloat16") == 2
    assert weights_gib({}, "float32") == 0


def test_a_large_model_without_a_gpu_is_refused_with_what_to_do(whole: Path, characters: CharacterSet) -> None:
    write_header(whole / "model.safetensors", weight=("BF16", [8_767, 1_000_000]))
    name = f"vlm:{whole}"
    assert complaint(whole, characters) == (
        f"judge '{name}' is too large for this machine: its 8.8 billion parameters take 33 GiB as float32, "
        "more than the 12 GiB with which a CPU is of use\n"
        f"  serve it where it fits: vllm serve {whole}\n"
        f"    then here: export OPENAI_BASE_URL=http://HOST:8000/v1, and --judge openai:{whole}\n"
        "  or a smaller one, which knows fewer characters: --judge vlm:Qwen/Qwen3-VL-2B-Instruct\n"
        "  or draw now with --judge none; the same command with a judge judges the pictures later, elsewhere"
    )


@pytest.mark.parametrize(
    ("gib", "smaller"), [(16, "Qwen/Qwen3-VL-4B-Instruct"), (8, "Qwen/Qwen3-VL-2B-Instruct"), (4, None), (24, "")]
)
def test_a_gpu_needs_room_for_the_weights_and_to_work_in(
    whole: Path, characters: CharacterSet, monkeypatch: pytest.MonkeyPatch, gib: float, smaller: str | None
) -> None:
    monkeypatch.setattr("copycat.judges.vlm_check.device_gib", lambda _: gib)
    write_header(whole / "model.safetensors", weight=("BF16", [8_767, 1_000_000]))
    if smaller == "":
        judge(str(whole), "cuda").check(characters)
        return
    text = complaint(whole, characters, "cuda")
    assert f"take 16 GiB as bfloat16, and 2 GiB more to work in, and cuda has {gib} GiB" in text
    assert (f"--judge vlm:{smaller}" in text) if smaller else "smaller one" not in text


# -------------------------------------------------------------------------------------- the Hub


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hub, and a machine without a network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def fill(cache: Path, files: Path, *leave_out: str) -> None:
    home = cache / f"models--{REPOSITORY.replace('/', '--')}"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(COMMIT)
    shutil.copytree(files, home / "snapshots" / COMMIT, ignore=shutil.ignore_patterns(*leave_out))


def hub_tells(monkeypatch: pytest.MonkeyPatch, **told: Any) -> None:
    facts = {"sha": COMMIT, "siblings": None, "safetensors": None} | told
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: SimpleNamespace(**facts))


def files_named(*names: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(rfilename=name) for name in names]


UNREACHABLE = (
    f"judge 'vlm:{REPOSITORY}' is not on this machine and the Hub cannot be reached\n"
    f"  needed: {REPOSITORY} (OfflineModeIsEnabled)\n"
    "  go online, or fetch it elsewhere and use --judge vlm:./FOLDER\n"
    "  or --judge openai:MODEL with OPENAI_BASE_URL, or --judge none to draw now and judge later\n"
    "  offline now: --characters sandbox, whose judge comes with copycat"
)


def test_a_judge_that_is_nowhere_is_told_with_what_to_do(cache: Path, characters: CharacterSet) -> None:
    assert complaint(REPOSITORY, characters) == UNREACHABLE
    with pytest.raises(MissingExtraError):
        judge(REPOSITORY).revision()


def test_a_judge_whose_weights_were_not_fetched_is_told_offline(
    cache: Path, family: Path, characters: CharacterSet
) -> None:
    fill(cache, family, "model.safetensors")
    assert complaint(REPOSITORY, characters) == UNREACHABLE


def test_a_judge_that_was_fetched_before_judges_offline(
    cache: Path, family: Path, characters: CharacterSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(cache, family)
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(cache))
    one = judge(REPOSITORY)
    one.check(characters)
    assert one.facts()["commit"] == COMMIT
    assert one.revision() != judge(str(family)).revision()
    red = Image.new("RGB", (32, 32), "red")
    assert one.rate([red], ["goofy"], characters) == judge(str(family)).rate([red], ["goofy"], characters)


def test_a_gated_judge_is_named_as_such(cache: Path, characters: CharacterSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        error = hub.GatedRepoError.__new__(hub.GatedRepoError)
        Exception.__init__(error, "no")
        raise error

    monkeypatch.setenv("HF_TOKEN", "")
    hub_tells(monkeypatch)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    assert complaint(REPOSITORY, characters) == (
        f"judge 'vlm:{REPOSITORY}': {REPOSITORY} is gated, its owner asks you to accept terms first\n"
        f"  accept them at https://huggingface.co/{REPOSITORY} (then: hf auth login)"
    )


def test_sizes_come_from_the_hub_before_anything_is_fetched(
    cache: Path, family: Path, characters: CharacterSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(cache, family, "model.safetensors")
    sizes = SimpleNamespace(parameters={"BF16": 72_000_000_000})
    hub_tells(monkeypatch, safetensors=sizes, siblings=files_named("model.safetensors.index.json"))
    assert "its 72.0 billion parameters take 268 GiB as float32" in complaint(REPOSITORY, characters)
    hub_tells(monkeypatch, siblings=files_named("config.json", "pytorch_model.bin"))
    assert f"{REPOSITORY}: no weights in model.safetensors" in complaint(REPOSITORY, characters)
    hub_tells(monkeypatch)  # nobody knows: it is tried
    judge(REPOSITORY).check(characters)


def test_the_default_judge_is_refused_without_a_gpu_by_its_known_size(
    cache: Path, characters: CharacterSet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub_tells(monkeypatch)
    (tmp_path / "config.json").write_text('{"model_type": "qwen3_vl"}')
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_, **__: str(tmp_path / "config.json"))
    name = DEFAULT_VLM.removeprefix("vlm:")
    assert name in KNOWN_PARAMETERS
    text = complaint(name, characters)
    assert "its 8.8 billion parameters take 33 GiB as float32" in text
    assert f"vllm serve {name}\n" in text


def test_the_known_sizes_are_those_of_the_networks() -> None:
    """Counted on networks without memory, of the published configs."""
    import torch
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    text = {"vocab_size": 151_936, "head_dim": 128, "num_key_value_heads": 8}
    shapes = {
        "8B": (4096, 12_288, 36, 32, 27, 1152, 4304, [8, 16, 24]),
        "4B": (2560, 9728, 36, 32, 24, 1024, 4096, [5, 11, 17]),
        "2B": (2048, 6144, 28, 16, 24, 1024, 4096, [5, 11, 17]),
    }
    for size, (width, inner, layers, heads, depth, seen, seen_inner, places) in shapes.items():
        sizes = {"hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers}
        eyes = {"depth": depth, "hidden_size": seen, "intermediate_size": seen_inner, "num_heads": 16}
        config = Qwen3VLConfig(
            text_config=text | sizes | {"num_attention_heads": heads},
            vision_config=eyes | {"out_hidden_size": width, "deepstack_visual_indexes": places},
            tie_word_embeddings=size != "8B",
        )
        with torch.device("meta"):
            network = Qwen3VLForConditionalGeneration(config)
            network.tie_weights()
        assert sum(p.numel() for p in network.parameters()) == KNOWN_PARAMETERS[f"Qwen/Qwen3-VL-{size}-Instruct"]
