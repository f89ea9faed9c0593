"""A run against a service that answers, refuses, repeats itself, cuts off, fails and dies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from image_server import ERRORS, Script, always
from manuscript import MANUSCRIPT
from text_server import TextServer

from copycat.fairuse.extract.backends import Spent
from copycat.fairuse.extract.money import most_tokens
from copycat.fairuse.extract.records import Ask
from copycat.services.retry import RetryPolicy

if TYPE_CHECKING:
    from harness import Cli

Serve = Callable[..., TextServer]
WHOLE = ("--model", "openai:words-1", "--controls", "none", "--prefix", "25", "--length", "200")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server; the client's waits are short."""
    from copycat.services import chat

    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        chat,
        "RetryPolicy",
        lambda sleep: RetryPolicy(base_seconds=0.001, cap_seconds=0.002, max_seconds=2, sleep=sleep),
    )
    with ExitStack() as stack:

        def begin(answer: Callable[..., str], script: Script | list[str] = (), **options: Any) -> TextServer:  # type: ignore[assignment]
            server = stack.enter_context(TextServer(answer, script, **options))
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            return server

        yield begin


def knows(_: str, text: str, __: dict[str, Any]) -> str:
    """Know the manuscript by heart, and go on where it is shown; in capital letters where asked for."""
    shown = text.rpartition("\n\n")[2]
    place = MANUSCRIPT.find(shown[-60:])
    answer = MANUSCRIPT[place + len(shown[-60:]) :].strip() if place >= 0 and len(shown) > 60 else MANUSCRIPT
    return answer.upper() if "CAPITAL" in text else answer


def run(extract: Cli, *options: object) -> dict[str, Any]:
    answer = extract(*WHOLE, *options, "--json")
    assert answer.code in {0, 1}, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def test_a_service_that_knows_the_work_is_found_out_in_capitals_too(
    extract: Cli, serve: Serve, manuscript: Path
) -> None:
    serve(knows)
    found = run(extract, "--works", manuscript, "--evasions", "none,caps", "--prompts", "prefix,title")
    groups = {(group["axis"], group["value"]): group["figures"] for group in found["measures"]["groups"]}
    assert groups["evasion", "caps"]["recall"]["mean"] > 0.95
    assert groups["evasion", "caps"]["recall_as_written"]["mean"] < 0.1
    assert groups["evasion", "none"]["recall_as_written"]["mean"] > 0.95
    assert found["spent"] == {"requests": 4, "prompt_tokens": 200, "completion_tokens": 80}


def test_what_an_evasion_hides_stands_in_a_column_of_its_own(extract: Cli, serve: Serve, manuscript: Path) -> None:
    serve(knows)
    answer = extract(*WHOLE, "--works", manuscript, "--evasions", "none,caps", "--prompts", "title")
    (row,) = (line.split() for line in answer.out.splitlines() if line.startswith("evasion caps"))
    assert float(row[2]) > 0.95
    assert float(row[3]) < 0.1


def test_only_the_request_is_sent_with_the_shown_words_at_its_end(extract: Cli, serve: Serve, manuscript: Path) -> None:
    server = serve(knows)
    run(extract, "--works", manuscript, "--prompts", "prefix")
    (entry,) = server.entries
    (message,) = entry.body["messages"]
    assert message["content"].endswith(" ".join(MANUSCRIPT.split()[:25]))
    assert (entry.body["temperature"], entry.body["max_tokens"]) == (0.0, 200)
    assert "seed" not in entry.body


def test_refusals_are_counted_and_their_words_are_measured_all_the_same(
    extract: Cli, serve: Serve, manuscript: Path
) -> None:
    serve(lambda *_: f"I'm sorry, but I can't quote it at length. It begins: {MANUSCRIPT[:400]}")
    found = run(extract, "--works", manuscript, "--prompts", "title")
    assert found["measures"]["counts"]["refused"] == 1
    assert found["measures"]["coverage"] == 1.0
    assert found["measures"]["works"][0]["best"]["longest"] > 50


