"""Embedders: real models with random weights, a user's own class, vectors of a user's own; and the cache of vectors."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from tiny_csd import DIMENSIONS, SIDE, save_tiny_csd, style_of, tiny_state
from tiny_judge import sandbox_render, save_tiny_dino, save_tiny_judge

from copycat.errors import DataError, UnknownNameError, UserError
from copycat.imitation.score.embedders import (
    EMBEDDERS,
    Embedder,
    Vector,
    build_embedder,
    default_embedder,
    resolve_embedder,
)
from copycat.imitation.score.embedders.ready import read_vectors
from copycat.imitation.score.embedding import Embeddings
from copycat.models.decode import UndecodableError
from copycat.registry import resolve

FACES = """
import numpy as np

class Colours:
    licence = "that of this test"
    revision = "1"
    def embed(self, pictures):
        means = [np.asarray(p, dtype=float).mean(axis=(0, 1)) for p in pictures]
        return [None if mean.max() > 250 else mean for mean in means]

class Unnamed:
    def embed(self, pictures):
        return [[1.0, 0.0] for _ in pictures]

class Short(Unnamed):
    revision = "1"
    def embed(self, pictures):
        return []

class Deep(Short):
    def embed(self, pictures):
        return [[[1.0]] for _ in pictures]

class Wordy(Short):
    def embed(self, pictures):
        return ["a face" for _ in pictures]

class Broken(Short):
    def embed(self, pictures):
        raise ValueError("no such weights")

class Unmade(Short):
    def __init__(self):
        raise OSError("no weights in /nowhere")

class NotOne:
    pass
