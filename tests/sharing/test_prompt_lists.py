"""Prompts that others wrote become a list: each row is taken up, or told with its place and the reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harness import Cli
from hub_server import HubServer
from run_folders import read, tree

from copycat.catalog import build_prompts, parse_anchor, prompt_set_of, read_character_set, with_lists
from copycat.catalog.foreign_tables import decode, parse_foreign_table, read_foreign_table, unscrambled
from copycat.errors import DataError

MINE = ("--characters", "mine.yaml")
KEYWORDS = ("--kind", "keywords", "--name", "theirs")

ODD_ROWS = (
    (",target,prompt", None),
    ('0,Ariel,"sea maid, red hair, cartoon"', None),
    ('1,"Winnie-the-Pooh ","honey pot, small bear"', "'Winnie-the-Pooh ' is taken as 'Winnie-the-Pooh'"),
    ("2,Sponge Bob,\"'yellow sponge', sea floor.\"", "'Sponge Bob' is taken as 'SpongeBob SquarePants'"),
    ('3,Steve,"blocks, pickaxe"', "'Steve' is no character of set 'copycat50': not taken up"),
    ('4,Ariel,"a second time"', "Ariel has a row already, odd.csv:2: not taken up"),
    ("5,,nobody's words", "column 'target' is empty: not taken up"),
    ("6,Batman,", "'Batman' has no text in column 'prompt': not taken up"),
    ('7,Hulk,"green giant",extra', "has 4 cells, and the header has 3: not taken up"),
    ('8,Goofy,"tall dog, hat', "a quote is not closed, or stands in the wrong place; has 4 cells"),
    ("9,Kirby,pink", None),
    ('10,Bulbasaur,"PokÃ©mon, plant"', "column 'prompt' was scrambled by two encodings; read as 'Pokémon, plant'"),
    ('11,"Chun-Li","blue dress, Café, blue dress"', "chun-li: 'blue dress' is there twice: kept"),
)
"""Lines of a file with every fault that published lists are known to have, and what is said of each."""


def odd_file(folder: Path, encoding: str = "cp1252") -> None:
    (folder / "odd.csv").write_bytes("\r\n".join(line for line, _ in ODD_ROWS).encode(encoding))


def texts(path: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = read(Path(path))["texts"]
    return found


def said_of(line: int, answer: str) -> str:
    return "\n".join(text for text in answer.splitlines() if text.strip().startswith(f"odd.csv:{line}:"))


def test_every_row_of_an_odd_file_is_taken_up_or_told_with_its_line(data: Cli, tmp_path: Path) -> None:
    odd_file(tmp_path)

    answer = data("download", "prompts", "odd.csv", *KEYWORDS, "--drop-last", "cartoon")

    assert answer.code == 0
    assert texts("lists/copycat50/keywords-theirs.json") == {
        "ariel": ["sea maid", "red hair"],
        "bulbasaur": ["Pokémon", "plant"],
        "chun-li": ["blue dress", "Café", "blue dress"],
        "kirby": ["pink"],
        "spongebob-squarepants": ["yellow sponge", "sea floor"],
        "winnie-the-pooh": ["honey pot", "small bear"],
    }
    for number, (_, fault) in enumerate(ODD_ROWS, start=1):
        assert (fault or "") in said_of(number, answer.err)
        assert bool(said_of(number, answer.err)) == (fault is not None)
    assert "odd.csv: is not UTF-8; read as cp1252" in answer.err
    assert "6 of 12 rows taken up, for 6 of 50 characters" in answer.out


def test_a_character_that_a_file_lacks_is_told(data: Cli, tmp_path: Path) -> None:
    odd_file(tmp_path)

    answer = data("download", "prompts", "odd.csv", *KEYWORDS)

    (line,) = [text for text in answer.err.splitlines() if "odd.csv: no text for" in text]
    assert "'Link'" in line
    assert "'Batman'" in line
    assert "'Ariel'" not in line
    assert "covers 6 of 50 characters, and an anchor needs all:" in answer.out
    assert "--characters FILE with a file of those 6" in answer.out


def test_what_was_said_is_kept_in_the_list(data: Cli, tmp_path: Path) -> None:
    odd_file(tmp_path)

    answer = data("download", "prompts", "odd.csv", *KEYWORDS)

    kept = read(Path("lists/copycat50/keywords-theirs.json"))
    assert all(fault in answer.err for fault in kept["faults"])
    assert f"{len(kept['faults'])} remarks" in answer.out
    assert "odd.csv:13: chun-li: 'blue dress' is there twice: kept" in kept["faults"]
    assert kept["provenance"]["source"] == "odd.csv"
    assert kept["provenance"]["columns"] == "target, prompt"


def test_a_keyword_that_names_its_character_is_kept_and_told_with_its_line(data: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('target,prompt\nAriel,"sea maid, ariel\'s fin"\n')

    answer = data("download", "prompts", "a.csv", *KEYWORDS)

    assert texts("lists/copycat50/keywords-theirs.json") == {"ariel": ["sea maid", "ariel's fin"]}
    assert "a.csv:2: ariel: 'ariel" in answer.err
    assert "kept; an anchor that names its character is no indirect one, take it out of the file" in answer.err


@pytest.mark.parametrize("mark", [";", "|"])
def test_keywords_that_another_mark_parts_are_told(data: Cli, tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.csv").write_text(f'target,prompt\nAriel,"sea maid{mark} red hair"\n')

    answer = data("download", "prompts", "a.csv", *KEYWORDS)
    parted = data("download", "prompts", "a.csv", "--kind", "keywords", "--name", "parted", "--separator", mark)

    assert f"a.csv:2: column 'prompt' holds '{mark}' and no ',': read as one keyword" in answer.err
    assert f"--separator '{mark}'" in answer.err
    assert "--separator" not in parted.err
    assert texts("lists/copycat50/keywords-parted.json") == {"ariel": ["sea maid", "red hair"]}


def test_a_misspelt_name_is_told_with_the_nearest(data: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("target,prompt\nAriel,sea maid\nPikatchu,yellow\nSteve,blocks\n")

    answer = data("download", "prompts", "a.csv", *KEYWORDS)

    assert "a.csv:3: 'Pikatchu' is no character of set 'copycat50': not taken up; did you mean 'Pikachu'?" in answer.err
    assert "a.csv:4: 'Steve' is no character of set 'copycat50': not taken up\n" in answer.err


def test_a_list_that_is_taken_up_is_an_anchor(data: Cli, tmp_path: Path, characters_file: Path) -> None:
    rows = "".join(f'{name},"one {name}x, two, three"\n' for name in ("Goofy", "Max", "Bluto"))
    (tmp_path / "words.csv").write_text(f"character,words\n{rows}")

    answer = data("download", "prompts", "words.csv", *KEYWORDS, *MINE)

    assert "use: --anchors keywords:theirs-3" in answer.out
    characters = read_character_set(characters_file)
    prompts = build_prompts(
        characters, with_lists(prompt_set_of(characters), Path("lists")), [parse_anchor("keywords:theirs-2", None)]
    )
    assert [prompt.text for prompt in prompts] == ["one Goofyx, two", "one Maxx, two", "one Blutox, two"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_its_encoding(data: Cli, tmp_path: Path, characters_file: Path, encoding: str) -> None:
    (tmp_path / "words.csv").write_bytes("target,prompt\nMax,café\n".encode(encoding))

    assert data("download", "prompts", "words.csv", *KEYWORDS, *MINE).code == 0

    assert texts("lists/my-set/keywords-theirs.json") == {"max": ["café"]}


def test_control_characters_are_told_and_left_out(data: Cli, tmp_path: Path) -> None:
    (tmp_path / "nul.csv").write_bytes(b"target,prompt\nAriel,sea\x00 maid\n")

    answer = data("download", "prompts", "nul.csv", *KEYWORDS)

    assert texts("lists/copycat50/keywords-theirs.json") == {"ariel": ["sea maid"]}
    assert "nul.csv:2: column 'prompt' holds control characters; read without them" in answer.err


def test_bytes_that_no_encoding_explains_are_still_read() -> None:
    assert decode(b"caf\xe9 \x81", "x.csv") == ("café \x81", "latin-1")
    assert unscrambled("CafÃ© â€” â€\x9d") == "Café — ”"
    assert unscrambled("Café — ”") == "Café — ”"


def test_an_encoding_that_is_named_must_be_the_right_one(data: Cli, tmp_path: Path) -> None:
    odd_file(tmp_path)

    answer = data("download", "prompts", "odd.csv", *KEYWORDS, "--encoding", "utf-8")

    assert answer.code == 2
    assert "odd.csv: cannot be read as 'utf-8'" in answer.err
    assert "leave out --encoding" in answer.err
    assert "unknown encoding" in data("download", "prompts", "odd.csv", *KEYWORDS, "--encoding", "latin-99").err


TABLES: dict[str, Any] = {
    "words.tsv": "target\tprompt\nMax\tred hood, boy, dog\n",
    "semicolons.csv": 'target;prompt\nMax;"red hood, boy, dog"\n',
    "words.jsonl": '{"character": "Max", "keywords": ["red hood", "boy", "dog"]}\n\n',
    "words.json": {"Max": ["red hood", "boy", "dog"]},
    "listed.json": [{"name": "Max", "text": "red hood, boy, dog"}],
    "words.parquet": {"name": ["Max"], "keywords": [["red hood", "boy", "dog"]], "image": [b"x"]},
    "lines.csv": 'target,prompt\nMax,"red hood\n, boy\n, dog\n"\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_every_kind_say_the_same(data: Cli, tmp_path: Path, characters_file: Path, name: str) -> None:
    content = TABLES[name]
    if name.endswith(".parquet"):
        pq.write_table(pa.table(content), tmp_path / name)
    else:
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    answer = data("download", "prompts", name, *KEYWORDS, *MINE)

    assert answer.code == 0, answer.err
    assert texts("lists/my-set/keywords-theirs.json") == {"max": ["red hood", "boy", "dog"]}


def test_a_keyword_for_each_row_needs_no_separator(data: Cli, tmp_path: Path, characters_file: Path) -> None:
    (tmp_path / "long.csv").write_text('name,keyword\nMax,"boy, in red"\nGoofy,dog\nMax,hood\nMax,hood\n')

    answer = data("download", "prompts", "long.csv", *KEYWORDS, *MINE, "--separator", "")

    assert texts("lists/my-set/keywords-theirs.json") == {"goofy": ["dog"], "max": ["boy, in red", "hood"]}
    assert "long.csv:5: Max has 'hood' already: not taken up" in answer.err


def test_columns_aliases_and_kinds_are_chosen(data: Cli, tmp_path: Path, characters_file: Path) -> None:
    (tmp_path / "a.csv").write_text("who,what,rest\nDippy,A lanky  hound.,x\nMax,His son.,y\nMax,A boy.,z\n")
    options = ("a.csv", "--target", "who", "--text", "what", "--alias", "Dippy=Goofy", *MINE, "--name", "theirs")

    described = data("download", "prompts", *options, "--kind", "description")
    rewritten = data("download", "prompts", *options, "--kind", "rewrite", "--anchor", "description")

    assert described.code == 0
    assert "'Dippy' is taken as 'Goofy'" in described.err
    assert texts("lists/my-set/description-theirs.json") == {"goofy": ["A lanky hound."], "max": ["His son.", "A boy."]}
    assert texts("lists/my-set/rewrite-theirs.json") == {
        "my-set/goofy/description": ["A lanky hound."],
        "my-set/max/description": ["His son.", "A boy."],
    }
    assert rewritten.code == 0


def test_a_dataset_is_read_through_datasets(data: Cli, suite: Path, load: Any) -> None:
    answer = data("download", "prompts", f"{suite}:keywords", "--split", "copycat50", *KEYWORDS)

    assert answer.code == 0
    characters = read_character_set("copycat50")
    assert texts("lists/copycat50/keywords-theirs.json") == {c.id: list(c.keywords) for c in characters.characters}
    assert "column 'character' names the character, 'keywords' holds the text" in answer.err
    assert read(Path("lists/copycat50/keywords-theirs.json"))["provenance"]["configuration"] == "keywords"


@pytest.mark.slow
def test_a_dataset_of_the_hub_is_read_at_the_commit_that_is_recorded(tmp_path: Path, suite: Path) -> None:
    repository = "somebody/words"
    command = ("download", "prompts", f"{repository}:keywords", "--split", "copycat50", *KEYWORDS)
    with HubServer({f"datasets/{repository}": tree(suite)}) as hub:
        settings = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "cache")}
        answer = subprocess.run(
            [sys.executable, "-m", "copycat.data", *command],
            cwd=tmp_path,
            env={**os.environ, **settings, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=False,
        )
        commit = hub.commit_of(f"datasets/{repository}")

    assert answer.returncode == 0, answer.stderr
    made = read(tmp_path / "lists/copycat50/keywords-theirs.json")
    assert len(made["texts"]) == 50
    assert made["provenance"]["commit"] == commit


WRONG: dict[str, tuple[str, tuple[str, ...], str]] = {
    "no such file": ("none.csv", (), "none.csv: there is no such file"),
    "no table": ("words.txt", (), "'words.txt' is no table and no dataset"),
    "no known column": ("plain.csv", (), "cannot tell which column is meant by --target; its columns: 'a', 'b'"),
    "no such column": ("good.csv", ("--text", "promt"), "unknown column of good.csv 'promt'\n  did you mean 'prompt'"),
    "nobody of the set": ("others.csv", (), "others.csv: none of its 1 rows names a character of set 'copycat50'"),
    "an alias of nobody": ("good.csv", ("--alias", "X=Y"), "unknown character of set 'copycat50' 'Y'"),
    "half an alias": ("good.csv", ("--alias", "X"), "--alias 'X' has the wrong form\n  needed: THEIRS=OURS"),
    "a wrong name": ("good.csv", ("--name", "My List"), "'My List' cannot name a list"),
    "no JSON": ("broken.json", (), "broken.json: is no JSON"),
    "no objects": ("numbers.json", (), "numbers.json: holds no object of columns"),
    "no dataset in a folder": ("folder", (), "folder cannot be read (EmptyDatasetError"),
    "a dataset that is none": ("broken", (), "broken cannot be read (Dataset"),
    "no Parquet": ("broken.parquet", (), "broken.parquet: is no Parquet file"),
    "an empty file": ("empty.csv", (), "empty.csv: is empty"),
    "a column twice": ("twice.csv", (), "twice.csv:1: column 'prompt' is there twice"),
}


@pytest.mark.usefixtures("load")
@pytest.mark.parametrize(("source", "options", "said"), WRONG.values(), ids=WRONG)
def test_a_source_that_gives_nothing_is_refused_and_no_list_is_written(
    data: Cli, tmp_path: Path, source: str, options: tuple[str, ...], said: str
) -> None:
    files = {
        "plain.csv": "a,b\n1,2\n",
        "good.csv": "target,prompt\nAriel,sea maid\n",
        "others.csv": "target,prompt\nSteve,blocks\n",
        "words.txt": "Ariel",
        "broken.json": "{",
        "broken.parquet": "PAR",
        "numbers.json": "[1, 2]",
        "empty.csv": "",
        "twice.csv": "target,prompt,prompt\nAriel,a,b\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "train.json").write_text("{")

    answer = data("download", "prompts", source, *KEYWORDS, *options)

    assert answer.code == 2
    assert said in answer.err
    assert not (tmp_path / "lists").exists()


def test_a_list_tells_nothing_of_the_machine(
    data: Cli, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    odd_file(elsewhere)

    assert data("download", "prompts", elsewhere / "odd.csv", *KEYWORDS).code == 0

    assert str(elsewhere) not in Path("lists/copycat50/keywords-theirs.json").read_text(encoding="utf-8")


def test_a_list_is_frozen(data: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("target,prompt\nAriel,sea maid\n")
    assert data("download", "prompts", "a.csv", *KEYWORDS).code == 0
    assert data("download", "prompts", "a.csv", *KEYWORDS).code == 0

    (tmp_path / "a.csv").write_text("target,prompt\nAriel,mermaid\n")
    answer = data("download", "prompts", "a.csv", *KEYWORDS)

    assert answer.code == 2
    assert "holds other texts, and lists are frozen" in answer.err


def test_broken_lines_of_jsonl_are_told() -> None:
    table = parse_foreign_table("x.jsonl", b'{"target": "a", "text": "b"}\n{oops\n[1]\n', ".jsonl")

    assert [row.where for row in table.rows] == ["x.jsonl:1"]
    assert table.n_unread == 2
    assert table.faults[0].startswith("x.jsonl:2: is no JSON")
    assert table.faults[1] == "x.jsonl:3: is no object of columns: not taken up"


@pytest.mark.parametrize("line", ['{"prompt": "\\ud800"}', '{"prompt": ' + "[" * 100_000 + "]" * 100_000 + "}"])
def test_json_that_cannot_be_kept_is_no_row(line: str) -> None:
    table = parse_foreign_table("odd.jsonl", f'{line}\n{{"prompt": "fine"}}\n'.encode(), ".jsonl")

    assert [row.cells for row in table.rows] == [{"prompt": "fine"}]
    assert "odd.jsonl:1: is no JSON" in table.faults[0]


def test_a_small_file_that_stands_for_millions_of_rows_is_not_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"target": pa.nulls(1_000_001, pa.string())}), tmp_path / "many.parquet")

    with pytest.raises(DataError, match="1,000,001 rows, at most 1,000,000 are read"):
        read_foreign_table(tmp_path / "many.parquet")


def test_an_open_quote_swallows_no_other_row() -> None:
    lines = ["target,prompt", 'a,"open', *(f"b{n},x" for n in range(300)), 'c,"closed"']

    table = parse_foreign_table("x.csv", "\n".join(lines).encode(), ".csv")

    assert len(table.rows) == 302
    assert table.rows[0].cells == {"target": "a", "prompt": "open"}
    assert table.faults == ("x.csv:2: a quote is not closed, or stands in the wrong place",)
