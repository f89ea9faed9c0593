"""Search engines: a server of this computer that counts documents of its own, and says wrong things on command."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from copycat.discovery.engines import EngineCounts, InfiniGram, Wimbd, build_engine
from copycat.discovery.rankers import RANKERS, Bench, Seen
from copycat.errors import BackendError, MissingExtraError, UserError
from copycat.schema import Character
from copycat.services import RefusedError, ServiceDownError
from copycat.services.memory import AnswerMemory
from copycat.services.retry import RetryPolicy

KEY = "secret-key-of-wimbd"
DOCUMENTS = ("Goofy in a hat, a hat", "Goofy the dog", "a dog in a hat", "a dog")
GOOFY = Character(id="goofy", name="Goofy", franchise="x y", key_characteristic="dog", description="A dog.")

PAGE = "<html><body>Bad gateway</body></html>"


class Reply(NamedTuple):
    """One answer that is not the true one."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()


class Server:
    """Counts as both engines do, after it has said what it was told to say."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def true_answer(self, body: dict[str, Any]) -> dict[str, Any]:
        if "query_type" in body:
            texts = body["query"].split(" AND ")
            pairs = [[document.count(text) for text in texts] for document in DOCUMENTS]
            return {"count": sum(a * (b[0] if b else 1) for a, *b in pairs), "approx": False, "latency": 0.7}
        clauses = body["query"]["bool"]["filter"]
        phrases = [clause["match_phrase"]["text"]["query"].lower() for clause in clauses if "match_phrase" in clause]
        held = [document for document in DOCUMENTS if all(phrase in document.lower() for phrase in phrases)]
        return {"count": len(held), "_shards": {"total": 5, "successful": 5, "skipped": 0, "failed": 0}}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append((self.path, body, self.headers.get("Authorization", "")))
                true = Reply(200, json.dumps(owner.true_answer(body)))
                status, text, headers = owner.replies.pop(0) if owner.replies else true
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text.encode())), **dict(headers)}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

        return Handler

    def __enter__(self) -> Server:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    @property
    def policy(self) -> RetryPolicy:
        return RetryPolicy(clock=lambda: self.now_s, sleep=self.sleep, random=lambda: 0.0)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def infini_gram(server: Server, clock: Clock) -> InfiniGram:
    return InfiniGram("v4_test", None, server.url, clock.policy)


@pytest.fixture
def wimbd(server: Server, clock: Clock) -> Wimbd:
    return Wimbd("re_laion2b-en-*", None, server.url, KEY, clock.policy)


# ------------------------------------------------------------------------------------- what is counted


def test_infini_gram_counts_occurrences(infini_gram: InfiniGram, server: Server) -> None:
    assert infini_gram.names("hat") == 3
    assert server.asked == [("/", {"index": "v4_test", "query_type": "count", "query": "hat"}, "")]


def test_infini_gram_counts_pairs_of_occurrences_as_far_apart_as_it_allows(
    infini_gram: InfiniGram, server: Server
) -> None:
    assert infini_gram.together("Goofy", "hat") == 2
    body = server.asked[0][1]
    assert (body["query"], body["max_diff_tokens"], body["max_clause_freq"]) == ("Goofy AND hat", 1000, 500_000)


def test_infini_gram_has_no_total_for_pairs_are_no_share_of_anything(infini_gram: InfiniGram, server: Server) -> None:
    assert infini_gram.total() is None
    assert server.asked == []


def test_a_count_that_was_estimated_is_told_once(infini_gram: InfiniGram, server: Server) -> None:
    server.replies = [Reply(200, '{"count": 70, "approx": true}')] * 2
    assert [infini_gram.together("Goofy", "dog") for _ in range(2)] == [70, 70]
    (warning,) = infini_gram.warnings
    assert "estimated from a sample: Goofy AND dog" in warning


def test_wimbd_counts_documents_by_phrase(wimbd: Wimbd, server: Server) -> None:
    assert (wimbd.names("hat"), wimbd.together("goofy", "dog"), wimbd.total()) == (2, 1, 4)
    phrases = [{"match_phrase": {"text": {"query": text}}} for text in ("goofy", "dog")]
    path, body, key = server.asked[1]
    assert path == "/re_laion2b-en-*/_count"
    assert body == {"query": {"bool": {"filter": phrases}}}
    assert key == f"ApiKey {KEY}"


def test_of_c4_only_the_english_part_is_counted(server: Server, clock: Clock) -> None:
    engine = Wimbd("c4", None, server.url, KEY, clock.policy)
    engine.names("hat"), engine.total()
    english = {"term": {"subset": "en"}}
    assert [body["query"]["bool"]["filter"][-1] for _, body, _ in server.asked] == [english, english]


def test_identities_name_index_and_host(infini_gram: InfiniGram, wimbd: Wimbd, server: Server) -> None:
    host = server.url.removeprefix("http://")
    assert infini_gram.identity == f"infini-gram:v4_test@{host}"
    assert wimbd.identity == f"wimbd:re_laion2b-en-*@{host}"
    assert (infini_gram.unit, wimbd.unit) == ("occurrences", "documents")


# --------------------------------------------------------------------------------------- what is kept


def test_no_count_is_asked_for_twice_even_by_another_process(server: Server, clock: Clock, tmp_path: Path) -> None:
    for _ in range(2):
        memory = AnswerMemory(tmp_path / "answers.sqlite")
        grams = InfiniGram("v4_test", memory, server.url, clock.policy)
        documents = Wimbd("c4", memory, server.url, KEY, clock.policy)
        assert (grams.names("hat"), grams.together("Goofy", "hat")) == (3, 2)
        assert (documents.names("hat"), documents.total()) == (2, 4)
    assert len(server.asked) == 4


def test_an_estimate_stays_an_estimate_in_the_memory(server: Server, clock: Clock, tmp_path: Path) -> None:
    server.replies = [Reply(200, '{"count": 70, "approx": true}')]
    for _ in range(2):
        engine = InfiniGram("v4_test", AnswerMemory(tmp_path / "answers.sqlite"), server.url, clock.policy)
        assert (engine.together("Goofy", "dog"), len(engine.warnings)) == (70, 1)


def test_another_index_has_other_counts(server: Server, clock: Clock, tmp_path: Path) -> None:
    memory = AnswerMemory(tmp_path / "answers.sqlite")
    for index in ("v4_test", "v4_other"):
        InfiniGram(index, memory, server.url, clock.policy).names("hat")
    assert [body["index"] for _, body, _ in server.asked] == ["v4_test", "v4_other"]


def test_a_failure_is_not_kept(server: Server, clock: Clock, tmp_path: Path) -> None:
    engine = InfiniGram("v4_test", AnswerMemory(tmp_path / "answers.sqlite"), server.url, clock.policy)
    server.replies = [Reply(200, PAGE)] * 3
    with pytest.raises(BackendError):
        engine.names("hat")
    assert engine.names("hat") == 3


# ------------------------------------------------------------------------------------ what goes wrong


def test_a_rate_limit_is_waited_for_as_long_as_the_service_asks(
    infini_gram: InfiniGram, server: Server, clock: Clock
) -> None:
    server.replies = [Reply(429, "slow down", (("Retry-After", "7"),))]
    assert infini_gram.names("hat") == 3
    assert clock.slept == [7.0]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, '{"error": "[Flask] Internal server error: x"}'),
        Reply(503, PAGE),
        Reply(408, ""),
        Reply(200, PAGE),
        Reply(200, "[3]"),
        Reply(200, '{"latency": 1}'),
        Reply(200, '{"count": -1}'),
        Reply(200, '{"count": "3"}'),
        Reply(200, '{"count": true}'),
        Reply(200, '{"count": 3'),
    ],
)
def test_what_may_pass_is_asked_again(infini_gram: InfiniGram, server: Server, reply: Reply) -> None:
    server.replies = [reply]
    assert infini_gram.names("hat") == 3
    assert len(server.asked) == 2


def test_an_index_that_answered_in_part_is_asked_again(wimbd: Wimbd, server: Server) -> None:
    server.replies = [Reply(200, '{"count": 1, "_shards": {"total": 5, "successful": 4, "failed": 1}}')]
    assert wimbd.names("hat") == 2


def test_a_page_instead_of_json_ends_as_a_failure_that_shows_it(infini_gram: InfiniGram, server: Server) -> None:
    server.replies = [Reply(200, PAGE)] * 3
    with pytest.raises(BackendError, match=r"did not answer with JSON: <html><body>Bad gateway"):
        infini_gram.names("hat")
    assert len(server.asked) == 3


def test_a_server_that_is_not_there_is_a_failure(server: Server, clock: Clock) -> None:
    engine = InfiniGram("v4_test", None, "http://127.0.0.1:9", clock.policy)
    with pytest.raises(BackendError, match=r"connection to 127\.0\.0\.1:9 failed"):
        engine.names("hat")


def test_a_text_that_the_engine_declines_is_not_asked_again(infini_gram: InfiniGram, server: Server) -> None:
    server.replies = [Reply(200, '{"error": "Please limit your input to <= 1000 characters!"}')] * 20
    for _ in range(12):  # and no number of such texts means that the service is down
        with pytest.raises(RefusedError, match=r"does not count 'hat hat .*Please limit your input"):
            infini_gram.names("hat " * 300)
    assert len(server.asked) == 12


def test_an_unknown_index_stops_with_those_that_are_known(infini_gram: InfiniGram, server: Server) -> None:
    server.replies = [Reply(400, '{"error": "[Flask] Invalid index: v4_test"}')]
    with pytest.raises(UserError, match="Invalid index: v4_test") as caught:
        infini_gram.names("hat")
    assert "known: v4_dolma-v1_7_llama" in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_stops_and_is_not_shown(wimbd: Wimbd, server: Server, status: int) -> None:
    server.replies = [Reply(status, f'{{"error": "unable to authenticate with {KEY}"}}')]
    with pytest.raises(UserError, match="needed: a key that may read index") as caught:
        wimbd.names("hat")
    assert KEY not in str(caught.value)


def test_a_redirect_is_not_followed_with_the_key(wimbd: Wimbd, server: Server) -> None:
    with Server() as other:
        server.replies = [Reply(302, "", (("Location", f"{other.url}/steal"),))]
        with pytest.raises(BackendError, match="status 302"):
            wimbd.names("hat")
        assert other.asked == []


def test_a_service_that_answers_nobody_stops_the_run(infini_gram: InfiniGram, server: Server) -> None:
    server.replies = [Reply(200, PAGE)] * 30
    for _ in range(10):
        with pytest.raises(BackendError):
            infini_gram.names("hat")
    with pytest.raises(ServiceDownError, match="10 requests"):
        infini_gram.names("hat")


def test_requests_keep_a_distance(infini_gram: InfiniGram, clock: Clock) -> None:
    for text in ("hat", "dog", "Goofy"):
        infini_gram.names(text)
    assert clock.slept == pytest.approx([0.1, 0.1])


# ------------------------------------------------------------------------------ what is not asked at all


@pytest.mark.parametrize("text", ["cats AND dogs", "this OR that", "AND", "dogs AND"])
def test_a_text_with_an_operator_is_refused(infini_gram: InfiniGram, server: Server, text: str) -> None:
    with pytest.raises(UserError, match="reads as an operator"):
        infini_gram.names(text)
    assert server.asked == []


def test_small_letters_are_no_operators(infini_gram: InfiniGram) -> None:
    assert infini_gram.names("hat and ORANGE") == 0


@pytest.mark.parametrize("text", ["", "  ", "!?"])
@pytest.mark.parametrize("count", [lambda g, _, t: g.together("Goofy", t), lambda _, w, t: w.names(t)])
def test_a_text_without_words_is_refused_for_it_would_count_everything(
    infini_gram: InfiniGram, wimbd: Wimbd, server: Server, count: Callable[..., int], text: str
) -> None:
    with pytest.raises(UserError, match="no words that could be counted"):
        count(infini_gram, wimbd, text)
    assert server.asked == []


@pytest.mark.parametrize("name", ["infini-gram", "infini-gram:", "google:web", "wimbd"])
def test_a_name_without_engine_or_index_is_refused_with_both(name: str) -> None:
    with pytest.raises(UserError, match="names no search engine and index") as caught:
        build_engine(name, None)
    assert "infini-gram:INDEX" in str(caught.value)
    assert "wimbd:INDEX" in str(caught.value)


def test_an_engine_is_built_from_its_name_and_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFINI_GRAM_URL", server.url)
    monkeypatch.setenv("WIMBD_URL", server.url)
    monkeypatch.setenv("WIMBD_API_KEY", KEY)
    assert [build_engine(name, None).names("hat") for name in ("infini-gram:v4_test", "wimbd:c4")] == [3, 2]


@pytest.mark.parametrize("missing", ["WIMBD_URL", "WIMBD_API_KEY"])
def test_what_wimbd_needs_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("WIMBD_URL", "https://wimbd.example")
    monkeypatch.setenv("WIMBD_API_KEY", KEY)
    monkeypatch.delenv(missing)
    with pytest.raises(MissingExtraError, match=f"{missing} is not set"):
        build_engine("wimbd:c4", None)


def test_a_key_with_a_strange_letter_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIMBD_URL", "https://wimbd.example")
    monkeypatch.setenv("WIMBD_API_KEY", "secret\nkey")
    with pytest.raises(UserError, match="WIMBD_API_KEY holds a letter") as caught:
        build_engine("wimbd:c4", None)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://wimbd.example", "wimbd.example", "ftp://wimbd.example", "https://a:b@x.example"]
)
def test_a_key_goes_by_https_only(url: str) -> None:
    with pytest.raises(UserError, match="needed: https://HOST"):
        Wimbd("c4", None, url, KEY)


def test_a_cloud_id_is_an_address() -> None:
    code = base64.b64encode(b"europe.cloud.example$abc123$def456").decode()
    assert Wimbd("c4", None, f"my-deployment:{code}", KEY).identity == "wimbd:c4@abc123.europe.cloud.example"


@pytest.mark.parametrize("text", ["my-deployment:%%%", "my-deployment:" + base64.b64encode(b"nothing").decode()])
def test_a_broken_cloud_id_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="neither an address nor a cloud id"):
        Wimbd("c4", None, text, KEY)


# ------------------------------------------------------------------------------------ with the rankers


def test_an_engine_gives_rankers_their_counts(wimbd: Wimbd, infini_gram: InfiniGram) -> None:
    assert EngineCounts(wimbd).seen(GOOFY, "hat") == Seen(together=1, with_name=2, with_word=2, total=4)
    assert EngineCounts(infini_gram).seen(GOOFY, "hat") == Seen(together=2, with_name=2, with_word=3, total=None)


def test_candidates_are_ranked_by_an_engine(infini_gram: InfiniGram) -> None:
    ranker = RANKERS.load("cooccurrence")(Bench(association=EngineCounts(infini_gram)))
    ranked = ranker.rank(GOOFY, ["dog", "hat", "shoe"])
    assert [(one.text, one.score) for one in ranked] == [("hat", 2.0), ("dog", 1.0)]


def test_shares_of_documents_are_refused_where_occurrences_are_counted(infini_gram: InfiniGram) -> None:
    ranker = RANKERS.load("pmi")(Bench(association=EngineCounts(infini_gram)))
    with pytest.raises(BackendError, match="not known here"):
        ranker.rank(GOOFY, ["hat"])
