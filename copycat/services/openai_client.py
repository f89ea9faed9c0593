"""The client of an OpenAI-compatible service, with its address and key from the environment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from copycat.errors import MissingExtraError, UserError
from copycat.services.openai_errors import translate
from copycat.services.retry import TransientError

if TYPE_CHECKING:
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
CONNECT_TIMEOUT_S = 20.0
FACTS_TIMEOUT_S = 10.0
MIN_SECRET_LENGTH = 8
"""Shorter keys are placeholders such as "none", and are words of ordinary texts."""

MAX_TEXT = 300

T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    """Where a service is, and which environment variable holds the key to it.

    Retries are not the client's: what it raises is sorted by `ask`, and `call_with_retries` decides.
    """

    base_url: str
    key_variable: str = "OPENAI_API_KEY"
    timeout_s: float = 300.0

    @classmethod
    def find(cls, base_url: str | None = None, key_variable: str = "OPENAI_API_KEY") -> Service:
        """Take the address given, else OPENAI_BASE_URL, else OpenAI's own.

        An address of a row goes first: the key of one provider must not be sent to another.

        Raises:
            UserError: it is no http address.
        """
        url = base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI_URL
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(
                "the base URL of the service is no http address\n"
                "  needed: something like http://127.0.0.1:8080/v1; set OPENAI_BASE_URL to it, or unset it"
            )
        return cls(url, key_variable)

    @property
    def host(self) -> str:
        """Name and port; never a user name or a password that stands in the address."""
        parts = urlsplit(self.base_url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def is_local(self) -> bool:
        """Whether it runs on this computer, where no key is needed."""
        return urlsplit(self.base_url).hostname in LOCAL_HOSTS

    @cached_property
    def client(self) -> OpenAI:
        """The real client, which tries once.

        Raises:
            MissingExtraError: the key is needed and not set.
            UserError: the key holds a character that no key holds.
        """
        from openai import OpenAI, Timeout

        timeout = Timeout(self.timeout_s, connect=min(CONNECT_TIMEOUT_S, self.timeout_s))
        return OpenAI(api_key=self._key(), base_url=self.base_url, max_retries=0, timeout=timeout)

    def ask(self, send: Callable[[OpenAI], T], subject: str) -> T:
        """Send one request, once.

        Args:
            send: makes the call.
            subject: what an unknown address would be about, such as "model 'gpt-image-2'".

        Raises:
            TransientError: another attempt may succeed.
            RefusedError: the service declined the content.
            BackendError: this request cannot succeed.
            UserError: no request can succeed: the key, the money or the model is not there.
        """
        from openai import APIError

        try:
            return send(self.client)
        except APIError as error:
            # Without its chain: the client's own error may quote what was sent.
            raise translate(error, self, subject) from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise TransientError("the answer is no JSON", kind="bad_answer") from None

    def facts(self, model: str) -> dict[str, str]:
        """Give what GET /models/{id} says within 10 s: `created` and `shutdown_date`, ISO dates.

        Returns: what is known; nothing where the service has no such page or does not answer.
        For people to read: some services give the time of the question as `created`.
        """
        from openai import OpenAIError
        from openai.types import Model

        try:
            found = self.client.with_options(timeout=FACTS_TIMEOUT_S).models.retrieve(model)
        except (OpenAIError, ValueError):
            return {}
        fields = found.to_dict() if isinstance(found, Model) else {}
        created, shutdown = fields.get("created"), fields.get("shutdown_date")
        facts = {}
        if isinstance(created, int) and 0 < created < 1 << 32:
            facts["created"] = datetime.fromtimestamp(created, UTC).date().isoformat()
        if isinstance(shutdown, str):
            facts["shutdown_date"] = self.readable(shutdown)
        return facts

    def readable(self, text: str) -> str:
        """Make a text of the service fit to be shown: one line, at most 300 characters, no key."""
        key = os.environ.get(self.key_variable, "").strip()
        if len(key) >= MIN_SECRET_LENGTH:
            text = text.replace(key, "***")
        text = re.sub(r"\bsk-[\w*.-]{4,}", "sk-***", text)
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."

    def _key(self) -> str:
        key = os.environ.get(self.key_variable, "").strip()
        if not key and self.is_local:
            return "none"
        if not key:
            raise MissingExtraError(
                f"{self.host} needs a key, and {self.key_variable} is not set\n"
                f"  set it: export {self.key_variable}=...\n"
                "  for a server of your own: export OPENAI_BASE_URL=http://127.0.0.1:8080/v1"
            )
        if not (key.isascii() and key.isprintable()):
            raise UserError(f"{self.key_variable} holds a character that no key holds\n  copy the key again")
        return key
