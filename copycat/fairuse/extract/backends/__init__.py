"""Who answers: a model on this machine, a service, or a file of ready answers.

build_text_model("sandbox" | "./folder" | "org/repo" | "openai:MODEL", device) -> TextModel
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from copycat.errors import UserError
from copycat.fairuse.extract.records import Ended, Status, Unit
from copycat.paths import package_folder
from copycat.services.throttle import Throttle

SANDBOX, SANDBOX_WEIGHTS = "sandbox", "fairuse/world/weights"
ANSWERS_PREFIX, SERVICE_PREFIX = "answers:", "openai:"


class Request(NamedTuple):
    """What is sent: the text as it stands, tokens of the answer at most, and how it is drawn."""

    text: str
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0


class Reply(NamedTuple):
    """What came back; a refusal may have words, and they are measured as well."""

    text: str
    status: Status
    ended: Ended = "unknown"
    detail: str = ""


class Spent(NamedTuple):
    """What a service counted: requests, and tokens in and out."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class TextModel(Protocol):
    """Answers requests. `throttle` is that of a service, which many threads may ask at once; None on this machine.

    Attributes:
        unit: in which prefixes are counted.
        at_once: requests of one call.
        spare_tokens: what it gets to reason with beside its answer.
    """

    unit: Unit
    at_once: int

    @property
    def spare_tokens(self) -> int:
        """Give tokens for each answer."""

    @property
    def is_chat(self) -> bool:
        """Whether it takes requests; else it only goes on with a text."""

    @property
    def throttle(self) -> Throttle | None:
        """How many requests may be under way."""

    def identify(self) -> str:
        """Name the model as exactly as can be."""

    def room(self) -> int | None:
        """Give how many tokens request and answer may have together; None where it is not known."""

    def cut(self, text: str, start: int, count: int) -> int | None:
        """Give where `count` units of the text that begin at `start` end; None where the text has fewer."""

    def tail(self, text: str, count: int) -> int:
        """Give where the last `count` units of the text begin; 0 where it has fewer."""

    def answer(self, requests: Sequence[Request]) -> list[Reply]:
        """Answer each request; what goes wrong with one is its status.

        Raises:
            UserError: no request can be answered.
        """

    def log_probability(self, prefix: str, following: str) -> float | None:
        """Give the log-probability (nats) of what follows; None where the model does not tell it."""

    def spent(self) -> Spent:
        """Give what was asked in this process so far."""

    def facts(self) -> dict[str, str]:
        """Give what is known of how it answers, for people."""


def build_text_model(
    name: str, device: str | None = None, *, is_raw: bool = False, is_withheld: bool = False
) -> TextModel:
    """Build the model of a name; asks nobody, and loads no weights.

    Args:
        is_raw: a model on this machine goes on with the bare text, even if it has the form of a chat.
        is_withheld: nothing that a service says of a request is told or logged.

    Raises:
        UserError: the name has none of the forms, or the model cannot be asked so.
    """
    if name.startswith(SERVICE_PREFIX) and len(name) > len(SERVICE_PREFIX):
        if is_raw:
            raise UserError("--raw is for models on this machine: a service takes messages\n  leave out --raw")
        from copycat.fairuse.extract.backends.service import ServiceTextModel

        return ServiceTextModel(name.removeprefix(SERVICE_PREFIX), is_withheld=is_withheld)
    from copycat.fairuse.extract.backends.local import LocalTextModel
    from copycat.runs.environment import pick_device

    if name == SANDBOX:
        return LocalTextModel(package_folder(SANDBOX_WEIGHTS), pick_device(device or "cpu"), is_raw=True)
    if name.startswith((".", "/", "~")) or (name and Path(name).is_dir()):
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise UserError(f"--model {name}: there is no such folder\n  needed: a folder of transformers")
        return LocalTextModel(folder, pick_device(device), is_raw=is_raw)
    if name.count("/") == 1 and ":" not in name and all(name.split("/")):
        return LocalTextModel(name, pick_device(device), is_raw=is_raw)
    raise UserError(
        f"'{name}' names no language model\n"
        "  needed: sandbox, ./FOLDER of transformers, org/repo of the Hugging Face Hub, openai:MODEL, or "
        "answers:FILE.jsonl"
    )
