"""`python -m copycat.leaderboard build`: the site that shows all submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BUILD_EPILOG = """The site is plain files: open SITE/index.html, or put the folder on any static host. Only what has
changed is written again; stopped, the same command goes on from there. Run `verify --all` first: a build believes that
submissions are whole."""


def build(
    leaderboard: Annotated[Path, typer.Option(metavar="DIR", help="the folder of the board")] = Path("leaderboard"),
    out: Annotated[
        Path | None, typer.Option(metavar="SITE", help="where to build; default: site in the folder of the board")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="write every page again")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> int:
    """Build the site: a front page, a page for each run and each character, and all figures as CSV, JSON and LaTeX.

    python -m copycat.leaderboard build

    python -m copycat.leaderboard build --leaderboard my-board --out my-site
    """
    from copycat import console
    from copycat.leaderboard.build import build_site
    from copycat.leaderboard.layout import SITE, find_submissions

    with console.progress_bar("build runs", len(find_submissions(leaderboard))) as advance:
        built = build_site(leaderboard, out or leaderboard / SITE, is_fresh=fresh, advance=advance)
    page = built.site / "index.html"
    if json:
        console.print_json({**built._asdict(), "site": str(built.site), "page": str(page)})
        return console.EXIT_DONE
    said = f"{built.n_runs} run{'s' if built.n_runs != 1 else ''}, {built.n_written} written"
    if built.n_removed:
        said += f", {built.n_removed} removed"
    console.out.print(f"{page}: {said}", markup=False, soft_wrap=True)
    return console.EXIT_DONE
