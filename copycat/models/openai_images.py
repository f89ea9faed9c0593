"""Models behind an OpenAI-compatible Images API: OpenAI's own, and servers such as LocalAI or vLLM-omni."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PIL.Image import Image

from copycat.errors import BackendError, UnsupportedError
from copycat.models.decode import TooManyPixelsError, UndecodableError, decode_picture, flaw_of
from copycat.models.row import ModelIdentity, ModelRow, Picture, require_no_edits
from copycat.schema import ImageRequest, Sampling
from copycat.services import RefusedError
from copycat.services.breaker import Breaker
from copycat.services.fetch import fetch_bytes
from copycat.services.openai_client import MAX_TEXT, Service
from copycat.services.openai_errors import is_refusal
from copycat.services.retry import RetryEvent, RetryPolicy, TransientError, call_with_retries
from copycat.services.throttle import Throttle

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import ImagesResponse

log = logging.getLogger(__name__)

SETTINGS_SENT = {"width_px", "height_px", "quality"}
START_CONCURRENCY = 8
REVISION = "api"
MAX_PICTURE_BYTES = 64 << 20
FETCH_TIMEOUT_S = 60.0
PICTURE_HOSTS: frozenset[str] = frozenset()
"""Hosts, besides the service's own, from which a picture may be fetched that was answered as an address."""


