"""Questions, with or without a picture, to a service with the Chat Completions API, in whatever form it takes them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from copycat.errors import BackendError
from copycat.services import RefusedError, reasoning
from copycat.services.breaker import Breaker
from copycat.services.chat_forms import Form, Wanted, cannot_see, learnt_from
from copycat.services.openai_client import Service
from copycat.services.openai_errors import is_refusal
from copycat.services.retry import RetryEvent, RetryPolicy, TransientError, call_with_retries
from copycat.services.throttle import Throttle

if TYPE_CHECKING:
    from openai import OpenAI

log = logging.getLogger(__name__)

START_CONCURRENCY, MAX_CONCURRENCY = 20, 100
MAX_VERSIONS = 8
"""So many different names that a service gives itself are noted."""

SILENT_ANSWERS = 3
"""After so many answers without log-probabilities, and none with them, no more are asked for."""

NO_ANSWER: dict[str, Any] = {"message": {}}


class Usage(NamedTuple):
    """What was sent to a service and what it counted: requests, failed ones too, and tokens of the answered ones."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class CutOffAnswerError(BackendError):
    """The answer ended where the tokens did; `text` is what came."""

    def __init__(self, text: str) -> None:
        super().__init__("the answer was cut off")
        self.text = text


class _LearntError(Exception):
    """The request has to be sent again in another form."""


