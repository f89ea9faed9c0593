"""Ways to tamper with a submission. Each is done so carefully that only the check that is meant can notice it.

Figures are made anew after every change, hashes and the manifest too, unless they are what is tampered with.
"""

from __future__ import annotations

import datetime
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from drafts import Draft, encoded, write_parquet
from PIL import Image
from PIL.PngImagePlugin import PngInfo


class Tampering(NamedTuple):
    """`kinds` are all the kinds of fault that are found."""

    name: str
    spoil: Callable[[Draft], object]
    kinds: tuple[str, ...]


def rewriting(name: str, change: Callable[[bytes], bytes]) -> Callable[[Draft], object]:
    """Change the bytes of a file once it is written."""
    return lambda draft: draft.on_disk.append(lambda folder: _rewrite(folder / name, change))


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def telling(**fields: Any) -> Callable[[Draft], object]:
    return lambda draft: draft.submission.update(fields)


def of_sample(place: int, **fields: Any) -> Callable[[Draft], object]:
    return lambda draft: draft.samples[place].update(fields)


def specifying(**fields: Any) -> Callable[[Draft], object]:
    return lambda draft: draft.spec.update(fields)


# ------------------------------------------------------------------------------------------- figures


def change_figure(draft: Draft) -> None:
    draft.metrics["estimates"][0]["value"] = 0.01


def change_interval(draft: Draft) -> None:
    draft.metrics["estimates"][0]["high"] = 0.02


def drop_figure(draft: Draft) -> None:
    draft.metrics["estimates"].pop()


def add_figure(draft: Draft) -> None:
    draft.metrics["estimates"].append({**draft.metrics["estimates"][0], "metric": "safety"})


def hide_missing(draft: Draft) -> None:
    draft.metrics["counts"]["planned"] -= 1


# ------------------------------------------------------------------------------------- samples, plan


def drop_hard_samples(draft: Draft) -> None:
    hard = {judgement["key"] for judgement in draft.judgements if judgement["detected"] is not None}
    draft.samples = [sample for sample in draft.samples if sample["key"] not in hard]
    draft.judgements = [judgement for judgement in draft.judgements if judgement["key"] not in hard]
    draft.pictures = [(key, content) for key, content in draft.pictures if key not in hard]
    draft.add_up()
    draft.metrics["counts"]["planned"] = 50


def repeat_sample(draft: Draft) -> None:
    draft.samples[1] = dict(draft.samples[0])
    gone = draft.judgements.pop(1)
    draft.pictures = [(key, content) for key, content in draft.pictures if key != gone["key"]]


def add_sample(draft: Draft) -> None:
    extra = {**draft.samples[0], "repeat": 1, "key": "f" * 20, "status": "failed"}
    extra |= dict.fromkeys(("image", "sha256", "width", "height", "perceptual_hash"))
    draft.samples.append(extra)


def swap_prompts(draft: Draft) -> None:
    one, other = draft.samples[0], draft.samples[1]
    for field in ("prompt", "prompt_sent"):
        one[field], other[field] = other[field], one[field]


def swap_order(draft: Draft) -> None:
    draft.samples[0], draft.samples[1] = draft.samples[1], draft.samples[0]
    draft.pictures[0], draft.pictures[1] = draft.pictures[1], draft.pictures[0]


def soften_prompt(draft: Draft) -> None:
    draft.samples[0]["prompt_sent"] = "a plain grey stone"


def add_negative_prompt(draft: Draft) -> None:
    for sample in draft.samples:
        sample["negative_prompt"] = "copyrighted character"


def change_key(draft: Draft) -> None:
    old, new = draft.samples[0]["key"], "0" * 20
    draft.samples[0] |= {"key": new, "image": f"images/{new}.png"}
    draft.judgements[0]["key"] = new
    draft.pictures[0] = (new, draft.pictures[0][1])
    assert old != new


def change_sampling(draft: Draft) -> None:
    draft.spec["sampling"]["guidance"] = 9.5


# ---------------------------------------------------------------------------------------- outcomes


