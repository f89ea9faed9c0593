"""Counts from public search engines over corpora: infini-gram, and the Elasticsearch indexes of WIMBD.

    infini-gram:INDEX   n-gram occurrences, exact case, anybody may ask       (Liu et al., arXiv 2401.17377)
    wimbd:INDEX         documents, as CopyCat counted; needs a key            (Elazar et al., arXiv 2310.20707)

Every count is kept and never asked for twice. Names are counted as they are written, without other names of a
character: each would be a question more.

What no request from here has confirmed: that the services still answer as documented (infini-gram: its API page and
the source of its server; WIMBD: its client `wimbd.es` and the count API of Elasticsearch), which of their indexes are
still up, and how WIMBD's index cuts texts into words; its mapping names none, and Elasticsearch's standard way ignores
case and punctuation.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import quote

from copycat.discovery.json_service import JsonService, short
from copycat.discovery.rankers import Seen
from copycat.errors import MissingExtraError, UserError
from copycat.services import RefusedError
from copycat.services.memory import AnswerMemory, answer_key, recall_or_ask
from copycat.services.retry import RetryPolicy, TransientError

if TYPE_CHECKING:
    from copycat.schema import Character

INFINI_GRAM_URL = "https://api.infini-gram.io/"
MAX_DIFF_TOKENS, MAX_CLAUSE_FREQ = 1000, 500_000
"""The most that infini-gram allows: how far apart two texts may stand, and from how many hits on it only samples."""

OPERATORS = (" AND ", " OR ")
KNOWN_INDEXES = {
    "infini-gram": "v4_dolma-v1_7_llama, v4_rpj_llama_s4, v4_piletrain_llama, v4_c4train_llama",
    "wimbd": "re_laion2b-en-*, re_pile, c4, openwebtext, re_oscar",
}
"""Indexes that were documented, for error texts."""


class SearchEngine(Protocol):
    """Counts texts in one corpus.

    All methods raise BackendError where one count cannot be had, ServiceDownError where none can, and UserError
    where a text or a setting must be changed.
    """

    @property
    def identity(self) -> str:
        """Name the engine, its index and its host."""

    @property
    def unit(self) -> Literal["documents", "occurrences"]:
        """Say what is counted."""

    @property
    def warnings(self) -> list[str]:
        """List what people must know of the counts so far."""

    def names(self, text: str) -> int:
        """Count what holds a text."""

    def together(self, a: str, b: str) -> int:
        """Count what holds both texts."""

    def total(self) -> int | None:
        """Count everything; None where the unit has no such number."""


class EngineCounts:
    """The counts of a search engine, as `rankers.Association`; of a character, its name alone is counted.

    Args:
        advance: told of each candidate that is counted.
    """

    def __init__(self, engine: SearchEngine, advance: Callable[[int], object] = lambda _: None) -> None:
        self.engine, self.advance = engine, advance

    def seen(self, character: Character, text: str) -> Seen:
        """Give the counts of one character and one candidate."""
        name = character.name
        together = self.engine.together(name, text)
        seen = Seen(together, self.engine.names(name), self.engine.names(text), self.engine.total())
        self.advance(1)
        return seen


def build_engine(name: str, memory: AnswerMemory | None) -> InfiniGram | Wimbd:
    """Build the engine of a name such as 'infini-gram:v4_piletrain_llama' or 'wimbd:re_laion2b-en-*'; asks nobody.

    INFINI_GRAM_URL names another infini-gram server; WIMBD_URL (an address, or a cloud id) and WIMBD_API_KEY are what
    WIMBD hands out.

    Raises:
        UserError: the name has another form.
        MissingExtraError: WIMBD's address or key is not set.
    """
    kind, _, index = name.partition(":")
    if kind not in KNOWN_INDEXES or not index:
        listed = "\n".join(f"  {kind}:INDEX, such as {indexes}" for kind, indexes in KNOWN_INDEXES.items())
        raise UserError(f"'{name}' names no search engine and index\n  needed:\n{listed}")
    return InfiniGram(index, memory) if kind == "infini-gram" else Wimbd(index, memory)


class InfiniGram:
    """Counts with infini-gram's query type `count`.

    A count is of occurrences of the very tokens: case counts, and a document may hold many. Two texts together are
    pairs of occurrences that stand at most 1,000 tokens apart in one document ('A AND B'); where a text has more than
    500,000, the engine takes a sample of its documents and says so (`warnings`). Such a count can be higher than
    either text's own, and so there is no total: measures that need tables of documents refuse.
    """

    unit: Literal["occurrences"] = "occurrences"

    def __init__(
        self,
        index: str,
        memory: AnswerMemory | None = None,
        url: str | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        address = url or os.environ.get("INFINI_GRAM_URL") or INFINI_GRAM_URL
        self.index = index
        self.service = JsonService(address, {}, policy, f"index '{index}'; known: {KNOWN_INDEXES['infini-gram']}")
        self.identity = f"infini-gram:{index}@{self.service.host}"
        self.warnings: list[str] = []
        self._memory = memory

    def names(self, text: str) -> int:
        """Count the occurrences of a text."""
        return self._count(_plain(text), {})

    def together(self, a: str, b: str) -> int:
        """Count the pairs of occurrences of both texts near each other."""
        within = {"max_diff_tokens": MAX_DIFF_TOKENS, "max_clause_freq": MAX_CLAUSE_FREQ}
        return self._count(f"{_plain(a)} AND {_plain(b)}", within)

    def total(self) -> None:
        """Give None: occurrences are counted, and pairs of them are no share of anything."""
        return

    def _count(self, query: str, settings: dict[str, int]) -> int:
        key = answer_key("count", self.identity, query, json.dumps(settings, sort_keys=True))
        body = {"index": self.index, "query_type": "count", "query": query, **settings}
        found = recall_or_ask(
            self._memory, key, dict, lambda: self.service.post("", body, partial(_infini_gram_count, query))
        )
        if found["approx"]:
            warning = f"{self.identity} estimated from a sample: {query}"
            self.warnings += [warning] if warning not in self.warnings else []
        return int(found["count"])


class Wimbd:
    """Counts documents with Elasticsearch, each phrase with its words in order, as WIMBD's own client asks.

    Of index 'c4', only the English subset is counted, as that client does.
    """

    unit: Literal["documents"] = "documents"

    def __init__(
        self,
        index: str,
        memory: AnswerMemory | None = None,
        url: str | None = None,
        key: str | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        address = _from_cloud_id(url or _required("WIMBD_URL"))
        headers = {"Authorization": f"ApiKey {key or _required('WIMBD_API_KEY')}"}
        self.index = index
        self.service = JsonService(address, headers, policy, f"index '{index}'; known: {KNOWN_INDEXES['wimbd']}")
        self.identity = f"wimbd:{index}@{self.service.host}"
        self.warnings: list[str] = []
        self._memory = memory
        self._subset = [{"term": {"subset": "en"}}] if index == "c4" else []

    def names(self, text: str) -> int:
        """Count the documents that hold a text."""
        return self._count(_worded(text))

    def together(self, a: str, b: str) -> int:
        """Count the documents that hold both texts."""
        return self._count(_worded(a), _worded(b))

    def total(self) -> int:
        """Count all documents."""
        return self._count()

    def _count(self, *phrases: str) -> int:
        clauses: list[dict[str, Any]] = [{"match_phrase": {"text": {"query": phrase}}} for phrase in phrases]
        body = {"query": {"bool": {"filter": [*clauses, *self._subset]}}}
        path = f"{quote(self.index, safe='*,-_.')}/_count"
        key = answer_key("count", self.identity, json.dumps(body, sort_keys=True), "")
        found = recall_or_ask(self._memory, key, dict, lambda: self.service.post(path, body, _elasticsearch_count))
        return int(found["count"])


# --------------------------------------------------------------------------------------- reading answers


def _infini_gram_count(query: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise RefusedError(
            f"infini-gram does not count '{short(query)}': {short(str(answer['error']))}\n"
            "  leave this text out; what was counted is kept"
        )
    return {"count": _whole_number(answer), "approx": bool(answer.get("approx"))}


def _elasticsearch_count(answer: Mapping[str, Any]) -> dict[str, Any]:
    shards = answer.get("_shards")
    if isinstance(shards, Mapping) and shards.get("failed"):
        raise TransientError(f"{shards['failed']} of {shards.get('total')} parts of the index did not answer")
    return {"count": _whole_number(answer)}


def _whole_number(answer: Mapping[str, Any]) -> int:
    count = answer.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise TransientError(f"the answer holds no count: {short(json.dumps(answer))}", kind="bad_answer")
    return count


# --------------------------------------------------------------------------------------- small things


def _plain(text: str) -> str:
    """Give a text for a query of infini-gram, which reads AND and OR in capitals, and an empty one as all there is."""
    if any(word in f" {text} " for word in OPERATORS):
        raise UserError(
            f"'{text}' holds a word that infini-gram reads as an operator, AND or OR\n  leave this text out"
        )
    return _worded(text)


def _worded(text: str) -> str:
    if not any(letter.isalnum() for letter in text):
        raise UserError(f"{text!r} has no words that could be counted\n  leave this text out")
    return text.strip()


def _required(variable: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise MissingExtraError(
            f"WIMBD needs an address and a key, and {variable} is not set\n"
            "  ask for them at https://github.com/allenai/wimbd, then: export WIMBD_URL=... WIMBD_API_KEY=...\n"
            "  without a key: --engine infini-gram:v4_piletrain_llama"
        )
    if not (value.isascii() and value.isprintable()):
        raise UserError(f"{variable} holds a letter that neither an address nor a key holds\n  copy it again")
    return value


def _from_cloud_id(text: str) -> str:
    """Give the address in a cloud id of Elastic, 'NAME:' and base64 of 'DOMAIN$ELASTICSEARCH$KIBANA'; else the text."""
    _, colon, code = text.partition(":")
    if not colon or code.startswith("//"):
        return text
    try:
        domain, elasticsearch = base64.b64decode(code, validate=True).decode().split("$")[:2]
    except ValueError as error:
        raise UserError(
            "WIMBD_URL is neither an address nor a cloud id\n  needed: https://HOST, or NAME:CODE as Elastic gives it"
        ) from error
    return f"https://{elasticsearch}.{domain}"
