"""What a storm of errors costs: the real client against a local server that answers 30 % of requests with 429 or 500.

    python benchmarks/service_storm.py [--pictures 300] [--share 0.3] [--interruptions 3]

The run is interrupted (Ctrl-C) a few times and started again. Prints how many pictures are lost, how many were charged
twice, how many requests it took, and pictures per second beside those of a calm server.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "doubles"))

from image_server import ImageServer, always, storm

SEED = 2406


def command(out: Path, pictures: int) -> list[str]:
    """Give the command that is run: pictures only."""
    words = ["--model", "openai:test-model", "--characters", "sandbox", "--judge", "none", "--size", "64x64"]
    return [sys.executable, "-m", "copycat.eval", *words, "--limit", str(pictures), "--out", str(out)]


def draw(server: ImageServer, out: Path, pictures: int, interruptions: int) -> float:
    """Run until all pictures are there; gives the seconds of all starts."""
    environment = {**os.environ, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "for-a-local-server"}
    start = time.perf_counter()
    for stop in range(interruptions + 1):
        process = subprocess.Popen(  # noqa: S603 - our own command
            command(out, pictures), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        goal = pictures * (stop + 1) // (interruptions + 1)
        while stop < interruptions and len(server.charged) < goal and process.poll() is None:
            time.sleep(0.02)
        if stop < interruptions:
            process.send_signal(signal.SIGINT)
        process.wait()
    return time.perf_counter() - start


def n_lines(out: Path) -> int:
    """Count the pictures in the journals."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in out.glob("*/samples.jsonl"))


def main() -> None:
    """Run in the storm and in calm, and print what it cost."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=300)
    options.add_argument("--share", type=float, default=0.3)
    options.add_argument("--interruptions", type=int, default=3)
    asked = options.parse_args()
    for name, script, stops in (
        ("calm", always("ok"), 0),
        (f"storm, {100 * asked.share:.0f} % errors", storm(SEED, asked.share), asked.interruptions),
    ):
        with tempfile.TemporaryDirectory() as folder, ImageServer(script, latency_s=0.1) as server:
            seconds = draw(server, Path(folder), asked.pictures, stops)
            prompts = Counter(server.charged)
            planned = Counter(prompts.keys())
            print(
                f"{name}: {asked.pictures} pictures, {stops} interruptions, {seconds:.1f} s\n"
                f"  requests {len(server.entries)}, charged {sum(prompts.values())}, "
                f"in the journal {n_lines(Path(folder))}\n"
                f"  lost after success: {sum(prompts.values()) - n_lines(Path(folder))}, "
                f"missing: {asked.pictures - n_lines(Path(folder))}, different prompts {len(planned)}"
            )


if __name__ == "__main__":
    main()
