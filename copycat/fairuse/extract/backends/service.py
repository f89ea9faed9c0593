"""A model behind an OpenAI-compatible address: many requests at a time; refusals and cut-off answers are outcomes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from copycat.errors import BackendError
from copycat.fairuse.extract.backends import Reply, Request, Spent
from copycat.fairuse.extract.backends.words import end_of_words, reply_of, start_of_last_words
from copycat.fairuse.extract.records import Unit
from copycat.services import RefusedError
from copycat.services.chat import Chat, CutOffAnswerError
from copycat.services.chat_forms import Wanted
from copycat.services.openai_client import Service
from copycat.services.openai_errors import REFUSED_TEXT
from copycat.services.throttle import Throttle

NOT_SHOWN = "its words are not shown, since the works are withheld"

_NAME = re.compile(r"[A-Za-z0-9_.:/@+-]{1,64}")


class UnquotedService(Service):
    """A service whose messages are not shown: they may quote the request, and with it the work."""

    def readable(self, text: str) -> str:
        """Give a name or a code, such as that of the model that answered, and of everything else only what it means."""
        if _NAME.fullmatch(text):
            return text
        # In words that are themselves read as a refusal: what a message means is told from what is given here.
        return f"content policy ({NOT_SHOWN})" if REFUSED_TEXT.search(text) else NOT_SHOWN


class ServiceTextModel:
    """Asks the Chat Completions API; its prefixes are counted in words, since its tokens are not known.

    Args:
        is_withheld: nothing that the service says of a request is told or logged.
    """

    unit: Unit = "words"
    is_chat = True
    at_once = 1

    def __init__(self, model: str, *, is_withheld: bool = False) -> None:
        self.model = model
        self.chat = Chat((UnquotedService if is_withheld else Service).find(), model)

    @property
    def throttle(self) -> Throttle:
        """How many requests may be under way."""
        return self.chat.throttle

    @property
    def spare_tokens(self) -> int:
        """Give what its errors and answers have asked for so far."""
        return self.chat.form.spare_tokens

    def identify(self) -> str:
        """Give model and host; a service states no revision to rely on."""
        return f"openai:{self.model}@{self.chat.service.host}"

    def room(self) -> None:
        """Nobody tells how long a request may be; one that is too long fails."""
        return

    def cut(self, text: str, start: int, count: int) -> int | None:
        """Give where so many words end."""
        return end_of_words(text, start, count)

    def tail(self, text: str, count: int) -> int:
        """Give where the last so many words begin."""
        return start_of_last_words(text, count)

    def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Ask for each, one after the other; the caller asks in many threads."""
        return [self._answer(request) for request in requests]

    def log_probability(self, prefix: str, following: str) -> None:
        """Chat services tell no probability of a text of ours."""
        del prefix, following

    def spent(self) -> Spent:
        """Give what the service counted in this process."""
        return Spent(*self.chat.usage)

    def facts(self) -> dict[str, str]:
        """Give what the service has said of itself, and whether it took a temperature."""
        found = {f"{name} answered": ", ".join(sorted(seen)) for name, seen in self.chat.versions.items() if seen}
        if not self.chat.form.has_temperature:
            found["temperature taken"] = "no: the service has its own"
        return found

    def _answer(self, request: Request) -> Reply:
        seed = request.seed if request.temperature else None
        wanted = Wanted(None, request.text, request.max_tokens, temperature=request.temperature, seed=seed)
        try:
            return reply_of(self.chat.ask(wanted), "stop")
        except CutOffAnswerError as error:
            return reply_of(error.text, "length")
        except RefusedError as error:
            return Reply("", "refused", detail=str(error))
        except BackendError as error:
            return Reply("", "failed", detail=str(error))
