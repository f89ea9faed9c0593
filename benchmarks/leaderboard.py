"""How long a board of many submissions takes to build, how large its front page is, and how fast that is to use.

    python benchmarks/leaderboard.py [--submissions 1000] [--samples 150] [--board DIR] [--browser]

Makes submissions of the sandbox's characters (noise for pictures, dice for verdicts; kept in --board, and made only if
they are not there), builds the site from nothing and then again, and prints wall and CPU seconds, the largest memory of
the process with all its children, and the bytes of the front page with what it loads. CPU seconds are what the build
costs on a machine of which others use a part. With --browser the front page is opened in headless Chromium: time to the
first contentful paint and to the end of loading, and from a press on a heading or a letter of a search to the next
frame on the screen (the median of several, and the renderer's own CPU time).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
DOUBLES = ROOT / "tests" / "doubles"
PROMPTS = 150
"""Of the sandbox: 50 characters under 3 anchors."""

NEXT_FRAME = "const next = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));"
PRESS = f"""async key => {{ {NEXT_FRAME} const start = performance.now();
document.querySelector(`th[data-key="${{key}}"] button`).click(); await next(); return performance.now() - start; }}"""
SEARCH = f"""async text => {{ {NEXT_FRAME} const start = performance.now(), find = document.querySelector("#find");
find.value = text; find.dispatchEvent(new Event("input", {{ bubbles: true }})); await next();
return performance.now() - start; }}"""
HEADINGS = ("detect:all", "cons:all", "model", "detect:name", "rank") * 4
SEARCHES = ("model-0", "model-09", "model-098", "", "sandbox", "model-04", "") * 2


def main() -> None:
    """Make the board, build it twice, and look at it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--submissions", type=int, default=1000)
    options.add_argument("--samples", type=int, default=PROMPTS, help=f"of each; a multiple of {PROMPTS}")
    options.add_argument("--board", type=Path, help="where submissions are made and kept; default: a temporary folder")
    options.add_argument("--browser", action="store_true", help="open the front page in Chromium, too")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        board = asked.board or Path(folder) / "board"
        make_board(board, asked.submissions, asked.samples // PROMPTS)
        # Not where a site was just deleted: ext4 passes over what lately was, at a millisecond for each new file.
        site = Path(tempfile.mkdtemp(prefix="site-", dir=board.parent))
        for label in ("from nothing", "again, nothing new"):
            print(f"build {label}: {measure_build(board, site)}", flush=True)
        print(f"front page: {describe_size(site)}")
        if asked.browser:
            look(site / "index.html")
        shutil.rmtree(site)


def make_board(board: Path, count: int, seeds: int) -> None:
    """Write the submissions, unless as many are there."""
    from copycat.leaderboard.layout import find_submissions

    if len(find_submissions(board)) == count:
        return
    sys.path.insert(0, str(DOUBLES))
    from submissions import make_many

    start = time.perf_counter()
    make_many(board, count, processes=os.cpu_count() or 1, seeds=seeds)
    print(f"{count} submissions made in {time.perf_counter() - start:.0f} s", flush=True)


def measure_build(board: Path, site: Path) -> str:
    """Run the command in a process of its own; gives seconds and the largest memory."""
    before, start = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "copycat.leaderboard", "build", "--leaderboard", str(board), "--out", str(site)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own command
    peak = [0]
    watch = threading.Thread(target=watch_memory, args=(process.pid, peak))
    watch.start()
    code = process.wait()
    wall, after = time.perf_counter() - start, os.times()
    watch.join()
    if code:
        raise SystemExit(f"the build ended with {code}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return f"{wall:.1f} s wall, {cpu:.1f} s CPU, {peak[0] / 2**30:.2f} GiB"


def watch_memory(pid: int, peak: list[int]) -> None:
    """Add up the memory that is a process's own (PSS, so that shared pages count once) over it and its children."""
    while True:
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
            if root.status() == psutil.STATUS_ZOMBIE:
                return
            peak[0] = max(peak[0], sum(memory_of(one) for one in family))
        except psutil.NoSuchProcess:
            return
        time.sleep(0.2)


def memory_of(process: psutil.Process) -> int:
    """Give the bytes of one process, none if it has ended."""
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.rss))


def describe_size(site: Path) -> str:
    """Give the bytes of the front page and of all styles and scripts that it names."""
    page = (site / "index.html").read_text(encoding="utf-8")
    assets = sum(path.stat().st_size for path in (site / "assets").iterdir() if f"assets/{path.name}" in page)
    size = (site / "index.html").stat().st_size
    return f"{size:,} bytes and {assets:,} of styles and scripts, {(size + assets) / 1e6:.2f} MB in all"


def look(page_path: Path) -> None:
    """Open the page, sort and search it, and print what that took."""
    from playwright.sync_api import sync_playwright

    sys.path.insert(0, str(DOUBLES))
    from browsing import NAMES

    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(page_path.as_uri())
        page.wait_for_timeout(1000)
        print(f"first view: {describe_loading(page)}")
        for label, script, inputs in (("sort", PRESS, HEADINGS), ("search", SEARCH, SEARCHES)):
            before = renderer_seconds()
            taken = [page.evaluate(script, text) for text in inputs]
            cpu = 1000 * (renderer_seconds() - before) / len(inputs)
            worst = max(taken)
            print(f"{label}: median {statistics.median(taken):.0f} ms, worst {worst:.0f} ms, {cpu:.0f} ms CPU each")
        browser.close()


def describe_loading(page: Any) -> str:
    """Give milliseconds from the start of the navigation."""
    times = page.evaluate(
        "() => [performance.getEntriesByName('first-contentful-paint')[0].startTime,"
        " performance.getEntriesByType('navigation')[0].loadEventEnd]"
    )
    return f"first contentful paint {times[0]:.0f} ms, loaded {times[1]:.0f} ms"


def renderer_seconds() -> float:
    """Add up the CPU time of the renderers that this process started."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                spent = process.cpu_times()
                total += spent.user + spent.system
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    main()
