"""The ladder: copies are near on rungs that can find them; thresholds keep their rate and say what they rest on."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from tiny_judge import sandbox_render, save_references

from copycat.errors import DataError, UserError
from copycat.measures import Measure, build_measure, expand_measures, resolve_measure
from copycat.measures.descriptors import descriptor_of
from copycat.measures.ladder import Ladder, read_gallery, require_pairs, see, threshold_of, upper_bound
from copycat.schema import CharacterSet, Sample

N = 46
"""Groups with one picture each have 1,035 pairs: enough for a rate of 0.001."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One picture of each of 46 inhabitants."""
    pictures = {f"who-{number}": [sandbox_render(number, 0)] for number in range(N)}
    return save_references(tmp_path_factory.mktemp("ladder") / "references", pictures)


@pytest.fixture(scope="module")
def ladder(folder: Path) -> Ladder:
    return Ladder(read_gallery(folder, "a test"), None, descriptor_of("sandbox", "cpu").embed, 0.01)


def as_jpeg(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=40)
    return Image.open(buffer).convert("RGB")


CHANGES = {
    "resized": lambda picture: picture.resize((160, 160), Image.Resampling.BICUBIC),
    "jpeg": as_jpeg,
    "mirrored": ImageOps.mirror,
}


def found_on(ladder: Ladder, rung: str, pictures: Sequence[Image.Image]) -> list[int | None]:
    """The reference of each picture that counts on a rung."""
    found = ladder.nearest(rung, [see(picture, "") for picture in pictures], pictures)  # type: ignore[arg-type]
    return [near.reference if near is not None and near.is_near else None for near in found]


@pytest.mark.parametrize("rung", ["phash", "dhash", "descriptor"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_is_found_at_a_rate_of_one_in_a_hundred(
    ladder: Ladder, rung: str, change: Callable[[Image.Image], Image.Image]
) -> None:
    names = ladder.references.names
    numbers = range(0, N, 5)
    found = found_on(ladder, rung, [change(sandbox_render(number, 0)) for number in numbers])
    right = sum(
        place is not None and names[place] == f"who-{number}/0.png"
        for place, number in zip(found, numbers, strict=True)
    )
    assert right >= len(numbers) - 1


def test_the_same_file_and_the_same_pixels_are_different_rungs(ladder: Ladder, folder: Path) -> None:
    picture = sandbox_render(3, 0)
    same = see(picture, read_gallery(folder / "who-3", "a test").seen[0].sha256)
    resaved = see(picture, "another file")
    (by_file, no_file) = ladder.nearest("bytes", [same, resaved], [])
    (by_pixels, other) = ladder.nearest("pixels", [resaved, see(sandbox_render(3, 9), "")], [])
    assert by_file is not None
    assert by_pixels is not None
    assert ladder.references.names[by_file.reference] == ladder.references.names[by_pixels.reference] == "who-3/0.png"
    assert no_file is None
    assert other is None


def test_a_mirrored_copy_says_that_it_is_mirrored(ladder: Ladder) -> None:
    picture = ImageOps.mirror(sandbox_render(8, 0))
    (near,) = ladder.nearest("phash", [see(picture, "")], [picture])
    assert near is not None
    assert (near.is_mirrored, near.value) == (True, 0)


def test_of_other_pictures_hardly_any_counts(folder: Path) -> None:
    """On the very pairs that it was fixed on, a threshold keeps its rate; on new pictures, about."""
    ladder = Ladder(read_gallery(folder, "a test"), None, None, 0.01)
    strangers = [sandbox_render(number, 5) for number in range(N, 50)]
    for rung in ("phash", "dhash"):
        threshold = ladder.threshold(rung)  # type: ignore[arg-type]
        assert threshold.passed <= 0.01 * threshold.pairs
        assert threshold.pairs == N * (N - 1) // 2
        assert sum(place is not None for place in found_on(ladder, rung, strangers)) <= 2


def test_the_threshold_is_that_of_counting_by_hand() -> None:
    distances = np.array([[0, 3, 9], [20, 0, 7], [20, 20, 0]])
    is_pair = ~np.eye(3, dtype=bool)
    once = np.triu(is_pair, 1)
    assert threshold_of("phash", distances, is_pair, once, 0.4)[1:4] == (6, 3, 1)  # 7 is the second, and must not pass
    assert threshold_of("phash", distances, is_pair, once, 0.1)[1:4] == (2, 3, 0)
    cosines = np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.9], [0.0, 0.0, 1.0]])
    assert threshold_of("descriptor", cosines, is_pair, once, 0.4)[1:4] == (0.5, 3, 1)


