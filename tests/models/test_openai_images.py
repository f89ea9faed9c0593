"""Models behind the Images API: the real client against a server on this computer that misbehaves on command."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date

import pytest
from image_server import MODEL, ImageServer, Say, Script, always, picture, storm
from pictures import request

from copycat.errors import BackendError, MissingExtraError, UnsupportedError, UserError
from copycat.models import openai_images
from copycat.models.decode import decode_picture
from copycat.models.openai_images import OpenAIImagesModel
from copycat.models.row import Feature, ModelRow, Picture
from copycat.schema import Sampling
from copycat.services import ServiceDownError
from copycat.services.fetch import is_allowed
from copycat.services.openai_client import Service
from copycat.services.pool import run_adaptive

KEY = "sk-test-0123456789abcdef"
SAMPLING = Sampling(width_px=64, height_px=64)

Start = Callable[..., tuple[OpenAIImagesModel, ImageServer]]


def row(model: str = MODEL, honours: tuple[Feature, ...] = (), **fields: object) -> ModelRow:
    settings: dict[str, object] = {
        "name": "paint",
        "target": "copycat.models.openai_images:OpenAIImagesModel",
        "source": model,
        "summary": "a service on this computer",
        "licence": "service",
        "sampling": SAMPLING,
        "honours": honours,
        "concurrency": 8,
    }
    return ModelRow.model_validate(settings | fields)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a server that follows a script, and a model that asks it without long waits."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as servers:

        def begin(
            script: Script | Iterable[Say | str] = (), timeout_s: float = 5.0, **fields: object
        ) -> tuple[OpenAIImagesModel, ImageServer]:
            server = servers.enter_context(ImageServer(script))
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            model = OpenAIImagesModel(row(**fields), "cpu")  # type: ignore[arg-type]
            model.policy = replace(model.policy, base_seconds=0.001, cap_seconds=0.002, max_seconds=5)
            model.service = replace(model.service, timeout_s=timeout_s)
            servers.callback(lambda: vars(model.service)["client"].close() if "client" in vars(model.service) else None)
            return model, server

        yield begin


def draw(model: OpenAIImagesModel, prompt: str = "a cat") -> Picture:
    (drawn,) = model.generate([request(prompt)], SAMPLING)
    return drawn


# ------------------------------------------------------------------------------- what is asked for


def test_a_picture_is_the_one_that_the_service_drew(start: Start) -> None:
    model, server = start()
    drawn = draw(model, "a red cat")
    assert drawn.status == "ok"
    assert drawn.image is not None
    assert drawn.image.tobytes() == decode_picture(picture("a red cat", 64, 64)).tobytes()
    assert server.charged == ["a red cat"]


def test_several_requests_are_answered_in_their_order(start: Start) -> None:
    model, server = start(["ok", "refusal", "ok"])
    drawn = model.generate([request("one"), request("two"), request("three")], SAMPLING)
    assert [picture.status for picture in drawn] == ["ok", "refused", "ok"]
    assert server.asked == ["one", "two", "three"]


def test_the_service_gets_the_prompt_sent_the_size_and_nothing_else(start: Start) -> None:
    model, server = start()
    draw(model, "a blue cat")
    assert server.entries[0].body == {
        "model": MODEL,
        "prompt": "a blue cat",
        "n": 1,
        "size": "64x64",
        "response_format": "b64_json",
    }


@pytest.mark.parametrize("model_id", ["gpt-image-2", "gpt-image-2.5-flare-2026-09-08", "chatgpt-image-latest"])
def test_a_gpt_image_model_is_not_asked_for_base64_which_it_would_reject(start: Start, model_id: str) -> None:
    model, server = start(model=model_id)
    assert draw(model).status == "ok"
    assert "response_format" not in server.entries[0].body


def test_the_quality_is_sent_when_it_is_set(start: Start) -> None:
    model, server = start()
    model.generate([request()], SAMPLING.model_copy(update={"quality": "low"}))
    assert server.entries[0].body["quality"] == "low"


def test_seed_and_negative_prompt_reach_a_server_that_honours_them(start: Start) -> None:
    model, server = start(honours=("seed", "negative prompt"))
    asked = [request(negative="red", seed=2**47)]
    model.check(asked, SAMPLING)
    model.generate(asked, SAMPLING)
    assert server.entries[0].body["seed"] == 2**47
    assert server.entries[0].body["negative_prompt"] == "red"


def test_a_prompt_that_the_service_rewrote_is_told_and_cut(start: Start) -> None:
    model, _ = start(["rewritten"])
    drawn = draw(model)
    assert drawn.status == "ok"
    assert drawn.detail.startswith("prompt was rewritten by the service: A detailed a cat.")
    assert len(drawn.detail) == 300


def test_base64_behind_a_data_address_is_read(start: Start) -> None:
    model, _ = start(["data_uri"])
    assert draw(model).status == "ok"


# -------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("behaviour", ["refusal", "refusal_without_code", "refusal_inside"])
def test_a_refusal_is_a_status_and_is_not_asked_again(start: Start, behaviour: str) -> None:
    model, server = start([behaviour])
    drawn = draw(model)
    assert (drawn.status, drawn.image) == ("refused", None)
    assert drawn.detail.startswith("refused by the service: ")
    assert len(server.entries) == 1


def test_a_mistake_of_ours_is_no_refusal_though_its_text_speaks_of_moderation(start: Start) -> None:
    model, server = start(["bad_request"])
    drawn = draw(model)
    assert drawn.status == "failed"
    assert "rejected the request (400): Unknown parameter: 'moderation'." in drawn.detail
    assert len(server.entries) == 1


# --------------------------------------------------------------------- what is tried again, or not


@pytest.mark.parametrize(
    "behaviour",
    ["rate_limit", "rate_limit_date", "server_error", "closed", "empty", "no_data", "empty_item", "bad_base64"]
    + ["truncated", "no_json"],
)
def test_what_may_pass_is_asked_again(start: Start, behaviour: str) -> None:
    model, server = start([behaviour, behaviour])
    assert draw(model).status == "ok"
    assert [entry.behaviour for entry in server.entries] == [behaviour, behaviour, "ok"]


def test_a_service_that_does_not_answer_in_time_is_asked_again(start: Start) -> None:
    model, server = start([Say("hang", 2)], timeout_s=0.1)
    assert draw(model).status == "ok"
    assert len(server.entries) == 2


def test_the_wait_that_the_service_asks_for_is_kept(start: Start) -> None:
    model, _ = start([Say("rate_limit", 0.25), Say("rate_limit_date", 60)])
    waits: list[float] = []
    model.policy = replace(model.policy, sleep=waits.append, max_seconds=900)
    assert draw(model).status == "ok"
    assert 0.25 <= waits[0] < 0.26
    assert 58 <= waits[1] <= 61


def test_a_wait_longer_than_is_left_fails_the_request_at_once(start: Start) -> None:
    model, server = start([Say("rate_limit", 3600)])
    drawn = draw(model)
    assert drawn.status == "failed"
    assert "it asks to wait 3600 s" in drawn.detail
    assert len(server.entries) == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("empty", "empty answer"),
        ("empty_item", "empty answer"),
        ("bad_base64", "no base64"),
        ("truncated", "damaged or cut off"),
        ("no_json", "no list of pictures"),
    ],
)
def test_an_answer_that_stays_bad_is_paid_for_three_times_at_most(start: Start, behaviour: str, reason: str) -> None:
    model, server = start(always(behaviour))
    drawn = draw(model)
    assert (drawn.status, drawn.image) == ("failed", None)
    assert reason in drawn.detail
    assert len(server.entries) == 3


def test_an_error_that_stays_is_given_up_after_the_last_attempt(start: Start) -> None:
    model, server = start(always("server_error"))
    drawn = draw(model)
    assert drawn.detail.startswith("gave up after 8 attempts in 0 s; the last: server error (500)")
    assert len(server.entries) == 8


def test_a_rate_limit_cuts_the_throttle_and_a_server_error_does_not(start: Start) -> None:
    model, _ = start(["server_error", "rate_limit", "rate_limit"], concurrency=8)
    before = model.throttle.limit
    draw(model)
    assert (before, model.throttle.limit) == (8, 6)


# ------------------------------------------------------------------------- pictures that are wrong


def test_a_small_file_of_far_too_many_pixels_is_invalid_and_not_asked_for_again(start: Start) -> None:
    model, server = start(always("bomb"))
    drawn = draw(model)
    assert (drawn.status, drawn.image, drawn.charges) == ("invalid", None, 1)
    assert drawn.detail.startswith("12000x12000 pixels")
    assert len(server.entries) == 1


def test_every_answer_is_counted_that_may_have_been_charged(start: Start) -> None:
    model, server = start(["truncated", "empty"])
    assert draw(model).charges == 3
    assert len(server.charged) == 3
    model, _ = start(["rate_limit", "server_error"])
    assert draw(model).charges == 1


@pytest.mark.parametrize(("behaviour", "flaw"), [("wrong_size", "asked for 64x64, got 32x32"), ("black", "all black")])
def test_a_picture_that_is_not_what_was_asked_for_is_invalid(start: Start, behaviour: str, flaw: str) -> None:
    model, server = start([behaviour])
    assert draw(model) == Picture("invalid", None, flaw, charges=1)
    assert len(server.entries) == 1


def test_a_picture_at_an_address_of_the_service_is_fetched(start: Start) -> None:
    model, _ = start(["url"])
    drawn = draw(model, "a cat in a hat")
    assert drawn.image is not None
    assert drawn.image.tobytes() == decode_picture(picture("a cat in a hat", 64, 64)).tobytes()


@pytest.mark.parametrize("behaviour", ["foreign_url", "file_url"])
def test_a_picture_at_any_other_address_is_not_fetched_and_not_paid_for_again(start: Start, behaviour: str) -> None:
    model, server = start(always(behaviour))
    drawn = draw(model)
    assert drawn.status == "failed"
    assert "an address that is not allowed" in drawn.detail
    assert "secret" not in drawn.detail
    assert len(server.entries) == 1


def test_a_redirect_is_not_followed(start: Start) -> None:
    model, _ = start(always("redirected_url"))
    assert "cannot be fetched" in draw(model).detail


def test_a_picture_with_too_many_bytes_is_not_read_to_its_end(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_images, "MAX_PICTURE_BYTES", 50)
    for behaviour in ("url", "ok"):
        model, _ = start(always(behaviour))
        assert "larger than 50 bytes" in draw(model).detail


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("https://api.example.com/a.png", True),
        ("https://api.example.com:443/a.png", True),
        ("https://store.example.com/a.png", True),
        ("http://store.example.com/a.png", False),
        ("http://api.example.com/a.png", False),
        ("https://api.example.com:8443/a.png", False),
        ("https://api.example.com@evil.example.org/a.png", False),
        ("https://api.example.com.evil.example.org/a.png", False),
        ("https://[::1/a.png", False),
        ("https://api.example.com:port/a.png", False),
        ("//api.example.com/a.png", False),
        ("", False),
    ],
)
def test_an_address_is_allowed_by_scheme_host_and_port(url: str, is_fine: bool) -> None:
    assert is_allowed(url, "https://api.example.com/v1", {"store.example.com"}) is is_fine


# --------------------------------------------------------------------------------- what stops a run


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("bad_key", ["does not accept the key in OPENAI_API_KEY (401)", "export OPENAI_API_KEY="]),
        ("forbidden", ["does not allow this to the key in OPENAI_API_KEY (403)", f"model '{MODEL}'"]),
        ("unknown_model", [f"does not know model '{MODEL}' (404)", "/v1"]),
        ("no_credit", ["no credit left", "the same command"]),
    ],
)
def test_what_no_request_can_get_past_stops_the_run_at_once(start: Start, behaviour: str, words: list[str]) -> None:
    model, server = start(always(behaviour))
    with pytest.raises(UserError) as stopped:
        draw(model)
    assert all(word in str(stopped.value) for word in words)
    assert len(server.entries) == 1


@pytest.mark.parametrize("behaviour", ["bad_key", "forbidden", "bad_request", "server_error", "refusal", "ok"])
@pytest.mark.parametrize("key", [KEY, "another-providers-key-0123"])
def test_the_key_is_sent_and_never_shown(
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    behaviour: str,
    key: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    model, server = start(always(behaviour))
    monkeypatch.setenv("OPENAI_API_KEY", key)
    try:
        shown = draw(model).detail
    except (UserError, BackendError) as error:
        shown = f"{error} {error.__cause__}"
    assert server.entries[0].headers["authorization"] == f"Bearer {key}"
    assert key not in shown + caplog.text + str(model.identify())


def test_the_run_stops_when_ten_requests_in_a_row_failed(start: Start) -> None:
    model, server = start(always("bad_request"))
    for number in range(10):
        assert draw(model, f"prompt {number}").status == "failed"
    with pytest.raises(ServiceDownError, match=r"10 requests to .* in a row failed"):
        draw(model)
    assert len(server.entries) == 10


def test_refusals_do_not_stop_a_run(start: Start) -> None:
    model, _ = start(always("refusal"))
    assert {draw(model).status for _ in range(25)} == {"refused"}


# ------------------------------------------------------------------------------ before any request


def test_a_missing_key_is_named_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("PAINT_KEY", " ")
    model = OpenAIImagesModel(row(key_variable="PAINT_KEY", base_url="https://api.example.com/v1"), "cpu")
    with pytest.raises(MissingExtraError, match=r"api\.example\.com needs a key, and PAINT_KEY is not set"):
        model.prepare([request()], SAMPLING)


def test_a_server_on_this_computer_needs_no_key(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    model, server = start()
    monkeypatch.delenv("OPENAI_API_KEY")
    assert draw(model).status == "ok"
    assert server.entries[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize("key", ["sk-broken\nkey-0123", "sk-brøken"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match="a character that no key holds") as refused:
        _ = Service.find("https://api.example.com/v1").client
    assert key not in str(refused.value)


@pytest.mark.parametrize("url", ["api.example.com/v1", "ftp://api.example.com", "http://"])
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(UserError, match="no http address"):
        Service.find()


def test_the_address_of_a_row_goes_before_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert Service.find("https://api.example.com/v1").host == "api.example.com"
    assert Service.find().host == "127.0.0.1:1"
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert Service.find().host == "api.openai.com"


def test_the_identity_is_host_and_model_and_asks_nobody(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    model, server = start(base_url="https://user:password@api.example.com/v1", model="gpt-image-2-2026-04-21")
    assert model.identify() == ("openai:api.example.com/gpt-image-2-2026-04-21", "api")
    assert server.entries == []


def test_the_service_says_when_a_model_was_made_and_ends(start: Start) -> None:
    model, _ = start()
    assert model.facts() == {"created": "2026-04-21", "shutdown_date": "2031-01-31"}
    unknown, _ = start(model="paint-2")
    assert unknown.facts() == {}


def test_a_service_that_is_not_there_states_no_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert OpenAIImagesModel(row(), "cpu").facts() == {}


def test_a_negative_prompt_is_refused_before_any_request(start: Start) -> None:
    model, server = start()
    with pytest.raises(UnsupportedError, match="takes no negative prompt") as refused:
        model.check([request(), request(negative="Mickey Mouse")], SAMPLING)
    assert "use a mitigation that does not need one: none" in str(refused.value)
    assert server.entries == []


def test_a_setting_that_the_service_does_not_have_is_refused(start: Start) -> None:
    model, _ = start()
    with pytest.raises(UnsupportedError, match="takes no guidance, steps"):
        model.check([request()], SAMPLING.model_copy(update={"steps": 50, "guidance": 3.0}))
    model.check([request()], SAMPLING.model_copy(update={"quality": "low"}))


def test_a_model_is_refused_from_the_day_after_its_shutdown(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = start(shutdown="2026-12-01")
    monkeypatch.setattr(openai_images, "_today", lambda: date(2026, 12, 1))
    model.check([request()], SAMPLING)
    monkeypatch.setattr(openai_images, "_today", lambda: date(2026, 12, 2))
    with pytest.raises(UnsupportedError, match="was shut down by its provider on 2026-12-01"):
        model.check([request()], SAMPLING)


# ---------------------------------------------------------------------------------- a whole run


def run_all(model: OpenAIImagesModel, prompts: list[str], journal: dict[str, Picture]) -> None:
    def work(prompt: str) -> Picture:
        return draw(model, prompt)

    missing = [prompt for prompt in prompts if journal.get(prompt, Picture("failed", None)).status == "failed"]
    for prompt, drawn in run_adaptive(missing, work, model.throttle, journal.__setitem__):
        journal[prompt] = drawn


def test_in_a_storm_of_errors_every_picture_comes_and_is_paid_for_once(start: Start) -> None:
    model, server = start(storm(seed=5), concurrency=16)
    prompts, journal = [f"prompt {number}" for number in range(200)], dict[str, Picture]()
    run_all(model, prompts, journal)
    assert {journal[prompt].status for prompt in prompts} == {"ok"}
    assert Counter(server.charged) == Counter(prompts)
    assert len(server.asked) > 240
    assert server.most_at_once <= 16


def test_each_picture_of_a_storm_is_that_of_its_own_prompt(start: Start) -> None:
    model, _ = start(storm(seed=6), concurrency=8)
    journal: dict[str, Picture] = {}
    run_all(model, [f"prompt {number}" for number in range(40)], journal)
    for prompt, drawn in journal.items():
        assert drawn.image is not None
        assert drawn.image.tobytes() == decode_picture(picture(prompt, 64, 64)).tobytes()


def test_a_run_that_stopped_goes_on_without_paying_twice(start: Start) -> None:
    broken = threading.Event()

    def script(number: int, _: dict[str, object]) -> str:
        if number == 60:
            broken.set()
        return "server_error" if broken.is_set() else "ok"

    model, server = start(script)
    prompts, journal = [f"prompt {number}" for number in range(150)], dict[str, Picture]()
    with pytest.raises(ServiceDownError):
        run_all(model, prompts, journal)
    paid = Counter(server.charged)
    assert {prompt for prompt, drawn in journal.items() if drawn.status == "ok"} == set(paid)

    again, healthy = start()
    run_all(again, prompts, journal)
    assert {journal[prompt].status for prompt in prompts} == {"ok"}
    assert paid + Counter(healthy.charged) == Counter(prompts)


def test_a_bad_key_stops_a_run_after_one_round(start: Start) -> None:
    model, server = start(always("bad_key"))
    with pytest.raises(UserError, match="does not accept the key"):
        run_all(model, [f"prompt {number}" for number in range(100)], {})
    assert len(server.entries) <= 8