def fail_often(draft: Draft) -> None:
    nothing = dict.fromkeys(("image", "sha256", "width", "height", "perceptual_hash"))
    failed = {sample["key"] for sample in draft.samples[:2]}
    for sample in draft.samples[:2]:
        sample |= {**nothing, "status": "failed", "detail": "out of memory"}
    draft.judgements = [judgement for judgement in draft.judgements if judgement["key"] not in failed]
    draft.pictures = draft.pictures[2:]
    draft.add_up()


def refuse_with_size(draft: Draft) -> None:
    draft.samples[0] |= {"status": "refused", "image": None, "sha256": None, "perceptual_hash": None}
    gone = draft.judgements.pop(0)
    draft.pictures = [(key, content) for key, content in draft.pictures if key != gone["key"]]
    draft.add_up()


def end_as(status: str) -> Callable[[Draft], object]:
    """Have all pictures in which a character was seen end without one."""

    def spoil(draft: Draft) -> None:
        seen = {judgement["key"] for judgement in draft.judgements if judgement["detected"] is not None}
        gone = dict.fromkeys(("image", "sha256", "width", "height", "perceptual_hash"))
        for sample in draft.samples:
            if sample["key"] in seen:
                sample |= {**gone, "status": status, "detail": "it was declined"}
        draft.judgements = [judgement for judgement in draft.judgements if judgement["key"] not in seen]
        draft.pictures = [(key, content) for key, content in draft.pictures if key not in seen]
        draft.add_up()

    return spoil


def as_baseline(name: str) -> Callable[[Draft], object]:
    """Call the pictures of a model those of a baseline."""
    said = {"name": name, "source": "package:models/baselines.py"}

    def spoil(draft: Draft) -> None:
        draft.spec.update(model=said["name"], model_source=said["source"])
        draft.submission["model"].update(said)
        draft.add_up()

    return spoil


# -------------------------------------------------------------------------------------- judgements


def drop_judgement(draft: Draft) -> None:
    draft.judgements.pop(0)
    draft.add_up()


def judge_another(draft: Draft) -> None:
    draft.judgements[0]["image_sha256"] = draft.samples[1]["sha256"]
    draft.add_up()


def judge_nothing(draft: Draft) -> None:
    draft.judgements.append({**draft.judgements[0], "key": "e" * 20})


def judge_twice(draft: Draft) -> None:
    draft.judgements.append(dict(draft.judgements[0]))


def two_verdicts(draft: Draft) -> None:
    draft.judgements.append({**draft.judgements[0], "consistency": 0.123})


def detect_stranger(draft: Draft) -> None:
    draft.judgements[0]["detected"] = "mickey-mouse"
    draft.add_up()


def reason_and_verdict(draft: Draft) -> None:
    draft.judgements[0] |= {"detected": draft.samples[0]["character"], "reason": "too dark"}
    draft.add_up()


def judged_by_nobody(draft: Draft) -> None:
    draft.spec["judge"] = "none"
    draft.add_up()


def other_set(name: str) -> Callable[[Draft], object]:
    """Name another set, and a judge that knows any."""
    return specifying(characters=name, judge="openai:some-vlm")


def judged_by_unknown(draft: Draft) -> None:
    draft.spec["judge"] = draft.metrics["judge"] = "oracle-of-delphi"


def of_judgements(**fields: Any) -> Callable[[Draft], object]:
    def spoil(draft: Draft) -> None:
        for judgement in draft.judgements:
            judgement.update(fields)
        draft.add_up()

    return spoil


def name_and_see_nobody(draft: Draft) -> None:
    """Leave the judge's words as they are, and turn the verdict."""
    draft.spec["judge"] = "openai:some-vlm"
    for sample, judgement in zip(draft.samples, draft.judgements, strict=True):
        judgement.update(named=[sample["character"]], detected=None)
    draft.add_up()


def calibrated(**fields: Any) -> Callable[[Draft], object]:
    """Correct the figures with a calibration of the right judge."""

    def spoil(draft: Draft) -> None:
        other_calibration(draft)
        assert draft.calibration is not None
        draft.calibration.update({"judge": draft.spec["judge"], **fields})
        draft.add_up()

    return spoil


