"""From candidates to a frozen list, and the command that does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from harness import Cli, CommandLine
from text_server import MODEL, TextServer

from copycat.catalog import read_character_set
from copycat.corpus import open_corpus
from copycat.discovery.candidates import Source
from copycat.discovery.keywords import gather, rank
from copycat.discovery.rankers import RANKERS
from copycat.discovery.wanted import Wanted, discover
from copycat.errors import DataError, UnsupportedError, UserError
from copycat.sandbox.corpus import build_rows, write_captions
from copycat.sandbox.world import inhabitants
from copycat.schema import CharacterSet

CAPTIONS = ["Goofy hat dog", "Goofy hat", "Goofy dog shoe", "a dog", "dog", "Max cap", "Max cap dog"]
WORDS = ("dog", "hat", "shoe", "cap", "never", "Goofy")


@pytest.fixture
def set_file(tmp_path: Path) -> Path:
    """Two characters without keywords."""
    plain = {"franchise": "x y", "key_characteristic": "dog", "description": "A dog."}
    people = [{"id": "goofy", "name": "Goofy", **plain}, {"id": "max", "name": "Max", **plain}]
    path = tmp_path / "my-set.yaml"
    path.write_text(json.dumps({"id": "my-set", "characters": people}), encoding="utf-8")
    return path


@pytest.fixture
def characters(set_file: Path) -> CharacterSet:
    return read_character_set(set_file)


@pytest.fixture
def discover_cli(command_line: CommandLine) -> Cli:
    """Run `python -m copycat.discover ...` in this process."""
    from copycat.commands.discover import app

    return command_line(app, "copycat.discover")


@pytest.fixture
def corpus_file(tmp_path: Path) -> Path:
    pl.DataFrame({"caption": CAPTIONS}).write_parquet(tmp_path / "c.parquet")
    return tmp_path / "c.parquet"


def source(characters: CharacterSet, *words: str) -> Source:
    return Source("file:x", {who.id: words for who in characters.characters})


@pytest.mark.parametrize(
    ("ranker", "order"),
    # of 7 captions 3 name Goofy; dog is in 5 (2 with Goofy), hat in 2 (2), shoe in 1 (1)
    [("cooccurrence", ["hat", "dog", "shoe"]), ("pmi", ["shoe", "hat", "dog"]), ("llr", ["hat", "shoe", "dog"])],
)
def test_rankers_of_a_corpus_order_by_their_own_measure(
    corpus_file: Path, characters: CharacterSet, ranker: str, order: list[str]
) -> None:
    gathered = gather([source(characters, *WORDS)], characters)
    found = rank(gathered, characters, ranker, corpus=open_corpus([corpus_file]))
    assert [one.text for one in found.lists["goofy"]] == order
    assert found.provenance["corpus_rows"] == "7"


def test_everybodys_candidates_are_ranked_for_everybody_on_request(characters: CharacterSet) -> None:
    one = Source("x", {"goofy": ("dog",), "max": ("cap",)})
    assert gather([one], characters).pool == {"goofy": ("dog",), "max": ("cap",)}
    assert gather([one], characters, pool="all").pool == {"goofy": ("dog", "cap"), "max": ("dog", "cap")}


def test_a_list_of_nothing_but_names_is_refused(characters: CharacterSet) -> None:
    with pytest.raises(DataError, match="no candidate is left"):
        gather([source(characters, "Goofy", "max")], characters)


@pytest.mark.parametrize("ranker", [row.name for row in RANKERS.rows()])
def test_a_ranker_says_what_it_lacks(characters: CharacterSet, ranker: str) -> None:
    with pytest.raises(UnsupportedError, match=r"needed|name"):
        rank(gather([source(characters, "dog")], characters), characters, ranker)


# ------------------------------------------------------------------------------------ the command


def test_the_command_freezes_a_list_that_the_next_run_can_use(
    discover_cli: Cli, set_file: Path, corpus_file: Path, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\n".join(WORDS), encoding="utf-8")
    asked = ("--from", str(words), "--corpus", str(corpus_file), "--name", "mine", "--lists", str(tmp_path / "l"))
    answer = discover_cli("keywords", "--characters", str(set_file), *asked, "--without", "shoe")
    assert answer.code == 0, answer.err
    assert "names the character ('Goofy')" in answer.err
    frozen = json.loads((tmp_path / "l" / "my-set" / "keywords-mine.json").read_text(encoding="utf-8"))
    assert frozen["texts"] == {"goofy": ["hat", "dog"], "max": ["cap", "dog"]}
    assert frozen["provenance"]["corpus"] == "c.parquet"
    assert any("shoe" in line for line in frozen["removed"])


def test_the_command_prints_json(discover_cli: Cli, set_file: Path, corpus_file: Path, tmp_path: Path) -> None:
    asked = ("--corpus", str(corpus_file), "--lists", str(tmp_path / "l"), "--json")
    answer = discover_cli("keywords", "--characters", str(set_file), *asked)
    content = json.loads(answer.out)
    assert content["characters"]["goofy"][0] == {"text": "hat", "score": 2.0}
    assert content["faults"] == []


def test_a_count_tells_each_name_and_what_stands_beside_it_and_resumes(
    discover_cli: Cli, set_file: Path, corpus_file: Path, tmp_path: Path
) -> None:
    asked = ("count", "--characters", str(set_file), "--corpus", str(corpus_file), "--phrases", "dog, cap")
    asked += ("--lists", str(tmp_path / "l"))
    answer = discover_cli(*asked)
    assert answer.code == 0, answer.err
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["Goofy", "3", "Goofy", "3", "dog", "2"] in lines
    assert ["Max", "2", "Max", "2", "cap", "2,", "dog", "1"] in lines
    assert list((tmp_path / "l" / "counts").iterdir())
    assert json.loads(discover_cli(*asked, "--json").out)["names"] == {"goofy": 3, "max": 2}


def test_a_name_that_is_a_common_word_is_warned_of(discover_cli: Cli, set_file: Path, tmp_path: Path) -> None:
    texts = [f"The max of Row {number}" for number in range(30)]
    pl.DataFrame({"caption": texts}).write_parquet(tmp_path / "c.parquet")
    asked = ("--characters", str(set_file), "--corpus", str(tmp_path / "c.parquet"), "--lists", str(tmp_path / "l"))
    assert "WARNING: max: 'Max' is written in small letters in 30 of 30" in discover_cli("count", *asked).err


def test_a_list_that_leaves_somebody_without_words_says_that_it_is_no_anchor(
    discover_cli: Cli, set_file: Path, corpus_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "w.txt").write_text("hat\nHat\nGoofy\n", encoding="utf-8")
    asked = (
        "--from",
        str(tmp_path / "w.txt"),
        "--corpus",
        str(corpus_file),
        "--name",
        "mine",
        "--lists",
        str(tmp_path),
    )
    answer = discover_cli("keywords", "--characters", str(set_file), *asked)
    assert "no anchor for the whole set: 1 of 2 characters have none" in answer.out
    assert "WARNING: max: none of its candidates ever stands beside its name" in answer.err
    assert "is there already: 2" in answer.err


@pytest.mark.parametrize("options", [("--executor", "rya"), (), ("--deduplicate", "--processes", "2")])
def test_a_count_that_cannot_be_is_refused(
    discover_cli: Cli, corpus_file: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    corpus = ("--corpus", str(corpus_file)) if options else ()
    answer = discover_cli("count", *corpus, *options, "--lists", str(tmp_path / "l"))
    assert answer.code == 2
    assert answer.err.startswith("error: ")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ranker": "cooccurence"}, "did you mean"),
        ({"sources": ("corpus",)}, "--corpus PATH"),
        ({"sources": ("llm",)}, "--llm NAME"),
        ({"sources": ("nothing",)}, "nothing"),
        ({"name": "Not A Name"}, "cannot name a list"),
        ({"kind": "description"}, "--ranker embedding"),
        ({"ranker": "embedding"}, "--model NAME"),
        ({"ranker": "lm-greedy"}, "--llm NAME"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_type(
    tmp_path: Path, set_file: Path, corpus_file: Path, asked: dict[str, Any], said: str
) -> None:
    given = {"characters": "sandbox", "lists": tmp_path, "name": "x", **asked}
    if "Not" in str(asked):
        given |= {"corpus": (str(corpus_file),), "characters": str(set_file)}
    with pytest.raises(UserError, match=said):
        discover(Wanted(**given), quiet)
    assert not list(tmp_path.rglob("keywords-*.json"))


def quiet(title: str) -> Any:
    from contextlib import nullcontext

    return nullcontext(lambda _: None)


# ------------------------------------------------------------------------------- a language model


def test_a_service_suggests_candidates_and_chooses_the_best_of_them(
    set_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(instruction: str, text: str, body: dict[str, Any]) -> str:
        del instruction, body
        if "Candidates:" in text:
            return "green hat, dog, Goofy hat"
        return "1. dog\n2. green hat\n3. goofy\n4. Green Hat" if "Goofy" in text else "I would rather not."

    with TextServer(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        wanted = Wanted(
            characters=str(set_file), sources=("llm",), ranker="lm-ranked", llm=f"openai:{MODEL}", name="x",
            lists=tmp_path,
        )  # fmt: skip
        found = discover(wanted, quiet).discovered
    assert [one.text for one in found.lists["goofy"]] == ["green hat", "dog"]
    assert found.lists["max"] == ()
    assert any(said.startswith("llm:") and "max" in said for said in found.faults)


# ---------------------------------------------------------------------- a world with ground truth


def test_theme_and_species_are_among_the_first_three_words_of_the_sandboxs_captions(tmp_path: Path) -> None:
    """The bar: of characters with 50 or more training pictures, nine of ten."""
    write_captions(build_rows(), tmp_path / "captions.parquet")
    found = discover(Wanted(characters="sandbox", corpus=(str(tmp_path / "captions.parquet"),), name="x",
                            lists=tmp_path), quiet).discovered  # fmt: skip
    often = [who for who in inhabitants() if who.pictures >= 50]
    first = {who.id: {one.text for one in found.lists[who.id][:3]} for who in often}
    told = [who for who in often if {who.appearance.theme, who.appearance.species} <= first[who.id]]
    assert len(told) >= 0.9 * len(often)
    assert not any("Orbit" in text or who.name in text for who in often for text in first[who.id])


def test_the_sandboxs_own_encoder_holds_theme_or_species_near_the_name(tmp_path: Path) -> None:
    found = discover(
        Wanted(characters="sandbox", sources=("cooccurrence",), ranker="embedding", model="sandbox", name="x",
               lists=tmp_path), quiet
    ).discovered  # fmt: skip
    often = [who for who in inhabitants() if who.pictures >= 500]
    first = {who.id: {one.text for one in found.lists[who.id][:3]} for who in often}
    assert all({who.appearance.theme, who.appearance.species} & first[who.id] for who in often)
