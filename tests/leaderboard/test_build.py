"""Building the site: the same bytes, only what changed, whole pages however it ends, and no damage to others' files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from run_folders import read, tree
from small_sites import drafted
from submissions import SUBMISSIONS

from copycat.errors import DataError, UserError
from copycat.leaderboard import build
from copycat.leaderboard.build import build_site
from copycat.leaderboard.layout import find_submissions, submission_id
from copycat.leaderboard.site.pages import write_page
from copycat.leaderboard.verified import manifest_sha256
from copycat.leaderboard.writing import write_submission

CAST, REAL_CAST = ("zoravi", "meklun"), ("mario", "elsa")


def submit(board: Path, cast=CAST, **changes) -> Path:
    files, pictures = drafted(cast, **changes)
    folder = board / SUBMISSIONS / submission_id(files.submission, files.settings)
    folder.mkdir(parents=True)
    write_submission(folder, files, pictures)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A board of three, built once; nobody may change it."""
    board = tmp_path_factory.mktemp("made") / "board"
    submit(board)
    submit(board, mitigation="negprompt:name", detect_rate=0.1, random_seed=1)
    submit(board, REAL_CAST, characters="copycat50", model="model-r", is_withheld=True)
    build_site(board, board / "site")
    return board


@pytest.fixture
def board(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "board"))


def times(site: Path) -> dict[str, int]:
    return {p.relative_to(site).as_posix(): p.stat().st_mtime_ns for p in (site / "runs").rglob("*") if p.is_file()}


