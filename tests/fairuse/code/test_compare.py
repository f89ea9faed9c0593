"""Shared spans are found whatever is changed around them; what merely uses the same library is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from copycat.errors import UserError
from copycat.fairuse.code.compare import compare_code, compare_one
from copycat.fairuse.code.corpus import build_index, load_index, read_templates, save_index
from copycat.fairuse.code.records import CodeOutput, Settings

from .conftest import QUEUE, TIDES, recommented, reformatted, renamed, reordered

Against = Callable[[str], CodeOutput]

THRESHOLD = 0.33


@pytest.mark.parametrize(
    ("change", "at_least"),
    [(str, 1.0), (renamed, 1.0), (recommented, 1.0), (reformatted, 1.0), (reordered, 0.95)],
    ids=["as it is", "renamed", "other comments", "reformatted", "reordered"],
)
def test_a_copy_keeps_its_similarity_when_it_is_disguised(
    against: Against, change: Callable[[str], str], at_least: float
) -> None:
    found = against(change(TIDES))
    assert [hit.file for hit in found.hits] == ["tides/tides.py"]
    assert found.share >= at_least
    assert found.hits[0].share == found.share


def test_another_program_on_the_same_library_stays_below_the_threshold(against: Against) -> None:
    found = against(QUEUE)
    assert found.tokens > 150
    assert found.share < THRESHOLD


def test_a_hit_names_the_lines_on_both_sides(against: Against) -> None:
    function = TIDES[TIDES.index("def turning_points") : TIDES.index("class Harbour")]
    found = against("import os\n\nnothing = 1\n\n\n" + renamed(function))
    (span,) = found.hits[0].spans
    assert (span.output_first_line, span.output_last_line) == (6, 13)
    assert TIDES.splitlines()[span.file_first_line - 1] == "def turning_points(levels):"
    assert TIDES.splitlines()[span.file_last_line - 1].strip() == "return places"


def test_a_shared_span_of_the_guaranteed_length_is_always_found(tmp_path: Path) -> None:
    """The promise of winnowing, from end to end: t = w + k - 1 tokens, anywhere in both files."""
    chance = random.Random(3)
    settings = Settings(k=10, window=5)
    words = ["if", "a", "1", "+", "(", ")", "==", "return", "[", "]", "while", "-", "{", "}", "or", ":"]
    for _ in range(50):
        shared = chance.choices(words, k=settings.guarantee)
        theirs, mine = ([*chance.choices(words, k=chance.randrange(60))] for _ in range(2))
        folder = tmp_path / "corpus"
        folder.mkdir(exist_ok=True)
        (folder / "theirs.py").write_text(" ".join([*theirs, ";", *shared, ";", *theirs[:9]]), encoding="utf-8")
        found = compare_one(" ".join([*mine, "=", *shared, "=", *mine[:9]]), "mine.py", build_index(folder, settings))
        assert any(span.tokens >= settings.guarantee for hit in found.hits for span in hit.spans)


def test_a_span_shorter_than_k_is_never_found(tmp_path: Path) -> None:
    words = ["if", "a", "1", "+", "(", ")", "=", "return", "[", "]", "while", "-", "{", "}", "*", "<", "/", ">", "or"]
    (tmp_path / "theirs.py").write_text(" ".join([*words, ";", *reversed(words), "&", "|"]), encoding="utf-8")
    index = build_index(tmp_path, Settings(k=20, window=1))
    assert compare_one(" ".join([*words, ";", "if"]), "mine.py", build_index(tmp_path, Settings(k=19, window=1))).hits
    assert not compare_one(" ".join([*words, ":", ":", *reversed(words)]), "mine.py", index).hits


def test_what_stands_in_many_sources_is_subtracted(corpus: Path) -> None:
    function = TIDES[TIDES.index("def turning_points") : TIDES.index("class Harbour")]
    for number in range(4):
        (corpus / f"project-{number}").mkdir()
        own = f"def own_{number}(a, b):\n    return [a" + " + b" * (number + 1) + "]\n"
        (corpus / f"project-{number}" / "levels.py").write_text(function + own, encoding="utf-8")
    kept = compare_one(TIDES, "answer.py", build_index(corpus, Settings(sources=6)))
    found = compare_one(TIDES, "answer.py", build_index(corpus, Settings(sources=5)))
    assert (kept.boilerplate, len(kept.hits)) == (0, 5)
    assert found.boilerplate > 50
    assert [hit.file for hit in found.hits] == ["tides/tides.py"]
    assert found.share == 1.0
    assert not compare_one(function, "answer.py", build_index(corpus, Settings(sources=5))).hits


def test_the_same_file_in_many_projects_is_no_boilerplate(corpus: Path) -> None:
    for number in range(6):
        (corpus / f"project-{number}").mkdir()
        (corpus / f"project-{number}" / "tides.py").write_text(TIDES, encoding="utf-8")
    found = compare_one(TIDES, "answer.py", build_index(corpus, Settings(sources=2)))
    assert (found.boilerplate, found.share) == (0, 1.0)


def test_templates_are_subtracted_too(corpus: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.py"
    template.write_text(renamed(TIDES), encoding="utf-8")
    settings = Settings()
    index = build_index(corpus, settings, read_templates(template, settings)) if _has_more(corpus) else None
    assert index is not None
    found = compare_one(TIDES, "answer.py", index)
    assert (found.share, found.hits) == (0.0, ())
    assert found.boilerplate == found.tokens


def _has_more(corpus: Path) -> bool:
    """Something beside the template must stay, or the index would be empty."""
    return (corpus / "queue.py").write_text(QUEUE, encoding="utf-8") > 0


def test_tables_of_numbers_and_lists_of_imports_are_no_hits(tmp_path: Path) -> None:
    (tmp_path / "table.py").write_text(QUEUE + "TABLE = [" + "1, 2, 3, " * 50 + "]\n", encoding="utf-8")
    (tmp_path / "imports.py").write_text("".join(f"import module_{i}\n" for i in range(50)), encoding="utf-8")
    index = build_index(tmp_path, Settings())
    assert not compare_one("NUMBERS = [" + "7, 8, " * 60 + "]\n", "answer.py", index).hits
    assert not compare_one("".join(f"import other_{i}\n" for i in range(40)), "answer.py", index).hits


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "holds no token of code"),
        ("# only words\n", "holds no token of code"),
        ("x = 1\n", "has 3 tokens, fewer than 25"),
    ],
)
def test_too_little_code_is_counted_and_not_compared(against: Against, code: str, reason: str) -> None:
    found = against(code)
    assert (found.reason, found.hits, found.share) == (reason, (), 0.0)


def test_files_that_are_no_code_are_counted_by_reason(corpus: Path) -> None:
    (corpus / "binary.py").write_bytes(b"\0\1\2")
    (corpus / "latin.py").write_bytes(b"name = 'caf\xe9'\n")
    (corpus / "long.py").write_text("x = 1\n" * 400_000, encoding="utf-8")
    (corpus / "notes.txt").write_text("words", encoding="utf-8")
    index = build_index(corpus, Settings())
    assert index.facts().passed_over == {
        "binary": 1,
        "more than 2,000,000 bytes": 1,
        "no code, by the name": 1,
        "read as Latin-1, not in UTF-8": 1,
    }
    assert index.facts().files == 2


def test_a_corpus_without_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words", encoding="utf-8")
    with pytest.raises(UserError, match=r"holds no code that can be compared: no code, by the name: 1"):
        build_index(tmp_path, Settings())


def test_a_binary_output_is_refused(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_bytes(b"\x7fELF\0\0")
    with pytest.raises(UserError, match=r"answer.py cannot be compared: binary"):
        compare_code([tmp_path / "answer.py"], build_index(corpus, Settings()))


def test_an_index_is_kept_and_made_again_when_the_corpus_or_the_settings_change(corpus: Path, tmp_path: Path) -> None:
    settings, place = Settings(), tmp_path / "index"
    built = build_index(corpus, settings)
    save_index(built, place)
    kept = load_index(place, corpus, settings)
    assert kept is not None
    assert compare_one(TIDES, "a.py", kept) == compare_one(TIDES, "a.py", built)
    assert load_index(place, corpus, Settings(k=20)) is None
    (corpus / "more.py").write_text(QUEUE, encoding="utf-8")
    assert load_index(place, corpus, settings) is None


@pytest.mark.slow
def test_more_processes_make_the_same_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copycat.fairuse.code.corpus.CHUNK", 4)
    monkeypatch.setattr("copycat.fairuse.code.corpus.PARALLEL_FROM", 2)
    for number in range(11):
        code = "def own(a, b):\n    return [a" + " + b" * (number + 9) + f"] if {number} else None\n"
        (tmp_path / f"file_{number:03}.py").write_text(code, encoding="utf-8")
    (tmp_path / "binary.py").write_bytes(b"\0")
    one, two = (build_index(tmp_path, Settings(sources=200), processes=processes) for processes in (1, 2))
    assert one.about == two.about
    assert all((a == b).all() for a, b in ((one.hashes, two.hashes), (one.files, two.files), (one.places, two.places)))


def test_an_index_that_is_damaged_is_made_again(corpus: Path, tmp_path: Path) -> None:
    save_index(build_index(corpus, Settings()), tmp_path / "index")
    (tmp_path / "index" / "hashes.npy").write_bytes(b"junk")
    assert load_index(tmp_path / "index", corpus, Settings()) is None