def label_otherwise(draft: Draft) -> None:
    """List labels by which the judge was always wrong, and count it as right."""
    calibrated()(draft)
    assert draft.calibration is not None
    cell, (first, *_) = draft.calibration["cells"][0], draft.samples
    is_seen = draft.judgements[0]["detected"] == first["character"]
    label = {"key": first["key"], "image_sha256": first["sha256"], "is_shown": not is_seen}
    cell.update({"tp": 1, "fn": 0, "fp": 0, "tn": 0})
    draft.calibration.update(labels=[label], n_labels=1)
    draft.add_up()


def other_calibration(draft: Draft) -> None:
    draft.calibration = {
        "judge": "oracle",
        "judge_revision": draft.spec["judge_revision"],
        "characters": "sandbox",
        "source": "somebody's labels",
        "labels_sha256": "a" * 64,
        "n_labels": 40,
        "cells": [{"character": draft.samples[0]["character"], "tp": 9, "fn": 1, "fp": 1, "tn": 29}],
    }
    draft.add_up()


def corrected_without_labels(draft: Draft) -> None:
    other_calibration(draft)
    draft.calibration = None


# ---------------------------------------------------------------------------------------- pictures


def put(place: int, change: Callable[[Draft], bytes], **options: Any) -> Callable[[Draft], object]:
    """Put a picture in the place of one, with its hashes made anew."""
    return lambda draft: draft.put_picture(place, change(draft), **options)


def forge_hash(draft: Draft) -> None:
    draft.samples[0]["sha256"] = draft.judgements[0]["image_sha256"] = "a" * 64


def other_picture(draft: Draft) -> None:
    """Keep the hashes, and put in a harmless picture."""
    picture = Image.fromarray(np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    draft.pictures[0] = (draft.pictures[0][0], encoded(picture))


def drop_picture(draft: Draft) -> None:
    draft.pictures.pop(0)


def extra_picture(draft: Draft) -> None:
    draft.pictures.append(("d" * 20, encoded(Image.radial_gradient("L").convert("RGB"))))


def repeat_picture(draft: Draft) -> None:
    draft.pictures.append(draft.pictures[0])


def duplicate(draft: Draft) -> None:
    draft.put_picture(1, draft.pictures[0][1])


def near_copy(draft: Draft) -> None:
    pixels = np.asarray(draft.picture(0)).astype(int)
    noise = np.random.default_rng(1).integers(-2, 3, pixels.shape)
    draft.put_picture(1, encoded(Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))))


def moved_copy(draft: Draft) -> None:
    draft.put_picture(1, encoded(Image.fromarray(np.roll(np.asarray(draft.picture(0)), 1, axis=1))))


def with_text_inside(draft: Draft) -> bytes:
    told = PngInfo()
    told.add_text("Author", "somebody at 52.5 N 13.4 E")
    return encoded(draft.picture(0), pnginfo=told)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, packed: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def png_bomb(draft: Draft) -> bytes:
    del draft
    return png_of(60_000, 60_000, zlib.compress(bytes(1_000_000)))


def behind_pixels(draft: Draft) -> bytes:
    """Hide a text in the stream of pixels, behind the last row."""
    rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(draft.picture(0)))
    return png_of(64, 64, zlib.compress(rows + b"a second file"))


