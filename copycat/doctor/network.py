"""Ask the Hub and the service, each for a few seconds at most."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from copycat.doctor.records import Hub, ServiceFacts
from copycat.errors import CopycatError
from copycat.models import MODELS

TIMEOUT_S = 3.0
DEADLINE_S = 6.0
"""For all of it, as looking up a name has no limit of its own."""

T = TypeVar("T")


def within(ask: Callable[[], T], give_up: Callable[[str], T], seconds: float = DEADLINE_S) -> Callable[[], T]:
    """Begin to ask on a thread of its own; gives a function that waits for the answer.

    Args:
        give_up: makes the answer from why there is none.
    """
    answers: list[T] = []

    def work() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001 - whatever it is, the doctor goes on
            answers.append(give_up(type(error).__name__))

    thread = threading.Thread(target=work, daemon=True)  # a daemon, so that nobody waits for it in the end
    thread.start()

    def answer() -> T:
        thread.join(seconds)
        return answers[0] if answers else give_up(f"no answer within {seconds:g} s")

    return answer


def ask_hub() -> Hub:
    """See whether the Hub answers, with the same client that fetches models."""
    from huggingface_hub import constants, get_session

    host = str(urlsplit(constants.ENDPOINT).hostname)
    if constants.HF_HUB_OFFLINE:
        return Hub(is_asked=True, host=host, fault="HF_HUB_OFFLINE is set")
    try:
        status = get_session().head(f"{constants.ENDPOINT}/robots.txt", timeout=TIMEOUT_S).status_code
    except Exception as error:  # noqa: BLE001 - of its client, which changes: httpx, httpx2, requests
        return Hub(is_asked=True, host=host, fault=type(error).__name__)
    return Hub(is_asked=True, host=host, fault=f"it answers {status}" if status >= 500 else None)


def ask_service() -> ServiceFacts:
    """Ask the service of the environment which of its image models have an announced end."""
    from copycat.services.openai_client import Service
    from copycat.services.retry import TransientError

    try:
        service = Service.find()
    except CopycatError as error:
        return ServiceFacts(is_asked=True, fault=_first_line(error))
    try:
        listed = service.ask(lambda c: list(c.with_options(timeout=TIMEOUT_S).models.list().data), "its list of models")
        ends = {model.id: end for model in listed if (end := _end_of(model)) and _draws(model.id)}
    except (CopycatError, TransientError) as error:
        return ServiceFacts(is_asked=True, host=service.host, fault=_first_line(error))
    except (AttributeError, TypeError, ValueError):  # a server that is only compatible answers with anything
        return ServiceFacts(is_asked=True, host=service.host, fault="its list of models cannot be read")
    ends = {service.readable(name): service.readable(end) for name, end in ends.items()}
    return ServiceFacts(is_asked=True, host=service.host, n_models=len(listed), shutdowns=ends)


def _end_of(model: Any) -> str | None:  # Any: a server that is only compatible answers with anything
    end = model.to_dict().get("shutdown_date")
    return end if isinstance(end, str) else None


def _draws(model: str) -> bool:
    """Whether it is a model of the table, or looks like one that draws."""
    known: set[str] = set()
    with suppress(CopycatError):
        known = {row.source for row in MODELS.rows() if row.is_service}
    return model in known or "image" in model


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
