"""Text embeddings behind any OpenAI-compatible address: a provider's, or a server of your own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from copycat.errors import UserError
from copycat.services.openai_client import Service
from copycat.services.retry import RetryEvent, RetryPolicy, TransientError, call_with_retries

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

log = logging.getLogger(__name__)

NO_SUCH_PAGE = {404, 405, 501}
"""How servers answer that have no embeddings, or no such model."""


class OpenAIEmbeddings:
    """Asks a service's Embeddings API; `policy` says how long one request is tried."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.service = Service.find()
        self.policy = RetryPolicy()

    def identify(self) -> str:
        """Give model and host; a service states no revision to rely on."""
        return f"openai:{self.model}@{self.service.host}"

    def release(self) -> None:
        """Hold nothing that would have to be let go."""

    def vectors(self, texts: Sequence[str]) -> list[Any]:
        """Ask for the vectors of texts in one request; see `VectorSource`."""
        return call_with_retries(self.policy, lambda: self._attempt(texts), _note)

    def _attempt(self, texts: Sequence[str]) -> list[Any]:
        def send(client: OpenAI) -> Any:
            from openai import APIStatusError as StatusError

            try:
                # Not embeddings.create: it asks for base64, which not every server speaks.
                body = {"model": self.model, "input": list(texts)}
                return client.post("/embeddings", cast_to=object, body=body)
            except StatusError as error:
                if error.status_code in NO_SUCH_PAGE:
                    raise self._no_embeddings(error.status_code, _said(error)) from None
                raise

        return _in_order(self.service.ask(send, f"model '{self.model}'"))

    def _no_embeddings(self, status: int, said: str) -> UserError:
        return UserError(
            f"{self.service.host} has no embeddings of model '{self.model}' ({status}): {self.service.readable(said)}\n"
            "  needed: a service with /embeddings and a model of text embeddings that it knows; chat models have none\n"
            "  a base URL ends as the service says, often /v1; see the ids: GET {base URL}/models"
        )


def _said(error: APIStatusError) -> str:
    said = error.body.get("message") if isinstance(error.body, dict) else None
    return said if isinstance(said, str) else error.message


def _in_order(answer: Any) -> list[Any]:
    """Give the vectors of an answer by their `index`; without it, as they came."""
    items = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) and "embedding" in item for item in items):
        raise TransientError("the answer holds no embeddings", kind="bad_answer")
    places = [item.get("index", place) for place, item in enumerate(items)]
    if not all(isinstance(place, int) for place in places) or sorted(places) != list(range(len(items))):
        raise TransientError("the answer does not say which embedding belongs to which text", kind="bad_answer")
    by_place = dict(zip(places, items, strict=True))
    return [by_place[place]["embedding"] for place in range(len(items))]


def _note(event: RetryEvent) -> None:
    log.debug("attempt %d: %s", event.attempt, event.message)