class Chat:
    """A model behind a service; safe to share between threads.

    `throttle` says how many requests may be under way, `breaker` stops the run when the service answers nobody, and
    `policy` says how long one request is tried. `form` is what the service takes, as far as its errors have told.
    """

    def __init__(self, service: Service, model: str) -> None:
        self.service, self.model = service, model
        self.throttle = Throttle(START_CONCURRENCY, MAX_CONCURRENCY)
        self.breaker = Breaker(service.host)
        self.policy = RetryPolicy(sleep=self.throttle.sleep)
        self.form = Form()
        self.usage = Usage()
        self.versions: dict[str, set[str]] = {"model": set(), "system_fingerprint": set()}
        self._n_silent = self._n_with_logprobs = 0
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Make the client, once; asks nobody.

        Raises:
            MissingExtraError: the service needs a key, and the environment holds none.
        """
        with self._lock:
            _ = self.service.client

    def ask(self, wanted: Wanted) -> str:
        """Give the model's words.

        Raises:
            CutOffAnswerError: they end where the tokens did.
            RefusedError: the model or its service declined to answer.
            BackendError: this request failed, after all its attempts.
            UserError: no request can succeed.
        """
        form = self.form
        choice = self._ask(wanted)
        words = _words_of(choice)
        if choice.get("finish_reason") != "length":
            return words
        if form.spare_tokens or not _went_into_reasoning(choice, words):
            raise CutOffAnswerError(words)
        with self._lock:
            self.form = self.form.with_room_for_reasoning()
        return self.ask(wanted)

    def ask_first_token(self, wanted: Wanted) -> list[tuple[str, float]] | None:
        """Give the likeliest first tokens and their log-probabilities; None where the service tells none.

        Raises: as `ask`, but for CutOffAnswerError.
        """
        if not self.tells_logprobs:
            return None
        found = _top_logprobs(self._ask(wanted))
        with self._lock:
            self._n_silent += found is None
            self._n_with_logprobs += found is not None
        return found

    @property
    def tells_logprobs(self) -> bool:
        """Whether it is worth asking for log-probabilities."""
        return self.form.top_logprobs > 0 and (self._n_with_logprobs > 0 or self._n_silent < SILENT_ANSWERS)

    @property
    def was_asked_for_logprobs(self) -> bool:
        """Whether anything is known of them."""
        return self._n_with_logprobs + self._n_silent > 0 or not self.tells_logprobs

    # -------------------------------------------------------------------------------- one request

    def _ask(self, wanted: Wanted) -> dict[str, Any]:
        self.connect()
        self.breaker.check()
        try:
            choice = call_with_retries(self.policy, lambda: self._attempt(wanted), self._note)
        except RefusedError:
            self._note_answer()
            raise
        except BackendError as error:
            self.breaker.note_failure(str(error))
            log.warning("%s", error)
            raise
        self._note_answer()
        refusal = choice["message"].get("refusal")
        if (isinstance(refusal, str) and refusal) or choice.get("finish_reason") == "content_filter":
            raise RefusedError(self.service.readable(refusal or "its content filter stopped the answer"))
        return choice

    def _attempt(self, wanted: Wanted) -> dict[str, Any]:
        with self.throttle.slot():
            while True:
                form = self.form
                if wanted.is_first_token and not form.top_logprobs:  # learnt a moment ago
                    return NO_ANSWER
                try:
                    answer = self.service.ask(self._sender(form, wanted), f"model '{self.model}'")
                except _LearntError:
                    continue
                return self._choice_of(answer)

    def _sender(self, form: Form, wanted: Wanted) -> Callable[[OpenAI], Any]:
        def send(client: OpenAI) -> Any:
            from openai import APIStatusError

            with self._lock:
                self.usage = self.usage._replace(requests=self.usage.requests + 1)
            try:
                # Not chat.completions.create: its records are for services that keep to the API, and it walks
                # through every field of a request by its types, which takes longer than everything else together.
                return client.post("/chat/completions", cast_to=object, body=form.arguments(self.model, wanted))
            except APIStatusError as error:
                self._learn(form, wanted, error)
                raise

        return send

    def _learn(self, form: Form, wanted: Wanted, error: Any) -> None:
        """Raise _LearntError where another form may be taken, UserError where the model has no eyes."""
        if wanted.picture is not None:
            cannot_see(error, self.service, self.model)
        learnt = learnt_from(error, form, wanted)
        if learnt is not None:
            with self._lock:
                if self.form == form:  # else another thread has learnt something in the meantime
                    self.form = learnt
                    log.info("%s: from now on %s", self.service.host, learnt.described)
            raise _LearntError

    # -------------------------------------------------------------------------------- one answer

    def _choice_of(self, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise TransientError("the answer is no object", kind="bad_answer")
        if isinstance(fault := answer.get("error"), dict):
            text = self.service.readable(str(fault.get("message") or fault))
            if is_refusal(fault, text):
                raise RefusedError(text)
            raise TransientError(f"the answer is an error: {text}", kind="bad_answer")
        self._count(answer)
        choices = answer.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise TransientError("empty answer", kind="bad_answer")
        return choice

    def _count(self, answer: dict[str, Any]) -> None:
        used = answer.get("usage")
        with self._lock:
            if isinstance(used, dict):
                self.usage = Usage(
                    self.usage.requests,
                    self.usage.prompt_tokens + _number(used.get("prompt_tokens")),
                    self.usage.completion_tokens + _number(used.get("completion_tokens")),
                )
            for name, seen in self.versions.items():
                told = answer.get(name)
                if isinstance(told, str) and told and len(seen) < MAX_VERSIONS:
                    seen.add(self.service.readable(told))

    def _note_answer(self) -> None:
        self.breaker.note_success()
        self.throttle.note_success()

    def _note(self, event: RetryEvent) -> None:
        if event.kind == "rate_limit":
            self.throttle.note_rate_limit()
        elif event.kind != "bad_answer":
            self.throttle.note_server_error()
        log.debug("attempt %d: %s", event.attempt, event.message)


def _words_of(choice: dict[str, Any]) -> str:
    """Give the text of an answer; some servers give it in parts, and some give none."""
    content = choice["message"].get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        content = "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _went_into_reasoning(choice: dict[str, Any], words: str) -> bool:
    """Whether the tokens of an answer were spent before there was one."""
    message = choice["message"]
    reasoned = message.get("reasoning_content") or message.get("reasoning") or reasoning.START in words
    return bool(reasoned) or not words.strip()


def _top_logprobs(choice: dict[str, Any]) -> list[tuple[str, float]] | None:
    try:
        first = choice["logprobs"]["content"][0]["top_logprobs"]
        found = [(str(token["token"]), float(token["logprob"])) for token in first]
    except (KeyError, TypeError, IndexError, ValueError):
        return None
    return found or None


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