"""


def noise(seed: int, size: int = 40) -> Image.Image:
    return Image.frombytes("RGB", (size, size), random.Random(seed).randbytes(size * size * 3))


def made(name: str) -> Embedder:
    return build_embedder(resolve_embedder(name), "cpu")


def vectors_of(embedder: Embedder, *pictures: Image.Image) -> Any:
    return np.stack([vector for vector in embedder.embed(pictures) if vector is not None])


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"faces_of_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(FACES)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


# --------------------------------------------------------------------------------------------------- the table


def test_every_row_names_code_that_is_there() -> None:
    for row in EMBEDDERS.rows():
        assert callable(resolve(row.target, row.name))
        assert row.form.startswith(row.name)


def test_names_are_read_and_wrong_ones_are_told() -> None:
    assert resolve_embedder("open_clip").source == "ViT-L-14/datacomp_xl_s13b_b90k"
    assert resolve_embedder("face:mine.faces:Faces").source == "mine.faces:Faces"
    assert resolve_embedder("dino:./folder").source == "./folder"
    with pytest.raises(UnknownNameError, match="did you mean 'open_clip'"):
        resolve_embedder("openclip:ViT-B-32/openai")
    with pytest.raises(UnknownNameError, match=r"known: csd, dino, face, open_clip, sandbox\n.*--embeddings") as told:
        resolve_embedder("xyz")
    assert "ready" not in str(told.value)
    for name, needed in (("csd", "csd:FILE.safetensors"), ("sandbox:x", "needed: sandbox"), ("face:", "face:MODULE")):
        with pytest.raises(UserError, match=needed):
            resolve_embedder(name)


def test_the_default_follows_from_who_drew() -> None:
    assert [default_embedder(model) for model in ("sandbox", "sdxl", None)] == ["sandbox", "open_clip", "open_clip"]


# --------------------------------------------------------------------------------------- models of other packages


def test_the_sandbox_embedder_puts_pictures_of_one_character_together() -> None:
    embedder = made("sandbox")
    pictures = [sandbox_render(number, seed) for number in (3, 4, 5) for seed in (1, 2, 3)]
    cosines = (found := vectors_of(embedder, *pictures)) @ found.T
    same = np.kron(np.eye(3), np.ones((3, 3))) == 1
    assert cosines[same].min() > cosines[~same].max()
    assert len(embedder.revision()) == 40
    assert embedder.facts()["weights"] == "the sandbox's judge"


def test_open_clip_gives_what_its_model_gives(tmp_path: Path) -> None:
    import open_clip

    folder = save_tiny_judge(tmp_path / "tiny")
    embedder = made(f"open_clip:{folder}")
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    with torch.inference_mode():
        wanted = model.eval().encode_image(preprocess(noise(1))[None], normalize=True)[0]
    assert np.allclose(vectors_of(embedder, noise(1))[0], wanted, atol=1e-5)
    assert embedder.facts()["weights"].endswith("tiny")


def test_dino_gives_the_class_token(tmp_path: Path) -> None:
    from transformers import AutoImageProcessor, Dinov2Model

    folder = save_tiny_dino(tmp_path / "dino")
    embedder = made(f"dino:{folder}")
    pixels = AutoImageProcessor.from_pretrained(folder)(images=[noise(1)], return_tensors="pt")
    with torch.inference_mode():
        token = Dinov2Model.from_pretrained(folder)(**pixels).last_hidden_state[0, 0]
    assert np.allclose(vectors_of(embedder, noise(1))[0], token / token.norm(), atol=1e-5)
    assert embedder.facts()["commit"].startswith("fingerprint ")
    assert embedder.revision() != made(f"open_clip:{save_tiny_judge(tmp_path / 'tiny')}").revision()


def test_a_style_vector_is_what_its_weights_say_by_hand(tmp_path: Path) -> None:
    embedder = made(f"csd:{save_tiny_csd(tmp_path / 'csd.safetensors')}")
    pictures = [noise(seed, SIDE) for seed in range(3)]
    found = vectors_of(embedder, *pictures)
    assert found.shape == (3, DIMENSIONS)
    for vector, picture in zip(found, pictures, strict=True):
        assert np.allclose(vector, style_of(picture, tiny_state()), atol=1e-4)
    parallel = made(f"csd:{save_tiny_csd(tmp_path / 'module.safetensors', prefix='module.')}")
    assert np.array_equal(vectors_of(parallel, *pictures), found)
    assert parallel.revision() != embedder.revision()
    assert embedder.facts()["commit"].startswith("sha256 ")


def test_of_a_picture_of_another_shape_the_middle_has_a_style(tmp_path: Path) -> None:
    embedder = made(f"csd:{save_tiny_csd(tmp_path / 'csd.safetensors')}")
    wide = Image.new("RGB", (3 * SIDE, SIDE), "green")
    wide.paste(noise(1, SIDE), (SIDE, 0))
    assert np.allclose(vectors_of(embedder, wide)[0], style_of(noise(1, SIDE), tiny_state()), atol=1e-4)


def changed(how: str) -> dict[str, Any]:
    state = tiny_state()
    if how == "no head":
        del state["last_layer_style"]
    elif how == "a strange key":
        state["classifier.weight"] = torch.zeros(2)
    elif how == "a lacking block":
        del state["backbone.transformer.resblocks.1.ln_1.weight"]
    elif how == "another head":
        state["last_layer_style"] = torch.zeros(5, 3)
    else:
        state = {name: t for name, t in state.items() if "conv1" not in name}
    return state


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no head", "lacks 'last_layer_style'"),
        ("a strange key", "unknown key 'classifier.weight'"),
        ("a lacking block", r"is of another model \(.*Missing key.*resblocks\.1\.ln_1"),
        ("another head", r"has the shape \(5, 3\), and the width is 128"),
        ("no transformer", "is no vision transformer of CLIP"),
    ],
)
def test_a_style_checkpoint_of_another_kind_never_embeds(tmp_path: Path, how: str, said: str) -> None:
    path = save_tiny_csd(tmp_path / "csd.safetensors", changed(how))
    with pytest.raises(DataError, match=rf"{said}(.|\n)*needed: a safetensors file with backbone"):
        made(f"csd:{path}").embed([noise(1)])


def test_a_style_checkpoint_that_is_none_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "csd.pth").write_bytes(b"pickled")
    for name, said in (("csd.pth", "cannot read"), ("none.safetensors", "there is no file")):
        with pytest.raises(UserError, match=rf"{said} .*{name}(.|\n)*weights_only=True"):
            made(f"csd:{tmp_path / name}")
    (tmp_path / "cut.safetensors").write_bytes(save_tiny_csd(tmp_path / "csd.safetensors").read_bytes()[:300])
    with pytest.raises(DataError, match="cannot be loaded"):
        made(f"csd:{tmp_path / 'cut.safetensors'}").embed([noise(1)])


# ------------------------------------------------------------------------------------------ a class of the user's


def test_a_users_class_embeds_and_rejects(faces: str) -> None:
    embedder = made(f"face:{faces}:Colours")
    found = embedder.embed([Image.new("RGB", (4, 4), (10, 20, 30)), Image.new("RGB", (4, 4), "white")])
    assert np.allclose(found[0], [10, 20, 30])  # type: ignore[arg-type]
    assert found[1] is None
    assert embedder.facts() == {"weights": f"{faces}:Colours", "commit": "1", "licence": "that of this test"}


def test_a_class_without_a_revision_is_told_from_another_by_its_source(faces: str, tmp_path: Path) -> None:
    embedder = made(f"face:{faces}:Unnamed")
    content = (tmp_path / f"{faces}.py").read_bytes()
    assert embedder.facts()["commit"] == f"source file {hashlib.sha256(content).hexdigest()[:16]}"
    assert embedder.facts()["licence"].startswith("not told")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("Short", "gave 0 answers for 1 pictures"),
        ("Deep", r"gave an array of shape \(1, 1\)"),
        ("Wordy", "gave str, and a vector is needed"),
        ("Broken", "failed\n  ValueError: no such weights"),
        ("Unmade", "cannot be made\n  OSError: no weights in /nowhere"),
        ("NotOne", "has no method embed"),
        ("Absent", "cannot be loaded from(.|\n)*\n  needed: a module of yours in this folder or on PYTHONPATH"),
    ],
)
def test_what_a_users_class_does_wrong_is_told_without_a_traceback(faces: str, kind: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        made(f"face:{faces}:{kind}").embed([noise(1)])


# --------------------------------------------------------------------------------------- vectors of a user's own

WHOLE = np.arange(1, 13, dtype=np.float32).reshape(4, 3)
CONCEPTS = ["goofy", "goofy", "max", "max"]


def write_npy(folder: Path, vectors: Any = WHOLE, **texts: Sequence[str]) -> Path:
    np.save(folder / "v.npy", vectors)
    pl.DataFrame({"concept": CONCEPTS, **texts}).write_csv(folder / "v.csv")
    return folder / "v.npy"


def write_npz(folder: Path, vectors: Any = WHOLE, **texts: Sequence[str]) -> Path:
    np.savez(
        folder / "v.npz", vectors=vectors, concept=np.array(CONCEPTS), **{n: np.array(t) for n, t in texts.items()}
    )
    return folder / "v.npz"


def write_parquet(folder: Path, vectors: Any = WHOLE, **texts: Sequence[str]) -> Path:
    rows = [None if row is None else list(map(float, row)) for row in vectors]
    pl.DataFrame({"concept": CONCEPTS, "vector": rows, **texts}).write_parquet(folder / "v.parquet")
    return folder / "v.parquet"


Write = Callable[..., Path]


@pytest.mark.parametrize("write", [write_npy, write_npz, write_parquet])
def test_vectors_are_read_with_their_texts(tmp_path: Path, write: Write) -> None:
    table = read_vectors(write(tmp_path, prompt=["a", "b", "a", "b"], arm=["named", "zero", "", "named"]))
    assert np.array_equal(table.vectors, WHOLE)
    assert (table.concept, table.prompt) == (CONCEPTS, ["a", "b", "a", "b"])
    assert table.arm == ["named", "zero", "named", "named"]
    assert table.reason == [""] * 4
    assert read_vectors(write(tmp_path)).prompt == [""] * 4


@pytest.mark.parametrize("write", [write_npy, write_npz, write_parquet])
def test_nan_zero_and_strange_arms_are_told_at_once_with_their_rows(tmp_path: Path, write: Write) -> None:
    vectors = WHOLE.copy()
    vectors[1, 2], vectors[2], vectors[3, 0] = np.nan, 0, np.inf
    with pytest.raises(DataError) as caught:
        read_vectors(write(tmp_path, vectors, arm=["named", "names", "names", "zero"]))
    text = str(caught.value)
    for said in (
        "2 rows of an unknown arm 'names'",
        "row 2 ('goofy'): a vector with NaN",
        "row 3 ('max'): a vector of z",
    ):
        assert said in text
    assert "row 4 ('max'): a vector with NaN or infinity" in text
    reasons = ["", "no face", "no face", "two faces"]
    assert read_vectors(write(tmp_path, vectors, reason=reasons)).reason == reasons


def test_a_null_of_parquet_is_a_picture_without_a_vector(tmp_path: Path) -> None:
    table = read_vectors(write_parquet(tmp_path, [WHOLE[0], None, WHOLE[2], None], reason=["", "no face", "", ""]))
    assert table.reason == ["", "no face", "", "no vector"]
    assert np.array_equal(table.vectors[[0, 2]], WHOLE[[0, 2]])
    fixed = pl.read_parquet(tmp_path / "v.parquet").with_columns(pl.col("vector").cast(pl.Array(pl.Float64, 3)))
    fixed.write_parquet(tmp_path / "v.parquet")
    assert np.array_equal(read_vectors(tmp_path / "v.parquet").vectors, table.vectors)
    with pytest.raises(DataError, match="row 3: 2 numbers, and 3 in most"):
        read_vectors(write_parquet(tmp_path, [WHOLE[0], WHOLE[1], [1, 2], WHOLE[3]]))
    nothing = pl.DataFrame({"concept": CONCEPTS, "vector": pl.Series([None] * 4, dtype=pl.List(pl.Float32))})
    nothing.write_parquet(tmp_path / "v.parquet")
    assert read_vectors(tmp_path / "v.parquet").reason == ["no vector"] * 4


def test_files_that_cannot_be_meant_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "alone.npy", WHOLE)
    np.save(tmp_path / "object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "object.csv").write_text("concept\nx\n")
    (tmp_path / "cut.npz").write_bytes(b"PK")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    np.savez(tmp_path / "other.npz", embeddings=WHOLE)
    np.savez(tmp_path / "nobody.npz", vectors=WHOLE)
    pl.DataFrame({"concept": ["a"], "vector": ["1 2 3"]}).write_parquet(tmp_path / "text.parquet")
    for name, said in (
        ("none.npy", "there is no file"),
        ("alone.npy", "there is no .*alone.csv to tell whose"),
        ("object.npy", "cannot be read"),
        ("cut.npz", "cannot be read"),
        ("cut.parquet", "cannot be read"),
        ("other.npz", "has no array 'vectors'"),
        ("nobody.npz", "has no column 'concept'"),
        ("text.parquet", "has no column 'vector' of lists"),
    ):
        with pytest.raises(UserError, match=said):
            read_vectors(tmp_path / name)
    with pytest.raises(DataError, match="4 vectors and 3 of 'prompt'"):
        read_vectors(write_npz(tmp_path, prompt=["a", "b", "c"]))
    with pytest.raises(DataError, match=r"holds int64 of shape \(4, 3\)"):
        read_vectors(write_npz(tmp_path, WHOLE.astype(np.int64)))
    with pytest.raises(DataError, match=r"holds float32 of shape \(12,\)"):
        read_vectors(write_npz(tmp_path, WHOLE.ravel()))


# ------------------------------------------------------------------------------------------------- the cache


class Counting:
    """Embeds a picture by its first pixel, and counts; (0, 0, 0) is rejected."""

    def __init__(self, revision: str = "a" * 40) -> None:
        self.calls: list[int] = []
        self.told = revision

    def revision(self) -> str:
        return self.told

    def facts(self) -> dict[str, str]:
        return {"weights": "none"}

    def embed(self, pictures: Sequence[Image.Image]) -> list[Vector | None]:
        self.calls.append(len(pictures))
        pixels: list[Any] = [picture.getpixel((0, 0)) for picture in pictures]
        return [np.array(pixel, np.float32) if any(pixel) else None for pixel in pixels]


def plain(red: int) -> tuple[str, Callable[[], Image.Image]]:
    return f"{red:064x}", lambda: Image.new("RGB", (2, 2), (red, 0, 2 * (red > 0)))


def fill(study: Path, embedder: Embedder, reds: Sequence[int]) -> list[list[float] | None]:
    with Embeddings(study, "face:counting", embedder) as store:
        store.embed(dict(map(plain, reds)))
        vectors, rows = store.vectors, [store.row_of(plain(red)[0]) for red in reds]
    return [None if row is None else vectors[row].tolist() for row in rows]


def test_nothing_is_embedded_twice(tmp_path: Path) -> None:
    embedder = Counting()
    first = fill(tmp_path, embedder, range(150))
    assert embedder.calls == [64, 64, 22]
    assert first[0] is None, "what was rejected stays rejected"
    assert np.allclose(first[3], np.array([3, 0, 2]) / 13**0.5)  # type: ignore[arg-type]
    assert fill(tmp_path, embedder, range(150)) == first
    assert sum(embedder.calls) == 150
    assert fill(tmp_path, embedder, range(140, 152))[:10] == first[140:]
    assert sum(embedder.calls) == 152
    fill(tmp_path, Counting("b" * 40), [1])
    assert len(list((tmp_path / "embeddings").iterdir())) == 2, "another revision has a folder of its own"


@pytest.mark.parametrize("torn", ["rows", "line", "both"])
def test_what_a_crash_leaves_behind_is_cut_off(tmp_path: Path, torn: str) -> None:
    whole = fill(tmp_path, Counting(), range(70))
    (folder,) = (tmp_path / "embeddings").iterdir()
    if torn != "line":
        with (folder / "vectors.f32").open("ab") as file:
            file.write(b"\1" * 100)
    if torn != "rows":
        with (folder / "index.jsonl").open("ab") as file:
            file.write(b'{"sha256": "beef')
    embedder = Counting()
    assert fill(tmp_path, embedder, range(80)) == whole + fill(tmp_path / "other", Counting(), range(70, 80))
    assert sum(embedder.calls) == 10


def test_files_that_do_not_fit_together_are_told(tmp_path: Path) -> None:
    fill(tmp_path, Counting(), range(5))
    (folder,) = (tmp_path / "embeddings").iterdir()
    content = (folder / "vectors.f32").read_bytes()
    (folder / "vectors.f32").write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"does not fit index.jsonl\n  delete .*: everything is embedded again"):
        fill(tmp_path, Counting(), range(5))
    (folder / "vectors.f32").write_bytes(content)
    (folder / "embedder.json").write_text("{}")
    with pytest.raises(DataError, match=r"embedder\.json"):
        fill(tmp_path, Counting(), range(5))


def test_what_cannot_be_decoded_is_told_and_tried_again(tmp_path: Path) -> None:
    def broken() -> Image.Image:
        raise UndecodableError("damaged or cut off")

    with Embeddings(tmp_path, "face:counting", Counting()) as store:
        store.embed({"aa": broken, **dict([plain(1)])})
        assert store.unread == {"aa": "damaged or cut off"}
        assert store.row_of("aa") is None
        assert store.vectors.shape == (1, 3)
    with Embeddings(tmp_path, "face:counting", Counting()) as store:
        store.embed({"aa": plain(2)[1]})
        assert store.row_of("aa") == 1


def test_two_processes_do_not_add_to_one_folder(tmp_path: Path) -> None:
    with (
        Embeddings(tmp_path, "face:counting", Counting()),
        pytest.raises(UserError, match="another process is embedding"),
        Embeddings(tmp_path, "face:counting", Counting()),
    ):
        pass


@pytest.mark.parametrize(
    ("vector", "said"),
    [([0.0, 0.0], "a vector of zeros"), ([np.nan, 1.0], "NaN or infinity"), ([1.0], "gave 1 numbers .* and 3 for oth")],
)
def test_vectors_that_cannot_be_used_are_refused(tmp_path: Path, vector: list[float], said: str) -> None:
    fill(tmp_path, Counting(), [1])
    embedder = Counting()
    embedder.embed = lambda pictures: [np.array(vector, np.float32) for _ in pictures]  # type: ignore[method-assign]
    with pytest.raises(UserError, match=said):
        fill(tmp_path, embedder, [2])
    assert fill(tmp_path, Counting(), [1, 2])[0] is not None, "what was kept is still there"
