"""Forms of a request: services that call themselves compatible reject one argument or another, and say so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from copycat.errors import UserError
from copycat.services.openai_client import Service

Output = Literal["json_schema", "json_object", "none"]
NEXT_OUTPUT: dict[Output, Output] = {"json_schema": "json_object", "json_object": "none"}
NEXT_TOP_LOGPROBS = {20: 5, 5: 0}
"""Most services give 20 alternatives to a token, some only 5."""

REASONING_TOKENS = 4096
REJECTED_STATUSES = {400, 404, 415, 422, 500, 501}
"""404 and 500 too: OpenRouter and llama.cpp say so that a model takes no pictures."""

_PICTURES = r"(images?|image_url|vision|multi-?modal)\b(?! (format|type|size|file))"
NO_EYES = re.compile(
    r"no endpoints found that support image|not a (multi-?modal|vision) model|at most 0 image"
    r"|unknown variant .?image_url|content\W{0,4}must be (a|of type) string"
    rf"|(not|n't) support (\w+ ){{0,3}}{_PICTURES}"
    rf"|{_PICTURES}( \w+){{0,3}} (not supported|only supported)",
    re.IGNORECASE,
)
"""What services say of a model that takes no pictures; not what they say of a picture that is damaged."""


class Wanted(NamedTuple):
    """One question, about one picture (a data URI) or about none.

    `schema` is that of the answer, with a name for it. `is_first_token` asks for the log-probabilities of the first
    token instead of an answer. `instruction` goes first, in the words of the system.
    """

    picture: str | None
    text: str
    max_tokens: int
    schema_name: str = ""
    schema: dict[str, Any] | None = None
    is_first_token: bool = False
    instruction: str = ""
    temperature: float = 0.0
    seed: int | None = None


@dataclass(frozen=True)
class Form:
    """What a service takes, as far as its errors have told; every step leaves something out and none comes back."""

    output: Output = "json_schema"
    length_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    has_temperature: bool = True
    top_logprobs: int = 20
    spare_tokens: int = 0
    has_seed: bool = True

    @property
    def described(self) -> str:
        """For people: what is asked for and how."""
        parts = ["structured output " + self.output, "temperature 0" if self.has_temperature else "no temperature"]
        parts += [f"{self.spare_tokens} tokens for reasoning"] if self.spare_tokens else []
        return ", ".join(parts)

    def with_room_for_reasoning(self) -> Form:
        """Give the form for a model that thinks aloud before its answer."""
        return replace(self, spare_tokens=REASONING_TOKENS)

    def arguments(self, model: str, wanted: Wanted) -> dict[str, Any]:
        """Give the arguments of the request: the picture, the question, and nothing else of where they come from."""
        spare_tokens = 0 if wanted.is_first_token else self.spare_tokens
        arguments: dict[str, Any] = {
            "model": model,
            "messages": _messages(wanted),
            self.length_field: wanted.max_tokens + spare_tokens,
        }
        if self.has_temperature:
            arguments["temperature"] = wanted.temperature
        if self.has_seed and wanted.seed is not None:
            arguments["seed"] = wanted.seed
        if wanted.is_first_token:
            arguments |= {"logprobs": True, "top_logprobs": self.top_logprobs}
        if wanted.schema is not None and self.output == "json_schema":
            schema = {"name": wanted.schema_name, "schema": wanted.schema, "strict": True}
            arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif wanted.schema is not None and self.output == "json_object":
            arguments["response_format"] = {"type": "json_object"}
        return arguments


def learnt_from(error: Any, form: Form, wanted: Wanted) -> Form | None:
    """Give the form without the argument that an answer 400 or 422 complains of; None where it complains of none.

    Args:
        error: the client's APIStatusError.
    """
    if error.status_code not in (400, 422):
        return None
    said = _said(error)
    if form.length_field == "max_tokens" and "max_completion_tokens" in said:
        # Models that want it reason, and their reasoning counts.
        return replace(form.with_room_for_reasoning(), length_field="max_completion_tokens")
    if (less := _with_less_sampling(form, wanted, said)) is not None:
        return less
    if wanted.is_first_token and form.top_logprobs and "logprobs" in said:
        return replace(form, top_logprobs=NEXT_TOP_LOGPROBS[form.top_logprobs])
    names = ("response_format", "json_schema", "json_object", "structured output", "guided", "grammar")
    if wanted.schema is not None and form.output != "none" and any(name in said for name in names):
        return replace(form, output=NEXT_OUTPUT[form.output])
    return None


def cannot_see(error: Any, service: Service, model: str) -> None:
    """Find out whether an error says that the model takes no pictures.

    Raises:
        UserError: it does; no picture can be judged.
    """
    if error.status_code in REJECTED_STATUSES and NO_EYES.search(said := _said(error)):
        raise UserError(
            f"{service.host}: model '{model}' takes no pictures ({error.status_code}): {service.readable(said)}\n"
            "  needed: a vision-language model; a server of your own may have to be started with its vision part\n"
            "  then: --judge openai:MODEL"
        )


def _with_less_sampling(form: Form, wanted: Wanted, said: str) -> Form | None:
    if form.has_temperature and "temperature" in said:
        return replace(form, has_temperature=False)
    if form.has_seed and wanted.seed is not None and "seed" in said:
        return replace(form, has_seed=False)
    return None


def _messages(wanted: Wanted) -> list[dict[str, Any]]:
    content: Any = wanted.text
    if wanted.picture is not None:
        picture = {"type": "image_url", "image_url": {"url": wanted.picture}}
        content = [picture, {"type": "text", "text": wanted.text}]
    system = [{"role": "system", "content": wanted.instruction}] if wanted.instruction else []
    return [*system, {"role": "user", "content": content}]


def _said(error: Any) -> str:
    """Everything that an error says, in small letters."""
    fields = error.body if isinstance(error.body, dict) else {}
    told = [fields.get(name) for name in ("param", "message", "detail")]
    return " ".join(str(text) for text in [*told, *([] if fields else [error.body or error.message])] if text).lower()