def test_where_unrelated_pictures_are_equal_on_a_rung_it_has_no_limit() -> None:
    same = np.zeros((30, 30), np.uint8)
    is_pair = ~np.eye(30, dtype=bool)
    found = threshold_of("dhash", same, is_pair, np.triu(is_pair, 1), 0.01)
    assert (found.limit, found.passed) == (None, 0)
    assert not found.passes(0)


@pytest.mark.parametrize("n", [100, 1_000, 10_000])
def test_the_bound_of_none_in_n_is_the_rule_of_three(n: int) -> None:
    assert upper_bound(0, n) == pytest.approx(3 / n, rel=0.02)
    assert upper_bound(0, n) == pytest.approx(1 - 0.05 ** (1 / n))


def test_a_rate_that_the_pairs_cannot_show_is_refused(folder: Path) -> None:
    ladder = Ladder(read_gallery(folder, "a test"), None, None, 0.0005)
    with pytest.raises(
        UserError, match=r"1,035 pairs of unrelated pictures cannot show a false-positive rate of 0.0005"
    ):
        ladder.threshold("phash")
    require_pairs(1000, 0.001, "phash")
    with pytest.raises(UserError, match=r"needed: 1,000 or more(?s:.*)--calibration FOLDER; or more references"):
        require_pairs(999, 0.001, "phash")


def test_pictures_of_one_subfolder_are_related_and_make_no_pairs(tmp_path: Path) -> None:
    shown = {
        "one": [sandbox_render(0, seed) for seed in range(3)],
        "two": [sandbox_render(1, seed) for seed in range(4)],
    }
    ladder = Ladder(read_gallery(save_references(tmp_path / "r", shown), "a test"), None, None, 0.1)
    assert ladder.threshold("dhash").pairs == 12


def test_related_pairs_that_count_are_those_of_counting_by_hand(folder: Path, tmp_path: Path) -> None:
    """Different pictures of one subfolder; neither the same pixels again, nor pictures without a subfolder."""
    drawings = {f"who-{number}": [sandbox_render(number, seed) for seed in (0, 1, 2, 0)] for number in range(6)}
    references = save_references(tmp_path / "r", drawings)
    for number in (40, 41):
        sandbox_render(number, 0).save(references / f"{number}.png")
    unrelated = read_gallery(folder, "a test")
    for calibration in (None, unrelated):
        ladder = Ladder(read_gallery(references, "a test"), calibration, None, 0.05)
        limit = ladder.threshold("phash").limit
        assert limit is not None
        seen = dict(zip(ladder.references.names, ladder.references.seen, strict=True))
        pairs = [
            (seen[f"who-{number}/{i}.png"], seen[f"who-{number}/{j}.png"])
            for number in range(6)
            for i, j in ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
        ]
        passed = sum(
            min((a.phash[0] ^ b.phash[side]).bit_count() for a, b in (pair, pair[::-1]) for side in (0, 1)) <= limit
            for pair in pairs
        )
        assert ladder.related("phash") == (30, passed)
        assert passed > 0


def test_where_no_subfolder_has_two_pictures_there_are_no_related_pairs(ladder: Ladder) -> None:
    assert ladder.related("phash") == ladder.related("descriptor") == (0, 0)


