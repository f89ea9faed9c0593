"""The page that ships in leaderboard/site, against the submissions beside it."""

from __future__ import annotations

from pathlib import Path

from copycat.leaderboard.build import SUMMARIES, build_site

BOARD = Path(__file__).resolve().parents[2] / "leaderboard"


def contents(site: Path) -> dict[str, bytes]:
    files = (path for path in site.rglob("*") if path.is_file() and SUMMARIES not in path.parts)
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in files}


def test_the_page_that_ships_is_what_its_submissions_give(tmp_path: Path) -> None:
    """`make board` builds it again."""
    build_site(BOARD, tmp_path / "site")

    built, ships = contents(tmp_path / "site"), contents(BOARD / "site")

    assert sorted(built.keys() ^ ships.keys()) == []
    assert [name for name in sorted(built) if built[name] != ships[name]] == []
