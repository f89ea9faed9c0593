"""The judge behind an address: the real client against a model on this computer that answers as real ones do."""

from __future__ import annotations

import io
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chat_server import COMPLETION_TOKENS, MODEL, PROMPT_TOKENS, ChatServer, picture_of, to
from copycat_doubles import CONSISTENCY_MARK, MARK, mark_of
from harness import Cli, Doubles
from image_server import Say, Script, always, storm
from PIL import Image, PngImagePlugin

from copycat.errors import MissingExtraError, UserError
from copycat.judges import JudgeRow, Verdict
from copycat.judges.asking import judge_all
from copycat.judges.openai_judge import OpenAIJudge, show
from copycat.judges.questions import questions_sha256
from copycat.schema import CharacterSet, Judgement
from copycat.services import ServiceDownError
from copycat.services.chat_forms import Form
from copycat.services.memory import AnswerMemory

KEY = "sk-test-0123456789abcdef"
OPEN, CLOSED, CONS = "open", "closed", "yes or no"

Start = Callable[..., tuple[OpenAIJudge, ChatServer]]


def row(**fields: Any) -> JudgeRow:
    settings = {"name": f"openai:{MODEL}", "target": "t:T", "source": MODEL, "summary": "eyes on this computer"}
    return JudgeRow.model_validate(settings | fields)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, characters: CharacterSet) -> Iterator[Start]:
    """Start a server that knows the characters, and a judge that asks it without long waits."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as servers:

        def begin(
            script: Script | Iterable[Say | str] = (), fields: dict[str, Any] | None = None, **options: Any
        ) -> tuple[OpenAIJudge, ChatServer]:
            server = servers.enter_context(ChatServer(script, **options).see(characters))
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            judge = quick(OpenAIJudge(row(**fields or {}), "cpu"))
            servers.callback(close, judge)
            return judge, server

        yield begin


def quick(judge: OpenAIJudge) -> OpenAIJudge:
    """Let it wait for nothing for long."""
    judge.chat.policy = replace(judge.chat.policy, base_seconds=0.001, cap_seconds=0.002, max_seconds=5)
    judge.chat.service = replace(judge.chat.service, timeout_s=5)
    return judge


def close(judge: OpenAIJudge) -> None:
    if "client" in vars(judge.chat.service):
        judge.chat.service.client.close()


def picture(character: str | None, p_yes: float = 0.8, seed: int = 0, side: int = 16) -> Image.Image:
    """Noise, the mark of a character, and how sure the model is of the key characteristic."""
    image = Image.frombytes("RGB", (side, side), random.Random(seed).randbytes(side * side * 3))
    image.putpixel(MARK, mark_of(character) if character else (0, 0, 0))
    image.putpixel(CONSISTENCY_MARK, (round(255 * p_yes), 0, 0))
    return image


@pytest.fixture
def look(characters: CharacterSet) -> Callable[..., Verdict]:
    """Judge one picture that was to show Goofy, and shows him if nothing else is said."""

    def judge_one(judge: OpenAIJudge, shown: str | None = "goofy", p_yes: float = 0.8, seed: int = 0) -> Verdict:
        (verdict,) = judge.judge([picture(shown, p_yes, seed)], ["goofy"], characters)
        return verdict

    return judge_one


Look = Callable[..., Verdict]


# ---------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(("shown", "closed"), [("goofy", True), ("max", False), (None, False)])
def test_it_tells_whom_the_pixels_show(start: Start, look: Look, shown: str | None, closed: bool) -> None:
    judge, server = start()
    verdict = look(judge, shown)
    assert (verdict.detected, verdict.closed, verdict.reason) == (shown, closed, None)
    assert verdict.named == ((shown,) if shown else ())
    assert server.kinds() == [OPEN, CLOSED, CONS]


@pytest.mark.parametrize("p_yes", [0.0, 0.2, 0.6, 1.0])
def test_cons_is_the_probability_of_yes_among_yes_and_no(start: Start, look: Look, p_yes: float) -> None:
    judge, _ = start()
    assert look(judge, p_yes=p_yes).consistency == pytest.approx(round(255 * p_yes) / 255, abs=1e-9)


def test_several_pictures_are_judged_in_their_order(start: Start, characters: CharacterSet) -> None:
    judge, _ = start()
    shown = ["max", None, "bluto", "goofy"]
    verdicts = judge.judge([picture(who) for who in shown], ["goofy"] * 4, characters)
    assert [verdict.detected for verdict in verdicts] == shown


@pytest.mark.parametrize("mood", ["prose", "fence", "wrong_case", "parts", "thinking"])
def test_a_clear_answer_in_another_dress_is_read(start: Start, look: Look, mood: str) -> None:
    judge, server = start(always(mood))
    verdict = look(judge)
    assert (verdict.detected, verdict.names, verdict.closed) == ("goofy", ("Goofy",), True)
    assert server.kinds() == [OPEN, CLOSED, CONS]


def test_several_names_are_all_told(start: Start, look: Look) -> None:
    judge, _ = start(always("several"))
    verdict = look(judge)
    assert (verdict.detected, verdict.named, verdict.names) == ("goofy", ("goofy",), ("Felix the Cat", "Goofy"))


NO_ANSWERS = [
    "prose_alone",
    "refusal_text",
    "refusal_in_spanish",
    "refusal_in_japanese",
    "half_letter_in_prose",
    "null",
    "empty",
    "truncated",
    "only_thinking",
]
UNREADABLE = [*NO_ANSWERS, "two_answers", "no_name", "half_letter", "truncated_draft"]


@pytest.mark.parametrize("mood", UNREADABLE)
def test_an_answer_that_is_none_is_asked_for_once_more_and_then_no_verdict(start: Start, look: Look, mood: str) -> None:
    judge, server = start(to(OPEN, mood))
    judge.chat.form = judge.chat.form.with_room_for_reasoning()
    verdict = look(judge)
    assert verdict.detected is None
    assert (verdict.reason or "").startswith("unreadable answer to open-1: ")
    assert verdict.consistency is None
    assert server.kinds() == [OPEN, OPEN]
    assert Judgement(key="k", image_sha256="s", **verdict._asdict()).model_dump_json()


@pytest.mark.parametrize("mood", UNREADABLE)
def test_a_repaired_answer_counts(start: Start, look: Look, mood: str) -> None:
    judge, server = start(to(OPEN, [mood]))
    judge.chat.form = judge.chat.form.with_room_for_reasoning()
    assert look(judge).detected == "goofy"
    assert server.kinds() == [OPEN, OPEN, CLOSED, CONS]


@pytest.mark.parametrize("mood", [*NO_ANSWERS, "refusal", "refusal_field", "content_filter"])
def test_no_closed_answer_is_no_reason_to_drop_the_verdict(start: Start, look: Look, mood: str) -> None:
    judge, _ = start(to(CLOSED, mood))
    verdict = look(judge)
    assert (verdict.detected, verdict.closed, verdict.reason) == ("goofy", None, None)
    assert verdict.consistency == pytest.approx(0.8)


@pytest.mark.parametrize("mood", ["refusal", "refusal_inside", "refusal_field", "content_filter"])
def test_a_refusal_is_no_verdict_and_is_not_asked_again(start: Start, look: Look, mood: str) -> None:
    judge, server = start(to(OPEN, mood))
    verdict = look(judge)
    assert verdict.detected is None
    assert (verdict.reason or "").startswith("refused by the judge: ")
    assert "service" not in (verdict.reason or "")
    assert server.kinds() == [OPEN]


def test_a_refused_cons_leaves_the_verdict(start: Start, look: Look) -> None:
    judge, _ = start(to(CONS, "refusal"))
    verdict = look(judge)
    assert (verdict.detected, verdict.consistency, verdict.reason) == ("goofy", None, None)


# ------------------------------------------------------------------------------- what is sent


def test_the_service_gets_the_picture_the_question_and_nothing_else(start: Start, look: Look) -> None:
    judge, server = start()
    look(judge)
    open_body, closed_body, cons_body = (entry.body for entry in server.entries)
    assert set(open_body) == {"model", "messages", "max_tokens", "temperature", "response_format"}
    assert (open_body["temperature"], open_body["max_tokens"]) == (0, 200)
    assert open_body["response_format"]["json_schema"]["strict"] is True
    assert closed_body["response_format"]["json_schema"]["name"] == "closed-1"
    assert "response_format" not in cons_body
    assert (cons_body["logprobs"], cons_body["top_logprobs"], cons_body["max_tokens"]) == (True, 20, 1)
    for body in (open_body, closed_body, cons_body):
        ((message),) = body["messages"]
        assert [part["type"] for part in message["content"]] == ["image_url", "text"]


def test_the_open_question_gives_nothing_away(start: Start, characters: CharacterSet) -> None:
    judge, server = start()
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", "Goofy, by paint-1")
    buffer = io.BytesIO()
    picture("goofy").save(buffer, "PNG", pnginfo=info, icc_profile=b"Goofy", exif=b"Exif\0\0Goofy")
    told = Image.open(buffer)
    told.filename = "goofy-01.png"  # type: ignore[attr-defined]
    judge.judge([told], ["goofy"], characters)
    body = server.entries[0].body
    sent = picture_of(body)
    assert set(sent.info) == set()
    assert sent.tobytes() == picture("goofy").tobytes()
    body["messages"][0]["content"][0]["image_url"]["url"] = ""
    words = json.dumps(body).lower()
    assert not [word for word in ("goofy", "some cartoons", "tall cartoon dog", "paint-1", ".png") if word in words]


def test_a_large_picture_is_made_smaller_and_a_small_one_stays(start: Start, characters: CharacterSet) -> None:
    judge, server = start()
    large = Image.new("RGB", (2048, 512), (9, 9, 9))
    judge.judge([large, picture(None)], ["goofy", "goofy"], characters)
    assert [picture_of(entry.body).size for entry in server.entries] == [(1024, 256)] * 3 + [(16, 16)] * 3


def test_pictures_with_the_same_pixels_are_the_same_whatever_their_mode() -> None:
    image = picture("goofy")
    assert show(image) == show(image.convert("RGBA"))
    assert show(image).sha256 != show(picture("max")).sha256


# -------------------------------------------------------------------- what services do not take


@pytest.mark.parametrize(
    ("rejected", "form"),
    [
        (["json_schema"], {"output": "json_object"}),
        (["json_schema", "json_object"], {"output": "none"}),
        (["temperature"], {"has_temperature": False}),
        (["many top_logprobs"], {"top_logprobs": 5}),
        (["max_tokens"], {"length_field": "max_completion_tokens", "spare_tokens": 4096}),
        (["max_tokens", "temperature", "json_schema"], {"has_temperature": False, "output": "json_object"}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_an_argument_that_is_rejected_is_left_out_from_then_on(
    start: Start, look: Look, rejected: list[str], form: dict[str, object]
) -> None:
    judge, server = start(rejects=rejected)
    for seed in range(3):
        verdict = look(judge, seed=seed)
        assert (verdict.detected, verdict.closed, verdict.consistency) == ("goofy", True, pytest.approx(0.8))
    assert {name: getattr(judge.chat.form, name) for name in form} == form
    assert len(server.entries) == 9 + len(rejected)
    assert judge.facts()["form"] == judge.chat.form.described


def test_without_log_probabilities_there_is_no_cons_and_the_facts_say_so(start: Start, look: Look) -> None:
    judge, server = start(rejects=["logprobs"])
    verdicts = [look(judge, seed=seed) for seed in range(5)]
    assert {(verdict.detected, verdict.consistency, verdict.reason) for verdict in verdicts} == {("goofy", None, None)}
    assert server.kinds().count(CONS) == 2
    assert judge.facts()["log-probabilities"] == "none: the service tells none, so that there is no CONS"


def test_log_probabilities_that_never_come_are_soon_not_asked_for(start: Start, look: Look) -> None:
    judge, server = start(ignores=["logprobs"])
    assert {look(judge, seed=seed).consistency for seed in range(6)} == {None}
    assert server.kinds().count(CONS) == 3
    assert judge.facts()["log-probabilities"].startswith("none")


def test_a_model_that_thinks_gets_room_for_it(start: Start, look: Look) -> None:
    judge, server = start(to(OPEN, ["only_thinking"]))
    verdict = look(judge)
    assert verdict.detected == "goofy"
    assert len(verdict.answers or ()) == 2
    assert [entry.body["max_tokens"] for entry in server.entries] == [200, 200 + 4096, 30 + 4096, 1]


def test_a_model_that_takes_no_pictures_stops_the_run(start: Start, look: Look) -> None:
    judge, server = start(rejects=["pictures"])
    with pytest.raises(UserError, match=r"model 'eyes-1' takes no pictures \(400\).*\n  needed: a vision-language"):
        look(judge)
    assert len(server.entries) == 1


# -------------------------------------------------------------------------------------- trouble


@pytest.mark.parametrize(
    "trouble",
    ["rate_limit", "server_error", "closed", "no_json", "no_choices", "null_choices", "no_message", "a_list"]
    + ["error_inside", "hang"],
)
def test_what_may_pass_is_tried_again(start: Start, look: Look, trouble: str) -> None:
    judge, server = start([trouble], hang_s=0.02)
    verdict = look(judge)
    assert (verdict.detected, verdict.consistency) == ("goofy", pytest.approx(0.8))
    assert server.kinds() == [OPEN, OPEN, CLOSED, CONS]


def test_a_request_that_stays_failed_is_no_verdict_with_the_reason(start: Start, look: Look) -> None:
    judge, _ = start(to(OPEN, "server_error"))
    verdict = look(judge)
    assert (verdict.detected, verdict.consistency) == (None, None)
    assert (verdict.reason or "").startswith("gave up after 8 attempts")


def test_a_request_that_cannot_succeed_is_not_tried_again(start: Start, look: Look) -> None:
    judge, server = start(["too_large"])
    verdict = look(judge)
    assert "rejected the request (400): This model's maximum context" in (verdict.reason or "")
    assert len(server.entries) == 1


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("bad_key", "does not accept the key"),
        ("unknown_model", "does not know model 'eyes-1'"),
        ("no_credit", "credit"),
    ],
)
def test_what_no_request_can_pass_stops_at_once(start: Start, look: Look, trouble: str, message: str) -> None:
    judge, server = start(always(trouble))
    with pytest.raises(UserError, match=message) as error:
        look(judge)
    assert KEY not in str(error.value)
    assert len(server.entries) == 1


def test_a_service_that_answers_nobody_stops_the_run(start: Start, look: Look) -> None:
    judge, _ = start(always("server_error"))
    judge.chat.policy = replace(judge.chat.policy, max_attempts=1)
    for _ in range(10):
        assert not look(judge).is_answered
    with pytest.raises(ServiceDownError, match=r"10 requests to 127\.0\.0\.1"):
        look(judge)


def test_a_missing_key_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, characters: CharacterSet
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.example.com/v1")
    judge = OpenAIJudge(row(), "cpu")
    assert judge.revision()
    with pytest.raises(MissingExtraError, match="OPENAI_API_KEY is not set"):
        judge.check(characters)


# --------------------------------------------------------------------------------- many threads


def test_in_a_storm_every_picture_gets_its_own_verdict(start: Start, characters: CharacterSet) -> None:
    judge, server = start(storm(11), room=12)
    who = ["goofy", "max", "bluto", None]
    shown = [random.Random(n).choice(who) for n in range(60)]
    pictures = [picture(one, n / 60, n) for n, one in enumerate(shown)]
    targets = list(itertools.islice(itertools.cycle(["goofy", "max", "bluto"]), 60))
    judge.chat.policy = replace(judge.chat.policy, max_attempts=40)
    verdicts = judge_all(judge, pictures, targets, characters)
    assert [verdict.detected for verdict in verdicts] == shown
    assert [verdict.closed for verdict in verdicts] == [a == b for a, b in zip(shown, targets, strict=True)]
    expected = [round(255 * n / 60) / 255 for n in range(60)]
    assert [verdict.consistency for verdict in verdicts] == pytest.approx(expected)
    assert len(server.charged) == 180
    assert server.most_at_once <= judge.throttle.maximum


def test_many_threads_learn_together_what_a_service_does_not_take(start: Start, characters: CharacterSet) -> None:
    judge, _ = start(rejects=["json_schema", "json_object", "max_tokens", "temperature", "many top_logprobs"])
    shown = [random.Random(n).choice(["goofy", None]) for n in range(40)]
    verdicts = judge_all(judge, [picture(one, 0.6, n) for n, one in enumerate(shown)], ["goofy"] * 40, characters)
    assert [(verdict.detected, verdict.consistency) for verdict in verdicts] == [
        (one, pytest.approx(0.6)) for one in shown
    ]
    assert judge.chat.form == Form("none", "max_completion_tokens", False, 5, 4096)


MOODS = ["ok", "prose", "fence", "thinking", "several", *UNREADABLE, "refusal", "refusal_field", "content_filter"]


def test_whatever_the_mood_no_verdict_is_wrong(start: Start, characters: CharacterSet) -> None:
    """Every answer in another mood: each verdict is the truth or none."""
    dice = random.Random(4)
    judge, _ = start(lambda *_: dice.choice(MOODS))
    who = ["goofy", "max", "bluto", None]
    shown = [random.Random(n).choice(who) for n in range(150)]
    verdicts = judge_all(judge, [picture(one, 0.5, n) for n, one in enumerate(shown)], ["goofy"] * 150, characters)
    answered = [(v, truth) for v, truth in zip(verdicts, shown, strict=True) if v.is_answered]
    assert 30 < len(answered) < 150
    assert all(verdict.detected == truth for verdict, truth in answered)
    assert all(verdict.closed in (None, truth == "goofy") for verdict, truth in answered)
    assert all(v.detected is None and v.named is None for v in verdicts if not v.is_answered)


# ------------------------------------------------------------------------------------ the memory


def judge_again(memory: AnswerMemory, model: str = MODEL) -> OpenAIJudge:
    """Make another judge of the same service, as a later command would."""
    judge = quick(OpenAIJudge(row(source=model), "cpu"))
    judge.remember_in(memory)
    return judge


def test_the_same_pictures_are_never_paid_for_twice(start: Start, characters: CharacterSet, tmp_path: Path) -> None:
    judge, server = start(to(OPEN, ["prose_alone", "ok", "truncated"]))
    judge.chat.form = judge.chat.form.with_room_for_reasoning()
    judge.remember_in(AnswerMemory(tmp_path / "answers.sqlite"))
    pictures = [picture(who, 0.3, n) for n, who in enumerate(["goofy", None, "max"])]
    first = judge.judge(pictures, ["goofy"] * 3, characters)
    n_asked = len(server.entries)
    later = judge_again(AnswerMemory(tmp_path / "answers.sqlite"))
    assert later.judge(pictures, ["goofy"] * 3, characters) == first
    assert len(server.entries) == n_asked == 11
    assert later.usage().requests == 0


@pytest.mark.parametrize("mood", ["refusal", "refusal_field", "prose_alone", "empty"])
def test_what_may_be_another_answer_next_time_is_not_kept(start: Start, look: Look, tmp_path: Path, mood: str) -> None:
    judge, server = start(to(OPEN, mood))
    judge.chat.form = judge.chat.form.with_room_for_reasoning()
    judge.remember_in(AnswerMemory(tmp_path / "answers.sqlite"))
    assert not look(judge).is_answered
    server.script = always("ok")
    assert look(judge).detected == "goofy"


def test_what_was_paid_before_a_failure_is_kept(start: Start, look: Look, tmp_path: Path) -> None:
    judge, server = start(to(CLOSED, ["too_large"]))
    judge.remember_in(AnswerMemory(tmp_path / "answers.sqlite"))
    assert not look(judge).is_answered
    assert look(judge).detected == "goofy"
    assert server.kinds() == [OPEN, CLOSED, CLOSED, CONS]


def test_another_model_is_asked_anew(start: Start, look: Look, tmp_path: Path) -> None:
    judge, server = start()
    memory = AnswerMemory(tmp_path / "answers.sqlite")
    judge.remember_in(memory)
    look(judge)
    look(judge_again(memory, "eyes-2"))
    assert Counter(entry.body["model"] for entry in server.entries) == {MODEL: 3, "eyes-2": 3}


# ------------------------------------------------------------------------- what it tells of itself


def test_cons_alone_can_be_asked_for(start: Start, characters: CharacterSet) -> None:
    judge, server = start(to(CONS, ["ok", "refusal", "too_large", "ok"]))
    pictures = [picture(None, p_yes) for p_yes in (0.0, 0.2, 0.4, 0.6)]
    assert judge.rate(pictures, ["goofy"] * 4, characters) == [0.0, None, None, pytest.approx(0.6)]
    assert set(server.kinds()) == {CONS}


def test_requests_and_tokens_are_counted(start: Start, look: Look) -> None:
    judge, _ = start(["server_error"])
    look(judge)
    assert judge.usage() == (4, 3 * PROMPT_TOKENS, 3 * COMPLETION_TOKENS)


def test_the_revision_changes_with_host_model_and_questions_and_asks_nobody(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, server = start()
    revisions = {judge.revision(), OpenAIJudge(row(source="eyes-2"), "cpu").revision()}
    revisions.add(OpenAIJudge(row(revision="2"), "cpu").revision())
    monkeypatch.setattr("copycat.judges.openai_judge.questions_sha256", lambda: "others")
    revisions.add(judge.revision())
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.example.com/v1")
    revisions.add(OpenAIJudge(row(), "cpu").revision())
    assert len(revisions) == 5
    assert {len(revision) for revision in revisions} == {40}
    assert not server.entries


def test_an_at_sign_belongs_to_the_models_id(start: Start) -> None:
    judge, _ = start(fields={"revision": "20260421"})
    assert judge.facts()["model"] == "eyes-1@20260421"


def test_the_facts_name_what_answered(start: Start, look: Look) -> None:
    judge, server = start()
    before = judge.facts()
    assert set(before) == {"host", "model", "questions", "settings"}
    assert (before["host"], before["model"]) == (server.url.split("/")[2], MODEL)
    assert before["questions"] == questions_sha256()
    look(judge)
    after = judge.facts()
    assert after["model answered"] == "eyes-1-2026-04-21"
    assert after["system_fingerprint answered"] == "fp_0123456789"
    assert after["log-probabilities"] == "20 likeliest tokens"
    assert KEY not in json.dumps(after)


def test_a_run_is_judged_from_the_command_line(start: Start, doubles: Doubles, cli: Cli, characters_file: Path) -> None:
    _, server = start()
    command = ["--model", "fake", "--characters", characters_file, "--judge", f"openai:{MODEL}", "--json"]
    answer = cli(*command)
    assert answer.code == 0, answer.err
    assert KEY not in answer.out + answer.err
    n_asked = len(server.entries)
    again = cli(*command)
    assert (again.code, len(server.entries)) == (0, n_asked)
    (run,) = Path("runs").glob("*/run.json")
    facts = json.loads(run.read_text(encoding="utf-8"))["judge_facts"]
    assert facts["model answered"] == "eyes-1-2026-04-21"
    assert doubles.generated