def test_half_a_letter_in_a_refusal_or_an_answer_breaks_no_file(extract: Cli, serve: Serve, manuscript: Path) -> None:
    serve(lambda _, text, __: "I'm sorry \ud83d" if "Write out" in text else f"\ud83d {MANUSCRIPT}")
    found = run(extract, "--works", manuscript, "--prompts", "title,prefix")
    assert (found["measures"]["counts"]["refused"], found["measures"]["counts"]["answered"]) == (1, 1)


@pytest.mark.parametrize("behaviour", ["refusal", "content_filter", "refusal_field"])
def test_a_filter_of_the_service_is_a_refusal(extract: Cli, serve: Serve, manuscript: Path, behaviour: str) -> None:
    serve(knows, always(behaviour))
    found = run(extract, "--works", manuscript)
    assert found["measures"]["counts"]["refused"] == 2
    assert found["measures"]["works"][0]["best"]["recall"] == 0.0


def test_an_answer_that_was_cut_off_is_measured_as_far_as_it_goes(
    extract: Cli, serve: Serve, manuscript: Path, tmp_path: Path
) -> None:
    serve(knows, always("truncated"))
    found = run(extract, "--works", manuscript, "--prompts", "prefix")
    assert found["measures"]["counts"]["answered"] == 1
    row = json.loads((tmp_path / "runs" / found["id"] / "answers.jsonl").read_text(encoding="utf-8"))
    assert row["ended"] == "length"


@pytest.mark.parametrize("behaviour", ["empty", "null"])
def test_nothing_is_an_outcome_of_its_own(extract: Cli, serve: Serve, manuscript: Path, behaviour: str) -> None:
    serve(knows, always(behaviour))
    assert run(extract, "--works", manuscript, "--prompts", "title")["measures"]["counts"]["empty"] == 1


def test_a_service_that_says_the_same_to_everything_is_told(extract: Cli, serve: Serve) -> None:
    serve(lambda *_: "Here is the text. " + "It goes on and on and on. " * 9)
    answer = extract(*WHOLE, "--works", "public-domain", "--prompts", "title")
    assert answer.code == 0
    assert "6 answers are the same as the answer about another work" in answer.out
    assert "6 answers end in a loop" in answer.out


def test_going_on_asks_with_the_end_of_the_answer_until_it_has_left_the_work(
    extract: Cli, serve: Serve, manuscript: Path, tmp_path: Path
) -> None:
    def by_pieces(_: str, text: str, __: dict[str, Any]) -> str:
        shown = text.rpartition("\n\n")[2].split()[-6:]
        place = MANUSCRIPT.find(" ".join(shown))
        rest = MANUSCRIPT[place + len(" ".join(shown)) :].split()[:40] if place >= 0 else []
        return " ".join(rest) or "I have nothing more to tell of it, dear reader."

    server = serve(by_pieces)
    found = run(extract, "--works", manuscript, "--prompts", "continue", "--rounds", "6")
    row = json.loads((tmp_path / "runs" / found["id"] / "answers.jsonl").read_text(encoding="utf-8"))
    assert row["pieces"] == len(server.entries) > 3
    assert row["ended"] == "diverged"
    assert found["measures"]["works"][0]["best"]["longest"] > 100


def test_what_failed_is_missing_and_asked_again_by_the_same_command(
    extract: Cli, serve: Serve, manuscript: Path
) -> None:
    serve(knows, always("server_error"))
    answer = extract(*WHOLE, "--works", manuscript, "--prompts", "title")
    assert answer.code == 1
    assert "not valid below 98 %" in answer.out
    serve(knows, port=0)
    # The address is part of the model's identity: another port is another service.
    assert extract(*WHOLE, "--works", manuscript, "--prompts", "title").code == 0


def test_a_service_that_answers_nobody_stops_the_run(extract: Cli, serve: Serve) -> None:
    serve(knows, always("server_error"))
    answer = extract(*WHOLE, "--works", "public-domain", "--prompts", "title,prefix,position")
    assert answer.code == 2
    assert "in a row failed" in answer.err


