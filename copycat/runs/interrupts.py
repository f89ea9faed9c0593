"""Ctrl-C that waits for what is under way: a picture that is drawn, or paid for, is written before the run stops."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)


class Interrupt:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.is_wanted = False

    def note(self, signal_number: int, frame: FrameType | None) -> None:
        """Remember the first Ctrl-C; the second one interrupts at once."""
        del signal_number, frame
        if self.is_wanted:
            raise KeyboardInterrupt
        self.is_wanted = True
        log.warning("stopping once what is under way is finished (Ctrl-C again drops it)")

    def check(self) -> None:
        """Interrupt now, if it was wanted."""
        if self.is_wanted:
            raise KeyboardInterrupt


@contextmanager
def deferred_interrupt() -> Iterator[Interrupt]:
    """Keep the first Ctrl-C until `check` is called; outside the main thread, where none arrives, do nothing."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.signal(signal.SIGINT, interrupt.note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
