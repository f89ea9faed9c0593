"""Benign prompts: nobody is in them, and what `--benign` tells of a mitigation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import Answer, Cli, Doubles
from run_folders import read, runs_in, samples_of
from text_server import MODEL, TextServer

from copycat.calibration.opened import open_run
from copycat.catalog import benign_prompts, characters_sha256, list_character_sets, read_character_set, write_list
from copycat.catalog.character_checks import telling_phrases, telling_word
from copycat.errors import DataError, UserError
from copycat.paths import data_folder
from copycat.sandbox.captions import KEYWORD_POOL, SETTINGS
from copycat.sandbox.world import SPECIES, THEMES, owned_pairs
from copycat.schema import CharacterSet, Prompt

EVERYDAY = benign_prompts(read_character_set("copycat50"))
SANDBOX = benign_prompts(read_character_set("sandbox"))
PROMPTS = (*EVERYDAY[1], *SANDBOX[1])


# ------------------------------------------------------------------------------------ the prompts


@pytest.mark.parametrize("set_id", list_character_sets())
def test_no_benign_prompt_says_a_name_or_a_brand(set_id: str) -> None:
    for who in read_character_set(set_id).characters:
        matcher = telling_phrases(who.name, who.aliases, (*who.brand_words, who.franchise))
        said = {prompt.text: word for prompt in PROMPTS if (word := telling_word(prompt.text, matcher))}
        assert said == {}, who.name


def theme_of(text: str) -> str | None:
    """The theme that a text names, or whose place or things it speaks of."""
    padded = f" {text.replace(',', ' ')} "
    found = {theme for theme, words in SETTINGS.items() if any(f" {word} " in padded for word in (theme, *words))}
    assert len(found) <= 1, text
    return next(iter(found), None)


def test_a_benign_prompt_of_the_sandbox_asks_for_a_pair_that_is_nobodys() -> None:
    nobody = SANDBOX[1], SANDBOX[0].subjects
    pairs = {(theme_of(prompt.text), who.key_characteristic) for prompt, who in zip(*nobody, strict=True)}
    assert not pairs & owned_pairs()
    assert {species for _, species in pairs} == set(SPECIES)
    assert {theme for theme, _ in pairs} == {None, *THEMES}


def test_a_benign_prompt_of_the_sandbox_names_what_it_shows_in_words_of_its_captions() -> None:
    known = {word for phrase in (*KEYWORD_POOL, *(where for where, *_ in SETTINGS.values())) for word in phrase.split()}
    known |= {
        "a",
        "with",
        "and",
        "of",
        "the",
        "drawing",
        "sticker",
        "cartoon",
        "poster",
        "icon",
        "wallpaper",
        "clip",
        "art",
    }
    for prompt, who in zip(SANDBOX[1], SANDBOX[0].subjects, strict=True):
        words = prompt.text.replace(",", " ").split()
        assert who.key_characteristic in words
        assert set(words) <= known, prompt.text


def test_prompts_differ_and_each_has_its_own_subject() -> None:
    for beside, prompts in (EVERYDAY, SANDBOX):
        assert len({prompt.text for prompt in prompts}) == len(prompts) == len(beside.subjects)
        assert [prompt.character for prompt in prompts] == [who.id for who in beside.subjects]
        assert {prompt.anchor for prompt in prompts} == {"benign"}
    assert (len(EVERYDAY[1]), len(SANDBOX[1])) == (40, 30)


def test_a_set_with_subjects_is_another_set_by_its_hash_and_detects_the_same_characters(
    characters: CharacterSet,
) -> None:
    beside, _ = benign_prompts(characters)
    assert beside.characters == characters.characters
    assert beside.asked == (*characters.characters, *beside.subjects)
    assert characters_sha256(beside) != characters_sha256(characters)
    assert characters.asked == characters.characters


def test_an_edited_file_is_refused(characters: CharacterSet, tmp_path: Path) -> None:
    for name in ("card.yaml", "everyday.jsonl"):
        content = (data_folder("prompts") / "benign" / name).read_bytes()
        (tmp_path / name).write_bytes(content.replace(b"tomato", b"onion"))
    with pytest.raises(DataError, match=r"everyday\.jsonl: differs from its sha256"):
        benign_prompts(characters, tmp_path)
    (tmp_path / "everyday.jsonl").unlink()
    with pytest.raises(DataError, match=r"everyday\.jsonl: is missing"):
        benign_prompts(characters, tmp_path)


# -------------------------------------------------------------------------------------- the command

MITIGATIONS = ("intent:names+negprompt:name", "negprompt:universal", "negprompt:name")


@pytest.fixture
def benign(run: Cli) -> Cli:
    options = [word for mitigation in MITIGATIONS for word in ("--mitigation", mitigation)]
    return lambda *more: run("--benign", "--seeds", 1, *options, *more)


def figures(content: dict[str, Any]) -> dict[str, Any]:
    found = {e["metric"]: e for e in content["metrics"]["estimates"] if e["anchor"] == "all"}
    return found | {e["metric"]: e for e in content["differences"] if e["anchor"] == "all"}


def test_benign_runs_stand_beside_the_others_and_tell_whom_a_mitigation_bothered(benign: Cli) -> None:
    content = json.loads(benign("--json").out)
    assert [len(content[kind]) for kind in ("runs", "benign")] == [4, 4]
    by_mitigation = {one["metrics"]["mitigation"]: figures(one) for one in content["benign"]}
    acted = {name: (found["acted_on"]["k"], found["acted_on"]["n"]) for name, found in by_mitigation.items()}
    # A detector of names finds none, words for all characters go to everybody, and who knows the target does nothing.
    assert acted == {
        "none": (0, 40),
        "intent:names+negprompt:name": (0, 40),
        "negprompt:universal": (40, 40),
        "negprompt:name": (0, 40),
    }
    assert all("detect" not in found for found in by_mitigation.values())
    assert by_mitigation["negprompt:name"]["consistency_difference"]["value"] == 0
    assert "consistency_difference" not in by_mitigation["none"]
    assert all("detect" in figures(one) for one in content["runs"])


def test_requests_of_benign_prompts_have_the_seeds_of_the_unmitigated_run_and_no_name_in_them(benign: Cli) -> None:
    content = json.loads(benign("--json").out)
    runs = {one["metrics"]["mitigation"]: samples_of(Path(one["folder"])) for one in content["benign"]}
    seeds = [[sample["seed"] for sample in samples] for samples in runs.values()]
    assert all(of_one == seeds[0] for of_one in seeds)
    assert {sample["negative_prompt"] for sample in runs["negprompt:name"]} == {None}
    assert all("Goofy" not in (sample["negative_prompt"] or "") for samples in runs.values() for sample in samples)


def rows_of(answer: Answer) -> list[list[str]]:
    lines = answer.out.partition("pictures of benign prompts")[2].splitlines()
    return [line.split() for line in lines if " of 40 " in line]


def test_the_table_has_a_line_for_each_mitigation(benign: Cli) -> None:
    answer = benign()
    assert answer.code == 0
    rows = rows_of(answer)
    assert [row[:4] for row in rows] == [
        ["none", "0", "of", "40"],
        ["intent:names+", "0", "of", "40"],
        ["negprompt:universal", "40", "of", "40"],
        ["negprompt:name", "0", "of", "40"],
    ]
    assert "DETECT" not in answer.out.partition("pictures of benign prompts")[2]


def test_the_table_of_benign_prompts_is_labelled_as_the_others_are(benign: Cli, doubles: Doubles) -> None:
    doubles.switch(ends={"benign/everyday/soup": "refused"})
    heading, *notes = (
        benign("--limit", 3).out.partition("\nfake, judged by fake-judge: 2 of 3 pictures of ")[2].split("\n")
    )
    assert heading == "benign prompts (partial: --limit was set)"
    assert notes[0] == "  none: 1 refused: switched to refused"


def test_a_benign_run_goes_on_where_it_stopped(benign: Cli, doubles: Doubles) -> None:
    first = benign()
    drawn = len(doubles.generated)
    again = benign()
    assert len(doubles.generated) == drawn == 4 * (6 + 40)
    assert first.out == again.out


def test_what_is_refused_and_what_a_filter_throws_away_is_counted(
    run: Cli, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubles.switch(ends={"benign/everyday/soup": "refused"})
    monkeypatch.setattr("copycat_doubles.mark_of", lambda text: (9, 9, 9))  # the judge sees somebody wherever a mark is
    answer = run("--benign", "--seeds", 1, "--mitigation", "filter:block")
    assert answer.code == 0
    rows = rows_of(answer)
    assert [row[0] for row in rows] == ["none", "filter:block"]
    (_, plain_sees), (filtered_acts, filtered_sees) = [(int(row[1]), int(row[4])) for row in rows]
    assert plain_sees == filtered_acts > 30
    assert filtered_sees == 0
    assert [row[-2:] for row in rows] == [["1", "0"], [str(1 + filtered_acts), str(filtered_acts)]]


def test_the_report_of_a_benign_run_speaks_of_prompts_and_not_of_targets(benign: Cli) -> None:
    content = json.loads(benign("--json").out)
    page = Path(content["benign"][2]["report"]).read_text(encoding="utf-8")
    assert "40 benign prompts, which are after nobody" in page
    assert "Acted on" in page
    assert "a bowl of tomato soup" in page
    assert "it has no target, so 0 of them show one" in page
    assert "DETECT is the share" not in page


def test_the_runs_without_benign_prompts_keep_their_folders(run: Cli) -> None:
    run("--seeds", 1)
    plain = {folder.name for folder in runs_in()}
    run("--seeds", 1, "--benign")
    both = {folder.name for folder in runs_in()}
    assert plain < both
    assert len(both) == 2


def test_shards_draw_benign_prompts_too(run: Cli, doubles: Doubles) -> None:
    answer = run("--benign", "--seeds", 1, "--shard", "1/2")
    assert "fake + none, benign prompts, shard 1/2: 20 pictures" in answer.out.replace("-of-", "/")
    assert len(doubles.generated) == 4 + 20


def test_a_dry_run_counts_benign_prompts(run: Cli) -> None:
    answer = run("--benign", "--seeds", 1, "--dry-run")
    assert "anchors benign" in answer.out
    assert "46 pictures" in answer.out


def test_a_grid_refuses_benign_prompts(cli: Cli) -> None:
    answer = cli("--model", "sandbox", "--grid", "table1", "--benign")
    assert answer.code == 2
    assert "--grid and --benign do not go together" in answer.err


def test_rewrites_that_were_frozen_for_other_prompts_are_refused(run: Cli, characters: CharacterSet) -> None:
    texts: dict[str, tuple[str, ...]] = {f"my-set/{who.id}/name": ("A sailor",) for who in characters.characters}
    write_list(Path("lists"), characters, "rewrite", "mine", texts, provenance={"by": "a test"})
    options = ("--anchors", "name", "--mitigation", "rewrite:mine")
    assert run(*options).code == 0
    answer = run(*options, "--benign")
    assert answer.code == 2
    assert "on benign prompts: rewrites 'mine' have no text for prompt 'benign/everyday/bicycle'" in answer.err
    assert "leave out --benign" in answer.err


def test_a_benign_run_is_nothing_to_label(benign: Cli) -> None:
    content = json.loads(benign("--json").out)
    with pytest.raises(UserError, match="nobody was asked for"):
        open_run(Path(content["benign"][0]["folder"]), "mine.yaml")
    assert read(Path(content["benign"][0]["folder"]) / "run.json")["spec"]["anchors"] == ["benign"]


@pytest.mark.slow
def test_a_language_model_is_asked_about_benign_prompts_too(run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    with TextServer(lambda _, text, __: "Goofy" if "hedgehog" in text.partition("\n")[0] else "none") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        options = ("--benign", "--seeds", 1, "--mitigation", "intent:llm+negprompt:name", "--llm", f"openai:{MODEL}")
        content = json.loads(run(*options, "--json").out)
    assert len(server.entries) == 6 + 40
    found = figures(content["benign"][1])
    assert (found["acted_on"]["k"], found["acted_on"]["n"]) == (1, 40)  # the one false alarm
    sent = {sample["prompt"]: sample["negative_prompt"] for sample in samples_of(Path(content["benign"][1]["folder"]))}
    assert {text: words for text, words in sent.items() if words} == {
        "a hedgehog crossing a garden path at night": "Goofy"
    }


def test_a_limited_run_draws_the_first_prompts(benign: Cli) -> None:
    content = json.loads(benign("--json", "--limit", 5).out)
    prompts: tuple[Prompt, ...] = EVERYDAY[1]
    drawn = samples_of(Path(content["benign"][1]["folder"]))
    assert [sample["prompt"] for sample in drawn] == [prompt.text for prompt in prompts[:5]]
