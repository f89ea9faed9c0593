"""How many requests may be under way."""

from __future__ import annotations

import heapq
import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from copycat.services import StoppedError
from copycat.services.throttle import COOL_DOWN_S, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def succeed(throttle: Throttle, times: int) -> None:
    for _ in range(times):
        throttle.note_success()


def test_it_grows_by_one_after_a_window_of_successes(clock: Clock) -> None:
    throttle = Throttle(4, 32, clock)
    succeed(throttle, 3)
    assert throttle.limit == 4
    succeed(throttle, 1)
    assert throttle.limit == 5


def test_a_high_limit_grows_by_a_quarter_until_the_first_rate_limit(clock: Clock) -> None:
    throttle = Throttle(100, 1000, clock)
    succeed(throttle, 100)
    assert throttle.limit == 125
    succeed(throttle, 125)
    assert throttle.limit == 156


def test_after_a_rate_limit_it_grows_by_five_per_cent(clock: Clock) -> None:
    throttle = Throttle(100, 1000, clock)
    throttle.note_rate_limit()
    assert throttle.limit == 80
    succeed(throttle, 80)
    assert throttle.limit == 84


def test_a_limit_that_is_not_used_up_does_not_grow(clock: Clock) -> None:
    throttle = Throttle(20, 40, clock)
    with ExitStack() as slots:
        for _ in range(17):
            slots.enter_context(throttle.slot())
        succeed(throttle, 100)
        assert throttle.limit == 20
        slots.enter_context(throttle.slot())
        succeed(throttle, 1)
        assert throttle.limit == 25
        succeed(throttle, 100)
        assert throttle.limit == 25


def test_it_never_grows_above_its_maximum(clock: Clock) -> None:
    throttle = Throttle(2, 4, clock)
    succeed(throttle, 1000)
    assert throttle.limit == 4


def test_a_rate_limit_cuts_it_to_four_fifths(clock: Clock) -> None:
    throttle = Throttle(50, 50, clock)
    throttle.note_rate_limit()
    assert throttle.limit == 40


def test_the_first_rate_limit_takes_the_last_quarter_back_too(clock: Clock) -> None:
    throttle = Throttle(40, 100, clock)
    succeed(throttle, 40)
    assert throttle.limit == 50
    throttle.note_rate_limit()
    assert throttle.limit == 32
    succeed(throttle, 5000)
    assert throttle.limit == 48


def test_a_burst_of_rate_limits_cuts_it_once(clock: Clock) -> None:
    throttle = Throttle(50, 50, clock)
    for _ in range(30):
        clock.now += COOL_DOWN_S / 31
        throttle.note_rate_limit()
    assert throttle.limit == 40


def test_the_next_episode_cuts_it_again(clock: Clock) -> None:
    throttle = Throttle(50, 50, clock)
    throttle.note_rate_limit()
    clock.now += COOL_DOWN_S
    throttle.note_rate_limit()
    assert throttle.limit == 32


def test_it_never_falls_below_one(clock: Clock) -> None:
    throttle = Throttle(2, 4, clock)
    for _ in range(20):
        clock.now += COOL_DOWN_S
        throttle.note_rate_limit()
    assert throttle.limit == 1


def test_it_grows_back_at_once_to_just_below_what_was_too_high(clock: Clock) -> None:
    throttle = Throttle(100, 1000, clock)
    throttle.note_rate_limit()
    succeed(throttle, 5000)
    assert throttle.limit == 95


def test_beyond_that_it_goes_only_after_the_cool_down(clock: Clock) -> None:
    throttle = Throttle(5, 5, clock)
    throttle.note_rate_limit()
    succeed(throttle, 20)
    assert throttle.limit == 4
    clock.now += COOL_DOWN_S
    succeed(throttle, 4)
    assert throttle.limit == 5


def test_a_rate_limit_on_the_way_back_is_the_new_bound(clock: Clock) -> None:
    throttle = Throttle(100, 1000, clock)
    throttle.note_rate_limit()
    succeed(throttle, 80)
    for _ in range(20):
        throttle.note_rate_limit()
    assert throttle.limit == 80
    succeed(throttle, 5000)
    assert throttle.limit == 80


def test_every_rate_limit_puts_the_next_probe_off(clock: Clock) -> None:
    throttle = Throttle(20, 40, clock)
    throttle.note_rate_limit()
    clock.now += COOL_DOWN_S - 1
    throttle.note_rate_limit()
    clock.now += COOL_DOWN_S - 1
    succeed(throttle, 1000)
    assert throttle.limit == 19
    clock.now += 1
    succeed(throttle, 1)
    assert throttle.limit == 20


