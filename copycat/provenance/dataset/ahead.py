"""Read the next batches while the last one is looked at: decoding lets go of the interpreter, so two cores are used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from copycat.provenance.dataset.batches import Batch

AHEAD = 2
"""Batches that wait; each holds some megabytes (`batches.BATCH_BYTES`)."""

WAIT_S = 0.2
"""How soon the thread notices that nobody reads any more."""


def read_ahead(batches: Iterator[Batch], ahead: int = AHEAD) -> Iterator[Batch]:
    """Yield the same batches, read in a thread. What the reader raises is raised here, after what came before it.

    Whoever stops early (an error, an interrupt) ends the thread with it.
    """
    waiting: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=ahead)
    stopped = threading.Event()

    def put(item: Batch | BaseException | None) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=WAIT_S)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the thread that asked
            put(error)

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()