def test_a_board_becomes_a_site_of_plain_files(made):
    site = made / "site"
    rows = read(site / "board.json")["rows"]

    assert len(rows) == 3
    assert all((site / row["page"]).is_file() for row in rows)
    assert all((site / name).is_file() for name in ("index.html", "compare.html", "board.csv", "board.tex"))
    assert (site / "characters" / "sandbox" / "index.html").is_file()
    assert not list(site.rglob("*.tmp"))
    page = (site / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{row["page"]}"' in page for row in rows)


def test_the_same_submissions_give_the_same_bytes_in_one_process_or_two(made, tmp_path, monkeypatch):
    monkeypatch.setattr(build.os, "cpu_count", lambda: 1)

    build_site(made, tmp_path / "again")

    assert tree(tmp_path / "again") == tree(made / "site")


def test_only_runs_that_changed_are_written_again(board):
    before = times(board / "site")
    folder = submit(board, detect_rate=0.9, random_seed=7, model="model-new")

    built = build_site(board, board / "site")

    assert (built.n_runs, built.n_written, built.n_removed) == (4, 1, 0)
    after = times(board / "site")
    assert {name: after[name] for name in before} == before
    assert f"runs/{'/'.join(folder.parts[-3:])}/index.html" in after
    assert build_site(board, board / "site").n_written == 0
    assert build_site(board, board / "site", is_fresh=True).n_written == 4


@pytest.mark.parametrize("is_fresh", [False, True])
def test_a_run_that_went_away_is_removed_with_its_pictures_and_nothing_leads_there(board, is_fresh):
    folder = next(path for path in find_submissions(board) if "__sandbox" in path.as_posix())
    place = "/".join(folder.parts[-3:])
    pictures = len(list((board / "site" / "pictures").rglob("*.*")))
    shutil.rmtree(folder)

    built = build_site(board, board / "site", is_fresh=is_fresh)

    assert (built.n_runs, built.n_removed) == (2, 1)
    assert not (board / "site" / "runs" / place).exists()
    assert place not in (board / "site" / "index.html").read_text(encoding="utf-8")
    assert 2 * len(list((board / "site" / "pictures").rglob("*.*"))) == pictures
    assert build_site(board, board / "site").n_removed == 0


def test_a_site_that_was_copied_without_its_summaries_is_taken_up(board):
    shutil.rmtree(board / "site" / ".summaries")
    gone = find_submissions(board)[0]
    shutil.rmtree(gone)

    built = build_site(board, board / "site")

    assert (built.n_runs, built.n_removed) == (2, 1)
    assert not (board / "site" / "runs" / "/".join(gone.parts[-3:])).exists()


def test_a_row_moves_to_verified_once_it_is_listed_and_back_when_its_files_change(board):
    folder = next(path for path in find_submissions(board) if "model-r" in path.as_posix())
    place = "/".join(folder.parts[-3:])
    listed = f"{{id: {place}, manifest_sha256: '{manifest_sha256(folder)}', date: 2026-11-29, by: us, how: so}}"
    (board / "verified.yaml").write_text(f"verified: [{listed}]\n", encoding="utf-8")

    def section():
        build_site(board, board / "site")
        return next(row["section"] for row in read(board / "site" / "board.json")["rows"] if row["id"] == place)

    assert section() == "verified"
    settings = (folder / "run_settings.json").read_bytes()
    (folder / "run_settings.json").write_bytes(settings + b"\n")
    assert section() == "self-reported"
    (folder / "run_settings.json").write_bytes(settings)
    assert section() == "verified"
    with (folder / "MANIFEST.sha256").open("a", encoding="utf-8") as manifest:
        manifest.write("\n")
    assert section() == "self-reported"


def test_a_build_that_was_killed_leaves_the_old_site_and_goes_on(board, monkeypatch):
    old = (board / "site" / "index.html").read_bytes()
    for seed in (11, 12):
        submit(board, random_seed=seed, model=f"model-{seed}")
    monkeypatch.setattr(build.os, "cpu_count", lambda: 1)
    written = []

    def die_at_the_second(loaded, row, site, write=build.write_run):
        if written:
            raise KeyboardInterrupt
        written.append(row.id)
        return write(loaded, row, site)

    monkeypatch.setattr(build, "write_run", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        build_site(board, board / "site")

    assert (board / "site" / "index.html").read_bytes() == old
    monkeypatch.undo()
    assert build_site(board, board / "site").n_written == 1
    assert len(read(board / "site" / "board.json")["rows"]) == 5


def test_all_faults_of_all_submissions_are_told_at_once_and_the_front_page_stays(board):
    old = (board / "site" / "index.html").read_bytes()
    one, other, _ = find_submissions(board)
    (one / "metrics.json").write_text("{}", encoding="utf-8")
    (one / "MANIFEST.sha256").unlink()
    other.rename(other.with_name("0" * 12))

    with pytest.raises(DataError) as refused:
        build_site(board, board / "site")

    text = str(refused.value)
    assert "metrics.json: field 'model'" in text
    assert f"belongs in submissions/{'/'.join(other.parts[-3:])}" in text
    assert "python -m copycat.leaderboard verify" in text
    assert (board / "site" / "index.html").read_bytes() == old


def test_a_folder_that_is_no_site_is_left_alone(made, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")

    with pytest.raises(UserError, match="is not empty and no site of ours"):
        build_site(made, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_board_without_submissions_is_a_page_that_says_so(tmp_path):
    (tmp_path / "board").mkdir()

    built = build_site(tmp_path / "board", tmp_path / "board" / "site")

    assert built.n_runs == 0
    assert (tmp_path / "board" / "site" / "index.html").read_text(encoding="utf-8").count("Nothing here yet") == 4
    assert read(tmp_path / "board" / "site" / "board.json")["rows"] == []


@pytest.mark.parametrize("href", ["../index.html", "characters/../../x/index.html", "/etc/x", "a\\..\\x"])
def test_no_name_of_a_stranger_leads_out_of_the_site(tmp_path, href):
    site = tmp_path / "site"

    with pytest.raises(DataError, match="would be written outside of the site"):
        write_page(site, href, "x")

    assert not list(tmp_path.iterdir())


# ----------------------------------------------------------------------------------------- the command


@pytest.fixture
def command(command_line, monkeypatch, board):
    from copycat.commands.leaderboard import app

    monkeypatch.chdir(board.parent)
    typed = command_line(app, "copycat.leaderboard")
    return lambda *arguments: typed("build", *arguments)


def test_the_command_says_where_the_page_is_and_what_was_done(command):
    answer = command("--leaderboard", "board")

    assert (answer.code, answer.out) == (0, "board/site/index.html: 3 runs, 0 written\n")


def test_the_command_answers_in_json(command):
    answer = command("--leaderboard", "board", "--out", "elsewhere", "--json")

    assert answer.code == 0
    assert '"page": "elsewhere/index.html", "' in answer.out or '"page": "elsewhere/index.html"}' in answer.out
    assert '"n_written": 3' in answer.out


def test_a_folder_that_is_not_there_is_a_user_error(command):
    answer = command("--leaderboard", "bord")

    assert answer.code == 2
    assert "error: 'bord' is no folder\n  needed: the folder of a leaderboard" in answer.err
