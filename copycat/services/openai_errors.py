"""What an error of an OpenAI-compatible service means: try again, a refusal, a failure, or stop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from copycat.errors import BackendError, UserError
from copycat.services import RefusedError
from copycat.services.retry import TransientError, parse_http_date, parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import APIError, APIStatusError

REFUSED_CODES = {
    "moderationblocked",
    "contentpolicyviolation",
    "contentfilter",
    "responsibleaipolicyviolation",
}
NO_MONEY_CODES = {"insufficientquota", "billinghardlimitreached", "billingnotactive"}
"""Codes and types as they compare: lower case, letters and digits only."""

REFUSED_TEXT = re.compile(
    r"safety (system|filter|checker)|content[ _-](policy|filter|moderation)|usage polic"
    r"|(blocked|rejected|refused|flagged) by .{0,40}moderation|moderation_blocked|has been flagged|was flagged",
    re.IGNORECASE,
)
RETRIED_STATUSES = {408, 409, 425}
NEVER_RETRIED_STATUSES = {501, 505}


class _Service(Protocol):
    @property
    def host(self) -> str: ...
    @property
    def key_variable(self) -> str: ...
    @property
    def timeout_s(self) -> float: ...
    def readable(self, text: str) -> str: ...


def translate(error: APIError, service: _Service, subject: str) -> Exception:
    """Give the exception to raise for what the client raised; see `Service.ask`."""
    from openai import APIConnectionError, APIStatusError, APITimeoutError

    if isinstance(error, APITimeoutError):
        return TransientError(f"{service.host} did not answer within {service.timeout_s:g} s", kind="timeout")
    if isinstance(error, APIConnectionError):
        cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
        return TransientError(f"the connection to {service.host} failed{cause}", kind="connection")
    if isinstance(error, APIStatusError):
        return _translate_status(error, service, subject)
    return TransientError(f"the answer cannot be read: {service.readable(str(error))}", kind="bad_answer")


def is_refusal(error: Mapping[str, Any], text: str) -> bool:
    """Whether an error object says that the content was declined.

    A code is enough. A text counts only where no parameter but the prompt is at fault: "unknown
    parameter 'moderation'" is a mistake of ours, and a mistake must not be counted as a refusal.
    """
    if _codes(error) & REFUSED_CODES:
        return True
    return error.get("param") in (None, "", "prompt") and REFUSED_TEXT.search(text) is not None


def _translate_status(error: APIStatusError, service: _Service, subject: str) -> Exception:
    status, fields = error.status_code, error.body if isinstance(error.body, dict) else {}
    text = service.readable(_text(error, fields))
    is_about_key = status in (401, 429) or status >= 500  # there, only a code can say that it is a refusal
    if is_refusal(fields, "" if is_about_key else text):
        return RefusedError(f"refused by the service: {text}")
    if status == 402 or _codes(fields) & NO_MONEY_CODES:
        return UserError(_no_money_text(service, text))
    if status in (401, 403, 404):
        return UserError(_stop_text(status, service, subject, text))
    if status == 429:
        return TransientError(f"rate limit (429): {text}", _retry_after_s(error.response.headers), "rate_limit")
    if status in RETRIED_STATUSES or (status >= 500 and status not in NEVER_RETRIED_STATUSES):
        return TransientError(f"server error ({status}): {text}", _retry_after_s(error.response.headers), "server")
    return BackendError(f"{service.host} rejected the request ({status}): {text}")


def _stop_text(status: int, service: _Service, subject: str, text: str) -> str:
    variable = service.key_variable
    if status == 401:  # without the service's words: some quote the key
        return (
            f"{service.host} does not accept the key in {variable} (401)\n"
            f"  needed: a key of this service that has not expired\n  set it: export {variable}=..."
        )
    if status == 403:
        return (
            f"{service.host} does not allow this to the key in {variable} (403): {text}\n"
            f"  needed: a key whose account may use {subject}"
        )
    return (
        f"{service.host} does not know {subject} (404): {text}\n"
        "  needed: the model's id as the service lists it, and a base URL that ends as the service says, often /v1\n"
        "  see the ids: GET {base URL}/models"
    )


def _no_money_text(service: _Service, text: str) -> str:
    return (
        f"{service.host}: the account of the key in {service.key_variable} has no credit left: {text}\n"
        "  nothing that was finished is lost; add credit, then type the same command: it goes on from there"
    )


def _codes(error: Mapping[str, Any]) -> set[str]:
    """Every code and type of an error object, nested ones too, in the form in which they compare."""
    inner = error.get("innererror")
    found = _codes(inner) if isinstance(inner, dict) else set()
    return found | {re.sub(r"[^a-z0-9]", "", str(error.get(field) or "").lower()) for field in ("code", "type")}


def _text(error: APIStatusError, fields: Mapping[str, Any]) -> str:
    found = next((fields[name] for name in ("message", "detail") if isinstance(fields.get(name), str)), None)
    return found or (error.body if isinstance(error.body, str) and error.body else error.message)


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    milliseconds = parse_retry_after(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    return parse_retry_after(headers.get("retry-after"), parse_http_date(headers.get("date")))
