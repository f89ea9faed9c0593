"""When a request is tried again, and when it is given up; no test here sleeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from copycat.errors import BackendError
from copycat.services.retry import (
    MAX_BAD_ANSWERS,
    Kind,
    RetryEvent,
    RetryPolicy,
    TransientError,
    call_with_retries,
    parse_http_date,
    parse_retry_after,
)


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def policy(self, draw: float = 1.0, max_attempts: int = 8, max_seconds: float = 900) -> RetryPolicy:
        return RetryPolicy(
            max_attempts=max_attempts,
            max_seconds=max_seconds,
            clock=lambda: self.now,
            sleep=self.sleep,
            random=lambda: draw,
        )


def failing(times: int, kind: Kind = "server", retry_after_s: float | None = None) -> Callable[[], str]:
    """An attempt that fails so many times and then gives 'done'."""
    left = [times]

    def attempt() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise TransientError(f"no luck, {left[0]} to come", retry_after_s, kind)
        return "done"

    return attempt


@pytest.mark.parametrize("kind", ["rate_limit", "server", "timeout", "connection"])
def test_what_may_pass_is_tried_again_until_it_succeeds(kind: Kind) -> None:
    time = Time()
    assert call_with_retries(time.policy(), failing(5, kind)) == "done"
    assert len(time.slept) == 5


def test_the_longest_wait_doubles_up_to_the_cap() -> None:
    policy = Time().policy(draw=1.0)
    assert [policy.delay(attempt) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_wait_is_anything_between_nothing_and_the_longest() -> None:
    assert Time().policy(draw=0.0).delay(5) == 0
    assert Time().policy(draw=0.25).delay(5) == 4


def test_the_wait_of_a_very_late_attempt_is_the_cap() -> None:
    assert Time().policy().delay(100_000) == 60


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("asked", [0.0, 0.3, 7.0, 120.0])
def test_the_wait_is_never_shorter_than_the_service_asks_for(draw: float, asked: float) -> None:
    assert all(asked <= Time().policy(draw).delay(n, asked) <= asked + 1 for n in range(1, 9))


def test_it_gives_up_after_the_last_attempt_and_says_what_happened() -> None:
    time = Time()
    with pytest.raises(BackendError) as given_up:
        call_with_retries(time.policy(), failing(99))
    assert len(time.slept) == 7
    assert str(given_up.value) == "gave up after 8 attempts in 123 s; the last: no luck, 91 to come"


def test_no_attempt_starts_after_the_wall_time() -> None:
    time = Time()
    with pytest.raises(BackendError, match="gave up after 5 attempts in 15 s"):
        call_with_retries(time.policy(max_seconds=20), failing(99))
    assert time.now <= 100 + 20


def test_it_gives_up_at_once_when_asked_to_wait_longer_than_is_left() -> None:
    time = Time()
    with pytest.raises(BackendError) as given_up:
        call_with_retries(time.policy(), failing(99, "rate_limit", 3600))
    assert time.slept == []
    assert "after 1 attempt in 0 s" in str(given_up.value)
    assert "it asks to wait 3600 s, and 900 s are left" in str(given_up.value)


def test_a_bad_answer_is_tried_again_at_most_twice() -> None:
    assert call_with_retries(Time().policy(), failing(MAX_BAD_ANSWERS - 1, "bad_answer")) == "done"
    with pytest.raises(BackendError, match="after 3 attempts"):
        call_with_retries(Time().policy(), failing(MAX_BAD_ANSWERS, "bad_answer"))


def test_bad_answers_are_counted_across_other_errors() -> None:
    kinds: list[Kind] = ["bad_answer", "server", "bad_answer", "server", "bad_answer", "server"]

    def attempt() -> str:
        raise TransientError("?", kind=kinds.pop(0))

    with pytest.raises(BackendError, match="after 5 attempts"):
        call_with_retries(Time().policy(), attempt)


def test_any_other_error_is_raised_at_once() -> None:
    time = Time()

    def attempt() -> str:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        call_with_retries(time.policy(), attempt)
    assert time.slept == []


def test_every_failed_attempt_is_told_with_the_wait_before_the_next() -> None:
    told: list[RetryEvent] = []
    with pytest.raises(BackendError):
        call_with_retries(Time().policy(max_attempts=3), failing(3, "timeout"), told.append)
    assert [(event.attempt, event.kind, event.delay_s) for event in told] == [
        (1, "timeout", 1),
        (2, "timeout", 2),
        (3, "timeout", None),
    ]


# ---------------------------------------------------------------------------------- Retry-After

NOON = datetime(2026, 11, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("0.5", 0.5),
        ("-3", 0),
        ("Fri, 06 Nov 2026 12:02:00 GMT", 120),
        ("Fri, 06 Nov 2026 11:00:00 GMT", 0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_the_header_is_read_in_seconds_and_as_a_date(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOON) == seconds


def test_a_date_is_measured_against_the_services_own_clock() -> None:
    theirs = parse_http_date("Fri, 06 Nov 1998 12:00:00 GMT")
    assert parse_retry_after("Fri, 06 Nov 1998 12:00:10 GMT", theirs) == 10