class OpenAIImagesModel:
    """Asks for one picture at a time; many threads may ask at once.

    `throttle` says how many may, `breaker` stops the run when the service answers nobody, and `policy`
    says how long one picture is tried. A bad picture is tried again at most twice, since it may be charged.
    """

    def __init__(self, row: ModelRow, device: str) -> None:
        self.row, self.device = row, device
        maximum = row.concurrency or START_CONCURRENCY
        self.throttle = Throttle(min(START_CONCURRENCY, maximum), maximum)
        self.policy = RetryPolicy(sleep=self.throttle.sleep)

    @cached_property
    def service(self) -> Service:
        """Where the model is."""
        return Service.find(self.row.base_url, self.row.key_variable)

    @cached_property
    def breaker(self) -> Breaker:
        """Shared by all requests to this model."""
        return Breaker(self.service.host)

    def identify(self) -> ModelIdentity:
        """Give the host and the model's id; asks nobody.

        A service states no revision that could be relied on. What it does state may change or not be
        reachable on another day, and a run that then took itself for another one would pay twice.
        """
        return ModelIdentity(f"openai:{self.service.host}/{self.row.source}", REVISION)

    def facts(self) -> dict[str, str]:
        """Ask the service when the model was made and when it will be shut down; {} if it does not say."""
        return self.service.facts(self.row.source)

    def settle(self, sampling: Sampling) -> Sampling:
        """Leave the settings as they are: the service fills in nothing that it tells."""
        return sampling

    def check(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Refuse what the service would ignore or could not do; asks nobody."""
        if self.row.shutdown is not None and date.fromisoformat(self.row.shutdown) < _today():
            raise UnsupportedError(
                f"'{self.row.name}' was shut down by its provider on {self.row.shutdown}\n"
                "  use another model: python -m copycat.eval --list models"
            )
        if "negative prompt" not in self.row.honours and any(request.negative_prompt for request in requests):
            raise UnsupportedError(
                f"'{self.row.name}' takes no negative prompt: the Images API has none\n"
                "  use a mitigation that does not need one: none"
            )
        if any(request.guide is not None for request in requests):
            raise UnsupportedError(
                f"'{self.row.name}' draws elsewhere, where no guidance can be put into it\n  use another mitigation"
            )
        require_no_edits(self.row, requests)
        ignored = sorted(set(sampling.model_dump(exclude_none=True)) - SETTINGS_SENT)
        if ignored:
            raise UnsupportedError(
                f"'{self.row.name}' takes no {', '.join(ignored)}: the Images API has no such settings\n"
                "  leave them out; it takes a size and a quality"
            )

    def prepare(self, requests: Sequence[ImageRequest], sampling: Sampling) -> None:
        """Make the client, so that a missing key is told before the first request; asks nobody.

        Raises:
            MissingExtraError: the service needs a key, and the environment holds none.
        """
        _ = self.service.client, self.breaker

    def generate(self, requests: Sequence[ImageRequest], sampling: Sampling) -> list[Picture]:
        """Make the pictures one after the other; one that failed does not take the others with it.

        Raises:
            ServiceDownError: too many requests in a row failed; nothing was sent.
            StoppedError: the run stops; nothing was sent.
            UserError: the service can answer no request: key, credit or model is not there.
        """
        return [self._draw(request, sampling) for request in requests]

    def _draw(self, request: ImageRequest, sampling: Sampling) -> Picture:
        self.breaker.check()
        answers: list[object] = []
        try:
            picture = call_with_retries(self.policy, lambda: self._attempt(request, sampling, answers), self._note)
        except RefusedError as refusal:
            picture = Picture("refused", None, str(refusal))
        except BackendError as error:
            self.breaker.note_failure(str(error))
            log.warning("%s", error)
            return Picture("failed", None, str(error), charges=len(answers))
        self.breaker.note_success()
        self.throttle.note_success()
        return picture._replace(charges=len(answers))

    def _attempt(self, request: ImageRequest, sampling: Sampling, answers: list[object]) -> Picture:
        def send(client: OpenAI) -> ImagesResponse:
            answer: ImagesResponse = client.images.generate(**self._arguments(request, sampling))
            return answer

        with self.throttle.slot():
            answer = self.service.ask(send, f"model '{self.row.source}'")
        answers.append(answer)
        found = self._first(answer)
        try:
            image = decode_picture(self._bytes(found))
        except TooManyPixelsError as error:
            return Picture("invalid", None, str(error))
        except UndecodableError as error:
            raise TransientError(f"the picture cannot be used: {error}", kind="bad_answer") from error
        return self._picture(image, found.revised_prompt, sampling)

    def _note(self, event: RetryEvent) -> None:
        if event.kind == "rate_limit":
            self.throttle.note_rate_limit()
        elif event.kind != "bad_answer":
            self.throttle.note_server_error()
        log.debug("attempt %d: %s", event.attempt, event.message)

    def _arguments(self, request: ImageRequest, sampling: Sampling) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": self.row.source,
            "prompt": request.prompt_sent,
            "n": 1,
            "size": f"{sampling.width_px}x{sampling.height_px}",
        }
        if sampling.quality is not None:
            arguments["quality"] = sampling.quality
        if not _is_gpt_image(self.row.source):
            arguments["response_format"] = "b64_json"
        more: dict[str, Any] = {"seed": request.seed} if "seed" in self.row.honours else {}
        if request.negative_prompt and "negative prompt" in self.row.honours:
            more["negative_prompt"] = request.negative_prompt
        return arguments | ({"extra_body": more} if more else {})

    def _first(self, answer: Any) -> Any:  # Any: servers that are only compatible answer with anything
        from openai.types import Image as Answered
        from openai.types import ImagesResponse

        if not isinstance(answer, ImagesResponse):
            raise TransientError("the answer is no list of pictures", kind="bad_answer")
        fault = (answer.model_extra or {}).get("error")
        if isinstance(fault, dict):
            text = self.service.readable(str(fault.get("message") or fault))
            if is_refusal(fault, text):
                raise RefusedError(f"refused by the service: {text}")
            raise TransientError(f"the answer is an error: {text}", kind="bad_answer")
        found = answer.data[0] if isinstance(answer.data, list) and answer.data else None
        if not isinstance(found, Answered):
            raise TransientError("empty answer", kind="bad_answer")
        return found

    def _bytes(self, found: Any) -> bytes:
        text = found.b64_json
        if isinstance(text, str) and text:
            return _from_base64(text)
        if isinstance(found.url, str) and found.url:
            return fetch_bytes(found.url, self.service.base_url, PICTURE_HOSTS, MAX_PICTURE_BYTES, FETCH_TIMEOUT_S)
        raise TransientError("empty answer", kind="bad_answer")

    def _picture(self, image: Image, rewritten: object, sampling: Sampling) -> Picture:
        detail = ""
        if isinstance(rewritten, str) and rewritten:
            detail = self.service.readable(f"prompt was rewritten by the service: {rewritten}")
        flaw = flaw_of(image, (sampling.width_px, sampling.height_px))
        if flaw is not None:
            return Picture("invalid", None, f"{flaw}; {detail}"[:MAX_TEXT] if detail else flaw)
        return Picture("ok", image, detail)


def _from_base64(text: str) -> bytes:
    if len(text) > MAX_PICTURE_BYTES * 4 // 3:
        raise TransientError(f"the picture is larger than {MAX_PICTURE_BYTES} bytes", kind="bad_answer")
    try:
        # Some servers put 'data:image/png;base64,' in front, which no base64 text can hold.
        return base64.b64decode(text.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise TransientError("the picture is no base64", kind="bad_answer") from error


def _is_gpt_image(model: str) -> bool:
    """Whether the model always answers in base64 and rejects the argument that asks for it."""
    return "gpt-image" in model or model.startswith("chatgpt-image")


def _today() -> date:
    return datetime.now(UTC).date()
