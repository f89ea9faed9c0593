"""How much of a service's capacity the judge behind an address uses: the real client against a local server.

    python benchmarks/judging.py [--answers 5000] [--room 50] [--latency 0.2] [--memory FILE] [--profile]

The server holds `room` requests at once, answers each after `latency` seconds and all others with 429, so it can give
room / latency answers per second. Each picture (64 px) is asked about three times: openly, by name, and for CONS.
Prints answers per second from the first request to the last answer, the share of that capacity, the rate limits, and
what an answer costs in seconds of this process's CPU. `--profile` shows where those go.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import logging
import multiprocessing
import os
import pstats
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

from PIL import Image

from copycat.catalog import read_character_set
from copycat.judges.asking import judge_all
from copycat.judges.families import resolve_judge
from copycat.judges.openai_judge import OpenAIJudge
from copycat.services.memory import AnswerMemory

SIDE_PX, SQUARE_PX = 64, 8
ANSWERS_PER_PICTURE = 3
CONTENT = {"open": '{"characters": ["Donald Duck"]}', "closed": '{"shown": false}', "cons": "No"}
LOGPROBS = {
    "content": [
        {
            "token": "No",
            "logprob": -0.1,
            "top_logprobs": [{"token": t, "logprob": -i} for i, t in enumerate(("No", "Yes", "It"), 1)],
        }
    ]
}
BUSY = b'{"error": {"message": "too many requests", "code": "rate_limit_exceeded"}}'


# -------------------------------------------------------------------------------------- the server


def serve(room: int, latency_s: float, pipe: Connection) -> None:
    """Answer until something comes through the pipe, then send back what was answered."""
    answers = {kind: http(200, answer(kind)) for kind in CONTENT}
    busy = http(429, BUSY)
    seen, at_once = Counter[str](), 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(length_of(head))
                at_once += 1
                seen["most at once"] = max(seen["most at once"], at_once)
                if at_once > room:
                    seen["rate limits"] += 1
                    writer.write(busy)
                else:
                    await asyncio.sleep(latency_s)
                    seen["answers"] += 1
                    writer.write(answers[kind_of(body)])
                at_once -= 1
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 20, backlog=256)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(pipe.recv)
        pipe.send(dict(seen))

    asyncio.run(run())


def length_of(head: bytes) -> int:
    """Find out how long a request's body is."""
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


def kind_of(body: bytes) -> str:
    """Tell the questions apart."""
    if b'"top_logprobs"' in body:
        return "cons"
    return "closed" if b'"closed-1"' in body else "open"


def answer(kind: str) -> bytes:
    """Write an answer as a service does."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": CONTENT[kind]},
        "finish_reason": "stop",
        "logprobs": LOGPROBS if kind == "cons" else None,
    }
    used = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}
    whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "eyes", "choices": [choice], "usage": used}
    return json.dumps(whole).encode()


def http(status: int, body: bytes) -> bytes:
    """Put a head before a body."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def server(room: int, latency_s: float) -> Iterator[tuple[str, Callable[[], dict[str, int]]]]:
    """Run a server in a process of its own; yields its address, and what stops it and tells what it answered."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(room, latency_s, theirs), daemon=True)
    process.start()
    theirs.close()  # so that a server that died is noticed

    def stop() -> dict[str, int]:
        ours.send("stop")
        seen: dict[str, int] = ours.recv()
        return seen

    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1", stop
    finally:
        process.terminate()


# -------------------------------------------------------------------------------------- the client


def pictures(count: int) -> list[Image.Image]:
    """Draw coloured squares, each picture other ones."""
    dice = random.Random(3)
    side = SIDE_PX // SQUARE_PX
    small = (Image.frombytes("RGB", (side, side), dice.randbytes(3 * side * side)) for _ in range(count))
    return [image.resize((SIDE_PX, SIDE_PX), Image.Resampling.NEAREST) for image in small]


def main() -> None:
    """Judge, and print how fast."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--answers", type=int, default=5000)
    options.add_argument("--room", type=int, default=50)
    options.add_argument("--latency", type=float, default=0.2)
    options.add_argument("--memory", metavar="FILE", help="keep the answers, as commands do")
    options.add_argument("--profile", action="store_true")
    asked = options.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    characters = read_character_set("sandbox")
    images = pictures(-(-asked.answers // ANSWERS_PER_PICTURE))
    targets = [characters.characters[n % len(characters.characters)].id for n in range(len(images))]
    with server(asked.room, asked.latency) as (url, stop):
        os.environ |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "for-a-local-server"}
        judge = OpenAIJudge(resolve_judge("openai:eyes"), "cpu")
        judge.check(characters)
        if asked.memory:
            judge.remember_in(AnswerMemory(Path(asked.memory), is_fresh=True))
        times, limits = [time.perf_counter()], Counter[int]()

        def advance(_: int) -> None:
            times.append(time.perf_counter())
            limits[int(times[-1] - times[0])] = judge.throttle.limit

        cpu_start = time.process_time()
        with profiled(asked.profile):
            verdicts = judge_all(judge, images, targets, characters, advance)
        cpu_s, seen = time.process_time() - cpu_start, stop()
    wall_s, capacity = times[-1] - times[0], asked.room / asked.latency
    later = [b for a, b in pairwise(times) if b - times[0] > 5]
    per_s = seen["answers"] / wall_s
    steady = ANSWERS_PER_PICTURE * (len(later) - 1) / (later[-1] - later[0]) if len(later) > 1 else float("nan")
    print(
        f"{seen['answers']} answers in {wall_s:.1f} s: {per_s:.0f}/s of {capacity:.0f}/s, {per_s / capacity:.1%}"
        f" (without the first 5 s: {steady:.0f}/s, {steady / capacity:.1%})\n"
        f"  unjudged {sum(not verdict.is_answered for verdict in verdicts)} of {len(verdicts)} pictures, "
        f"rate limits {seen.get('rate limits', 0)}, at most {seen['most at once']} at once\n"
        f"  limit after each second: {' '.join(str(limits[s]) for s in sorted(limits))}\n"
        f"  CPU of this process: {1000 * cpu_s / seen['answers']:.2f} ms per answer, {cpu_s / wall_s:.0%} of a core"
    )


@contextmanager
def profiled(is_wanted: bool) -> Iterator[None]:
    """Print where all threads spend their time; slows everything down."""
    if not is_wanted:
        yield
        return
    import threading

    profiles: list[cProfile.Profile] = []
    run = threading.Thread.run

    def run_profiled(self: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append(profile)
        profile.runcall(run, self)

    threading.Thread.run = run_profiled  # type: ignore[method-assign]
    yield
    threading.Thread.run = run  # type: ignore[method-assign]
    whole = pstats.Stats(profiles[0])
    for profile in profiles[1:]:
        whole.add(profile)
    whole.sort_stats("cumulative").print_stats(70)


if __name__ == "__main__":
    main()