def test_the_same_pixels_in_two_subfolders_are_no_unrelated_pair(tmp_path: Path) -> None:
    shown = {"one": [sandbox_render(0, 0)], "two": [sandbox_render(0, 0)], "three": [sandbox_render(1, 0)]}
    ladder = Ladder(read_gallery(save_references(tmp_path / "r", shown), "a test"), None, None, 0.5)
    assert ladder.threshold("phash").pairs == 2


def test_a_picture_in_two_subfolders_is_related_to_all_in_both(tmp_path: Path) -> None:
    """Else a variant in the first would be an unrelated pair with the twin in the second, and spoil the threshold."""
    picture, variant = sandbox_render(0, 0), sandbox_render(0, 1)
    shown = {"one": [picture, variant], "two": [picture, sandbox_render(1, 0)], "three": [sandbox_render(2, 0)]}
    gallery = read_gallery(save_references(tmp_path / "r", shown), "a test")
    is_pair = Ladder(gallery, None, None, 0.5)._unrelated_pairs(gallery, np.arange(5))
    pairs = {frozenset((gallery.names[i], gallery.names[j])) for i, j in np.argwhere(is_pair)}
    with_third = {frozenset((name, "three/0.png")) for name in gallery.names if name != "three/0.png"}
    assert pairs == {*with_third, frozenset(("one/1.png", "two/1.png"))}
    assert (is_pair == is_pair.T).all()


def test_unrelated_pictures_of_another_folder_make_the_pairs(folder: Path, tmp_path: Path) -> None:
    others = save_references(tmp_path / "others", {"any": [sandbox_render(number, 3) for number in range(46, 50)]})
    ladder = Ladder(read_gallery(folder, "a test"), read_gallery(others, "a test"), None, 0.01)
    threshold = ladder.threshold("phash")
    assert (threshold.pairs, threshold.pictures) == (4 * N, 4)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1])
def test_a_rate_is_a_share(folder: Path, rate: float) -> None:
    with pytest.raises(UserError, match="is no rate"):
        Ladder(read_gallery(folder, "a test"), None, None, rate)


def test_faults_of_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        read_gallery(tmp_path / "nowhere", "a test")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match="holds no picture"):
        read_gallery(tmp_path, "a test")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"broken.png: not a PNG, JPEG or WEBP file"):
        read_gallery(tmp_path, "a test")


# -------------------------------------------------------------------------------- as measures


def test_the_rungs_are_facts_of_their_own(folder: Path, sandbox: CharacterSet, samples: Callable[..., Sample]) -> None:
    copy, other = sandbox_render(2, 0).resize((128, 128)), sandbox_render(48, 4)
    asked = [samples("anyone", repeat=0), samples("anyone", repeat=1)]
    values = {}
    for name in expand_measures(["ladder:0.01"]):
        measure: Measure = build_measure(resolve_measure(name), "cpu", sandbox, str(folder))
        measure.check()  # type: ignore[attr-defined]
        found = measure.measure([copy, other], asked)
        values[name] = [one.value for one in found]
        assert len(measure.revision()) == 40
        if "exact" not in name:
            assert found[0].detail["reference"] == "who-2/0.png"
            assert found[0].detail["pairs"] == 1035
            assert found[0].detail["rate"] == 0.01
            assert "related" not in found[0].detail
            assert found[0].detail["rate_at_most"] < 0.02  # type: ignore[operator]
            # Ten pairs of 1,035 may count, each of which touches two of the 46 pictures.
            assert 1 / N <= found[0].detail["touched"] <= 20 / N  # type: ignore[operator]
    assert values.pop("ladder-exact:0.01") == [0, 0]
    assert len(values) == 3
    assert all(both == [1, 0] for both in values.values())


def test_a_measurement_says_how_many_related_pairs_count(
    tmp_path: Path, sandbox: CharacterSet, samples: Callable[..., Sample]
) -> None:
    shown = {f"who-{number}": [sandbox_render(number, seed) for seed in (0, 1)] for number in range(6)}
    references = save_references(tmp_path / "r", shown)
    measure = build_measure(resolve_measure("ladder-descriptor:sandbox@0.05"), "cpu", sandbox, str(references))
    (found,) = measure.measure([sandbox_render(0, 7)], [samples("anyone")])
    assert found.value == 1
    assert found.detail["related"] == 1


