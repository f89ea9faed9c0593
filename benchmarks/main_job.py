"""How long the main job takes from nothing to its report, how much memory, and how long when it is finished already.

    python benchmarks/main_job.py [--out DIR]

Runs `python -m copycat.eval --model sandbox --mitigation negprompt` twice in processes of their own: in an empty
folder, then again in the same one. Prints wall seconds of each and the peak resident memory of the larger process.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time

COMMAND = [sys.executable, "-m", "copycat.eval", "--model", "sandbox", "--mitigation", "negprompt", "--out"]


def main() -> None:
    """Run it twice and print what it took."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", help="folder of the runs; default: a temporary one")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for label in ("from nothing", "when finished"):
            start = time.perf_counter()
            subprocess.run([*COMMAND, asked.out or folder], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
            print(f"{label}: {time.perf_counter() - start:.1f} s")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    print(f"peak memory: {peak / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
