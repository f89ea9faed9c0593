"""When to try again, and when to give up: full jitter, capped by attempts and by wall time."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple, TypeVar

from copycat.errors import BackendError

Kind = Literal["rate_limit", "server", "timeout", "connection", "bad_answer"]

MAX_BAD_ANSWERS = 3
"""Attempts that end in a bad answer: the first and two more, since every answer may be charged."""

T = TypeVar("T")


class TransientError(Exception):
    """One attempt failed in a way that may pass.

    Args:
        message: what happened, for people.
        retry_after_s: how many seconds the service asks to wait; None if it does not say.
        kind: what it was; a "bad_answer" is one that came, and may be charged, but cannot be used.
    """

    def __init__(self, message: str, retry_after_s: float | None = None, kind: Kind = "server") -> None:
        super().__init__(message)
        self.retry_after_s, self.kind = retry_after_s, kind


class RetryEvent(NamedTuple):
    """A failed attempt (from 1). `delay_s` is the wait before the next one, None if there is none."""

    attempt: int
    kind: Kind
    message: str
    delay_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long to try one request.

    Attributes:
        max_attempts: attempts of one request, the first among them.
        max_seconds: no attempt starts later than this after the first; one that runs is not cut off.
        base_seconds: the longest wait after the first attempt; it doubles with every further one.
        cap_seconds: the longest wait that is not asked for by the service.
        clock: seconds that only rise. sleep: waits for seconds. random: uniform in [0, 1).
    """

    max_attempts: int = 8
    max_seconds: float = 900
    base_seconds: float = 1
    cap_seconds: float = 60
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    def delay(self, attempt: int, retry_after_s: float | None = None) -> float:
        """Give the seconds to wait after attempt number `attempt`, the first of which is 1.

        Full jitter: uniform between 0 and min(cap, base * 2**(attempt - 1)). A wait that the service
        asks for is its lower bound, and the jitter on top keeps many clients from coming back at once.
        """
        longest = min(self.cap_seconds, self.base_seconds * 2.0 ** min(attempt - 1, 60))
        if retry_after_s is None:
            return self.random() * longest
        return max(0.0, retry_after_s) + self.random() * min(longest, self.base_seconds)


def call_with_retries(
    policy: RetryPolicy, attempt: Callable[[], T], on_event: Callable[[RetryEvent], None] = lambda _: None
) -> T:
    """Call `attempt` until it returns.

    `on_event` hears of every failed attempt before the wait, and may raise to stop the trying.

    Raises:
        BackendError: the policy is exhausted; the text names the attempts, the seconds and the last error.
        Exception: whatever `attempt` raises but for TransientError, at once.
    """
    start = policy.clock()
    bad_answers = 0
    number = 0
    while True:
        number += 1
        try:
            return attempt()
        except TransientError as error:
            spent = policy.clock() - start
            bad_answers += error.kind == "bad_answer"
            delay = policy.delay(number, error.retry_after_s)
            is_over = number >= policy.max_attempts or bad_answers >= MAX_BAD_ANSWERS
            is_over = is_over or spent + delay > policy.max_seconds
            on_event(RetryEvent(number, error.kind, str(error), None if is_over else delay))
            if is_over:
                raise BackendError(_exhausted_text(policy, number, spent, error)) from error
        policy.sleep(delay)


def parse_retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Read the header Retry-After: seconds, or an HTTP date.

    Args:
        text: the header's value, None if it was not sent.
        now: the service's own time, so that a wrong clock here does no harm; None for ours.

    Returns: seconds, never below 0; None where there is no header or it cannot be read.
    """
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until = parse_http_date(text)
        if until is None:
            return None
        seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def parse_http_date(text: str | None) -> datetime | None:
    """Read an HTTP date such as 'Sun, 06 Nov 1994 08:49:37 GMT'; None where it cannot be read."""
    try:
        parsed = parsedate_to_datetime(text or "")
    except (ValueError, IndexError, TypeError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _exhausted_text(policy: RetryPolicy, attempts: int, spent_s: float, error: TransientError) -> str:
    text = f"gave up after {attempts} attempt{'s' if attempts != 1 else ''} in {spent_s:.0f} s; the last: {error}"
    left_s = max(0.0, policy.max_seconds - spent_s)
    if error.retry_after_s is not None and error.retry_after_s > left_s:
        text += f" (it asks to wait {error.retry_after_s:.0f} s, and {left_s:.0f} s are left for this request)"
    return text