def test_an_exact_copy_says_what_is_the_same(
    folder: Path, sandbox: CharacterSet, samples: Callable[..., Sample]
) -> None:
    measure = build_measure(resolve_measure("ladder-exact"), "cpu", sandbox, str(folder))
    (found,) = measure.measure([sandbox_render(5, 0)], [samples("anyone")])
    assert (found.value, found.detail) == (1, {"reference": "who-5/0.png", "same": "pixels"})


def test_rate_and_weights_are_part_of_the_name(folder: Path, sandbox: CharacterSet) -> None:
    revisions = {
        build_measure(resolve_measure(name), "cpu", sandbox, str(folder)).revision()
        for name in ("ladder-phash", "ladder-phash:0.01", "ladder-phash:0.001", "ladder-descriptor:0.01")
    }
    assert len(revisions) == 3
    with pytest.raises(UserError, match="'often' is no false-positive rate"):
        build_measure(resolve_measure("ladder-phash:ViT-B-32/openai@often"), "cpu", sandbox, str(folder))


def test_a_rate_that_cannot_be_shown_is_refused_before_anything_is_drawn(
    references: Path, sandbox: CharacterSet
) -> None:
    measure = build_measure(resolve_measure("ladder-dhash"), "cpu", sandbox, str(references))
    with pytest.raises(UserError, match="12 pairs of unrelated pictures cannot show"):
        measure.check()  # type: ignore[attr-defined]


def test_ladder_stands_for_all_its_rungs() -> None:
    rungs = ["ladder-exact", "ladder-phash", "ladder-dhash", "ladder-descriptor"]
    assert expand_measures(["ladder", "near-copy", "ladder-phash"]) == [*rungs, "near-copy"]
    assert expand_measures(["ladder:0.05"]) == [f"{rung}:0.05" for rung in rungs]


# ---------------------------------------------------------------------------------- encoders


@pytest.mark.parametrize("name", ["resnet", "sscd", "open_clip:"])
def test_an_encoder_of_another_form_is_told(name: str) -> None:
    with pytest.raises(UserError, match="is no encoder of pictures"):
        descriptor_of(name, "cpu")


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_a_program_of_sscd_makes_vectors_of_length_one(tmp_path: Path) -> None:
    """A stand-in with SSCD's interface: (N, 3, 320, 320) in, vectors out."""
    import torch

    class Means(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return pixels.mean(dim=3)[:, :, ::32].flatten(1)

    torch.jit.script(Means()).save(str(tmp_path / "sscd.pt"))
    encoder = descriptor_of(f"sscd:{tmp_path / 'sscd.pt'}", "cpu")
    found = encoder.embed([sandbox_render(0, 0), sandbox_render(1, 0), sandbox_render(0, 0).resize((200, 200))])
    assert found.shape == (3, 30)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    assert found[0] @ found[2] > found[0] @ found[1]
    assert encoder.identity().startswith("sscd ")


def test_a_file_that_is_no_program_is_told(tmp_path: Path) -> None:
    (tmp_path / "sscd.pt").write_bytes(b"junk")
    with pytest.raises(DataError, match="is no TorchScript file"):
        descriptor_of(f"sscd:{tmp_path / 'sscd.pt'}", "cpu").embed([sandbox_render(0, 0)])
    with pytest.raises(UserError, match="there is no file"):
        descriptor_of("sscd:nowhere.pt", "cpu")


def test_random_pictures_of_the_same_size_are_far_apart() -> None:
    dice = random.Random(1)
    noise = [Image.frombytes("RGB", (64, 64), dice.randbytes(64 * 64 * 3)) for _ in range(2)]
    first, second = (see(picture, "") for picture in noise)
    assert (first.phash[0] ^ second.phash[0]).bit_count() > 15
    assert first.pixels != second.pixels
