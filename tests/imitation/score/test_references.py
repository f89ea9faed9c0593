"""Which pictures of a concept its generations are compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from copycat.commands import sandbox
from copycat.errors import UserError
from copycat.imitation.records import Concept
from copycat.imitation.score.references import Chosen, Reference, choose_references, find_references
from copycat.sandbox.corpus import build_rows
from copycat.sandbox.references import reference_seeds, write_references

CONCEPTS = tuple(Concept(id=name.lower(), name=name, aliases=(f"Old {name}",)) for name in ("Goofy", "Max", "Bluto"))


def write(folder: Path, **pictures: Sequence[str]) -> Path:
    """Write files whose content is a text: nothing is decoded here."""
    for name, contents in pictures.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents):
            (folder / name / f"{number}.png").write_text(content)
    return folder


def choose(folder: Path, m: int, rejected: Sequence[str] = ()) -> Chosen:
    bad = {hashlib.sha256(text.encode()).hexdigest() for text in rejected}
    return choose_references(
        find_references(folder, CONCEPTS), m, lambda batch: [each.sha256 not in bad for each in batch]
    )


def by_hash(texts: Sequence[str]) -> list[str]:
    return sorted(hashlib.sha256(text.encode()).hexdigest() for text in texts)


def digests(references: Sequence[Reference]) -> list[str]:
    return [each.sha256 for each in references]


def test_the_first_m_in_the_order_of_their_hash_are_taken(tmp_path: Path) -> None:
    texts = [f"goofy {n}" for n in range(12)]
    chosen = choose(write(tmp_path, goofy=texts, max=["a", "b", "c"]), 3)
    assert digests(chosen.by_concept["goofy"]) == by_hash(texts)[:3]
    assert digests(chosen.by_concept["max"]) == by_hash("abc")
    assert chosen.left_out == {"bluto": "no reference"}


def test_names_of_files_and_their_order_change_nothing(tmp_path: Path) -> None:
    texts = [f"goofy {n}" for n in range(9)]
    one = choose(write(tmp_path / "one", goofy=texts), 4)
    other = choose(write(tmp_path / "other", **{"Old Goofy": texts[::-1]}), 4)
    assert digests(one.by_concept["goofy"]) == digests(other.by_concept["goofy"])
    sums = [find_references(tmp_path / name, CONCEPTS).sha256 for name in ("one", "other")]
    assert sums[0] == sums[1]
    write(tmp_path / "other", goofy=["another"])
    assert find_references(tmp_path / "other", CONCEPTS).sha256 != sums[0]


def test_what_the_embedder_rejects_gives_way_to_the_next(tmp_path: Path) -> None:
    texts = [f"goofy {n}" for n in range(12)]
    in_order = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).hexdigest())
    chosen = choose(write(tmp_path, goofy=texts), 4, rejected=[in_order[0], in_order[3], in_order[4]])
    assert digests(chosen.by_concept["goofy"]) == [by_hash(texts)[place] for place in (1, 2, 5, 6)]
    assert digests(chosen.passed_over) == [by_hash(texts)[place] for place in (0, 3, 4)]


def test_no_more_pictures_are_looked_at_than_needed(tmp_path: Path) -> None:
    write(tmp_path, goofy=[f"goofy {n}" for n in range(50)], max=[f"max {n}" for n in range(50)])
    asked: list[int] = []
    choose_references(find_references(tmp_path, CONCEPTS), 5, lambda batch: [asked.append(1) is None for _ in batch])
    assert len(asked) == 10


def test_who_has_too_few_is_left_out_with_the_reason(tmp_path: Path) -> None:
    chosen = choose(write(tmp_path, goofy=["a", "b", "c"], max=["d", "d", "e"], bluto=["f", "g", "h"]), 3, ["h"])
    assert chosen.left_out == {
        "max": "2 references; 3 are needed",
        "bluto": "3 references, 1 of them rejected or damaged; 3 are needed",
    }
    with pytest.raises(UserError, match=r"no concept has 9 .* the most are 3\n  use fewer: --per-concept 3"):
        choose(tmp_path, 9)
    with pytest.raises(UserError, match="the most are 0\n  use other pictures, or another --embedder"):
        choose(tmp_path, 1, list("abcdefgh"))


def test_strangers_shared_pictures_and_other_files_are_told(tmp_path: Path) -> None:
    write(tmp_path, goofy=["a", "same"], max=["b", "same"], goffy=["c"])
    (tmp_path / "goofy" / "photo.gif").write_text("GIF")
    (tmp_path / "goofy" / ".hidden.png").write_text("hidden")
    found = find_references(tmp_path, CONCEPTS)
    assert len(found.by_concept["goofy"]) == 2
    text = "\n".join(found.warnings)
    assert "1 files such as" in text
    assert "are not read; convert them to .png" in text
    assert "1 folder of references is of no concept: goffy" in text
    assert "1 reference is the same picture for two concepts: goofy and max" in text


def test_a_folder_of_references_named_by_a_shared_alias_is_told_with_both_concepts(tmp_path: Path) -> None:
    write(tmp_path, goofy=["a"], Pal=["b"])
    concepts = tuple(concept.model_copy(update={"aliases": ("Pal",)}) for concept in CONCEPTS[:2])
    found = find_references(tmp_path, concepts)
    assert [len(found.by_concept[who]) for who in ("goofy", "max")] == [1, 0]
    assert "folder of references 'Pal' is left out: it is a name of goofy and of max" in found.warnings[0]


def test_two_folders_of_references_of_one_concept_are_told_and_nothing_counts_twice(tmp_path: Path) -> None:
    write(tmp_path, goofy=["a", "b"], Goofy=["b"], max=["c"])
    found = find_references(tmp_path, CONCEPTS)
    assert len(found.by_concept["goofy"]) == 2
    assert "folders of references Goofy and goofy are of one concept, goofy" in found.warnings[0]


def test_a_folder_without_a_picture_shows_the_layout(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no folder(.|\n)*FOLDER/some-concept/1.png"):
        find_references(tmp_path / "none", CONCEPTS)
    write(tmp_path, nobody=["a"])
    with pytest.raises(UserError, match="holds no picture of these concepts"):
        find_references(tmp_path, CONCEPTS)


# ----------------------------------------------------------------------------------------------- the sandbox's


@pytest.mark.slow
def test_references_of_the_sandbox_are_no_training_pictures() -> None:
    seeds = reference_seeds(30)
    drawn = [seed for of_one in seeds.values() for seed in of_one]
    assert (len(seeds), len(set(drawn))) == (50, 1500)
    assert not set(drawn) & {row.seed for row in build_rows()}
    assert {who: of_one[:5] for who, of_one in seeds.items()} == reference_seeds(5)
    assert not set(drawn) & {seed for of_one in reference_seeds(30, seed=1).values() for seed in of_one}


@pytest.mark.slow
def test_the_same_references_are_drawn_each_time(tmp_path: Path) -> None:
    assert write_references(tmp_path / "one", 2) == 100
    answer = CliRunner().invoke(sandbox.app, ["references", "--folder", str(tmp_path / "other"), "--pictures", "2"])
    assert (answer.exit_code, answer.output.split(": ")[1]) == (0, "100 pictures\n")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.png"))
    assert len(files) == 100
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "other" / f).read_bytes() for f in files)
