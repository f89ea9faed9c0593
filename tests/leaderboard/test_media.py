"""Pictures of strangers on their way into the site."""

from __future__ import annotations

import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from submissions import draw_noise, encode

from copycat.leaderboard.site.media import PlacedPicture, place_picture, remove_unused_pictures


def placed(content: bytes, site: Path, **options: Any) -> PlacedPicture | None:
    return place_picture(content, hashlib.sha256(content).hexdigest(), site, **options)


def written(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def with_header(width: int, height: int) -> bytes:
    """A PNG that says it is this large, and holds one byte."""
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    parts = [len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4) for name, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_small_picture_is_copied_byte_for_byte_below_its_hash(tmp_path: Path) -> None:
    content = encode(draw_noise("one"))
    digest = hashlib.sha256(content).hexdigest()

    assert placed(content, tmp_path) == PlacedPicture(f"pictures/{digest[:2]}/{digest}.png", 64, 64)
    assert (tmp_path / "pictures" / digest[:2] / f"{digest}.png").read_bytes() == content


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_small_picture_of_any_kind_that_png_knows_is_copied(tmp_path: Path, mode: str) -> None:
    picture = draw_noise("one").crop((0, 0, 37, 50))
    content = encode(picture.convert("L").convert(mode) if mode == "I;16" else picture.convert(mode))

    shown = placed(content, tmp_path)

    assert shown is not None
    assert (shown.width, shown.height, (tmp_path / shown.href).read_bytes()) == (37, 50, content)


def test_a_large_picture_becomes_a_thumbnail_of_at_most_256_px(tmp_path: Path) -> None:
    shown = placed(encode(draw_noise("one").resize((640, 320))), tmp_path)

    assert shown is not None
    assert (shown.href.endswith(".webp"), shown.width, shown.height) == (True, 256, 128)


def test_a_sheet_of_frames_keeps_160_px_for_each(tmp_path: Path) -> None:
    shown = placed(encode(draw_noise("one").resize((2048, 1024))), tmp_path, columns=4)

    assert shown is not None
    assert (shown.width, shown.height) == (640, 320)


@pytest.mark.parametrize("hidden", ["text", "exif", "trailing"])
def test_what_hides_in_a_file_beside_its_pixels_is_left_behind(tmp_path: Path, hidden: str) -> None:
    secret = b"SECRET-WORDS"
    text, exif = PngInfo(), Image.Exif()
    text.add_text("comment", secret.decode())
    exif[0x010E] = secret.decode()
    content = {
        "text": written(draw_noise("one"), pnginfo=text),
        "exif": written(draw_noise("one"), "JPEG", exif=exif),
        "trailing": encode(draw_noise("one")) + b"<script>" + secret,
    }[hidden]

    shown = placed(content, tmp_path)

    assert secret in content
    assert shown is not None
    assert secret not in (tmp_path / shown.href).read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        encode(draw_noise("one"))[:-40],
        written(draw_noise("one"), "GIF"),
        written(draw_noise("one"), "TIFF"),
        with_header(60_000, 60_000),
        with_header(64, 64),
        encode(draw_noise("one")).replace(b"IDAT", b"IDAT\0", 1),
    ],
    ids=["nothing", "svg", "cut off", "gif", "tiff", "bomb", "no pixels", "damaged"],
)
def test_what_is_no_picture_that_may_be_shown_is_left_out(tmp_path: Path, content: bytes) -> None:
    assert placed(content, tmp_path) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_picture_that_was_not_the_one_judged_is_left_out(tmp_path: Path) -> None:
    other = hashlib.sha256(b"another picture").hexdigest()

    assert place_picture(encode(draw_noise("one")), other, tmp_path) is None


def test_a_picture_that_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    for content in (encode(draw_noise("one")), encode(draw_noise("two").resize((640, 320)))):
        first = placed(content, tmp_path)
        assert first is not None
        before = (tmp_path / first.href).stat().st_mtime_ns

        assert placed(content, tmp_path) == first
        assert (tmp_path / first.href).stat().st_mtime_ns == before


def test_pictures_go_away_with_the_last_run_that_shows_them(tmp_path: Path) -> None:
    kept, gone = (
        placed(encode(draw_noise(name).resize((side, side))), tmp_path) for name, side in (("a", 64), ("b", 300))
    )
    assert kept is not None
    assert gone is not None
    data = tmp_path / "runs" / "1.0" / "a__b" / "abc" / "data.js"
    data.parent.mkdir(parents=True)
    data.write_text(f'copycatRun("x", "[\\"{kept.href}\\"]");', encoding="ascii")

    assert remove_unused_pictures(tmp_path) == 1
    assert ((tmp_path / kept.href).exists(), (tmp_path / gone.href).exists()) == (True, False)