def test_an_error_of_the_server_keeps_it_from_going_higher_and_cuts_nothing(clock: Clock) -> None:
    throttle = Throttle(4, 8, clock)
    throttle.note_server_error()
    succeed(throttle, 100)
    assert throttle.limit == 4
    clock.now += COOL_DOWN_S
    succeed(throttle, 1)
    assert throttle.limit == 5


def test_an_error_of_the_server_does_not_keep_it_from_growing_back(clock: Clock) -> None:
    throttle = Throttle(100, 1000, clock)
    throttle.note_rate_limit()
    throttle.note_server_error()
    succeed(throttle, 80)
    assert throttle.limit == 84


@pytest.mark.parametrize(("start", "maximum"), [(0, 4), (5, 4), (-1, -1)])
def test_a_limit_that_cannot_be_is_refused(start: int, maximum: int) -> None:
    with pytest.raises(ValueError, match="needed"):
        Throttle(start, maximum)


# ------------------------------------------------------------------------- against a simulated server


def simulate(throttle: Throttle, clock: Clock, room: int, answer_s: float, seconds: float) -> Counter[str]:
    """Count the answers and rate limits of a server that holds `room` requests and answers others with 429 at once.

    There is always more to do. A rejected request waits up to 1 s, outside a slot, as `RetryPolicy` has it.
    """
    dice, seen = random.Random(7), Counter[str]()
    events = [(0.0, "look")]
    at_server = 0
    while events and clock.now < seconds:
        clock.now, what = heapq.heappop(events)
        if what == "answered":
            at_server -= 1
            seen["answers"] += 1
            throttle.note_success()
        waiting = sum(kind == "look" for _, kind in events)
        while at_server + waiting < throttle.limit:
            if at_server < room:
                at_server += 1
                heapq.heappush(events, (clock.now + answer_s * dice.uniform(0.9, 1.1), "answered"))
            else:
                seen["rate limits"] += 1
                throttle.note_rate_limit()
                waiting += 1
                heapq.heappush(events, (clock.now + dice.random(), "look"))
    return seen


@pytest.mark.parametrize("room", [30, 50, 90])
def test_it_uses_nine_tenths_of_what_a_server_can_do_and_asks_rarely_in_vain(clock: Clock, room: int) -> None:
    seen = simulate(Throttle(20, 100, clock), clock, room, answer_s=0.2, seconds=30)
    assert seen["answers"] > 0.9 * room / 0.2 * 30
    assert seen["rate limits"] < 0.002 * seen["answers"]


def test_it_comes_down_to_a_server_with_less_room_than_it_starts_with(clock: Clock) -> None:
    throttle = Throttle(20, 100, clock)
    seen = simulate(throttle, clock, room=7, answer_s=0.2, seconds=90)
    assert seen["answers"] > 0.9 * 7 / 0.2 * 90
    assert throttle.limit == 7


# ------------------------------------------------------------------------------------- the slots


def in_threads(count: int, work: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_never_more_slots_are_taken_than_the_limit_allows() -> None:
    throttle, seen = Throttle(3, 3), list[int]()

    def work() -> None:
        for _ in range(20):
            with throttle.slot():
                seen.append(throttle.in_use)

    for thread in in_threads(12, work):
        thread.join(5)
    assert len(seen) == 240
    assert max(seen) <= 3
    assert throttle.in_use == 0


def test_who_waits_for_a_slot_goes_on_when_the_limit_grows() -> None:
    throttle, entered = Throttle(1, 2), threading.Event()

    def work() -> None:
        with throttle.slot():
            entered.set()

    with throttle.slot():
        in_threads(1, work)
        assert not entered.wait(0.02)
        throttle.note_success()
        assert entered.wait(5)


def test_a_slot_is_given_back_after_an_error() -> None:
    throttle = Throttle(1, 1)
    with pytest.raises(KeyError), throttle.slot():
        raise KeyError
    assert throttle.in_use == 0


def test_a_stop_wakes_who_waits_for_a_slot_and_who_sleeps() -> None:
    throttle, ended = Throttle(1, 1), list[str]()

    def wait() -> None:
        with pytest.raises(StoppedError), throttle.slot():
            pass
        ended.append("waited")

    def sleep() -> None:
        throttle.sleep(600)
        ended.append("slept")

    with throttle.slot():
        threads = in_threads(1, wait) + in_threads(1, sleep)
        throttle.stop()
        for thread in threads:
            thread.join(5)
    assert sorted(ended) == ["slept", "waited"]


def test_it_can_be_used_again_after_a_stop() -> None:
    throttle = Throttle(1, 1)
    throttle.stop()
    with pytest.raises(StoppedError), throttle.slot():
        pass
    throttle.resume()
    with throttle.slot():
        assert throttle.in_use == 1