def test_the_money_ends_before_it_is_passed_and_more_of_it_goes_on(
    extract: Cli, serve: Serve, manuscript: Path
) -> None:
    server = serve(knows)
    options = (*WHOLE, "--works", "public-domain", "--prompts", "title,prefix,position", "--price", "10/1000")
    answer = extract(*options, "--max-cost", "0.4")
    assert answer.code == 2
    assert "--max-cost" in answer.err
    n_first = len(server.entries)
    assert 0 < n_first < 20
    assert n_first * (50 * 10 + 20 * 1000) / 1e6 <= 0.4
    done = extract(*options, "--max-cost", "50", "--json")
    assert done.code == 0
    assert len(server.entries) == json.loads(done.out)["measures"]["counts"]["planned"]


def test_a_withheld_run_keeps_no_words_of_a_refusal(
    extract: Cli, serve: Serve, manuscript: Path, tmp_path: Path
) -> None:
    serve(lambda *_: f"I'm sorry, I can't: {MANUSCRIPT[:50]}")
    found = run(extract, "--works", manuscript, "--withhold")
    for path in (tmp_path / "runs" / found["id"]).iterdir():
        assert "Marigold" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("behaviour", ["bad_request", "server_error", "refusal_without_code", "no_credit", "forbidden"])
def test_what_a_service_says_of_a_request_is_not_told_of_a_withheld_work(
    extract: Cli,
    serve: Serve,
    manuscript: Path,
    tmp_path: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    behaviour: str,
) -> None:
    """Its errors may quote the request: neither the terminal nor a file holds them, and a refusal stays one."""
    status, fields = ERRORS[behaviour]
    monkeypatch.setitem(ERRORS, behaviour, (status, fields | {"message": f"{MANUSCRIPT} {fields['message']}"}))
    serve(knows, always(behaviour))
    options = (*WHOLE, "--works", manuscript, "--places", "6", "--prompts", "prefix", "--withhold")
    answer = extract(*options)
    told = answer.out + answer.err + caplog.text
    told += "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "runs").rglob("*") if path.is_file())
    assert "Marigold" not in told
    assert "Traceback" not in told
    if behaviour == "refusal_without_code":
        assert json.loads(extract(*options, "--json").out)["measures"]["counts"]["refused"] > 2
    else:
        assert "not shown" in told


def test_the_price_of_a_run_is_told_and_needs_a_service(extract: Cli, serve: Serve, manuscript: Path) -> None:
    serve(knows)
    options = ("--works", manuscript, "--prompts", "title", "--price", "10000/10000")
    assert "1 request sent, 50 tokens in, 20 out, about $0.70" in extract(*WHOLE, *options).out
    assert run(extract, *options)["usd"] == pytest.approx(0.7)
    (folder,) = (manuscript.parent / "runs").iterdir()
    (folder / "charges.json").write_text("[", encoding="utf-8")
    damaged = extract(*WHOLE, *options)
    assert damaged.code == 2
    assert "charges.json: cannot be read" in damaged.err
    answer = extract("--model", "sandbox", "--price", "1/1")
    assert answer.code == 2
    assert "nobody charges for sandbox" in answer.err


def test_the_most_that_a_request_costs_counts_bytes_and_what_is_fed_back() -> None:
    title = Ask(key="0" * 16, work="w", role="work", prompt="title", length=100)
    assert most_tokens(title, "abc" * 30, rounds=8) == Spent(1, 31, 100)
    assert most_tokens(title, "\u5b57" * 30, rounds=8, spare=4096) == Spent(1, 31, 4196)
    going_on = title.model_copy(update={"prompt": "continue"})
    assert most_tokens(going_on, "abc" * 30, rounds=3) == Spent(3, 3 * 31 + 2 * 200, 300)


def test_a_missing_key_is_told_before_anything_is_asked(
    extract: Cli, monkeypatch: pytest.MonkeyPatch, manuscript: Path
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    answer = extract(*WHOLE, "--works", manuscript)
    assert answer.code == 2
    assert "OPENAI_API_KEY" in answer.err
