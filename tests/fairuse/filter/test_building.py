"""Building a filter: what is on disk, what is refused, and what a kill leaves."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from copycat.errors import DataError, UserError
from copycat.fairuse.filter import OutputFilter, Policy, build_filter
from copycat.fairuse.filter.building import each_work
from copycat.fairuse.filter.hashing import window_hash, window_hashes
from copycat.fairuse.works import LoadedWork, WithheldGrams

from .conftest import NOVEL, work_of


def pseudo_text(words: int, seed: int) -> str:
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choices("abcdefghijklmnoprstuvwy", k=rng.randint(1, 9))) for _ in range(4000)]
    return " ".join(rng.choices(vocabulary, k=words))


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> OutputFilter:
    """A filter of 110,000 words in three works."""
    folder = tmp_path_factory.mktemp("big") / "filter"
    build_filter((work_of(pseudo_text(37_000, seed), f"work-{seed}") for seed in range(3)), folder, near=False)
    return OutputFilter(folder)


def test_u6_no_indexed_window_is_missed(big: OutputFilter) -> None:
    places = big.index.places().tolist()
    assert len(places) >= 100_000
    codes = np.frombuffer((big.folder / "letters.bin").read_bytes(), np.uint8)
    hashes = window_hashes(codes, 24, big.file.hash_seed).tolist()
    for place in places:
        window, hashed = big.letters.read(place, 24), hashes[place]
        assert place in big.index.find(hashed, window)


def test_u6_the_false_positive_rate_is_the_one_set(big: OutputFilter) -> None:
    others = np.random.default_rng(1).integers(0, 2**63, 1_000_000).tolist()
    rate = sum(hashed in big.index.bloom for hashed in others) / len(others)
    assert rate <= 1.2 * big.file.bloom_rate


def test_a_hit_of_the_bloom_filter_alone_blocks_nothing(tmp_path: Path) -> None:
    build_filter([work_of(NOVEL)], tmp_path / "filter", bloom_rate=0.1)
    owner = OutputFilter(tmp_path / "filter", Policy(quote_words=0, work_words=0))
    text = pseudo_text(3000, 99)
    letters = text.replace(" ", "")
    hits = sum(window_hash(letters[i : i + 24], owner.file.hash_seed) in owner.index.bloom for i in range(0, 6000, 3))
    assert hits > 50
    assert owner.check(text).spans == ()


def test_filter_json_tells_how_it_was_built(big: OutputFilter) -> None:
    facts = json.loads((big.folder / "filter.json").read_text())
    assert {"window", "bloom_bits", "bloom_rate", "hash_seed", "canonical_form", "windows", "works"} <= set(facts)
    assert (facts["window"], facts["works"]) == (24, 3)


def test_works_of_other_scripts_are_found(tmp_path: Path) -> None:
    russian = "В начале июля, в чрезвычайно жаркое время, под вечер, один молодой человек вышел из своей каморки"
    chinese = "学而时习之不亦说乎有朋自远方来不亦乐乎人不知而不愠不亦君子乎其为人也孝弟而好犯上者鲜矣"
    mixed = "plain letters first \U00020000\U00020001 and then more of the plain letters again"
    works = [work_of(russian, "russian"), work_of(chinese, "chinese"), work_of(mixed, "mixed")]
    owner = OutputFilter.of_works(works, Policy(quote_words=2, work_words=2))
    for loaded in works:
        decision = owner.check(f"xyz {loaded.readable}")
        assert [span.work for span in decision.spans] == [loaded.work.id]


def test_u10_a_filter_of_withheld_works_holds_no_readable_text(tmp_path: Path, novel: LoadedWork) -> None:
    WithheldGrams.of_text(novel.work, novel.readable).save(tmp_path / "novel.withheld")
    build_filter(each_work([str(tmp_path / "novel.withheld")]), tmp_path / "filter")
    letters = re.sub("[^a-z]", "", NOVEL.lower())
    shingles = {letters[i : i + 8] for i in range(len(letters) - 7)}
    files = [path for path in (tmp_path / "filter").rglob("*") if path.is_file()]
    assert len(files) >= 10
    for path in files:
        for encoding in ("latin-1", "utf-16-le", "utf-16-be", "utf-32-le"):
            read = re.sub("[^a-z]", "", path.read_bytes().decode(encoding, "replace").lower())
            assert not shingles & {read[i : i + 8] for i in range(len(read) - 7)}, path.name
    decision = OutputFilter(tmp_path / "filter").check(NOVEL)
    assert (decision.action, decision.spans[0].work) == ("trim", "tenth-storm")


def test_works_of_a_folder_are_taken_one_after_the_other(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(NOVEL, encoding="utf-8")
    assert [loaded.work.id for loaded in each_work([str(tmp_path)])] == ["one", "two"]
    with pytest.raises(UserError, match="two works have the id 'one'"):
        list(each_work([str(tmp_path), str(tmp_path / "one.txt")]))


def test_what_cannot_be_built_is_refused_and_leaves_nothing(tmp_path: Path, novel: LoadedWork) -> None:
    out = tmp_path / "filter"
    with pytest.raises(UserError, match="no work has 24 letters"):
        build_filter([work_of("Too short, this.", "short")], out)
    with pytest.raises(UserError, match="there is no work"):
        build_filter([], out)
    with pytest.raises(UserError, match="out of range"):
        build_filter([novel], out, window=3)
    with pytest.raises(UserError, match=r"false-positive rate of 0\.5"):
        build_filter([novel], out, bloom_rate=0.5)
    grams = WithheldGrams.of_text(novel.work, novel.readable)
    with pytest.raises(UserError, match="build with --window 24"):
        build_filter([LoadedWork(grams.file.work, withheld=grams)], out, window=30)
    assert list(tmp_path.iterdir()) == []
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something already"):
        build_filter([novel], out)


def test_a_short_work_among_others_is_no_fault(novel: LoadedWork) -> None:
    owner = OutputFilter.of_works([work_of("Too short, this.", "short"), novel])
    assert owner.check(NOVEL).spans[0].work == "tenth-storm"


def test_a_filter_of_another_version_is_refused(tmp_path: Path, novel: LoadedWork) -> None:
    build_filter([novel], tmp_path / "filter")
    path = tmp_path / "filter" / "filter.json"
    path.write_text(path.read_text().replace('"canonical_form": 1', '"canonical_form": 0'))
    with pytest.raises(DataError, match="canonical form 0"):
        OutputFilter(tmp_path / "filter")
    path.write_text("{}")
    with pytest.raises(DataError, match=r"filter\.json: field"):
        OutputFilter(tmp_path / "filter")
    with pytest.raises(UserError, match="holds no filter"):
        OutputFilter(tmp_path)


@pytest.mark.parametrize("how", ["missing", "cut off", "empty"])
def test_a_damaged_filter_is_refused(tmp_path: Path, novel: LoadedWork, how: str) -> None:
    build_filter([novel], tmp_path / "filter")
    names = [path.name for path in (tmp_path / "filter").iterdir() if path.name != "filter.json"]
    assert len(names) == 8
    for name in names:
        path = tmp_path / "filter" / name
        content = path.read_bytes()
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes(content[: len(content) // 2] if how == "cut off" else b"")
        with pytest.raises(DataError, match="build it again"):
            OutputFilter(tmp_path / "filter")
        path.write_bytes(content)
    assert OutputFilter(tmp_path / "filter").check(NOVEL).action == "trim"


@pytest.mark.parametrize(
    "name",
    [
        "bloom.bin",
        "places.bin",
        "letters.bin",
        "near-bloom.bin",
        "near-places.bin",
        "hash_seed",
        "window",
        "near_sample",
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, novel: LoadedWork, name: str) -> None:
    build_filter([novel], tmp_path / "filter")
    path = tmp_path / "filter" / name
    if path.suffix == ".bin":
        path.write_bytes(path.read_bytes()[:8] + random.Random(name).randbytes(path.stat().st_size - 8))
    else:
        path = path.with_name("filter.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), name: 9}))
    with pytest.raises(DataError, match="do not belong together"):
        OutputFilter(tmp_path / "filter")


@pytest.mark.parametrize(
    ("name", "value"), [("window", 0), ("near_sample", 0), ("near_window", -1), ("bloom_rate", 0), ("works", -1)]
)
def test_a_number_that_cannot_be_is_refused(tmp_path: Path, novel: LoadedWork, name: str, value: int) -> None:
    build_filter([novel], tmp_path / "filter")
    path = tmp_path / "filter" / "filter.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(DataError, match=f"field '{name}'"):
        OutputFilter(tmp_path / "filter")


def test_a_withheld_work_that_is_damaged_or_gone_from_a_filter_is_told_of(tmp_path: Path, novel: LoadedWork) -> None:
    grams = WithheldGrams.of_text(novel.work, novel.readable)
    build_filter([LoadedWork(grams.file.work, withheld=grams)], tmp_path / "filter")
    (tmp_path / "filter" / "withheld" / ".DS_Store").write_bytes(b"")
    assert OutputFilter(tmp_path / "filter").check(NOVEL).action == "trim"
    for path in (tmp_path / "filter" / "withheld" / "tenth-storm").iterdir():
        content = path.read_bytes()
        path.write_bytes(b"")
        with pytest.raises(DataError, match=r"make it again from the text|bring back the salt"):
            OutputFilter(tmp_path / "filter")
        path.write_bytes(content)
    (tmp_path / "filter" / "withheld" / "tenth-storm").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="holds 0 withheld works, and the filter was built of 1"):
        OutputFilter(tmp_path / "filter")


BUILD = """
import sys, time
from pathlib import Path
from copycat.fairuse.filter.building import build_filter
from copycat.fairuse.works import load_works
def slowly(letters):
    print("begun", flush=True); time.sleep(60)
build_filter(load_works(["public-domain"]), Path(sys.argv[1]), advance=slowly)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_build_that_is_killed_leaves_no_filter_and_can_be_done_again(
    tmp_path: Path, novel: LoadedWork, how: signal.Signals
) -> None:
    out = tmp_path / "filter"
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, out], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(how)
    assert not out.exists()
    if how == signal.SIGINT:
        assert list(tmp_path.iterdir()) == []
    build_filter([novel], out)
    assert [path.name for path in tmp_path.iterdir()] == ["filter"]
    assert OutputFilter(out).check(NOVEL).action == "trim"
