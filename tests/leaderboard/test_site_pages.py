"""Pages of runs and characters as files: what is written, how large, and what is taken away."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from small_sites import EVIL, SmallSite, build_small_site, shared_small_site
from submissions import make_submission

from copycat.errors import DataError
from copycat.leaderboard.reading import load_submission
from copycat.leaderboard.rows import BoardRow, row_of
from copycat.leaderboard.site.character_pages import MAX_PICTURED_RUNS, write_character_pages
from copycat.leaderboard.site.compare import choice_groups
from copycat.leaderboard.site.run_page import write_run
from copycat.leaderboard.site.summary import RunSummary, Thumbnail

MOST_BYTES_OF_450_SAMPLES = 700_000
MOST_BYTES_OF_A_LINE = 265


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SmallSite:
    return shared_small_site(tmp_path_factory.getbasetemp() / "small-site")


def data_of(site: SmallSite, name: str) -> tuple[str, str]:
    """The two arguments of the call in data.js, read as JavaScript would; its strings are JSON strings."""
    text = site.page(name).with_name("data.js").read_text(encoding="ascii")
    call = re.fullmatch(r"copycatRun\((.*)\);\n", text)
    assert call is not None
    run, data = json.loads(f"[{call[1]}]")
    return run, data


def many_rows(summary: RunSummary, count: int) -> list[RunSummary]:
    """Rows of as many models, the later ones recognised in less; all with the pictures of the first."""
    row = summary.row
    copies = []
    for place in range(count):
        cells = {a: dict.fromkeys(found, (100 * (count - place), 100 * count)) for a, found in row.by_character.items()}
        update = {"id": f"1.0/x__m{place:04}/abc", "model": f"model-{place:04}", "by_character": cells}
        copies.append(summary.model_copy(update={"row": row.model_copy(update=update)}))
    return copies


# -------------------------------------------------------------------------------------- runs


def test_a_run_leaves_its_row_and_the_first_picture_of_each_anchor(site: SmallSite) -> None:
    summary, loaded = site.runs["plain"], site.loaded["plain"]
    firsts = {s.anchor: s.sha256 for s in loaded.samples if (s.character, s.repeat) == ("zoravi", 0)}

    assert {p.anchor: Path(p.href).stem for p in summary.pictures["zoravi"]} == firsts
    assert all((site.root / picture.href).exists() for found in summary.pictures.values() for picture in found)
    assert not any(site.runs["withheld"].pictures.values())
    assert RunSummary.model_validate_json(summary.model_dump_json()) == summary


def test_the_same_submission_gives_the_same_bytes(site: SmallSite, tmp_path: Path) -> None:
    again = build_small_site(tmp_path, ["plain", "hostile"])

    for name in ("plain", "hostile"):
        for file in ("index.html", "data.js"):
            assert again.page(name).with_name(file).read_bytes() == site.page(name).with_name(file).read_bytes()


def test_what_comparing_needs_is_a_string_of_json_in_a_call(site: SmallSite) -> None:
    run, text = data_of(site, "plain")
    data = json.loads(text)

    assert run == site.id("plain")
    assert len(data["samples"]) == len(site.loaded["plain"].samples)
    seeds = {(data["characters"][s[0]][0], data["anchors"][s[1]], s[2]): s[3] for s in data["samples"]}
    assert seeds == {(s.character, s.anchor, s.repeat): s.seed for s in site.loaded["plain"].samples}


def test_what_a_stranger_wrote_cannot_end_the_string_or_the_script(site: SmallSite) -> None:
    raw = site.page("hostile").with_name("data.js").read_text(encoding="ascii")
    texts = json.loads(data_of(site, "hostile")[1])["texts"]

    assert "<" not in raw
    assert "\u2028" not in raw
    assert [EVIL + "!", EVIL, f"nag, away from {EVIL}"] in texts


def test_consistency_stands_once_beside_a_single_picture_and_one_repeat_has_no_deviation(tmp_path: Path) -> None:
    single = load_submission(make_submission(tmp_path, cast=("zoravi",)))
    double = load_submission(make_submission(tmp_path, cast=("zoravi",), seeds=2))
    site = tmp_path / "site"
    pages = []
    for loaded in (single, double):
        row = write_run(loaded, row_of(loaded, is_verified=False), site).row
        pages.append((site / row.href).read_text(encoding="utf-8"))

    assert ["\u202f±\u202f" in page for page in (page.replace("&#8239;", "\u202f") for page in pages)] == [False, True]
    assert ["mean ± standard deviation" in page for page in pages] == [False, True]
    assert ['<p class="cons">CONS' in page for page in pages] == [False, True]
    assert all('<span class="cons">CONS' in page for page in pages)


def test_a_page_of_450_samples_stays_light(tmp_path: Path) -> None:
    loaded = load_submission(make_submission(tmp_path, characters="copycat50", model="m", seeds=3))
    row = row_of(loaded, is_verified=False)

    write_run(loaded, row, tmp_path / "site")

    assert len(loaded.samples) == 450
    assert (tmp_path / "site" / row.href).stat().st_size < MOST_BYTES_OF_450_SAMPLES


@pytest.mark.parametrize("bad", ["../../evil/x/abc", "1.0/../abc", "1.0/a__b", "1.0/a<b/abc", "/1.0/a/abc"])
def test_an_id_that_leads_elsewhere_is_refused(site: SmallSite, tmp_path: Path, bad: str) -> None:
    loaded = site.loaded["plain"]._replace(id=bad)

    with pytest.raises(DataError, match="cannot name a page"):
        write_run(loaded, site.runs["plain"].row, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_character_set_whose_name_leads_elsewhere_is_refused(site: SmallSite, tmp_path: Path) -> None:
    row = site.runs["plain"].row.model_copy(update={"characters": "../../evil"})

    with pytest.raises(DataError, match=r"'\.\./\.\./evil' cannot name a page"):
        write_run(site.loaded["plain"], row, tmp_path)
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------- characters


def test_real_models_and_the_sandbox_share_no_page(site: SmallSite) -> None:
    real = (site.root / "characters" / "copycat50" / "mario.html").read_text(encoding="utf-8")
    sandbox = (site.root / "characters" / "sandbox" / "zoravi.html").read_text(encoding="utf-8")

    assert "model-t" in real
    assert "test-laboratory__sandbox" not in real
    assert "test-laboratory__sandbox" in sandbox
    assert "model-t" not in sandbox


def test_verified_and_self_reported_runs_stand_in_tables_of_their_own(site: SmallSite, tmp_path: Path) -> None:
    summary = site.runs["troubled"]
    verified = summary.model_copy(
        update={"row": summary.row.model_copy(update={"id": "1.0/a__b/c", "section": "verified"})}
    )

    write_character_pages(tmp_path, [summary, verified])

    page = (tmp_path / "characters" / "copycat50" / "mario.html").read_text(encoding="utf-8")
    assert re.findall(r"<caption><b>(.*?)</b>", page) == ["Verified", "Self-reported"]
    assert page.count("<tbody>") == 2


def test_the_most_recognised_run_comes_first_and_only_the_first_have_pictures(site: SmallSite, tmp_path: Path) -> None:
    summaries = many_rows(site.runs["troubled"], 100)

    write_character_pages(tmp_path, summaries[::-1])

    page = (tmp_path / "characters" / "copycat50" / "mario.html").read_text(encoding="utf-8")
    lines = re.findall(r"<tr><th scope=\"row\">.*", page)
    assert [re.search(r"model-\d+", line)[0] for line in lines] == [s.row.model for s in summaries]  # type: ignore[index]
    assert ["<img" in line for line in lines] == [True] * MAX_PICTURED_RUNS + [False] * 40
    assert max(map(len, lines[MAX_PICTURED_RUNS:])) <= MOST_BYTES_OF_A_LINE


def test_pages_of_characters_that_nobody_asks_for_any_more_go_away(site: SmallSite, tmp_path: Path) -> None:
    write_character_pages(tmp_path, [site.runs["plain"], site.runs["troubled"]])
    write_character_pages(tmp_path, [site.runs["troubled"]])

    assert [path.name for path in (tmp_path / "characters").iterdir()] == ["copycat50"]


def test_a_character_outside_the_set_is_named_by_its_id(site: SmallSite, tmp_path: Path) -> None:
    row = site.runs["troubled"].row
    cells = {anchor: {"somebody-else": (1, 2)} for anchor in row.anchors}
    thumbnail = Thumbnail(f"pictures/aa/{'a' * 64}.png", row.anchors[0], "target")
    summary = RunSummary(row=row.model_copy(update={"by_character": cells}), pictures={"somebody-else": (thumbnail,)})

    write_character_pages(tmp_path, [summary])

    page = (tmp_path / "characters" / "copycat50" / "somebody-else.html").read_text(encoding="utf-8")
    assert "<h1>somebody-else, <span>not in the set</span></h1>" in page


def test_models_that_show_nothing_by_definition_are_in_no_sum(site: SmallSite, tmp_path: Path) -> None:
    row = site.runs["troubled"].row
    blank = site.runs["troubled"].model_copy(update={"row": row.model_copy(update={"is_baseline_model": True})})

    write_character_pages(tmp_path, [blank])

    page = (tmp_path / "characters" / "copycat50" / "mario.html").read_text(encoding="utf-8")
    assert "all runs</dt>" not in page
    assert row.model in page


# -------------------------------------------------------------------------------------- choices


def test_the_baseline_of_a_run_is_the_one_with_the_same_judge(site: SmallSite) -> None:
    plain, mitigated = site.runs["plain"].row, site.runs["mitigated"].row
    rejudged = plain.model_copy(update={"id": "1.0/other__sandbox/abc", "judge_revision": "another"})

    (group,) = choice_groups([rejudged, mitigated, plain])
    found = {choice.id: choice.baseline for choice in group.choices}

    assert found == {plain.id: "", rejudged.id: "", mitigated.id: plain.id}


def test_rows_without_a_page_are_no_choice(site: SmallSite) -> None:
    by_construction: BoardRow = site.runs["plain"].row.model_copy(update={"href": "", "badge": "by construction"})

    assert choice_groups([by_construction]) == ()


def test_the_table_of_a_character_names_what_is_unmitigated_and_what_is_withheld(
    site: SmallSite, tmp_path: Path
) -> None:
    write_character_pages(tmp_path, [site.runs[name] for name in ("withheld", "troubled")])

    page = (tmp_path / "characters" / "copycat50" / "mario.html").read_text(encoding="utf-8")
    lines = {
        name: next(line for line in page.splitlines() if f">{name}</a>" in line) for name in ("model-w", "model-t")
    }
    assert {name: "withheld" in line for name, line in lines.items()} == {"model-w": True, "model-t": False}
    assert "</a>, <span>no mitigation</span>" in lines["model-t"]
