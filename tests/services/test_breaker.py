"""When a run stops because the service answers nobody."""

from __future__ import annotations

import threading

import pytest

from copycat.errors import UserError
from copycat.services import ServiceDownError
from copycat.services.breaker import Breaker


def fail(breaker: Breaker, times: int) -> None:
    for number in range(times):
        breaker.note_failure(f"error {number}")


def test_it_lets_requests_through_below_the_number() -> None:
    breaker = Breaker("api.example.com")
    fail(breaker, 9)
    breaker.check()
    assert not breaker.is_open


def test_it_opens_after_ten_failed_requests_in_a_row() -> None:
    breaker = Breaker("api.example.com")
    fail(breaker, 10)
    with pytest.raises(ServiceDownError):
        breaker.check()


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker = Breaker("api.example.com", 3)
    for _ in range(5):
        fail(breaker, 2)
        breaker.note_success()
    breaker.check()


def test_it_stays_open_when_a_late_answer_comes() -> None:
    breaker = Breaker("api.example.com", 1)
    fail(breaker, 1)
    breaker.note_success()
    assert breaker.is_open


def test_the_error_is_the_users_and_says_what_happened_and_how_to_go_on() -> None:
    breaker = Breaker("api.example.com", 2)
    fail(breaker, 2)
    with pytest.raises(UserError) as raised:
        breaker.check()
    text = str(raised.value)
    assert text.startswith("2 requests to api.example.com in a row failed")
    assert "the last: error 1" in text
    assert "nothing that was finished is lost" in text
    assert "the same command" in text


def test_threads_are_counted_together() -> None:
    breaker = Breaker("api.example.com", 400)
    threads = [threading.Thread(target=fail, args=(breaker, 50)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(ServiceDownError, match="400 requests"):
        breaker.check()