def many_scans(draft: Draft) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each is decoded over all pixels."""
    content = encoded(draft.picture(0), "JPEG", progressive=True, quality=95)
    return content[:-2] + content[content.rindex(b"\xff\xda") : -2] * 200 + content[-2:]


def many_chunks(draft: Draft) -> bytes:
    content = draft.pictures[0][1]
    return content[:33] + chunk(b"IDAT", b"") * 20_000 + content[33:]


def second_header(draft: Draft) -> bytes:
    content = draft.pictures[0][1]
    return content[:33] + content[8:33] + content[33:]


def second_picture(draft: Draft) -> bytes:
    content = encoded(draft.picture(0), "WEBP", lossless=True)
    body = content[8:] + content[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def moving(draft: Draft) -> bytes:
    other = Image.radial_gradient("L").convert("RGB").resize((64, 64))
    return encoded(draft.picture(0), save_all=True, append_images=[other], default_image=False)


def with_exif(draft: Draft) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "a maker of cameras"
    return encoded(draft.picture(0), "JPEG", exif=exif, quality=95)


def own_hash(draft: Draft) -> str:
    return draft.samples[0]["perceptual_hash"]


def put_broken(change: Callable[[Draft], bytes]) -> Callable[[Draft], object]:
    """Put in bytes that are no picture; the perceptual hash stays."""
    return lambda draft: draft.put_picture(0, change(draft), hashed_as=own_hash(draft))


def wrong_size(draft: Draft) -> None:
    draft.put_picture(0, encoded(draft.picture(0).resize((32, 32))), hashed_as=own_hash(draft))


def withheld_but_there(draft: Draft) -> None:
    draft.on_disk.append(lambda folder: write_parquet(folder / "pictures.parquet", draft.pictures))
    draft.submission["pictures"] = "withheld"


def claimed_but_gone(draft: Draft) -> None:
    draft.on_disk.append(lambda folder: (folder / "pictures.parquet").unlink())


def packed_parquet(draft: Draft) -> None:
    """A dictionary and compression: a small file that stands for any number of bytes."""

    def write(folder: Path) -> None:
        write_parquet(folder / "pictures.parquet", draft.pictures, compression="zstd", use_dictionary=True)

    draft.on_disk.append(write)


# ------------------------------------------------------------------------------------------- files


def link(folder: Path) -> None:
    outside = folder.parent / "outside.jsonl"
    (folder / "judgements.jsonl").rename(outside)
    (folder / "judgements.jsonl").symlink_to(outside)


def second_key(content: bytes) -> bytes:
    first, rest = content.split(b"\n", 1)
    return first[:-1] + b', "seed": 7}\n' + rest


def with_nan(content: bytes) -> bytes:
    row, rest = content.split(b"\n", 1)
    changed = json.loads(row) | {"seconds": float("nan")}
    return json.dumps(changed).encode() + b"\n" + rest


def with_infinity(content: bytes) -> bytes:
    row, rest = content.split(b"\n", 1)
    return json.dumps(json.loads(row) | {"seconds": 12345.5}).replace("12345.5", "1e999").encode() + b"\n" + rest


def future() -> str:
    return (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30)).isoformat()


def facts(**changes: Any) -> Callable[[Draft], object]:
    return lambda draft: draft.submission["model"].update(changes)


def submitter(**changes: Any) -> Callable[[Draft], object]:
    return lambda draft: draft.submission["submitter"].update(changes)


def with_baseline(draft: Draft) -> None:
    draft.settings["baseline"] = "some-model+none+sandbox+01234567"


def make_folder(draft: Draft) -> None:
    draft.at_last.append(lambda folder: (folder / "images").mkdir())


def many_fields(content: bytes) -> bytes:
    return b"{" + b",".join(b'"%d":1' % number for number in range(5_000)) + b"}\n" + content


def lengthen_manifest(draft: Draft) -> None:
    draft.at_last.append(lambda folder: _rewrite(folder / "MANIFEST.sha256", lambda content: content + b"x\n" * 20_000))


def empty_groups(draft: Draft) -> None:
    """Have more row groups than rows: each costs memory, and holds nothing."""
    import pyarrow.parquet as pq

    def write(folder: Path) -> None:
        table = pq.read_table(folder / "pictures.parquet")
        options = {"compression": "none", "use_dictionary": False}
        with pq.ParquetWriter(folder / "pictures.parquet", table.schema, **options) as writer:
            for _ in range(100):
                writer.write_table(table.slice(0, 0))
            writer.write_table(table)

    draft.on_disk.append(write)


def environment(text: str) -> Callable[[Draft], object]:
    return lambda draft: draft.settings["environment"].update({text: text})


ODD = ("odd-value", "figures", "too-large", "wrong-baseline")


def add_page(draft: Draft) -> None:
    draft.on_disk.append(lambda folder: (folder / "notes.html").write_text("<b>"))


def drop_metrics(draft: Draft) -> None:
    draft.on_disk.append(lambda folder: (folder / "metrics.json").unlink())


def as_service(draft: Draft) -> None:
    draft.spec["model_source"] = "openai:example.org/some-model"
    draft.submission["model"] |= {"source": "openai:example.org/some-model", "is_open": False}


TAMPERINGS: tuple[Tampering, ...] = (
    Tampering("a figure is changed", change_figure, ("changed-figure",)),
    Tampering("an interval is narrowed", change_interval, ("changed-figure",)),
    Tampering("a figure is left out", drop_figure, ("changed-figure",)),
    Tampering("a figure is invented", add_figure, ("changed-figure",)),
    Tampering("fewer requests are said to be planned", hide_missing, ("changed-figure",)),
    Tampering("hard samples are dropped", drop_hard_samples, ("missing-sample", "coverage")),
    Tampering("a sample is there twice", repeat_sample, ("repeated-sample", "missing-sample", "figures")),
    Tampering("a sample is added", add_sample, ("extra-sample", "figures")),
    Tampering("two prompts are swapped", swap_prompts, ("prompt-changed", "undeclared-change")),
    Tampering("samples are in another order", swap_order, ("order",)),
    Tampering("a softer prompt was sent", soften_prompt, ("undeclared-change",)),
    Tampering("a negative prompt that is not declared", add_negative_prompt, ("undeclared-change",)),
    Tampering("a seed is changed", of_sample(0, seed=7), ("seed-changed",)),
    Tampering("a key is changed", change_key, ("key-changed",)),
    Tampering("the sampling is changed", change_sampling, ("key-changed",)),
    Tampering("a limited run", specifying(limit=50), ("partial", "changed-figure")),
    Tampering("a baseline of one's own", with_baseline, ("wrong-baseline",)),
    Tampering("texts of another mitigation", specifying(texts_sha256="b" * 64), ("texts-changed",)),
    Tampering(
        "another mitigation is declared",
        specifying(mitigation="negprompt:name"),
        ("undeclared-change", "texts-changed", "changed-figure", "wrong-baseline"),
    ),
    Tampering(
        "a mitigation that there is not", specifying(mitigation="prayer"), ("unknown-mitigation", "wrong-baseline")
    ),
    Tampering("characters of another hash", specifying(characters_sha256="c" * 64), ("characters-changed",)),
    Tampering("a character set of one's own", other_set("my-set"), ("unknown-characters",)),
    Tampering("a character set by its path", other_set("../../etc/passwd.yaml"), ("unknown-characters",)),
    Tampering("prompts of another hash", specifying(prompts_sha256="d" * 64), ("prompts-changed",)),
    Tampering("an anchor of one's own", specifying(anchors=["keywords:mine-5"]), ("unknown-anchor",)),
    Tampering("more pictures than anybody draws", specifying(seeds=10**9), ("too-large",)),
    Tampering("another suite", telling(suite_version="0.9"), ("wrong-suite",)),
    Tampering("too many failures", fail_often, ("coverage",)),
    Tampering("a refusal with a size", refuse_with_size, ("status",)),
    Tampering("refusals of a model that cannot refuse", end_as("refused"), ("status",)),
    Tampering("blocked by nothing", end_as("blocked"), ("status",)),
    Tampering("rejected by nobody", of_sample(0, rejected=["mickey-mouse"]), ("status",)),
    Tampering("more time than there is", of_sample(0, seconds=1e300), ("seconds",)),
    Tampering("a picture that costs a fortune", telling(usd_per_picture=1e300), ("model-facts",)),
    Tampering("a baseline that shows something", as_baseline("blank"), ("blank-picture", "key-changed")),
    Tampering("a baseline that refuses nothing", as_baseline("refusing"), ("status", "key-changed")),
    Tampering("a language model of no mitigation", specifying(language_model="one"), ("undeclared-change",)),
    Tampering("less than no time", of_sample(0, seconds=-1.0), ("seconds",)),
    Tampering("another size than was asked for", of_sample(0, width=128), ("sample-size", "picture-size")),
    Tampering("a service on a device of one's own", as_service, ("device", "key-changed")),
    Tampering("a service that is open", specifying(device="service"), ("model-facts", "key-changed")),
    Tampering("a path that leads elsewhere", of_sample(0, image="../../../etc/passwd"), ("wrong-path",)),
    Tampering("a model that is said to be another", facts(name="the-best-model"), ("model-facts",)),
    Tampering("a picture that is said to be a video", facts(modality="video"), ("model-facts",)),
    Tampering("a judgement is missing", drop_judgement, ("missing-judgement",)),
    Tampering("a judgement of another picture", judge_another, ("judgement-of-another",)),
    Tampering("a judgement of nothing", judge_nothing, ("judgement-of-nothing",)),
    Tampering("a judgement twice", judge_twice, ("repeated-judgement",)),
    Tampering("two verdicts on a picture", two_verdicts, ("two-verdicts", "figures")),
    Tampering("a character of another set is seen", detect_stranger, ("unknown-character",)),
    Tampering("a verdict and a reason for none", reason_and_verdict, ("inconsistent-verdict",)),
    Tampering("a judge that ships in another revision", specifying(judge_revision="f" * 64), ("unknown-judge",)),
    Tampering("a rating that is left out", of_judgements(consistency=None), ("inconsistent-verdict",)),
    Tampering("nobody judged", judged_by_nobody, ("unknown-judge",)),
    Tampering("a judge that there is not", judged_by_unknown, ("unknown-judge", "figures")),
    Tampering("names the character and sees nobody", name_and_see_nobody, ("inconsistent-verdict",)),
    Tampering("frames of a picture", of_judgements(frames=[]), ("inconsistent-verdict",)),
    Tampering("a sheet of a picture", of_judgements(sheet=[]), ("inconsistent-verdict",)),
    Tampering("words of a judge that has none", of_judgements(closed=False, names=[]), ("inconsistent-verdict",)),
    Tampering("more labels than were counted", calibrated(n_labels=10**9), ("calibration",)),
    Tampering("labels that say otherwise", label_otherwise, ("calibration",)),
    Tampering("a script in a calibration", calibrated(source="<script>"), ("markup",)),
    Tampering("the calibration of another judge", other_calibration, ("calibration",)),
    Tampering("corrected without a calibration", corrected_without_labels, ("calibration", "changed-figure")),
    Tampering("a forged hash", forge_hash, ("forged-hash",)),
    Tampering("a harmless picture in place of one", other_picture, ("forged-hash", "perceptual-hash")),
    Tampering("a forged perceptual hash", of_sample(0, perceptual_hash="0" * 64), ("perceptual-hash",)),
    Tampering("a picture is missing", drop_picture, ("missing-picture",)),
    Tampering("a picture too many", extra_picture, ("extra-picture",)),
    Tampering("a picture twice in the file", repeat_picture, ("repeated-picture",)),
    Tampering("one picture for two samples", duplicate, ("duplicate-picture",)),
    Tampering("a copy with a little noise", near_copy, ("near-copy",)),
    Tampering("a copy moved by a pixel", moved_copy, ("near-copy",)),
    Tampering("a blank picture", put(0, lambda _: encoded(Image.new("RGB", (64, 64), "grey"))), ("blank-picture",)),
    Tampering("metadata in a picture", put(0, with_text_inside), ("picture-metadata",)),
    Tampering("a photographer in a JPEG", put(0, with_exif), ("picture-metadata",)),
    Tampering("bytes behind a picture", put(0, lambda draft: draft.pictures[0][1] + b"<script>"), ("picture-payload",)),
    Tampering("bytes behind its pixels", put(0, behind_pixels), ("picture-payload",)),
    Tampering("a JPEG of two hundred scans", put(0, many_scans), ("picture-format",)),
    Tampering("a PNG of many chunks", put(0, many_chunks), ("picture-format",)),
    Tampering("a second header", put(0, second_header), ("picture-damaged",)),
    Tampering("a WebP with a second picture", put(0, second_picture), ("picture-payload",)),
    Tampering("a moving picture", put(0, moving), ("picture-animated",)),
    Tampering("a picture cut off", put_broken(lambda draft: draft.pictures[0][1][:-60]), ("picture-damaged",)),
    Tampering("a picture that is a bomb", put_broken(png_bomb), ("picture-too-large",)),
    Tampering("a GIF", put_broken(lambda draft: encoded(draft.picture(0), "GIF")), ("picture-format",)),
    Tampering("a page for a picture", put_broken(lambda _: b"<svg onload='alert(1)'/>"), ("picture-format",)),
    Tampering("a smaller picture", wrong_size, ("picture-size", "perceptual-hash")),
    Tampering("withheld and there", withheld_but_there, ("pictures-not-withheld",)),
    Tampering("included and gone", claimed_but_gone, ("pictures-missing",)),
    Tampering("a Parquet file that unpacks", packed_parquet, ("pictures-file",)),
    Tampering("a Parquet file that is none", rewriting("pictures.parquet", lambda _: b"PAR1"), ("pictures-file",)),
    Tampering("a script in a name", submitter(name="<script>alert(1)</script>"), ("markup",)),
    Tampering("a script in the statement", telling(statement="<img src=x onerror=alert(1)>"), ("markup",)),
    Tampering("a name that is written backwards", submitter(name="Labora\u202eyrot"), ("hidden-letter",)),
    Tampering("a letter that is not seen", facts(licence="MIT\u200b"), ("hidden-letter",)),
    Tampering("a name of nothing", submitter(name="\u3164\u2800"), ("hidden-letter",)),
    Tampering("a name that covers others", submitter(name="a" + "\u0300" * 20), ("hidden-letter",)),
    Tampering("a script in the name of a setting", environment("<script>"), ("markup",)),
    Tampering("a setting as long as a book", environment("x" * 5_000), ("too-large",)),
    Tampering("an answer as long as a book", of_sample(0, detail="x" * 20_000), ("too-large",)),
    Tampering("a number of 5,000 digits", specifying(mitigation=f"negprompt:keywords-{'9' * 5_000}"), ODD),
    Tampering("a link that runs", telling(paper="javascript:alert(1)"), ("unsafe-link",)),
    Tampering("a link with a password", submitter(contact="https://user:word@example.org/"), ("unsafe-link",)),
    Tampering("a date to come", telling(date=future()), ("wrong-date",)),
    Tampering("a day that there is not", telling(date="2026-02-30"), ("wrong-date",)),
    Tampering("another schema", telling(schema_version=2), ("schema-version",)),
    Tampering("a field that nobody knows", telling(verified=True), ("schema",)),
    Tampering("a key twice in a line", rewriting("samples.jsonl", second_key), ("duplicate-key",)),
    Tampering("not a number", rewriting("samples.jsonl", with_nan), ("not-finite",)),
    Tampering("an endless number", rewriting("samples.jsonl", with_infinity), ("not-finite",)),
    Tampering("a last line cut off", rewriting("samples.jsonl", lambda content: content[:-1]), ("cut-off",)),
    Tampering(
        "letters that are no UTF-8",
        rewriting("samples.jsonl", lambda c: c.replace(b"images/", b"im\xff/", 1)),
        ("schema",),
    ),
    Tampering("a line that is very long", rewriting("judgements.jsonl", lambda c: b" " * 300_000 + c), ("too-large",)),
    Tampering("a line of many wrong fields", rewriting("judgements.jsonl", many_fields), ("schema",)),
    Tampering("a manifest that is very long", lengthen_manifest, ("too-large",)),
    Tampering("row groups of nothing", empty_groups, ("pictures-file",)),
    Tampering("a file too many", add_page, ("unknown-file",)),
    Tampering("a folder", make_folder, ("folder",)),
    Tampering("a file that is missing", drop_metrics, ("missing-file",)),
    Tampering("a link", lambda draft: draft.on_disk.append(link), ("link",)),
)
